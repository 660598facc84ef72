"""What statements cost through `/api/v1`, and the same over the same Parquet files in DuckDB. Prints Markdown.

Wall time and CPU seconds (all threads; of the server's process, of this process for DuckDB), medians of pairs run by
turns after one warm-up.
"""

import pathlib
import resource
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "interop"))

import duckdb

from console import Console, Warehouse

ROWS = 5_000_000
RESULT_ROWS = 1_000_000
COMMITS = 1_000
PAIRS = 5

TABLE = f"""
CREATE TABLE big (id BIGINT, part INT, key BIGINT, amount DOUBLE, name STRING, day DATE);
INSERT INTO big SELECT value, CAST(value % 10 AS INT), (value * 2654435761) % 100000, CAST((value * 31) % 1000003 AS DOUBLE) / 100,
  concat('name ', CAST(value % 10000 AS STRING)), date_add(DATE '2020-01-01', CAST(value % 1000 AS INT)) FROM range(0, {ROWS});
"""
QUERIES = [
    "SELECT count(*) AS n FROM big",
    "SELECT min(id) AS a, max(id) AS b FROM big",
    "SELECT min(name) AS a, max(name) AS b FROM big",
    "SELECT sum(amount) AS a FROM big",
    "SELECT count(*) AS n FROM big WHERE key = 4242",
    "SELECT part, count(*) AS n, sum(amount) AS a FROM big GROUP BY part ORDER BY part",
    "SELECT name, count(*) AS n FROM big GROUP BY name ORDER BY n DESC, name LIMIT 10",
    "SELECT key, count(*) AS n FROM big GROUP BY key ORDER BY n DESC, key LIMIT 10",
    "SELECT count(*) AS n FROM big WHERE name LIKE '%99%'",
    "SELECT id, name FROM big ORDER BY amount DESC, id LIMIT 10",
]


class Server:
    """Times of the server's process."""

    def __init__(self, process):
        self.folder = pathlib.Path(f"/proc/{process}")

    def cpu_seconds(self):
        fields = (self.folder / "stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def memory_mb(self, key):
        line = next(line for line in (self.folder / "status").read_text().splitlines() if line.startswith(key))
        return int(line.split()[1]) // 1024


def own_cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def taken(action, clock):
    begun, cpu = time.perf_counter(), clock()
    result = action()
    return result, time.perf_counter() - begun, clock() - cpu


def alike(ours, theirs):
    def rounded(rows):
        return [tuple(round(value, 3) if isinstance(value, float) else value for value in row) for row in rows]

    return rounded(ours) == rounded(theirs)


def compare(lake, server):
    begun = time.perf_counter()
    lake.sql(TABLE)
    print(f"| {ROWS} rows × 6 columns by INSERT … SELECT | {time.perf_counter() - begun:.2f} s |")
    files = [str(file) for file in lake.folder.rglob("big/bucket-*/*.parquet")]
    size = sum(pathlib.Path(file).stat().st_size for file in files)
    print(f"| its files | {len(files)}, {size / 1e6:.0f} MB |")
    duck = duckdb.connect()
    duck.execute(f"CREATE VIEW big AS SELECT * FROM read_parquet({files})")
    print(f"\n| query on {ROWS} rows | Lakedeck ms | DuckDB ms | Lakedeck CPU ms | DuckDB CPU ms |\n|---|---:|---:|---:|---:|")
    for query in QUERIES:
        ours, theirs = [], []
        for n in range(PAIRS + 1):
            table, *one = taken(lambda: lake.sql(query + ";"), server.cpu_seconds)
            rows, *other = taken(lambda: duck.execute(query).fetchall(), own_cpu_seconds)
            found = [tuple(row.values()) for row in table.to_pylist()]
            assert alike(found, rows), (query, found[:3], rows[:3])
            if n > 0:
                ours.append(one)
                theirs.append(other)
        figures = [statistics.median(pair[at] for pair in side) * 1000 for at in (0, 1) for side in (ours, theirs)]
        print(f"| `{query}` | " + " | ".join(f"{figure:.0f}" for figure in figures) + " |", flush=True)


def big_result(lake, server):
    print("\n| measure | value |\n|---|---:|")
    before = server.memory_mb("VmRSS")
    run = None
    begun = time.perf_counter()
    run = lake.run(f"SELECT * FROM big WHERE id < {RESULT_ROWS};")
    seconds = time.perf_counter() - begun
    print(f"| SELECT of {RESULT_ROWS} rows × 6: run and spooled | {seconds * 1000:.0f} ms |")
    print(f"| memory of the server before, after, highest since its start | {before}, {server.memory_mb('VmRSS')}, {server.memory_mb('VmHWM')} MB |")
    for offset in [0, RESULT_ROWS // 2, RESULT_ROWS - 100]:
        path = f"/runs/{run['id']}/results/0?offset={offset}&count=100"
        page, seconds, _ = taken(lambda: lake.console.call("GET", path), own_cpu_seconds)
        print(f"| 100 rows of it from row {offset} | {seconds * 1000:.0f} ms |")
    content, seconds, _ = taken(lambda: lake.console.call("GET", f"/runs/{run['id']}/results/0/export?format=csv", raw=True), own_cpu_seconds)
    print(f"| the whole as CSV, {len(content) / 1e6:.0f} MB | {seconds * 1000:.0f} ms |")


def commits(lake, server):
    lake.sql("CREATE TABLE small (id BIGINT, name STRING);")
    times, cpu = [], []
    for n in range(COMMITS):
        _, wall, used = taken(lambda: lake.run(f"INSERT INTO small VALUES ({n}, 'x');"), server.cpu_seconds)
        times.append(wall * 1000)
        cpu.append(used * 1000)
    first, last = times[:100], times[-100:]
    print(f"| one-row INSERT over HTTP, {COMMITS} in a row: median (90th percentile) | {statistics.median(times):.1f} ms ({statistics.quantiles(times, n=10)[8]:.1f}) |")
    print(f"| the first hundred, the last hundred: median | {statistics.median(first):.1f}, {statistics.median(last):.1f} ms |")
    print(f"| the same as CPU of the server: mean | {statistics.mean(cpu[:100]):.1f}, {statistics.mean(cpu[-100:]):.1f} ms |")
    assert lake.sql("SELECT count(*) AS n FROM small;").to_pylist() == [{"n": COMMITS}]


def main():
    with tempfile.TemporaryDirectory(prefix="lakedeck-bench-") as folder, Console(pathlib.Path(folder)) as console:
        server = Server(console.process.pid)
        lake = Warehouse(console, "bench")
        print("| measure | value |\n|---|---:|")
        commits(lake, server)
        compare(lake, server)
        big_result(lake, server)


if __name__ == "__main__":
    main()

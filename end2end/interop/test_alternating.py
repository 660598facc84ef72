"""Both sides write one primary-key table by turns; each sees what the other wrote."""

import pyarrow as pa

from pypaimon_peer import write

FIELDS = pa.schema([pa.field("id", pa.int64(), nullable=False), ("writer", pa.string())])
ROUNDS = 6


def alternate(lake, options):
    lake.sql(f"CREATE TABLE t (id BIGINT, writer STRING, PRIMARY KEY (id)) TBLPROPERTIES ({options});")
    expected = {}
    for n in range(ROUNDS):
        ids = [n, n + 1, 100 + n]
        writer = f"round {n}"
        if n % 2 == 0:
            values = ", ".join(f"({one}, '{writer}')" for one in ids)
            lake.sql(f"INSERT INTO t VALUES {values};")
        else:
            write(lake.table("t"), pa.table({"id": ids, "writer": [writer] * 3}, schema=FIELDS))
        expected |= dict.fromkeys(ids, writer)
        assert {row["id"]: row["writer"] for row in lake.both("t")} == expected, writer


def test_fixed_bucket(lake):
    alternate(lake, "'bucket'='2'")


def test_dynamic_bucket(lake):
    alternate(lake, "'bucket'='-1'")


def test_deduplicate_overwritten(lake):
    """An overwrite by one side, then an upsert by the other."""
    lake.sql("CREATE TABLE t (id BIGINT, writer STRING, PRIMARY KEY (id)) TBLPROPERTIES ('bucket'='1'); INSERT INTO t VALUES (1, 'a'), (2, 'a');")
    write(lake.table("t"), pa.table({"id": [2, 3], "writer": ["b", "b"]}, schema=FIELDS), overwrite={})
    lake.sql("INSERT INTO t VALUES (3, 'c'), (4, 'c');")
    assert {row["id"]: row["writer"] for row in lake.both("t")} == {2: "b", 3: "c", 4: "c"}
    lake.sql("INSERT OVERWRITE t VALUES (5, 'd');")
    write(lake.table("t"), pa.table({"id": [5, 6], "writer": ["e", "e"]}, schema=FIELDS))
    assert {row["id"]: row["writer"] for row in lake.both("t")} == {5: "e", 6: "e"}

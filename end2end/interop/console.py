"""The real server for the tests, spoken to through `/api/v1`, and pypaimon in the same warehouse."""

import datetime
import io
import json
import os
import pathlib
import subprocess
import urllib.error
import urllib.request

import pyarrow.ipc
from pypaimon import CatalogFactory

from pypaimon_peer import read

PASSWORD = "correct horse battery staple"
START_SECONDS_MAX = 120
RUN_SECONDS_MAX = 300


class Refused(Exception):
    """A statement or a request that the server refused, with its words."""


def binary():
    target = os.environ.get("CARGO_TARGET_DIR") or pathlib.Path.home() / ".cache/lakedeck-target"
    return os.environ.get("LAKEDECK_BIN") or str(pathlib.Path(target) / "ci/lakedeck")


class Console:
    """`lakedeck serve` on a free port with a data directory of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = os.environ | {"LAKEDECK_ADMIN_PASSWORD": PASSWORD, "LAKEDECK_PASSWORD": PASSWORD}

    def __enter__(self):
        log = open(self.folder / "log.txt", "wb")
        command = [binary(), "serve", "--listen", "127.0.0.1:0", "--data-dir", str(self.folder / "data"), "--no-open"]
        command += ["--allowed-roots", str(self.folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=self.environment, text=True)
        try:
            for line in self.process.stdout:
                if line.startswith("listening on "):
                    self.url = line.removeprefix("listening on ").strip()
                    break
            else:
                raise RuntimeError("the server did not start:\n" + (self.folder / "log.txt").read_text())
            self.token = None
            self.token = self.call("POST", "/session", {"name": "root", "password": PASSWORD})["token"]
            self.call("POST", "/data-sources", {"name": "local_folder", "storage": "local", "auth": "none"})
        except BaseException:
            self.process.kill()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(60)
        finally:
            self.process.kill()

    def call(self, method, path, body=None, raw=False):
        request = urllib.request.Request(self.url + "/api/v1" + path, method=method)
        request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data, START_SECONDS_MAX) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            raise Refused(f"{method} {path}: {error.code} {error.read().decode()}") from None
        return content if raw else json.loads(content)

    def command_line(self, project, script, form):
        """What `lakedeck sql --server` prints."""
        command = [binary(), "sql", "--server", self.url, "--project", project, "--format", form, "-e", script]
        done = subprocess.run(command, env=self.environment, capture_output=True, timeout=RUN_SECONDS_MAX)
        if done.returncode != 0:
            raise Refused((done.stdout + done.stderr).decode())
        return done.stdout


class Warehouse:
    """A fresh project and its folder, open to both sides."""

    def __init__(self, console, name):
        self.console = console
        self.project = name.replace("written_", "")[:28]
        folder = console.folder / "lakes" / name
        folder.mkdir(parents=True)
        draft = {"name": self.project, "server": "local_folder", "bucket_catalog": f"{folder}/"}
        console.call("POST", "/projects", draft)
        self.folder = folder
        self.pypaimon = CatalogFactory.create({"warehouse": str(folder)})

    def run(self, script):
        """Runs a script to its end; every statement must have succeeded."""
        run = self.console.call("POST", f"/projects/{self.project}/statements", {"sql": script})
        while not run["is_finished"]:
            run = self.console.call("GET", f"/runs/{run['id']}?wait=30")
        for statement in run["statements"]:
            if statement["state"] != "succeeded":
                raise Refused(f"{statement['text']}\n{json.dumps(statement.get('error'))}")
        return run

    def sql(self, script):
        """Runs a script; the rows of its last statement as an Arrow table, None when it has none."""
        run = self.run(script)
        last = len(run["statements"]) - 1
        if not run["statements"][last]["columns"]:
            return None
        content = self.console.call("GET", f"/runs/{run['id']}/results/{last}/export?format=arrow", raw=True)
        return open_arrow(content)

    def table(self, name):
        """The table as pypaimon opens it; a bare name lies in `default`."""
        return self.pypaimon.get_table(name if "." in name else f"default.{name}")

    def here(self, name):
        """All rows as our SQL reads them, sorted."""
        return rows(self.sql(f"SET odps.sql.allow.fullscan=true; SELECT * FROM {name};"))

    def there(self, name):
        """All rows as pypaimon reads them, sorted."""
        return rows(read(self.table(name)))

    def both(self, name):
        """All rows, which both sides must read alike: values and names."""
        here, there = self.here(name), self.there(name)
        assert here == there, f"{name}\nhere:  {here}\nthere: {there}"
        return here


def open_arrow(content):
    opener = pyarrow.ipc.open_file if content.startswith(b"ARROW1") else pyarrow.ipc.open_stream
    return opener(io.BytesIO(content)).read_all()


def rows(table):
    """Dictionaries in an order that depends on nothing but the values."""
    if table is None:
        return []
    return sorted(plain(table), key=repr)


def plain(table):
    """Timestamps become texts with every digit that is stored, so that no side hides one."""
    columns = {}
    for name, column in zip(table.column_names, table.columns):
        kind = column.type
        if pyarrow.types.is_timestamp(kind):
            # Python's own type ends at microseconds.
            column = column.cast(pyarrow.int64()) if kind.unit == "ns" else column
            columns[name] = [instant(value) for value in column.to_pylist()]
        else:
            columns[name] = column.to_pylist()
    names = list(columns)
    return [dict(zip(names, values)) for values in zip(*columns.values())] if names else []


def instant(value):
    """Date, time and fraction without trailing zeros; the zone is not part of a stored value."""
    if value is None:
        return None
    if isinstance(value, int):
        seconds, nanoseconds = divmod(value, 1_000_000_000)
        moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    else:
        moment, nanoseconds = value.replace(tzinfo=None), value.microsecond * 1000
    text = moment.strftime("%Y-%m-%d %H:%M:%S") if moment.year >= 1000 else moment.replace(microsecond=0).isoformat(" ")
    fraction = f"{nanoseconds:09}".rstrip("0")
    return f"{text}.{fraction}" if fraction else text

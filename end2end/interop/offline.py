"""The released file alone: an empty directory, another user, no network but loopback, nothing installed.

`cargo xtask dist` starts it with the binary's path: the walkthrough by command line, then every asset of a page. Uses
the standard library only and reads no file of the checkout. Prints `ok …` lines; any fault ends it.
"""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import urllib.request

BINARY = sys.argv[1]
PASSWORD = "correct horse battery staple"
ENVIRONMENT = os.environ | {"LAKEDECK_ADMIN_PASSWORD": PASSWORD, "LAKEDECK_PASSWORD": PASSWORD}

STEP_1 = """
CREATE TABLE `paimon-fs-catalog`.`default`.test_tbl (id BIGINT, data STRING, dt STRING, PRIMARY KEY (dt, id) NOT ENFORCED)
  PARTITIONED BY (dt) WITH ('bucket' = '3');
INSERT INTO `paimon-fs-catalog`.`default`.test_tbl VALUES (1, 'CCC', '2024-07-18'), (2, 'DDD', '2024-07-18'), (3, 'EEE', '2025-06-18');
"""
STEP_4 = """
SET odps.namespace.schema=true;
SHOW schemas;
SET odps.sql.allow.fullscan=true;
INSERT INTO test_tbl PARTITION(dt='2025-08-26') VALUES(4,'FFF');
SELECT * FROM seed_fs.default.test_tbl;
CREATE schema testschema;
use schema testschema;
CREATE TABLE table_test(id INT, name STRING);
INSERT INTO table_test VALUES (101,'Zhang San'),(102,'Li Si');
SELECT * FROM table_test;
"""
EXPECTED = """\
OK
ID = …
default

OK
OK
ID = …
OK
ID = …
+------------+------------+------------+
| id         | data       | dt         |
+------------+------------+------------+
| 1          | CCC        | 2024-07-18 |
| 2          | DDD        | 2024-07-18 |
| 3          | EEE        | 2025-06-18 |
| 4          | FFF        | 2025-08-26 |
+------------+------------+------------+
OK
ID = …
OK
OK
ID = …
OK
ID = …
OK
ID = …
+------------+------------+
| id         | name       |
+------------+------------+
| 101        | Zhang San  |
| 102        | Li Si      |
+------------+------------+
OK
"""


def lakedeck_sql(*arguments):
    done = subprocess.run([BINARY, "sql", *arguments], env=ENVIRONMENT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return re.sub(r"ID = \S+", "ID = …", done.stdout)


def no_way_out():
    """What the namespace is for: an address of a documentation network cannot be reached."""
    try:
        socket.create_connection(("192.0.2.1", 80), timeout=2).close()
    except OSError:
        return
    raise AssertionError("there is a network")


class Browser:
    def __init__(self, url):
        self.url = url
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def get(self, path, data=None, headers=()):
        request = urllib.request.Request(self.url + path, data, {"Origin": self.url, **dict(headers)})
        with self.opener.open(request, timeout=60) as answer:
            return answer.headers.get_content_type(), answer.read()


def assets(url):
    browser = Browser(url)
    form = f"name=root&password={PASSWORD.replace(' ', '+')}&next=/".encode()
    kind, page = browser.get("/session/sign-in", form)
    assert kind == "text/html", kind
    text = page.decode()
    # Everything that the page names lies on this server.
    others = [link for link in re.findall(r'(?:src|href)="(https?://[^"]+)"', text) if not link.startswith(url)]
    assert not others, others
    folder = re.search(r'"(/pkg/[0-9a-f]+)/', text).group(1)
    named = set(re.findall(rf'{folder}/[\w.-]+', text)) | {f"{folder}/{name}" for name in ["lakedeck.js", "lakedeck.wasm", "lakedeck.css", "editor.js", "icons.svg"]}
    for path in sorted(named):
        kind, content = browser.get(path)
        assert len(content) > 100 and kind != "text/html", (path, kind, len(content))
        print(f"ok {path} {kind}, {len(content)} bytes")


def main():
    no_way_out()
    print(f"ok as user {os.getuid()} in {os.getcwd()}, without a network")
    here = pathlib.Path.cwd()
    assert [entry.name for entry in here.iterdir()] == [pathlib.Path(BINARY).name], "the directory is not empty"
    sample = lakedeck_sql("--data-dir", "data", "--project", "sample", "-e", "SELECT count(*) AS n FROM test_tbl WHERE dt > '';")
    assert "| 3          |" in sample, sample
    print("ok lakedeck sql --data-dir without a server")
    command = [BINARY, "serve", "--listen", "127.0.0.1:0", "--data-dir", "data", "--no-open"]
    with open("log.txt", "wb") as log:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=ENVIRONMENT, text=True)
    try:
        line = server.stdout.readline()
        assert line.startswith("listening on "), line + pathlib.Path("log.txt").read_text()
        url = line.removeprefix("listening on ").strip()
        (here / "warehouse").mkdir()
        api = Browser(url)

        def post(path, body):
            headers = {"Content-Type": "application/json"} | authorization
            return json.loads(api.get("/api/v1" + path, json.dumps(body).encode(), headers)[1])

        authorization = {}
        authorization = {"Authorization": "Bearer " + post("/session", {"name": "root", "password": PASSWORD})["token"]}
        post("/data-sources", {"name": "fs_source", "storage": "local", "auth": "none"})
        post("/projects", {"name": "seed_fs", "server": "fs_source", "bucket_catalog": f"{here}/warehouse/", "engine_catalog": "paimon-fs-catalog"})
        lakedeck_sql("--server", url, "--project", "seed_fs", "-e", STEP_1)
        printed = lakedeck_sql("--data-dir", "data", "--project", "seed_fs", "-e", STEP_4)
        assert printed == EXPECTED, printed
        print("ok the walkthrough by command line")
        assets(url)
    finally:
        server.terminate()
        assert server.wait(60) == 0
    print("ok stopped by SIGTERM")


if __name__ == "__main__":
    main()

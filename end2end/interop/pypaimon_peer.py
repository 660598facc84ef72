"""pypaimon beside Lakedeck: reads requests as JSON, one a line, and answers each with one line.

The first line holds the options of the catalog. Requests:
  {"do": "read", "table": "s.t"}                       all rows, values as texts that both sides print alike
  {"do": "ids", "table": "s.t"}                        column `id` of all rows, sorted
  {"do": "append", "table": "s.t", "first": 0, "count": 3, "writer": "x"}   one commit a row; ids that were acknowledged
  {"do": "create", "table": "s.t", "kind": "all_types", ...}   a table of its own making, with rows
"""

import datetime
import decimal
import json
import sys
import traceback

import pyarrow as pa
from pypaimon import CatalogFactory, Schema

import peer_tables


def text(value):
    """A value as both sides print it."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(text(key)): text(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [text(inner) for inner in value]
    if isinstance(value, list):
        return [text(inner) for inner in value]
    return value


def read(table):
    builder = table.new_read_builder()
    splits = builder.new_scan().plan().splits()
    return builder.new_read().to_arrow(splits)


def write(table, rows, overwrite=None):
    builder = table.new_batch_write_builder()
    if overwrite is not None:
        builder = builder.overwrite(overwrite)
    writer, commit = builder.new_write(), builder.new_commit()
    try:
        writer.write_arrow(rows)
        commit.commit(writer.prepare_commit())
    finally:
        writer.close()
        commit.close()


def append(table, request):
    """One commit a row: a conflict is an answer like any other, an acknowledged row must never vanish."""
    acknowledged = []
    for n in range(request["count"]):
        row_id = request["first"] + n
        rows = pa.table({"id": pa.array([row_id], pa.int64()), "writer": pa.array([request["writer"]], pa.string())})
        try:
            write(table, rows)
            acknowledged.append(row_id)
        except Exception as error:  # noqa: BLE001
            if "commit" not in str(error).lower():
                raise
    return acknowledged


def answer(catalog, request):
    if request["do"] == "create":
        return peer_tables.create(catalog, request["table"], request["kind"], Schema, write)
    table = catalog.get_table(request["table"])
    if request["do"] == "read":
        rows = read(table)
        return [] if rows is None else [{k: text(v) for k, v in row.items()} for row in rows.to_pylist()]
    if request["do"] == "ids":
        rows = read(table)
        return [] if rows is None else sorted(rows.column("id").to_pylist())
    if request["do"] == "append":
        return append(table, request)
    raise ValueError(f"unknown request {request['do']}")


def main():
    catalog = CatalogFactory.create(json.loads(sys.stdin.readline()))
    print(json.dumps({"ok": None}), flush=True)
    for line in sys.stdin:
        try:
            reply = {"ok": answer(catalog, json.loads(line))}
        except Exception:  # noqa: BLE001
            reply = {"error": traceback.format_exc()}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()

"""What pypaimon writes, our SQL reads: its tables, its types, and its changes to ours."""

import datetime
import decimal

import pyarrow as pa
from pypaimon import Schema

import peer_tables
from console import Refused
from pypaimon_peer import write


def create(lake, name, fields, batches=(), **arguments):
    lake.pypaimon.create_database("default", True)
    lake.pypaimon.create_table(f"default.{name}", Schema.from_pyarrow_schema(fields, **arguments), False)
    for batch in batches:
        write(lake.table(name), pa.Table.from_pylist(batch, schema=fields))


def test_kinds(lake):
    for kind in ["append", "partitioned", "fixed", "dynamic", "orc", "avro", "avro_fixed", "all_types"]:
        peer_tables.create(lake.pypaimon, f"default.{kind}", kind, Schema, write)
        found = lake.both(kind)
        assert len(found) == {"orc": 2, "avro": 2, "avro_fixed": 2, "all_types": 2}.get(kind, 3), (kind, found)


def test_time_of_day(lake):
    """TIME is shown as text, and cannot be written."""
    fields = pa.schema([("id", pa.int64()), ("t", pa.time32("ms"))])
    create(lake, "t", fields, [[{"id": 1, "t": datetime.time(12, 34, 56, 789000)}, {"id": 2, "t": datetime.time(0, 0)}, {"id": 3, "t": None}]])
    assert len(lake.both("t")) == 3
    printed = lake.console.command_line(lake.project, "SELECT * FROM t;", "csv").decode().split()
    assert sorted(printed) == ["1,12:34:56.789", "2,00:00:00", "3,", "id,t"], printed
    try:
        lake.sql("INSERT INTO t VALUES (4, '01:02:03');")
    except Refused:
        assert len(lake.here("t")) == 3
    else:
        raise AssertionError("TIME was written")


def test_map_and_struct(lake):
    inner = pa.struct([("x", pa.int32()), ("y", pa.list_(pa.string()))])
    fields = pa.schema([("id", pa.int64()), ("m", pa.map_(pa.string(), pa.int64())), ("s", inner), ("a", pa.list_(inner))])
    create(lake, "t", fields, [[
        {"id": 1, "m": [("a", 1), ("ü", None)], "s": {"x": 1, "y": ["p", None]}, "a": [{"x": 2, "y": []}, None]},
        {"id": 2, "m": None, "s": None, "a": None},
        {"id": 3, "m": [], "s": {"x": None, "y": None}, "a": []},
    ]])
    assert len(lake.both("t")) == 3
    found = lake.sql("SELECT s.x AS x, m['a'] AS a, cardinality(a) AS n FROM t WHERE id = 1;").to_pylist()
    assert found == [{"x": 1, "a": 1, "n": 2}], found


def test_timestamps(lake):
    fields = pa.schema([("id", pa.int64())] + [(f"{zone}_{unit}", pa.timestamp(unit, tz)) for zone, tz in [("n", None), ("l", "UTC")] for unit in ["ms", "us", "ns"]])
    moment = datetime.datetime(2025, 8, 26, 12, 34, 56, 123000)
    row = {name: moment for name in fields.names} | {"id": 1}
    create(lake, "t", fields, [[row, {name: None for name in fields.names} | {"id": 2}]])
    found = {row["id"]: row for row in lake.both("t")}
    assert found[1]["n_us"] == "2025-08-26 12:34:56.123", found


def test_partition_types(lake):
    for kind, values in [
        (pa.string(), ["a b", "x/y=z %"]), (pa.int8(), [-128, 127]), (pa.int16(), [-32768, 5]), (pa.int32(), [-1, 5]), (pa.int64(), [-1, 5]),
        (pa.date32(), [datetime.date(2024, 7, 18), datetime.date(1969, 12, 31)]),
    ]:
        name = f"by_{kind}".replace("[day]", "")
        fields = pa.schema([("id", pa.int64()), ("p", kind)])
        create(lake, name, fields, [[{"id": n, "p": value} for n, value in enumerate(values)]], partition_keys=["p"])
        assert {row["id"]: row["p"] for row in lake.both(name)} == dict(enumerate(values)), kind


def test_decimals(lake):
    fields = pa.schema([("id", pa.int64()), ("a", pa.decimal128(9, 2)), ("b", pa.decimal128(18, 6)), ("c", pa.decimal128(38, 18))])
    digits = decimal.Decimal("99999999999999999999.999999999999999999")
    create(lake, "t", fields, [[
        {"id": 1, "a": decimal.Decimal("9999999.99"), "b": decimal.Decimal("-0.000001"), "c": digits},
        {"id": 2, "a": None, "b": None, "c": None},
    ]])
    assert {row["id"]: row["c"] for row in lake.both("t")} == {1: digits, 2: None}
    total = lake.sql("SELECT sum(a) AS a FROM t;").to_pylist()
    assert total == [{"a": decimal.Decimal("9999999.99")}], total


def test_added_rows(lake):
    """pypaimon appends to what our CREATE TABLE made, and changes it."""
    lake.sql("CREATE TABLE t (id BIGINT, name STRING) PARTITIONED BY (dt STRING); INSERT INTO t VALUES (1, 'here', 'x');")
    fields = pa.schema([("id", pa.int64()), ("name", pa.string()), ("dt", pa.string())])
    write(lake.table("t"), pa.Table.from_pylist([{"id": 2, "name": "there", "dt": "x"}, {"id": 3, "name": "there", "dt": "y"}], schema=fields))
    assert [row["id"] for row in sorted(lake.both("t"), key=lambda row: row["id"])] == [1, 2, 3]
    write(lake.table("t"), pa.Table.from_pylist([{"id": 4, "name": "again", "dt": "x"}], schema=fields), overwrite={"dt": "x"})
    assert [row["id"] for row in sorted(lake.both("t"), key=lambda row: row["id"])] == [3, 4]


def test_dropped(lake):
    lake.sql("CREATE TABLE gone (id INT); INSERT INTO gone VALUES (1);")
    lake.pypaimon.drop_table("default.gone", False)
    try:
        lake.here("gone")
    except Refused as refused:
        assert "gone not found" in str(refused), refused
    else:
        raise AssertionError("a dropped table was read")

"""Tables that pypaimon makes for Lakedeck to read: every kind that pypaimon can write."""

import datetime
import decimal

import pyarrow as pa


def _all_types():
    fields = pa.schema([
        ("c_boolean", pa.bool_()),
        ("c_tinyint", pa.int8()),
        ("c_smallint", pa.int16()),
        ("c_int", pa.int32()),
        ("id", pa.int64()),
        ("c_float", pa.float32()),
        ("c_double", pa.float64()),
        ("c_decimal", pa.decimal128(38, 18)),
        ("c_string", pa.string()),
        ("c_bytes", pa.binary()),
        ("c_date", pa.date32()),
        ("c_timestamp", pa.timestamp("us")),
        ("c_array", pa.list_(pa.int32())),
        ("c_map", pa.map_(pa.string(), pa.int32())),
        ("c_row", pa.struct([("a", pa.int32()), ("b", pa.string())])),
    ])
    row = {
        "c_boolean": True, "c_tinyint": -128, "c_smallint": -32768, "c_int": 2147483647, "id": 1,
        "c_float": 1.5, "c_double": -2.25, "c_decimal": decimal.Decimal("12345678901234567890.123456789012345678"),
        "c_string": "Grüße 你好", "c_bytes": b"\x00\xff", "c_date": datetime.date(2024, 2, 29),
        "c_timestamp": datetime.datetime(2025, 8, 26, 12, 34, 56, 123456),
        "c_array": [1, 2, 3], "c_map": [("a", 1), ("b", 2)], "c_row": {"a": 7, "b": "x"},
    }
    empty = {name: None for name in row} | {"id": 2}
    return fields, pa.Table.from_pylist([row, empty], schema=fields)


def create(catalog, name, kind, schema_type, write):
    """Makes table `name` and writes rows to it; some kinds are written twice."""
    catalog.create_database(name.split(".")[0], True)
    plain = pa.schema([pa.field("id", pa.int64(), nullable=False), ("writer", pa.string())])
    parted = pa.schema([pa.field("id", pa.int64(), nullable=False), ("writer", pa.string()), ("dt", pa.string())])

    def rows(ids, writer, dt=None):
        columns = {"id": pa.array(ids, pa.int64()), "writer": pa.array([writer] * len(ids), pa.string())}
        if dt is not None:
            columns["dt"] = pa.array([dt] * len(ids), pa.string())
        return pa.table(columns, schema=plain if dt is None else parted)

    kinds = {
        "append": (plain, {}, [rows([1, 2], "a"), rows([3], "b")]),
        "partitioned": (parted, {"partition_keys": ["dt"]}, [rows([1, 2], "a", "x=1"), rows([3], "b", "y/2")]),
        "fixed": (plain, {"primary_keys": ["id"], "options": {"bucket": "2"}}, [rows([1, 2, 3], "a"), rows([2], "b")]),
        "dynamic": (plain, {"primary_keys": ["id"], "options": {"bucket": "-1"}}, [rows([1, 2, 3], "a"), rows([2], "b")]),
        "orc": (plain, {"options": {"file.format": "orc"}}, [rows([1, 2], "a")]),
        "avro": (plain, {"options": {"file.format": "avro"}}, [rows([1, 2], "a")]),
        "avro_fixed": (
            plain,
            {"primary_keys": ["id"], "options": {"bucket": "1", "file.format": "avro"}},
            [rows([1, 2], "a"), rows([2], "b")],
        ),
    }
    if kind == "all_types":
        fields, table = _all_types()
        arguments, batches = {}, [table]
    else:
        fields, arguments, batches = kinds[kind]
    catalog.create_table(name, schema_type.from_pyarrow_schema(fields, **arguments), False)
    for batch in batches:
        write(catalog.get_table(name), batch)

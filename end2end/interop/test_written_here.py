"""What our SQL writes, pypaimon reads: every kind of table, every type."""

import datetime
import decimal

from console import Refused, open_arrow, rows


def ids(found, *columns):
    """The rows as tuples, smallest first."""
    return sorted(tuple(row[column] for column in columns) for row in found)


def test_append(lake):
    lake.sql("CREATE TABLE t (id BIGINT, name STRING); INSERT INTO t VALUES (1, 'a'), (2, NULL); INSERT INTO t VALUES (2, 'ü 北京 🌊');")
    assert ids([row | {"name": row["name"] or ""} for row in lake.both("t")], "id", "name") == [(1, "a"), (2, ""), (2, "ü 北京 🌊")]


def test_append_partitioned(lake):
    lake.sql("""
        CREATE TABLE t (id BIGINT, name STRING) PARTITIONED BY (dt STRING, hh INT);
        INSERT INTO t PARTITION (dt='2024-07-18', hh=1) VALUES (1, 'static');
        INSERT INTO t PARTITION (dt='2024-07-18', hh) VALUES (2, 'mixed', 2);
        INSERT INTO t VALUES (3, 'dynamic', '2024-07-19', 3), (4, 'no day', NULL, 4), (5, 'odd', 'a/b=c %é', 5);
    """)
    found = lake.both("t")
    assert ids(found, "id", "hh") == [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]
    assert {row["id"]: row["dt"] for row in found}[4] is None
    assert {row["id"]: row["dt"] for row in found}[5] == "a/b=c %é"


def test_overwrite_partitioned(lake):
    lake.sql("""
        CREATE TABLE t (id BIGINT) PARTITIONED BY (dt STRING);
        INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c');
        INSERT OVERWRITE t PARTITION (dt='a') VALUES (4);
        INSERT OVERWRITE t VALUES (5, 'b');
        TRUNCATE TABLE t PARTITION (dt='c');
    """)
    assert ids(lake.both("t"), "id", "dt") == [(4, "a"), (5, "b")]


def test_pk_fixed_bucket(lake):
    lake.sql("""
        CREATE TABLE t (id BIGINT, name STRING, PRIMARY KEY (id)) TBLPROPERTIES ('bucket'='3');
        INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'); INSERT INTO t VALUES (2, 'B'), (4, 'd');
    """)
    assert ids(lake.both("t"), "id", "name") == [(1, "a"), (2, "B"), (3, "c"), (4, "d")]


def test_pk_dynamic_bucket(lake):
    lake.sql("""
        CREATE TABLE t (id BIGINT, name STRING, PRIMARY KEY (id));
        INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'); INSERT INTO t VALUES (2, 'B'), (4, 'd');
        INSERT INTO t VALUES (1, 'A');
    """)
    assert ids(lake.both("t"), "id", "name") == [(1, "A"), (2, "B"), (3, "c"), (4, "d")]


def test_pk_partitioned(lake):
    lake.sql("""
        CREATE TABLE t (id BIGINT, name STRING, PRIMARY KEY (id, dt)) PARTITIONED BY (dt STRING) TBLPROPERTIES ('bucket'='2');
        INSERT INTO t VALUES (1, 'a', 'x'), (1, 'b', 'y'); INSERT INTO t PARTITION (dt='x') VALUES (1, 'c');
    """)
    assert ids(lake.both("t"), "id", "name", "dt") == [(1, "b", "y"), (1, "c", "x")]


def test_pk_cross_partition(lake):
    """The key moves: its row must leave the old partition."""
    lake.sql("""
        CREATE TABLE t (id BIGINT, name STRING, PRIMARY KEY (id)) PARTITIONED BY (dt STRING);
        INSERT INTO t VALUES (1, 'a', 'x'), (2, 'b', 'x'); INSERT INTO t VALUES (1, 'c', 'y'), (3, 'd', 'y');
    """)
    assert ids(lake.both("t"), "id", "name", "dt") == [(1, "c", "y"), (2, "b", "x"), (3, "d", "y")]


def test_partition_types(lake):
    day = datetime.date(2024, 7, 18)
    for kind, text, values in [
        ("STRING", "'ü 1', 'b'", ["ü 1", "b"]),
        ("VARCHAR(8)", "'ab c', 'b'", ["ab c", "b"]),
        ("CHAR(4)", "'abc', 'b'", ["abc", "b"]),
        ("TINYINT", "-128Y, 127Y", [-128, 127]),
        ("SMALLINT", "-32768S, 32767S", [-32768, 32767]),
        ("INT", "-2147483648, 2147483647", [-2147483648, 2147483647]),
        ("BIGINT", "-9223372036854775808, 9223372036854775807", [-9223372036854775808, 9223372036854775807]),
        ("DATE", "DATE '2024-07-18', DATE '1969-12-31'", [day, datetime.date(1969, 12, 31)]),
    ]:
        name = "by_" + kind.split("(")[0].lower()
        first, second = text.split(", ")
        lake.sql(f"""
            CREATE TABLE {name} (id INT) PARTITIONED BY (p {kind});
            INSERT INTO {name} VALUES (1, {first}), (2, {second}), (3, NULL);
            INSERT INTO {name} PARTITION (p={first}) VALUES (4);
        """)
        found = {row["id"]: row["p"] for row in lake.both(name)}
        assert found == {1: values[0], 2: values[1], 3: None, 4: values[0]}, (kind, found)
        one = rows(lake.sql(f"SELECT id FROM {name} WHERE p = {second};"))
        assert one == [{"id": 2}], (kind, one)


def test_empty_partition_value(lake):
    """An empty text is NULL, which a key cannot be."""
    lake.sql("CREATE TABLE t (id INT) PARTITIONED BY (dt STRING); INSERT INTO t VALUES (1, ''), (2, 'x'); INSERT INTO t PARTITION (dt='') VALUES (3);")
    assert {row["id"]: row["dt"] for row in lake.both("t")} == {1: None, 2: "x", 3: None}
    found = rows(lake.sql("SELECT partition, record_count FROM t$partitions;"))
    assert found == [{"partition": "dt=__DEFAULT_PARTITION__", "record_count": 2}, {"partition": "dt=x", "record_count": 1}], found
    lake.sql("CREATE TABLE k (id INT, PRIMARY KEY (id, dt)) PARTITIONED BY (dt STRING) TBLPROPERTIES ('bucket'='1');")
    for insert in ["INSERT INTO k VALUES (1, '');", "INSERT INTO k PARTITION (dt='') VALUES (1);"]:
        try:
            lake.sql(insert)
        except Refused as refused:
            assert "NOT NULL" in str(refused), refused
        else:
            raise AssertionError(insert)


def test_refused_partition_types(lake):
    for kind in ["FLOAT", "DOUBLE", "DECIMAL(5,2)", "BINARY", "BOOLEAN", "TIMESTAMP", "ARRAY<INT>"]:
        try:
            lake.sql(f"CREATE TABLE t (id INT) PARTITIONED BY (p {kind});")
        except Refused as refused:
            assert "ODPS-0130071" in str(refused), refused
        else:
            raise AssertionError(f"partitioned by {kind}")


def test_plain_types(lake):
    lake.sql("""
        CREATE TABLE t (id INT, a BOOLEAN, b TINYINT, c SMALLINT, d INT, e BIGINT, f FLOAT, g DOUBLE, h DECIMAL(38,18),
                        i DECIMAL(5,2), j CHAR(3), k VARCHAR(5), l STRING, m BINARY, n DATE);
        INSERT INTO t VALUES
          (1, true, -128, -32768, -2147483648, -9223372036854775808, 1.5, -2.25, 12345678901234567890.123456789012345678,
           -999.99, 'abc', 'größe', 'line\\none, \\'quoted\\' "text" 北京 🌊', X'00FF', DATE '0001-01-01'),
          (2, false, 127, 32767, 2147483647, 9223372036854775807, -0.0, 1e300, -1, 0.005, 'a', '', '', X'', DATE '9999-12-31');
        INSERT INTO t (id) VALUES (3);
    """)
    found = {row["id"]: row for row in lake.both("t")}
    assert found[1]["h"] == decimal.Decimal("12345678901234567890.123456789012345678")
    assert (found[1]["e"], found[2]["e"]) == (-9223372036854775808, 9223372036854775807)
    assert found[1]["l"] == "line\none, 'quoted' \"text\" 北京 🌊", found[1]["l"]
    assert found[1]["m"] == b"\x00\xff" and found[2]["m"] == b"" and found[2]["l"] == ""
    assert found[2]["i"] == decimal.Decimal("0.01"), "half up"
    assert (found[1]["n"], found[2]["n"]) == (datetime.date(1, 1, 1), datetime.date(9999, 12, 31))
    assert all(value is None for column, value in found[3].items() if column != "id")


def test_timestamps(lake):
    text = "2025-08-26 12:34:56.123456789"
    kinds = [("l", "TIMESTAMP"), ("n", "TIMESTAMP_NTZ")]
    columns = {f"{kind}{p}": f"{name}({p})" for kind, name in kinds for p in (3, 5, 6, 7, 9)}
    declared = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    values = ", ".join([f"'{text}'"] * len(columns))
    early = ", ".join(["'1969-12-31 23:59:59.9999'"] * len(columns))
    lake.sql(f"""
        CREATE TABLE t (id INT, {declared}, at DATETIME);
        INSERT INTO t VALUES (1, {values}, '{text}'), (2, {early}, '1969-12-31 23:59:59.9999');
        INSERT INTO t (id) VALUES (3);
    """)
    found = {row["id"]: row for row in lake.both("t")}
    kept = {"3": 3, "5": 6, "6": 6, "7": 9, "9": 9}
    for column in columns:
        assert found[1][column] == text[: 20 + kept[column[1]]], (column, found[1][column])
        assert found[2][column] == ("1969-12-31 23:59:59.999" if kept[column[1]] == 3 else "1969-12-31 23:59:59.9999")
        assert found[3][column] is None
    assert found[1]["at"] == "2025-08-26 12:34:56.123"


def test_timestamps_of_precision_0(lake):
    """Milliseconds are kept, as Java does; pypaimon itself cuts what it reads to seconds."""
    lake.sql("""
        CREATE TABLE t (id INT, a TIMESTAMP(0), b TIMESTAMP_NTZ(0));
        INSERT INTO t VALUES (1, '2025-08-26 12:34:56.789', '2025-08-26 12:34:56.789'), (2, NULL, NULL);
    """)
    assert lake.here("t")[0] == {"id": 1, "a": "2025-08-26 12:34:56.789", "b": "2025-08-26 12:34:56.789"}
    assert lake.there("t")[0] == {"id": 1, "a": "2025-08-26 12:34:56", "b": "2025-08-26 12:34:56"}


def test_nested_types(lake):
    lake.sql("""
        CREATE TABLE t (id INT, a ARRAY<INT>, b MAP<STRING,BIGINT>, c STRUCT<x:INT,y:STRING>, d ARRAY<STRUCT<k:STRING,v:ARRAY<BIGINT>>>,
                        e MAP<INT,STRUCT<p:DECIMAL(10,2)>>);
        INSERT INTO t SELECT 1, make_array(1, NULL, 3), map(make_array('k', 'ü'), make_array(9L, NULL)), named_struct('x', 1, 'y', 'z'),
          make_array(named_struct('k', 'a', 'v', make_array(1L, 2L))), map(make_array(7), make_array(named_struct('p', 1.25BD)));
        INSERT INTO t (id) VALUES (2);
    """)
    found = {row["id"]: row for row in lake.both("t")}
    assert found[1] == {
        "id": 1, "a": [1, None, 3], "b": [("k", 9), ("ü", None)], "c": {"x": 1, "y": "z"},
        "d": [{"k": "a", "v": [1, 2]}], "e": [(7, {"p": decimal.Decimal("1.25")})],
    }
    assert all(value is None for column, value in found[2].items() if column != "id")


def test_flink_form(lake):
    lake.sql("""
        CREATE TABLE t (id BIGINT, name STRING, dt STRING, at TIMESTAMP, PRIMARY KEY (dt, id) NOT ENFORCED)
          PARTITIONED BY (dt) WITH ('bucket' = '1');
        INSERT INTO t (id, name, at, dt) VALUES (1, 'a', '2025-01-01 00:00:00.5', 'x'), (2, 'b', NULL, 'y');
    """)
    assert ids(lake.both("t"), "id", "name", "dt") == [(1, "a", "x"), (2, "b", "y")]
    schema = lake.table("t").table_schema
    assert schema.primary_keys == ["dt", "id"] and schema.partition_keys == ["dt"], vars(schema)
    assert {field.name: str(field.type) for field in schema.fields}["at"].startswith("TIMESTAMP(6)"), schema.fields


def test_file_formats(lake):
    for form, packed in [("parquet", "zstd"), ("parquet", "snappy"), ("orc", "none"), ("avro", "zstd")]:
        lake.sql(f"""
            CREATE TABLE {form}_{packed} (id BIGINT, name STRING) STORED AS {form} TBLPROPERTIES ('file.compression'='{packed}');
            INSERT INTO {form}_{packed} VALUES (1, 'a'), (2, NULL), (3, '北京');
        """)
        assert [row["name"] for row in sorted(lake.both(f"{form}_{packed}"), key=lambda row: row["id"])] == ["a", None, "北京"]


def test_ctas_and_like(lake):
    lake.sql("""
        CREATE TABLE source (id INT, name STRING) TBLPROPERTIES ('file.compression'='zstd');
        INSERT INTO source VALUES (1, 'a'), (2, 'b');
        CREATE TABLE copied AS SELECT id * 10 AS id, upper(name) AS name FROM source;
        CREATE TABLE alike LIKE source; INSERT INTO alike SELECT * FROM source WHERE id = 2;
    """)
    assert ids(lake.both("copied"), "id", "name") == [(10, "A"), (20, "B")]
    assert ids(lake.both("alike"), "id", "name") == [(2, "b")]


def test_schemas(lake):
    lake.sql("CREATE SCHEMA sales; CREATE TABLE sales.orders (id INT); INSERT INTO sales.orders VALUES (1);")
    assert "sales" in lake.pypaimon.list_databases()
    assert lake.pypaimon.list_tables("sales") == ["orders"]
    assert lake.both("sales.orders") == [{"id": 1}]
    lake.sql("DROP TABLE sales.orders; DROP SCHEMA sales;")
    assert "sales" not in lake.pypaimon.list_databases()


def test_many_rows(lake):
    """Several batches, several row groups, merged from two commits."""
    lake.sql("""
        CREATE TABLE t (id BIGINT, name STRING, PRIMARY KEY (id)) TBLPROPERTIES ('bucket'='4');
        INSERT INTO t SELECT value, concat('row ', CAST(value AS STRING)) FROM range(0, 50000);
        INSERT INTO t SELECT value, 'changed' FROM range(0, 50000, 5);
    """)
    found = lake.both("t")
    assert len(found) == 50000
    assert sum(row["name"] == "changed" for row in found) == 10000


def test_command_line(lake):
    """`lakedeck sql --server` writes and reads the same."""
    script = "CREATE TABLE t (id INT, name STRING); INSERT INTO t VALUES (1, 'ü'), (2, NULL); SELECT * FROM t;"
    printed = lake.console.command_line(lake.project, script, "arrow")
    assert rows(open_arrow(printed)) == lake.both("t")

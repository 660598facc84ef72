//! What is written here, pypaimon reads; what pypaimon writes is read here. Every kind of table, every type.

use crate::support::{LocalLake, Pypaimon, append, bigint, ids, read, rows, string, with_day};
use arrow::array::*;
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType as ArrowType, Field, Fields, Schema as ArrowSchema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use lake::{Change, Committed, OverwriteScope, PartitionSpec, WriteMode};
use paimon::spec::{self, DataField, DataType, Datum, Schema};
use paimon::table::Table;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

fn key() -> DataType {
    DataType::BigInt(spec::BigIntType::with_nullable(false))
}

pub async fn overwrite(lake: &LocalLake, table: &Table, batch: &RecordBatch, scope: OverwriteScope) -> Committed {
    let mut writer = lake.catalog.writer(table, WriteMode::Overwrite).await.expect("a writer");
    writer.write(batch).await.expect("rows");
    let write = writer.finish().await.expect("files");
    lake.catalog.commit(table, Change::Overwrite { scope, write }, None).await.expect("a commit")
}

/// `id:writer` of all rows as we read them, and as pypaimon does.
pub async fn both(lake: &LocalLake, pypaimon: &mut Pypaimon, name: &str) -> Vec<String> {
    let table = lake.catalog.load_table("default", name).await.expect("the table");
    let mut ours = Vec::new();
    for batch in read(&table).await {
        let (ids, writers) = (batch.column_by_name("id").expect("id"), batch.column_by_name("writer").expect("writer"));
        let (ids, writers) = (ids.as_primitive::<arrow::datatypes::Int64Type>(), writers.as_string::<i32>());
        ours.extend((0..batch.num_rows()).map(|row| format!("{}:{}", ids.value(row), writers.value(row))));
    }
    ours.sort();
    let text = |row: &Value| format!("{}:{}", row["id"], row["writer"].as_str().expect("a text"));
    let mut theirs: Vec<String> = pypaimon.rows(&format!("default.{name}")).iter().map(text).collect();
    theirs.sort();
    assert_eq!(ours, theirs, "{name}");
    ours
}

#[tokio::test(flavor = "multi_thread")]
async fn pypaimon_reads_every_kind_of_table() {
    let lake = LocalLake::new().await;
    let mut pypaimon = Pypaimon::local(&lake.folder);
    let catalog = &lake.catalog;
    let plain = || Schema::builder().column("id", bigint()).column("writer", string());
    let keyed = || Schema::builder().column("id", key()).column("writer", string()).primary_key(["id"]);
    let parted = || plain().column("dt", string()).partition_keys(["dt"]);

    for (name, schema) in [
        ("append", plain()),
        ("append_avro", plain().option("file.format", "avro")),
        ("append_orc", plain().option("file.format", "orc")),
        ("append_buckets", plain().option("bucket", "2").option("bucket-key", "id")),
        ("tracked", plain().option("row-tracking.enabled", "true")),
    ] {
        let table = catalog.create_table("default", name, schema.build().expect("a schema")).await.expect("a table");
        append(catalog, &table, &rows(&[1, 2], "a")).await.expect("a commit");
        append(catalog, &table, &rows(&[2], "b")).await.expect("a commit");
        assert_eq!(both(&lake, &mut pypaimon, name).await, ["1:a", "2:a", "2:b"]);
    }
    for (name, bucket) in [("fixed", "2"), ("dynamic", "-1")] {
        let schema = keyed().option("bucket", bucket).build().expect("a schema");
        let table = catalog.create_table("default", name, schema).await.expect("a table");
        append(catalog, &table, &rows(&[1, 2], "a")).await.expect("a commit");
        append(catalog, &table, &rows(&[2, 3], "b")).await.expect("a commit");
        assert_eq!(both(&lake, &mut pypaimon, name).await, ["1:a", "2:b", "3:b"]);
        overwrite(&lake, &table, &rows(&[3, 4], "c"), OverwriteScope::Table).await;
        append(catalog, &table, &rows(&[4, 5], "d")).await.expect("a commit");
        assert_eq!(both(&lake, &mut pypaimon, name).await, ["3:c", "4:d", "5:d"]);
    }
    // A key may move to another partition.
    let schema = keyed().column("dt", string()).partition_keys(["dt"]).build().expect("a schema");
    let table = catalog.create_table("default", "crossing", schema).await.expect("a table");
    append(catalog, &table, &with_day(&rows(&[1, 2], "a"), Some("x"))).await.expect("a commit");
    append(catalog, &table, &with_day(&rows(&[2, 3], "b"), Some("y"))).await.expect("a commit");
    assert_eq!(both(&lake, &mut pypaimon, "crossing").await, ["1:a", "2:b", "3:b"]);

    let table = catalog.create_table("default", "parted", parted().build().expect("a schema")).await.expect("a table");
    for (ids, writer, day) in [(&[1][..], "a", Some("x")), (&[2], "a", Some("y=1/z")), (&[3], "a", None)] {
        append(catalog, &table, &with_day(&rows(ids, writer), day)).await.expect("a commit");
    }
    assert_eq!(both(&lake, &mut pypaimon, "parted").await, ["1:a", "2:a", "3:a"]);
    // Dynamic: only the partition that is written to.
    overwrite(&lake, &table, &with_day(&rows(&[4], "b"), Some("x")), OverwriteScope::Dynamic).await;
    assert_eq!(both(&lake, &mut pypaimon, "parted").await, ["2:a", "3:a", "4:b"]);
    let day = |day: Option<&str>| PartitionSpec::from([("dt".to_owned(), day.map(|day| Datum::String(day.into())))]);
    let scope = OverwriteScope::Partitions(vec![day(Some("y=1/z"))]);
    overwrite(&lake, &table, &with_day(&rows(&[5, 6], "c"), Some("y=1/z")), scope).await;
    assert_eq!(both(&lake, &mut pypaimon, "parted").await, ["3:a", "4:b", "5:c", "6:c"]);
    let drop =
        |spec| Change::Truncate { scope: OverwriteScope::Partitions(vec![spec]), commit_user: lake::commit_user() };
    catalog.commit(&table, drop(day(None)), None).await.expect("a commit");
    assert_eq!(both(&lake, &mut pypaimon, "parted").await, ["4:b", "5:c", "6:c"]);
    catalog.commit(&table, drop(day(Some("x"))), None).await.expect("a commit");
    assert_eq!(both(&lake, &mut pypaimon, "parted").await, ["5:c", "6:c"]);
    let stray = overwrite_error(&lake, &table, &with_day(&rows(&[7], "d"), Some("w")), day(Some("v"))).await;
    assert!(stray.contains("does not belong to the partition"), "{stray}");
    let unknown = PartitionSpec::from([("nope".to_owned(), None)]);
    let refused = catalog.commit(&table, drop(unknown), None).await.expect_err("refused").to_string();
    assert_eq!(refused, "`nope` is no partition column; those are `dt`.");
}

async fn overwrite_error(lake: &LocalLake, table: &Table, batch: &RecordBatch, spec: PartitionSpec) -> String {
    let mut writer = lake.catalog.writer(table, WriteMode::Overwrite).await.expect("a writer");
    writer.write(batch).await.expect("rows");
    let write = writer.finish().await.expect("files");
    let change = Change::Overwrite { scope: OverwriteScope::Partitions(vec![spec]), write };
    lake.catalog.commit(table, change, None).await.expect_err("refused").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_write_one_table_in_turns() {
    let lake = LocalLake::new().await;
    let mut pypaimon = Pypaimon::local(&lake.folder);
    for kind in ["fixed", "dynamic", "append"] {
        let name = format!("default.{kind}");
        pypaimon.ask(json!({ "do": "create", "table": name, "kind": kind }));
        let table = lake.catalog.load_table("default", kind).await.expect("the table");
        append(&lake.catalog, &table, &rows(&[3, 4], "ours")).await.expect("a commit");
        pypaimon.ask(json!({ "do": "append", "table": name, "first": 4, "count": 2, "writer": "theirs" }));
        let rows = both(&lake, &mut pypaimon, kind).await;
        let expected: &[&str] = match kind {
            "append" => &["1:a", "2:a", "3:b", "3:ours", "4:ours", "4:theirs", "5:theirs"],
            _ => &["1:a", "2:b", "3:ours", "4:theirs", "5:theirs"],
        };
        assert_eq!(rows, expected, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_pypaimon_are_read() {
    let lake = LocalLake::new().await;
    let mut pypaimon = Pypaimon::local(&lake.folder);
    let kinds = ["append", "partitioned", "fixed", "dynamic", "orc", "avro", "avro_fixed"];
    for kind in kinds {
        pypaimon.ask(json!({ "do": "create", "table": format!("default.{kind}"), "kind": kind }));
        assert!(!both(&lake, &mut pypaimon, kind).await.is_empty());
    }
    pypaimon.ask(json!({ "do": "create", "table": "default.all_types", "kind": "all_types" }));
    let table = lake.catalog.load_table("default", "all_types").await.expect("the table");
    assert_eq!(ids(&table).await, [1, 2]);
    let batches = read(&table).await;
    let first = batches.iter().find(|batch| batch.num_rows() > 0).expect("rows");
    let cell = |name: &str| {
        let column = first.column_by_name(name).expect("a column");
        ArrayFormatter::try_new(column, &FormatOptions::default()).expect("printable").value(0).to_string()
    };
    for (name, expected) in [
        ("c_boolean", "true"),
        ("c_tinyint", "-128"),
        ("c_smallint", "-32768"),
        ("c_int", "2147483647"),
        ("c_float", "1.5"),
        ("c_double", "-2.25"),
        ("c_decimal", "12345678901234567890.123456789012345678"),
        ("c_string", "Grüße 你好"),
        ("c_bytes", "00ff"),
        ("c_date", "2024-02-29"),
        ("c_timestamp", "2025-08-26T12:34:56.123456"),
        ("c_array", "[1, 2, 3]"),
        ("c_map", "{a: 1, b: 2}"),
        ("c_row", "{a: 7, b: x}"),
    ] {
        assert_eq!(cell(name), expected, "{name}");
    }
    let names: BTreeSet<String> =
        ports::lake::LakeCatalog::tables(&*lake.catalog, "default").await.expect("a list").into_iter().collect();
    assert_eq!(names.len(), kinds.len() + 1);
}

/// Every type that can be written, with a value and with NULL.
#[tokio::test(flavor = "multi_thread")]
async fn pypaimon_reads_every_type() {
    let nested = DataType::Row(spec::RowType::new(vec![
        DataField::new(100, "a".into(), DataType::Int(spec::IntType::new())),
        DataField::new(101, "b".into(), string()),
    ]));
    let zoned =
        |precision| DataType::LocalZonedTimestamp(spec::LocalZonedTimestampType::new(precision).expect("a precision"));
    let unzoned = |precision| DataType::Timestamp(spec::TimestampType::new(precision).expect("a precision"));
    let micros = 1_756_211_696_123_456_i64;
    let entry = Fields::from(vec![Field::new("a", ArrowType::Int32, true), Field::new("b", ArrowType::Utf8, true)]);
    let pair: Vec<ArrayRef> = vec![Arc::new(Int32Array::from(vec![7, 0])), Arc::new(StringArray::from(vec!["x", ""]))];
    let struct_array = StructArray::new(entry, pair, Some(vec![true, false].into()));
    let list = ListArray::new(
        Arc::new(Field::new("element", ArrowType::Int32, true)),
        OffsetBuffer::new(vec![0, 3, 3].into()),
        Arc::new(Int32Array::from(vec![1, 2, 3])),
        Some(vec![true, false].into()),
    );
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    map.keys().append_value("a");
    map.values().append_value(1);
    map.append(true).expect("an entry");
    map.append(false).expect("a NULL");
    let columns: Vec<(&str, DataType, ArrayRef, Value)> = vec![
        ("id", bigint(), Arc::new(Int64Array::from(vec![1, 2])), json!(1)),
        (
            "c_boolean",
            DataType::Boolean(spec::BooleanType::new()),
            Arc::new(BooleanArray::from(vec![Some(true), None])),
            json!(true),
        ),
        (
            "c_tinyint",
            DataType::TinyInt(spec::TinyIntType::new()),
            Arc::new(Int8Array::from(vec![Some(-128), None])),
            json!(-128),
        ),
        (
            "c_smallint",
            DataType::SmallInt(spec::SmallIntType::new()),
            Arc::new(Int16Array::from(vec![Some(-32768), None])),
            json!(-32768),
        ),
        (
            "c_int",
            DataType::Int(spec::IntType::new()),
            Arc::new(Int32Array::from(vec![Some(i32::MIN), None])),
            json!(i32::MIN),
        ),
        ("c_bigint", bigint(), Arc::new(Int64Array::from(vec![Some(i64::MIN), None])), json!(i64::MIN)),
        (
            "c_float",
            DataType::Float(spec::FloatType::new()),
            Arc::new(Float32Array::from(vec![Some(1.5), None])),
            json!(1.5),
        ),
        (
            "c_double",
            DataType::Double(spec::DoubleType::new()),
            Arc::new(Float64Array::from(vec![Some(-2.25), None])),
            json!(-2.25),
        ),
        (
            "c_decimal",
            DataType::Decimal(spec::DecimalType::new(38, 18).expect("a decimal")),
            Arc::new(
                Decimal128Array::from(vec![Some(12_345_678_901_234_567_890_123_i128), None])
                    .with_precision_and_scale(38, 18)
                    .expect("fits"),
            ),
            json!("12345.678901234567890123"),
        ),
        (
            "c_char",
            DataType::Char(spec::CharType::new(5).expect("a length")),
            Arc::new(StringArray::from(vec![Some("ab"), None])),
            json!("ab"),
        ),
        (
            "c_varchar",
            DataType::VarChar(spec::VarCharType::new(20).expect("a length")),
            Arc::new(StringArray::from(vec![Some("Grüße 你好"), None])),
            json!("Grüße 你好"),
        ),
        ("c_string", string(), Arc::new(StringArray::from(vec![Some(""), None])), json!("")),
        (
            "c_bytes",
            DataType::VarBinary(spec::VarBinaryType::new(spec::VarBinaryType::MAX_LENGTH).expect("a length")),
            Arc::new(BinaryArray::from(vec![Some(&b"\x00\xff"[..]), None])),
            json!("00ff"),
        ),
        (
            "c_date",
            DataType::Date(spec::DateType::new()),
            Arc::new(Date32Array::from(vec![Some(19_782), None])),
            json!("2024-02-29"),
        ),
        (
            "c_ntz_3",
            unzoned(3),
            Arc::new(TimestampMillisecondArray::from(vec![Some(micros / 1_000), None])),
            json!("2025-08-26T12:34:56.123000"),
        ),
        (
            "c_ntz_6",
            unzoned(6),
            Arc::new(TimestampMicrosecondArray::from(vec![Some(micros), None])),
            json!("2025-08-26T12:34:56.123456"),
        ),
        (
            "c_ltz_3",
            zoned(3),
            Arc::new(TimestampMillisecondArray::from(vec![Some(micros / 1_000), None]).with_timezone("UTC")),
            json!("2025-08-26T12:34:56.123000"),
        ),
        (
            "c_ltz_6",
            zoned(6),
            Arc::new(TimestampMicrosecondArray::from(vec![Some(micros), None]).with_timezone("UTC")),
            json!("2025-08-26T12:34:56.123456"),
        ),
        (
            "c_array",
            DataType::Array(spec::ArrayType::new(DataType::Int(spec::IntType::new()))),
            Arc::new(list),
            json!([1, 2, 3]),
        ),
        (
            "c_map",
            DataType::Map(spec::MapType::new(string(), DataType::Int(spec::IntType::new()))),
            Arc::new(map.finish()),
            json!([["a", 1]]),
        ),
        ("c_row", nested, Arc::new(struct_array), json!({ "a": 7, "b": "x" })),
    ];
    let lake = LocalLake::new().await;
    let mut builder = Schema::builder();
    let (mut fields, mut arrays, mut expected) = (Vec::new(), Vec::new(), HashMap::new());
    for (name, data_type, array, value) in columns {
        builder = builder.column(name, data_type);
        fields.push(Field::new(name, array.data_type().clone(), true));
        arrays.push(array);
        expected.insert(name, value);
    }
    let table = lake.catalog.create_table("default", "t", builder.build().expect("a schema")).await.expect("a table");
    let batch = RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), arrays).expect("rows");
    append(&lake.catalog, &table, &batch).await.expect("a commit");
    let rows = Pypaimon::local(&lake.folder).rows("default.t");
    assert_eq!(rows.len(), 2);
    for (name, value) in &expected {
        let got = match &rows[0][name] {
            Value::String(text) => json!(text.trim_end_matches("+00:00")),
            other => other.clone(),
        };
        assert_eq!(got, *value, "{name}");
        assert!(rows[1][name].is_null() || *name == "id", "{name}: {}", rows[1][name]);
    }
    let ours = read(&table).await;
    assert_eq!(ours.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
}

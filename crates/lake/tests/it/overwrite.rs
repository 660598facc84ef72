//! Overwrites of tables whose primary key spans partitions: no key stands twice, whatever is overwritten.

use crate::interop::{both, overwrite};
use crate::support::{LocalLake, Pypaimon, append, rows, string, with_day};
use arrow::array::RecordBatch;
use lake::{Catalog, Change, CommitError, OverwriteScope, PartitionSpec, WriteMode};
use paimon::spec::{BigIntType, DataType, Datum, Schema};
use paimon::table::Table;

/// `(id, writer, dt)` with the key `id`, partitioned by `dt`.
async fn crossing(lake: &LocalLake, name: &str, options: &[(&str, &str)]) -> Table {
    let key = DataType::BigInt(BigIntType::with_nullable(false));
    let mut schema = Schema::builder().column("id", key).column("writer", string()).column("dt", string());
    for (key, value) in options {
        schema = schema.option(*key, *value);
    }
    let schema = schema.primary_key(["id"]).partition_keys(["dt"]).build().expect("a schema");
    lake.catalog.create_table("default", name, schema).await.expect("a new table")
}

fn day(day: &str) -> OverwriteScope {
    OverwriteScope::Partitions(vec![PartitionSpec::from([("dt".to_owned(), Some(Datum::String(day.into())))])])
}

fn rows_of(ids: &[i64], writer: &str, day: &str) -> RecordBatch {
    with_day(&rows(ids, writer), Some(day))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_moves_leaves_its_partition() {
    let lake = LocalLake::new().await;
    let mut pypaimon = Pypaimon::local(&lake.folder);
    for (name, options) in [("plain", &[][..]), ("changelog", &[("changelog-producer", "input")])] {
        let table = crossing(&lake, name, options).await;
        append(&lake.catalog, &table, &rows_of(&[1, 2, 3], "a", "x")).await.expect("a commit");
        append(&lake.catalog, &table, &rows_of(&[4, 5], "a", "y")).await.expect("a commit");
        // More commits give the rows of `x` larger sequence numbers than those of a first write.
        append(&lake.catalog, &table, &rows_of(&[1, 2, 3], "b", "x")).await.expect("a commit");
        overwrite(&lake, &table, &rows_of(&[1, 5, 6], "c", "y"), day("y")).await;
        assert_eq!(both(&lake, &mut pypaimon, name).await, ["1:c", "2:b", "3:b", "5:c", "6:c"]);
        // Dynamic: `y` is written to; `x` only loses a key and keeps the others.
        overwrite(&lake, &table, &rows_of(&[2, 7], "d", "y"), OverwriteScope::Dynamic).await;
        assert_eq!(both(&lake, &mut pypaimon, name).await, ["2:d", "3:b", "7:d"]);
        // Both are written to, and keys change places.
        let batch = arrow::compute::concat_batches(
            &rows_of(&[], "e", "x").schema(),
            &[rows_of(&[2, 8], "e", "x"), rows_of(&[3], "e", "y")],
        );
        overwrite(&lake, &table, &batch.expect("rows"), OverwriteScope::Dynamic).await;
        assert_eq!(both(&lake, &mut pypaimon, name).await, ["2:e", "3:e", "8:e"]);
        overwrite(&lake, &table, &rows_of(&[3, 8], "f", "z"), OverwriteScope::Table).await;
        assert_eq!(both(&lake, &mut pypaimon, name).await, ["3:f", "8:f"]);
        append(&lake.catalog, &table, &rows_of(&[2, 3], "g", "x")).await.expect("a commit");
        assert_eq!(both(&lake, &mut pypaimon, name).await, ["2:g", "3:g", "8:f"]);
    }
}

async fn prepared(catalog: &Catalog, table: &Table, batch: &RecordBatch) -> lake::PreparedWrite {
    let mut writer = catalog.writer(table, WriteMode::Overwrite).await.expect("a writer");
    writer.write(batch).await.expect("rows");
    writer.finish().await.expect("files")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_wrote_meanwhile_is_not_missed() {
    let lake = LocalLake::new().await;
    let table = crossing(&lake, "t", &[]).await;
    append(&lake.catalog, &table, &rows_of(&[1], "a", "x")).await.expect("a commit");
    let other = LocalLake::at(&lake.folder).await;
    let write = prepared(&other.catalog, &table, &rows_of(&[2], "slow", "y")).await;
    append(&lake.catalog, &table, &rows_of(&[2], "fast", "x")).await.expect("a commit");
    let outcome = other.catalog.commit(&table, Change::Overwrite { scope: day("y"), write }, None).await;
    assert!(matches!(outcome, Err(CommitError::Conflict(_))), "{outcome:?}");
    overwrite(&other, &table, &rows_of(&[2], "again", "y"), day("y")).await;
    assert_eq!(both(&lake, &mut Pypaimon::local(&lake.folder), "t").await, ["1:a", "2:again"]);
}

/// Rows outside the partition that is named are refused, deletions there are not.
#[tokio::test(flavor = "multi_thread")]
async fn rows_of_other_partitions_are_refused() {
    let lake = LocalLake::new().await;
    let table = crossing(&lake, "t", &[]).await;
    append(&lake.catalog, &table, &rows_of(&[1], "a", "x")).await.expect("a commit");
    let write = prepared(&lake.catalog, &table, &rows_of(&[1], "b", "z")).await;
    let outcome = lake.catalog.commit(&table, Change::Overwrite { scope: day("y"), write }, None).await;
    let refused = outcome.expect_err("refused").to_string();
    assert!(refused.contains("does not belong to the partition"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn engines_that_keep_a_key_where_it_is_do_not_overwrite() {
    let lake = LocalLake::new().await;
    for engine in ["first-row", "partial-update", "aggregation"] {
        let table = crossing(&lake, engine, &[("merge-engine", engine)]).await;
        append(&lake.catalog, &table, &rows_of(&[1], "a", "x")).await.expect("a commit");
        let refused = lake.catalog.writer(&table, WriteMode::Overwrite).await.err().expect("refused").to_string();
        assert!(refused.contains(engine) && refused.contains("TRUNCATE TABLE"), "{refused}");
    }
}

/// With a fixed number of buckets nothing would find the key's other partition.
#[tokio::test(flavor = "multi_thread")]
async fn fixed_buckets_take_no_key_that_spans_partitions() {
    let lake = LocalLake::new().await;
    for bucket in ["2", "-2"] {
        let key = DataType::BigInt(BigIntType::with_nullable(false));
        let schema = Schema::builder().column("id", key).column("dt", string()).option("bucket", bucket);
        let schema = schema.primary_key(["id"]).partition_keys(["dt"]).build().expect("a schema");
        let outcome = lake.catalog.create_table("default", "t", schema).await.map(drop);
        let refused = outcome.expect_err("refused").to_string();
        assert!(refused.contains("leaves out the partition column `dt`"), "{refused}");
    }
}

//! Commits of many writers at once, and what they cost.

use crate::actor::{Order, Task};
use crate::support::{LocalLake, Pypaimon, append, full, ids, open, plain_schema, read, rows, snapshot_ids, string};
use lake::{Change, CommitError, Journal, OverwriteScope, WriteMode};
use model::table::TableRef;
use paimon::spec::{DataType, Schema, SchemaChange};
use ports::lake::LakeCatalog as _;
use ports::sql_engine::CommitJournal;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use testkit::moto::Moto;

/// Starts a writer for each thousand, each committing `count` single rows; tells the ids that were acknowledged.
fn append_together(warehouse: &str, s3_endpoint: Option<&str>, writers: i64, count: i64) -> Vec<i64> {
    let order = |writer: i64| Order {
        warehouse: warehouse.into(),
        s3_endpoint: s3_endpoint.map(str::to_owned),
        table: "t".into(),
        task: Task::Append { first: writer * 1_000, count },
    };
    let actors: Vec<_> = (0..writers).map(|writer| order(writer).start(&[])).collect();
    let mut acknowledged = Vec::new();
    for actor in actors {
        let report = actor.finish();
        assert!(report.is_success && report.errors.is_empty(), "{:?}", report.errors);
        acknowledged.extend(report.acknowledged.iter().map(|id| id.parse::<i64>().expect("an id")));
    }
    acknowledged.sort_unstable();
    acknowledged
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_on_one_local_table_lose_nothing() {
    let (writers, count) = if full() { (8, 100) } else { (8, 12) };
    let lake = LocalLake::new().await;
    let table = lake.catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    let acknowledged = append_together(&lake.uri(), None, writers, count);
    assert_eq!(acknowledged.len() as i64, writers * count);
    assert_eq!(ids(&table).await, acknowledged);
    assert_eq!(Pypaimon::local(&lake.folder).ids("default.t"), acknowledged);
    let snapshots = snapshot_ids(&lake.folder.join("default.db/t"));
    assert_eq!(snapshots, (1..=writers * count).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_beside_pypaimon_lose_nothing() {
    let (writers, count) = if full() { (7, 100) } else { (4, 10) };
    let lake = LocalLake::new().await;
    let table = lake.catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    let mut pypaimon = Pypaimon::local(&lake.folder);
    pypaimon.send(&json!({ "do": "append", "table": "default.t", "first": 900_000, "count": count, "writer": "py" }));
    let mut acknowledged = append_together(&lake.uri(), None, writers, count);
    let theirs: Vec<i64> = serde_json::from_value(pypaimon.receive().expect("an answer")).expect("ids");
    assert_eq!(acknowledged.len() as i64, writers * count);
    acknowledged.extend(&theirs);
    assert_eq!(ids(&table).await, acknowledged);
    assert_eq!(pypaimon.ids("default.t"), acknowledged);
    let snapshots = snapshot_ids(&lake.folder.join("default.db/t"));
    assert_eq!(snapshots, (1..=acknowledged.len() as i64).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_on_s3_lose_nothing() {
    let (writers, count) = if full() { (4, 50) } else { (4, 6) };
    let moto = Moto::start();
    let warehouse = make_bucket(&moto).await;
    let catalog = open(&moto.connection(), None, &warehouse).await;
    let table = catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    let acknowledged = append_together(&warehouse, Some(&moto.endpoint()), writers, count);
    assert_eq!(acknowledged.len() as i64, writers * count);
    assert_eq!(ids(&table).await, acknowledged);
    assert_eq!(Pypaimon::s3(&warehouse, &moto.endpoint()).ids("default.t"), acknowledged);
    let mut snapshots = Vec::new();
    for id in 1..=writers * count + 1 {
        let path = format!("default.db/t/snapshot/snapshot-{id}");
        if catalog.storage().operator().exists(&path).await.expect("an answer") {
            snapshots.push(id);
        }
    }
    assert_eq!(snapshots, (1..=writers * count).collect::<Vec<_>>());
}

/// A bucket of its own, and the warehouse in it.
pub async fn make_bucket(moto: &Moto) -> String {
    use ports::lake::Lake as _;
    let lake = lake::PaimonLake::new(crate::support::egress(&[]));
    let bucket = format!("lake-{}", uuid::Uuid::new_v4());
    lake.create_folder(&moto.connection(), &format!("s3://{bucket}/")).await.expect("a new bucket");
    format!("s3://{bucket}/warehouse/")
}

#[tokio::test(flavor = "multi_thread")]
async fn alters_at_once_keep_every_column() {
    let (writers, count) = if full() { (4, 25) } else { (4, 6) };
    let lake = LocalLake::new().await;
    lake.catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    let order = |prefix: char| Order {
        warehouse: lake.uri(),
        s3_endpoint: None,
        table: "t".into(),
        task: Task::AddColumns { prefix: prefix.to_string(), count },
    };
    let actors: Vec<_> = "abcd".chars().take(writers).map(|prefix| order(prefix).start(&[])).collect();
    for actor in actors {
        let report = actor.finish();
        assert!(report.errors.is_empty(), "{:?}", report.errors);
        assert_eq!(report.acknowledged.len(), count);
    }
    let table = lake.catalog.load_table("default", "t").await.expect("the table");
    let columns: BTreeSet<&str> = table.schema().fields().iter().map(|field| field.name()).collect();
    assert_eq!(columns.len(), 2 + writers * count);
    assert_eq!(table.schema().id() as usize, writers * count);
    let field_ids: BTreeSet<i32> = table.schema().fields().iter().map(|field| field.id()).collect();
    assert_eq!(field_ids.len(), columns.len(), "every column has an id of its own");
}

/// Merging manifests keeps a commit's cost from growing with the table's history. Measured as CPU time of a process of
/// its own, and the first and the last commits side by side, since other tests run beside it.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_commits_cost_the_same() {
    let (commits, window) = if full() { (1_000, 100) } else { (300, 50) };
    let lake = LocalLake::new().await;
    let table = lake.catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    lake.catalog.create_table("default", "fresh", plain_schema()).await.expect("a new table");
    let order =
        Order { warehouse: lake.uri(), s3_endpoint: None, table: "t".into(), task: Task::Measure { commits, window } };
    let report = order.run(&[]);
    let costs: Vec<f64> = report.acknowledged.iter().map(|micros| micros.parse().expect("a number")).collect();
    let [first, last] = costs[..] else { panic!("{report:?}") };
    println!("CPU time of the first {window} of {commits} commits {first} µs, of the last {last} µs: {}", last / first);
    assert_eq!(ids(&table).await, (0..commits).collect::<Vec<_>>());
    assert!(last <= 1.5 * first, "first {first} µs, last {last} µs");
    let latest = lake.catalog.latest_snapshot(&table).await.expect("readable").expect("a snapshot");
    let list = lake.folder.join("default.db/t/manifest").join(latest.base_manifest_list());
    let listed = paimon::spec::from_avro_bytes::<paimon::spec::ManifestFileMeta>(&std::fs::read(list).expect("a list"));
    assert!(listed.expect("a manifest list").len() < 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn overwrites_replace_and_truncation_empties() {
    let lake = LocalLake::new().await;
    let table = lake.catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    append(&lake.catalog, &table, &rows(&[1, 2, 3], "a")).await.expect("a commit");
    let mut writer = lake.catalog.writer(&table, WriteMode::Overwrite).await.expect("a writer");
    writer.write(&rows(&[4], "b")).await.expect("a row");
    let write = writer.finish().await.expect("files");
    let committed = lake.catalog.commit(&table, Change::Overwrite { scope: OverwriteScope::Table, write }, None).await;
    let committed = committed.expect("a commit");
    assert_eq!((committed.snapshot_id, committed.row_count), (Some(2), -2));
    assert_eq!(ids(&table).await, [4]);
    let truncate = Change::Truncate { scope: OverwriteScope::Table, commit_user: lake::commit_user() };
    assert_eq!(lake.catalog.commit(&table, truncate, None).await.expect("a commit").snapshot_id, Some(3));
    assert!(read(&table).await.iter().all(|batch| batch.num_rows() == 0));
    assert_eq!(Pypaimon::local(&lake.folder).ids("default.t"), Vec::<i64>::new());
    let info = lake.catalog.table("default", "t").await.expect("the table");
    assert_eq!((info.snapshot_id, info.record_count), (Some(3), Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_found_by_its_user_and_nothing_is_left_of_cancelled_writes() {
    let lake = LocalLake::new().await;
    let table = lake.catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    let mut writer = lake.catalog.writer(&table, WriteMode::Append).await.expect("a writer");
    writer.write(&rows(&[1], "a")).await.expect("a row");
    let write = writer.finish().await.expect("files");
    let user = write.commit_user().to_owned();
    lake.catalog.commit(&table, Change::Append(write), None).await.expect("a commit");
    assert_eq!(lake.catalog.find_commit("default", "t", &user).await.expect("an answer"), Some(1));
    assert_eq!(lake.catalog.find_commit("default", "t", "nobody").await.expect("an answer"), None);

    let bucket = lake.folder.join("default.db/t/bucket-0");
    let files = || std::fs::read_dir(&bucket).expect("the bucket").count();
    assert_eq!(files(), 1);
    let mut writer = lake.catalog.writer(&table, WriteMode::Append).await.expect("a writer");
    writer.write(&rows(&[2], "a")).await.expect("a row");
    let write = writer.finish().await.expect("files");
    assert_eq!(files(), 2);
    drop(write);
    for _ in 0..100 {
        if files() == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(files(), 1);
    let mut writer = lake.catalog.writer(&table, WriteMode::Append).await.expect("a writer");
    writer.write(&rows(&[3], "a")).await.expect("a row");
    writer.abort().await;
    assert_eq!(files(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_was_replaced_is_not_written_to() {
    let lake = LocalLake::new().await;
    let table = lake.catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    append(&lake.catalog, &table, &rows(&[1], "a")).await.expect("a commit");
    let other = LocalLake::at(&lake.folder).await;
    other.catalog.drop_table("default", "t").await.expect("dropped");
    let outcome = append(&lake.catalog, &table, &rows(&[2], "a")).await;
    assert!(matches!(outcome, Err(CommitError::Conflict(_))), "{outcome:?}");
    let fresh = other.catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    let outcome = append(&lake.catalog, &table, &rows(&[3], "a")).await;
    assert!(matches!(outcome, Err(CommitError::Conflict(_))), "{outcome:?}");
    append(&lake.catalog, &fresh, &rows(&[4], "a")).await.expect("a commit");
    assert_eq!(ids(&fresh).await, [4]);
}

fn keyed(bucket: &str) -> Schema {
    let key = DataType::BigInt(paimon::spec::BigIntType::with_nullable(false));
    let builder = Schema::builder().column("id", key).column("writer", string()).primary_key(["id"]);
    builder.option("bucket", bucket).build().expect("a schema")
}

/// Two processes that assign buckets at the same time would each put a new key where the other does not look for it.
#[tokio::test(flavor = "multi_thread")]
async fn writers_that_assign_buckets_do_not_miss_each_other() {
    let lake = LocalLake::new().await;
    let table = lake.catalog.create_table("default", "t", keyed("-1")).await.expect("a new table");
    append(&lake.catalog, &table, &rows(&[1], "a")).await.expect("a commit");
    let other = LocalLake::at(&lake.folder).await;
    let mut slow = other.catalog.writer(&table, WriteMode::Append).await.expect("a writer");
    slow.write(&rows(&[2], "slow")).await.expect("a row");
    append(&lake.catalog, &table, &rows(&[2], "fast")).await.expect("a commit");
    let write = slow.finish().await.expect("files");
    let outcome = other.catalog.commit(&table, Change::Append(write), None).await;
    assert!(matches!(outcome, Err(CommitError::Conflict(_))), "{outcome:?}");
    append(&other.catalog, &table, &rows(&[2], "again")).await.expect("a commit");
    assert_eq!(ids(&table).await, [1, 2]);
    // Within a process they take turns instead.
    let (one, two) = (rows(&[3, 4], "one"), rows(&[4, 5], "two"));
    let both = tokio::join!(append(&lake.catalog, &table, &one), append(&lake.catalog, &table, &two));
    assert!(both.0.is_ok() && both.1.is_ok(), "{both:?}");
    assert_eq!(ids(&table).await, [1, 2, 3, 4, 5]);
    assert_eq!(Pypaimon::local(&lake.folder).ids("default.t"), [1, 2, 3, 4, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_keeps_its_number_of_buckets_until_it_is_overwritten() {
    let lake = LocalLake::new().await;
    let table = lake.catalog.create_table("default", "t", keyed("2")).await.expect("a new table");
    append(&lake.catalog, &table, &rows(&[1, 2, 3], "a")).await.expect("a commit");
    let change = SchemaChange::set_option("bucket".into(), "3".into());
    lake.catalog.alter_table("default", "t", vec![change]).await.expect("changed");
    let table = lake.catalog.load_table("default", "t").await.expect("the table");
    let refused = append(&lake.catalog, &table, &rows(&[4], "b")).await.expect_err("refused").to_string();
    assert!(refused.contains("2 buckets, not 3") && refused.contains("INSERT OVERWRITE"), "{refused}");
    let mut writer = lake.catalog.writer(&table, WriteMode::Overwrite).await.expect("a writer");
    writer.write(&rows(&[1, 2, 3], "c")).await.expect("rows");
    let write = writer.finish().await.expect("files");
    let change = Change::Overwrite { scope: OverwriteScope::Table, write };
    lake.catalog.commit(&table, change, None).await.expect("a commit");
    append(&lake.catalog, &table, &rows(&[4], "d")).await.expect("a commit");
    assert_eq!(ids(&table).await, [1, 2, 3, 4]);
}

/// Hears of commits, and may forbid them.
struct Ledger {
    heard: Mutex<Vec<String>>,
    answer: Result<(), String>,
}

#[async_trait::async_trait]
impl CommitJournal for Ledger {
    async fn will_commit(&self, table: &TableRef, commit_user: &str) -> Result<(), String> {
        self.heard.lock().expect("not poisoned").push(format!("{table} {commit_user}"));
        self.answer.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_hears_before_anything_is_published() {
    let lake = LocalLake::new().await;
    let table = lake.catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    let reference = TableRef {
        project: model::names::ProjectName::parse("project").expect("a name"),
        schema: "default".into(),
        table: "t".into(),
    };
    for (answer, expected) in [(Err("the disk is full".to_owned()), Vec::new()), (Ok(()), vec![1])] {
        let ledger = Arc::new(Ledger { heard: Mutex::default(), answer });
        let journal = Journal { table: reference.clone(), journal: ledger.clone() };
        let mut writer = lake.catalog.writer(&table, WriteMode::Append).await.expect("a writer");
        writer.write(&rows(&[1], "a")).await.expect("a row");
        let write = writer.finish().await.expect("files");
        let user = write.commit_user().to_owned();
        let outcome = lake.catalog.commit(&table, Change::Append(write), Some(journal)).await;
        assert_eq!(outcome.is_ok(), !expected.is_empty(), "{outcome:?}");
        assert_eq!(*ledger.heard.lock().expect("not poisoned"), [format!("project.default.t {user}")]);
        assert_eq!(ids(&table).await, expected);
    }
}

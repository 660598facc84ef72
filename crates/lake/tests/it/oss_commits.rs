//! Whole commits on the double of OSS: several writers, lost replies of the publishing request, a store out of order.

use crate::stores::{Place, oss};
use crate::support::{append, ids, open, plain_schema, rows};
use lake::{Catalog, CommitError};
use paimon::table::Table;
use ports::lake::LakeError;
use std::sync::Arc;
use std::time::Duration;
use testkit::oss::{Faults, OssDouble};

const BUCKET: &str = "paimon-fs";
const SNAPSHOTS: &str = "/snapshot/snapshot-";

/// Keys of the publishing requests only.
fn of_snapshots(faults: Faults) -> Faults {
    Faults { keys: SNAPSHOTS.into(), ..faults }
}

/// A view of the warehouse that shares nothing with others but the store, as another process has it.
async fn catalog(place: &Place) -> Arc<Catalog> {
    open(&place.connection, None, place.warehouse.as_str()).await
}

async fn new_table() -> (Place, OssDouble, Arc<Catalog>, Table) {
    let (place, double) = oss().await;
    let catalog = catalog(&place).await;
    let table = catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    (place, double, catalog, table)
}

/// The numbers of the table's snapshots, ascending.
fn snapshot_numbers(double: &OssDouble) -> Vec<i64> {
    let number = |key: &String| key.split_once(SNAPSHOTS)?.1.parse().ok();
    let mut numbers: Vec<i64> = double.keys(BUCKET).iter().filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// Writers that commit single rows at once; the rows that were acknowledged.
async fn append_together(place: &Place, writers: i64, count: i64) -> Vec<i64> {
    let writer = async |writer: i64| {
        let catalog = catalog(place).await;
        let table = catalog.load_table("default", "t").await.expect("the table");
        for id in writer * 1_000..writer * 1_000 + count {
            append(&catalog, &table, &rows(&[id], "writer")).await.expect("acknowledged");
        }
    };
    futures::future::join_all((0..writers).map(writer)).await;
    (0..writers).flat_map(|writer| writer * 1_000..writer * 1_000 + count).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_at_once_lose_nothing() {
    let (place, double, _, table) = new_table().await;
    let acknowledged = append_together(&place, 4, 10).await;
    assert_eq!(ids(&table).await, acknowledged);
    assert_eq!(snapshot_numbers(&double), (1..=40).collect::<Vec<_>>());
}

/// The service applied the request and nobody heard of it: neither lost nor done twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_reply_is_lost_is_done_once() {
    let (_, double, catalog, table) = new_table().await;
    for (id, lost_replies) in [(1, 1), (2, 2), (3, 10)] {
        double.set_faults(of_snapshots(Faults { lost_replies, ..Faults::default() }));
        let committed = append(&catalog, &table, &rows(&[id], "a")).await.expect("acknowledged");
        assert_eq!(committed.snapshot_id, Some(id), "{lost_replies} replies lost");
    }
    double.set_faults(Faults::default());
    assert_eq!(ids(&table).await, [1, 2, 3]);
    assert_eq!(snapshot_numbers(&double), [1, 2, 3]);
}

/// Some of the lost replies are refusals: the number went to another writer.
#[tokio::test(flavor = "multi_thread")]
async fn writers_at_once_without_replies_lose_nothing() {
    let (place, double, _, table) = new_table().await;
    double.set_faults(of_snapshots(Faults { lost_replies: 60, ..Faults::default() }));
    let acknowledged = append_together(&place, 3, 8).await;
    double.set_faults(Faults::default());
    assert_eq!(ids(&table).await, acknowledged);
    assert_eq!(snapshot_numbers(&double), (1..=24).collect::<Vec<_>>());
}

/// Every request may fail once: a commit needs many and succeeds.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_busy_now_and_then_takes_every_commit() {
    let (place, double, _, table) = new_table().await;
    double.set_faults(Faults { unavailable_every: 5, ..Faults::default() });
    let acknowledged = append_together(&place, 2, 8).await;
    double.set_faults(Faults::default());
    assert_eq!(ids(&table).await, acknowledged);
    assert_eq!(snapshot_numbers(&double), (1..=16).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_slow_takes_commits() {
    let (place, double, _, table) = new_table().await;
    double.set_faults(Faults { delay: Duration::from_millis(150), ..Faults::default() });
    let acknowledged = append_together(&place, 2, 2).await;
    double.set_faults(Faults::default());
    assert_eq!(ids(&table).await, acknowledged);
}

/// What was not published says so, leaves no files, and can be done again.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_publication_leaves_nothing_and_may_be_repeated() {
    let (_, double, catalog, table) = new_table().await;
    append(&catalog, &table, &rows(&[1], "a")).await.expect("a commit");
    let before = double.keys(BUCKET);
    double.set_faults(of_snapshots(Faults { refused_puts: 4, ..Faults::default() }));
    let outcome = append(&catalog, &table, &rows(&[2], "a")).await;
    assert!(matches!(outcome, Err(CommitError::Lake(LakeError::Unavailable { .. }))), "{outcome:?}");
    assert_eq!(double.keys(BUCKET), before, "nothing is left behind");
    append(&catalog, &table, &rows(&[2], "a")).await.expect("the second time");
    assert_eq!(ids(&table).await, [1, 2]);
    assert_eq!(snapshot_numbers(&double), [1, 2]);
}

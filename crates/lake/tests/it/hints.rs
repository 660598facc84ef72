//! What lies in a table's snapshot folder need not be true: hints that lie or are missing, strays, a clock that was ahead.

use crate::support::{LocalLake, Pypaimon, append, ids, plain_schema, rows, snapshot_ids};
use paimon::table::Table;
use serde_json::Value;
use std::path::PathBuf;

/// A table with three snapshots, and its snapshot folder.
async fn three_snapshots() -> (LocalLake, Table, PathBuf) {
    let lake = LocalLake::new().await;
    let table = lake.catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    for id in 1..=3 {
        append(&lake.catalog, &table, &rows(&[id], "a")).await.expect("a commit");
    }
    let folder = lake.folder.join("default.db/t/snapshot");
    (lake, table, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn hints_are_not_believed() {
    let (lake, _, folder) = three_snapshots().await;
    let mut expected = vec![1, 2, 3];
    for hint in
        [Some("1"), Some("99"), Some("0"), Some("-7"), Some("many"), Some(""), Some("99999999999999999999"), None]
    {
        for name in ["LATEST", "EARLIEST"] {
            match hint {
                Some(text) => std::fs::write(folder.join(name), text).expect("written"),
                None => drop(std::fs::remove_file(folder.join(name))),
            }
        }
        // Another process: nothing is remembered.
        let fresh = LocalLake::at(&lake.folder).await;
        let table = fresh.catalog.load_table("default", "t").await.expect("the table");
        let newest = fresh.catalog.latest_snapshot(&table).await.expect("readable").expect("a snapshot");
        assert_eq!(newest.id() as usize, expected.len(), "{hint:?}");
        let id = expected.len() as i64 + 1;
        append(&fresh.catalog, &table, &rows(&[id], "b")).await.expect("a commit");
        expected.push(id);
        assert_eq!(ids(&table).await, expected, "{hint:?}");
    }
    assert_eq!(snapshot_ids(&folder.join("..")), expected);
    assert_eq!(Pypaimon::local(&lake.folder).ids("default.t"), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn strays_are_no_snapshots() {
    let (lake, _, folder) = three_snapshots().await;
    std::fs::remove_file(folder.join("LATEST")).expect("removed");
    for stray in ["snapshot-9.tmp-0a", "snapshot-x", "snapshot-", "README", ".snapshot-7.0.tmp", "99"] {
        std::fs::write(folder.join(stray), "stray").expect("written");
    }
    let fresh = LocalLake::at(&lake.folder).await;
    let table = fresh.catalog.load_table("default", "t").await.expect("the table");
    assert_eq!(append(&fresh.catalog, &table, &rows(&[4], "b")).await.expect("a commit").snapshot_id, Some(4));
    assert_eq!(ids(&table).await, [1, 2, 3, 4]);
}

/// Time travel searches by time, so time does not go back where a writer's clock was ahead.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_was_ahead_does_not_turn_the_order() {
    let (lake, _, folder) = three_snapshots().await;
    let path = folder.join("snapshot-3");
    let mut snapshot: Value = serde_json::from_slice(&std::fs::read(&path).expect("there")).expect("JSON");
    let ahead = snapshot["timeMillis"].as_i64().expect("a time") + 2 * 24 * 3_600_000;
    snapshot["timeMillis"] = ahead.into();
    std::fs::write(&path, snapshot.to_string()).expect("written");
    let fresh = LocalLake::at(&lake.folder).await;
    let table = fresh.catalog.load_table("default", "t").await.expect("the table");
    append(&fresh.catalog, &table, &rows(&[4], "b")).await.expect("a commit");
    let newest = fresh.catalog.latest_snapshot(&table).await.expect("readable").expect("a snapshot");
    assert_eq!((newest.id(), newest.time_millis() as i64), (4, ahead));
}

/// A snapshot that is no snapshot is said to be damaged; nothing is written on top of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_snapshot_is_named() {
    let (lake, _, folder) = three_snapshots().await;
    for content in ["", "{}", "{\"id\":3", "null"] {
        std::fs::write(folder.join("snapshot-3"), content).expect("written");
        let fresh = LocalLake::at(&lake.folder).await;
        let table = fresh.catalog.load_table("default", "t").await.expect("the table");
        let refused = append(&fresh.catalog, &table, &rows(&[4], "b")).await.expect_err("refused").to_string();
        assert!(refused.contains("snapshot 3") && refused.contains("damaged"), "{content:?}: {refused}");
        assert!(!folder.join("snapshot-4").exists());
    }
}

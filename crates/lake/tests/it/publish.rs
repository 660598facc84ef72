//! Version files are published put-if-absent on every store, and in no other way.

use crate::stores::{Place, oss};
use bytes::Bytes;
use lake::put_if_absent::{PublishError, Published};
use lake::storage::Storage;
use opendal::ErrorKind;
use std::time::Duration;
use testkit::oss::{Faults, OssDouble};

crate::on_every_store! {
    one_of_many_wins
    a_version_is_written_once
    hints_are_replaced
    other_ways_to_write_are_refused
    files_are_read_back
    files_are_written_in_pieces
}

const WRITERS: usize = 32;

async fn one_of_many_wins(place: &Place) {
    // Several storages stand for several processes: they share nothing but the store.
    let storages: Vec<Storage> = (0..4).map(|_| place.open()).collect();
    let rounds = if place.warehouse.as_str().starts_with("s3") { 5 } else { 40 };
    for round in 0..rounds {
        let path = format!("default.db/t/snapshot/snapshot-{round}");
        let writers = (0..WRITERS).map(|writer| {
            let (storage, path) = (storages[writer % storages.len()].clone(), path.clone());
            tokio::spawn(async move { storage.publish(&path, content(writer)).await.expect("decided") })
        });
        let outcomes = futures::future::join_all(writers.collect::<Vec<_>>()).await;
        let winners: Vec<usize> = outcomes
            .into_iter()
            .enumerate()
            .filter(|(_, outcome)| *outcome.as_ref().expect("no panic") == Published::Won)
            .map(|(writer, _)| writer)
            .collect();
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        let stored = storages[0].operator().read(&path).await.expect("published").to_bytes();
        assert_eq!(stored, content(winners[0]));
    }
}

fn content(writer: usize) -> Bytes {
    Bytes::from(format!("{{\"writer\": {writer}}}"))
}

async fn a_version_is_written_once(place: &Place) {
    let storage = place.open();
    let root = storage.root().to_owned();
    for name in ["snapshot/snapshot-1", "schema/schema-0", "tag/tag-v1", "branch/branch-b/snapshot/snapshot-1"] {
        let path = format!("{root}default.db/t/{name}");
        let output = storage.file_io().new_output(&path).expect("inside");
        output.write(Bytes::from_static(b"first")).await.expect("the name is free");
        let refused = storage.file_io().new_output(&path).expect("inside").write(Bytes::from_static(b"second")).await;
        assert!(refused.is_err(), "{name}");
        let stored = storage.file_io().new_input(&path).expect("inside").read().await.expect("it is there");
        assert_eq!(stored, Bytes::from_static(b"first"), "{name}");
        assert_eq!(storage.publish(&path, Bytes::from_static(b"third")).await.expect("decided"), Published::Lost);
        storage.file_io().delete_file(&path).await.expect("versions may be deleted");
        assert_eq!(storage.publish(&path, Bytes::from_static(b"fourth")).await.expect("decided"), Published::Won);
    }
}

async fn hints_are_replaced(place: &Place) {
    let storage = place.open();
    for hint in ["LATEST", "EARLIEST"] {
        let path = format!("default.db/t/snapshot/{hint}");
        for content in ["1", "12", "3"] {
            storage.operator().write(&path, content).await.expect("a hint may be replaced");
            assert_eq!(storage.operator().read(&path).await.expect("it is there").to_vec(), content.as_bytes());
        }
    }
    let files = storage.operator().list("default.db/t/snapshot/").await.expect("a folder");
    let names: Vec<_> = files.iter().filter(|file| file.metadata().is_file()).map(|file| file.name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

async fn other_ways_to_write_are_refused(place: &Place) {
    let storage = place.open();
    let operator = storage.operator();
    operator.write("default.db/t/manifest/m", "x").await.expect("other files are free");
    let refused = |error: opendal::Error| assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    let version = "default.db/t/snapshot/snapshot-9";
    refused(operator.write("default.db/t/snapshot/snapshot-9.tmp-1", "x").await.expect_err("a reserved name"));
    refused(operator.write_with(version, "x").append(true).await.expect_err("an append"));
    refused(operator.copy("default.db/t/manifest/m", version).await.expect_err("a copy"));
    refused(operator.rename("default.db/t/manifest/m", version).await.expect_err("a rename"));
    assert!(!operator.exists(version).await.expect("the store answers"));
    // More than a version file may have.
    refused(operator.write(version, vec![0; (16 << 20) + 1]).await.expect_err("too large"));
    let large = storage.publish(version, Bytes::from(vec![0; (16 << 20) + 1])).await;
    assert!(matches!(large, Err(PublishError::NotPublished(_))));
}

async fn files_are_read_back(place: &Place) {
    use object_store::ObjectStoreExt as _;
    use object_store::path::Path;
    let storage = place.open();
    let root = storage.root().to_owned();
    let path = format!("{root}default.db/t/bucket-0/data ü&.parquet");
    let content = Bytes::from((0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect::<Vec<u8>>());
    storage.file_io().new_output(&path).expect("inside").write(content.clone()).await.expect("written");
    assert_eq!(storage.file_io().new_input(&path).expect("inside").read().await.expect("there"), content);
    let listed = storage.file_io().list_status(&format!("{root}default.db/t/bucket-0")).await.expect("listed");
    assert_eq!(
        listed.iter().map(|file| (file.path.as_str(), file.size)).collect::<Vec<_>>(),
        [(path.as_str(), 3_000_000)]
    );

    let scan = storage.object_store_at(&format!("{root}default.db/t")).expect("inside");
    let inside = Path::from("bucket-0/data ü&.parquet");
    assert_eq!(
        scan.get_range(&inside, 1_000_000..1_000_010).await.expect("there"),
        content.slice(1_000_000..1_000_010)
    );
    assert_eq!(scan.head(&inside).await.expect("there").size, 3_000_000);
    assert!(scan.put(&inside, "x".into()).await.is_err(), "scans only read");
    assert!(scan.delete(&inside).await.is_err(), "scans only read");
    assert!(storage.object_store().get(&Path::from("default.db/t/bucket-0/data ü&.parquet")).await.is_ok());

    for outside in ["/etc/passwd", "file:///etc/passwd", "s3://other-bucket/x", "oss://other-bucket/x"] {
        assert!(storage.file_io().new_input(outside).expect("lazy").read().await.is_err(), "{outside}");
        assert!(storage.object_store_at(outside).is_err(), "{outside}");
    }
    let above = format!("{root}../x");
    assert!(storage.file_io().new_output(&above).expect("lazy").write(Bytes::new()).await.is_err());
    assert!(storage.publish(&above, Bytes::new()).await.is_err());
    assert!(storage.relative(&above).is_err());
    storage.file_io().delete_dir(&format!("{root}default.db")).await.expect("folders may be deleted");
    assert!(!storage.file_io().exists(&path).await.expect("the store answers"));
}

async fn files_are_written_in_pieces(place: &Place) {
    let storage = place.open();
    let path = format!("{}default.db/t/bucket-0/data-0.parquet", storage.root());
    let piece =
        Bytes::from((0..6 << 20).map(|n: u32| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect::<Vec<u8>>());
    let mut writer = storage.file_io().new_output(&path).expect("inside").writer().await.expect("a writer");
    for _ in 0..3 {
        writer.write(piece.clone()).await.expect("written");
    }
    writer.close().await.expect("closed");
    let content = storage.file_io().new_input(&path).expect("inside").read().await.expect("there");
    assert_eq!(content.len(), 18 << 20);
    assert!(content.chunks(piece.len()).all(|chunk| chunk == piece));
}

#[tokio::test]
async fn hints_survive_a_store_out_of_order() {
    let (place, double) = oss().await;
    let storage = place.open();
    double.set_faults(Faults { unavailable: 2, ..Faults::default() });
    storage.operator().write("default.db/t/snapshot/LATEST", "17").await.expect("the third time");
    assert_eq!(double.get("paimon-fs", "warehouse/default.db/t/snapshot/LATEST"), Some(Bytes::from_static(b"17")));
}

#[tokio::test]
async fn secrets_are_not_printed() {
    let (place, double) = oss().await;
    let storage = place.open();
    double.set_faults(Faults { denied: vec![http::Method::GET], ..Faults::default() });
    let error = storage.operator().read("x").await.expect_err("denied");
    for text in [format!("{storage:?}"), format!("{:?}", place.connection), format!("{error:?}")] {
        assert!(!text.contains(OssDouble::KEY_SECRET), "{text}");
        assert!(!text.to_lowercase().contains("signature="), "{text}");
    }
}

#[tokio::test]
async fn leftovers_of_connection_tests_are_swept() {
    let (place, double) = oss().await;
    let old = format!("warehouse/.probe-{}", uuid::Uuid::new_v4());
    double.put_at("paimon-fs", &old, "first", jiff::Timestamp::now() - Duration::from_secs(7200));
    let young = format!("warehouse/.probe-{}", uuid::Uuid::new_v4());
    double.put("paimon-fs", &young, "first");
    assert_eq!(place.open().sweep().await.expect("swept"), 1);
    assert_eq!(double.keys("paimon-fs"), [young]);
}

const SNAPSHOT: &str = "default.db/t/snapshot/snapshot-1";
const KEY: &str = "warehouse/default.db/t/snapshot/snapshot-1";

async fn publish_with(faults: Faults) -> (Result<Published, PublishError>, OssDouble) {
    let (place, double) = oss().await;
    double.set_faults(faults);
    let outcome = place.open().publish(SNAPSHOT, Bytes::from_static(b"ours")).await;
    (outcome, double)
}

#[tokio::test]
async fn a_lost_reply_is_a_win() {
    for lost_replies in [1, 2, 10] {
        let (outcome, double) = publish_with(Faults { lost_replies, ..Faults::default() }).await;
        assert_eq!(outcome.expect("resolved"), Published::Won, "{lost_replies} replies lost");
        assert_eq!(double.get("paimon-fs", KEY).expect("published"), Bytes::from_static(b"ours"));
    }
}

#[tokio::test]
async fn a_lost_refusal_is_a_loss() {
    let (place, double) = oss().await;
    double.put("paimon-fs", KEY, "theirs");
    for lost_replies in [1, 10] {
        double.set_faults(Faults { lost_replies, ..Faults::default() });
        let outcome = place.open().publish(SNAPSHOT, Bytes::from_static(b"ours")).await;
        assert_eq!(outcome.expect("resolved"), Published::Lost);
    }
    assert_eq!(double.get("paimon-fs", KEY).expect("untouched"), Bytes::from_static(b"theirs"));
}

#[tokio::test]
async fn equal_bytes_of_another_are_a_loss() {
    let (place, double) = oss().await;
    double.put("paimon-fs", KEY, "ours");
    // The first answer is a refusal: nothing of ours can be there.
    let outcome = place.open().publish(SNAPSHOT, Bytes::from_static(b"ours")).await;
    assert_eq!(outcome.expect("decided"), Published::Lost);
}

#[tokio::test]
async fn a_store_out_of_order_is_asked_again() {
    let (outcome, double) = publish_with(Faults { unavailable: 2, ..Faults::default() }).await;
    assert_eq!(outcome.expect("resolved"), Published::Won);
    assert_eq!(double.get("paimon-fs", KEY).expect("published"), Bytes::from_static(b"ours"));
    // Four refusals to write and then one answer that nothing is there.
    let (outcome, _) = publish_with(Faults { unavailable: 4, ..Faults::default() }).await;
    assert!(matches!(outcome, Err(PublishError::NotPublished(_))), "{outcome:?}");
    let (outcome, _) = publish_with(Faults { unavailable: 1000, ..Faults::default() }).await;
    assert!(matches!(outcome, Err(PublishError::Unknown(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_refused_identity_publishes_nothing() {
    let denied = vec![http::Method::PUT];
    let (outcome, double) = publish_with(Faults { denied, ..Faults::default() }).await;
    assert!(matches!(outcome, Err(PublishError::NotPublished(_))), "{outcome:?}");
    assert_eq!(double.get("paimon-fs", KEY), None);
}

#[tokio::test]
async fn reads_are_repeated_and_end_in_time() {
    let (place, double) = oss().await;
    double.put("paimon-fs", "warehouse/x", "content");
    let storage = place.open();
    double.set_faults(Faults { unavailable: 3, ..Faults::default() });
    assert_eq!(storage.operator().read("x").await.expect("the fourth time").to_vec(), b"content");
    double.set_faults(Faults { unavailable: 1000, ..Faults::default() });
    assert!(storage.operator().read("x").await.is_err());
    double.set_faults(Faults { delay: Duration::from_secs(3600), ..Faults::default() });
    let waited = std::time::Instant::now();
    assert!(storage.operator().stat("x").await.is_err());
    assert!(waited.elapsed() < Duration::from_secs(60), "{:?}", waited.elapsed());
}

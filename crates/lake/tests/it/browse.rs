//! The storage browser on every store.

use crate::stores::{Place, egress, local, oss, s3};
use lake::browse::{browse, create_folder};
use model::lake::{EntryKind, StoreListing};
use ports::connection::Egress;
use ports::lake::LakeError;
use std::fs;
use std::os::unix::fs::symlink;
use testkit::oss::Faults;

crate::on_every_store! { paimon_folders_are_marked }

fn shown(listing: &StoreListing) -> Vec<(&str, EntryKind)> {
    listing.entries.iter().map(|entry| (entry.name.as_str(), entry.kind)).collect()
}

async fn paimon_folders_are_marked(place: &Place) {
    use EntryKind::{File, Folder, Schema, Table, Warehouse};
    let (connection, egress) = (&place.connection, &place.egress);
    let storage = place.open();
    for path in ["lake/sales.db/orders/schema/schema-0", "lake/sales.db/orders/snapshot/LATEST", "plain/file.txt"] {
        storage.operator().write(path, "12345").await.expect("written");
    }
    storage.operator().write("readme.txt", "hello").await.expect("written");
    create_folder(connection, egress, &format!("{}made/", place.warehouse)).await.expect("a folder");
    create_folder(connection, egress, &format!("{}lake/sales.db/empty/", place.warehouse)).await.expect("a folder");

    let at = async |path: &str| browse(connection, egress, &format!("{}{path}", place.warehouse)).await;
    let top = at("").await.expect("listed");
    assert_eq!(shown(&top), [("lake", Warehouse), ("made", Folder), ("plain", Folder), ("readme.txt", File)]);
    assert_eq!(top.entries[3].size, Some(5));
    assert_eq!(top.entries[0].uri, format!("{}lake/", place.warehouse));
    assert!(!top.truncated);
    assert_eq!(shown(&at("made/").await.expect("listed")), []);
    assert_eq!(shown(&at("lake/").await.expect("listed")), [("sales.db", Schema)]);
    let schema = at("lake/sales.db").await.expect("listed");
    assert_eq!(shown(&schema), [("empty", Folder), ("orders", Table)]);
    assert_eq!(schema.parent, Some(format!("{}lake/", place.warehouse)));
    assert_eq!(shown(&at("lake/sales.db/orders/").await.expect("listed")), [("schema", Folder), ("snapshot", Folder)]);
    assert!(matches!(at("absent/").await, Err(LakeError::NotFound(_))));
    assert!(matches!(at("../x").await, Err(LakeError::Invalid(_))));
}

#[tokio::test]
async fn the_top_of_a_local_store() {
    let place = local();
    let root = place.egress.allowed_roots[0].clone();
    let top = browse(&place.connection, &place.egress, "").await.expect("listed");
    assert_eq!((top.parent, top.entries.len()), (None, 1));
    assert_eq!(top.entries[0].uri, format!("{}/", root.display()));
    let below = browse(&place.connection, &place.egress, &top.entries[0].uri).await.expect("listed");
    assert_eq!(below.parent.as_deref(), Some(""), "above a permitted root is the top");
    assert!(matches!(browse(&place.connection, &place.egress, "/etc").await, Err(LakeError::Forbidden(_))));
    assert!(matches!(
        create_folder(&place.connection, &place.egress, "/etc/lake/").await,
        Err(LakeError::Forbidden(_))
    ));
    let absent = format!("{}absent/", place.warehouse);
    assert!(matches!(browse(&place.connection, &place.egress, &absent).await, Err(LakeError::NotFound(_))));
    fs::write(root.join("file"), "x").expect("a file");
    let file = format!("{}/file", root.display());
    assert!(matches!(browse(&place.connection, &place.egress, &file).await, Err(LakeError::Invalid(_))));
    symlink("/etc", root.join("link")).expect("a link");
    assert!(browse(&place.connection, &place.egress, &format!("{}/link/", root.display())).await.is_err());
}

#[tokio::test]
async fn buckets_of_object_stores() {
    let (place, double) = oss().await;
    let listed = browse(&place.connection, &place.egress, "").await.expect("listed");
    assert_eq!(shown(&listed), [("paimon-fs", EntryKind::Bucket)]);
    assert_eq!(listed.entries[0].uri, "oss://paimon-fs/");
    create_folder(&place.connection, &place.egress, "oss://second/").await.expect("a bucket");
    let taken = create_folder(&place.connection, &place.egress, "oss://second/").await;
    assert!(matches!(taken, Err(LakeError::AlreadyExists(_))), "{taken:?}");
    let listed = browse(&place.connection, &place.egress, "").await.expect("listed");
    assert_eq!(listed.entries.len(), 2);
    let bucket = browse(&place.connection, &place.egress, "oss://second/").await.expect("listed");
    assert_eq!((bucket.parent.as_deref(), bucket.entries.len()), (Some(""), 0));
    let absent = browse(&place.connection, &place.egress, "oss://third/").await;
    assert!(matches!(absent, Err(LakeError::NotFound(_))), "{absent:?}");
    double.set_faults(Faults { unavailable: 1000, ..Faults::default() });
    let down = browse(&place.connection, &place.egress, "").await;
    assert!(matches!(down, Err(LakeError::Unavailable { .. })), "{down:?}");

    let place = s3().await;
    let listed = browse(&place.connection, &place.egress, "").await.expect("listed");
    assert!(listed.entries.iter().any(|entry| place.warehouse.as_str().starts_with(&entry.uri)), "{listed:?}");
}

#[tokio::test]
async fn long_listings_are_cut() {
    let place = local();
    for n in 0..1005 {
        fs::write(format!("{}f{n}", place.warehouse), "").expect("a file");
    }
    let listed = browse(&place.connection, &place.egress, place.warehouse.as_str()).await.expect("listed");
    assert_eq!((listed.entries.len(), listed.truncated), (1000, true));
    let (place, double) = oss().await;
    for n in 0..1005 {
        double.put("paimon-fs", &format!("warehouse/f{n}"), "");
    }
    let listed = browse(&place.connection, &place.egress, place.warehouse.as_str()).await.expect("listed");
    assert_eq!((listed.entries.len(), listed.truncated), (1000, true));
}

#[tokio::test]
async fn a_policy_that_refuses() {
    let (place, _) = oss().await;
    let strict = Egress::default();
    assert!(browse(&place.connection, &strict, "").await.is_err());
    let refused = browse(&place.connection, &strict, "oss://paimon-fs/").await.expect_err("refused");
    assert!(refused.to_string().contains("--allow-hosts paimon-fs.localhost"), "{refused}");
    assert!(browse(&place.connection, &egress(), "").await.is_ok());
}

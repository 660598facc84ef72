//! What holds for local folders only: links, leftovers, permitted roots.

use crate::stores::{Place, local, local_connection, uri_of};
use bytes::Bytes;
use lake::put_if_absent::Published;
use lake::storage::Storage;
use ports::lake::LakeError;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

fn folder(place: &Place) -> PathBuf {
    PathBuf::from(place.warehouse.path())
}

#[tokio::test]
async fn links_do_not_lead_out() {
    let place = local();
    let outside = folder(&place).parent().expect("a root").join("outside");
    fs::create_dir(&outside).expect("a folder");
    fs::write(outside.join("secret"), "secret").expect("a file");
    let inside = folder(&place).join("default.db");
    fs::create_dir_all(inside.join("real")).expect("a folder");
    fs::write(inside.join("real/file"), "content").expect("a file");
    symlink(&outside, inside.join("out")).expect("a link");
    symlink(outside.join("absent"), inside.join("dangling")).expect("a link");
    symlink(inside.join("real"), inside.join("in")).expect("a link");

    let storage = place.open();
    let operator = storage.operator();
    assert_eq!(operator.read("default.db/in/file").await.expect("a link inside").to_vec(), b"content");
    assert!(operator.read("default.db/out/secret").await.is_err());
    assert!(operator.stat("default.db/out/secret").await.is_err());
    assert!(operator.list("default.db/out/").await.is_err());
    assert!(operator.delete("default.db/out/secret").await.is_err());
    assert!(operator.write("default.db/out/new", "x").await.is_err());
    assert!(operator.write("default.db/dangling", "x").await.is_err());
    assert!(operator.create_dir("default.db/out/new/").await.is_err());
    assert!(operator.rename("default.db/real/file", "default.db/out/file").await.is_err());
    assert!(operator.write("default.db/out/t/snapshot/LATEST", "1").await.is_err());
    assert!(storage.publish("default.db/out/snapshot/snapshot-1", Bytes::new()).await.is_err());
    assert!(operator.read("default.db/../../outside/secret").await.is_err());
    let left: Vec<_> = fs::read_dir(&outside).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["secret"]);
}

#[test]
fn only_permitted_roots_open() {
    let place = local();
    let root = place.egress.allowed_roots[0].clone();
    let open = |path: PathBuf| Storage::open(&local_connection(), &place.egress, &uri_of(&path));
    assert!(matches!(open(root.join("not/there/yet")), Err(LakeError::NotFound(_))));
    assert!(!root.join("not").exists(), "opening makes no folder");
    assert!(matches!(open("/etc".into()), Err(LakeError::Forbidden(_))));
    let sibling = PathBuf::from(format!("{}-more", root.display()));
    assert!(matches!(open(sibling), Err(LakeError::Forbidden(_))), "a prefix of a name is no parent");
    symlink("/etc", root.join("link")).expect("a link");
    assert!(matches!(open(root.join("link/x")), Err(LakeError::Forbidden(_))));
    symlink("/nowhere/at/all", root.join("dangling")).expect("a link");
    assert!(open(root.join("dangling")).is_err());
    symlink(root.join("warehouse"), root.join("alias")).expect("a link");
    assert!(open(root.join("alias")).is_ok());
    fs::write(root.join("file"), "x").expect("a file");
    assert!(open(root.join("file/below")).is_err());
}

#[tokio::test]
async fn nothing_temporary_is_left() {
    let place = local();
    let storage = place.open();
    for n in 0..20 {
        let path = format!("default.db/t/snapshot/snapshot-{n}");
        assert_eq!(storage.publish(&path, Bytes::from_static(b"1")).await.expect("decided"), Published::Won);
        assert_eq!(storage.publish(&path, Bytes::from_static(b"2")).await.expect("decided"), Published::Lost);
    }
    let snapshots = folder(&place).join("default.db/t/snapshot");
    assert_eq!(fs::read_dir(snapshots).expect("a folder").count(), 20);
}

#[tokio::test]
async fn sweeping_removes_old_temporaries_only() {
    let place = local();
    let id = uuid::Uuid::new_v4();
    let old = SystemTime::now() - Duration::from_secs(2 * 3600);
    let make = |path: &str, modified: Option<SystemTime>| {
        let path = folder(&place).join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let file = File::create(&path).expect("a file");
        if let Some(modified) = modified {
            file.set_modified(modified).expect("a time");
        }
        path
    };
    let swept = [
        make(&format!("default.db/t/snapshot/.snapshot-1.{id}.tmp"), Some(old)),
        make(&format!("default.db/t/schema/.schema-1.{id}.tmp"), Some(old)),
        make(&format!("default.db/t/tag/.tag-a.{id}.tmp"), Some(old)),
        make(&format!("default.db/t/branch/branch-b/snapshot/.snapshot-2.{id}.tmp"), Some(old)),
        make(&format!(".probe-{id}"), Some(old)),
    ];
    let kept = [
        make(&format!("default.db/t/snapshot/.snapshot-3.{id}.tmp"), None),
        make("default.db/t/snapshot/snapshot-1", Some(old)),
        make("default.db/t/snapshot/.hidden", Some(old)),
        make("default.db/t/snapshot/.snapshot-1.notauuid.tmp", Some(old)),
        make(&format!("default.db/t/manifest/.manifest.{id}.tmp"), Some(old)),
        make(&format!("default.db/t/snapshot/snapshot-1.{id}.tmp"), Some(old)),
    ];
    assert_eq!(place.open().sweep().await.expect("swept"), swept.len() as u64);
    assert!(swept.iter().all(|path| !path.exists()));
    assert!(kept.iter().all(|path| path.exists()));
}

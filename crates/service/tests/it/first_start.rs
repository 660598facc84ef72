//! The first start.

use crate::fixture::{context, open, told};
use service::{FirstStart, Limits};

#[tokio::test]
async fn the_account_stays() {
    let dir = tempfile::tempdir().unwrap();
    let services = open(dir.path(), Limits::default()).await;
    services.first_start(FirstStart::default()).await.unwrap();
    let owner = services.owner();
    let account = owner.as_str().strip_prefix("acs:ram::").unwrap().strip_suffix(":root").unwrap();
    assert!(account.len() == 16 && account.bytes().all(|b| b.is_ascii_digit()), "{account}");
    drop(services);
    let again = open(dir.path(), Limits::default()).await;
    again.first_start(FirstStart::default()).await.unwrap();
    assert_eq!(again.owner(), owner);
    assert!(again.list_projects(&context(&again, "x")).await.unwrap().is_empty());
}

#[tokio::test]
async fn all_or_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let services = open(dir.path(), Limits::default()).await;
    // This engine knows no CREATE TABLE.
    let told = told(services.first_start(FirstStart { sample: true, ..FirstStart::default() }).await);
    assert!(told.starts_with("Internal"), "{told}");
    assert_eq!(services.owner().as_str(), "", "nobody owns what did not start");
    assert!(!dir.path().join("sample-lake").exists());
    services.first_start(FirstStart::default()).await.unwrap();
    assert!(services.owner().is_root());
}

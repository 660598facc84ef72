//! Browser sessions and one-time links.

use crate::{root, store};
use jiff::SignedDuration;
use model::Timestamp;
use secrecy::ExposeSecret;
use store::DATABASE_FILE;

fn in_hours(hours: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(hours)
}

#[tokio::test]
async fn sessions_live_until_they_expire() {
    let (_dir, store) = store().await;
    assert!(store.create_session("a", "1", in_hours(1)).await.unwrap());
    assert!(!store.create_session("a", "2", in_hours(1)).await.unwrap());
    store.save_session("a", "3", in_hours(2)).await.unwrap();
    store.save_session("old", "x", in_hours(-1)).await.unwrap();
    assert_eq!(store.load_session("a").await.unwrap().unwrap().0, "3");
    assert_eq!(store.load_session("old").await.unwrap(), None);
    assert_eq!(store.delete_expired_sessions().await.unwrap(), 1);
    store.delete_session("a").await.unwrap();
    assert_eq!(store.load_session("a").await.unwrap(), None);
}

#[tokio::test]
async fn ids_and_tokens_are_not_in_the_database() {
    let (dir, store) = store().await;
    store.create_session("session-id-in-plain", "data", in_hours(1)).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.insert_principal(&root()).await.unwrap();
    tx.put_sign_in_link(&root(), "token-in-plain", None).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    let bytes = std::fs::read(dir.path().join(DATABASE_FILE)).unwrap();
    for plain in ["session-id-in-plain", "token-in-plain"] {
        assert!(!bytes.windows(plain.len()).any(|window| window == plain.as_bytes()), "{plain}");
    }
}

#[tokio::test]
async fn a_link_works_once() {
    let (_dir, store) = store().await;
    let mut tx = store.begin().await.unwrap();
    tx.insert_principal(&root()).await.unwrap();
    tx.put_sign_in_link(&root(), "first", None).await.unwrap();
    tx.put_sign_in_link(&root(), "second", Some(in_hours(1))).await.unwrap();
    tx.commit().await.unwrap();
    let printed = store.sign_in_link(&root()).await.unwrap().unwrap();
    assert_eq!(printed.expose_secret(), "second");
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.take_sign_in_link("first").await.unwrap(), None);
    assert_eq!(tx.take_sign_in_link("second").await.unwrap(), Some(root()));
    assert_eq!(tx.take_sign_in_link("second").await.unwrap(), None);
    tx.put_sign_in_link(&root(), "late", Some(in_hours(-1))).await.unwrap();
    assert_eq!(tx.take_sign_in_link("late").await.unwrap(), None);
    tx.commit().await.unwrap();
    assert!(store.sign_in_link(&root()).await.unwrap().is_none());
}

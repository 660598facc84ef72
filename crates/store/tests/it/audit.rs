//! The audit log: only ever longer, and it shows when someone was at it.

use crate::{root, store};
use model::Timestamp;
use model::audit::AuditEntry;
use store::{DATABASE_FILE, Store};

fn entry(detail: &str) -> AuditEntry {
    AuditEntry {
        at: Timestamp::now(),
        principal: root(),
        origin: Some("127.0.0.1".into()),
        request_id: "r1".into(),
        action: "Create".into(),
        resource_kind: "data_source".into(),
        resource: "external_fs".into(),
        detail: detail.into(),
        allowed: true,
    }
}

async fn write(store: &Store, details: &[&str]) {
    for detail in details {
        let mut tx = store.begin().await.unwrap();
        tx.audit(&entry(detail)).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn newest_first() {
    let (_dir, store) = store().await;
    write(&store, &["one", "two", "three"]).await;
    let found = store.audit_of("data_source", "external_fs", 2).await.unwrap();
    let details: Vec<&str> = found.iter().map(|entry| entry.detail.as_str()).collect();
    assert_eq!(details, ["three", "two"]);
    assert!(store.audit_of("data_source", "other", 2).await.unwrap().is_empty());
    assert_eq!(store.first_broken_audit_entry().await.unwrap(), None);
}

#[tokio::test]
async fn changes_are_refused_and_found() {
    let (dir, store) = store().await;
    write(&store, &["one", "two", "three"]).await;
    store.close().await;
    drop(store);
    let url = format!("sqlite://{}", dir.path().join(DATABASE_FILE).display());
    let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
    for change in ["delete from audit where id = 2", "update audit set detail = 'x' where id = 2"] {
        let error = sqlx::query(change).execute(&mut connection).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    for change in ["drop trigger audit_is_append_only_update", "update audit set detail = 'x' where id = 2"] {
        sqlx::query(change).execute(&mut connection).await.unwrap();
    }
    sqlx::Connection::close(connection).await.unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    assert_eq!(store.first_broken_audit_entry().await.unwrap(), Some(2));
}

//! Opening: what is made, what is refused, and how it says so.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use store::{DATABASE_FILE, Error, KEY_FILE, Store};

async fn refusal(dir: &std::path::Path) -> String {
    match Store::open(dir).await {
        Ok(_) => "opened".into(),
        Err(error) => error.to_string().replace(&dir.display().to_string(), "DIR"),
    }
}

async fn made() -> tempfile::TempDir {
    let (dir, store) = crate::store().await;
    store.close().await;
    dir
}

#[tokio::test]
async fn from_scratch_and_again() {
    let dir = made().await;
    let key = fs::metadata(dir.path().join(KEY_FILE)).unwrap();
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    assert_eq!(refusal(dir.path()).await, "opened");
}

#[tokio::test]
async fn one_process_at_a_time() {
    let (dir, store) = crate::store().await;
    assert_eq!(
        refusal(dir.path()).await,
        "the data directory `DIR` is in use by another lakedeck process; stop that one or choose another --data-dir"
    );
    drop(store);
    assert_eq!(refusal(dir.path()).await, "opened");
}

#[tokio::test]
async fn the_key_must_be_the_right_one() {
    let dir = made().await;
    let key = dir.path().join(KEY_FILE);
    let right = fs::read_to_string(&key).unwrap();

    fs::write(&key, format!("{}\n", "ab".repeat(32))).unwrap();
    assert_eq!(
        refusal(dir.path()).await,
        "the master key `DIR/master.key` is not the one that the database was made with; restore the key from your \
         backup"
    );
    fs::write(&key, "not a key").unwrap();
    assert_eq!(
        refusal(dir.path()).await,
        "the master key `DIR/master.key` is damaged: it must be 64 hexadecimal digits"
    );
    fs::remove_file(&key).unwrap();
    assert_eq!(
        refusal(dir.path()).await,
        "the master key `DIR/master.key` is missing, but the database holds credentials sealed with it; restore the \
         key from your backup"
    );
    fs::write(&key, right).unwrap();
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(
        refusal(dir.path()).await,
        "the master key `DIR/master.key` can be read by other users; run: chmod 600 DIR/master.key"
    );
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(refusal(dir.path()).await, "opened");
}

#[tokio::test]
async fn a_damaged_database_is_named() {
    // In a folder of its own: what closes the other database would mend this one.
    let (dir, healthy) = (tempfile::tempdir().unwrap(), made().await);
    fs::copy(healthy.path().join("master.key"), dir.path().join("master.key")).unwrap();
    fs::write(dir.path().join(DATABASE_FILE), "this is no database".repeat(100)).unwrap();
    assert_eq!(refusal(dir.path()).await, "the database `DIR/lakedeck.db` is damaged; restore it from your backup");
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let dir = made().await;
    let url = format!("sqlite://{}", dir.path().join(DATABASE_FILE).display());
    let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
    sqlx::query(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (9999, 'from the future', true, x'00', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    assert_eq!(
        refusal(dir.path()).await,
        "the database was written by a newer version of lakedeck (migration 9999); start that version"
    );
}

#[tokio::test]
async fn the_database_writes_ahead() {
    let (dir, store) = crate::store().await;
    drop(store);
    let bytes = fs::read(dir.path().join(DATABASE_FILE)).unwrap();
    // Bytes 18 and 19 of the header: 2 means write-ahead log.
    assert_eq!(&bytes[18..20], [2, 2]);
}

#[tokio::test]
async fn a_closed_database_is_whole_in_one_file() {
    let (dir, store) = crate::store().await;
    let mut tx = store.begin().await.unwrap();
    tx.put_setting("a", "1").await.unwrap();
    tx.commit().await.unwrap();
    let other = store.clone();
    assert_eq!(other.setting("a").await.unwrap().as_deref(), Some("1"));
    store.close().await;
    let copy = tempfile::tempdir().unwrap();
    for name in [DATABASE_FILE, KEY_FILE] {
        fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
    }
    assert_eq!(Store::open(copy.path()).await.unwrap().setting("a").await.unwrap().as_deref(), Some("1"));
}

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing() {
    let (_dir, store) = crate::store().await;
    let mut tx = store.begin().await.unwrap();
    tx.put_setting("a", "1").await.unwrap();
    drop(tx);
    assert_eq!(store.setting("a").await.unwrap(), None);
    let mut tx = store.begin().await.unwrap();
    tx.put_setting("a", "2").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.setting("a").await.unwrap().as_deref(), Some("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_wait_for_each_other() {
    let (_dir, store) = crate::store().await;
    let write = |n: usize| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut tx = store.begin().await?;
            tx.put_setting(&n.to_string(), "x").await?;
            tx.commit().await
        })
    };
    for done in (0..50).map(write).collect::<Vec<_>>() {
        done.await.unwrap().unwrap();
    }
    for n in 0..50 {
        assert!(store.setting(&n.to_string()).await.unwrap().is_some(), "{n}");
    }
}

#[test]
fn errors_do_not_show_secrets() {
    let error = Error::Unsealable("data_source/1/access_key_secret".into());
    assert_eq!(error.to_string(), "the sealed value `data_source/1/access_key_secret` cannot be opened");
}

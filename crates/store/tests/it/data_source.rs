//! Data sources: what is kept, and how well secrets are.

use crate::{root, s3_source, store};
use model::data_source::{AuthKind, NewAuth, NewDataSource};
use model::names::DataSourceName;
use model::probe::{ConnectionState, TestRun};
use model::secret::Secret;
use secrecy::{ExposeSecret, SecretString};
use store::{DATABASE_FILE, Error, Store, Unique};

async fn insert(store: &Store, new: &NewDataSource) -> model::data_source::DataSource {
    let mut tx = store.begin().await.unwrap();
    let source = tx.insert_data_source(new, &root()).await.unwrap();
    tx.commit().await.unwrap();
    source
}

async fn update(store: &Store, new: &NewDataSource) {
    let mut tx = store.begin().await.unwrap();
    let stored = tx.data_source(new.name.as_str()).await.unwrap().unwrap();
    tx.update_data_source(&stored.id, new, &root()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn secrets(store: &Store, name: &str) -> String {
    let source = store.data_source(name).await.unwrap().unwrap();
    let secrets = store.secrets(&source.id).await.unwrap();
    let show = |secret: Option<SecretString>| secret.map_or("-".into(), |secret| secret.expose_secret().to_owned());
    format!("{} {}", show(secrets.access_key_secret), show(secrets.session_token))
}

fn with_secrets(secret: Option<&str>, token: Option<&str>) -> NewDataSource {
    let auth =
        NewAuth::AccessKey { id: "AK".into(), secret: secret.map(Secret::new), session_token: token.map(Secret::new) };
    NewDataSource { auth, ..s3_source("external_s3") }
}

#[tokio::test]
async fn what_is_stored_comes_back() {
    let (_dir, store) = store().await;
    let written = insert(&store, &s3_source("external_s3")).await;
    let read = store.data_source("external_s3").await.unwrap().unwrap();
    assert_eq!(written, read);
    assert_eq!((read.auth, read.version, read.path_style), (AuthKind::AccessKey, 1, true));
    assert_eq!(read.properties, [("server-side-encryption".into(), "a=b".into())]);
    assert!(read.secret_set_at.is_some());
    assert_eq!(store.data_sources().await.unwrap(), [read]);
    assert!(store.data_source("External_s3").await.unwrap().is_none());
}

#[tokio::test]
async fn names_are_unique() {
    let (_dir, store) = store().await;
    insert(&store, &s3_source("external_s3")).await;
    let mut tx = store.begin().await.unwrap();
    let error = tx.insert_data_source(&s3_source("external_s3"), &root()).await.unwrap_err();
    assert!(matches!(error, Error::Taken(Unique::DataSourceName)), "{error:?}");
}

#[tokio::test]
async fn secrets_survive_an_edit_that_does_not_retype_them() {
    let (_dir, store) = store().await;
    let first = insert(&store, &s3_source("external_s3")).await;
    assert_eq!(secrets(&store, "external_s3").await, "hunter2 token-1");
    update(&store, &with_secrets(None, None)).await;
    assert_eq!(secrets(&store, "external_s3").await, "hunter2 token-1");
    let kept = store.data_source("external_s3").await.unwrap().unwrap();
    assert_eq!((kept.secret_set_at, kept.version), (first.secret_set_at, 2));
    // A session token belongs to its secret: typing a new secret ends it.
    update(&store, &with_secrets(Some("hunter3"), None)).await;
    assert_eq!(secrets(&store, "external_s3").await, "hunter3 -");
    assert!(store.data_source("external_s3").await.unwrap().unwrap().secret_set_at > first.secret_set_at);
    update(&store, &with_secrets(None, Some("token-2"))).await;
    assert_eq!(secrets(&store, "external_s3").await, "hunter3 token-2");
    update(&store, &NewDataSource { auth: NewAuth::Environment, ..s3_source("external_s3") }).await;
    assert_eq!(secrets(&store, "external_s3").await, "- -");
    let source = store.data_source("external_s3").await.unwrap().unwrap();
    assert_eq!((source.access_key_id, source.secret_set_at), (None, None));
}

#[tokio::test]
async fn secrets_are_sealed_to_their_row() {
    let (dir, store) = store().await;
    insert(&store, &s3_source("one")).await;
    insert(&store, &NewDataSource { name: DataSourceName::parse("two").unwrap(), ..s3_source("x") }).await;
    store.close().await;
    drop(store);
    let database = dir.path().join(DATABASE_FILE);
    let bytes = std::fs::read(&database).unwrap();
    assert!(!bytes.windows(7).any(|window| window == b"hunter2"), "the plain secret is in the database");

    let url = format!("sqlite://{}", database.display());
    let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
    sqlx::query(
        "update data_source set access_key_secret = (select access_key_secret from data_source where name = 'one')
         where name = 'two'",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    sqlx::Connection::close(connection).await.unwrap();

    let store = Store::open(dir.path()).await.unwrap();
    let moved = store.data_source("two").await.unwrap().unwrap();
    let error = store.secrets(&moved.id).await.unwrap_err();
    assert!(matches!(error, Error::Unsealable(_)), "{error:?}");
    assert_eq!(secrets(&store, "one").await, "hunter2 token-1");
}

#[tokio::test]
async fn the_last_twenty_tests_are_kept() {
    let (_dir, store) = store().await;
    let source = insert(&store, &s3_source("external_s3")).await;
    let mut tx = store.begin().await.unwrap();
    for n in 0..25 {
        let test = TestRun {
            state: ConnectionState::Connectable,
            note: Some(n.to_string()),
            steps: Vec::new(),
            at: model::Timestamp::now(),
        };
        tx.insert_test(&source.id, &test).await.unwrap();
    }
    tx.commit().await.unwrap();
    let notes: Vec<String> = store.tests(&source.id).await.unwrap().into_iter().filter_map(|test| test.note).collect();
    assert_eq!((notes.len(), notes.first().unwrap().as_str(), notes.last().unwrap().as_str()), (20, "24", "5"));
    let source = store.data_source("external_s3").await.unwrap().unwrap();
    assert_eq!(source.last_test.unwrap().note.as_deref(), Some("24"));
}

//! The store on a real database.

#![expect(clippy::unwrap_used, reason = "a test stops where its ground gives way")]

mod audit;
mod data_source;
mod external_project;
mod open;
mod run;
mod session;

use model::access::Principal;
use model::data_source::{DataSourceDraft, DraftUse, NewDataSource};
use model::secret::Secret;
use store::Store;
use tempfile::TempDir;

/// A store in a folder of its own.
pub async fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    (dir, store)
}

pub fn root() -> Principal {
    Principal::root("1240099887766554")
}

pub fn s3_source(name: &str) -> NewDataSource {
    let draft = DataSourceDraft {
        name: name.into(),
        storage: "s3".into(),
        auth: "access_key".into(),
        access_key_id: "AK".into(),
        access_key_secret: Secret::new("hunter2"),
        session_token: Secret::new("token-1"),
        endpoint: "http://127.0.0.1:9000".into(),
        path_style: true,
        properties: "server-side-encryption=a=b".into(),
        ..DataSourceDraft::default()
    };
    draft.check(DraftUse::Create).unwrap()
}

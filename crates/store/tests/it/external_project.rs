//! External projects: unique whatever the case, and held by their source.

use crate::{root, s3_source, store};
use model::data_source::{Endpoint, StorageKind};
use model::external_project::{ExternalProjectDraft, NewExternalProject, ProjectState};
use model::names::Id;
use store::{Error, NewProjectRow, Store, Unique};

fn project(name: &str, engine_catalog: &str) -> NewExternalProject {
    let draft = ExternalProjectDraft {
        name: name.into(),
        server: "external_s3".into(),
        bucket_catalog: "s3://bucket/lake".into(),
        engine_catalog: engine_catalog.into(),
        ..ExternalProjectDraft::default()
    };
    draft.check(Some(StorageKind::S3)).unwrap()
}

async fn with_source() -> (tempfile::TempDir, Store, Id) {
    let (dir, store) = store().await;
    let mut tx = store.begin().await.unwrap();
    let source = tx.insert_data_source(&s3_source("external_s3"), &root()).await.unwrap();
    tx.commit().await.unwrap();
    (dir, store, source.id)
}

async fn insert(store: &Store, source: &Id, project: &NewExternalProject) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    tx.insert_project(NewProjectRow { project, data_source: source, endpoint: None }, &root()).await?;
    tx.commit().await
}

#[tokio::test]
async fn what_is_stored_comes_back() {
    let (_dir, store, source) = with_source().await;
    insert(&store, &source, &project("Proj", "paimon-fs-catalog")).await.unwrap();
    let found = store.project("proj").await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.state, found.version), ("Proj", ProjectState::Enabled, 1));
    assert_eq!((found.server.as_str(), found.bucket_catalog.as_str()), ("external_s3", "s3://bucket/lake/"));
    assert_eq!(found.engine_catalog.as_ref().unwrap().as_str(), "paimon-fs-catalog");
    assert_eq!(store.projects().await.unwrap(), [found]);
    assert_eq!(store.data_source("external_s3").await.unwrap().unwrap().projects, ["Proj"]);
}

#[tokio::test]
async fn an_endpoint_is_the_sources_until_there_is_another() {
    let (_dir, store, source) = with_source().await;
    insert(&store, &source, &project("alike", "")).await.unwrap();
    let own = Endpoint::parse("http://other:9000").unwrap();
    let new = project("other", "");
    let mut tx = store.begin().await.unwrap();
    let row = NewProjectRow { project: &new, data_source: &source, endpoint: Some(&own) };
    tx.insert_project(row, &root()).await.unwrap();
    tx.commit().await.unwrap();
    let of_source = store.data_source("external_s3").await.unwrap().unwrap().endpoint;
    assert!(of_source.is_some() && of_source.as_ref() != Some(&own));
    assert_eq!(store.project("alike").await.unwrap().unwrap().endpoint, of_source);
    assert_eq!(store.project("other").await.unwrap().unwrap().endpoint, Some(own));
}

#[tokio::test]
async fn names_collide_whatever_their_case() {
    let (_dir, store, source) = with_source().await;
    insert(&store, &source, &project("Proj", "")).await.unwrap();
    let taken = |result: Result<(), Error>| match result {
        Err(Error::Taken(unique)) => unique.to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!(taken(insert(&store, &source, &project("proj", "")).await), Unique::ProjectName.to_string());
    insert(&store, &source, &project("other", "cat")).await.unwrap();
    assert_eq!(taken(insert(&store, &source, &project("third", "cat")).await), Unique::EngineCatalogName.to_string());
}

#[tokio::test]
async fn a_used_source_stays() {
    let (_dir, store, source) = with_source().await;
    insert(&store, &source, &project("proj", "")).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    assert!(tx.delete_data_source(&source).await.is_err());
    drop(tx);
    let mut tx = store.begin().await.unwrap();
    let stored = tx.project("proj").await.unwrap().unwrap();
    tx.delete_project(&stored.name).await.unwrap();
    tx.delete_data_source(&source).await.unwrap();
    tx.commit().await.unwrap();
    assert!(store.data_sources().await.unwrap().is_empty());
}

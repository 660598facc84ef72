//! Server functions of external data sources.

use super::Text;
use crate::error::ApiError;
use leptos::prelude::*;
use model::audit::AuditEntry;
use model::data_source::{BrowseTarget, DataSource, DataSourceDraft};
use model::lake::StoreListing;
use model::names::Id;
use model::probe::{Prerequisite, TestRun};
use model::region::Region;
use serde::{Deserialize, Serialize};

#[server(prefix = "/fn", endpoint = "data_source/list", output = Text)]
pub async fn list_data_sources() -> Result<Vec<DataSource>, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.list_data_sources(&ctx).await)
}

/// A source with what its details page tells beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSourceDetails {
    pub source: DataSource,
    /// Newest first.
    pub tests: Vec<TestRun>,
    /// Newest first.
    pub audit: Vec<AuditEntry>,
}

#[server(prefix = "/fn", endpoint = "data_source/details", output = Text, name = LoadDataSourceDetails)]
pub async fn data_source_details(name: String) -> Result<DataSourceDetails, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    let source = crate::ssr::answer(&ctx, services.data_source(&ctx, &name).await)?;
    let tests = crate::ssr::answer(&ctx, services.test_history(&ctx, &name).await)?;
    let audit = crate::ssr::answer(&ctx, services.audit_of(&ctx, "data_source", &name).await)?;
    Ok(DataSourceDetails { source, tests, audit })
}

/// Creates the source; a page without JavaScript is sent to the list, with the new row marked.
#[server(prefix = "/fn", endpoint = "data_source/create", output = Text)]
pub async fn create_data_source(draft: DataSourceDraft) -> Result<DataSource, ApiError> {
    use model::data_source::DraftUse;
    let (services, ctx) = crate::ssr::request().await?;
    let new = crate::ssr::checked(&ctx, draft.check(DraftUse::Create))?;
    let source = crate::ssr::answer(&ctx, services.create_data_source(&ctx, new).await)?;
    leptos_axum::redirect(&crate::routes::data_sources_with_new(source.name.as_str()));
    Ok(source)
}

/// Changes a source that was read at `version`.
#[server(prefix = "/fn", endpoint = "data_source/update", output = Text)]
pub async fn update_data_source(name: String, draft: DataSourceDraft, version: i64) -> Result<DataSource, ApiError> {
    use model::data_source::DraftUse;
    let (services, ctx) = crate::ssr::request().await?;
    let new = crate::ssr::checked(&ctx, draft.check(DraftUse::Edit))?;
    let source = crate::ssr::answer(&ctx, services.update_data_source(&ctx, &name, new, version).await)?;
    leptos_axum::redirect(&crate::routes::data_source(source.name.as_str()));
    Ok(source)
}

#[server(prefix = "/fn", endpoint = "data_source/delete", output = Text)]
pub async fn delete_data_source(name: String) -> Result<(), ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.delete_data_source(&ctx, &name).await)?;
    leptos_axum::redirect(crate::routes::DATA_SOURCES);
    Ok(())
}

/// Starts a test of what is typed; secrets left untyped are those of `existing`. Follow it at `/events/probe/<id>`.
#[server(prefix = "/fn", endpoint = "data_source/test_draft", output = Text)]
pub async fn test_draft(draft: DataSourceDraft, existing: Option<String>) -> Result<Id, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.test_data_source_draft(&ctx, draft, existing).await)
}

/// Starts a test of a stored source.
#[server(prefix = "/fn", endpoint = "data_source/test", output = Text)]
pub async fn test_stored(name: String, directory: Option<String>) -> Result<Id, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.test_data_source(&ctx, &name, directory).await)
}

#[server(prefix = "/fn", endpoint = "data_source/browse", output = Text)]
pub async fn browse(target: BrowseTarget, uri: String) -> Result<StoreListing, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.browse(&ctx, target, &uri).await)
}

#[server(prefix = "/fn", endpoint = "data_source/create_folder", output = Text)]
pub async fn create_folder(target: BrowseTarget, uri: String) -> Result<(), ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.create_folder(&ctx, target, &uri).await)
}

#[server(prefix = "/fn", endpoint = "data_source/prerequisites", output = Text)]
pub async fn prerequisites(draft: DataSourceDraft) -> Result<Vec<Prerequisite>, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.prerequisites(&ctx, draft).await)
}

/// The regions that one may choose as the current one.
#[server(prefix = "/fn", endpoint = "data_source/enabled_regions", output = Text)]
pub async fn enabled_regions() -> Result<Vec<Region>, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    let regions = crate::ssr::answer(&ctx, services.regions(&ctx).await)?;
    Ok(regions.into_iter().filter(|region| region.enabled).collect())
}

#[server(prefix = "/fn", endpoint = "data_source/regions", output = Text)]
pub async fn regions() -> Result<Vec<Region>, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.regions(&ctx).await)
}

//! Server functions of external projects.

use super::Text;
use crate::error::ApiError;
use leptos::prelude::*;
use model::audit::AuditEntry;
use model::external_project::{ExternalProject, ExternalProjectDraft, ExternalProjectEdit, ProjectState};
use model::lake::WarehouseOverview;
use model::notice::Notice;
use model::quota::Quota;
use model::worksheet::Worksheet;
use serde::{Deserialize, Serialize};

#[server(prefix = "/fn", endpoint = "external_project/list", output = Text)]
pub async fn list_projects() -> Result<Vec<ExternalProject>, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.list_projects(&ctx).await)
}

/// A project with what its details page tells beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProjectDetails {
    pub project: ExternalProject,
    /// Newest first.
    pub audit: Vec<AuditEntry>,
}

#[server(prefix = "/fn", endpoint = "external_project/details", output = Text, name = LoadProjectDetails)]
pub async fn project_details(name: String) -> Result<ProjectDetails, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    let project = crate::ssr::answer(&ctx, services.project(&ctx, &name).await)?;
    let audit = crate::ssr::answer(&ctx, services.audit_of(&ctx, "external_project", &name).await)?;
    Ok(ProjectDetails { project, audit })
}

/// What the warehouse holds: asks the store, so it may take a while.
#[server(prefix = "/fn", endpoint = "external_project/overview", output = Text)]
pub async fn project_overview(name: String) -> Result<WarehouseOverview, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.project_overview(&ctx, &name).await)
}

#[server(prefix = "/fn", endpoint = "external_project/name_available", output = Text)]
pub async fn project_name_available(name: String) -> Result<bool, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.project_name_available(&ctx, &name).await)
}

#[server(prefix = "/fn", endpoint = "external_project/quotas", output = Text)]
pub async fn quotas() -> Result<Vec<Quota>, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.quotas(&ctx).await)
}

/// What is allowed, but worth knowing before OK; nothing while the form is not complete.
#[server(prefix = "/fn", endpoint = "external_project/notices", output = Text)]
pub async fn project_notices(draft: ExternalProjectDraft) -> Result<Vec<Notice>, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.project_notices(&ctx, &draft).await)
}

/// Creates the project, and with it a worksheet that is bound to it; the page moves there.
#[server(prefix = "/fn", endpoint = "external_project/create", output = Text)]
pub async fn create_project(draft: ExternalProjectDraft) -> Result<Worksheet, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    let project = crate::ssr::answer(&ctx, services.create_project(&ctx, draft).await)?;
    let worksheet = services.create_worksheet(&ctx, Some(project.name.as_str()), None, "").await;
    let worksheet = crate::ssr::answer(&ctx, worksheet)?;
    leptos_axum::redirect(&crate::routes::worksheet(&worksheet.id));
    Ok(worksheet)
}

/// A new worksheet bound to a project: "Open worksheet" in the list.
#[server(prefix = "/fn", endpoint = "external_project/open_worksheet", output = Text)]
pub async fn open_worksheet(name: String) -> Result<Worksheet, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    let worksheet = crate::ssr::answer(&ctx, services.create_worksheet(&ctx, Some(&name), None, "").await)?;
    leptos_axum::redirect(&crate::routes::worksheet(&worksheet.id));
    Ok(worksheet)
}

#[server(prefix = "/fn", endpoint = "external_project/update", output = Text)]
pub async fn update_project(name: String, edit: ExternalProjectEdit) -> Result<ExternalProject, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    let project = crate::ssr::answer(&ctx, services.update_project(&ctx, &name, edit).await)?;
    leptos_axum::redirect(&crate::routes::project(project.name.as_str()));
    Ok(project)
}

#[server(prefix = "/fn", endpoint = "external_project/set_state", output = Text)]
pub async fn set_project_state(name: String, state: ProjectState, version: i64) -> Result<ExternalProject, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.set_project_state(&ctx, &name, state, version).await)
}

/// Removes the mapping only; the data stays where it is.
#[server(prefix = "/fn", endpoint = "external_project/delete", output = Text)]
pub async fn delete_project(name: String) -> Result<(), ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.delete_project(&ctx, &name).await)?;
    leptos_axum::redirect(crate::routes::PROJECTS);
    Ok(())
}

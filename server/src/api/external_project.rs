//! External projects.

use super::{Caller, Json, Path, Query};
use crate::problem::Failure;
use axum::Router;
use axum::routing::{get, put};
use http::StatusCode;
use model::external_project::{ExternalProject, ExternalProjectDraft, ExternalProjectEdit, ProjectState};
use model::names::ProjectName;
use model::problem::{ErrorCode, Problem};
use serde::{Deserialize, Serialize};
use service::Services;

pub fn routes() -> Router<Services> {
    Router::new()
        .route("/api/v1/projects", get(list).post(create))
        // No project can have this name: it has a hyphen.
        .route("/api/v1/projects/name-available", get(name_available))
        .route("/api/v1/projects/{project}", get(read).put(update).delete(delete))
        .route("/api/v1/projects/{project}/state", put(set_state))
}

#[utoipa::path(
    get, path = "/api/v1/projects", operation_id = "list_projects", tag = "projects",
    responses((status = 200, description = "All that the caller may see", body = ref("#/components/schemas/ExternalProjects"))),
)]
pub(super) async fn list(caller: Caller) -> Result<Json<Vec<ExternalProject>>, Failure> {
    Ok(Json(caller.services.list_projects(&caller.ctx).await?))
}

/// With `server_mode` `create`, the data source in `source` is made in the same transaction.
#[utoipa::path(
    post, path = "/api/v1/projects", operation_id = "create_project", tag = "projects",
    request_body(content = ref("#/components/schemas/ExternalProjectDraft")),
    responses(
        (status = 201, description = "Created", body = ref("#/components/schemas/ExternalProject")),
        (status = 409, description = "The name is taken", body = ref("#/components/schemas/Problem")),
        (status = 422, description = "Fields to correct", body = ref("#/components/schemas/Problem")),
    ),
)]
pub(super) async fn create(
    caller: Caller,
    Json(draft): Json<ExternalProjectDraft>,
) -> Result<(StatusCode, Json<ExternalProject>), Failure> {
    Ok((StatusCode::CREATED, Json(caller.services.create_project(&caller.ctx, draft).await?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Name {
    name: String,
}

#[derive(Serialize)]
pub(super) struct Availability {
    available: bool,
}

/// Whether a new project may have this name. Names are compared without case, in the whole deployment.
#[utoipa::path(
    get, path = "/api/v1/projects/name-available", operation_id = "project_name_available", tag = "projects",
    params(("name" = String, Query)),
    responses(
        (status = 200, description = "Whether it is free", body = ref("#/components/schemas/Availability")),
        (status = 422, description = "No project can have such a name", body = ref("#/components/schemas/Problem")),
    ),
)]
pub(super) async fn name_available(
    caller: Caller,
    Query(Name { name }): Query<Name>,
) -> Result<Json<Availability>, Failure> {
    ProjectName::parse(&name)
        .map_err(|broken| Problem::on_field(ErrorCode::Invalid, "name", broken.code, broken.message))?;
    Ok(Json(Availability { available: caller.services.project_name_available(&caller.ctx, &name).await? }))
}

#[utoipa::path(
    get, path = "/api/v1/projects/{project}", operation_id = "project", tag = "projects",
    params(("project" = String, Path)),
    responses(
        (status = 200, description = "The project", body = ref("#/components/schemas/ExternalProject")),
        (status = 404, description = "Unknown", body = ref("#/components/schemas/Problem")),
    ),
)]
pub(super) async fn read(caller: Caller, Path(project): Path<String>) -> Result<Json<ExternalProject>, Failure> {
    Ok(Json(caller.services.project(&caller.ctx, &project).await?))
}

#[utoipa::path(
    put, path = "/api/v1/projects/{project}", operation_id = "update_project", tag = "projects",
    params(("project" = String, Path)),
    request_body(content = ref("#/components/schemas/ExternalProjectEdit")),
    responses(
        (status = 200, description = "Changed", body = ref("#/components/schemas/ExternalProject")),
        (status = 409, description = "Someone was faster", body = ref("#/components/schemas/Problem")),
    ),
)]
pub(super) async fn update(
    caller: Caller,
    Path(project): Path<String>,
    Json(edit): Json<ExternalProjectEdit>,
) -> Result<Json<ExternalProject>, Failure> {
    Ok(Json(caller.services.update_project(&caller.ctx, &project, edit).await?))
}

#[derive(Deserialize)]
pub(super) struct StateChange {
    state: ProjectState,
    version: i64,
}

#[utoipa::path(
    put, path = "/api/v1/projects/{project}/state", operation_id = "set_project_state", tag = "projects",
    params(("project" = String, Path)),
    request_body(content = ref("#/components/schemas/StateChange")),
    responses((status = 200, description = "Changed", body = ref("#/components/schemas/ExternalProject"))),
)]
pub(super) async fn set_state(
    caller: Caller,
    Path(project): Path<String>,
    Json(change): Json<StateChange>,
) -> Result<Json<ExternalProject>, Failure> {
    Ok(Json(caller.services.set_project_state(&caller.ctx, &project, change.state, change.version).await?))
}

#[utoipa::path(
    delete, path = "/api/v1/projects/{project}", operation_id = "delete_project", tag = "projects",
    params(("project" = String, Path)),
    responses((status = 204, description = "The mapping is gone; no data is touched")),
)]
pub(super) async fn delete(caller: Caller, Path(project): Path<String>) -> Result<StatusCode, Failure> {
    caller.services.delete_project(&caller.ctx, &project).await?;
    Ok(StatusCode::NO_CONTENT)
}

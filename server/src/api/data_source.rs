//! External data sources.

use super::{Caller, Json, Path, Query};
use crate::problem::Failure;
use crate::router::not_allowed;
use axum::Router;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures::StreamExt;
use http::header::ALLOW;
use http::{Method, StatusCode};
use model::data_source::{DataSource, DataSourceDraft, DraftUse};
use model::names::Id;
use model::probe::{ProbeEvent, TestRun};
use model::problem::{ErrorCode, Problem};
use serde::Deserialize;
use service::Services;

pub fn routes() -> Router<Services> {
    Router::new()
        .route("/api/v1/data-sources", get(list).post(create))
        // Not an address of its own: it would hide the source that is called `test`.
        .route("/api/v1/data-sources/{name}", get(read).put(update).delete(delete).post(test_draft))
        .route("/api/v1/data-sources/{name}/test", post(test))
}

#[utoipa::path(
    get, path = "/api/v1/data-sources", operation_id = "list_data_sources", tag = "data sources",
    responses((status = 200, description = "All that the caller may see", body = ref("#/components/schemas/DataSources"))),
)]
pub(super) async fn list(caller: Caller) -> Result<Json<Vec<DataSource>>, Failure> {
    Ok(Json(caller.services.list_data_sources(&caller.ctx).await?))
}

#[utoipa::path(
    post, path = "/api/v1/data-sources", operation_id = "create_data_source", tag = "data sources",
    request_body(content = ref("#/components/schemas/DataSourceDraft")),
    responses(
        (status = 201, description = "Created", body = ref("#/components/schemas/DataSource")),
        (status = 409, description = "The name is taken", body = ref("#/components/schemas/Problem")),
        (status = 422, description = "Fields to correct", body = ref("#/components/schemas/Problem")),
    ),
)]
pub(super) async fn create(
    caller: Caller,
    Json(draft): Json<DataSourceDraft>,
) -> Result<(StatusCode, Json<DataSource>), Failure> {
    let data_source = caller.services.create_data_source(&caller.ctx, draft.check(DraftUse::Create)?).await?;
    Ok((StatusCode::CREATED, Json(data_source)))
}

#[utoipa::path(
    get, path = "/api/v1/data-sources/{name}", operation_id = "data_source", tag = "data sources",
    params(("name" = String, Path)),
    responses(
        (status = 200, description = "Without its secrets", body = ref("#/components/schemas/DataSource")),
        (status = 404, description = "Unknown", body = ref("#/components/schemas/Problem")),
    ),
)]
pub(super) async fn read(caller: Caller, Path(name): Path<String>) -> Result<Json<DataSource>, Failure> {
    Ok(Json(caller.services.data_source(&caller.ctx, &name).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Version {
    version: i64,
}

/// Secrets that are left empty stay as they are.
#[utoipa::path(
    put, path = "/api/v1/data-sources/{name}", operation_id = "update_data_source", tag = "data sources",
    params(("name" = String, Path), ("version" = i64, Query, description = "The version that was read")),
    request_body(content = ref("#/components/schemas/DataSourceDraft")),
    responses(
        (status = 200, description = "Changed", body = ref("#/components/schemas/DataSource")),
        (status = 409, description = "Someone was faster", body = ref("#/components/schemas/Problem")),
    ),
)]
pub(super) async fn update(
    caller: Caller,
    Path(name): Path<String>,
    Query(Version { version }): Query<Version>,
    Json(draft): Json<DataSourceDraft>,
) -> Result<Json<DataSource>, Failure> {
    let changed = draft.check(DraftUse::Edit)?;
    Ok(Json(caller.services.update_data_source(&caller.ctx, &name, changed, version).await?))
}

#[utoipa::path(
    delete, path = "/api/v1/data-sources/{name}", operation_id = "delete_data_source", tag = "data sources",
    params(("name" = String, Path)),
    responses(
        (status = 204, description = "Deleted; no data is touched"),
        (status = 409, description = "Projects use it", body = ref("#/components/schemas/Problem")),
    ),
)]
pub(super) async fn delete(caller: Caller, Path(name): Path<String>) -> Result<StatusCode, Failure> {
    caller.services.delete_data_source(&caller.ctx, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Test {
    /// Where to test, as with "Test connection".
    directory: Option<String>,
}

/// Runs the connection test and answers when it ended, at most half a minute later.
#[utoipa::path(
    post, path = "/api/v1/data-sources/{name}/test", operation_id = "test_data_source", tag = "data sources",
    params(("name" = String, Path)),
    request_body(content = ref("#/components/schemas/Test")),
    responses((status = 200, description = "How the test ended", body = ref("#/components/schemas/TestRun"))),
)]
pub(super) async fn test(
    caller: Caller,
    Path(name): Path<String>,
    Json(Test { directory }): Json<Test>,
) -> Result<Json<TestRun>, Failure> {
    let probe = caller.services.test_data_source(&caller.ctx, &name, directory).await?;
    ended(&caller, &probe).await
}

#[derive(Deserialize)]
pub(super) struct DraftTest {
    draft: DataSourceDraft,
    existing: Option<String>,
}

/// Tests what is not stored, as the form does before OK. Secrets that are left out are those of the source `existing`.
#[utoipa::path(
    post, path = "/api/v1/data-sources/test", operation_id = "test_data_source_draft", tag = "data sources",
    request_body(content = ref("#/components/schemas/DraftTest")),
    responses((status = 200, description = "How the test ended", body = ref("#/components/schemas/TestRun"))),
)]
pub(super) async fn test_draft(
    caller: Caller,
    method: Method,
    Path(address): Path<String>,
    request: Request,
) -> Result<Json<TestRun>, Response> {
    if address != "test" {
        return Err(([(ALLOW, "GET,HEAD,PUT,DELETE")], not_allowed(method).await).into_response());
    }
    let Json(DraftTest { draft, existing }) = Json::from_request(request, &caller.services).await?;
    let probe = caller.services.test_data_source_draft(&caller.ctx, draft, existing).await;
    let probe = probe.map_err(|error| Failure::from(error).into_response())?;
    ended(&caller, &probe).await.map_err(IntoResponse::into_response)
}

/// How a test ended.
async fn ended(caller: &Caller, probe: &Id) -> Result<Json<TestRun>, Failure> {
    let mut events = caller.services.probe_events(&caller.ctx, probe).await?;
    while let Some(event) = events.next().await {
        if let ProbeEvent::Done(test) = event {
            return Ok(Json(test));
        }
    }
    Err(Problem::new(ErrorCode::Unavailable, "The test ended without a result. Try again.").into())
}

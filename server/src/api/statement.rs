//! Statements, their runs and results.

use super::{Caller, Json, Path, Query};
use crate::download::{self, FileKind};
use crate::events;
use crate::problem::Failure;
use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use futures::StreamExt;
use http::StatusCode;
use model::names::Id;
use model::problem::Problem;
use model::worksheet::{ResultPage, Run};
use serde::Deserialize;
use service::Services;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Below the time that proxies and our own limit give a request.
const WAIT_SECONDS_MAX: u64 = 30;

pub fn routes() -> Router<Services> {
    Router::new()
        .route("/api/v1/projects/{project}/statements", post(start))
        .route("/api/v1/runs/{run}", get(read))
        .route("/api/v1/runs/{run}/events", get(follow))
        .route("/api/v1/runs/{run}/cancel", post(cancel))
        .route("/api/v1/runs/{run}/results/{index}", get(page))
        .route("/api/v1/runs/{run}/results/{index}/export", get(export))
}

#[derive(Deserialize)]
pub(super) struct Statements {
    sql: String,
    /// The run whose session goes on; without it a new one begins.
    after: Option<Id>,
}

/// Starts a script of one or more statements in a project. Follow the run by its id.
#[utoipa::path(
    post, path = "/api/v1/projects/{project}/statements", operation_id = "run_statements", tag = "statements",
    params(("project" = String, Path)),
    request_body(content = ref("#/components/schemas/Statements")),
    responses(
        (status = 202, description = "Started", body = ref("#/components/schemas/Run")),
        (status = 404, description = "Unknown project", body = ref("#/components/schemas/Problem")),
        (status = 429, description = "Too many statements wait", body = ref("#/components/schemas/Problem")),
    ),
)]
pub(super) async fn start(
    caller: Caller,
    Path(project): Path<String>,
    Json(Statements { sql, after }): Json<Statements>,
) -> Result<(StatusCode, Json<Run>), Failure> {
    let run = caller.services.run_statements(&caller.ctx, &project, &sql, after.as_ref()).await?;
    Ok((StatusCode::ACCEPTED, Json(run)))
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Wait {
    wait: u64,
    ended: usize,
}

impl Default for Wait {
    fn default() -> Self {
        Self { wait: 0, ended: usize::MAX }
    }
}

impl Wait {
    /// Whether the run has what the caller waits for.
    fn is_over(&self, run: &Run) -> bool {
        run.is_finished || run.statements.iter().filter(|statement| statement.state.is_final()).count() > self.ended
    }
}

/// The run as it is now, or as it is when it ended, more than `ended` statements ended, or `wait` seconds have passed.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}", operation_id = "run", tag = "statements",
    params(
        ("run" = String, Path),
        ("wait" = Option<u64>, Query, description = "Seconds, at most 30"),
        ("ended" = Option<u64>, Query, description = "How many ended statements the caller knows of"),
    ),
    responses(
        (status = 200, description = "The run", body = ref("#/components/schemas/Run")),
        (status = 404, description = "Unknown", body = ref("#/components/schemas/Problem")),
    ),
)]
pub(super) async fn read(
    caller: Caller,
    Path(id): Path<String>,
    Query(wait): Query<Wait>,
) -> Result<Json<Run>, Failure> {
    let mut run = caller.services.run(&caller.ctx, &id).await?;
    if wait.wait == 0 || wait.is_over(&run) {
        return Ok(Json(run));
    }
    let until = Instant::now() + Duration::from_secs(wait.wait.min(WAIT_SECONDS_MAX));
    let mut events = caller.services.run_events(&caller.ctx, &id).await?;
    while let Ok(Some(now)) = timeout_at(until, events.next()).await {
        run = now;
        if wait.is_over(&run) {
            break;
        }
    }
    Ok(Json(run))
}

/// The run each time it changed, as server-sent events; the last one is `done`.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/events", operation_id = "run_events", tag = "statements",
    params(("run" = String, Path)),
    responses(
        (status = 200, description = "Events with a Run each", content_type = "text/event-stream", body = String),
        (status = 204, description = "Unknown"),
    ),
)]
pub(super) async fn follow(caller: Caller, Path(run): Path<String>) -> Response {
    events::answer(caller.services.run_events(&caller.ctx, &run).await)
}

/// Statements that published already stay published.
#[utoipa::path(
    post, path = "/api/v1/runs/{run}/cancel", operation_id = "cancel_run", tag = "statements",
    params(("run" = String, Path)),
    responses((status = 202, description = "Being cancelled: follow the run")),
)]
pub(super) async fn cancel(caller: Caller, Path(run): Path<String>) -> Result<StatusCode, Failure> {
    caller.services.cancel_run(&caller.ctx, &run).await?;
    Ok(StatusCode::ACCEPTED)
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Slice {
    offset: u64,
    count: u64,
}

impl Default for Slice {
    fn default() -> Self {
        Self { offset: 0, count: 1_000 }
    }
}

#[utoipa::path(
    get, path = "/api/v1/runs/{run}/results/{index}", operation_id = "result_page", tag = "statements",
    params(
        ("run" = String, Path),
        ("index" = usize, Path, description = "Which statement of the run, from 0"),
        ("offset" = Option<u64>, Query),
        ("count" = Option<u64>, Query, description = "At most 10,000; 1,000 when left out"),
    ),
    responses((status = 200, description = "Rows as texts, exact", body = ref("#/components/schemas/ResultPage"))),
)]
pub(super) async fn page(
    caller: Caller,
    Path((run, index)): Path<(String, usize)>,
    Query(Slice { offset, count }): Query<Slice>,
) -> Result<Json<ResultPage>, Failure> {
    Ok(Json(caller.services.result_page(&caller.ctx, &run, index, offset, count).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Export {
    format: String,
}

/// The whole result, streamed.
#[utoipa::path(
    get, path = "/api/v1/runs/{run}/results/{index}/export", operation_id = "export", tag = "statements",
    params(
        ("run" = String, Path),
        ("index" = usize, Path),
        ("format" = String, Query, description = "`csv`, `json`, `arrow`, or `txt` for the printed form"),
    ),
    responses((status = 200, description = "The result", content(
        (String = "text/csv"),
        (String = "application/json"),
        (String = "application/vnd.apache.arrow.file"),
        (String = "text/plain"),
    ))),
)]
pub(super) async fn export(
    caller: Caller,
    Path((run, index)): Path<(String, usize)>,
    Query(Export { format }): Query<Export>,
) -> Result<Response, Failure> {
    let kind = FileKind::parse(&format)
        .ok_or_else(|| Problem::invalid(format!("There is no format `{format}`: use csv, json, arrow or txt.")))?;
    download::result(&caller.services, &caller.ctx, &run, index, kind).await
}

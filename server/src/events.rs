//! What is followed live, as server-sent events: `message` with JSON each time something changed, `done` at the end.

use crate::problem::Failure;
use axum::Router;
use axum::extract::{Extension, Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::StreamExt;
use futures::stream::{BoxStream, once};
use http::StatusCode;
use model::names::Id;
use model::problem::ErrorCode;
use serde::Serialize;
use service::{RequestContext, Services};
use std::convert::Infallible;
use std::time::Duration;

/// Shorter than the idle time of common proxies.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub fn routes() -> Router<Services> {
    Router::new().route("/events/run/{id}", get(run)).route("/events/probe/{id}", get(probe))
}

async fn run(
    State(services): State<Services>,
    Extension(ctx): Extension<RequestContext>,
    Path(id): Path<Id>,
) -> Response {
    answer(services.run_events(&ctx, &id).await)
}

async fn probe(
    State(services): State<Services>,
    Extension(ctx): Extension<RequestContext>,
    Path(id): Path<Id>,
) -> Response {
    answer(services.probe_events(&ctx, &id).await)
}

/// The stream, or 204 for an id that is not known (any more): it ends the browser's attempts to reconnect.
pub fn answer<T: Serialize + Send + 'static>(stream: Result<BoxStream<'static, T>, service::Error>) -> Response {
    match stream {
        Ok(stream) => {
            let done = once(async { Event::default().event("done").data("{}") });
            let events = stream.filter_map(|value| async move { Event::default().json_data(value).ok() }).chain(done);
            // Layers may poll a body once more after its end, which only a fused stream permits.
            Sse::new(events.map(Ok::<_, Infallible>).fuse())
                .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
                .into_response()
        }
        Err(error) => {
            let problem = Failure::from(error).into_problem();
            match problem.code {
                ErrorCode::NotFound | ErrorCode::Invalid => StatusCode::NO_CONTENT.into_response(),
                _ => Failure::from(problem).into_response(),
            }
        }
    }
}

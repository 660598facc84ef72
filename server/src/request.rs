//! What every request has: an id, a span, a measured duration, an end.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue};
use model::access::Principal;
use std::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument, Span, info, info_span, warn};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: (String, Span);
}

/// The id of the request that the current task answers; empty outside of one.
pub fn id() -> String {
    CURRENT.try_with(|(id, _)| id.clone()).unwrap_or_default()
}

/// Notes in the request's span who sent it.
pub fn note_principal(principal: &Principal) {
    _ = CURRENT.try_with(|(_, span)| {
        span.record("principal.name", principal.as_str());
    });
}

/// Gives the request its id and its span, and notes how long the answer took.
pub async fn observe(request: Request, next: Next) -> Response {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = route(&request);
    let span =
        info_span!("request", request.id = %id, http.method = %method, http.path = %path, principal.name = Empty);
    let started = Instant::now();
    let mut response = CURRENT.scope((id.clone(), span.clone()), next.run(request)).instrument(span.clone()).await;
    let (status, seconds) = (response.status(), started.elapsed().as_secs_f64());
    let labels = [("route", route), ("method", method.to_string()), ("status", status.as_u16().to_string())];
    metrics::counter!("lakedeck_request_count_total", &labels).increment(1);
    metrics::histogram!("lakedeck_request_duration_seconds", &labels[..2]).record(seconds);
    span.in_scope(|| {
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if status.is_server_error() {
            warn!(http.status = status.as_u16(), duration_ms, "{method} {path} answered {status}");
        } else if noisy(&path) {
            tracing::debug!(http.status = status.as_u16(), duration_ms, "{method} {path} answered {status}");
        } else {
            info!(http.status = status.as_u16(), duration_ms, "{method} {path} answered {status}");
        }
    });
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The route's pattern, so that a metric's labels stay few whatever people ask for.
fn route(request: &Request) -> String {
    let path = request.uri().path();
    let files = || if path.starts_with("/pkg/") { "/pkg/{file}" } else { "other" };
    request.extensions().get::<MatchedPath>().map_or_else(files, MatchedPath::as_str).to_owned()
}

/// Requests that come all the time and say nothing.
fn noisy(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz" | "/metrics") || path.starts_with("/pkg/")
}

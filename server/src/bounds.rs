//! Bounds of every request: how much it may say, and how long its answer may take to begin. Whoever oversteps one is told
//! in the same words on every route, whatever the handler made of it.

use crate::config::Limits;
use crate::problem::Failure;
use crate::session::is_public;
use axum::Json;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use futures::stream::poll_fn;
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use model::problem::{ErrorCode, Problem};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use tokio::time::timeout;

/// What those who are not signed in may send: a name and a password, or a choice of language.
const PUBLIC_BYTES_MAX: usize = 64 << 10;
/// Many clients read no answer before they sent everything: those that exaggerate no more than this are heard out.
const HEARD_OUT: usize = 4;

/// How a request's body came.
#[derive(Default)]
struct Arrival {
    is_awaited: AtomicBool,
    is_too_long: AtomicBool,
}

/// Bounds a request; what is streamed after the head of its answer has bounds of its own.
pub async fn bounded(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    let is_public = is_public(request.uri().path());
    let bytes_max = if is_public { limits.body_bytes_max.min(PUBLIC_BYTES_MAX) } else { limits.body_bytes_max };
    let arrival = Arc::new(Arrival::default());
    let answer = answer(request, next, bytes_max, arrival.clone());
    match timeout(limits.request_time(), answer).await {
        _ if arrival.is_too_long.load(Ordering::Relaxed) => too_large(bytes_max),
        Ok(response) => response,
        Err(_) if arrival.is_awaited.load(Ordering::Relaxed) => too_slow(limits.request_seconds_max),
        Err(_) => {
            let sentence = format!("No answer within {} s. Try again.", limits.request_seconds_max);
            Failure::new(ErrorCode::Unavailable, sentence).into_response()
        }
    }
}

async fn answer(request: Request, next: Next, bytes_max: usize, arrival: Arc<Arrival>) -> Response {
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let request = request.map(|body| watched(body, bytes_max, arrival));
    match announced {
        Some(bytes) if bytes > bytes_max => {
            if bytes <= HEARD_OUT.saturating_mul(bytes_max) {
                let mut chunks = request.into_body().into_data_stream();
                while let Some(Ok(_)) = chunks.next().await {}
            }
            too_large(bytes_max)
        }
        _ => next.run(request).await,
    }
}

/// The body, which ends with an error where it is too long, and notes how it comes.
fn watched(body: Body, bytes_max: usize, arrival: Arc<Arrival>) -> Body {
    if body.is_end_stream() {
        return body;
    }
    let mut chunks = body.into_data_stream();
    let mut bytes = 0_usize;
    let too_long = || Poll::Ready(Some(Err(axum::Error::new("the body is too long"))));
    Body::from_stream(poll_fn(move |context| {
        loop {
            let polled = chunks.poll_next_unpin(context);
            arrival.is_awaited.store(polled.is_pending(), Ordering::Relaxed);
            match polled {
                Poll::Ready(Some(Ok(chunk))) => {
                    bytes = bytes.saturating_add(chunk.len());
                    if bytes <= bytes_max {
                        return Poll::Ready(Some(Ok(chunk)));
                    }
                    arrival.is_too_long.store(true, Ordering::Relaxed);
                    if bytes > HEARD_OUT.saturating_mul(bytes_max) {
                        return too_long();
                    }
                }
                Poll::Ready(None) if bytes > bytes_max => return too_long(),
                other => return other,
            }
        }
    }))
}

fn too_large(bytes_max: usize) -> Response {
    let problem = Problem::new(ErrorCode::LimitExceeded, format!("A request holds at most {bytes_max} bytes."))
        .with_hint("Send less at once: a script can be run in parts.");
    (StatusCode::PAYLOAD_TOO_LARGE, Json(Failure::from(problem).into_problem())).into_response()
}

fn too_slow(seconds: u64) -> Response {
    let problem = Problem::new(ErrorCode::LimitExceeded, format!("The request did not come within {seconds} s."))
        .with_hint("Try again, over a faster connection or in parts.");
    (StatusCode::REQUEST_TIMEOUT, Json(Failure::from(problem).into_problem())).into_response()
}

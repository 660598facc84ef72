//! JSON in and out, with mistakes told as problems.

use crate::problem::Failure;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use model::problem::{ErrorCode, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A body of JSON, whatever its `Content-Type` says.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let body = Bytes::from_request(request, state).await.map_err(|rejection| {
            let code = match rejection.status() {
                StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::LimitExceeded,
                _ => ErrorCode::Invalid,
            };
            let problem = Failure::new(code, rejection.body_text()).into_problem();
            (rejection.status(), axum::Json(problem)).into_response()
        })?;
        // An empty body is the empty object, so that what is optional throughout may be left out.
        let text: &[u8] = if body.is_empty() { b"{}" } else { &body };
        serde_json::from_slice(text).map(Self).map_err(|error| {
            Failure::from(Problem::invalid(format!("The body is not understood: {error}."))).into_response()
        })
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

//! What requests bring and answers take away, with mistakes told as problems.

use crate::problem::Failure;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use model::problem::{ErrorCode, Problem};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::error::Error;

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
        let refused = |sentence: String| Failure::from(Problem::invalid(sentence)).into_response();
        let mut unknown = Vec::new();
        let mut body = serde_json::Deserializer::from_slice(text);
        let value = serde_ignored::deserialize(&mut body, |path| unknown.push(path.to_string()))
            .and_then(|value| body.end().map(|()| value))
            .map_err(|error| refused(format!("The body is not understood: {error}.")))?;
        match unknown.as_slice() {
            [] => Ok(Self(value)),
            unknown => Err(refused(format!("The body has what nobody reads here: `{}`.", unknown.join("`, `")))),
        }
    }
}

/// The parts of an address that stand for something.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(value)| Self(value)).map_err(|rejection| misread("address", rejection))
    }
}

/// What stands behind the question mark of an address.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let query = axum::extract::Query::from_request_parts(parts, state).await;
        query.map(|axum::extract::Query(value)| Self(value)).map_err(|rejection| misread("query", rejection))
    }
}

fn misread(what: &str, rejection: impl Error + Send + Sync + 'static) -> Failure {
    let rejection = anyhow::Error::new(rejection);
    Problem::invalid(format!("The {what} is not understood: {}.", rejection.root_cause())).into()
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

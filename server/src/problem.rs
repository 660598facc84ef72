//! A failure as an HTTP answer: JSON [`Problem`] with its status.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use model::problem::{ErrorCode, Problem};

/// What handlers return when they cannot do what was asked.
#[derive(Debug)]
pub struct Failure(Problem);

impl Failure {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Problem::new(code, message).into()
    }

    pub fn unauthenticated() -> Self {
        Problem::new(ErrorCode::Unauthenticated, "Sign in first.").into()
    }

    pub fn into_problem(self) -> Problem {
        self.0
    }
}

impl From<Problem> for Failure {
    fn from(mut problem: Problem) -> Self {
        problem.request_id.get_or_insert_with(crate::request::id);
        Self(problem)
    }
}

impl From<service::Error> for Failure {
    fn from(error: service::Error) -> Self {
        Self(error.to_problem(&crate::request::id()))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self.0)).into_response();
        if matches!(self.0.code, ErrorCode::LimitExceeded | ErrorCode::Unavailable) {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

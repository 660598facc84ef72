//! The one place that words failures.

use model::problem::{ErrorCode, Problem};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("not there yet")]
    Pending,
}

impl Error {
    pub fn to_problem(&self, request_id: &str) -> Problem {
        Problem { request_id: Some(request_id.to_owned()), ..Problem::new(ErrorCode::Internal, self.to_string()) }
    }
}

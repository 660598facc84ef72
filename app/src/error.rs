//! How a failure reaches the page.

use leptos::server_fn::codec::JsonEncoding;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use model::problem::{ErrorCode, Problem};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A [`Problem`] as it crosses the wire: what every server function answers when it cannot do its work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ApiError(pub Problem);

impl ApiError {
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for ApiError {}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl FromServerFnError for ApiError {
    type Encoder = JsonEncoding;

    /// Failures of the transport itself. Their texts name Rust types and addresses, so they go to the browser's console
    /// at most; the user reads what it means.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let (code, message) = match &error {
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Response(_) => {
                crate::layout::connection::lost();
                (ErrorCode::Unavailable, "The server does not answer.")
            }
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Serialization(_) => {
                (ErrorCode::Invalid, "The request cannot be read.")
            }
            // On the server it is the request that was not understood, in the browser the answer.
            ServerFnErrorErr::Deserialization(_) if cfg!(feature = "ssr") => {
                (ErrorCode::Invalid, "The request cannot be read.")
            }
            ServerFnErrorErr::Deserialization(_) => (
                ErrorCode::Unavailable,
                "The answer cannot be read: the server may have been updated. Reload the page.",
            ),
            ServerFnErrorErr::Registration(_)
            | ServerFnErrorErr::UnsupportedRequestMethod(_)
            | ServerFnErrorErr::ServerError(_)
            | ServerFnErrorErr::MiddlewareError(_) => (ErrorCode::Internal, "Something went wrong on the server."),
        };
        let problem = Problem::new(code, message);
        #[cfg(feature = "ssr")]
        return crate::ssr::refuse(problem);
        #[cfg(not(feature = "ssr"))]
        Self(problem)
    }
}

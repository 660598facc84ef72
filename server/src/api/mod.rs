//! `/api/v1`: the same use cases as the console's, for scripts and `lakedeck sql`.

pub mod admin;
mod catalog;
mod data_source;
mod external_project;
mod json;
pub mod openapi;
mod session;
mod statement;

pub use json::{Json, Path, Query};

use crate::problem::Failure;
use axum::extract::FromRequestParts;
use axum::{Extension, Router};
use http::request::Parts;
use model::problem::{ErrorCode, Problem};
use service::{RequestContext, Services};

pub fn routes() -> Router<Services> {
    Router::new()
        .merge(openapi::routes())
        .merge(session::routes())
        .merge(data_source::routes())
        .merge(external_project::routes())
        .merge(catalog::routes())
        .merge(statement::routes())
        .route("/api/{*rest}", axum::routing::any(unknown))
}

async fn unknown() -> Failure {
    Problem::new(ErrorCode::NotFound, "There is no such address in this API.")
        .with_hint("The addresses are listed in /api/v1/openapi.json.")
        .into()
}

/// The services and who asks: what every handler begins with.
pub struct Caller {
    pub services: Services,
    pub ctx: RequestContext,
}

impl FromRequestParts<Services> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, services: &Services) -> Result<Self, Failure> {
        let Ok(Extension(ctx)) = Extension::<RequestContext>::from_request_parts(parts, services).await else {
            return Err(Failure::unauthenticated());
        };
        Ok(Self { services: services.clone(), ctx })
    }
}

//! What only the owner of the data directory may do, over its socket.

use super::{Caller, Json};
use crate::problem::Failure;
use axum::Router;
use axum::routing::post;
use http::StatusCode;
use model::secret::Secret;
use serde::{Deserialize, Serialize};
use service::Services;

/// Where a new one-time link is asked for.
pub const LINK: &str = "/admin/link";
/// Where the owner's password is set.
pub const PASSWORD: &str = "/admin/password";

pub fn routes() -> Router<Services> {
    Router::new().route(LINK, post(link)).route(PASSWORD, post(password))
}

/// The token of a one-time link.
#[derive(Serialize, Deserialize)]
pub struct Link {
    pub token: Secret,
}

/// A password to set.
#[derive(Serialize, Deserialize)]
pub struct Password {
    pub password: Secret,
}

async fn link(caller: Caller) -> Result<Json<Link>, Failure> {
    Ok(Json(Link { token: caller.services.new_sign_in_link().await? }))
}

async fn password(caller: Caller, Json(Password { password }): Json<Password>) -> Result<StatusCode, Failure> {
    caller.services.reset_owner_password(password).await?;
    Ok(StatusCode::NO_CONTENT)
}

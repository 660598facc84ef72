//! Sessions of scripts: a token in place of a password in every request.

use super::{Caller, Json};
use crate::problem::Failure;
use crate::session::{AuthSession, Credentials, enter};
use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::post;
use http::StatusCode;
use model::access::SignedIn;
use model::problem::{ErrorCode, Problem};
use model::secret::Secret;
use serde::{Deserialize, Serialize};
use service::Services;
use std::net::SocketAddr;

pub fn routes() -> Router<Services> {
    Router::new().route("/api/v1/session", post(sign_in).get(signed_in).delete(sign_out))
}

#[derive(Deserialize)]
pub(super) struct SignIn {
    name: String,
    password: Secret,
}

#[derive(Serialize)]
pub(super) struct Token {
    /// For `Authorization: Bearer …`.
    token: String,
    principal: String,
    expires_at: String,
}

/// Trades name and password for a token that lasts as long as a browser's session.
#[utoipa::path(
    post, path = "/api/v1/session", operation_id = "sign_in", tag = "session",
    request_body(content = ref("#/components/schemas/SignIn")),
    responses(
        (status = 200, description = "The token", body = ref("#/components/schemas/Token")),
        (status = 401, description = "Wrong name or password", body = ref("#/components/schemas/Problem")),
        (status = 429, description = "Too many attempts", body = ref("#/components/schemas/Problem")),
    ),
    security(()),
)]
pub(super) async fn sign_in(
    auth: Option<axum::Extension<AuthSession>>,
    connect: Option<axum::Extension<ConnectInfo<SocketAddr>>>,
    Json(body): Json<SignIn>,
) -> Result<Json<Token>, Failure> {
    let Some(axum::Extension(auth)) = auth else { return Err(no_session()) };
    let origin = connect.map(|axum::Extension(ConnectInfo(address))| address.ip());
    let credentials = Credentials::Password { name: body.name, password: body.password, origin };
    let (account, auth) = enter(auth, credentials).await?;
    // The id exists once the session was saved.
    auth.session.save().await.map_err(|_| Failure::new(ErrorCode::Internal, "The session could not be kept."))?;
    let token = auth.session.id().map(|id| id.to_string()).ok_or_else(no_session)?;
    let expires_at = model::Timestamp::from_second(auth.session.expiry_date().unix_timestamp());
    Ok(Json(Token {
        token,
        principal: account.principal.to_string(),
        expires_at: expires_at.map(|at| at.to_string()).unwrap_or_default(),
    }))
}

/// Who the request is taken for.
#[utoipa::path(
    get, path = "/api/v1/session", operation_id = "signed_in", tag = "session",
    responses((status = 200, description = "Who is signed in", body = ref("#/components/schemas/SignedIn"))),
)]
pub(super) async fn signed_in(caller: Caller) -> Result<Json<SignedIn>, Failure> {
    Ok(Json(caller.services.signed_in(&caller.ctx).await?))
}

/// Ends the session that the request's token names.
#[utoipa::path(
    delete, path = "/api/v1/session", operation_id = "sign_out", tag = "session",
    responses((status = 204, description = "The token is worthless now")),
)]
pub(super) async fn sign_out(auth: Option<axum::Extension<AuthSession>>) -> Result<StatusCode, Failure> {
    let Some(axum::Extension(mut auth)) = auth else { return Err(no_session()) };
    auth.logout().await.map_err(|_| Failure::new(ErrorCode::Internal, "The session could not be ended."))?;
    Ok(StatusCode::NO_CONTENT)
}

/// At the socket of the data directory there are no sessions: who reaches it is the owner.
fn no_session() -> Failure {
    Problem::new(ErrorCode::Unsupported, "There are no sessions here: no sign-in is needed.").into()
}

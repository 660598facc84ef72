//! Who sends a request: browser sessions, tokens of scripts, and the owner at the socket.

use crate::problem::Failure;
use crate::request;
use async_trait::async_trait;
use axum::extract::{ConnectInfo, Extension, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use axum::{Form, Router};
use axum_login::tower_sessions::session::{Id, Record};
use axum_login::tower_sessions::{Expiry, SessionManagerLayer, SessionStore, cookie::SameSite, session_store};
use axum_login::{AuthManagerLayer, AuthManagerLayerBuilder, AuthUser, AuthnBackend};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::{AUTHORIZATION, COOKIE, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode, Uri};
use model::access::Principal;
use model::problem::ErrorCode;
use model::secret::Secret;
use serde::Deserialize;
use service::{RequestContext, Services};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use store::Store;
use url::form_urlencoded::byte_serialize;

/// The session of axum-login over our accounts.
pub type AuthSession = axum_login::AuthSession<Accounts>;

/// How long a sign-in lasts.
const SESSION_DAYS: i64 = 14;

/// Name and flags of the session cookie.
#[derive(Clone, Debug)]
pub struct Cookie {
    name: Arc<str>,
    is_secure: bool,
}

impl Cookie {
    /// TLS in front: the browser itself refuses the cookie from any other host or over plain HTTP.
    pub fn secure() -> Self {
        Self { name: "__Host-lakedeck".into(), is_secure: true }
    }

    /// Plain HTTP on loopback, where browsers would drop a secure cookie. They keep cookies by host and not by port, so
    /// that only the account tells apart the servers of one machine.
    pub fn loopback(account: &str) -> Self {
        Self { name: format!("lakedeck-{account}").into(), is_secure: false }
    }
}

/// The layer that finds the account behind a cookie.
pub fn layer(services: &Services, store: &Store, cookie: &Cookie) -> AuthManagerLayer<Accounts, Sessions> {
    let sessions = SessionManagerLayer::new(Sessions(store.clone()))
        .with_name(cookie.name.to_string())
        .with_secure(cookie.is_secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(time::Duration::days(SESSION_DAYS)));
    AuthManagerLayerBuilder::new(Accounts(services.clone()), sessions).build()
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Account {
    pub principal: Principal,
    /// Changes with the password, which ends the account's other sessions.
    auth_hash: Vec<u8>,
}

impl AuthUser for Account {
    type Id = String;

    fn id(&self) -> String {
        self.principal.to_string()
    }

    fn session_auth_hash(&self) -> &[u8] {
        &self.auth_hash
    }
}

/// What somebody shows to be let in.
#[derive(Clone, Debug)]
pub enum Credentials {
    Password {
        name: String,
        password: Secret,
        origin: Option<IpAddr>,
    },
    /// The token of a one-time link.
    Link(String),
}

/// The accounts as the services know them.
#[derive(Clone)]
pub struct Accounts(Services);

impl AuthnBackend for Accounts {
    type User = Account;
    type Credentials = Credentials;
    type Error = service::Error;

    async fn authenticate(&self, credentials: Credentials) -> Result<Option<Account>, service::Error> {
        let principal = match credentials {
            Credentials::Password { name, password, origin } => self.0.sign_in(&name, password, origin).await?,
            Credentials::Link(token) => self.0.redeem_link(&token).await?,
        };
        self.get_user(&principal.to_string()).await
    }

    async fn get_user(&self, id: &String) -> Result<Option<Account>, service::Error> {
        let principal = Principal::stored(id.as_str());
        let auth_hash = self.0.session_auth_hash(&principal).await?;
        Ok(auth_hash.map(|auth_hash| Account { principal, auth_hash }))
    }
}

/// Sessions in the metadata database.
#[derive(Clone)]
pub struct Sessions(Store);

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sessions")
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        // An id has 128 random bits: the loop ends at once, but a collision must not open someone's session.
        while !self
            .0
            .create_session(&record.id.to_string(), &encode(record)?, expiry(record)?)
            .await
            .map_err(backend)?
        {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        self.0.save_session(&record.id.to_string(), &encode(record)?, expiry(record)?).await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let Some((data, end)) = self.0.load_session(&id.to_string()).await.map_err(backend)? else { return Ok(None) };
        let decoded = |error: &dyn std::fmt::Display| session_store::Error::Decode(error.to_string());
        let data = serde_json::from_str(&data).map_err(|error| decoded(&error))?;
        let expiry_date =
            time::OffsetDateTime::from_unix_timestamp(end.as_second()).map_err(|error| decoded(&error))?;
        Ok(Some(Record { id: *id, data, expiry_date }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.0.delete_session(&id.to_string()).await.map_err(backend)
    }
}

/// Without the id, which whoever reads the database must not learn.
fn encode(record: &Record) -> session_store::Result<String> {
    serde_json::to_string(&record.data).map_err(|error| session_store::Error::Encode(error.to_string()))
}

fn expiry(record: &Record) -> session_store::Result<model::Timestamp> {
    model::Timestamp::from_second(record.expiry_date.unix_timestamp())
        .map_err(|error| session_store::Error::Encode(error.to_string()))
}

fn backend(error: impl std::fmt::Display) -> session_store::Error {
    session_store::Error::Backend(error.to_string())
}

/// Forms that open and close a session; they work without scripts.
pub fn routes() -> Router<Services> {
    Router::new()
        .route("/session/sign-in", post(sign_in))
        .route("/session/welcome", post(welcome))
        .route("/session/sign-out", post(sign_out))
}

#[derive(Deserialize)]
struct SignInForm {
    name: String,
    password: Secret,
    #[serde(default)]
    next: String,
}

async fn sign_in(
    auth: AuthSession,
    connect: Option<Extension<ConnectInfo<SocketAddr>>>,
    Form(form): Form<SignInForm>,
) -> Redirect {
    let next = local(&form.next);
    let origin = connect.map(|Extension(ConnectInfo(address))| address.ip());
    match enter(auth, Credentials::Password { name: form.name, password: form.password, origin }).await {
        Ok(_) => Redirect::to(next),
        Err(failure) => Redirect::to(&format!("/sign-in?error={}&next={}", code(failure), encoded(next))),
    }
}

#[derive(Deserialize)]
struct WelcomeForm {
    token: String,
    #[serde(default)]
    next: String,
}

/// Redeems a one-time link. Only a POST does: a link that a mail scanner or a preview fetched stays good.
async fn welcome(auth: AuthSession, Form(form): Form<WelcomeForm>) -> Redirect {
    match enter(auth, Credentials::Link(form.token)).await {
        Ok(_) => Redirect::to(local(&form.next)),
        Err(failure) => Redirect::to(&format!("/welcome?error={}", code(failure))),
    }
}

async fn sign_out(mut auth: AuthSession) -> Result<Redirect, Failure> {
    auth.logout().await.map_err(internal)?;
    Ok(Redirect::to("/sign-in"))
}

/// Opens a session under a new id, whatever the browser sent before.
pub async fn enter(mut auth: AuthSession, credentials: Credentials) -> Result<(Account, AuthSession), Failure> {
    let account = match auth.authenticate(credentials).await {
        Ok(Some(account)) => account,
        Ok(None) => return Err(Failure::unauthenticated()),
        Err(axum_login::Error::Backend(error)) => return Err(error.into()),
        Err(error) => return Err(internal(error)),
    };
    if auth.user.is_some() {
        auth.session.cycle_id().await.map_err(internal)?;
    }
    auth.login(&account).await.map_err(internal)?;
    Ok((account, auth))
}

fn internal(error: impl std::fmt::Debug) -> Failure {
    tracing::error!("the session store failed: {error:?}");
    Failure::new(ErrorCode::Internal, "The session could not be kept.")
}

/// The problem's code as it stands in an address.
fn code(failure: Failure) -> String {
    let problem = failure.into_problem();
    if problem.code == ErrorCode::Internal {
        tracing::error!(request.id = problem.request_id, "signing in failed: {problem}");
    }
    match serde_json::to_value(problem.code) {
        Ok(serde_json::Value::String(code)) => code,
        _ => "internal".into(),
    }
}

/// A path of this server: a sign-in must not lead to someone else's page.
fn local(next: &str) -> &str {
    let inside = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && next.chars().all(|c| c.is_ascii_graphic());
    if inside { next } else { "/" }
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// Puts the [`RequestContext`] of whoever is signed in into the request, or shows the way to the sign-in page.
pub async fn identify(
    State(services): State<Services>,
    auth: AuthSession,
    mut request: Request,
    next: Next,
) -> Response {
    let origin = origin(&request);
    let principal = match auth.user {
        Some(account) => Some(account.principal),
        None => match basic(&request) {
            Some((name, password)) => match services.sign_in(&name, password, origin).await {
                Ok(principal) => Some(principal),
                Err(error) => return challenge(Failure::from(error)),
            },
            None => None,
        },
    };
    match principal {
        Some(principal) => {
            request::note_principal(&principal);
            request.extensions_mut().insert(RequestContext { principal, origin, request_id: request::id() });
            next.run(request).await
        }
        None if is_public(request.uri().path()) => next.run(request).await,
        None if is_page(&request) => {
            Redirect::to(&format!("/sign-in?next={}", encoded(target(request.uri())))).into_response()
        }
        None if is_api(request.uri().path()) => challenge(Failure::unauthenticated()),
        None => Failure::unauthenticated().into_response(),
    }
}

/// Who may use the socket of the data directory is its owner.
pub async fn identify_owner(State(services): State<Services>, mut request: Request, next: Next) -> Response {
    let principal = services.owner();
    request::note_principal(&principal);
    let context = RequestContext { principal, origin: None, request_id: request::id() };
    request.extensions_mut().insert(context);
    next.run(request).await
}

/// Scripts send the session's id as a bearer token; from here on it is the session's cookie.
pub async fn bearer(State(cookie): State<Cookie>, mut request: Request, next: Next) -> Response {
    if is_api(request.uri().path())
        && let Some(token) = authorization(&request, "bearer")
        && let Ok(value) = HeaderValue::from_str(&format!("{}={token}", cookie.name))
    {
        request.headers_mut().insert(COOKIE, value);
    }
    next.run(request).await
}

/// Where the request comes from, as far as the connection tells.
pub fn origin(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
}

/// What is answered to those who are not signed in.
pub fn is_public(path: &str) -> bool {
    let open = ["/session/", "/fn/session/preference"]; // language and theme are chosen before signing in, too
    matches!(path, "/sign-in" | "/welcome" | "/api/v1/openapi.json" | "/api/v1/session")
        || open.iter().any(|prefix| path.starts_with(prefix))
}

fn is_api(path: &str) -> bool {
    path.starts_with("/api/")
}

/// Whether a person navigates here, who can be sent elsewhere.
fn is_page(request: &Request) -> bool {
    let path = request.uri().path();
    let is_machine = ["/api/", "/fn/", "/events/"].iter().any(|prefix| path.starts_with(prefix));
    !is_machine && matches!(*request.method(), Method::GET | Method::HEAD)
}

fn target(uri: &Uri) -> &str {
    uri.path_and_query().map_or("/", |target| target.as_str())
}

fn challenge(failure: Failure) -> Response {
    let mut response = failure.into_response();
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"lakedeck\""));
    }
    response
}

fn basic(request: &Request) -> Option<(String, Secret)> {
    if !is_api(request.uri().path()) {
        return None;
    }
    let decoded = BASE64_STANDARD.decode(authorization(request, "basic")?).ok()?;
    let (name, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((name.to_owned(), Secret::new(password)))
}

/// What follows the scheme's name in `Authorization`.
fn authorization<'a>(request: &'a Request, scheme: &str) -> Option<&'a str> {
    let (given, value) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    given.eq_ignore_ascii_case(scheme).then(|| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_leads_to_a_page_of_this_server() {
        let check = |next: &str, expected: &str| assert_eq!(local(next), expected, "{next}");
        check("/projects/new?x=1", "/projects/new?x=1");
        check("", "/");
        check("https://evil.example/", "/");
        check("//evil.example/", "/");
        check("/\\evil.example", "/");
        check("/a\nb", "/");
    }
}

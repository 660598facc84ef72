//! What server functions need from the server: the services, who is asking, and the status of the answer.

use crate::error::ApiError;
use crate::page::Page;
use http::StatusCode;
use http::request::Parts;
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use model::problem::{ErrorCode, Problem};
use service::{RequestContext, Services};

/// The services and the context of this request. Nobody signed in: [`ErrorCode::Unauthenticated`].
pub async fn request() -> Result<(Services, RequestContext), ApiError> {
    let services = use_context::<Services>();
    let ctx = use_context::<Parts>().and_then(|parts| parts.extensions.get::<RequestContext>().cloned());
    match (services, ctx) {
        (Some(services), Some(ctx)) => Ok((services, ctx)),
        (Some(_), None) => Err(refuse(Problem::new(ErrorCode::Unauthenticated, "Sign in first."))),
        (None, _) => Err(refuse(Problem::new(ErrorCode::Internal, "The server is not ready."))),
    }
}

/// The answer of a service, worded for the user.
pub fn answer<T>(ctx: &RequestContext, result: Result<T, service::Error>) -> Result<T, ApiError> {
    result.map_err(|error| refuse(error.to_problem(&ctx.request_id)))
}

/// The outcome of checking a draft.
pub fn checked<T>(ctx: &RequestContext, result: Result<T, Problem>) -> Result<T, ApiError> {
    result.map_err(|problem| refuse(Problem { request_id: Some(ctx.request_id.clone()), ..problem }))
}

/// Sets the status that goes with the problem; without it every refusal would be a 500. A form that was posted without
/// JavaScript is answered by a redirect to its page, which shows the problem.
pub fn refuse(problem: Problem) -> ApiError {
    let is_plain_form = use_context::<Parts>().is_some_and(|parts| {
        parts.method == http::Method::POST
            && parts
                .headers
                .get(http::header::ACCEPT)
                .is_some_and(|accept| accept.to_str().is_ok_and(|a| a.contains("text/html")))
    });
    if !is_plain_form
        && let Some(response) = use_context::<ResponseOptions>()
        && let Ok(status) = StatusCode::from_u16(problem.code.status())
    {
        response.set_status(status);
    }
    ApiError(problem)
}

/// Language, look and files of the page that is being rendered, from the request's headers.
pub fn page(options: &LeptosOptions) -> Page {
    let header = |name: http::header::HeaderName| {
        use_context::<Parts>()
            .and_then(|parts| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned))
            .unwrap_or_default()
    };
    Page::from_cookies(&header(http::header::COOKIE), &header(http::header::ACCEPT_LANGUAGE), &options.site_pkg_dir)
}

/// Keeps a choice in a cookie of the browser for a year.
pub fn set_cookie(name: &str, value: &str) {
    let cookie = format!("{name}={value}; Path=/; Max-Age=31536000; SameSite=Lax");
    if let (Some(response), Ok(value)) = (use_context::<ResponseOptions>(), http::HeaderValue::from_str(&cookie)) {
        response.append_header(http::header::SET_COOKIE, value);
    }
}

/// Where the form that was posted stands: the way back for a browser without JavaScript. Only a path of this host.
pub fn referer_path() -> String {
    let referer = use_context::<Parts>()
        .and_then(|parts| {
            parts.headers.get(http::header::REFERER).and_then(|value| value.to_str().ok()).map(str::to_owned)
        })
        .unwrap_or_default();
    let uri = referer.parse::<http::Uri>().ok();
    let path = uri.as_ref().and_then(|uri| uri.path_and_query()).map_or("/", |path| path.as_str());
    // `//host` would lead elsewhere.
    if path.starts_with('/') && !path.starts_with("//") { path.to_owned() } else { "/".to_owned() }
}

//! What protects every route: who may send a request at all, and how a browser must treat the answer.

use crate::problem::Failure;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue};
use leptos::nonce::use_nonce;
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use model::problem::ErrorCode;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use url::Url;

/// Under which names the console may be asked for.
#[derive(Clone, Debug)]
pub struct Origins {
    /// Only loopback is served: any other name in `Host` is a page of someone else that points at us (DNS rebinding).
    loopback_only: bool,
    /// `host[:port]` of the public address.
    public: Option<Arc<str>>,
    /// Browsers are told to stay with TLS.
    tls: bool,
}

impl Origins {
    pub fn new(listen: SocketAddr, public_url: Option<&Url>) -> Self {
        Self {
            loopback_only: listen.ip().is_loopback(),
            public: public_url.and_then(authority).map(Into::into),
            tls: public_url.is_some_and(|url| url.scheme() == "https"),
        }
    }

    fn admits(&self, host: Option<&str>) -> bool {
        let Some(host) = host else { return false };
        if !self.loopback_only || self.public.as_deref().is_some_and(|public| public.eq_ignore_ascii_case(host)) {
            return true;
        }
        is_loopback(host)
    }
}

/// `host[:port]`, without the scheme's own port.
fn authority(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let name = name.trim_end_matches('.');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Refuses foreign host names and unsafe requests of foreign pages, and sets the headers that hold for every answer.
pub async fn same_origin(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    let mut response = match refusal(&origins, &request) {
        Some(message) => Failure::new(ErrorCode::Forbidden, message).into_response(),
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Not `no-referrer`: a form sent without JavaScript returns to the page it came from.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(HeaderName::from_static("x-frame-options"), HeaderValue::from_static("DENY"));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
    headers.insert(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(), geolocation=(), microphone=()"),
    );
    // What a page shows is its reader's; files of the site and results say for themselves how long they last.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(STRICT_POLICY));
    if origins.tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    response
}

fn refusal(origins: &Origins, request: &Request) -> Option<&'static str> {
    // HTTP/2 carries the name in the address.
    let host =
        header(request.headers(), HOST).or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    if !origins.admits(host) {
        return Some("This name is not served here. Give --public-url to serve it.");
    }
    if request.method().is_safe() || same_site(request.headers(), host) {
        return None;
    }
    Some("Cross-origin request refused.")
}

/// Whether an unsafe request comes from our own pages, or from no browser.
fn same_site(headers: &HeaderMap, host: Option<&str>) -> bool {
    match header(headers, HeaderName::from_static("sec-fetch-site")) {
        Some(site) => site == "same-origin" || site == "none",
        None => match header(headers, ORIGIN) {
            Some(origin) => {
                let origin = origin.split_once("://").map(|(_, authority)| authority);
                origin.zip(host).is_some_and(|(origin, host)| origin.eq_ignore_ascii_case(host))
            }
            None => true,
        },
    }
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// For everything that is no page: nothing in it may run.
const STRICT_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Sets the policy of the page that is being rendered: only scripts and styles that carry its nonce.
pub fn page_policy() {
    let (Some(nonce), Some(response)) = (use_nonce(), use_context::<ResponseOptions>()) else { return };
    let policy = format!(
        "default-src 'self'; script-src 'strict-dynamic' 'nonce-{nonce}' 'wasm-unsafe-eval'; \
         style-src 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.insert_header(CONTENT_SECURITY_POLICY, policy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_on_loopback() {
        let url = Url::parse("https://lake.example.com").expect("valid");
        let origins = Origins::new("127.0.0.1:3000".parse().expect("valid"), Some(&url));
        let check = |host: &str, expected: bool| assert_eq!(origins.admits(Some(host)), expected, "{host}");
        check("127.0.0.1:3000", true);
        check("localhost:3000", true);
        check("LOCALHOST", true);
        check("[::1]:3000", true);
        check("lake.example.com", true);
        check("evil.example:3000", false);
        check("localhost.evil.example", false);
        check("127.0.0.1.evil.example:3000", false);
        check("10.0.0.1:3000", false);
        assert!(!origins.admits(None));
        let open = Origins::new("0.0.0.0:3000".parse().expect("valid"), None);
        assert!(open.admits(Some("anything.example")));
    }

    #[test]
    fn unsafe_requests() {
        let check = |pairs: &[(&'static str, &'static str)], expected: bool| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            assert_eq!(same_site(&headers, Some("127.0.0.1:3000")), expected, "{pairs:?}");
        };
        check(&[], true);
        check(&[("sec-fetch-site", "same-origin")], true);
        check(&[("sec-fetch-site", "none")], true);
        check(&[("sec-fetch-site", "same-site")], false);
        check(&[("sec-fetch-site", "cross-site"), ("origin", "http://127.0.0.1:3000")], false);
        check(&[("origin", "http://127.0.0.1:3000")], true);
        check(&[("origin", "http://127.0.0.1:4000")], false);
        check(&[("origin", "null")], false);
    }
}

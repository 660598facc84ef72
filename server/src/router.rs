//! Every route, and the layers around it.

use crate::config::Limits;
use crate::guard::{self, Origins};
use crate::problem::Failure;
use crate::session::{self, Cookie};
use crate::{api, assets, bounds, download, events, request};
use app::{App, shell};
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRef, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use leptos::config::{Env, LeptosOptions};
use leptos::prelude::provide_context;
use leptos::server_fn::axum::server_fn_paths;
use leptos_axum::{LeptosRoutes, generate_route_list, handle_server_fns_with_context};
use metrics_exporter_prometheus::PrometheusHandle;
use model::problem::ErrorCode;
use service::Services;
use std::any::Any;
use std::time::Duration;
use store::Store;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType};
use tower_http::compression::{CompressionLayer, Predicate};

/// What the routes are built from.
#[derive(Clone)]
pub struct Parts {
    pub services: Services,
    pub store: Store,
    pub limits: Limits,
    pub metrics: PrometheusHandle,
    /// Set once the server is told to stop.
    pub draining: CancellationToken,
}

#[derive(Clone, FromRef)]
struct PageState {
    services: Services,
    leptos: LeptosOptions,
}

/// What people and scripts reach over the network.
pub fn network(parts: &Parts, origins: Origins, cookie: Cookie) -> Router {
    let services = parts.services.clone();
    let known = Router::new()
        .merge(pages(&services))
        .merge(api::routes().with_state(services.clone()))
        .merge(events::routes().with_state(services.clone()))
        .merge(download::routes().with_state(services.clone()))
        .merge(session::routes().with_state(services.clone()))
        .method_not_allowed_fallback(not_allowed)
        .layer(from_fn_with_state(services.clone(), session::identify))
        .layer(session::layer(&services, &parts.store, &cookie))
        .layer(from_fn_with_state(cookie, session::bearer));
    // Files of the site stand outside: they come compressed, and no session is opened for them.
    bounded(known.merge(operations(parts)), parts)
        .layer(from_fn(site_file))
        .layer(from_fn_with_state(origins, guard::same_origin))
        .layer(from_fn(request::observe))
}

/// What the owner of the data directory reaches over its socket.
pub fn socket(parts: &Parts) -> Router {
    let services = parts.services.clone();
    let router = Router::new()
        .merge(api::routes())
        .merge(api::admin::routes())
        .with_state(services.clone())
        .method_not_allowed_fallback(not_allowed)
        .layer(from_fn_with_state(services, session::identify_owner))
        .merge(operations(parts));
    bounded(router, parts).layer(from_fn(request::observe))
}

/// The limits that every request has.
fn bounded(router: Router, parts: &Parts) -> Router {
    // Streams of server functions answer `application/octet-stream`; compressed they would be held back, and tower-http
    // polls a body after its end. Event streams are left out by the default.
    let compressible = DefaultPredicate::new()
        .and(NotForContentType::const_new("application/octet-stream"))
        .and(NotForContentType::const_new("application/vnd.apache.arrow.file"));
    router
        .layer(CompressionLayer::new().compress_when(compressible))
        // The framework's own limit is lower, and speaks in other words.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(parts.limits.clone(), bounds::bounded))
        .layer(from_fn_with_state(parts.draining.clone(), drain_gate))
        .layer(CatchPanicLayer::custom(panicked))
}

fn pages(services: &Services) -> Router {
    let leptos =
        LeptosOptions::builder().output_name("lakedeck").site_pkg_dir(assets::build_folder()).env(Env::PROD).build();
    let state = PageState { services: services.clone(), leptos: leptos.clone() };
    let context = {
        let services = services.clone();
        move || {
            provide_context(services.clone());
            guard::page_policy();
        }
    };
    let routes = generate_route_list(App);
    let server_functions = {
        let services = services.clone();
        move |request: Request| {
            let services = services.clone();
            async move {
                let path = request.uri().path();
                if !server_fn_paths().any(|(known, _)| known == path) {
                    return Failure::new(ErrorCode::NotFound, "There is no such address.").into_response();
                }
                handle_server_fns_with_context(move || provide_context(services.clone()), request).await.into_response()
            }
        }
    };
    // An unknown address gets the same document: its router shows the page that says so, with status 404.
    let unknown = leptos_axum::render_app_to_stream_with_context(context.clone(), {
        let leptos = leptos.clone();
        move || shell(leptos.clone())
    });
    let unknown = move |request: Request| {
        let page = unknown(request);
        async move {
            let mut response = page.await;
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
    };
    Router::new()
        .route("/fn/{*name}", any(server_functions))
        .leptos_routes_with_context(&state, routes, context, move || shell(leptos.clone()))
        .fallback(unknown)
        .with_state(state)
}

/// What those who run the server ask.
fn operations(parts: &Parts) -> Router {
    let Parts { services, metrics, draining, .. } = parts.clone();
    let (ready, active) = (services.clone(), services);
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route(
            "/readyz",
            get(move || {
                let (draining, services) = (draining.clone(), ready.clone());
                async move {
                    if draining.is_cancelled() {
                        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
                    }
                    match tokio::time::timeout(Duration::from_secs(2), services.ready()).await {
                        Ok(Ok(_)) => (StatusCode::OK, "ready\n"),
                        _ => (StatusCode::SERVICE_UNAVAILABLE, "the metadata database does not answer\n"),
                    }
                }
            }),
        )
        .route(
            "/metrics",
            get(move || {
                metrics::gauge!("lakedeck_run_active_count").set(active.runs_active() as f64);
                let metrics = metrics.clone();
                async move {
                    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
                    ([(CONTENT_TYPE, kind)], metrics.render())
                }
            }),
        )
}

/// Files of the site come before every route, session and redirect.
async fn site_file(request: Request, next: Next) -> Response {
    match assets::serve(request.method(), request.uri(), request.headers()) {
        Some(response) => response,
        None => next.run(request).await,
    }
}

/// While the server stops it takes no new work; what is under way can still be followed and fetched.
async fn drain_gate(State(draining): State<CancellationToken>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let goes_on = matches!(path, "/healthz" | "/readyz" | "/metrics")
        || ["/events/", "/download/", "/api/v1/runs/"].iter().any(|prefix| path.starts_with(prefix));
    if draining.is_cancelled() && !goes_on {
        return Failure::new(ErrorCode::Unavailable, "The server is stopping. Try again in a moment.").into_response();
    }
    next.run(request).await
}

/// An address that exists, asked for what it does not do.
pub async fn not_allowed(method: Method) -> Response {
    let failure = Failure::new(ErrorCode::Unsupported, format!("{method} is not possible at this address."));
    (StatusCode::METHOD_NOT_ALLOWED, failure).into_response()
}

fn panicked(panic: Box<dyn Any + Send>) -> http::Response<Body> {
    let cause = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!("a request panicked: {}", cause.unwrap_or("no message"));
    Failure::new(ErrorCode::Internal, "Something went wrong on our side. Quote the request id.").into_response()
}

//! Accepts connections and serves each with its limits: how many, how slow a head may come, how it ends.

use crate::config::Limits;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::serve::{Listener, ListenerExt};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;
use tracing::debug;

/// A client that does not finish its request's head in this time is dropped, and so is one that idles; sooner where
/// requests have less time.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// Open connections, and how they are told to end.
#[derive(Clone)]
pub struct Connections {
    slots: Arc<Semaphore>,
    head_time: Duration,
    tasks: TaskTracker,
    /// No new connection, and idle ones are closed; requests under way go on.
    closing: CancellationToken,
}

impl Connections {
    pub fn new(limits: &Limits) -> Self {
        let slots = Arc::new(Semaphore::new(limits.connections_max.clamp(1, Semaphore::MAX_PERMITS)));
        let head_time = HEAD_TIME.min(limits.request_time());
        Self { slots, head_time, tasks: TaskTracker::new(), closing: CancellationToken::new() }
    }

    /// Accepts until [`close`](Self::close).
    pub async fn accept_tcp(self, listener: TcpListener, router: Router) {
        // A streamed page would wait for the client's delayed acknowledgement otherwise, about 40 ms.
        let listener = listener.tap_io(|stream| _ = stream.set_nodelay(true));
        self.accept(listener, router, Some).await;
    }

    /// Accepts until [`close`](Self::close).
    pub async fn accept_unix(self, listener: UnixListener, router: Router) {
        self.accept(listener, router, |_| None).await;
    }

    async fn accept<L: Listener>(self, mut listener: L, router: Router, origin: fn(L::Addr) -> Option<SocketAddr>) {
        loop {
            let slot = tokio::select! {
                slot = self.slots.clone().acquire_owned() => slot.expect("the semaphore is never closed"),
                () = self.closing.cancelled() => return,
            };
            // Errors of accepting (no file descriptor left) are waited out in there.
            let (stream, address) = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.closing.cancelled() => return,
            };
            let (address, router, closing) = (origin(address), router.clone(), self.closing.clone());
            let head_time = self.head_time;
            self.tasks.spawn(async move {
                let _slot = slot;
                serve(stream, address, router, closing, head_time).await;
            });
        }
    }

    /// Ends the accepting and lets requests under way finish.
    pub fn close(&self) {
        self.closing.cancel();
        self.tasks.close();
    }

    /// Returns when the last connection ended.
    pub async fn ended(&self) {
        self.tasks.wait().await;
    }
}

async fn serve<S>(
    stream: S,
    address: Option<SocketAddr>,
    router: Router,
    closing: CancellationToken,
    head_time: Duration,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let open = metrics::gauge!("lakedeck_connection_open_count");
    open.increment(1);
    let service = router.map_request(move |mut request: http::Request<_>| {
        if let Some(address) = address {
            request.extensions_mut().insert(ConnectInfo(address));
        }
        Request::map(request, Body::new)
    });
    // HTTP/1 only: in front of HTTP/2 stands a proxy with TLS, and only the head of HTTP/1 has a time limit.
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(head_time);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut connection = pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = closing.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        debug!("a connection ended early: {error}");
    }
    open.decrement(1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn who_says_nothing_is_dropped() {
        let (mut client, stream) = tokio::io::duplex(1024);
        let served =
            tokio::spawn(serve(stream, None, Router::new(), CancellationToken::new(), Duration::from_millis(50)));
        let mut answer = Vec::new();
        let waited = tokio::time::timeout(HEAD_TIME, client.read_to_end(&mut answer)).await;
        waited.expect("dropped in time").expect("an end");
        served.await.expect("no panic");
    }
}

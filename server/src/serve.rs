//! `lakedeck serve`: from the options to a drained, stopped process.

use crate::compose::{self, Audience, Deck};
use crate::config::{ServeOptions, admin_password};
use crate::data_dir::{DataDir, Ownership};
use crate::guard::Origins;
use crate::listen::Connections;
use crate::router::{self, Parts};
use crate::session::Cookie;
use crate::telemetry;
use anyhow::{Context, anyhow, bail};
use service::Services;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use store::Store;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use url::Url;

/// Statements under way may take this long to finish after the signal to stop.
const DRAIN_TIME: Duration = Duration::from_secs(30);
/// What is left at a second signal: half of it for statements to be cancelled, half for connections to end.
const CLOSE_TIME: Duration = Duration::from_millis(1_500);

/// Serves until SIGTERM or Ctrl-C.
pub async fn serve(options: ServeOptions) -> anyhow::Result<()> {
    check_public_url(options.public_url.as_ref())?;
    let ownership = DataDir::prepare(options.data.data_dir.as_deref())?.own()?;
    telemetry::log(&options.log, Some(ownership.directory()))?;
    Server::start(options, ownership).await?.run().await
}

/// A server that listens and is ready.
pub struct Server {
    deck: Deck,
    connections: Connections,
    draining: CancellationToken,
    signals: Signals,
    options: ServeOptions,
    /// Where it listens.
    pub address: String,
    /// Where people find it, which is another address behind a proxy.
    pub url: String,
}

impl Server {
    pub async fn start(options: ServeOptions, ownership: Ownership) -> anyhow::Result<Self> {
        // From here on a signal drains; before, it just ends the process.
        let signals = Signals::new()?;
        let metrics = telemetry::metrics()?;
        let audience = audience(options.listen);
        let unprotected = || {
            anyhow!(
                "{} can be reached from other machines, and the owner has no password yet: set LAKEDECK_ADMIN_PASSWORD \
                 (or run `lakedeck admin password`), or listen on 127.0.0.1",
                options.listen
            )
        };
        let is_exposed = audience == Audience::Network && admin_password().is_none();
        if is_exposed && ownership.directory().is_new() {
            return Err(unprotected());
        }
        let deck = compose::open(ownership, &options.data, audience).await?;
        if is_exposed && !deck.services.has_owner_password().await? {
            return Err(unprotected());
        }
        let has_tls = options.public_url.as_ref().is_some_and(|url| url.scheme() == "https");
        if audience == Audience::Network && !has_tls {
            warn!(
                "without TLS in front, passwords and data cross the network in the clear, and browsers keep no session: \
                 use a proxy with TLS and give --public-url https://…"
            );
        }
        let cookie = if audience == Audience::Loopback && !has_tls {
            Cookie::loopback(deck.services.owner().account())
        } else {
            Cookie::secure()
        };
        let listener =
            TcpListener::bind(options.listen).await.with_context(|| format!("cannot listen on {}", options.listen))?;
        let address = listener.local_addr()?;
        let draining = CancellationToken::new();
        let parts = Parts {
            services: deck.services.clone(),
            store: deck.store.clone(),
            limits: options.data.limits.clone(),
            metrics,
            draining: draining.clone(),
        };
        let network = router::network(&parts, Origins::new(address, options.public_url.as_ref()), cookie);
        let connections = Connections::new(&options.data.limits);
        tokio::spawn(connections.clone().accept_tcp(listener, network));
        tokio::spawn(connections.clone().accept_unix(deck.ownership.listen()?, router::socket(&parts)));
        let address = format!("http://{address}");
        let url = options.public_url.as_ref().map_or_else(|| address.clone(), base);
        deck.ownership.announce(&url)?;
        Ok(Self { deck, connections, draining, signals, options, address, url })
    }

    /// The address of the one-time link, until it was used.
    pub async fn sign_in_url(&self) -> anyhow::Result<Option<String>> {
        Ok(self.deck.services.sign_in_link().await?.map(|token| welcome(&self.url, token.expose())))
    }

    /// Says where it listens, and serves until it is told to stop.
    pub async fn run(self) -> anyhow::Result<()> {
        self.say_address();
        if let Some(link) = self.sign_in_url().await? {
            say(&format!("sign in: {link}"));
            self.open_browser(&link);
        }
        self.until_stopped().await
    }

    /// The line that scripts wait for.
    pub fn say_address(&self) {
        say(&format!("listening on {}", self.address));
    }

    /// Opens a browser where there is a desktop and nobody said otherwise.
    pub fn open_browser(&self, url: &str) {
        if !self.options.no_open {
            open_browser(url);
        }
    }

    /// Serves until SIGTERM or Ctrl-C, then drains.
    pub async fn until_stopped(mut self) -> anyhow::Result<()> {
        info!("ready on {}", self.url);
        self.signals.next().await;
        info!("stopping: no new work; what runs has {} s to finish", DRAIN_TIME.as_secs());
        self.draining.cancel();
        let patience = Instant::now() + DRAIN_TIME;
        tokio::select! {
            () = finish(&self.deck.services, &self.connections, patience) => {}
            () = self.signals.next() => {
                warn!("told to stop again: cancelling what runs");
                finish(&self.deck.services, &self.connections, Instant::now()).await;
            }
        }
        close(&self.deck.store).await;
        info!("stopped");
        Ok(())
    }
}

/// Lets statements end until `patience` is over and cancels the others, then does the same with connections.
async fn finish(services: &Services, connections: &Connections, patience: Instant) {
    let cancelled_by = patience.max(Instant::now()) + CLOSE_TIME / 2;
    let drain = services.drain(patience.saturating_duration_since(Instant::now()));
    if timeout_at(cancelled_by, drain).await.is_err() {
        warn!("statements did not end in time");
    }
    connections.close();
    let closed_by = patience.max(Instant::now() + CLOSE_TIME / 2);
    if timeout_at(closed_by, connections.ended()).await.is_err() {
        info!("closing connections that are still open");
    }
}

/// Folds the log of the database into it. What was acknowledged is safe either way, so that nobody waits for it long.
pub async fn close(store: &Store) {
    if timeout(CLOSE_TIME / 5, store.close()).await.is_err() {
        info!("the database is still read: its log is folded into it at the next start");
    }
}

pub fn audience(listen: SocketAddr) -> Audience {
    if listen.ip().is_loopback() { Audience::Loopback } else { Audience::Network }
}

/// An address without the slash at its end.
pub fn base(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// The page that redeems a one-time link.
pub fn welcome(base: &str, token: &str) -> String {
    format!("{base}/welcome?token={token}")
}

/// Scripts and tests read these lines; a closed standard output is no reason to stop.
pub fn say(line: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Opens the desktop's browser, if there is a desktop. A failure is not worth a word: the address was printed.
pub fn open_browser(url: &str) {
    let has = |variable: &str| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    if has("CI") || !(has("DISPLAY") || has("WAYLAND_DISPLAY")) || !on_path("xdg-open") {
        return;
    }
    let mut command = tokio::process::Command::new("xdg-open");
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Ok(mut child) = command.spawn() {
        tokio::spawn(async move { _ = child.wait().await });
    }
}

fn on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| Path::new(&folder).join(program).is_file()))
}

/// SIGTERM and Ctrl-C.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Whether `url` is a web address, so that a mistake is told before anything starts.
pub fn check_public_url(url: Option<&Url>) -> anyhow::Result<()> {
    match url {
        Some(url) if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || url.path() != "/" => {
            bail!("--public-url: give scheme and host without a path, e.g. https://lake.example.com")
        }
        _ => Ok(()),
    }
}

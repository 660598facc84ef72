//! The API from a client's side.

use crate::config::secret;
use crate::data_dir::DataDir;
use anyhow::{Context, anyhow, bail};
use model::problem::Problem;
use reqwest::{Method, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use url::Url;

/// Longer than the API lets a client wait for a run.
const READ_TIME: Duration = Duration::from_secs(120);
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// A server that owns the directory but does not listen yet is starting.
const START_TIME: Duration = Duration::from_secs(15);

/// A connection to a server's API.
pub struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<String>,
    /// The token was made for this command and ends with it.
    is_own_session: bool,
    /// Keeps a socket's short address alive.
    _socket: Option<crate::data_dir::SocketAddress>,
}

#[derive(Deserialize)]
struct Token {
    token: String,
}

impl Client {
    /// Signs in at a server with the password or the token of the environment.
    pub async fn sign_in(server: &Url, user: &str) -> anyhow::Result<Self> {
        if !matches!(server.scheme(), "http" | "https") || server.host().is_none() {
            bail!("--server: give a web address, e.g. http://127.0.0.1:3000");
        }
        let mut http = builder();
        if server.host_str().is_some_and(is_loopback) {
            http = http.no_proxy();
        }
        let mut client =
            Self { http: http.build()?, base: server.clone(), token: None, is_own_session: false, _socket: None };
        match (secret("LAKEDECK_TOKEN"), secret("LAKEDECK_PASSWORD")) {
            (Some(token), _) => client.token = Some(token.expose().to_owned()),
            (None, Some(password)) => {
                let body = serde_json::json!({ "name": user, "password": password });
                let Token { token } = client.send(Method::POST, "/api/v1/session", Some(&body)).await?;
                client.token = Some(token);
                client.is_own_session = true;
            }
            (None, None) => bail!("set LAKEDECK_PASSWORD to the password of `{user}`, or LAKEDECK_TOKEN"),
        }
        Ok(client)
    }

    /// The owner's way through the socket of a data directory.
    pub fn socket(directory: &DataDir) -> anyhow::Result<Self> {
        let socket = directory.socket_address()?;
        let http = builder().no_proxy().unix_socket(socket.path()).build()?;
        let base = Url::parse("http://localhost/").expect("a valid address");
        Ok(Self { http, base, token: None, is_own_session: false, _socket: Some(socket) })
    }

    /// The socket of a directory that another process owns; waits while that one starts.
    pub async fn running(directory: &DataDir) -> anyhow::Result<Self> {
        let client = Self::socket(directory)?;
        let answers = async {
            while client.request(Method::GET, "/readyz").send().await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        match tokio::time::timeout(START_TIME, answers).await {
            Ok(()) => Ok(client),
            Err(_) => bail!("another lakedeck process owns {} but does not answer", directory.path().display()),
        }
    }

    /// Ends a session that was opened for this command.
    pub async fn close(&self) {
        if self.is_own_session {
            _ = self.request(Method::DELETE, "/api/v1/session").send().await;
        }
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.send::<(), T>(Method::GET, path, None).await
    }

    pub async fn post<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: &B) -> anyhow::Result<T> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Sends and expects no content.
    pub async fn command<B: Serialize>(&self, path: &str, body: &B) -> anyhow::Result<()> {
        let request = self.request(Method::POST, path).json(body);
        self.answered(request).await.map(drop)
    }

    /// The answer's body as it comes.
    pub async fn stream(&self, path: &str) -> anyhow::Result<Response> {
        self.answered(self.request(Method::GET, path)).await
    }

    async fn send<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> anyhow::Result<T> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.answered(request).await?.json().await.context("the server's answer is not understood: other version?")
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let mut url = self.base.clone();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url.set_query(query);
        let request = self.http.request(method, url);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn answered(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Response> {
        let response = request.send().await.map_err(|error| {
            let whom = if self._socket.is_some() { "the data directory's server" } else { self.base.as_str() };
            let next = if error.is_connect() { "; is a server running there?" } else { "" };
            anyhow!("cannot reach {whom}: {}{next}", anyhow::Error::new(error.without_url()).root_cause())
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if status == StatusCode::UNAUTHORIZED && self.token.is_some() && !self.is_own_session {
            bail!(
                "the token in LAKEDECK_TOKEN is wrong, or its session has ended: get a new one with POST \
                 /api/v1/session, or set LAKEDECK_PASSWORD in its place"
            );
        }
        let text = response.text().await.unwrap_or_default();
        Err(refusal(status, &text))
    }
}

/// The server's words, with what to do next.
fn refusal(status: StatusCode, body: &str) -> anyhow::Error {
    let Ok(problem) = serde_json::from_str::<Problem>(body) else {
        return anyhow!("the server answered {status}: is it a Lakedeck server?");
    };
    let mut text = problem.message.clone();
    for field in problem.fields.iter().filter(|field| field.message != problem.message) {
        text.push_str(&format!("\n  {}: {}", field.field, field.message));
    }
    if let Some(hint) = &problem.hint {
        text.push_str(&format!("\n  {hint}"));
    }
    anyhow!(text)
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_TIME)
        .read_timeout(READ_TIME)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("lakedeck/", env!("CARGO_PKG_VERSION")))
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

//! A server process for one test.

use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Client, Response, StatusCode, redirect};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const PASSWORD: &str = "correct horse battery staple";

/// The binary with nothing of this machine's settings.
pub fn lakedeck() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lakedeck"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LAKEDECK_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).env("CI", "1");
    command
}

/// A folder with a data directory and room for warehouses; it outlives the servers started in it.
pub struct Place {
    folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// An empty warehouse that local sources may use.
    pub fn warehouse(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(&path).expect("a warehouse");
        path
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A server with the owner's password set.
    pub fn serve(&self) -> Server {
        self.serve_with(|command| command.env("LAKEDECK_ADMIN_PASSWORD", PASSWORD))
    }

    pub fn serve_with(&self, set: impl FnOnce(&mut Command) -> &mut Command) -> Server {
        let mut command = self.command();
        set(&mut command);
        Server::spawn(command)
    }

    /// `lakedeck serve`, not started.
    pub fn command(&self) -> Command {
        let mut command = lakedeck();
        command.args(["serve", "--listen", "127.0.0.1:0", "--no-open", "--data-dir"]).arg(self.data());
        command.arg("--allowed-roots").arg(self.folder());
        command
    }

    /// `lakedeck sql` on the data directory.
    pub fn sql(&self, project: &str, sql: &str, format: &str) -> Output {
        let mut command = lakedeck();
        command.args(["sql", "--project", project, "-e", sql, "--format", format, "--data-dir"]).arg(self.data());
        command.arg("--allowed-roots").arg(self.folder()).output().expect("runs")
    }
}

/// A running server, killed at the end of the test.
pub struct Server {
    child: Child,
    lines: Receiver<String>,
    pub url: String,
    pub started_in: Duration,
    pub http: Client,
}

impl Server {
    pub fn spawn(mut command: Command) -> Self {
        let started = Instant::now();
        let mut child = command.stdout(Stdio::piped()).spawn().expect("starts");
        let out = BufReader::new(child.stdout.take().expect("piped"));
        let (send, lines) = channel();
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        let line = lines.recv_timeout(Duration::from_secs(60)).expect("the first line");
        let url = line.strip_prefix("listening on ").expect("the address first").to_owned();
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(60))
            .build()
            .expect("a client");
        Self { child, lines, url, started_in: started.elapsed(), http }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line of standard output.
    pub fn line(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(10)).expect("a line")
    }

    /// A line that may not come.
    pub fn try_line(&self) -> Option<String> {
        self.lines.recv_timeout(Duration::from_secs(1)).ok()
    }

    /// The token of the link in the second line.
    pub fn token(&self) -> String {
        let line = self.line();
        let (address, token) = line.split_once("?token=").expect("a token");
        assert_eq!(address, format!("sign in: {}/welcome", self.url));
        token.to_owned()
    }

    pub async fn get(&self, path: &str) -> Response {
        self.http.get(format!("{}{path}", self.url)).send().await.expect("an answer")
    }

    pub async fn get_with(&self, path: &str, cookie: &str) -> Response {
        self.http.get(format!("{}{path}", self.url)).header(COOKIE, cookie).send().await.expect("an answer")
    }

    /// Sends a form as a browser without scripts does.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)], cookie: Option<&str>) -> Response {
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = self
            .http
            .post(format!("{}{path}", self.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", &self.url)
            .body(body);
        if let Some(cookie) = cookie {
            request = request.header(COOKIE, cookie);
        }
        request.send().await.expect("an answer")
    }

    /// The cookie of a session opened with the password.
    pub async fn sign_in(&self) -> String {
        let response = self.form("/session/sign-in", &[("name", "root"), ("password", PASSWORD)], None).await;
        assert_eq!((response.status(), location(&response)), (StatusCode::SEE_OTHER, "/"));
        cookie(response.headers())
    }

    /// An API request as the owner.
    pub fn api(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}/api/v1{path}", self.url)).basic_auth("root", Some(PASSWORD))
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status().expect("kill");
        assert!(status.success());
    }

    /// Waits for the end of the process.
    pub fn ended(&mut self, within: Duration) -> ExitStatus {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().expect("waits") {
                return status;
            }
            assert!(Instant::now() < deadline, "the server did not end within {within:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

pub fn location(response: &Response) -> &str {
    response.headers().get(LOCATION).map_or("", |value| value.to_str().expect("text"))
}

/// `name=value` of the cookie that an answer sets.
pub fn cookie(headers: &HeaderMap) -> String {
    let set = headers.get(SET_COOKIE).expect("a cookie").to_str().expect("text");
    set.split(';').next().expect("a value").to_owned()
}

/// Output of the command-line tool with ids masked.
pub fn masked(output: &[u8]) -> String {
    let text = String::from_utf8(output.to_vec()).expect("UTF-8");
    let lines = text.lines().map(|line| match line.strip_prefix("ID = ") {
        Some(id) => {
            let (time, rest) = id.split_once('g').expect("yyyyMMddHHmmssSSSg…");
            assert!(time.len() == 17 && time.bytes().all(|byte| byte.is_ascii_digit()), "{id}");
            assert!(
                rest.len() == 6 && rest.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()),
                "{id}"
            );
            "ID = *"
        }
        None => line,
    });
    lines.map(|line| format!("{line}\n")).collect()
}

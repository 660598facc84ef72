use crate::server::*;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

fn limited(place: &Place, options: &[&str]) -> Server {
    place.serve_with(|command| command.env("LAKEDECK_ADMIN_PASSWORD", PASSWORD).args(options))
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.url.trim_start_matches("http://")).expect("connects");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    stream
}

/// Sends a request as it stands on a connection of its own: status and body of the answer.
fn say(server: &Server, path: &str, headers: &str, body: &str) -> (u16, Value) {
    let mut stream = connect(server);
    let token = BASE64_STANDARD.encode(format!("root:{PASSWORD}"));
    let text = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Basic {token}\r\n{headers}\r\n\r\n{body}"
    );
    // A server that has heard enough may hang up before everything is said.
    _ = stream.write_all(text.as_bytes());
    let mut answer = Vec::new();
    // Nor does it wait for the rest, which resets the connection behind the answer.
    _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or_else(|_| panic!("no problem in words of ours: {answer}")))
}

fn chunked(bytes: usize) -> String {
    format!("{bytes:x}\r\n{}\r\n0\r\n\r\n", "a".repeat(bytes))
}

const STATEMENTS: &str = "/api/v1/projects/sample/statements";
const CHUNKED: &str = "Transfer-Encoding: chunked\r\nContent-Type: application/x-www-form-urlencoded";

#[tokio::test]
async fn requests_that_say_too_much() {
    let place = Place::new();
    let server = limited(&place, &["--body-bytes-max", "1000"]);
    let check = |path: &str, headers: &str, body: &str| {
        let (status, problem) = say(&server, path, headers, body);
        assert_eq!((status, &problem["code"]), (413, &json!("limit_exceeded")), "{path} {headers}: {problem}");
        assert_eq!(problem["message"], "A request holds at most 1000 bytes.", "{path} {headers}");
        assert!(problem["request_id"].as_str().is_some_and(|id| id.len() == 32), "{problem}");
    };
    check(STATEMENTS, "Content-Length: 1001", &" ".repeat(1001));
    check(STATEMENTS, "Content-Length: 900000000", "");
    check(STATEMENTS, CHUNKED, &chunked(1001));
    check(STATEMENTS, CHUNKED, &chunked(100_000));
    for path in ["/session/sign-in", "/fn/session/preference", "/api/v1/session"] {
        check(path, CHUNKED, &chunked(1001));
    }
    let fits = json!({ "sql": "SELECT 1", "after": null }).to_string();
    let answer = server.api(Method::POST, "/projects/sample/statements").body(format!("{fits:<1000}")).send().await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::ACCEPTED);
}

#[tokio::test]
async fn strangers_may_say_less() {
    let place = Place::new();
    let server = place.serve();
    let form = [("name", "root"), ("password", &*"x".repeat(100_000))];
    assert_eq!(server.form("/session/sign-in", &form, None).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn requests_that_come_too_slowly() {
    let place = Place::new();
    let server = limited(&place, &["--request-seconds-max", "2"]);
    let check = |path: &str, headers: &str, body: &str| {
        let (status, problem) = say(&server, path, headers, body);
        assert_eq!((status, &problem["code"]), (408, &json!("limit_exceeded")), "{path}: {problem}");
        assert_eq!(problem["message"], "The request did not come within 2 s.", "{path}");
    };
    check(STATEMENTS, "Content-Length: 100", "{");
    check("/fn/session/preference", "Content-Length: 100\r\nContent-Type: application/x-www-form-urlencoded", "a");
    check("/session/sign-in", CHUNKED, "1\r\na\r\n");
    // A head that never ends is not answered.
    let mut half = connect(&server);
    half.write_all(b"GET /healthz HT").expect("sent");
    let started = Instant::now();
    assert_eq!(half.read(&mut [0; 64]).expect("an end"), 0);
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(server.get("/healthz").await.status(), StatusCode::OK);
}

#[test]
fn more_connections_wait() {
    let place = Place::new();
    let server = limited(&place, &["--connections-max", "2"]);
    let silent = [connect(&server), connect(&server)];
    let mut third = connect(&server);
    third.write_all(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").expect("sent");
    third.set_read_timeout(Some(Duration::from_millis(500))).expect("a limit");
    let waited = third.read(&mut [0; 64]).expect_err("no answer yet");
    assert!(matches!(waited.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{waited}");
    drop(silent);
    third.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    let mut answer = String::new();
    third.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[tokio::test]
async fn results_are_cut() {
    let place = Place::new();
    let server = limited(&place, &["--statement-rows-max", "10000", "--result-bytes-max", "20000"]);
    let values = (0..40).map(|n| format!("({n})")).collect::<Vec<_>>().join(",");
    let rows = format!("FROM (VALUES {values}) a(x), (VALUES {values}) b(x), (VALUES {values}) c(x)");
    let check = async |select: &str, expected: &str| {
        let request = server.api(Method::POST, "/projects/sample/statements");
        let run: Value = request
            .json(&json!({ "sql": format!("SELECT {select} {rows}") }))
            .send()
            .await
            .expect("sent")
            .json()
            .await
            .expect("JSON");
        let path = format!("/runs/{}?wait=30", run["id"].as_str().expect("an id"));
        let run: Value = server.api(Method::GET, &path).send().await.expect("sent").json().await.expect("JSON");
        let statement = &run["statements"][0];
        assert_eq!(statement["state"], "succeeded", "{statement}");
        assert_eq!(statement["truncated"], expected, "{statement}");
        statement["row_count"].as_u64().expect("a count")
    };
    assert_eq!(check("1 AS one", "The result was cut at 10,000 rows.").await, 10_000);
    let hashes =
        check("md5(CAST(a.x * 1600 + b.x * 40 + c.x AS STRING)) AS h", "The result was cut at 19.5 KiB.").await;
    assert!((1..10_000).contains(&hashes), "{hashes}");
}

#[test]
fn scripts_up_to_their_own_limit() {
    let place = Place::new();
    let _server = place.serve();
    let run = |script: String| {
        let file = place.folder().join("script.sql");
        std::fs::write(&file, script).expect("written");
        let mut command = lakedeck();
        command
            .args(["sql", "--project", "sample", "--format", "csv", "--data-dir"])
            .arg(place.data())
            .arg("-f")
            .arg(file);
        let output = command.output().expect("runs");
        (String::from_utf8(output.stdout).expect("UTF-8"), String::from_utf8(output.stderr).expect("UTF-8"))
    };
    // Line ends are longer on the way than in the file.
    assert_eq!(run(format!("{}SELECT 1 AS a;", "\n".repeat(4_100_000))), ("a\r\n1\r\n".into(), String::new()));
    let (rows, message) = run(format!("SELECT 1 AS a; -- {}", "x".repeat(5 << 20)));
    assert!(rows.is_empty() && message.contains("the script has 5.0 MB, and a script has at most 4 MB"), "{message}");
}

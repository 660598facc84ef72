use crate::server::*;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
use reqwest::{Method, StatusCode};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

#[tokio::test]
async fn starts_and_tells_its_health() {
    let place = Place::new();
    let server = place.serve();
    assert!(server.url.starts_with("http://127.0.0.1:") && !server.url.ends_with(":0"), "{}", server.url);
    let check = async |path: &str, expected: &str| {
        let response = server.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let text = response.text().await.expect("text");
        assert!(text.contains(expected), "{path}: {text}");
    };
    check("/healthz", "ok").await;
    check("/readyz", "ready").await;
    check("/metrics", "lakedeck_request_count_total{route=\"/healthz\",method=\"GET\",status=\"200\"} 1").await;
    check("/metrics", "lakedeck_request_duration_seconds_bucket").await;
    check("/metrics", "lakedeck_connection_open_count").await;
    let id = server.get("/healthz").await.headers()["x-request-id"].to_str().expect("text").to_owned();
    assert_eq!(id.len(), 32);
}

#[test]
fn a_start_is_less_than_a_second_of_work() {
    let place = Place::new();
    let first = place.serve();
    drop(first); // It made the sample.
    let server = place.serve();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.pid())).expect("readable");
    // Time of the process and not of the clock: what else the machine does is not the server's.
    let (_, after_name) = stat.rsplit_once(") ").expect("a name in parentheses");
    let fields: Vec<&str> = after_name.split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>().expect("user") + fields[12].parse::<u64>().expect("system");
    println!("ready after {:?}, of which {} ms of work", server.started_in, ticks * 10);
    assert!(ticks < 100, "{ticks} ticks of 10 ms");
}

#[tokio::test]
async fn idles_in_little_memory() {
    let place = Place::new();
    let server = place.serve();
    let cookie = server.sign_in().await;
    assert_eq!(server.get_with("/", &cookie).await.status(), StatusCode::OK);
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("readable");
    let megabytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
    };
    // Pages of the binary itself count for little in a release; without optimisation it is ten times as large.
    let (anonymous, resident) = (megabytes("RssAnon:"), megabytes("VmRSS:"));
    println!("after the first start and a page: {anonymous} MB, {resident} MB with the binary's own pages");
    assert!(anonymous < 120, "{anonymous} MB");
}

#[test]
fn a_data_directory_has_one_server() {
    let place = Place::new();
    let server = place.serve();
    let second = place.command().output().expect("runs");
    assert_eq!(second.status.code(), Some(1));
    let message = String::from_utf8(second.stderr).expect("UTF-8");
    assert!(message.contains("another lakedeck process owns") && message.contains(&server.url), "{message}");
}

#[test]
fn a_network_address_needs_a_password() {
    let place = Place::new();
    let mut command = lakedeck();
    command.args(["serve", "--listen", "0.0.0.0:0", "--no-open", "--no-sample", "--data-dir"]).arg(place.data());
    let refused = command.output().expect("runs");
    assert_eq!(refused.status.code(), Some(1));
    let message = String::from_utf8(refused.stderr).expect("UTF-8");
    assert!(message.contains("LAKEDECK_ADMIN_PASSWORD"), "{message}");
    assert!(!place.data().join("lakedeck.db").exists(), "nothing is made before the refusal");
}

#[tokio::test]
async fn others_on_the_machine_read_nothing() {
    let place = Place::new();
    std::fs::create_dir(place.data()).expect("made");
    std::fs::set_permissions(place.data(), std::fs::Permissions::from_mode(0o755)).expect("opened");
    let server = place.serve();
    let session = json!({ "name": "root", "password": PASSWORD });
    let answer = server.http.post(format!("{}/api/v1/session", server.url)).json(&session).send().await.expect("sent");
    let token = answer.json::<serde_json::Value>().await.expect("JSON")["token"].as_str().expect("text").to_owned();
    assert!(place.sql("sample", "SELECT 1 AS a;", "csv").status.success());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(place.data()).expect("listed") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("readable").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}: {mode:o}", entry.file_name());
        names.push(entry.file_name().into_string().expect("UTF-8"));
    }
    for name in
        ["lakedeck.db", "lakedeck.db-wal", "master.key", "spool", "spill", "logs", "sample-lake", "lakedeck.sock"]
    {
        assert!(names.iter().any(|one| one == name), "{name} is not among {names:?}");
    }
    // Nor does the database give a session away: its cookie is a number in base 64.
    let id = i128::from_le_bytes(URL_SAFE_NO_PAD.decode(&token).expect("base 64").try_into().expect("128 bits"));
    for name in ["lakedeck.db", "lakedeck.db-wal"] {
        let bytes = std::fs::read(place.data().join(name)).expect(name);
        let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(!holds(&token) && !holds(&id.to_string()), "{name}");
    }
}

#[test]
fn the_environment_gives_options() {
    let place = Place::new();
    let mut command = lakedeck();
    command.arg("serve").env("LAKEDECK_DATA_DIR", place.data()).env("LAKEDECK_ALLOWED_ROOTS", place.folder());
    let options = [
        ("LISTEN", "127.0.0.1:0"),
        ("PUBLIC_URL", "http://lake.localhost"),
        ("NO_OPEN", "1"),
        ("NO_SAMPLE", "yes"),
        ("ALLOW_HOSTS", "store.example,other.example"),
        ("LOG", "warn"),
        ("STATEMENTS_RUNNING_MAX", "3"),
        ("MEMORY_BYTES_MAX", "100000000"),
        ("BODY_BYTES_MAX", "1000"),
        ("ADMIN_PASSWORD", PASSWORD),
    ];
    for (name, value) in options {
        command.env(format!("LAKEDECK_{name}"), value);
    }
    let server = Server::spawn(command);
    assert_eq!(
        std::fs::read_to_string(place.data().join("lakedeck.address")).expect("told"),
        "http://lake.localhost\n"
    );
    assert_eq!(std::fs::read_to_string(place.data().join("logs/lakedeck.log")).expect("a log"), "");
    let mut sql = lakedeck();
    sql.args(["sql", "--project", "sample", "-e", "SELECT 1", "--server", &server.url]);
    // The server that was typed goes before the directory of the environment.
    let output = sql.env("LAKEDECK_DATA_DIR", place.data()).env("LAKEDECK_PASSWORD", PASSWORD).output().expect("runs");
    let message = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(message.contains("no external project `sample`"), "{message}");
    let large = format!("SELECT '{}'", "x".repeat(1000));
    let mut sql = lakedeck();
    sql.args(["sql", "--project", "sample", "-e", &large, "--server", &server.url]).env("LAKEDECK_PASSWORD", PASSWORD);
    let message = String::from_utf8(sql.output().expect("runs").stderr).expect("UTF-8");
    assert!(message.contains("at most 1000 bytes") && message.contains("can be run in parts"), "{message}");
}

#[test]
fn a_weak_password_is_told_before_anything_is_made() {
    let place = Place::new();
    let refused = place.command().env("LAKEDECK_ADMIN_PASSWORD", "short").output().expect("runs");
    let message = String::from_utf8(refused.stderr).expect("UTF-8");
    assert!(
        !refused.status.success() && message.contains("LAKEDECK_ADMIN_PASSWORD: Use at least 8 characters."),
        "{message}"
    );
    assert!(!place.data().join("lakedeck.db").exists() && !place.data().join("sample-lake").exists());
}

#[test]
fn a_stopped_server_leaves_one_file() {
    let place = Place::new();
    let mut server = place.serve();
    server.signal("TERM");
    assert!(server.ended(Duration::from_secs(10)).success());
    let log = std::fs::metadata(place.data().join("lakedeck.db-wal")).map_or(0, |log| log.len());
    assert_eq!(log, 0, "the write-ahead log was not folded into the database");
    // Damage is told once, with what to do.
    std::fs::write(place.data().join("lakedeck.db"), "this is no database".repeat(100)).expect("written");
    let refused = place.command().output().expect("runs");
    let message = String::from_utf8(refused.stderr).expect("UTF-8");
    let damage = "is damaged; restore it from your backup";
    assert!(message.contains(damage) && message.matches("not a database").count() == 1, "{message}");
}

#[tokio::test]
async fn servers_of_one_machine_keep_their_sessions() {
    let (place, other) = (Place::new(), Place::new());
    let (server, other) = (place.serve(), other.serve());
    let (mine, theirs) = (server.sign_in().await, other.sign_in().await);
    let name = |cookie: &str| cookie.split('=').next().expect("a name").to_owned();
    assert_ne!(name(&mine), name(&theirs));
    // A browser keeps cookies by host, whatever the port, and sends them all.
    let both = format!("{mine}; {theirs}");
    for one in [&server, &other] {
        let page = one.get_with("/", &both).await;
        assert_eq!(page.status(), StatusCode::OK);
        assert!(
            !page.headers().contains_key("set-cookie")
                || !page.headers()["set-cookie"].to_str().expect("text").contains("Max-Age=0")
        );
    }
}

#[test]
fn a_wrong_option_is_told() {
    let check = |args: &[&str], expected: &str| {
        let place = Place::new();
        let output = lakedeck().args(args).arg("--data-dir").arg(place.data()).output().expect("runs");
        let message = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(!output.status.success() && message.contains(expected), "{args:?}: {message}");
    };
    check(&["serve", "--listen", "nowhere"], "--listen");
    check(&["serve", "--public-url", "https://example.com/path"], "--public-url");
    check(&["serve", "--log", "a=b=c"], "LAKEDECK_LOG");
    check(&["serve", "--allowed-roots", "/no/such/folder"], "--allowed-roots");
    check(&["open", "/no/such/folder"], "/no/such/folder");
}

#[tokio::test]
async fn the_link_is_printed_until_it_was_used() {
    let place = Place::new();
    let mut first = place.serve_with(|command| command);
    let token = first.token();
    first.signal("TERM");
    assert!(first.ended(Duration::from_secs(10)).success());
    let mut second = place.serve_with(|command| command);
    let again = second.token();
    let response = second.form("/session/welcome", &[("token", &again)], None).await;
    assert_eq!(location(&response), "/");
    println!("the link stayed the same: {}", token == again);
    second.signal("TERM");
    assert!(second.ended(Duration::from_secs(10)).success());
    let third = place.serve_with(|command| command);
    assert!(third.try_line().is_none());
}

/// A statement that runs for minutes.
const LONG: &str = "SELECT COUNT(*) FROM (VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10)) a(x), \
    (VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10)) b(x), (VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10)) c(x), \
    (VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10)) d(x), (VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10)) e(x), \
    (VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10)) f(x), (VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10)) g(x), \
    (VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10)) h(x), (VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10)) i(x), \
    (VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10)) j(x), (VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10)) k(x) \
    WHERE a.x + b.x + c.x + d.x + e.x + f.x + g.x + h.x + i.x + j.x + k.x > 1000";

async fn start_long_statement(server: &Server) -> String {
    start_statement(server, LONG).await
}

async fn start_statement(server: &Server, sql: &str) -> String {
    let response = server.api(Method::POST, "/projects/sample/statements").json(&json!({ "sql": sql })).send().await;
    let response = response.expect("an answer");
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let run: serde_json::Value = response.json().await.expect("JSON");
    run["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_stopping_server_takes_no_new_work() {
    let place = Place::new();
    let mut server = place.serve();
    let run = start_long_statement(&server).await;
    server.signal("TERM");
    // The signal arrives when it arrives.
    let deadline = Instant::now() + Duration::from_secs(5);
    while server.get("/readyz").await.status() != StatusCode::SERVICE_UNAVAILABLE {
        assert!(Instant::now() < deadline, "still ready");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let refused = server.api(Method::POST, "/projects/sample/statements").json(&json!({ "sql": "select 1" })).send();
    let refused = refused.await.expect("an answer");
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(server.get("/healthz").await.status(), StatusCode::OK);
    let followed = server.api(Method::GET, &format!("/runs/{run}")).send().await.expect("an answer");
    assert_eq!(followed.status(), StatusCode::OK);
    // A cancelled statement ends the wait.
    let cancelled = server.api(Method::POST, &format!("/runs/{run}/cancel")).send().await.expect("an answer");
    assert_eq!(cancelled.status(), StatusCode::ACCEPTED);
    assert!(server.ended(Duration::from_secs(10)).success());
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let place = Place::new();
    let mut server = place.serve();
    start_long_statement(&server).await;
    // Another one is still being planned, which nothing interrupts.
    let columns = |of: &dyn Fn(u32) -> String| (0..5_000).map(of).collect::<Vec<_>>().join(",");
    let (inner, outer) = (columns(&|n| format!("{n} a{n}")), columns(&|n| format!("a{n} + 1 b{n}")));
    start_statement(&server, &format!("SELECT COUNT(*) FROM (SELECT {outer} FROM (SELECT {inner}) t) u")).await;
    server.signal("TERM");
    tokio::time::sleep(Duration::from_millis(500)).await;
    server.signal("TERM");
    let asked = Instant::now();
    assert!(server.ended(Duration::from_secs(5)).success());
    println!("ended {:?} after the second signal", asked.elapsed());
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
}

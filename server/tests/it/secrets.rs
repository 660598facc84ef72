use crate::server::*;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use reqwest::header::COOKIE;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

/// A store that refuses everybody, so that requests are signed for it.
fn refusing_store() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || {
                let mut stream = stream.expect("a connection");
                _ = stream.read(&mut [0; 16 << 10]);
                let body = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>";
                let length = body.len();
                _ = write!(
                    stream,
                    "HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\nContent-Length: {length}\r\n\
                     Connection: close\r\n\r\n{body}"
                );
            });
        }
    });
    format!("http://{address}")
}

/// Everything that a client was answered.
#[derive(Default)]
struct Seen(Vec<(String, String)>);

impl Seen {
    async fn ask(&mut self, request: RequestBuilder) -> (StatusCode, String) {
        let response = request.send().await.expect("an answer");
        let (status, what) = (response.status(), response.url().to_string());
        let head = format!("{:?}", response.headers());
        let body = response.text().await.expect("text");
        self.0.push((what.clone(), head));
        self.0.push((what, body.clone()));
        (status, body)
    }
}

/// Everything in a folder, whatever it is.
fn files(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).expect("listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if let Ok(bytes) = fs::read(&path) {
            found.push((path.display().to_string(), bytes));
        }
    }
}

#[tokio::test]
async fn no_secret_is_seen_again() {
    let place = Place::new();
    let log = place.folder().join("stderr.log");
    let mut server = place.serve_with(|command| {
        let log = fs::File::create(&log).expect("a log");
        command.env("LAKEDECK_ADMIN_PASSWORD", PASSWORD).args(["--log", "trace"]).stderr(log)
    });
    let secret = |name: &str| format!("typed-{name}-0123456789abcdef");
    let mut seen = Seen::default();
    let url = |path: &str| format!("{}{path}", server.url);

    // These two answers carry what they are asked for; nothing else may.
    let body = json!({ "name": "root", "password": PASSWORD });
    let session = server.http.post(url("/api/v1/session")).json(&body).send().await.expect("an answer");
    let session: Value = session.json().await.expect("JSON");
    let token = session["token"].as_str().expect("a token").to_owned();
    let cookie = server.sign_in().await;
    let api =
        |method: Method, path: &str| server.http.request(method, url(&format!("/api/v1{path}"))).bearer_auth(&token);

    let draft = |name: &str, key: &str| {
        json!({
            "name": name, "storage": "s3", "auth": "access_key", "region": "us-east-1", "path_style": true,
            "access_key_id": "AKID", "access_key_secret": secret(key), "session_token": secret(&format!("{key}-token")),
            "endpoint": refusing_store(), "test_directory": "s3://bucket/lake/",
        })
    };
    let (status, _) = seen.ask(api(Method::POST, "/data-sources").json(&draft("store", "created"))).await;
    assert_eq!(status, StatusCode::CREATED);
    let draft_test = json!({ "draft": draft("other", "drafted") });
    let (status, tested) = seen.ask(api(Method::POST, "/data-sources/test").json(&draft_test)).await;
    assert!(status == StatusCode::OK && !tested.contains("Connectable"), "{tested}");
    let directory = json!({ "directory": "s3://bucket/lake/" });
    seen.ask(api(Method::POST, "/data-sources/store/test").json(&directory)).await;
    let (status, _) = seen.ask(api(Method::PUT, "/data-sources/store?version=1").json(&draft("store", "edited"))).await;
    assert_eq!(status, StatusCode::OK);
    let (status, _) = seen.ask(api(Method::POST, "/data-sources").json(&draft("9", "refused"))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let broken = format!("{{\"name\": \"n\", \"access_key_secret\": \"{}\", \"path_style\": 7}}", secret("broken"));
    seen.ask(api(Method::POST, "/data-sources").body(broken)).await;
    let project = json!({ "name": "lake", "server": "store", "bucket_catalog": "s3://bucket/lake/" });
    let (status, _) = seen.ask(api(Method::POST, "/projects").json(&project)).await;
    assert!(status.is_client_error(), "{status}");
    let project = json!({
        "name": "lake", "server_mode": "create", "source": draft("inline", "inline"), "bucket_catalog": "s3://bucket/lake/"
    });
    seen.ask(api(Method::POST, "/projects").json(&project)).await;
    for path in ["/data-sources", "/data-sources/store", "/projects", "/session", "/openapi.json"] {
        seen.ask(api(Method::GET, path)).await;
    }
    for sql in ["SELECT 1 AS a", "SELECT * FROM no_such_table"] {
        let (_, run) = seen.ask(api(Method::POST, "/projects/sample/statements").json(&json!({ "sql": sql }))).await;
        let run: Value = serde_json::from_str(&run).expect("JSON");
        seen.ask(api(Method::GET, &format!("/runs/{}?wait=30", run["id"].as_str().expect("an id")))).await;
    }
    // A form of a browser without scripts, with a mistake in it: it comes back, and what was typed with it.
    let form: String = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("draft[name]", "9"), ("draft[storage]", "s3"), ("draft[auth]", "access_key")])
        .extend_pairs([("draft[access_key_id]", "AKID"), ("draft[access_key_secret]", &secret("form"))])
        .finish();
    for accept in ["text/html", "application/json"] {
        let request =
            server.http.post(url("/fn/data_source/create")).header(COOKIE, &cookie).header("origin", &server.url);
        let request = request.header("accept", accept).header("referer", url("/data-sources/new"));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form.clone());
        seen.ask(request).await;
    }
    let pages =
        ["/", "/data-sources", "/data-sources/new", "/data-sources/store", "/data-sources/store?edit=1", "/projects"];
    for path in pages {
        let (status, _) = seen.ask(server.http.get(url(path)).header(COOKIE, &cookie)).await;
        assert_eq!(status, StatusCode::OK, "{path}");
    }
    seen.ask(server.http.get(url("/api/v1/projects")).bearer_auth(secret("bearer"))).await;
    let wrong = [("name", "root"), ("password", &*secret("guess"))];
    server.form("/session/sign-in", &wrong, None).await;
    seen.ask(server.http.get(url("/metrics"))).await;

    let mut secrets: Vec<String> = ["created", "drafted", "edited", "refused", "inline"]
        .iter()
        .flat_map(|key| [secret(key), secret(&format!("{key}-token"))])
        .collect();
    secrets.extend(["broken", "form", "bearer", "guess"].map(secret));
    let cookie = cookie.split_once('=').expect("a value").1.to_owned();
    secrets.extend([PASSWORD.to_owned(), token, cookie]);
    secrets.extend(secrets.clone().iter().map(|secret| BASE64_STANDARD.encode(secret)));
    secrets.extend(
        secrets[..]
            .iter()
            .filter_map(|id| {
                let id = BASE64_URL_SAFE_NO_PAD.decode(id).ok()?.try_into().ok()?;
                Some(i128::from_le_bytes(id).to_string())
            })
            .collect::<Vec<_>>(),
    );

    let mut found: Vec<(String, Vec<u8>)> = seen.0.into_iter().map(|(what, text)| (what, text.into_bytes())).collect();
    // With the write-ahead log, and once more with everything in its final place.
    files(place.folder(), &mut found);
    server.signal("TERM");
    assert!(server.ended(Duration::from_secs(10)).success());
    files(place.folder(), &mut found);
    for name in ["lakedeck.db", "lakedeck.db-wal", "stderr.log", "logs/lakedeck.log"] {
        assert!(
            found.iter().any(|(what, bytes)| what.ends_with(name) && !bytes.is_empty()),
            "{name} was not looked at"
        );
    }
    for (what, bytes) in &found {
        for secret in &secrets {
            let at = bytes.windows(secret.len()).position(|part| part == secret.as_bytes());
            let around = at.map(|at| String::from_utf8_lossy(&bytes[at.saturating_sub(200)..at]));
            assert!(around.is_none(), "{secret} is in {what}, after {}", around.unwrap_or_default());
        }
    }
}

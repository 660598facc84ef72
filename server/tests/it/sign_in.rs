use crate::server::*;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_SECURITY_POLICY, COOKIE, SET_COOKIE};

#[tokio::test]
async fn strangers_are_shown_the_way() {
    let place = Place::new();
    let server = place.serve();
    let page = server.get("/projects?tab=external").await;
    assert_eq!(page.status(), StatusCode::SEE_OTHER);
    assert_eq!(location(&page), "/sign-in?next=%2Fprojects%3Ftab%3Dexternal");
    for path in ["/fn/data_source/list", "/events/run/x", "/api/v1/projects"] {
        let response = server.get(path).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path}");
        let problem: serde_json::Value = response.json().await.expect("JSON");
        assert_eq!(problem["code"], "unauthenticated", "{path}");
    }
    assert_eq!(server.get("/sign-in").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_link_signs_in_once() {
    let place = Place::new();
    let server = place.serve_with(|command| command);
    let token = server.token();
    // Looking at the link does not use it up.
    for _ in 0..2 {
        let page = server.get(&format!("/welcome?token={token}")).await;
        assert_eq!(page.status(), StatusCode::OK);
        assert!(page.headers().get(SET_COOKIE).is_none());
        let html = page.text().await.expect("text");
        assert!(html.contains("action=\"/session/welcome\"") && html.contains(&token), "a form with the token");
    }
    let wrong = server.form("/session/welcome", &[("token", "0123")], None).await;
    assert_eq!(location(&wrong), "/welcome?error=unauthenticated");
    let entered = server.form("/session/welcome", &[("token", &token), ("next", "/projects")], None).await;
    assert_eq!((entered.status(), location(&entered)), (StatusCode::SEE_OTHER, "/projects"));
    let cookie = cookie(entered.headers());
    assert_eq!(server.get_with("/", &cookie).await.status(), StatusCode::OK);
    let again = server.form("/session/welcome", &[("token", &token)], None).await;
    assert_eq!(location(&again), "/welcome?error=unauthenticated");
}

#[tokio::test]
async fn a_password_signs_in() {
    let place = Place::new();
    let server = place.serve();
    let check = async |name: &str, password: &str, next: &str, expected: &str| {
        let fields = [("name", name), ("password", password), ("next", next)];
        assert_eq!(location(&server.form("/session/sign-in", &fields, None).await), expected, "{name} {next}");
    };
    check("root", PASSWORD, "/worksheets", "/worksheets").await;
    check("root", PASSWORD, "https://evil.example/", "/").await;
    check("root", PASSWORD, "//evil.example/", "/").await;
    check("root", "wrong", "/worksheets", "/sign-in?error=unauthenticated&next=%2Fworksheets").await;
    check("nobody", PASSWORD, "", "/sign-in?error=unauthenticated&next=%2F").await;
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let place = Place::new();
    let server = place.serve();
    let mut limited = false;
    for n in 0..30 {
        let response =
            server.form("/session/sign-in", &[("name", "root"), ("password", &format!("guess {n}"))], None).await;
        limited |= location(&response).starts_with("/sign-in?error=limit_exceeded");
    }
    assert!(limited);
}

#[tokio::test]
async fn the_cookie_is_strict_and_the_session_new() {
    let place = Place::new();
    let server = place.serve();
    let fields = [("name", "root"), ("password", PASSWORD)];
    let name = server.sign_in().await.split_once('=').expect("a cookie").0.to_owned();
    let response = server.form("/session/sign-in", &fields, Some(&format!("{name}=AAAAAAAAAAAAAAAAAAAAAA"))).await;
    let set = response.headers()[SET_COOKIE].to_str().expect("text").to_owned();
    let flags: Vec<&str> = set.split("; ").skip(1).collect();
    assert!(
        set.starts_with(&format!("{name}=")) && name.starts_with("lakedeck-") && !set.contains("AAAAAAAAAAAA"),
        "{set}"
    );
    assert!(flags.contains(&"HttpOnly") && flags.contains(&"SameSite=Lax") && flags.contains(&"Path=/"), "{set}");
    assert!(!flags.contains(&"Secure") && !set.contains("Domain"), "{set}");
    // Signing in again in the same browser makes another session, and the first one ends.
    let first = cookie(response.headers());
    let second = cookie(server.form("/session/sign-in", &fields, Some(&first)).await.headers());
    assert_ne!(first, second);
    assert_eq!(server.get_with("/", &first).await.status(), StatusCode::SEE_OTHER);
    assert_eq!(server.get_with("/", &second).await.status(), StatusCode::OK);
    // Signing out ends the session on the server, not only in the browser.
    assert_eq!(location(&server.form("/session/sign-out", &[], Some(&second)).await), "/sign-in");
    assert_eq!(server.get_with("/", &second).await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn behind_tls_the_cookie_is_bound_to_the_host() {
    let place = Place::new();
    let server = place.serve_with(|command| {
        command.env("LAKEDECK_ADMIN_PASSWORD", PASSWORD).args(["--public-url", "https://lake.example.com"])
    });
    let request = server.http.post(format!("{}/session/sign-in", server.url));
    let request = request.header("host", "lake.example.com").header("origin", "https://lake.example.com");
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let body: String = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("name", "root"), ("password", PASSWORD)])
        .finish();
    let response = request.body(body).send().await.expect("an answer");
    let set = response.headers()[SET_COOKIE].to_str().expect("text");
    assert!(set.starts_with("__Host-lakedeck=") && set.contains("; Secure") && set.contains("; Path=/"), "{set}");
    assert!(!set.contains("Domain"), "{set}");
    assert!(response.headers().contains_key("strict-transport-security"));
}

#[tokio::test]
async fn a_session_outlives_the_server() {
    let place = Place::new();
    let mut server = place.serve();
    let cookie = server.sign_in().await;
    server.signal("TERM");
    assert!(server.ended(std::time::Duration::from_secs(10)).success());
    let server = place.serve();
    assert_eq!(server.get_with("/", &cookie).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn other_sites_cannot_act() {
    let place = Place::new();
    let server = place.serve();
    let cookie = server.sign_in().await;
    let check = async |headers: &[(&str, &str)], expected: StatusCode| {
        let mut request = server.http.post(format!("{}/session/sign-out", server.url)).header(COOKIE, &cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        assert_eq!(request.send().await.expect("an answer").status(), expected, "{headers:?}");
    };
    check(&[("origin", "https://evil.example")], StatusCode::FORBIDDEN).await;
    check(&[("origin", "null")], StatusCode::FORBIDDEN).await;
    check(&[("sec-fetch-site", "cross-site")], StatusCode::FORBIDDEN).await;
    check(&[("sec-fetch-site", "same-site"), ("origin", &server.url)], StatusCode::FORBIDDEN).await;
    check(&[("host", "evil.example")], StatusCode::FORBIDDEN).await;
    check(&[("sec-fetch-site", "same-origin")], StatusCode::SEE_OTHER).await;
    // A name that resolves to this machine reads nothing either.
    let rebound = server.http.get(format!("{}/sign-in", server.url)).header("host", "evil.example").send();
    assert_eq!(rebound.await.expect("an answer").status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn pages_say_what_may_run() {
    let place = Place::new();
    let server = place.serve();
    let page = server.get("/sign-in").await;
    let headers = page.headers().clone();
    let policy = headers[CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned();
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce").to_owned();
    let html = page.text().await.expect("text");
    assert!(html.contains(&format!("nonce=\"{nonce}\"")), "scripts carry the nonce");
    assert!(
        html.split("<script").skip(1).all(|script| script.split('>').next().is_some_and(|tag| tag.contains("nonce=")))
    );
    for part in ["default-src 'self'", "'strict-dynamic'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    let check = |name: &str, expected: &str| assert_eq!(headers[name], expected, "{name}");
    check("x-content-type-options", "nosniff");
    check("referrer-policy", "same-origin");
    check("x-frame-options", "DENY");
    check("cache-control", "private, no-cache");
    let other = server.get("/sign-in").await.headers()[CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned();
    assert_ne!(policy, other, "a nonce is used once");
    let api = server.get("/api/v1/openapi.json").await;
    assert!(api.headers()[CONTENT_SECURITY_POLICY].to_str().expect("text").starts_with("default-src 'none'"));
}

#[tokio::test]
async fn built_files_are_public_and_cached() {
    let place = Place::new();
    let server = place.serve();
    let html = server.get("/sign-in").await.text().await.expect("text");
    let files: Vec<&str> = html.split('"').filter(|text| text.starts_with("/pkg/")).collect();
    let Some(script) = files.iter().find(|file| file.ends_with("/lakedeck.js") && file.matches('/').count() == 3)
    else {
        eprintln!("skipped: no site was built into this binary (cargo xtask site)");
        return;
    };
    let check = async |path: &str, kind: &str| {
        let response = server.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()["content-type"], kind, "{path}");
        assert!(response.headers()["cache-control"].to_str().expect("text").contains("immutable"), "{path}");
        assert!(response.headers().get(SET_COOKIE).is_none());
        let etag = response.headers()["etag"].clone();
        let again = server.http.get(format!("{}{path}", server.url)).header("if-none-match", etag).send().await;
        assert_eq!(again.expect("an answer").status(), StatusCode::NOT_MODIFIED, "{path}");
    };
    check(script, "text/javascript; charset=utf-8").await;
    check(&script.replace(".js", ".css"), "text/css; charset=utf-8").await;
    check(&script.replace(".js", ".wasm"), "application/wasm").await;
    let missing = server.get(&script.replace(".js", ".txt")).await;
    assert_ne!(missing.status(), StatusCode::OK);
    let above = server.get("/pkg/../../Cargo.toml").await;
    assert_ne!(above.status(), StatusCode::OK);
}

use crate::server::*;
use reqwest::StatusCode;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

#[tokio::test]
async fn lines_for_programs() {
    let place = Place::new();
    let log = place.folder().join("stderr.log");
    let mut server = place.serve_with(|command| {
        let log = fs::File::create(&log).expect("a log");
        command.env("LAKEDECK_ADMIN_PASSWORD", PASSWORD).env("LAKEDECK_LOG_FORMAT", "json").stderr(log)
    });
    server.form("/session/sign-in", &[("name", "root"), ("password", "wrong")], None).await;
    let cookie = server.sign_in().await;
    assert_eq!(server.get_with("/projects", &cookie).await.status(), StatusCode::OK);
    server
        .http
        .get(format!("{}/api/v1/projects", server.url))
        .bearer_auth("malformed")
        .send()
        .await
        .expect("an answer");
    server.signal("TERM");
    assert!(server.ended(Duration::from_secs(10)).success());

    let text = fs::read_to_string(&log).expect("a log");
    assert!(!text.contains("Some(") && !text.contains("suspicious"), "{text}");
    let file = fs::read_to_string(place.data().join("logs/lakedeck.log")).expect("a log");
    let messages = |lines: &[Value]| {
        let mut messages: Vec<String> = lines.iter().map(|line| line["message"].to_string()).collect();
        messages.sort();
        messages
    };
    let (file, lines) = (lines(&file), lines(&text));
    assert_eq!(messages(&file), messages(&lines), "the file in the data directory says the same");
    let page =
        lines.iter().find(|line| line["message"] == "GET /projects answered 200 OK").expect("a line of the page");
    assert!(page["http.status"] == 200 && page["duration_ms"].is_u64(), "{page}");
    assert!(page["span"].is_null() && page["spans"].as_array().is_some_and(|spans| spans.len() == 1), "{page}");
    assert!(page["spans"][0]["principal.name"].as_str().is_some_and(|name| name.ends_with(":root")), "{page}");
    let refused = lines.iter().find(|line| line["message"] == "sign-in refused").expect("a line of the refusal");
    assert!(refused["origin"] == "127.0.0.1" && refused["level"] == "WARN", "{refused}");
}

#[test]
fn lines_for_people() {
    let place = Place::new();
    let log = place.folder().join("stderr.log");
    let mut server = place.serve_with(|command| command.stderr(fs::File::create(&log).expect("a log")));
    server.signal("TERM");
    assert!(server.ended(Duration::from_secs(10)).success());
    let text = fs::read_to_string(&log).expect("a log");
    assert!(text.contains(&format!(" INFO ready on {}\n", server.url)), "{text}");
    let file = fs::read_to_string(place.data().join("logs/lakedeck.log")).expect("a log");
    assert!(lines(&file).iter().any(|line| line["message"] == format!("ready on {}", server.url)), "{file}");
}

#[test]
fn the_data_directory_without_an_option() {
    let place = Place::new();
    let start = |variable: &str, expected: &str| {
        let base = place.folder().join(variable);
        fs::create_dir(&base).expect("made");
        let mut command = lakedeck();
        command.args(["serve", "--listen", "127.0.0.1:0", "--no-open", "--no-sample"]);
        command.env("HOME", place.folder().join("nowhere")).env_remove("XDG_DATA_HOME").env(variable, &base);
        let _server = Server::spawn(command);
        let data = base.join(expected);
        assert!(data.join("lakedeck.db").exists(), "{}", data.display());
        let mode = fs::metadata(&data).expect("made").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{mode:o}");
    };
    start("XDG_DATA_HOME", "lakedeck");
    start("HOME", ".local/share/lakedeck");
}

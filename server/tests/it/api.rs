use crate::server::*;
use reqwest::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

pub async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status();
    let text = response.text().await.expect("text");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// Runs statements and waits for their end.
async fn run(server: &Server, project: &str, sql: &str, after: Value) -> Value {
    let body = json!({ "sql": sql, "after": after });
    let (status, run) = answer(server.api(Method::POST, &format!("/projects/{project}/statements")).json(&body)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{run}");
    let path = format!("/runs/{}?wait=30", run["id"].as_str().expect("an id"));
    let (status, run) = answer(server.api(Method::GET, &path)).await;
    assert_eq!((status, &run["is_finished"]), (StatusCode::OK, &json!(true)), "{run}");
    run
}

fn states(run: &Value) -> Vec<&str> {
    run["statements"].as_array().expect("statements").iter().map(|one| one["state"].as_str().expect("text")).collect()
}

#[tokio::test]
async fn from_nothing_to_rows() {
    let place = Place::new();
    let server = place.serve();
    let source = json!({ "name": "external_fs", "storage": "local", "auth": "none" });
    let (status, created) = answer(server.api(Method::POST, "/data-sources").json(&source)).await;
    assert_eq!((status, &created["name"]), (StatusCode::CREATED, &json!("external_fs")), "{created}");
    let (status, problem) = answer(server.api(Method::POST, "/data-sources").json(&source)).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("already_exists")));

    let warehouse = place.warehouse("paimon-test");
    let project = json!({ "name": "paimon_project", "server": "external_fs", "bucket_catalog": warehouse });
    let (status, created) = answer(server.api(Method::POST, "/projects").json(&project)).await;
    assert_eq!(status, StatusCode::CREATED, "{created}");
    assert_eq!(created["bucket_catalog"], format!("{}/", warehouse.display()));

    let test = server.api(Method::POST, "/data-sources/external_fs/test").json(&json!({ "directory": warehouse }));
    let (status, test) = answer(test).await;
    assert_eq!((status, &test["state"]), (StatusCode::OK, &json!("Connectable")), "{test}");

    let made = run(
        &server,
        "paimon_project",
        "CREATE schema testschema; use schema testschema; \
        CREATE TABLE table_test(id INT, name STRING); INSERT INTO table_test VALUES (101,'Zhang San'),(102,'Li Si');",
        Value::Null,
    )
    .await;
    assert_eq!(states(&made), ["succeeded"; 4], "{made}");
    assert_eq!(made["statements"][3]["affected_rows"], 2);
    // The session goes on where the first run left it.
    let read = run(&server, "paimon_project", "SELECT * FROM table_test;", made["id"].clone()).await;
    let id = read["id"].as_str().expect("an id");
    let (_, page) = answer(server.api(Method::GET, &format!("/runs/{id}/results/0?offset=1&count=5"))).await;
    assert_eq!(page, json!({ "offset": 1, "rows": [["102", "Li Si"]], "row_count": 2 }));
    let check = async |format: &str, expected: &str| {
        let response = server.api(Method::GET, &format!("/runs/{id}/results/0/export?format={format}")).send().await;
        assert!(response.expect("an answer").text().await.expect("text").contains(expected), "{format}");
    };
    check("csv", "102,Li Si").await;
    check("json", "\"Li Si\"").await;
    check("txt", "| 102        | Li Si      |\n").await;
    let (status, _) = answer(server.api(Method::GET, &format!("/runs/{id}/results/0/export?format=xls"))).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);

    let (_, tables) = answer(server.api(Method::GET, "/projects/paimon_project/schemas/testschema/tables")).await;
    assert_eq!(tables, json!(["table_test"]));
    let (_, table) =
        answer(server.api(Method::GET, "/projects/paimon_project/schemas/testschema/tables/table_test")).await;
    assert_eq!(table["columns"][1]["name"], "name");

    let (status, problem) = answer(server.api(Method::DELETE, "/data-sources/external_fs")).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    let (status, _) = answer(server.api(Method::DELETE, "/projects/paimon_project")).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert!(warehouse.join("testschema.db/table_test/schema/schema-0").exists(), "only the mapping is deleted");
    let (status, _) = answer(server.api(Method::DELETE, "/data-sources/external_fs")).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn the_sample_is_there() {
    let place = Place::new();
    let server = place.serve();
    let read =
        run(&server, "sample", "SET odps.sql.allow.fullscan=true; SELECT * FROM sample.default.test_tbl;", Value::Null)
            .await;
    assert_eq!((states(&read), &read["statements"][1]["row_count"]), (vec!["succeeded"; 2], &json!(3)), "{read}");
    let metrics = server.get("/metrics").await.text().await.expect("text");
    assert!(
        metrics.contains("lakedeck_statement_duration_seconds_count{verb=\"SELECT\",outcome=\"succeeded\"} 1"),
        "{metrics}"
    );
    assert!(
        metrics.contains("lakedeck_run_active_count 0") && metrics.contains("lakedeck_commit_count_total"),
        "{metrics}"
    );
    let failed = run(&server, "sample", "SELECT 1; SELECT * FROM no_such_table; SELECT 2", Value::Null).await;
    assert_eq!(states(&failed)[..2], ["succeeded", "failed"], "{failed}");
}

#[tokio::test]
async fn runs_are_followed_and_fetched() {
    let place = Place::new();
    let server = place.serve();
    let read = run(&server, "sample", "SELECT 1 AS one", Value::Null).await;
    let id = read["id"].as_str().expect("an id");
    let cookie = server.sign_in().await;
    let events = server.get_with(&format!("/events/run/{id}"), &cookie).await;
    assert_eq!(events.headers()[CONTENT_TYPE], "text/event-stream");
    let text = events.text().await.expect("the stream ends");
    assert!(text.starts_with("data: {") && text.contains("\"is_finished\":true"), "{text}");
    assert!(text.ends_with("event: done\ndata: {}\n\n"), "{text}");
    let unknown = server.get_with("/events/run/00000000-0000-0000-0000-000000000000", &cookie).await;
    assert_eq!(unknown.status(), StatusCode::NO_CONTENT);
    let unknown = server.get_with("/events/probe/00000000-0000-0000-0000-000000000000", &cookie).await;
    assert_eq!(unknown.status(), StatusCode::NO_CONTENT);

    let check = async |file: &str, kind: &str, expected: &[u8]| {
        let response = server.get_with(&format!("/download/run/{id}/{file}"), &cookie).await;
        assert_eq!(
            (response.status(), &response.headers()[CONTENT_TYPE]),
            (StatusCode::OK, &kind.parse().expect("valid"))
        );
        let disposition = response.headers()["content-disposition"].to_str().expect("text").to_owned();
        assert!(
            disposition.starts_with("attachment; filename=\"result-") && disposition.ends_with(&format!("-{file}\""))
        );
        let body = response.bytes().await.expect("a body");
        assert!(body.windows(expected.len()).any(|window| window == expected), "{file}: {body:?}");
    };
    check("0.csv", "text/csv; charset=utf-8", b"one\r\n1\r\n").await;
    check("0.json", "application/json", b"\"one\"").await;
    check("0.arrow", "application/vnd.apache.arrow.file", b"ARROW1").await;
    check("0.txt", "text/plain; charset=utf-8", b"| one        |").await;
    for file in ["0.exe", "x.csv", "0"] {
        let response = server.get_with(&format!("/download/run/{id}/{file}"), &cookie).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{file}");
    }
}

#[tokio::test]
async fn tokens_stand_for_passwords() {
    let place = Place::new();
    let server = place.serve();
    let api = format!("{}/api/v1", server.url);
    let refused = server.http.get(format!("{api}/projects")).send().await.expect("an answer");
    assert_eq!(
        (refused.status(), &refused.headers()[WWW_AUTHENTICATE]),
        (StatusCode::UNAUTHORIZED, &"Basic realm=\"lakedeck\"".parse().expect("valid"))
    );
    let wrong = server.http.get(format!("{api}/projects")).basic_auth("root", Some("wrong")).send();
    assert_eq!(wrong.await.expect("an answer").status(), StatusCode::UNAUTHORIZED);
    let body = json!({ "name": "root", "password": PASSWORD });
    let (status, session) = answer(server.http.post(format!("{api}/session")).json(&body)).await;
    assert_eq!(status, StatusCode::OK, "{session}");
    let token = session["token"].as_str().expect("a token");
    let (status, who) = answer(server.http.get(format!("{api}/session")).bearer_auth(token)).await;
    assert_eq!((status, &who["has_password"]), (StatusCode::OK, &json!(true)), "{who}");
    assert!(who["principal"].as_str().expect("text").ends_with(":root"));
    let (status, _) = answer(server.http.delete(format!("{api}/session")).bearer_auth(token)).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = answer(server.http.get(format!("{api}/session")).bearer_auth(token)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn mistakes_are_told() {
    let place = Place::new();
    let server = place.serve();
    let check = async |request: RequestBuilder, status: StatusCode, code: &str| {
        let (got, problem) = answer(request).await;
        assert_eq!((got, &problem["code"]), (status, &json!(code)), "{problem}");
        assert!(problem["request_id"].as_str().is_some_and(|id| id.len() == 32), "{problem}");
        problem
    };
    let post = |path: &str| server.api(Method::POST, path);
    check(post("/data-sources").body("{"), StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    let fields =
        check(post("/data-sources").json(&json!({ "name": "9" })), StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    assert_eq!(fields["fields"][0]["field"], "name");
    check(server.api(Method::GET, "/projects/nowhere"), StatusCode::NOT_FOUND, "not_found").await;
    check(server.api(Method::GET, "/no/such/thing"), StatusCode::NOT_FOUND, "not_found").await;
    check(post("/projects/nowhere/statements").json(&json!({ "sql": "select 1" })), StatusCode::NOT_FOUND, "not_found")
        .await;
    let large = post("/projects/sample/statements").body(vec![b' '; (16 << 20) + 1]);
    check(large, StatusCode::PAYLOAD_TOO_LARGE, "limit_exceeded").await;
    check(post("/data-sources/any"), StatusCode::METHOD_NOT_ALLOWED, "unsupported").await;
    let patched = server.api(Method::PATCH, "/projects").send().await.expect("an answer");
    assert_eq!(patched.headers()["allow"], "GET,HEAD,POST");
    check(server.api(Method::PATCH, "/projects"), StatusCode::METHOD_NOT_ALLOWED, "unsupported").await;
    let endpoint = check(
        post("/data-sources").json(&json!({ "name": "n", "auth": "environment" })),
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid",
    );
    assert!(endpoint.await["message"].as_str().is_some_and(|message| message.contains("oss-cn-hangzhou")));
    let unknown = check(
        post("/data-sources").json(&json!({ "name": "n", "endpont": "h" })),
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid",
    );
    assert!(unknown.await["message"].as_str().is_some_and(|message| message.contains("`endpont`")));
    for path in
        ["/runs/x/results/abc", "/runs/x/results/0?count=abc", "/runs/x?wiat=1", "/projects/name-available?nmae=x"]
    {
        check(server.api(Method::GET, path), StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    }
    check(server.api(Method::PUT, "/data-sources/x").body("{}"), StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
    let deep = post("/data-sources").body(format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    check(deep, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await;
}

#[tokio::test]
async fn what_pages_ask_is_answered_as_strictly() {
    let place = Place::new();
    let server = place.serve();
    let cookie = server.sign_in().await;
    let check = async |path: &str, body: &'static str, expected: StatusCode| {
        let request = server.http.post(format!("{}{path}", server.url)).header("origin", &server.url);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").header("cookie", &cookie);
        let (status, problem) = answer(request.body(body)).await;
        assert_eq!(status, expected, "{path}: {problem}");
    };
    check("/fn/data_source/create", "", StatusCode::UNPROCESSABLE_ENTITY).await;
    check("/fn/run/cell", "run=x&index=minus", StatusCode::UNPROCESSABLE_ENTITY).await;
    check("/fn/session/preference", "", StatusCode::UNPROCESSABLE_ENTITY).await;
    check("/fn/nope", "", StatusCode::NOT_FOUND).await;
}

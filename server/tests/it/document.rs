//! The OpenAPI document against the server: every operation is called, and what goes there and comes back must be what
//! the document says.

use crate::server::*;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One who calls operations by the document.
struct Reader {
    server: Server,
    document: Value,
    token: String,
    called: BTreeSet<String>,
}

impl Reader {
    async fn new(server: Server) -> Self {
        let document = server.http.get(format!("{}/api/v1/openapi.json", server.url)).send().await.expect("an answer");
        assert_eq!(document.status(), StatusCode::OK, "it is public");
        let document = document.json().await.expect("JSON");
        Self { server, document, token: String::new(), called: BTreeSet::new() }
    }

    /// What a reference stands for.
    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => {
                let path = reference.strip_prefix('#').expect("a local reference");
                self.document.pointer(path).unwrap_or_else(|| panic!("{reference} leads nowhere"))
            }
            None => value,
        }
    }

    /// Calls an operation, `path` filled into its address, and gives back the answer's body.
    async fn call(&mut self, method: Method, template: &str, path: &str, body: Option<Value>, expected: u16) -> Value {
        let what = format!("{method} {path}");
        let operation = &self.document["paths"][template][method.as_str().to_lowercase()];
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {template} is not described"));
        let mut request = self.server.http.request(method.clone(), format!("{}{path}", self.server.url));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = &body {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            self.check(schema, body, &format!("{what}: the request"));
            request = request.json(body);
        }
        let response = request.send().await.expect("an answer");
        let status = response.status().as_u16();
        let kind = response.headers().get(CONTENT_TYPE).map(|kind| kind.to_str().expect("text").to_owned());
        let text = response.text().await.expect("text");
        assert_eq!(status, expected, "{what}: {text}");
        let declared = self.resolved(&operation["responses"][status.to_string()]);
        assert!(declared.is_object(), "{what}: {status} is not described");
        let id = id.to_owned();
        let answer = match kind.as_deref().and_then(|kind| kind.split(';').next()) {
            None => Value::Null,
            Some(kind) => {
                let content = &declared["content"][kind];
                assert!(content.is_object(), "{what}: {status} with {kind} is not described");
                let is_json = kind == "application/json" && content["schema"]["type"] != "string";
                let answer = if is_json { serde_json::from_str(&text).expect("JSON") } else { Value::String(text) };
                self.check(&content["schema"], &answer, &what);
                answer
            }
        };
        self.called.insert(id);
        answer
    }

    /// Panics where a value is not as its schema says; what the schema does not know may not be there.
    fn check(&self, schema: &Value, value: &Value, at: &str) {
        if let Err(why) = self.fits(self.resolved(schema), value, at) {
            panic!("{why}");
        }
    }

    fn fits(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let wrong = |why: &str| Err(format!("{at}: {why}: {value}"));
        if let Some(choices) = schema["oneOf"].as_array() {
            let fitting = choices.iter().filter(|one| self.fits(self.resolved(one), value, at).is_ok()).count();
            return if fitting == 1 { Ok(()) } else { wrong("fits none or several") };
        }
        let types = match &schema["type"] {
            Value::String(one) => vec![one.as_str()],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => return wrong("its type is not described"),
        };
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        if !types.contains(&kind) {
            return wrong(&format!("is no {}", types.join(" or ")));
        }
        if schema["enum"].as_array().is_some_and(|choices| !choices.contains(value)) {
            return wrong("is none of the choices");
        }
        match value {
            Value::String(text) if schema["format"] == "date-time" && text.parse::<jiff::Timestamp>().is_err() => {
                wrong("is no moment")
            }
            Value::Array(items) => items
                .iter()
                .enumerate()
                .try_for_each(|(n, item)| self.fits(self.resolved(&schema["items"]), item, &format!("{at}[{n}]"))),
            Value::Object(fields) => {
                let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                if let Some(missing) = required.into_iter().find(|name| !fields.contains_key(*name)) {
                    return wrong(&format!("lacks `{missing}`"));
                }
                fields.iter().try_for_each(|(name, field)| {
                    let known = schema["properties"].get(name).or(schema.get("additionalProperties"));
                    match known {
                        Some(known) => self.fits(self.resolved(known), field, &format!("{at}.{name}")),
                        None => Err(format!("{at}: `{name}` is not described: {field}")),
                    }
                })
            }
            _ => Ok(()),
        }
    }
}

const SOURCES: &str = "/api/v1/data-sources";
const SOURCE: &str = "/api/v1/data-sources/{name}";
const PROJECTS: &str = "/api/v1/projects";
const PROJECT: &str = "/api/v1/projects/{project}";
const RUN: &str = "/api/v1/runs/{run}";

#[tokio::test]
async fn answers_are_what_the_document_says() {
    let place = Place::new();
    let warehouse = place.warehouse("lake");
    let mut reader = Reader::new(place.serve()).await;
    let (get, put, post, delete) = (Method::GET, Method::PUT, Method::POST, Method::DELETE);

    reader.call(get.clone(), PROJECTS, PROJECTS, None, 401).await;
    let wrong = json!({ "name": "root", "password": "wrong" });
    reader.call(post.clone(), "/api/v1/session", "/api/v1/session", Some(wrong), 401).await;
    let right = json!({ "name": "root", "password": PASSWORD });
    let session = reader.call(post.clone(), "/api/v1/session", "/api/v1/session", Some(right), 200).await;
    reader.token = session["token"].as_str().expect("a token").to_owned();
    reader.call(get.clone(), "/api/v1/session", "/api/v1/session", None, 200).await;

    // Its name is that of an address for drafts: nothing of it is hidden.
    let draft = json!({ "name": "test", "storage": "local", "auth": "none" });
    let draft_test = json!({ "draft": draft, "existing": null });
    let test = reader
        .call(post.clone(), "/api/v1/data-sources/test", "/api/v1/data-sources/test", Some(draft_test), 200)
        .await;
    assert_eq!(test["state"], "Connectable", "{test}");
    reader.call(get.clone(), SOURCE, "/api/v1/data-sources/test", None, 404).await;
    reader.call(post.clone(), SOURCES, SOURCES, Some(draft.clone()), 201).await;
    reader.call(post.clone(), SOURCES, SOURCES, Some(draft.clone()), 409).await;
    reader.call(post.clone(), SOURCES, SOURCES, Some(json!({ "name": "9" })), 422).await;
    let directory = json!({ "directory": warehouse });
    reader
        .call(post.clone(), "/api/v1/data-sources/{name}/test", "/api/v1/data-sources/test/test", Some(directory), 200)
        .await;
    reader.call(get.clone(), SOURCES, SOURCES, None, 200).await;
    reader.call(get.clone(), SOURCE, "/api/v1/data-sources/test", None, 200).await;
    reader.call(put.clone(), SOURCE, "/api/v1/data-sources/test?version=1", Some(draft.clone()), 200).await;
    reader.call(put.clone(), SOURCE, "/api/v1/data-sources/test?version=1", Some(draft.clone()), 409).await;
    reader.call(put.clone(), SOURCE, "/api/v1/data-sources/test", Some(draft), 422).await;

    let free = "/api/v1/projects/name-available";
    let answer = reader.call(get.clone(), free, "/api/v1/projects/name-available?name=lake", None, 200).await;
    assert_eq!(answer, json!({ "available": true }));
    let answer = reader.call(get.clone(), free, "/api/v1/projects/name-available?name=SAMPLE", None, 200).await;
    assert_eq!(answer, json!({ "available": false }));
    let refused = reader.call(get.clone(), free, "/api/v1/projects/name-available?name=1", None, 422).await;
    assert_eq!(refused["fields"][0]["field"], "name");
    let project = json!({ "name": "lake", "server": "test", "bucket_catalog": warehouse });
    let project = reader.call(post.clone(), PROJECTS, PROJECTS, Some(project), 201).await;
    reader.call(get.clone(), PROJECTS, PROJECTS, None, 200).await;
    reader.call(get.clone(), PROJECT, "/api/v1/projects/lake", None, 200).await;
    reader.call(get.clone(), PROJECT, "/api/v1/projects/nowhere", None, 404).await;
    let edit = json!({
        "description": "new", "quota": project["quota"], "owner": project["owner"], "options": project["options"],
        "version": project["version"],
    });
    let project = reader.call(put.clone(), PROJECT, "/api/v1/projects/lake", Some(edit), 200).await;
    let state = "/api/v1/projects/{project}/state";
    let change = json!({ "state": "disabled", "version": project["version"] });
    let project = reader.call(put.clone(), state, "/api/v1/projects/lake/state", Some(change), 200).await;
    let change = json!({ "state": "enabled", "version": project["version"] });
    reader.call(put.clone(), state, "/api/v1/projects/lake/state", Some(change), 200).await;

    let schemas = "/api/v1/projects/{project}/schemas";
    reader.call(get.clone(), schemas, "/api/v1/projects/sample/schemas", None, 200).await;
    let tables = "/api/v1/projects/{project}/schemas/{schema}/tables";
    reader.call(get.clone(), tables, "/api/v1/projects/sample/schemas/default/tables", None, 200).await;
    let table = "/api/v1/projects/{project}/schemas/{schema}/tables/{table}";
    reader.call(get.clone(), table, "/api/v1/projects/sample/schemas/default/tables/test_tbl", None, 200).await;

    let sql = "SET odps.sql.allow.fullscan=true; SELECT * FROM test_tbl; SELECT * FROM test_tb";
    let statements = "/api/v1/projects/{project}/statements";
    let path = "/api/v1/projects/sample/statements";
    let run = reader.call(post.clone(), statements, path, Some(json!({ "sql": sql })), 202).await;
    let run = format!("/api/v1/runs/{}", run["id"].as_str().expect("an id"));
    let ended = reader.call(get.clone(), RUN, &format!("{run}?wait=30"), None, 200).await;
    assert!(ended["statements"][2]["error"]["suggestion"].is_string(), "{ended}");
    reader.call(get.clone(), RUN, "/api/v1/runs/unknown", None, 404).await;
    reader.call(get.clone(), "/api/v1/runs/{run}/events", &format!("{run}/events"), None, 200).await;
    reader.call(post.clone(), "/api/v1/runs/{run}/cancel", &format!("{run}/cancel"), None, 202).await;
    let page = "/api/v1/runs/{run}/results/{index}";
    reader.call(get.clone(), page, &format!("{run}/results/1?count=2"), None, 200).await;
    reader.call(get.clone(), page, &format!("{run}/results/0"), None, 404).await;
    for format in ["csv", "json", "txt"] {
        let export = "/api/v1/runs/{run}/results/{index}/export";
        reader.call(get.clone(), export, &format!("{run}/results/1/export?format={format}"), None, 200).await;
    }

    reader.call(delete.clone(), SOURCE, "/api/v1/data-sources/test", None, 409).await;
    reader.call(delete.clone(), PROJECT, "/api/v1/projects/lake", None, 204).await;
    reader.call(delete.clone(), SOURCE, "/api/v1/data-sources/test", None, 204).await;
    reader.call(delete, "/api/v1/session", "/api/v1/session", None, 204).await;

    let described = reader.document["paths"].as_object().expect("paths").values();
    let described = described.flat_map(|path| path.as_object().expect("operations").values());
    let described = described.filter_map(|operation| operation["operationId"].as_str().map(str::to_owned));
    assert_eq!(reader.called, described.collect::<BTreeSet<_>>());
    for (path, operations) in reader.document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            for (status, response) in operation["responses"].as_object().expect("responses") {
                let response = reader.resolved(response);
                assert!(response["description"].is_string(), "{method} {path} {status}");
                if status.starts_with(['4', '5']) {
                    let schema = &response["content"]["application/json"]["schema"]["$ref"];
                    assert_eq!(schema, "#/components/schemas/Problem", "{method} {path} {status}");
                }
            }
        }
    }
}

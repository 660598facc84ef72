//! The OpenAPI document: addresses from the handlers, shapes from `schemas.json`.

use super::{catalog, data_source, external_project, session, statement};
use axum::routing::get;
use axum::{Json, Router};
use service::Services;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, Content, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

pub fn routes() -> Router<Services> {
    Router::new().route("/api/v1/openapi.json", get(async || Json(&*DOCUMENT)))
}

static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(Api::openapi);

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "Lakedeck", description = "Data sources, projects, statements and results of a Lakedeck server."),
    paths(
        session::sign_in,
        session::signed_in,
        session::sign_out,
        data_source::list,
        data_source::create,
        data_source::read,
        data_source::update,
        data_source::delete,
        data_source::test,
        data_source::test_draft,
        external_project::list,
        external_project::create,
        external_project::name_available,
        external_project::read,
        external_project::update,
        external_project::set_state,
        external_project::delete,
        catalog::schemas,
        catalog::tables,
        catalog::table,
        statement::start,
        statement::read,
        statement::follow,
        statement::cancel,
        statement::page,
        statement::export,
    ),
    security(("basic" = []), ("bearer" = [])),
    modifiers(&Shapes, &Refusals),
)]
struct Api;

/// Adds the shapes and the two ways to authenticate. The model knows nothing of OpenAPI, because the browser shares it.
struct Shapes;

impl Modify for Shapes {
    fn modify(&self, api: &mut OpenApi) {
        let components = api.components.get_or_insert_with(Components::new);
        components.schemas.extend(shapes());
        let scheme = |scheme| SecurityScheme::Http(Http::new(scheme));
        components.add_security_scheme("basic", scheme(HttpAuthScheme::Basic));
        components.add_security_scheme("bearer", scheme(HttpAuthScheme::Bearer));
    }
}

/// Adds to each operation how it is refused, as far as that follows from what it takes. What a handler says itself stays.
struct Refusals;

impl Modify for Refusals {
    fn modify(&self, api: &mut OpenApi) {
        let problem = || Content::new(Some(Ref::from_schema_name("Problem")));
        let components = api.components.get_or_insert_with(Components::new);
        for (status, description) in REFUSALS {
            let response = ResponseBuilder::new().description(*description).content("application/json", problem());
            components.responses.insert((*status).into(), response.build().into());
        }
        for (path, item) in &mut api.paths.paths {
            let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                let has_query = operation.parameters.iter().flatten().any(|one| one.parameter_in == ParameterIn::Query);
                let has_body = operation.request_body.is_some();
                let is_named = path.contains('{');
                let statuses = [
                    ("401", true),
                    ("403", operation.security.is_none()),
                    ("404", is_named),
                    ("408", has_body),
                    ("413", has_body),
                    ("422", has_body || has_query || is_named),
                    ("429", has_body),
                    ("500", true),
                    ("503", true),
                ];
                for (status, _) in statuses.into_iter().filter(|(_, applies)| *applies) {
                    let refusal = RefOr::Ref(Ref::from_response_name(status));
                    operation.responses.responses.entry(status.into()).or_insert(refusal);
                }
            }
        }
    }
}

/// Status and meaning of a [`Problem`](model::problem::Problem).
const REFUSALS: &[(&str, &str)] = &[
    ("401", "Nobody is signed in, or the password or token is wrong"),
    ("403", "A privilege is missing"),
    ("404", "There is no such thing"),
    ("408", "The request did not come in time"),
    ("413", "The request is larger than the server takes"),
    ("422", "What was sent is not understood, or needs to be corrected in the fields that are named"),
    ("429", "A limit is reached: the message names it"),
    ("500", "Our fault: the request id finds it in the log"),
    ("503", "The server is stopping, or what it needs does not answer"),
];

fn shapes() -> BTreeMap<String, RefOr<Schema>> {
    serde_json::from_str(include_str!("schemas.json")).expect("schemas.json is tested")
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::external_project::{ExternalProjectDraft, ProjectOptions};
    use model::problem::{ErrorCode, Problem};
    use model::worksheet::*;
    use serde::Serialize;
    use serde_json::{Value, json};
    use std::collections::BTreeSet;

    #[test]
    fn every_reference_leads_somewhere() {
        let document = serde_json::to_value(&*DOCUMENT).expect("serialises");
        let mut pending = vec![&document];
        while let Some(value) = pending.pop() {
            match value {
                Value::Object(fields) => {
                    if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                        let path = reference.strip_prefix('#').expect("a local reference");
                        assert!(document.pointer(path).is_some(), "{reference}");
                    }
                    pending.extend(fields.values());
                }
                Value::Array(values) => pending.extend(values),
                _ => {}
            }
        }
        assert_eq!(document["openapi"].as_str().map(|version| &version[..3]), Some("3.1"));
        assert!(document["paths"]["/api/v1/projects/{project}/statements"]["post"].is_object());
    }

    /// The shape names exactly the fields that are sent.
    fn check(name: &str, sample: impl Serialize) {
        let shape = serde_json::to_value(&shapes()[name]).expect("serialises");
        let names = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>();
        let sample = serde_json::to_value(sample).expect("serialises");
        assert_eq!(names(&sample), names(&shape["properties"]), "{name}");
    }

    #[test]
    fn shapes_are_what_is_sent() {
        let at = model::Timestamp::UNIX_EPOCH;
        let project = model::names::ProjectName::parse("sample").expect("valid");
        let session = model::session::SqlSession::new(project.clone());
        let statement = StatementRun {
            index: 0,
            instance_id: None,
            verb: "SELECT".into(),
            text: "select 1".into(),
            span: Span::default(),
            state: StatementState::Succeeded,
            started_at: Some(at),
            progress: Progress::default(),
            columns: vec![],
            row_count: 0,
            truncated: None,
            affected_rows: None,
            snapshot_id: None,
            notices: vec![],
            error: None,
        };
        let error = StatementError {
            message: String::new(),
            code: String::new(),
            line: 0,
            column: 0,
            span: None,
            suggestion: None,
            fix: None,
        };
        let run = Run {
            id: "1".into(),
            worksheet: None,
            project,
            started_by: String::new(),
            started_at: at,
            statements: vec![],
            session: session.clone(),
            is_finished: true,
        };
        check("Run", run);
        check("StatementRun", statement);
        check("StatementError", error);
        check("Progress", Progress::default());
        check("SqlSession", session);
        check("ResultPage", ResultPage { offset: 0, rows: vec![], row_count: 0 });
        check("ResultColumn", ResultColumn { name: String::new(), data_type: String::new(), is_number: false });
        check("DataSourceDraft", model::data_source::DataSourceDraft::default());
        check("ExternalProjectDraft", ExternalProjectDraft::default());
        check("ProjectOptions", ProjectOptions::default());
        let problem = Problem {
            hint: Some(String::new()),
            request_id: Some(String::new()),
            ..Problem::on_field(ErrorCode::Invalid, "name", "required", "This field is required.")
        };
        check("FieldProblem", &problem.fields[0]);
        check("Problem", problem);
        check("Statements", json!({"sql": "", "after": null}));
    }
}

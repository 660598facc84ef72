//! Every method × every kind of caller, compared with the ticks in policy_matrix.txt.

use crate::fixture::{Fixture, fixture, local_draft, stranger};
use model::access::Principal;
use model::data_source::{BrowseTarget, DraftUse};
use model::external_project::{ExternalProjectEdit, ProjectOptions, ProjectState};
use model::problem::ErrorCode;
use model::secret::Secret;
use ports::sql_engine::ExportFormat;
use service::{Error, RequestContext};
use std::collections::BTreeSet;

fn mark<T>(result: Result<T, Error>) -> char {
    match result.map_err(|error| error.to_problem("r").code) {
        Err(ErrorCode::Unauthenticated) => '?',
        Err(ErrorCode::Forbidden) => '-',
        // Let in: what comes after is another matter.
        Ok(_) | Err(_) => '+',
    }
}

/// Calls one method with input that is well formed, whether or not it leads anywhere.
async fn call(fixture: &Fixture, method: &str, ctx: &RequestContext) -> Option<char> {
    let id = "none".to_owned();
    let new = || local_draft("matrix").check(DraftUse::Create).unwrap();
    let edit = || ExternalProjectEdit {
        description: String::new(),
        quota: "default".into(),
        owner: String::new(),
        options: ProjectOptions::default(),
        version: 0,
    };
    let project = || fixture.project_draft("matrix", "matrix");
    let target = || BrowseTarget::Stored("none".into());
    let (s, d) = (&fixture.services, || local_draft("matrix"));
    Some(match method {
        "list_data_sources" => mark(s.list_data_sources(ctx).await),
        "data_source" => mark(s.data_source(ctx, "none").await),
        "create_data_source" => mark(s.create_data_source(ctx, new()).await),
        "update_data_source" => mark(s.update_data_source(ctx, "none", new(), 0).await),
        "delete_data_source" => mark(s.delete_data_source(ctx, "none").await),
        "test_data_source_draft" => mark(s.test_data_source_draft(ctx, d(), None).await),
        "test_data_source" => mark(s.test_data_source(ctx, "none", None).await),
        "probe_events" => mark(s.probe_events(ctx, &id).await),
        "test_history" => mark(s.test_history(ctx, "none").await),
        "browse" => mark(s.browse(ctx, target(), "").await),
        "create_folder" => mark(s.create_folder(ctx, target(), "/none/").await),
        "prerequisites" => mark(s.prerequisites(ctx, d()).await),
        "regions" => mark(s.regions(ctx).await),
        "audit_of" => mark(s.audit_of(ctx, "data_source", "none").await),
        "list_projects" => mark(s.list_projects(ctx).await),
        "project" => mark(s.project(ctx, "none").await),
        "project_name_available" => mark(s.project_name_available(ctx, "none").await),
        "project_notices" => mark(s.project_notices(ctx, &project()).await),
        "create_project" => mark(s.create_project(ctx, project()).await),
        "update_project" => mark(s.update_project(ctx, "none", edit()).await),
        "set_project_state" => mark(s.set_project_state(ctx, "none", ProjectState::Enabled, 0).await),
        "delete_project" => mark(s.delete_project(ctx, "none").await),
        "project_overview" => mark(s.project_overview(ctx, "none").await),
        "quotas" => mark(s.quotas(ctx).await),
        "schemas" => mark(s.schemas(ctx, "none").await),
        "tables" => mark(s.tables(ctx, "none", "default").await),
        "table" => mark(s.table(ctx, "none", "default", "t").await),
        "warehouse_files" => mark(s.warehouse_files(ctx, "none", "").await),
        "list_worksheets" => mark(s.list_worksheets(ctx).await),
        "worksheet" => mark(s.worksheet(ctx, &id).await),
        "create_worksheet" => mark(s.create_worksheet(ctx, None, None, "").await),
        "save_worksheet_text" => mark(s.save_worksheet_text(ctx, &id, "", 0).await),
        "rename_worksheet" => mark(s.rename_worksheet(ctx, &id, "x").await),
        "set_worksheet_project" => mark(s.set_worksheet_project(ctx, &id, "none").await),
        "reset_session" => mark(s.reset_session(ctx, &id).await),
        "delete_worksheet" => mark(s.delete_worksheet(ctx, &id).await),
        "run_worksheet" => mark(s.run_worksheet(ctx, &id, "ROWS 1", 0).await),
        "run_statements" => mark(s.run_statements(ctx, "none", "ROWS 1", None).await),
        "run" => mark(s.run(ctx, &id).await),
        "worksheet_runs" => mark(s.worksheet_runs(ctx, &id, 1).await),
        "run_events" => mark(s.run_events(ctx, &id).await),
        "cancel_run" => mark(s.cancel_run(ctx, &id).await),
        "result_page" => mark(s.result_page(ctx, &id, 0, 0, 1).await),
        "cell" => mark(s.cell(ctx, &id, 0, 0, 0).await),
        "result_text" => mark(s.result_text(ctx, &id, 0).await),
        "export" => mark(s.export(ctx, &id, 0, ExportFormat::Csv).await),
        "completion_words" => mark(s.completion_words(ctx).await),
        "set_password" => mark(s.set_password(ctx, None, Secret::new("x")).await),
        "signed_in" => mark(s.signed_in(ctx).await),
        _ => return None,
    })
}

#[tokio::test]
async fn the_matrix_holds() {
    let fixture = fixture().await;
    let nobody = RequestContext { principal: Principal::stored(""), ..stranger() };
    for line in matrix() {
        let [method, expected @ ..] = line.as_slice() else { panic!("{line:?}") };
        let mut got = Vec::new();
        for ctx in [&fixture.ctx, &stranger(), &nobody] {
            got.push(call(&fixture, method, ctx).await.unwrap_or_else(|| panic!("no call for {method}")).to_string());
        }
        assert_eq!(got, expected, "{method}");
    }
}

/// A method that is added without a line fails here.
#[test]
fn every_method_has_a_line() {
    let known: BTreeSet<String> = matrix().into_iter().map(|line| line[0].clone()).collect();
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for declaration in text.split("pub async fn ").skip(1) {
            let (name, rest) = declaration.split_once('(').unwrap();
            // The list of parameters ends before the return type, or before the body where there is none.
            let parameters = rest.split(") -> ").next().and_then(|rest| rest.split(") {").next()).unwrap_or(rest);
            if parameters.contains("ctx: &RequestContext") {
                found.insert(name.to_owned());
            }
        }
    }
    assert_eq!(found, known);
}

fn matrix() -> Vec<Vec<String>> {
    let lines = include_str!("policy_matrix.txt").lines().filter(|line| !line.starts_with('#')).skip(1);
    lines.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

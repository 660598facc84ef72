//! Runs: order, sessions, limits, cancel, results.

use crate::fixture::{fixture, outline, stranger, told, with_limits};
use futures::{StreamExt, TryStreamExt};
use model::worksheet::{Cell, RunSummary, Span, StatementState};
use service::Limits;
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use std::time::Duration;

#[tokio::test]
async fn a_script_runs_in_order_and_stops_at_a_failure() {
    let fixture = fixture().await;
    fixture.new_project("proj").await;
    let run = fixture.run_to_end("proj", "SET a=1; ROWS 3; FAIL; ROWS 1").await;
    assert!(run.is_finished);
    assert_eq!(
        outline(&run),
        "SET Succeeded\nROWS Succeeded\nFAIL Failed ODPS-0130161:[1,1] Parse exception - it failed\n\
         ROWS Cancelled [Not run: the script stopped.]"
    );
    assert_eq!(run.statements[0].instance_id, None);
    assert_eq!(run.statements[1].instance_id.as_ref().map(String::len), Some(24));
    assert_eq!(run.statements[1].row_count, 3);
    assert_eq!(run.session.settings["a"], "1");
    assert_eq!(fixture.run(&fixture.ctx, &run.id).await.unwrap(), run);
    assert_eq!(fixture.runs_active(), 0);
}

#[tokio::test]
async fn what_parses_runs_before_what_does_not() {
    let fixture = fixture().await;
    fixture.new_project("proj").await;
    let run = fixture.run_to_end("proj", "ROWS 1; gibberish; ROWS 1").await;
    assert_eq!(
        outline(&run),
        "ROWS Succeeded\nGIBBERISH Failed ODPS-0130161:[1,1] Parse exception - no such statement"
    );
    // In script mode nothing runs unless everything parses.
    let before = fixture.run_to_end("proj", "SET odps.sql.submit.mode=script").await.id;
    let run = fixture.run_statements(&fixture.ctx, "proj", "ROWS 1; gibberish", Some(&before)).await.unwrap();
    assert!(outline(&fixture.end_of(&run).await).starts_with("ROWS Cancelled"));
    assert_eq!(
        told(fixture.run_statements(&fixture.ctx, "proj", " ; ;", None).await),
        "Invalid script:script_empty There is no statement to run."
    );
}

#[tokio::test]
async fn a_session_goes_on_in_its_own_project_only() {
    let fixture = fixture().await;
    fixture.new_project("proj").await;
    fixture.new_project("other").await;
    let ctx = &fixture.ctx;
    let first = fixture.run_to_end("proj", "SET a=1").await.id;
    let second = fixture.run_statements(ctx, "proj", "SET b=2", Some(&first)).await.unwrap();
    let settings = fixture.end_of(&second).await.session.settings;
    assert_eq!((settings["a"].as_str(), settings["b"].as_str()), ("1", "2"));
    let elsewhere = told(fixture.run_statements(ctx, "other", "ROWS 1", Some(&first)).await);
    assert_eq!(elsewhere, "Invalid after:other_project That run's session is bound to the project proj.");
    let unknown = "no such run".to_owned();
    assert!(told(fixture.run_statements(ctx, "proj", "ROWS 1", Some(&unknown)).await).starts_with("NotFound"));
}

#[tokio::test]
async fn an_end_is_told_once_it_is_noted() {
    let fixture = fixture().await;
    fixture.new_project("proj").await;
    let run = fixture.run_statements(&fixture.ctx, "proj", "WAIT", None).await.unwrap();
    let state = async || fixture.run(&fixture.ctx, &run.id).await.unwrap().statements[0].state;
    while state().await != StatementState::Running {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Somebody holds the database: nothing can be noted until it is let go.
    let options = SqliteConnectOptions::new().filename(fixture.dir.path().join("lakedeck.db"));
    let mut database = SqliteConnection::connect_with(&options).await.unwrap();
    let held = database.begin_with("BEGIN IMMEDIATE").await.unwrap();
    fixture.cancel_run(&fixture.ctx, &run.id).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(state().await, StatementState::Running);
    held.rollback().await.unwrap();
    assert_eq!(outline(&fixture.end_of(&run).await), "WAIT Cancelled");
}

#[tokio::test]
async fn a_panic_is_a_failure_of_its_statement() {
    let fixture = fixture().await;
    fixture.new_project("proj").await;
    let run = fixture.run_to_end("proj", "PANIC").await;
    assert_eq!(
        outline(&run),
        "PANIC Failed ODPS-0010000:System internal error - Something went wrong on our side. (request test)"
    );
    assert_eq!(outline(&fixture.run_to_end("proj", "ROWS 1").await), "ROWS Succeeded");
}

#[tokio::test]
async fn sessions_belong_to_worksheets() {
    let fixture = fixture().await;
    fixture.new_project("proj").await;
    let ctx = &fixture.ctx;
    let one = fixture.create_worksheet(ctx, Some("proj"), None, "").await.unwrap();
    let two = fixture.create_worksheet(ctx, Some("proj"), None, "").await.unwrap();
    let run = fixture.run_worksheet(ctx, &one.id, "SET a=1; FAIL", 100).await.unwrap();
    let run = fixture.end_of(&run).await;
    assert_eq!(run.statements[0].span, Span { start: 100, end: 107 });
    assert_eq!(run.statements[1].error.as_ref().unwrap().span, Some(Span { start: 101, end: 102 }));
    let one = fixture.worksheet(ctx, &one.id).await.unwrap();
    assert_eq!((one.session.settings["a"].as_str(), one.last_run.as_ref()), ("1", Some(&run.id)));
    assert!(fixture.worksheet(ctx, &two.id).await.unwrap().session.settings.is_empty());
    fixture.reset_session(ctx, &one.id).await.unwrap();
    assert!(fixture.worksheet(ctx, &one.id).await.unwrap().session.settings.is_empty());
}

#[tokio::test]
async fn a_worksheet_remembers_what_it_ran() {
    let fixture = fixture().await;
    fixture.new_project("proj").await;
    let ctx = &fixture.ctx;
    let worksheet = fixture.create_worksheet(ctx, Some("proj"), None, "").await.unwrap();
    let other = fixture.create_worksheet(ctx, Some("proj"), None, "").await.unwrap();
    for (id, script) in [(&worksheet.id, "SET a=1; FAIL; ROWS 1"), (&other.id, "ROWS 2"), (&worksheet.id, "ROWS 1")] {
        let run = fixture.run_worksheet(ctx, id, script, 0).await.unwrap();
        fixture.end_of(&run).await;
    }
    let under_way = fixture.run_worksheet(ctx, &worksheet.id, "WAIT", 0).await.unwrap();
    let runs = fixture.worksheet_runs(ctx, &worksheet.id, 50).await.unwrap();
    let told_of = |run: &RunSummary| (run.text.clone(), run.statement_count, run.state, run.elapsed_ms.is_some());
    assert_eq!(
        runs.iter().map(told_of).collect::<Vec<_>>(),
        [
            ("WAIT".to_owned(), 1, StatementState::Running, false),
            ("ROWS 1".to_owned(), 1, StatementState::Succeeded, true),
            ("SET a=1".to_owned(), 3, StatementState::Failed, true),
        ]
    );
    assert_eq!(fixture.worksheet_runs(ctx, &worksheet.id, 2).await.unwrap(), runs[..2]);
    fixture.cancel_run(ctx, &under_way.id).await.unwrap();
    fixture.end_of(&under_way).await;
    assert_eq!(fixture.worksheet_runs(ctx, &worksheet.id, 50).await.unwrap()[0].state, StatementState::Cancelled);
    assert!(told(fixture.worksheet_runs(ctx, &"none".to_owned(), 50).await).starts_with("NotFound"));
}

#[tokio::test]
async fn a_running_worksheet_is_busy_until_it_is_cancelled() {
    let fixture = fixture().await;
    fixture.new_project("proj").await;
    let ctx = &fixture.ctx;
    let worksheet = fixture.create_worksheet(ctx, Some("proj"), None, "").await.unwrap();
    let run = fixture.run_worksheet(ctx, &worksheet.id, "WAIT; ROWS 1", 0).await.unwrap();
    assert_eq!(
        told(fixture.run_worksheet(ctx, &worksheet.id, "ROWS 1", 0).await),
        "Conflict This worksheet is running."
    );
    assert!(told(fixture.reset_session(ctx, &worksheet.id).await).starts_with("Conflict"));
    let mut events = fixture.run_events(ctx, &run.id).await.unwrap();
    while let Some(now) = events.next().await {
        if now.statements[0].state == StatementState::Running {
            break;
        }
    }
    fixture.cancel_run(ctx, &run.id).await.unwrap();
    assert_eq!(outline(&fixture.end_of(&run).await), "WAIT Cancelled\nROWS Cancelled [Not run: cancelled.]");
    // A run that has finished is not cancelled, and that is no error.
    fixture.cancel_run(ctx, &run.id).await.unwrap();
}

#[tokio::test]
async fn events_show_a_run_from_beginning_to_end() {
    let fixture = fixture().await;
    fixture.new_project("proj").await;
    let run = fixture.run_statements(&fixture.ctx, "proj", "ROWS 7; WAIT", None).await.unwrap();
    let mut events = fixture.run_events(&fixture.ctx, &run.id).await.unwrap();
    let first = events.next().await.unwrap();
    assert!(!first.is_finished);
    tokio::time::sleep(Duration::from_millis(300)).await;
    fixture.cancel_run(&fixture.ctx, &run.id).await.unwrap();
    let rest: Vec<_> = events.collect().await;
    assert!(rest.last().unwrap().is_finished && rest.len() < 20);
    assert!(rest.iter().rev().skip(1).all(|run| !run.is_finished));
}

#[tokio::test]
async fn results_are_paged_printed_and_exported() {
    let fixture = fixture().await;
    fixture.new_project("proj").await;
    let ctx = &fixture.ctx;
    let run = fixture.run_to_end("proj", "SET a=1; ROWS 20000; WAITED").await;
    let page = fixture.result_page(ctx, &run.id, 1, 5, 2).await.unwrap();
    assert_eq!(page.rows, [[Cell::Text("5".into())], [Cell::Text("6".into())]]);
    assert_eq!(fixture.result_page(ctx, &run.id, 1, 0, u64::MAX).await.unwrap().rows.len(), 10_000);
    assert_eq!(fixture.cell(ctx, &run.id, 1, 7, 0).await.unwrap(), Cell::Text("7".into()));
    assert!(told(fixture.cell(ctx, &run.id, 1, 20_000, 0).await).starts_with("NotFound"));
    let text: Vec<_> = fixture.result_text(ctx, &run.id, 1).await.unwrap().try_collect().await.unwrap();
    assert_eq!(text.concat(), b"ROWS 20000 {\"a\": \"1\"}\n");
    assert!(fixture.result_text(ctx, &run.id, 0).await.unwrap().next().await.is_none());
    assert_eq!(told(fixture.result_page(ctx, &run.id, 0, 0, 1).await), "NotFound This statement has no rows to show.");
    assert!(told(fixture.result_page(&stranger(), &run.id, 1, 0, 1).await).starts_with("Forbidden"));
    std::fs::remove_dir_all(fixture.dir.path().join("spool").join(&run.id)).unwrap();
    assert_eq!(
        told(fixture.result_page(ctx, &run.id, 1, 0, 1).await),
        "NotFound The rows of this result are no longer kept."
    );
}

#[tokio::test]
async fn what_is_too_much_is_refused() {
    let limits = Limits {
        statements_running_max: 1,
        statements_queued_max: 1,
        script_bytes_max: 1 << 20,
        script_statements_max: 3,
        worksheets_max: 1,
        ..Limits::default()
    };
    let fixture = with_limits(limits).await;
    fixture.new_project("proj").await;
    let ctx = &fixture.ctx;
    let first = fixture.run_statements(ctx, "proj", "WAIT", None).await.unwrap();
    let second = fixture.run_statements(ctx, "proj", "ROWS 1", None).await.unwrap();
    assert_eq!(
        told(fixture.run_statements(ctx, "proj", "ROWS 1", None).await),
        "LimitExceeded 2 scripts are running or waiting already. Try again in a moment."
    );
    // Who waits may be cancelled, too; who waited runs when the place is free.
    assert_eq!(fixture.run(ctx, &second.id).await.unwrap().statements[0].state, StatementState::Waiting);
    fixture.cancel_run(ctx, &first.id).await.unwrap();
    assert_eq!(outline(&fixture.end_of(&second).await), "ROWS Succeeded");
    assert_eq!(
        told(fixture.run_statements(ctx, "proj", "ROWS 1;ROWS 1;ROWS 1;ROWS 1", None).await),
        "LimitExceeded A script has at most 3 statements. Run it in parts."
    );
    assert_eq!(
        told(fixture.run_statements(ctx, "proj", &" ".repeat(2 << 20), None).await),
        "LimitExceeded A script has at most 1 MB. Run it in parts."
    );
    fixture.create_worksheet(ctx, Some("proj"), None, "").await.unwrap();
    assert_eq!(
        told(fixture.create_worksheet(ctx, Some("proj"), None, "").await),
        "LimitExceeded You have 1 worksheets already. Delete some first."
    );
}

#[tokio::test]
async fn deleting_a_project_cancels_what_runs_in_it() {
    let fixture = fixture().await;
    fixture.new_project("proj").await;
    fixture.new_project("other").await;
    let inside = fixture.run_statements(&fixture.ctx, "proj", "WAIT", None).await.unwrap();
    let outside = fixture.run_statements(&fixture.ctx, "other", "WAIT", None).await.unwrap();
    fixture.delete_project(&fixture.ctx, "proj").await.unwrap();
    assert_eq!(outline(&fixture.end_of(&inside).await), "WAIT Cancelled");
    assert!(!fixture.run(&fixture.ctx, &outside.id).await.unwrap().is_finished);
}

#[tokio::test]
async fn statements_see_only_what_exists_and_is_enabled() {
    let fixture = fixture().await;
    fixture.new_project("proj").await;
    let other = fixture.new_project("other").await;
    assert_eq!(outline(&fixture.run_to_end("proj", "READ other.default.t").await), "READ Succeeded");
    assert_eq!(
        outline(&fixture.run_to_end("proj", "READ nowhere.default.t").await),
        "READ Failed ODPS-0130161:[1,1] Parse exception - project not found"
    );
    let disabled = model::external_project::ProjectState::Disabled;
    fixture.set_project_state(&fixture.ctx, "other", disabled, other.version).await.unwrap();
    assert_eq!(
        outline(&fixture.run_to_end("proj", "READ other.default.t").await),
        "READ Failed ODPS-0130013:Authorization exception - project other is disabled"
    );
}

#[tokio::test]
async fn a_lost_reply_is_looked_up() {
    let fixture = fixture().await;
    fixture.new_project("proj").await;
    let run = fixture.run_to_end("proj", "LOSE proj.default.t user-1; ROWS 1").await;
    assert_eq!(
        outline(&run),
        "LOSE Failed ODPS-0010000:System internal error - The statement ended while the store did not answer; nothing \
         was written. Run it again. [The store did not answer.]\nROWS Cancelled [Not run: the script stopped.]"
    );
}

#[tokio::test]
async fn draining_waits_and_then_cancels() {
    let fixture = fixture().await;
    fixture.new_project("proj").await;
    let run = fixture.run_statements(&fixture.ctx, "proj", "WAIT", None).await.unwrap();
    fixture.drain(Duration::from_millis(200)).await;
    assert_eq!(
        told(fixture.run_statements(&fixture.ctx, "proj", "ROWS 1", None).await),
        "Unavailable The server is stopping and starts nothing new."
    );
    assert_eq!(outline(&fixture.run(&fixture.ctx, &run.id).await.unwrap()), "WAIT Cancelled");
}

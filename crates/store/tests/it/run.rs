//! Worksheets, runs and the commit journal.

use crate::{root, store};
use model::Timestamp;
use model::names::ProjectName;
use model::session::SqlSession;
use model::table::TableRef;
use model::worksheet::{Progress, Run, Span, StatementRun, StatementState};
use store::JournalEntry;

fn statement(index: usize) -> StatementRun {
    StatementRun {
        index,
        instance_id: None,
        verb: "SELECT".into(),
        text: format!("SELECT {index}"),
        span: Span { start: 0, end: 8 },
        state: StatementState::Waiting,
        started_at: None,
        progress: Progress::default(),
        columns: Vec::new(),
        row_count: 0,
        truncated: None,
        affected_rows: None,
        snapshot_id: None,
        notices: Vec::new(),
        error: None,
    }
}

#[tokio::test]
async fn a_run_and_its_end() {
    let (_dir, store) = store().await;
    let project = ProjectName::parse("sample").unwrap();
    let session = SqlSession::new(project.clone());
    let mut tx = store.begin().await.unwrap();
    let worksheet = tx.insert_worksheet(&root(), "Worksheet 1", "SELECT 1", &session).await.unwrap();
    let run = Run {
        id: "run-1".into(),
        worksheet: Some(worksheet.id.clone()),
        project: project.clone(),
        started_by: root().to_string(),
        started_at: Timestamp::from_microsecond(1_700_000_000_000_000).unwrap(),
        statements: vec![statement(0), statement(1)],
        session: session.clone(),
        is_finished: false,
    };
    tx.insert_run(&run).await.unwrap();
    tx.set_worksheet_run(&worksheet.id, &run.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.run(&run.id).await.unwrap().unwrap(), run);
    assert_eq!(store.unfinished_runs().await.unwrap(), std::slice::from_ref(&run));

    let entry = JournalEntry {
        table: TableRef { project, schema: "default".into(), table: "t".into() },
        commit_user: "user-1".into(),
    };
    let mut tx = store.begin().await.unwrap();
    tx.insert_journal_entry(&run.id, 0, &entry).await.unwrap();
    let done = StatementRun { state: StatementState::Succeeded, row_count: 3, ..statement(0) };
    tx.update_statement(&run.id, &done, Some(&session)).await.unwrap();
    tx.finish_run(&run.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.journal(&run.id, 0).await.unwrap(), [entry]);
    assert!(store.journal(&run.id, 1).await.unwrap().is_empty());
    let row = store.statement(&run.id, 0).await.unwrap().unwrap();
    assert_eq!((row.statement, row.session, row.started_by), (done, Some(session), root().to_string()));
    assert!(store.unfinished_runs().await.unwrap().is_empty());

    // The worksheet goes, its runs stay; old runs go with all that belongs to them.
    let mut tx = store.begin().await.unwrap();
    tx.delete_worksheet(&worksheet.id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.run(&run.id).await.unwrap().unwrap().worksheet, None);
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.delete_runs_before(Timestamp::now()).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert!(store.statement(&run.id, 0).await.unwrap().is_none() && store.run_ids().await.unwrap().is_empty());
}

#[tokio::test]
async fn worksheets_belong_to_one_person() {
    let (_dir, store) = store().await;
    let session = SqlSession::new(ProjectName::parse("sample").unwrap());
    let mut tx = store.begin().await.unwrap();
    let worksheet = tx.insert_worksheet(&root(), "Worksheet 1", "", &session).await.unwrap();
    assert_eq!(tx.set_worksheet_text(&worksheet.id, "SELECT 1").await.unwrap(), 2);
    tx.commit().await.unwrap();
    let stranger = model::access::Principal::stored("acs:ram::1:user/x");
    assert!(store.worksheet(&stranger, &worksheet.id).await.unwrap().is_none());
    assert_eq!(store.worksheet(&root(), &worksheet.id).await.unwrap().unwrap().text, "SELECT 1");
    assert_eq!(store.worksheets(&root()).await.unwrap().len(), 1);
}

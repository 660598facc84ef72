//! What the next process makes of what this one left behind.

use crate::fixture::{context, copy, fixture, open, open_real, outline, sample, start};
use futures::StreamExt;
use model::worksheet::{Run, StatementState};
use service::{FirstStart, Limits};
use std::time::Duration;

/// Leaves a run in the state in which a killed server leaves it, and starts the next one.
async fn after_a_kill(script: &str) -> String {
    let fixture = fixture().await;
    fixture.new_project("proj").await;
    let run = fixture.run_statements(&fixture.ctx, "proj", script, None).await.unwrap();
    let mut events = fixture.run_events(&fixture.ctx, &run.id).await.unwrap();
    while let Some(now) = events.next().await {
        if now.statements.iter().any(|it| it.state == StatementState::Running && it.verb != "SET") {
            break;
        }
    }
    // HANG announces its commit a moment after it is running.
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(events);
    let data = tempfile::tempdir().unwrap();
    copy(fixture.dir.path(), data.path());
    let services = start(data.path(), Limits::default()).await;
    let ctx = context(&services, "after");
    let events: Vec<Run> = services.run_events(&ctx, &run.id).await.unwrap().collect().await;
    let end = events.into_iter().last().unwrap();
    assert!(end.is_finished);
    outline(&end)
}

#[tokio::test]
async fn a_reading_statement_wrote_nothing() {
    assert_eq!(
        after_a_kill("ROWS 1; WAIT; ROWS 2").await,
        "ROWS Succeeded\nWAIT Failed ODPS-0010000:System internal error - The server stopped while this statement ran; \
         it may have taken effect. Look before you run it again.\nROWS Cancelled ODPS-0010000:System internal error - \
         The server stopped before this statement began; nothing was done."
    );
}

#[tokio::test]
async fn an_announced_commit_is_looked_up() {
    assert_eq!(
        after_a_kill("HANG proj.default.t user-1").await,
        "HANG Failed ODPS-0010000:System internal error - The statement ended when the server stopped; nothing was \
         written. Run it again."
    );
}

#[tokio::test]
async fn spools_of_no_run_are_swept_at_start() {
    let fixture = fixture().await;
    fixture.new_project("proj").await;
    let run = fixture.run_to_end("proj", "ROWS 1").await;
    let data = tempfile::tempdir().unwrap();
    copy(fixture.dir.path(), data.path());
    let orphan = data.path().join("spool/orphan");
    std::fs::create_dir_all(&orphan).unwrap();
    let an_hour_ago = std::time::SystemTime::now() - Duration::from_secs(3600);
    std::fs::File::open(&orphan).unwrap().set_modified(an_hour_ago).unwrap();
    let services = open(data.path(), Limits::default()).await;
    services.first_start(FirstStart::default()).await.unwrap();
    services.recover().await.unwrap();
    for _ in 0..100 {
        if !orphan.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!orphan.exists());
    let page = services.result_page(&context(&services, "after"), &run.id, 0, 0, 1).await.unwrap();
    assert_eq!(page.row_count, 1);
}

/// A committed statement whose end was not noted: the snapshot in the table tells.
#[tokio::test]
async fn a_commit_that_was_published_is_found() {
    let fixture = sample().await;
    let insert = "INSERT INTO default.test_tbl PARTITION(dt='2025-08-26') VALUES (4, 'FFF');";
    let run = fixture.run_to_end("sample", insert).await;
    let snapshot = run.statements[0].snapshot_id;
    assert!(run.statements[0].state == StatementState::Succeeded && snapshot.is_some(), "{}", outline(&run));
    let data = tempfile::tempdir().unwrap();
    copy(fixture.dir.path(), data.path());

    // Back to the moment before its end was noted.
    let url = format!("sqlite://{}", data.path().join(store::DATABASE_FILE).display());
    let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
    for change in [
        "update run set finished_at = null",
        "update statement set state = 'running', body = json_set(body, '$.state', 'running', '$.snapshot_id', null)",
    ] {
        sqlx::query(change).execute(&mut connection).await.unwrap();
    }
    sqlx::Connection::close(connection).await.unwrap();

    let services = open_real(data.path()).await;
    services.first_start(FirstStart::default()).await.unwrap();
    services.recover().await.unwrap();
    let ctx = context(&services, "after");
    let events: Vec<Run> = services.run_events(&ctx, &run.id).await.unwrap().collect().await;
    let end = events.into_iter().last().unwrap();
    let snapshot = snapshot.unwrap();
    assert_eq!(outline(&end), format!("INSERT Succeeded [Committed as snapshot {snapshot} when the server stopped.]"));
    assert_eq!(end.statements[0].snapshot_id, Some(snapshot));
}

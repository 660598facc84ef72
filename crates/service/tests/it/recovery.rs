//! What the next process makes of what this one left behind.

use crate::fixture::{context, fixture, open, outline, start};
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

/// What lies on disk at this moment is what a killed process leaves.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    let status = std::process::Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().unwrap();
    assert!(status.success());
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

//! Worksheets.

use crate::fixture::{fixture, told};

#[tokio::test]
async fn create_edit_rename_delete() {
    let fixture = fixture().await;
    let ctx = &fixture.ctx;
    assert_eq!(
        told(fixture.create_worksheet(ctx, None, None, "").await),
        "Invalid project:no_project There is no external project yet."
    );
    fixture.new_project("proj").await;
    let worksheet = fixture.create_worksheet(ctx, None, None, "SELECT 1").await.unwrap();
    assert_eq!((worksheet.name.as_str(), worksheet.session.project.as_str()), ("Worksheet 1", "proj"));
    assert_eq!(fixture.save_worksheet_text(ctx, &worksheet.id, "SELECT 2", 1).await.unwrap(), 2);
    let stale = told(fixture.save_worksheet_text(ctx, &worksheet.id, "SELECT 3", 1).await);
    assert!(stale.starts_with("Conflict Changed by root at ") && stale.ends_with("; reload."), "{stale}");
    fixture.rename_worksheet(ctx, &worksheet.id, " report ").await.unwrap();
    assert!(told(fixture.rename_worksheet(ctx, &worksheet.id, " ").await).starts_with("Invalid name:required"));
    let saved = fixture.worksheet(ctx, &worksheet.id).await.unwrap();
    assert_eq!((saved.name.as_str(), saved.text.as_str(), saved.version), ("report", "SELECT 2", 2));
    fixture.new_project("other").await;
    let moved = fixture.set_worksheet_project(ctx, &worksheet.id, "other").await.unwrap();
    assert_eq!(moved.session.project.as_str(), "other");
    let next = fixture.create_worksheet(ctx, None, Some("next"), "").await.unwrap();
    assert_eq!(next.session.project.as_str(), "other");
    let names: Vec<String> = fixture.list_worksheets(ctx).await.unwrap().into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["next", "report"]);
    fixture.delete_worksheet(ctx, &worksheet.id).await.unwrap();
    assert!(told(fixture.worksheet(ctx, &worksheet.id).await).starts_with("NotFound There is no worksheet"));
}

#[tokio::test]
async fn a_worksheet_outlives_its_project() {
    let fixture = fixture().await;
    let ctx = &fixture.ctx;
    fixture.new_project("proj").await;
    let worksheet = fixture.create_worksheet(ctx, Some("proj"), None, "SELECT 1").await.unwrap();
    fixture.delete_project(ctx, "proj").await.unwrap();
    assert_eq!(fixture.worksheet(ctx, &worksheet.id).await.unwrap().text, "SELECT 1");
}

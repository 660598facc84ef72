//! External data sources.

use crate::fixture::{Fixture, fixture, local_draft, s3_draft, stranger, told};
use futures::StreamExt;
use model::data_source::{BrowseTarget, DataSourceDraft, DraftUse};
use model::lake::EntryKind;
use model::probe::{Prerequisite, ProbeEvent, ProbeStatus, TestRun};
use model::secret::Secret;

async fn verdict(fixture: &Fixture, probe: &model::names::Id) -> TestRun {
    let events: Vec<ProbeEvent> = fixture.probe_events(&fixture.ctx, probe).await.unwrap().collect().await;
    match events.into_iter().last() {
        Some(ProbeEvent::Done(test)) => test,
        other => panic!("the last event is {other:?}"),
    }
}

#[tokio::test]
async fn create_read_delete() {
    let fixture = fixture().await;
    let source = fixture.local_source("external_fs").await;
    assert_eq!(source.created_by, fixture.owner().to_string());
    let again = local_draft("external_fs").check(DraftUse::Create).unwrap();
    assert_eq!(
        told(fixture.create_data_source(&fixture.ctx, again).await),
        "AlreadyExists name:taken An external data source `external_fs` exists already."
    );
    assert_eq!(
        told(fixture.data_source(&fixture.ctx, "other").await),
        "NotFound There is no external data source `other`."
    );
    fixture.delete_data_source(&fixture.ctx, "external_fs").await.unwrap();
    assert!(fixture.list_data_sources(&fixture.ctx).await.unwrap().is_empty());
    let audit = fixture.audit_of(&fixture.ctx, "data_source", "external_fs").await.unwrap();
    let lines: Vec<String> = audit.iter().map(|entry| format!("{} {}", entry.action, entry.detail)).collect();
    assert_eq!(lines, ["Delete Local folder, None", "Create Local folder, None"]);
}

#[tokio::test]
async fn a_used_source_is_not_deleted() {
    let fixture = fixture().await;
    fixture.new_project("proj_b").await;
    fixture.new_project("proj_a").await;
    assert_eq!(
        told(fixture.delete_data_source(&fixture.ctx, "external_fs").await),
        "Conflict Foreign server external_fs is used by projects: proj_a, proj_b. Delete these projects first."
    );
}

#[tokio::test]
async fn the_second_of_two_editors_reloads() {
    let fixture = fixture().await;
    let source = fixture.local_source("external_fs").await;
    let edit = |description: &str| {
        let draft = DataSourceDraft { description: description.into(), ..source.draft() };
        draft.check(DraftUse::Edit).unwrap()
    };
    let first = fixture.update_data_source(&fixture.ctx, "external_fs", edit("one"), source.version).await.unwrap();
    assert_eq!((first.description.as_str(), first.version), ("one", 2));
    let lost = told(fixture.update_data_source(&fixture.ctx, "external_fs", edit("two"), source.version).await);
    let by = format!("Conflict Changed by {} at ", fixture.owner());
    assert!(lost.starts_with(&by) && lost.ends_with(" UTC; reload."), "{lost}");
}

#[tokio::test]
async fn what_an_edit_may_not_change() {
    let fixture = fixture().await;
    fixture.new_project("proj").await;
    let source = fixture.data_source(&fixture.ctx, "external_fs").await.unwrap();
    let edit = |draft: DataSourceDraft| {
        let new = draft.check(DraftUse::Edit).unwrap();
        fixture.update_data_source(&fixture.ctx, "external_fs", new, source.version)
    };
    assert_eq!(
        told(edit(DataSourceDraft { name: "other".into(), ..source.draft() }).await),
        "Invalid name:fixed The name cannot be changed after creation."
    );
    assert_eq!(
        told(edit(DataSourceDraft { region: "cn-hangzhou".into(), ..source.draft() }).await),
        "Invalid region:fixed The region cannot be changed after creation."
    );
    assert_eq!(
        told(edit(s3_draft("external_fs")).await),
        "Invalid storage:storage_used The storage type is fixed while projects use it: proj."
    );
}

#[tokio::test]
async fn a_new_access_key_needs_its_secret() {
    let fixture = fixture().await;
    let new = s3_draft("external_s3").check(DraftUse::Create).unwrap();
    let source = fixture.create_data_source(&fixture.ctx, new).await.unwrap();
    assert!(source.draft().access_key_secret.is_empty());
    let untyped = source.draft().check(DraftUse::Edit).unwrap();
    let kept = fixture.update_data_source(&fixture.ctx, "external_s3", untyped, 1).await.unwrap();
    assert_eq!(kept.secret_set_at, source.secret_set_at);
    let other_key = DataSourceDraft { access_key_id: "AK2".into(), ..source.draft() };
    let other_key = other_key.check(DraftUse::Edit).unwrap();
    assert_eq!(
        told(fixture.update_data_source(&fixture.ctx, "external_s3", other_key, 2).await),
        "Invalid access_key_secret:secret_of_new_key Type the secret that belongs to this access key."
    );
}

#[tokio::test]
async fn tests_are_followed_and_remembered() {
    let fixture = fixture().await;
    fixture.local_source("external_fs").await;
    let folder = fixture.folder("warehouse").display().to_string();
    let probe = fixture.test_data_source(&fixture.ctx, "external_fs", Some(folder)).await.unwrap();
    let test = verdict(&fixture, &probe).await;
    assert_eq!(test.state.label(), "Connected", "{test:?}");
    // Who comes later hears everything, too.
    assert_eq!(verdict(&fixture, &probe).await, test);
    let history = fixture.test_history(&fixture.ctx, "external_fs").await.unwrap();
    assert!(history.contains(&test));
    assert!(fixture.data_source(&fixture.ctx, "external_fs").await.unwrap().last_test.is_some());
    assert!(told(fixture.probe_events(&fixture.ctx, &"unknown".into()).await.map(|_| ())).starts_with("NotFound"));
}

#[tokio::test]
async fn a_draft_is_tested_before_it_has_a_name() {
    let fixture = fixture().await;
    let folder = fixture.folder("warehouse").display().to_string();
    let draft = DataSourceDraft { test_directory: folder, ..local_draft("") };
    let probe = fixture.test_data_source_draft(&fixture.ctx, draft, None).await.unwrap();
    assert_eq!(verdict(&fixture, &probe).await.state.label(), "Connected");
    let probe = fixture.test_data_source_draft(&fixture.ctx, s3_draft(""), None).await.unwrap();
    let test = verdict(&fixture, &probe).await;
    assert_eq!(test.state.label(), "Connection failed.");
    assert!(test.steps.iter().any(|step| step.status == ProbeStatus::Failed && step.cure.is_some()), "{test:?}");
    let relative = DataSourceDraft { test_directory: "lake".into(), ..local_draft("") };
    assert_eq!(
        told(fixture.test_data_source_draft(&fixture.ctx, relative, None).await),
        "Invalid test_directory:warehouse_local Give an absolute path, e.g. /data/warehouse/."
    );
}

#[tokio::test]
async fn an_untyped_secret_is_that_of_the_stored_source() {
    let fixture = fixture().await;
    let new = s3_draft("external_s3").check(DraftUse::Create).unwrap();
    fixture.create_data_source(&fixture.ctx, new).await.unwrap();
    let untyped = DataSourceDraft { access_key_secret: Secret::default(), ..s3_draft("external_s3") };
    let test = |existing: Option<&str>| {
        fixture.test_data_source_draft(&fixture.ctx, untyped.clone(), existing.map(Into::into))
    };
    assert_eq!(told(test(None).await), "Invalid access_key_secret:required This field is required.");
    assert_eq!(told(test(Some("external_s3")).await), "ok");
    let other = DataSourceDraft { access_key_id: "AK2".into(), ..untyped.clone() };
    let other = fixture.test_data_source_draft(&fixture.ctx, other, Some("external_s3".into())).await;
    assert!(told(other).contains("secret_of_new_key"));
}

#[tokio::test]
async fn browsing_marks_warehouses_and_makes_folders() {
    let fixture = fixture().await;
    fixture.local_source("external_fs").await;
    let top = fixture.folder("top");
    fixture.folder("top/lake/default.db");
    let target = || BrowseTarget::Stored("external_fs".into());
    let uri = format!("{}/", top.display());
    let listing = fixture.browse(&fixture.ctx, target(), &uri).await.unwrap();
    let kinds: Vec<_> = listing.entries.iter().map(|entry| (entry.name.as_str(), entry.kind)).collect();
    assert_eq!(kinds, [("lake", EntryKind::Warehouse)]);
    fixture.create_folder(&fixture.ctx, target(), &format!("{uri}new/")).await.unwrap();
    assert!(top.join("new").is_dir());
    let draft = BrowseTarget::Draft(Box::new(local_draft("")));
    assert_eq!(fixture.browse(&fixture.ctx, draft, &uri).await.unwrap().entries.len(), 2);
    let outside = fixture.browse(&fixture.ctx, target(), "/etc/").await;
    assert!(told(outside).contains("outside the permitted roots"));
}

#[tokio::test]
async fn prerequisites_are_looked_up() {
    let fixture = fixture().await;
    let ticks = |draft: DataSourceDraft| async {
        let list = fixture.prerequisites(&fixture.ctx, draft).await.unwrap();
        assert!(list.iter().all(|item| item.detail == item.notice.text));
        let tick = |item: &Prerequisite| format!("{}:{}:{}", item.key, item.done, item.notice.code);
        list.iter().map(tick).collect::<Vec<_>>().join(" ")
    };
    let rest = "quota:true:quota_ready sample_data:true:sample_ready";
    assert_eq!(
        ticks(DataSourceDraft::default()).await,
        format!("bucket:false:identity_first role:false:required {rest}")
    );
    assert_eq!(ticks(local_draft("")).await, format!("bucket:true:places_listed role:true:role_needless {rest}"));
    assert_eq!(ticks(s3_draft("")).await, format!("bucket:false:failed role:true:access_key {rest}"));
}

#[tokio::test]
async fn strangers_may_do_nothing() {
    let fixture = fixture().await;
    fixture.local_source("external_fs").await;
    assert_eq!(
        told(fixture.data_source(&stranger(), "external_fs").await),
        "Forbidden You are not authorized to perform this action"
    );
    let audit = fixture.audit_of(&fixture.ctx, "data_source", "external_fs").await.unwrap();
    assert!(!audit[0].allowed && audit[0].principal == stranger().principal, "{audit:?}");
}

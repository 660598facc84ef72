//! External projects.

use crate::fixture::{Fixture, fixture, local_draft, told};
use model::external_project::{ExternalProjectDraft, ExternalProjectEdit, ProjectOptions, ProjectState};
use model::lake::StoreEntry;

async fn create(fixture: &Fixture, draft: ExternalProjectDraft) -> String {
    told(fixture.create_project(&fixture.ctx, draft).await)
}

#[tokio::test]
async fn create_and_look_inside() {
    let fixture = fixture().await;
    fixture.local_source("external_fs").await;
    let draft = ExternalProjectDraft { create_default_schema: true, ..fixture.project_draft("proj", "lake") };
    let project = fixture.create_project(&fixture.ctx, draft).await.unwrap();
    assert_eq!((project.owner, project.state), (fixture.owner().to_string(), ProjectState::Enabled));
    assert!(fixture.folder("lake").join("default.db").is_dir());
    assert_eq!(fixture.schemas(&fixture.ctx, "proj").await.unwrap(), ["default"]);
    assert!(fixture.tables(&fixture.ctx, "proj", "default").await.unwrap().is_empty());
    let overview = fixture.project_overview(&fixture.ctx, "proj").await.unwrap();
    assert_eq!((overview.table_count, overview.stray_count), (0, 0));
    assert!(!fixture.project_name_available(&fixture.ctx, "PROJ").await.unwrap());
    assert!(!fixture.project_name_available(&fixture.ctx, "a-b").await.unwrap());
    assert!(fixture.project_name_available(&fixture.ctx, "other").await.unwrap());
}

#[tokio::test]
async fn what_is_refused_and_where_it_stands() {
    let fixture = fixture().await;
    fixture.new_project("proj").await;
    let draft = || fixture.project_draft("other", "other");
    assert_eq!(
        create(&fixture, ExternalProjectDraft { name: "Proj".into(), ..draft() }).await,
        "AlreadyExists name:taken A project `Proj` exists already; names are compared without case."
    );
    assert_eq!(
        create(&fixture, ExternalProjectDraft { quota: "big".into(), ..draft() }).await,
        "Invalid quota:quota_unknown There is no quota `big`."
    );
    assert_eq!(
        create(&fixture, ExternalProjectDraft { region: "atlantis".into(), ..draft() }).await,
        "Invalid region:region Choose a region."
    );
    assert_eq!(
        create(&fixture, ExternalProjectDraft { server: "nowhere".into(), ..draft() }).await,
        "Invalid server:server_unknown There is no external data source `nowhere`."
    );
    let zone = ProjectOptions { timezone: "Mars/Olympus".into(), ..ProjectOptions::default() };
    assert_eq!(
        create(&fixture, ExternalProjectDraft { options: zone, ..draft() }).await,
        "Invalid options.timezone:timezone There is no time zone `Mars/Olympus`; write e.g. Asia/Shanghai."
    );
    let lost = fixture.folder("other").join("lost").display().to_string();
    let missing = create(&fixture, ExternalProjectDraft { bucket_catalog: lost, ..draft() }).await;
    assert!(missing.starts_with("Invalid bucket_catalog:directory_missing "), "{missing}");
    let outside = create(&fixture, ExternalProjectDraft { bucket_catalog: "/etc/".into(), ..draft() }).await;
    assert!(outside.contains("bucket_catalog:") && outside.contains("outside the permitted roots"), "{outside}");
    fixture.folder("lake-proj/inner");
    assert!(
        create(&fixture, fixture.project_draft("inner", "lake-proj/inner")).await.contains("bucket_catalog:nested")
    );
    // The same directory twice is allowed, and said before.
    let same = fixture.project_draft("same", "lake-proj");
    let notices = fixture.project_notices(&fixture.ctx, &same).await.unwrap();
    let texts: Vec<String> = notices.into_iter().map(|notice| notice.text).collect();
    assert_eq!(texts, ["The same directory is used by: proj."]);
    assert_eq!(create(&fixture, ExternalProjectDraft { use_anyway: true, ..same }).await, "ok");
}

/// Two deployments on one directory: the second one is told of the first, and may map it all the same.
#[tokio::test]
async fn the_deployment_that_maps_a_directory_notes_it() {
    let fixture = fixture().await;
    fixture.local_source("external_fs").await;
    let note = fixture.folder("lake").join(".paimon-console-owner");
    let project = fixture.create_project(&fixture.ctx, fixture.project_draft("proj", "lake")).await.unwrap();
    let written = std::fs::read_to_string(&note).unwrap();
    assert!(written.contains(fixture.owner().account()) && written.contains(project.name.as_str()), "{written}");
    let codes = async || {
        let draft = fixture.project_draft("other", "lake");
        let notices = fixture.project_notices(&fixture.ctx, &draft).await.unwrap();
        notices.into_iter().map(|notice| notice.code).collect::<Vec<_>>()
    };
    assert_eq!(codes().await, ["directory_shared"], "the note is our own");
    fixture.delete_project(&fixture.ctx, "proj").await.unwrap();
    assert!(!note.exists(), "nobody maps it any more");

    let theirs = r#"{"account":"42","project":"elsewhere","since":"2026-01-02T03:04:05Z"}"#;
    std::fs::write(&note, theirs).unwrap();
    let notices = fixture.project_notices(&fixture.ctx, &fixture.project_draft("other", "lake")).await.unwrap();
    assert_eq!(
        notices[0].text,
        "Another deployment (account 42) has mapped this directory as project `elsewhere` since 2026-01-02."
    );
    assert_eq!((notices[0].value("account"), notices[0].value("project")), (Some("42"), Some("elsewhere")));
    fixture.create_project(&fixture.ctx, fixture.project_draft("other", "lake")).await.unwrap();
    fixture.delete_project(&fixture.ctx, "other").await.unwrap();
    assert_eq!(std::fs::read_to_string(&note).unwrap(), theirs, "the note of others stays");
}

#[tokio::test]
async fn a_directory_of_other_things_is_used_only_on_demand() {
    let fixture = fixture().await;
    fixture.local_source("external_fs").await;
    let folder = fixture.folder("photos");
    for n in 0..30 {
        std::fs::write(folder.join(format!("photo-{n:02}.jpg")), "x").unwrap();
    }
    let draft = fixture.project_draft("photos", "photos");
    let told = create(&fixture, draft.clone()).await;
    assert!(told.starts_with("Invalid bucket_catalog:not_paimon The directory holds things"), "{told}");
    assert!(told.contains("photo-00.jpg") && told.contains("and 10 more"), "{told}");
    assert_eq!(create(&fixture, ExternalProjectDraft { use_anyway: true, ..draft }).await, "ok");
    assert_eq!(fixture.project_overview(&fixture.ctx, "photos").await.unwrap().stray_count, 30);
}

#[tokio::test]
async fn both_or_neither() {
    let fixture = fixture().await;
    let draft = |folder: &str| ExternalProjectDraft {
        server_mode: "create".into(),
        source: local_draft("inline_fs"),
        bucket_catalog: folder.into(),
        ..fixture.project_draft("proj", "lake")
    };
    let missing = fixture.folder("x").join("missing").display().to_string();
    assert!(create(&fixture, draft(&missing)).await.contains("directory_missing"));
    assert!(fixture.list_data_sources(&fixture.ctx).await.unwrap().is_empty());
    let folder = fixture.folder("lake").display().to_string();
    assert_eq!(create(&fixture, draft(&folder)).await, "ok");
    assert_eq!(fixture.data_source(&fixture.ctx, "inline_fs").await.unwrap().projects, ["proj"]);
    let again = ExternalProjectDraft { name: "proj2".into(), ..draft(&folder) };
    assert_eq!(
        create(&fixture, again).await,
        "AlreadyExists source.name:taken An external data source `inline_fs` exists already."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_at_once_one_wins() {
    let fixture = fixture().await;
    fixture.local_source("external_fs").await;
    let one = fixture.create_project(&fixture.ctx, fixture.project_draft("proj", "one"));
    let two = fixture.create_project(&fixture.ctx, fixture.project_draft("PROJ", "two"));
    let (one, two) = tokio::join!(one, two);
    assert_eq!([one.is_ok(), two.is_ok()].iter().filter(|ok| **ok).count(), 1);
    assert!(told(one.and(two)).starts_with("AlreadyExists name:taken"));
    // Neither may two projects come to lie inside one another.
    let outer = fixture.create_project(&fixture.ctx, fixture.project_draft("outer", "deep"));
    let inner = fixture.create_project(&fixture.ctx, fixture.project_draft("inner", "deep/in.db"));
    let (outer, inner) = tokio::join!(outer, inner);
    assert_eq!([outer.is_ok(), inner.is_ok()].iter().filter(|ok| **ok).count(), 1);
}

#[tokio::test]
async fn edit_disable_delete() {
    let fixture = fixture().await;
    let project = fixture.new_project("proj").await;
    let edit = ExternalProjectEdit {
        description: "for tests".into(),
        quota: project.quota.clone(),
        owner: project.owner.clone(),
        options: ProjectOptions { allow_fullscan: true, ..project.options.clone() },
        version: project.version,
    };
    let edited = fixture.update_project(&fixture.ctx, "proj", edit.clone()).await.unwrap();
    assert_eq!((edited.description.as_str(), edited.options.allow_fullscan, edited.version), ("for tests", true, 2));
    assert!(told(fixture.update_project(&fixture.ctx, "proj", edit.clone()).await).contains("; reload."));
    let stranger = ExternalProjectEdit { owner: "acs:ram::1:user/x".into(), version: 2, ..edit };
    assert_eq!(
        told(fixture.update_project(&fixture.ctx, "proj", stranger).await),
        "Invalid owner:owner_unknown There is no user `acs:ram::1:user/x`."
    );
    fixture.set_project_state(&fixture.ctx, "proj", ProjectState::Disabled, 2).await.unwrap();
    assert_eq!(told(fixture.schemas(&fixture.ctx, "proj").await), "Conflict External project `proj` is disabled.");
    assert_eq!(
        told(fixture.run_statements(&fixture.ctx, "proj", "ROWS 1", None).await),
        "Conflict External project `proj` is disabled."
    );
    let folder = fixture.folder("lake-proj");
    std::fs::create_dir_all(folder.join("default.db/t/schema")).unwrap();
    fixture.delete_project(&fixture.ctx, "proj").await.unwrap();
    assert!(folder.join("default.db/t/schema").is_dir(), "the data stays");
    assert_eq!(told(fixture.project(&fixture.ctx, "proj").await), "NotFound There is no external project `proj`.");
    let audit = fixture.audit_of(&fixture.ctx, "external_project", "proj").await.unwrap();
    let actions: Vec<&str> = audit.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["Delete", "Modify", "Modify", "Create"]);
}

#[tokio::test]
async fn files_are_those_of_the_warehouse_alone() {
    let fixture = fixture().await;
    let ctx = &fixture.ctx;
    fixture.new_project("proj").await;
    let folder = fixture.folder("lake-proj");
    std::fs::create_dir_all(folder.join("default.db/t/schema")).unwrap();
    std::fs::write(folder.join("default.db/t/schema/schema-0"), "{}").unwrap();
    fixture.folder("lake-proj-beside");
    let listed = async |uri: &str| {
        let listing = fixture.warehouse_files(ctx, "proj", uri).await?;
        let line = |entry: StoreEntry| format!("{:?} {} {:?}", entry.kind, entry.name, entry.size);
        Ok::<_, service::Error>(listing.entries.into_iter().map(line).collect::<Vec<_>>())
    };
    assert!(listed("").await.unwrap().contains(&"Schema default.db None".to_owned()));
    let schema = format!("{}/default.db/t/schema/", folder.display());
    assert_eq!(listed(&schema).await.unwrap(), ["File schema-0 Some(2)"]);
    for outside in [format!("{}-beside/", folder.display()), "/etc/".into(), fixture.dir.path().display().to_string()] {
        assert!(told(listed(&outside).await).starts_with("Invalid uri:outside_warehouse"), "{outside}");
    }
    assert_eq!(
        told(listed(&format!("{}/../lake-proj-beside/", folder.display())).await),
        "Invalid uri:warehouse_local_dots Give the path without `..`."
    );
}

//! The seed's step 4 on the sample lake, with the real engine.

use crate::fixture::{Fixture, outline, sample};
use futures::TryStreamExt;
use model::worksheet::{Run, StatementState};

/// What the connection tool prints of a run, without the instance ids.
async fn printed(fixture: &Fixture, run: &Run) -> String {
    let mut out = String::new();
    for statement in &run.statements {
        if statement.state != StatementState::Succeeded {
            return outline(run);
        }
        let text = fixture.result_text(&fixture.ctx, &run.id, statement.index).await.unwrap();
        let bytes: Vec<_> = text.try_collect().await.unwrap();
        out.push_str(&String::from_utf8(bytes.concat()).unwrap());
        out.push_str("OK\n");
    }
    out
}

#[tokio::test]
async fn the_seed_word_for_word() {
    let fixture = sample().await;
    let ctx = &fixture.ctx;
    let worksheet = fixture.create_worksheet(ctx, Some("sample"), None, "").await.unwrap();
    let check = async |script: &str, expected: &str| {
        let run = fixture.run_worksheet(ctx, &worksheet.id, script, 0).await.unwrap();
        let run = fixture.end_of(&run).await;
        assert_eq!(printed(&fixture, &run).await, expected, "{script}");
    };
    check("SET odps.namespace.schema=true;\nSHOW schemas;", "OK\ndefault\n\nOK\n").await;
    check(
        "SET odps.sql.allow.fullscan=true;\nSELECT * FROM sample.default.test_tbl;",
        "OK\n\
         +------------+------------+------------+\n\
         | id         | data       | dt         |\n\
         +------------+------------+------------+\n\
         | 1          | CCC        | 2024-07-18 |\n\
         | 2          | DDD        | 2024-07-18 |\n\
         | 3          | EEE        | 2025-06-18 |\n\
         +------------+------------+------------+\n\
         OK\n",
    )
    .await;
    check(
        "INSERT INTO test_tbl PARTITION(dt='2025-08-26') VALUES(4,'FFF');\nSELECT * FROM test_tbl;",
        "OK\n\
         +------------+------------+------------+\n\
         | id         | data       | dt         |\n\
         +------------+------------+------------+\n\
         | 1          | CCC        | 2024-07-18 |\n\
         | 2          | DDD        | 2024-07-18 |\n\
         | 3          | EEE        | 2025-06-18 |\n\
         | 4          | FFF        | 2025-08-26 |\n\
         +------------+------------+------------+\n\
         OK\n",
    )
    .await;
    check(
        "CREATE schema testschema;\nuse schema testschema;\nCREATE TABLE table_test(id INT, name STRING);\n\
         INSERT INTO table_test VALUES (101,'Zhang San'),(102,'Li Si');\nSELECT * FROM table_test;",
        "OK\nOK\nOK\nOK\n\
         +------------+------------+\n\
         | id         | name       |\n\
         +------------+------------+\n\
         | 101        | Zhang San  |\n\
         | 102        | Li Si      |\n\
         +------------+------------+\n\
         OK\n",
    )
    .await;
    assert_eq!(fixture.schemas(ctx, "sample").await.unwrap(), ["default", "testschema"]);
    assert_eq!(fixture.tables(ctx, "sample", "testschema").await.unwrap(), ["table_test"]);
    let table = fixture.table(ctx, "sample", "default", "test_tbl").await.unwrap();
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns, ["id", "data", "dt"]);
    assert_eq!(fixture.worksheet(ctx, &worksheet.id).await.unwrap().session.schema, "testschema");
    let overview = fixture.project_overview(ctx, "sample").await.unwrap();
    assert_eq!((overview.schema_count, overview.table_count, overview.stray_count), (2, 2, 0));
}

#[tokio::test]
async fn the_full_scan_is_refused_with_its_cure() {
    let fixture = sample().await;
    let run = fixture.run_to_end("sample", "SELECT * FROM test_tbl").await;
    let error = run.statements[0].error.as_ref().unwrap();
    assert_eq!(
        error.message,
        "ODPS-0130071:[0,0] Semantic analysis exception - physical plan generation failed: \
         Table(sample,default,test_tbl) is full scan with all partitions, please specify partition predicates."
    );
    assert_eq!(error.fix.as_deref(), Some("SET odps.sql.allow.fullscan=true;"));
}

#[tokio::test]
async fn an_unknown_project_is_named() {
    let fixture = sample().await;
    let run = fixture.run_to_end("sample", "SELECT * FROM nowhere.default.test_tbl").await;
    let message = &run.statements[0].error.as_ref().unwrap().message;
    assert!(message.starts_with("ODPS-") && message.contains("nowhere"), "{message}");
}

#[tokio::test]
async fn the_first_start_may_be_killed_and_begins_anew() {
    let fixture = sample().await;
    let data = tempfile::tempdir().unwrap();
    // Killed while the sample was written: the database is as it was before.
    std::fs::create_dir_all(data.path().join("sample-lake.partial/default.db/test_tbl/schema")).unwrap();
    std::fs::write(data.path().join("sample-lake.partial/default.db/test_tbl/schema/schema-0"), "{").unwrap();
    let services = crate::fixture::open_real(data.path()).await;
    services.first_start(service::FirstStart { sample: true, ..Default::default() }).await.unwrap();
    assert!(!data.path().join("sample-lake.partial").exists());
    let ctx = crate::fixture::context(&services, "x");
    let table = services.table(&ctx, "sample", "default", "test_tbl").await.unwrap();
    assert_eq!(table.record_count, Some(3));
    drop(fixture);
}

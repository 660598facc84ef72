//! Schemas and tables: names, listing, creating, changing, dropping.

use crate::support::{LocalLake, append, bigint, ids, plain_schema, rows};
use lake::DropBehavior;
use paimon::spec::{Schema, SchemaChange};
use ports::lake::{LakeCatalog as _, LakeError};

fn answer<T: std::fmt::Debug>(result: Result<T, LakeError>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn default_is_shown_before_it_exists_and_made_when_written_to() {
    let lake = LocalLake::new().await;
    let catalog = &lake.catalog;
    assert_eq!(answer(catalog.schemas().await), r#"["default"]"#);
    assert_eq!(answer(catalog.tables("default").await), "[]");
    assert!(!lake.folder.join("default.db").exists());
    catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    assert_eq!(answer(catalog.tables("DEFAULT").await), r#"["t"]"#);
    assert_eq!(
        answer(catalog.drop_schema("default", DropBehavior::Cascade).await),
        "Schema `default` cannot be dropped."
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_match_exactly_or_uniquely() {
    let lake = LocalLake::new().await;
    let catalog = &lake.catalog;
    catalog.create_schema("Sales").await.expect("a new schema");
    assert_eq!(answer(catalog.create_schema("SALES").await), "Schema `Sales` exists already.");
    catalog.create_table("sales", "Orders", plain_schema()).await.expect("a new table");
    let find =
        async |schema: &str, table: &str| answer(catalog.table_name(schema, table).await.map(|name| name.full_name()));
    assert_eq!(find("sales", "orders").await, r#""Sales.Orders""#);
    assert_eq!(find("Sales", "Orders").await, r#""Sales.Orders""#);
    assert_eq!(find("sales", "order").await, "Table `Sales.order` does not exist.");
    assert_eq!(find("nope", "orders").await, "Schema `nope` does not exist.");
    let again = catalog.create_table("sales", "ORDERS", plain_schema()).await.map(|_| ());
    assert_eq!(answer(again), "Table `Sales.Orders` exists already.");
    // Another engine may make names that differ in case only.
    std::fs::create_dir_all(lake.folder.join("Sales.db/ORDERS/schema")).expect("a folder");
    let schema = lake.folder.join("Sales.db/Orders/schema/schema-0");
    std::fs::copy(schema, lake.folder.join("Sales.db/ORDERS/schema/schema-0")).expect("a copy");
    assert_eq!(find("sales", "ORDERS").await, r#""Sales.ORDERS""#);
    assert_eq!(
        find("sales", "orders").await,
        "Table `Sales.orders` is ambiguous: there are `ORDERS` and `Orders`. Write it exactly."
    );
    for name in ["a/b", "..", ".x", "a$b", "", " a", "a\u{7}"] {
        let refused = catalog.create_table("sales", name, plain_schema()).await.map(|_| ());
        assert!(matches!(refused, Err(LakeError::Invalid(_))), "{name:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strays_are_told_by_path_and_break_nothing() {
    let lake = LocalLake::new().await;
    let catalog = &lake.catalog;
    catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    std::fs::write(lake.folder.join("notes.txt"), "x").expect("a file");
    std::fs::create_dir_all(lake.folder.join("backup/deep")).expect("a folder");
    std::fs::create_dir_all(lake.folder.join("default.db/logs")).expect("a folder");
    std::fs::write(lake.folder.join("default.db/logs/a.csv"), "x").expect("a file");
    std::fs::write(lake.folder.join("default.db/readme"), "x").expect("a file");
    std::fs::create_dir_all(lake.folder.join("default.db/empty")).expect("a folder");
    assert_eq!(answer(catalog.tables("default").await), r#"["t"]"#);
    let overview = catalog.overview().await.expect("an overview");
    assert_eq!((overview.schema_count, overview.table_count, overview.stray_count), (1, 1, 5));
    let root = lake.folder.to_string_lossy();
    let strays: Vec<String> = overview
        .strays
        .iter()
        .map(|stray| format!("{}: {}", stray.path.replacen(&*root, "", 1), stray.reason))
        .collect();
    assert_eq!(
        strays,
        [
            "/backup: a folder whose name does not end with `.db`",
            "/default.db/empty: an empty folder, without schema/schema-0",
            "/default.db/logs: a folder without schema/schema-0; it holds `a.csv`",
            "/default.db/readme: a file where a table's folder is expected",
            "/notes.txt: a file where schemas' folders are expected",
        ]
    );
    let opened = answer(catalog.load_table("default", "logs").await.map(|_| ()));
    let expected = format!(
        "`default.logs` is not a Paimon table: {root}/default.db/logs is a folder without schema/schema-0; it holds `a.csv`."
    );
    assert_eq!(opened, expected);
    // What is not ours is neither built upon nor deleted.
    let created = answer(catalog.create_table("default", "logs", plain_schema()).await.map(|_| ()));
    assert!(created.contains("exists and holds `a.csv`"), "{created}");
}

#[tokio::test(flavor = "multi_thread")]
async fn schemas_are_dropped_with_what_is_in_them_only_if_told() {
    let lake = LocalLake::new().await;
    let catalog = &lake.catalog;
    catalog.create_schema("s").await.expect("a new schema");
    let table = catalog.create_table("s", "t", plain_schema()).await.expect("a new table");
    append(catalog, &table, &rows(&[1], "a")).await.expect("a commit");
    assert_eq!(
        answer(catalog.drop_schema("s", DropBehavior::Restrict).await),
        "Schema `s` is not empty: it has 1 table(s), e.g. `t`. Drop them first or use CASCADE."
    );
    catalog.drop_schema("s", DropBehavior::Cascade).await.expect("dropped");
    assert_eq!(answer(catalog.schemas().await), r#"["default"]"#);
    assert_eq!(answer(catalog.drop_schema("s", DropBehavior::Cascade).await), "Schema `s` does not exist.");
    assert_eq!(std::fs::read_dir(lake.folder.join(".trash")).expect("the trash").count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_changed_renamed_and_dropped() {
    let lake = LocalLake::new().await;
    let catalog = &lake.catalog;
    let table = catalog.create_table("default", "t", plain_schema()).await.expect("a new table");
    append(catalog, &table, &rows(&[1], "a")).await.expect("a commit");
    let alter =
        async |change: SchemaChange| answer(catalog.alter_table("default", "t", vec![change]).await.map(|s| s.id()));
    assert_eq!(alter(SchemaChange::add_column("c".into(), bigint())).await, "1");
    assert_eq!(
        alter(SchemaChange::add_column("c".into(), bigint())).await,
        "Cannot alter table `default.t`: column `c` exists already."
    );
    assert_eq!(alter(SchemaChange::set_option("snapshot.time-retained".into(), "2 h".into())).await, "2");
    assert_eq!(
        alter(SchemaChange::set_option("snapshot.time-retaind".into(), "2 h".into())).await,
        "Unknown table option `snapshot.time-retaind`. Did you mean `snapshot.time-retained`?"
    );
    assert_eq!(
        alter(SchemaChange::set_option("merge-engine".into(), "aggregation".into())).await,
        "Table option `merge-engine` cannot be changed: the table's files were written by it."
    );
    let info = catalog.table("default", "t").await.expect("the table");
    let columns: Vec<String> = info.columns.iter().map(|c| format!("{} {}", c.name, c.data_type)).collect();
    assert_eq!(columns, ["id bigint", "writer string", "c bigint"]);
    assert_eq!((info.snapshot_id, info.record_count), (Some(1), Some(1)));

    catalog.rename_table("default", "t", "u").await.expect("renamed");
    assert_eq!(answer(catalog.tables("default").await), r#"["u"]"#);
    let renamed = catalog.load_table("default", "u").await.expect("the table");
    assert_eq!(ids(&renamed).await, [1]);
    catalog.drop_table("default", "u").await.expect("dropped");
    assert_eq!(answer(catalog.drop_table("default", "u").await), "Table `default.u` does not exist.");
    let fresh = catalog.create_table("default", "u", plain_schema()).await.expect("a new table");
    assert_eq!(ids(&fresh).await, Vec::<i64>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn options_that_lead_out_of_the_warehouse_are_refused() {
    let lake = LocalLake::new().await;
    let create = async |key: &str, value: &str| {
        let schema = Schema::builder().column("id", bigint()).option(key, value).build().expect("a schema");
        answer(lake.catalog.create_table("default", "t", schema).await.map(|_| ()))
    };
    for (key, value) in
        [("path", "/etc"), ("data-file.external-paths", "file:///tmp"), ("data-file.path-directory", "..")]
    {
        assert!(create(key, value).await.starts_with(&format!("Table option `{key}` is refused")), "{key}");
    }
    assert_eq!(create("no.such.option", "1").await, "Unknown table option `no.such.option`.");
    assert!(!lake.folder.join("default.db/t").exists());
}

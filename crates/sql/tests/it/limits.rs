//! Bounds: rows, bytes, memory, time, cancellation, sessions at once.

use crate::harness::{LIMITS, Lakehouse};
use futures::TryStreamExt;
use model::session::SqlSession;
use model::worksheet::Cell;
use ports::sql_engine::{ExportFormat, SqlEngine, SqlError, StatementLimits};
use std::time::{Duration, Instant};

async fn export(lakehouse: &Lakehouse, session: &SqlSession, query: &str, format: ExportFormat) -> Vec<u8> {
    let ran = lakehouse.ok(&mut session.clone(), query).await;
    let stream = lakehouse.engine.export(&ran.spool, session, format).await.unwrap();
    let pieces: Vec<bytes::Bytes> = stream.try_collect().await.unwrap();
    pieces.concat()
}

#[tokio::test]
async fn a_result_is_cut_at_its_limit_and_says_so() {
    let lakehouse = Lakehouse { limits: StatementLimits { result_rows: 1_500, ..LIMITS }, ..Lakehouse::new() };
    let mut session = lakehouse.session();
    let ran = lakehouse.ok(&mut session, "SELECT value FROM generate_series(1, 1000000)").await;
    let outcome = ran.outcome.as_ref().unwrap();
    assert_eq!(outcome.row_count, 1_500);
    assert_eq!(outcome.truncated.as_deref(), Some("The result was cut at 1,500 rows."));
    let page = lakehouse.engine.page(&ran.spool, &session, 1_490, 100).await.unwrap();
    assert_eq!((page.rows.len(), page.row_count), (10, 1_500));
}

#[tokio::test]
async fn a_result_is_cut_at_its_size() {
    let lakehouse = Lakehouse { limits: StatementLimits { result_bytes: 100 << 10, ..LIMITS }, ..Lakehouse::new() };
    let query = "SELECT md5(CAST(value AS STRING)) AS m FROM generate_series(1, 1000000)";
    let ran = lakehouse.ok(&mut lakehouse.session(), query).await;
    let outcome = ran.outcome.as_ref().unwrap();
    assert_eq!(outcome.truncated.as_deref(), Some("The result was cut at 100.0 KiB."));
    assert!(outcome.row_count < 100_000, "{}", outcome.row_count);
}

#[tokio::test]
async fn pages_of_a_long_result() {
    let lakehouse = Lakehouse::new();
    let mut session = lakehouse.session();
    let ran = lakehouse.ok(&mut session, "SELECT value FROM generate_series(1, 100000) ORDER BY value").await;
    for offset in [0, 4_095, 4_096, 99_999] {
        let page = lakehouse.engine.page(&ran.spool, &session, offset, 2).await.unwrap();
        assert_eq!(page.rows[0], [Cell::Text((offset + 1).to_string())]);
    }
    assert!(lakehouse.engine.page(&ran.spool, &session, 100_000, 2).await.unwrap().rows.is_empty());
}

#[tokio::test]
async fn long_cells_are_cut_and_fetched_whole() {
    let lakehouse = Lakehouse::new();
    let mut session = lakehouse.session();
    let ran = lakehouse.ok(&mut session, "SELECT repeat('北', 5000) AS x").await;
    let page = lakehouse.engine.page(&ran.spool, &session, 0, 1).await.unwrap();
    assert!(matches!(&page.rows[0][0], Cell::Cut { text, chars: 5_000 } if text.chars().count() == 1_000));
    let whole = lakehouse.engine.cell(&ran.spool, &session, 0, 0).await.unwrap();
    assert_eq!(whole, Cell::Text("北".repeat(5_000)));
}

#[tokio::test]
async fn exports() {
    let lakehouse = Lakehouse::new();
    let session = lakehouse.session();
    let query = "SELECT 9007199254740993 AS big, '=1+1' AS f, 'a,\"b\"' AS q, NULL AS n, '' AS e, true AS t, -1 AS m";
    let csv = String::from_utf8(export(&lakehouse, &session, query, ExportFormat::Csv).await).unwrap();
    assert_eq!(csv, "\u{feff}big,f,q,n,e,t,m\r\n9007199254740993,'=1+1,\"a,\"\"b\"\"\",,\"\",true,-1\r\n");
    let json = String::from_utf8(export(&lakehouse, &session, query, ExportFormat::Json).await).unwrap();
    let row = r#"{"big":"9007199254740993","f":"=1+1","q":"a,\"b\"","n":null,"e":"","t":true,"m":-1}"#;
    assert_eq!(json, format!("[\n{row}\n]\n"));
    let ipc = export(&lakehouse, &session, query, ExportFormat::Arrow).await;
    let reader = arrow::ipc::reader::FileReader::try_new(std::io::Cursor::new(ipc), None).unwrap();
    assert_eq!(reader.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 1);
}

#[tokio::test]
async fn a_sort_that_does_not_fit_spills() {
    let lakehouse = Lakehouse { limits: StatementLimits { memory_bytes: 32 << 20, ..LIMITS }, ..Lakehouse::new() };
    let mut session = lakehouse.session();
    let query = "SELECT count(*), min(r), max(r) FROM (SELECT m, row_number() OVER (ORDER BY m) AS r FROM \
                 (SELECT concat(md5(CAST(value AS STRING)), md5(CAST(value + 1 AS STRING))) AS m \
                 FROM generate_series(1, 600000)) a) b";
    assert_eq!(lakehouse.rows(&mut session, query).await, [["600000", "1", "600000"]]);
}

#[tokio::test]
async fn what_cannot_spill_is_an_error_not_a_crash() {
    let lakehouse = Lakehouse { limits: StatementLimits { memory_bytes: 16 << 20, ..LIMITS }, ..Lakehouse::new() };
    let query = "SELECT size(array_agg(concat(md5(CAST(value AS STRING)), CAST(value AS STRING)))) \
                 FROM generate_series(1, 2000000)";
    let ran = lakehouse.run(&mut lakehouse.session(), query).await;
    let error = ran[0].outcome.as_ref().unwrap_err().to_string();
    assert!(error.starts_with("ODPS-0010013"), "{error}");
}

#[tokio::test]
async fn a_long_statement_is_cancelled_within_two_seconds() {
    let lakehouse = Lakehouse::new();
    let session = lakehouse.session();
    let (statements, _) = lakehouse.engine.parse(
        "SELECT count(*) FROM generate_series(1, 100000000) a JOIN generate_series(1, 100000000) b ON a.value % 7 = b.value % 7",
    );
    let context = lakehouse.context(&session);
    let cancel = context.cancel.clone();
    let running = tokio::spawn(async move { statements[0].execute(context).await });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let start = Instant::now();
    cancel.cancel();
    let outcome = running.await.unwrap();
    assert!(matches!(outcome, Err(SqlError::Cancelled)), "{outcome:?}");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test]
async fn time_runs_out() {
    let lakehouse = Lakehouse { limits: StatementLimits { seconds: 1, ..LIMITS }, ..Lakehouse::new() };
    let query = "SELECT count(*) FROM generate_series(1, 100000000) a JOIN generate_series(1, 100000000) b ON a.value % 7 = b.value % 7";
    let start = Instant::now();
    let ran = lakehouse.run(&mut lakehouse.session(), query).await;
    assert_eq!(
        ran[0].outcome.as_ref().unwrap_err().to_string(),
        "ODPS-0010013:[0,0] Resource limit - the statement ran longer than 1 seconds and was stopped"
    );
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn a_cancelled_insert_leaves_nothing() {
    let lakehouse = Lakehouse::new();
    let mut session = lakehouse.session();
    lakehouse.ok(&mut session, "CREATE TABLE t (id BIGINT, m STRING)").await;
    lakehouse.ok(&mut session, "INSERT INTO t VALUES (1, 'a')").await;
    let (statements, _) = lakehouse
        .engine
        .parse("INSERT INTO t SELECT value, md5(CAST(value AS STRING)) FROM generate_series(1, 100000000)");
    let context = lakehouse.context(&session);
    let cancel = context.cancel.clone();
    let mut progress = context.progress.subscribe();
    let running = tokio::spawn(async move { statements[0].execute(context).await });
    progress.wait_for(|progress| progress.rows > 0).await.unwrap();
    cancel.cancel();
    assert!(matches!(running.await.unwrap(), Err(SqlError::Cancelled)));
    assert_eq!(lakehouse.rows(&mut session, "SELECT count(*) FROM t").await, [["1"]]);
    assert_eq!(lakehouse.journal.0.lock().unwrap().as_slice(), ["demo.default.t"]);
    // The files are deleted in the background.
    for _ in 0..100 {
        if lakehouse.data_files("t").len() == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("left over: {:?}", lakehouse.data_files("t"));
}

#[tokio::test]
async fn a_failed_insert_leaves_nothing() {
    let lakehouse = Lakehouse::new();
    let mut session = lakehouse.session();
    lakehouse.ok(&mut session, "CREATE TABLE t (id TINYINT)").await;
    let ran = lakehouse.run(&mut session, "INSERT INTO t SELECT value FROM generate_series(-50000, 50000)").await;
    assert_eq!(
        ran[0].outcome.as_ref().unwrap_err().to_string(),
        "ODPS-0121095:[0,0] Invalid argument - '-50000' cannot be converted to tinyint, in row 1, column id"
    );
    assert!(lakehouse.journal.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn sessions_run_at_once_and_do_not_see_each_other() {
    let lakehouse = Lakehouse::new();
    lakehouse.ok(&mut lakehouse.session(), "CREATE TABLE t (id INT, who INT)").await;
    let one = |who: i32| {
        let lakehouse = &lakehouse;
        async move {
            let mut session = lakehouse.session();
            lakehouse.ok(&mut session, &format!("SET odps.who=w{who}; CREATE SCHEMA s{who}; USE SCHEMA s{who}")).await;
            for id in 0..5 {
                lakehouse.ok(&mut session, &format!("INSERT INTO default.t VALUES ({id}, {who})")).await;
            }
            let mine = lakehouse.rows(&mut session, &format!("SELECT count(*) FROM default.t WHERE who = {who}")).await;
            assert_eq!(mine, [["5"]]);
            assert_eq!(session.settings["odps.who"], format!("w{who}"));
            assert_eq!(session.schema, format!("s{who}"));
        }
    };
    futures::future::join_all((0..4).map(one)).await;
    assert_eq!(lakehouse.rows(&mut lakehouse.session(), "SELECT count(*) FROM t").await, [["20"]]);
}

#[tokio::test]
async fn deep_and_huge_statements_get_an_answer() {
    let lakehouse = Lakehouse::new();
    let scripts = [
        format!("SELECT {}", vec!["1"; 3_000].join(" + ")),
        format!("SELECT {}1{}", "(".repeat(3_000), ")".repeat(3_000)),
        format!("SELECT 1 WHERE {}", (0..20_000).map(|i| format!("1 = {i}")).collect::<Vec<_>>().join(" OR ")),
        format!("SELECT {}1", "NOT ".repeat(5_000)),
        format!("SELECT * FROM (VALUES {}) t", (0..20_000).map(|i| format!("({i})")).collect::<Vec<_>>().join(",")),
    ];
    for script in scripts {
        let (statements, unparsed) = lakehouse.engine.parse(&script);
        assert_eq!(statements.len() + usize::from(unparsed.is_some()), 1);
        for statement in statements {
            // An answer or an error: the process lives on.
            let _ = statement.execute(lakehouse.context(&lakehouse.session())).await;
        }
    }
    assert_eq!(lakehouse.rows(&mut lakehouse.session(), "SELECT 1").await, [["1"]]);
}

/// The answer to a query whose parts double with every link of a chain.
async fn doubled(lakehouse: &Lakehouse, first: &str, link: &str, n: usize) -> String {
    let mut query = format!("WITH c0 AS (SELECT {first} AS x)");
    (1..n).for_each(|i| query.push_str(&format!(", c{i} AS (SELECT {link} AS x FROM c{})", i - 1)));
    query.push_str(&format!(" SELECT x IS NULL FROM c{}", n - 1));
    let start = Instant::now();
    let ran = lakehouse.run(&mut lakehouse.session(), &query).await;
    assert!(start.elapsed() < Duration::from_secs(60), "{link}: {:?}", start.elapsed());
    ran[0].outcome.as_ref().map_or_else(ToString::to_string, |_| "done".into())
}

#[tokio::test]
async fn values_that_double_are_bounded() {
    let lakehouse = Lakehouse::new();
    let array = "array('a long text', 'another one')";
    for (first, link) in [
        (array, "array_concat(x, x)"),
        (array, "x || x"),
        (array, "flatten(array(x, x))"),
        ("repeat('x', 1000)", "concat(x, x)"),
    ] {
        let error = doubled(&lakehouse, first, link, 40).await;
        assert!(error.contains("too l") || error.contains("2 GB"), "{link}: {error}");
    }
    for link in ["struct(x, x)", "array(struct(x, x))"] {
        let error = doubled(&lakehouse, "1", link, 40).await;
        assert!(error.contains("has more than 1000 parts"), "{link}: {error}");
    }
    assert_eq!(doubled(&lakehouse, "1", "struct(x, x)", 8).await, "done");
}

#[tokio::test]
async fn a_large_constant_on_many_rows_is_an_error_not_a_crash() {
    let lakehouse = Lakehouse::new();
    for query in [
        "SELECT length(concat(repeat('x', 60000000), CAST(value AS STRING))) FROM generate_series(1, 100000)",
        "SELECT array_join(array_agg(value), repeat('x', 60000000)) FROM generate_series(1, 100000)",
    ] {
        let ran = lakehouse.run(&mut lakehouse.session(), query).await;
        let error = ran[0].outcome.as_ref().unwrap_err().to_string();
        assert!(error.contains("too l"), "{error}");
    }
}

#[test]
fn calls_inside_calls_are_bounded() {
    let lakehouse = Lakehouse::new();
    let nested = |n: usize| format!("SELECT {}1{}", "pmod(1, ".repeat(n), ")".repeat(n));
    let parsed = |query: &str| lakehouse.engine.parse(query).1.map(|unparsed| unparsed.error.message);
    assert_eq!(parsed(&nested(8)), None);
    let error = parsed(&nested(40)).unwrap();
    assert!(error.ends_with("calls inside each other are too large: write them as CASE"), "{error}");
}

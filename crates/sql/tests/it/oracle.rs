//! The same queries through plain DataFusion on the same rows.

use crate::harness::Lakehouse;
use arrow::util::display::array_value_to_string;
use datafusion::prelude::{SessionConfig, SessionContext};

/// Two commits of an append table, so that files differ in their ranges.
const ROWS: &str = "SELECT value AS id, CAST(value % 1000 AS INT) AS g, CAST(value AS DOUBLE) / 4 AS v, \
                    concat('name_', CAST(value % 7919 AS VARCHAR), '_', CAST(value % 64 AS VARCHAR)) AS s, \
                    CASE WHEN value % 5 = 0 THEN NULL ELSE value * 3 END AS n FROM generate_series";

const CORPUS: [&str; 14] = [
    "SELECT count(*), sum(id), sum(v), count(n), sum(n) FROM t",
    "SELECT min(s), max(s) FROM t",
    "SELECT min(id), max(id), min(n), max(n), min(v), max(v) FROM t",
    "SELECT min(s), max(s), count(*) FROM t WHERE g = 17",
    "SELECT g, count(*), sum(v) FROM t GROUP BY g ORDER BY g LIMIT 20",
    "SELECT s, count(*) FROM t GROUP BY s ORDER BY count(*) DESC, s LIMIT 20",
    "SELECT id, v FROM t ORDER BY v LIMIT 10",
    "SELECT id, s FROM t ORDER BY id DESC LIMIT 10",
    "SELECT count(*) FROM t WHERE id BETWEEN 5000 AND 6000",
    "SELECT count(*) FROM t WHERE s = 'nothing'",
    "SELECT count(*), max(s) FROM t WHERE s LIKE '%_33_%'",
    "SELECT id FROM t WHERE n IS NULL AND g > 990 ORDER BY id LIMIT 10",
    "SELECT a.g, count(*) FROM t a JOIN t b ON a.id = b.id + 1 WHERE a.g < 5 GROUP BY a.g ORDER BY a.g",
    "SELECT count(*) FROM t WHERE id IN (SELECT id + 1 FROM t WHERE g = 3) AND v > 100.0",
];

async fn oracle(create: &str, query: &str) -> Vec<Vec<String>> {
    let mut config = SessionConfig::new();
    config.options_mut().sql_parser.default_null_ordering = "nulls_min".into();
    let context = SessionContext::new_with_config(config);
    context.sql(create).await.unwrap().collect().await.unwrap();
    let batches = context.sql(query).await.unwrap().collect().await.unwrap();
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let text = |column: &arrow::array::ArrayRef| match column.is_null(row) {
                true => "NULL".to_owned(),
                false => array_value_to_string(column, row).unwrap(),
            };
            rows.push(batch.columns().iter().map(text).collect());
        }
    }
    rows
}

async fn compare(create_ours: &str, inserts: &[&str]) {
    let lakehouse = Lakehouse::new();
    let mut session = lakehouse.session();
    lakehouse.ok(&mut session, create_ours).await;
    for range in inserts {
        let rows = ROWS.replace("VARCHAR", "STRING");
        lakehouse.ok(&mut session, &format!("INSERT INTO t {rows}({range})")).await;
    }
    let create = format!("CREATE TABLE t AS {ROWS}(1, 120000)");
    for query in CORPUS {
        let expected = oracle(&create, query).await;
        assert_eq!(lakehouse.rows(&mut session, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn native_scans_answer_as_plain_datafusion() {
    compare("CREATE TABLE t (id BIGINT, g INT, v DOUBLE, s STRING, n BIGINT)", &["1, 50000", "50001, 120000"]).await;
}

#[tokio::test]
async fn merged_scans_answer_as_plain_datafusion() {
    let create = "CREATE TABLE t (id BIGINT, g INT, v DOUBLE, s STRING, n BIGINT, PRIMARY KEY (id)) \
                  TBLPROPERTIES ('bucket'='3')";
    compare(create, &["30000, 120000", "1, 60000"]).await;
}

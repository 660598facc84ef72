//! Where in the text an error is underlined.

use crate::harness::Lakehouse;
use ports::sql_engine::SqlEngine;

/// Runs a script whose last statement fails; what of the script is underlined, and the message.
async fn check(lakehouse: &Lakehouse, script: &str, expected: &str) {
    let mut session = lakehouse.session();
    let ran = lakehouse.run(&mut session, script).await;
    let error = ran.last().unwrap().outcome.as_ref().unwrap_err();
    let ports::sql_engine::SqlError::Failed(error) = error else { panic!("{error}") };
    let place = error.span.map_or("nothing", |span| &script[span.start..span.end]);
    assert_eq!(format!("{place} | {}", error.message), expected);
}

#[tokio::test]
async fn errors_of_names_underline_the_name() {
    let lakehouse = Lakehouse::new();
    let mut session = lakehouse.session();
    lakehouse.ok(&mut session, "CREATE TABLE t (id INT) PARTITIONED BY (dt STRING)").await;
    lakehouse.ok(&mut session, "INSERT INTO t VALUES (1, 'a')").await;
    let full_scan = |name: &str| {
        format!(
            "{name} | ODPS-0130071:[0,0] Semantic analysis exception - physical plan generation failed: \
             Table(demo,default,t) is full scan with all partitions, please specify partition predicates."
        )
    };
    check(&lakehouse, "SELECT 1;\nSELECT count(*)\nFROM t x WHERE id = 1", &full_scan("t")).await;
    check(&lakehouse, "SELECT * FROM default.t LIMIT 1", &full_scan("default.t")).await;
    check(&lakehouse, "INSERT INTO t SELECT * FROM `t`", &full_scan("`t`")).await;
    let missing = "t | ODPS-0130071:[1,15] Semantic analysis exception - table demo.default.t has no snapshot 9: \
                   it has 1 to 1";
    check(&lakehouse, "SELECT * FROM t VERSION AS OF 9", missing).await;
}

#[tokio::test]
async fn bounds_of_a_query_are_told_where_they_are_broken() {
    let lakehouse = Lakehouse::new();
    let list = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
    let check = |query: String, expected: &str| {
        let (statements, unparsed) = lakehouse.engine.parse(&query);
        let got =
            unparsed.map_or_else(|| format!("{} statements", statements.len()), |unparsed| unparsed.error.message);
        assert_eq!(got, expected);
    };
    let too_many = "ODPS-0130071:[1,10] Semantic analysis exception - IN lists of one statement have at most 10000 \
                    values: put them into a table and use IN (SELECT …)";
    check(format!("SELECT 1\nWHERE 1 IN ({})", list(10_000)), "1 statements");
    check(format!("SELECT   1 IN ({})", list(10_001)), too_many);
    check(format!("SELECT 2 IN ({0}), 1 IN ({0})", list(6_000)), &too_many.replace("[1,10]", "[1,28906]"));
    check(format!("SELECT 'a' LIKE '{}'", "%".repeat(20_000)), "1 statements");
    check(
        format!("SELECT 'a' LIKE '{}'", "%a".repeat(20_000)),
        "ODPS-0130071:[1,8] Semantic analysis exception - a LIKE pattern has at most 1000 of % and _",
    );
}

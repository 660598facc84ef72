//! Where in the text an error is underlined.

use crate::harness::Lakehouse;

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

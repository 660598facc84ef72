//! That DataFusion plans and runs what the dialect makes.

use super::lateral_view::LateralViewPlanner;
use super::{parse, types};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::common::Result;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::planner::TypePlanner;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast;
use std::sync::Arc;

#[derive(Debug)]
struct Types;

impl TypePlanner for Types {
    fn plan_type_field(&self, sql_type: &ast::DataType) -> Result<Option<FieldRef>> {
        let data_type: Option<DataType> = types::decode(sql_type).map(|decoded| decoded.to_arrow());
        Ok(data_type.map(|data_type| Arc::new(Field::new("", data_type, true))))
    }
}

fn context() -> SessionContext {
    let state = SessionStateBuilder::new().with_default_features().with_type_planner(Arc::new(Types)).build();
    let context = SessionContext::new_with_state(state);
    context.register_relation_planner(Arc::new(LateralViewPlanner)).expect("registers");
    context
}

async fn rows(context: &SessionContext, sql: &str) -> String {
    let (parsed, unparsed) = parse(sql);
    if let Some(unparsed) = unparsed {
        return unparsed.error.message;
    }
    let query = parsed[0].statement.queries()[0].clone();
    let state = context.state();
    let run = async {
        let statement = DfStatement::Statement(Box::new(ast::Statement::Query(query.ast)));
        let plan = state.statement_to_plan(statement).await?;
        let batches = context.execute_logical_plan(plan).await?.collect().await?;
        Ok::<_, datafusion::common::DataFusionError>(pretty_format_batches(&batches)?.to_string())
    };
    match run.await {
        Ok(table) => {
            let lines = table.lines().filter(|line| line.starts_with('|'));
            let cells = |line: &str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>().join(",");
            lines.map(cells).collect::<Vec<_>>().join(" / ")
        }
        Err(error) => format!("error: {}", error.strip_backtrace()),
    }
}

#[tokio::test]
async fn queries_run() {
    let context = context();
    let table = "CREATE TABLE t AS SELECT * FROM (VALUES
        (1, 'x', make_array(10, 20), MAP {'k': 1, 'l': 2}, make_array(named_struct('p', 1, 'q', 'one'))),
        (2, 'y', make_array(30), MAP {'m': 3}, make_array(named_struct('p', 2, 'q', 'two'))),
        (3, 'z', CAST(make_array() AS INT[]), NULL, NULL)) AS v (id, s, arr, m, structs)";
    context.sql(table).await.expect("plans").collect().await.expect("runs");
    let cases = [
        ("SELECT 1, -1, 'a', 10L, 1.5BD", "_c0,_c1,_c2,_c3,_c4 / 1,-1,a,10,1.5"),
        ("SELECT 1, 1, 2 AS x", "_c0,_c1,x / 1,1,2"),
        ("SELECT id, id, t.id FROM t WHERE id == 1", "id,_c1,_c2 / 1,1,1"),
        ("SELECT count(*), max(id) FROM t ORDER BY count(*)", "_c0,_c1 / 3,3"),
        (
            "SELECT upper(s), count(*) FROM t GROUP BY upper(s) HAVING count(*) > 0 ORDER BY upper(s) LIMIT 1, 1",
            "_c0,_c1 / Y,1",
        ),
        ("SELECT DISTINCT upper(s) FROM t ORDER BY upper(s) DESC LIMIT 1", "_c0 / Z"),
        ("SELECT upper(s), count(*) FROM t GROUP BY 1 ORDER BY 1 LIMIT 1", "_c0,_c1 / X,1"),
        ("SELECT id FROM t WHERE s RLIKE '[xy]' AND NOT s RLIKE 'y'", "id / 1"),
        ("SELECT 1 UNION ALL SELECT 2 MINUS SELECT 2", "_c0 / 1"),
        ("SELECT ~5, !true, 7 <=> NULL, NULL <=> NULL", "_c0,_c1,_c2,_c3 / -6,false,false,true"),
        (
            "SELECT DATE '2024-07-18', CAST('12' AS BIGINT), CAST('1.256' AS DECIMAL(10,2))",
            "_c0,_c1,_c2 / 2024-07-18,12,1.26",
        ),
        (
            "SELECT X'AB', 9223372036854775808, -9223372036854775808",
            "_c0,_c1,_c2 / ab,9223372036854775808,-9223372036854775808",
        ),
        ("SELECT a.id FROM t a LEFT SEMI JOIN t b ON a.id = b.id + 1 ORDER BY a.id", "id / 2 / 3"),
        ("SELECT a.id FROM t a LEFT ANTI JOIN t b ON a.id = b.id + 1", "id / 1"),
        ("SELECT id FROM t SORT BY id DESC", "id / 3 / 2 / 1"),
        ("SELECT s, count(*) c FROM t GROUP BY s WITH ROLLUP ORDER BY c DESC LIMIT 1", "s,c / ,3"),
        ("SELECT id FROM t QUALIFY row_number() OVER (ORDER BY id DESC) = 1", "id / 3"),
        ("SELECT row_number() OVER (DISTRIBUTE BY s SORT BY id) FROM t LIMIT 1", "_c0 / 1"),
        ("SELECT * EXCEPT (arr, m, structs) FROM t WHERE id = 2", "id,s / 2,y"),
        (
            "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT * FROM n",
            "i / 1 / 2 / 3",
        ),
        ("WITH t AS (SELECT id + 1 AS id FROM t) SELECT max(id) FROM t", "_c0 / 4"),
        ("SELECT * FROM VALUES (1, 'a'), (2, 'b') v (x, y) ORDER BY x", "x,y / 1,a / 2,b"),
        ("FROM t SELECT id, s WHERE id > 2", "id,s / 3,z"),
        ("SELECT id, e FROM t LATERAL VIEW explode(arr) v AS e ORDER BY e", "id,e / 1,10 / 1,20 / 2,30"),
        ("SELECT t.id, v.e FROM t LATERAL VIEW explode(arr) v AS e WHERE v.e > 10 AND t.s = 'x'", "id,e / 1,20"),
        ("SELECT id, e FROM t LATERAL VIEW OUTER explode(arr) v AS e ORDER BY id, e", "id,e / 1,10 / 1,20 / 2,30 / 3,"),
        ("SELECT id, k, w FROM t LATERAL VIEW explode(m) v AS k, w ORDER BY k", "id,k,w / 1,k,1 / 1,l,2 / 2,m,3"),
        (
            "SELECT id, pos, col FROM t LATERAL VIEW posexplode(arr) v ORDER BY id, pos",
            "id,pos,col / 1,0,10 / 1,1,20 / 2,0,30",
        ),
        ("SELECT id, e['p'] FROM t LATERAL VIEW explode(structs) v AS e WHERE e['p'] > 1", "id,_c1 / 2,2"),
        ("SELECT id, v.e.q FROM t LATERAL VIEW explode(structs) v AS e WHERE v.e.p > 1", "id,q / 2,two"),
        ("SELECT id, a, b FROM t LATERAL VIEW inline(structs) v AS a, b ORDER BY id", "id,a,b / 1,1,one / 2,2,two"),
        (
            "SELECT id, e, f FROM t LATERAL VIEW explode(arr) v AS e LATERAL VIEW explode(arr) w AS f WHERE e = f ORDER BY e",
            "id,e,f / 1,10,10 / 1,20,20 / 2,30,30",
        ),
        (
            "SELECT x.id, y.id, e FROM t x, t y LATERAL VIEW explode(x.arr) v AS e WHERE y.id = 3 ORDER BY e LIMIT 1",
            "id,id,e / 1,3,10",
        ),
        (
            "SELECT x.id, e FROM t x JOIN t y ON x.id = y.id LATERAL VIEW explode(x.arr) v AS e ORDER BY e LIMIT 1",
            "id,e / 1,10",
        ),
        (
            "SELECT count(*) FROM t LATERAL VIEW explode(s) v AS e",
            "error: Error during planning: explode needs an array or a map, not Utf8",
        ),
        (
            "SELECT * FROM t LATERAL VIEW explode(arr) v AS e, f",
            "error: Error during planning: explode gives 1 columns, not 2",
        ),
        (
            "SELECT * FROM t LATERAL VIEW json_tuple(s, 'a') v AS e",
            "error: Error during planning: LATERAL VIEW json_tuple(s, 'a') is not supported yet",
        ),
    ];
    let mut failures = Vec::new();
    for (sql, expected) in cases {
        let got = rows(&context, sql).await;
        if got != expected {
            failures.push(format!("{sql}\n   expected {expected}\n        got {got}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// The highest statements that the parser lets through are planned on the engine's stack without harm.
#[test]
fn high_statements_plan() {
    let planning = std::thread::Builder::new().stack_size(32 << 20).spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let context = context();
            for (sql, expected) in [
                (format!("SELECT 1{}", "+1".repeat(249)), "_c0 / 250"),
                (format!("SELECT 1 WHERE 1=2{}", " OR 1=1".repeat(999)), "_c0 / 1"),
                (format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(300)), "_c0 / 1"),
            ] {
                let got = rows(&context, &sql).await;
                assert!(got.starts_with(expected), "{}… gave {got}", &sql[..40]);
            }
        });
    });
    planning.expect("a thread starts").join().expect("planned");
}

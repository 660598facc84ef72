//! The full-scan guard: a partitioned table is not read whole by accident.

use crate::error::{Class, Place, failed_at, with_fix};
use crate::scan::TableScan;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, DataFusionError};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::expr::{Cast, InList, Like, TryCast};
use datafusion::logical_expr::{Between, BinaryExpr, Expr, LogicalPlan, Operator};
use model::table::TableRef;
use model::worksheet::Span;
use ports::sql_engine::SqlError;

/// The statement that lifts the guard.
const FIX: &str = "SET odps.sql.allow.fullscan=true;";

/// Refuses an optimized plan that scans a partitioned table with no predicate on its partitions.
pub(crate) fn check(plan: &LogicalPlan, namespace_schema: bool) -> Result<(), SqlError> {
    let mut full_scan: Option<(TableRef, Span)> = None;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Ok(provider) = source_as_provider(&scan.source)
            && let Some(table) = (provider.as_ref() as &dyn std::any::Any).downcast_ref::<TableScan>()
            && table.has_data()
            && !table.table().partition_keys().is_empty()
            && !scan.filters.iter().any(|filter| prunes(filter, table.table().partition_keys()))
        {
            full_scan = Some((table.table().reference.clone(), table.span()));
            return Ok(TreeNodeRecursion::Stop);
        }
        Ok::<_, DataFusionError>(TreeNodeRecursion::Continue)
    })
    .map_err(crate::error::from_datafusion)?;
    full_scan.map_or(Ok(()), |(table, span)| Err(refusal(&table, span, namespace_schema)))
}

/// The log says `[0,0]`, as the cloud product does; the worksheet underlines the table.
fn refusal(table: &TableRef, span: Span, namespace_schema: bool) -> SqlError {
    let name = if namespace_schema {
        format!("{},{},{}", table.project, table.schema, table.table)
    } else {
        format!("{},{}", table.project, table.table)
    };
    let text = format!(
        "physical plan generation failed: Table({name}) is full scan with all partitions, please specify partition \
         predicates."
    );
    let place = Place { span: Some(span), ..Place::default() };
    with_fix(failed_at(Class::Semantic, place, text), FIX)
}

/// Whether a filter compares a partition column with constants, in every branch of an OR.
fn prunes(filter: &Expr, partition_keys: &[String]) -> bool {
    let is_key = |expr: &Expr| key(expr).is_some_and(|name| partition_keys.iter().any(|key| key == name));
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            prunes(left, partition_keys) || prunes(right, partition_keys)
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            prunes(left, partition_keys) && prunes(right, partition_keys)
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            is_comparison(*op) && ((is_key(left) && is_constant(right)) || (is_constant(left) && is_key(right)))
        }
        Expr::Not(inner) => prunes(inner, partition_keys),
        Expr::IsNull(inner) | Expr::IsNotNull(inner) => is_key(inner),
        Expr::Between(Between { expr, low, high, .. }) => is_key(expr) && is_constant(low) && is_constant(high),
        Expr::InList(InList { expr, list, .. }) => is_key(expr) && list.iter().all(is_constant),
        Expr::Like(Like { expr, pattern, .. }) => is_key(expr) && is_constant(pattern),
        _ => false,
    }
}

fn is_comparison(op: Operator) -> bool {
    matches!(
        op,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsNotDistinctFrom
    )
}

/// The column of an expression that is nothing but a column, perhaps of another type.
fn key(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Column(Column { name, .. }) => Some(name),
        Expr::Cast(Cast { expr, .. }) | Expr::TryCast(TryCast { expr, .. }) => key(expr),
        // A CHAR is compared without its trailing blanks.
        Expr::ScalarFunction(call) if call.name() == "rtrim" => call.args.first().and_then(key),
        _ => None,
    }
}

fn is_constant(expr: &Expr) -> bool {
    !expr.any_column_refs() && !expr.contains_outer() && !matches!(expr, Expr::ScalarSubquery(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::prelude::{col, lit};

    #[test]
    fn filters() {
        let keys = ["dt".to_owned()];
        let check = |filter: Expr, expected: bool| assert_eq!(prunes(&filter, &keys), expected, "{filter}");
        check(col("dt").eq(lit("2024-07-18")), true);
        check(lit("2024").lt_eq(col("dt")), true);
        check(col("id").eq(lit(1)), false);
        check(col("dt").eq(lit("a")).or(col("id").eq(lit(1))), false);
        check(col("dt").eq(lit("a")).or(col("dt").eq(lit("b")).and(col("id").eq(lit(1)))), true);
        check(col("dt").is_not_null(), true);
        check(col("dt").is_not_null().or(lit(ScalarValue::Boolean(None))), false);
        check(col("dt").eq(col("data")), false);
        check(col("dt").in_list(vec![lit("a")], true), true);
        check(col("dt").like(lit("2024%")), true);
    }

    use datafusion::common::ScalarValue;
}

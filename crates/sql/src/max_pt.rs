//! `max_pt('t')`: the greatest value of the first partition column with data. It is looked up before the query is
//! planned, so that it counts as a constant.

use crate::dialect::{Ident, Name, Query};
use crate::error::{Class, SqlResult, failed};
use crate::job::Job;
use crate::partitions::{self, PartitionValue};
use crate::tables::OpenTable;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Query as SqlQuery, Value, visit_expressions,
    visit_expressions_mut,
};
use model::worksheet::Span;
use std::collections::HashMap;
use std::ops::ControlFlow;

/// The tables that a query asks for their greatest partition.
pub(crate) fn tables(query: &Query) -> Vec<Name> {
    texts(&query.ast).iter().map(|text| name(text)).collect()
}

/// Puts the values in the place of the calls.
pub(crate) async fn resolve(job: &Job, query: &mut Query) -> SqlResult<()> {
    let mut values = HashMap::new();
    for text in texts(&query.ast) {
        if values.contains_key(&text) {
            continue;
        }
        let target = job.names().table(&name(&text))?;
        let table = OpenTable::open(&job.engine.lake, &job.parsed, &target).await?;
        if table.partition_keys().is_empty() {
            return Err(failed(Class::Semantic, format!("max_pt: table {text} is not a partitioned table")));
        }
        let greatest = partitions::list(&table, None).await?.into_iter().next_back();
        values.insert(text, greatest.and_then(|values| values.into_iter().next()));
    }
    if values.is_empty() {
        return Ok(());
    }
    let _: ControlFlow<()> = visit_expressions_mut(&mut query.ast, |expr| {
        if let Some(text) = argument(expr) {
            *expr = Expr::value(match values.get(&text).cloned().flatten() {
                None | Some(PartitionValue::Null) => Value::Null,
                Some(value) => Value::SingleQuotedString(value.to_string()),
            });
        }
        ControlFlow::Continue(())
    });
    Ok(())
}

fn texts(query: &SqlQuery) -> Vec<String> {
    let mut texts = Vec::new();
    let _: ControlFlow<()> = visit_expressions(query, |expr| {
        texts.extend(argument(expr));
        ControlFlow::Continue(())
    });
    texts
}

/// The text in `max_pt('text')`.
fn argument(expr: &Expr) -> Option<String> {
    let Expr::Function(function) = expr else { return None };
    if !function.name.to_string().eq_ignore_ascii_case("max_pt") {
        return None;
    }
    let FunctionArguments::List(list) = &function.args else { return None };
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))] => value.value.clone().into_string(),
        _ => None,
    }
}

fn name(text: &str) -> Name {
    let part = |part: &str| Ident { value: part.trim().to_owned(), quoted: false, span: Span::default() };
    Name { parts: text.split('.').map(part).collect() }
}

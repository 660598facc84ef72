//! `max_pt('t')`: the greatest value of the first partition column with data. It is looked up before the query is
//! planned, so that it counts as a constant.

use crate::dialect::{Ident, Name, ParsedStatement, Query};
use crate::error::{Class, Place, SqlResult, failed_at};
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

/// The tables that a query asks for their greatest partition, with their places if the statement is given.
pub(crate) fn tables(query: &Query, parsed: Option<&ParsedStatement>) -> Vec<Name> {
    arguments(&query.ast).iter().map(|argument| argument.name(parsed)).collect()
}

/// Puts the values in the place of the calls.
pub(crate) async fn resolve(job: &Job, query: &mut Query) -> SqlResult<()> {
    let mut values = HashMap::new();
    for argument in arguments(&query.ast) {
        if values.contains_key(&argument.text) {
            continue;
        }
        let name = argument.name(Some(&job.parsed));
        let table = OpenTable::open(&job.engine.lake, &job.parsed, &job.names().table(&name)?).await?;
        let text = argument.text;
        if table.partition_keys().is_empty() {
            let place = Place::of(&job.parsed, name.span());
            let text = format!("max_pt: table {text} is not a partitioned table");
            return Err(failed_at(Class::Semantic, place, text));
        }
        let greatest = partitions::list(&table, None).await?.into_iter().next_back();
        values.insert(text, greatest.and_then(|values| values.into_iter().next()));
    }
    if values.is_empty() {
        return Ok(());
    }
    let _: ControlFlow<()> = visit_expressions_mut(&mut query.ast, |expr| {
        if let Some(argument) = argument(expr) {
            *expr = Expr::value(match values.get(&argument.text).cloned().flatten() {
                None | Some(PartitionValue::Null) => Value::Null,
                Some(value) => Value::SingleQuotedString(value.to_string()),
            });
        }
        ControlFlow::Continue(())
    });
    Ok(())
}

/// The text in `max_pt('text')`, and where in the statement it stands.
struct Argument {
    text: String,
    line: u64,
    column: u64,
}

fn arguments(query: &SqlQuery) -> Vec<Argument> {
    let mut arguments = Vec::new();
    let _: ControlFlow<()> = visit_expressions(query, |expr| {
        arguments.extend(argument(expr));
        ControlFlow::Continue(())
    });
    arguments
}

fn argument(expr: &Expr) -> Option<Argument> {
    let Expr::Function(function) = expr else { return None };
    if !function.name.to_string().eq_ignore_ascii_case("max_pt") {
        return None;
    }
    let FunctionArguments::List(list) = &function.args else { return None };
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(value)))] => {
            let start = value.span.start;
            Some(Argument { text: value.value.clone().into_string()?, line: start.line, column: start.column })
        }
        _ => None,
    }
}

impl Argument {
    fn name(&self, parsed: Option<&ParsedStatement>) -> Name {
        let quoted = parsed.and_then(|parsed| parsed.span_at(self.line, self.column));
        let span = quoted.map_or_else(Span::default, |span| Span { start: span.start + 1, end: span.end - 1 });
        let part = |part: &str| Ident { value: part.trim().to_owned(), quoted: false, span };
        Name { parts: self.text.split('.').map(part).collect() }
    }
}

//! INSERT, also with the source in front of it.

use super::ast::*;
use super::cursor::{Cursor, Result};
use super::error::{ErrorClass, SyntaxError};
use super::lexer::{Token, TokenKind};
use super::query;
use super::statement::Notes;

/// Where an INSERT writes.
struct Target {
    overwrite: bool,
    table: Name,
    partition: Option<PartitionSpec>,
    columns: Option<Vec<Ident>>,
}

/// `INSERT …` with its source; `ctes` are the tokens of a WITH in front.
pub(super) fn parse(cursor: &mut Cursor<'_>, notes: &mut Notes, ctes: &[Token]) -> Result<Insert> {
    let target = target(cursor)?;
    let start = cursor.span();
    if cursor.is_at_end() {
        return Err(cursor.expected(&["VALUES", "SELECT"]));
    }
    let source = if cursor.is_keyword("FROM") {
        let (from, parts) = split_from_first(cursor.rest());
        let [select] = parts.as_slice() else { return Err(cursor.expected(&["VALUES", "SELECT"])) };
        if !select.first().is_some_and(|token| token.is_keyword("SELECT")) {
            return Err(cursor.expected(&["VALUES", "SELECT"]));
        }
        query::parse_from_first(ctes, from, select, cursor.script, notes)?
    } else {
        let tokens = [ctes, cursor.rest()].concat();
        query::parse(&tokens, cursor.script, notes)?
    };
    cursor.at = cursor.tokens.len();
    Ok(insert(target, source, cursor.span_from(start)))
}

/// `FROM … INSERT … SELECT … INSERT … SELECT …`, and `FROM … SELECT …`.
pub(super) fn from_first(cursor: &mut Cursor<'_>, notes: &mut Notes, ctes: &[Token]) -> Result<Statement> {
    let (from, parts) = split_from_first(cursor.rest());
    if parts.is_empty() {
        cursor.at = cursor.tokens.len();
        return Err(cursor.expected(&["INSERT", "SELECT"]));
    }
    if let [select] = parts.as_slice()
        && select[0].is_keyword("SELECT")
    {
        let query = query::parse_from_first(ctes, from, select, cursor.script, notes)?;
        return Ok(Statement::Query(Box::new(query)));
    }
    let mut inserts = Vec::new();
    for part in parts {
        let mut part = Cursor::new(part, cursor.script);
        let target = target(&mut part)?;
        let start = part.span();
        if !part.is_keyword("SELECT") {
            return Err(part.expected(&["SELECT"]));
        }
        let source = query::parse_from_first(ctes, from, part.rest(), cursor.script, notes)?;
        part.at = part.tokens.len();
        inserts.push(insert(target, source, part.span_from(start)));
    }
    Ok(Statement::MultiInsert(inserts))
}

fn insert(target: Target, source: Query, source_span: model::worksheet::Span) -> Insert {
    let Target { overwrite, table, partition, columns } = target;
    Insert { overwrite, table, partition, columns, source, source_span }
}

/// The FROM clause in front, and the parts behind it: each begins with INSERT, or the only one with SELECT.
fn split_from_first(tokens: &[Token]) -> (&[Token], Vec<&[Token]>) {
    let mut depth = 0usize;
    let mut starts = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && (token.is_keyword("INSERT") || (starts.is_empty() && token.is_keyword("SELECT"))) {
            starts.push(index);
        }
    }
    let from = &tokens[..starts.first().copied().unwrap_or(tokens.len())];
    let ends = starts.iter().skip(1).copied().chain([tokens.len()]);
    let parts = starts.iter().zip(ends).map(|(start, end)| &tokens[*start..end]).collect();
    (from, parts)
}

/// `INSERT INTO|OVERWRITE [TABLE] t [PARTITION (…)] [(…)]`.
fn target(cursor: &mut Cursor<'_>) -> Result<Target> {
    cursor.expect_keyword("INSERT")?;
    let Some(how) = cursor.one_of(&["INTO", "OVERWRITE"]) else {
        return Err(cursor.expected(&["INTO", "OVERWRITE"]));
    };
    if cursor.is_keyword("DIRECTORY") || cursor.is_keyword("LOCAL") {
        return Err(SyntaxError::semantic(cursor.span(), "INSERT OVERWRITE DIRECTORY is not supported"));
    }
    if cursor.peek_nth(1).is_some_and(|token| matches!(token.kind, TokenKind::Word(_) | TokenKind::Quoted(_))) {
        cursor.keyword("TABLE");
    }
    let table = cursor.table()?;
    let mut partition = cursor.optional_partition()?;
    if cursor.keywords(&["IF", "NOT", "EXISTS"]) {
        return Err(SyntaxError::semantic(cursor.span(), "INSERT … IF NOT EXISTS is not supported"));
    }
    let columns = columns(cursor)?;
    if partition.is_none() {
        partition = cursor.optional_partition()?;
    }
    if let Some(spec) = &partition {
        check_order(spec)?;
    }
    Ok(Target { overwrite: how == "OVERWRITE", table, partition, columns })
}

/// `(c1, …)`, unless the parenthesis begins the source.
fn columns(cursor: &mut Cursor<'_>) -> Result<Option<Vec<Ident>>> {
    let begins_source = |token: &Token| {
        token.is_symbol("(") || ["SELECT", "WITH", "VALUES", "FROM"].iter().any(|k| token.is_keyword(k))
    };
    if !cursor.is_symbol("(") || cursor.peek_nth(1).is_some_and(begins_source) {
        return Ok(None);
    }
    let columns = cursor.list(|cursor| cursor.ident("a column"))?;
    for (index, column) in columns.iter().enumerate() {
        if columns[..index].iter().any(|other| other.value.eq_ignore_ascii_case(&column.value)) {
            return Err(SyntaxError::semantic(column.span, format!("duplicate column {}", column.value)));
        }
    }
    Ok(Some(columns))
}

/// Static keys come before dynamic ones.
fn check_order(spec: &PartitionSpec) -> Result<()> {
    let first_dynamic = spec.keys.iter().position(|key| key.value.is_none()).unwrap_or(spec.keys.len());
    match spec.keys[first_dynamic..].iter().find(|key| key.value.is_some()) {
        None => Ok(()),
        Some(key) => Err(SyntaxError {
            class: ErrorClass::Partition,
            ..SyntaxError::new(key.column.span, "static partition must precede dynamic partition")
        }),
    }
}

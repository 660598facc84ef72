//! A parsed query, made plannable: what DataFusion has no plan for is said in its words, and what cannot be is refused.

use super::ast::{Ident, Name, Query, TableUse, TimeTravel};
use super::calls;
use super::cursor::Result;
use super::error::{ErrorClass, SyntaxError};
use super::translate::Places;
use super::types::{self, SqlType};
use datafusion::sql::sqlparser::ast::{
    self, AccessExpr, BinaryOperator, CastKind, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, GroupByExpr, GroupByWithModifier, Join, JoinOperator, LimitClause, ObjectName, Offset,
    OffsetRows, Select, SelectItem, SetExpr, SetOperator, Spanned, TableFactor, TableVersion, TableWithJoins,
    UnaryOperator, Value, VisitMut, VisitorMut, WildcardAdditionalOptions,
};
use model::worksheet::Span;
use std::collections::VecDeque;
use std::ops::ControlFlow;

/// Marks the text of a `VERSION AS OF` on its way through the grammar.
pub(super) const VERSION: &str = "v";

/// Marks the text of a `TIMESTAMP AS OF` on its way through the grammar.
pub(super) const TIMESTAMP: &str = "t";

/// Stands for the column names of a LATERAL VIEW that were not written.
pub(super) const DEFAULT_COLUMNS: &str = "*";

/// Most tables of one query.
const TABLES_MAX: usize = 500;

/// Most tables and queries of one query once each use of a CTE is replaced by its query, as the planner does: a chain
/// of CTEs that each use the one before twice doubles with every link.
const EXPANDED_MAX: usize = 2_000;

/// Most values in the IN lists of one query: planning them takes long and cannot be cancelled.
const LISTED_MAX: usize = 10_000;

/// Most expressions that stand for calls of other functions: inside each other they multiply.
const REWRITTEN_MAX: usize = 200_000;

/// Most `%` and `_` of one LIKE pattern.
const WILDCARDS_MAX: usize = 1_000;

/// Rewrites the query and lists its tables.
pub(super) fn rewrite(mut query: Box<ast::Query>, places: &Places) -> Result<Query> {
    let mut rewriter = Rewriter { places, scopes: Vec::new(), tables: Vec::new(), n_listed: 0, n_rewritten: 0 };
    match VisitMut::visit(query.as_mut(), &mut rewriter) {
        ControlFlow::Break(error) => Err(*error),
        ControlFlow::Continue(()) => Ok(Query { ast: query, tables: rewriter.tables }),
    }
}

/// The CTEs of one query: those that its parts can see, and those still to come.
struct Scope {
    visible: Vec<Cte>,
    pending: VecDeque<String>,
    is_recursive: bool,
    /// Tables and queries in it so far, CTEs replaced by their queries.
    expanded: usize,
}

struct Cte {
    name: String,
    /// Tables and queries that stand in its place.
    expanded: usize,
}

impl Cte {
    /// As it is seen by its own recursive part.
    fn itself(name: &str) -> Self {
        Self { name: name.to_owned(), expanded: 1 }
    }
}

struct Rewriter<'a> {
    places: &'a Places,
    scopes: Vec<Scope>,
    tables: Vec<TableUse>,
    /// Values in IN lists so far.
    n_listed: usize,
    /// Expressions in the place of calls so far.
    n_rewritten: usize,
}

type Flow = ControlFlow<Box<SyntaxError>>;

impl Rewriter<'_> {
    fn span_of(&self, node: &impl Spanned) -> Option<Span> {
        let start = node.span().start;
        self.places.span_at(start.line, start.column)
    }

    fn refuse(&self, node: &impl Spanned, message: impl Into<String>) -> Flow {
        let error = match self.span_of(node) {
            Some(at) => SyntaxError::semantic(at, message),
            None => SyntaxError { class: ErrorClass::Semantic, ..SyntaxError::whole(message) },
        };
        ControlFlow::Break(Box::new(error))
    }

    /// The CTE that a name means, as the innermost query around it sees it.
    fn cte(&self, name: &ObjectName) -> Option<&Cte> {
        let [part] = name.0.as_slice() else { return None };
        let wanted = normalized(part.as_ident()?);
        self.scopes.iter().rev().flat_map(|scope| scope.visible.iter().rev()).find(|cte| cte.name == wanted)
    }

    /// Counts what comes in the place of a table's name.
    fn expand(&mut self, name: &ObjectName, expanded: usize) -> Flow {
        let Some(scope) = self.scopes.last_mut() else { return ControlFlow::Continue(()) };
        scope.expanded = scope.expanded.saturating_add(expanded);
        if scope.expanded <= EXPANDED_MAX {
            return ControlFlow::Continue(());
        }
        let message = format!("the query has more than {EXPANDED_MAX} tables once its WITH clauses are put in place");
        self.refuse(name, message)
    }

    fn note_table(&mut self, name: &ObjectName, version: &mut Option<TableVersion>) -> Flow {
        let time_travel = match version {
            None => None,
            Some(version) => match travel_of(version) {
                Some(travel) => Some(travel),
                None => return self.refuse(name, "this form of time travel is not supported"),
            },
        };
        if let (Some(version), Some(travel)) = (version.as_mut(), &time_travel) {
            *version = match travel {
                TimeTravel::Version(text) => TableVersion::VersionAsOf(text_expr(text)),
                TimeTravel::Timestamp(text) => TableVersion::TimestampAsOf(text_expr(text)),
            };
        }
        if let Some(expanded) = self.cte(name).map(|cte| cte.expanded) {
            return match time_travel {
                Some(_) => self.refuse(name, "time travel needs a table"),
                None => self.expand(name, expanded),
            };
        }
        let mut parts = Vec::new();
        for part in &name.0 {
            let Some(ident) = part.as_ident().filter(|ident| ident.quote_style != Some('\'')) else {
                return self.refuse(name, format!("{name} is no table name: tables are named, not read from paths"));
            };
            let start = ident.span.start;
            let span = self.places.span_at(start.line, start.column).unwrap_or_default();
            parts.push(Ident { value: ident.value.clone(), quoted: ident.quote_style.is_some(), span });
        }
        if parts.len() > 3 {
            return self.refuse(name, format!("invalid name '{name}': at most 3 parts"));
        }
        self.tables.push(TableUse { name: Name { parts }, time_travel });
        if self.tables.len() > TABLES_MAX {
            return self.refuse(name, format!("the query names more than {TABLES_MAX} tables"));
        }
        self.expand(name, 1)
    }
}

impl VisitorMut for Rewriter<'_> {
    type Break = Box<SyntaxError>;

    fn pre_visit_query(&mut self, query: &mut ast::Query) -> Flow {
        let (pending, is_recursive) = match &query.with {
            Some(with) => (with.cte_tables.iter().map(|cte| normalized(&cte.alias.name)).collect(), with.recursive),
            None => (VecDeque::new(), false),
        };
        // A recursive CTE sees itself.
        let visible = pending.front().filter(|_| is_recursive).map(|name| Cte::itself(name)).into_iter().collect();
        self.scopes.push(Scope { visible, pending, is_recursive, expanded: 1 });
        if let Some(LimitClause::OffsetCommaLimit { offset, limit }) = &query.limit_clause {
            query.limit_clause = Some(LimitClause::LimitOffset {
                limit: Some(limit.clone()),
                offset: Some(Offset { value: offset.clone(), rows: OffsetRows::None }),
                limit_by: Vec::new(),
            });
        }
        if let SetExpr::Values(values) = query.body.as_ref()
            && let Some((first, rest)) = values.rows.split_first()
            && let Some(at) = rest.iter().position(|row| row.len() != first.len())
        {
            let (row, n, expected) = (at + 2, rest[at].len(), first.len());
            return self.refuse(&rest[at][0], format!("row {row} has {n} values, the first row has {expected}"));
        }
        replace_minus(&mut query.body);
        balance_unions(&mut query.body);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut ast::Query) -> Flow {
        order_by_items(query);
        let expanded = self.scopes.pop().map_or(0, |scope| scope.expanded);
        let Some(outer) = self.scopes.last_mut() else { return ControlFlow::Continue(()) };
        // CTEs come before everything else in their query: what was just left is the next of them.
        match outer.pending.pop_front() {
            Some(name) => {
                outer.visible.push(Cte { name, expanded });
                if outer.is_recursive {
                    outer.visible.extend(outer.pending.front().map(|name| Cte::itself(name)));
                }
            }
            None => outer.expanded = outer.expanded.saturating_add(expanded),
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> Flow {
        match factor {
            TableFactor::Table { name, with_hints, .. } if !with_hints.is_empty() => {
                self.refuse(name, "table hints are not supported")
            }
            TableFactor::Table { name, args: None, version, .. } => {
                let name = name.clone();
                self.note_table(&name, version)
            }
            TableFactor::Table { name, args: Some(_), .. } => {
                let is_harmless = ["range", "generate_series", "unnest"]
                    .iter()
                    .any(|known| name.to_string().eq_ignore_ascii_case(known));
                if is_harmless {
                    return ControlFlow::Continue(());
                }
                let message = format!("table function {name} cannot be resolved");
                self.refuse(name, message)
            }
            TableFactor::NestedJoin { table_with_joins, .. } => {
                joins_to_the_left(&mut table_with_joins.joins);
                ControlFlow::Continue(())
            }
            TableFactor::Derived { .. } | TableFactor::UNNEST { .. } => ControlFlow::Continue(()),
            other => {
                let message = format!("{other} is not supported yet in FROM");
                self.refuse(other, message)
            }
        }
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> Flow {
        select.from.iter_mut().for_each(|table| joins_to_the_left(&mut table.joins));
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, select: &mut Select) -> Flow {
        if select.into.is_some() {
            return self.refuse(select, "SELECT … INTO is not supported: use CREATE TABLE … AS SELECT");
        }
        if let GroupByExpr::Expressions(exprs, modifiers) = &mut select.group_by {
            match modifiers.as_slice() {
                [] => {}
                [modifier] => {
                    let sets: Vec<Vec<Expr>> = std::mem::take(exprs).into_iter().map(|expr| vec![expr]).collect();
                    let grouped = match modifier {
                        GroupByWithModifier::Rollup => Expr::Rollup(sets),
                        GroupByWithModifier::Cube => Expr::Cube(sets),
                        GroupByWithModifier::GroupingSets(sets) => sets.clone(),
                        GroupByWithModifier::Totals => return self.refuse(select, "WITH TOTALS is not supported"),
                    };
                    *exprs = vec![grouped];
                    modifiers.clear();
                }
                _ => return self.refuse(select, "GROUP BY takes one of WITH ROLLUP, WITH CUBE and GROUPING SETS"),
            }
        }
        let qualifiers = qualifiers(select);
        name_items(&mut select.projection, &qualifiers);
        if !select.lateral_views.is_empty() {
            if select.from.is_empty() {
                return self.refuse(select, "LATERAL VIEW needs a FROM clause");
            }
            let source = Select {
                projection: vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())],
                from: std::mem::take(&mut select.from),
                lateral_views: std::mem::take(&mut select.lateral_views),
                ..bare_select(select)
            };
            select.from = vec![TableWithJoins { relation: derived(source), joins: Vec::new() }];
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> Flow {
        balance_connectives(expr);
        // A number belongs to its sign: the smallest value of a type has no positive counterpart.
        if let Expr::UnaryOp { op: UnaryOperator::Minus, expr: operand } = expr
            && let Some(digits) = number_text(operand)
        {
            match typed_number(&digits, true) {
                Ok(Some(typed)) => *expr = typed,
                Ok(None) => {}
                Err(message) => return self.refuse(expr, message),
            }
        } else if let Some(digits) = number_text(expr) {
            match typed_number(&digits, false) {
                Ok(Some(typed)) => *expr = typed,
                Ok(None) => {}
                Err(message) => return self.refuse(expr, message),
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> Flow {
        match expr {
            Expr::InList { list, .. } => {
                self.n_listed += list.len();
                if self.n_listed > LISTED_MAX {
                    let message = format!(
                        "IN lists of one statement have at most {LISTED_MAX} values: put them into a table and use \
                         IN (SELECT …)"
                    );
                    return self.refuse(&*expr, message);
                }
            }
            Expr::Like { pattern, escape_char: None, .. } | Expr::ILike { pattern, escape_char: None, .. } => {
                if let Expr::Value(value) = pattern.as_mut()
                    && let Value::SingleQuotedString(text) = &mut value.value
                {
                    *text = without_repeated_wildcards(text);
                    if text.matches(['%', '_']).count() > WILDCARDS_MAX {
                        let message = format!("a LIKE pattern has at most {WILDCARDS_MAX} of % and _");
                        return self.refuse(&*expr, message);
                    }
                }
            }
            Expr::RLike { negated, expr: text, pattern, .. } => {
                let arguments =
                    vec![std::mem::replace(text.as_mut(), *null()), std::mem::replace(pattern.as_mut(), *null())];
                let call = call("regexp_like", arguments);
                *expr = if *negated { Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(call) } } else { call };
            }
            // `a[0].b`: DataFusion wants the name of the field as a text.
            Expr::CompoundFieldAccess { access_chain, .. } => {
                for access in access_chain {
                    if let AccessExpr::Dot(field @ Expr::Identifier(_)) = access
                        && let Expr::Identifier(name) = &*field
                    {
                        *field = text_expr(&normalized(name));
                    }
                }
            }
            Expr::Function(function) => match calls::rewritten(function) {
                Ok(None) => {}
                Ok(Some(other)) => {
                    self.n_rewritten += count(&other);
                    if self.n_rewritten > REWRITTEN_MAX {
                        return self.refuse(&*expr, "calls inside each other are too large: write them as CASE");
                    }
                    *expr = other;
                }
                Err(message) => return self.refuse(expr, message),
            },
            // ~x = -x - 1 in two's complement.
            Expr::UnaryOp { op: UnaryOperator::BitwiseNot, expr: operand } => {
                let operand = std::mem::replace(operand, null());
                let negative = Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(Expr::Nested(operand)) };
                *expr = Expr::Nested(Box::new(Expr::BinaryOp {
                    left: Box::new(negative),
                    op: BinaryOperator::Minus,
                    right: Box::new(Expr::value(Value::Number("1".into(), false))),
                }));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The expressions in an expression.
fn count(expr: &Expr) -> usize {
    let mut count = 0;
    let _: ControlFlow<()> = ast::visit_expressions(expr, |_| {
        count += 1;
        ControlFlow::Continue(())
    });
    count
}

/// `%%` matches what `%` does.
fn without_repeated_wildcards(pattern: &str) -> String {
    let mut shorter = String::with_capacity(pattern.len());
    let mut is_escaped = false;
    let mut is_behind_wildcard = false;
    for c in pattern.chars() {
        let is_wildcard = c == '%' && !is_escaped;
        if !(is_wildcard && is_behind_wildcard) {
            shorter.push(c);
        }
        is_behind_wildcard = is_wildcard;
        is_escaped = c == '\\' && !is_escaped;
    }
    shorter
}

/// `SEMI JOIN` and `ANTI JOIN` keep rows of the left.
fn joins_to_the_left(joins: &mut [Join]) {
    for join in joins {
        join.join_operator = match std::mem::replace(&mut join.join_operator, JoinOperator::CrossApply) {
            JoinOperator::Semi(constraint) => JoinOperator::LeftSemi(constraint),
            JoinOperator::Anti(constraint) => JoinOperator::LeftAnti(constraint),
            other => other,
        };
    }
}

/// The name as DataFusion compares it.
fn normalized(ident: &ast::Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

fn null() -> Box<Expr> {
    Box::new(Expr::value(Value::Null))
}

fn text_expr(text: &str) -> Expr {
    Expr::value(Value::SingleQuotedString(text.to_owned()))
}

/// What a version clause says: ours carries its kind in the first letter of a text.
fn travel_of(version: &TableVersion) -> Option<TimeTravel> {
    let TableVersion::TimestampAsOf(Expr::Value(value)) = version else { return None };
    let Value::SingleQuotedString(text) = &value.value else { return None };
    match text.split_at_checked(1)? {
        (VERSION, text) => Some(TimeTravel::Version(text.to_owned())),
        (TIMESTAMP, text) => Some(TimeTravel::Timestamp(text.to_owned())),
        _ => None,
    }
}

/// The point in time of a table in a rewritten query.
pub fn time_travel(version: &TableVersion) -> Option<TimeTravel> {
    let (expr, travel): (&Expr, fn(String) -> TimeTravel) = match version {
        TableVersion::VersionAsOf(expr) => (expr, TimeTravel::Version),
        TableVersion::TimestampAsOf(expr) => (expr, TimeTravel::Timestamp),
        _ => return None,
    };
    match expr {
        Expr::Value(ast::ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => Some(travel(text.clone())),
        _ => None,
    }
}

/// MINUS is EXCEPT by another name.
fn replace_minus(body: &mut SetExpr) {
    let mut body = body;
    while let SetExpr::SetOperation { op, left, right, .. } = body {
        if *op == SetOperator::Minus {
            *op = SetOperator::Except;
        }
        replace_minus(right);
        body = left;
    }
}

/// Chains shorter than this stay as they are written.
const SPINE_MAX: usize = 24;

/// Combines the parts in order, as low as possible.
fn balanced<T>(mut parts: Vec<T>, combine: &impl Fn(T, T) -> T) -> Option<T> {
    while parts.len() > 1 {
        let mut pairs = Vec::with_capacity(parts.len().div_ceil(2));
        let mut rest = parts.into_iter();
        while let Some(left) = rest.next() {
            pairs.push(match rest.next() {
                Some(right) => combine(left, right),
                None => left,
            });
        }
        parts = pairs;
    }
    parts.pop()
}

/// A long `a OR b OR …` nests to the left, one deep for each: the same in halves is as deep as their logarithm.
fn balance_connectives(expr: &mut Expr) {
    let Expr::BinaryOp { op: connective @ (BinaryOperator::And | BinaryOperator::Or), .. } = expr else { return };
    let connective = connective.clone();
    let mut spine = 0;
    let mut at = &*expr;
    while let Expr::BinaryOp { left, op, .. } = at
        && *op == connective
    {
        spine += 1;
        at = left;
    }
    if spine <= SPINE_MAX {
        return;
    }
    let mut parts = Vec::with_capacity(spine + 1);
    let mut rest = std::mem::replace(expr, *null());
    loop {
        match rest {
            Expr::BinaryOp { left, op, right } if op == connective => {
                parts.push(*right);
                rest = *left;
            }
            first => {
                parts.push(first);
                break;
            }
        }
    }
    parts.reverse();
    let combine = |left: Expr, right: Expr| Expr::BinaryOp {
        left: Box::new(left),
        op: connective.clone(),
        right: Box::new(right),
    };
    *expr = balanced(parts, &combine).expect("a chain has parts");
}

/// The same for UNIONs of one kind.
fn balance_unions(body: &mut SetExpr) {
    let SetExpr::SetOperation { op: SetOperator::Union, set_quantifier, .. } = body else { return };
    let kind = *set_quantifier;
    let is_same = |op: &SetOperator, quantifier: &ast::SetQuantifier| *op == SetOperator::Union && *quantifier == kind;
    let mut spine = 0;
    let mut at = &*body;
    while let SetExpr::SetOperation { left, op, set_quantifier, .. } = at
        && is_same(op, set_quantifier)
    {
        spine += 1;
        at = left;
    }
    if spine <= SPINE_MAX {
        return;
    }
    let nothing = || SetExpr::Values(ast::Values { explicit_row: false, value_keyword: false, rows: Vec::new() });
    let mut parts = Vec::with_capacity(spine + 1);
    let mut rest = std::mem::replace(body, nothing());
    loop {
        match rest {
            SetExpr::SetOperation { left, op, set_quantifier, right } if is_same(&op, &set_quantifier) => {
                parts.push(*right);
                rest = *left;
            }
            first => {
                parts.push(first);
                break;
            }
        }
    }
    parts.reverse();
    let combine = |left: SetExpr, right: SetExpr| SetExpr::SetOperation {
        left: Box::new(left),
        op: SetOperator::Union,
        set_quantifier: kind,
        right: Box::new(right),
    };
    *body = balanced(parts, &combine).expect("a chain has parts");
}

/// The text of a number literal, with its suffix.
fn number_text(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Value(ast::ValueWithSpan { value: Value::Number(text, _), .. }) => Some(text.clone()),
        _ => None,
    }
}

/// The typed form of a number with a suffix, or of an integer that is too large for 64 bits.
fn typed_number(text: &str, is_negative: bool) -> std::result::Result<Option<Expr>, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() && !matches!(c, 'e' | 'E'));
    let suffix = &text[digits.len()..];
    let sign = if is_negative { "-" } else { "" };
    let signed = format!("{sign}{digits}");
    let integer = |data_type: SqlType, min: i128, max: i128| match signed.parse::<i128>() {
        Ok(value) if (min..=max).contains(&value) => Ok(Some(cast(text_expr(&signed), &data_type))),
        _ => Err(format!("invalid number '{sign}{text}': out of range of {data_type}")),
    };
    match suffix {
        "Y" => integer(SqlType::TinyInt, i8::MIN.into(), i8::MAX.into()),
        "S" => integer(SqlType::SmallInt, i16::MIN.into(), i16::MAX.into()),
        "L" => integer(SqlType::BigInt, i64::MIN.into(), i64::MAX.into()),
        "BD" => Ok(Some(cast(text_expr(&signed), &types::of_decimal_digits(digits)))),
        _ if !digits.bytes().all(|byte| byte.is_ascii_digit()) => Ok(None),
        _ => match signed.parse::<i64>() {
            // DataFusion reads the magnitude first, which does not fit.
            Ok(i64::MIN) => Ok(Some(cast(text_expr(&signed), &SqlType::BigInt))),
            Ok(_) => Ok(None),
            Err(_) => Ok(Some(cast(text_expr(&signed), &types::of_decimal_digits(digits)))),
        },
    }
}

pub(super) fn cast(expr: Expr, data_type: &SqlType) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(expr),
        data_type: types::encode(data_type),
        array: false,
        format: None,
    }
}

pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    let arguments = arguments.into_iter().map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)));
    Expr::Function(Function {
        name: ObjectName::from(vec![ast::Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// Items without a name are called `_c0`, `_c1`, … by their position, and so is a column that is there already;
/// integers alone are INT where they fit.
fn name_items(items: &mut [SelectItem], qualifiers: &[String]) {
    let mut columns: Vec<Vec<String>> = Vec::new();
    let names: Vec<Option<String>> = items.iter().map(item_name).collect();
    let is_only = |name: &str| names.iter().flatten().filter(|other| *other == name).count() == 1;
    for (index, item) in items.iter_mut().enumerate() {
        match item {
            SelectItem::UnnamedExpr(expr) => {
                let column = match expr {
                    Expr::Identifier(ident) => Some(vec![ident.value.to_lowercase()]),
                    Expr::CompoundIdentifier(parts) => {
                        Some(parts.iter().map(|part| part.value.to_lowercase()).collect())
                    }
                    _ => None,
                };
                match column {
                    Some(column) if !columns.iter().any(|other| is_same_column(other, &column)) => {
                        // DataFusion would call a field of a struct `s[f]`.
                        let is_field = column.len() > 1 && (column.len() > 2) == qualifiers.contains(&column[0]);
                        if let (true, Expr::CompoundIdentifier(parts)) = (is_field, &*expr)
                            && let Some(last) = parts.last().filter(|last| is_only(&last.value.to_lowercase()))
                        {
                            let alias = last.clone();
                            *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
                        }
                        columns.push(column);
                    }
                    None if last_field(expr).is_some_and(|name| is_only(&name)) => {
                        let alias = ast::Ident::with_quote('`', last_field(expr).unwrap_or_default());
                        *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
                    }
                    _ => {
                        let expr = narrowed(std::mem::replace(expr, *null()));
                        let alias = ast::Ident::with_quote('`', format!("_c{index}"));
                        *item = SelectItem::ExprWithAlias { expr, alias };
                    }
                }
            }
            SelectItem::ExprWithAlias { expr, .. } => *expr = narrowed(std::mem::replace(expr, *null())),
            _ => {}
        }
    }
}

/// The last part of an item's name, in lower case.
fn item_name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::UnnamedExpr(Expr::Identifier(ident)) => Some(ident.value.to_lowercase()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last().map(|part| part.value.to_lowercase()),
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.to_lowercase()),
        SelectItem::UnnamedExpr(expr) => last_field(expr),
        _ => None,
    }
}

/// `c` of `a[0].b.c`.
fn last_field(expr: &Expr) -> Option<String> {
    let Expr::CompoundFieldAccess { access_chain, .. } = expr else { return None };
    match access_chain.last() {
        Some(AccessExpr::Dot(Expr::Value(value))) => value.value.clone().into_string(),
        _ => None,
    }
}

/// What the tables of a select are called, in lower case.
fn qualifiers(select: &Select) -> Vec<String> {
    let relations = select
        .from
        .iter()
        .flat_map(|table| std::iter::once(&table.relation).chain(table.joins.iter().map(|join| &join.relation)));
    let named = relations.filter_map(|relation| match relation {
        TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. }
        | TableFactor::NestedJoin { alias: Some(alias), .. }
        | TableFactor::UNNEST { alias: Some(alias), .. } => Some(alias.name.value.to_lowercase()),
        TableFactor::Table { name, .. } => {
            name.0.last().and_then(|part| part.as_ident()).map(|i| i.value.to_lowercase())
        }
        _ => None,
    });
    let views = select.lateral_views.iter().filter_map(|view| view.lateral_view_name.0.last()?.as_ident());
    named.chain(views.map(|ident| ident.value.to_lowercase())).collect()
}

/// Whether two names may mean one column: `id` and `t.id` do, `t.id` and `u.id` do not.
fn is_same_column(a: &[String], b: &[String]) -> bool {
    a == b || (a.last() == b.last() && (a.len() == 1 || b.len() == 1))
}

/// Behind SELECT DISTINCT, what is ordered by must be an item, by its name.
fn order_by_items(query: &mut ast::Query) {
    let (SetExpr::Select(select), Some(order_by)) = (query.body.as_ref(), query.order_by.as_mut()) else { return };
    let ast::OrderByKind::Expressions(orders) = &mut order_by.kind else { return };
    if select.distinct.is_none() {
        return;
    }
    for order in orders {
        let written = order.expr.to_string();
        let named = select.projection.iter().find_map(|item| match item {
            SelectItem::ExprWithAlias { expr, alias } if expr.to_string() == written => Some(alias.clone()),
            _ => None,
        });
        if let Some(alias) = named {
            order.expr = Expr::Identifier(alias);
        }
    }
}

/// A bare integer of 32 bits is an INT.
fn narrowed(expr: Expr) -> Expr {
    let digits = match &expr {
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => number_text(expr).map(|digits| format!("-{digits}")),
        other => number_text(other),
    };
    match digits.map(|digits| digits.parse::<i32>()) {
        Some(Ok(_)) => cast(expr, &SqlType::Int),
        _ => expr,
    }
}

/// A select of nothing, with the place of another.
fn bare_select(like: &Select) -> Select {
    Select {
        select_token: like.select_token.clone(),
        optimizer_hints: Vec::new(),
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection: Vec::new(),
        exclude: None,
        into: None,
        from: Vec::new(),
        lateral_views: Vec::new(),
        prewhere: None,
        selection: None,
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        cluster_by: Vec::new(),
        distribute_by: Vec::new(),
        sort_by: Vec::new(),
        having: None,
        named_window: Vec::new(),
        window_before_qualify: false,
        qualify: None,
        value_table_mode: None,
        connect_by: Vec::new(),
        flavor: ast::SelectFlavor::Standard,
    }
}

fn derived(select: Select) -> TableFactor {
    let query = ast::Query {
        with: None,
        body: Box::new(SetExpr::Select(Box::new(select))),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    };
    TableFactor::Derived { lateral: false, subquery: Box::new(query), alias: None, sample: None }
}

//! The rows of an INSERT … VALUES. Each cell becomes a value of its column's type for itself, but the planner gives a
//! column of the list one type: where the cells have several, they go as texts.

use crate::dialect::{Query, SqlType, types};
use datafusion::sql::sqlparser::ast;
use std::collections::HashSet;
use std::ops::ControlFlow;

/// The query with cells that fit together, and the columns' defaults in the place of DEFAULT.
pub(crate) fn prepared(query: &Query, defaults: &[Option<String>]) -> Query {
    let mut query = query.clone();
    let ast::SetExpr::Values(values) = query.ast.body.as_mut() else { return query };
    let n_columns = values.rows.iter().map(|row| row.len()).max().unwrap_or(0);
    for column in 0..n_columns {
        let mut cells: Vec<&mut ast::Expr> = values.rows.iter_mut().filter_map(|row| row.get_mut(column)).collect();
        for cell in cells.iter_mut().filter(|cell| is_default(cell)) {
            let default = defaults.get(column).cloned().flatten();
            **cell = ast::Expr::value(default.map_or(ast::Value::Null, ast::Value::SingleQuotedString));
        }
        let kinds: HashSet<Kind> = cells.iter().filter_map(|cell| Kind::of(cell)).collect();
        if do_not_mix(&kinds) {
            cells.into_iter().for_each(as_text);
        } else if cells.iter().any(|cell| !is_decimal(cell)) {
            cells.into_iter().for_each(fractions_as_doubles);
        }
    }
    query
}

fn is_default(cell: &ast::Expr) -> bool {
    matches!(cell, ast::Expr::Identifier(name) if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("default"))
}

/// What a cell looks like.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Text,
    Number,
    Boolean,
    /// `DATE '2024-07-18'`.
    Typed(String),
    Computed,
}

impl Kind {
    /// `None` for NULL.
    fn of(cell: &ast::Expr) -> Option<Self> {
        Some(match cell {
            ast::Expr::Value(value) => match &value.value {
                ast::Value::Null => return None,
                ast::Value::Number(..) => Self::Number,
                ast::Value::SingleQuotedString(_) => Self::Text,
                ast::Value::Boolean(_) => Self::Boolean,
                _ => Self::Computed,
            },
            ast::Expr::Nested(inner) | ast::Expr::UnaryOp { expr: inner, .. } => return Self::of(inner),
            ast::Expr::Cast { data_type, .. } => match types::decode(data_type) {
                Some(SqlType::String | SqlType::Varchar(_) | SqlType::Char(_)) => Self::Text,
                Some(
                    SqlType::TinyInt
                    | SqlType::SmallInt
                    | SqlType::Int
                    | SqlType::BigInt
                    | SqlType::Float
                    | SqlType::Double
                    | SqlType::Decimal { .. },
                ) => Self::Number,
                Some(other) => Self::Typed(other.to_string()),
                None => Self::Computed,
            },
            _ => Self::Computed,
        })
    }
}

/// Texts stand with texts only, and numbers, dates and the like with their own kind. What is computed may be anything.
fn do_not_mix(kinds: &HashSet<Kind>) -> bool {
    let n_plain = kinds.len() - usize::from(kinds.contains(&Kind::Computed));
    n_plain > 1 || (kinds.contains(&Kind::Text) && kinds.len() > 1)
}

fn as_text(cell: &mut ast::Expr) {
    let text = match &*cell {
        ast::Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => number(expr).map(|digits| format!("-{digits}")),
        other => number(other).map(str::to_owned),
    };
    *cell = match text {
        Some(text) => ast::Expr::value(ast::Value::SingleQuotedString(text)),
        None => ast::Expr::Cast {
            kind: ast::CastKind::Cast,
            expr: Box::new(cell.clone()),
            data_type: types::encode(&SqlType::String),
            array: false,
            format: None,
        },
    };
}

/// Whether no number in the expression is written with an exponent.
fn is_decimal(expr: &ast::Expr) -> bool {
    let found = ast::visit_expressions(expr, |expr| match number(expr) {
        Some(digits) if digits.contains(['e', 'E']) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    found.is_continue()
}

fn fractions_as_doubles(expr: &mut ast::Expr) {
    _ = ast::visit_expressions_mut(expr, |expr| {
        if let Some(digits) = number(expr).filter(|digits| digits.contains(['.', 'e', 'E'])) {
            let digits = ast::Value::SingleQuotedString(digits.to_owned()).into();
            *expr = ast::Expr::Cast {
                kind: ast::CastKind::Cast,
                expr: Box::new(ast::Expr::Value(digits)),
                data_type: ast::DataType::Double(ast::ExactNumberInfo::None),
                array: false,
                format: None,
            };
        }
        ControlFlow::<()>::Continue(())
    });
}

/// The digits of a number as written.
fn number(expr: &ast::Expr) -> Option<&str> {
    match expr {
        ast::Expr::Value(value) => match &value.value {
            ast::Value::Number(digits, _) => Some(digits),
            _ => None,
        },
        _ => None,
    }
}

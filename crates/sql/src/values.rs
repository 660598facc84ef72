//! The rows of an INSERT … VALUES. Each cell becomes a value of its column's type for itself, but the planner gives a
//! column of the list one type: where the cells are not all plain constants of one kind, each goes through [`Assign`].

use crate::convert::{Conversion, Refused};
use crate::dialect::Query;
use crate::error::{Class, failed};
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::sql::sqlparser::ast;
use ports::sql_engine::SqlError;
use std::hash::{Hash, Hasher};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Begins the names of the functions that convert cells; no text of a user can be such a name.
const ASSIGN: &str = "\u{0}assign ";

/// A column of the table that a column of the list is written to.
pub(crate) struct Target {
    pub conversion: Conversion,
    /// What DEFAULT means.
    pub default: Option<String>,
}

/// The query with cells that fit together, and the columns' defaults in the place of DEFAULT. Bare numbers with a point
/// are left to be read as decimals, so that nothing is lost on the way into a DECIMAL column; all others are DOUBLE.
pub(crate) fn prepared(query: &Query, targets: &[Target]) -> Query {
    let mut query = query.clone();
    let ast::SetExpr::Values(values) = query.ast.body.as_mut() else { return query };
    for (column, target) in targets.iter().enumerate() {
        let mut cells: Vec<&mut ast::Expr> = values.rows.iter_mut().filter_map(|row| row.get_mut(column)).collect();
        for cell in cells.iter_mut().filter(|cell| is_default(cell)) {
            let default = target.default.clone();
            **cell = ast::Expr::value(default.map_or(ast::Value::Null, ast::Value::SingleQuotedString));
        }
        let is_double = target.conversion.target().is_floating();
        let way = Way::of(&cells);
        for (row, cell) in cells.into_iter().enumerate() {
            if way == Way::Texts {
                as_text(cell);
                continue;
            }
            if is_double || Plain::of(cell) != Some(Plain::Number) {
                fractions_as_doubles(cell);
            }
            if way == Way::OneByOne {
                assign(cell, column, row + 1);
            }
        }
    }
    query
}

/// The function that converts the cells of a column, by the name that [`prepared`] gave it.
pub(crate) fn function(name: &str, targets: &[Target]) -> Option<Arc<ScalarUDF>> {
    let column: usize = name.strip_prefix(ASSIGN)?.parse().ok()?;
    let conversion = targets.get(column)?.conversion.clone();
    let signature = Signature::any(2, Volatility::Immutable);
    Some(Arc::new(ScalarUDF::from(Assign { name: name.to_owned(), conversion, signature })))
}

/// A value that a column refuses. Rows count from 1.
pub(crate) fn refused(refused: &Refused, row: u64, column: &str) -> SqlError {
    failed(Class::Data, format!("{}, in row {row}, column {column}", refused.text))
}

fn is_default(cell: &ast::Expr) -> bool {
    matches!(cell, ast::Expr::Identifier(name) if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("default"))
}

/// A constant as it is written, perhaps with a sign.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Plain {
    Null,
    Text,
    /// Without exponent.
    Number,
    Boolean,
    /// `DATE '2024-07-18'`, `10L`.
    Typed(ast::DataType),
}

impl Plain {
    fn of(cell: &ast::Expr) -> Option<Self> {
        match cell {
            ast::Expr::Value(value) => match &value.value {
                ast::Value::Null => Some(Self::Null),
                ast::Value::SingleQuotedString(_) => Some(Self::Text),
                ast::Value::Number(digits, _) if !digits.contains(['e', 'E']) => Some(Self::Number),
                ast::Value::Boolean(_) => Some(Self::Boolean),
                _ => None,
            },
            ast::Expr::Nested(inner) => Self::of(inner),
            ast::Expr::UnaryOp { op: ast::UnaryOperator::Minus | ast::UnaryOperator::Plus, expr }
                if matches!(expr.as_ref(), ast::Expr::Value(_)) =>
            {
                Self::of(expr).filter(|plain| *plain == Self::Number)
            }
            ast::Expr::Cast { expr, data_type, .. } if Self::of(expr) == Some(Self::Text) => {
                Some(Self::Typed(data_type.clone()))
            }
            _ => None,
        }
    }
}

/// How the cells of a column come to fit together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// They do.
    AsTheyAre,
    /// Constants of several kinds.
    Texts,
    /// Each is converted for itself, which takes a while to plan.
    OneByOne,
}

impl Way {
    fn of(cells: &[&mut ast::Expr]) -> Self {
        let Some(mut kinds) = cells.iter().map(|cell| Plain::of(cell)).collect::<Option<Vec<_>>>() else {
            return Self::OneByOne;
        };
        kinds.retain(|kind| *kind != Plain::Null);
        if kinds.windows(2).all(|pair| pair[0] == pair[1]) {
            return Self::AsTheyAre;
        }
        match kinds.iter().any(|kind| matches!(kind, Plain::Typed(_))) {
            true => Self::OneByOne,
            false => Self::Texts,
        }
    }
}

/// A constant as a text of what is written.
fn as_text(cell: &mut ast::Expr) {
    let text = match &*cell {
        ast::Expr::Nested(inner) | ast::Expr::UnaryOp { op: ast::UnaryOperator::Plus, expr: inner } => {
            *cell = inner.as_ref().clone();
            return as_text(cell);
        }
        ast::Expr::UnaryOp { expr, .. } => format!("-{expr}"),
        ast::Expr::Value(value) => match &value.value {
            ast::Value::Number(digits, _) => digits.clone(),
            ast::Value::Boolean(boolean) => boolean.to_string(),
            _ => return,
        },
        _ => return,
    };
    *cell = ast::Expr::value(ast::Value::SingleQuotedString(text));
}

/// `cell` becomes `assign(row, cell)`.
fn assign(cell: &mut ast::Expr, column: usize, row: usize) {
    let value = std::mem::replace(cell, ast::Expr::value(ast::Value::Null));
    let row = ast::Expr::value(ast::Value::Number(row.to_string(), false));
    let argument = |expr| ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr));
    *cell = ast::Expr::Function(ast::Function {
        name: ast::ObjectName::from(vec![ast::Ident::with_quote('"', format!("{ASSIGN}{column}"))]),
        uses_odbc_syntax: false,
        parameters: ast::FunctionArguments::None,
        args: ast::FunctionArguments::List(ast::FunctionArgumentList {
            duplicate_treatment: None,
            args: vec![argument(row), argument(value)],
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    });
}

fn fractions_as_doubles(expr: &mut ast::Expr) {
    _ = ast::visit_expressions_mut(expr, |expr| {
        if let ast::Expr::Value(value) = expr
            && let ast::Value::Number(digits, _) = &value.value
            && digits.contains(['.', 'e', 'E'])
        {
            let digits = ast::Value::SingleQuotedString(digits.clone()).into();
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

/// Converts one cell to its column's type, as the column would.
#[derive(Debug)]
struct Assign {
    name: String,
    conversion: Conversion,
    signature: Signature,
}

impl PartialEq for Assign {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Assign {}

impl Hash for Assign {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Assign {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.conversion.target().clone())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [row, value] = arguments.args.as_slice() else {
            return Err(DataFusionError::Internal("a cell has a row and a value".into()));
        };
        let row = match row {
            ColumnarValue::Scalar(ScalarValue::Int64(Some(row))) => u64::try_from(*row).unwrap_or(0),
            _ => 0,
        };
        let values = value.to_array(arguments.number_rows)?;
        match self.conversion.convert(&values) {
            Ok(converted) => Ok(ColumnarValue::Array(converted)),
            Err(error) => {
                let error = refused(&error, row, self.conversion.name());
                Err(DataFusionError::External(Box::new(error)))
            }
        }
    }
}

//! Filters of a query as predicates of the table format: they skip partitions, buckets and files. What cannot be
//! translated is left out, because DataFusion filters the rows in any case.

use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Between, BinaryExpr, Expr, Operator};
use paimon::spec::{DataField, DataType, Datum, Predicate, PredicateBuilder};

/// Lists longer than this are not worth comparing with every file.
const IN_LIST_MAX: usize = 1_000;

/// The conjunction of all filters that can be translated.
pub(crate) fn predicate(filters: &[Expr], fields: &[DataField]) -> Option<Predicate> {
    let translator = Translator { builder: PredicateBuilder::new(fields), fields };
    let parts: Vec<Predicate> = filters.iter().filter_map(|filter| translator.weaker(filter)).collect();
    (!parts.is_empty()).then(|| Predicate::and(parts))
}

struct Translator<'a> {
    builder: PredicateBuilder,
    fields: &'a [DataField],
}

impl Translator<'_> {
    /// A predicate that holds wherever the expression does, and perhaps elsewhere.
    fn weaker(&self, expr: &Expr) -> Option<Predicate> {
        match expr {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
                match (self.weaker(left), self.weaker(right)) {
                    (Some(left), Some(right)) => Some(Predicate::and(vec![left, right])),
                    (Some(one), None) | (None, Some(one)) => Some(one),
                    (None, None) => None,
                }
            }
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
                Some(Predicate::or(vec![self.weaker(left)?, self.weaker(right)?]))
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (column(left), column(right)) {
                (Some(name), None) => self.compare(name, *op, right),
                (None, Some(name)) => self.compare(name, op.swap()?, left),
                _ => None,
            },
            Expr::IsNull(inner) => self.builder.is_null(self.field(column(inner)?)?.name()).ok(),
            Expr::IsNotNull(inner) => self.builder.is_not_null(self.field(column(inner)?)?.name()).ok(),
            Expr::Between(Between { expr, negated: false, low, high }) => {
                let name = column(expr)?;
                let low = self.compare(name, Operator::GtEq, low)?;
                let high = self.compare(name, Operator::LtEq, high)?;
                Some(Predicate::and(vec![low, high]))
            }
            Expr::InList(InList { expr, list, negated: false }) if list.len() <= IN_LIST_MAX => {
                let field = self.field(column(expr)?)?;
                let values = list.iter().map(|value| datum(value, field.data_type())).collect::<Option<Vec<_>>>()?;
                self.builder.is_in(field.name(), values).ok()
            }
            _ => None,
        }
    }

    fn compare(&self, name: &str, op: Operator, value: &Expr) -> Option<Predicate> {
        let field = self.field(name)?;
        let value = datum(value, field.data_type())?;
        let name = field.name();
        match op {
            Operator::Eq => self.builder.equal(name, value),
            Operator::NotEq => self.builder.not_equal(name, value),
            Operator::Lt => self.builder.less_than(name, value),
            Operator::LtEq => self.builder.less_or_equal(name, value),
            Operator::Gt => self.builder.greater_than(name, value),
            Operator::GtEq => self.builder.greater_or_equal(name, value),
            _ => return None,
        }
        .ok()
    }

    fn field(&self, name: &str) -> Option<&DataField> {
        self.fields.iter().find(|field| field.name() == name)
    }
}

fn column(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Column(Column { name, .. }) => Some(name),
        _ => None,
    }
}

/// A constant of exactly the column's type. Fractions of time and floating numbers stay with DataFusion: their order
/// in the files' statistics is not the one of SQL in every corner.
fn datum(expr: &Expr, data_type: &DataType) -> Option<Datum> {
    let Expr::Literal(value, _) = expr else { return None };
    match (value, data_type) {
        (ScalarValue::Boolean(Some(v)), DataType::Boolean(_)) => Some(Datum::Bool(*v)),
        (ScalarValue::Int8(Some(v)), DataType::TinyInt(_)) => Some(Datum::TinyInt(*v)),
        (ScalarValue::Int16(Some(v)), DataType::SmallInt(_)) => Some(Datum::SmallInt(*v)),
        (ScalarValue::Int32(Some(v)), DataType::Int(_)) => Some(Datum::Int(*v)),
        (ScalarValue::Int64(Some(v)), DataType::BigInt(_)) => Some(Datum::Long(*v)),
        (ScalarValue::Date32(Some(v)), DataType::Date(_)) => Some(Datum::Date(*v)),
        (
            ScalarValue::Utf8(Some(v)) | ScalarValue::Utf8View(Some(v)) | ScalarValue::LargeUtf8(Some(v)),
            DataType::VarChar(_) | DataType::Char(_),
        ) => Some(Datum::String(v.clone())),
        _ => None,
    }
}

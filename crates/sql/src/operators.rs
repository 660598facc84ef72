//! Where the dialect's operators, types and casts differ from DataFusion's.

use crate::dialect::{TimeTravel, types};
use crate::display::{self, SQL_TYPE, Zone};
use crate::functions::arithmetic;
use crate::tables::in_zone;
use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, DataFusionError, ExprSchema, Result, ScalarValue};
use datafusion::functions::core::expr_fn::nullif;
use datafusion::functions::string::expr_fn::rtrim;
use datafusion::functions_nested::expr_fn::array_element;
use datafusion::logical_expr::expr::{Cast, InList, ScalarFunction, TryCast};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::planner::{
    ExprPlanner, PlannedRelation, PlannerResult, RawBinaryExpr, RawFieldAccessExpr, RelationPlanner,
    RelationPlannerContext, RelationPlanning, TypePlanner,
};
use datafusion::logical_expr::{
    Between, BinaryExpr, ColumnarValue, Expr, ExprSchemable, GetFieldAccess, LogicalPlan, LogicalPlanBuilder, Operator,
    ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TableSource, Volatility, binary_expr, cast, lit, try_cast,
};
use datafusion::sql::TableReference;
use datafusion::sql::sqlparser::ast::{self, BinaryOperator, TableFactor};
use std::sync::Arc;

/// `/`, `DIV`, `%`, `||`, comparisons and subscripts.
#[derive(Debug)]
pub(crate) struct Operators {
    /// Of texts; it prints numbers and times as results do.
    pub concat: Arc<ScalarUDF>,
    pub array_concat: Arc<ScalarUDF>,
}

impl ExprPlanner for Operators {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        // A placeholder or an outer column has no type here: DataFusion decides.
        let (Ok(left_type), Ok(right_type)) = (expr.left.get_type(schema), expr.right.get_type(schema)) else {
            return Ok(PlannerResult::Original(expr));
        };
        let as_number = |value: Expr, data_type: &DataType| {
            if is_text(data_type) { try_cast(value, DataType::Float64) } else { value }
        };
        let planned = match expr.op {
            BinaryOperator::Divide if is_number(&left_type) && is_number(&right_type) => {
                let is_exact = |t: &DataType| t.is_integer() || t.is_null();
                let (left, right) = if is_exact(&left_type) && is_exact(&right_type) {
                    (cast(expr.left, DataType::Float64), cast(expr.right, DataType::Float64))
                } else {
                    (as_number(expr.left, &left_type), as_number(expr.right, &right_type))
                };
                binary_expr(left, Operator::Divide, or_null(right))
            }
            BinaryOperator::MyIntegerDivide => {
                if left_type.is_integer() && right_type.is_integer() {
                    binary_expr(expr.left, Operator::Divide, or_null(expr.right))
                } else {
                    let left = cast(as_number(expr.left, &left_type), DataType::Float64);
                    let right = cast(as_number(expr.right, &right_type), DataType::Float64);
                    cast(binary_expr(left, Operator::Divide, or_null(right)), DataType::Int64)
                }
            }
            BinaryOperator::Modulo if is_number(&left_type) && is_number(&right_type) => {
                let (left, right) = (as_number(expr.left, &left_type), as_number(expr.right, &right_type));
                binary_expr(left, Operator::Modulo, or_null(right))
            }
            BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply
                if is_number(&left_type) && is_number(&right_type) =>
            {
                let op = match expr.op {
                    BinaryOperator::Plus => Operator::Plus,
                    BinaryOperator::Minus => Operator::Minus,
                    _ => Operator::Multiply,
                };
                if is_text(&left_type) || is_text(&right_type) {
                    binary_expr(as_number(expr.left, &left_type), op, as_number(expr.right, &right_type))
                } else if left_type.is_signed_integer() && right_type.is_signed_integer() {
                    arithmetic(expr.left, op, expr.right, (&left_type, &right_type))?
                } else {
                    return Ok(PlannerResult::Original(expr));
                }
            }
            BinaryOperator::StringConcat if !left_type.is_nested() && !right_type.is_nested() => {
                Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&self.concat), vec![expr.left, expr.right]))
            }
            BinaryOperator::StringConcat if is_array(&left_type) && is_array(&right_type) => {
                let arguments = vec![expr.left, expr.right];
                Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&self.array_concat), arguments))
            }
            _ => match comparison(&expr.op) {
                Some(op) if is_text(&left_type) && right_type.is_numeric() => {
                    let left = comparable(expr.left, &right_type);
                    binary_expr(left, op, expr.right)
                }
                Some(op) if left_type.is_numeric() && is_text(&right_type) => {
                    let right = comparable(expr.right, &left_type);
                    binary_expr(expr.left, op, right)
                }
                _ => return Ok(PlannerResult::Original(expr)),
            },
        };
        Ok(PlannerResult::Planned(planned))
    }

    /// Arrays count from 0 here and from 1 in DataFusion.
    fn plan_field_access(
        &self,
        expr: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        match (&expr.field_access, expr.expr.get_type(schema)) {
            (GetFieldAccess::ListIndex { key }, Ok(DataType::List(_) | DataType::FixedSizeList(..))) => {
                let position = binary_expr(cast(key.as_ref().clone(), DataType::Int64), Operator::Plus, lit(1i64));
                Ok(PlannerResult::Planned(array_element(expr.expr, position)))
            }
            _ => Ok(PlannerResult::Original(expr)),
        }
    }
}

/// NULL instead of zero: nothing divided by zero is NULL, not an error.
fn or_null(divisor: Expr) -> Expr {
    match &divisor {
        Expr::Literal(value, _) if !is_zero(value) => divisor,
        _ => nullif(divisor, lit(0i64)),
    }
}

fn is_zero(value: &ScalarValue) -> bool {
    ScalarValue::new_zero(&value.data_type()).map_or(true, |zero| *value == zero)
}

fn is_array(data_type: &DataType) -> bool {
    matches!(data_type, DataType::List(_))
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric() || is_text(data_type) || data_type.is_null()
}

fn comparison(op: &BinaryOperator) -> Option<Operator> {
    Some(match op {
        BinaryOperator::Eq => Operator::Eq,
        BinaryOperator::NotEq => Operator::NotEq,
        BinaryOperator::Lt => Operator::Lt,
        BinaryOperator::LtEq => Operator::LtEq,
        BinaryOperator::Gt => Operator::Gt,
        BinaryOperator::GtEq => Operator::GtEq,
        BinaryOperator::Spaceship => Operator::IsNotDistinctFrom,
        _ => return None,
    })
}

/// A text compared with a number is a number. An exact constant takes the number's type, so that it still prunes.
fn comparable(text: Expr, other: &DataType) -> Expr {
    if let Expr::Literal(ScalarValue::Utf8(Some(digits)), _) = &text
        && other.is_integer()
        && digits.trim().parse::<i64>().is_ok()
        && let Ok(value) = ScalarValue::try_from_string(digits.trim().to_owned(), other)
    {
        return lit(value);
    }
    try_cast(text, DataType::Float64)
}

/// The types of the dialect, instants in the session's zone.
#[derive(Debug)]
pub(crate) struct Types {
    pub zone_name: String,
}

impl TypePlanner for Types {
    fn plan_type_field(&self, sql_type: &ast::DataType) -> Result<Option<FieldRef>> {
        let Some(decoded) = types::decode(sql_type) else { return Ok(None) };
        Ok(Some(Arc::new(Field::new("", in_zone(&decoded.to_arrow(), &self.zone_name), true))))
    }
}

/// Tables of a query by the names and versions in its text.
pub(crate) type Sources = Vec<(TableReference, Option<TimeTravel>, Arc<dyn TableSource>)>;

/// `t VERSION AS OF 3`.
#[derive(Debug)]
pub(crate) struct TimeTravels {
    sources: Vec<SourceOfVersion>,
}

struct SourceOfVersion {
    name: TableReference,
    travel: TimeTravel,
    source: Arc<dyn TableSource>,
}

impl std::fmt::Debug for SourceOfVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.name, self.travel)
    }
}

impl TimeTravels {
    pub(crate) fn new(sources: &Sources) -> Self {
        let sources = sources.iter().filter_map(|(name, travel, source)| {
            let travel = travel.clone()?;
            Some(SourceOfVersion { name: name.clone(), travel, source: Arc::clone(source) })
        });
        Self { sources: sources.collect() }
    }
}

impl RelationPlanner for TimeTravels {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let TableFactor::Table { name, version: Some(version), alias, .. } = &relation else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let travel = crate::dialect::time_travel(version)
            .ok_or_else(|| DataFusionError::Plan(format!("this form of time travel is not supported: {version}")))?;
        let name = context.object_name_to_table_reference(name.clone())?;
        let found = self.sources.iter().find(|source| source.name == name && source.travel == travel);
        let source = found.ok_or_else(|| DataFusionError::Plan(format!("table {name} not found")))?;
        let plan = LogicalPlanBuilder::scan(name, Arc::clone(&source.source), None)?.build()?;
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, alias.clone()))))
    }
}

/// Casts to text print values as results do, not as Arrow does.
pub(crate) fn rewrite_casts(plan: LogicalPlan, zone: Zone) -> Result<LogicalPlan> {
    let to_text =
        Arc::new(ScalarUDF::from(ToText { zone: TextZone(zone), signature: Signature::any(1, Volatility::Stable) }));
    rewrite_expressions(plan, |expr, schema| {
        let (inner, field) = match &expr {
            Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field }) => (expr, field),
            _ => return Ok(Transformed::no(expr)),
        };
        let prints_otherwise = is_text(field.data_type())
            && inner.get_type(schema).is_ok_and(|t| {
                matches!(t, DataType::Timestamp(..) | DataType::Binary | DataType::Float32 | DataType::Float64)
                    || t.is_nested()
            });
        if !prints_otherwise {
            return Ok(Transformed::no(expr));
        }
        let call = ScalarFunction::new_udf(Arc::clone(&to_text), vec![inner.as_ref().clone()]);
        Ok(Transformed::yes(Expr::ScalarFunction(call)))
    })
}

/// Changes expressions of a plan from the inside out, with the columns that they see. Names of columns stay.
fn rewrite_expressions(
    plan: LogicalPlan,
    change: impl Fn(Expr, &DFSchema) -> Result<Transformed<Expr>>,
) -> Result<LogicalPlan> {
    let rewritten = plan.transform_up_with_subqueries(|node| {
        let mut schema = DFSchema::empty();
        for input in node.inputs() {
            schema.merge(input.schema());
        }
        if let LogicalPlan::TableScan(scan) = &node {
            schema.merge(&scan.projected_schema);
        }
        let names = NamePreserver::new(&node);
        node.map_expressions(|expr| {
            let saved = names.save(&expr);
            let rewritten = expr.transform_up(|expr| change(expr, &schema))?;
            Ok(rewritten.update_data(|expr| saved.restore(expr)))
        })
    })?;
    Ok(rewritten.data)
}

/// CHAR compares without its trailing blanks. What follows for the column itself is added, so that it still prunes.
pub(crate) fn rewrite_char_comparisons(plan: LogicalPlan) -> Result<LogicalPlan> {
    rewrite_expressions(plan, |expr, schema| {
        Ok(match expr {
            Expr::BinaryExpr(BinaryExpr { left, op, right })
                if compares(op) && (is_char(&left, schema) || is_char(&right, schema)) =>
            {
                let range = match (op, text_of(&left), text_of(&right)) {
                    (Operator::Eq, None, Some(text)) => padded_range(&left, [text]),
                    (Operator::Eq, Some(text), None) => padded_range(&right, [text]),
                    _ => None,
                };
                let compared = binary_expr(trimmed(*left, schema), op, trimmed(*right, schema));
                Transformed::yes(range.map_or(compared.clone(), |range| compared.and(range)))
            }
            Expr::InList(InList { expr, list, negated }) if is_char(&expr, schema) => {
                let texts: Option<Vec<&str>> = list.iter().map(text_of).collect();
                let range = texts.filter(|_| !negated).and_then(|texts| padded_range(&expr, texts));
                let list = list.into_iter().map(|item| trimmed(item, schema)).collect();
                let found = trimmed(*expr, schema).in_list(list, negated);
                Transformed::yes(range.map_or(found.clone(), |range| found.and(range)))
            }
            Expr::Between(Between { expr, negated, low, high }) if is_char(&expr, schema) => {
                let (low, high) = (Box::new(trimmed(*low, schema)), Box::new(trimmed(*high, schema)));
                Transformed::yes(Expr::Between(Between::new(Box::new(trimmed(*expr, schema)), negated, low, high)))
            }
            other => Transformed::no(other),
        })
    })
}

fn compares(op: Operator) -> bool {
    matches!(
        op,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    )
}

fn is_char(expr: &Expr, schema: &DFSchema) -> bool {
    let Expr::Column(column) = expr else { return false };
    let field = schema.field_from_column(column);
    field.is_ok_and(|field| field.metadata().get(SQL_TYPE).is_some_and(|name| name.starts_with("char(")))
}

fn text_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)), _) => Some(text),
        _ => None,
    }
}

/// A CHAR or a constant without its trailing blanks; texts of other types keep theirs.
fn trimmed(expr: Expr, schema: &DFSchema) -> Expr {
    match text_of(&expr) {
        Some(text) => lit(text.trim_end_matches(' ')),
        None if is_char(&expr, schema) => rtrim(vec![expr]),
        None => expr,
    }
}

/// What is equal to one of the texts but for trailing blanks lies between the least of them and the character behind
/// the blank.
fn padded_range<'a>(column: &Expr, texts: impl IntoIterator<Item = &'a str>) -> Option<Expr> {
    let texts: Vec<&str> = texts.into_iter().map(|text| text.trim_end_matches(' ')).collect();
    let (least, greatest) = (texts.iter().min()?, texts.iter().max()?);
    let above = format!("{greatest}!");
    Some(column.clone().gt_eq(lit(*least)).and(column.clone().lt(lit(above))))
}

/// A zone is equal to itself only by its printed form, which is all that functions need of it.
#[derive(Clone, Copy, Debug)]
struct TextZone(Zone);

impl PartialEq for TextZone {
    fn eq(&self, other: &Self) -> bool {
        format!("{:?}", self.0) == format!("{:?}", other.0)
    }
}

impl Eq for TextZone {}

impl std::hash::Hash for TextZone {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        format!("{:?}", self.0).hash(state);
    }
}

/// A value as results print it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ToText {
    zone: TextZone,
    signature: Signature,
}

impl ScalarUDFImpl for ToText {
    fn name(&self) -> &str {
        "to_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = arguments.args.as_slice() else {
            return Err(DataFusionError::Internal("to_text takes one argument".into()));
        };
        let array = value.to_array(arguments.number_rows)?;
        let texts: StringArray =
            (0..array.len()).map(|row| display::value_text(array.as_ref(), row, self.zone.0)).collect();
        Ok(ColumnarValue::Array(Arc::new(texts) as ArrayRef))
    }
}

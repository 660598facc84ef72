//! LATERAL VIEW: rows made from the lists and maps of each row, planned beside DataFusion's own relations.

use super::rewrite::DEFAULT_COLUMNS;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DataFusionError, RecursionUnnestOption, Result, UnnestOptions};
use datafusion::functions::core::expr_fn::get_field;
use datafusion::functions_nested::expr_fn::{array_length, map_entries, range};
use datafusion::logical_expr::planner::{PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, cast, lit, when};
use datafusion::sql::sqlparser::ast::{
    self, FunctionArg, FunctionArgExpr, FunctionArguments, LateralView, Select, SetExpr, TableFactor, TableWithJoins,
};

/// Plans the relation that the dialect makes of `FROM … LATERAL VIEW …`: a nameless subquery that has lateral views.
#[derive(Debug)]
pub struct LateralViewPlanner;

impl RelationPlanner for LateralViewPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let Some(select) = lateral_select(&relation) else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let Some(source) = source(&select.from) else {
            return Err(DataFusionError::Plan("LATERAL VIEW needs a FROM clause".into()));
        };
        let mut plan = context.plan(source)?;
        for view in &select.lateral_views {
            plan = apply(plan, view, context)?;
        }
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, None))))
    }
}

fn lateral_select(relation: &TableFactor) -> Option<&Select> {
    let TableFactor::Derived { subquery, alias: None, .. } = relation else { return None };
    match subquery.body.as_ref() {
        SetExpr::Select(select) if !select.lateral_views.is_empty() => Some(select),
        _ => None,
    }
}

/// The tables of a FROM clause as one relation.
fn source(from: &[TableWithJoins]) -> Option<TableFactor> {
    let (first, others) = from.split_first()?;
    let mut first = first.clone();
    for table in others.iter().cloned() {
        let relation = nested(table);
        let join_operator = ast::JoinOperator::CrossJoin(ast::JoinConstraint::None);
        first.joins.push(ast::Join { relation, global: false, join_operator });
    }
    Some(nested(first))
}

fn nested(table: TableWithJoins) -> TableFactor {
    if table.joins.is_empty() {
        table.relation
    } else {
        TableFactor::NestedJoin { table_with_joins: Box::new(table), alias: None }
    }
}

/// The functions that make rows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Maker {
    Explode,
    PosExplode,
    Inline,
}

/// Names that no column of a user has.
const POSITION: &str = "#position";
const ELEMENT: &str = "#element";

fn apply(plan: LogicalPlan, view: &LateralView, context: &mut dyn RelationPlannerContext) -> Result<LogicalPlan> {
    let (maker, argument) = maker(&view.lateral_view)?;
    let name = context.object_name_to_table_reference(view.lateral_view_name.clone())?;
    let columns: Vec<String> =
        view.lateral_col_alias.iter().map(|ident| context.normalize_ident(ident.clone())).collect();
    let has_default_names = columns.first().is_some_and(|column| column == DEFAULT_COLUMNS);
    let argument = context.sql_to_expr(argument.clone(), plan.schema())?;
    let data_type = argument.get_type(plan.schema())?;
    let (list, element) = match &data_type {
        DataType::List(field) | DataType::LargeList(field) | DataType::FixedSizeList(field, _) => {
            (argument, field.data_type().clone())
        }
        DataType::Map(field, _) if maker != Maker::Inline => (map_entries(argument), field.data_type().clone()),
        other => return Err(DataFusionError::Plan(format!("{} needs an array or a map, not {other}", maker.name()))),
    };
    let is_map = matches!(data_type, DataType::Map(..));
    // OUTER keeps a row for an empty list, as it does for a missing one.
    let list = if view.outer { when(array_length(list.clone()).gt(lit(0_u64)), list).end()? } else { list };
    let mut made = vec![(ELEMENT, list.clone())];
    if maker == Maker::PosExplode {
        let positions = range(lit(0_i64), cast(array_length(list), DataType::Int64), lit(1_i64));
        made.insert(0, (POSITION, positions));
    }
    let before: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
    // Lists and what becomes of them have different names: the optimizer takes equal names for equal columns.
    let (recursions, lists): (Vec<RecursionUnnestOption>, Vec<Expr>) = made
        .into_iter()
        .map(|(own, list)| {
            let input_column = Column::new_unqualified(format!("{own}s"));
            let list = list.alias(&input_column.name);
            (RecursionUnnestOption { input_column, output_column: Column::new_unqualified(own), depth: 1 }, list)
        })
        .unzip();
    let inputs = recursions.iter().map(|recursion| recursion.input_column.clone()).collect();
    let unnested = LogicalPlanBuilder::from(plan)
        .project(before.iter().cloned().chain(lists))?
        .unnest_columns_with_options(inputs, UnnestOptions { preserve_nulls: view.outer, recursions })?
        .build()?;
    let results = results(maker, is_map, &element)?;
    if !has_default_names && columns.len() != results.len() {
        let text = format!("{} gives {} columns, not {}", maker.name(), results.len(), columns.len());
        return Err(DataFusionError::Plan(text));
    }
    let results = results.into_iter().enumerate().map(|(index, (default, expr))| {
        let column = if has_default_names { default } else { columns[index].clone() };
        expr.alias_qualified(Some(name.clone()), column)
    });
    LogicalPlanBuilder::from(unnested).project(before.into_iter().chain(results))?.build()
}

impl Maker {
    fn name(self) -> &'static str {
        match self {
            Self::Explode => "explode",
            Self::PosExplode => "posexplode",
            Self::Inline => "inline",
        }
    }
}

fn maker(call: &ast::Expr) -> Result<(Maker, &ast::Expr)> {
    let refused = || DataFusionError::Plan(format!("LATERAL VIEW {call} is not supported yet"));
    let ast::Expr::Function(function) = call else { return Err(refused()) };
    let maker = match function.name.to_string().to_ascii_lowercase().as_str() {
        "explode" | "unnest" => Maker::Explode,
        "posexplode" => Maker::PosExplode,
        "inline" => Maker::Inline,
        _ => return Err(refused()),
    };
    let FunctionArguments::List(list) = &function.args else { return Err(refused()) };
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] => Ok((maker, argument)),
        _ => Err(DataFusionError::Plan(format!("{} takes one argument", maker.name()))),
    }
}

/// The columns that a view adds, with the names that they have when none are given.
fn results(maker: Maker, is_map: bool, element: &DataType) -> Result<Vec<(String, Expr)>> {
    let column = |own: &str| Expr::Column(Column::new_unqualified(own));
    let mut results = Vec::new();
    if maker == Maker::PosExplode {
        results.push(("pos".to_owned(), cast(column(POSITION), DataType::Int32)));
    }
    match element {
        DataType::Struct(fields) if is_map => {
            let names = ["key", "value"].into_iter().zip(fields);
            results
                .extend(names.map(|(own, field)| (own.to_owned(), get_field(column(ELEMENT), field.name().as_str()))));
        }
        DataType::Struct(fields) if maker == Maker::Inline => {
            let each = |field: &std::sync::Arc<datafusion::arrow::datatypes::Field>| {
                (field.name().clone(), get_field(column(ELEMENT), field.name().as_str()))
            };
            results.extend(fields.iter().map(each));
        }
        _ if maker == Maker::Inline => {
            return Err(DataFusionError::Plan("inline needs an array of structs".into()));
        }
        _ => results.push(("col".to_owned(), column(ELEMENT))),
    }
    Ok(results)
}

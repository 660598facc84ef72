//! A query's AST as a plan of DataFusion. Names are looked up by our rules only: what the statement did not open does
//! not exist for the planner.

use crate::dialect::lateral_view::LateralViewPlanner;
use crate::dialect::{Name, ParsedStatement, Query};
use crate::error::{Class, Place, failed, failed_at, from_datafusion, with_suggestion};
use crate::job::Job;
use crate::operators::{Operators, Sources, TimeTravels, Types, rewrite_casts, rewrite_char_comparisons};
use crate::scan::{TableScan, TableStores};
use crate::tables::OpenTable;
use crate::values::{self, Target};
use crate::{functions, guard, max_pt, system_tables};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{DataFusionError, SchemaError};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner, RelationPlanner, TypePlanner};
use datafusion::logical_expr::{AggregateUDF, Expr, HigherOrderUDF, LogicalPlan, ScalarUDF, TableSource, WindowUDF};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::prelude::{SQLOptions, SessionConfig};
use datafusion::sql::TableReference;
use datafusion::sql::planner::SqlToRel;
use datafusion::sql::sqlparser::ast;
use model::nearest::nearest;
use paimon::spec::DataType::Char as SqlChar;
use ports::sql_engine::SqlError;
use std::sync::Arc;

/// Where a plan's rows come in an order that nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Any.
    Free,
    /// Partition by partition as the splits lie, see [`crate::order`].
    Kept,
    /// As they lie, one after the other.
    Serial,
}

/// A bigger table is read by all threads even if its first rows would do: a filter may find them late.
const SERIAL_ROWS_MAX: i64 = 1_000_000;

/// A query with its tables opened.
pub(crate) struct Planner {
    state: SessionState,
    sources: Sources,
    tables: Vec<OpenTable>,
    expr_planners: Vec<Arc<dyn ExprPlanner>>,
    relation_planners: Vec<Arc<dyn RelationPlanner>>,
    type_planner: Arc<dyn TypePlanner>,
    session: Arc<functions::Session>,
    /// Columns that the cells of a VALUES list are written to.
    targets: Vec<Target>,
}

impl Planner {
    /// For the rows of a VALUES list that go into columns of a table. Numbers with a point are decimals in it.
    pub(crate) async fn of_list(job: &Job, query: &Query, targets: Vec<Target>) -> Result<Self, SqlError> {
        let mut planner = Self::new(job, query, Order::Free).await?;
        planner.targets = targets;
        planner.state.config_mut().options_mut().sql_parser.parse_float_as_decimal = true;
        Ok(planner)
    }

    /// Opens the tables of a query.
    pub(crate) async fn new(job: &Job, query: &Query, order: Order) -> Result<Self, SqlError> {
        let stores = Arc::new(TableStores::default());
        let env = job
            .engine
            .executor
            .runtime_env(job.context.limits.memory_bytes, Arc::clone(&stores) as _)
            .map_err(from_datafusion)?;
        let mut state = SessionStateBuilder::new_from_existing(job.engine.template.clone())
            .with_config(session_config(job, order))
            .with_runtime_env(env)
            .build();
        let mut sources = Sources::new();
        let mut tables = Vec::new();
        for used in &query.tables {
            let name = reference(&used.name);
            if sources.iter().any(|(known, travel, _)| *known == name && *travel == used.time_travel) {
                continue;
            }
            let (target, system) = job.names().readable(&used.name)?;
            let table = OpenTable::open(&job.engine.lake, &job.parsed, &target).await?;
            let place = Place::of(&job.parsed, used.name.span());
            let table = table.travelled(used.time_travel.as_ref(), &job.settings, place).await?;
            if let Some(system) = system {
                let rows = system_tables::read(job, &table, &system).await?;
                let provider = MemTable::try_new(rows.schema(), vec![vec![rows]]).map_err(from_datafusion)?;
                sources.push((name, used.time_travel.clone(), provider_as_source(Arc::new(provider))));
                continue;
            }
            tables.push(table.clone());
            let scan = TableScan::new(table, used.name.span(), &job.settings.zone_name, Arc::clone(&stores)).await?;
            if order == Order::Serial && scan.row_count() <= SERIAL_ROWS_MAX {
                state.config_mut().options_mut().execution.target_partitions = 1;
            }
            sources.push((name, used.time_travel.clone(), provider_as_source(Arc::new(scan))));
        }
        let (zone, zone_name) = (job.settings.zone, job.settings.zone_name.clone());
        let session = Arc::new(functions::Session { zone, zone_name, now: job.began });
        let function = |name: &str| {
            let function = functions::scalar(name, &session, &state);
            function.ok_or_else(|| failed(Class::Internal, format!("the function {name} is missing")))
        };
        let operators = Operators { concat: function("concat")?, array_concat: function("array_concat")? };
        let mut expr_planners: Vec<Arc<dyn ExprPlanner>> = vec![Arc::new(operators)];
        expr_planners.extend(state.expr_planners().iter().cloned());
        let relation_planners: Vec<Arc<dyn RelationPlanner>> =
            vec![Arc::new(LateralViewPlanner), Arc::new(TimeTravels::new(&sources))];
        let type_planner = Arc::new(Types { zone_name: job.settings.zone_name.clone() });
        let targets = Vec::new();
        Ok(Self { state, sources, tables, expr_planners, relation_planners, type_planner, session, targets })
    }

    pub(crate) fn state(&self) -> &SessionState {
        &self.state
    }

    /// The order of the rows does not count after all: all threads may share the work as they like.
    pub(crate) fn free_order(&mut self, job: &Job) {
        let options = self.state.config_mut().options_mut();
        options.optimizer.enable_round_robin_repartition = true;
        options.execution.target_partitions = job.engine.executor.threads();
    }

    /// The plan as written: names resolved, nothing optimized.
    pub(crate) async fn logical(&self, job: &Job, query: &Query) -> Result<LogicalPlan, SqlError> {
        let mut query = query.clone();
        let columns: Vec<&str> =
            self.tables.iter().flat_map(|table| table.fields().iter().map(|field| field.name())).collect();
        max_pt::resolve(job, &mut query).await?;
        query.adapt_names(&columns);
        query.lenient_casts();
        let statement = ast::Statement::Query(query.ast);
        let planned = SqlToRel::new(self).sql_statement_to_plan(statement);
        let plan = planned.map_err(|error| self.error(job, error))?;
        let options = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        options.verify_plan(&plan).map_err(from_datafusion)?;
        let has_chars = |table: &OpenTable| table.fields().iter().any(|field| matches!(field.data_type(), SqlChar(_)));
        let plan = if self.tables.iter().any(has_chars) { rewrite_char_comparisons(plan) } else { Ok(plan) };
        plan.and_then(|plan| rewrite_casts(plan, job.settings.zone)).map_err(|error| self.error(job, error))
    }

    /// The optimized plan; a guarded table without a partition predicate is refused.
    pub(crate) fn optimized(&self, job: &Job, plan: &LogicalPlan) -> Result<LogicalPlan, SqlError> {
        let plan = self.state.optimize(plan).map_err(|error| self.error(job, error))?;
        if !job.settings.allow_fullscan && !job.is_explained() {
            guard::check(&plan, job.settings.namespace_schema)?;
        }
        Ok(plan)
    }

    /// What DataFusion says. A function that it or MaxCompute has, and the dialect has not, is only missing.
    fn error(&self, job: &Job, error: DataFusionError) -> SqlError {
        let text = error.find_root().strip_backtrace();
        let name =
            text.split_once("Invalid function '").and_then(|(_, rest)| rest.split_once('\'')).map(|(name, _)| name);
        let Some(name) = name.filter(|name| functions::is_missing(name, &self.state)) else {
            return plan_error(&job.parsed, error);
        };
        let text = match name {
            "max_pt" => "function max_pt takes the name of a table in quotes".to_owned(),
            name if functions::known_as(name).is_some() => format!("function {name} needs OVER (…)"),
            name => format!("not supported yet: function {name}"),
        };
        failed_at(Class::Semantic, place_of(&job.parsed, &error), text)
    }

    pub(crate) async fn physical(
        &self,
        job: &Job,
        optimized: &LogicalPlan,
    ) -> Result<Arc<dyn ExecutionPlan>, SqlError> {
        self.state
            .query_planner()
            .create_physical_plan(optimized, &self.state)
            .await
            .and_then(yielding)
            .map_err(|error| self.error(job, error))
    }
}

/// The plan with a pause after every batch of a join: a join makes many batches of few, and without the pause a
/// cancelled statement would keep its thread until the last one (DataFusion's own rule pauses at the leaves only).
fn yielding(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    let with_pauses = plan.transform_up(|node| {
        Ok(match node.name().ends_with("JoinExec") {
            true => Transformed::yes(Arc::new(CooperativeExec::new(node)) as _),
            false => Transformed::no(node),
        })
    });
    with_pauses.data()
}

/// A table's name as DataFusion's planner reads it.
fn reference(name: &Name) -> TableReference {
    let part = |index: usize| name.parts[index].stored();
    match name.parts.len() {
        1 => TableReference::bare(part(0)),
        2 => TableReference::partial(part(0), part(1)),
        _ => TableReference::full(part(0), part(1), part(2)),
    }
}

fn session_config(job: &Job, order: Order) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false)
        .with_target_partitions(job.engine.executor.threads());
    let options = config.options_mut();
    options.sql_parser.enable_ident_normalization = true;
    options.sql_parser.collect_spans = true;
    options.sql_parser.map_string_types_to_utf8view = false;
    options.sql_parser.default_null_ordering = "nulls_min".into();
    // Every thread's sort keeps this much back for merging what it spilled.
    let share = usize::try_from(job.context.limits.memory_bytes).unwrap_or(usize::MAX);
    let reserved = share / (8 * job.engine.executor.threads());
    options.execution.sort_spill_reservation_bytes = reserved.min(options.execution.sort_spill_reservation_bytes);
    options.execution.time_zone = Some(job.settings.zone_name.clone());
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    options.execution.parquet.schema_force_view_types = false;
    options.execution.parquet.skip_metadata = true;
    options.optimizer.enable_round_robin_repartition = order == Order::Free;
    config
}

impl ContextProvider for Planner {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>, DataFusionError> {
        let found = self.sources.iter().find(|(known, travel, _)| *known == name && travel.is_none());
        let (_, _, source) = found.ok_or_else(|| DataFusionError::Plan(format!("table {name} not found")))?;
        Ok(Arc::clone(source))
    }

    fn get_table_function_source(&self, name: &str, args: Vec<Expr>) -> Result<Arc<dyn TableSource>, DataFusionError> {
        let known = self.state.table_functions().get(name);
        let function = known.ok_or_else(|| DataFusionError::Plan(format!("Invalid function '{name}'")))?;
        let args = args.into_iter().map(|arg| constant(&self.state, arg)).collect::<Result<Vec<_>, _>>()?;
        let arguments = datafusion::catalog::TableFunctionArgs::new(&args, &self.state);
        Ok(provider_as_source(function.create_table_provider_with_args(arguments)?))
    }

    fn create_cte_work_table(&self, name: &str, schema: SchemaRef) -> Result<Arc<dyn TableSource>, DataFusionError> {
        let table = datafusion::datasource::cte_worktable::CteWorkTable::new(name, schema);
        Ok(provider_as_source(Arc::new(table)))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.expr_planners
    }

    fn get_relation_planners(&self) -> &[Arc<dyn RelationPlanner>] {
        &self.relation_planners
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        Some(Arc::clone(&self.type_planner))
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        values::function(name, &self.targets).or_else(|| functions::scalar(name, &self.session, &self.state))
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.state.higher_order_functions().get(functions::known_as(name)?).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.state.aggregate_functions().get(functions::known_as(name)?).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.state.window_functions().get(functions::known_as(name)?).cloned()
    }

    fn get_variable_type(&self, _variable_names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        functions::names().into_iter().collect()
    }

    // They are among the names above.
    fn higher_order_function_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udaf_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn udwf_names(&self) -> Vec<String> {
        functions::names().into_iter().collect()
    }
}

/// An argument of a table function, folded.
fn constant(state: &SessionState, argument: Expr) -> Result<Expr, DataFusionError> {
    use datafusion::common::DFSchema;
    use datafusion::logical_expr::simplify::SimplifyContext;
    use datafusion::optimizer::simplify_expressions::ExprSimplifier;
    let context = SimplifyContext::builder().with_config_options(Arc::clone(state.config_options())).build();
    let simplifier = ExprSimplifier::new(context);
    let schema = DFSchema::empty();
    simplifier.simplify(simplifier.coerce(argument, &schema)?)
}

/// Where in the statement the planner saw it.
fn place_of(parsed: &ParsedStatement, error: &DataFusionError) -> Place {
    let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
    let place = span.and_then(|span| {
        let (line, column) = (u32::try_from(span.start.line).ok()?, u32::try_from(span.start.column).ok()?);
        Some(Place { line, column, span: parsed.span_at(span.start.line, span.start.column) })
    });
    place.unwrap_or_default()
}

/// What the planner says, in the form of the log and at its place in the statement.
fn plan_error(parsed: &ParsedStatement, error: DataFusionError) -> SqlError {
    let place = place_of(parsed, &error);
    if let DataFusionError::SchemaError(problem, _) = error.find_root() {
        return match problem.as_ref() {
            SchemaError::FieldNotFound { field, valid_fields } => {
                let names = valid_fields.iter().map(|field| field.name.as_str());
                let text = format!("column {} cannot be resolved", field.flat_name());
                with_suggestion(failed_at(Class::Semantic, place, text), nearest(&field.name, names))
            }
            SchemaError::AmbiguousReference { field } => {
                failed_at(Class::Semantic, place, format!("column {} is ambiguous", field.flat_name()))
            }
            SchemaError::DuplicateQualifiedField { qualifier, .. } => {
                let text = format!("two tables are called {qualifier}: give one of them an alias");
                failed_at(Class::Semantic, place, text)
            }
            SchemaError::DuplicateUnqualifiedField { name } => {
                let text = format!("two columns are called {name}: give one of them another name with AS");
                failed_at(Class::Semantic, place, text)
            }
        };
    }
    let root = error.find_root().strip_backtrace();
    if let Some((name, rest)) = root.split_once("Invalid function '").and_then(|(_, rest)| rest.split_once('\'')) {
        let suggestion = rest.split_once("Did you mean '").and_then(|(_, rest)| rest.split_once('\''));
        let text = format!("function {name} cannot be resolved");
        let near = suggestion.and_then(|(near, _)| nearest(name, [near]));
        return with_suggestion(failed_at(Class::Semantic, place, text), near);
    }
    match from_datafusion(error) {
        SqlError::Failed(found) if found.line == 0 && found.code == "ODPS-0130071" && place.line > 0 => {
            let text = found.message.split_once(" - ").map_or(found.message.as_str(), |(_, text)| text);
            failed_at(Class::Semantic, place, text)
        }
        SqlError::Failed(found) if found.code == "ODPS-0121095" => {
            let text = found.message.split_once(" - ").map_or(found.message.as_str(), |(_, text)| text);
            failed(Class::Data, text)
        }
        other => other,
    }
}

//! The order of plain scans. A query of one table with filter and projection promises no order, but up to
//! [`ROWS_MAX`] rows are shown by partition, then by primary key or in the order of their commits, so that the same
//! rows look the same every time.

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use arrow::compute::{SortColumn, SortOptions, concat_batches, lexsort_to_indices, take_record_batch};
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::datasource::source_as_provider;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use datafusion::sql::sqlparser::ast;
use futures::stream::{SelectAll, select_all, try_unfold};
use futures::{Stream, StreamExt};
use std::collections::VecDeque;
use std::sync::Arc;

use crate::scan::TableScan;

/// A longer result is shown as it comes.
const ROWS_MAX: usize = 10_000;

/// Names of the columns that are read for the order alone.
const HIDDEN: &str = "\u{0}order";

/// Whether a query may turn out to be a plain scan; cheap, and right in the other direction.
pub(crate) fn may_be_plain(query: &ast::Query) -> bool {
    let ast::SetExpr::Select(select) = query.body.as_ref() else { return false };
    query.order_by.is_none()
        && query.with.is_none()
        && select.distinct.is_none()
        && select.lateral_views.is_empty()
        && matches!(select.from.as_slice(), [table] if table.joins.is_empty())
}

/// Whether a plain scan ends early. Read by one thread it then ends with the first rows, not with any.
pub(crate) fn is_limited(query: &ast::Query) -> bool {
    query.limit_clause.is_some() || query.fetch.is_some()
}

/// A plain scan with the columns of its order added at the end.
pub(crate) struct PlainScan {
    plan: LogicalPlan,
    n_hidden: usize,
}

impl PlainScan {
    /// The plan with its order, if it is a filter and projection of one of our tables.
    pub(crate) fn of(plan: &LogicalPlan) -> Result<Option<Self>> {
        let Some(keys) = order_keys(plan)? else { return Ok(None) };
        let Some(plan) = with_hidden(plan, &keys)? else { return Ok(None) };
        Ok(Some(Self { plan, n_hidden: keys.len() }))
    }

    pub(crate) fn plan(&self) -> &LogicalPlan {
        &self.plan
    }

    /// Runs the plan. The partitions run at the same time; a short result waits for all of them and is sorted.
    pub(crate) fn execute(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let n_partitions = plan.output_partitioning().partition_count();
        let n_shown = plan.schema().fields().len() - self.n_hidden;
        let shown: SchemaRef = Arc::new(plan.schema().project(&(0..n_shown).collect::<Vec<_>>())?);
        let streams = (0..n_partitions)
            .map(|partition| {
                let stream = plan.execute(partition, Arc::clone(&context))?;
                Ok(stream.map(move |batch| batch.map(|batch| (partition, batch))).boxed())
            })
            .collect::<Result<Vec<_>>>()?;
        let rows = Rows { all: plan.schema(), n_shown, streams: select_all(streams) };
        Ok(Box::pin(RecordBatchStreamAdapter::new(shown, rows.ordered())))
    }
}

type Partitions = SelectAll<futures::stream::BoxStream<'static, Result<(usize, RecordBatch)>>>;

struct Rows {
    all: SchemaRef,
    n_shown: usize,
    streams: Partitions,
}

impl Rows {
    fn ordered(self) -> impl Stream<Item = Result<RecordBatch>> + Send {
        let shown: Vec<usize> = (0..self.n_shown).collect();
        try_unfold(Progress::Waiting(self), |progress| async move {
            let (mut ready, mut rest) = match progress {
                Progress::Waiting(rows) => rows.first().await?,
                Progress::Flowing { ready, rest } => (ready, rest),
            };
            let next = match (ready.pop_front(), &mut rest) {
                (Some(batch), _) => Some(batch),
                (None, Some(rest)) => rest.next().await.transpose()?.map(|(_, batch)| batch),
                (None, None) => None,
            };
            Ok(next.map(|batch| (batch, Progress::Flowing { ready, rest })))
        })
        .map(move |batch: Result<RecordBatch>| Ok(batch?.project(&shown)?))
    }

    /// The whole result, sorted, if it is short; else what came so far, and the rest.
    async fn first(mut self) -> Result<(VecDeque<RecordBatch>, Option<Partitions>)> {
        let mut batches: Vec<(usize, RecordBatch)> = Vec::new();
        let mut n_rows = 0;
        while n_rows <= ROWS_MAX {
            let Some(next) = self.streams.next().await else {
                return Ok((VecDeque::from([self.sorted(batches)?]), None));
            };
            let (partition, batch) = next?;
            n_rows += batch.num_rows();
            batches.push((partition, batch));
        }
        batches.sort_by_key(|(partition, _)| *partition);
        Ok((batches.into_iter().map(|(_, batch)| batch).collect(), Some(self.streams)))
    }

    /// All rows, sorted by the hidden columns; rows that are equal in them stay as they came.
    fn sorted(&self, mut batches: Vec<(usize, RecordBatch)>) -> Result<RecordBatch> {
        batches.sort_by_key(|(partition, _)| *partition);
        let rows = concat_batches(&self.all, batches.iter().map(|(_, batch)| batch))?;
        let n_rows = rows.num_rows();
        let ascending = SortOptions { descending: false, nulls_first: true };
        let mut keys: Vec<SortColumn> = rows.columns()[self.n_shown..]
            .iter()
            .map(|column| SortColumn { values: Arc::clone(column), options: Some(ascending) })
            .collect();
        let positions: ArrayRef = Arc::new(UInt64Array::from_iter_values(0..n_rows as u64));
        keys.push(SortColumn { values: positions, options: None });
        Ok(take_record_batch(&rows, &lexsort_to_indices(&keys, None)?)?)
    }
}

enum Progress {
    Waiting(Rows),
    Flowing { ready: VecDeque<RecordBatch>, rest: Option<Partitions> },
}

/// Columns of the order: partition, then primary key.
fn order_keys(plan: &LogicalPlan) -> Result<Option<Vec<String>>> {
    let mut keys = None;
    plan.apply(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Ok(provider) = source_as_provider(&scan.source)
            && let Some(scan) = (provider.as_ref() as &dyn std::any::Any).downcast_ref::<TableScan>()
        {
            let schema = scan.table().table.schema();
            let mut names = schema.partition_keys().to_vec();
            names.extend(schema.primary_keys().iter().filter(|key| !schema.partition_keys().contains(key)).cloned());
            keys = Some(names);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(keys)
}

/// Adds the hidden columns to the projection nearest to the scan, and to all above it.
fn with_hidden(plan: &LogicalPlan, keys: &[String]) -> Result<Option<LogicalPlan>> {
    match plan {
        LogicalPlan::Limit(limit) => {
            let Some(input) = with_hidden(&limit.input, keys)? else { return Ok(None) };
            let expressions = plan.expressions();
            Ok(Some(plan.with_new_exprs(expressions, vec![input])?))
        }
        LogicalPlan::Projection(projection) if is_plain_input(&projection.input) => {
            let schema = projection.input.schema();
            let mut expressions = projection.expr.clone();
            for (index, key) in keys.iter().enumerate() {
                let (qualifier, field) = schema.qualified_field_with_unqualified_name(key)?;
                let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
                expressions.push(column.alias(format!("{HIDDEN}{index}")));
            }
            let projection = Projection::try_new(expressions, Arc::clone(&projection.input))?;
            Ok(Some(LogicalPlan::Projection(projection)))
        }
        _ => Ok(None),
    }
}

fn is_plain_input(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Filter(filter) => is_plain_input(&filter.input),
        LogicalPlan::SubqueryAlias(alias) => is_plain_input(&alias.input),
        LogicalPlan::TableScan(_) => true,
        _ => false,
    }
}

//! SELECT and EXPLAIN.

use crate::analyze::not_supported_yet;
use crate::dialect::{Explain, Query, Statement, TableSource};
use crate::display::SQL_TYPE;
use crate::error::from_datafusion;
use crate::job::Job;
use crate::order::{self, PlainScan};
use crate::plan::{Order, Planner};
use crate::results::{Form, SpoolWriter, result_columns};
use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::physical_plan::displayable;
use datafusion::physical_plan::execute_stream;
use futures::StreamExt;
use ports::sql_engine::{Outcome, SqlError};
use std::sync::Arc;

/// Runs a query into the spool.
pub(crate) async fn run(job: &Job, query: &Query) -> Result<Outcome, SqlError> {
    let order = match (order::may_be_plain(&query.ast), order::is_limited(&query.ast)) {
        (false, _) => Order::Free,
        (true, false) => Order::Kept,
        (true, true) => Order::Serial,
    };
    let mut planner = Planner::new(job, query, order).await?;
    let plan = planner.logical(job, query).await?;
    let plain = if order != Order::Free { PlainScan::of(&plan).map_err(from_datafusion)? } else { None };
    if plain.is_none() {
        planner.free_order(job);
    }
    let optimized = planner.optimized(job, plain.as_ref().map_or(&plan, PlainScan::plan))?;
    let physical = planner.physical(job, &optimized).await?;
    let context = planner.state().task_ctx();
    let mut rows = match plain {
        Some(plain) => plain.execute(physical, context).map_err(from_datafusion)?,
        None => execute_stream(physical, context).map_err(from_datafusion)?,
    };
    let schema = shown_schema(&rows.schema());
    let mut spool = SpoolWriter::create(&job.context.spool, &schema, job.context.limits)?;
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(from_datafusion)?;
        let batch = RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec())
            .map_err(|error| from_datafusion(error.into()))?;
        let wants_more = spool.push(batch)?;
        job.progress(spool.rows(), spool.bytes());
        if !wants_more {
            break;
        }
    }
    let spooled = spool.finish(&Form::Table, &job.settings.zone_name)?;
    job.progress(spooled.rows, spooled.bytes);
    Ok(Outcome {
        columns: result_columns(&schema),
        row_count: spooled.rows,
        truncated: spooled.truncated,
        ..Outcome::default()
    })
}

/// The schema of a result: of the columns' metadata only the name of the SQL type stays.
fn shown_schema(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let metadata = field.metadata().iter().filter(|(key, _)| *key == SQL_TYPE);
        let metadata = metadata.map(|(key, value)| (key.clone(), value.clone())).collect();
        Field::new(field.name(), field.data_type().clone(), true).with_metadata(metadata)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Shows how a statement would run. Nothing is read but metadata.
pub(crate) async fn explain(job: &Job, explain: &Explain) -> Result<Outcome, SqlError> {
    let query = match &explain.statement {
        Statement::Query(query) => query.as_ref(),
        Statement::Insert(insert) => &insert.source,
        Statement::CreateTable(create) => match &create.source {
            Some(TableSource::Query(query)) => query,
            _ => return Err(not_supported_yet("EXPLAIN CREATE TABLE")),
        },
        _ => return Err(not_supported_yet("EXPLAIN of this statement")),
    };
    let planner = Planner::new(job, query, Order::Free).await?;
    let plan = planner.logical(job, query).await?;
    let optimized = planner.optimized(job, &plan)?;
    let physical = planner.physical(job, &optimized).await?;
    let physical_text = displayable(physical.as_ref()).set_show_statistics(explain.extended).indent(false).to_string();
    let text = if explain.extended {
        format!(
            "Logical plan:\n{}\n\nOptimized plan:\n{}\n\nPhysical plan:\n{physical_text}",
            plan.display_indent(),
            optimized.display_indent()
        )
    } else {
        physical_text
    };
    let rows = text.lines().map(|line| vec![Some(line.to_owned())]).collect();
    job.texts(&["plan"], rows, &Form::Text(format!("{}\n", text.trim_end())))
}

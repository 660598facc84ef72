//! One statement while it is executed: its text, its session and what it may use.

use crate::Inner;
use crate::analyze::not_supported_yet;
use crate::commands;
use crate::dialect::{ParsedStatement, Statement};
use crate::execute::Running;
use crate::names::{Names, find};
use crate::results::{Form, SpoolWriter, result_columns};
use crate::settings::Effective;
use crate::{query, write};
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use chrono::{DateTime, Utc};
use model::worksheet::Progress;
use ports::sql_engine::{ExecutionContext, Outcome, SqlError};
use std::sync::Arc;
use std::time::Instant;

pub(crate) struct Job {
    pub engine: Arc<Inner>,
    pub parsed: Arc<ParsedStatement>,
    pub context: ExecutionContext,
    pub settings: Effective,
    pub running: Arc<Running>,
    /// The moment of `getdate()` in all of the statement.
    pub began: DateTime<Utc>,
    started: Instant,
}

impl Job {
    pub(crate) fn new(
        engine: Arc<Inner>,
        parsed: Arc<ParsedStatement>,
        context: ExecutionContext,
        running: Arc<Running>,
    ) -> Self {
        let project = find(&context.projects, context.session.project.as_str());
        let settings = Effective::new(&context.session, project.map(|project| &project.options), &engine.timezone);
        Self { engine, parsed, context, settings, running, began: Utc::now(), started: Instant::now() }
    }

    pub(crate) fn names(&self) -> Names<'_> {
        Names {
            parsed: &self.parsed,
            session: &self.context.session,
            settings: &self.settings,
            projects: &self.context.projects,
        }
    }

    /// An EXPLAIN reads no rows, so nothing guards it.
    pub(crate) fn is_explained(&self) -> bool {
        matches!(self.parsed.statement, Statement::Explain(_))
    }

    /// Tells how far the statement is.
    pub(crate) fn progress(&self, rows: u64, bytes: u64) {
        let elapsed_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        // Nobody may be listening.
        let _ = self.context.progress.send(Progress { rows, bytes, elapsed_ms });
    }

    pub(crate) async fn execute(&self) -> Result<Outcome, SqlError> {
        let statement = &self.parsed.statement;
        let mut outcome = match statement {
            // It publishes at its end and decides itself until when it can be cancelled.
            Statement::Insert(insert) => write::insert(self, insert).await?,
            Statement::MultiInsert(parts) => write::insert_all(self, parts).await?,
            Statement::Truncate { table, partitions } => write::truncate(self, table, partitions).await?,
            Statement::CreateTable(create) => commands::create_table::run(self, create).await?,
            _ => self.running.until_stopped(self.execute_cancellable()).await?,
        };
        outcome.notices.extend(self.parsed.warnings.iter().cloned());
        Ok(outcome)
    }

    async fn execute_cancellable(&self) -> Result<Outcome, SqlError> {
        match &self.parsed.statement {
            Statement::Set(setting) => commands::session::set(self, setting),
            Statement::ShowSettings => commands::session::show_settings(self),
            Statement::Unset { key } => Ok(commands::session::unset(self, key)),
            Statement::Use(target) => commands::session::use_target(self, target).await,
            Statement::ShowSchemas(show) => commands::show::schemas(self, show).await,
            Statement::ShowTables(show) => commands::show::tables(self, show).await,
            Statement::ShowViews(show) => commands::show::views(self, show),
            Statement::ShowFunctions { like } => commands::show::list_functions(self, like.as_deref()),
            Statement::ShowProjects => commands::show::projects(self),
            Statement::ShowPartitions { table, partition } => {
                commands::show::show_partitions(self, table, partition.as_ref()).await
            }
            Statement::ShowColumns { table } => commands::show::columns(self, table).await,
            Statement::ShowCreateTable { table } => commands::describe::show_create_table(self, table).await,
            Statement::CreateSchema(create) => commands::schema::create(self, create).await,
            Statement::DropSchema(drop) => commands::schema::drop(self, drop).await,
            Statement::DescribeSchema { schema } => commands::schema::describe(self, schema).await,
            Statement::Describe(describe) => commands::describe::run(self, describe).await,
            Statement::DropTable(drop) => commands::drop_table::run(self, drop).await,
            Statement::Query(query) => query::run(self, query).await,
            Statement::Explain(explain) => query::explain(self, explain).await,
            Statement::NotYet(not_yet) => Err(not_supported_yet(not_yet.verb)),
            Statement::CreateTable(_)
            | Statement::Truncate { .. }
            | Statement::Insert(_)
            | Statement::MultiInsert(_) => unreachable!("they are executed by `execute`"),
        }
    }

    /// A result of texts.
    pub(crate) fn texts(
        &self,
        columns: &[&str],
        rows: Vec<Vec<Option<String>>>,
        form: &Form,
    ) -> Result<Outcome, SqlError> {
        let schema = Arc::new(Schema::new(
            columns.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect::<Vec<_>>(),
        ));
        let arrays = (0..columns.len()).map(|column| {
            let texts: StringArray = rows.iter().map(|row| row.get(column).cloned().flatten()).collect();
            Arc::new(texts) as ArrayRef
        });
        let batch = RecordBatch::try_new(Arc::clone(&schema), arrays.collect())
            .map_err(|error| crate::error::from_datafusion(error.into()))?;
        let mut spool = SpoolWriter::create(&self.context.spool, &schema, self.context.limits)?;
        spool.push(batch)?;
        let spooled = spool.finish(form, &self.settings.zone_name)?;
        Ok(Outcome {
            columns: result_columns(&schema),
            row_count: spooled.rows,
            truncated: spooled.truncated,
            ..Outcome::default()
        })
    }
}

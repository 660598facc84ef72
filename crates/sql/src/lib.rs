//! The SQL engine: `ports::SqlEngine` over DataFusion and the tables of `lake`.
//!
//! Text becomes one typed statement ([`dialect`]); that same value says what it touches ([`analyze`]) and is executed:
//! queries by DataFusion over our own scans, commands and writes by ourselves. No text of a user reaches another
//! parser.

mod analyze;
mod commands;
mod convert;
pub mod dialect;
mod display;
mod error;
mod execute;
mod functions;
mod guard;
mod job;
mod max_pt;
mod names;
mod operators;
mod order;
mod partitions;
mod plan;
mod prune;
mod query;
mod results;
mod scan;
mod settings;
mod system_tables;
mod tables;
mod types;
mod values;
mod write;

pub use execute::EngineOptions;

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use dialect::ParsedStatement;
use execute::Executor;
use futures::stream::BoxStream;
use job::Job;
use lake::PaimonLake;
use model::access::Access;
use model::session::SqlSession;
use model::worksheet::{Cell, ResultPage, Span};
use names::{Names, find};
use ports::sql_engine::{
    ExecutionContext, ExportFormat, Outcome, ProjectHandle, SqlEngine, SqlError, Statement, UnparsedStatement,
};
use results::Spool;
use settings::Effective;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The embedded engine. Cheap to clone; the clones share threads and memory.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub lake: Arc<PaimonLake>,
    pub executor: Executor,
    pub timezone: String,
    /// Functions and rules that every statement's own state starts from.
    pub template: SessionState,
}

impl Engine {
    /// Starts the engine's threads.
    pub fn new(lake: Arc<PaimonLake>, options: EngineOptions) -> io::Result<Self> {
        let executor = Executor::start(&options)?;
        let mut template = SessionStateBuilder::new_with_default_features().build();
        for function in functions::all() {
            template.register_udf(function).map_err(io::Error::other)?;
        }
        template.register_udaf(Arc::new(functions::sum())).map_err(io::Error::other)?;
        Ok(Self { inner: Arc::new(Inner { lake, executor, timezone: options.timezone, template }) })
    }

    /// Reads from a spool on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        spool: &Path,
        read: impl FnOnce(Spool) -> Result<T, SqlError> + Send + 'static,
    ) -> Result<T, SqlError> {
        let path = spool.to_owned();
        self.inner.executor.blocking(move || read(Spool::open(&path)?)).await
    }
}

#[async_trait]
impl SqlEngine for Engine {
    fn parse(&self, script: &str) -> (Vec<Arc<dyn Statement>>, Option<UnparsedStatement>) {
        let (parsed, unparsed) = dialect::parse(script);
        let statements = parsed.into_iter().map(|parsed| {
            let statement = SqlStatement { engine: Arc::clone(&self.inner), parsed: Arc::new(parsed) };
            Arc::new(statement) as Arc<dyn Statement>
        });
        (statements.collect(), unparsed)
    }

    async fn page(&self, spool: &Path, _session: &SqlSession, offset: u64, count: u64) -> Result<ResultPage, SqlError> {
        self.read(spool, move |mut spool| spool.page(offset, count)).await
    }

    async fn cell(&self, spool: &Path, _session: &SqlSession, row: u64, column: usize) -> Result<Cell, SqlError> {
        self.read(spool, move |mut spool| spool.whole_cell(row, column)).await
    }

    async fn text(
        &self,
        spool: &Path,
        _session: &SqlSession,
        _verb: &str,
    ) -> Result<BoxStream<'static, io::Result<Bytes>>, SqlError> {
        self.read(spool, move |spool| Ok(spool.text())).await
    }

    async fn export(
        &self,
        spool: &Path,
        _session: &SqlSession,
        format: ExportFormat,
    ) -> Result<BoxStream<'static, io::Result<Bytes>>, SqlError> {
        self.read(spool, move |spool| Ok(spool.export(format))).await
    }

    fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = dialect::keywords().iter().map(|word| (*word).to_owned()).collect();
        words.extend(functions::names());
        words.sort();
        words.dedup();
        words
    }
}

/// A parsed sentence with the engine that executes it.
struct SqlStatement {
    engine: Arc<Inner>,
    parsed: Arc<ParsedStatement>,
}

#[async_trait]
impl Statement for SqlStatement {
    fn verb(&self) -> &str {
        self.parsed.statement.verb()
    }

    fn text(&self) -> &str {
        &self.parsed.text
    }

    fn span(&self) -> Span {
        self.parsed.span
    }

    fn has_instance_id(&self) -> bool {
        self.parsed.statement.has_instance_id()
    }

    fn projects(&self, session: &SqlSession) -> Vec<String> {
        analyze::projects(&self.parsed.statement, session)
    }

    fn accesses(&self, session: &SqlSession, projects: &[ProjectHandle]) -> Result<Vec<Access>, SqlError> {
        let project = find(projects, session.project.as_str());
        let settings = Effective::new(session, project.map(|project| &project.options), &self.engine.timezone);
        let names = Names { parsed: &self.parsed, session, settings: &settings, projects };
        analyze::accesses(&self.parsed, &names)
    }

    async fn execute(&self, context: ExecutionContext) -> Result<Outcome, SqlError> {
        let (limits, cancel) = (context.limits, context.cancel.clone());
        let (engine, parsed) = (Arc::clone(&self.engine), Arc::clone(&self.parsed));
        let work = move |running| {
            let job = Job::new(engine, parsed, context, running);
            async move { job.execute().await }
        };
        self.engine.executor.run(limits, cancel, work).await
    }
}

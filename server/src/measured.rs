//! The SQL engine with a stopwatch: counts and times statements for `/metrics`.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use model::access::Access;
use model::session::SqlSession;
use model::worksheet::{Cell, ResultPage, Span};
use ports::sql_engine::{
    ExecutionContext, ExportFormat, Outcome, ProjectHandle, SqlEngine, SqlError, Statement, UnparsedStatement,
};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// An engine whose statements are measured.
pub struct Measured<E>(pub E);

#[async_trait]
impl<E: SqlEngine> SqlEngine for Measured<E> {
    fn parse(&self, script: &str) -> (Vec<Arc<dyn Statement>>, Option<UnparsedStatement>) {
        let (statements, unparsed) = self.0.parse(script);
        let measured = statements.into_iter().map(|one| Arc::new(MeasuredStatement(one)) as Arc<dyn Statement>);
        (measured.collect(), unparsed)
    }

    async fn page(&self, spool: &Path, session: &SqlSession, offset: u64, count: u64) -> Result<ResultPage, SqlError> {
        self.0.page(spool, session, offset, count).await
    }

    async fn cell(&self, spool: &Path, session: &SqlSession, row: u64, column: usize) -> Result<Cell, SqlError> {
        self.0.cell(spool, session, row, column).await
    }

    async fn text(
        &self,
        spool: &Path,
        session: &SqlSession,
        verb: &str,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>, SqlError> {
        self.0.text(spool, session, verb).await
    }

    async fn export(
        &self,
        spool: &Path,
        session: &SqlSession,
        format: ExportFormat,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>, SqlError> {
        self.0.export(spool, session, format).await
    }

    fn words(&self) -> Vec<String> {
        self.0.words()
    }
}

struct MeasuredStatement(Arc<dyn Statement>);

#[async_trait]
impl Statement for MeasuredStatement {
    fn verb(&self) -> &str {
        self.0.verb()
    }

    fn text(&self) -> &str {
        self.0.text()
    }

    fn span(&self) -> Span {
        self.0.span()
    }

    fn has_instance_id(&self) -> bool {
        self.0.has_instance_id()
    }

    fn projects(&self, session: &SqlSession) -> Vec<String> {
        self.0.projects(session)
    }

    fn accesses(&self, session: &SqlSession, projects: &[ProjectHandle]) -> Result<Vec<Access>, SqlError> {
        self.0.accesses(session, projects)
    }

    async fn execute(&self, context: ExecutionContext) -> Result<Outcome, SqlError> {
        let _running = Running::begin();
        let started = Instant::now();
        let outcome = self.0.execute(context).await;
        let word = match &outcome {
            Ok(outcome) => {
                if outcome.snapshot_id.is_some() {
                    metrics::counter!("lakedeck_commit_count_total").increment(1);
                }
                "succeeded"
            }
            Err(SqlError::Failed(_)) => "failed",
            Err(SqlError::Cancelled) => "cancelled",
            Err(SqlError::Unknown { .. }) => "unknown",
        };
        let labels = [("verb", self.0.verb().to_owned()), ("outcome", word.to_owned())];
        metrics::histogram!("lakedeck_statement_duration_seconds", &labels).record(started.elapsed().as_secs_f64());
        outcome
    }
}

/// Counts a statement as running, also when its future is dropped.
struct Running;

impl Running {
    fn begin() -> Self {
        metrics::gauge!("lakedeck_statement_running_count").increment(1);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        metrics::gauge!("lakedeck_statement_running_count").decrement(1);
    }
}

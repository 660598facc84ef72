//! The SQL engine: text → typed statements; each says what it touches, and that same value is executed.

use crate::connection::Connection;
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use model::access::Access;
use model::external_project::ProjectOptions;
use model::names::ProjectName;
use model::session::SqlSession;
use model::table::TableRef;
use model::warehouse::WarehouseUri;
use model::worksheet::{Cell, Progress, ResultColumn, ResultPage, Span, StatementError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A project as the engine sees it: what a statement that may touch it needs to open it.
#[derive(Clone, Debug)]
pub struct ProjectHandle {
    pub name: ProjectName,
    /// Alias of other engines, e.g. `paimon-fs-catalog`.
    pub engine_catalog: Option<String>,
    pub connection: Connection,
    pub warehouse: WarehouseUri,
    pub options: ProjectOptions,
}

/// Bounds of one statement.
#[derive(Clone, Copy, Debug)]
pub struct StatementLimits {
    /// Memory that one statement may reserve before it spills, bytes.
    pub memory_bytes: u64,
    pub result_rows: u64,
    pub result_bytes: u64,
    pub seconds: u64,
}

/// Hears of the moments of a statement that must survive a crash.
#[async_trait]
pub trait CommitJournal: Send + Sync {
    /// Called before a snapshot is published; the statement goes on once this returned.
    async fn will_commit(&self, table: &TableRef, commit_user: &str) -> Result<(), String>;
}

/// Everything a statement is given; it opens nothing else.
#[derive(Clone)]
pub struct ExecutionContext {
    pub session: SqlSession,
    /// Projects that the statement's accesses name, and were allowed.
    pub projects: Vec<ProjectHandle>,
    /// Where the rows go: an Arrow IPC file that does not exist yet.
    pub spool: PathBuf,
    pub limits: StatementLimits,
    pub cancel: CancellationToken,
    pub progress: watch::Sender<Progress>,
    pub journal: Arc<dyn CommitJournal>,
    /// Who runs it, e.g. for `owner` columns: `acs:ram::<account>:root`.
    pub principal: String,
    /// Names of all projects that the principal may see, for `SHOW PROJECTS` and `USE`.
    pub visible_projects: Vec<String>,
}

/// What a statement left behind.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The session as it is now.
    pub session: Option<SqlSession>,
    /// Empty when the statement has no rows to show.
    pub columns: Vec<ResultColumn>,
    pub row_count: u64,
    pub truncated: Option<String>,
    pub affected_rows: Option<u64>,
    pub snapshot_id: Option<i64>,
    pub notices: Vec<String>,
}

/// Why a statement did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The user's statement is wrong, or the data refuses it.
    #[error("{}", .0.message)]
    Failed(Box<StatementError>),
    #[error("the statement was cancelled")]
    Cancelled,
    /// The commit may or may not have been published.
    #[error("{message}")]
    Unknown { message: String, table: TableRef, commit_user: String },
}

/// One parsed sentence. The value that was authorised is the value that runs.
#[async_trait]
pub trait Statement: Send + Sync {
    /// For the tab: `SELECT`, `INSERT`, `CREATE TABLE`.
    fn verb(&self) -> &str;

    /// Its text as written.
    fn text(&self) -> &str;

    /// Where it stands in the script, in bytes.
    fn span(&self) -> Span;

    /// SET and USE print no `ID = …`.
    fn has_instance_id(&self) -> bool;

    /// Projects whose handles `accesses` and `execute` need, by the names used in the text.
    fn projects(&self, session: &SqlSession) -> Vec<String>;

    /// What it touches, with names resolved against the session; an unknown kind of statement is an error.
    fn accesses(&self, session: &SqlSession, projects: &[ProjectHandle]) -> Result<Vec<Access>, SqlError>;

    async fn execute(&self, context: ExecutionContext) -> Result<Outcome, SqlError>;
}

/// Text in, statements out; and what was spooled, page by page.
#[async_trait]
pub trait SqlEngine: Send + Sync {
    /// The statements of a script up to the first that cannot be parsed, and that one's error.
    fn parse(&self, script: &str) -> (Vec<Arc<dyn Statement>>, Option<UnparsedStatement>);

    /// `count` rows of a spool from `offset`, rendered in the session's zone.
    async fn page(&self, spool: &Path, session: &SqlSession, offset: u64, count: u64) -> Result<ResultPage, SqlError>;

    /// One whole value.
    async fn cell(&self, spool: &Path, session: &SqlSession, row: u64, column: usize) -> Result<Cell, SqlError>;

    /// The whole result as the seeds print it (`decisions.md` §2.5), without `ID = …` and `OK`.
    async fn text(
        &self,
        spool: &Path,
        session: &SqlSession,
        verb: &str,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>, SqlError>;

    /// The whole result in a file format, streamed.
    async fn export(
        &self,
        spool: &Path,
        session: &SqlSession,
        format: ExportFormat,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>, SqlError>;

    /// Words for completion: keywords and functions.
    fn words(&self) -> Vec<String>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// RFC 4180; cells that a spreadsheet would compute are prefixed with `'`.
    Csv,
    /// An array of objects; 64-bit integers and decimals as texts.
    Json,
    /// The Arrow IPC file as spooled.
    Arrow,
}

/// A sentence that is no statement.
#[derive(Clone, Debug)]
pub struct UnparsedStatement {
    pub text: String,
    pub span: Span,
    pub error: StatementError,
}

//! Worksheet, run, statement and result: saved text, one execution of it, its sentences and their rows.

use crate::Timestamp;
use crate::names::{Id, ProjectName};
use crate::session::SqlSession;
use serde::{Deserialize, Serialize};

/// A saved text with its session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worksheet {
    pub id: Id,
    pub name: String,
    pub text: String,
    pub session: SqlSession,
    /// The latest run, if there was one.
    pub last_run: Option<Id>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Grows with every saved change of the text.
    pub version: i64,
}

/// A worksheet in a list: without its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorksheetSummary {
    pub id: Id,
    pub name: String,
    pub project: ProjectName,
    pub updated_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatementState {
    Waiting,
    Running,
    Succeeded,
    Failed,
    Cancelled,
    /// The server stopped while it published; the commit is being looked for.
    Unknown,
}

impl StatementState {
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// Byte range of a statement or a token in the script it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

/// Why a statement failed, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementError {
    /// The whole line as the log prints it: `ODPS-0130071:[1,15] Semantic analysis exception - …`.
    pub message: String,
    /// E.g. `ODPS-0130071`.
    pub code: String,
    /// Line and column inside the statement, from 1; 0 when unknown.
    pub line: u32,
    pub column: u32,
    /// The offending token in the script.
    pub span: Option<Span>,
    /// `did you mean …`: what to put in the place of `span`.
    pub suggestion: Option<String>,
    /// A statement that cures it, offered as a button: `SET odps.sql.allow.fullscan=true;`.
    pub fix: Option<String>,
}

/// A column of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultColumn {
    pub name: String,
    /// The SQL name of the type, lower case.
    pub data_type: String,
    /// Numbers stand right.
    pub is_number: bool,
}

/// How far a running statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    pub rows: u64,
    pub bytes: u64,
    pub elapsed_ms: u64,
}

/// One statement of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementRun {
    /// Position in the run, from 0.
    pub index: usize,
    /// `yyyyMMddHHmmssSSS` + `g` + 6 of `[0-9a-z]`; `None` for SET and USE and before the start.
    pub instance_id: Option<String>,
    /// The verb for the tab, e.g. `SELECT`, `CREATE TABLE`.
    pub verb: String,
    pub text: String,
    /// Where the statement stands in the worksheet's text at the time of the run.
    pub span: Span,
    pub state: StatementState,
    pub started_at: Option<Timestamp>,
    pub progress: Progress,
    /// Columns of the result; empty when the statement has none.
    pub columns: Vec<ResultColumn>,
    /// Rows in the spool.
    pub row_count: u64,
    /// Set when the result was cut at a limit: the sentence that says so.
    pub truncated: Option<String>,
    /// Rows written, for statements that write.
    pub affected_rows: Option<u64>,
    pub snapshot_id: Option<i64>,
    /// Lines beside the result: warnings, notices.
    pub notices: Vec<String>,
    pub error: Option<StatementError>,
}

/// One execution of a selection of a worksheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub id: Id,
    pub worksheet: Option<Id>,
    pub project: ProjectName,
    pub started_by: String,
    pub started_at: Timestamp,
    pub statements: Vec<StatementRun>,
    /// The session after the last finished statement.
    pub session: SqlSession,
    pub is_finished: bool,
}

/// A run in a list: without its results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    pub id: Id,
    pub started_at: Timestamp,
    /// From start to end; `None` while it runs.
    pub elapsed_ms: Option<u64>,
    /// The beginning of the first statement.
    pub text: String,
    pub statement_count: u64,
    /// Of the whole: running, else the worst that became of a statement.
    pub state: StatementState,
}

/// A rendered value. Numbers are texts, so that 64-bit integers and decimals stay exact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// NULL, which is not the empty text.
    Null,
    Text(String),
    /// A long value, cut; the whole one is fetched on demand.
    Cut {
        text: String,
        chars: u64,
    },
}

/// A slice of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultPage {
    pub offset: u64,
    pub rows: Vec<Vec<Cell>>,
    /// Rows in the whole result.
    pub row_count: u64,
}

//! An engine that does as its statements say: for what the real one cannot be made to do on demand, such as to
//! panic, to hang, or to lose the reply of a commit.
//!
//! `SET k=v` · `ROWS n` · `WAIT` (until cancelled) · `PANIC` · `FAIL` · `READ project.schema.table` ·
//! `LOSE project.schema.table user` (announces a commit, does not know what became of it) ·
//! `HANG project.schema.table user` (announces a commit, then waits) · anything else does not parse.

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use model::access::{Access, Action, Resource};
use model::names::ProjectName;
use model::session::SqlSession;
use model::table::TableRef;
use model::worksheet::{Cell, Progress, ResultColumn, ResultPage, Span, StatementError};
use ports::sql_engine::{
    ExecutionContext, ExportFormat, Outcome, ProjectHandle, SqlEngine, SqlError, Statement, UnparsedStatement,
};
use std::io;
use std::path::Path;
use std::sync::Arc;

pub struct ScriptedEngine;

struct Scripted {
    words: Vec<String>,
    text: String,
    span: Span,
}

const VERBS: [&str; 8] = ["SET", "ROWS", "WAIT", "PANIC", "FAIL", "READ", "LOSE", "HANG"];

fn error(message: &str, span: Option<Span>) -> StatementError {
    let message = format!("ODPS-0130161:[1,1] Parse exception - {message}");
    StatementError { message, code: "ODPS-0130161".into(), line: 1, column: 1, span, suggestion: None, fix: None }
}

impl Scripted {
    fn table(&self) -> TableRef {
        let parts: Vec<&str> = self.words[1].split('.').collect();
        TableRef { project: ProjectName::parse(parts[0]).unwrap(), schema: parts[1].into(), table: parts[2].into() }
    }

    fn names_table(&self) -> bool {
        matches!(self.verb(), "READ" | "LOSE" | "HANG")
    }

    async fn announce(&self, context: &ExecutionContext) -> Result<(), SqlError> {
        let announced = context.journal.will_commit(&self.table(), &self.words[2]).await;
        announced.map_err(|why| SqlError::Failed(Box::new(error(&why, None))))
    }
}

#[async_trait]
impl Statement for Scripted {
    fn verb(&self) -> &str {
        &self.words[0]
    }

    fn text(&self) -> &str {
        &self.text
    }

    fn span(&self) -> Span {
        self.span
    }

    fn has_instance_id(&self) -> bool {
        self.verb() != "SET"
    }

    fn projects(&self, _session: &SqlSession) -> Vec<String> {
        if self.names_table() { vec![self.table().project.to_string()] } else { Vec::new() }
    }

    fn accesses(&self, _session: &SqlSession, projects: &[ProjectHandle]) -> Result<Vec<Access>, SqlError> {
        if !self.names_table() {
            return Ok(Vec::new());
        }
        let table = self.table();
        if !projects.iter().any(|handle| handle.name == table.project) {
            return Err(SqlError::Failed(Box::new(error("project not found", Some(self.span)))));
        }
        Ok(vec![Access { action: Action::Select, resource: Resource::Table(table) }])
    }

    async fn execute(&self, context: ExecutionContext) -> Result<Outcome, SqlError> {
        match self.verb() {
            "SET" => {
                let (key, value) = self.words[1].split_once('=').unwrap();
                let mut session = context.session.clone();
                session.settings.insert(key.into(), value.into());
                Ok(Outcome { session: Some(session), ..Outcome::default() })
            }
            "ROWS" => {
                let row_count: u64 = self.words[1].parse().unwrap();
                std::fs::write(&context.spool, row_count.to_string()).unwrap();
                context.progress.send_replace(Progress { rows: row_count, ..Progress::default() });
                let column = ResultColumn { name: "n".into(), data_type: "bigint".into(), is_number: true };
                Ok(Outcome { columns: vec![column], row_count, ..Outcome::default() })
            }
            "WAIT" => {
                context.cancel.cancelled().await;
                Err(SqlError::Cancelled)
            }
            "PANIC" => panic!("as the statement says"),
            "LOSE" => {
                self.announce(&context).await?;
                let (table, commit_user) = (self.table(), self.words[2].clone());
                Err(SqlError::Unknown { message: "The store did not answer.".into(), table, commit_user })
            }
            "HANG" => {
                self.announce(&context).await?;
                std::future::pending().await
            }
            "READ" => Ok(Outcome::default()),
            _ => Err(SqlError::Failed(Box::new(error("it failed", Some(Span { start: 1, end: 2 }))))),
        }
    }
}

#[async_trait]
impl SqlEngine for ScriptedEngine {
    fn parse(&self, script: &str) -> (Vec<Arc<dyn Statement>>, Option<UnparsedStatement>) {
        let mut statements: Vec<Arc<dyn Statement>> = Vec::new();
        let mut start = 0;
        for part in script.split(';') {
            let end = start + part.len();
            let text = part.trim().to_owned();
            let span = Span { start, end };
            start = end + 1;
            let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            match words.first().map(String::as_str) {
                None => {}
                Some(verb) if VERBS.contains(&verb) => statements.push(Arc::new(Scripted { words, text, span })),
                Some(_) => {
                    let error = error("no such statement", Some(span));
                    return (statements, Some(UnparsedStatement { text, span, error }));
                }
            }
        }
        (statements, None)
    }

    async fn page(&self, spool: &Path, _: &SqlSession, offset: u64, count: u64) -> Result<ResultPage, SqlError> {
        let row_count: u64 = std::fs::read_to_string(spool).unwrap().parse().unwrap();
        let rows = (offset..row_count.min(offset + count)).map(|n| vec![Cell::Text(n.to_string())]).collect();
        Ok(ResultPage { offset, rows, row_count })
    }

    async fn cell(&self, _: &Path, _: &SqlSession, row: u64, _: usize) -> Result<Cell, SqlError> {
        Ok(Cell::Text(row.to_string()))
    }

    async fn text(
        &self,
        spool: &Path,
        session: &SqlSession,
        verb: &str,
    ) -> Result<BoxStream<'static, io::Result<Bytes>>, SqlError> {
        let text = format!("{verb} {} {:?}\n", std::fs::read_to_string(spool).unwrap(), session.settings);
        Ok(stream::once(async { Ok(Bytes::from(text)) }).boxed())
    }

    async fn export(
        &self,
        spool: &Path,
        _: &SqlSession,
        _: ExportFormat,
    ) -> Result<BoxStream<'static, io::Result<Bytes>>, SqlError> {
        let bytes = Bytes::from(std::fs::read(spool).unwrap());
        Ok(stream::once(async { Ok(bytes) }).boxed())
    }

    fn words(&self) -> Vec<String> {
        VERBS.iter().map(ToString::to_string).collect()
    }
}

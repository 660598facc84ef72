//! Results: pages for the grid, whole values, texts and files, all read from the spool.

use crate::error::Noun;
use crate::{Error, RequestContext, Services};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use model::access::{Action, Resource};
use model::names::Id;
use model::session::SqlSession;
use model::worksheet::{Cell, ResultPage, StatementRun, StatementState};
use ports::sql_engine::{ExportFormat, SqlError};
use std::io;
use std::path::PathBuf;
use store::StatementRow;

/// Rows that one page may have.
const PAGE_ROWS_MAX: u64 = 10_000;

/// A finished statement and where its rows lie.
struct Spooled {
    statement: StatementRun,
    session: SqlSession,
    file: PathBuf,
}

impl Services {
    /// Rows `offset` up to `offset + count` of a statement; at most 10,000 at once.
    pub async fn result_page(
        &self,
        ctx: &RequestContext,
        run: &Id,
        index: usize,
        offset: u64,
        count: u64,
    ) -> Result<ResultPage, Error> {
        let Spooled { session, file, .. } = self.spooled(ctx, run, index).await?;
        let page = self.engine.page(&file, &session, offset, count.min(PAGE_ROWS_MAX)).await;
        page.map_err(read_error)
    }

    /// One whole value.
    pub async fn cell(
        &self,
        ctx: &RequestContext,
        run: &Id,
        index: usize,
        row: u64,
        column: usize,
    ) -> Result<Cell, Error> {
        let Spooled { statement, session, file } = self.spooled(ctx, run, index).await?;
        if row >= statement.row_count || column >= statement.columns.len() {
            return Err(Error::NoResult);
        }
        self.engine.cell(&file, &session, row, column).await.map_err(read_error)
    }

    /// The result as the seeds print it, without `ID = …` and `OK`; nothing for a statement without rows.
    pub async fn result_text(
        &self,
        ctx: &RequestContext,
        run: &Id,
        index: usize,
    ) -> Result<BoxStream<'static, io::Result<Bytes>>, Error> {
        let row = self.own_statement(ctx, run, index).await?.statement;
        if row.columns.is_empty() && row.state.is_final() {
            return Ok(stream::empty().boxed());
        }
        let Spooled { statement, session, file } = self.spooled(ctx, run, index).await?;
        self.engine.text(&file, &session, &statement.verb).await.map_err(read_error)
    }

    /// The whole result as a file.
    pub async fn export(
        &self,
        ctx: &RequestContext,
        run: &Id,
        index: usize,
        format: ExportFormat,
    ) -> Result<BoxStream<'static, io::Result<Bytes>>, Error> {
        let Spooled { session, file, .. } = self.spooled(ctx, run, index).await?;
        self.engine.export(&file, &session, format).await.map_err(read_error)
    }

    /// Words for completion: keywords and functions.
    pub async fn completion_words(&self, ctx: &RequestContext) -> Result<Vec<String>, Error> {
        self.authorize(ctx, Action::Read, Resource::Worksheets).await?;
        Ok(self.engine.words())
    }

    async fn own_statement(&self, ctx: &RequestContext, run: &Id, index: usize) -> Result<StatementRow, Error> {
        self.authorize(ctx, Action::Read, Resource::Statements).await?;
        let row = self.store.statement(run, index).await?.filter(|row| row.started_by == ctx.principal.as_str());
        row.ok_or_else(|| Error::not_found(Noun::Statement, format!("{run}/{index}")))
    }

    async fn spooled(&self, ctx: &RequestContext, run: &Id, index: usize) -> Result<Spooled, Error> {
        let row = self.own_statement(ctx, run, index).await?;
        let (StatementState::Succeeded, Some(session), false) =
            (row.statement.state, row.session, row.statement.columns.is_empty())
        else {
            return Err(Error::NoResult);
        };
        let file = self.spool.file(run, index);
        match tokio::fs::try_exists(&file).await {
            Ok(true) => Ok(Spooled { statement: row.statement, session, file }),
            _ => Err(Error::ResultExpired),
        }
    }
}

fn read_error(error: SqlError) -> Error {
    match error {
        SqlError::Failed(error) => Error::Sql(error),
        other => Error::internal("read a result", other),
    }
}

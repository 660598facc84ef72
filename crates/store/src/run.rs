//! Runs with their statements, and the journal by which a statement finds its own commit again.

use crate::row::{from_json, micros, now, timestamp, to_json};
use crate::{Error, Store, Tx};
use model::Timestamp;
use model::access::Principal;
use model::names::{Id, ProjectName};
use model::session::SqlSession;
use model::table::TableRef;
use model::worksheet::{Run, RunSummary, StatementRun, StatementState};
use sqlx::SqliteConnection;

const WHAT: &str = "run";

/// One statement with what its rows are read by.
#[derive(Clone, Debug)]
pub struct StatementRow {
    pub statement: StatementRun,
    /// The session that its rows are rendered in, once it has finished.
    pub session: Option<SqlSession>,
    /// Who started the run.
    pub started_by: String,
}

/// A commit that was about to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    pub table: TableRef,
    pub commit_user: String,
}

#[derive(sqlx::FromRow)]
struct RunRow {
    id: String,
    worksheet: Option<String>,
    project: String,
    started_by: String,
    started_at: i64,
    finished_at: Option<i64>,
    session: String,
}

#[derive(sqlx::FromRow)]
struct SummaryRow {
    id: String,
    started_at: i64,
    finished_at: Option<i64>,
    statement_count: i64,
    /// Nothing where the run has no statement.
    text: Option<String>,
    /// The different states of its statements, with commas.
    states: Option<String>,
}

/// How much of a statement a list shows.
const SUMMARY_CHARS: i64 = 300;

impl SummaryRow {
    const SELECT: &str = "select r.id, r.started_at, r.finished_at,
        (select count(*) from statement s where s.run = r.id) as statement_count,
        (select substr(json_extract(s.body, '$.text'), 1, ?) from statement s where s.run = r.id
         order by s.position limit 1) as text,
        (select group_concat(distinct s.state) from statement s where s.run = r.id) as states
        from run r where r.worksheet = ? and r.started_by = ? order by r.started_at desc limit ?";

    fn summary(self) -> Result<RunSummary, Error> {
        let states = self.states.unwrap_or_default();
        let has = |state: &StatementState| states.split(',').any(|id| id == state_id(*state));
        let bad = [StatementState::Failed, StatementState::Unknown, StatementState::Cancelled];
        let state = match self.finished_at {
            None => StatementState::Running,
            Some(_) => bad.into_iter().find(has).unwrap_or(StatementState::Succeeded),
        };
        let elapsed = self.finished_at.map(|end| end.saturating_sub(self.started_at) / 1000);
        Ok(RunSummary {
            id: self.id,
            started_at: timestamp(WHAT, self.started_at)?,
            elapsed_ms: elapsed.map(|ms| u64::try_from(ms).unwrap_or_default()),
            text: self.text.unwrap_or_default(),
            statement_count: u64::try_from(self.statement_count).unwrap_or_default(),
            state,
        })
    }
}

impl Store {
    pub async fn run(&self, id: &Id) -> Result<Option<Run>, Error> {
        find(&mut *self.read().await?, id).await
    }

    /// The latest `count` runs of a worksheet that one person started, the latest first.
    pub async fn runs_of_worksheet(
        &self,
        worksheet: &Id,
        started_by: &Principal,
        count: u32,
    ) -> Result<Vec<RunSummary>, Error> {
        let rows: Vec<SummaryRow> = sqlx::query_as(SummaryRow::SELECT)
            .bind(SUMMARY_CHARS)
            .bind(worksheet)
            .bind(started_by.as_str())
            .bind(count)
            .fetch_all(&mut *self.read().await?)
            .await?;
        rows.into_iter().map(SummaryRow::summary).collect()
    }

    /// Runs that no process finished, oldest first.
    pub async fn unfinished_runs(&self) -> Result<Vec<Run>, Error> {
        let mut connection = self.read().await?;
        let ids: Vec<String> = sqlx::query_scalar("select id from run where finished_at is null order by started_at")
            .fetch_all(&mut *connection)
            .await?;
        let mut runs = Vec::with_capacity(ids.len());
        for id in ids {
            runs.extend(find(&mut connection, &id).await?);
        }
        Ok(runs)
    }

    pub async fn statement(&self, run: &Id, position: usize) -> Result<Option<StatementRow>, Error> {
        let mut connection = self.read().await?;
        let row: Option<(String, Option<String>, String)> = sqlx::query_as(
            "select s.body, s.session, r.started_by from statement s join run r on r.id = s.run
             where s.run = ? and s.position = ?",
        )
        .bind(run)
        .bind(position_column(position))
        .fetch_optional(&mut *connection)
        .await?;
        row.map(|(body, session, started_by)| {
            Ok(StatementRow {
                statement: from_json(WHAT, &body)?,
                session: session.map(|session| from_json(WHAT, &session)).transpose()?,
                started_by,
            })
        })
        .transpose()
    }

    /// The commits that a statement announced, in order.
    pub async fn journal(&self, run: &Id, position: usize) -> Result<Vec<JournalEntry>, Error> {
        let mut connection = self.read().await?;
        let rows: Vec<(String, String, String, String)> = sqlx::query_as(
            "select project, schema_name, table_name, commit_user from commit_journal
             where run = ? and position = ? order by at",
        )
        .bind(run)
        .bind(position_column(position))
        .fetch_all(&mut *connection)
        .await?;
        rows.into_iter()
            .map(|(project, schema, table, commit_user)| {
                let project = ProjectName::parse(&project).map_err(|why| Error::unreadable("commit journal", why))?;
                Ok(JournalEntry { table: TableRef { project, schema, table }, commit_user })
            })
            .collect()
    }

    /// Ids of all runs, to tell which spools belong to none.
    pub async fn run_ids(&self) -> Result<Vec<Id>, Error> {
        let mut connection = self.read().await?;
        Ok(sqlx::query_scalar("select id from run").fetch_all(&mut *connection).await?)
    }
}

impl Tx {
    pub async fn insert_run(&mut self, run: &Run) -> Result<(), Error> {
        sqlx::query(
            "insert into run (id, worksheet, project, started_by, started_at, session) values (?, ?, ?, ?, ?, ?)",
        )
        .bind(&run.id)
        .bind(&run.worksheet)
        .bind(run.project.as_str())
        .bind(&run.started_by)
        .bind(micros(run.started_at))
        .bind(to_json(WHAT, &run.session)?)
        .execute(&mut *self.inner)
        .await?;
        for statement in &run.statements {
            sqlx::query("insert into statement (run, position, state, body) values (?, ?, ?, ?)")
                .bind(&run.id)
                .bind(position_column(statement.index))
                .bind(state_id(statement.state))
                .bind(to_json(WHAT, statement)?)
                .execute(&mut *self.inner)
                .await?;
        }
        Ok(())
    }

    /// Keeps the state of a statement; `session` once it has finished.
    pub async fn update_statement(
        &mut self,
        run: &Id,
        statement: &StatementRun,
        session: Option<&SqlSession>,
    ) -> Result<(), Error> {
        sqlx::query("update statement set state = ?, body = ?, session = ? where run = ? and position = ?")
            .bind(state_id(statement.state))
            .bind(to_json(WHAT, statement)?)
            .bind(session.map(|session| to_json(WHAT, session)).transpose()?)
            .bind(run)
            .bind(position_column(statement.index))
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    pub async fn set_run_session(&mut self, run: &Id, session: &SqlSession) -> Result<(), Error> {
        sqlx::query("update run set session = ? where id = ?")
            .bind(to_json(WHAT, session)?)
            .bind(run)
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    pub async fn finish_run(&mut self, run: &Id) -> Result<(), Error> {
        sqlx::query("update run set finished_at = ? where id = ?")
            .bind(micros(now()))
            .bind(run)
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Notes that a statement is about to publish.
    pub async fn insert_journal_entry(&mut self, run: &Id, position: usize, entry: &JournalEntry) -> Result<(), Error> {
        sqlx::query(
            "insert into commit_journal (run, position, project, schema_name, table_name, commit_user, at)
             values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
        )
        .bind(run)
        .bind(position_column(position))
        .bind(entry.table.project.as_str())
        .bind(&entry.table.schema)
        .bind(&entry.table.table)
        .bind(&entry.commit_user)
        .bind(micros(now()))
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Forgets runs that finished before `at`; how many there were.
    pub async fn delete_runs_before(&mut self, at: Timestamp) -> Result<u64, Error> {
        let done =
            sqlx::query("delete from run where finished_at < ?").bind(micros(at)).execute(&mut *self.inner).await?;
        Ok(done.rows_affected())
    }
}

async fn find(connection: &mut SqliteConnection, id: &Id) -> Result<Option<Run>, Error> {
    let row: Option<RunRow> = sqlx::query_as(
        "select id, worksheet, project, started_by, started_at, finished_at, session from run where id = ?",
    )
    .bind(id)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let bodies: Vec<String> = sqlx::query_scalar("select body from statement where run = ? order by position")
        .bind(id)
        .fetch_all(&mut *connection)
        .await?;
    Ok(Some(Run {
        id: row.id,
        worksheet: row.worksheet,
        project: ProjectName::parse(&row.project).map_err(|why| Error::unreadable(WHAT, why))?,
        started_by: row.started_by,
        started_at: timestamp(WHAT, row.started_at)?,
        statements: bodies.iter().map(|body| from_json(WHAT, body)).collect::<Result<_, _>>()?,
        session: from_json(WHAT, &row.session)?,
        is_finished: row.finished_at.is_some(),
    }))
}

/// Positions are bounded by the statements of a script.
fn position_column(position: usize) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

fn state_id(state: StatementState) -> &'static str {
    match state {
        StatementState::Waiting => "waiting",
        StatementState::Running => "running",
        StatementState::Succeeded => "succeeded",
        StatementState::Failed => "failed",
        StatementState::Cancelled => "cancelled",
        StatementState::Unknown => "unknown",
    }
}

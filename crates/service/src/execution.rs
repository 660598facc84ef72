//! One run on its way through its statements: each authorised, journalled, bounded and cancellable.

use crate::active_run::ActiveRun;
use crate::error::chain;
use crate::script::{Script, shifted};
use crate::statement_error::{authorization_error, system_error};
use crate::{Error, RequestContext, Services};
use async_trait::async_trait;
use model::Timestamp;
use model::access::{Access, Resource};
use model::audit::AuditEntry;
use model::external_project::{ExternalProject, ProjectState};
use model::names::Id;
use model::quota::DEFAULT_QUOTA;
use model::session::SqlSession;
use model::table::TableRef;
use model::worksheet::{Progress, StatementError, StatementRun, StatementState};
use ports::sql_engine::{
    CommitJournal, ExecutionContext, Outcome, ProjectHandle, SqlError, Statement, StatementLimits,
};
use rand::Rng;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::JournalEntry;
use tokio::sync::watch;

/// How often the elapsed time of a running statement is told.
const TICK: Duration = Duration::from_millis(500);
/// Beyond its own limit, and after a cancel: then a statement is given up that does not end by itself.
const GRACE: Duration = Duration::from_secs(30);
/// How long a commit may still be under way whose statement was given up.
const COMMIT_MAX: Duration = Duration::from_secs(60);

/// How a statement ended.
enum End {
    Succeeded(Box<Outcome>),
    Failed(Box<StatementError>),
    Cancelled,
    /// It announced a commit, and whether that was published is not known.
    Unknown(String),
}

impl From<SqlError> for End {
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::Failed(error) => Self::Failed(error),
            SqlError::Cancelled => Self::Cancelled,
            SqlError::Unknown { message, .. } => Self::Unknown(message),
        }
    }
}

/// A statement that may be executed: what it was authorised for.
struct Permitted {
    handles: Vec<ProjectHandle>,
    visible_projects: Vec<String>,
    accesses: Vec<Access>,
}

/// One run on its way through its statements.
pub(crate) struct Execution {
    pub services: Services,
    pub ctx: RequestContext,
    pub active: Arc<ActiveRun>,
    /// Where the script begins in the text that it came from.
    pub base_offset: usize,
}

impl Execution {
    pub(crate) async fn run(self, script: Script) {
        let session = self.active.session();
        let refused = script.unparsed.is_some() && script.is_one_job(&session);
        let statements = if refused { &[] } else { script.statements.as_slice() };
        let mut goes_on = true;
        for (index, statement) in statements.iter().enumerate() {
            goes_on = self.statement(index, statement).await;
            if !goes_on {
                break;
            }
        }
        if self.active.abandoned().is_cancelled() && self.is_unsettled() {
            // The next process finds it unfinished, and settles it.
            return;
        }
        if let Some(unparsed) = script.unparsed.filter(|_| goes_on) {
            let index = script.statements.len();
            self.active.change(index, |it| it.started_at = Some(Timestamp::now()));
            self.end(index, &[], End::Failed(Box::new(unparsed.error))).await;
        }
        self.leave_the_rest().await;
        self.services.finish_run(&self.active).await;
        self.services.sweep_spool_now_and_then();
    }

    /// Runs one statement; whether the script goes on after it.
    async fn statement(&self, index: usize, statement: &Arc<dyn Statement>) -> bool {
        let slot = tokio::select! {
            biased;
            () = self.active.cancelled().cancelled() => return false,
            slot = self.services.runs.slot() => slot,
        };
        let begun = self.begin(index, statement).await;
        let (accesses, end) = match begun {
            Err(error) => (Vec::new(), End::Failed(error)),
            Ok(()) => match self.permit(statement).await {
                Err(end) => (Vec::new(), end),
                Ok(permitted) => {
                    let accesses = permitted.accesses.clone();
                    (accesses, self.execute(index, statement, permitted).await)
                }
            },
        };
        drop(slot);
        self.end(index, &accesses, end).await
    }

    /// Marks the statement as running before it does anything: a server that stops now leaves a trace.
    async fn begin(&self, index: usize, statement: &Arc<dyn Statement>) -> Result<(), Box<StatementError>> {
        let now = Timestamp::now();
        self.active.change(index, |it| {
            it.state = StatementState::Running;
            it.started_at = Some(now);
            it.instance_id = statement.has_instance_id().then(|| instance_id(now));
        });
        if !statement.has_instance_id() {
            // SET and USE change nothing but the session, which is kept when they end.
            return Ok(());
        }
        let Some(row) = self.active.statement(index) else { return Ok(()) };
        self.services.note_statement(&self.active.id(), &row).await.map_err(|error| self.internal(&error))
    }

    /// Finds the projects that the statement names, and asks for every access that it needs.
    async fn permit(&self, statement: &Arc<dyn Statement>) -> Result<Permitted, End> {
        let failed = |error: Error| End::Failed(self.internal(&error));
        let session = self.active.session();
        let projects = self.services.store.projects().await.map_err(|error| failed(error.into()))?;
        let mut names = statement.projects(&session);
        names.push(session.project.to_string());
        let mut handles: Vec<ProjectHandle> = Vec::new();
        for project in projects.iter().filter(|project| names.iter().any(|name| is_named(project, name))) {
            if project.state == ProjectState::Disabled {
                let sentence = format!("project {} is disabled", project.name);
                return Err(End::Failed(authorization_error(&sentence)));
            }
            let handle = self.services.handle(project).await.map_err(failed)?;
            handles.push(handle);
        }
        let (mut handles, accesses) = self.accesses(statement, session.clone(), handles).await?;
        for access in &accesses {
            match self.services.authorize(&self.ctx, access.action, access.resource.clone()).await {
                Ok(()) => {}
                Err(Error::DataDenied(sentence)) => return Err(End::Failed(authorization_error(&sentence))),
                Err(Error::ControlDenied | Error::NotSignedIn) => {
                    return Err(End::Failed(authorization_error(&Error::ControlDenied.to_string())));
                }
                Err(error) => return Err(failed(error)),
            }
        }
        // What was named but is not accessed is not handed over; the session's own project always is.
        let used: HashSet<&str> = accesses.iter().filter_map(|access| project_of(&access.resource)).collect();
        handles.retain(|handle| handle.name == session.project || used.contains(handle.name.as_str()));
        self.active.uses(handles.iter().map(|handle| handle.name.clone()));
        let visible_projects = projects.into_iter().map(|project| project.name.to_string()).collect();
        Ok(Permitted { handles, visible_projects, accesses })
    }

    /// What the statement touches, worked out by the engine away from the threads that serve requests.
    async fn accesses(
        &self,
        statement: &Arc<dyn Statement>,
        session: SqlSession,
        handles: Vec<ProjectHandle>,
    ) -> Result<(Vec<ProjectHandle>, Vec<Access>), End> {
        let statement = statement.clone();
        let work = move || statement.accesses(&session, &handles).map(|accesses| (handles, accesses));
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => Err(error.into()),
            Err(error) => Err(End::Failed(self.internal(&Error::internal("analyse a statement", error)))),
        }
    }

    /// Executes in a task of its own, so that a panic of the engine is a failure of the statement.
    async fn execute(&self, index: usize, statement: &Arc<dyn Statement>, permitted: Permitted) -> End {
        let services = &self.services;
        let run = self.active.run();
        if let Err(error) = services.spool.prepare(&run.id).await {
            return End::Failed(self.internal(&Error::internal("make the spool of a run", error)));
        }
        let quota = match services.quota(DEFAULT_QUOTA) {
            Ok(quota) => quota,
            Err(error) => return End::Failed(self.internal(&error)),
        };
        let cancel = self.active.cancelled().child_token();
        let (progress, mut moved) = watch::channel(Progress::default());
        let context = ExecutionContext {
            session: run.session,
            projects: permitted.handles,
            spool: services.spool.file(&run.id, index),
            limits: StatementLimits {
                memory_bytes: quota.memory_bytes_max,
                result_rows: quota.result_rows_max,
                result_bytes: quota.result_bytes_max,
                seconds: quota.statement_seconds_max,
            },
            cancel: cancel.clone(),
            progress,
            journal: Arc::new(Journal { services: services.clone(), run: run.id.clone(), position: index }),
            principal: self.ctx.principal.to_string(),
            visible_projects: permitted.visible_projects,
        };
        let work = statement.clone();
        let mut task = tokio::spawn(async move { work.execute(context).await });
        let started = Instant::now();
        let mut tick = tokio::time::interval(TICK);
        let limit = tokio::time::sleep(Duration::from_secs(quota.statement_seconds_max).saturating_add(GRACE));
        tokio::pin!(limit);
        let given_up = async {
            cancel.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::pin!(given_up);
        let mut watches_progress = true;
        let ended = loop {
            tokio::select! {
                biased;
                ended = &mut task => break Some(ended),
                () = &mut limit, if !cancel.is_cancelled() => cancel.cancel(),
                () = &mut given_up => {
                    task.abort();
                    tracing::error!(run.id = run.id, statement = index, "gave up a statement that did not stop");
                    break None;
                }
                changed = moved.changed(), if watches_progress => {
                    watches_progress = changed.is_ok();
                    self.tell(index, &moved, started);
                }
                _ = tick.tick() => self.tell(index, &moved, started),
            }
        };
        self.tell(index, &moved, started);
        match ended {
            Some(Ok(Ok(outcome))) => End::Succeeded(Box::new(outcome)),
            Some(Ok(Err(error))) => error.into(),
            Some(Err(panic)) => {
                let failure = self.internal(&Error::internal("execute a statement", panic));
                self.broken_off(index, End::Failed(failure)).await
            }
            None => self.broken_off(index, End::Cancelled).await,
        }
    }

    /// The task of a statement panicked or was given up: `end`, unless it had announced a commit.
    async fn broken_off(&self, index: usize, end: End) -> End {
        match self.services.store.journal(&self.active.id(), index).await {
            Ok(journal) if journal.is_empty() => end,
            _ => {
                // The commit has a task of its own, which goes on: only then it can be looked for.
                tokio::select! {
                    () = self.active.abandoned().cancelled() => {}
                    () = tokio::time::sleep(COMMIT_MAX) => {}
                }
                End::Unknown("The statement broke off while it was publishing.".into())
            }
        }
    }

    fn tell(&self, index: usize, progress: &watch::Receiver<Progress>, started: Instant) {
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let progress = Progress { elapsed_ms, ..*progress.borrow() };
        self.active.change(index, |it| it.progress = progress);
    }

    /// Notes how a statement ended, and what it made of the session; whether the script goes on.
    ///
    /// Whoever watches learns of it afterwards: what is told is durable, and a result can be read once it is told.
    async fn end(&self, index: usize, accesses: &[Access], end: End) -> bool {
        let Some(mut row) = self.active.statement(index) else { return false };
        let mut session = None;
        match end {
            End::Succeeded(outcome) => {
                let outcome = *outcome;
                session = outcome.session;
                row.state = StatementState::Succeeded;
                row.columns = outcome.columns;
                row.row_count = outcome.row_count;
                row.truncated = outcome.truncated;
                row.affected_rows = outcome.affected_rows;
                row.snapshot_id = outcome.snapshot_id;
                row.notices = outcome.notices;
            }
            End::Failed(error) => {
                let base = self.base_offset;
                // A failure has an id to ask about, whatever failed.
                row.instance_id.get_or_insert_with(|| instance_id(Timestamp::now()));
                row.state = StatementState::Failed;
                row.error = Some(StatementError { span: error.span.map(|span| shifted(span, base)), ..*error });
            }
            End::Cancelled => row.state = StatementState::Cancelled,
            End::Unknown(message) => self.settle(&mut row, message).await,
        }
        let mut goes_on = row.state == StatementState::Succeeded;
        if !goes_on {
            self.services.spool.discard(&self.active.id(), index).await;
        }
        match self.note_end(&row, accesses, session.as_ref()).await {
            Ok(()) => session.into_iter().for_each(|session| self.active.set_session(session)),
            // Nothing that follows could be noted either.
            Err(error) => {
                row.notices.push(self.internal(&error).message);
                goes_on = false;
            }
        }
        self.active.change(index, |it| *it = row);
        goes_on
    }

    /// One transaction: the statement, the session of run and worksheet, the audit entry.
    async fn note_end(
        &self,
        row: &StatementRun,
        accesses: &[Access],
        session: Option<&SqlSession>,
    ) -> Result<(), Error> {
        let run = self.active.run();
        let mut tx = self.services.store.begin().await?;
        tx.update_statement(&run.id, row, Some(session.unwrap_or(&run.session))).await?;
        if let Some(session) = session {
            tx.set_run_session(&run.id, session).await?;
            if let Some(worksheet) = &run.worksheet {
                tx.set_worksheet_session(worksheet, session).await?;
            }
        }
        if let Some(instance_id) = &row.instance_id {
            let entry = self.ctx.entry("Run", "statement", instance_id.clone());
            tx.audit(&AuditEntry { detail: audit_detail(row, accesses), ..entry }).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Finds out whether an announced commit was published; until then the statement is `Unknown`.
    async fn settle(&self, row: &mut StatementRun, message: String) {
        row.state = StatementState::Unknown;
        row.notices.push(message);
        let id = self.active.id();
        if let Err(error) = self.services.note_statement(&id, row).await {
            tracing::error!(run.id = id, error = %chain(&error), "cannot note an unknown outcome");
        }
        self.active.change(row.index, |it| it.clone_from(row));
        if let Some(verdict) = self.services.settle(&self.active, row.index).await {
            verdict.apply(row, "while the store did not answer");
        }
    }

    /// Marks what was not reached.
    async fn leave_the_rest(&self) {
        let run = self.active.run();
        let was_cancelled = self.active.cancelled().is_cancelled();
        for statement in run.statements.iter().filter(|it| it.state == StatementState::Waiting) {
            self.active.change(statement.index, |it| {
                it.state = StatementState::Cancelled;
                it.notices
                    .push(if was_cancelled { "Not run: cancelled." } else { "Not run: the script stopped." }.into());
            });
            if let Some(row) = self.active.statement(statement.index)
                && let Err(error) = self.services.note_statement(&run.id, &row).await
            {
                tracing::error!(run.id = run.id, error = %chain(&error), "cannot note a statement");
                return;
            }
        }
    }

    fn is_unsettled(&self) -> bool {
        self.active.run().statements.iter().any(|it| it.state == StatementState::Unknown)
    }

    /// A failure of ours as a statement reports it: logged here, told without internals.
    fn internal(&self, error: &Error) -> Box<StatementError> {
        let problem = error.to_problem(&self.ctx.request_id);
        system_error(&format!("{} (request {})", problem.message, self.ctx.request_id))
    }
}

impl Services {
    /// A project as the engine sees it, its secrets opened.
    pub(crate) async fn handle(&self, project: &ExternalProject) -> Result<ProjectHandle, Error> {
        Ok(ProjectHandle {
            name: project.name.clone(),
            engine_catalog: project.engine_catalog.as_ref().map(ToString::to_string),
            connection: self.project_connection(project).await?,
            warehouse: project.bucket_catalog.clone(),
            options: project.options.clone(),
        })
    }
}

/// Writes the commit journal of one statement.
struct Journal {
    services: Services,
    run: Id,
    position: usize,
}

#[async_trait]
impl CommitJournal for Journal {
    async fn will_commit(&self, table: &TableRef, commit_user: &str) -> Result<(), String> {
        let entry = JournalEntry { table: table.clone(), commit_user: commit_user.to_owned() };
        let noted = async {
            let mut tx = self.services.store.begin().await?;
            tx.insert_journal_entry(&self.run, self.position, &entry).await?;
            tx.commit().await
        };
        noted.await.map_err(|error: store::Error| {
            tracing::error!(run.id = self.run, error = %chain(&error), "cannot write the commit journal");
            "The commit could not be noted in the metadata database, so it was not started.".to_owned()
        })
    }
}

/// Whether `name`, as written in a statement, means this project: its own name in any case, or its engine catalog.
fn is_named(project: &ExternalProject, name: &str) -> bool {
    project.name.as_str().eq_ignore_ascii_case(name)
        || project.engine_catalog.as_ref().is_some_and(|alias| alias.as_str() == name)
}

fn project_of(resource: &Resource) -> Option<&str> {
    match resource {
        Resource::Catalog(project) | Resource::Schema { project, .. } => Some(project),
        Resource::Table(table) => Some(table.project.as_str()),
        Resource::DataSources
        | Resource::DataSource(_)
        | Resource::ExternalProjects
        | Resource::ExternalProject(_)
        | Resource::Worksheets
        | Resource::Worksheet(_)
        | Resource::Statements => None,
    }
}

/// Verb, state and what was touched: one line, without the text of the statement.
fn audit_detail(row: &StatementRun, accesses: &[Access]) -> String {
    let touched: Vec<String> = accesses
        .iter()
        .map(|access| {
            let (kind, name) = access.resource.kind_and_name();
            format!("{:?} {kind} {name}", access.action)
        })
        .collect();
    let rows = row.affected_rows.map(|rows| format!(", {rows} rows written")).unwrap_or_default();
    let code = row.error.as_ref().map(|error| format!(", {}", error.code)).unwrap_or_default();
    format!("{}: {:?}{rows}{code}; {}", row.verb, row.state, touched.join(", "))
}

/// `yyyyMMddHHmmssSSS` in UTC, `g`, and six of `[0-9a-z]`.
fn instance_id(at: Timestamp) -> String {
    const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut rng = rand::rng();
    let tail: String = (0..6).map(|_| char::from(ALPHABET[rng.random_range(0..ALPHABET.len())])).collect();
    let millis = at.as_millisecond().rem_euclid(1000);
    format!("{}{millis:03}g{tail}", at.strftime("%Y%m%d%H%M%S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instance_ids_have_the_form_of_the_seed() {
        let id = instance_id("2025-09-22T08:30:15.123Z".parse().unwrap());
        assert!(id.starts_with("20250922083015123g"), "{id}");
        assert_eq!(id.len(), "20250922083015123gwbh2u7".len());
        assert!(id.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase()));
    }
}

//! Runs: statements executed in order, each authorised, journalled, bounded and cancellable.

use crate::error::{Noun, chain};
use crate::recovery::Verdict;
use crate::{Error, Limits, RequestContext, Services};
use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use model::Timestamp;
use model::access::{Access, Action, Resource};
use model::audit::AuditEntry;
use model::external_project::{ExternalProject, ProjectState};
use model::names::{Id, ProjectName};
use model::quota::DEFAULT_QUOTA;
use model::session::SqlSession;
use model::table::TableRef;
use model::worksheet::{Progress, Run, Span, StatementError, StatementRun, StatementState};
use ports::sql_engine::{
    CommitJournal, ExecutionContext, Outcome, ProjectHandle, SqlError, Statement, StatementLimits, UnparsedStatement,
};
use rand::Rng;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use store::JournalEntry;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Shortest time between two events of a run.
const EVENT_PAUSE: Duration = Duration::from_millis(100);
/// How often the elapsed time of a running statement is told.
const TICK: Duration = Duration::from_millis(500);
/// Beyond its own limit, and after a cancel: then a statement is given up that does not end by itself.
const GRACE: Duration = Duration::from_secs(30);

/// The runs that are under way.
pub(crate) struct Runs {
    active: Mutex<Active>,
    /// How many there are: what a stopping server waits for.
    count: watch::Sender<usize>,
    /// One for each statement that may run at once; the others wait in order.
    slots: Arc<Semaphore>,
    count_max: usize,
}

#[derive(Default)]
struct Active {
    runs: HashMap<Id, Arc<ActiveRun>>,
    is_draining: bool,
}

/// A run that is under way.
pub(crate) struct ActiveRun {
    state: watch::Sender<Run>,
    cancelled: CancellationToken,
    /// The server stops: leave everything as it is for the next one.
    abandoned: CancellationToken,
    /// Projects that its statements were given.
    projects: Mutex<HashSet<ProjectName>>,
}

impl ActiveRun {
    fn new(run: Run) -> Self {
        Self {
            projects: Mutex::new(HashSet::from([run.project.clone()])),
            state: watch::Sender::new(run),
            cancelled: CancellationToken::new(),
            abandoned: CancellationToken::new(),
        }
    }

    pub(crate) fn cancel(&self) {
        self.cancelled.cancel();
    }

    pub(crate) fn abandoned(&self) -> &CancellationToken {
        &self.abandoned
    }

    pub(crate) fn id(&self) -> Id {
        self.state.borrow().id.clone()
    }

    pub(crate) fn run(&self) -> Run {
        self.state.borrow().clone()
    }

    pub(crate) fn statement(&self, index: usize) -> Option<StatementRun> {
        self.state.borrow().statements.get(index).cloned()
    }

    /// Changes one statement, for all who watch.
    pub(crate) fn change(&self, index: usize, change: impl FnOnce(&mut StatementRun)) {
        self.state.send_modify(|run| {
            if let Some(statement) = run.statements.get_mut(index) {
                change(statement);
            }
        });
    }
}

impl Runs {
    pub(crate) fn new(limits: &Limits) -> Self {
        let (running, queued) = (limits.statements_running_max as usize, limits.statements_queued_max as usize);
        Self {
            active: Mutex::default(),
            count: watch::Sender::new(0),
            slots: Arc::new(Semaphore::new(running)),
            count_max: running + queued,
        }
    }

    /// Admits a run. It counts until the guard is dropped.
    fn admit(&self, run: Run) -> Result<Arc<ActiveRun>, Error> {
        let mut active = self.lock();
        if active.is_draining {
            return Err(Error::Draining);
        }
        if active.runs.len() >= self.count_max {
            let max = self.count_max;
            let sentence = format!("{max} scripts are running or waiting already. Try again in a moment.");
            return Err(Error::LimitExceeded(sentence));
        }
        let busy = |other: &Arc<ActiveRun>| other.state.borrow().worksheet == run.worksheet;
        if run.worksheet.is_some() && active.runs.values().any(busy) {
            return Err(Error::WorksheetBusy);
        }
        Ok(self.insert(&mut active, run))
    }

    /// Takes up a run that an earlier process left behind: whatever the limits say.
    pub(crate) fn resume(&self, run: Run) -> Arc<ActiveRun> {
        self.insert(&mut self.lock(), run)
    }

    fn insert(&self, active: &mut Active, run: Run) -> Arc<ActiveRun> {
        let id = run.id.clone();
        let run = Arc::new(ActiveRun::new(run));
        active.runs.insert(id, run.clone());
        self.count.send_replace(active.runs.len());
        run
    }

    pub(crate) fn remove(&self, id: &Id) {
        let mut active = self.lock();
        active.runs.remove(id);
        self.count.send_replace(active.runs.len());
    }

    fn get(&self, id: &Id) -> Option<Arc<ActiveRun>> {
        self.lock().runs.get(id).cloned()
    }

    pub(crate) fn ids(&self) -> HashSet<Id> {
        self.lock().runs.keys().cloned().collect()
    }

    pub(crate) fn of_worksheet(&self, worksheet: &Id) -> Option<Arc<ActiveRun>> {
        self.lock().runs.values().find(|run| run.state.borrow().worksheet.as_ref() == Some(worksheet)).cloned()
    }

    /// Cancels the runs that were given a project.
    pub(crate) fn cancel_in_project(&self, project: &ProjectName) {
        let active = self.lock();
        let in_project =
            |run: &&Arc<ActiveRun>| run.projects.lock().unwrap_or_else(PoisonError::into_inner).contains(project);
        active.runs.values().filter(in_project).for_each(|run| run.cancel());
    }

    /// The maps are whole after every statement on them: a panic elsewhere does not spoil them.
    fn lock(&self) -> MutexGuard<'_, Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Services {
    /// A run as it is now.
    pub async fn run(&self, ctx: &RequestContext, id: &Id) -> Result<Run, Error> {
        self.authorize(ctx, Action::Read, Resource::Statements).await?;
        match self.own_active_run(ctx, id) {
            Some(active) => Ok(active.run()),
            None => self.own_stored_run(ctx, id).await,
        }
    }

    /// The run as it is now, then at most ten times a second as it becomes; ends when it has finished.
    pub async fn run_events(&self, ctx: &RequestContext, id: &Id) -> Result<BoxStream<'static, Run>, Error> {
        self.authorize(ctx, Action::Read, Resource::Statements).await?;
        match self.own_active_run(ctx, id) {
            Some(active) => Ok(stream::unfold(Watching::Start(active.state.subscribe()), next_state).boxed()),
            None => {
                let run = self.own_stored_run(ctx, id).await?;
                Ok(stream::once(async { run }).boxed())
            }
        }
    }

    /// Asks a run to stop. One that has finished stays as it is.
    pub async fn cancel_run(&self, ctx: &RequestContext, id: &Id) -> Result<(), Error> {
        self.authorize(ctx, Action::Run, Resource::Statements).await?;
        match self.own_active_run(ctx, id) {
            Some(active) => {
                active.cancel();
                Ok(())
            }
            None => self.own_stored_run(ctx, id).await.map(drop),
        }
    }

    /// How many runs are under way.
    pub fn runs_active(&self) -> usize {
        *self.runs.count.borrow()
    }

    /// Stops for good: nothing new is started; what runs may end within `patience`, then it is cancelled.
    pub async fn drain(&self, patience: Duration) {
        self.runs.lock().is_draining = true;
        if self.idle_within(patience).await {
            return;
        }
        let runs: Vec<_> = self.runs.lock().runs.values().cloned().collect();
        tracing::warn!(runs = runs.len(), "cancelling what still runs");
        runs.iter().for_each(|run| {
            run.abandoned.cancel();
            run.cancel();
        });
        self.idle_within(Duration::from_secs(5)).await;
    }

    async fn idle_within(&self, patience: Duration) -> bool {
        let mut count = self.runs.count.subscribe();
        let idle = count.wait_for(|count| *count == 0);
        tokio::time::timeout(patience, idle).await.is_ok()
    }

    /// Admits, notes and starts a run; the caller has authorised.
    pub(crate) async fn start_run(
        &self,
        ctx: &RequestContext,
        worksheet: Option<Id>,
        session: SqlSession,
        script: &str,
        base_offset: usize,
    ) -> Result<Run, Error> {
        let script = self.parse(script).await?;
        let statements = script.statement_runs(base_offset);
        let run = Run {
            id: Uuid::new_v4().to_string(),
            worksheet,
            project: session.project.clone(),
            started_by: ctx.principal.to_string(),
            started_at: to_the_microsecond(Timestamp::now()),
            statements,
            session,
            is_finished: false,
        };
        let active = self.runs.admit(run.clone())?;
        // Counts until it is dropped, however this ends.
        let guard = Admitted { services: self.clone(), id: run.id.clone() };
        let mut tx = self.store.begin().await?;
        tx.insert_run(&run).await?;
        if let Some(worksheet) = &run.worksheet {
            tx.set_worksheet_run(worksheet, &run.id).await?;
        }
        tx.commit().await?;
        let execution = Execution { services: self.clone(), ctx: ctx.clone(), active, base_offset };
        tokio::spawn(async move {
            execution.run(script).await;
            drop(guard);
        });
        Ok(run)
    }

    async fn parse(&self, script: &str) -> Result<Script, Error> {
        let limits = &self.config.limits;
        if script.len() > limits.script_bytes_max {
            let sentence = format!("A script has at most {} MB. Run it in parts.", limits.script_bytes_max >> 20);
            return Err(Error::LimitExceeded(sentence));
        }
        let engine = self.engine.clone();
        let text = script.to_owned();
        let parsed = tokio::task::spawn_blocking(move || engine.parse(&text)).await;
        let (statements, unparsed) = parsed.map_err(|error| Error::internal("parse a script", error))?;
        if statements.len() > limits.script_statements_max {
            let sentence =
                format!("A script has at most {} statements. Run it in parts.", limits.script_statements_max);
            return Err(Error::LimitExceeded(sentence));
        }
        if statements.is_empty() && unparsed.is_none() {
            return Err(Error::field("script", "script_empty", "There is no statement to run."));
        }
        Ok(Script { statements, unparsed })
    }

    fn own_active_run(&self, ctx: &RequestContext, id: &Id) -> Option<Arc<ActiveRun>> {
        self.runs.get(id).filter(|active| active.state.borrow().started_by == ctx.principal.as_str())
    }

    async fn own_stored_run(&self, ctx: &RequestContext, id: &Id) -> Result<Run, Error> {
        let run = self.store.run(id).await?.filter(|run| run.started_by == ctx.principal.as_str());
        run.ok_or_else(|| Error::not_found(Noun::Run, id))
    }

    /// Notes that a run has finished, tells those who watch, and tidies up. What it left undone was settled before.
    pub(crate) async fn finish_run(&self, active: &ActiveRun) {
        let id = active.id();
        let noted = async {
            let mut tx = self.store.begin().await?;
            tx.finish_run(&id).await?;
            tx.commit().await
        };
        if let Err(error) = noted.await {
            tracing::error!(run.id = id, error = %chain(&error), "cannot note the end of a run");
        }
        active.state.send_modify(|run| run.is_finished = true);
    }

    /// Keeps the state of a statement.
    pub(crate) async fn note_statement(&self, run: &Id, statement: &StatementRun) -> Result<(), Error> {
        let mut tx = self.store.begin().await?;
        tx.update_statement(run, statement, None).await?;
        Ok(tx.commit().await?)
    }
}

/// Holds the place of an admitted run.
pub(crate) struct Admitted {
    pub(crate) services: Services,
    pub(crate) id: Id,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.services.runs.remove(&self.id);
    }
}

/// A parsed script.
struct Script {
    statements: Vec<Arc<dyn Statement>>,
    unparsed: Option<UnparsedStatement>,
}

impl Script {
    fn statement_runs(&self, base_offset: usize) -> Vec<StatementRun> {
        let parsed = self.statements.iter().map(|it| (it.verb().to_owned(), it.text().to_owned(), it.span()));
        let unparsed = self.unparsed.iter().map(|it| (first_word(&it.text), it.text.clone(), it.span));
        let waiting = |(index, (verb, text, span)): (usize, (String, String, Span))| StatementRun {
            index,
            instance_id: None,
            verb,
            text,
            span: shifted(span, base_offset),
            state: StatementState::Waiting,
            started_at: None,
            progress: Progress::default(),
            columns: Vec::new(),
            row_count: 0,
            truncated: None,
            affected_rows: None,
            snapshot_id: None,
            notices: Vec::new(),
            error: None,
        };
        parsed.chain(unparsed).enumerate().map(waiting).collect()
    }

    /// `odps.sql.submit.mode=script`: all or nothing when it comes to parsing.
    fn is_one_job(&self, session: &SqlSession) -> bool {
        session.settings.get("odps.sql.submit.mode").is_some_and(|mode| mode.eq_ignore_ascii_case("script"))
    }
}

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
struct Execution {
    services: Services,
    ctx: RequestContext,
    active: Arc<ActiveRun>,
    base_offset: usize,
}

impl Execution {
    async fn run(self, script: Script) {
        let session = self.active.run().session;
        let refused = script.unparsed.is_some() && script.is_one_job(&session);
        let statements = if refused { &[] } else { script.statements.as_slice() };
        let mut goes_on = true;
        for (index, statement) in statements.iter().enumerate() {
            goes_on = self.statement(index, statement).await;
            if !goes_on {
                break;
            }
        }
        if self.active.abandoned.is_cancelled() && self.is_unsettled() {
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
    }

    /// Runs one statement; whether the script goes on after it.
    async fn statement(&self, index: usize, statement: &Arc<dyn Statement>) -> bool {
        let cancelled = &self.active.cancelled;
        let slot = tokio::select! {
            biased;
            () = cancelled.cancelled() => return false,
            slot = self.services.runs.slots.acquire() => slot,
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
        let session = self.active.run().session;
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
        let accesses = statement.accesses(&session, &handles)?;
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
        let mut given = self.active.projects.lock().unwrap_or_else(PoisonError::into_inner);
        given.extend(handles.iter().map(|handle| handle.name.clone()));
        drop(given);
        let visible_projects = projects.into_iter().map(|project| project.name.to_string()).collect();
        Ok(Permitted { handles, visible_projects, accesses })
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
        let cancel = self.active.cancelled.child_token();
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
                ended = &mut task => break ended,
                () = &mut limit, if !cancel.is_cancelled() => cancel.cancel(),
                () = &mut given_up => {
                    task.abort();
                    tracing::error!(run.id = run.id, statement = index, "gave up a statement that did not stop");
                    break (&mut task).await;
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
            Ok(Ok(outcome)) => End::Succeeded(Box::new(outcome)),
            Ok(Err(error)) => error.into(),
            Err(error) => self.broken_off(index, error).await,
        }
    }

    /// The task of a statement panicked or was given up: what it announced decides what is known of it.
    async fn broken_off(&self, index: usize, error: tokio::task::JoinError) -> End {
        let was_given_up = error.is_cancelled();
        let failure = self.internal(&Error::internal("execute a statement", error));
        match self.services.store.journal(&self.active.id(), index).await {
            Ok(journal) if journal.is_empty() && was_given_up => End::Cancelled,
            Ok(journal) if journal.is_empty() => End::Failed(failure),
            _ => End::Unknown("The statement broke off while it was publishing.".into()),
        }
    }

    fn tell(&self, index: usize, progress: &watch::Receiver<Progress>, started: Instant) {
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let progress = Progress { elapsed_ms, ..*progress.borrow() };
        self.active.change(index, |it| it.progress = progress);
    }

    /// Notes how a statement ended, and what it made of the session; whether the script goes on.
    async fn end(&self, index: usize, accesses: &[Access], end: End) -> bool {
        let mut session = None;
        match end {
            End::Succeeded(outcome) => {
                let outcome = *outcome;
                session = outcome.session;
                self.active.change(index, |it| {
                    it.state = StatementState::Succeeded;
                    it.columns = outcome.columns;
                    it.row_count = outcome.row_count;
                    it.truncated = outcome.truncated;
                    it.affected_rows = outcome.affected_rows;
                    it.snapshot_id = outcome.snapshot_id;
                    it.notices = outcome.notices;
                });
            }
            End::Failed(error) => {
                let base = self.base_offset;
                let error = StatementError { span: error.span.map(|span| shifted(span, base)), ..*error };
                self.active.change(index, |it| {
                    it.state = StatementState::Failed;
                    it.error = Some(error);
                });
            }
            End::Cancelled => self.active.change(index, |it| it.state = StatementState::Cancelled),
            End::Unknown(message) => self.settle(index, &message).await,
        }
        let Some(row) = self.active.statement(index) else { return false };
        let succeeded = row.state == StatementState::Succeeded;
        if !succeeded {
            self.services.spool.discard(&self.active.id(), index).await;
        }
        if let Err(error) = self.note_end(&row, accesses, session.as_ref()).await {
            // Nothing that follows could be noted either.
            let failure = self.internal(&error);
            self.active.change(index, |it| it.notices.push(failure.message));
            return false;
        }
        if let Some(session) = session {
            self.active.state.send_modify(|run| run.session = session);
        }
        succeeded
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
    async fn settle(&self, index: usize, message: &str) {
        self.active.change(index, |it| {
            it.state = StatementState::Unknown;
            it.notices.push(message.to_owned());
        });
        let id = self.active.id();
        if let Some(row) = self.active.statement(index)
            && let Err(error) = self.services.note_statement(&id, &row).await
        {
            tracing::error!(run.id = id, error = %chain(&error), "cannot note an unknown outcome");
        }
        if let Some(verdict) = self.services.settle(&self.active, index).await {
            self.active.change(index, |it| verdict.apply(it, "while the store did not answer"));
        }
    }

    /// Marks what was not reached.
    async fn leave_the_rest(&self) {
        let run = self.active.run();
        let was_cancelled = self.active.cancelled.is_cancelled();
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
        self.active.state.borrow().statements.iter().any(|it| it.state == StatementState::Unknown)
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

impl Verdict {
    /// What became of a statement whose outcome was unknown; `when` it became so, in words.
    pub(crate) fn apply(self, statement: &mut StatementRun, when: &str) {
        match self {
            Self::Committed(snapshot) => {
                statement.state = StatementState::Succeeded;
                statement.snapshot_id = Some(snapshot);
                statement.error = None;
                statement.notices.push(format!("Committed as snapshot {snapshot} {when}."));
            }
            Self::NotCommitted => {
                statement.state = StatementState::Failed;
                let sentence = format!("The statement ended {when}; nothing was written. Run it again.");
                statement.error = Some(*system_error(&sentence));
            }
            Self::CannotTell(why) => {
                statement.state = StatementState::Failed;
                let sentence = format!("The statement ended {when}; whether it was committed cannot be told: {why}");
                statement.error = Some(*system_error(&sentence));
            }
        }
    }
}

/// What a stream of events waits for next.
enum Watching {
    Start(watch::Receiver<Run>),
    Next(watch::Receiver<Run>),
    Done,
}

async fn next_state(watching: Watching) -> Option<(Run, Watching)> {
    let mut state = match watching {
        Watching::Start(state) => state,
        Watching::Next(mut state) => {
            tokio::time::sleep(EVENT_PAUSE).await;
            state.changed().await.ok()?;
            state
        }
        Watching::Done => return None,
    };
    let run = state.borrow_and_update().clone();
    let next = if run.is_finished { Watching::Done } else { Watching::Next(state) };
    Some((run, next))
}

pub(crate) fn system_error(sentence: &str) -> Box<StatementError> {
    statement_error("ODPS-0010000", "System internal error", sentence)
}

fn authorization_error(sentence: &str) -> Box<StatementError> {
    statement_error("ODPS-0130013", "Authorization exception", sentence)
}

fn statement_error(code: &str, class: &str, sentence: &str) -> Box<StatementError> {
    Box::new(StatementError {
        message: format!("{code}:{class} - {sentence}"),
        code: code.into(),
        line: 0,
        column: 0,
        span: None,
        suggestion: None,
        fix: None,
    })
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

/// As it is stored: a run is the same before and after it was.
fn to_the_microsecond(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

fn shifted(span: Span, by: usize) -> Span {
    Span { start: span.start + by, end: span.end + by }
}

fn first_word(text: &str) -> String {
    let word: String = text.chars().take_while(|c| c.is_ascii_alphabetic()).take(20).collect();
    if word.is_empty() { "STATEMENT".into() } else { word.to_ascii_uppercase() }
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

    #[test]
    fn first_words() {
        assert_eq!(first_word("selec 1"), "SELEC");
        assert_eq!(first_word(")"), "STATEMENT");
    }
}

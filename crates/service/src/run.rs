//! Runs: started, watched, cancelled.

use crate::active_run::{ActiveRun, Admitted};
use crate::error::{Noun, chain};
use crate::execution::Execution;
use crate::script::Script;
use crate::{Error, RequestContext, Services};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use model::Timestamp;
use model::access::{Action, Resource};
use model::names::Id;
use model::session::SqlSession;
use model::worksheet::{Run, RunSummary, StatementRun};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use uuid::Uuid;

/// Shortest time between two events of a run.
const EVENT_PAUSE: Duration = Duration::from_millis(100);
/// How long a stopping server waits for what it has cancelled.
const CANCEL_PATIENCE: Duration = Duration::from_secs(5);
/// Runs that a history lists.
const HISTORY_MAX: u32 = 1_000;

impl Services {
    /// A run as it is now.
    pub async fn run(&self, ctx: &RequestContext, id: &Id) -> Result<Run, Error> {
        self.authorize(ctx, Action::Read, Resource::Statements).await?;
        match self.own_active_run(ctx, id) {
            Some(active) => Ok(active.run()),
            None => self.own_stored_run(ctx, id).await,
        }
    }

    /// The latest `count` runs of a worksheet, at most 1,000, the latest first.
    pub async fn worksheet_runs(
        &self,
        ctx: &RequestContext,
        worksheet: &Id,
        count: u32,
    ) -> Result<Vec<RunSummary>, Error> {
        self.authorize(ctx, Action::Read, Resource::Worksheet(worksheet.clone())).await?;
        self.own_worksheet(ctx, worksheet).await?;
        Ok(self.store.runs_of_worksheet(worksheet, &ctx.principal, count.min(HISTORY_MAX)).await?)
    }

    /// The run as it is now, then at most ten times a second as it becomes; ends when it has finished.
    pub async fn run_events(&self, ctx: &RequestContext, id: &Id) -> Result<BoxStream<'static, Run>, Error> {
        self.authorize(ctx, Action::Read, Resource::Statements).await?;
        match self.own_active_run(ctx, id) {
            Some(active) => Ok(stream::unfold(Watching::Start(active.watch()), next_state).boxed()),
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
        self.runs.count()
    }

    /// Stops for good: nothing new is started; what runs may end within `patience`, then it is cancelled.
    pub async fn drain(&self, patience: Duration) {
        self.runs.close();
        if self.runs.idle_within(patience).await {
            return;
        }
        self.runs.abandon();
        self.runs.idle_within(CANCEL_PATIENCE).await;
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
        let execution = Execution { services: self.clone(), ctx: ctx.clone(), active, base_offset };
        // In a task of its own: a run that is noted is also executed, even when the caller went away meanwhile.
        let services = self.clone();
        let started = tokio::spawn(async move {
            services.note_run(&run).await?;
            tokio::spawn(async move {
                execution.run(script).await;
                drop(guard);
            });
            Ok(run)
        });
        started.await.map_err(|error| Error::internal("start a run", error))?
    }

    async fn note_run(&self, run: &Run) -> Result<(), Error> {
        let mut tx = self.store.begin().await?;
        tx.insert_run(run).await?;
        if let Some(worksheet) = &run.worksheet {
            tx.set_worksheet_run(worksheet, &run.id).await?;
        }
        Ok(tx.commit().await?)
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
        self.runs.get(id).filter(|active| active.is_started_by(&ctx.principal))
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
        active.finish();
    }

    /// Keeps the state of a statement.
    pub(crate) async fn note_statement(&self, run: &Id, statement: &StatementRun) -> Result<(), Error> {
        let mut tx = self.store.begin().await?;
        tx.update_statement(run, statement, None).await?;
        Ok(tx.commit().await?)
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

/// As it is stored: a run is the same before and after it was.
fn to_the_microsecond(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

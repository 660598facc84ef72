//! The runs that are under way: who is admitted, who is told, who waits.

use crate::{Error, Limits, Services};
use model::access::Principal;
use model::names::{Id, ProjectName};
use model::session::SqlSession;
use model::worksheet::{Run, StatementRun};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

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

    pub(crate) fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
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

    pub(crate) fn watch(&self) -> watch::Receiver<Run> {
        self.state.subscribe()
    }

    pub(crate) fn is_started_by(&self, principal: &Principal) -> bool {
        self.state.borrow().started_by == principal.as_str()
    }

    pub(crate) fn session(&self) -> SqlSession {
        self.state.borrow().session.clone()
    }

    pub(crate) fn set_session(&self, session: SqlSession) {
        self.state.send_modify(|run| run.session = session);
    }

    /// Notes which projects its statements were given.
    pub(crate) fn uses(&self, projects: impl IntoIterator<Item = ProjectName>) {
        self.projects.lock().unwrap_or_else(PoisonError::into_inner).extend(projects);
    }

    /// Tells who watches that this was all.
    pub(crate) fn finish(&self) {
        self.state.send_modify(|run| run.is_finished = true);
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

    /// Admits a run. It counts until it is removed: hold an [`Admitted`].
    pub(crate) fn admit(&self, run: Run) -> Result<Arc<ActiveRun>, Error> {
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

    pub(crate) fn get(&self, id: &Id) -> Option<Arc<ActiveRun>> {
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

    /// Admits nothing any more.
    pub(crate) fn close(&self) {
        self.lock().is_draining = true;
    }

    /// Cancels everything; what is not settled is left to the next process.
    pub(crate) fn abandon(&self) {
        let active = self.lock();
        tracing::warn!(runs = active.runs.len(), "cancelling what still runs");
        active.runs.values().for_each(|run| {
            run.abandoned.cancel();
            run.cancel();
        });
    }

    pub(crate) fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// Whether everything ended within `patience`.
    pub(crate) async fn idle_within(&self, patience: Duration) -> bool {
        let mut count = self.count.subscribe();
        let idle = count.wait_for(|count| *count == 0);
        tokio::time::timeout(patience, idle).await.is_ok()
    }

    /// A place among the statements that run at once; the others wait in order.
    pub(crate) async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        self.slots.clone().acquire_owned().await.ok()
    }

    /// The maps are whole after every statement on them: a panic elsewhere does not spoil them.
    fn lock(&self) -> MutexGuard<'_, Active> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
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

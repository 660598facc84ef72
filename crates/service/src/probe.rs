//! Running connection tests: what they said so far, and what they say next.

use crate::error::Noun;
use crate::{Error, RequestContext, Services};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use model::access::{Action, Principal, Resource};
use model::names::Id;
use model::probe::{ProbeEvent, TestRun};
use model::warehouse::WarehouseUri;
use ports::connection::Connection;
use ports::lake::ProbeOptions;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use uuid::Uuid;

/// How long a finished test can still be looked at.
const KEPT: Duration = Duration::from_secs(600);
/// Tests remembered at once: the oldest that ended goes first.
const KNOWN_MAX: usize = 256;
/// More than one test can say.
const EVENTS_BUFFER: usize = 64;

/// The tests that run, and those that ended lately.
pub(crate) struct Probes {
    known: Arc<Mutex<HashMap<Id, Probe>>>,
    slots: Arc<Semaphore>,
    running_max: usize,
}

#[derive(Clone)]
struct Probe {
    started_by: Principal,
    started_at: Instant,
    /// Everything said so far; closed when the test ended.
    said: watch::Receiver<Vec<ProbeEvent>>,
}

/// What a test looks at.
pub(crate) struct ProbeTarget {
    pub connection: Connection,
    pub warehouse: Option<WarehouseUri>,
    pub options: ProbeOptions,
    /// Id of the stored source whose history gets the outcome.
    pub history: Option<Id>,
}

impl Probes {
    pub(crate) fn new(running_max: usize) -> Self {
        Self { known: Arc::default(), slots: Arc::new(Semaphore::new(running_max)), running_max }
    }

    fn remember(&self, id: Id, probe: Probe) {
        let mut known = lock(&self.known);
        if known.len() >= KNOWN_MAX {
            let ended = known.iter().filter(|(_, probe)| probe.said.has_changed().is_err());
            let oldest = ended.min_by_key(|(_, probe)| probe.started_at).map(|(id, _)| id.clone());
            oldest.map(|id| known.remove(&id));
        }
        known.insert(id, probe);
    }

    fn slot(&self) -> Result<OwnedSemaphorePermit, Error> {
        self.slots.clone().try_acquire_owned().map_err(|_| {
            let max = self.running_max;
            Error::LimitExceeded(format!("{max} connection tests are running already. Wait until one has finished."))
        })
    }
}

impl Services {
    /// Starts a test in a task of its own: it ends even when nobody listens.
    pub(crate) fn start_probe(&self, ctx: &RequestContext, target: ProbeTarget) -> Result<Id, Error> {
        let slot = self.probes.slot()?;
        let id = Uuid::new_v4().to_string();
        let (say, said) = watch::channel(Vec::new());
        let probe = Probe { started_by: ctx.principal.clone(), started_at: Instant::now(), said };
        self.probes.remember(id.clone(), probe);
        let services = self.clone();
        let known = self.probes.known.clone();
        let key = id.clone();
        tokio::spawn(async move {
            services.probe(target, say).await;
            drop(slot);
            tokio::time::sleep(KEPT).await;
            lock(&known).remove(&key);
        });
        Ok(id)
    }

    /// Runs a test and notes its outcome; everything it says is passed on.
    pub(crate) async fn probe(&self, target: ProbeTarget, say: watch::Sender<Vec<ProbeEvent>>) -> TestRun {
        let ProbeTarget { connection, warehouse, options, history } = target;
        let (events, mut heard) = mpsc::channel(EVENTS_BUFFER);
        let listen = async {
            while let Some(event) = heard.recv().await {
                // The end is said below, after it was noted: who sees it may look at the history at once.
                if !matches!(event, ProbeEvent::Done(_)) {
                    say.send_modify(|said| said.push(event));
                }
            }
        };
        let (test, ()) = tokio::join!(self.lake.probe(&connection, warehouse.as_ref(), options, events), listen);
        if let Some(id) = history {
            let noted = async {
                let mut tx = self.store.begin().await?;
                tx.insert_test(&id, &test).await?;
                tx.commit().await
            };
            if let Err(error) = noted.await {
                tracing::error!(data_source.id = id, error = %crate::error::chain(&error), "cannot note a test");
            }
        }
        say.send_modify(|said| said.push(ProbeEvent::Done(test.clone())));
        test
    }

    /// What a test said and says, until it ends.
    pub async fn probe_events(&self, ctx: &RequestContext, id: &Id) -> Result<BoxStream<'static, ProbeEvent>, Error> {
        self.authorize(ctx, Action::Test, Resource::DataSources).await?;
        let probe = lock(&self.probes.known).get(id).cloned().filter(|probe| probe.started_by == ctx.principal);
        let said = probe.ok_or_else(|| Error::not_found(Noun::Probe, id))?.said;
        Ok(stream::unfold((said, 0), next_event).boxed())
    }
}

async fn next_event(
    (mut said, at): (watch::Receiver<Vec<ProbeEvent>>, usize),
) -> Option<(ProbeEvent, (watch::Receiver<Vec<ProbeEvent>>, usize))> {
    loop {
        let event = said.borrow_and_update().get(at).cloned();
        match event {
            Some(event) => return Some((event, (said, at + 1))),
            None => said.changed().await.ok()?,
        }
    }
}

/// The map is whole after every statement on it: a panic elsewhere does not spoil it.
fn lock(known: &Mutex<HashMap<Id, Probe>>) -> std::sync::MutexGuard<'_, HashMap<Id, Probe>> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

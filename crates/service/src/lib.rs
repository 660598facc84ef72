//! Use cases of Lakedeck: authorise, act, audit; the same for people, scripts and engines.

mod access;
mod active_run;
mod catalog;
mod config;
mod connection;
mod context;
mod data_source;
mod error;
mod execution;
mod external_project;
mod first_start;
mod inner;
mod password;
mod prerequisite;
mod probe;
mod quota;
mod recovery;
mod result;
mod run;
mod script;
mod session;
mod spool;
mod statement_error;
mod throttle;
mod worksheet;

pub use config::{Config, FirstStart, Limits};
pub use context::RequestContext;
pub use error::Error;

use active_run::Runs;
use inner::Inner;
use model::access::Principal;
use ports::lake::Lake;
use ports::sql_engine::SqlEngine;
use probe::Probes;
use session::SignIn;
use spool::Spool;
use std::sync::{Arc, OnceLock};
use store::Store;

/// One handle to all use cases; cheap to clone. Each noun's file adds its own methods.
#[derive(Clone)]
pub struct Services(Arc<Inner>);

impl std::ops::Deref for Services {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Services {
    /// Puts the parts together. Call [`Services::first_start`] and [`Services::recover`] before serving.
    pub fn new(store: Store, lake: Arc<dyn Lake>, engine: Arc<dyn SqlEngine>, config: Config) -> Result<Self, Error> {
        let probes = Probes::new(config.limits.probes_running_max);
        let runs = Runs::new(&config.limits);
        let spool = Spool::open(&config)?;
        let sign_in = SignIn::new()?;
        let owner = OnceLock::new();
        Ok(Self(Arc::new(Inner { store, lake, engine, config, owner, probes, runs, spool, sign_in })))
    }

    /// The owner of the account: `acs:ram::<account>:root`.
    pub fn owner(&self) -> Principal {
        self.owner.get().cloned().unwrap_or_else(context::nobody)
    }

    /// Whether the metadata store answers: the server is ready to serve.
    pub async fn ready(&self) -> Result<(), Error> {
        Ok(self.store.ping().await?)
    }
}

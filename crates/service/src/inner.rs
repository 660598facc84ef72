//! What all use cases share.

use crate::Config;
use crate::active_run::Runs;
use crate::probe::Probes;
use crate::session::SignIn;
use crate::spool::Spool;
use model::access::Principal;
use ports::lake::Lake;
use ports::sql_engine::SqlEngine;
use std::sync::{Arc, OnceLock};
use store::Store;

/// Behind every clone of [`crate::Services`].
pub struct Inner {
    pub(crate) store: Store,
    pub(crate) lake: Arc<dyn Lake>,
    pub(crate) engine: Arc<dyn SqlEngine>,
    pub(crate) config: Config,
    /// Known once [`crate::Services::first_start`] has run; until then nobody may do anything.
    pub(crate) owner: OnceLock<Principal>,
    pub(crate) probes: Probes,
    pub(crate) runs: Runs,
    pub(crate) spool: Spool,
    pub(crate) sign_in: SignIn,
}

//! What was done, by whom, and what was refused: the append-only log.

use crate::Timestamp;
use crate::access::Principal;
use serde::{Deserialize, Serialize};

/// One entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub at: Timestamp,
    pub principal: Principal,
    /// The address that the request came from, where it is known.
    pub origin: Option<String>,
    pub request_id: String,
    /// What was done, e.g. `Create`, `SignIn`.
    pub action: String,
    /// What kind of thing it was done to, e.g. `data_source`, `external_project`, `table`.
    pub resource_kind: String,
    /// Its name.
    pub resource: String,
    /// What changed, or why it was refused: one line, never a secret.
    pub detail: String,
    /// `false`: it was refused.
    pub allowed: bool,
}

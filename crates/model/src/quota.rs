//! Quota: a resource group that statements run in.

use serde::{Deserialize, Serialize};

/// Name of the quota that always exists.
pub const DEFAULT_QUOTA: &str = "default";

/// What statements of a project may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    pub name: String,
    pub statements_running_max: u32,
    pub statements_queued_max: u32,
    pub memory_bytes_max: u64,
    pub result_rows_max: u64,
    pub result_bytes_max: u64,
    pub statement_seconds_max: u64,
}

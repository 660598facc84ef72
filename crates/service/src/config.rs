//! What the services are told at start; nothing is read from the environment.

use model::region::Region;
use model::secret::Secret;
use ports::connection::Egress;
use std::path::PathBuf;

#[derive(Clone, Debug)]
pub struct Config {
    /// Spooled results and the sample lake lie in it.
    pub data_dir: PathBuf,
    pub limits: Limits,
    pub regions: Vec<Region>,
    pub egress: Egress,
}

/// Bounds of everything that users can make grow.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub statements_running_max: u32,
    /// Beyond the running ones; more are refused.
    pub statements_queued_max: u32,
    /// Memory that one statement may reserve before it spills.
    pub statement_memory_bytes_max: u64,
    pub statement_seconds_max: u64,
    pub result_rows_max: u64,
    pub result_bytes_max: u64,
    /// All spooled results together; the oldest go first.
    pub spool_bytes_max: u64,
    pub spool_hours_max: u64,
    pub run_days_max: u64,
    pub script_bytes_max: usize,
    pub script_statements_max: usize,
    pub worksheets_max: u64,
    /// Connection tests at once.
    pub probes_running_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        const GIB: u64 = 1 << 30;
        Self {
            statements_running_max: 8,
            statements_queued_max: 200,
            statement_memory_bytes_max: GIB,
            statement_seconds_max: 3600,
            result_rows_max: 10_000_000,
            result_bytes_max: GIB,
            spool_bytes_max: 20 * GIB,
            spool_hours_max: 24,
            run_days_max: 30,
            script_bytes_max: 4 * MIB as usize,
            script_statements_max: 500,
            worksheets_max: 2_000,
            probes_running_max: 8,
        }
    }
}

/// What the first start makes.
#[derive(Clone, Debug, Default)]
pub struct FirstStart {
    /// The owner's password; counts only while there is none.
    pub admin_password: Option<Secret>,
    /// Make the sample data source, project and table.
    pub sample: bool,
}

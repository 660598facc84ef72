use crate::{Error, RequestContext};
use bytes::Bytes;
use futures::stream::BoxStream;
use model::access::{Principal, SignedIn};
use model::audit::AuditEntry;
use model::data_source::*;
use model::external_project::*;
use model::lake::*;
use model::names::Id;
use model::probe::*;
use model::quota::Quota;
use model::region::Region;
use model::secret::Secret;
use model::session::SqlSession;
use model::table::TableInfo;
use model::worksheet::*;
use ports::connection::Egress;
use ports::lake::Lake;
use ports::sql_engine::{ExportFormat, SqlEngine};
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Bounds of everything that users can make grow.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub statements_running_max: u32,
    pub statements_queued_max: u32,
    pub statement_memory_bytes_max: u64,
    pub statement_seconds_max: u64,
    pub result_rows_max: u64,
    pub result_bytes_max: u64,
    pub spool_bytes_max: u64,
    pub spool_hours_max: u64,
    pub script_bytes_max: usize,
    pub script_statements_max: usize,
    pub worksheets_max: u64,
    pub probes_running_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const GIB: u64 = 1 << 30;
        Self {
            statements_running_max: 8,
            statements_queued_max: 200,
            statement_memory_bytes_max: GIB,
            statement_seconds_max: 3600,
            result_rows_max: 10_000_000,
            result_bytes_max: 4 * GIB,
            spool_bytes_max: 20 * GIB,
            spool_hours_max: 24,
            script_bytes_max: 4 << 20,
            script_statements_max: 500,
            worksheets_max: 2_000,
            probes_running_max: 8,
        }
    }
}

/// What the services are told at start; nothing is read from the environment.
#[derive(Clone, Debug)]
pub struct Config {
    /// Spool and sample lake lie in it.
    pub data_dir: PathBuf,
    pub limits: Limits,
    pub regions: Vec<Region>,
    pub egress: Egress,
}

/// What the first start makes.
#[derive(Clone, Debug)]
pub struct FirstStart {
    pub admin_password: Option<Secret>,
    pub sample: bool,
}

#[derive(Clone)]
pub struct Services;

macro_rules! pending { ($($x:expr),*) => {{ $(let _ = $x;)* Err(Error::Pending) }}; }
type R<T> = Result<T, Error>;

impl Services {
    pub fn new(store: store::Store, lake: Arc<dyn Lake>, engine: Arc<dyn SqlEngine>, config: Config) -> Result<Self, Error> { pending!(store, lake, engine, config) }
    pub async fn first_start(&self, x: FirstStart) -> R<()> { pending!(x) }
    /// Resolves what a stopped server left behind, and starts the housekeeping. Call it once, before serving.
    pub async fn recover(&self) -> R<()> { pending!() }
    pub async fn drain(&self, patience: Duration) { let _ = patience; }
    pub fn owner(&self) -> Principal { Principal::stored("") }
    pub async fn sign_in_link(&self) -> R<Option<Secret>> { pending!() }
    pub async fn new_sign_in_link(&self) -> R<Secret> { pending!() }
    pub async fn has_owner_password(&self) -> R<bool> { pending!() }
    pub async fn reset_owner_password(&self, password: Secret) -> R<()> { pending!(password) }
    pub async fn session_auth_hash(&self, principal: &Principal) -> R<Option<Vec<u8>>> { pending!(principal) }
    pub async fn sign_in(&self, name: &str, password: Secret, origin: Option<IpAddr>) -> R<Principal> { pending!(name, password, origin) }
    pub async fn redeem_link(&self, token: &str) -> R<Principal> { pending!(token) }
    pub async fn set_password(&self, ctx: &RequestContext, current: Option<Secret>, new: Secret) -> R<()> { pending!(ctx, current, new) }
    pub async fn signed_in(&self, ctx: &RequestContext) -> R<SignedIn> { pending!(ctx) }

    pub async fn list_data_sources(&self, ctx: &RequestContext) -> R<Vec<DataSource>> { pending!(ctx) }
    pub async fn data_source(&self, ctx: &RequestContext, name: &str) -> R<DataSource> { pending!(ctx, name) }
    pub async fn create_data_source(&self, ctx: &RequestContext, new: NewDataSource) -> R<DataSource> { pending!(ctx, new) }
    pub async fn update_data_source(&self, ctx: &RequestContext, name: &str, new: NewDataSource, version: i64) -> R<DataSource> { pending!(ctx, name, new, version) }
    pub async fn delete_data_source(&self, ctx: &RequestContext, name: &str) -> R<()> { pending!(ctx, name) }
    pub async fn test_data_source_draft(&self, ctx: &RequestContext, draft: DataSourceDraft, existing: Option<String>) -> R<Id> { pending!(ctx, draft, existing) }
    pub async fn test_data_source(&self, ctx: &RequestContext, name: &str, directory: Option<String>) -> R<Id> { pending!(ctx, name, directory) }
    pub async fn probe_events(&self, ctx: &RequestContext, id: &Id) -> R<BoxStream<'static, ProbeEvent>> { pending!(ctx, id) }
    pub async fn test_history(&self, ctx: &RequestContext, name: &str) -> R<Vec<TestRun>> { pending!(ctx, name) }
    pub async fn browse(&self, ctx: &RequestContext, target: BrowseTarget, uri: &str) -> R<StoreListing> { pending!(ctx, target, uri) }
    pub async fn create_folder(&self, ctx: &RequestContext, target: BrowseTarget, uri: &str) -> R<()> { pending!(ctx, target, uri) }
    pub async fn prerequisites(&self, ctx: &RequestContext, draft: DataSourceDraft) -> R<Vec<Prerequisite>> { pending!(ctx, draft) }
    pub async fn regions(&self, ctx: &RequestContext) -> R<Vec<Region>> { pending!(ctx) }
    pub async fn audit_of(&self, ctx: &RequestContext, resource_kind: &str, name: &str) -> R<Vec<AuditEntry>> { pending!(ctx, resource_kind, name) }

    pub async fn list_projects(&self, ctx: &RequestContext) -> R<Vec<ExternalProject>> { pending!(ctx) }
    pub async fn project(&self, ctx: &RequestContext, name: &str) -> R<ExternalProject> { pending!(ctx, name) }
    pub async fn project_name_available(&self, ctx: &RequestContext, name: &str) -> R<bool> { pending!(ctx, name) }
    pub async fn create_project(&self, ctx: &RequestContext, draft: ExternalProjectDraft) -> R<ExternalProject> { pending!(ctx, draft) }
    pub async fn update_project(&self, ctx: &RequestContext, name: &str, edit: ExternalProjectEdit) -> R<ExternalProject> { pending!(ctx, name, edit) }
    pub async fn set_project_state(&self, ctx: &RequestContext, name: &str, state: ProjectState, version: i64) -> R<ExternalProject> { pending!(ctx, name, state, version) }
    pub async fn delete_project(&self, ctx: &RequestContext, name: &str) -> R<()> { pending!(ctx, name) }
    pub async fn project_overview(&self, ctx: &RequestContext, name: &str) -> R<WarehouseOverview> { pending!(ctx, name) }
    pub async fn quotas(&self, ctx: &RequestContext) -> R<Vec<Quota>> { pending!(ctx) }

    pub async fn schemas(&self, ctx: &RequestContext, project: &str) -> R<Vec<String>> { pending!(ctx, project) }
    pub async fn tables(&self, ctx: &RequestContext, project: &str, schema: &str) -> R<Vec<String>> { pending!(ctx, project, schema) }
    pub async fn table(&self, ctx: &RequestContext, project: &str, schema: &str, table: &str) -> R<TableInfo> { pending!(ctx, project, schema, table) }

    pub async fn list_worksheets(&self, ctx: &RequestContext) -> R<Vec<WorksheetSummary>> { pending!(ctx) }
    pub async fn worksheet(&self, ctx: &RequestContext, id: &Id) -> R<Worksheet> { pending!(ctx, id) }
    pub async fn create_worksheet(&self, ctx: &RequestContext, project: Option<&str>, name: Option<&str>, text: &str) -> R<Worksheet> { pending!(ctx, project, name, text) }
    pub async fn save_worksheet_text(&self, ctx: &RequestContext, id: &Id, text: &str, version: i64) -> R<i64> { pending!(ctx, id, text, version) }
    pub async fn rename_worksheet(&self, ctx: &RequestContext, id: &Id, name: &str) -> R<()> { pending!(ctx, id, name) }
    pub async fn set_worksheet_project(&self, ctx: &RequestContext, id: &Id, project: &str) -> R<Worksheet> { pending!(ctx, id, project) }
    pub async fn reset_session(&self, ctx: &RequestContext, id: &Id) -> R<()> { pending!(ctx, id) }
    pub async fn delete_worksheet(&self, ctx: &RequestContext, id: &Id) -> R<()> { pending!(ctx, id) }
    pub async fn run_worksheet(&self, ctx: &RequestContext, id: &Id, script: &str, base_offset: usize) -> R<Run> { pending!(ctx, id, script, base_offset) }
    pub async fn run_statements(&self, ctx: &RequestContext, project: &str, script: &str, session: Option<SqlSession>) -> R<Run> { pending!(ctx, project, script, session) }
    pub async fn run(&self, ctx: &RequestContext, id: &Id) -> R<Run> { pending!(ctx, id) }
    pub async fn run_events(&self, ctx: &RequestContext, id: &Id) -> R<BoxStream<'static, Run>> { pending!(ctx, id) }
    pub async fn cancel_run(&self, ctx: &RequestContext, id: &Id) -> R<()> { pending!(ctx, id) }
    pub async fn result_page(&self, ctx: &RequestContext, run: &Id, index: usize, offset: u64, count: u64) -> R<ResultPage> { pending!(ctx, run, index, offset, count) }
    pub async fn cell(&self, ctx: &RequestContext, run: &Id, index: usize, row: u64, column: usize) -> R<Cell> { pending!(ctx, run, index, row, column) }
    pub async fn result_text(&self, ctx: &RequestContext, run: &Id, index: usize) -> R<BoxStream<'static, io::Result<Bytes>>> { pending!(ctx, run, index) }
    pub async fn export(&self, ctx: &RequestContext, run: &Id, index: usize, format: ExportFormat) -> R<BoxStream<'static, io::Result<Bytes>>> { pending!(ctx, run, index, format) }
    pub async fn completion_words(&self, ctx: &RequestContext) -> R<Vec<String>> { pending!(ctx) }
}

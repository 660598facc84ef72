//! The lake: stores, and the warehouses in them.

use crate::connection::Connection;
use async_trait::async_trait;
use model::lake::{StoreListing, WarehouseOverview, WarehouseOwner};
use model::probe::{ProbeEvent, TestRun};
use model::table::TableInfo;
use model::warehouse::WarehouseUri;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Why the lake could not answer. The sentence is for the user; the chain is for the log.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// The address, name or content is wrong: the message says what and why.
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    AlreadyExists(String),
    /// The store refuses this identity.
    #[error("{0}")]
    Forbidden(String),
    /// Someone else was faster.
    #[error("{0}")]
    Conflict(String),
    /// The store does not answer in time, or answers that it cannot at the moment.
    #[error("{message}")]
    Unavailable {
        message: String,
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    #[error("{0}")]
    Unsupported(String),
    #[error("{message}")]
    Internal {
        message: String,
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

/// What a connection test does beyond looking.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProbeOptions {
    /// Write and delete `.probe-<uuid>` twice, to prove create-if-absent.
    pub write: bool,
}

/// Opens stores and warehouses.
#[async_trait]
pub trait Lake: Send + Sync {
    /// Runs the ten steps of the connection test, at most 30 s in all. Each change of a step is sent to `events`
    /// (a closed receiver does not stop the test); the last event is [`ProbeEvent::Done`] with the value returned.
    async fn probe(
        &self,
        connection: &Connection,
        warehouse: Option<&WarehouseUri>,
        options: ProbeOptions,
        events: mpsc::Sender<ProbeEvent>,
    ) -> TestRun;

    /// One level of the store: `uri` empty lists buckets, or the permitted local folders.
    async fn browse(&self, connection: &Connection, uri: &str) -> Result<StoreListing, LakeError>;

    /// Makes a folder (`…/name/`) or, at the top of an object store, a bucket.
    async fn create_folder(&self, connection: &Connection, uri: &str) -> Result<(), LakeError>;

    /// A warehouse, ready to list and read. Cheap: nothing is fetched yet, and the same one is shared by all callers.
    async fn open(&self, connection: &Connection, warehouse: &WarehouseUri) -> Result<Arc<dyn LakeCatalog>, LakeError>;
}

/// One warehouse. Listing opens no table.
#[async_trait]
pub trait LakeCatalog: Send + Sync {
    /// Schemas, sorted; `default` is always among them.
    async fn schemas(&self) -> Result<Vec<String>, LakeError>;

    /// Tables of a schema, sorted; none for a `default` that does not exist yet.
    async fn tables(&self, schema: &str) -> Result<Vec<String>, LakeError>;

    async fn table(&self, schema: &str, table: &str) -> Result<TableInfo, LakeError>;

    /// Creates `<schema>.db`.
    async fn create_schema(&self, schema: &str) -> Result<(), LakeError>;

    /// Counts, and the abnormal objects by path.
    async fn overview(&self) -> Result<WarehouseOverview, LakeError>;

    /// The snapshot that `commit_user` published in a table, if it did: how a lost reply is resolved.
    async fn find_commit(&self, schema: &str, table: &str, commit_user: &str) -> Result<Option<i64>, LakeError>;

    /// Who says that the warehouse is theirs; `None` where nobody does.
    async fn owner(&self) -> Result<Option<WarehouseOwner>, LakeError>;

    /// Says that the warehouse is `owner`'s unless somebody said so before; tells whose it is then.
    async fn claim(&self, owner: &WarehouseOwner) -> Result<WarehouseOwner, LakeError>;

    /// Takes back what this account said.
    async fn release(&self, account: &str) -> Result<(), LakeError>;

    /// Removes temporary files that writers which died left behind (older than an hour).
    async fn sweep(&self) -> Result<u64, LakeError>;
}

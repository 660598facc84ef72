//! Lakes on real stores: `ports::Lake` over the `paimon` crate and opendal.
//!
//! [`PaimonLake`] opens a [`Catalog`] for a connection and a warehouse; the catalog lists, creates, alters and drops,
//! and makes every snapshot itself ([`Catalog::commit`]).

pub mod browse;
pub mod catalog;
pub mod commit;
pub mod credentials;
mod diagnosis;
pub mod egress;
mod error;
mod level;
mod local_folder;
mod manifest;
pub mod options;
mod owner;
pub mod probe;
pub mod put_if_absent;
mod read_only;
pub mod schema;
mod snapshot;
pub mod storage;
mod store_api;
pub mod store_error;
pub mod table;
mod transport;

pub use catalog::{Catalog, DropBehavior};
pub use commit::{Change, CommitError, Committed, Journal, OverwriteScope, PartitionSpec, commit_user};
pub use storage::Storage;
pub use table::{PreparedWrite, TableWriter, WriteMode};

use async_trait::async_trait;
use model::lake::StoreListing;
use model::probe::{ProbeEvent, TestRun};
use model::warehouse::WarehouseUri;
use ports::connection::{Connection, Credentials, Egress};
use ports::lake::{Lake, LakeCatalog, LakeError, ProbeOptions};
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// How many warehouses are kept open although nobody uses them at the moment.
const CATALOGS_IDLE_MAX: usize = 64;

/// Opens warehouses; all who ask for the same one share it, and with it the turns of its tables.
pub struct PaimonLake {
    egress: Egress,
    catalogs: Mutex<HashMap<[u8; 32], Arc<Catalog>>>,
}

impl PaimonLake {
    pub fn new(egress: Egress) -> Self {
        Self { egress, catalogs: Mutex::default() }
    }

    /// The catalog of a warehouse. Nothing is fetched.
    pub async fn catalog(&self, connection: &Connection, warehouse: &WarehouseUri) -> Result<Arc<Catalog>, LakeError> {
        let key = fingerprint(connection, warehouse);
        if let Some(catalog) = self.catalogs().get(&key) {
            return Ok(catalog.clone());
        }
        let opened = Arc::new(Catalog::new(Storage::open(connection, &self.egress, warehouse)?));
        let mut catalogs = self.catalogs();
        if catalogs.len() >= CATALOGS_IDLE_MAX {
            catalogs.retain(|_, catalog| Arc::strong_count(catalog) > 1);
        }
        Ok(catalogs.entry(key).or_insert(opened).clone())
    }

    fn catalogs(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Arc<Catalog>>> {
        self.catalogs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Lake for PaimonLake {
    async fn probe(
        &self,
        connection: &Connection,
        warehouse: Option<&WarehouseUri>,
        options: ProbeOptions,
        events: mpsc::Sender<ProbeEvent>,
    ) -> TestRun {
        probe::probe(connection, &self.egress, warehouse, options, events).await
    }

    async fn browse(&self, connection: &Connection, uri: &str) -> Result<StoreListing, LakeError> {
        browse::browse(connection, &self.egress, uri).await
    }

    async fn create_folder(&self, connection: &Connection, uri: &str) -> Result<(), LakeError> {
        browse::create_folder(connection, &self.egress, uri).await
    }

    async fn open(&self, connection: &Connection, warehouse: &WarehouseUri) -> Result<Arc<dyn LakeCatalog>, LakeError> {
        Ok(self.catalog(connection, warehouse).await?)
    }
}

/// What makes two requests open the same storage with the same identity.
fn fingerprint(connection: &Connection, warehouse: &WarehouseUri) -> [u8; 32] {
    let Connection { name: _, storage, region, endpoint, path_style, credentials, properties } = connection;
    let (id, secrets) = match credentials {
        Credentials::AccessKey { id, secret, session_token } => {
            (id.as_str(), [Some(secret.expose_secret()), session_token.as_ref().map(|token| token.expose_secret())])
        }
        Credentials::RamRole(role) => (role.as_str(), [None, None]),
        Credentials::Environment => ("environment", [None, None]),
        Credentials::None => ("", [None, None]),
    };
    let kind = std::mem::discriminant(credentials);
    // `Debug` quotes every text, so that no two different values print the same.
    let text = format!(
        "{storage:?} {region:?} {endpoint:?} {path_style:?} {kind:?} {id:?} {secrets:?} {properties:?} {warehouse:?}"
    );
    Sha256::digest(text).into()
}

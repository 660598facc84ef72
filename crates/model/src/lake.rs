//! What lies in a store: folders to browse, and what a warehouse holds.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// What a folder is, as far as its listing tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    Bucket,
    Folder,
    /// A folder that holds `*.db` folders.
    Warehouse,
    /// A `*.db` folder.
    Schema,
    /// A folder that holds `schema/schema-0`.
    Table,
    File,
}

/// One row of the storage browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreEntry {
    pub name: String,
    /// The full address: `oss://bucket/dir/`, `/dir/`.
    pub uri: String,
    pub kind: EntryKind,
    /// Bytes, for files.
    pub size: Option<u64>,
}

/// One level of the storage browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreListing {
    /// The address listed; empty at the top, where buckets or permitted folders stand.
    pub uri: String,
    /// One level up, `None` at the top.
    pub parent: Option<String>,
    pub entries: Vec<StoreEntry>,
    /// More entries exist than are shown.
    pub truncated: bool,
}

/// Something in a warehouse that is not Paimon's: an abnormal object (S7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stray {
    pub path: String,
    /// Why it is abnormal: one line.
    pub reason: String,
}

/// What a warehouse holds, without opening a table.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WarehouseOverview {
    pub schema_count: u64,
    pub table_count: u64,
    /// At most 100; `stray_count` tells how many there are.
    pub strays: Vec<Stray>,
    pub stray_count: u64,
}

/// Who says that a warehouse is theirs: the content of `.paimon-console-owner`. Advice to other deployments, no lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WarehouseOwner {
    /// Account of the deployment.
    pub account: String,
    pub project: String,
    pub since: Timestamp,
}

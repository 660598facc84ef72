//! Tables and the names that find them.

use crate::names::ProjectName;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The schema that is always shown, even before it exists in the store.
pub const DEFAULT_SCHEMA: &str = "default";

/// A table by its three-part name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableRef {
    pub project: ProjectName,
    pub schema: String,
    pub table: String,
}

impl fmt::Display for TableRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.project, self.schema, self.table)
    }
}

/// One column, for trees, completion and the grid's head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    /// The SQL name of the type, lower case, e.g. `bigint`, `decimal(38,18)`.
    pub data_type: String,
    pub nullable: bool,
    pub comment: String,
    pub is_partition: bool,
    pub is_primary_key: bool,
}

/// What the catalog tree shows of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableInfo {
    pub schema: String,
    pub name: String,
    pub comment: String,
    pub columns: Vec<Column>,
    /// The newest snapshot, if the table has one.
    pub snapshot_id: Option<i64>,
    pub record_count: Option<i64>,
}

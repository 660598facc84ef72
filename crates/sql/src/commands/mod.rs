//! Statements on sessions and catalogs, one file a family.

pub(crate) mod create_table;
pub(crate) mod describe;
pub(crate) mod drop_table;
pub(crate) mod schema;
pub(crate) mod session;
pub(crate) mod show;

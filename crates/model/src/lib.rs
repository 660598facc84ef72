//! Plain data of Lakedeck and its rules: no I/O, no async, the same code in the browser and on the server.
//!
//! Each noun has three forms: a draft (strings, shaped like the screen), a new one (checked), a stored one.

pub mod access;
pub mod audit;
pub mod data_source;
pub mod external_project;
pub mod lake;
pub mod names;
pub mod nearest;
pub mod notice;
pub mod probe;
pub mod problem;
pub mod quota;
pub mod region;
pub mod script;
pub mod secret;
pub mod session;
pub mod snippet;
pub mod table;
pub mod text_table;
pub mod types;
pub mod warehouse;
pub mod worksheet;

/// A moment in UTC, as stored and sent.
pub use jiff::Timestamp;

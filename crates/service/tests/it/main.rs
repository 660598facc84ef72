//! The use cases on a real database and real warehouses on disk.

#![expect(clippy::unwrap_used, reason = "a test stops where its ground gives way")]

mod access;
mod data_source;
mod external_project;
mod first_start;
mod fixture;
mod policy_matrix;
mod recovery;
mod run;
mod scripted_engine;
mod session;
mod walkthrough;
mod worksheet;

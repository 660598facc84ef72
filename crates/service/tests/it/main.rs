//! The use cases on a real database and real warehouses on disk.

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
mod worksheet;

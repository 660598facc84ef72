//! One module per noun; each registers its route in `lib.rs` by one line.

pub mod data_source;
pub mod external_project;
pub mod help;
pub mod home;
pub mod not_found;
pub mod quotas;
pub mod settings;
pub mod sign_in;
pub mod welcome;
pub mod worksheet;

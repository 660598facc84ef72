//! The gate between the light side (service, pages) and the heavy side (storage, engine): traits over model types.

pub mod connection;
pub mod lake;
pub mod sql_engine;

//! Lakes on real stores: `ports::Lake` over the `paimon` crate and opendal.
//!
//! [`PaimonLake`] opens a [`Catalog`] for a connection and a warehouse; the catalog lists, creates, alters and drops,
//! and makes every snapshot itself ([`Catalog::commit`]).

pub mod credentials;
pub mod egress;
pub mod storage;
pub mod put_if_absent;
pub mod store_error;
mod local_folder;
mod read_only;
mod store_api;
mod transport;
pub mod probe;
pub mod browse;
mod diagnosis;

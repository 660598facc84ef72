//! Use cases of Lakedeck: authorise, act, audit; the same for people, scripts and engines.

mod context;
mod contract;
mod error;

pub use context::RequestContext;
pub use contract::*;
pub use error::Error;

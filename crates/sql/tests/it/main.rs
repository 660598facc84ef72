//! The engine on real warehouses: scripts with their expected texts, and what texts cannot show.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod harness;
mod limits;
mod oracle;
mod places;
mod slt;

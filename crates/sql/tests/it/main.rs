//! The engine on real warehouses: scripts with their expected texts, and what texts cannot show.

mod harness;
mod limits;
mod oracle;
mod slt;

//! The real binary with a data directory of its own: as people, browsers and scripts meet it.

mod api;
mod cli;
mod lifecycle;
mod server;
mod sign_in;

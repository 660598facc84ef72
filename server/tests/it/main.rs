//! The real binary with a data directory of its own: as people, browsers and scripts meet it.

mod api;
mod cli;
mod document;
mod lifecycle;
mod limits;
mod linked;
mod logs;
mod secrets;
mod server;
mod sign_in;

//! Server functions: each gets the context, checks the shape and calls one service method, which authorises.

pub mod data_source;
pub mod external_project;
pub mod session;

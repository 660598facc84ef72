//! Server functions: each gets the context, checks the shape and calls one service method, which authorises.

pub mod catalog;
pub mod data_source;
pub mod external_project;
pub mod home;
pub mod session;
pub mod worksheet;

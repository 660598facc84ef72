
pub mod dialect;

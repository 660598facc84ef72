#[derive(Debug, thiserror::Error)]
pub enum Error { #[error("pending")] Pending }

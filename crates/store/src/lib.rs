//! What Lakedeck knows by itself: one SQLite database, one writer, several readers.

mod error;
pub mod session;

pub use error::Error;

#[derive(Clone)]
pub struct Store {}
impl Store {
    pub async fn open(data_dir: &std::path::Path) -> Result<Self, Error> { let _ = data_dir; Err(Error::Pending) }
}

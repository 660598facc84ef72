use crate::{Error, Store};
use model::Timestamp;
impl Store {
    /// `false`: the id is taken.
    pub async fn create_session(&self, id: &str, data: &str, expires_at: Timestamp) -> Result<bool, Error> { let _ = (id, data, expires_at); Err(Error::Pending) }
    pub async fn save_session(&self, id: &str, data: &str, expires_at: Timestamp) -> Result<(), Error> { let _ = (id, data, expires_at); Err(Error::Pending) }
    pub async fn load_session(&self, id: &str) -> Result<Option<(String, Timestamp)>, Error> { let _ = id; Err(Error::Pending) }
    pub async fn delete_session(&self, id: &str) -> Result<(), Error> { let _ = id; Err(Error::Pending) }
    pub async fn delete_expired_sessions(&self) -> Result<u64, Error> { Err(Error::Pending) }
}

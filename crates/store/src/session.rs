//! Browser sessions: opaque data under an id that only the browser knows in plain.

use crate::row::{micros, now, timestamp};
use crate::{Error, Store};
use model::Timestamp;
use sha2::{Digest, Sha256};

impl Store {
    /// Keeps a new session; `false` when the id is taken.
    pub async fn create_session(&self, id: &str, data: &str, expires_at: Timestamp) -> Result<bool, Error> {
        let done =
            sqlx::query("insert into session (id_hash, data, expires_at) values (?, ?, ?) on conflict do nothing")
                .bind(hash(id))
                .bind(data)
                .bind(micros(expires_at))
                .execute(&self.writer)
                .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Keeps a session, new or known.
    pub async fn save_session(&self, id: &str, data: &str, expires_at: Timestamp) -> Result<(), Error> {
        sqlx::query(
            "insert into session (id_hash, data, expires_at) values (?, ?, ?)
             on conflict do update set data = excluded.data, expires_at = excluded.expires_at",
        )
        .bind(hash(id))
        .bind(data)
        .bind(micros(expires_at))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Data and end of a session that has not expired.
    pub async fn load_session(&self, id: &str) -> Result<Option<(String, Timestamp)>, Error> {
        let mut connection = self.read().await?;
        let row: Option<(String, i64)> =
            sqlx::query_as("select data, expires_at from session where id_hash = ? and expires_at > ?")
                .bind(hash(id))
                .bind(micros(now()))
                .fetch_optional(&mut *connection)
                .await?;
        row.map(|(data, expires_at)| Ok((data, timestamp("session", expires_at)?))).transpose()
    }

    pub async fn delete_session(&self, id: &str) -> Result<(), Error> {
        sqlx::query("delete from session where id_hash = ?").bind(hash(id)).execute(&self.writer).await?;
        Ok(())
    }

    /// How many there were.
    pub async fn delete_expired_sessions(&self) -> Result<u64, Error> {
        let done =
            sqlx::query("delete from session where expires_at <= ?").bind(micros(now())).execute(&self.writer).await?;
        Ok(done.rows_affected())
    }
}

fn hash(id: &str) -> Vec<u8> {
    Sha256::digest(id.as_bytes()).to_vec()
}

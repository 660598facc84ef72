//! Principals with their passwords (hashed) and one-time links (hashed, and sealed to be printed again).

use crate::row::{micros, now};
use crate::{Error, Store, Tx};
use model::Timestamp;
use model::access::Principal;
use secrecy::SecretString;
use sha2::{Digest, Sha256};

/// A principal as stored.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct PrincipalRow {
    pub name: String,
    /// In PHC form; `None` until a password was chosen.
    pub password_hash: Option<String>,
}

impl Store {
    pub async fn principal(&self, name: &Principal) -> Result<Option<PrincipalRow>, Error> {
        let mut connection = self.read().await?;
        Ok(sqlx::query_as("select name, password_hash from principal where name = ?")
            .bind(name.as_str())
            .fetch_optional(&mut *connection)
            .await?)
    }

    /// The newest link of a principal that was not used and did not expire, opened to be printed.
    pub async fn sign_in_link(&self, principal: &Principal) -> Result<Option<SecretString>, Error> {
        let mut connection = self.read().await?;
        let sealed: Option<Vec<u8>> = sqlx::query_scalar(
            "select sealed_token from sign_in_link
             where principal = ? and (expires_at is null or expires_at > ?) order by created_at desc limit 1",
        )
        .bind(principal.as_str())
        .bind(micros(now()))
        .fetch_optional(&mut *connection)
        .await?;
        sealed.map(|sealed| self.sealer.open(&link_place(principal), &sealed)).transpose()
    }
}

impl Tx {
    /// Adds a principal; one that exists stays as it is.
    pub async fn insert_principal(&mut self, name: &Principal) -> Result<(), Error> {
        sqlx::query("insert into principal (name, created_at) values (?, ?) on conflict do nothing")
            .bind(name.as_str())
            .bind(micros(now()))
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    pub async fn set_password_hash(&mut self, name: &Principal, hash: &str) -> Result<(), Error> {
        sqlx::query("update principal set password_hash = ?, password_set_at = ? where name = ?")
            .bind(hash)
            .bind(micros(now()))
            .bind(name.as_str())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Replaces a principal's links by this one.
    pub async fn put_sign_in_link(
        &mut self,
        principal: &Principal,
        token: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        self.delete_sign_in_links(principal).await?;
        let sealed = self.sealer.seal(&link_place(principal), token)?;
        sqlx::query(
            "insert into sign_in_link (token_hash, principal, sealed_token, created_at, expires_at)
             values (?, ?, ?, ?, ?)",
        )
        .bind(hash(token))
        .bind(principal.as_str())
        .bind(sealed)
        .bind(micros(now()))
        .bind(expires_at.map(micros))
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Whose link it is. The link is used up by this.
    pub async fn take_sign_in_link(&mut self, token: &str) -> Result<Option<Principal>, Error> {
        let principal: Option<String> = sqlx::query_scalar(
            "delete from sign_in_link where token_hash = ? and (expires_at is null or expires_at > ?)
             returning principal",
        )
        .bind(hash(token))
        .bind(micros(now()))
        .fetch_optional(&mut *self.inner)
        .await?;
        Ok(principal.map(Principal::stored))
    }

    pub async fn delete_sign_in_links(&mut self, principal: &Principal) -> Result<(), Error> {
        sqlx::query("delete from sign_in_link where principal = ?")
            .bind(principal.as_str())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }
}

fn link_place(principal: &Principal) -> String {
    format!("sign_in_link/{principal}/token")
}

/// A token has 256 random bits: a plain hash is enough to make it useless to who reads the database.
fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

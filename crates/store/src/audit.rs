//! The audit log: append-only by trigger, and each entry holds the hash of the one before it.

use crate::row::{micros, timestamp};
use crate::{Error, Store, Tx};
use futures::TryStreamExt;
use model::access::Principal;
use model::audit::AuditEntry;
use sha2::{Digest, Sha256};

#[derive(sqlx::FromRow)]
struct Row {
    at: i64,
    principal: String,
    origin: Option<String>,
    request_id: String,
    action: String,
    resource_kind: String,
    resource: String,
    detail: String,
    allowed: bool,
}

impl Row {
    fn entry(self) -> Result<AuditEntry, Error> {
        Ok(AuditEntry {
            at: timestamp("audit", self.at)?,
            principal: Principal::stored(self.principal),
            origin: self.origin,
            request_id: self.request_id,
            action: self.action,
            resource_kind: self.resource_kind,
            resource: self.resource,
            detail: self.detail,
            allowed: self.allowed,
        })
    }
}

impl Store {
    /// What happened to one thing, newest first.
    pub async fn audit_of(&self, resource_kind: &str, resource: &str, count: u32) -> Result<Vec<AuditEntry>, Error> {
        let mut connection = self.read().await?;
        let rows: Vec<Row> = sqlx::query_as(
            "select at, principal, origin, request_id, action, resource_kind, resource, detail, allowed
             from audit where resource_kind = ? and resource = ? order by id desc limit ?",
        )
        .bind(resource_kind)
        .bind(resource)
        .bind(count)
        .fetch_all(&mut *connection)
        .await?;
        rows.into_iter().map(Row::entry).collect()
    }

    /// The number of the first entry that does not follow from the one before it; `None` when the log is whole.
    pub async fn first_broken_audit_entry(&self) -> Result<Option<i64>, Error> {
        #[derive(sqlx::FromRow)]
        struct Link {
            id: i64,
            hash: Vec<u8>,
            #[sqlx(flatten)]
            row: Row,
        }
        let mut connection = self.read().await?;
        let mut links = sqlx::query_as::<_, Link>("select * from audit order by id").fetch(&mut *connection);
        let mut previous = Vec::new();
        while let Some(Link { id, hash, row }) = links.try_next().await? {
            if chained(&previous, &row.entry()?) != hash {
                return Ok(Some(id));
            }
            previous = hash;
        }
        Ok(None)
    }
}

impl Tx {
    pub async fn audit(&mut self, entry: &AuditEntry) -> Result<(), Error> {
        let previous: Option<Vec<u8>> = sqlx::query_scalar("select hash from audit order by id desc limit 1")
            .fetch_optional(&mut *self.inner)
            .await?;
        // As it will be read back: moments are stored in microseconds.
        let stored = AuditEntry { at: timestamp("audit", micros(entry.at))?, ..entry.clone() };
        sqlx::query(
            "insert into audit
                 (at, principal, origin, request_id, action, resource_kind, resource, detail, allowed, hash)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(micros(entry.at))
        .bind(entry.principal.as_str())
        .bind(&entry.origin)
        .bind(&entry.request_id)
        .bind(&entry.action)
        .bind(&entry.resource_kind)
        .bind(&entry.resource)
        .bind(&entry.detail)
        .bind(entry.allowed)
        .bind(chained(previous.as_deref().unwrap_or_default(), &stored))
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }
}

/// The hash of an entry: over the previous hash and every field, each with its length so that none can flow into
/// the next.
fn chained(previous: &[u8], entry: &AuditEntry) -> Vec<u8> {
    let mut hasher = Sha256::new();
    let at = entry.at.as_microsecond().to_string();
    let fields: [&[u8]; 10] = [
        previous,
        at.as_bytes(),
        entry.principal.as_str().as_bytes(),
        entry.origin.as_deref().unwrap_or_default().as_bytes(),
        entry.request_id.as_bytes(),
        entry.action.as_bytes(),
        entry.resource_kind.as_bytes(),
        entry.resource.as_bytes(),
        entry.detail.as_bytes(),
        if entry.allowed { b"1" } else { b"0" },
    ];
    for field in fields {
        hasher.update((field.len() as u64).to_be_bytes());
        hasher.update(field);
    }
    hasher.finalize().to_vec()
}

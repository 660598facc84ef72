//! Worksheets: saved texts with their SQL sessions.

use crate::row::{from_json, micros, now, timestamp, to_json};
use crate::{Error, Store, Tx};
use model::access::Principal;
use model::names::Id;
use model::session::SqlSession;
use model::worksheet::{Worksheet, WorksheetSummary};
use sqlx::SqliteConnection;
use uuid::Uuid;

const WHAT: &str = "worksheet";

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    text: String,
    session: String,
    last_run: Option<String>,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

impl Store {
    /// The worksheets of one person, the last changed first.
    pub async fn worksheets(&self, owner: &Principal) -> Result<Vec<WorksheetSummary>, Error> {
        let mut connection = self.read().await?;
        let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
            "select id, name, session, updated_at from worksheet where owner = ? order by updated_at desc, id",
        )
        .bind(owner.as_str())
        .fetch_all(&mut *connection)
        .await?;
        rows.into_iter()
            .map(|(id, name, session, updated_at)| {
                let session: SqlSession = from_json(WHAT, &session)?;
                Ok(WorksheetSummary { id, name, project: session.project, updated_at: timestamp(WHAT, updated_at)? })
            })
            .collect()
    }

    /// A worksheet of `owner`.
    pub async fn worksheet(&self, owner: &Principal, id: &Id) -> Result<Option<Worksheet>, Error> {
        find(&mut *self.read().await?, owner, id).await
    }
}

impl Tx {
    pub async fn worksheet(&mut self, owner: &Principal, id: &Id) -> Result<Option<Worksheet>, Error> {
        find(&mut self.inner, owner, id).await
    }

    pub async fn count_worksheets(&mut self, owner: &Principal) -> Result<u64, Error> {
        Ok(sqlx::query_scalar("select count(*) from worksheet where owner = ?")
            .bind(owner.as_str())
            .fetch_one(&mut *self.inner)
            .await?)
    }

    pub async fn worksheet_names(&mut self, owner: &Principal) -> Result<Vec<String>, Error> {
        Ok(sqlx::query_scalar("select name from worksheet where owner = ?")
            .bind(owner.as_str())
            .fetch_all(&mut *self.inner)
            .await?)
    }

    pub async fn insert_worksheet(
        &mut self,
        owner: &Principal,
        name: &str,
        text: &str,
        session: &SqlSession,
    ) -> Result<Worksheet, Error> {
        let id = Uuid::new_v4().to_string();
        let at = micros(now());
        sqlx::query(
            "insert into worksheet (id, owner, name, text, session, created_at, updated_at, version)
             values (?, ?, ?, ?, ?, ?, ?, 1)",
        )
        .bind(&id)
        .bind(owner.as_str())
        .bind(name)
        .bind(text)
        .bind(to_json(WHAT, session)?)
        .bind(at)
        .bind(at)
        .execute(&mut *self.inner)
        .await?;
        self.worksheet(owner, &id).await?.ok_or_else(|| Error::unreadable(WHAT, "the row just written is not there"))
    }

    /// Saves the text and counts the version up.
    pub async fn set_worksheet_text(&mut self, id: &Id, text: &str) -> Result<i64, Error> {
        Ok(sqlx::query_scalar(
            "update worksheet set text = ?, updated_at = ?, version = version + 1 where id = ? returning version",
        )
        .bind(text)
        .bind(micros(now()))
        .bind(id)
        .fetch_one(&mut *self.inner)
        .await?)
    }

    pub async fn set_worksheet_name(&mut self, id: &Id, name: &str) -> Result<(), Error> {
        sqlx::query("update worksheet set name = ?, updated_at = ? where id = ?")
            .bind(name)
            .bind(micros(now()))
            .bind(id)
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Keeps what SET and USE changed. A worksheet that is gone by now is no error.
    pub async fn set_worksheet_session(&mut self, id: &Id, session: &SqlSession) -> Result<(), Error> {
        sqlx::query("update worksheet set session = ? where id = ?")
            .bind(to_json(WHAT, session)?)
            .bind(id)
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    pub async fn set_worksheet_run(&mut self, id: &Id, run: &Id) -> Result<(), Error> {
        sqlx::query("update worksheet set last_run = ?, updated_at = ? where id = ?")
            .bind(run)
            .bind(micros(now()))
            .bind(id)
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    pub async fn delete_worksheet(&mut self, id: &Id) -> Result<(), Error> {
        sqlx::query("delete from worksheet where id = ?").bind(id).execute(&mut *self.inner).await?;
        Ok(())
    }
}

async fn find(connection: &mut SqliteConnection, owner: &Principal, id: &Id) -> Result<Option<Worksheet>, Error> {
    let row: Option<Row> = sqlx::query_as(
        "select id, name, text, session, last_run, created_at, updated_at, version
         from worksheet where id = ? and owner = ?",
    )
    .bind(id)
    .bind(owner.as_str())
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        Ok(Worksheet {
            id: row.id,
            name: row.name,
            text: row.text,
            session: from_json(WHAT, &row.session)?,
            last_run: row.last_run,
            created_at: timestamp(WHAT, row.created_at)?,
            updated_at: timestamp(WHAT, row.updated_at)?,
            version: row.version,
        })
    })
    .transpose()
}

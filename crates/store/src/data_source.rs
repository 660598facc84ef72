//! Data sources, their sealed secrets and the history of their tests.

use crate::row::{from_json, known, micros, now, timestamp, to_json};
use crate::{Error, Store, Tx};
use model::access::Principal;
use model::data_source::{AuthKind, DataSource, Endpoint, NewAuth, NewDataSource, SourceKind, StorageKind};
use model::names::{DataSourceName, Id, RoleArn};
use model::probe::TestRun;
use secrecy::SecretString;
use sqlx::SqliteConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// Tests kept of each source.
const TESTS_MAX: u32 = 20;
const WHAT: &str = "data source";

/// The secrets of a source, opened.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    pub access_key_secret: Option<SecretString>,
    pub session_token: Option<SecretString>,
}

#[derive(Default, sqlx::FromRow)]
struct SealedRow {
    access_key_secret: Option<Vec<u8>>,
    session_token: Option<Vec<u8>>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    description: String,
    source_kind: String,
    region: String,
    storage: String,
    endpoint: Option<String>,
    path_style: bool,
    auth: String,
    role_arn: Option<String>,
    access_key_id: Option<String>,
    secret_set_at: Option<i64>,
    properties: String,
    last_test: Option<String>,
    created_by: String,
    created_at: i64,
    updated_by: String,
    updated_at: i64,
    version: i64,
}

impl Row {
    const SELECT: &str = "select id, name, description, source_kind, region, storage, endpoint, path_style, auth,
        role_arn, access_key_id, secret_set_at, properties, created_by, created_at, updated_by, updated_at, version,
        (select body from data_source_test where data_source = data_source.id order by id desc limit 1) as last_test
        from data_source";

    fn data_source(self, projects: Vec<String>) -> Result<DataSource, Error> {
        let broken = |why| Error::unreadable(WHAT, why);
        Ok(DataSource {
            id: self.id,
            name: DataSourceName::parse(&self.name).map_err(broken)?,
            description: self.description,
            source_kind: known(WHAT, &self.source_kind, SourceKind::parse)?,
            region: self.region,
            storage: known(WHAT, &self.storage, StorageKind::parse)?,
            endpoint: self.endpoint.map(|text| Endpoint::parse(&text).map_err(broken)).transpose()?,
            path_style: self.path_style,
            auth: known(WHAT, &self.auth, AuthKind::parse)?,
            role_arn: self.role_arn.map(|text| RoleArn::parse(&text).map_err(broken)).transpose()?,
            access_key_id: self.access_key_id,
            secret_set_at: self.secret_set_at.map(|at| timestamp(WHAT, at)).transpose()?,
            properties: from_json(WHAT, &self.properties)?,
            projects,
            last_test: self.last_test.map(|body| from_json(WHAT, &body)).transpose()?,
            created_by: self.created_by,
            created_at: timestamp(WHAT, self.created_at)?,
            updated_by: self.updated_by,
            updated_at: timestamp(WHAT, self.updated_at)?,
            version: self.version,
        })
    }
}

impl Store {
    /// All sources, by name.
    pub async fn data_sources(&self) -> Result<Vec<DataSource>, Error> {
        let mut connection = self.read().await?;
        let rows: Vec<Row> =
            sqlx::query_as(&format!("{} order by name", Row::SELECT)).fetch_all(&mut *connection).await?;
        let users: Vec<(String, String)> =
            sqlx::query_as("select data_source, name from external_project order by name")
                .fetch_all(&mut *connection)
                .await?;
        let mut projects: HashMap<String, Vec<String>> = HashMap::new();
        for (source, project) in users {
            projects.entry(source).or_default().push(project);
        }
        rows.into_iter()
            .map(|row| {
                let projects = projects.remove(&row.id).unwrap_or_default();
                row.data_source(projects)
            })
            .collect()
    }

    pub async fn data_source(&self, name: &str) -> Result<Option<DataSource>, Error> {
        find(&mut *self.read().await?, name).await
    }

    /// The secrets of the source with this id.
    pub async fn secrets(&self, id: &Id) -> Result<Secrets, Error> {
        let mut connection = self.read().await?;
        let row: Option<SealedRow> =
            sqlx::query_as("select access_key_secret, session_token from data_source where id = ?")
                .bind(id)
                .fetch_optional(&mut *connection)
                .await?;
        let SealedRow { access_key_secret: secret, session_token: token } = row.unwrap_or_default();
        let open = |field, sealed: Option<Vec<u8>>| {
            sealed.map(|sealed| self.sealer.open(&place(id, field), &sealed)).transpose()
        };
        Ok(Secrets { access_key_secret: open(SECRET, secret)?, session_token: open(TOKEN, token)? })
    }

    /// The latest tests, newest first.
    pub async fn tests(&self, id: &Id) -> Result<Vec<TestRun>, Error> {
        let mut connection = self.read().await?;
        let rows: Vec<String> =
            sqlx::query_scalar("select body from data_source_test where data_source = ? order by id desc limit ?")
                .bind(id)
                .bind(TESTS_MAX)
                .fetch_all(&mut *connection)
                .await?;
        rows.iter().map(|body| from_json("test of a data source", body)).collect()
    }
}

impl Tx {
    pub async fn data_source(&mut self, name: &str) -> Result<Option<DataSource>, Error> {
        find(&mut self.inner, name).await
    }

    /// Adds a source; its name is unique.
    pub async fn insert_data_source(&mut self, new: &NewDataSource, by: &Principal) -> Result<DataSource, Error> {
        let id = Uuid::new_v4().to_string();
        let at = micros(now());
        let columns = AuthColumns::of(&new.auth);
        let secret = columns.secret.map(|plain| self.sealer.seal(&place(&id, SECRET), plain)).transpose()?;
        let token = columns.token.map(|plain| self.sealer.seal(&place(&id, TOKEN), plain)).transpose()?;
        sqlx::query(
            "insert into data_source (id, name, description, source_kind, region, storage, endpoint, path_style, auth,
                 role_arn, access_key_id, access_key_secret, session_token, secret_set_at, properties,
                 created_by, created_at, updated_by, updated_at, version)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
        )
        .bind(&id)
        .bind(new.name.as_str())
        .bind(&new.description)
        .bind(new.source_kind.id())
        .bind(&new.region)
        .bind(new.storage.id())
        .bind(new.endpoint.as_ref().map(Endpoint::as_str))
        .bind(new.path_style)
        .bind(new.auth.kind().id())
        .bind(columns.role_arn)
        .bind(columns.access_key_id)
        .bind(&secret)
        .bind(&token)
        .bind(secret.is_some().then_some(at))
        .bind(to_json(WHAT, &new.properties)?)
        .bind(by.as_str())
        .bind(at)
        .bind(by.as_str())
        .bind(at)
        .execute(&mut *self.inner)
        .await
        .map_err(Error::on_unique)?;
        self.inserted(new.name.as_str()).await
    }

    /// Changes what may be changed of a source: not its name, kind and region. A secret that was not typed is kept;
    /// one that was typed replaces the session token, too.
    pub async fn update_data_source(
        &mut self,
        id: &Id,
        new: &NewDataSource,
        by: &Principal,
    ) -> Result<DataSource, Error> {
        let at = micros(now());
        let columns = AuthColumns::of(&new.auth);
        let secret = columns.secret.map(|plain| self.sealer.seal(&place(id, SECRET), plain)).transpose()?;
        let token = columns.token.map(|plain| self.sealer.seal(&place(id, TOKEN), plain)).transpose()?;
        let keeps_secret = columns.access_key_id.is_some() && secret.is_none();
        let keeps_token = keeps_secret && token.is_none();
        let set_at = (secret.is_some() || token.is_some()).then_some(at);
        sqlx::query(
            "update data_source set description = ?, storage = ?, endpoint = ?, path_style = ?, auth = ?,
                 role_arn = ?, access_key_id = ?,
                 access_key_secret = case when ? then access_key_secret else ? end,
                 session_token = case when ? then session_token else ? end,
                 secret_set_at = case when ? then secret_set_at else ? end,
                 properties = ?, updated_by = ?, updated_at = ?, version = version + 1
             where id = ?",
        )
        .bind(&new.description)
        .bind(new.storage.id())
        .bind(new.endpoint.as_ref().map(Endpoint::as_str))
        .bind(new.path_style)
        .bind(new.auth.kind().id())
        .bind(columns.role_arn)
        .bind(columns.access_key_id)
        .bind(keeps_secret)
        .bind(secret)
        .bind(keeps_token)
        .bind(token)
        .bind(keeps_token)
        .bind(set_at)
        .bind(to_json(WHAT, &new.properties)?)
        .bind(by.as_str())
        .bind(at)
        .bind(id)
        .execute(&mut *self.inner)
        .await?;
        self.inserted(new.name.as_str()).await
    }

    /// Removes a source; the database refuses while a project uses it.
    pub async fn delete_data_source(&mut self, id: &Id) -> Result<(), Error> {
        sqlx::query("delete from data_source where id = ?").bind(id).execute(&mut *self.inner).await?;
        Ok(())
    }

    /// Notes a finished test and forgets the oldest ones. A source that is gone by now is no error.
    pub async fn insert_test(&mut self, id: &Id, test: &TestRun) -> Result<(), Error> {
        sqlx::query("insert into data_source_test (data_source, body) select id, ? from data_source where id = ?")
            .bind(to_json("test of a data source", test)?)
            .bind(id)
            .execute(&mut *self.inner)
            .await?;
        sqlx::query(
            "delete from data_source_test where data_source = ?1 and id not in
                 (select id from data_source_test where data_source = ?1 order by id desc limit ?2)",
        )
        .bind(id)
        .bind(TESTS_MAX)
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    async fn inserted(&mut self, name: &str) -> Result<DataSource, Error> {
        self.data_source(name).await?.ok_or_else(|| Error::unreadable(WHAT, "the row just written is not there"))
    }
}

const SECRET: &str = "access_key_secret";
const TOKEN: &str = "session_token";

fn place(id: &Id, field: &str) -> String {
    format!("data_source/{id}/{field}")
}

async fn find(connection: &mut SqliteConnection, name: &str) -> Result<Option<DataSource>, Error> {
    let row: Option<Row> =
        sqlx::query_as(&format!("{} where name = ?", Row::SELECT)).bind(name).fetch_optional(&mut *connection).await?;
    let Some(row) = row else { return Ok(None) };
    let projects = sqlx::query_scalar("select name from external_project where data_source = ? order by name")
        .bind(&row.id)
        .fetch_all(&mut *connection)
        .await?;
    row.data_source(projects).map(Some)
}

/// An identity as columns.
#[derive(Default)]
struct AuthColumns<'a> {
    role_arn: Option<&'a str>,
    access_key_id: Option<&'a str>,
    secret: Option<&'a str>,
    token: Option<&'a str>,
}

impl<'a> AuthColumns<'a> {
    fn of(auth: &'a NewAuth) -> Self {
        match auth {
            NewAuth::RamRole(arn) => Self { role_arn: Some(arn.as_str()), ..Self::default() },
            NewAuth::AccessKey { id, secret, session_token } => Self {
                access_key_id: Some(id),
                secret: secret.as_ref().map(|secret| secret.expose()),
                token: session_token.as_ref().map(|token| token.expose()),
                ..Self::default()
            },
            NewAuth::Environment | NewAuth::None => Self::default(),
        }
    }
}

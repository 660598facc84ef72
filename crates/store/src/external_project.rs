//! External projects: the mapping of a name to a warehouse of a data source.

use crate::row::{from_json, known, micros, now, timestamp, to_json};
use crate::{Error, Store, Tx};
use model::access::Principal;
use model::data_source::{AuthKind, Endpoint, StorageKind};
use model::external_project::{
    Billing, ExternalProject, ExternalProjectEdit, NewExternalProject, ProjectState, RunIdentity,
};
use model::names::{DataSourceName, EngineCatalogName, Id, ProjectName, RoleArn};
use model::warehouse::WarehouseUri;
use sqlx::SqliteConnection;
use uuid::Uuid;

const WHAT: &str = "external project";

/// A project about to be stored: what was checked, and the source that it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct NewProjectRow<'a> {
    pub project: &'a NewExternalProject,
    /// Id of the data source.
    pub data_source: &'a Id,
    /// Where it is not that of the data source.
    pub endpoint: Option<&'a Endpoint>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    description: String,
    region: String,
    billing: String,
    quota: String,
    server: String,
    storage: String,
    server_auth: String,
    endpoint: Option<String>,
    bucket_catalog: String,
    identity: String,
    role_arn: Option<String>,
    engine_catalog: Option<String>,
    options: String,
    state: String,
    owner: String,
    created_by: String,
    created_at: i64,
    updated_by: String,
    updated_at: i64,
    version: i64,
}

impl Row {
    const SELECT: &str =
        "select p.id, p.name, p.description, p.region, p.billing, p.quota, s.name as server, s.storage,
        s.auth as server_auth, coalesce(p.endpoint, s.endpoint) as endpoint, p.bucket_catalog, p.identity, p.role_arn, p.engine_catalog, p.options,
        p.state, p.owner, p.created_by, p.created_at, p.updated_by, p.updated_at, p.version
        from external_project p join data_source s on s.id = p.data_source";

    fn project(self) -> Result<ExternalProject, Error> {
        let broken = |why| Error::unreadable(WHAT, why);
        let storage = known(WHAT, &self.storage, StorageKind::parse)?;
        Ok(ExternalProject {
            id: self.id,
            name: ProjectName::parse(&self.name).map_err(broken)?,
            description: self.description,
            region: self.region,
            billing: known(WHAT, &self.billing, Billing::parse)?,
            quota: self.quota,
            server: DataSourceName::parse(&self.server).map_err(broken)?,
            storage,
            server_auth: known(WHAT, &self.server_auth, AuthKind::parse)?,
            endpoint: self.endpoint.map(|text| Endpoint::parse(&text).map_err(broken)).transpose()?,
            bucket_catalog: WarehouseUri::parse(storage, &self.bucket_catalog).map_err(broken)?,
            identity: known(WHAT, &self.identity, RunIdentity::parse)?,
            role_arn: self.role_arn.map(|text| RoleArn::parse(&text).map_err(broken)).transpose()?,
            engine_catalog: self
                .engine_catalog
                .map(|text| EngineCatalogName::parse(&text).map_err(broken))
                .transpose()?,
            options: from_json(WHAT, &self.options)?,
            state: known(WHAT, &self.state, ProjectState::parse)?,
            owner: self.owner,
            created_by: self.created_by,
            created_at: timestamp(WHAT, self.created_at)?,
            updated_by: self.updated_by,
            updated_at: timestamp(WHAT, self.updated_at)?,
            version: self.version,
        })
    }
}

impl Store {
    /// All projects, by name.
    pub async fn projects(&self) -> Result<Vec<ExternalProject>, Error> {
        all(&mut *self.read().await?).await
    }

    /// The project of this name, whatever its case.
    pub async fn project(&self, name: &str) -> Result<Option<ExternalProject>, Error> {
        find(&mut *self.read().await?, name).await
    }
}

impl Tx {
    pub async fn projects(&mut self) -> Result<Vec<ExternalProject>, Error> {
        all(&mut self.inner).await
    }

    pub async fn project(&mut self, name: &str) -> Result<Option<ExternalProject>, Error> {
        find(&mut self.inner, name).await
    }

    /// Adds a project; its name is unique whatever its case, its engine catalog name is unique, too.
    pub async fn insert_project(&mut self, row: NewProjectRow<'_>, by: &Principal) -> Result<ExternalProject, Error> {
        let NewProjectRow { project, data_source, endpoint } = row;
        let at = micros(now());
        sqlx::query(
            "insert into external_project (id, name, description, region, billing, quota, data_source, bucket_catalog,
                 endpoint, identity, role_arn, engine_catalog, options, state, owner, created_by, created_at, updated_by,
                 updated_at, version)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
        )
        .bind(Uuid::new_v4().to_string())
        .bind(project.name.as_str())
        .bind(&project.description)
        .bind(&project.region)
        .bind(project.billing.id())
        .bind(&project.quota)
        .bind(data_source)
        .bind(project.bucket_catalog.as_str())
        .bind(endpoint.map(Endpoint::as_str))
        .bind(project.identity.id())
        .bind(project.role_arn.as_ref().map(RoleArn::as_str))
        .bind(project.engine_catalog.as_ref().map(EngineCatalogName::as_str))
        .bind(to_json(WHAT, &project.options)?)
        .bind(ProjectState::Enabled.id())
        .bind(by.as_str())
        .bind(by.as_str())
        .bind(at)
        .bind(by.as_str())
        .bind(at)
        .execute(&mut *self.inner)
        .await
        .map_err(Error::on_unique)?;
        self.written(project.name.as_str()).await
    }

    pub async fn update_project(
        &mut self,
        name: &ProjectName,
        edit: &ExternalProjectEdit,
        by: &Principal,
    ) -> Result<ExternalProject, Error> {
        sqlx::query(
            "update external_project set description = ?, quota = ?, owner = ?, options = ?, updated_by = ?,
                 updated_at = ?, version = version + 1 where name = ?",
        )
        .bind(&edit.description)
        .bind(&edit.quota)
        .bind(&edit.owner)
        .bind(to_json(WHAT, &edit.options)?)
        .bind(by.as_str())
        .bind(micros(now()))
        .bind(name.as_str())
        .execute(&mut *self.inner)
        .await?;
        self.written(name.as_str()).await
    }

    pub async fn set_project_state(
        &mut self,
        name: &ProjectName,
        state: ProjectState,
        by: &Principal,
    ) -> Result<ExternalProject, Error> {
        sqlx::query(
            "update external_project set state = ?, updated_by = ?, updated_at = ?, version = version + 1 where name = ?",
        )
        .bind(state.id())
        .bind(by.as_str())
        .bind(micros(now()))
        .bind(name.as_str())
        .execute(&mut *self.inner)
        .await?;
        self.written(name.as_str()).await
    }

    /// Removes the mapping; nothing in the store is touched.
    pub async fn delete_project(&mut self, name: &ProjectName) -> Result<(), Error> {
        sqlx::query("delete from external_project where name = ?")
            .bind(name.as_str())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    async fn written(&mut self, name: &str) -> Result<ExternalProject, Error> {
        self.project(name).await?.ok_or_else(|| Error::unreadable(WHAT, "the row just written is not there"))
    }
}

async fn all(connection: &mut SqliteConnection) -> Result<Vec<ExternalProject>, Error> {
    let rows: Vec<Row> = sqlx::query_as(&format!("{} order by p.name", Row::SELECT)).fetch_all(connection).await?;
    rows.into_iter().map(Row::project).collect()
}

async fn find(connection: &mut SqliteConnection, name: &str) -> Result<Option<ExternalProject>, Error> {
    let row: Option<Row> =
        sqlx::query_as(&format!("{} where p.name = ?", Row::SELECT)).bind(name).fetch_optional(connection).await?;
    row.map(Row::project).transpose()
}

//! What a project's warehouse holds: schemas, tables, columns, and the files they are made of.

use crate::connection::patiently;
use crate::{Error, RequestContext, Services};
use model::access::{Action, Resource};
use model::external_project::{ExternalProject, ProjectState};
use model::lake::StoreListing;
use model::table::{TableInfo, TableRef};
use model::warehouse::WarehouseUri;
use ports::lake::LakeCatalog;
use std::sync::Arc;

impl Services {
    pub async fn schemas(&self, ctx: &RequestContext, project: &str) -> Result<Vec<String>, Error> {
        self.authorize(ctx, Action::List, Resource::Catalog(project.into())).await?;
        let (_, catalog) = self.open_project(project).await?;
        patiently(catalog.schemas()).await
    }

    pub async fn tables(&self, ctx: &RequestContext, project: &str, schema: &str) -> Result<Vec<String>, Error> {
        let resource = Resource::Schema { project: project.into(), schema: schema.into() };
        self.authorize(ctx, Action::List, resource).await?;
        let (_, catalog) = self.open_project(project).await?;
        patiently(catalog.tables(schema)).await
    }

    pub async fn table(
        &self,
        ctx: &RequestContext,
        project: &str,
        schema: &str,
        table: &str,
    ) -> Result<TableInfo, Error> {
        // The project's name is only trusted once it was found; until then the catalog stands for it.
        self.authorize(ctx, Action::List, Resource::Catalog(project.into())).await?;
        let (project, catalog) = self.open_project(project).await?;
        let name = TableRef { project: project.name, schema: schema.into(), table: table.into() };
        self.authorize(ctx, Action::Read, Resource::Table(name)).await?;
        patiently(catalog.table(schema, table)).await
    }

    /// One folder of a project's warehouse as it lies in the store; `uri` empty means the warehouse itself.
    pub async fn warehouse_files(&self, ctx: &RequestContext, project: &str, uri: &str) -> Result<StoreListing, Error> {
        self.authorize(ctx, Action::List, Resource::Catalog(project.into())).await?;
        let project = self.enabled_project(project).await?;
        let folder = match uri.trim() {
            "" => project.bucket_catalog.clone(),
            uri => WarehouseUri::parse(project.storage, uri).map_err(Error::broken("uri"))?,
        };
        // Both end with a slash: a folder whose name only begins alike is outside.
        if !folder.as_str().starts_with(project.bucket_catalog.as_str()) {
            let message = format!("`{folder}` is not in the warehouse of project {}.", project.name);
            return Err(Error::field("uri", "outside_warehouse", message));
        }
        let connection = self.project_connection(&project).await?;
        patiently(self.lake.browse(&connection, folder.as_str())).await
    }

    async fn enabled_project(&self, name: &str) -> Result<ExternalProject, Error> {
        let project = self.stored_project(name).await?;
        match project.state {
            ProjectState::Enabled => Ok(project),
            ProjectState::Disabled => Err(Error::ProjectDisabled(project.name.to_string())),
        }
    }

    /// The warehouse of an enabled project; the caller has authorised.
    pub(crate) async fn open_project(&self, name: &str) -> Result<(ExternalProject, Arc<dyn LakeCatalog>), Error> {
        let project = self.enabled_project(name).await?;
        let connection = self.project_connection(&project).await?;
        let catalog = patiently(self.lake.open(&connection, &project.bucket_catalog)).await?;
        Ok((project, catalog))
    }
}

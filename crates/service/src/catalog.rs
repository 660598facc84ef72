//! What a project's warehouse holds: schemas, tables, columns.

use crate::connection::patiently;
use crate::{Error, RequestContext, Services};
use model::access::{Action, Resource};
use model::external_project::{ExternalProject, ProjectState};
use model::table::{TableInfo, TableRef};
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

    /// The warehouse of an enabled project; the caller has authorised.
    pub(crate) async fn open_project(&self, name: &str) -> Result<(ExternalProject, Arc<dyn LakeCatalog>), Error> {
        let project = self.stored_project(name).await?;
        if project.state == ProjectState::Disabled {
            return Err(Error::ProjectDisabled(project.name.to_string()));
        }
        let connection = self.project_connection(&project).await?;
        let catalog = patiently(self.lake.open(&connection, &project.bucket_catalog)).await?;
        Ok((project, catalog))
    }
}

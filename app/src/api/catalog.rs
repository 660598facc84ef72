//! Server functions of the catalog: names for the tree and for completion.

use crate::error::ApiError;
use leptos::prelude::*;
use model::table::TableInfo;

#[server(prefix = "/fn", endpoint = "catalog/schemas")]
pub async fn schemas(project: String) -> Result<Vec<String>, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.schemas(&ctx, &project).await)
}

#[server(prefix = "/fn", endpoint = "catalog/tables")]
pub async fn tables(project: String, schema: String) -> Result<Vec<String>, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.tables(&ctx, &project, &schema).await)
}

#[server(prefix = "/fn", endpoint = "catalog/table")]
pub async fn table(project: String, schema: String, table: String) -> Result<TableInfo, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.table(&ctx, &project, &schema, &table).await)
}

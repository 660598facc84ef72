//! Server functions of the catalog: names for the tree and for completion, and the files behind them.

use super::Text;
use crate::error::ApiError;
use leptos::prelude::*;
use model::lake::StoreListing;
use model::table::TableInfo;

#[server(prefix = "/fn", endpoint = "catalog/schemas", output = Text)]
pub async fn schemas(project: String) -> Result<Vec<String>, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.schemas(&ctx, &project).await)
}

#[server(prefix = "/fn", endpoint = "catalog/tables", output = Text)]
pub async fn tables(project: String, schema: String) -> Result<Vec<String>, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.tables(&ctx, &project, &schema).await)
}

#[server(prefix = "/fn", endpoint = "catalog/table", output = Text)]
pub async fn table(project: String, schema: String, table: String) -> Result<TableInfo, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.table(&ctx, &project, &schema, &table).await)
}

/// One folder of a project's warehouse; `uri` empty means the warehouse itself.
#[server(prefix = "/fn", endpoint = "catalog/files", output = Text)]
pub async fn files(project: String, uri: String) -> Result<StoreListing, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.warehouse_files(&ctx, &project, &uri).await)
}

//! What a project holds: schemas, tables, columns.

use super::{Caller, Json, Path};
use crate::problem::Failure;
use axum::Router;
use axum::routing::get;
use model::table::TableInfo;
use service::Services;

pub fn routes() -> Router<Services> {
    Router::new()
        .route("/api/v1/projects/{project}/schemas", get(schemas))
        .route("/api/v1/projects/{project}/schemas/{schema}/tables", get(tables))
        .route("/api/v1/projects/{project}/schemas/{schema}/tables/{table}", get(table))
}

#[utoipa::path(
    get, path = "/api/v1/projects/{project}/schemas", operation_id = "schemas", tag = "catalog",
    params(("project" = String, Path)),
    responses((status = 200, description = "Names, sorted", body = ref("#/components/schemas/Names"))),
)]
pub(super) async fn schemas(caller: Caller, Path(project): Path<String>) -> Result<Json<Vec<String>>, Failure> {
    Ok(Json(caller.services.schemas(&caller.ctx, &project).await?))
}

#[utoipa::path(
    get, path = "/api/v1/projects/{project}/schemas/{schema}/tables", operation_id = "tables", tag = "catalog",
    params(("project" = String, Path), ("schema" = String, Path)),
    responses((status = 200, description = "Names, sorted", body = ref("#/components/schemas/Names"))),
)]
pub(super) async fn tables(
    caller: Caller,
    Path((project, schema)): Path<(String, String)>,
) -> Result<Json<Vec<String>>, Failure> {
    Ok(Json(caller.services.tables(&caller.ctx, &project, &schema).await?))
}

#[utoipa::path(
    get, path = "/api/v1/projects/{project}/schemas/{schema}/tables/{table}", operation_id = "table", tag = "catalog",
    params(("project" = String, Path), ("schema" = String, Path), ("table" = String, Path)),
    responses((status = 200, description = "Columns and newest snapshot", body = ref("#/components/schemas/TableInfo"))),
)]
pub(super) async fn table(
    caller: Caller,
    Path((project, schema, table)): Path<(String, String, String)>,
) -> Result<Json<TableInfo>, Failure> {
    Ok(Json(caller.services.table(&caller.ctx, &project, &schema, &table).await?))
}

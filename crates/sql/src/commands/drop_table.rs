//! DROP TABLE.

use crate::dialect::DropTable;
use crate::error::{Class, Place, SqlResult, failed_at, from_lake, placed, with_suggestion};
use crate::job::Job;
use crate::tables::open_catalog;
use model::nearest::nearest;
use ports::lake::{LakeCatalog, LakeError};
use ports::sql_engine::Outcome;

pub(crate) async fn run(job: &Job, drop: &DropTable) -> SqlResult<Outcome> {
    let target = job.names().table(&drop.name)?;
    let catalog = open_catalog(&job.engine.lake, target.project).await?;
    match catalog.drop_table(&target.schema, &target.table.value).await {
        Ok(()) => Ok(Outcome::default()),
        Err(LakeError::NotFound(_)) if drop.if_exists => Ok(Outcome::default()),
        Err(LakeError::NotFound(_)) => {
            let place = Place::of(&job.parsed, target.table.span);
            let tables = catalog.tables(&target.schema).await.unwrap_or_default();
            let error = failed_at(Class::Semantic, place, format!("table {} not found", target.table_ref()));
            Err(with_suggestion(error, nearest(&target.table.value, tables.iter().map(String::as_str))))
        }
        Err(error) => Err(placed(from_lake(error), Place::of(&job.parsed, target.table.span))),
    }
}

//! SHOW: lists of names.

use crate::dialect::{Name, PartitionSpec, ShowSchemas, ShowTables};
use crate::error::{Class, Place, failed_at, from_lake, with_suggestion};
use crate::functions;
use crate::job::Job;
use crate::partitions;
use crate::results::Form;
use crate::tables::{OpenTable, open_catalog};
use crate::write::partition_spec;
use model::nearest::nearest;
use ports::lake::{LakeCatalog, LakeError};
use ports::sql_engine::{Outcome, SqlError};

/// `a*|b*`: alternatives of patterns, `*` for any characters.
fn is_like(name: &str, pattern: Option<&str>) -> bool {
    fn matches(name: &[char], pattern: &[char]) -> bool {
        let (mut n, mut p, mut star) = (0, 0, None);
        while n < name.len() {
            match pattern.get(p) {
                Some('*' | '%') => {
                    star = Some((p, n));
                    p += 1;
                }
                Some(c) if *c == name[n] => {
                    n += 1;
                    p += 1;
                }
                _ => match star {
                    Some((at, from)) => {
                        star = Some((at, from + 1));
                        (p, n) = (at + 1, from + 1);
                    }
                    None => return false,
                },
            }
        }
        pattern[p..].iter().all(|c| matches!(c, '*' | '%'))
    }
    let chars = |text: &str| text.trim().to_lowercase().chars().collect::<Vec<_>>();
    pattern.is_none_or(|pattern| pattern.split('|').any(|one| matches(&chars(name), &chars(one))))
}

fn list(job: &Job, column: &str, names: impl IntoIterator<Item = String>) -> Result<Outcome, SqlError> {
    job.texts(&[column], names.into_iter().map(|name| vec![Some(name)]).collect(), &Form::List)
}

pub(crate) async fn schemas(job: &Job, show: &ShowSchemas) -> Result<Outcome, SqlError> {
    let project = match &show.project {
        Some(project) => job.names().project(project)?,
        None => job.names().current_project()?,
    };
    let catalog = open_catalog(&job.engine.lake, project).await?;
    let schemas = catalog.schemas().await.map_err(from_lake)?;
    list(job, "schema_name", schemas.into_iter().filter(|name| is_like(name, show.like.as_deref())))
}

pub(crate) async fn tables(job: &Job, show: &ShowTables) -> Result<Outcome, SqlError> {
    let target = job.names().schema(show.schema.as_ref())?;
    let catalog = open_catalog(&job.engine.lake, target.project).await?;
    let tables = match catalog.tables(&target.schema).await {
        Ok(tables) => tables,
        Err(LakeError::NotFound(_)) => {
            let place = show.schema.as_ref().map_or_else(Place::default, |name| Place::of(&job.parsed, name.span()));
            let error = failed_at(Class::Semantic, place, format!("schema {} not found", target.schema));
            let schemas = catalog.schemas().await.unwrap_or_default();
            return Err(with_suggestion(error, nearest(&target.schema, schemas.iter().map(String::as_str))));
        }
        Err(error) => return Err(from_lake(error)),
    };
    let owner = owner(&job.context.principal);
    let rows = tables
        .into_iter()
        .filter(|name| is_like(name, show.like.as_deref()))
        .map(|name| vec![Some(owner.clone()), Some(name)]);
    job.texts(&["owner", "table_name"], rows.collect(), &Form::List)
}

/// Filesystem catalogs know no owners: the account's root stands for them.
pub(crate) fn owner(principal: &str) -> String {
    match principal.rsplit_once(':') {
        Some((account, _)) if account.starts_with("acs:ram::") => format!("{account}:root"),
        _ => principal.to_owned(),
    }
}

/// Filesystem catalogs hold no views.
pub(crate) fn views(job: &Job, show: &ShowTables) -> Result<Outcome, SqlError> {
    job.names().schema(show.schema.as_ref())?;
    job.texts(&["owner", "view_name"], Vec::new(), &Form::List)
}

pub(crate) fn list_functions(job: &Job, like: Option<&str>) -> Result<Outcome, SqlError> {
    let names = functions::names().into_iter().filter(|name| is_like(name, like));
    list(job, "function_name", names)
}

pub(crate) fn projects(job: &Job) -> Result<Outcome, SqlError> {
    list(job, "project_name", job.context.visible_projects.iter().cloned())
}

pub(crate) async fn columns(job: &Job, name: &Name) -> Result<Outcome, SqlError> {
    let target = job.names().table(name)?;
    let table = OpenTable::open(&job.engine.lake, &job.parsed, &target).await?;
    list(job, "column_name", table.fields().iter().map(|field| field.name().to_owned()))
}

pub(crate) async fn show_partitions(job: &Job, name: &Name, spec: Option<&PartitionSpec>) -> Result<Outcome, SqlError> {
    let target = job.names().table(name)?;
    let table = OpenTable::open(&job.engine.lake, &job.parsed, &target).await?;
    if table.partition_keys().is_empty() {
        let text = format!("table {} is not a partitioned table", table.reference.table);
        return Err(failed_at(Class::Semantic, Place::of(&job.parsed, name.span()), text));
    }
    let matching = spec.map(|spec| partition_spec(job, &table, spec)).transpose()?;
    let found = partitions::list(&table, matching.as_ref()).await?;
    list(job, "partition", found.iter().map(|values| partitions::spec_text(&table, values)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let check = |name, pattern, expected: bool| assert_eq!(is_like(name, Some(pattern)), expected, "{pattern}");
        check("test_tbl", "test*", true);
        check("test_tbl", "*tbl", true);
        check("test_tbl", "T*_t*l", true);
        check("test_tbl", "a*|test_tbl", true);
        check("test_tbl", "test", false);
        check("test_tbl", "test_tbl*", true);
    }
}

//! CREATE, DROP and DESC SCHEMA.

use crate::commands::show::owner;
use crate::dialect::{CreateSchema, DropSchema, Name, ParsedStatement};
use crate::error::{Class, Place, SqlResult, failed_at, from_lake};
use crate::job::Job;
use crate::names::SchemaTarget;
use crate::results::Form;
use crate::tables::open_catalog;
use lake::DropBehavior;
use model::table::DEFAULT_SCHEMA;
use model::text_table;
use ports::lake::{LakeCatalog, LakeError};
use ports::sql_engine::Outcome;

/// `^[A-Za-z][A-Za-z0-9_]{0,127}$`.
fn is_schema_name(name: &str) -> bool {
    name.len() <= 128
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

pub(crate) async fn create(job: &Job, create: &CreateSchema) -> SqlResult<Outcome> {
    let target = job.names().schema(Some(&create.name))?;
    let place = Place::of(&job.parsed, create.name.span());
    let name = &target.stored_schema;
    if !is_schema_name(name) {
        let text =
            format!("`{name}` is no name for a schema: a letter, then letters, digits and underscores, at most 128");
        return Err(failed_at(Class::Parse, place, text));
    }
    let catalog = open_catalog(&job.engine.lake, target.project).await?;
    let exists = || failed_at(Class::Semantic, place, format!("schema {name} already exists"));
    // The default schema is shown before it exists; names that differ in case alone would be found by neither.
    let schemas = catalog.schemas().await.map_err(from_lake)?;
    let is_known = name != DEFAULT_SCHEMA && schemas.iter().any(|schema| schema.eq_ignore_ascii_case(name));
    let created =
        if is_known { Err(LakeError::AlreadyExists(String::new())) } else { catalog.create_schema(name).await };
    match created {
        Ok(()) => {}
        Err(LakeError::AlreadyExists(_)) if create.if_not_exists => {}
        Err(LakeError::AlreadyExists(_)) => return Err(exists()),
        Err(error) => return Err(from_lake(error)),
    }
    let mut notices = Vec::new();
    if create.comment.is_some() || !create.properties.is_empty() {
        notices.push("A filesystem catalog keeps no comment and no properties of a schema.".to_owned());
    }
    Ok(Outcome { notices, ..Outcome::default() })
}

pub(crate) async fn drop(job: &Job, drop: &DropSchema) -> SqlResult<Outcome> {
    let target = job.names().schema(Some(&drop.name))?;
    let place = Place::of(&job.parsed, drop.name.span());
    let name = &target.schema;
    if [DEFAULT_SCHEMA, "system"].iter().any(|fixed| fixed.eq_ignore_ascii_case(name)) {
        return Err(failed_at(Class::Semantic, place, format!("schema {name} cannot be dropped")));
    }
    let catalog = open_catalog(&job.engine.lake, target.project).await?;
    let behavior = if drop.cascade { DropBehavior::Cascade } else { DropBehavior::Restrict };
    let dropped = match catalog.schema_name(name).await {
        Ok(schema) if !drop.cascade && !catalog.tables(&schema).await.map_err(from_lake)?.is_empty() => {
            return Err(failed_at(Class::Semantic, place, format!("schema {name} is not empty")));
        }
        Ok(schema) => catalog.drop_schema(&schema, behavior).await,
        Err(error) => Err(error),
    };
    match dropped {
        Ok(()) => {}
        Err(LakeError::NotFound(_)) if drop.if_exists => return Ok(Outcome::default()),
        Err(LakeError::NotFound(_)) => return Err(not_found(&job.parsed, &drop.name, &target)),
        Err(error) => return Err(from_lake(error)),
    }
    let session = &job.context.session;
    if session.project != target.project.name || !session.schema.eq_ignore_ascii_case(name) {
        return Ok(Outcome::default());
    }
    let mut session = session.clone();
    session.schema = DEFAULT_SCHEMA.into();
    let notices = vec![format!("The current schema is {DEFAULT_SCHEMA} again.")];
    Ok(Outcome { session: Some(session), notices, ..Outcome::default() })
}

fn not_found(parsed: &ParsedStatement, name: &Name, target: &SchemaTarget<'_>) -> ports::sql_engine::SqlError {
    failed_at(Class::Semantic, Place::of(parsed, name.span()), format!("schema {} not found", target.schema))
}

pub(crate) async fn describe(job: &Job, name: &Name) -> SqlResult<Outcome> {
    let target = job.names().schema(Some(name))?;
    let catalog = open_catalog(&job.engine.lake, target.project).await?;
    let schema = match catalog.schema_name(&target.schema).await {
        Ok(schema) => schema,
        Err(LakeError::NotFound(_)) if target.schema == DEFAULT_SCHEMA => DEFAULT_SCHEMA.into(),
        Err(LakeError::NotFound(_)) => return Err(not_found(&job.parsed, name, &target)),
        Err(error) => return Err(from_lake(error)),
    };
    let owner = owner(&job.context.principal);
    let location = format!("{}{schema}.db/", catalog.warehouse());
    let text = text_table::schema_description(&schema, "", &owner, "", &location);
    let row = [schema, String::new(), owner, String::new(), location].map(Some).to_vec();
    job.texts(&["Name", "Comment", "Owner", "CreateTime", "Location"], vec![row], &Form::Text(text))
}

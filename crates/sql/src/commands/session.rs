//! SET, UNSET, USE: what later statements of the worksheet see.

use crate::dialect::{Ident, Setting, Use};
use crate::error::{Class, Place, failed_at, from_lake, with_suggestion};
use crate::job::Job;
use crate::results::Form;
use crate::settings;
use crate::tables::open_catalog;
use model::nearest::nearest;
use model::session::SqlSession;
use ports::lake::LakeCatalog;
use ports::sql_engine::{Outcome, ProjectHandle, SqlError};

fn changed(session: SqlSession) -> Outcome {
    Outcome { session: Some(session), ..Outcome::default() }
}

pub(crate) fn set(job: &Job, setting: &Setting) -> Result<Outcome, SqlError> {
    let mut session = job.context.session.clone();
    settings::set(&mut session, &setting.key, &setting.value)
        .map_err(|text| failed_at(Class::Parse, Place::of(&job.parsed, setting.span), text))?;
    Ok(changed(session))
}

/// `SET;`: `k=v` lines.
pub(crate) fn show_settings(job: &Job) -> Result<Outcome, SqlError> {
    let lines = job.context.session.settings.iter().map(|(key, value)| vec![Some(format!("{key}={value}"))]);
    job.texts(&["setting"], lines.collect(), &Form::List)
}

pub(crate) fn unset(job: &Job, key: &str) -> Outcome {
    let mut session = job.context.session.clone();
    settings::unset(&mut session, key);
    changed(session)
}

pub(crate) async fn use_target(job: &Job, target: &Use) -> Result<Outcome, SqlError> {
    let names = job.names();
    match target {
        Use::Schema(name) => {
            let schema = names.schema(Some(name))?;
            use_schema(job, schema.project, name.last()).await
        }
        Use::Project { project, schema: Some(schema) } | Use::ProjectAndSchema { project, schema } => {
            use_schema(job, names.project(project)?, schema).await
        }
        Use::Project { project, schema: None } => Ok(use_project(job, names.project(project)?)),
        Use::SchemaOrProject(name) => {
            let current = names.current_project()?;
            let catalog = open_catalog(&job.engine.lake, current).await?;
            let schemas = catalog.schemas().await.map_err(from_lake)?;
            if schemas.iter().any(|schema| schema.eq_ignore_ascii_case(&name.value)) {
                return use_schema(job, current, name).await;
            }
            match names.project(name) {
                Ok(project) => Ok(use_project(job, project)),
                Err(_) => {
                    let candidates: Vec<String> =
                        schemas.into_iter().chain(job.context.visible_projects.iter().cloned()).collect();
                    Err(not_found(job, "schema or project", name, &candidates))
                }
            }
        }
    }
}

fn use_project(job: &Job, project: &ProjectHandle) -> Outcome {
    let settings = job.context.session.settings.clone();
    changed(SqlSession { settings, ..SqlSession::new(project.name.clone()) })
}

async fn use_schema(job: &Job, project: &ProjectHandle, schema: &Ident) -> Result<Outcome, SqlError> {
    let catalog = open_catalog(&job.engine.lake, project).await?;
    let schemas = catalog.schemas().await.map_err(from_lake)?;
    let found = match schema.find(&schemas, String::as_str) {
        crate::dialect::Found::One(found) => found.clone(),
        _ => return Err(not_found(job, "schema", schema, &schemas)),
    };
    let settings = job.context.session.settings.clone();
    Ok(changed(SqlSession { project: project.name.clone(), schema: found, settings }))
}

fn not_found(job: &Job, what: &str, name: &Ident, candidates: &[String]) -> SqlError {
    let place = Place::of(&job.parsed, name.span);
    let error = failed_at(Class::Command, place, format!("{what} {} not found", name.value));
    with_suggestion(error, nearest(&name.value, candidates.iter().map(String::as_str)))
}

//! What a statement touches: every kind is listed, so that a new one cannot be forgotten.

use crate::dialect::{Name, ParsedStatement, Statement, TableSource, Use};
use crate::error::{Class, failed};
use crate::max_pt;
use crate::names::{Names, possible_projects};
use model::access::{Access, Action, Resource};
use model::session::SqlSession;
use ports::sql_engine::SqlError;

/// Names of schemas and tables in a statement.
fn names(statement: &Statement) -> Vec<&Name> {
    let mut names: Vec<&Name> = match statement {
        Statement::ShowTables(show) | Statement::ShowViews(show) => show.schema.iter().collect(),
        Statement::ShowPartitions { table, .. }
        | Statement::ShowColumns { table }
        | Statement::ShowCreateTable { table }
        | Statement::Truncate { table, .. } => vec![table],
        Statement::Use(Use::Schema(name)) => vec![name],
        Statement::CreateSchema(create) => vec![&create.name],
        Statement::DropSchema(drop) => vec![&drop.name],
        Statement::DescribeSchema { schema } => vec![schema],
        Statement::Describe(describe) => vec![&describe.table],
        Statement::CreateTable(create) => match &create.source {
            Some(TableSource::Like(like)) => vec![&create.name, like],
            _ => vec![&create.name],
        },
        Statement::DropTable(drop) => vec![&drop.name],
        Statement::Insert(insert) => vec![&insert.table],
        Statement::MultiInsert(parts) => parts.iter().map(|insert| &insert.table).collect(),
        Statement::Explain(explain) => self::names(&explain.statement),
        Statement::Set(_)
        | Statement::ShowSettings
        | Statement::Unset { .. }
        | Statement::ShowSchemas(_)
        | Statement::ShowFunctions { .. }
        | Statement::ShowProjects
        | Statement::Use(_)
        | Statement::Query(_)
        | Statement::NotYet(_) => Vec::new(),
    };
    if !matches!(statement, Statement::Explain(_)) {
        names.extend(statement.queries().into_iter().flat_map(|query| query.tables.iter().map(|table| &table.name)));
    }
    names
}

/// Everything in the text that may be a project.
pub(crate) fn projects(statement: &Statement, session: &SqlSession) -> Vec<String> {
    let asked: Vec<Name> = statement.queries().into_iter().flat_map(|query| max_pt::tables(query, None)).collect();
    let mut projects = possible_projects(&names(statement).into_iter().chain(&asked).collect::<Vec<_>>(), session);
    let written = match statement {
        Statement::ShowSchemas(show) => show.project.as_ref(),
        Statement::Use(Use::Project { project, .. } | Use::ProjectAndSchema { project, .. }) => Some(project),
        Statement::Use(Use::SchemaOrProject(name)) => Some(name),
        Statement::ShowTables(show) => show.schema.as_ref().and_then(|name| name.parts.first()),
        _ => None,
    };
    if let Some(ident) = written
        && !projects.contains(&ident.value)
    {
        projects.push(ident.value.clone());
    }
    projects
}

/// What the statement needs to be allowed to do.
pub(crate) fn accesses(parsed: &ParsedStatement, names: &Names<'_>) -> Result<Vec<Access>, SqlError> {
    let mut accesses = Vec::new();
    collect(&parsed.statement, names, &mut accesses)?;
    let mut seen = std::collections::HashSet::new();
    accesses.retain(|access| seen.insert(access.clone()));
    Ok(accesses)
}

fn collect(statement: &Statement, names: &Names<'_>, accesses: &mut Vec<Access>) -> Result<(), SqlError> {
    let catalog = |project: &str| Resource::Catalog(project.to_owned());
    let schema = |name: Option<&Name>| -> Result<Resource, SqlError> {
        let target = names.schema(name)?;
        Ok(Resource::Schema { project: target.project.name.to_string(), schema: target.stored_schema })
    };
    let table = |name: &Name| -> Result<Resource, SqlError> { Ok(Resource::Table(names.table(name)?.table_ref())) };
    // Who may read a table may read its system tables.
    let readable =
        |name: &Name| -> Result<Resource, SqlError> { Ok(Resource::Table(names.readable(name)?.0.table_ref())) };
    let mut add = |action: Action, resource: Resource| accesses.push(Access { action, resource });
    match statement {
        Statement::Set(_)
        | Statement::ShowSettings
        | Statement::Unset { .. }
        | Statement::ShowFunctions { .. }
        // Only what the principal may see is given to the statement.
        | Statement::ShowProjects => {}
        Statement::ShowSchemas(show) => {
            let project = match &show.project {
                Some(project) => names.project(project)?,
                None => names.current_project()?,
            };
            add(Action::List, catalog(project.name.as_str()));
        }
        Statement::ShowTables(show) | Statement::ShowViews(show) => add(Action::List, schema(show.schema.as_ref())?),
        Statement::ShowPartitions { table: name, .. }
        | Statement::ShowColumns { table: name }
        | Statement::ShowCreateTable { table: name } => add(Action::Select, table(name)?),
        Statement::Describe(describe) => add(Action::Select, readable(&describe.table)?),
        Statement::Use(target) => match target {
            Use::Schema(name) => add(Action::List, schema(Some(name))?),
            Use::Project { project, .. } | Use::ProjectAndSchema { project, .. } => {
                add(Action::List, catalog(names.project(project)?.name.as_str()));
            }
            // A schema of the current project, or else a project.
            Use::SchemaOrProject(name) => {
                add(Action::List, catalog(names.current_project()?.name.as_str()));
                if let Ok(project) = names.project(name) {
                    add(Action::List, catalog(project.name.as_str()));
                }
            }
        },
        Statement::CreateSchema(create) => {
            add(Action::Create, catalog(names.schema(Some(&create.name))?.project.name.as_str()));
        }
        Statement::DropSchema(drop) => add(Action::Drop, schema(Some(&drop.name))?),
        Statement::DescribeSchema { schema: name } => add(Action::List, schema(Some(name))?),
        Statement::CreateTable(create) => {
            let target = names.table(&create.name)?;
            let project = target.project.name.to_string();
            add(Action::Create, Resource::Schema { project, schema: target.stored_schema });
            if let Some(TableSource::Like(like)) = &create.source {
                add(Action::Select, table(like)?);
            }
        }
        Statement::DropTable(drop) => add(Action::Drop, table(&drop.name)?),
        Statement::Truncate { table: name, .. } => add(Action::Insert, table(name)?),
        Statement::Insert(insert) => add(Action::Insert, table(&insert.table)?),
        Statement::MultiInsert(parts) => {
            for insert in parts {
                add(Action::Insert, table(&insert.table)?);
            }
        }
        Statement::Query(_) => {}
        // Explaining needs what running would need.
        Statement::Explain(explain) => return collect(&explain.statement, names, accesses),
        Statement::NotYet(not_yet) => return Err(not_supported_yet(not_yet.verb)),
    }
    for query in statement.queries() {
        for used in &query.tables {
            accesses.push(Access { action: Action::Select, resource: readable(&used.name)? });
        }
        for name in max_pt::tables(query, Some(names.parsed)) {
            accesses.push(Access { action: Action::Select, resource: table(&name)? });
        }
    }
    Ok(())
}

pub(crate) fn not_supported_yet(verb: &str) -> SqlError {
    failed(Class::Semantic, format!("not supported yet: {verb}"))
}

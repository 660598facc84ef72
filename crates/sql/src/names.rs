//! What the parts of a name mean: project, schema, table. Nothing here looks into a store.

use crate::dialect::{Ident, Name, ParsedStatement};
use crate::error::{Class, Place, failed_at};
use crate::settings::Effective;
use model::session::SqlSession;
use model::table::TableRef;
use ports::sql_engine::{ProjectHandle, SqlError};

/// The names of a statement, read in its session.
pub(crate) struct Names<'a> {
    pub parsed: &'a ParsedStatement,
    pub session: &'a SqlSession,
    pub settings: &'a Effective,
    pub projects: &'a [ProjectHandle],
}

/// A schema of a project, by the names as written.
#[derive(Clone, Debug)]
pub(crate) struct SchemaTarget<'a> {
    pub project: &'a ProjectHandle,
    /// For looking it up.
    pub schema: String,
    /// For a new one, and for who may do what.
    pub stored_schema: String,
}

/// A table of a project, by the names as written.
#[derive(Clone, Debug)]
pub(crate) struct TableTarget<'a> {
    pub project: &'a ProjectHandle,
    pub schema: String,
    pub stored_schema: String,
    pub table: Ident,
}

impl TableTarget<'_> {
    pub(crate) fn table_ref(&self) -> TableRef {
        TableRef { project: self.project.name.clone(), schema: self.stored_schema.clone(), table: self.table.stored() }
    }
}

impl<'a> Names<'a> {
    /// The session's project.
    pub(crate) fn current_project(&self) -> Result<&'a ProjectHandle, SqlError> {
        find(self.projects, self.session.project.as_str())
            .ok_or_else(|| self.no_project(Place::default(), self.session.project.as_str()))
    }

    pub(crate) fn project(&self, ident: &Ident) -> Result<&'a ProjectHandle, SqlError> {
        find(self.projects, &ident.value)
            .ok_or_else(|| self.no_project(Place::of(self.parsed, ident.span), &ident.value))
    }

    fn no_project(&self, place: Place, name: &str) -> SqlError {
        failed_at(Class::Semantic, place, format!("project {name} not found or no privilege"))
    }

    /// `s` or `p.s`; the session's schema when nothing is given.
    pub(crate) fn schema(&self, name: Option<&Name>) -> Result<SchemaTarget<'a>, SqlError> {
        let Some(name) = name else {
            let schema = self.session.schema.clone();
            return Ok(SchemaTarget { project: self.current_project()?, stored_schema: schema.clone(), schema });
        };
        let (project, schema) = match name.parts.as_slice() {
            [schema] => (self.current_project()?, schema),
            [project, schema] => (self.project(project)?, schema),
            _ => {
                let place = Place::of(self.parsed, name.span());
                return Err(failed_at(Class::Parse, place, format!("{name} is not the name of a schema")));
            }
        };
        Ok(SchemaTarget { project, schema: schema.value.clone(), stored_schema: schema.stored() })
    }

    /// A table, or one of its system tables: `t$files` is `files` of `t`.
    pub(crate) fn readable(&self, name: &Name) -> Result<(TableTarget<'a>, Option<Ident>), SqlError> {
        let target = self.table(name)?;
        Ok(match without_system_table(&target.table) {
            Some((table, system)) => (TableTarget { table, ..target }, Some(system)),
            None => (target, None),
        })
    }

    /// `t`, `s.t`, `p.s.t`; without schema syntax `t` and `p.t`.
    pub(crate) fn table(&self, name: &Name) -> Result<TableTarget<'a>, SqlError> {
        let place = || Place::of(self.parsed, name.span());
        let (project, schema, table) = match (name.parts.as_slice(), self.settings.namespace_schema) {
            ([table], _) => (self.current_project()?, None, table),
            ([schema, table], true) => (self.current_project()?, Some(schema), table),
            ([project, schema, table], true) => (self.project(project)?, Some(schema), table),
            ([project, table], false) => {
                let project = self.project(project)?;
                let schema = model::table::DEFAULT_SCHEMA.to_owned();
                return Ok(TableTarget { project, stored_schema: schema.clone(), schema, table: table.clone() });
            }
            (_, false) => {
                let text = "three-part names need odps.namespace.schema=true";
                return Err(failed_at(Class::Parse, place(), text));
            }
            (_, true) => {
                return Err(failed_at(Class::Parse, place(), format!("{name} is not the name of a table")));
            }
        };
        Ok(match schema {
            Some(schema) => TableTarget {
                project,
                schema: schema.value.clone(),
                stored_schema: schema.stored(),
                table: table.clone(),
            },
            None => TableTarget {
                project,
                schema: self.session.schema.clone(),
                stored_schema: self.session.schema.clone(),
                table: table.clone(),
            },
        })
    }
}

/// `t$files` without what stands behind the `$`, and that.
fn without_system_table(table: &Ident) -> Option<(Ident, Ident)> {
    let (name, system) = table.value.split_once('$').filter(|(name, _)| !name.is_empty())?;
    let value = |text: &str| Ident { value: text.to_owned(), ..table.clone() };
    Some((value(name), value(system)))
}

/// The project of a name or of an alias of other engines.
pub(crate) fn find<'a>(projects: &'a [ProjectHandle], name: &str) -> Option<&'a ProjectHandle> {
    projects
        .iter()
        .find(|project| project.name.as_str().eq_ignore_ascii_case(name))
        .or_else(|| projects.iter().find(|project| project.engine_catalog.as_deref() == Some(name)))
}

/// The first parts of table and schema names, which may be projects.
pub(crate) fn possible_projects(names: &[&Name], session: &SqlSession) -> Vec<String> {
    let mut projects = vec![session.project.as_str().to_owned()];
    for name in names {
        if let [first, _, ..] = name.parts.as_slice()
            && !projects.contains(&first.value)
        {
            projects.push(first.value.clone());
        }
    }
    projects
}

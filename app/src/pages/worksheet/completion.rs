//! Names for the cursor's place: columns of the tables that the statement names, tables, schemas, projects, words.

use crate::api::worksheet::completion_words;
use crate::components::table_tree::{Catalog, Place};
use crate::ui::code_editor::{Completion, NamedTable, Question};
use leptos::prelude::*;
use model::session::SqlSession;
use model::table::Column;
use std::sync::Arc;

/// Where names are looked up.
#[derive(Clone, Copy)]
pub struct Completer {
    catalog: Catalog,
    session: Signal<SqlSession>,
    words: RwSignal<Option<Arc<Vec<String>>>>,
}

/// Keywords behind which a table stands.
const BEFORE_TABLES: [&str; 11] =
    ["FROM", "JOIN", "INTO", "OVERWRITE", "UPDATE", "TABLE", "USING", "DESC", "DESCRIBE", "COLUMNS", "PARTITIONS"];
/// Keywords behind which a schema stands.
const BEFORE_SCHEMAS: [&str; 4] = ["SCHEMA", "DATABASE", "USE", "TABLES"];

/// Ranks among names that match alike.
const COLUMN: i32 = 30;
const TABLE: i32 = 20;
const SCHEMA: i32 = 10;

/// A table by its full name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FullName {
    project: String,
    schema: String,
    table: String,
}

/// The table that a name of one to three parts means in the session.
fn resolved(path: &[String], session: &SqlSession) -> Option<FullName> {
    let project = || session.project.to_string();
    let (project, schema, table) = match path {
        [table] => (project(), session.schema.clone(), table.clone()),
        [schema, table] => (project(), schema.clone(), table.clone()),
        [project, schema, table] => (project.clone(), schema.clone(), table.clone()),
        _ => return None,
    };
    Some(FullName { project, schema, table })
}

/// The table that the name before a dot means: an alias or the last part of a table's name.
fn owner<'a>(name: &str, tables: &'a [NamedTable]) -> Option<&'a NamedTable> {
    let is_last = |table: &&NamedTable| table.path.last().is_some_and(|last| last.eq_ignore_ascii_case(name));
    let is_alias = |table: &&NamedTable| table.alias.as_deref().is_some_and(|alias| alias.eq_ignore_ascii_case(name));
    tables.iter().find(is_alias).or_else(|| tables.iter().find(is_last))
}

impl Completer {
    pub fn new(catalog: Catalog, session: Signal<SqlSession>) -> Self {
        Self { catalog, session, words: RwSignal::new(None) }
    }

    /// What to offer.
    pub async fn answer(self, question: Question) -> Vec<Completion> {
        let Some(session) = self.session.try_get_untracked() else { return Vec::new() };
        match question.path.as_slice() {
            [] => self.unqualified(&question, &session).await,
            path => self.qualified(path, &question, &session).await,
        }
    }

    async fn unqualified(self, question: &Question, session: &SqlSession) -> Vec<Completion> {
        let keyword = question.keyword.as_str();
        let project = session.project.to_string();
        let mut found = Vec::new();
        if BEFORE_TABLES.contains(&keyword) {
            found.extend(self.tables(&project, &session.schema).await);
            found.extend(self.schemas(&project).await);
            found.extend(self.projects().await);
        } else if BEFORE_SCHEMAS.contains(&keyword) {
            found.extend(self.schemas(&project).await);
            found.extend(self.projects().await);
        } else {
            for table in &question.tables {
                found.extend(self.columns(table, session).await);
                found.extend(table.alias.as_ref().map(|alias| named(alias, "variable", table.path.join("."), TABLE)));
            }
        }
        found.extend(self.words(keyword).await);
        found
    }

    async fn qualified(self, path: &[String], question: &Question, session: &SqlSession) -> Vec<Completion> {
        let project = session.project.to_string();
        match path {
            [name] => {
                if let Some(table) = owner(name, &question.tables) {
                    let columns = self.columns(table, session).await;
                    if !columns.is_empty() {
                        return columns;
                    }
                }
                let mut found = self.tables(&project, name).await;
                if !name.eq_ignore_ascii_case(&project) && found.is_empty() {
                    found = self.schemas(name).await;
                } else if name.eq_ignore_ascii_case(&project) {
                    found.extend(self.schemas(&project).await);
                }
                found
            }
            [first, second] => {
                let table = NamedTable { path: vec![first.clone(), second.clone()], alias: None };
                let mut found = self.tables(first, second).await;
                if found.is_empty() {
                    found = self.columns(&table, session).await;
                }
                found
            }
            path => self.columns(&NamedTable { path: path.to_vec(), alias: None }, session).await,
        }
    }

    async fn columns(self, table: &NamedTable, session: &SqlSession) -> Vec<Completion> {
        let Some(FullName { project, schema, table }) = resolved(&table.path, session) else { return Vec::new() };
        let column = |column: Column| named(&column.name, "property", column.data_type.to_uppercase(), COLUMN);
        self.catalog.columns(&project, &schema, &table).await.into_iter().map(column).collect()
    }

    async fn tables(self, project: &str, schema: &str) -> Vec<Completion> {
        let place = Place::Tables { project: project.into(), schema: schema.into() };
        let names = self.catalog.names(place).await;
        names.iter().map(|name| named(name, "type", schema.to_owned(), TABLE)).collect()
    }

    async fn schemas(self, project: &str) -> Vec<Completion> {
        let names = self.catalog.names(Place::Schemas { project: project.into() }).await;
        names.iter().map(|name| named(name, "namespace", project.to_owned(), SCHEMA)).collect()
    }

    async fn projects(self) -> Vec<Completion> {
        let names = self.catalog.names(Place::Projects).await;
        names.iter().map(|name| named(name, "namespace", crate::tr!(frame.project).to_owned(), 0)).collect()
    }

    /// Words of the dialect; settings only behind SET.
    async fn words(self, keyword: &str) -> Vec<Completion> {
        let known = self.words.try_get_untracked().flatten();
        let words = match known {
            Some(words) => words,
            None => {
                let Ok(words) = completion_words().await else { return Vec::new() };
                let words = Arc::new(words);
                self.words.try_set(Some(words.clone()));
                words
            }
        };
        let is_set = matches!(keyword, "SET" | "UNSET" | "RESET");
        let fits = |word: &&String| word.contains('.') == is_set;
        words.iter().filter(fits).map(|word| word_completion(word)).collect()
    }
}

fn word_completion(word: &str) -> Completion {
    let is_keyword = word.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c == ' ');
    let kind = if is_keyword { "keyword" } else { "function" };
    let boost = if is_keyword { 0 } else { -1 };
    Completion { label: word.to_owned(), apply: None, kind, detail: String::new(), boost }
}

fn named(name: &str, kind: &'static str, detail: String, boost: i32) -> Completion {
    let quoted = quoted(name);
    let apply = (quoted != name).then_some(quoted);
    Completion { label: name.to_owned(), apply, kind, detail, boost }
}

/// A name as it stands in SQL: in back quotes unless it is plain.
pub fn quoted(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_plain { name.to_owned() } else { format!("`{}`", name.replace('`', "``")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::names::ProjectName;

    fn path(name: &str) -> Vec<String> {
        name.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn names_of_the_session() {
        let session = SqlSession::new(ProjectName::parse("lake").expect("valid"));
        let check = |name: &str, expected: &str| {
            let full = resolved(&path(name), &session).map(|f| format!("{}/{}/{}", f.project, f.schema, f.table));
            assert_eq!(full.as_deref(), (!expected.is_empty()).then_some(expected), "{name}");
        };
        check("t", "lake/default/t");
        check("s.t", "lake/s/t");
        check("p.s.t", "p/s/t");
        check("p.s.t.c", "");
    }

    #[test]
    fn aliases_come_before_names() {
        let table = |name: &str, alias: Option<&str>| NamedTable { path: path(name), alias: alias.map(str::to_owned) };
        let tables = [table("s.orders", None), table("people", Some("ORDERS"))];
        assert_eq!(owner("orders", &tables), Some(&tables[1]));
        assert_eq!(owner("People", &tables), Some(&tables[1]));
        assert_eq!(owner("x", &tables), None);
    }

    #[test]
    fn quotes_where_needed() {
        assert_eq!(
            ["test_tbl", "Test", "a-b", "a`b", "1a"].map(quoted),
            ["test_tbl", "`Test`", "`a-b`", "`a``b`", "`1a`"]
        );
    }
}

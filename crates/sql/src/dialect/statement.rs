//! Tokens to statements: one function for each verb.

use super::ast::*;
use super::create_table;
use super::cursor::{Cursor, Result};
use super::error::{SyntaxError, nearest};
use super::insert;
use super::lexer::{Token, TokenKind};
use super::query;
use model::worksheet::Span;

/// What a statement leaves beside itself.
#[derive(Default)]
pub(super) struct Notes {
    /// Where the statement begins in the script: lines and columns count from there.
    pub start: usize,
    pub warnings: Vec<String>,
    /// EXPLAIN was seen already.
    pub is_explained: bool,
}

impl Notes {
    /// Notes a warning once.
    pub fn warn(&mut self, warning: &str) {
        if !self.warnings.iter().any(|other| other == warning) {
            self.warnings.push(warning.to_owned());
        }
    }
}

/// The verbs, for `did you mean`.
#[rustfmt::skip]
pub(super) const VERBS: &[&str] = &[
    "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "FROM", "VALUES", "CREATE", "DROP", "ALTER", "TRUNCATE",
    "DESC", "DESCRIBE", "SHOW", "USE", "SET", "UNSET", "RESET", "EXPLAIN", "ANALYZE", "CALL", "COST", "KILL",
    "STATUS", "WAIT", "GRANT", "REVOKE", "WHOAMI", "LIST", "SETPROJECT", "CLONE", "MSCK", "PURGE", "RESTORE", "UNDO",
];

/// The other words of statements, for completion.
#[rustfmt::skip]
pub(super) const WORDS: &[&str] = &[
    "ADD", "BUCKETS", "CASCADE", "CHANGE", "CLUSTERED", "COLUMN", "COLUMNS", "COMMENT", "DATABASE", "DATABASES",
    "DBPROPERTIES", "DEFAULT", "ENFORCED", "EXTENDED", "EXISTS", "FUNCTIONS", "IF", "INTO", "KEY", "LIFECYCLE",
    "OVERWRITE", "PARTITIONED", "PARTITIONS", "PRIMARY", "PROJECT", "PROJECTS", "RENAME", "RESTRICT", "SCHEMA",
    "SCHEMAS", "SORTED", "STORED", "TABLES", "TBLPROPERTIES", "TO", "VERSION", "VIEWS",
];

/// Statements of which only the first words are read.
#[rustfmt::skip]
const OPAQUE: &[&str] = &[
    "ADD", "ANALYZE", "ATTACH", "CALL", "COPY", "DEALLOCATE", "DETACH", "EXECUTE", "EXPORT", "GET", "GRANT", "IMPORT",
    "INSTALL", "KILL", "LIST", "LOAD", "PRAGMA", "PREPARE", "PURGE", "PUT", "REMOVE", "REVOKE", "SETPROJECT",
    "STATUS", "UNLOAD", "WAIT",
];

/// Whether a statement that begins with this word may hold what is no token: file names, ids, free text.
pub(super) fn is_opaque(verb: &str) -> bool {
    OPAQUE.iter().any(|opaque| opaque.eq_ignore_ascii_case(verb))
}

/// The statement that the tokens are.
pub(super) fn parse(cursor: &mut Cursor<'_>, notes: &mut Notes) -> Result<Statement> {
    let start = cursor.span();
    let Some(first) = cursor.peek() else { return Err(cursor.expected(&["a statement"])) };
    let verb = match &first.kind {
        TokenKind::Word(word) => word.to_ascii_uppercase(),
        TokenKind::Symbol("(") => return query_statement(cursor, notes),
        _ => return Err(cursor.expected(&["a statement"])),
    };
    match verb.as_str() {
        "SELECT" | "VALUES" => query_statement(cursor, notes),
        "WITH" => with(cursor, notes),
        "FROM" => insert::from_first(cursor, notes, &[]),
        "INSERT" => insert::parse(cursor, notes, &[]).map(|insert| Statement::Insert(Box::new(insert))),
        _ => {
            cursor.next();
            match verb.as_str() {
                "SHOW" => show(cursor),
                "USE" => use_(cursor),
                "UNSET" | "RESET" => unset(cursor),
                "CREATE" => create(cursor, notes, start),
                "DROP" => drop(cursor, start),
                "TRUNCATE" => truncate(cursor),
                "DESC" | "DESCRIBE" => describe(cursor),
                "EXPLAIN" => explain(cursor, notes, start),
                "COST" => {
                    cursor.expect_keyword("SQL")?;
                    not_yet("COST SQL")
                }
                "ALTER" => alter(cursor),
                "GRANT" | "REVOKE" | "WHOAMI" | "UPDATE" | "DELETE" | "MERGE" | "CALL" | "KILL" | "STATUS" | "WAIT"
                | "LIST" | "SETPROJECT" | "CLONE" | "MSCK" | "PURGE" | "RESTORE" | "UNDO" | "READ" => {
                    not_yet(word_of(&verb))
                }
                "ANALYZE" => {
                    cursor.expect_keyword("TABLE")?;
                    not_yet("ANALYZE TABLE")
                }
                "ADD" | "REMOVE" | "GET" | "PUT" => Err(not_in_external_project(cursor, start, 2)),
                "COPY" | "LOAD" | "UNLOAD" | "PREPARE" | "EXECUTE" | "DEALLOCATE" | "ATTACH" | "DETACH" | "INSTALL"
                | "PRAGMA" | "IMPORT" | "EXPORT" | "REFRESH" | "LOCK" | "UNLOCK" => Err(refused(start, &verb)),
                "BEGIN" | "START" | "COMMIT" | "ROLLBACK" => Err(SyntaxError::semantic(
                    start,
                    format!("{verb} is not supported: each statement commits on its own"),
                )),
                _ => Err(unknown_verb(cursor, first)),
            }
        }
    }
}

/// A verb that is not executed yet, by its name.
fn not_yet(verb: &'static str) -> Result<Statement> {
    Ok(Statement::NotYet(NotYet { verb }))
}

/// The verb's text with a lifetime that outlives the script.
fn word_of(verb: &str) -> &'static str {
    VERBS.iter().copied().find(|known| *known == verb).unwrap_or("READ")
}

fn refused(at: Span, what: &str) -> SyntaxError {
    SyntaxError::semantic(at, format!("{what} is not supported"))
}

/// Resources and functions: the first `n` words name the thing.
fn not_in_external_project(cursor: &Cursor<'_>, start: Span, n: usize) -> SyntaxError {
    let words = cursor.tokens.iter().filter_map(|token| match &token.kind {
        TokenKind::Word(word) => Some(word.to_ascii_uppercase()),
        _ => None,
    });
    let what: Vec<String> = words.take(n).collect();
    refused_in_external_project(start, &what.join(" "))
}

fn refused_in_external_project(at: Span, what: &str) -> SyntaxError {
    SyntaxError::semantic(at, format!("{what} is not supported in external project"))
}

fn unknown_verb(cursor: &Cursor<'_>, first: &Token) -> SyntaxError {
    let word = cursor.quote(first.span);
    let error = SyntaxError::new(first.span, format!("invalid token '{word}'"));
    match nearest(&word, VERBS.iter().copied()) {
        Some(meant) => error.suggest(meant),
        None => SyntaxError { message: format!("{}, expect a statement", error.message), ..error },
    }
}

fn query_statement(cursor: &mut Cursor<'_>, notes: &mut Notes) -> Result<Statement> {
    let query = query::parse(cursor.rest(), cursor.script, notes)?;
    Ok(Statement::Query(Box::new(query)))
}

/// `WITH … SELECT`, `WITH … INSERT …`, `WITH … FROM … INSERT …`.
fn with(cursor: &mut Cursor<'_>, notes: &mut Notes) -> Result<Statement> {
    let rest = cursor.rest();
    let mut depth = 0usize;
    let mut main = None;
    for (index, token) in rest.iter().enumerate() {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && (token.is_keyword("INSERT") || token.is_keyword("FROM") || token.is_keyword("SELECT")) {
            main = Some(index);
            break;
        }
    }
    let Some(main) = main.filter(|main| !rest[*main].is_keyword("SELECT")) else {
        return query_statement(cursor, notes);
    };
    let ctes = &rest[..main];
    cursor.at += main;
    if cursor.is_keyword("INSERT") {
        insert::parse(cursor, notes, ctes).map(|insert| Statement::Insert(Box::new(insert)))
    } else {
        insert::from_first(cursor, notes, ctes)
    }
}

fn explain(cursor: &mut Cursor<'_>, notes: &mut Notes, start: Span) -> Result<Statement> {
    if notes.is_explained {
        return Err(SyntaxError::new(start, "EXPLAIN of EXPLAIN"));
    }
    if cursor.keyword("ANALYZE") || cursor.keyword("ANALYSE") {
        return not_yet("EXPLAIN ANALYZE");
    }
    let extended = cursor.keyword("EXTENDED") || cursor.keyword("VERBOSE");
    cursor.keywords(&["PLAN", "FOR"]);
    notes.is_explained = true;
    let at = cursor.span();
    let statement = parse(cursor, notes)?;
    match &statement {
        Statement::Query(_) | Statement::Insert(_) | Statement::MultiInsert(_) => {}
        Statement::CreateTable(create) if create.source.is_some() => {}
        other => return Err(SyntaxError::semantic(at, format!("{} cannot be explained", other.verb()))),
    }
    Ok(Statement::Explain(Box::new(Explain { statement, extended })))
}

fn show(cursor: &mut Cursor<'_>) -> Result<Statement> {
    #[rustfmt::skip]
    const WHAT: &[&str] = &[
        "SCHEMAS", "DATABASES", "TABLES", "VIEWS", "FUNCTIONS", "PROJECTS", "CATALOGS", "PARTITIONS", "COLUMNS",
        "CREATE", "HISTORY", "TAGS", "BRANCHES", "SNAPSHOTS", "GRANTS", "P", "PROC", "PROCESSLIST", "INSTANCES",
        "ROLES", "USERS", "FLAGS", "PRIVILEGES", "PRIV", "CURRENT", "ACL", "SECURITYCONFIGURATION",
    ];
    let Some(what) = cursor.one_of(WHAT) else {
        return Err(cursor.expected(&WHAT[..9]));
    };
    let statement = match what {
        "SCHEMAS" | "DATABASES" => {
            let project =
                if cursor.one_of(&["IN", "FROM"]).is_some() { Some(cursor.ident("a project")?) } else { None };
            Statement::ShowSchemas(ShowSchemas { project, like: like(cursor)? })
        }
        "TABLES" => Statement::ShowTables(show_tables(cursor)?),
        "VIEWS" => Statement::ShowViews(show_tables(cursor)?),
        "FUNCTIONS" => Statement::ShowFunctions { like: like(cursor)? },
        "PROJECTS" | "CATALOGS" => Statement::ShowProjects,
        "PARTITIONS" => {
            cursor.one_of(&["FROM", "IN"]);
            Statement::ShowPartitions { table: cursor.table()?, partition: cursor.optional_partition()? }
        }
        "COLUMNS" => {
            if cursor.one_of(&["FROM", "IN"]).is_none() {
                return Err(cursor.expected(&["FROM", "IN"]));
            }
            Statement::ShowColumns { table: cursor.table()? }
        }
        "CREATE" => {
            cursor.expect_keyword("TABLE")?;
            Statement::ShowCreateTable { table: cursor.table()? }
        }
        "HISTORY" => return not_yet("SHOW HISTORY"),
        "TAGS" => return not_yet("SHOW TAGS"),
        "BRANCHES" => return not_yet("SHOW BRANCHES"),
        "SNAPSHOTS" => return not_yet("SHOW SNAPSHOTS"),
        "GRANTS" | "PRIV" | "PRIVILEGES" | "ACL" => return not_yet("SHOW GRANTS"),
        "P" | "PROC" | "PROCESSLIST" | "INSTANCES" => return not_yet("SHOW P"),
        "ROLES" => return not_yet("SHOW ROLES"),
        "USERS" => return not_yet("SHOW USERS"),
        "FLAGS" => return not_yet("SHOW FLAGS"),
        "CURRENT" => return not_yet("SHOW CURRENT"),
        _ => return not_yet("SHOW SECURITYCONFIGURATION"),
    };
    cursor.expect_end()?;
    Ok(statement)
}

fn show_tables(cursor: &mut Cursor<'_>) -> Result<ShowTables> {
    let schema = if cursor.one_of(&["IN", "FROM"]).is_some() { Some(cursor.name("a schema", 2)?) } else { None };
    Ok(ShowTables { schema, like: like(cursor)? })
}

/// `LIKE 'x*'`, or the pattern alone.
fn like(cursor: &mut Cursor<'_>) -> Result<Option<String>> {
    let is_text_next = matches!(cursor.peek().map(|token| &token.kind), Some(TokenKind::Text(_)));
    if cursor.keyword("LIKE") || is_text_next { cursor.text("a pattern in quotes").map(Some) } else { Ok(None) }
}

fn use_(cursor: &mut Cursor<'_>) -> Result<Statement> {
    // A schema may be called `schema`: the word is a keyword only before a name.
    let has_name_behind = cursor.peek_nth(1).is_some_and(|token| !token.is_symbol("."));
    let kind =
        if has_name_behind { cursor.one_of(&["SCHEMA", "DATABASE", "NAMESPACE", "PROJECT", "CATALOG"]) } else { None };
    let target = match kind {
        Some("PROJECT" | "CATALOG") => {
            let name = cursor.name("a project", 2)?;
            let mut parts = name.parts.into_iter();
            let project = parts.next().expect("a name has at least one part");
            let schema = match parts.next() {
                Some(schema) => Some(schema),
                None => schema_behind_hyphens(cursor)?,
            };
            Use::Project { project, schema }
        }
        Some(_) => Use::Schema(cursor.name("a schema", 2)?),
        None => {
            let name = cursor.name("a schema or project", 2)?;
            let mut parts = name.parts.into_iter();
            let first = parts.next().expect("a name has at least one part");
            match parts.next() {
                None => match schema_behind_hyphens(cursor)? {
                    Some(schema) => Use::Project { project: first, schema: Some(schema) },
                    None => Use::SchemaOrProject(first),
                },
                Some(schema) => Use::ProjectAndSchema { project: first, schema },
            }
        }
    };
    cursor.expect_end()?;
    Ok(Statement::Use(target))
}

/// `--s` of `USE p --s`.
fn schema_behind_hyphens(cursor: &mut Cursor<'_>) -> Result<Option<Ident>> {
    if cursor.symbol("--") { cursor.ident("a schema").map(Some) } else { Ok(None) }
}

/// `UNSET k`; the key may have points, hyphens and quotes.
fn unset(cursor: &mut Cursor<'_>) -> Result<Statement> {
    let start = cursor.span();
    let key = match cursor.rest() {
        [] => return Err(cursor.expected(&["a key"])),
        [Token { kind: TokenKind::Text(key) | TokenKind::Quoted(key), .. }] => key.clone(),
        [first, .., last] => cursor.script[first.span.start..last.span.end].to_owned(),
        [only] => cursor.script[only.span.start..only.span.end].to_owned(),
    };
    super::setting::checked_key(&key, start)?;
    Ok(Statement::Unset { key })
}

fn create(cursor: &mut Cursor<'_>, notes: &mut Notes, start: Span) -> Result<Statement> {
    let what = [
        "TABLE",
        "SCHEMA",
        "DATABASE",
        "EXTERNAL",
        "OR",
        "VIEW",
        "MATERIALIZED",
        "FUNCTION",
        "TEMPORARY",
        "TEMP",
        "SQL",
        "UNLOGGED",
        "GLOBAL",
        "LOCAL",
        "RESOURCE",
        "PACKAGE",
        "ROLE",
        "USER",
        "TAG",
        "BRANCH",
        "INDEX",
        "CATALOG",
        "PROJECT",
        "MODEL",
        "SERVER",
        "SEQUENCE",
        "TRIGGER",
        "PROCEDURE",
        "EXTENSION",
        "BLOOMFILTER",
    ];
    match cursor.one_of(&what) {
        Some("TABLE") => create_table::parse(cursor, notes).map(|create| Statement::CreateTable(Box::new(create))),
        Some("SCHEMA" | "DATABASE") => create_schema(cursor),
        Some("OR") => {
            cursor.expect_keyword("REPLACE")?;
            match cursor.one_of(&["TABLE", "VIEW", "FUNCTION", "TEMPORARY", "MATERIALIZED"]) {
                Some("TABLE") => not_yet("CREATE OR REPLACE TABLE"),
                Some("VIEW") => not_yet("CREATE OR REPLACE VIEW"),
                Some(_) => Err(refused_in_external_project(start, "CREATE OR REPLACE")),
                None => Err(cursor.expected(&["TABLE", "VIEW"])),
            }
        }
        Some("VIEW") => not_yet("CREATE VIEW"),
        Some("MATERIALIZED") => not_yet("CREATE MATERIALIZED VIEW"),
        Some("ROLE") => not_yet("CREATE ROLE"),
        Some("USER") => not_yet("CREATE USER"),
        Some("TAG") => not_yet("CREATE TAG"),
        Some("BRANCH") => not_yet("CREATE BRANCH"),
        Some("INDEX") => not_yet("CREATE INDEX"),
        Some("EXTERNAL") => {
            cursor.expect_keyword("TABLE")?;
            Err(refused_in_external_project(start, "CREATE EXTERNAL TABLE"))
        }
        Some("SQL") => Err(refused_in_external_project(start, "CREATE SQL FUNCTION")),
        Some(other) => Err(refused_in_external_project(start, &format!("CREATE {other}"))),
        None => Err(cursor.expected(&["TABLE", "SCHEMA"])),
    }
}

fn create_schema(cursor: &mut Cursor<'_>) -> Result<Statement> {
    let if_not_exists = cursor.keywords(&["IF", "NOT", "EXISTS"]);
    let name = cursor.name("a schema name", 2)?;
    let comment = cursor.comment()?;
    let properties = if cursor.keyword("WITH") {
        cursor.one_of(&["DBPROPERTIES", "PROPERTIES"]);
        cursor.properties()?.into_iter().map(|(key, value)| (key.value, value)).collect()
    } else {
        Vec::new()
    };
    cursor.expect_end()?;
    Ok(Statement::CreateSchema(CreateSchema { if_not_exists, name, comment, properties }))
}

fn drop(cursor: &mut Cursor<'_>, start: Span) -> Result<Statement> {
    let what = [
        "TABLE",
        "SCHEMA",
        "DATABASE",
        "VIEW",
        "MATERIALIZED",
        "FUNCTION",
        "RESOURCE",
        "PACKAGE",
        "ROLE",
        "USER",
        "TAG",
        "BRANCH",
        "INDEX",
        "PROJECT",
        "EXTERNAL",
        "TEMPORARY",
    ];
    let statement = match cursor.one_of(&what) {
        Some("TABLE") => {
            let if_exists = cursor.keywords(&["IF", "EXISTS"]);
            Statement::DropTable(DropTable { if_exists, name: cursor.table()?, purge: cursor.keyword("PURGE") })
        }
        Some("SCHEMA" | "DATABASE") => {
            let if_exists = cursor.keywords(&["IF", "EXISTS"]);
            let name = cursor.name("a schema name", 2)?;
            let cascade = cursor.one_of(&["CASCADE", "RESTRICT"]) == Some("CASCADE");
            Statement::DropSchema(DropSchema { if_exists, name, cascade })
        }
        Some("VIEW") => return not_yet("DROP VIEW"),
        Some("MATERIALIZED") => return not_yet("DROP MATERIALIZED VIEW"),
        Some("ROLE") => return not_yet("DROP ROLE"),
        Some("USER") => return not_yet("DROP USER"),
        Some("TAG") => return not_yet("DROP TAG"),
        Some("BRANCH") => return not_yet("DROP BRANCH"),
        Some("INDEX") => return not_yet("DROP INDEX"),
        Some(other) => return Err(refused_in_external_project(start, &format!("DROP {other}"))),
        None => return Err(cursor.expected(&["TABLE", "SCHEMA"])),
    };
    cursor.expect_end()?;
    Ok(statement)
}

fn alter(cursor: &mut Cursor<'_>) -> Result<Statement> {
    match cursor.one_of(&["TABLE", "SCHEMA", "DATABASE", "VIEW", "MATERIALIZED", "USER", "ROLE", "PROJECT"]) {
        Some("TABLE") => {
            cursor.table()?;
            if cursor.is_at_end() {
                let what = ["ADD", "DROP", "RENAME", "CHANGE", "SET", "PARTITION"];
                return Err(cursor.expected(&what));
            }
            not_yet("ALTER TABLE")
        }
        Some("SCHEMA" | "DATABASE") => not_yet("ALTER SCHEMA"),
        Some("VIEW" | "MATERIALIZED") => not_yet("ALTER VIEW"),
        Some(_) => not_yet("ALTER"),
        None => Err(cursor.expected(&["TABLE", "SCHEMA"])),
    }
}

fn truncate(cursor: &mut Cursor<'_>) -> Result<Statement> {
    cursor.expect_keyword("TABLE")?;
    let table = cursor.table()?;
    let mut partitions = Vec::new();
    if let Some(first) = cursor.optional_partition()? {
        partitions.push(first);
        while cursor.symbol(",") {
            cursor.expect_keyword("PARTITION")?;
            partitions.push(cursor.partition_spec()?);
        }
    }
    cursor.expect_end()?;
    let dynamic = partitions.iter().flat_map(|spec| &spec.keys).find(|key| key.value.is_none());
    if let Some(key) = dynamic {
        let text = format!("partition column {} needs a value", key.column.value);
        return Err(SyntaxError::semantic(key.column.span, text));
    }
    Ok(Statement::Truncate { table, partitions })
}

fn describe(cursor: &mut Cursor<'_>) -> Result<Statement> {
    // A table may be called `schema`: the word is a keyword only before a name.
    let has_name_behind =
        cursor.peek_nth(1).is_some_and(|token| !token.is_symbol(".") && !token.is_keyword("PARTITION"));
    let words = [
        "SCHEMA",
        "DATABASE",
        "EXTENDED",
        "FORMATTED",
        "TABLE",
        "FUNCTION",
        "PROJECT",
        "INSTANCE",
        "ROLE",
        "USER",
        "HISTORY",
        "RESOURCE",
        "PACKAGE",
        "VIEW",
    ];
    let kind = if has_name_behind { cursor.one_of(&words) } else { None };
    let statement = match kind {
        Some("SCHEMA" | "DATABASE") => {
            cursor.keyword("EXTENDED");
            Statement::DescribeSchema { schema: cursor.name("a schema", 2)? }
        }
        Some("FUNCTION") => return not_yet("DESC FUNCTION"),
        Some("PROJECT") => return not_yet("DESC PROJECT"),
        Some("INSTANCE") => return not_yet("DESC INSTANCE"),
        Some("ROLE" | "USER") => return not_yet("DESC ROLE"),
        Some("HISTORY") => return not_yet("DESC HISTORY"),
        Some(other @ ("RESOURCE" | "PACKAGE")) => {
            return Err(refused_in_external_project(cursor.span(), &format!("DESC {other}")));
        }
        _ => {
            let extended = matches!(kind, Some("EXTENDED" | "FORMATTED"));
            let table = cursor.table()?;
            Statement::Describe(Describe { table, extended, partition: cursor.optional_partition()? })
        }
    };
    cursor.expect_end()?;
    Ok(statement)
}

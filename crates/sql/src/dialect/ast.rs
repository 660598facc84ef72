//! The typed statement: what the text says, before any name is looked up.

use super::types::SqlType;
use datafusion::sql::sqlparser::ast as sqlparser;
use model::worksheet::Span;
use std::fmt;

/// One sentence of a script.
#[derive(Clone, Debug)]
pub struct ParsedStatement {
    pub statement: Statement,
    /// The sentence as written, without its `;`.
    pub text: String,
    /// Where `text` stands in the script, in bytes.
    pub span: Span,
    /// `/*+ … */` and `--+ …`, in the order written.
    pub hints: Vec<Hint>,
    /// Things that were read and have no effect, one line each.
    pub warnings: Vec<String>,
}

/// `MAPJOIN(a, b)` of `/*+ MAPJOIN(a, b) */`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Upper case.
    pub name: String,
    pub arguments: Vec<String>,
}

/// Every kind of sentence. A new one is added here, in `statement.rs` and where the engine executes it.
#[derive(Clone, Debug)]
pub enum Statement {
    Set(Setting),
    /// `SET;` lists what was set.
    ShowSettings,
    /// `UNSET k`, `RESET k`.
    Unset {
        key: String,
    },
    ShowSchemas(ShowSchemas),
    ShowTables(ShowTables),
    ShowViews(ShowTables),
    ShowFunctions {
        like: Option<String>,
    },
    ShowProjects,
    ShowPartitions {
        table: Name,
        partition: Option<PartitionSpec>,
    },
    ShowColumns {
        table: Name,
    },
    ShowCreateTable {
        table: Name,
    },
    Use(Use),
    CreateSchema(CreateSchema),
    DropSchema(DropSchema),
    DescribeSchema {
        schema: Name,
    },
    Describe(Describe),
    CreateTable(Box<CreateTable>),
    DropTable(DropTable),
    Truncate {
        table: Name,
        partitions: Vec<PartitionSpec>,
    },
    Insert(Box<Insert>),
    /// `FROM … INSERT … INSERT …`: each part has the whole source, its own select list and its own target.
    MultiInsert(Vec<Insert>),
    Query(Box<Query>),
    Explain(Box<Explain>),
    /// Valid, recognised, and not executed yet.
    NotYet(NotYet),
}

impl Statement {
    /// The verb for the tab: `SELECT`, `CREATE TABLE`.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Set(_) | Self::ShowSettings => "SET",
            Self::Unset { .. } => "UNSET",
            Self::ShowSchemas(_) => "SHOW SCHEMAS",
            Self::ShowTables(_) => "SHOW TABLES",
            Self::ShowViews(_) => "SHOW VIEWS",
            Self::ShowFunctions { .. } => "SHOW FUNCTIONS",
            Self::ShowProjects => "SHOW PROJECTS",
            Self::ShowPartitions { .. } => "SHOW PARTITIONS",
            Self::ShowColumns { .. } => "SHOW COLUMNS",
            Self::ShowCreateTable { .. } => "SHOW CREATE TABLE",
            Self::Use(_) => "USE",
            Self::CreateSchema(_) => "CREATE SCHEMA",
            Self::DropSchema(_) => "DROP SCHEMA",
            Self::DescribeSchema { .. } => "DESC SCHEMA",
            Self::Describe(_) => "DESC",
            Self::CreateTable(_) => "CREATE TABLE",
            Self::DropTable(_) => "DROP TABLE",
            Self::Truncate { .. } => "TRUNCATE TABLE",
            Self::Insert(insert) if insert.overwrite => "INSERT OVERWRITE",
            Self::Insert(_) => "INSERT",
            Self::MultiInsert(_) => "INSERT",
            Self::Query(_) => "SELECT",
            Self::Explain(_) => "EXPLAIN",
            Self::NotYet(not_yet) => not_yet.verb,
        }
    }

    /// SET and USE print no `ID = …`.
    pub fn has_instance_id(&self) -> bool {
        !matches!(self, Self::Set(_) | Self::ShowSettings | Self::Unset { .. } | Self::Use(_))
    }

    /// The queries inside, for authorisation and planning.
    pub fn queries(&self) -> Vec<&Query> {
        match self {
            Self::Query(query) => vec![query],
            Self::Insert(insert) => vec![&insert.source],
            Self::MultiInsert(parts) => parts.iter().map(|insert| &insert.source).collect(),
            Self::CreateTable(create) => match &create.source {
                Some(TableSource::Query(query)) => vec![query],
                _ => Vec::new(),
            },
            Self::Explain(explain) => explain.statement.queries(),
            _ => Vec::new(),
        }
    }
}

/// `SET k=v`: both without blanks around, the value without the quotes around.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub key: String,
    pub value: String,
    /// Where the key stands.
    pub span: Span,
}

/// An identifier as written, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident {
    /// Without back quotes.
    pub value: String,
    /// Written in back quotes: a new name keeps its case.
    pub quoted: bool,
    pub span: Span,
}

impl Ident {
    /// The name under which a new thing is stored: lower case unless back-quoted.
    pub fn stored(&self) -> String {
        if self.quoted { self.value.clone() } else { self.value.to_lowercase() }
    }

    /// Finds the one that is meant: the exact one, else the only one that differs in case alone.
    pub fn find<'a, T>(&self, candidates: &'a [T], name: impl Fn(&T) -> &str) -> Found<'a, T> {
        if let Some(exact) = candidates.iter().find(|candidate| name(candidate) == self.value) {
            return Found::One(exact);
        }
        let wanted = self.value.to_lowercase();
        let mut similar = candidates.iter().filter(|candidate| name(candidate).to_lowercase() == wanted);
        match (similar.next(), similar.next()) {
            (None, _) => Found::None,
            (Some(one), None) => Found::One(one),
            (Some(_), Some(_)) => Found::Ambiguous,
        }
    }
}

/// What [`Ident::find`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a, T> {
    None,
    One(&'a T),
    /// Several differ in case alone.
    Ambiguous,
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.quoted { write!(f, "`{}`", self.value.replace('`', "``")) } else { f.write_str(&self.value) }
    }
}

/// A name of one to three parts. What the parts mean depends on `odps.namespace.schema`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub parts: Vec<Ident>,
}

impl Name {
    /// Where it stands in the script.
    pub fn span(&self) -> Span {
        let start = self.parts.first().map_or(0, |part| part.span.start);
        Span { start, end: self.parts.last().map_or(start, |part| part.span.end) }
    }

    /// The last part.
    pub fn last(&self) -> &Ident {
        self.parts.last().expect("a name has at least one part")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            write!(f, "{part}")?;
        }
        Ok(())
    }
}

/// A constant, for DEFAULT, partition values and time travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    Null,
    Boolean(bool),
    /// Digits with sign, point and exponent as written, without the suffix.
    Number(String),
    String(String),
    Binary(Vec<u8>),
    /// `DATE '2024-07-18'`, `10L`.
    Typed {
        data_type: SqlType,
        text: String,
    },
}

impl Literal {
    /// Its text, before any cast; `None` for NULL.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Boolean(value) => Some(value.to_string()),
            Self::Number(text) | Self::String(text) | Self::Typed { text, .. } => Some(text.clone()),
            Self::Binary(bytes) => Some(bytes.iter().map(|byte| format!("{byte:02X}")).collect()),
        }
    }
}

/// `PARTITION (p1='a', p2)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionSpec {
    pub keys: Vec<PartitionKey>,
    pub span: Span,
}

/// One key: static with a value, dynamic without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionKey {
    pub column: Ident,
    pub value: Option<Literal>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShowSchemas {
    pub project: Option<Ident>,
    /// `*` wildcards, `|` alternatives.
    pub like: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShowTables {
    /// `s` or `p.s`.
    pub schema: Option<Name>,
    pub like: Option<String>,
}

/// The forms of USE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// `USE SCHEMA s`.
    Schema(Name),
    /// `USE PROJECT p`, `USE p --s`.
    Project { project: Ident, schema: Option<Ident> },
    /// `USE x`: a schema if there is one of that name, else a project.
    SchemaOrProject(Ident),
    /// `USE p.s`.
    ProjectAndSchema { project: Ident, schema: Ident },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateSchema {
    pub if_not_exists: bool,
    /// `s` or `p.s`.
    pub name: Name,
    pub comment: Option<String>,
    pub properties: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropSchema {
    pub if_exists: bool,
    pub name: Name,
    /// RESTRICT is the default.
    pub cascade: bool,
}

/// `DESC [EXTENDED] t [PARTITION (…)]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Describe {
    pub table: Name,
    pub extended: bool,
    pub partition: Option<PartitionSpec>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropTable {
    pub if_exists: bool,
    pub name: Name,
    pub purge: bool,
}

/// CREATE TABLE in all its forms.
#[derive(Clone, Debug)]
pub struct CreateTable {
    pub if_not_exists: bool,
    pub name: Name,
    /// Without partition columns that only PARTITIONED BY declares.
    pub columns: Vec<ColumnDefinition>,
    pub primary_key: Option<PrimaryKey>,
    pub comment: Option<String>,
    pub partitioned_by: Vec<PartitionColumn>,
    pub clustered_by: Option<ClusteredBy>,
    /// Of `STORED AS`; `STORED BY 'paimon'` leaves it out.
    pub file_format: Option<FileFormat>,
    /// TBLPROPERTIES or WITH, in the order written.
    pub options: Vec<TableOption>,
    pub lifecycle_days: Option<u32>,
    /// Whose meaning the types had; they are resolved already.
    pub form: Form,
    pub source: Option<TableSource>,
}

/// Whose CREATE TABLE it is: bare `TIMESTAMP` and `DECIMAL` mean different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    MaxCompute,
    Flink,
}

#[derive(Clone, Debug)]
pub enum TableSource {
    Like(Name),
    Query(Query),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnDefinition {
    pub name: Ident,
    pub data_type: SqlType,
    pub not_null: bool,
    pub default: Option<Literal>,
    pub comment: Option<String>,
    /// Where the type stands.
    pub type_span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrimaryKey {
    pub columns: Vec<Ident>,
    pub span: Span,
}

/// `p type [COMMENT 'x']`, or in Flink's way the name of a declared column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionColumn {
    pub name: Ident,
    pub data_type: Option<SqlType>,
    pub comment: Option<String>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusteredBy {
    pub columns: Vec<Ident>,
    pub sorted_by: Vec<Ident>,
    pub buckets: u32,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    Parquet,
    Orc,
    Avro,
}

impl FileFormat {
    /// The value of the option `file.format`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Orc => "orc",
            Self::Avro => "avro",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableOption {
    pub key: String,
    pub value: String,
    /// Where the key stands.
    pub span: Span,
}

#[derive(Clone, Debug)]
pub struct Insert {
    pub overwrite: bool,
    pub table: Name,
    pub partition: Option<PartitionSpec>,
    pub columns: Option<Vec<Ident>>,
    pub source: Query,
    /// Where the source begins, for errors about its columns.
    pub source_span: Span,
}

/// A query whose AST DataFusion's planner can plan, with what our relation and type planners know.
#[derive(Clone, Debug)]
pub struct Query {
    pub ast: Box<sqlparser::Query>,
    /// Tables that it reads: every reference that is not a CTE, in the order written.
    pub tables: Vec<TableUse>,
}

impl Query {
    /// The rows of a bare `VALUES …`.
    pub fn values(&self) -> Option<&sqlparser::Values> {
        match self.ast.body.as_ref() {
            sqlparser::SetExpr::Values(values) => Some(values),
            _ => None,
        }
    }
}

/// A reference to a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableUse {
    pub name: Name,
    pub time_travel: Option<TimeTravel>,
}

/// Which state of a table is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeTravel {
    /// A snapshot number, or the name of a tag.
    Version(String),
    /// The last snapshot not later than this moment, as written, in the session's zone.
    Timestamp(String),
}

#[derive(Clone, Debug)]
pub struct Explain {
    pub statement: Statement,
    /// `EXPLAIN EXTENDED`: all plans, not only the physical one.
    pub extended: bool,
}

/// A sentence of the dialect that the engine does not execute yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotYet {
    /// E.g. `ALTER TABLE`.
    pub verb: &'static str,
}

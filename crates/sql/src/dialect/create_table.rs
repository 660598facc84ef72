//! CREATE TABLE in MaxCompute's and in Flink's form.

use super::ast::*;
use super::cursor::{Cursor, Result};
use super::error::SyntaxError;
use super::lexer::TokenKind;
use super::query;
use super::statement::Notes;
use super::types::Meaning;
use model::worksheet::Span;

/// Most partition levels, as in MaxCompute.
const PARTITION_LEVELS_MAX: usize = 6;

/// Longest LIFECYCLE, in days.
const LIFECYCLE_DAYS_MAX: u32 = 37231;

/// The statement behind CREATE TABLE.
pub(super) fn parse(cursor: &mut Cursor<'_>, notes: &mut Notes) -> Result<CreateTable> {
    let if_not_exists = cursor.keywords(&["IF", "NOT", "EXISTS"]);
    let name = cursor.table()?;
    let form = form(cursor);
    let mut create = CreateTable {
        if_not_exists,
        name,
        columns: Vec::new(),
        primary_key: None,
        comment: None,
        partitioned_by: Vec::new(),
        clustered_by: None,
        file_format: None,
        options: Vec::new(),
        lifecycle_days: None,
        form,
        source: None,
    };
    if cursor.is_symbol("(") {
        elements(cursor, &mut create)?;
    }
    clauses(cursor, &mut create, notes)?;
    check(&create, cursor)?;
    Ok(create)
}

/// Whose form it is, from the clauses ahead.
fn form(cursor: &Cursor<'_>) -> Form {
    let mut depth = 0usize;
    let (mut is_flink, mut has_typed_partitions) = (false, false);
    let rest = cursor.rest();
    for (index, token) in rest.iter().enumerate() {
        let next = |n: usize| rest.get(index + n);
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && (token.is_keyword("TBLPROPERTIES") || token.is_keyword("LIFECYCLE")) {
            return Form::MaxCompute;
        } else if depth == 0 && token.is_keyword("AS") {
            break;
        } else if depth == 0 && token.is_keyword("WITH") && next(1).is_some_and(|token| token.is_symbol("(")) {
            return Form::Flink;
        } else if token.is_keyword("NOT") && next(1).is_some_and(|token| token.is_keyword("ENFORCED")) {
            is_flink = true;
        } else if depth == 0 && token.is_keyword("PARTITIONED") {
            let is_untyped = next(4).is_some_and(|token| token.is_symbol(",") || token.is_symbol(")"));
            is_flink |= is_untyped;
            has_typed_partitions = !is_untyped;
        }
    }
    if is_flink && !has_typed_partitions { Form::Flink } else { Form::MaxCompute }
}

impl Form {
    fn meaning(self) -> Meaning {
        match self {
            Self::MaxCompute => Meaning::MaxCompute,
            Self::Flink => Meaning::Flink,
        }
    }
}

/// Columns and the primary key.
fn elements(cursor: &mut Cursor<'_>, create: &mut CreateTable) -> Result<()> {
    cursor.expect_symbol("(")?;
    loop {
        let start = cursor.span();
        if cursor.keyword("CONSTRAINT") {
            cursor.ident("a constraint name")?;
            if !cursor.is_keyword("PRIMARY") {
                return Err(cursor.expected(&["PRIMARY"]));
            }
        }
        if cursor.keywords(&["PRIMARY", "KEY"]) {
            let columns = cursor.list(|cursor| cursor.ident("a column"))?;
            constraint_modes(cursor);
            set_primary_key(create, PrimaryKey { columns, span: cursor.span_from(start) })?;
        } else {
            let is_watermark =
                cursor.is_keyword("WATERMARK") && cursor.peek_nth(1).is_some_and(|t| t.is_keyword("FOR"));
            if is_watermark {
                return Err(SyntaxError::semantic(start, "WATERMARK is not supported"));
            }
            column(cursor, create)?;
        }
        if !cursor.symbol(",") {
            break;
        }
    }
    if cursor.symbol(")") { Ok(()) } else { Err(cursor.expected(&[",", ")"])) }
}

/// `NOT ENFORCED`, `DISABLE NOVALIDATE RELY` and their like change nothing.
fn constraint_modes(cursor: &mut Cursor<'_>) {
    loop {
        let taken = cursor.keywords(&["NOT", "ENFORCED"])
            || cursor.one_of(&["ENFORCED", "DISABLE", "ENABLE", "NOVALIDATE", "VALIDATE", "RELY", "NORELY"]).is_some();
        if !taken {
            return;
        }
    }
}

fn set_primary_key(create: &mut CreateTable, key: PrimaryKey) -> Result<()> {
    if create.primary_key.is_some() {
        return Err(SyntaxError::semantic(key.span, "a table has one primary key"));
    }
    create.primary_key = Some(key);
    Ok(())
}

fn column(cursor: &mut Cursor<'_>, create: &mut CreateTable) -> Result<()> {
    let name = cursor.ident("a column name")?;
    let type_start = cursor.span();
    let data_type = cursor.data_type(create.form.meaning())?;
    let mut column = ColumnDefinition {
        name,
        data_type,
        not_null: false,
        default: None,
        comment: None,
        type_span: cursor.span_from(type_start),
    };
    loop {
        let start = cursor.span();
        if cursor.keyword("NOT") {
            cursor.expect_keyword("NULL")?;
            column.not_null = true;
        } else if cursor.keyword("NULL") {
            column.not_null = false;
        } else if cursor.keyword("DEFAULT") {
            column.default = Some(cursor.literal()?);
        } else if cursor.is_keyword("COMMENT") {
            column.comment = cursor.comment()?;
        } else if cursor.keywords(&["PRIMARY", "KEY"]) {
            constraint_modes(cursor);
            column.not_null = true;
            let key = PrimaryKey { columns: vec![column.name.clone()], span: cursor.span_from(start) };
            set_primary_key(create, key)?;
        } else {
            break;
        }
    }
    if !cursor.is_symbol(",") && !cursor.is_symbol(")") {
        return Err(cursor.expected(&[",", ")", "NOT", "NULL", "DEFAULT", "COMMENT", "PRIMARY"]));
    }
    create.columns.push(column);
    Ok(())
}

fn clauses(cursor: &mut Cursor<'_>, create: &mut CreateTable, notes: &mut Notes) -> Result<()> {
    #[rustfmt::skip]
    const CLAUSES: &[&str] = &[
        "COMMENT", "PARTITIONED", "CLUSTERED", "RANGE", "STORED", "TBLPROPERTIES", "WITH", "LIFECYCLE", "LIKE", "AS",
        "ROW",
    ];
    let mut seen: Vec<&str> = Vec::new();
    while !cursor.is_at_end() {
        let start = cursor.span();
        if cursor.is_keyword("LOCATION") || cursor.is_keyword("USING") {
            let text = format!(
                "{} is not supported: tables lie in the project's warehouse",
                cursor.quote(start).to_uppercase()
            );
            return Err(SyntaxError::semantic(start, text));
        }
        let Some(clause) = cursor.one_of(CLAUSES) else {
            // `CREATE TABLE t SELECT …` without AS.
            if cursor.is_keyword("SELECT") && create.columns.is_empty() {
                return source(cursor, create, notes);
            }
            return Err(cursor.expected(&CLAUSES[..10]));
        };
        if seen.contains(&clause) {
            return Err(SyntaxError::new(start, format!("{clause} is given twice")));
        }
        seen.push(clause);
        match clause {
            "COMMENT" => create.comment = Some(cursor.text("a comment in quotes")?),
            "PARTITIONED" => {
                cursor.expect_keyword("BY")?;
                let meaning = create.form.meaning();
                create.partitioned_by = cursor.list(|cursor| partition_column(cursor, meaning))?;
            }
            "CLUSTERED" => create.clustered_by = Some(clustered(cursor, start)?),
            "RANGE" => return Err(SyntaxError::semantic(start, "RANGE CLUSTERED BY is not supported by Paimon table")),
            "ROW" => return Err(SyntaxError::semantic(start, "ROW FORMAT is not supported by Paimon table")),
            "STORED" => create.file_format = stored(cursor)?,
            "TBLPROPERTIES" | "WITH" => {
                let options = cursor.properties()?;
                create.options.extend(options.into_iter().map(|(key, value)| TableOption {
                    key: key.value,
                    value,
                    span: key.span,
                }));
            }
            "LIFECYCLE" => create.lifecycle_days = Some(cursor.integer("LIFECYCLE days", 1..=LIFECYCLE_DAYS_MAX)?),
            "LIKE" => create.source = Some(TableSource::Like(cursor.table()?)),
            _ => return source(cursor, create, notes),
        }
    }
    Ok(())
}

fn source(cursor: &mut Cursor<'_>, create: &mut CreateTable, notes: &mut Notes) -> Result<()> {
    if create.source.is_some() {
        return Err(cursor.expected(&["end of statement"]));
    }
    let query = query::parse(cursor.rest(), cursor.script, notes)?;
    cursor.at = cursor.tokens.len();
    create.source = Some(TableSource::Query(query));
    Ok(())
}

fn partition_column(cursor: &mut Cursor<'_>, meaning: Meaning) -> Result<PartitionColumn> {
    let start = cursor.span();
    let name = cursor.ident("a partition column")?;
    if cursor.is_symbol("(") {
        return Err(SyntaxError::semantic(start, "partition functions are not supported by Paimon table"));
    }
    let is_untyped = cursor.is_symbol(",") || cursor.is_symbol(")") || cursor.is_keyword("COMMENT");
    let data_type = if is_untyped { None } else { Some(cursor.data_type(meaning)?) };
    cursor.keywords(&["NOT", "NULL"]);
    let comment = cursor.comment()?;
    Ok(PartitionColumn { name, data_type, comment, span: cursor.span_from(start) })
}

fn clustered(cursor: &mut Cursor<'_>, start: Span) -> Result<ClusteredBy> {
    cursor.expect_keyword("BY")?;
    let columns = cursor.list(|cursor| cursor.ident("a column"))?;
    let sorted_by = if cursor.keywords(&["SORTED", "BY"]) {
        cursor.list(|cursor| {
            let column = cursor.ident("a column")?;
            cursor.one_of(&["ASC", "DESC"]);
            Ok(column)
        })?
    } else {
        Vec::new()
    };
    cursor.expect_keyword("INTO")?;
    let buckets = cursor.integer("number of buckets", 1..=4096)?;
    cursor.expect_keyword("BUCKETS")?;
    Ok(ClusteredBy { columns, sorted_by, buckets, span: cursor.span_from(start) })
}

/// `STORED AS parquet`, `STORED BY 'paimon'`.
fn stored(cursor: &mut Cursor<'_>) -> Result<Option<FileFormat>> {
    let how = cursor.one_of(&["AS", "BY"]).ok_or_else(|| cursor.expected(&["AS", "BY"]))?;
    let span = cursor.span();
    let format = match cursor.peek().map(|token| &token.kind) {
        Some(TokenKind::Word(format) | TokenKind::Text(format) | TokenKind::Quoted(format)) => {
            format.to_ascii_lowercase()
        }
        _ => return Err(cursor.expected(&["a format"])),
    };
    cursor.at += 1;
    match (how, format.as_str()) {
        ("BY", "paimon") | ("AS", "paimon") => Ok(None),
        ("AS", "parquet") => Ok(Some(FileFormat::Parquet)),
        ("AS", "orc") => Ok(Some(FileFormat::Orc)),
        ("AS", "avro") => Ok(Some(FileFormat::Avro)),
        _ => {
            let text = format!("STORED {how} {} is not supported by Paimon table", cursor.quote(span));
            Err(SyntaxError::semantic(span, text))
        }
    }
}

/// What can be told without a catalog: names that repeat, keys that name no column.
fn check(create: &CreateTable, cursor: &Cursor<'_>) -> Result<()> {
    let has_columns =
        !create.columns.is_empty() || create.partitioned_by.iter().any(|column| column.data_type.is_some());
    if !has_columns && create.source.is_none() {
        return Err(cursor.expected(&["(", "AS", "LIKE"]));
    }
    if create.source.is_some() && !create.columns.is_empty() {
        let at = create.columns[0].name.span;
        return Err(SyntaxError::semantic(at, "a table made from another has no column list"));
    }
    let lower = |ident: &Ident| ident.value.to_lowercase();
    let mut names: Vec<String> = Vec::new();
    for column in &create.columns {
        if names.contains(&lower(&column.name)) {
            return Err(SyntaxError::semantic(column.name.span, format!("duplicate column {}", column.name.value)));
        }
        names.push(lower(&column.name));
    }
    if let Some(excess) = create.partitioned_by.get(PARTITION_LEVELS_MAX) {
        let text = format!("partition levels exceed {PARTITION_LEVELS_MAX}");
        return Err(SyntaxError::semantic(excess.span, text));
    }
    let mut partitions: Vec<String> = Vec::new();
    for column in &create.partitioned_by {
        let name = lower(&column.name);
        if partitions.contains(&name) {
            return Err(SyntaxError::semantic(
                column.span,
                format!("duplicate partition column {}", column.name.value),
            ));
        }
        let declared = create.columns.iter().find(|declared| lower(&declared.name) == name);
        match (&column.data_type, declared) {
            (Some(data_type), Some(declared)) if *data_type != declared.data_type => {
                let text = format!(
                    "partition column {} is declared as {} and as {data_type}",
                    column.name.value, declared.data_type
                );
                return Err(SyntaxError::semantic(column.span, text));
            }
            (None, None) if create.source.is_none() => {
                let text = format!("partition column {} is no column of the table", column.name.value);
                return Err(SyntaxError::semantic(column.span, text));
            }
            _ => {}
        }
        partitions.push(name);
    }
    if create.source.is_none() {
        names.extend(partitions);
        let key_columns = create.primary_key.iter().flat_map(|key| &key.columns);
        let cluster_columns = create.clustered_by.iter().flat_map(|c| c.columns.iter().chain(&c.sorted_by));
        for column in key_columns.chain(cluster_columns) {
            if !names.contains(&lower(column)) {
                let text = format!("column {} cannot be resolved", column.value);
                return Err(SyntaxError::semantic(column.span, text));
            }
        }
    }
    if let Some(key) = &create.primary_key {
        for (index, column) in key.columns.iter().enumerate() {
            if key.columns[..index].iter().any(|other| lower(other) == lower(column)) {
                return Err(SyntaxError::semantic(column.span, format!("duplicate column {}", column.value)));
            }
        }
    }
    Ok(())
}

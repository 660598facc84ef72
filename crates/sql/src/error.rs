//! Errors in the form of the log: `ODPS-0130071:[1,15] Semantic analysis exception - …`.

use crate::dialect::ParsedStatement;
use datafusion::error::DataFusionError;
use model::worksheet::{Span, StatementError};
use ports::lake::LakeError;
use ports::sql_engine::SqlError;
use regex::{Captures, Regex};
use std::sync::LazyLock;

/// The classes of errors that users know from MaxCompute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Parse,
    Semantic,
    Partition,
    /// A command on the catalog that did not work.
    Command,
    /// The data refuses the statement.
    Data,
    /// A bound of the engine was reached.
    Limit,
    Internal,
}

impl Class {
    fn code(self) -> &'static str {
        match self {
            Self::Parse => "ODPS-0130161",
            Self::Semantic => "ODPS-0130071",
            Self::Partition => "ODPS-0123031",
            Self::Command => "ODPS-0110061",
            Self::Data => "ODPS-0121095",
            Self::Limit => "ODPS-0010013",
            Self::Internal => "ODPS-0010000",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Parse => "Parse exception",
            Self::Semantic => "Semantic analysis exception",
            Self::Partition => "Partition exception",
            Self::Command => "Failed to run ddltask",
            Self::Data => "Invalid argument",
            Self::Limit => "Resource limit",
            Self::Internal => "System internal error",
        }
    }
}

/// Where in the statement something stands: line and column from 1, and the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub line: u32,
    pub column: u32,
    pub span: Option<Span>,
}

impl Place {
    /// The place of a byte range of the script inside one of its statements.
    pub(crate) fn of(parsed: &ParsedStatement, span: Span) -> Self {
        let offset = span.start.saturating_sub(parsed.span.start);
        let before = parsed.text.get(..offset).unwrap_or(&parsed.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.matches('\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        Self {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            span: Some(span),
        }
    }
}

/// An error at an unknown place.
pub(crate) fn failed(class: Class, text: impl AsRef<str>) -> SqlError {
    failed_at(class, Place::default(), text)
}

/// An error at a place of the statement.
pub(crate) fn failed_at(class: Class, place: Place, text: impl AsRef<str>) -> SqlError {
    SqlError::Failed(Box::new(statement_error(class, place, text.as_ref())))
}

pub(crate) fn statement_error(class: Class, place: Place, text: &str) -> StatementError {
    StatementError {
        message: format!("{}:[{},{}] {} - {text}", class.code(), place.line, place.column, class.name()),
        code: class.code().into(),
        line: place.line,
        column: place.column,
        span: place.span,
        suggestion: None,
        fix: None,
    }
}

/// Adds what to type in the place of the offending token.
pub(crate) fn with_suggestion(error: SqlError, suggestion: Option<&str>) -> SqlError {
    change(error, |error| {
        if let Some(suggestion) = suggestion {
            error.message.push_str(&format!(" (did you mean `{suggestion}`?)"));
        }
        error.suggestion = suggestion.map(str::to_owned);
    })
}

/// Says where it is, unless that is known.
pub(crate) fn placed(error: SqlError, place: Place) -> SqlError {
    change(error, |error| {
        if error.line == 0 && place.line > 0 {
            let position = format!(":[{},{}]", place.line, place.column);
            error.message = error.message.replacen(":[0,0]", &position, 1);
            (error.line, error.column, error.span) = (place.line, place.column, place.span);
        }
    })
}

/// Adds the statement that cures it.
pub(crate) fn with_fix(error: SqlError, fix: &str) -> SqlError {
    change(error, |error| error.fix = Some(fix.into()))
}

pub(crate) type SqlResult<T> = Result<T, SqlError>;

fn change(error: SqlError, change: impl FnOnce(&mut StatementError)) -> SqlError {
    match error {
        SqlError::Failed(mut failed) => {
            change(&mut failed);
            SqlError::Failed(failed)
        }
        other => other,
    }
}

/// What the lake says, in the form of the log.
pub(crate) fn from_lake(error: LakeError) -> SqlError {
    let class = match &error {
        LakeError::Invalid(_) | LakeError::NotFound(_) | LakeError::AlreadyExists(_) | LakeError::Unsupported(_) => {
            Class::Semantic
        }
        LakeError::Forbidden(_) | LakeError::Conflict(_) => Class::Command,
        LakeError::Unavailable { .. } | LakeError::Internal { .. } => Class::Internal,
    };
    tracing::debug!(error = ?error, "the lake refused");
    from_text(class, &with_causes(&error))
}

/// What the table format's library says.
pub(crate) fn from_paimon(error: paimon::Error) -> SqlError {
    let class = match &error {
        paimon::Error::Unsupported { .. } => Class::Semantic,
        _ => Class::Internal,
    };
    from_text(class, &with_causes(&error))
}

/// What the table format calls its configuration is the statement here.
fn from_text(class: Class, text: &str) -> SqlError {
    match text.split_once("Paimon hitting invalid config: ") {
        Some((_, config)) => failed(Class::Semantic, config),
        None => failed(class, text),
    }
}

/// An error and its causes in one line, each said once.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    one_line(&text)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What planning or running says. An [`SqlError`] that travelled through DataFusion comes out as it went in.
pub(crate) fn from_datafusion(error: DataFusionError) -> SqlError {
    match error {
        DataFusionError::Context(_, inner) => from_datafusion(*inner),
        DataFusionError::Diagnostic(_, inner) => from_datafusion(*inner),
        DataFusionError::Collection(mut errors) if !errors.is_empty() => from_datafusion(errors.swap_remove(0)),
        DataFusionError::Shared(inner) => shared(&inner),
        DataFusionError::External(inner) => match inner.downcast::<SqlError>() {
            Ok(error) => *error,
            Err(inner) => match inner.downcast::<DataFusionError>() {
                Ok(error) => from_datafusion(*error),
                Err(inner) => {
                    let text = with_causes(inner.as_ref());
                    let (class, text) = reworded(&inner.to_string()).unwrap_or((Class::Internal, text));
                    failed(class, text)
                }
            },
        },
        DataFusionError::ArrowError(inner, backtrace) => match *inner {
            arrow::error::ArrowError::ExternalError(inner) => from_datafusion(DataFusionError::External(inner)),
            inner => plain(&DataFusionError::ArrowError(Box::new(inner), backtrace)),
        },
        other => plain(&other),
    }
}

fn shared(error: &DataFusionError) -> SqlError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(SqlError::Failed(failed)) = error.downcast_ref::<SqlError>() {
            return SqlError::Failed(failed.clone());
        }
        cause = error.source();
    }
    plain(error)
}

fn plain(error: &DataFusionError) -> SqlError {
    let class = match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => Class::Limit,
        DataFusionError::ArrowError(..) | DataFusionError::Execution(_) => Class::Data,
        DataFusionError::Internal(_)
        | DataFusionError::IoError(_)
        | DataFusionError::ObjectStore(_)
        | DataFusionError::ParquetError(_)
        | DataFusionError::External(_) => Class::Internal,
        _ => Class::Semantic,
    };
    let text = error.strip_backtrace();
    if let Some((class, plainer)) = reworded(&text) {
        return failed(class, plainer);
    }
    let prefixes = [
        "Error during planning: ",
        "Execution error: ",
        "Schema error: ",
        "Arrow error: ",
        "type_coercion caused by ",
        "This feature is not implemented: ",
        "Resources exhausted: ",
        "Optimizer rule 'simplify_expressions' failed caused by ",
    ];
    let mut text = without_noise(&text);
    while let Some(rest) = prefixes.iter().find_map(|prefix| text.strip_prefix(prefix)) {
        text = rest;
    }
    failed(class, in_sql_types(&one_line(text)))
}

/// Offsets in an array of texts or arrays are 32 bits wide.
pub(crate) const TOO_LARGE: &str =
    "the texts or arrays of some thousand rows have more than 2 GB together: make them shorter";

/// Messages that speak of DataFusion rather than of the statement, in words of the dialect.
fn reworded(text: &str) -> Option<(Class, String)> {
    const FIXED: [(&str, Class, &str); 28] = [
        ("offset overflow", Class::Limit, TOO_LARGE),
        (
            "Resources exhausted",
            Class::Limit,
            "the statement needs more memory than its share: read less at once, or give the engine more with \
             --memory-bytes-max",
        ),
        (
            "Projections require unique expression names",
            Class::Semantic,
            "two columns have the same name: give one of them another with AS",
        ),
        (
            "Physical plan does not support logical expression AggregateFunction",
            Class::Semantic,
            "an aggregate function cannot stand inside another one or in this place",
        ),
        (
            "Physical plan does not support logical expression WindowFunction",
            Class::Semantic,
            "a window function cannot stand in this place: use QUALIFY, or a subquery",
        ),
        (
            "Physical plan does not support logical expression OuterReferenceColumn",
            Class::Semantic,
            "not supported yet: a subquery that uses columns of the query around it in this way",
        ),
        ("Physical plan does not support logical expression", Class::Semantic, "not supported yet: this expression"),
        ("Unsupported ast node", Class::Semantic, "this expression cannot stand in this place"),
        ("Cannot create filter with non-boolean predicate", Class::Semantic, "a condition must be a boolean"),
        ("Cannot create filter_array from non-boolean", Class::Semantic, "a condition must be a boolean"),
        (
            "ScalarSubqueryExpr evaluated before",
            Class::Semantic,
            "not supported yet: a subquery in VALUES. Write INSERT … SELECT instead",
        ),
        (
            "Schema contains duplicate unqualified field name",
            Class::Semantic,
            "two columns have the same name: give one of them another with AS",
        ),
        ("Row format support not yet implemented", Class::Semantic, "a MAP cannot be sorted, grouped or compared here"),
        ("compound identifier: ", Class::Semantic, "a column has at most its table, schema and project before it"),
        (
            "panicked with message",
            Class::Internal,
            "the engine could not execute this statement; the log has the details",
        ),
        ("Interval(", Class::Semantic, "an interval cannot be computed with like this"),
        ("Unsupported JOIN operator", Class::Semantic, "not supported yet: this kind of join"),
        ("Cannot access field at argument", Class::Semantic, "only a STRUCT or a MAP has fields"),
        ("argument types 'array_element(", Class::Semantic, "only an ARRAY or a MAP has elements"),
        ("There isn't a common type to coerce", Class::Semantic, "LIKE compares texts: CAST the value AS STRING"),
        (
            "accumulator not implemented for type",
            Class::Semantic,
            "an ARRAY, a MAP or a STRUCT has no smallest and no greatest value",
        ),
        ("Negation only supports", Class::Semantic, "only a number can be negated"),
        ("for logical boolean operation", Class::Semantic, "AND and OR combine booleans"),
        ("in CASE WHEN expression", Class::Semantic, "the values of a CASE have types that do not go together"),
        ("The subquery should only return one column", Class::Semantic, "a subquery in this place has one column"),
        ("make_map requires an even number", Class::Semantic, "function map takes pairs of a key and a value"),
        (
            "Unable to build regex from LIKE pattern",
            Class::Data,
            "a LIKE pattern is too long: it has too many of % and _",
        ),
        (
            "in InSubquery",
            Class::Semantic,
            "a value cannot be compared with what the subquery gives: their types differ",
        ),
    ];
    if let Some((_, class, words)) = FIXED.iter().find(|(known, ..)| text.contains(known)) {
        return Some((*class, (*words).to_owned()));
    }
    let between = |before: &str, after: &str| {
        let rest = &text[text.find(before)? + before.len()..];
        Some(&rest[..rest.find(after).unwrap_or(rest.len())])
    };
    if let Some(column) = between("column \"", "\" must appear in the GROUP BY clause") {
        return Some((Class::Semantic, format!("column {column} must be in GROUP BY or in an aggregate function")));
    }
    if let Some(table) = between("Invalid qualifier ", "\n") {
        return Some((Class::Semantic, format!("no table of FROM is called {table}")));
    }
    if let Some(call) = between("No function matches the given name and argument types '", "'.") {
        let (name, types) = call.split_once('(').unwrap_or((call, ")"));
        return Some(match types.strip_suffix(')').unwrap_or(types) {
            "" => (Class::Semantic, format!("function {name} needs arguments")),
            types => {
                let text = format!("function {name} does not take arguments of these types: {types}");
                (Class::Semantic, in_sql_types(&text))
            }
        });
    }
    if let Some(types) = between("Cannot infer common argument type for comparison operation ", "\n") {
        return Some((Class::Semantic, format!("{} cannot be compared", both_types(types))));
    }
    if let Some(types) = between("Cannot coerce arithmetic expression ", " to valid types") {
        return Some((Class::Semantic, format!("{} cannot be computed with each other", both_types(types))));
    }
    if let Some(types) = between("Unsupported TRY_CAST from ", "\n").or_else(|| between("Unsupported CAST from ", "\n"))
    {
        let (from, to) = types.split_once(" to ").unwrap_or((types, "this type"));
        let text = format!("{} cannot be converted to {}", in_sql_types(from), in_sql_types(to));
        return Some((Class::Semantic, text));
    }
    if let Some(computed) = between("Overflow happened on: ", "\n").or_else(|| between("Overflow happened on ", "\n")) {
        return Some((Class::Data, format!("out of range: {computed} does not fit its type")));
    }
    if let Some(computed) = between("Array overflow on ", "\n") {
        return Some((Class::Data, format!("out of range: {computed} does not fit its type")));
    }
    if let Some(interval) = between("Invalid input syntax for type interval: \"", "\"") {
        return Some((Class::Semantic, format!("'{interval}' is no interval")));
    }
    if text.contains("regex parse error") {
        let reason = text.lines().rev().find_map(|line| line.trim().strip_prefix("error: ")).unwrap_or_default();
        return Some((Class::Data, format!("this is no regular expression that is supported: {reason}")));
    }
    let value = between("Cannot cast string '", "' to value of ")
        .or_else(|| between("Cannot cast value '", "' to value of "))?;
    let name = in_sql_types(between("' to value of ", " type")?);
    Some((Class::Data, format!("'{value}' cannot be converted to {name}")))
}

/// The two types around an operator; nested ones by their family.
fn both_types(text: &str) -> String {
    const OPERATORS: [&str; 14] = [
        " IS NOT DISTINCT FROM ",
        " IS DISTINCT FROM ",
        " <= ",
        " >= ",
        " != ",
        " = ",
        " < ",
        " > ",
        " + ",
        " - ",
        " * ",
        " / ",
        " % ",
        " || ",
    ];
    let family = |name: &str| match name.split_once('(') {
        Some((nested @ ("Struct" | "Map" | "List"), _)) => nested.replace("List", "array").to_lowercase(),
        _ => in_sql_types(name),
    };
    match OPERATORS.iter().find_map(|operator| text.split_once(operator)) {
        Some((left, right)) => format!("{} and {}", family(left), family(right)),
        None => "these values".into(),
    }
}

/// A message with the types' names in SQL instead of Arrow.
fn in_sql_types(text: &str) -> String {
    static NAMES: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let names = r"\b(?:U?Int(?:8|16|32|64)\b|Float(?:32|64)\b|(?:Large)?Utf8(?:View)?\b|Boolean\b|Date32\b|(?:Large)?Binary(?:View)?\b|Decimal(?:128|256)\b|Timestamp\([^()]*(?:\([^()]*\))?\)|List\()";
        Regex::new(names).ok()
    });
    let text = without_nested_types(text);
    let Some(names) = NAMES.as_ref() else { return text };
    let name = |captures: &Captures<'_>| match &captures[0] {
        "Int8" => "tinyint",
        "Int16" | "UInt8" => "smallint",
        "Int32" | "UInt16" => "int",
        "Int64" | "UInt32" | "UInt64" => "bigint",
        "Float32" => "float",
        "Float64" => "double",
        "Utf8" | "Utf8View" | "LargeUtf8" => "string",
        "Boolean" => "boolean",
        "Date32" => "date",
        "Binary" | "LargeBinary" | "BinaryView" => "binary",
        "Decimal128" | "Decimal256" => "decimal",
        "List(" => "array(",
        other if other.contains("Some(") || other.contains('"') => "timestamp",
        _ => "timestamp_ntz",
    };
    let text = names.replace_all(&text, |captures: &Captures<'_>| name(captures).to_owned());
    text.replace(", field: 'element')", ")")
}

/// Of structs and maps only what they are: Arrow prints all that is in them.
fn without_nested_types(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, name)) = ["Struct(", "Map("].iter().filter_map(|name| Some((rest.find(name)?, *name))).min() {
        plain.push_str(&rest[..at]);
        plain.push_str(&name.trim_end_matches('(').to_lowercase());
        let mut depth = 0usize;
        let end = rest[at..].find(|c: char| {
            depth = if c == '(' { depth + 1 } else { depth - usize::from(c == ')' && depth > 0) };
            c == ')' && depth == 0
        });
        rest = end.map_or("", |end| &rest[at + end + 1..]);
    }
    plain + rest
}

/// DataFusion asks for bug reports and lists what it tried; a user needs neither.
fn without_noise(text: &str) -> &str {
    let text = text.strip_prefix("Internal error: ").unwrap_or(text);
    let text = text.find("No function matches").map_or(text, |at| &text[at..]);
    let end = ["This issue was likely caused by a bug", "You might need to add explicit type casts", "\nDid you mean"]
        .iter()
        .filter_map(|noise| text.find(noise))
        .min();
    end.map_or(text, |end| text[..end].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_arrow_are_named_in_sql() {
        let nested = "List(Struct(\"x\": Int32, \"y\": Map(\"entries\": non-null Struct(\"k\": Utf8), unsorted)), field: 'element')";
        assert_eq!(
            in_sql_types(&format!("from {nested} to Map(\"a\": Int8) and Utf8")),
            "from array(struct) to map and string"
        );
        assert_eq!(in_sql_types("Struct(open"), "struct");
        assert_eq!(in_sql_types("no type"), "no type");
    }

    #[test]
    fn an_error_comes_back_through_datafusion() {
        let error = failed_at(Class::Semantic, Place { line: 1, column: 15, span: None }, "x");
        let travelled = DataFusionError::External(Box::new(error)).context("while planning");
        assert_eq!(from_datafusion(travelled).to_string(), "ODPS-0130071:[1,15] Semantic analysis exception - x");
    }
}

//! SQL types by their MaxCompute names, and what they are in Paimon and Arrow.

use super::cursor::{Cursor, Result};
use super::error::SyntaxError;
use super::lexer::{Suffix, TokenKind};
use ::paimon::spec::{self as paimon, DataType as PaimonType};
use arrow::array::{Array, ArrayRef, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType as ArrowType, Field, TimeUnit};
use datafusion::sql::sqlparser::ast as sqlparser;
use model::worksheet::Span;
use std::fmt;
use std::sync::Arc;

/// Nested types deeper than this are refused.
pub(super) const NESTING_MAX: usize = 16;

/// Precision of a timestamp whose declaration names none.
pub const TIMESTAMP_PRECISION: u32 = 6;

/// A type with its meaning decided: no form-dependent `TIMESTAMP` or `DECIMAL` is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SqlType {
    Boolean,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Float,
    Double,
    Decimal {
        precision: u32,
        scale: u32,
    },
    Char(u32),
    Varchar(u32),
    String,
    /// `BINARY` and `BYTES`: any length.
    Binary,
    /// Flink's `BINARY(n)`.
    FixedBinary(u32),
    /// `VARBINARY(n)`.
    VarBinary(u32),
    Date,
    /// Read only.
    Time(u32),
    /// WITH LOCAL TIME ZONE; precision 3 is called DATETIME.
    Timestamp(u32),
    /// Without zone.
    TimestampNtz(u32),
    /// Paimon's VARIANT.
    Json,
    Array(Box<Nested>),
    Map(Box<Nested>, Box<Nested>),
    Struct(Vec<StructField>),
}

/// A type inside another, with its nullability.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nested {
    pub data_type: SqlType,
    pub not_null: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructField {
    pub name: String,
    pub field: Nested,
    pub comment: Option<String>,
}

impl SqlType {
    /// Needs `odps.sql.type.system.odps2=true`.
    pub fn needs_odps2(&self) -> bool {
        match self {
            Self::TinyInt
            | Self::SmallInt
            | Self::Int
            | Self::Float
            | Self::Char(_)
            | Self::Varchar(_)
            | Self::Binary
            | Self::FixedBinary(_)
            | Self::VarBinary(_)
            | Self::Date
            | Self::TimestampNtz(_)
            | Self::Json => true,
            Self::Timestamp(precision) => *precision != 3,
            Self::Array(element) => element.data_type.needs_odps2(),
            Self::Map(key, value) => key.data_type.needs_odps2() || value.data_type.needs_odps2(),
            Self::Struct(fields) => fields.iter().any(|field| field.field.data_type.needs_odps2()),
            _ => false,
        }
    }

    /// The type of a column in a Paimon schema; `None` for what Paimon tables cannot hold.
    pub fn to_paimon(&self, nullable: bool) -> Option<PaimonType> {
        Some(match self {
            Self::Boolean => PaimonType::Boolean(paimon::BooleanType::with_nullable(nullable)),
            Self::TinyInt => PaimonType::TinyInt(paimon::TinyIntType::with_nullable(nullable)),
            Self::SmallInt => PaimonType::SmallInt(paimon::SmallIntType::with_nullable(nullable)),
            Self::Int => PaimonType::Int(paimon::IntType::with_nullable(nullable)),
            Self::BigInt => PaimonType::BigInt(paimon::BigIntType::with_nullable(nullable)),
            Self::Float => PaimonType::Float(paimon::FloatType::with_nullable(nullable)),
            Self::Double => PaimonType::Double(paimon::DoubleType::with_nullable(nullable)),
            Self::Decimal { precision, scale } => {
                PaimonType::Decimal(paimon::DecimalType::with_nullable(nullable, *precision, *scale).ok()?)
            }
            Self::Char(length) => PaimonType::Char(paimon::CharType::with_nullable(nullable, *length as usize).ok()?),
            Self::Varchar(length) => PaimonType::VarChar(paimon::VarCharType::with_nullable(nullable, *length).ok()?),
            Self::String => {
                PaimonType::VarChar(paimon::VarCharType::with_nullable(nullable, paimon::VarCharType::MAX_LENGTH).ok()?)
            }
            Self::Binary => {
                PaimonType::VarBinary(paimon::VarBinaryType::try_new(nullable, paimon::VarBinaryType::MAX_LENGTH).ok()?)
            }
            Self::FixedBinary(length) => {
                PaimonType::Binary(paimon::BinaryType::with_nullable(nullable, *length as usize).ok()?)
            }
            Self::VarBinary(length) => PaimonType::VarBinary(paimon::VarBinaryType::try_new(nullable, *length).ok()?),
            Self::Date => PaimonType::Date(paimon::DateType::with_nullable(nullable)),
            Self::Time(_) => return None,
            Self::Timestamp(precision) => PaimonType::LocalZonedTimestamp(
                paimon::LocalZonedTimestampType::with_nullable(nullable, *precision).ok()?,
            ),
            Self::TimestampNtz(precision) => {
                PaimonType::Timestamp(paimon::TimestampType::with_nullable(nullable, *precision).ok()?)
            }
            Self::Json => PaimonType::Variant(paimon::VariantType::with_nullable(nullable)),
            Self::Array(element) => PaimonType::Array(paimon::ArrayType::with_nullable(nullable, element.to_paimon()?)),
            Self::Map(key, value) => {
                PaimonType::Map(paimon::MapType::with_nullable(nullable, key.to_paimon()?, value.to_paimon()?))
            }
            Self::Struct(fields) => {
                let fields = fields
                    .iter()
                    .zip(0..)
                    .map(|(field, id)| {
                        let data_field = paimon::DataField::new(id, field.name.clone(), field.field.to_paimon()?);
                        Some(data_field.with_description(field.comment.clone()))
                    })
                    .collect::<Option<Vec<_>>>()?;
                PaimonType::Row(paimon::RowType::with_nullable(nullable, fields))
            }
        })
    }

    /// The type of a value in an expression: the unit follows the digits that are kept.
    pub fn to_arrow(&self) -> ArrowType {
        match self {
            Self::Boolean => ArrowType::Boolean,
            Self::TinyInt => ArrowType::Int8,
            Self::SmallInt => ArrowType::Int16,
            Self::Int => ArrowType::Int32,
            Self::BigInt => ArrowType::Int64,
            Self::Float => ArrowType::Float32,
            Self::Double => ArrowType::Float64,
            Self::Decimal { precision, scale } => {
                let narrow = "a decimal has at most 38 digits";
                ArrowType::Decimal128(u8::try_from(*precision).expect(narrow), i8::try_from(*scale).expect(narrow))
            }
            Self::Char(_) | Self::Varchar(_) | Self::String | Self::Json => ArrowType::Utf8,
            Self::Binary | Self::FixedBinary(_) | Self::VarBinary(_) => ArrowType::Binary,
            Self::Date => ArrowType::Date32,
            Self::Time(_) => ArrowType::Time32(TimeUnit::Millisecond),
            Self::Timestamp(precision) => ArrowType::Timestamp(time_unit(*precision), Some("UTC".into())),
            Self::TimestampNtz(precision) => ArrowType::Timestamp(time_unit(*precision), None),
            Self::Array(element) => {
                ArrowType::List(Arc::new(Field::new("element", element.data_type.to_arrow(), !element.not_null)))
            }
            Self::Map(key, value) => {
                let entries = vec![
                    Field::new("key", key.data_type.to_arrow(), false),
                    Field::new("value", value.data_type.to_arrow(), !value.not_null),
                ];
                ArrowType::Map(Arc::new(Field::new("entries", ArrowType::Struct(entries.into()), false)), false)
            }
            Self::Struct(fields) => ArrowType::Struct(
                fields
                    .iter()
                    .map(|field| Field::new(&field.name, field.field.data_type.to_arrow(), !field.field.not_null))
                    .collect(),
            ),
        }
    }
}

impl Nested {
    fn to_paimon(&self) -> Option<PaimonType> {
        self.data_type.to_paimon(!self.not_null)
    }
}

impl From<SqlType> for Nested {
    fn from(data_type: SqlType) -> Self {
        Self { data_type, not_null: false }
    }
}

/// 0–3 digits are milliseconds, 4–6 microseconds, 7–9 nanoseconds.
fn time_unit(precision: u32) -> TimeUnit {
    match precision {
        0..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

/// The MaxCompute name, lower case, as DESC prints it.
impl fmt::Display for SqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::TinyInt => f.write_str("tinyint"),
            Self::SmallInt => f.write_str("smallint"),
            Self::Int => f.write_str("int"),
            Self::BigInt => f.write_str("bigint"),
            Self::Float => f.write_str("float"),
            Self::Double => f.write_str("double"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Char(length) => write!(f, "char({length})"),
            Self::Varchar(length) => write!(f, "varchar({length})"),
            Self::String => f.write_str("string"),
            Self::Binary => f.write_str("binary"),
            Self::FixedBinary(length) => write!(f, "binary({length})"),
            Self::VarBinary(length) => write!(f, "varbinary({length})"),
            Self::Date => f.write_str("date"),
            Self::Time(precision) => write!(f, "time({precision})"),
            Self::Timestamp(3) => f.write_str("datetime"),
            Self::Timestamp(TIMESTAMP_PRECISION) => f.write_str("timestamp"),
            Self::Timestamp(precision) => write!(f, "timestamp({precision})"),
            Self::TimestampNtz(TIMESTAMP_PRECISION) => f.write_str("timestamp_ntz"),
            Self::TimestampNtz(precision) => write!(f, "timestamp_ntz({precision})"),
            Self::Json => f.write_str("json"),
            Self::Array(element) => write!(f, "array<{element}>"),
            Self::Map(key, value) => write!(f, "map<{key},{value}>"),
            Self::Struct(fields) => {
                f.write_str("struct<")?;
                for (index, field) in fields.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(f, "{comma}{}:{}", plain_or_quoted(&field.name), field.field)?;
                    if let Some(comment) = &field.comment {
                        write!(f, " comment {}", quoted(comment))?;
                    }
                }
                f.write_str(">")
            }
        }
    }
}

impl SqlType {
    /// The type as CREATE TABLE takes it: words in capitals, the names of fields as they are.
    pub fn declaration(&self) -> String {
        match self {
            Self::Array(element) => format!("ARRAY<{}>", element.declaration()),
            Self::Map(key, value) => format!("MAP<{},{}>", key.declaration(), value.declaration()),
            Self::Struct(fields) => {
                let fields = fields.iter().map(|field| {
                    let comment = field.comment.as_ref().map(|comment| format!(" COMMENT {}", quoted(comment)));
                    let (name, data_type) = (plain_or_quoted(&field.name), field.field.declaration());
                    format!("{name}:{data_type}{}", comment.unwrap_or_default())
                });
                format!("STRUCT<{}>", fields.collect::<Vec<_>>().join(","))
            }
            other => other.to_string().to_uppercase(),
        }
    }
}

impl Nested {
    fn declaration(&self) -> String {
        format!("{}{}", self.data_type.declaration(), if self.not_null { " NOT NULL" } else { "" })
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
}

impl fmt::Display for Nested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.data_type, if self.not_null { " not null" } else { "" })
    }
}

/// A field's name as it can be read back: in back quotes where it is not a plain lower-case word.
fn plain_or_quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if plain { name.to_owned() } else { format!("`{}`", name.replace('`', "``")) }
}

/// Whose names the types have: bare `TIMESTAMP` and `DECIMAL` differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    MaxCompute,
    Flink,
}

/// Every name that begins a type, for `did you mean`.
#[rustfmt::skip]
pub(super) const TYPE_NAMES: &[&str] = &[
    "BOOLEAN", "TINYINT", "SMALLINT", "INT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", "NUMERIC", "CHAR",
    "VARCHAR", "STRING", "BINARY", "VARBINARY", "BYTES", "DATE", "DATETIME", "TIME", "TIMESTAMP", "TIMESTAMP_NTZ",
    "TIMESTAMP_LTZ", "JSON", "VARIANT", "ARRAY", "MAP", "STRUCT", "ROW",
];

/// A type at the cursor.
pub(super) fn parse(cursor: &mut Cursor<'_>, meaning: Meaning, depth: usize) -> Result<SqlType> {
    let start = cursor.span();
    if depth > NESTING_MAX {
        return Err(SyntaxError::new(start, format!("types are nested deeper than {NESTING_MAX}")));
    }
    let name = cursor.ident("a type")?;
    let upper = if name.quoted { String::new() } else { name.value.to_ascii_uppercase() };
    let timestamp = match meaning {
        Meaning::MaxCompute => SqlType::Timestamp as fn(u32) -> SqlType,
        Meaning::Flink => SqlType::TimestampNtz,
    };
    Ok(match upper.as_str() {
        "BOOLEAN" | "BOOL" => SqlType::Boolean,
        "TINYINT" => SqlType::TinyInt,
        "SMALLINT" => SqlType::SmallInt,
        "INT" | "INTEGER" => SqlType::Int,
        "BIGINT" => SqlType::BigInt,
        "FLOAT" => SqlType::Float,
        "DOUBLE" => {
            cursor.keyword("PRECISION");
            SqlType::Double
        }
        "DECIMAL" | "DEC" | "NUMERIC" => decimal(cursor, meaning)?,
        "CHAR" | "CHARACTER" => SqlType::Char(length(cursor, &upper, meaning, 255)?),
        "VARCHAR" => match length(cursor, &upper, meaning, LENGTH_MAX)? {
            LENGTH_MAX => SqlType::String,
            length => SqlType::Varchar(length),
        },
        "STRING" => SqlType::String,
        "BYTES" => SqlType::Binary,
        "BINARY" if cursor.is_symbol("(") => SqlType::FixedBinary(length(cursor, &upper, meaning, LENGTH_MAX)?),
        "BINARY" => SqlType::Binary,
        "VARBINARY" if cursor.is_symbol("(") => match length(cursor, &upper, meaning, LENGTH_MAX)? {
            LENGTH_MAX => SqlType::Binary,
            length => SqlType::VarBinary(length),
        },
        "VARBINARY" => SqlType::Binary,
        "DATE" => SqlType::Date,
        "DATETIME" => SqlType::Timestamp(3),
        "TIMESTAMP" => {
            let precision = precision(cursor)?;
            if cursor.keywords(&["WITH", "LOCAL", "TIME", "ZONE"]) {
                SqlType::Timestamp(precision)
            } else if cursor.keywords(&["WITHOUT", "TIME", "ZONE"]) {
                SqlType::TimestampNtz(precision)
            } else if cursor.keywords(&["WITH", "TIME", "ZONE"]) {
                return Err(unsupported(cursor, start));
            } else {
                timestamp(precision)
            }
        }
        "TIMESTAMP_NTZ" => SqlType::TimestampNtz(precision(cursor)?),
        "TIMESTAMP_LTZ" => SqlType::Timestamp(precision(cursor)?),
        "JSON" | "VARIANT" => SqlType::Json,
        "ARRAY" => {
            cursor.expect_symbol("<")?;
            let element = nested(cursor, meaning, depth)?;
            cursor.expect_symbol(">")?;
            SqlType::Array(Box::new(element))
        }
        "MAP" => {
            cursor.expect_symbol("<")?;
            let key = nested(cursor, meaning, depth)?;
            cursor.expect_symbol(",")?;
            let value = nested(cursor, meaning, depth)?;
            cursor.expect_symbol(">")?;
            SqlType::Map(Box::new(key), Box::new(value))
        }
        "STRUCT" | "ROW" => {
            let close = if upper == "ROW" && cursor.symbol("(") { ")" } else { ">" };
            if close == ">" {
                cursor.expect_symbol("<")?;
            }
            SqlType::Struct(struct_fields(cursor, meaning, depth, close)?)
        }
        "TIME"
        | "MULTISET"
        | "GEOMETRY"
        | "GEOGRAPHY"
        | "INTERVAL"
        | "BLOB"
        | "VECTOR"
        | "RAW"
        | "INTERVAL_DAY_TIME"
        | "INTERVAL_YEAR_MONTH" => {
            skip_arguments(cursor);
            return Err(unsupported(cursor, start));
        }
        _ => {
            let error = SyntaxError::new(name.span, format!("invalid type '{name}'"));
            let nearest = super::error::nearest(&upper, TYPE_NAMES.iter().copied());
            return Err(nearest.into_iter().fold(error, SyntaxError::suggest));
        }
    })
}

/// Paimon's longest VARCHAR and VARBINARY.
const LENGTH_MAX: u32 = i32::MAX as u32;

fn unsupported(cursor: &Cursor<'_>, start: Span) -> SyntaxError {
    let span = cursor.span_from(start);
    let name = cursor.quote(span).to_uppercase();
    SyntaxError::semantic(span, format!("type {name} is not supported by Paimon table"))
}

/// Takes `(3)` or `<INT>` of a type that is refused anyway, so that the message can show it whole.
fn skip_arguments(cursor: &mut Cursor<'_>) {
    let mut depth = 0;
    while let Some(token) = cursor.peek() {
        if token.is_symbol("(") || token.is_symbol("<") {
            depth += 1;
        } else if token.is_symbol(")") || token.is_symbol(">") {
            if depth == 0 {
                return;
            }
            depth -= 1;
        } else if depth == 0 {
            return;
        }
        cursor.next();
    }
}

fn decimal(cursor: &mut Cursor<'_>, meaning: Meaning) -> Result<SqlType> {
    if !cursor.symbol("(") {
        let (precision, scale) = if meaning == Meaning::Flink { (10, 0) } else { (38, 18) };
        return Ok(SqlType::Decimal { precision, scale });
    }
    let precision = cursor.integer("precision of DECIMAL", 1..=38)?;
    let scale = if cursor.symbol(",") { cursor.integer("scale of DECIMAL", 0..=precision)? } else { 0 };
    cursor.expect_symbol(")")?;
    Ok(SqlType::Decimal { precision, scale })
}

fn length(cursor: &mut Cursor<'_>, name: &str, meaning: Meaning, max: u32) -> Result<u32> {
    if !cursor.is_symbol("(") && meaning == Meaning::Flink {
        return Ok(1);
    }
    if !cursor.symbol("(") {
        return Err(SyntaxError::new(cursor.span(), format!("{name} needs a length, e.g. {name}(20)")));
    }
    let length = cursor.integer("length", 1..=max)?;
    cursor.expect_symbol(")")?;
    Ok(length)
}

fn precision(cursor: &mut Cursor<'_>) -> Result<u32> {
    if !cursor.symbol("(") {
        return Ok(TIMESTAMP_PRECISION);
    }
    let precision = cursor.integer("precision of TIMESTAMP", 0..=9)?;
    cursor.expect_symbol(")")?;
    Ok(precision)
}

fn nested(cursor: &mut Cursor<'_>, meaning: Meaning, depth: usize) -> Result<Nested> {
    let data_type = parse(cursor, meaning, depth + 1)?;
    let not_null = cursor.keywords(&["NOT", "NULL"]);
    if !not_null {
        cursor.keyword("NULL");
    }
    Ok(Nested { data_type, not_null })
}

fn struct_fields(
    cursor: &mut Cursor<'_>,
    meaning: Meaning,
    depth: usize,
    close: &'static str,
) -> Result<Vec<StructField>> {
    let mut fields: Vec<StructField> = Vec::new();
    loop {
        let name = cursor.ident("a field name")?;
        cursor.symbol(":");
        let field = nested(cursor, meaning, depth)?;
        cursor.keyword("COMMENT");
        let comment = match cursor.peek().map(|token| &token.kind) {
            Some(TokenKind::Text(_)) => Some(cursor.text("a comment")?),
            _ => None,
        };
        if fields.iter().any(|other| other.name.eq_ignore_ascii_case(&name.value)) {
            return Err(SyntaxError::semantic(name.span, format!("duplicate field {}", name.value)));
        }
        fields.push(StructField { name: name.stored(), field, comment });
        if !cursor.symbol(",") {
            cursor.expect_symbol(close)?;
            return Ok(fields);
        }
    }
}

/// The type that a number's suffix names.
pub(super) fn of_suffix(suffix: Suffix, digits: &str) -> Option<SqlType> {
    match suffix {
        Suffix::None => None,
        Suffix::TinyInt => Some(SqlType::TinyInt),
        Suffix::SmallInt => Some(SqlType::SmallInt),
        Suffix::BigInt => Some(SqlType::BigInt),
        Suffix::Decimal => Some(of_decimal_digits(digits)),
    }
}

/// The narrowest decimal that holds the digits.
pub(super) fn of_decimal_digits(digits: &str) -> SqlType {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let count = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX).min(38);
    let scale = count(fraction);
    SqlType::Decimal { precision: (count(whole.trim_start_matches('0')) + scale).clamp(1, 38), scale }
}

/// The type of `DATE '…'` and its like.
pub(super) fn of_typed_text(word: &str) -> Option<SqlType> {
    match word.to_ascii_uppercase().as_str() {
        "DATE" => Some(SqlType::Date),
        "DATETIME" => Some(SqlType::Timestamp(3)),
        "TIMESTAMP" => Some(SqlType::Timestamp(TIMESTAMP_PRECISION)),
        "TIMESTAMP_NTZ" => Some(SqlType::TimestampNtz(TIMESTAMP_PRECISION)),
        _ => None,
    }
}

/// Whether the text of a `DATE '…'` and its like is one: a cast of a text may give NULL, a constant may not.
pub(super) fn check_typed_text(data_type: &SqlType, text: &str, at: Span) -> Result<()> {
    let texts: ArrayRef = Arc::new(StringArray::from(vec![text]));
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let converted = cast_with_options(&texts, &data_type.to_arrow(), &options);
    if converted.is_ok_and(|values| values.is_valid(0)) {
        return Ok(());
    }
    let form = if *data_type == SqlType::Date { "yyyy-mm-dd" } else { "yyyy-mm-dd hh:mi:ss" };
    Err(SyntaxError::semantic(at, format!("'{text}' is no {data_type}: write it as '{form}'")))
}

/// The type as it stands in a query's AST: a custom type whose one name is the canonical text.
pub(crate) fn encode(data_type: &SqlType) -> sqlparser::DataType {
    let name = sqlparser::Ident::with_quote('"', data_type.to_string());
    sqlparser::DataType::Custom(sqlparser::ObjectName::from(vec![name]), Vec::new())
}

/// The type that a query's AST names; `None` for types that did not come from this parser.
pub fn decode(data_type: &sqlparser::DataType) -> Option<SqlType> {
    let sqlparser::DataType::Custom(name, modifiers) = data_type else { return None };
    let [part] = name.0.as_slice() else { return None };
    let text = &part.as_ident().filter(|ident| ident.quote_style == Some('"') && modifiers.is_empty())?.value;
    let (tokens, _) = super::lexer::tokens(text, Span { start: 0, end: text.len() }).ok()?;
    let mut cursor = Cursor::new(&tokens, text);
    let data_type = parse(&mut cursor, Meaning::MaxCompute, 0).ok()?;
    cursor.is_at_end().then_some(data_type)
}

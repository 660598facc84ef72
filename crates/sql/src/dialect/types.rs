//! SQL types by their MaxCompute names, and what they are in Paimon and Arrow.

use arrow::datatypes::{DataType as ArrowType, Field, TimeUnit};
use ::paimon::spec::{self as paimon, DataType as PaimonType};
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
    Decimal { precision: u32, scale: u32 },
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
            Self::Char(length) => {
                PaimonType::Char(paimon::CharType::with_nullable(nullable, *length as usize).ok()?)
            }
            Self::Varchar(length) => PaimonType::VarChar(paimon::VarCharType::with_nullable(nullable, *length).ok()?),
            Self::String => PaimonType::VarChar(
                paimon::VarCharType::with_nullable(nullable, paimon::VarCharType::MAX_LENGTH).ok()?,
            ),
            Self::Binary => PaimonType::VarBinary(
                paimon::VarBinaryType::try_new(nullable, paimon::VarBinaryType::MAX_LENGTH).ok()?,
            ),
            Self::FixedBinary(length) => {
                PaimonType::Binary(paimon::BinaryType::with_nullable(nullable, *length as usize).ok()?)
            }
            Self::VarBinary(length) => {
                PaimonType::VarBinary(paimon::VarBinaryType::try_new(nullable, *length).ok()?)
            }
            Self::Date => PaimonType::Date(paimon::DateType::with_nullable(nullable)),
            Self::Time(_) => return None,
            Self::Timestamp(precision) => PaimonType::LocalZonedTimestamp(
                paimon::LocalZonedTimestampType::with_nullable(nullable, *precision).ok()?,
            ),
            Self::TimestampNtz(precision) => {
                PaimonType::Timestamp(paimon::TimestampType::with_nullable(nullable, *precision).ok()?)
            }
            Self::Json => PaimonType::Variant(paimon::VariantType::with_nullable(nullable)),
            Self::Array(element) => {
                PaimonType::Array(paimon::ArrayType::with_nullable(nullable, element.to_paimon()?))
            }
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
                        write!(f, " comment '{}'", comment.replace('\\', "\\\\").replace('\'', "\\'"))?;
                    }
                }
                f.write_str(">")
            }
        }
    }
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

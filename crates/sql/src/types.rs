//! Paimon's types by their SQL names.

use crate::dialect::SqlType;
use crate::dialect::types::{Nested, StructField};
use paimon::spec::{DataType, VarBinaryType, VarCharType};

/// The SQL type of a column; `None` where the dialect has no name for it.
pub(crate) fn from_paimon(data_type: &DataType) -> Option<SqlType> {
    Some(match data_type {
        DataType::Boolean(_) => SqlType::Boolean,
        DataType::TinyInt(_) => SqlType::TinyInt,
        DataType::SmallInt(_) => SqlType::SmallInt,
        DataType::Int(_) => SqlType::Int,
        DataType::BigInt(_) => SqlType::BigInt,
        DataType::Float(_) => SqlType::Float,
        DataType::Double(_) => SqlType::Double,
        DataType::Decimal(t) => SqlType::Decimal { precision: t.precision(), scale: t.scale() },
        DataType::Char(t) => SqlType::Char(u32::try_from(t.length()).unwrap_or(u32::MAX)),
        DataType::VarChar(t) if t.length() == VarCharType::MAX_LENGTH => SqlType::String,
        DataType::VarChar(t) => SqlType::Varchar(t.length()),
        DataType::Binary(t) => SqlType::FixedBinary(u32::try_from(t.length()).unwrap_or(u32::MAX)),
        DataType::VarBinary(t) if t.length() == VarBinaryType::MAX_LENGTH => SqlType::Binary,
        DataType::VarBinary(t) => SqlType::VarBinary(t.length()),
        DataType::Blob(_) => SqlType::Binary,
        DataType::Date(_) => SqlType::Date,
        DataType::Time(t) => SqlType::Time(t.precision()),
        DataType::Timestamp(t) => SqlType::TimestampNtz(t.precision()),
        DataType::LocalZonedTimestamp(t) => SqlType::Timestamp(t.precision()),
        DataType::Variant(_) => SqlType::Json,
        DataType::Array(t) => SqlType::Array(Box::new(nested(t.element_type())?)),
        DataType::Vector(t) => SqlType::Array(Box::new(nested(t.element_type())?)),
        DataType::Map(t) => SqlType::Map(Box::new(nested(t.key_type())?), Box::new(nested(t.value_type())?)),
        DataType::Multiset(t) => {
            let count = Nested { data_type: SqlType::Int, not_null: true };
            SqlType::Map(Box::new(nested(t.element_type())?), Box::new(count))
        }
        DataType::Row(t) => SqlType::Struct(
            t.fields()
                .iter()
                .map(|field| {
                    Some(StructField {
                        name: field.name().to_owned(),
                        field: nested(field.data_type())?,
                        comment: field.description().map(str::to_owned),
                    })
                })
                .collect::<Option<Vec<_>>>()?,
        ),
    })
}

fn nested(data_type: &DataType) -> Option<Nested> {
    Some(Nested { data_type: from_paimon(data_type)?, not_null: !data_type.is_nullable() })
}

/// The SQL name of a type, lower case, without its nullability.
pub(crate) fn sql_name(data_type: &DataType) -> String {
    from_paimon(data_type).map_or_else(|| format!("unsupported({data_type})"), |sql_type| sql_type.to_string())
}

//! Paimon's schemas as the model shows them.

use model::table::{Column, TableInfo};
use paimon::spec::{DataType, Snapshot, TableSchema, VarCharType};

/// What the catalog tree shows of a table.
pub(crate) fn table_info(schema: &str, name: &str, table: &TableSchema, newest: Option<&Snapshot>) -> TableInfo {
    let column = |field: &paimon::spec::DataField| Column {
        name: field.name().to_owned(),
        data_type: type_name(field.data_type()),
        nullable: field.data_type().is_nullable(),
        comment: field.description().unwrap_or_default().to_owned(),
        is_partition: table.partition_keys().iter().any(|key| key == field.name()),
        is_primary_key: table.primary_keys().iter().any(|key| key == field.name()),
    };
    TableInfo {
        schema: schema.to_owned(),
        name: name.to_owned(),
        comment: table.comment().unwrap_or_default().to_owned(),
        columns: table.fields().iter().map(column).collect(),
        snapshot_id: newest.map(Snapshot::id),
        record_count: newest.and_then(Snapshot::total_record_count),
    }
}

/// The SQL name of a type, lower case, as DESC prints it.
pub fn type_name(data_type: &DataType) -> String {
    use DataType as T;
    match data_type {
        T::Boolean(_) => "boolean".into(),
        T::TinyInt(_) => "tinyint".into(),
        T::SmallInt(_) => "smallint".into(),
        T::Int(_) => "int".into(),
        T::BigInt(_) => "bigint".into(),
        T::Float(_) => "float".into(),
        T::Double(_) => "double".into(),
        T::Decimal(decimal) => format!("decimal({},{})", decimal.precision(), decimal.scale()),
        T::Char(char) => format!("char({})", char.length()),
        T::VarChar(text) if text.length() == VarCharType::MAX_LENGTH => "string".into(),
        T::VarChar(text) => format!("varchar({})", text.length()),
        T::Binary(_) | T::VarBinary(_) | T::Blob(_) => "binary".into(),
        T::Date(_) => "date".into(),
        T::Time(time) => format!("time({})", time.precision()),
        T::Timestamp(timestamp) => format!("timestamp_ntz({})", timestamp.precision()),
        T::LocalZonedTimestamp(timestamp) if timestamp.precision() == 3 => "datetime".into(),
        T::LocalZonedTimestamp(timestamp) => format!("timestamp({})", timestamp.precision()),
        T::Array(array) => format!("array<{}>", type_name(array.element_type())),
        T::Vector(vector) => format!("array<{}>", type_name(vector.element_type())),
        T::Map(map) => format!("map<{},{}>", type_name(map.key_type()), type_name(map.value_type())),
        T::Multiset(multiset) => format!("map<{},int>", type_name(multiset.element_type())),
        T::Row(row) => {
            let fields = row.fields().iter().map(|field| format!("{}:{}", field.name(), type_name(field.data_type())));
            format!("struct<{}>", fields.collect::<Vec<_>>().join(","))
        }
        T::Variant(_) => "json".into(),
    }
}

//! The partitions of a table that hold data.

use crate::convert::Refused;
use crate::display;
use crate::error::{SqlResult, failed, from_paimon};
use crate::tables::OpenTable;
use arrow::array::{ArrayRef, AsArray, Date32Array};
use paimon::spec::{BinaryRow, CoreOptions, DataType, Datum, PredicateBuilder};
use std::collections::BTreeSet;
use std::fmt;

/// A value of a partition column; they sort as SQL does, NULL first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PartitionValue {
    Null,
    Integer(i64),
    /// Days since 1970.
    Date(i32),
    Text(String),
}

impl fmt::Display for PartitionValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Date(days) => {
                let days = Date32Array::from(vec![*days]);
                f.write_str(&display::value_text(&days, 0, display::Zone::default()).unwrap_or_default())
            }
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Values of the partition columns, one row a partition, sorted; only those that match, if values are given.
pub(crate) async fn list(
    table: &OpenTable,
    matching: Option<&lake::PartitionSpec>,
) -> SqlResult<BTreeSet<Vec<PartitionValue>>> {
    let mut builder = table.table.new_read_builder();
    if let Some(matching) = matching {
        let values: Vec<(&str, Option<Datum>)> =
            matching.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let predicate = PredicateBuilder::new(table.fields()).partition_predicate(&values).map_err(from_paimon)?;
        builder.with_filter(predicate);
    }
    let plan = builder.new_scan().plan().await.map_err(from_paimon)?;
    plan.splits().iter().map(|split| values(table, split.partition())).collect()
}

/// The values of a partition, in the order of the partition columns.
pub(crate) fn values(table: &OpenTable, partition: &BinaryRow) -> SqlResult<Vec<PartitionValue>> {
    let fields = table.table.schema().partition_fields();
    fields.iter().enumerate().map(|(index, field)| value(partition, index, field.data_type())).collect()
}

/// Longest name of a partition's folder, bytes: file systems permit no more.
const FOLDER_BYTES_MAX: usize = 255;

/// Refuses the first value whose folder could not be named.
pub(crate) fn check_names(column: &str, values: &ArrayRef) -> Result<(), Refused> {
    let Some(texts) = values.as_string_opt::<i32>() else { return Ok(()) };
    for (row, text) in texts.iter().enumerate() {
        let Some(text) = text.filter(|text| text.len() * 3 + column.len() >= FOLDER_BYTES_MAX) else { continue };
        let name_bytes =
            column.len() + 1 + text.bytes().map(|byte| if is_escaped(byte) { 3 } else { 1 }).sum::<usize>();
        if name_bytes > FOLDER_BYTES_MAX {
            let shown: String = text.chars().take(50).collect();
            let text = format!(
                "'{shown}…' is too long for a partition: its folder's name would have {name_bytes} bytes, at most \
                 {FOLDER_BYTES_MAX} are possible"
            );
            return Err(Refused { row, text });
        }
    }
    Ok(())
}

/// Written as `%XX` in the name of a folder.
fn is_escaped(byte: u8) -> bool {
    byte.is_ascii_control() || b"\"#%'*/:=?\\{}[]^".contains(&byte)
}

/// `dt=2024-07-18/hh=1`.
pub(crate) fn spec_text(table: &OpenTable, values: &[PartitionValue]) -> String {
    let schema = table.table.schema();
    let default_name = CoreOptions::new(schema.options()).partition_default_name().to_owned();
    let pair = |(key, value): (&String, &PartitionValue)| match value {
        PartitionValue::Null => format!("{key}={default_name}"),
        // Other engines keep an empty text as it is; its folder has the same name.
        PartitionValue::Text(text) if text.is_empty() => format!("{key}={default_name}"),
        value => format!("{key}={value}"),
    };
    schema.partition_keys().iter().zip(values).map(pair).collect::<Vec<_>>().join("/")
}

fn value(partition: &BinaryRow, index: usize, data_type: &DataType) -> SqlResult<PartitionValue> {
    if partition.is_null_at(index) {
        return Ok(PartitionValue::Null);
    }
    let value = match data_type {
        DataType::TinyInt(_) => partition.get_byte(index).map(|value| PartitionValue::Integer(value.into())),
        DataType::SmallInt(_) => partition.get_short(index).map(|value| PartitionValue::Integer(value.into())),
        DataType::Int(_) => partition.get_int(index).map(|value| PartitionValue::Integer(value.into())),
        DataType::BigInt(_) => partition.get_long(index).map(PartitionValue::Integer),
        DataType::Date(_) => partition.get_int(index).map(PartitionValue::Date),
        DataType::Char(_) | DataType::VarChar(_) => {
            partition.get_string(index).map(|text| PartitionValue::Text(text.to_owned()))
        }
        // Tables of other engines may be partitioned by more types.
        DataType::Boolean(_) => partition.get_boolean(index).map(|value| PartitionValue::Text(value.to_string())),
        DataType::Float(_) => partition.get_float(index).map(|value| PartitionValue::Text(value.to_string())),
        DataType::Double(_) => partition.get_double(index).map(|value| PartitionValue::Text(value.to_string())),
        other => {
            let text = format!("partition columns of type {} cannot be shown", crate::types::sql_name(other));
            return Err(failed(crate::error::Class::Semantic, text));
        }
    };
    value.map_err(from_paimon)
}

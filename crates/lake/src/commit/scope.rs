//! Which partitions an overwrite replaces.

use crate::manifest::{Entry, normal_partition};
use paimon::spec::{BinaryRow, CoreOptions, DataField, Datum, ManifestFileMeta, TableSchema};
use ports::lake::LakeError;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

/// Values of partition columns by name; `None` is NULL. Columns that are not named match every value.
pub type PartitionSpec = HashMap<String, Option<Datum>>;

/// What an overwrite replaces.
#[derive(Clone, Debug)]
pub enum OverwriteScope {
    /// Everything.
    Table,
    /// The partitions that match one of these, whether or not they are written to.
    Partitions(Vec<PartitionSpec>),
    /// The partitions that are written to; everything where the table has no partitions.
    Dynamic,
}

/// Which partitions an overwrite replaces, ready to be asked.
pub(super) enum Scope {
    Everything,
    /// Columns by position and the value that each must have.
    Matching(Vec<Vec<(usize, PartitionValue)>>),
    Written(HashSet<Vec<u8>>),
}

/// The value that a partition column must have.
pub(super) enum PartitionValue {
    Is(Datum),
    /// NULL; text columns also spell it as the empty text.
    Null,
}

impl Scope {
    /// `written` are the files with the new rows.
    pub(super) fn new<'a>(
        scope: &OverwriteScope,
        fields: &[DataField],
        written: impl Iterator<Item = &'a Entry>,
        schema: &TableSchema,
    ) -> Result<Self, LakeError> {
        match scope {
            OverwriteScope::Table => Ok(Self::Everything),
            OverwriteScope::Dynamic if fields.is_empty() => Ok(Self::Everything),
            OverwriteScope::Dynamic => {
                Ok(Self::Written(written.map(|entry| normal_partition(&entry.partition).to_vec()).collect()))
            }
            OverwriteScope::Partitions(specs) => {
                let options = CoreOptions::new(schema.options());
                let of_column = |(name, value): (&String, &Option<Datum>)| {
                    let position = fields.iter().position(|field| field.name() == name).ok_or_else(|| {
                        let keys = schema.partition_keys().join("`, `");
                        LakeError::Invalid(format!("`{name}` is no partition column; those are `{keys}`."))
                    })?;
                    let value = match value {
                        None => PartitionValue::Null,
                        Some(Datum::String(text)) if text.is_empty() || text == options.partition_default_name() => {
                            PartitionValue::Null
                        }
                        Some(value) => PartitionValue::Is(value.clone()),
                    };
                    Ok((position, value))
                };
                let specs = specs.iter().map(|spec| spec.iter().map(of_column).collect());
                Ok(Self::Matching(specs.collect::<Result<_, LakeError>>()?))
            }
        }
    }

    fn matches(&self, partition: &[u8], fields: &[DataField]) -> bool {
        match self {
            Self::Everything => true,
            Self::Written(partitions) => partitions.contains(normal_partition(partition)),
            Self::Matching(specs) => {
                let Ok(row) = BinaryRow::from_serialized_bytes(partition) else { return false };
                let value = |position: usize| row.get_datum(position, fields[position].data_type()).ok().flatten();
                specs.iter().any(|spec| {
                    spec.iter().all(|(position, wanted)| match (wanted, value(*position)) {
                        (PartitionValue::Null, None) => true,
                        (PartitionValue::Null, Some(Datum::String(text))) => text.is_empty(),
                        (PartitionValue::Is(wanted), Some(value)) => *wanted == value,
                        (PartitionValue::Null, Some(_)) | (PartitionValue::Is(_), None) => false,
                    })
                })
            }
        }
    }

    /// [`Self::matches`], decoding each partition once.
    pub(super) fn cached<'a>(&'a self, fields: &'a [DataField]) -> impl FnMut(&[u8]) -> bool + 'a {
        let mut known: HashMap<Vec<u8>, bool> = HashMap::new();
        move |partition| match known.get(partition) {
            Some(matches) => *matches,
            None => {
                let matches = self.matches(partition, fields);
                known.insert(partition.to_vec(), matches);
                matches
            }
        }
    }

    /// Whether the statistics of a manifest leave room for a partition that matches.
    pub(super) fn may_hold(&self, meta: &ManifestFileMeta, fields: &[DataField]) -> bool {
        let Self::Matching(specs) = self else { return true };
        let row = |bytes: &[u8]| {
            BinaryRow::from_serialized_bytes(bytes).ok().filter(|row| row.arity() as usize == fields.len())
        };
        let stats = meta.partition_stats();
        let (Some(min), Some(max)) = (row(stats.min_values()), row(stats.max_values())) else { return true };
        let within = |(position, wanted): &(usize, PartitionValue)| {
            let PartitionValue::Is(wanted) = wanted else { return true };
            let data_type = fields[*position].data_type();
            let bound = |row: &BinaryRow| row.get_datum(*position, data_type).ok().flatten();
            bound(&min).is_none_or(|min| wanted.partial_cmp(&min) != Some(Ordering::Less))
                && bound(&max).is_none_or(|max| wanted.partial_cmp(&max) != Some(Ordering::Greater))
        };
        specs.iter().any(|spec| spec.iter().all(within))
    }
}

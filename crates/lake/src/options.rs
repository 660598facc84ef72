//! Which options a table may have: what Paimon knows and what stays inside the warehouse.

use model::nearest::nearest;
use paimon::spec::{CoreOptions, DataType, SchemaChange, TableSchema};
use ports::lake::LakeError;
use std::collections::HashMap;

/// Options of Paimon tables that have a meaning in a warehouse.
const KNOWN: &[&str] = &[
    "aggregation.remove-record-on-delete",
    "alter-column-null-to-not-null.disabled",
    "async-file-write",
    "auto-create",
    "btree-index.records-per-range",
    "bucket",
    "bucket-append-ordered",
    "bucket-function.type",
    "bucket-key",
    "cache-page-size",
    "changelog-file.compression",
    "changelog-file.format",
    "changelog-file.prefix",
    "changelog-file.stats-mode",
    "changelog-producer",
    "changelog-producer.row-deduplicate",
    "changelog-producer.row-deduplicate-ignore-fields",
    "changelog.num-retained.max",
    "changelog.num-retained.min",
    "changelog.time-retained",
    "clustering.columns",
    "clustering.incremental",
    "clustering.strategy",
    "commit.callback.timeout",
    "commit.discard-duplicate-files",
    "commit.force-compact",
    "commit.force-create-snapshot",
    "commit.max-retries",
    "commit.max-retry-wait",
    "commit.min-retry-wait",
    "commit.strict-mode.last-safe-snapshot",
    "commit.timeout",
    "commit.user-prefix",
    "compaction.delete-ratio-threshold",
    "compaction.file-num-limit",
    "compaction.force-rewrite-all-files",
    "compaction.force-up-level-0",
    "compaction.incremental-size-threshold",
    "compaction.max-size-amplification-percent",
    "compaction.max.file-num",
    "compaction.min.file-num",
    "compaction.offpeak-ratio",
    "compaction.offpeak.end.hour",
    "compaction.offpeak.start.hour",
    "compaction.optimization-interval",
    "compaction.size-ratio",
    "compaction.skip-expired-partitions",
    "compaction.small-file-ratio",
    "compaction.total-size-threshold",
    "consumer-id",
    "consumer.changelog-only",
    "consumer.expiration-time",
    "consumer.ignore-progress",
    "consumer.mode",
    "continuous.discovery-interval",
    "cross-partition-upsert.bootstrap-parallelism",
    "cross-partition-upsert.index-ttl",
    "data-evolution.enabled",
    "data-evolution.nested-field.enabled",
    "data-file.prefix",
    "data-file.thin-mode",
    "delete-file.thread-num",
    "delete.force-produce-changelog",
    "deletion-vector.index-file.target-size",
    "deletion-vectors.bitmap64",
    "deletion-vectors.enabled",
    "deletion-vectors.merge-on-read",
    "disable-alter-column-null-to-not-null",
    "disable-explicit-type-casting",
    "dynamic-bucket.assigner-parallelism",
    "dynamic-bucket.initial-buckets",
    "dynamic-bucket.max-buckets",
    "dynamic-bucket.target-row-num",
    "dynamic-partition-overwrite",
    "end-input.check-partition-expire",
    "fields.default-aggregate-function",
    "file-index.in-manifest-threshold",
    "file-index.read.enabled",
    "file-operation.thread-num",
    "file-reader-async-threshold",
    "file.block-size",
    "file.compression",
    "file.compression.per.level",
    "file.compression.zstd-level",
    "file.format",
    "file.format.per.level",
    "file.suffix.include.compression",
    "force-lookup",
    "full-compaction.delta-commits",
    "global-index.enabled",
    "ignore-delete",
    "ignore-update-before",
    "index-file-in-data-file-dir",
    "local-merge-buffer-size",
    "local-sort.max-num-file-handles",
    "lookup-compact",
    "lookup-compact.max-interval",
    "lookup-wait",
    "lookup.cache-file-retention",
    "lookup.cache-max-disk-size",
    "lookup.cache-max-memory-size",
    "lookup.cache-spill-compression",
    "lookup.cache.bloom.filter.enabled",
    "lookup.cache.bloom.filter.fpp",
    "lookup.hash-load-factor",
    "lookup.local-file-type",
    "manifest-sort.enabled",
    "manifest.compression",
    "manifest.delete-file-drop-stats",
    "manifest.format",
    "manifest.full-compaction-threshold-size",
    "manifest.merge-min-count",
    "manifest.sidecar.enabled",
    "manifest.target-file-size",
    "manifest.target-size",
    "merge-engine",
    "metadata.iceberg.storage",
    "metadata.stats-dense-store",
    "metadata.stats-keep-first-n-columns",
    "metadata.stats-mode",
    "metadata.stats-mode.per.level",
    "metastore.partitioned-table",
    "metastore.tag-to-partition",
    "metastore.tag-to-partition.preview",
    "num-levels",
    "num-sorted-run.compaction-trigger",
    "num-sorted-run.stop-trigger",
    "odps.lifecycle",
    "overwrite-upgrade",
    "owner",
    "page-size",
    "partial-update.remove-record-on-delete",
    "partial-update.remove-record-on-sequence-group",
    "partition.default-name",
    "partition.end-input-to-done",
    "partition.expiration-batch-size",
    "partition.expiration-check-interval",
    "partition.expiration-max-num",
    "partition.expiration-strategy",
    "partition.expiration-time",
    "partition.idle-time-to-report-statistic",
    "partition.legacy-name",
    "partition.mark-done-action",
    "partition.sink-strategy",
    "partition.timestamp-formatter",
    "partition.timestamp-pattern",
    "precommit-compact",
    "read.batch-size",
    "read.parquet.row-group.parallelism",
    "record-level.expire-time",
    "record-level.time-field",
    "record-level.time-field-type",
    "row-tracking.enabled",
    "row-tracking.partition-group-on-commit",
    "rowkind.field",
    "scan.fallback-branch",
    "scan.infer-parallelism",
    "scan.manifest.parallelism",
    "scan.max-splits-per-task",
    "scan.mode",
    "scan.parallelism",
    "scan.plan-sort-partition",
    "sequence.field",
    "sequence.field.sort-order",
    "sink.parallelism",
    "sink.watermark-time-zone",
    "snapshot.clean-empty-directories",
    "snapshot.expire.execution-mode",
    "snapshot.expire.limit",
    "snapshot.ignore-empty-commit",
    "snapshot.num-retained.max",
    "snapshot.num-retained.min",
    "snapshot.time-retained",
    "snapshot.watermark-idle-timeout",
    "sort-compaction.local-sample.magnification",
    "sort-compaction.range-strategy",
    "sort-engine",
    "sort-spill-buffer-size",
    "sort-spill-threshold",
    "source.split.open-file-cost",
    "source.split.target-size",
    "spill-compression",
    "spill-compression.zstd-level",
    "streaming-read-mode",
    "streaming-read-overwrite",
    "streaming.read.snapshot.delay",
    "tag.automatic-completion",
    "tag.automatic-creation",
    "tag.batch.customized-name",
    "tag.callbacks",
    "tag.create-success-file",
    "tag.creation-delay",
    "tag.creation-period",
    "tag.default-time-retained",
    "tag.num-retained-max",
    "tag.period-formatter",
    "tag.time-expire-enabled",
    "target-file-row-num",
    "target-file-size",
    "type",
    "variant.inferShreddingSchema",
    "variant.shreddingSchema",
    "write-buffer-for-append",
    "write-buffer-size",
    "write-buffer-spill.max-disk-size",
    "write-buffer-spillable",
    "write-manifest-cache",
    "write-max-writers-to-spill",
    "write-only",
    "write.batch-memory",
    "write.batch-size",
    "write.parquet-buffer-size",
    "zorder.var-length-contribution",
];

/// Families of options: per column, and settings that are handed to the file format.
const KNOWN_PREFIXES: &[&str] =
    &["fields.", "file-index.", "parquet.", "orc.", "avro.", "metadata.iceberg.", "tag.creation", "lakedeck."];

/// Options that would reach outside the table's folder, or decide what is not a table's to decide.
const REFUSED: &[(&str, &str)] = &[
    ("path", "the catalog decides where a table lies"),
    ("data-file.external-paths", "files of a table stay in its folder"),
    ("data-file.external-paths.strategy", "files of a table stay in its folder"),
    ("data-file.external-paths.specific-fs", "files of a table stay in its folder"),
    ("data-file.path-directory", "files of a table stay in its folder"),
    ("global-index.external-path", "files of a table stay in its folder"),
    ("object-location", "files of a table stay in its folder"),
    ("metadata.iceberg.database", "metadata is kept in the warehouse only"),
    ("metadata.iceberg.uri", "metadata is kept in the warehouse only"),
    ("query-auth.enabled", "row and column policies need a catalog service"),
    ("primary-key", "write it as PRIMARY KEY (…)"),
    ("partition", "write it as PARTITIONED BY (…)"),
    ("branch", "a branch is named in the query"),
    ("commit.callbacks", "code of other engines is not run"),
    ("tag.callbacks", "code of other engines is not run"),
    ("commit.catalog-lock.type", "commits here need no lock of their own"),
    ("blob-view-field", "values that point outside the table are not resolved"),
    ("blob-descriptor-field", "values that point outside the table are not resolved"),
    ("video-frame-field", "values that point outside the table are not resolved"),
    ("scan.snapshot-id", "a version is chosen in the query"),
    ("scan.tag-name", "a version is chosen in the query"),
    ("scan.timestamp", "a version is chosen in the query"),
    ("scan.timestamp-millis", "a version is chosen in the query"),
    ("scan.version", "a version is chosen in the query"),
    ("scan.watermark", "a version is chosen in the query"),
    ("incremental-between", "a range of versions is chosen in the query"),
    ("incremental-between-timestamp", "a range of versions is chosen in the query"),
];

/// Options that describe how the files of a table already lie.
const FIXED_AT_CREATION: &[&str] = &[
    "bucket-function.type",
    "bucket-key",
    "data-evolution.enabled",
    "deletion-vectors.bitmap64",
    "index-file-in-data-file-dir",
    "merge-engine",
    "partition.default-name",
    "partition.legacy-name",
    "row-tracking.enabled",
    "rowkind.field",
    "sequence.field",
    "type",
];

/// Checks the options of a new table.
pub fn check_options(options: &HashMap<String, String>) -> Result<(), LakeError> {
    // In the order of their names, so that the same mistake gives the same answer.
    let mut options: Vec<_> = options.iter().collect();
    options.sort();
    options.into_iter().try_for_each(|(key, value)| check_option(key, value))
}

/// Checks one option: known, inside the warehouse, with a value that makes sense.
pub fn check_option(key: &str, value: &str) -> Result<(), LakeError> {
    let invalid = |why: String| Err(LakeError::Invalid(format!("Table option `{key}` is refused: {why}.")));
    if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == key) {
        return invalid((*why).into());
    }
    if !KNOWN.contains(&key) && !KNOWN_PREFIXES.iter().any(|prefix| key.starts_with(prefix)) {
        let hint = nearest(&key.replace('_', "-"), KNOWN.iter().copied())
            .map(|name| format!(" Did you mean `{name}`?"))
            .unwrap_or_default();
        return Err(LakeError::Invalid(format!("Unknown table option `{key}`.{hint}")));
    }
    if value.chars().any(char::is_control) {
        return invalid("its value has control characters".into());
    }
    let one_of = |choices: &[&str]| match choices.contains(&value) {
        true => Ok(()),
        false => invalid(format!("`{value}` is not one of {}", choices.join(", "))),
    };
    match key {
        "type" => one_of(&["table"]),
        "file.format" | "changelog-file.format" => one_of(&["parquet", "orc", "avro"]),
        "manifest.format" => one_of(&["avro"]),
        "merge-engine" => one_of(&["deduplicate", "partial-update", "aggregation", "first-row"]),
        "changelog-producer" => one_of(&["none", "input", "full-compaction", "lookup"]),
        "bucket" => match value.parse::<i32>() {
            Ok(-2 | -1 | 1..) => Ok(()),
            _ => invalid(format!(
                "`{value}` is neither a positive number of buckets, nor -1 (dynamic), nor -2 (postponed)"
            )),
        },
        "commit.max-retries" | "manifest.merge-min-count" => match value.parse::<u32>() {
            Ok(_) => Ok(()),
            Err(_) => invalid(format!("`{value}` is no whole number")),
        },
        _ => Ok(()),
    }
}

/// The schema of a new table, with what its files need so that they can be written here.
pub(crate) fn with_defaults(schema: TableSchema) -> TableSchema {
    match is_orc(&schema) && !schema.options().contains_key("file.compression") {
        true => schema.copy_with_options(HashMap::from([("file.compression".into(), "none".into())])),
        false => schema,
    }
}

/// Refuses a table that could be made but not written to.
pub(crate) fn check_writable(schema: &TableSchema) -> Result<(), LakeError> {
    let keys = schema.primary_keys();
    let outside = schema.partition_keys().iter().find(|key| !keys.is_empty() && !keys.contains(key));
    if let Some(outside) = outside
        && CoreOptions::new(schema.options()).bucket() != -1
    {
        return Err(LakeError::Invalid(format!(
            "The primary key leaves out the partition column `{outside}`, so a key may move between partitions, and only \
             dynamic buckets find it there: leave `bucket` out or set it to -1, or add `{outside}` to the primary key."
        )));
    }
    if !is_orc(schema) {
        return Ok(());
    }
    if schema.options().get("file.compression").is_none_or(|compression| compression != "none") {
        return Err(LakeError::Unsupported(
            "ORC files are only written without compression: set `file.compression` to `none`.".into(),
        ));
    }
    match schema.fields().iter().find(|field| matches!(field.data_type(), DataType::Decimal(_))) {
        None => Ok(()),
        Some(field) => Err(LakeError::Unsupported(format!(
            "Column `{}` is a decimal, which is not written to ORC files. Use `file.format` = `parquet`.",
            field.name()
        ))),
    }
}

fn is_orc(schema: &TableSchema) -> bool {
    schema.options().get("file.format").is_some_and(|format| format == "orc")
}

/// Checks what a change of the schema does to the options.
pub(crate) fn check_changes(schema: &TableSchema, changes: &[SchemaChange], has_data: bool) -> Result<(), LakeError> {
    for change in changes {
        let (key, new) = match change {
            SchemaChange::SetOption { key, value } => {
                check_option(key, value)?;
                (key, Some(value))
            }
            SchemaChange::RemoveOption { key } => (key, None),
            _ => continue,
        };
        let old = schema.options().get(key);
        if !has_data || old == new {
            continue;
        }
        let refuse = |why: &str| Err(LakeError::Invalid(format!("Table option `{key}` cannot be changed: {why}.")));
        if FIXED_AT_CREATION.contains(&key.as_str()) {
            return refuse("the table's files were written by it");
        }
        if key == "bucket" {
            let count = |value: Option<&String>| value.map_or("-1", |value| value.as_str()).to_owned();
            let (old, new) = (count(old), count(new));
            if old != new && (old.starts_with('-') || new.starts_with('-')) {
                return refuse("a table with dynamic or no buckets keeps them, and one with a fixed number does too");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, value: &str, expected: &str) {
        let got = check_option(key, value).map_or_else(|error| error.to_string(), |()| "ok".into());
        assert_eq!(got, expected, "{key} = {value}");
    }

    #[test]
    fn options() {
        check("bucket", "4", "ok");
        check("bucket", "-1", "ok");
        check("fields.a.aggregate-function", "sum", "ok");
        check("parquet.block.size", "1048576", "ok");
        check("type", "table", "ok");
        check("type", "format-table", "Table option `type` is refused: `format-table` is not one of table.");
        check("path", "/etc", "Table option `path` is refused: the catalog decides where a table lies.");
        check("buckt", "1", "Unknown table option `buckt`. Did you mean `bucket`?");
        check(
            "snapshot.time_retained",
            "1 h",
            "Unknown table option `snapshot.time_retained`. Did you mean `snapshot.time-retained`?",
        );
        check("no.such.thing", "1", "Unknown table option `no.such.thing`.");
        check(
            "bucket",
            "0",
            "Table option `bucket` is refused: `0` is neither a positive number of buckets, nor -1 (dynamic), nor -2 (postponed).",
        );
        check(
            "data-file.external-paths",
            "oss://other/",
            "Table option `data-file.external-paths` is refused: files of a table stay in its folder.",
        );
    }
}

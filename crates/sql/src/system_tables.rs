//! What a table tells about itself as rows: `t$snapshots`, `t$files` and their like, with the columns that other
//! engines give them. They are read whole from metadata, so that no full-scan guard applies.

use crate::analyze::not_supported_yet;
use crate::dialect::Ident;
use crate::error::{Class, Place, SqlResult, failed_at, from_datafusion, from_lake, from_paimon, with_suggestion};
use crate::job::Job;
use crate::partitions;
use crate::tables::OpenTable;
use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow::datatypes::{Field, Schema};
use model::nearest::nearest;
use paimon::DataSplit;
use paimon::spec::{DataFileMeta, ManifestList, Snapshot};
use paimon::table::BranchManager;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The system tables that can be read.
const NAMES: [&str; 10] =
    ["snapshots", "schemas", "options", "files", "manifests", "partitions", "buckets", "tags", "branches", "consumers"];

/// Those that other engines have beside them.
const LATER: [&str; 7] =
    ["audit_log", "binlog", "ro", "aggregation_fields", "statistics", "table_indexes", "row_tracking"];

/// The rows of a table's system table.
pub(crate) async fn read(job: &Job, table: &OpenTable, system: &Ident) -> SqlResult<RecordBatch> {
    let columns = Columns { zone_name: job.settings.zone_name.as_str().into(), fields: Vec::new(), arrays: Vec::new() };
    let columns = match system.value.to_lowercase().as_str() {
        "snapshots" => snapshots(table, columns).await?,
        "schemas" => schemas(table, columns).await?,
        "options" => options(table, columns),
        "files" => files(table, columns).await?,
        "manifests" => manifests(table, columns).await?,
        "partitions" => totals(table, columns, Per::Partition).await?,
        "buckets" => totals(table, columns, Per::Bucket).await?,
        "tags" => tags(table, columns).await?,
        "branches" => branches(table, columns).await?,
        "consumers" => consumers(table, columns).await?,
        name if LATER.contains(&name) || name.starts_with("branch_") => {
            return Err(not_supported_yet(&format!("system table {}${name}", table.reference.table)));
        }
        name => {
            let text = format!("table {} has no system table {name}", table.reference);
            let error = failed_at(Class::Semantic, Place::of(&job.parsed, system.span), text);
            let meant = nearest(name, NAMES).map(|near| format!("{}${near}", table.reference.table));
            return Err(with_suggestion(error, meant.as_deref()));
        }
    };
    let schema = Arc::new(Schema::new(columns.fields));
    RecordBatch::try_new(schema, columns.arrays).map_err(|error| from_datafusion(error.into()))
}

/// The columns of a system table, one after the other.
struct Columns {
    zone_name: Arc<str>,
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    fn with(mut self, name: &str, array: ArrayRef) -> Self {
        self.fields.push(Field::new(name, array.data_type().clone(), true));
        self.arrays.push(array);
        self
    }

    fn texts<T: Into<Option<String>>>(self, name: &str, values: impl Iterator<Item = T>) -> Self {
        let array: StringArray = values.map(Into::<Option<String>>::into).collect();
        self.with(name, Arc::new(array))
    }

    fn bigints<T: Into<Option<i64>>>(self, name: &str, values: impl Iterator<Item = T>) -> Self {
        let array: Int64Array = values.map(Into::<Option<i64>>::into).collect();
        self.with(name, Arc::new(array))
    }

    fn ints(self, name: &str, values: impl Iterator<Item = i32>) -> Self {
        self.with(name, Arc::new(Int32Array::from_iter_values(values)))
    }

    /// Milliseconds since 1970.
    fn moments<T: Into<Option<i64>>>(self, name: &str, values: impl Iterator<Item = T>) -> Self {
        let array: TimestampMillisecondArray = values.map(Into::<Option<i64>>::into).collect();
        let array = array.with_timezone(Arc::clone(&self.zone_name));
        self.with(name, Arc::new(array))
    }
}

fn commit_millis(snapshot: &Snapshot) -> i64 {
    i64::try_from(snapshot.time_millis()).unwrap_or(i64::MAX)
}

async fn snapshots(table: &OpenTable, columns: Columns) -> SqlResult<Columns> {
    let found = table.stored.snapshot_manager().list_all().await.map_err(from_paimon)?;
    let each = || found.iter();
    Ok(columns
        .bigints("snapshot_id", each().map(Snapshot::id))
        .bigints("schema_id", each().map(Snapshot::schema_id))
        .texts("commit_user", each().map(|snapshot| snapshot.commit_user().to_owned()))
        .bigints("commit_identifier", each().map(Snapshot::commit_identifier))
        .texts("commit_kind", each().map(|snapshot| snapshot.commit_kind().to_string()))
        .moments("commit_time", each().map(commit_millis))
        .texts("base_manifest_list", each().map(|snapshot| snapshot.base_manifest_list().to_owned()))
        .texts("delta_manifest_list", each().map(|snapshot| snapshot.delta_manifest_list().to_owned()))
        .texts("changelog_manifest_list", each().map(|snapshot| snapshot.changelog_manifest_list().map(str::to_owned)))
        .bigints("total_record_count", each().map(Snapshot::total_record_count))
        .bigints("delta_record_count", each().map(Snapshot::delta_record_count))
        .bigints("changelog_record_count", each().map(Snapshot::changelog_record_count))
        .bigints("watermark", each().map(Snapshot::watermark)))
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

async fn schemas(table: &OpenTable, columns: Columns) -> SqlResult<Columns> {
    let found = table.stored.schema_manager().list_all().await.map_err(from_paimon)?;
    let each = || found.iter();
    Ok(columns
        .bigints("schema_id", each().map(|schema| schema.id()))
        .texts("fields", each().map(|schema| json(&schema.fields())))
        .texts("partition_keys", each().map(|schema| json(&schema.partition_keys())))
        .texts("primary_keys", each().map(|schema| json(&schema.primary_keys())))
        .texts("options", each().map(|schema| json(&schema.options().iter().collect::<BTreeMap<_, _>>())))
        .texts("comment", each().map(|schema| schema.comment().map(str::to_owned)))
        .moments("update_time", each().map(|schema| schema.time_millis())))
}

fn options(table: &OpenTable, columns: Columns) -> Columns {
    let sorted: BTreeMap<_, _> = table.stored.schema().options().iter().collect();
    columns
        .texts("key", sorted.keys().map(|key| (*key).clone()))
        .texts("value", sorted.values().map(|value| (*value).clone()))
}

/// The splits of the state that is read, with all their files.
async fn splits(table: &OpenTable) -> SqlResult<Vec<DataSplit>> {
    let builder = table.table.new_read_builder();
    let plan = builder.new_scan().with_scan_all_files().plan().await.map_err(from_paimon)?;
    Ok(plan.into_splits())
}

/// `dt=2024-07-18/hh=1`, as SHOW PARTITIONS has it; NULL without partitions.
fn partition_text(table: &OpenTable, split: &DataSplit) -> SqlResult<Option<String>> {
    if table.partition_keys().is_empty() {
        return Ok(None);
    }
    Ok(Some(partitions::spec_text(table, &partitions::values(table, split.partition())?)))
}

async fn files(table: &OpenTable, columns: Columns) -> SqlResult<Columns> {
    let splits = splits(table).await?;
    let mut found: Vec<(Option<String>, &DataSplit, &DataFileMeta)> = Vec::new();
    for split in &splits {
        let partition = partition_text(table, split)?;
        found.extend(split.data_files().iter().map(|file| (partition.clone(), split, file)));
    }
    found.sort_by(|(a, split, file), (b, other_split, other)| {
        (a, split.bucket(), file.min_sequence_number).cmp(&(b, other_split.bucket(), other.min_sequence_number))
    });
    let each = || found.iter();
    let of_file = || found.iter().map(|(_, _, file)| *file);
    let format = |file: &DataFileMeta| file.file_name.rsplit_once('.').map(|(_, format)| format.to_owned());
    let source = |file: &DataFileMeta| {
        file.file_source.map(|source| match source {
            0 => "APPEND".to_owned(),
            1 => "COMPACT".to_owned(),
            other => other.to_string(),
        })
    };
    Ok(columns
        .texts("partition", each().map(|(partition, ..)| partition.clone()))
        .ints("bucket", each().map(|(_, split, _)| split.bucket()))
        .texts("file_path", each().map(|(_, split, file)| split.data_file_path(file)))
        .texts("file_format", of_file().map(format))
        .bigints("schema_id", of_file().map(|file| file.schema_id))
        .ints("level", of_file().map(|file| file.level))
        .bigints("record_count", of_file().map(|file| file.row_count))
        .bigints("file_size_in_bytes", of_file().map(|file| file.file_size))
        .bigints("min_sequence_number", of_file().map(|file| file.min_sequence_number))
        .bigints("max_sequence_number", of_file().map(|file| file.max_sequence_number))
        .moments("creation_time", of_file().map(|file| file.creation_time.map(|time| time.timestamp_millis())))
        .bigints("delete_row_count", of_file().map(|file| file.delete_row_count))
        .texts("file_source", of_file().map(source))
        .bigints("first_row_id", of_file().map(|file| file.first_row_id)))
}

/// What files are summed up by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Per {
    Partition,
    Bucket,
}

#[derive(Default)]
struct Total {
    n_rows: i64,
    size_bytes: i64,
    n_files: i64,
    updated_at: Option<i64>,
}

async fn totals(table: &OpenTable, columns: Columns, per: Per) -> SqlResult<Columns> {
    let mut totals: BTreeMap<(Option<String>, i32), Total> = BTreeMap::new();
    for split in splits(table).await? {
        let bucket = if per == Per::Bucket { split.bucket() } else { 0 };
        let total = totals.entry((partition_text(table, &split)?, bucket)).or_default();
        for file in split.data_files() {
            total.n_rows += file.row_count;
            total.size_bytes += file.file_size;
            total.n_files += 1;
            total.updated_at = total.updated_at.max(file.creation_time.map(|time| time.timestamp_millis()));
        }
    }
    let mut columns = columns.texts("partition", totals.keys().map(|(partition, _)| partition.clone()));
    if per == Per::Bucket {
        columns = columns.ints("bucket", totals.keys().map(|(_, bucket)| *bucket));
    }
    Ok(columns
        .bigints("record_count", totals.values().map(|total| total.n_rows))
        .bigints("file_size_in_bytes", totals.values().map(|total| total.size_bytes))
        .bigints("file_count", totals.values().map(|total| total.n_files))
        .moments("last_update_time", totals.values().map(|total| total.updated_at)))
}

/// Of the snapshot that is read: its manifests, the older ones first.
async fn manifests(table: &OpenTable, columns: Columns) -> SqlResult<Columns> {
    let latest = match table.table.travel_snapshot() {
        Some(snapshot) => Some(snapshot.clone()),
        None => table.catalog.latest_snapshot(&table.stored).await.map_err(from_lake)?,
    };
    let snapshots = table.stored.snapshot_manager();
    let mut found = Vec::new();
    if let Some(snapshot) = &latest {
        for list in [snapshot.base_manifest_list(), snapshot.delta_manifest_list()] {
            let path = snapshots.manifest_path(list);
            found.extend(ManifestList::read(table.stored.file_io(), &path).await.map_err(from_paimon)?);
        }
    }
    let each = || found.iter();
    Ok(columns
        .texts("file_name", each().map(|manifest| manifest.file_name().to_owned()))
        .bigints("file_size", each().map(|manifest| manifest.file_size()))
        .bigints("num_added_files", each().map(|manifest| manifest.num_added_files()))
        .bigints("num_deleted_files", each().map(|manifest| manifest.num_deleted_files()))
        .bigints("schema_id", each().map(|manifest| manifest.schema_id())))
}

async fn tags(table: &OpenTable, columns: Columns) -> SqlResult<Columns> {
    let found = table.stored.tag_manager().list_all_with_metadata().await.map_err(from_paimon)?;
    let each = || found.iter();
    Ok(columns
        .texts("tag_name", each().map(|(name, ..)| name.clone()))
        .bigints("snapshot_id", each().map(|(_, snapshot, ..)| snapshot.id()))
        .bigints("schema_id", each().map(|(_, snapshot, ..)| snapshot.schema_id()))
        .moments("commit_time", each().map(|(_, snapshot, ..)| commit_millis(snapshot)))
        .bigints("record_count", each().map(|(_, snapshot, ..)| snapshot.total_record_count()))
        .moments("create_time", each().map(|(_, _, created_at, _)| *created_at))
        .texts("time_retained", each().map(|(.., seconds)| seconds.map(|seconds| format!("PT{seconds}S")))))
}

async fn branches(table: &OpenTable, columns: Columns) -> SqlResult<Columns> {
    let location = table.stored.location().to_owned();
    let names = BranchManager::new(table.stored.file_io().clone(), location).list_all().await.map_err(from_paimon)?;
    Ok(columns.texts("branch_name", names.into_iter()))
}

async fn consumers(table: &OpenTable, columns: Columns) -> SqlResult<Columns> {
    let found = table.stored.consumer_manager().list_all().await.map_err(from_paimon)?;
    Ok(columns
        .texts("consumer_id", found.iter().map(|(id, _)| id.clone()))
        .bigints("next_snapshot_id", found.iter().map(|(_, next)| *next)))
}

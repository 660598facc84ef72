//! Scans of tables. Splits in which nothing has to be merged go to DataFusion's own Parquet source, with its
//! parallelism, pruning and late materialization; the rest goes to `paimon`'s merge reader.

use crate::prune;
use crate::tables::OpenTable;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{ColumnStatistics, DataFusionError, Result, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::{ObjectStoreRegistry, ObjectStoreUrl};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_expr_adapter::{DefaultPhysicalExprAdapter, PhysicalExprAdapter, PhysicalExprAdapterFactory};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::StreamExt;
use model::table::TableRef;
use model::worksheet::Span;
use object_store::ObjectStore;
use paimon::DataSplit;
use paimon::spec::{DataFileMeta, DataType, Datum};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use url::Url;

const FIELD_ID: &str = "PARQUET:field_id";

/// The stores of one statement: read-only, each rooted at a table that the statement may read; nothing else exists.
#[derive(Debug, Default)]
pub(crate) struct TableStores(Mutex<HashMap<String, Arc<dyn ObjectStore>>>);

impl TableStores {
    /// The address of a table's store.
    fn add(&self, store: Arc<dyn ObjectStore>) -> Result<ObjectStoreUrl> {
        let mut stores = self.0.lock().expect("no holder of this lock panics");
        let id = format!("t{}", stores.len());
        let url = ObjectStoreUrl::parse(format!("lake://{id}/"))?;
        stores.insert(id, store);
        Ok(url)
    }
}

impl ObjectStoreRegistry for TableStores {
    fn register_store(&self, _url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        // Only `add` makes a store reachable.
        Some(store)
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let stores = self.0.lock().expect("no holder of this lock panics");
        let store = (url.scheme() == "lake").then(|| stores.get(url.host_str().unwrap_or_default())).flatten();
        store.cloned().ok_or_else(|| DataFusionError::Plan(format!("there is no store {}", url.scheme())))
    }
}

/// A table as DataFusion scans it.
#[derive(Debug)]
pub(crate) struct TableScan {
    table: OpenTable,
    /// Where the statement names it.
    span: Span,
    schema: SchemaRef,
    stores: Arc<TableStores>,
    /// Rows of the newest snapshot, before merging; `None` without a snapshot.
    row_count: Option<i64>,
}

impl TableScan {
    pub(crate) async fn new(
        table: OpenTable,
        span: Span,
        zone_name: &str,
        stores: Arc<TableStores>,
    ) -> std::result::Result<Self, ports::sql_engine::SqlError> {
        let schema = table.arrow_schema(zone_name)?;
        let snapshot = table.catalog.latest_snapshot(&table.stored).await.map_err(crate::error::from_lake)?;
        let row_count = snapshot.map(|snapshot| snapshot.total_record_count().unwrap_or(i64::MAX));
        Ok(Self { table, span, schema, stores, row_count })
    }

    pub(crate) fn table(&self) -> &OpenTable {
        &self.table
    }

    pub(crate) fn span(&self) -> Span {
        self.span
    }

    pub(crate) fn has_data(&self) -> bool {
        self.row_count.is_some()
    }

    pub(crate) fn row_count(&self) -> i64 {
        self.row_count.unwrap_or(0)
    }

    /// Says what is scanned: splits by how they are read.
    async fn describe(
        &self,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<(ScanDescription, Vec<DataSplit>, Vec<DataSplit>)> {
        let mut builder = self.table.table.new_read_builder();
        if let Some(predicate) = prune::predicate(filters, self.table.fields()) {
            builder.with_filter(predicate);
        }
        // The filters are not exact, so only an unfiltered scan may stop early.
        let limit = if filters.is_empty() { limit } else { None };
        if let Some(limit) = limit {
            builder.with_limit(limit);
        }
        let plan = builder.new_scan().plan().await.map_err(external)?;
        let snapshot_id = plan.snapshot_id();
        let evolved = Evolution::of(&self.table, plan.splits()).await?;
        let (mut native, mut merged) = (Vec::new(), Vec::new());
        let mut splits = plan.into_splits();
        splits.sort_by_cached_key(|split| split.data_files().iter().map(age).min());
        for split in splits {
            if self.is_native(&split, &evolved) { native.push(split) } else { merged.push(split) }
        }
        let bytes = |splits: &[DataSplit]| {
            splits.iter().map(|split| split.serialize().map_err(external)).collect::<Result<Vec<_>>>()
        };
        let description = ScanDescription {
            table: self.table.reference.clone(),
            schema_id: self.table.table.schema().id(),
            snapshot_id,
            columns: projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect()),
            limit,
            native: bytes(&native)?,
            merged: bytes(&merged)?,
        };
        Ok((description, native, merged))
    }

    /// Whether the files of a split are the rows as they are.
    fn is_native(&self, split: &DataSplit, evolved: &Evolution) -> bool {
        let no_deletions = split.data_deletion_files().is_none_or(|files| files.iter().all(Option::is_none));
        split.raw_convertible()
            && no_deletions
            && split.row_ranges().is_none()
            && split.data_files().iter().all(|file| {
                file.file_name.ends_with(".parquet")
                    && file.write_cols.is_none()
                    && file.row_count_known()
                    && evolved.is_same_by_name(file.schema_id)
                    && self.relative_path(split, file).is_some()
            })
    }

    /// A file's path below the table's folder, `None` if it lies elsewhere.
    fn relative_path(&self, split: &DataSplit, file: &DataFileMeta) -> Option<String> {
        let path = split.data_file_path(file);
        let root = self.table.table.location().trim_end_matches('/');
        Some(path.strip_prefix(root)?.strip_prefix('/')?.to_owned())
    }

    fn native_scan(
        &self,
        state: &dyn Session,
        splits: &[DataSplit],
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let storage = self.table.catalog.storage();
        let folder = storage.relative(self.table.table.location()).map_err(external)?;
        let url = self.stores.add(storage.object_store_at(&folder).map_err(external)?)?;
        let mut options = state.table_options().parquet.clone();
        options.global = state.config_options().execution.parquet.clone();
        let source = ParquetSource::new(TableSchema::from_file_schema(Arc::clone(&self.schema)))
            .with_table_parquet_options(options);
        let mut in_splits: Vec<(&DataSplit, &DataFileMeta)> =
            splits.iter().flat_map(|split| split.data_files().iter().map(move |file| (split, file))).collect();
        in_splits.sort_by_cached_key(|(_, file)| age(file));
        let mut files = Vec::new();
        let mut statistics = Vec::new();
        for (split, file) in in_splits {
            let path = self.relative_path(split, file).expect("only files below the table are native");
            let size = u64::try_from(file.file_size).unwrap_or(0);
            let of_file = Arc::new(self.file_statistics(file));
            statistics.push(Arc::clone(&of_file));
            files.push(PartitionedFile::new(path, size).with_statistics(of_file));
        }
        let groups = contiguous_groups(files, state.config().target_partitions());
        let statistics = Statistics::try_merge_iter(statistics.iter().map(AsRef::as_ref), &self.schema)?;
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_limit(limit)
            // Or else threads that are done take over files of others.
            .with_preserve_order(keeps_order(state))
            .with_expr_adapter(Some(Arc::new(ByFieldId)))
            .with_projection_indices(projection.cloned())?
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn file_statistics(&self, file: &DataFileMeta) -> Statistics {
        let schema = self.table.table.schema();
        let column = |field| {
            let mut column = ColumnStatistics::new_unknown();
            if let Some(known) = file.value_stats_for_field(schema.id(), schema.fields(), field) {
                if let Some(nulls) = known.null_count {
                    column.null_count = Precision::Exact(usize::try_from(nulls).unwrap_or(0));
                }
                column.min_value = known.min_value.map_or(Precision::Absent, bound);
                column.max_value = known.max_value.map_or(Precision::Absent, bound);
            }
            column
        };
        Statistics {
            num_rows: Precision::Exact(usize::try_from(file.row_count).unwrap_or(0)),
            total_byte_size: Precision::Inexact(usize::try_from(file.file_size).unwrap_or(0)),
            column_statistics: schema.fields().iter().map(column).collect(),
        }
    }
}

/// The order in which files came: by commit, and within a commit by their numbers. Sequence numbers do not tell it,
/// because append tables have none.
fn age(file: &DataFileMeta) -> (Option<i64>, i64, usize, String) {
    let created = file.creation_time.map(|time| time.timestamp_millis());
    // `data-<uuid>-9.parquet` comes before `data-<uuid>-10.parquet`.
    (created, file.min_sequence_number, file.file_name.len(), file.file_name.clone())
}

/// Whether rows must come as the files lie: the planner then also forbids to deal them out anew.
fn keeps_order(state: &dyn Session) -> bool {
    !state.config_options().optimizer.enable_round_robin_repartition
}

/// Files in groups of about the same size, one a thread. One after the other the groups have the order of the files.
fn contiguous_groups(files: Vec<PartitionedFile>, n_groups: usize) -> Vec<FileGroup> {
    let total: u64 = files.iter().map(|file| file.object_meta.size.max(1)).sum();
    let n_groups = n_groups.clamp(1, files.len().max(1)) as u64;
    let mut groups: Vec<Vec<PartitionedFile>> = vec![Vec::new()];
    let mut seen = 0;
    for file in files {
        let is_due = seen * n_groups >= total * groups.len() as u64;
        seen += file.object_meta.size.max(1);
        match groups.last_mut() {
            Some(group) if group.is_empty() || !is_due => group.push(file),
            _ => groups.push(vec![file]),
        }
    }
    groups.into_iter().map(FileGroup::new).collect()
}

/// Strings may be cut in manifests, and floating numbers hide NaN: of those nothing is said.
fn bound(datum: Datum) -> Precision<ScalarValue> {
    match datum {
        Datum::TinyInt(value) => Precision::Exact(ScalarValue::Int8(Some(value))),
        Datum::SmallInt(value) => Precision::Exact(ScalarValue::Int16(Some(value))),
        Datum::Int(value) => Precision::Exact(ScalarValue::Int32(Some(value))),
        Datum::Long(value) => Precision::Exact(ScalarValue::Int64(Some(value))),
        Datum::Date(value) => Precision::Exact(ScalarValue::Date32(Some(value))),
        _ => Precision::Absent,
    }
}

/// A scan as a plain value: enough to run it elsewhere on the same table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScanDescription {
    pub table: TableRef,
    pub schema_id: i64,
    pub snapshot_id: Option<i64>,
    /// Positions in the table's schema.
    pub columns: Vec<usize>,
    pub limit: Option<usize>,
    /// Splits in the table format's own serial form.
    pub native: Vec<Vec<u8>>,
    pub merged: Vec<Vec<u8>>,
}

/// In which of the schemas that files were written with every column has the name it has today.
struct Evolution(HashMap<i64, bool>);

impl Evolution {
    async fn of(table: &OpenTable, splits: &[DataSplit]) -> Result<Self> {
        let current = table.table.schema();
        let mut same = HashMap::from([(current.id(), true)]);
        for file in splits.iter().flat_map(|split| split.data_files()) {
            if let std::collections::hash_map::Entry::Vacant(entry) = same.entry(file.schema_id) {
                let old = table.table.schema_manager().schema(file.schema_id).await.map_err(external)?;
                let is_same = current.fields().iter().all(|field| {
                    let by_name = old.fields().iter().find(|old| old.name() == field.name());
                    let by_id = old.fields().iter().find(|old| old.id() == field.id());
                    match (by_name, by_id) {
                        (None, None) => true,
                        (Some(a), Some(b)) => {
                            a.id() == b.id() && (a.data_type() == field.data_type() || !is_nested(field.data_type()))
                        }
                        _ => false,
                    }
                });
                entry.insert(is_same);
            }
        }
        Ok(Self(same))
    }

    fn is_same_by_name(&self, schema_id: i64) -> bool {
        self.0.get(&schema_id).copied().unwrap_or(false)
    }
}

fn is_nested(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Array(_) | DataType::Map(_) | DataType::Multiset(_) | DataType::Row(_) | DataType::Vector(_)
    )
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

#[async_trait]
impl TableProvider for TableScan {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (description, native, merged) = self.describe(projection, filters, limit).await?;
        tracing::debug!(
            table.name = %description.table,
            snapshot.id = description.snapshot_id,
            n_native = native.len(),
            n_merged = merged.len(),
            "planned the scan of `{}`",
            description.table
        );
        let mut inputs = Vec::new();
        if !native.is_empty() {
            inputs.push(self.native_scan(state, &native, projection, description.limit)?);
        }
        if !merged.is_empty() || inputs.is_empty() {
            let n_partitions = state.config().target_partitions();
            let scan = MergeScan::new(self.table.clone(), &description, merged, &self.schema, n_partitions)?;
            inputs.push(Arc::new(scan));
        }
        if inputs.len() == 1 { Ok(inputs.swap_remove(0)) } else { UnionExec::try_new(inputs) }
    }
}

/// Finds the columns of a file by their field ids where the file has them, by their names where it has none.
#[derive(Debug)]
struct ByFieldId;

impl PhysicalExprAdapterFactory for ByFieldId {
    fn create(&self, logical: SchemaRef, physical: SchemaRef) -> Result<Arc<dyn PhysicalExprAdapter>> {
        let has_ids = physical.fields().iter().any(|field| field.metadata().contains_key(FIELD_ID));
        let aligned = physical.fields().iter().enumerate().map(|(position, field)| {
            let meant = logical.fields().iter().find(|logical| {
                if has_ids {
                    logical.metadata().get(FIELD_ID).is_some_and(|id| field.metadata().get(FIELD_ID) == Some(id))
                } else {
                    logical.name() == field.name()
                }
            });
            match meant {
                // Nothing to convert: the column itself stays visible to pruning.
                Some(logical) if logical.data_type() == field.data_type() => Arc::clone(logical),
                Some(logical) => Arc::new(field.as_ref().clone().with_name(logical.name())),
                None => Arc::new(field.as_ref().clone().with_name(format!("\u{0}{position}"))),
            }
        });
        let aligned = Arc::new(Schema::new(aligned.collect::<Vec<_>>()));
        Ok(Arc::new(FieldIdAdapter { inner: DefaultPhysicalExprAdapter::new(logical, aligned), physical }))
    }
}

#[derive(Debug)]
struct FieldIdAdapter {
    inner: DefaultPhysicalExprAdapter,
    physical: SchemaRef,
}

impl PhysicalExprAdapter for FieldIdAdapter {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        let by_name_in_file = |expr: Arc<dyn PhysicalExpr>| match expr.downcast_ref::<Column>() {
            Some(column) => {
                let name = self.physical.field(column.index()).name();
                Ok(Transformed::yes(Arc::new(Column::new(name, column.index())) as Arc<dyn PhysicalExpr>))
            }
            None => Ok(Transformed::no(expr)),
        };
        self.inner.rewrite(expr)?.transform(by_name_in_file).data()
    }
}

/// Reads splits through `paimon`, which merges and applies deletions.
#[derive(Debug)]
struct MergeScan {
    table: OpenTable,
    columns: Vec<usize>,
    limit: Option<usize>,
    partitions: Vec<Vec<DataSplit>>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl MergeScan {
    fn new(
        table: OpenTable,
        description: &ScanDescription,
        splits: Vec<DataSplit>,
        schema: &SchemaRef,
        n_partitions: usize,
    ) -> Result<Self> {
        let columns = description.columns.clone();
        let schema = Arc::new(schema.project(&columns)?);
        let n_partitions = n_partitions.min(splits.len()).max(1);
        // Contiguous, so that the partitions one after the other have the order of the splits.
        let per_partition = splits.len().div_ceil(n_partitions).max(1);
        let mut partitions: Vec<Vec<DataSplit>> = splits.chunks(per_partition).map(<[_]>::to_vec).collect();
        if partitions.is_empty() {
            partitions.push(Vec::new());
        }
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        Ok(Self { table, columns, limit: description.limit, partitions, schema, properties })
    }
}

impl DisplayAs for MergeScan {
    fn fmt_as(&self, _kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let splits: usize = self.partitions.iter().map(Vec::len).sum();
        let names: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, "MergeScan: table={}, splits={splits}, columns=[{}]", self.table.reference, names.join(", "))
    }
}

impl ExecutionPlan for MergeScan {
    fn name(&self) -> &str {
        "MergeScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn with_new_children(self: Arc<Self>, _children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, _context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let schema = Arc::clone(&self.schema);
        let splits = &self.partitions[partition];
        if splits.is_empty() {
            return Ok(Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::empty())));
        }
        let mut builder = self.table.table.new_read_builder();
        builder.with_read_type(self.columns.iter().map(|i| self.table.fields()[*i].clone()).collect());
        if let Some(limit) = self.limit {
            builder.with_limit(limit);
        }
        let batches = builder.new_read().and_then(|read| read.to_arrow(splits)).map_err(external)?;
        let as_declared = {
            let schema = Arc::clone(&schema);
            move |batch: paimon::Result<RecordBatch>| conform(&batch.map_err(external)?, &schema)
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches.map(as_declared))))
    }
}

/// A batch with exactly the declared types: zones, and what the reader widened.
fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| {
            if column.data_type() == field.data_type() {
                Ok(Arc::clone(column))
            } else {
                Ok(arrow::compute::cast(column, field.data_type())?)
            }
        })
        .collect::<Result<Vec<ArrayRef>>>()?;
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_files() {
        let check = |sizes: &[u64], n_groups: usize, expected: &[&[u64]]| {
            let files = sizes.iter().map(|size| PartitionedFile::new("f", *size)).collect();
            let groups = contiguous_groups(files, n_groups);
            let sizes = |group: &FileGroup| group.iter().map(|file| file.object_meta.size).collect::<Vec<_>>();
            assert_eq!(groups.iter().map(sizes).collect::<Vec<_>>(), expected);
        };
        check(&[1, 1, 1, 1], 2, &[&[1, 1], &[1, 1]]);
        check(&[9, 1, 1], 2, &[&[9], &[1, 1]]);
        check(&[1, 1, 9], 1, &[&[1, 1, 9]]);
        check(&[5], 4, &[&[5]]);
        check(&[0, 0, 0], 8, &[&[0], &[0], &[0]]);
    }
}

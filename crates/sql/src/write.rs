//! INSERT, OVERWRITE and TRUNCATE: rows flow from the source through the conversions of their columns into the table's
//! writer; at the end one snapshot is published. Until then a cancelled statement leaves nothing.

use crate::convert::{Conversion, Refused};
use crate::dialect::{
    Ident, Insert, Literal, Name, ParsedStatement, PartitionKey, PartitionSpec as WrittenSpec, Query,
};
use crate::error::{Class, Place, failed, failed_at, from_datafusion, from_lake};
use crate::job::Job;
use crate::partitions;
use crate::plan::{Order, Planner};
use crate::tables::{OpenTable, find_column};
use crate::types;
use crate::values::{self, Target};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, new_null_array};
use arrow::compute::nullif;
use arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef};
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execute_stream;
use futures::StreamExt;
use lake::{Change, CommitError, Committed, Journal, OverwriteScope, PartitionSpec, PreparedWrite, WriteMode};
use paimon::resource::ResourceContext;
use paimon::spec::{DataField, DataType, Datum};
use ports::sql_engine::{Outcome, SqlError};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Partitions that one statement may write.
const PARTITIONS_MAX: usize = 10_000;
/// The writers' own default for what they keep before they write it.
const WRITE_BUFFER_BYTES: u64 = 256 << 20;
const WRITE_BUFFER_BYTES_MIN: u64 = 4 << 20;

/// Executes an INSERT.
pub(crate) async fn insert(job: &Job, insert: &Insert) -> Result<Outcome, SqlError> {
    let target = job.names().table(&insert.table)?;
    let table = job.running.until_stopped(OpenTable::open(&job.engine.lake, &job.parsed, &target)).await?;
    let place = Place::of(&job.parsed, insert.table.span());
    refuse_in_strict_project(&table, place)?;
    refuse_postponed(&table, place)?;
    let layout = Layout::of(job, &table, insert)?;
    let targets = layout.targets(&table);
    let is_list = insert.source.values().is_some();
    let source = if is_list { &values::prepared(&insert.source, &targets) } else { &insert.source };
    let planning = async {
        let planner = match is_list {
            true => Planner::of_list(job, source, targets).await?,
            false => Planner::new(job, source, Order::Free).await?,
        };
        let plan = planner.logical(job, source).await?;
        layout.check_count(job, insert, plan.schema().fields().len())?;
        Ok((planner, plan))
    };
    let (planner, plan) = job.running.until_stopped(planning).await?;
    let scope = insert.overwrite.then(|| layout.overwrite_scope());
    write(job, &table, &planner, &plan, &layout, scope).await
}

/// Executes the parts of a `FROM … INSERT … INSERT …`, each with a commit of its own.
pub(crate) async fn insert_all(job: &Job, parts: &[Insert]) -> Result<Outcome, SqlError> {
    let mut all = Outcome { affected_rows: Some(0), ..Outcome::default() };
    for part in parts {
        let outcome = insert(job, part).await?;
        all.affected_rows = Some(all.affected_rows.unwrap_or(0) + outcome.affected_rows.unwrap_or(0));
        all.snapshot_id = outcome.snapshot_id.or(all.snapshot_id);
    }
    Ok(all)
}

/// Writes a new table's rows: CREATE TABLE … AS SELECT.
pub(crate) async fn fill(job: &Job, table: &OpenTable, query: &Query) -> Result<Outcome, SqlError> {
    refuse_postponed(table, Place::default())?;
    let planner = Planner::new(job, query, Order::Free).await?;
    let plan = planner.logical(job, query).await?;
    let layout = Layout::in_table_order(job, table)?;
    write(job, table, &planner, &plan, &layout, None).await
}

/// Executes a TRUNCATE.
pub(crate) async fn truncate(job: &Job, name: &Name, partitions: &[WrittenSpec]) -> Result<Outcome, SqlError> {
    let target = job.names().table(name)?;
    let open = OpenTable::open(&job.engine.lake, &job.parsed, &target);
    let table = job.running.until_stopped(open).await?;
    let scope = if partitions.is_empty() {
        OverwriteScope::Table
    } else {
        let specs = partitions.iter().map(|spec| existing_partition(job, &table, spec));
        OverwriteScope::Partitions(job.running.until_stopped(futures::future::try_join_all(specs)).await?)
    };
    job.running.begin_publishing()?;
    let change = Change::Truncate { scope, commit_user: lake::commit_user() };
    let committed = commit(job, &table, change).await?;
    Ok(Outcome { snapshot_id: committed.snapshot_id, ..Outcome::default() })
}

/// What the cloud product refuses, with its wording.
fn refuse_in_strict_project(table: &OpenTable, place: Place) -> Result<(), SqlError> {
    let schema = table.table.schema();
    let is_dynamic = !schema.primary_keys().is_empty() && schema.core_options().bucket() == -1;
    if !table.strict || !is_dynamic {
        return Ok(());
    }
    let kind = if schema.partition_keys().iter().all(|key| schema.primary_keys().contains(key)) {
        "Dynamic Bucket table"
    } else {
        "Cross Partition table"
    };
    let name = &table.reference.table;
    let text = format!("INSERT INTO or INSERT OVERWRITE is not supported for {kind} {name}");
    Err(failed_at(Class::Semantic, place, text))
}

/// Rows without a bucket are unseen until a compaction gives them one.
fn refuse_postponed(table: &OpenTable, place: Place) -> Result<(), SqlError> {
    if table.table.schema().core_options().bucket() != -2 {
        return Ok(());
    }
    let name = &table.reference.table;
    let text = format!(
        "not supported yet: writing to table {name} with 'bucket'='-2': its rows would be seen only after a compaction"
    );
    Err(failed_at(Class::Semantic, place, text))
}

/// Where each column of the table gets its values from.
struct Layout {
    columns: Vec<Column>,
    /// Columns that the source must have.
    n_source: usize,
    /// Positions of partition columns whose values come from the source.
    dynamic: Vec<usize>,
    /// What the PARTITION clause says, as the table format has it.
    static_spec: PartitionSpec,
    has_dynamic_keys: bool,
    is_partitioned: bool,
    schema: SchemaRef,
}

struct Column {
    conversion: Conversion,
    origin: Origin,
    /// An empty text is no value then.
    is_partition: bool,
}

impl Column {
    fn explained(&self, refused: Refused) -> Refused {
        if !self.is_partition || self.conversion.is_nullable() {
            return refused;
        }
        Refused { text: format!("{} (the empty text is NULL in a partition column)", refused.text), ..refused }
    }
}

enum Origin {
    Source(usize),
    /// One value for all rows, converted already.
    Constant(ScalarValue),
}

impl Layout {
    /// Every column from the source, in the table's order.
    fn in_table_order(job: &Job, table: &OpenTable) -> Result<Self, SqlError> {
        let order: Vec<String> = table.fields().iter().map(|field| field.name().to_owned()).collect();
        Self::new(job, table, &order, &HashMap::new(), PartitionSpec::new(), true)
    }

    fn of(job: &Job, table: &OpenTable, insert: &Insert) -> Result<Self, SqlError> {
        let fields = table.fields();
        let partition_keys = table.partition_keys();
        let parsed = &job.parsed;
        let mut constants: HashMap<String, Literal> = HashMap::new();
        let mut static_spec = PartitionSpec::new();
        let mut dynamic_named: Vec<&str> = Vec::new();
        if let Some(spec) = &insert.partition {
            let text = "static partition must precede dynamic partition";
            let mut named = HashSet::new();
            for key in &spec.keys {
                let field = partition_field(parsed, table, &key.column)?;
                let place = Place::of(parsed, key.column.span);
                if !named.insert(field.name()) {
                    let text = format!("partition column {} is named twice", field.name());
                    return Err(failed_at(Class::Partition, place, text));
                }
                match &key.value {
                    None => dynamic_named.push(field.name()),
                    Some(_) if !dynamic_named.is_empty() => return Err(failed_at(Class::Partition, place, text)),
                    Some(value) => {
                        static_spec.insert(field.name().into(), datum(job, field, value, place)?);
                        constants.insert(field.name().into(), value.clone());
                    }
                }
            }
            let is_prefix = partition_keys.iter().take(constants.len()).all(|key| constants.contains_key(key));
            if !is_prefix {
                return Err(failed_at(Class::Partition, Place::of(parsed, spec.span), text));
            }
        }
        let dynamic_keys = partition_keys.iter().filter(|key| !constants.contains_key(*key));
        let mut order: Vec<String> = match &insert.columns {
            None => {
                let data = fields.iter().map(DataField::name).filter(|name| !partition_keys.iter().any(|k| k == name));
                data.map(str::to_owned).collect()
            }
            Some(columns) => listed_columns(parsed, fields, columns, &constants)?,
        };
        let is_listed = |order: &[String], key: &String| order.contains(key);
        let missing: Vec<String> = dynamic_keys.filter(|key| !is_listed(&order, key)).cloned().collect();
        // A column list without a PARTITION clause says all there is; what it leaves out gets its default.
        if insert.columns.is_none() || insert.partition.is_some() {
            order.extend(missing);
        }
        // `OVERWRITE … PARTITION (p1='a')` replaces what matches; with dynamic keys only what the source has.
        let has_dynamic_keys = insert.partition.is_none() || !dynamic_named.is_empty();
        Self::new(job, table, &order, &constants, static_spec, has_dynamic_keys)
    }

    fn new(
        job: &Job,
        table: &OpenTable,
        order: &[String],
        constants: &HashMap<String, Literal>,
        static_spec: PartitionSpec,
        has_dynamic_keys: bool,
    ) -> Result<Self, SqlError> {
        let settings = &job.settings;
        let partition_keys = table.partition_keys();
        let mut columns = Vec::new();
        let mut dynamic = Vec::new();
        for (index, field) in table.fields().iter().enumerate() {
            let conversion = Conversion::new(field, settings.zone, &settings.zone_name, settings.hive_compatible)
                .ok_or_else(|| {
                    let name = types::sql_name(field.data_type());
                    failed(Class::Semantic, format!("column {} of type {name} cannot be written", field.name()))
                })?;
            let is_partition = partition_keys.iter().any(|key| key == field.name());
            let origin = match order.iter().position(|name| name == field.name()) {
                Some(position) => {
                    if is_partition {
                        dynamic.push(index);
                    }
                    Origin::Source(position)
                }
                None => {
                    let text = match constants.get(field.name()) {
                        Some(literal) => literal.text().filter(|text| !(is_partition && text.is_empty())),
                        None => field.default_value().map(str::to_owned),
                    };
                    Origin::Constant(constant(&conversion, text)?)
                }
            };
            columns.push(Column { conversion, origin, is_partition });
        }
        let schema = Schema::new(
            columns
                .iter()
                .map(|column| Field::new(column.conversion.name(), column.conversion.target().clone(), true))
                .collect::<Vec<_>>(),
        );
        Ok(Self {
            columns,
            n_source: order.len(),
            dynamic,
            static_spec,
            has_dynamic_keys,
            is_partitioned: !partition_keys.is_empty(),
            schema: Arc::new(schema),
        })
    }

    fn check_count(&self, job: &Job, insert: &Insert, n: usize) -> Result<(), SqlError> {
        if n == self.n_source {
            return Ok(());
        }
        let text = format!(
            "wrong columns count {n} in data source, requires {} columns (includes dynamic partitions if any)",
            self.n_source
        );
        Err(failed_at(Class::Semantic, Place::of(&job.parsed, insert.source_span), text))
    }

    /// The columns that the source fills, in its order.
    fn targets(&self, table: &OpenTable) -> Vec<Target> {
        let filled = self.columns.iter().zip(table.fields()).filter_map(|(column, field)| match column.origin {
            Origin::Source(position) => {
                let default = field.default_value().map(str::to_owned);
                Some((position, Target { conversion: column.conversion.clone(), default }))
            }
            Origin::Constant(_) => None,
        });
        let mut targets: Vec<(usize, Target)> = filled.collect();
        targets.sort_by_key(|(position, _)| *position);
        targets.into_iter().map(|(_, target)| target).collect()
    }

    fn overwrite_scope(&self) -> OverwriteScope {
        match (self.is_partitioned, self.has_dynamic_keys) {
            (false, _) => OverwriteScope::Table,
            (true, true) => OverwriteScope::Dynamic,
            (true, false) => OverwriteScope::Partitions(vec![self.static_spec.clone()]),
        }
    }

    /// Rows of the source as rows of the table. `first_row` is the number of the batch's first row, from 1.
    fn convert(&self, rows: &RecordBatch, first_row: u64) -> Result<RecordBatch, SqlError> {
        let mut arrays = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let array = match &column.origin {
                Origin::Constant(value) => value.to_array_of_size(rows.num_rows()).map_err(from_datafusion)?,
                Origin::Source(position) => {
                    let values = Arc::clone(rows.column(*position));
                    let values = if column.is_partition { without_empty_texts(values)? } else { values };
                    let converted = column.conversion.convert(&values).and_then(|values| {
                        if column.is_partition {
                            partitions::check_names(column.conversion.name(), &values)?
                        }
                        Ok(values)
                    });
                    converted.map_err(|refused| {
                        let row = first_row + refused.row as u64;
                        values::refused(&column.explained(refused), row, column.conversion.name())
                    })?
                }
            };
            arrays.push(array);
        }
        RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(|error| from_datafusion(error.into()))
    }
}

/// Columns of a list, each once, none that the PARTITION clause gives.
fn listed_columns(
    parsed: &ParsedStatement,
    fields: &[DataField],
    columns: &[Ident],
    constants: &HashMap<String, Literal>,
) -> Result<Vec<String>, SqlError> {
    let mut order: Vec<String> = Vec::new();
    for ident in columns {
        let name = find_column(parsed, fields, ident)?.name().to_owned();
        let place = Place::of(parsed, ident.span);
        if order.contains(&name) {
            return Err(failed_at(Class::Semantic, place, format!("column {name} is named twice")));
        }
        if constants.contains_key(&name) {
            let text = format!("column {name} has its value in the PARTITION clause already");
            return Err(failed_at(Class::Semantic, place, text));
        }
        order.push(name);
    }
    Ok(order)
}

fn partition_field<'a>(
    parsed: &ParsedStatement,
    table: &'a OpenTable,
    column: &Ident,
) -> Result<&'a DataField, SqlError> {
    let field = find_column(parsed, table.fields(), column)?;
    if table.partition_keys().iter().any(|key| key == field.name()) {
        return Ok(field);
    }
    let place = Place::of(parsed, column.span);
    Err(failed_at(Class::Partition, place, format!("{} is no partition column of {}", field.name(), table.reference)))
}

/// The partitions that a PARTITION clause of constants names.
pub(crate) fn partition_spec(job: &Job, table: &OpenTable, spec: &WrittenSpec) -> Result<PartitionSpec, SqlError> {
    let mut values = PartitionSpec::new();
    for key in &spec.keys {
        let field = partition_field(&job.parsed, table, &key.column)?;
        let place = Place::of(&job.parsed, key.column.span);
        let Some(value) = &key.value else {
            return Err(failed_at(Class::Partition, place, format!("partition column {} needs a value", key.column)));
        };
        values.insert(field.name().to_owned(), datum(job, field, value, place)?);
    }
    Ok(values)
}

/// The same of partitions that hold data.
pub(crate) async fn existing_partition(
    job: &Job,
    table: &OpenTable,
    spec: &WrittenSpec,
) -> Result<PartitionSpec, SqlError> {
    let values = partition_spec(job, table, spec)?;
    if !partitions::list(table, Some(&values)).await?.is_empty() {
        return Ok(values);
    }
    let text = |key: &PartitionKey| {
        let value = key.value.as_ref().and_then(Literal::text).unwrap_or_else(|| "NULL".into());
        format!("{}={value}", key.column.value)
    };
    let text = spec.keys.iter().map(text).collect::<Vec<_>>().join("/");
    let text = format!("partition {text} of table {} not found", table.reference);
    Err(failed_at(Class::Partition, Place::of(&job.parsed, spec.span), text))
}

/// A constant of a PARTITION clause as the table format has it; `None` is the NULL partition.
fn datum(job: &Job, field: &DataField, value: &Literal, place: Place) -> Result<Option<Datum>, SqlError> {
    let settings = &job.settings;
    let text = value.text().filter(|text| !text.is_empty());
    let nullable = field.data_type().copy_with_nullable(true).map_err(crate::error::from_paimon)?;
    let nullable = DataField::new(field.id(), field.name().into(), nullable);
    let conversion = Conversion::new(&nullable, settings.zone, &settings.zone_name, settings.hive_compatible)
        .ok_or_else(|| failed_at(Class::Partition, place, format!("{} cannot be a partition", field.name())))?;
    let values: ArrayRef = Arc::new(StringArray::from(vec![text]));
    let converted = conversion
        .convert(&values)
        .map_err(|refused| failed_at(Class::Partition, place, format!("{}: {}", field.name(), refused.text)))?;
    partitions::check_names(field.name(), &converted)
        .map_err(|refused| failed_at(Class::Partition, place, refused.text))?;
    let scalar = ScalarValue::try_from_array(&converted, 0).map_err(from_datafusion)?;
    Ok(match (scalar, field.data_type()) {
        (ScalarValue::Boolean(value), _) => value.map(Datum::Bool),
        (ScalarValue::Int8(value), _) => value.map(Datum::TinyInt),
        (ScalarValue::Int16(value), _) => value.map(Datum::SmallInt),
        (ScalarValue::Int32(value), _) => value.map(Datum::Int),
        (ScalarValue::Int64(value), _) => value.map(Datum::Long),
        (ScalarValue::Date32(value), _) => value.map(Datum::Date),
        (ScalarValue::Utf8(value), _) => value.map(Datum::String),
        (ScalarValue::Decimal128(value, _, _), DataType::Decimal(t)) => {
            value.map(|unscaled| Datum::Decimal { unscaled, precision: t.precision(), scale: t.scale() })
        }
        (other, _) => {
            let text = format!("{other} cannot name a partition of column {}", field.name());
            return Err(failed_at(Class::Partition, place, text));
        }
    })
}

fn constant(conversion: &Conversion, text: Option<String>) -> Result<ScalarValue, SqlError> {
    let refused = |refused: Refused| {
        failed(Class::Data, format!("{}, in the constant of column {}", refused.text, conversion.name()))
    };
    let values: ArrayRef = match text {
        Some(text) => Arc::new(StringArray::from(vec![text])),
        None => new_null_array(&ArrowType::Null, 1),
    };
    ScalarValue::try_from_array(&conversion.convert(&values).map_err(refused)?, 0).map_err(from_datafusion)
}

fn without_empty_texts(values: ArrayRef) -> Result<ArrayRef, SqlError> {
    let is_empty = match values.data_type() {
        ArrowType::Utf8 => values.as_string::<i32>().iter().map(|text| Some(text == Some(""))).collect(),
        ArrowType::Utf8View => values.as_string_view().iter().map(|text| Some(text == Some(""))).collect(),
        _ => return Ok(values),
    };
    nullif(&values, &is_empty).map_err(|error| from_datafusion(error.into()))
}

/// Streams the rows of a plan into a table and publishes them.
async fn write(
    job: &Job,
    table: &OpenTable,
    planner: &Planner,
    plan: &LogicalPlan,
    layout: &Layout,
    overwrite: Option<OverwriteScope>,
) -> Result<Outcome, SqlError> {
    let mode = if overwrite.is_some() { WriteMode::Overwrite } else { WriteMode::Append };
    let (prepared, n_rows) = job.running.until_stopped(write_files(job, table, planner, plan, layout, mode)).await?;
    // Whoever cancels before this line leaves no snapshot; dropping `prepared` deletes its files.
    job.running.begin_publishing()?;
    let change = match overwrite {
        Some(scope) => Change::Overwrite { scope, write: prepared },
        None => Change::Append(prepared),
    };
    let committed = commit(job, table, change).await?;
    Ok(Outcome { affected_rows: Some(n_rows), snapshot_id: committed.snapshot_id, ..Outcome::default() })
}

/// Writes the data files of a plan's rows.
async fn write_files(
    job: &Job,
    table: &OpenTable,
    planner: &Planner,
    plan: &LogicalPlan,
    layout: &Layout,
    mode: WriteMode,
) -> Result<(PreparedWrite, u64), SqlError> {
    let optimized = planner.optimized(job, plan)?;
    let physical = planner.physical(job, &optimized).await?;
    let share = job.context.limits.memory_bytes;
    let resources = ResourceContext::builder()
        .memory_limit(usize::try_from(share).unwrap_or(usize::MAX))
        .build()
        .map_err(crate::error::from_paimon)?;
    let buffer = (share / 4).clamp(WRITE_BUFFER_BYTES_MIN, WRITE_BUFFER_BYTES);
    let written_table = if buffer < WRITE_BUFFER_BYTES {
        let option = ("write.parquet-buffer-size".to_owned(), format!("{buffer} b"));
        table.table.copy_with_options(HashMap::from([option]))
    } else {
        table.table.clone()
    };
    let mut writer = table.catalog.writer_with(&written_table, mode, Some(resources)).await.map_err(from_lake)?;
    let mut partitions = PartitionCount::new(layout)?;
    let mut rows = execute_stream(physical, planner.state().task_ctx()).map_err(from_datafusion)?;
    let (mut n_rows, mut bytes) = (0u64, 0u64);
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(from_datafusion)?;
        let batch = layout.convert(&batch, n_rows + 1)?;
        partitions.see(&batch)?;
        n_rows += batch.num_rows() as u64;
        bytes += batch.get_array_memory_size() as u64;
        writer.write(&batch).await.map_err(from_lake)?;
        job.progress(n_rows, bytes);
    }
    Ok((writer.finish().await.map_err(from_lake)?, n_rows))
}

/// Counts the partitions that dynamic columns lead to.
struct PartitionCount {
    columns: Vec<usize>,
    converter: Option<RowConverter>,
    seen: HashSet<OwnedRow>,
}

impl PartitionCount {
    fn new(layout: &Layout) -> Result<Self, SqlError> {
        let columns = layout.dynamic.clone();
        let fields: Vec<SortField> =
            columns.iter().map(|index| SortField::new(layout.schema.field(*index).data_type().clone())).collect();
        let converter = match fields.is_empty() {
            true => None,
            false => Some(RowConverter::new(fields).map_err(|error| from_datafusion(error.into()))?),
        };
        Ok(Self { columns, converter, seen: HashSet::new() })
    }

    fn see(&mut self, rows: &RecordBatch) -> Result<(), SqlError> {
        let Some(converter) = &self.converter else { return Ok(()) };
        let columns: Vec<ArrayRef> = self.columns.iter().map(|index| Arc::clone(rows.column(*index))).collect();
        let keys = converter.convert_columns(&columns).map_err(|error| from_datafusion(error.into()))?;
        let mut last = None;
        for key in &keys {
            if last != Some(key) {
                self.seen.insert(key.owned());
                last = Some(key);
            }
            if self.seen.len() > PARTITIONS_MAX {
                let text = format!("a single instance cannot output data to more than {PARTITIONS_MAX} partitions");
                return Err(failed(Class::Partition, text));
            }
        }
        Ok(())
    }
}

async fn commit(job: &Job, table: &OpenTable, change: Change) -> Result<Committed, SqlError> {
    let journal = Journal { table: table.reference.clone(), journal: Arc::clone(&job.context.journal) };
    match table.catalog.commit(&table.stored, change, Some(journal)).await {
        Ok(committed) => Ok(committed),
        Err(CommitError::Conflict(text)) => Err(failed(Class::Command, text)),
        Err(CommitError::Lake(error)) => Err(from_lake(error)),
        Err(CommitError::Unknown { message, commit_user, source }) => {
            tracing::error!(table.name = %table.reference, ?source, "a commit is neither known nor refused");
            Err(SqlError::Unknown { message, table: table.reference.clone(), commit_user })
        }
    }
}

//! CREATE TABLE in all its forms: the table format's schema is built here, from the types as declared.

use crate::dialect::{ColumnDefinition, CreateTable, Form, Ident, Query, SqlType, TableSource};
use crate::error::{Class, Place, SqlResult, failed_at, from_lake, from_paimon, placed};
use crate::job::Job;
use crate::names::TableTarget;
use crate::plan::{Order, Planner};
use crate::tables::{OpenTable, open_catalog};
use crate::{convert, write};
use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{DataType, Field};
use datafusion::sql::sqlparser::ast;
use model::worksheet::Span;
use paimon::spec::{DataField, Schema, TableSchema};
use ports::lake::LakeError;
use ports::sql_engine::{Outcome, SqlError};
use std::collections::HashMap;
use std::sync::Arc;

const PARTITION_LEVELS_MAX: usize = 6;
const LIFECYCLE_DAYS_MAX: u32 = 37_231;
/// Where the lifecycle of a table without partitions is kept.
const LIFECYCLE: &str = "odps.lifecycle";
/// Buckets of a primary-key table in a strict project that names none.
const STRICT_BUCKETS: u32 = 4;

pub(crate) async fn run(job: &Job, create: &CreateTable) -> SqlResult<Outcome> {
    let target = job.names().table(&create.name)?;
    let prepare = async {
        let catalog = open_catalog(&job.engine.lake, target.project).await?;
        let exists = catalog.table_name(&target.schema, &target.table.value).await.is_ok();
        if exists {
            return if create.if_not_exists { Ok(None) } else { Err(already_exists(job, create, &target)) };
        }
        let (schema, notices) = match &create.source {
            Some(TableSource::Like(like)) => {
                let like = OpenTable::open(&job.engine.lake, &job.parsed, &job.names().table(like)?).await?;
                (like_schema(like.stored.schema(), create)?, Vec::new())
            }
            Some(TableSource::Query(query)) => {
                let columns = columns_of(job, create, query).await?;
                Definition { job, create, target: &target, columns: &columns }.build()?
            }
            None => Definition { job, create, target: &target, columns: &create.columns }.build()?,
        };
        Ok(Some((catalog, schema, notices)))
    };
    let Some((catalog, schema, notices)) = job.running.until_stopped(prepare).await? else {
        return Ok(Outcome::default());
    };
    job.running.still_wanted()?;
    match catalog.create_table(&target.schema, &target.table.stored(), schema).await {
        Ok(_) => {}
        Err(LakeError::AlreadyExists(_)) if create.if_not_exists => return Ok(Outcome::default()),
        Err(LakeError::AlreadyExists(_)) => return Err(already_exists(job, create, &target)),
        Err(LakeError::NotFound(_)) => {
            let text = format!("schema {}.{} not found", target.project.name, target.schema);
            return Err(failed_at(Class::Semantic, Place::of(&job.parsed, create.name.span()), text));
        }
        Err(error) => return Err(placed(from_lake(error), Place::of(&job.parsed, create.name.span()))),
    }
    let outcome = match &create.source {
        Some(TableSource::Query(query)) => {
            let filled = async {
                let table = OpenTable::open(&job.engine.lake, &job.parsed, &target).await?;
                write::fill(job, &table, query).await
            };
            match filled.await {
                Ok(outcome) => outcome,
                // Whether its rows are published is not known, so the table stays.
                Err(error @ SqlError::Unknown { .. }) => return Err(error),
                Err(error) => {
                    if let Err(error) = catalog.drop_table(&target.schema, &target.table.stored()).await {
                        tracing::warn!(%error, "a table that could not be filled stays: {}", target.table_ref());
                    }
                    return Err(error);
                }
            }
        }
        _ => Outcome::default(),
    };
    Ok(Outcome { notices, ..outcome })
}

fn already_exists(job: &Job, create: &CreateTable, target: &TableTarget<'_>) -> SqlError {
    let place = Place::of(&job.parsed, create.name.span());
    failed_at(Class::Semantic, place, format!("table {} already exists", target.table_ref()))
}

/// The schema of another table, without what belongs to that table alone.
fn like_schema(like: &TableSchema, create: &CreateTable) -> SqlResult<Schema> {
    let mut options: HashMap<String, String> =
        like.options().iter().filter(|(key, _)| *key != "path").map(|(k, v)| (k.clone(), v.clone())).collect();
    options.extend(create.options.iter().map(|option| (option.key.clone(), option.value.clone())));
    build(
        like.fields(),
        like.partition_keys(),
        like.primary_keys(),
        options,
        create.comment.clone().or_else(|| like.comment().map(str::to_owned)),
    )
}

fn build(
    fields: &[DataField],
    partition_keys: &[String],
    primary_keys: &[String],
    options: HashMap<String, String>,
    comment: Option<String>,
) -> SqlResult<Schema> {
    let mut builder = Schema::builder();
    for field in fields {
        let description = field.description().map(str::to_owned);
        builder = builder.column_with_description(field.name(), field.data_type().clone(), description);
    }
    let schema = builder
        .partition_keys(partition_keys.iter().cloned())
        .primary_key(primary_keys.iter().cloned())
        .options(options)
        .comment(comment)
        .build()
        .map_err(from_paimon)?;
    with_defaults(schema, fields)
}

/// The builder has no way to give a column its default.
fn with_defaults(schema: Schema, fields: &[DataField]) -> SqlResult<Schema> {
    if fields.iter().all(|field| field.default_value().is_none()) {
        return Ok(schema);
    }
    let internal = |error: serde_json::Error| crate::error::failed(Class::Internal, error.to_string());
    let mut json = serde_json::to_value(&schema).map_err(internal)?;
    for (position, field) in fields.iter().enumerate() {
        if let Some(default) = field.default_value()
            && let Some(column) = json.pointer_mut(&format!("/fields/{position}"))
        {
            column["defaultValue"] = default.into();
        }
    }
    serde_json::from_value(json).map_err(internal)
}

/// Columns of CREATE TABLE … AS SELECT.
async fn columns_of(job: &Job, create: &CreateTable, query: &Query) -> SqlResult<Vec<ColumnDefinition>> {
    let planner = Planner::new(job, query, Order::Free).await?;
    let plan = planner.logical(job, query).await?;
    // Refused before the table exists: nobody wants to see it come and go.
    planner.optimized(job, &plan)?;
    let span = create.name.span();
    plan.schema()
        .fields()
        .iter()
        .map(|field| {
            let data_type = sql_type_of(field).ok_or_else(|| {
                let name = crate::display::sql_type(field);
                let text = format!("column {} has type {name}, which no table can hold; cast it", field.name());
                failed_at(Class::Semantic, Place::of(&job.parsed, span), text)
            })?;
            Ok(ColumnDefinition {
                name: Ident { value: field.name().clone(), quoted: true, span },
                data_type,
                not_null: false,
                default: None,
                comment: None,
                type_span: span,
            })
        })
        .collect()
}

/// The type of a column that takes a query's values.
fn sql_type_of(field: &Field) -> Option<SqlType> {
    use crate::dialect::types::{Nested, StructField};
    use arrow::datatypes::TimeUnit;
    let nested = |field: &Field| Some(Nested { data_type: sql_type_of(field)?, not_null: false });
    let precision = |unit: &TimeUnit| match unit {
        TimeUnit::Second | TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    };
    let declared = field.metadata().get(crate::display::SQL_TYPE).and_then(|name| {
        let ident = ast::Ident::with_quote('"', name);
        crate::dialect::types::decode(&ast::DataType::Custom(ast::ObjectName::from(vec![ident]), Vec::new()))
    });
    if let Some(declared) = declared
        && declared.to_arrow().equals_datatype(field.data_type())
    {
        return Some(declared);
    }
    Some(match field.data_type() {
        DataType::Boolean => SqlType::Boolean,
        DataType::Int8 => SqlType::TinyInt,
        DataType::Int16 | DataType::UInt8 => SqlType::SmallInt,
        DataType::Int32 | DataType::UInt16 => SqlType::Int,
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => SqlType::BigInt,
        DataType::Float32 => SqlType::Float,
        DataType::Float64 => SqlType::Double,
        DataType::Decimal128(p, s) if *s >= 0 => {
            SqlType::Decimal { precision: u32::from(*p), scale: u32::try_from(*s).ok()? }
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => SqlType::String,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => SqlType::Binary,
        DataType::Date32 => SqlType::Date,
        DataType::Timestamp(unit, Some(_)) => SqlType::Timestamp(precision(unit)),
        DataType::Timestamp(unit, None) => SqlType::TimestampNtz(precision(unit)),
        DataType::List(element) => SqlType::Array(Box::new(nested(element)?)),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(parts) if parts.len() == 2 => {
                SqlType::Map(Box::new(nested(&parts[0])?), Box::new(nested(&parts[1])?))
            }
            _ => return None,
        },
        DataType::Struct(_) if field.data_type() == &paimon::arrow::variant_arrow_type() => SqlType::Json,
        DataType::Struct(fields) => SqlType::Struct(
            fields
                .iter()
                .map(|field| Some(StructField { name: field.name().clone(), field: nested(field)?, comment: None }))
                .collect::<Option<Vec<_>>>()?,
        ),
        _ => return None,
    })
}

/// A table from its declaration.
struct Definition<'a> {
    job: &'a Job,
    create: &'a CreateTable,
    target: &'a TableTarget<'a>,
    columns: &'a [ColumnDefinition],
}

impl Definition<'_> {
    fn error(&self, span: Span, text: impl AsRef<str>) -> SqlError {
        failed_at(Class::Semantic, Place::of(&self.job.parsed, span), text)
    }

    fn build(&self) -> SqlResult<(Schema, Vec<String>)> {
        let create = self.create;
        let mut notices = Vec::new();
        let columns = self.all_columns()?;
        let primary_keys = match &create.primary_key {
            None => Vec::new(),
            Some(key) => self.resolve_all(&columns, &key.columns)?,
        };
        let partition_keys = self.partition_keys(&columns)?;
        let mut fields = Vec::new();
        for (id, column) in (0..).zip(&columns) {
            let name = column.name.stored();
            let is_key = primary_keys.contains(&name);
            fields.push(self.field(id, column, is_key)?);
        }
        let mut options = self.options(&partition_keys)?;
        let has_bucket = options.contains_key("bucket");
        self.check_primary_key(&primary_keys, &partition_keys, &options)?;
        if self.target.project.options.strict_maxcompute && !primary_keys.is_empty() && !has_bucket {
            options.insert("bucket".into(), STRICT_BUCKETS.to_string());
            notices.push(format!("This project is strict, so the table has {STRICT_BUCKETS} buckets."));
        }
        let schema = build(&fields, &partition_keys, &primary_keys, options, create.comment.clone())
            .map_err(|error| placed(error, Place::of(&self.job.parsed, create.name.span())))?;
        Ok((schema, notices))
    }

    /// The declared columns, then those that only PARTITIONED BY declares.
    fn all_columns(&self) -> SqlResult<Vec<ColumnDefinition>> {
        let mut columns = self.columns.to_vec();
        for partition in &self.create.partitioned_by {
            let declared = columns.iter().find(|column| column.name.stored() == partition.name.stored());
            match (declared, &partition.data_type) {
                (Some(declared), Some(data_type)) if declared.data_type != *data_type => {
                    let text = format!("partition column {} is declared twice, with two types", partition.name);
                    return Err(self.error(partition.span, text));
                }
                (Some(_), _) => {}
                (None, Some(data_type)) => columns.push(ColumnDefinition {
                    name: partition.name.clone(),
                    data_type: data_type.clone(),
                    not_null: false,
                    default: None,
                    comment: partition.comment.clone(),
                    type_span: partition.span,
                }),
                (None, None) => {
                    let text = format!("partition column {} has no type and is no column of the table", partition.name);
                    return Err(self.error(partition.span, text));
                }
            }
        }
        for (position, column) in columns.iter().enumerate() {
            let name = column.name.stored();
            if columns[..position].iter().any(|other| other.name.stored().eq_ignore_ascii_case(&name)) {
                return Err(self.error(column.name.span, format!("duplicate column {name}")));
            }
        }
        Ok(columns)
    }

    fn resolve_all(&self, columns: &[ColumnDefinition], idents: &[Ident]) -> SqlResult<Vec<String>> {
        let names: Vec<String> = columns.iter().map(|column| column.name.stored()).collect();
        idents
            .iter()
            .map(|ident| match ident.find(&names, String::as_str) {
                crate::dialect::Found::One(name) => Ok(name.clone()),
                _ => Err(self.error(ident.span, format!("column {ident} cannot be resolved"))),
            })
            .collect()
    }

    fn partition_keys(&self, columns: &[ColumnDefinition]) -> SqlResult<Vec<String>> {
        let partitions = &self.create.partitioned_by;
        if let Some(seventh) = partitions.get(PARTITION_LEVELS_MAX) {
            return Err(self.error(seventh.span, format!("partition levels exceed {PARTITION_LEVELS_MAX}")));
        }
        let idents: Vec<Ident> = partitions.iter().map(|partition| partition.name.clone()).collect();
        let keys = self.resolve_all(columns, &idents)?;
        for (key, partition) in keys.iter().zip(partitions) {
            let column = columns.iter().find(|column| column.name.stored() == *key);
            let data_type = &column.expect("the name was resolved among the columns").data_type;
            let allowed = matches!(
                data_type,
                SqlType::String
                    | SqlType::Varchar(_)
                    | SqlType::Char(_)
                    | SqlType::TinyInt
                    | SqlType::SmallInt
                    | SqlType::Int
                    | SqlType::BigInt
                    | SqlType::Date
            );
            if !allowed {
                let text = format!("partition column {key} cannot have type {data_type}");
                return Err(self.error(partition.span, text));
            }
        }
        if !keys.is_empty() && keys.len() == columns.len() {
            return Err(self.error(self.create.name.span(), "a table needs a column that is no partition column"));
        }
        Ok(keys)
    }

    fn field(&self, id: i32, column: &ColumnDefinition, is_key: bool) -> SqlResult<DataField> {
        if !self.job.settings.odps2_types && column.data_type.needs_odps2() {
            let name = column.data_type.to_string().to_uppercase();
            return Err(self.error(column.type_span, format!("type {name} is not enabled in current mode")));
        }
        let nullable = !column.not_null && !is_key;
        let data_type = column.data_type.to_paimon(nullable).ok_or_else(|| {
            let name = column.data_type.to_string().to_uppercase();
            self.error(column.type_span, format!("type {name} is not supported by Paimon table"))
        })?;
        let field = DataField::new(id, column.name.stored(), data_type).with_description(column.comment.clone());
        let Some(default) = column.default.as_ref().and_then(|literal| literal.text()) else { return Ok(field) };
        self.check_default(&field, &default, column.name.span)?;
        Ok(field.with_default_value(Some(default)))
    }

    fn check_default(&self, field: &DataField, default: &str, span: Span) -> SqlResult<()> {
        let settings = &self.job.settings;
        let conversion = convert::Conversion::new(field, settings.zone, &settings.zone_name, false);
        let value: ArrayRef = Arc::new(StringArray::from(vec![default]));
        match conversion.map(|conversion| conversion.convert(&value)) {
            Some(Ok(_)) => Ok(()),
            Some(Err(refused)) => {
                Err(self.error(span, format!("DEFAULT of column {}: {}", field.name(), refused.text)))
            }
            None => Err(self.error(span, format!("column {} can have no DEFAULT", field.name()))),
        }
    }

    fn options(&self, partition_keys: &[String]) -> SqlResult<HashMap<String, String>> {
        let create = self.create;
        let mut options = HashMap::new();
        for option in &create.options {
            // Words of the cloud product's own tables that say nothing here.
            if create.form == Form::MaxCompute && option.key.eq_ignore_ascii_case("transactional") {
                continue;
            }
            let known = lake::options::check_option(&option.key, &option.value);
            known.map_err(|error| self.error(option.span, error.to_string()))?;
            if options.insert(option.key.clone(), option.value.clone()).is_some() {
                return Err(self.error(option.span, format!("option {} is given twice", option.key)));
            }
        }
        let in_days = |value: &str| value.parse().is_ok_and(|days| (1..=LIFECYCLE_DAYS_MAX).contains(&days));
        if let Some(option) = create.options.iter().find(|option| option.key == LIFECYCLE)
            && !in_days(&option.value)
        {
            let text = format!("{LIFECYCLE} is between 1 and {LIFECYCLE_DAYS_MAX} days, not {}", option.value);
            return Err(self.error(option.span, text));
        }
        let mut add = |key: &str, value: String, span: Span| match options.insert(key.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(self.error(span, format!("option {key} is given twice"))),
        };
        if let Some(clustered) = &create.clustered_by {
            let columns = self.all_columns()?;
            add("bucket", clustered.buckets.to_string(), clustered.span)?;
            add("bucket-key", self.resolve_all(&columns, &clustered.columns)?.join(","), clustered.span)?;
        }
        if let Some(format) = create.file_format {
            add("file.format", format.as_str().to_owned(), create.name.span())?;
        }
        if let Some(days) = create.lifecycle_days {
            if !(1..=LIFECYCLE_DAYS_MAX).contains(&days) {
                let text = format!("LIFECYCLE is between 1 and {LIFECYCLE_DAYS_MAX} days, not {days}");
                return Err(self.error(create.name.span(), text));
            }
            let key = if partition_keys.is_empty() { LIFECYCLE } else { "partition.expiration-time" };
            let value = if partition_keys.is_empty() { days.to_string() } else { format!("{days} d") };
            add(key, value, create.name.span())?;
        }
        Ok(options)
    }

    fn check_primary_key(
        &self,
        primary_keys: &[String],
        partition_keys: &[String],
        options: &HashMap<String, String>,
    ) -> SqlResult<()> {
        let Some(key) = &self.create.primary_key else { return Ok(()) };
        for (position, name) in primary_keys.iter().enumerate() {
            if primary_keys[..position].contains(name) {
                return Err(self.error(key.span, format!("primary key names column {name} twice")));
            }
        }
        if primary_keys.iter().all(|name| partition_keys.contains(name)) {
            return Err(self.error(key.span, "a primary key needs a column that is no partition column"));
        }
        let is_dynamic = options.get("bucket").is_none_or(|bucket| bucket == "-1");
        match partition_keys.iter().find(|partition| !primary_keys.contains(partition)) {
            Some(missing) if !is_dynamic => {
                let text = format!("primary key must contain partition column {missing} unless bucket is -1");
                Err(self.error(key.span, text))
            }
            _ => Ok(()),
        }
    }
}

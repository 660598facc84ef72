//! DESC and SHOW CREATE TABLE.

use crate::commands::show::owner;
use crate::dialect::{Describe, Ident, Name};
use crate::display::{self, Zone};
use crate::error::{SqlResult, from_lake, from_paimon};
use crate::job::Job;
use crate::results::Form;
use crate::tables::OpenTable;
use crate::write::existing_partition;
use crate::{system_tables, types};
use arrow::array::TimestampMillisecondArray;
use arrow::datatypes::Field;
use model::text_table::{DescribedColumn, TableDescription};
use paimon::spec::{DataField, DataType, Datum, PredicateBuilder};
use ports::sql_engine::Outcome;
use std::fmt::Write;
use std::sync::Arc;

/// Options that belong to a table's place or history, not to its definition.
const NOT_PART_OF_A_DEFINITION: [&str; 5] = ["path", "owner", "created-at", "created-by", "updated-at"];

async fn open(job: &Job, name: &Name) -> SqlResult<OpenTable> {
    OpenTable::open(&job.engine.lake, &job.parsed, &job.names().table(name)?).await
}

pub(crate) async fn run(job: &Job, describe: &Describe) -> SqlResult<Outcome> {
    let (target, system) = job.names().readable(&describe.table)?;
    let table = OpenTable::open(&job.engine.lake, &job.parsed, &target).await?;
    if let Some(system) = system {
        return describe_system_table(job, &table, &system).await;
    }
    let schema = table.stored.schema();
    let mut builder = table.table.new_read_builder();
    if let Some(spec) = &describe.partition {
        let wanted = existing_partition(job, &table, spec).await?;
        let values: Vec<(&str, Option<Datum>)> =
            wanted.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        builder.with_filter(PredicateBuilder::new(table.fields()).partition_predicate(&values).map_err(from_paimon)?);
    }
    let plan = builder.new_scan().plan().await.map_err(from_paimon)?;
    let files = || plan.splits().iter().flat_map(|split| split.data_files());
    let size_bytes = files().map(|file| u64::try_from(file.file_size).unwrap_or(0)).sum();
    let snapshot = table.catalog.latest_snapshot(&table.stored).await.map_err(from_lake)?;
    let is_partition = |field: &DataField| schema.partition_keys().iter().any(|key| key == field.name());
    let column = |field: &DataField| DescribedColumn {
        name: field.name().to_owned(),
        data_type: types::sql_name(field.data_type()),
        label: String::new(),
        nullable: field.data_type().is_nullable(),
        default: field.default_value().map(str::to_owned),
        comment: field.description().unwrap_or_default().to_owned(),
    };
    let zone = job.settings.zone;
    let schema_zero = table.stored.schema_manager().schema(0).await;
    let created_at = schema_zero.map_or_else(|_| String::new(), |schema| moment(schema.time_millis(), zone));
    let last_modified_at = snapshot
        .as_ref()
        .map_or_else(String::new, |snapshot| moment(i64::try_from(snapshot.time_millis()).unwrap_or(0), zone));
    let extended = describe.extended.then(|| {
        let mut lines = vec![
            ("PrimaryKey".to_owned(), schema.primary_keys().join(", ")),
            ("Bucket".to_owned(), schema.core_options().bucket().to_string()),
            ("SnapshotId".to_owned(), snapshot.as_ref().map_or_else(String::new, |s| s.id().to_string())),
            ("FileNum".to_owned(), files().count().to_string()),
            ("RowNum".to_owned(), files().map(|file| file.row_count).sum::<i64>().to_string()),
            ("Location".to_owned(), table.stored.location().to_owned()),
        ];
        lines.extend(definition_options(&table).into_iter().map(|(key, value)| (format!("Option {key}"), value)));
        lines
    });
    let description = TableDescription {
        owner: owner(&job.context.principal),
        project: table.reference.project.to_string(),
        schema: table.reference.schema.clone(),
        comment: schema.comment().unwrap_or_default().to_owned(),
        created_at,
        last_ddl_at: moment(schema.time_millis(), zone),
        last_modified_at,
        size_bytes,
        columns: schema.fields().iter().filter(|field| !is_partition(field)).map(column).collect(),
        partition_columns: schema.partition_fields().iter().map(column).collect(),
        extended,
    };
    let partitions = schema.partition_fields();
    let ordered = schema.fields().iter().filter(|field| !is_partition(field)).chain(partitions.iter());
    let rows = ordered.map(|field| {
        let column = column(field);
        let mut row = vec![column.name, column.data_type, column.label, column.comment];
        row.push(if is_partition(field) { "true" } else { "false" }.to_owned());
        if describe.extended {
            row.push(column.nullable.to_string());
            row.push(column.default.unwrap_or_default());
            row.push(schema.primary_keys().iter().any(|key| key == field.name()).to_string());
        }
        row.into_iter().map(Some).collect()
    });
    let mut head = vec!["Field", "Type", "Label", "Comment", "Partition?"];
    if describe.extended {
        head.extend(["Nullable", "Default", "PrimaryKey"]);
    }
    job.texts(&head, rows.collect(), &Form::Text(description.render()))
}

async fn describe_system_table(job: &Job, table: &OpenTable, system: &Ident) -> SqlResult<Outcome> {
    let schema = system_tables::read(job, table, system).await?.schema();
    let column = |field: &Arc<Field>| DescribedColumn {
        name: field.name().clone(),
        data_type: display::sql_type(field),
        nullable: true,
        ..DescribedColumn::default()
    };
    let description = TableDescription {
        owner: owner(&job.context.principal),
        project: table.reference.project.to_string(),
        schema: table.reference.schema.clone(),
        columns: schema.fields().iter().map(column).collect(),
        ..TableDescription::default()
    };
    let rows = description.columns.iter().map(|column| {
        let row = [column.name.as_str(), &column.data_type, "", "", "false"];
        row.map(|text| Some(text.to_owned())).to_vec()
    });
    let head = ["Field", "Type", "Label", "Comment", "Partition?"];
    job.texts(&head, rows.collect(), &Form::Text(description.render()))
}

/// `yyyy-MM-dd HH:mm:ss` of a moment in the session's zone.
fn moment(millis: i64, zone: Zone) -> String {
    let seconds = millis.div_euclid(1_000) * 1_000;
    let moments = TimestampMillisecondArray::from(vec![seconds]).with_timezone("UTC");
    display::value_text(&moments, 0, zone).unwrap_or_default()
}

fn definition_options(table: &OpenTable) -> Vec<(String, String)> {
    let options = table.stored.schema().options().iter();
    let mut options: Vec<(String, String)> = options
        .filter(|(key, _)| !NOT_PART_OF_A_DEFINITION.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    options.sort();
    options
}

pub(crate) async fn show_create_table(job: &Job, name: &Name) -> SqlResult<Outcome> {
    let table = open(job, name).await?;
    let text = create_statement(&table);
    let row = vec![Some(text.trim_end().to_owned())];
    job.texts(&["create_table"], vec![row], &Form::Text(text))
}

/// A statement of this dialect that makes the same table.
fn create_statement(table: &OpenTable) -> String {
    let schema = table.stored.schema();
    let mut text = format!("CREATE TABLE {} (\n", identifier(&table.reference.table));
    let is_partition = |field: &DataField| schema.partition_keys().iter().any(|key| key == field.name());
    let is_key = |field: &DataField| schema.primary_keys().iter().any(|key| key == field.name());
    let mut lines: Vec<String> = Vec::new();
    for field in schema.fields().iter().filter(|field| !is_partition(field)) {
        let mut line = format!("  {} {}", identifier(field.name()), declared_type(field.data_type()));
        if !field.data_type().is_nullable() && !is_key(field) {
            line.push_str(" NOT NULL");
        }
        if let Some(default) = field.default_value() {
            push(&mut line, format_args!(" DEFAULT {}", quoted(default)));
        }
        if let Some(comment) = field.description() {
            push(&mut line, format_args!(" COMMENT {}", quoted(comment)));
        }
        lines.push(line);
    }
    if !schema.primary_keys().is_empty() {
        let keys: Vec<String> = schema.primary_keys().iter().map(|key| identifier(key)).collect();
        lines.push(format!("  PRIMARY KEY ({})", keys.join(", ")));
    }
    push(&mut text, format_args!("{}\n)\n", lines.join(",\n")));
    if let Some(comment) = schema.comment().filter(|comment| !comment.is_empty()) {
        push(&mut text, format_args!("COMMENT {}\n", quoted(comment)));
    }
    let partitions: Vec<String> = schema
        .partition_fields()
        .iter()
        .map(|field| {
            let comment = field.description().map(|comment| format!(" COMMENT {}", quoted(comment)));
            let (name, data_type) = (identifier(field.name()), declared_type(field.data_type()));
            format!("{name} {data_type}{}", comment.unwrap_or_default())
        })
        .collect();
    if !partitions.is_empty() {
        push(&mut text, format_args!("PARTITIONED BY ({})\n", partitions.join(", ")));
    }
    let options: Vec<String> =
        definition_options(table).iter().map(|(key, value)| format!("  {} = {}", quoted(key), quoted(value))).collect();
    if !options.is_empty() {
        push(&mut text, format_args!("TBLPROPERTIES (\n{}\n)\n", options.join(",\n")));
    }
    format!("{};\n", text.trim_end())
}

fn declared_type(data_type: &DataType) -> String {
    types::from_paimon(data_type).map_or_else(|| types::sql_name(data_type), |t| t.declaration())
}

fn identifier(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if plain { name.to_owned() } else { format!("`{}`", name.replace('`', "``")) }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
}

fn push(text: &mut String, addition: std::fmt::Arguments<'_>) {
    text.write_fmt(addition).expect("writing to a String cannot fail");
}

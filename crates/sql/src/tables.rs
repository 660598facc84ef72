//! Tables of the lake, opened for a statement.

use crate::convert;
use crate::dialect::{Ident, ParsedStatement, TimeTravel};
use crate::display::{self, SQL_TYPE};
use crate::error::{Class, Place, failed_at, from_lake, from_paimon, placed, with_suggestion};
use crate::names::TableTarget;
use crate::settings::Effective;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use lake::{Catalog, PaimonLake};
use model::nearest::nearest;
use model::table::TableRef;
use paimon::spec::{DataField, TableSchema};
use paimon::table::Table;
use ports::lake::{LakeCatalog, LakeError};
use ports::sql_engine::{ProjectHandle, SqlError};
use std::collections::HashMap;
use std::sync::Arc;

/// Opens a project's warehouse.
pub(crate) async fn open_catalog(lake: &PaimonLake, project: &ProjectHandle) -> Result<Arc<Catalog>, SqlError> {
    lake.catalog(&project.connection, &project.warehouse).await.map_err(from_lake)
}

/// A table and where it was found.
#[derive(Clone)]
pub(crate) struct OpenTable {
    pub reference: TableRef,
    pub catalog: Arc<Catalog>,
    /// As it is stored: for describing, altering and committing.
    pub stored: Table,
    /// As it is read and written: see [`whole_milliseconds`].
    pub table: Table,
    pub strict: bool,
}

impl std::fmt::Debug for OpenTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenTable").field("reference", &self.reference).finish_non_exhaustive()
    }
}

impl OpenTable {
    pub(crate) async fn open(
        lake: &PaimonLake,
        parsed: &ParsedStatement,
        target: &TableTarget<'_>,
    ) -> Result<Self, SqlError> {
        let catalog = open_catalog(lake, target.project).await?;
        let stored = match catalog.load_table(&target.schema, &target.table.value).await {
            Ok(table) => table,
            Err(LakeError::NotFound(_)) => return Err(not_found(&catalog, parsed, target).await),
            Err(error) => return Err(placed(from_lake(error), Place::of(parsed, target.table.span))),
        };
        let table = whole_milliseconds(&stored)?;
        let reference = TableRef {
            project: target.project.name.clone(),
            schema: stored.identifier().database().to_owned(),
            table: stored.identifier().object().to_owned(),
        };
        let strict = target.project.options.strict_maxcompute;
        Ok(Self { reference, catalog, stored, table, strict })
    }

    /// The state of the table that is read.
    pub(crate) async fn travelled(
        &self,
        travel: Option<&TimeTravel>,
        settings: &Effective,
        place: Place,
    ) -> Result<Self, SqlError> {
        let mut options: HashMap<String, String> = match travel {
            None => settings.scan_selectors.iter().cloned().collect(),
            Some(TimeTravel::Version(version)) => HashMap::from([("scan.version".into(), version.clone())]),
            Some(TimeTravel::Timestamp(moment)) => HashMap::from([("scan.timestamp".into(), moment.clone())]),
        };
        if options.is_empty() {
            return Ok(self.clone());
        }
        let refused = |text: String| failed_at(Class::Semantic, place, text);
        // The table format would read it in the zone of the machine.
        if let Some(moment) = options.remove("scan.timestamp") {
            let millis = convert::instant_millis(&moment, settings.zone)
                .ok_or_else(|| refused(format!("'{moment}' is no point in time: write it as 'yyyy-mm-dd hh:mi:ss'")))?;
            options.insert("scan.timestamp-millis".into(), millis.to_string());
        }
        let wanted = options.clone();
        match self.table.copy_with_time_travel_strict(options).await {
            Ok(table) => Ok(Self { table, ..self.clone() }),
            Err(error) => match self.missing_state(&wanted, settings).await {
                Some(text) => Err(refused(text)),
                None => Err(from_paimon(error)),
            },
        }
    }

    /// Why the table has no such state, if that is the reason.
    async fn missing_state(&self, wanted: &HashMap<String, String>, settings: &Effective) -> Option<String> {
        let snapshots = self.table.snapshot_manager();
        let name = &self.reference;
        if wanted.len() > 1 {
            let mut keys: Vec<String> = wanted.keys().map(|key| format!("paimon.{key}")).collect();
            keys.sort();
            return Some(format!("only one state of a table can be read: UNSET one of {}", keys.join(", ")));
        }
        if let Some(millis) = wanted.get("scan.timestamp-millis") {
            let millis: i64 = millis.parse().ok()?;
            let Some(first) = snapshots.earliest_snapshot_id().await.ok()? else {
                return Some(format!("table {name} has no snapshot yet"));
            };
            let first = snapshots.get_snapshot(first).await.ok()?;
            let began = i64::try_from(first.time_millis()).ok()?;
            let text = |millis| display::instant_text(millis, settings.zone);
            return (millis < began).then(|| {
                let (asked, began, id) = (text(millis), text(began), first.id());
                format!("table {name} has no state of {asked}: its oldest snapshot, {id}, is of {began}")
            });
        }
        if let Some(tag) = wanted.get("scan.tag-name") {
            return Some(format!("table {name} has no tag '{tag}'"));
        }
        let version = wanted.get("scan.version").or_else(|| wanted.get("scan.snapshot-id"))?;
        let Ok(number) = version.parse::<i64>() else {
            return Some(format!("table {name} has no snapshot or tag '{version}'"));
        };
        let (first, last) =
            (snapshots.earliest_snapshot_id().await.ok()?, snapshots.get_latest_snapshot_id().await.ok()?);
        match (first, last) {
            (Some(first), Some(last)) if !(first..=last).contains(&number) => {
                Some(format!("table {name} has no snapshot {number}: it has {first} to {last}"))
            }
            (Some(_), Some(_)) => None,
            _ => Some(format!("table {name} has no snapshot yet")),
        }
    }

    pub(crate) fn fields(&self) -> &[DataField] {
        self.table.schema().fields()
    }

    pub(crate) fn partition_keys(&self) -> &[String] {
        self.table.schema().partition_keys()
    }

    /// The columns as a query sees them: instants carry the session's zone.
    pub(crate) fn arrow_schema(&self, zone_name: &str) -> Result<SchemaRef, SqlError> {
        let schema = paimon::arrow::build_target_arrow_schema(self.fields()).map_err(from_paimon)?;
        let partition_keys = self.partition_keys();
        let fields = schema.fields().iter().zip(self.fields()).map(|(field, stored)| {
            let mut metadata = field.metadata().clone();
            let name = crate::types::sql_name(stored.data_type());
            if name != crate::display::type_name(field.data_type()) {
                metadata.insert(SQL_TYPE.into(), name);
            }
            // A partition value may always be asked for NULL: the optimizer must not fold `dt IS NOT NULL` away,
            // because it counts as a partition predicate.
            let nullable = field.is_nullable() || partition_keys.contains(field.name());
            Field::new(field.name(), in_zone(field.data_type(), zone_name), nullable).with_metadata(metadata)
        });
        Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
    }
}

/// An Arrow type whose instants carry a zone.
pub(crate) fn in_zone(data_type: &DataType, zone_name: &str) -> DataType {
    let field = |field: &FieldRef| -> FieldRef {
        Arc::new(field.as_ref().clone().with_data_type(in_zone(field.data_type(), zone_name)))
    };
    match data_type {
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some(zone_name.into())),
        DataType::List(element) => DataType::List(field(element)),
        DataType::FixedSizeList(element, length) => DataType::FixedSizeList(field(element), *length),
        DataType::Map(entries, sorted) => DataType::Map(field(entries), *sorted),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        other => other.clone(),
    }
}

/// Timestamps of precision 0 keep milliseconds, but `paimon` would read and write them in seconds: its own readers and
/// writers are given a schema in which they have precision 3, which is stored in the same way.
fn whole_milliseconds(table: &Table) -> Result<Table, SqlError> {
    let json = serde_json::to_string(table.schema()).map_err(|error| {
        crate::error::failed(Class::Internal, format!("cannot read the schema of {}: {error}", table.identifier()))
    })?;
    let changed = json.replace("TIMESTAMP(0)", "TIMESTAMP(3)");
    if changed == json {
        return Ok(table.clone());
    }
    let schema: TableSchema = serde_json::from_str(&changed).map_err(|error| {
        crate::error::failed(Class::Internal, format!("cannot read the schema of {}: {error}", table.identifier()))
    })?;
    Ok(Table::new(table.file_io().clone(), table.identifier().clone(), table.location().to_owned(), schema, None))
}

async fn not_found(catalog: &Catalog, parsed: &ParsedStatement, target: &TableTarget<'_>) -> SqlError {
    let place = Place::of(parsed, target.table.span);
    let project = &target.project.name;
    let schema = &target.schema;
    let schemas = catalog.schemas().await.unwrap_or_default();
    if !schemas.iter().any(|name| name.eq_ignore_ascii_case(schema)) {
        let text = format!("schema {project}.{schema} not found");
        return with_suggestion(
            failed_at(Class::Semantic, place, text),
            nearest(schema, schemas.iter().map(String::as_str)),
        );
    }
    let tables = catalog.tables(schema).await.unwrap_or_default();
    let text = format!("table {project}.{schema}.{} not found", target.table.value);
    with_suggestion(
        failed_at(Class::Semantic, place, text),
        nearest(&target.table.value, tables.iter().map(String::as_str)),
    )
}

/// The column of a table that an identifier means.
pub(crate) fn find_column<'a>(
    parsed: &ParsedStatement,
    fields: &'a [DataField],
    ident: &Ident,
) -> Result<&'a DataField, SqlError> {
    use crate::dialect::Found;
    let place = Place::of(parsed, ident.span);
    match ident.find(fields, DataField::name) {
        Found::One(field) => Ok(field),
        Found::Ambiguous => Err(failed_at(Class::Semantic, place, format!("ambiguous name {ident}"))),
        Found::None => {
            let error = failed_at(Class::Semantic, place, format!("column {ident} cannot be resolved"));
            Err(with_suggestion(error, nearest(&ident.value, fields.iter().map(DataField::name))))
        }
    }
}

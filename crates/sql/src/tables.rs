//! Tables of the lake, opened for a statement.

use crate::dialect::{Ident, ParsedStatement, TimeTravel};
use crate::display::SQL_TYPE;
use crate::error::{Class, Place, failed_at, from_lake, from_paimon, with_suggestion};
use crate::names::TableTarget;
use crate::suggest::nearest;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use lake::{Catalog, PaimonLake};
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
            Err(error) => return Err(from_lake(error)),
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
        selectors: &[(String, String)],
    ) -> Result<Self, SqlError> {
        let mut options: HashMap<String, String> = selectors.iter().cloned().collect();
        match travel {
            None => {}
            Some(TimeTravel::Version(version)) => {
                options = HashMap::from([("scan.version".into(), version.clone())]);
            }
            Some(TimeTravel::Timestamp(timestamp)) => {
                options = HashMap::from([("scan.timestamp".into(), timestamp.clone())]);
            }
        }
        if options.is_empty() {
            return Ok(self.clone());
        }
        let table = self.table.copy_with_time_travel(options).await.map_err(from_paimon)?;
        Ok(Self { table, ..self.clone() })
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
        return with_suggestion(failed_at(Class::Semantic, place, text), nearest(schema, &schemas));
    }
    let tables = catalog.tables(schema).await.unwrap_or_default();
    let text = format!("table {project}.{schema}.{} not found", target.table.value);
    with_suggestion(failed_at(Class::Semantic, place, text), nearest(&target.table.value, &tables))
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
            let names: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
            let error = failed_at(Class::Semantic, place, format!("column {ident} cannot be resolved"));
            Err(with_suggestion(error, nearest(&ident.value, &names)))
        }
    }
}

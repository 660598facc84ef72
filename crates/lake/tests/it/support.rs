//! Warehouses for tests, rows for them, and pypaimon beside us.

use arrow::array::{Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType as ArrowType, Field, Schema as ArrowSchema};
use futures::TryStreamExt as _;
use lake::{Catalog, Change, CommitError, Committed, PaimonLake, WriteMode};
use model::data_source::StorageKind;
use model::warehouse::WarehouseUri;
use paimon::spec::{BigIntType, DataType, Schema, VarCharType};
use paimon::table::Table;
use ports::connection::{Connection, Credentials, Egress};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

/// Whether the slow tests run in their full form.
pub fn full() -> bool {
    std::env::var("LAKEDECK_FAULTS").is_ok_and(|value| value == "full")
}

pub fn local_connection() -> Connection {
    Connection {
        name: "local".into(),
        storage: StorageKind::Local,
        region: "local".into(),
        endpoint: None,
        path_style: false,
        credentials: Credentials::None,
        properties: Vec::new(),
    }
}

pub fn egress(roots: &[&Path]) -> Egress {
    let allowed_roots = roots.iter().map(|root| root.canonicalize().expect("the root exists")).collect();
    Egress { allowed_roots, allow_hosts: Vec::new(), loopback: true }
}

pub async fn open(connection: &Connection, root: Option<&Path>, warehouse: &str) -> Arc<Catalog> {
    let roots: Vec<&Path> = root.into_iter().collect();
    let warehouse = WarehouseUri::parse(connection.storage, warehouse).expect("a warehouse");
    PaimonLake::new(egress(&roots)).catalog(connection, &warehouse).await.expect("the warehouse opens")
}

/// A warehouse in a temporary folder.
pub struct LocalLake {
    pub catalog: Arc<Catalog>,
    pub folder: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl LocalLake {
    pub async fn new() -> Self {
        let temporary = tempfile::tempdir().expect("a temporary folder");
        let folder = temporary.path().join("warehouse");
        std::fs::create_dir(&folder).expect("a new folder");
        Self { _temporary: Some(temporary), ..Self::at(&folder).await }
    }

    /// A second view of a warehouse, as another process has it.
    pub async fn at(folder: &Path) -> Self {
        let catalog = open(&local_connection(), Some(folder), &folder.to_string_lossy()).await;
        Self { catalog, folder: folder.to_owned(), _temporary: None }
    }

    pub fn uri(&self) -> String {
        self.folder.to_string_lossy().into_owned()
    }
}

pub fn bigint() -> DataType {
    DataType::BigInt(BigIntType::new())
}

pub fn string() -> DataType {
    DataType::VarChar(VarCharType::string_type())
}

/// `(id bigint, writer string)` without key.
pub fn plain_schema() -> Schema {
    Schema::builder().column("id", bigint()).column("writer", string()).build().expect("a schema")
}

pub fn rows(ids: &[i64], writer: &str) -> RecordBatch {
    let schema =
        ArrowSchema::new(vec![Field::new("id", ArrowType::Int64, true), Field::new("writer", ArrowType::Utf8, true)]);
    let writers = StringArray::from(vec![writer; ids.len()]);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from(ids.to_vec())), Arc::new(writers)])
        .expect("rows")
}

/// Rows with a column `dt` after the others.
pub fn with_day(batch: &RecordBatch, day: Option<&str>) -> RecordBatch {
    let mut fields: Vec<Field> = batch.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    fields.push(Field::new("dt", ArrowType::Utf8, true));
    let mut columns = batch.columns().to_vec();
    columns.push(Arc::new(StringArray::from(vec![day; batch.num_rows()])));
    RecordBatch::try_new(Arc::new(ArrowSchema::new(fields)), columns).expect("rows")
}

pub async fn append(catalog: &Catalog, table: &Table, batch: &RecordBatch) -> Result<Committed, CommitError> {
    let mut writer = catalog.writer(table, WriteMode::Append).await?;
    writer.write(batch).await?;
    catalog.commit(table, Change::Append(writer.finish().await?), None).await
}

/// All rows of a table.
pub async fn read(table: &Table) -> Vec<RecordBatch> {
    let builder = table.new_read_builder();
    let plan = builder.new_scan().plan().await.expect("a plan");
    let stream = builder.new_read().expect("a reader").to_arrow(plan.splits()).expect("a stream");
    stream.try_collect().await.expect("all rows")
}

/// One column of integers of all rows, sorted.
pub async fn ids(table: &Table) -> Vec<i64> {
    let mut ids: Vec<i64> = Vec::new();
    for batch in read(table).await {
        let column =
            batch.column_by_name("id").expect("column id").as_any().downcast_ref::<Int64Array>().expect("bigint");
        ids.extend(column.values());
    }
    ids.sort_unstable();
    ids
}

/// The number of every snapshot in a local table.
pub fn snapshot_ids(table_folder: &Path) -> Vec<i64> {
    let entries = std::fs::read_dir(table_folder.join("snapshot")).expect("the snapshot folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.ok()?.file_name().into_string().ok();
    let mut ids: Vec<i64> =
        entries.filter_map(name).filter_map(|name| name.strip_prefix("snapshot-")?.parse().ok()).collect();
    ids.sort_unstable();
    ids
}

/// pypaimon in a process of its own: one request and one answer a line.
pub struct Pypaimon {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Pypaimon {
    pub fn local(warehouse: &Path) -> Self {
        Self::start(json!({ "warehouse": warehouse }))
    }

    pub fn s3(warehouse: &str, endpoint: &str) -> Self {
        Self::start(json!({
            "warehouse": warehouse,
            "fs.s3.endpoint": endpoint,
            "fs.s3.accessKeyId": "moto",
            "fs.s3.accessKeySecret": "moto-secret",
            "fs.s3.region": "us-east-1",
        }))
    }

    fn start(options: Value) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../end2end/interop/pypaimon_peer.py");
        let python = testkit::moto::python();
        let mut process = Command::new(&python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}; `cargo xtask test` makes it", python.display()));
        let (requests, answers) = (process.stdin.take().expect("piped"), process.stdout.take().expect("piped"));
        let mut peer = Self { process, requests, answers: BufReader::new(answers) };
        peer.ask(options);
        peer
    }

    /// Sends a request and waits for its answer; an error of pypaimon fails the test.
    pub fn ask(&mut self, request: Value) -> Value {
        self.try_ask(request).unwrap_or_else(|error| panic!("pypaimon: {error}"))
    }

    pub fn try_ask(&mut self, request: Value) -> Result<Value, String> {
        self.send(&request);
        self.receive()
    }

    pub fn send(&mut self, request: &Value) {
        writeln!(self.requests, "{request}").expect("pypaimon listens");
    }

    pub fn receive(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("pypaimon answers");
        let answer: Value = serde_json::from_str(&line).map_err(|error| format!("{error}: {line:?}"))?;
        match answer.get("error") {
            Some(error) => Err(error.as_str().unwrap_or_default().to_owned()),
            None => Ok(answer["ok"].clone()),
        }
    }

    /// The rows of a table as texts: one object a row.
    pub fn rows(&mut self, table: &str) -> Vec<Value> {
        self.ask(json!({ "do": "read", "table": table })).as_array().expect("rows").clone()
    }

    /// Column `id` of all rows, sorted.
    pub fn ids(&mut self, table: &str) -> Vec<i64> {
        let ids = self.ask(json!({ "do": "ids", "table": table }));
        serde_json::from_value(ids).expect("integers")
    }
}

impl Drop for Pypaimon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

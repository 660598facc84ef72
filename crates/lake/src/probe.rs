//! The connection test: ten steps, the first failure ends it.

use crate::credentials;
use crate::diagnosis::{self, Diagnosis};
use crate::egress::{self, Refused};
use crate::level::{Level, level};
use crate::put_if_absent::{PublishError, Published};
use crate::storage::Storage;
use crate::store_api::{Answer, ApiRequest, StoreApi};
use crate::transport;
use bytes::Bytes;
use model::data_source::StorageKind;
use model::probe::{ConnectionState, ProbeEvent, ProbeStatus, ProbeStep, ProbeStepKind, TestRun};
use model::warehouse::WarehouseUri;
use opendal::ErrorKind;
use ports::connection::{Connection, Credentials, Egress};
use ports::lake::{LakeError, ProbeOptions};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use url::Url;

const TEST_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A listener that does not listen must not stop the test.
const EVENT_TIMEOUT: Duration = Duration::from_secs(1);
/// How far the test looks for a table: it proves that one can be read, not that all can.
const FOLDERS_LOOKED_INTO_MAX: usize = 20;
const ENTRIES_MAX: usize = 1000;
const STORAGE_NOT_CHECKED: &str = "storage not checked: give a test directory";

/// Runs the test. Each change of a step is sent to `events`; the last event is [`ProbeEvent::Done`] with the value
/// returned.
pub async fn probe(
    connection: &Connection,
    egress: &Egress,
    warehouse: Option<&WarehouseUri>,
    options: ProbeOptions,
    events: mpsc::Sender<ProbeEvent>,
) -> TestRun {
    let mut panel = Panel::new(events);
    let ended = match connection.storage {
        StorageKind::Local => test_folder(&mut panel, connection, egress, warehouse, options).await,
        _ => test_store(&mut panel, connection, egress, warehouse, options).await,
    };
    let (state, note) = match ended {
        Ok(note) => (ConnectionState::Connectable, note.map(str::to_owned)),
        Err(state) => (state, None),
    };
    panel.finish(state, note).await
}

/// The rows of the test, and who watches them.
struct Panel {
    steps: [ProbeStep; ProbeStepKind::ALL.len()],
    events: mpsc::Sender<ProbeEvent>,
    started: Instant,
}

/// What a step that did not fail found.
enum Found {
    Fine(String),
    /// Works, but.
    Doubtful {
        message: String,
        cure: String,
    },
    /// Does not apply here.
    Nothing(String),
}

type Step<T> = Result<(T, Found), Diagnosis>;

impl Panel {
    fn new(events: mpsc::Sender<ProbeEvent>) -> Self {
        Self { steps: ProbeStepKind::ALL.map(ProbeStep::waiting), events, started: Instant::now() }
    }

    async fn show(&mut self, step: ProbeStep) {
        self.send(ProbeEvent::Step(step.clone())).await;
        if let Some(row) = self.steps.iter_mut().find(|row| row.kind == step.kind) {
            *row = step;
        }
    }

    async fn send(&self, event: ProbeEvent) {
        // Whoever does not read learns the outcome from the return value.
        let _ = self.events.send_timeout(event, EVENT_TIMEOUT).await;
    }

    /// Runs one step; a failure is the test's verdict.
    async fn step<T>(
        &mut self,
        kind: ProbeStepKind,
        work: impl Future<Output = Step<T>>,
    ) -> Result<T, ConnectionState> {
        self.show(ProbeStep { status: ProbeStatus::Running, ..ProbeStep::waiting(kind) }).await;
        let started = Instant::now();
        let left = TEST_TIMEOUT.saturating_sub(self.started.elapsed());
        let done = tokio::time::timeout(left, work).await.unwrap_or_else(|_| Err(diagnosis::too_slow()));
        let elapsed_ms = Some(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
        let row = ProbeStep { elapsed_ms, ..ProbeStep::waiting(kind) };
        let (row, outcome) = match done {
            Ok((value, Found::Fine(message))) => (ProbeStep { status: ProbeStatus::Ok, message, ..row }, Ok(value)),
            Ok((value, Found::Doubtful { message, cure })) => {
                (ProbeStep { status: ProbeStatus::Warning, message, cure: Some(cure), ..row }, Ok(value))
            }
            Ok((value, Found::Nothing(message))) => {
                (ProbeStep { status: ProbeStatus::NotRun, message, elapsed_ms: None, ..row }, Ok(value))
            }
            Err(Diagnosis { state, message, cure, raw }) => {
                (ProbeStep { status: ProbeStatus::Failed, message, cure: Some(cure), raw, ..row }, Err(state))
            }
        };
        self.show(row).await;
        outcome
    }

    async fn not_run(&mut self, kind: ProbeStepKind, why: &str) {
        let row = ProbeStep { status: ProbeStatus::NotRun, message: why.into(), ..ProbeStep::waiting(kind) };
        self.show(row).await;
    }

    async fn finish(mut self, state: ConnectionState, note: Option<String>) -> TestRun {
        for kind in ProbeStepKind::ALL {
            if self.steps.iter().any(|row| row.kind == kind && row.status == ProbeStatus::Waiting) {
                self.not_run(kind, "").await;
            }
        }
        let run = TestRun { state, note, steps: self.steps.to_vec(), at: model::Timestamp::now() };
        self.send(ProbeEvent::Done(run.clone())).await;
        run
    }
}

fn fine(message: impl Into<String>) -> Found {
    Found::Fine(message.into())
}

async fn test_folder(
    panel: &mut Panel,
    connection: &Connection,
    egress: &Egress,
    warehouse: Option<&WarehouseUri>,
    options: ProbeOptions,
) -> Result<Option<&'static str>, ConnectionState> {
    use ProbeStepKind as Kind;
    for kind in [Kind::ResolveHost, Kind::Connect, Kind::Tls, Kind::Credential, Kind::Bucket] {
        panel.not_run(kind, "A local folder needs none.").await;
    }
    let Some(warehouse) = warehouse else { return Ok(Some(STORAGE_NOT_CHECKED)) };
    let storage = panel.step(Kind::List, list_folder(connection, egress, warehouse)).await?;
    test_warehouse(panel, &storage, options).await?;
    panel.not_run(Kind::Clock, "A local folder has the server's clock.").await;
    Ok(None)
}

async fn test_store(
    panel: &mut Panel,
    connection: &Connection,
    egress: &Egress,
    warehouse: Option<&WarehouseUri>,
    options: ProbeOptions,
) -> Result<Option<&'static str>, ConnectionState> {
    use ProbeStepKind as Kind;
    let (endpoint, addresses) = panel.step(Kind::ResolveHost, resolve(connection, egress)).await?;
    panel.step(Kind::Connect, connect(&endpoint, &addresses)).await?;
    panel.step(Kind::Tls, handshake(&endpoint, egress)).await?;
    let (api, known) = panel.step(Kind::Credential, check_credential(connection, egress)).await?;
    let Some(warehouse) = warehouse else { return Ok(Some(STORAGE_NOT_CHECKED)) };
    let bucket = warehouse.bucket().unwrap_or_default();
    let located = panel.step(Kind::Bucket, find_bucket(connection, &api, bucket)).await?;
    let listed = panel.step(Kind::List, list_bucket(connection, egress, &api, warehouse)).await?;
    test_warehouse(panel, &listed.0, options).await?;
    let difference =
        [Some(&listed.1), Some(&located), known.as_ref()].into_iter().flatten().find_map(diagnosis::clock_difference);
    panel.step(Kind::Clock, async { compare_clocks(difference) }).await?;
    Ok(None)
}

/// The steps that are the same for every store.
async fn test_warehouse(panel: &mut Panel, storage: &Storage, options: ProbeOptions) -> Result<(), ConnectionState> {
    let table = panel.step(ProbeStepKind::Shape, look_for_table(storage)).await?;
    panel.step(ProbeStepKind::ReadSchema, read_schema(storage, table)).await?;
    if options.write {
        panel.step(ProbeStepKind::WriteProbe, write_probe(storage)).await
    } else {
        panel.not_run(ProbeStepKind::WriteProbe, "Not asked for.").await;
        Ok(())
    }
}

async fn resolve(connection: &Connection, egress: &Egress) -> Step<(Url, Vec<SocketAddr>)> {
    if let Some(why) = connection.storage.unavailable() {
        return Err(diagnosis::unsupported(why));
    }
    credentials::check_properties(connection).map_err(|error| diagnosis::invalid(&error))?;
    let endpoint = credentials::endpoint_url(connection).map_err(|error| diagnosis::invalid(&error))?;
    let host = endpoint.host_str().unwrap_or_default().to_owned();
    let port = endpoint.port_or_known_default().unwrap_or(443);
    let addresses = tokio::time::timeout(CONNECT_TIMEOUT, egress::resolve(egress, &host, port));
    let addresses = addresses.await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into())).map_err(|error| {
        match error.get_ref().and_then(|cause| cause.downcast_ref::<Refused>()) {
            Some(refused) => diagnosis::refused_by_policy(refused),
            None => diagnosis::unresolved(&host, &error),
        }
    })?;
    let shown = addresses.iter().map(|address| address.ip().to_string()).collect::<Vec<_>>().join(", ");
    Ok(((endpoint, addresses), fine(shown)))
}

async fn connect(endpoint: &Url, addresses: &[SocketAddr]) -> Step<()> {
    let (host, port) = (endpoint.host_str().unwrap_or_default(), endpoint.port_or_known_default().unwrap_or(443));
    match tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(addresses)).await {
        Ok(Ok(_)) => Ok(((), fine(format!("{host}:{port}")))),
        Err(_) => Err(diagnosis::no_route(host, port)),
        Ok(Err(error)) => Err(match error.kind() {
            std::io::ErrorKind::ConnectionRefused | std::io::ErrorKind::ConnectionReset => {
                diagnosis::connection_refused(&error)
            }
            _ => diagnosis::no_route(host, port),
        }),
    }
}

async fn handshake(endpoint: &Url, egress: &Egress) -> Step<()> {
    if endpoint.scheme() != "https" {
        return Ok(((), Found::Nothing("The endpoint speaks http.".into())));
    }
    let client = transport::client(egress).map_err(|error| diagnosis::invalid(&error))?;
    let host = endpoint.host_str().unwrap_or_default();
    // Any answer will do: it came through a channel with a trusted certificate.
    match tokio::time::timeout(CONNECT_TIMEOUT, client.head(endpoint.clone()).send()).await {
        Ok(Ok(_)) => Ok(((), fine(format!("The certificate of {host} is trusted.")))),
        Ok(Err(error)) if error.is_connect() => Err(diagnosis::untrusted(host, &error)),
        // The handshake is over once there is a request that could fail.
        Ok(Err(_)) | Err(_) => Ok(((), fine(format!("The certificate of {host} is trusted.")))),
    }
}

async fn check_credential(connection: &Connection, egress: &Egress) -> Step<(StoreApi, Option<Answer>)> {
    let api = StoreApi::new(connection, egress).map_err(|error| diagnosis::invalid(&error))?;
    if let Credentials::None = connection.credentials {
        return Ok(((api, None), fine("Requests are not signed.")));
    }
    api.obtain_credential().await.map_err(|error| diagnosis::no_credential(connection, &error))?;
    let answer = api.list_buckets().await.map_err(|error| diagnosis::no_answer(&error))?;
    match diagnosis::bad_credential(connection, &answer) {
        Some(diagnosis) => Err(diagnosis),
        // A known identity may be forbidden to list buckets.
        None => {
            let how = match &connection.credentials {
                Credentials::RamRole(_) => "The role was assumed.",
                _ => "The store knows the key.",
            };
            Ok(((api, Some(answer)), fine(how)))
        }
    }
}

async fn find_bucket(connection: &Connection, api: &StoreApi, bucket: &str) -> Step<Answer> {
    let request = ApiRequest { bucket: Some(bucket), query: &[("location", "")], ..ApiRequest::default() };
    let answer = api.send(request).await.map_err(|error| diagnosis::no_answer(&error))?;
    match diagnosis::bad_bucket(connection, bucket, &answer) {
        Some(diagnosis) => Err(diagnosis),
        None => Ok((answer, fine(bucket))),
    }
}

async fn list_bucket(
    connection: &Connection,
    egress: &Egress,
    api: &StoreApi,
    warehouse: &WarehouseUri,
) -> Step<(Storage, Answer)> {
    let storage = Storage::open(connection, egress, warehouse).map_err(|error| diagnosis::invalid(&error))?;
    let (bucket, prefix) = (warehouse.bucket().unwrap_or_default(), warehouse.path());
    let query = [("delimiter", "/"), ("list-type", "2"), ("max-keys", "10"), ("prefix", prefix)];
    let request = ApiRequest { bucket: Some(bucket), query: &query, ..ApiRequest::default() };
    let answer = api.send(request).await.map_err(|error| diagnosis::no_answer(&error))?;
    if let Some(diagnosis) = diagnosis::bad_listing(connection, bucket, prefix, &answer) {
        return Err(diagnosis);
    }
    let holds_something = answer.body.contains("<Contents>") || answer.body.contains("<CommonPrefixes>");
    if !holds_something && !prefix.is_empty() {
        return Err(diagnosis::absent_path(warehouse.as_str()));
    }
    Ok(((storage, answer), fine(warehouse.as_str())))
}

async fn list_folder(connection: &Connection, egress: &Egress, warehouse: &WarehouseUri) -> Step<Storage> {
    let storage = Storage::open(connection, egress, warehouse).map_err(|error| match error {
        LakeError::NotFound(_) => diagnosis::absent_path(warehouse.as_str()),
        error => diagnosis::invalid(&error),
    })?;
    let mut entries = tokio::fs::read_dir(warehouse.path())
        .await
        .map_err(|error| diagnosis::unreadable_folder(warehouse.path(), &error))?;
    entries.next_entry().await.map_err(|error| diagnosis::unreadable_folder(warehouse.path(), &error))?;
    Ok((storage, fine(warehouse.as_str())))
}

/// A table that was found: its name and the folder of its schemas below the warehouse.
struct FoundTable {
    name: String,
    folder: String,
}

async fn look_for_table(storage: &Storage) -> Step<Option<FoundTable>> {
    let top = read_level(storage, "/").await?;
    let schemas: Vec<_> = top.folders.iter().filter(|name| name.ends_with(".db")).collect();
    let others = top.folders.iter().chain(&top.files).filter(|name| !name.starts_with('.') && !name.ends_with(".db"));
    if schemas.is_empty() {
        if others.count() == 0 {
            return Ok((None, fine("Empty: a new warehouse.")));
        }
        let suggestion = suggest(storage, &top).await?;
        return Err(diagnosis::not_a_warehouse(suggestion.as_deref()));
    }
    let mut any_folder = false;
    for schema in schemas.iter().take(FOLDERS_LOOKED_INTO_MAX) {
        for table in read_level(storage, &format!("{schema}/")).await?.folders.iter().take(FOLDERS_LOOKED_INTO_MAX) {
            any_folder = true;
            let folder = format!("{schema}/{table}/schema/");
            if exists(storage, &format!("{folder}schema-0")).await? {
                let name = format!("{}.{table}", schema.trim_end_matches(".db"));
                let found = fine(format!("{} schemas, e.g. with table {name}.", schemas.len()));
                return Ok((Some(FoundTable { name, folder }), found));
            }
        }
    }
    if any_folder {
        let message = "There are *.db folders, but none of the folders looked into is a table.".into();
        let cure = "Check whether these databases were written by Paimon.".into();
        return Ok((None, Found::Doubtful { message, cure }));
    }
    Ok((None, fine(format!("{} schemas, no table yet.", schemas.len()))))
}

/// The warehouse that was probably meant: one level up or down.
async fn suggest(storage: &Storage, top: &Level) -> Result<Option<String>, Diagnosis> {
    let parent = |uri: &str| uri.trim_end_matches('/').rsplit_once('/').map(|(above, _)| format!("{above}/"));
    let here = storage.root();
    if here.ends_with(".db/") {
        return Ok(parent(here));
    }
    if top.folders.iter().any(|name| name == "schema") {
        // A table's folder: the warehouse is above its database.
        return Ok(parent(here)
            .and_then(|database| if database.ends_with(".db/") { parent(&database) } else { Some(database) }));
    }
    for folder in top.folders.iter().take(FOLDERS_LOOKED_INTO_MAX) {
        if read_level(storage, &format!("{folder}/")).await?.folders.iter().any(|name| name.ends_with(".db")) {
            return Ok(Some(format!("{here}{folder}/")));
        }
    }
    Ok(None)
}

async fn read_schema(storage: &Storage, table: Option<FoundTable>) -> Step<()> {
    let Some(FoundTable { name, folder }) = table else {
        return Ok(((), Found::Nothing("There is no table yet.".into())));
    };
    let files = read_level(storage, &folder).await?.files;
    let newest = files.iter().filter_map(|file| file.strip_prefix("schema-")?.parse::<u64>().ok()).max().unwrap_or(0);
    let content = storage.operator().read(&format!("{folder}schema-{newest}")).await;
    let content = content.map_err(|error| diagnosis::unreadable_table(&name, &error.kind().to_string()))?;
    match serde_json::from_slice::<paimon::spec::TableSchema>(&content.to_bytes()) {
        Ok(schema) => Ok(((), fine(format!("{name} has {} columns.", schema.fields().len())))),
        Err(error) => Err(diagnosis::unreadable_table(&name, &error.to_string())),
    }
}

/// Publishes the same name twice: the second time must be refused.
async fn write_probe(storage: &Storage) -> Step<()> {
    let name = format!(".probe-{}", uuid::Uuid::new_v4());
    let verdict = match storage.publish(&name, Bytes::from_static(b"first")).await {
        Ok(Published::Won) => match storage.publish(&name, Bytes::from_static(b"second")).await {
            Ok(Published::Lost) => Ok(()),
            Ok(Published::Won) => Err(diagnosis::unsafe_store("")),
            Err(error) => Err(refused_write(storage, error)),
        },
        Ok(Published::Lost) => Err(diagnosis::unsafe_store("the store says that a new name is taken")),
        Err(error) => Err(refused_write(storage, error)),
    };
    let removed = storage.operator().delete(&name).await;
    verdict?;
    let (bucket, prefix) = place(storage);
    removed.map_err(|error| diagnosis::store_refused(bucket, prefix, "delete from", &error))?;
    Ok(((), fine("Create-if-absent is honoured.")))
}

fn refused_write(storage: &Storage, error: PublishError) -> Diagnosis {
    let error = error.into_store_error();
    let code = crate::store_error::code(&error).unwrap_or_default();
    if error.kind() == ErrorKind::Unsupported || matches!(code, "NotImplemented" | "InvalidArgument") {
        return diagnosis::unsafe_store(code);
    }
    let (bucket, prefix) = place(storage);
    diagnosis::store_refused(bucket, prefix, "write to", &error)
}

fn compare_clocks(difference: Option<i64>) -> Step<()> {
    match difference {
        None => Ok(((), Found::Nothing("The store does not tell its time.".into()))),
        Some(seconds) if Duration::from_secs(seconds.unsigned_abs()) < diagnosis::CLOCK_DIFFERENCE_MAX => {
            Ok(((), fine(format!("{} s", seconds.unsigned_abs()))))
        }
        seconds => Err(diagnosis::clock_differs(seconds)),
    }
}

async fn read_level(storage: &Storage, folder: &str) -> Result<Level, Diagnosis> {
    let (bucket, prefix) = place(storage);
    level(storage.operator(), folder, ENTRIES_MAX)
        .await
        .map_err(|error| diagnosis::store_refused(bucket, prefix, "list", &error))
}

async fn exists(storage: &Storage, path: &str) -> Result<bool, Diagnosis> {
    let (bucket, prefix) = place(storage);
    storage.operator().exists(path).await.map_err(|error| diagnosis::store_refused(bucket, prefix, "read", &error))
}

/// Bucket and path for messages.
fn place(storage: &Storage) -> (Option<&str>, &str) {
    (storage.warehouse().bucket(), storage.warehouse().path())
}

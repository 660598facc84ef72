//! The connection test: every row of its table, each by the fault that it tells of.

use crate::stores::{Place, access_key, egress, local, oss, oss_connection, s3, uri_of};
use http::Method;
use lake::probe::probe;
use model::data_source::{Endpoint, StorageKind};
use model::names::RoleArn;
use model::probe::{ConnectionState, ProbeEvent, ProbeStatus, ProbeStepKind, TestRun};
use model::warehouse::WarehouseUri;
use ports::connection::{Connection, Credentials, Egress};
use ports::lake::ProbeOptions;
use std::fs;
use std::path::PathBuf;
use testkit::oss::{Faults, OssDouble};
use testkit::sts::StsDouble;
use tokio::sync::mpsc;

const SCHEMA: &str = r#"{"version":3,"id":0,"fields":[{"id":0,"name":"a","type":"INT"},{"id":1,"name":"b","type":"STRING"}],
    "highestFieldId":1,"partitionKeys":[],"primaryKeys":[],"options":{},"timeMillis":1}"#;

async fn run(connection: &Connection, egress: &Egress, warehouse: Option<&WarehouseUri>) -> TestRun {
    let (sender, mut receiver) = mpsc::channel(64);
    let run = probe(connection, egress, warehouse, ProbeOptions { write: true }, sender).await;
    let mut events = Vec::new();
    while let Ok(event) = receiver.try_recv() {
        events.push(event);
    }
    assert_eq!(events.last(), Some(&ProbeEvent::Done(run.clone())));
    for step in &run.steps {
        let mut of_step = events.iter().filter_map(|event| match event {
            ProbeEvent::Step(told) if told.kind == step.kind => Some(told),
            _ => None,
        });
        assert_eq!(of_step.next_back(), Some(step), "the last event of a step is what it came to");
    }
    for step in run.steps.iter().filter(|step| step.status == ProbeStatus::Failed) {
        assert!(step.cure.is_some() && step.elapsed_ms.is_some());
    }
    let words = if run.state.is_connected() { "Connected" } else { "Connection failed." };
    assert_eq!(run.state.label(), words);
    run
}

/// The failed step of a test: its number, verdict and message.
fn failure(run: &TestRun) -> (usize, ConnectionState, &str) {
    let failed = run.steps.iter().position(|step| step.status == ProbeStatus::Failed);
    let n = failed.unwrap_or_else(|| panic!("nothing failed: {run:#?}"));
    assert!(run.steps[n + 1..].iter().all(|step| step.status == ProbeStatus::NotRun), "{run:#?}");
    (n + 1, run.state, run.steps[n].message.as_str())
}

fn cure(run: &TestRun) -> &str {
    let failed = run.steps.iter().find(|step| step.status == ProbeStatus::Failed).expect("a failure");
    failed.cure.as_deref().expect("a cure")
}

use ConnectionState::{ConfigError, Unreachable, Unsupport};

async fn fails(
    connection: &Connection,
    warehouse: Option<&WarehouseUri>,
    expected: (usize, ConnectionState, &str),
) -> TestRun {
    let run = run(connection, &egress(), warehouse).await;
    assert_eq!(failure(&run), expected, "{run:#?}");
    run
}

fn with_endpoint(endpoint: &str) -> Connection {
    Connection { endpoint: Some(Endpoint::parse(endpoint).expect("an endpoint")), ..oss_connection("http://unused") }
}

/// A warehouse with one table, past the API.
fn fill(double: &OssDouble) {
    double.put("paimon-fs", "warehouse/default.db/t/schema/schema-0", SCHEMA);
}

#[tokio::test]
async fn an_unknown_name() {
    let run = fails(
        &with_endpoint("oss-nowhere-internal.invalid"),
        None,
        (1, Unreachable, "The endpoint name cannot be resolved."),
    )
    .await;
    assert!(cure(&run).contains("only inside the cloud's network"), "{}", cure(&run));
}

#[tokio::test]
async fn no_route() {
    // A listener whose queue is full does not answer, like a packet filter.
    let listener = socket_without_answer();
    let port = listener.port;
    let message = format!("No route to 127.0.0.1:{port}.");
    fails(&with_endpoint(&format!("http://127.0.0.1:{port}")), None, (2, Unreachable, &message)).await;
}

struct FullListener {
    port: u16,
    _listener: tokio::net::TcpListener,
    _queued: Vec<std::net::TcpStream>,
}

/// Never accepts, and its queue of one is full.
fn socket_without_answer() -> FullListener {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let listener = socket.listen(1).expect("it listens");
    let address = listener.local_addr().expect("bound");
    let timeout = std::time::Duration::from_millis(200);
    let queued = (0..16).map_while(|_| std::net::TcpStream::connect_timeout(&address, timeout).ok()).collect();
    FullListener { port: address.port(), _listener: listener, _queued: queued }
}

#[tokio::test]
async fn a_refused_connection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let endpoint = format!("http://127.0.0.1:{port}");
    fails(&with_endpoint(&endpoint), None, (2, Unreachable, "The host refused the connection.")).await;
}

#[tokio::test]
async fn https_where_http_is_spoken() {
    let (_, double) = oss().await;
    let endpoint = double.address_endpoint().replace("http:", "https:");
    let message = "The certificate of 127.0.0.1 is not trusted.";
    fails(&with_endpoint(&endpoint), None, (3, ConfigError, message)).await;
}

#[tokio::test]
async fn an_untrusted_certificate() {
    let server = SelfSigned::start().await;
    let endpoint = format!("https://localhost:{}", server.port);
    let message = "The certificate of localhost is not trusted.";
    let run = fails(&with_endpoint(&endpoint), None, (3, ConfigError, message)).await;
    let raw = run.steps[2].raw.as_deref().unwrap_or_default();
    assert!(raw.to_lowercase().contains("certificate"), "{raw}");

    // A server that was told to trust it gets past this step.
    let output = itself_again("probe::behind_a_trusted_certificate")
        .env(TRUSTED_ENDPOINT, endpoint)
        .env("SSL_CERT_FILE", server.certificate)
        .output()
        .await
        .expect("the test binary runs");
    assert_passed(&output);
}

const TRUSTED_ENDPOINT: &str = "LAKEDECK_TEST_TRUSTED_ENDPOINT";

/// A part of [`an_untrusted_certificate`].
#[tokio::test]
async fn behind_a_trusted_certificate() {
    let Ok(endpoint) = std::env::var(TRUSTED_ENDPOINT) else { return };
    let run = run(&with_endpoint(&endpoint), &egress(), None).await;
    assert_eq!(run.steps[2].message, "The certificate of localhost is trusted.", "{run:#?}");
    assert_eq!(failure(&run).0, 4);
}

/// This test binary as a process of its own, to run one test with another environment.
fn itself_again(test: &str) -> tokio::process::Command {
    let mut command = tokio::process::Command::new(std::env::current_exe().expect("a test binary"));
    command.args(["--exact", test, "--nocapture"]);
    command
}

fn assert_passed(output: &std::process::Output) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{out}\n{err}");
}

#[tokio::test]
async fn something_that_is_no_store() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://127.0.0.1:{}", listener.local_addr().expect("bound").port());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let page = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>";
            let _ = stream.write_all(page.as_bytes()).await;
        }
    });
    let message = "The endpoint does not answer like an object store (HTTP 200).";
    fails(&with_endpoint(&endpoint), None, (4, ConfigError, message)).await;
}

/// An HTTPS server whose certificate nobody signed.
struct SelfSigned {
    port: u16,
    /// The file that holds it.
    certificate: String,
    _process: tokio::process::Child,
}

impl SelfSigned {
    const SCRIPT: &str = r#"
import datetime, http.server, ipaddress, ssl, tempfile
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
now = datetime.datetime.now(datetime.timezone.utc)
cert = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    .serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False).sign(key, hashes.SHA256()))
pem = tempfile.NamedTemporaryFile(suffix=".pem")
pem.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
pem.write(cert.public_bytes(serialization.Encoding.PEM))
pem.flush()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(pem.name)
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, pem.name, flush=True)
server.serve_forever()
"#;

    async fn start() -> Self {
        use tokio::io::{AsyncBufReadExt as _, BufReader};
        let mut process = tokio::process::Command::new(testkit::moto::python())
            .args(["-c", Self::SCRIPT])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("python starts");
        let stdout = process.stdout.take().expect("piped");
        let line = BufReader::new(stdout).lines().next_line().await.expect("it prints").expect("its port");
        let (port, certificate) = line.split_once(' ').expect("port and certificate");
        Self { port: port.parse().expect("a port"), certificate: certificate.into(), _process: process }
    }
}

#[tokio::test]
async fn wrong_keys() {
    let (place, double) = oss().await;
    let expected = (4, ConfigError, "The access key is wrong.");
    let unknown = Connection { credentials: access_key("LTAInobody", "x"), ..place.connection.clone() };
    let run = fails(&unknown, None, expected).await;
    assert!(run.steps[3].raw.as_deref().is_some_and(|raw| raw.contains("InvalidAccessKeyId")), "{run:#?}");
    let mistyped = Connection { credentials: access_key(OssDouble::KEY_ID, "topsecret"), ..place.connection.clone() };
    let run = fails(&mistyped, None, expected).await;
    assert!(!format!("{run:?}").contains("topsecret"));
    let token = Credentials::AccessKey {
        id: OssDouble::KEY_ID.into(),
        secret: OssDouble::KEY_SECRET.to_owned().into(),
        session_token: Some("expired-token".to_owned().into()),
    };
    let run = fails(&Connection { credentials: token, ..place.connection.clone() }, None, expected).await;
    assert!(!format!("{run:?}").contains("expired-token"));
    assert_eq!(double.verified(), 0);
}

#[tokio::test]
async fn a_clock_that_differs() {
    let (place, double) = oss().await;
    fill(&double);
    double.set_faults(Faults { clock_ahead: 3600, ..Faults::default() });
    let run = run(&place.connection, &place.egress, Some(&place.warehouse)).await;
    let (step, state, message) = failure(&run);
    assert_eq!((step, state), (4, ConfigError));
    assert!(matches!(message, "Clock differs by 3600 s." | "Clock differs by 3599 s."), "{message}");
    // A store that does not mind is still told of.
    double.set_faults(Faults { clock_ahead: -7200, tolerates_skew: true, ..Faults::default() });
    let run = crate::probe::run(&place.connection, &place.egress, Some(&place.warehouse)).await;
    let (step, state, message) = failure(&run);
    assert_eq!((step, state), (10, ConfigError));
    assert!(matches!(message, "Clock differs by 7200 s." | "Clock differs by 7201 s."), "{message}");
}

#[tokio::test]
async fn a_store_out_of_order() {
    let (place, double) = oss().await;
    double.set_faults(Faults { unavailable: 1000, ..Faults::default() });
    let message = "The store answers that it cannot at the moment (HTTP 503).";
    fails(&place.connection, None, (4, Unreachable, message)).await;
}

#[tokio::test]
async fn a_store_that_is_silent() {
    let (place, double) = oss().await;
    double.set_faults(Faults { delay: std::time::Duration::from_secs(3600), ..Faults::default() });
    fails(&place.connection, None, (4, Unreachable, "The store did not answer in time.")).await;
}

#[tokio::test]
async fn no_bucket() {
    let (place, _) = oss().await;
    let elsewhere = place.at("oss://nobodys-bucket/w/");
    fails(&place.connection, Some(&elsewhere), (5, ConfigError, "Bucket nobodys-bucket does not exist.")).await;
    let place = s3().await;
    let elsewhere = place.at("s3://nobodys-bucket/w/");
    fails(&place.connection, Some(&elsewhere), (5, ConfigError, "Bucket nobodys-bucket does not exist.")).await;
}

#[tokio::test]
async fn another_region() {
    let (place, double) = oss().await;
    double.set_faults(Faults { other_region: Some("cn-beijing".into()), ..Faults::default() });
    let expected = (5, ConfigError, "The bucket is in region cn-beijing.");
    fails(&place.connection, Some(&place.warehouse), expected).await;
}

#[tokio::test]
async fn an_address_rule() {
    let (place, double) = oss().await;
    double.set_faults(Faults { address_rule: true, ..Faults::default() });
    let expected = (6, ConfigError, "Blocked by the bucket's address rule.");
    fails(&place.connection, Some(&place.warehouse), expected).await;
}

#[tokio::test]
async fn denied_identities() {
    let (place, double) = oss().await;
    fill(&double);
    double.set_faults(Faults { denied: vec![Method::GET], ..Faults::default() });
    let expected = (6, ConfigError, "The identity may not list paimon-fs/warehouse/.");
    fails(&place.connection, Some(&place.warehouse), expected).await;
    double.set_faults(Faults { denied: vec![Method::PUT], ..Faults::default() });
    let expected = (9, ConfigError, "The identity may not write to paimon-fs/warehouse/.");
    fails(&place.connection, Some(&place.warehouse), expected).await;
    double.set_faults(Faults { denied: vec![Method::DELETE, Method::POST], ..Faults::default() });
    let expected = (9, ConfigError, "The identity may not delete from paimon-fs/warehouse/.");
    fails(&place.connection, Some(&place.warehouse), expected).await;
}

#[tokio::test]
async fn absent_paths() {
    let expected = (6, ConfigError, "The warehouse path does not exist.");
    let (place, _) = oss().await;
    fails(&place.connection, Some(&place.warehouse), expected).await;
    let place = s3().await;
    fails(&place.connection, Some(&place.warehouse), expected).await;
    let place = local();
    let absent = place.at(&format!("{}absent/", place.warehouse));
    assert_eq!(failure(&run(&place.connection, &place.egress, Some(&absent)).await), expected);
}

#[tokio::test]
async fn folders_that_are_no_warehouse() {
    let place = local();
    let here = PathBuf::from(place.warehouse.path());
    let table = here.join("lake/default.db/t");
    fs::create_dir_all(table.join("schema")).expect("folders");
    fs::write(table.join("schema/schema-0"), SCHEMA).expect("a file");
    let check = async |folder: PathBuf, suggestion: &str| {
        let run = run(&place.connection, &place.egress, Some(&uri_of(&folder))).await;
        assert_eq!(failure(&run), (7, ConfigError, "The directory is not a Paimon warehouse."));
        assert_eq!(cure(&run), suggestion);
    };
    let choose = format!("Choose {}lake/ instead.", place.warehouse);
    check(here.clone(), &choose).await;
    check(here.join("lake/default.db"), &choose).await;
    check(table.clone(), &choose).await;
    fs::create_dir_all(here.join("other/files")).expect("folders");
    let general = "Choose its parent or a child: a warehouse holds <database>.db folders, or nothing yet.";
    check(here.join("other"), general).await;
    let run = run(&place.connection, &place.egress, Some(&uri_of(&here.join("lake")))).await;
    assert!(run.state.is_connected(), "{run:#?}");
}

#[tokio::test]
async fn a_database_that_is_a_link_out() {
    let place = local();
    let here = PathBuf::from(place.warehouse.path());
    fs::create_dir_all(here.join("default.db")).expect("a folder");
    std::os::unix::fs::symlink("/etc", here.join("default.db/t")).expect("a link");
    let linked = run(&place.connection, &place.egress, Some(&place.warehouse)).await;
    assert!(linked.state.is_connected(), "a link is no folder: {linked:#?}");
}

#[tokio::test]
async fn an_unreadable_schema() {
    let (place, double) = oss().await;
    fill(&double);
    double.put("paimon-fs", "warehouse/default.db/t/schema/schema-1", "{ \"version\": 3, ");
    let run = run(&place.connection, &place.egress, Some(&place.warehouse)).await;
    let (step, state, message) = failure(&run);
    assert_eq!((step, state), (8, ConfigError));
    assert!(message.starts_with("Table default.t cannot be read: EOF"), "{message}");
}

#[tokio::test]
async fn a_store_that_cannot_commit_safely() {
    let (place, double) = oss().await;
    fill(&double);
    double.set_faults(Faults { overwrites: true, ..Faults::default() });
    let expected = (9, ConfigError, "This store cannot commit safely; it is used for reading only.");
    fails(&place.connection, Some(&place.warehouse), expected).await;
    assert_eq!(double.keys("paimon-fs"), ["warehouse/default.db/t/schema/schema-0"], "the probe is removed");
}

#[tokio::test]
async fn a_missing_library() {
    let hdfs = Connection { storage: StorageKind::OssHdfs, ..oss_connection("http://127.0.0.1:1") };
    let expected = (1, Unsupport, "OSS-HDFS needs a native library that is not built in.");
    fails(&hdfs, None, expected).await;
}

#[tokio::test]
async fn addresses_that_the_policy_refuses() {
    let (_, double) = oss().await;
    let strict = Egress::default();
    let check = async |endpoint: &str, what: &str| {
        let run = run(&with_endpoint(endpoint), &strict, None).await;
        let (step, state, message) = failure(&run);
        assert_eq!((step, state), (1, ConfigError), "{run:#?}");
        assert!(message.ends_with(what), "{message}");
        assert!(cure(&run).contains("--allow-hosts"));
    };
    check(&double.endpoint(), "it is a loopback address.").await;
    check(&double.address_endpoint(), "it is a loopback address.").await;
    check("http://169.254.169.254", "it is a link-local address.").await;
    check("http://100.100.100.200", "it is a cloud's metadata service.").await;
    let allowed = Egress { allow_hosts: vec!["localhost".into()], ..strict.clone() };
    fill(&double);
    let warehouse = WarehouseUri::parse(StorageKind::Oss, "oss://paimon-fs/warehouse/").expect("a warehouse");
    let run = run(&with_endpoint(&double.endpoint()), &allowed, Some(&warehouse)).await;
    assert!(run.state.is_connected(), "{run:#?}");
}

#[tokio::test]
async fn unknown_properties() {
    let properties = vec![("fs.jindo.library.path".to_owned(), "/tmp/x.so".to_owned())];
    let connection = Connection { properties, ..oss_connection("http://127.0.0.1:1") };
    let run = run(&connection, &egress(), None).await;
    let (step, state, message) = failure(&run);
    assert_eq!((step, state), (1, ConfigError));
    assert!(message.contains("fs.jindo.library.path") && message.contains("sts.endpoint"), "{message}");
}

fn statuses(run: &TestRun) -> Vec<ProbeStatus> {
    run.steps.iter().map(|step| step.status).collect()
}

#[tokio::test]
async fn without_a_test_directory() {
    use ProbeStatus::{NotRun, Ok};
    let (place, _) = oss().await;
    let on_oss = run(&place.connection, &place.egress, None).await;
    assert_eq!(statuses(&on_oss), [Ok, Ok, NotRun, Ok, NotRun, NotRun, NotRun, NotRun, NotRun, NotRun]);
    let place = local();
    let on_local = run(&place.connection, &place.egress, None).await;
    for run in [on_oss, on_local] {
        assert_eq!(run.state, ConnectionState::Connectable);
        assert_eq!(run.note.as_deref(), Some("storage not checked: give a test directory"));
    }
}

async fn everything_in_order(place: &Place) {
    use ProbeStatus::{NotRun, Ok};
    let storage = place.open();
    storage.operator().write("default.db/t/schema/schema-0", SCHEMA).await.expect("a table");
    let run = run(&place.connection, &place.egress, Some(&place.warehouse)).await;
    assert_eq!((run.state, run.note.clone()), (ConnectionState::Connectable, None), "{run:#?}");
    let expected = match place.connection.storage {
        StorageKind::Local => [NotRun, NotRun, NotRun, NotRun, NotRun, Ok, Ok, Ok, Ok, NotRun],
        _ => [Ok, Ok, NotRun, Ok, Ok, Ok, Ok, Ok, Ok, Ok],
    };
    assert_eq!(statuses(&run), expected, "{run:#?}");
    assert_eq!(run.steps[7].message, "default.t has 2 columns.");
    assert!(run.steps.iter().all(|step| step.status == NotRun || step.elapsed_ms.is_some()));
    let left = storage.operator().list("/").await.expect("listed");
    assert!(left.iter().all(|entry| !entry.name().starts_with(".probe")), "the probe is removed");
}

crate::on_every_store! { everything_in_order }

#[tokio::test]
async fn a_new_warehouse() {
    let place = local();
    let run = run(&place.connection, &place.egress, Some(&place.warehouse)).await;
    assert!(run.state.is_connected());
    assert_eq!(run.steps[6].message, "Empty: a new warehouse.");
    assert_eq!(run.steps[7].status, ProbeStatus::NotRun);
}

#[tokio::test]
async fn a_listener_that_went_away() {
    let place = local();
    let (sender, receiver) = mpsc::channel(1);
    drop(receiver);
    let run = probe(&place.connection, &place.egress, Some(&place.warehouse), ProbeOptions::default(), sender).await;
    assert!(run.state.is_connected());
    let write = run.steps.iter().find(|step| step.kind == ProbeStepKind::WriteProbe).expect("all steps");
    assert_eq!(write.status, ProbeStatus::NotRun, "not asked for");
}

/// The server's own credentials come from its environment, so this test runs itself once more with one.
#[tokio::test]
async fn roles() {
    const CHILD: &str = "LAKEDECK_TEST_ROLES";
    if std::env::var_os(CHILD).is_some() {
        return roles_with_base_credentials().await;
    }
    let output = itself_again("probe::roles")
        .env(CHILD, "1")
        .env("ALIBABA_CLOUD_ACCESS_KEY_ID", StsDouble::KEY_ID)
        .env("ALIBABA_CLOUD_ACCESS_KEY_SECRET", StsDouble::KEY_SECRET)
        .output()
        .await
        .expect("the test binary runs");
    assert_passed(&output);

    let (place, double) = oss().await;
    let connection = with_role(&place.connection, StsDouble::ROLE, &StsDouble::start(&double).await.endpoint());
    let run = fails(&connection, None, (4, ConfigError, "The server has no credentials of its own.")).await;
    assert!(cure(&run).contains("ALIBABA_CLOUD_ACCESS_KEY_ID"));
}

fn with_role(connection: &Connection, role: &str, sts: &str) -> Connection {
    Connection {
        credentials: Credentials::RamRole(RoleArn::parse(role).expect("a role")),
        properties: vec![("sts.endpoint".into(), sts.into())],
        ..connection.clone()
    }
}

async fn roles_with_base_credentials() {
    let (place, double) = oss().await;
    fill(&double);
    let sts = StsDouble::start(&double).await.endpoint();
    let connection = with_role(&place.connection, StsDouble::ROLE, &sts);
    let run = run(&connection, &place.egress, Some(&place.warehouse)).await;
    assert_eq!(run.state, ConnectionState::Connectable, "{run:#?}");
    assert_eq!(run.steps[3].message, "The role was assumed.");
    let storage = lake::Storage::open(&connection, &place.egress, &place.warehouse).expect("it opens");
    assert!(storage.operator().read("default.db/t/schema/schema-0").await.is_ok());

    let expected = (4, ConfigError, "The role cannot be assumed.");
    let run = fails(&with_role(&place.connection, "acs:ram::1234567890:role/absent", &sts), None, expected).await;
    assert_eq!(run.steps[3].raw.as_deref(), Some("STS: EntityNotExist.Role"));
    let run = fails(&with_role(&place.connection, StsDouble::CLOSED_ROLE, &sts), None, expected).await;
    assert_eq!(run.steps[3].raw.as_deref(), Some("STS: NoPermission"));
    let environment = Connection { credentials: Credentials::Environment, ..place.connection.clone() };
    // The base key may assume roles but is none of the store's.
    let run = fails(&environment, None, (4, ConfigError, "The access key is wrong.")).await;
    assert!(cure(&run).contains("environment"), "{}", cure(&run));
    let unreachable = with_role(&place.connection, StsDouble::ROLE, "http://127.0.0.1:1");
    fails(&unreachable, None, (4, Unreachable, "STS does not answer.")).await;
}

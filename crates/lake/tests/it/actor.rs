//! A writer in a process of its own: the test binary, started again.

use crate::support::{append, open, rows};
use arrow::array::RecordBatch;
use lake::{Catalog, Change, CommitError, WriteMode};
use model::data_source::{Endpoint, StorageKind};
use paimon::spec::SchemaChange;
use paimon::table::Table;
use ports::connection::{Connection, Credentials};
use serde::{Deserialize, Serialize};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const ORDER: &str = "LAKE_TEST_ACTOR";
/// How many calls on files the actor's file thread makes before its work, so that the counts of the process's start, which
/// other threads make, are passed before the work begins.
pub const PRIMING: usize = 400;
/// How long an actor may take.
const ACTOR_TIMEOUT: Duration = Duration::from_secs(300);
/// Begins every line that an actor says to who started it.
const SAYS: &str = "actor: ";

/// What an actor is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// A local folder or an S3 address.
    pub warehouse: String,
    pub s3_endpoint: Option<String>,
    pub table: String,
    pub task: Task,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Task {
    /// One commit a row.
    Append {
        first: i64,
        count: i64,
    },
    /// One commit with this many rows.
    Insert {
        first: i64,
        count: i64,
    },
    Overwrite {
        first: i64,
        count: i64,
    },
    /// Single-row commits. Beside the last `window` of them go the first of table `fresh`, so that both meet the same load;
    /// tells the CPU time of these and of those.
    Measure {
        commits: i64,
        window: i64,
    },
    AddColumns {
        prefix: String,
        count: usize,
    },
    Create,
}

/// How an actor ended.
#[derive(Debug, Default)]
pub struct Report {
    /// What it said was done.
    pub acknowledged: Vec<String>,
    pub errors: Vec<String>,
    pub is_success: bool,
}

impl Order {
    /// Starts the actor, below `strace` with these arguments if there are any.
    pub fn start(&self, strace: &[String]) -> Actor {
        // What runs now, even if another one is built meanwhile.
        let binary = format!("/proc/{}/exe", std::process::id());
        let mut command = match strace {
            [] => Command::new(&binary),
            arguments => {
                let mut command = Command::new("strace");
                command.args(arguments).arg(&binary);
                command
            }
        };
        let process = command
            .args(["--exact", "actor::actor", "--nocapture", "--test-threads=1"])
            .env(ORDER, serde_json::to_string(self).expect("JSON"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("the actor starts");
        Actor { process }
    }

    pub fn run(&self, strace: &[String]) -> Report {
        self.start(strace).finish()
    }
}

pub struct Actor {
    process: Child,
}

impl Actor {
    /// Waits for the end; a fault may make an actor hang, which is killed then.
    pub fn finish(mut self) -> Report {
        let mut report = Report::default();
        let group = format!("-{}", self.process.id());
        let (done, is_done) = std::sync::mpsc::channel::<()>();
        let watch = std::thread::spawn(move || {
            if is_done.recv_timeout(ACTOR_TIMEOUT) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
            }
        });
        let stdout = BufReader::new(self.process.stdout.take().expect("piped"));
        for line in stdout.lines().map_while(Result::ok) {
            let Some((_, said)) = line.split_once(SAYS) else { continue };
            match said.split_once(' ') {
                Some(("done", what)) => report.acknowledged.push(what.to_owned()),
                Some(("failed", why)) => report.errors.push(why.to_owned()),
                _ => {}
            }
        }
        report.is_success = self.process.wait().expect("the actor ends").success();
        drop(done);
        watch.join().expect("the watch ends");
        report
    }
}

fn say(what: &str) {
    // One write, so that a line is there whole or not at all.
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{SAYS}{what}\n").as_bytes()).and_then(|()| out.flush()).expect("stdout");
}

#[test]
fn actor() {
    let Ok(order) = std::env::var(ORDER) else { return };
    let order: Order = serde_json::from_str(&order).expect("an order");
    // One thread for files, so that a count of its system calls names a point in the work.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().expect("a runtime");
    runtime.block_on(async {
        let prime = || {
            use std::io::Read as _;
            for _ in 0..PRIMING {
                let mut null =
                    std::fs::File::options().read(true).write(true).open("/dev/null").expect("a null device");
                null.write_all(b"x").and_then(|()| null.read(&mut [0])).expect("it takes all and has nothing");
                std::fs::metadata("/dev/null").expect("a null device");
            }
        };
        tokio::task::spawn_blocking(prime).await.expect("primed");
        act(order).await;
    });
}

async fn act(order: Order) {
    let connection = match &order.s3_endpoint {
        None => crate::support::local_connection(),
        Some(endpoint) => Connection {
            name: "s3".into(),
            storage: StorageKind::S3,
            region: "us-east-1".into(),
            endpoint: Some(Endpoint::parse(endpoint).expect("an endpoint")),
            path_style: true,
            credentials: Credentials::AccessKey {
                id: "moto".into(),
                secret: "moto-secret".to_owned().into(),
                session_token: None,
            },
            properties: Vec::new(),
        },
    };
    let root = order.s3_endpoint.is_none().then(|| PathBuf::from(&order.warehouse));
    let catalog = open(&connection, root.as_deref().map(Path::new), &order.warehouse).await;
    let fail = |error: &dyn std::fmt::Display| say(&format!("failed {}", error.to_string().replace('\n', " ")));
    let name = order.table.as_str();
    let writer = std::process::id().to_string();
    match order.task {
        Task::Append { first, count } => {
            let table = catalog.load_table("default", name).await.expect("the table");
            for id in first..first + count {
                match append(&catalog, &table, &rows(&[id], &writer)).await {
                    Ok(_) => say(&format!("done {id}")),
                    Err(error) => fail(&error),
                }
            }
        }
        Task::Measure { commits, window } => {
            let table = catalog.load_table("default", name).await.expect("the table");
            let fresh = catalog.load_table("default", "fresh").await.expect("the other table");
            let (mut first, mut last) = (0, 0);
            for id in 0..commits {
                let cost = commit_cost(&catalog, &table, &rows(&[id], &writer)).await;
                if id >= commits - window {
                    last += cost;
                    first += commit_cost(&catalog, &fresh, &rows(&[id], &writer)).await;
                }
            }
            say(&format!("done {first}"));
            say(&format!("done {last}"));
        }
        Task::Insert { first, count } | Task::Overwrite { first, count } => {
            let is_overwrite = matches!(order.task, Task::Overwrite { .. });
            let ids: Vec<i64> = (first..first + count).collect();
            let work = async {
                let table = catalog.load_table("default", name).await?;
                let mode = if is_overwrite { WriteMode::Overwrite } else { WriteMode::Append };
                let mut out = catalog.writer(&table, mode).await?;
                out.write(&rows(&ids, &writer)).await?;
                let write = out.finish().await?;
                let change = match is_overwrite {
                    true => Change::Overwrite { scope: lake::OverwriteScope::Table, write },
                    false => Change::Append(write),
                };
                catalog.commit(&table, change, None).await
            };
            match work.await {
                Ok(_) => say(&format!("done {first}")),
                Err(error) => fail(&error),
            }
        }
        Task::AddColumns { prefix, count } => {
            for n in 0..count {
                let column = format!("{prefix}{n}");
                let change = SchemaChange::add_column(column.clone(), crate::support::bigint());
                match catalog.alter_table("default", name, vec![change]).await {
                    Ok(_) => say(&format!("done {column}")),
                    Err(error) => fail(&error),
                }
            }
        }
        Task::Create => match catalog.create_table("default", name, crate::support::plain_schema()).await {
            Ok(_) => say(&format!("done {name}")),
            Err(error) => fail(&CommitError::from(error)),
        },
    }
}

/// CPU time of a commit in microseconds; the writer's part is not the commit's.
async fn commit_cost(catalog: &Catalog, table: &Table, batch: &RecordBatch) -> u64 {
    let mut out = catalog.writer(table, WriteMode::Append).await.expect("a writer");
    out.write(batch).await.expect("a row");
    let write = out.finish().await.expect("files");
    let before = cpu_micros();
    catalog.commit(table, Change::Append(write), None).await.expect("a commit");
    cpu_micros() - before
}

/// CPU time of this process in microseconds: that of its threads, which all live to its end.
fn cpu_micros() -> u64 {
    let threads = std::fs::read_dir("/proc/self/task").expect("the kernel tells");
    let nanos = |thread: std::fs::DirEntry| {
        let times = std::fs::read_to_string(thread.path().join("schedstat")).expect("the kernel tells");
        times.split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok()).expect("nanoseconds")
    };
    threads.map(|thread| nanos(thread.expect("the kernel tells"))).sum::<u64>() / 1_000
}

//! An engine with a local warehouse, driven as the service drives it.

use async_trait::async_trait;
use futures::TryStreamExt;
use lake::PaimonLake;
use model::data_source::StorageKind;
use model::external_project::ProjectOptions;
use model::names::ProjectName;
use model::session::SqlSession;
use model::table::TableRef;
use model::warehouse::WarehouseUri;
use model::worksheet::{Progress, ResultPage};
use ports::connection::{Connection, Credentials, Egress};
use ports::sql_engine::{
    CommitJournal, ExecutionContext, Outcome, ProjectHandle, SqlEngine, SqlError, Statement, StatementLimits,
};
use sql::{Engine, EngineOptions};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub const LIMITS: StatementLimits =
    StatementLimits { memory_bytes: 512 << 20, result_rows: 1_000_000, result_bytes: 1 << 30, seconds: 300 };

/// Remembers whom it was told of.
#[derive(Default)]
pub struct Journal(pub Mutex<Vec<String>>);

#[async_trait]
impl CommitJournal for Journal {
    async fn will_commit(&self, table: &TableRef, _commit_user: &str) -> Result<(), String> {
        self.0.lock().unwrap().push(table.to_string());
        Ok(())
    }
}

/// An engine and one project `demo` in a folder of its own.
pub struct Lakehouse {
    pub folder: TempDir,
    pub engine: Engine,
    pub project: ProjectHandle,
    pub journal: Arc<Journal>,
    pub limits: StatementLimits,
    pub spools: AtomicU64,
}

/// What became of one statement.
pub struct Ran {
    pub statement: Arc<dyn Statement>,
    pub outcome: Result<Outcome, SqlError>,
    pub spool: PathBuf,
    /// The session in which it ran.
    pub session: SqlSession,
}

impl Lakehouse {
    pub fn new() -> Self {
        Self::with(ProjectOptions::default(), None)
    }

    pub fn with(options: ProjectOptions, engine_catalog: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let warehouse = folder.path().join("warehouse");
        std::fs::create_dir(&warehouse).unwrap();
        let root = folder.path().canonicalize().unwrap();
        let egress = Egress { allowed_roots: vec![root], allow_hosts: Vec::new(), loopback: true };
        let engine_options = EngineOptions { threads: Some(2), ..EngineOptions::new(folder.path().join("spill")) };
        let engine = Engine::new(Arc::new(PaimonLake::new(egress)), engine_options).unwrap();
        let uri = warehouse.canonicalize().unwrap();
        let project = ProjectHandle {
            name: ProjectName::parse("demo").unwrap(),
            engine_catalog: engine_catalog.map(str::to_owned),
            connection: Connection {
                name: "local".into(),
                storage: StorageKind::Local,
                region: "local".into(),
                endpoint: None,
                path_style: false,
                credentials: Credentials::None,
                properties: Vec::new(),
            },
            warehouse: WarehouseUri::parse(StorageKind::Local, uri.to_str().unwrap()).unwrap(),
            options,
        };
        Self { folder, engine, project, journal: Arc::default(), limits: LIMITS, spools: AtomicU64::new(0) }
    }

    pub fn session(&self) -> SqlSession {
        SqlSession::new(self.project.name.clone())
    }

    pub fn context(&self, session: &SqlSession) -> ExecutionContext {
        let spool = self.spools.fetch_add(1, Ordering::Relaxed);
        ExecutionContext {
            session: session.clone(),
            projects: vec![self.project.clone()],
            spool: self.folder.path().join(format!("spool/{spool}.arrow")),
            limits: self.limits,
            cancel: CancellationToken::new(),
            progress: watch::channel(Progress::default()).0,
            journal: Arc::clone(&self.journal) as _,
            principal: "acs:ram::1234567890:root".into(),
            visible_projects: vec!["demo".into()],
        }
    }

    /// Runs statements until one fails, as a worksheet does.
    pub async fn run(&self, session: &mut SqlSession, script: &str) -> Vec<Ran> {
        let (statements, unparsed) = self.engine.parse(script);
        let mut ran = Vec::new();
        for statement in statements {
            let context = self.context(session);
            let spool = context.spool.clone();
            let accesses = statement.accesses(session, std::slice::from_ref(&self.project));
            let outcome = match accesses {
                Ok(_) => statement.execute(context).await,
                Err(error) => Err(error),
            };
            if let Ok(Outcome { session: Some(changed), .. }) = &outcome {
                *session = changed.clone();
            }
            let failed = outcome.is_err();
            ran.push(Ran { statement, outcome, spool, session: session.clone() });
            if failed {
                return ran;
            }
        }
        if let Some(unparsed) = unparsed {
            panic!("{}: {}", unparsed.error.message, unparsed.text);
        }
        ran
    }

    /// Runs a script that must succeed; its last outcome.
    pub async fn ok(&self, session: &mut SqlSession, script: &str) -> Ran {
        let mut ran = self.run(session, script).await;
        let last = ran.pop().expect("a statement");
        if let Err(error) = &last.outcome {
            panic!("{error}\n{}", last.statement.text());
        }
        last
    }

    /// The rows of a query.
    pub async fn rows(&self, session: &mut SqlSession, query: &str) -> Vec<Vec<String>> {
        let ran = self.ok(session, query).await;
        let page: ResultPage = self.engine.page(&ran.spool, session, 0, 1_000_000).await.unwrap();
        let text = |cell: model::worksheet::Cell| match cell {
            model::worksheet::Cell::Null => "NULL".to_owned(),
            model::worksheet::Cell::Text(text) | model::worksheet::Cell::Cut { text, .. } => text,
        };
        page.rows.into_iter().map(|row| row.into_iter().map(text).collect()).collect()
    }

    /// The text of a result as the connection tool prints it.
    pub async fn text(&self, ran: &Ran) -> String {
        if !ran.spool.exists() {
            return String::new();
        }
        let text = self.engine.text(&ran.spool, &ran.session, ran.statement.verb()).await.unwrap();
        let bytes: Vec<bytes::Bytes> = text.try_collect().await.unwrap();
        String::from_utf8(bytes.concat()).unwrap()
    }

    /// Data files below a table's folder, whether or not a snapshot knows them.
    pub fn data_files(&self, table: &str) -> Vec<PathBuf> {
        fn walk(folder: &std::path::Path, files: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    walk(&path, files);
                } else if path.extension().is_some_and(|extension| extension == "parquet") {
                    files.push(path);
                }
            }
        }
        let mut files = Vec::new();
        walk(&self.folder.path().join("warehouse/default.db").join(table), &mut files);
        files
    }
}

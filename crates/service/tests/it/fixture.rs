//! Services over a data directory of their own, with a real lake.

use crate::scripted_engine::ScriptedEngine;
use futures::StreamExt;
use lake::PaimonLake;
use model::access::Principal;
use model::data_source::{DataSource, DataSourceDraft, DraftUse};
use model::external_project::{ExternalProject, ExternalProjectDraft};
use model::problem::Problem;
use model::secret::Secret;
use model::worksheet::Run;
use ports::connection::Egress;
use ports::sql_engine::SqlEngine;
use service::{Config, Error, FirstStart, Limits, RequestContext, Services};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Store;
use tempfile::TempDir;

pub struct Fixture {
    /// Data directory and warehouses; removed at the end.
    pub dir: TempDir,
    pub services: Services,
    pub ctx: RequestContext,
}

impl std::ops::Deref for Fixture {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}

/// A started server without the sample.
pub async fn fixture() -> Fixture {
    with_limits(Limits::default()).await
}

pub async fn with_limits(limits: Limits) -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let services = start(dir.path(), limits).await;
    let ctx = context(&services, "test");
    Fixture { dir, services, ctx }
}

/// Starts the services of a data directory, as the server does.
pub async fn start(dir: &Path, limits: Limits) -> Services {
    let services = open(dir, limits).await;
    services.first_start(FirstStart::default()).await.unwrap();
    services.recover().await.unwrap();
    services
}

/// Services whose engine does as its statements say.
pub async fn open(dir: &Path, limits: Limits) -> Services {
    open_with(dir, limits, |_| Arc::new(ScriptedEngine)).await
}

/// Services as the server composes them.
pub async fn open_real(dir: &Path) -> Services {
    let spill = dir.join("spill");
    open_with(dir, Limits::default(), |lake| Arc::new(sql::Engine::new(lake, sql::EngineOptions::new(spill)).unwrap()))
        .await
}

async fn open_with(dir: &Path, limits: Limits, engine: impl FnOnce(Arc<PaimonLake>) -> Arc<dyn SqlEngine>) -> Services {
    let root = dir.canonicalize().unwrap();
    // The warehouses of a copied data directory lie in the original one.
    let allowed = root.parent().unwrap().to_owned();
    let egress = Egress { allowed_roots: vec![allowed], allow_hosts: Vec::new(), loopback: true };
    let lake = Arc::new(PaimonLake::new(egress.clone()));
    let config = Config { data_dir: root, limits, regions: model::region::built_in(), egress };
    let store = Store::open(dir).await.unwrap();
    Services::new(store, lake.clone(), engine(lake), config).unwrap()
}

pub fn context(services: &Services, request_id: &str) -> RequestContext {
    let origin = Some("127.0.0.1".parse().unwrap());
    RequestContext { principal: services.owner(), origin, request_id: request_id.into() }
}

pub fn stranger() -> RequestContext {
    RequestContext { principal: Principal::stored("acs:ram::1:user/etl"), origin: None, request_id: "x".into() }
}

/// A started server with the sample, on the real engine.
pub async fn sample() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let services = open_real(dir.path()).await;
    services.first_start(FirstStart { sample: true, ..FirstStart::default() }).await.unwrap();
    services.recover().await.unwrap();
    let ctx = context(&services, "test");
    Fixture { dir, services, ctx }
}

/// What lies on disk at this moment is what a killed process leaves.
pub fn copy(from: &Path, to: &Path) {
    let status = std::process::Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().unwrap();
    assert!(status.success());
}

impl Fixture {
    /// An empty folder that may be a warehouse.
    pub fn folder(&self, name: &str) -> PathBuf {
        let folder = self.dir.path().canonicalize().unwrap().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    pub async fn local_source(&self, name: &str) -> DataSource {
        let new = local_draft(name).check(DraftUse::Create).unwrap();
        self.create_data_source(&self.ctx, new).await.unwrap()
    }

    pub fn project_draft(&self, name: &str, folder: &str) -> ExternalProjectDraft {
        ExternalProjectDraft {
            name: name.into(),
            server: "external_fs".into(),
            bucket_catalog: self.folder(folder).display().to_string(),
            ..ExternalProjectDraft::default()
        }
    }

    /// A project over an empty folder of its own, through the source `external_fs`.
    pub async fn new_project(&self, name: &str) -> ExternalProject {
        if self.data_source(&self.ctx, "external_fs").await.is_err() {
            self.local_source("external_fs").await;
        }
        let draft = self.project_draft(name, &format!("lake-{name}"));
        self.create_project(&self.ctx, draft).await.unwrap()
    }

    /// Runs a script to its end.
    pub async fn run_to_end(&self, project: &str, script: &str) -> Run {
        let run = self.run_statements(&self.ctx, project, script, None).await.unwrap();
        self.end_of(&run).await
    }

    pub async fn end_of(&self, run: &Run) -> Run {
        let events = self.run_events(&self.ctx, &run.id).await.unwrap();
        let events: Vec<Run> = tokio::time::timeout(std::time::Duration::from_secs(30), events.collect())
            .await
            .expect("the run ends in time");
        events.into_iter().last().unwrap()
    }
}

pub fn local_draft(name: &str) -> DataSourceDraft {
    DataSourceDraft { name: name.into(), storage: "local".into(), auth: "none".into(), ..DataSourceDraft::default() }
}

pub fn s3_draft(name: &str) -> DataSourceDraft {
    DataSourceDraft {
        name: name.into(),
        storage: "s3".into(),
        auth: "access_key".into(),
        access_key_id: "AK".into(),
        access_key_secret: Secret::new("hunter2"),
        // Nothing listens there.
        endpoint: "http://127.0.0.1:1".into(),
        path_style: true,
        ..DataSourceDraft::default()
    }
}

/// `code field:key message`, as a page sees a failure.
pub fn told<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => "ok".into(),
        Err(error) => {
            let Problem { code, message, fields, .. } = error.to_problem("r1");
            let fields: String = fields.iter().map(|field| format!(" {}:{}", field.field, field.code)).collect();
            format!("{code:?}{fields} {message}")
        }
    }
}

/// State and error of each statement, one a line.
pub fn outline(run: &Run) -> String {
    let line = |statement: &model::worksheet::StatementRun| {
        let error = statement.error.as_ref().map(|error| format!(" {}", error.message)).unwrap_or_default();
        let notices: String = statement.notices.iter().map(|notice| format!(" [{notice}]")).collect();
        format!("{} {:?}{error}{notices}", statement.verb, statement.state)
    };
    run.statements.iter().map(line).collect::<Vec<_>>().join("\n")
}

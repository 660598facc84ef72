//! The first start: account, owner, sample; all of it or nothing, and safe to be killed at any moment.

use crate::session::new_token;
use crate::{Error, FirstStart, RequestContext, Services, password};
use async_trait::async_trait;
use model::access::{Action, Principal, Resource};
use model::data_source::{NewAuth, NewDataSource, SourceKind, StorageKind};
use model::external_project::{Billing, NewExternalProject, NewServer, ProjectOptions, RunIdentity};
use model::names::{DataSourceName, ProjectName};
use model::problem::Broken;
use model::quota::DEFAULT_QUOTA;
use model::region;
use model::session::SqlSession;
use model::table::TableRef;
use model::warehouse::WarehouseUri;
use model::worksheet::Progress;
use ports::connection::{Connection, Credentials};
use ports::sql_engine::{CommitJournal, ExecutionContext, ProjectHandle, SqlError, StatementLimits};
use rand::Rng;
use std::io;
use std::path::Path;
use std::sync::Arc;
use store::{NewProjectRow, Tx};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

const ACCOUNT: &str = "account";
const SAMPLE_SOURCE: &str = "sample_local";
const SAMPLE_PROJECT: &str = "sample";
const SAMPLE_FOLDER: &str = "sample-lake";
/// Becomes the sample folder once it is whole.
const SAMPLE_FOLDER_PARTIAL: &str = "sample-lake.partial";

/// The seed's table with its three rows.
const SAMPLE_SCRIPT: &str = "
CREATE TABLE test_tbl (
    id BIGINT,
    data STRING,
    dt STRING,
    PRIMARY KEY (dt, id) NOT ENFORCED
) PARTITIONED BY (dt) WITH ('bucket' = '3');
INSERT INTO test_tbl VALUES (1, 'CCC', '2024-07-18'), (2, 'DDD', '2024-07-18'), (3, 'EEE', '2025-06-18');
";

impl FirstStart {
    /// Whether the password may be one: a start that is refused for it must leave nothing behind.
    pub fn check(&self) -> Result<(), Error> {
        let checked = self.admin_password.as_ref().map_or(Ok(()), password::check);
        checked.map_err(Error::broken("LAKEDECK_ADMIN_PASSWORD"))
    }
}

impl Services {
    /// Makes what a new data directory lacks; call it at every start, before anything else.
    ///
    /// Everything that the database keeps is written in one transaction, after the sample lies on disk under its
    /// final name: a start that was killed before leaves nothing that counts, and the next one begins anew.
    pub async fn first_start(&self, first: FirstStart) -> Result<(), Error> {
        if let Some(account) = self.store.setting(ACCOUNT).await? {
            self.know_owner(&account)?;
            return self.set_first_password(first).await;
        }
        first.check()?;
        let account = new_account();
        let owner = Principal::root(&account);
        let hash = match &first.admin_password {
            Some(chosen) => Some(self.sign_in.passwords.hash(chosen.clone()).await?),
            None => None,
        };
        let warehouse = if first.sample { Some(self.make_sample(&owner).await?) } else { None };
        let ctx = RequestContext::internal(owner.clone(), "first-start");
        let mut tx = self.store.begin().await?;
        tx.put_setting(ACCOUNT, &account).await?;
        tx.insert_principal(&owner).await?;
        match hash {
            Some(hash) => tx.set_password_hash(&owner, &hash).await?,
            None => tx.put_sign_in_link(&owner, new_token().expose(), None).await?,
        }
        tx.audit(&ctx.entry("Create", "principal", owner.to_string())).await?;
        if let Some(warehouse) = warehouse {
            insert_sample(&mut tx, &ctx, warehouse).await?;
        }
        tx.commit().await?;
        self.know_owner(&account)
    }

    fn know_owner(&self, account: &str) -> Result<(), Error> {
        let owner = Principal::root(account);
        let known = self.owner.get_or_init(|| owner.clone());
        if *known == owner {
            return Ok(());
        }
        Err(Error::Internal { doing: "the account of the data directory has changed".into(), source: None })
    }

    /// A password from the environment counts while the owner has none.
    async fn set_first_password(&self, first: FirstStart) -> Result<(), Error> {
        if self.has_owner_password().await? {
            return Ok(());
        }
        first.check()?;
        match first.admin_password {
            Some(password) => self.reset_owner_password(password).await,
            None => Ok(()),
        }
    }

    /// Makes the sample lake beside its place and moves it there when it is whole. One that is there is kept.
    async fn make_sample(&self, owner: &Principal) -> Result<WarehouseUri, Error> {
        let data_dir = self.config.data_dir.clone();
        let place = data_dir.join(SAMPLE_FOLDER);
        let partial = data_dir.join(SAMPLE_FOLDER_PARTIAL);
        let failed = |doing: &str| {
            let doing = doing.to_owned();
            move |error: io::Error| Error::internal(doing, error)
        };
        if !tokio::fs::try_exists(&place).await.map_err(failed("look for the sample"))? {
            if tokio::fs::try_exists(&partial).await.map_err(failed("look for the sample"))? {
                tokio::fs::remove_dir_all(&partial).await.map_err(failed("remove a sample that is not whole"))?;
            }
            // Only its owner's, as everything in the data directory.
            let made = tokio::fs::DirBuilder::new().recursive(true).mode(0o700).create(&partial).await;
            made.map_err(failed("make the sample folder"))?;
            self.write_sample(owner, &partial).await?;
            tokio::fs::rename(&partial, &place).await.map_err(failed("move the sample to its place"))?;
            let synced = tokio::task::spawn_blocking(move || std::fs::File::open(&data_dir)?.sync_all()).await;
            synced.map_err(|error| Error::internal("keep the sample", error))?.map_err(failed("keep the sample"))?;
        }
        warehouse_of(&place)
    }

    async fn write_sample(&self, owner: &Principal, folder: &Path) -> Result<(), Error> {
        let project = sample_project()?;
        let handle = ProjectHandle {
            name: project.clone(),
            engine_catalog: None,
            connection: Connection {
                name: SAMPLE_SOURCE.into(),
                storage: StorageKind::Local,
                region: region::LOCAL.into(),
                endpoint: None,
                path_style: false,
                credentials: Credentials::None,
                properties: Vec::new(),
            },
            warehouse: warehouse_of(folder)?,
            options: ProjectOptions::default(),
        };
        let (statements, unparsed) = self.engine.parse(SAMPLE_SCRIPT);
        if let Some(unparsed) = unparsed {
            return Err(Error::internal("parse the sample's script", unparsed.error.message));
        }
        let session = SqlSession::new(project);
        let handles = vec![handle];
        let limits = &self.config.limits;
        for statement in statements {
            statement.accesses(&session, &handles).map_err(sample_error)?;
            let context = ExecutionContext {
                session: session.clone(),
                projects: handles.clone(),
                spool: self.config.data_dir.join("spool").join("first-start.arrow"),
                limits: StatementLimits {
                    memory_bytes: limits.statement_memory_bytes_max,
                    result_rows: limits.result_rows_max,
                    result_bytes: limits.result_bytes_max,
                    seconds: limits.statement_seconds_max,
                },
                cancel: CancellationToken::new(),
                progress: watch::Sender::new(Progress::default()),
                journal: Arc::new(NoJournal),
                principal: owner.to_string(),
                visible_projects: vec![SAMPLE_PROJECT.into()],
            };
            statement.execute(context).await.map_err(sample_error)?;
        }
        Ok(())
    }
}

async fn insert_sample(tx: &mut Tx, ctx: &RequestContext, warehouse: WarehouseUri) -> Result<(), Error> {
    let source = NewDataSource {
        name: DataSourceName::parse(SAMPLE_SOURCE).map_err(built_in)?,
        description: "A folder on this machine, to try things out.".into(),
        source_kind: SourceKind::FilesystemCatalog,
        region: region::LOCAL.into(),
        storage: StorageKind::Local,
        endpoint: None,
        path_style: false,
        auth: NewAuth::None,
        properties: Vec::new(),
    };
    let source_row = tx.insert_data_source(&source, &ctx.principal).await?;
    tx.audit(&ctx.did(Action::Create, &Resource::DataSource(SAMPLE_SOURCE.into()), "sample")).await?;
    let project = NewExternalProject {
        name: sample_project()?,
        description: "The table of the walkthrough, with its three rows.".into(),
        region: region::LOCAL.into(),
        billing: Billing::PayAsYouGo,
        quota: DEFAULT_QUOTA.into(),
        server: NewServer::Existing(source.name),
        bucket_catalog: warehouse,
        identity: RunIdentity::DataSource,
        role_arn: None,
        endpoint: None,
        engine_catalog: None,
        options: ProjectOptions::default(),
        create_default_schema: true,
        use_anyway: false,
    };
    let row = NewProjectRow { project: &project, data_source: &source_row.id, endpoint: None };
    tx.insert_project(row, &ctx.principal).await?;
    tx.audit(&ctx.did(Action::Create, &Resource::ExternalProject(SAMPLE_PROJECT.into()), "sample")).await?;
    Ok(())
}

fn sample_project() -> Result<ProjectName, Error> {
    ProjectName::parse(SAMPLE_PROJECT).map_err(built_in)
}

fn warehouse_of(folder: &Path) -> Result<WarehouseUri, Error> {
    WarehouseUri::parse(StorageKind::Local, &folder.to_string_lossy()).map_err(Error::broken("data_dir"))
}

fn built_in(broken: Broken) -> Error {
    Error::internal("name the sample", broken)
}

fn sample_error(error: SqlError) -> Error {
    Error::internal("make the sample table", error)
}

/// 16 digits, as the cloud has them.
fn new_account() -> String {
    let mut rng = rand::rng();
    rng.random_range(1_000_000_000_000_000_u64..10_000_000_000_000_000).to_string()
}

/// The sample is made anew when its making was interrupted: nobody asks what became of its commits.
struct NoJournal;

#[async_trait]
impl CommitJournal for NoJournal {
    async fn will_commit(&self, _table: &TableRef, _commit_user: &str) -> Result<(), String> {
        Ok(())
    }
}

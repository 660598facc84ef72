//! External projects: map a warehouse, change the mapping, take it away; never the data.

use crate::connection::{patiently, run_as, through};
use crate::error::Noun;
use crate::probe::ProbeTarget;
use crate::{Error, RequestContext, Services};
use model::access::{Action, Principal, Resource};
use model::data_source::{DataSource, Endpoint, NewDataSource, StorageKind};
use model::external_project::{
    ExternalProject, ExternalProjectDraft, ExternalProjectEdit, NewExternalProject, NewServer, ProjectOptions,
    ProjectState, RunIdentity,
};
use model::lake::{Stray, WarehouseOverview, WarehouseOwner};
use model::names::{ProjectName, description};
use model::notice::Notice;
use model::probe::{ProbeStatus, ProbeStepKind, TestRun};
use model::warehouse::WarehouseUri;
use ports::connection::Connection;
use ports::lake::{LakeError, ProbeOptions};
use std::time::Duration;
use store::{NewProjectRow, Tx};
use tokio::sync::watch;

/// How long a warning about the directory's owner is waited for.
const OWNER_PATIENCE: Duration = Duration::from_secs(5);
/// Offending entries named when a directory is not a warehouse.
const STRAYS_NAMED_MAX: usize = 20;

impl Services {
    pub async fn list_projects(&self, ctx: &RequestContext) -> Result<Vec<ExternalProject>, Error> {
        self.authorize(ctx, Action::Read, Resource::ExternalProjects).await?;
        Ok(self.store.projects().await?)
    }

    pub async fn project(&self, ctx: &RequestContext, name: &str) -> Result<ExternalProject, Error> {
        self.authorize(ctx, Action::Read, Resource::ExternalProject(name.into())).await?;
        self.stored_project(name).await
    }

    /// Whether a new project may have this name.
    pub async fn project_name_available(&self, ctx: &RequestContext, name: &str) -> Result<bool, Error> {
        self.authorize(ctx, Action::Read, Resource::ExternalProjects).await?;
        match ProjectName::parse(name) {
            Ok(name) => Ok(self.store.project(name.as_str()).await?.is_none()),
            Err(_) => Ok(false),
        }
    }

    /// Creates a project, and with it its data source where the form says so: both or neither.
    pub async fn create_project(
        &self,
        ctx: &RequestContext,
        draft: ExternalProjectDraft,
    ) -> Result<ExternalProject, Error> {
        self.authorize(ctx, Action::Create, Resource::ExternalProjects).await?;
        if draft.creates_server() {
            self.authorize(ctx, Action::Create, Resource::DataSources).await?;
        }
        let server = self.drafted_server(&draft).await?;
        let new = draft.check(server.as_ref().map(|source| source.storage))?;
        let connection = self.check_against_stored(&new, server.as_ref()).await?;
        self.check_directory(&connection, &new).await?;
        if new.create_default_schema {
            self.create_default_schema(&connection, &new.bucket_catalog).await?;
        }
        let mut tx = self.store.begin().await?;
        // Again, now that nobody else can write: what was true before the directory was looked at may have changed.
        let source = match &new.server {
            NewServer::Existing(name) => {
                tx.data_source(name.as_str()).await?.ok_or_else(|| Error::not_found(Noun::DataSource, name.as_str()))?
            }
            NewServer::Create(source) => self.insert_inline_source(ctx, &mut tx, source).await?,
        };
        check_not_nested(&source, &new, &tx.projects().await?)?;
        // One that is the source's follows when the source's is changed.
        let is_own = |own: &&Endpoint| source.storage != StorageKind::Local && source.endpoint.as_ref() != Some(*own);
        let endpoint = new.endpoint.as_ref().filter(is_own);
        let row = NewProjectRow { project: &new, data_source: &source.id, endpoint };
        let name = new.name.as_str();
        let project = tx.insert_project(row, &ctx.principal).await.map_err(Error::on_taken(name))?;
        let detail = format!("{} through `{}`", project.bucket_catalog, project.server);
        tx.audit(&ctx.did(Action::Create, &Resource::ExternalProject(name.into()), detail)).await?;
        tx.commit().await?;
        self.claim_directory(&connection, &project).await;
        Ok(project)
    }

    /// Changes a project that was read at `edit.version`.
    pub async fn update_project(
        &self,
        ctx: &RequestContext,
        name: &str,
        edit: ExternalProjectEdit,
    ) -> Result<ExternalProject, Error> {
        let resource = Resource::ExternalProject(name.into());
        self.authorize(ctx, Action::Modify, resource.clone()).await?;
        let edit = ExternalProjectEdit {
            description: description(&edit.description).map_err(Error::broken("description"))?,
            owner: edit.owner.trim().to_owned(),
            ..edit
        };
        self.quota(&edit.quota)?;
        check_options(&edit.options)?;
        if self.store.principal(&Principal::stored(&edit.owner)).await?.is_none() {
            return Err(Error::field("owner", "owner_unknown", format!("There is no user `{}`.", edit.owner)));
        }
        let mut tx = self.store.begin().await?;
        let stored = current(&mut tx, name, edit.version).await?;
        let project = tx.update_project(&stored.name, &edit, &ctx.principal).await?;
        tx.audit(&ctx.did(Action::Modify, &resource, changes(&stored, &project))).await?;
        tx.commit().await?;
        Ok(project)
    }

    /// Enables or disables a project. Statements that run already go on; new ones are refused.
    pub async fn set_project_state(
        &self,
        ctx: &RequestContext,
        name: &str,
        state: ProjectState,
        version: i64,
    ) -> Result<ExternalProject, Error> {
        let resource = Resource::ExternalProject(name.into());
        self.authorize(ctx, Action::Modify, resource.clone()).await?;
        let mut tx = self.store.begin().await?;
        let stored = current(&mut tx, name, version).await?;
        let project = tx.set_project_state(&stored.name, state, &ctx.principal).await?;
        tx.audit(&ctx.did(Action::Modify, &resource, format!("state: {}", state.label()))).await?;
        tx.commit().await?;
        Ok(project)
    }

    /// Removes the mapping, never the data, and cancels what runs in it.
    pub async fn delete_project(&self, ctx: &RequestContext, name: &str) -> Result<(), Error> {
        let resource = Resource::ExternalProject(name.into());
        self.authorize(ctx, Action::Delete, resource.clone()).await?;
        let mut tx = self.store.begin().await?;
        let stored = tx.project(name).await?.ok_or_else(|| Error::not_found(Noun::Project, name))?;
        tx.delete_project(&stored.name).await?;
        let detail = format!("the data in {} stays", stored.bucket_catalog);
        tx.audit(&ctx.did(Action::Delete, &resource, detail)).await?;
        tx.commit().await?;
        self.runs.cancel_in_project(&stored.name);
        self.release_directory(&stored).await;
        Ok(())
    }

    /// Counts, and the abnormal objects of the project's warehouse.
    pub async fn project_overview(&self, ctx: &RequestContext, name: &str) -> Result<WarehouseOverview, Error> {
        self.authorize(ctx, Action::Read, Resource::ExternalProject(name.into())).await?;
        let project = self.stored_project(name).await?;
        let connection = self.project_connection(&project).await?;
        let catalog = patiently(self.lake.open(&connection, &project.bucket_catalog)).await?;
        patiently(catalog.overview()).await
    }

    /// What the wizard should say before OK: things that are allowed, but worth knowing.
    pub async fn project_notices(
        &self,
        ctx: &RequestContext,
        draft: &ExternalProjectDraft,
    ) -> Result<Vec<Notice>, Error> {
        self.authorize(ctx, Action::Read, Resource::ExternalProjects).await?;
        let server = self.drafted_server(draft).await?;
        let Ok(new) = draft.check(server.as_ref().map(|source| source.storage)) else { return Ok(Vec::new()) };
        let (storage, endpoint, region) = match (&new.server, &server) {
            (NewServer::Create(source), _) => (source.storage, source.endpoint.as_ref(), &source.region),
            (NewServer::Existing(_), Some(source)) => (source.storage, source.endpoint.as_ref(), &source.region),
            (NewServer::Existing(_), None) => return Ok(Vec::new()),
        };
        let mut warnings = Vec::new();
        let place = StorePlace::of(storage, new.endpoint.as_ref().or(endpoint));
        let neighbours: Vec<String> = self
            .store
            .projects()
            .await?
            .into_iter()
            .filter(|other| other.bucket_catalog == new.bucket_catalog && StorePlace::of_project(other) == place)
            .map(|other| other.name.to_string())
            .collect();
        if !neighbours.is_empty() {
            let names = neighbours.join(", ");
            let text = format!("The same directory is used by: {names}.");
            warnings.push(Notice::new("directory_shared", text).with("projects", names));
        }
        if *region != new.region && storage != StorageKind::Local {
            let text = format!("The data source is in region {region}, the project in {}.", new.region);
            let differs = Notice::new("region_differs", text);
            warnings.push(differs.with("source_region", region).with("project_region", &new.region));
        }
        // A store that does not answer is reported by the checks that need it.
        let owner = tokio::time::timeout(OWNER_PATIENCE, self.other_owner(&new, server.as_ref())).await;
        if let Ok(Ok(Some(other))) = owner {
            let text = format!(
                "Another deployment (account {}) has mapped this directory as project `{}` since {}.",
                other.account,
                other.project,
                other.since.strftime("%Y-%m-%d")
            );
            let notice = Notice::new("directory_owned", text).with("account", &other.account);
            warnings.push(notice.with("project", &other.project).with("since", other.since));
        }
        Ok(warnings)
    }

    /// The other deployment that says that the directory is its own.
    async fn other_owner(
        &self,
        new: &NewExternalProject,
        server: Option<&DataSource>,
    ) -> Result<Option<WarehouseOwner>, Error> {
        let connection = match (&new.server, server) {
            (NewServer::Create(source), _) => self.draft_connection(source, None).await?,
            (NewServer::Existing(_), Some(source)) => self.connection(source).await?,
            (NewServer::Existing(_), None) => return Ok(None),
        };
        let connection = run_as(through(connection, new.endpoint.as_ref()), new.identity, new.role_arn.as_ref())?;
        let owner = self.lake.open(&connection, &new.bucket_catalog).await?.owner().await?;
        Ok(owner.filter(|other| other.account != self.owner().account()))
    }

    /// Tells other deployments that the directory is mapped here. Advice only: a store that takes no files is no reason
    /// to refuse the project.
    async fn claim_directory(&self, connection: &Connection, project: &ExternalProject) {
        let claim = async {
            let owner = WarehouseOwner {
                account: self.owner().account().to_owned(),
                project: project.name.to_string(),
                since: project.created_at,
            };
            patiently(patiently(self.lake.open(connection, &project.bucket_catalog)).await?.claim(&owner)).await
        };
        if let Err(error) = claim.await {
            let error = crate::error::chain(&error);
            tracing::warn!(project.name = %project.name, error, "the directory's owner was not noted");
        }
    }

    /// Takes that back when the last project of the directory goes.
    async fn release_directory(&self, project: &ExternalProject) {
        let release = async {
            if self.store.projects().await?.iter().any(|other| other.bucket_catalog == project.bucket_catalog) {
                return Ok(());
            }
            let connection = self.project_connection(project).await?;
            let catalog = patiently(self.lake.open(&connection, &project.bucket_catalog)).await?;
            patiently(catalog.release(self.owner().account())).await
        };
        if let Err(error) = release.await {
            let error = crate::error::chain(&error);
            tracing::warn!(project.name = %project.name, error, "the directory's owner was not taken back");
        }
    }

    /// The stored project of this name; the caller has authorised.
    pub(crate) async fn stored_project(&self, name: &str) -> Result<ExternalProject, Error> {
        self.store.project(name).await?.ok_or_else(|| Error::not_found(Noun::Project, name))
    }

    /// The stored source that the form names, if it names one that exists.
    async fn drafted_server(&self, draft: &ExternalProjectDraft) -> Result<Option<DataSource>, Error> {
        if draft.creates_server() {
            return Ok(None);
        }
        Ok(self.store.data_source(draft.server.trim()).await?)
    }

    /// The checks that need what is stored, in the order in which they are reported; the connection that passed them.
    async fn check_against_stored(
        &self,
        new: &NewExternalProject,
        server: Option<&DataSource>,
    ) -> Result<Connection, Error> {
        let name = new.name.as_str();
        if self.store.project(name).await?.is_some() {
            return Err(Error::Taken { unique: store::Unique::ProjectName, name: name.into(), prefix: "" });
        }
        self.quota(&new.quota)?;
        if !self.config.regions.iter().any(|region| region.id == new.region) {
            return Err(Error::field("region", "region", "Choose a region."));
        }
        check_options(&new.options)?;
        let storage = match (&new.server, server) {
            (NewServer::Create(source), _) => source.storage,
            (NewServer::Existing(name), source) => {
                source.ok_or_else(|| Error::not_found(Noun::DataSource, name.as_str()))?.storage
            }
        };
        if new.identity == RunIdentity::RamRole && storage != StorageKind::Oss {
            let message = format!("{} does not fit {}.", new.identity.label(), storage.label());
            return Err(Error::field("auth", "auth_for_storage", message));
        }
        let connection = match (&new.server, server) {
            (NewServer::Create(source), _) => {
                if self.store.data_source(source.name.as_str()).await?.is_some() {
                    let name = source.name.to_string();
                    return Err(Error::Taken { unique: store::Unique::DataSourceName, name, prefix: "source." });
                }
                self.draft_connection(source, None).await?
            }
            (NewServer::Existing(_), Some(source)) => {
                check_not_nested(source, new, &self.store.projects().await?)?;
                self.connection(source).await?
            }
            (NewServer::Existing(name), None) => return Err(Error::not_found(Noun::DataSource, name.as_str())),
        };
        run_as(through(connection, new.endpoint.as_ref()), new.identity, new.role_arn.as_ref())
    }

    /// Whether the directory can be reached, and is a warehouse or empty.
    async fn check_directory(&self, connection: &Connection, new: &NewExternalProject) -> Result<(), Error> {
        let warehouse = &new.bucket_catalog;
        let target = ProbeTarget {
            connection: connection.clone(),
            warehouse: Some(warehouse.clone()),
            options: ProbeOptions { write: true },
            history: None,
        };
        let (say, _) = watch::channel(Vec::new());
        let test = self.probe(target, say).await;
        if let Some(error) = why_unreachable(&test) {
            let missing = patiently(self.lake.browse(connection, warehouse.as_str())).await;
            return Err(match missing {
                Err(Error::Lake(LakeError::NotFound(message))) => Error::Field {
                    field: "bucket_catalog",
                    code: "directory_missing",
                    message,
                    hint: Some("Make it with the folder button, or choose another one.".into()),
                },
                _ => error,
            });
        }
        if new.use_anyway {
            return Ok(());
        }
        let catalog = patiently(self.lake.open(connection, warehouse)).await?;
        let overview = patiently(catalog.overview()).await?;
        if overview.stray_count == 0 {
            return Ok(());
        }
        let strays: Vec<Stray> = overview.strays.into_iter().take(STRAYS_NAMED_MAX).collect();
        Err(Error::NotPaimon { strays, count: overview.stray_count })
    }

    async fn create_default_schema(&self, connection: &Connection, warehouse: &WarehouseUri) -> Result<(), Error> {
        let catalog = patiently(self.lake.open(connection, warehouse)).await?;
        match patiently(catalog.create_schema(model::table::DEFAULT_SCHEMA)).await {
            Err(Error::Lake(LakeError::AlreadyExists(_))) => Ok(()),
            other => other,
        }
    }

    async fn insert_inline_source(
        &self,
        ctx: &RequestContext,
        tx: &mut Tx,
        new: &NewDataSource,
    ) -> Result<DataSource, Error> {
        let name = new.name.as_str();
        let source = tx.insert_data_source(new, &ctx.principal).await.map_err(|error| match error {
            store::Error::Taken(unique) => Error::Taken { unique, name: name.into(), prefix: "source." },
            other => Error::Store(other),
        })?;
        let resource = Resource::DataSource(name.into());
        tx.audit(&ctx.did(Action::Create, &resource, "together with its project")).await?;
        Ok(source)
    }
}

/// The stored project, if it still is at the version that the editor saw.
async fn current(tx: &mut Tx, name: &str, version: i64) -> Result<ExternalProject, Error> {
    let stored = tx.project(name).await?.ok_or_else(|| Error::not_found(Noun::Project, name))?;
    if stored.version != version {
        return Err(Error::Changed { by: stored.updated_by, at: stored.updated_at });
    }
    Ok(stored)
}

fn check_options(options: &ProjectOptions) -> Result<(), Error> {
    let zone = options.timezone.trim();
    // A machine without a time zone database knows no names: the engine then has the last word.
    if zone.is_empty() || jiff::tz::db().is_definitively_empty() || jiff::tz::TimeZone::get(zone).is_ok() {
        return Ok(());
    }
    Err(Error::field(
        "options.timezone",
        "timezone",
        format!("There is no time zone `{zone}`; write e.g. Asia/Shanghai."),
    ))
}

/// A failed step up to the listing makes the directory unusable. A table that cannot be read, or a store that can
/// only be read from, does not: the project is useful all the same.
fn why_unreachable(test: &TestRun) -> Option<Error> {
    let failed = test.steps.iter().find(|step| step.status == ProbeStatus::Failed)?;
    match failed.kind {
        ProbeStepKind::Shape | ProbeStepKind::ReadSchema | ProbeStepKind::WriteProbe => None,
        ProbeStepKind::ResolveHost
        | ProbeStepKind::Connect
        | ProbeStepKind::Tls
        | ProbeStepKind::Credential
        | ProbeStepKind::Bucket
        | ProbeStepKind::List
        | ProbeStepKind::Clock => Some(Error::Field {
            field: "bucket_catalog",
            code: "unreachable",
            message: failed.message.clone(),
            hint: failed.cure.clone(),
        }),
    }
}

/// Refuses a warehouse inside another one of the same store.
fn check_not_nested(source: &DataSource, new: &NewExternalProject, projects: &[ExternalProject]) -> Result<(), Error> {
    let place = StorePlace::of(source.storage, new.endpoint.as_ref().or(source.endpoint.as_ref()));
    let nested = projects.iter().find(|other| {
        StorePlace::of_project(other) == place && other.bucket_catalog.is_nested_with(&new.bucket_catalog)
    });
    match nested {
        None => Ok(()),
        Some(other) => Err(Error::Field {
            field: "bucket_catalog",
            code: "nested",
            message: format!(
                "This directory and {} of project `{}` lie inside one another.",
                other.bucket_catalog, other.name
            ),
            hint: Some("Choose the same directory, or one beside it.".into()),
        }),
    }
}

/// Which store an address means: two endpoints of one cloud region show the same buckets.
#[derive(Debug, PartialEq, Eq)]
enum StorePlace {
    Local,
    /// Bucket names are unique in all of OSS.
    Oss,
    S3(String),
}

impl StorePlace {
    fn of(storage: StorageKind, endpoint: Option<&Endpoint>) -> Self {
        match storage {
            StorageKind::Local => Self::Local,
            StorageKind::Oss | StorageKind::OssHdfs => Self::Oss,
            StorageKind::S3 => {
                let endpoint = endpoint.map(|endpoint| endpoint.as_str().to_ascii_lowercase()).unwrap_or_default();
                let host = endpoint.split_once("://").map_or(endpoint.as_str(), |(_, host)| host);
                Self::S3(host.to_owned())
            }
        }
    }

    fn of_project(project: &ExternalProject) -> Self {
        Self::of(project.storage, project.endpoint.as_ref())
    }
}

/// Which fields an edit changed: one line for the audit log.
fn changes(before: &ExternalProject, after: &ExternalProject) -> String {
    let fields = [
        ("description", before.description != after.description),
        ("quota", before.quota != after.quota),
        ("owner", before.owner != after.owner),
        ("options", before.options != after.options),
    ];
    let changed: Vec<&str> = fields.into_iter().filter_map(|(name, changed)| changed.then_some(name)).collect();
    if changed.is_empty() { "nothing changed".into() } else { format!("changed: {}", changed.join(", ")) }
}

//! External project: a warehouse of a data source, addressed in SQL by its name.

use crate::Timestamp;
use crate::data_source::{AuthKind, DataSourceDraft, DraftUse, Endpoint, NewDataSource, StorageKind, choice, known};
use crate::names::{DataSourceName, EngineCatalogName, Id, ProjectName, RoleArn, description, required};
use crate::problem::{Broken, FieldProblems, Problem};
use crate::quota::DEFAULT_QUOTA;
use crate::warehouse::WarehouseUri;
use serde::{Deserialize, Serialize};

choice!(
    /// How the use of resources is counted; see `decisions.md` §1.5 for the local meaning.
    Billing {
        PayAsYouGo = "pay_as_you_go", "Pay-as-you-go";
        Subscription = "subscription", "Subscription";
    }
);

choice!(
    /// Where the project's data source comes from.
    ServerMode {
        UseExisting = "existing", "Use Existing";
        CreateForeignServer = "create", "Create Foreign Server";
    }
);

choice!(
    /// The identity that tasks run with at the store.
    RunIdentity {
        RamRole = "ram_role", "Alibaba Cloud RAM role";
        TaskExecutor = "task_executor", "Task executor identity";
        DataSource = "data_source", "As the data source";
    }
);

choice!(
    ProjectState {
        Enabled = "enabled", "Enabled";
        Disabled = "disabled", "Disabled";
    }
);

/// Choices that a project makes for its statements; editable later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProjectOptions {
    /// `strict.maxcompute`: refuse what the cloud product refuses, with its wording.
    pub strict_maxcompute: bool,
    /// `odps.namespace.schema`.
    pub namespace_schema: bool,
    /// `odps.sql.allow.fullscan`.
    pub allow_fullscan: bool,
    /// `odps.sql.timezone`; empty means the server's zone.
    pub timezone: String,
}

impl Default for ProjectOptions {
    fn default() -> Self {
        Self { strict_maxcompute: false, namespace_schema: true, allow_fullscan: false, timezone: String::new() }
    }
}

/// The form of an external project, as typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExternalProjectDraft {
    pub name: String,
    pub description: String,
    pub region: String,
    pub billing: String,
    pub quota: String,
    pub server_mode: String,
    /// Name of the data source, with `Use Existing`.
    pub server: String,
    /// The data source made with it, with `Create Foreign Server`. Its fields are reported as `source.<field>`.
    pub source: DataSourceDraft,
    pub bucket_catalog: String,
    pub auth: String,
    pub role_arn: String,
    /// Empty means that of the data source.
    pub endpoint: String,
    /// Alias by which back-quoted three-part names of other engines find the project; optional.
    pub engine_catalog: String,
    pub options: ProjectOptions,
    /// Create `default.db` at once.
    pub create_default_schema: bool,
    /// The directory holds things that are not Paimon's: use it all the same.
    pub use_anyway: bool,
}

impl Default for ExternalProjectDraft {
    fn default() -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            region: crate::region::LOCAL.into(),
            billing: Billing::PayAsYouGo.id().into(),
            quota: DEFAULT_QUOTA.into(),
            server_mode: ServerMode::UseExisting.id().into(),
            server: String::new(),
            source: DataSourceDraft::default(),
            bucket_catalog: String::new(),
            auth: RunIdentity::DataSource.id().into(),
            role_arn: String::new(),
            endpoint: String::new(),
            engine_catalog: String::new(),
            options: ProjectOptions::default(),
            create_default_schema: false,
            use_anyway: false,
        }
    }
}

/// The data source of a new project: one that exists or one that is made in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewServer {
    Existing(DataSourceName),
    Create(Box<NewDataSource>),
}

/// A checked project, ready to be stored. `bucket_catalog` is checked against the storage of its data source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewExternalProject {
    pub name: ProjectName,
    pub description: String,
    pub region: String,
    pub billing: Billing,
    pub quota: String,
    pub server: NewServer,
    pub bucket_catalog: WarehouseUri,
    pub identity: RunIdentity,
    pub role_arn: Option<RoleArn>,
    /// `None` means that of the data source.
    pub endpoint: Option<Endpoint>,
    pub engine_catalog: Option<EngineCatalogName>,
    pub options: ProjectOptions,
    pub create_default_schema: bool,
    pub use_anyway: bool,
}

impl ExternalProjectDraft {
    /// Every rule of the form at once. `existing_storage` is the storage of the data source named in `server`, which
    /// the caller looks up; `None` means there is no such source.
    pub fn check(&self, existing_storage: Option<StorageKind>) -> Result<NewExternalProject, Problem> {
        let mut fields = FieldProblems::default();
        let name = fields.take("name", ProjectName::parse(&self.name));
        let description = fields.take("description", description(&self.description));
        let billing = fields.take("billing", known(Billing::parse(&self.billing)));
        let identity = fields.take("auth", known(RunIdentity::parse(&self.auth)));
        let quota = fields.take("quota", required(&self.quota));
        let engine_catalog = match self.engine_catalog.trim() {
            "" => Some(None),
            text => fields.take("engine_catalog", EngineCatalogName::parse(text)).map(Some),
        };
        let server = self.check_server(existing_storage, &mut fields);
        let role_arn = match identity {
            Some(RunIdentity::RamRole) => fields.take("role_arn", RoleArn::parse(&self.role_arn)).map(Some),
            _ => Some(None),
        };
        let endpoint = match self.endpoint.trim() {
            "" => Some(None),
            text => fields.take("endpoint", Endpoint::parse(text)).map(Some),
        };
        let storage = match &server {
            Some(NewServer::Create(source)) => Some(source.storage),
            Some(NewServer::Existing(_)) => existing_storage,
            None => StorageKind::parse(&self.source.storage).filter(|_| self.creates_server()).or(existing_storage),
        };
        let bucket_catalog = match storage {
            Some(storage) => fields.take("bucket_catalog", WarehouseUri::parse(storage, &self.bucket_catalog)),
            None => fields.take("bucket_catalog", required(&self.bucket_catalog)).and(None),
        };
        match (name, description, billing, identity, quota, engine_catalog, server, role_arn, endpoint, bucket_catalog)
        {
            (
                Some(name),
                Some(description),
                Some(billing),
                Some(identity),
                Some(quota),
                Some(engine_catalog),
                Some(server),
                Some(role_arn),
                Some(endpoint),
                Some(bucket_catalog),
            ) if fields.is_empty() => Ok(NewExternalProject {
                name,
                description,
                region: self.region.clone(),
                billing,
                quota,
                server,
                bucket_catalog,
                identity,
                role_arn,
                endpoint,
                engine_catalog,
                options: self.options.clone(),
                create_default_schema: self.create_default_schema,
                use_anyway: self.use_anyway,
            }),
            _ => Err(fields.into_problem()),
        }
    }

    /// Whether the data source is made together with the project.
    pub fn creates_server(&self) -> bool {
        self.server_mode == ServerMode::CreateForeignServer.id()
    }

    fn check_server(&self, existing: Option<StorageKind>, fields: &mut FieldProblems) -> Option<NewServer> {
        match fields.take("server_mode", known(ServerMode::parse(&self.server_mode)))? {
            ServerMode::UseExisting => {
                let name = fields.take("server", DataSourceName::parse(&self.server))?;
                if existing.is_none() {
                    let message = format!("There is no external data source `{name}`.");
                    fields.add("server", Broken::new("server_unknown", message));
                    return None;
                }
                Some(NewServer::Existing(name))
            }
            ServerMode::CreateForeignServer => match self.source.check(DraftUse::Create) {
                Ok(source) => Some(NewServer::Create(Box::new(source))),
                Err(problem) => {
                    fields.absorb("source.", problem);
                    None
                }
            },
        }
    }
}

/// What an edit may change; everything else of a project is fixed at creation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalProjectEdit {
    pub description: String,
    pub quota: String,
    pub owner: String,
    pub options: ProjectOptions,
    /// The version the editor saw.
    pub version: i64,
}

/// A stored project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalProject {
    pub id: Id,
    pub name: ProjectName,
    pub description: String,
    pub region: String,
    pub billing: Billing,
    pub quota: String,
    pub server: DataSourceName,
    pub storage: StorageKind,
    pub server_auth: AuthKind,
    /// Its own, or else that of its data source.
    pub endpoint: Option<Endpoint>,
    pub bucket_catalog: WarehouseUri,
    pub identity: RunIdentity,
    pub role_arn: Option<RoleArn>,
    pub engine_catalog: Option<EngineCatalogName>,
    pub options: ProjectOptions,
    pub state: ProjectState,
    pub owner: String,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_by: String,
    pub updated_at: Timestamp,
    pub version: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(draft: ExternalProjectDraft, storage: Option<StorageKind>, expected: &str) {
        let got = match draft.check(storage) {
            Ok(new) => new.bucket_catalog.to_string(),
            Err(problem) => {
                problem.fields.iter().map(|f| format!("{}:{}", f.field, f.code)).collect::<Vec<_>>().join(" ")
            }
        };
        assert_eq!(got, expected);
    }

    #[test]
    fn drafts() {
        let good = ExternalProjectDraft {
            name: "paimon_project".into(),
            server: "external_fs".into(),
            bucket_catalog: "oss://paimon-fs/paimon-test".into(),
            ..ExternalProjectDraft::default()
        };
        let oss = Some(StorageKind::Oss);
        check(good.clone(), oss, "oss://paimon-fs/paimon-test/");
        check(good.clone(), None, "server:server_unknown");
        check(good.clone(), Some(StorageKind::Local), "bucket_catalog:warehouse_local");
        check(ExternalProjectDraft { name: "ab".into(), ..good.clone() }, oss, "name:project_name");
        check(ExternalProjectDraft { auth: "ram_role".into(), ..good.clone() }, oss, "role_arn:required");
        check(ExternalProjectDraft { endpoint: "http://h/path".into(), ..good.clone() }, oss, "endpoint:endpoint");
        let inline = ExternalProjectDraft { server_mode: "create".into(), ..good };
        check(inline, None, "source.name:required source.role_arn:required source.endpoint:endpoint_required");
    }
}

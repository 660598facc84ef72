//! External data sources: create, change, test, browse.

use crate::connection::{patiently, secret_required};
use crate::error::Noun;
use crate::probe::ProbeTarget;
use crate::{Error, RequestContext, Services};
use model::access::{Action, Resource};
use model::audit::AuditEntry;
use model::data_source::{BrowseTarget, DataSource, DataSourceDraft, DraftUse, NewAuth, NewDataSource, StorageKind};
use model::lake::StoreListing;
use model::names::Id;
use model::probe::TestRun;
use model::problem::{Broken, FieldProblems};
use model::region::Region;
use model::warehouse::WarehouseUri;
use ports::connection::Connection;
use ports::lake::ProbeOptions;

/// Entries of the audit log that a details page shows.
const AUDIT_COUNT: u32 = 100;

impl Services {
    pub async fn list_data_sources(&self, ctx: &RequestContext) -> Result<Vec<DataSource>, Error> {
        self.authorize(ctx, Action::Read, Resource::DataSources).await?;
        Ok(self.store.data_sources().await?)
    }

    pub async fn data_source(&self, ctx: &RequestContext, name: &str) -> Result<DataSource, Error> {
        self.authorize(ctx, Action::Read, Resource::DataSource(name.into())).await?;
        self.stored_data_source(name).await
    }

    pub async fn create_data_source(&self, ctx: &RequestContext, new: NewDataSource) -> Result<DataSource, Error> {
        self.authorize(ctx, Action::Create, Resource::DataSources).await?;
        let mut tx = self.store.begin().await?;
        let name = new.name.as_str();
        let source = tx.insert_data_source(&new, &ctx.principal).await.map_err(Error::on_taken(name))?;
        tx.audit(&ctx.did(Action::Create, &Resource::DataSource(name.into()), summary(&source))).await?;
        tx.commit().await?;
        self.test_in_background(ctx, &source).await;
        Ok(source)
    }

    /// Changes a source that was read at `version`. Statements that run keep the old identity until they end.
    pub async fn update_data_source(
        &self,
        ctx: &RequestContext,
        name: &str,
        new: NewDataSource,
        version: i64,
    ) -> Result<DataSource, Error> {
        let resource = Resource::DataSource(name.into());
        self.authorize(ctx, Action::Modify, resource.clone()).await?;
        let mut tx = self.store.begin().await?;
        let stored = tx.data_source(name).await?.ok_or_else(|| Error::not_found(Noun::DataSource, name))?;
        if stored.version != version {
            return Err(Error::Changed { by: stored.updated_by, at: stored.updated_at });
        }
        check_edit(&stored, &new)?;
        let source = tx.update_data_source(&stored.id, &new, &ctx.principal).await?;
        tx.audit(&ctx.did(Action::Modify, &resource, changes(&stored, &source))).await?;
        tx.commit().await?;
        self.test_in_background(ctx, &source).await;
        Ok(source)
    }

    /// Refused while a project uses it.
    pub async fn delete_data_source(&self, ctx: &RequestContext, name: &str) -> Result<(), Error> {
        let resource = Resource::DataSource(name.into());
        self.authorize(ctx, Action::Delete, resource.clone()).await?;
        let mut tx = self.store.begin().await?;
        let stored = tx.data_source(name).await?.ok_or_else(|| Error::not_found(Noun::DataSource, name))?;
        if !stored.projects.is_empty() {
            return Err(Error::DataSourceUsed { name: name.into(), projects: stored.projects });
        }
        tx.delete_data_source(&stored.id).await?;
        tx.audit(&ctx.did(Action::Delete, &resource, summary(&stored))).await?;
        Ok(tx.commit().await?)
    }

    /// Starts a test of what is typed. Secrets left untyped are those of the stored source `existing`.
    pub async fn test_data_source_draft(
        &self,
        ctx: &RequestContext,
        draft: DataSourceDraft,
        existing: Option<String>,
    ) -> Result<Id, Error> {
        self.authorize(ctx, Action::Test, Resource::DataSources).await?;
        let (connection, storage) = self.typed_connection(ctx, &draft, existing.as_deref()).await?;
        let warehouse = test_directory(storage, &draft.test_directory)?;
        // A directory that was named for the test may be written to by it.
        let options = ProbeOptions { write: warehouse.is_some() };
        self.start_probe(ctx, ProbeTarget { connection, warehouse, options, history: None })
    }

    /// Starts a test of a stored source, and notes its outcome in the source's history.
    pub async fn test_data_source(
        &self,
        ctx: &RequestContext,
        name: &str,
        directory: Option<String>,
    ) -> Result<Id, Error> {
        self.authorize(ctx, Action::Test, Resource::DataSource(name.into())).await?;
        let source = self.stored_data_source(name).await?;
        let warehouse = test_directory(source.storage, directory.as_deref().unwrap_or_default())?;
        let options = ProbeOptions { write: warehouse.is_some() };
        let connection = self.connection(&source).await?;
        self.start_probe(ctx, ProbeTarget { connection, warehouse, options, history: Some(source.id) })
    }

    /// The latest tests of a stored source, newest first.
    pub async fn test_history(&self, ctx: &RequestContext, name: &str) -> Result<Vec<TestRun>, Error> {
        self.authorize(ctx, Action::Read, Resource::DataSource(name.into())).await?;
        let source = self.stored_data_source(name).await?;
        Ok(self.store.tests(&source.id).await?)
    }

    /// One level of a store; an empty `uri` lists its buckets, or the permitted folders.
    pub async fn browse(&self, ctx: &RequestContext, target: BrowseTarget, uri: &str) -> Result<StoreListing, Error> {
        let connection = self.browsed_connection(ctx, target, Action::Test).await?;
        patiently(self.lake.browse(&connection, uri)).await
    }

    /// Makes a folder or a bucket.
    pub async fn create_folder(&self, ctx: &RequestContext, target: BrowseTarget, uri: &str) -> Result<(), Error> {
        let connection = self.browsed_connection(ctx, target, Action::Modify).await?;
        patiently(self.lake.create_folder(&connection, uri)).await?;
        let entry = AuditEntry {
            detail: format!("in the store of `{}`", connection.name),
            ..ctx.entry("Create", "folder", uri.to_owned())
        };
        let mut tx = self.store.begin().await?;
        tx.audit(&entry).await?;
        Ok(tx.commit().await?)
    }

    pub async fn regions(&self, ctx: &RequestContext) -> Result<Vec<Region>, Error> {
        self.authorize(ctx, Action::Read, Resource::DataSources).await?;
        Ok(self.config.regions.clone())
    }

    /// What happened to one thing, newest first. `resource_kind` is `data_source`, `external_project` or `worksheet`.
    pub async fn audit_of(
        &self,
        ctx: &RequestContext,
        resource_kind: &str,
        name: &str,
    ) -> Result<Vec<AuditEntry>, Error> {
        let resource = match resource_kind {
            "data_source" => Resource::DataSource(name.into()),
            "external_project" => Resource::ExternalProject(name.into()),
            "worksheet" => Resource::Worksheet(name.into()),
            _ => return Err(Error::field("resource_kind", "choice", "Choose one of the values.")),
        };
        self.authorize(ctx, Action::Read, resource).await?;
        Ok(self.store.audit_of(resource_kind, name, AUDIT_COUNT).await?)
    }

    /// The stored source of this name; the caller has authorised.
    pub(crate) async fn stored_data_source(&self, name: &str) -> Result<DataSource, Error> {
        self.store.data_source(name).await?.ok_or_else(|| Error::not_found(Noun::DataSource, name))
    }

    /// The connection that a form describes as far as it is filled in: name and description do not matter to it.
    pub(crate) async fn typed_connection(
        &self,
        ctx: &RequestContext,
        draft: &DataSourceDraft,
        existing: Option<&str>,
    ) -> Result<(Connection, StorageKind), Error> {
        let stored = match existing {
            // Borrowing the secrets of a stored source takes the right to change it.
            Some(name) => {
                self.authorize(ctx, Action::Modify, Resource::DataSource(name.into())).await?;
                self.store.data_source(name).await?
            }
            None => None,
        };
        let nameless = DataSourceDraft { name: "draft".into(), description: String::new(), ..draft.clone() };
        let draft_use = if stored.is_some() { DraftUse::Edit } else { DraftUse::Create };
        let new = nameless.check(draft_use)?;
        let connection = self.draft_connection(&new, stored.as_ref()).await?;
        Ok((connection, new.storage))
    }

    async fn browsed_connection(
        &self,
        ctx: &RequestContext,
        target: BrowseTarget,
        action: Action,
    ) -> Result<Connection, Error> {
        match target {
            BrowseTarget::Stored(name) => {
                self.authorize(ctx, action, Resource::DataSource(name.clone())).await?;
                let source = self.stored_data_source(&name).await?;
                self.connection(&source).await
            }
            BrowseTarget::Draft(draft) => {
                self.authorize(ctx, Action::Test, Resource::DataSources).await?;
                let name = draft.name.trim().to_owned();
                let existing = self.store.data_source(&name).await?.map(|_| name);
                let (connection, _) = self.typed_connection(ctx, &draft, existing.as_deref()).await?;
                Ok(connection)
            }
        }
    }

    /// Tests a source that was just saved, in the warehouse of a project where it has one. The save stands anyway.
    async fn test_in_background(&self, ctx: &RequestContext, source: &DataSource) {
        let started = async {
            let warehouse = match source.projects.first() {
                Some(name) => self.store.project(name).await?.map(|project| project.bucket_catalog),
                None => None,
            };
            let connection = self.connection(source).await?;
            let options = ProbeOptions::default();
            let history = Some(source.id.clone());
            self.start_probe(ctx, ProbeTarget { connection, warehouse, options, history })
        };
        if let Err(error) = started.await {
            tracing::warn!(data_source.name = %source.name, error = %crate::error::chain(&error), "saved, not tested");
        }
    }
}

/// What an edit may not change, and the secret that a new access key needs.
fn check_edit(stored: &DataSource, new: &NewDataSource) -> Result<(), Error> {
    let mut fields = FieldProblems::default();
    let fixed = |what: &str| Broken::new("fixed", format!("{what} cannot be changed after creation."));
    if new.name != stored.name {
        fields.add("name", fixed("The name"));
    }
    if new.source_kind != stored.source_kind {
        fields.add("source_kind", fixed("The type"));
    }
    if new.region != stored.region {
        fields.add("region", fixed("The region"));
    }
    if new.storage != stored.storage && !stored.projects.is_empty() {
        let message = format!("The storage type is fixed while projects use it: {}.", stored.projects.join(", "));
        fields.add("storage", Broken::new("storage_used", message));
    }
    if !fields.is_empty() {
        return Err(fields.into_problem().into());
    }
    match &new.auth {
        NewAuth::AccessKey { id, secret: None, .. } if stored.access_key_id.as_ref() != Some(id) => {
            Err(secret_required())
        }
        _ => Ok(()),
    }
}

fn test_directory(storage: StorageKind, text: &str) -> Result<Option<WarehouseUri>, Error> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    WarehouseUri::parse(storage, text).map(Some).map_err(Error::broken("test_directory"))
}

/// One line for the audit log.
fn summary(source: &DataSource) -> String {
    let place = source.endpoint.as_ref().map(|endpoint| format!(" at {}", endpoint.as_str())).unwrap_or_default();
    format!("{}{place}, {}", source.storage.label(), source.auth.label())
}

/// Which fields an edit changed: one line for the audit log. A retyped secret counts, its value does not show.
fn changes(before: &DataSource, after: &DataSource) -> String {
    let fields = [
        ("description", before.description != after.description),
        ("storage", before.storage != after.storage),
        ("endpoint", before.endpoint != after.endpoint),
        ("path_style", before.path_style != after.path_style),
        ("auth", before.auth != after.auth),
        ("role_arn", before.role_arn != after.role_arn),
        ("access_key_id", before.access_key_id != after.access_key_id),
        ("secret", before.secret_set_at != after.secret_set_at),
        ("properties", before.properties != after.properties),
    ];
    let changed: Vec<&str> = fields.into_iter().filter_map(|(name, changed)| changed.then_some(name)).collect();
    if changed.is_empty() { "nothing changed".into() } else { format!("changed: {}", changed.join(", ")) }
}

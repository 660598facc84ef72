//! One warehouse: `<warehouse>/<schema>.db/<table>/`. Listing looks at folders and opens no table.

use crate::commit::TableState;
use crate::error::{is_not_found, lake_error};
use crate::options;
use crate::schema::table_info;
use crate::snapshot::{Snapshots, version_id};
use crate::storage::Storage;
use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use model::lake::{Stray, WarehouseOverview, WarehouseOwner};
use model::table::{DEFAULT_SCHEMA, TableInfo};
use model::warehouse::WarehouseUri;
use paimon::catalog::Identifier;
use paimon::io::FileIO;
use paimon::spec::{Schema, SchemaChange, Snapshot, TableSchema};
use paimon::table::{SchemaManager, Table};
use ports::lake::{LakeCatalog, LakeError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// Folder names of schemas end with this.
const SCHEMA_SUFFIX: &str = ".db";
/// Where dropped tables of a local warehouse wait for their deletion; hidden, as everything that begins with a dot.
const TRASH: &str = ".trash";
/// Lies in the folder of a table on an object store whose deletion has begun.
const DROPPED: &str = ".dropped";
/// Longest name of a schema or a table, bytes: file systems permit 255, and temporary names are longer.
const NAME_BYTES_MAX: usize = 200;
/// How many folders are looked at side by side.
const LOOKS_MAX: usize = 16;
const STRAYS_SHOWN_MAX: usize = 100;
/// How often an ALTER is tried while others alter the same table.
const ALTERS_MAX: u32 = 1_000;
const ALTER_PAUSE_MAX: Duration = Duration::from_millis(100);
/// How far back [`LakeCatalog::find_commit`] looks.
const SNAPSHOTS_SEARCHED_MAX: usize = 10_000;

/// What dropping a schema does to the tables in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropBehavior {
    /// Refuse while there are any.
    Restrict,
    /// Drop them too.
    Cascade,
}

/// A warehouse on a store.
pub struct Catalog {
    storage: Storage,
    turns: Mutex<HashMap<String, Turns>>,
}

/// Who may do what with a table in this process, one after the other, first come, first served.
#[derive(Clone, Default)]
struct Turns {
    commit: Arc<AsyncMutex<TableState>>,
    writer: Arc<AsyncMutex<()>>,
}

/// What a folder turned out to be.
enum Found {
    Table,
    /// Why it is none: one line.
    Other(String),
}

/// An entry of a folder.
struct Item {
    name: String,
    is_dir: bool,
}

impl Catalog {
    pub fn new(storage: Storage) -> Self {
        Self { storage, turns: Mutex::default() }
    }

    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    pub fn warehouse(&self) -> &WarehouseUri {
        self.storage.warehouse()
    }

    fn file_io(&self) -> FileIO {
        self.storage.file_io()
    }

    fn turns(&self, location: &str) -> Turns {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(location.trim_end_matches('/').to_owned()).or_default().clone()
    }

    /// Waits until nobody else in this process commits to the table.
    pub(crate) async fn turn(&self, location: &str) -> OwnedMutexGuard<TableState> {
        self.turns(location).commit.lock_owned().await
    }

    /// Waits until nobody else in this process assigns rows of the table to buckets.
    pub(crate) async fn writer_turn(&self, location: &str) -> OwnedMutexGuard<()> {
        self.turns(location).writer.lock_owned().await
    }

    fn schema_folder(&self, schema: &str) -> String {
        format!("{}{schema}{SCHEMA_SUFFIX}", self.storage.root())
    }

    fn table_folder(&self, schema: &str, table: &str) -> String {
        format!("{}/{table}", self.schema_folder(schema))
    }

    /// What lies in a folder, sorted by name; nothing where it does not exist.
    async fn list(&self, folder: &str) -> Result<Vec<Item>, LakeError> {
        let entries = match self.file_io().list_status(folder).await {
            Ok(entries) => entries,
            Err(error) if is_not_found(&error) => return Ok(Vec::new()),
            Err(error) => return Err(lake_error(error, &format!("list `{folder}`"))),
        };
        let item = |entry: paimon::io::FileStatus| {
            let name = entry.path.trim_end_matches('/').rsplit('/').next()?.to_owned();
            (!name.is_empty()).then_some(Item { name, is_dir: entry.is_dir })
        };
        let mut items: Vec<Item> = entries.into_iter().filter_map(item).collect();
        items.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(items)
    }

    async fn exists(&self, path: &str) -> Result<bool, LakeError> {
        self.file_io().exists(path).await.map_err(|error| lake_error(error, &format!("look for `{path}`")))
    }

    async fn exists_folder(&self, folder: &str) -> Result<bool, LakeError> {
        match self.file_io().exists_dir(folder).await {
            Ok(exists) => Ok(exists),
            Err(error) if is_not_found(&error) => Ok(false),
            Err(error) => Err(lake_error(error, &format!("look for `{folder}`"))),
        }
    }

    /// Schemas that have a folder, sorted.
    async fn stored_schemas(&self) -> Result<Vec<String>, LakeError> {
        let items = self.list(self.storage.root()).await?;
        Ok(items.into_iter().filter_map(|item| item.schema_name()).collect())
    }

    /// Tables of a schema's folder, sorted, and what else lies in it.
    async fn contents(&self, schema: &str) -> Result<(Vec<String>, Vec<Stray>), LakeError> {
        let folder = self.schema_folder(schema);
        let items = self.list(&folder).await?;
        let looks = items.into_iter().filter(|item| !item.is_hidden()).map(|item| {
            let path = format!("{folder}/{}", item.name);
            async move {
                let found = match item.is_dir {
                    true => self.look(&path).await?,
                    false => Found::Other("a file where a table's folder is expected".into()),
                };
                Ok::<_, LakeError>((item.name, path, found))
            }
        });
        let mut looks = futures::stream::iter(looks).buffered(LOOKS_MAX);
        let (mut tables, mut strays) = (Vec::new(), Vec::new());
        while let Some(look) = looks.next().await {
            match look? {
                (name, _, Found::Table) => tables.push(name),
                (_, path, Found::Other(reason)) => strays.push(Stray { path, reason }),
            }
        }
        Ok((tables, strays))
    }

    /// Whether a folder is a table: it has a schema file.
    async fn look(&self, folder: &str) -> Result<Found, LakeError> {
        if self.exists(&format!("{folder}/schema/schema-0")).await? {
            return Ok(Found::Table);
        }
        let versions = self.list(&format!("{folder}/schema")).await?;
        if versions.iter().any(|item| !item.is_dir && version_id(&item.name, "schema-").is_some()) {
            return Ok(Found::Table);
        }
        let items = self.list(folder).await?;
        let reason = match items.iter().find(|item| !item.is_hidden() && item.name != "schema") {
            None => "an empty folder, without schema/schema-0".into(),
            Some(item) => format!("a folder without schema/schema-0; it holds `{}`", item.name),
        };
        Ok(Found::Other(reason))
    }

    /// The name under which a schema is stored.
    pub async fn schema_name(&self, name: &str) -> Result<String, LakeError> {
        check_name("schema", name)?;
        if self.exists_folder(&self.schema_folder(name)).await? {
            return Ok(name.to_owned());
        }
        match unique(name, self.stored_schemas().await?) {
            Match::One(stored) => Ok(stored),
            Match::None if name.eq_ignore_ascii_case(DEFAULT_SCHEMA) => Ok(DEFAULT_SCHEMA.to_owned()),
            Match::None => Err(LakeError::NotFound(format!("Schema `{name}` does not exist."))),
            Match::Many(names) => Err(LakeError::Invalid(format!(
                "Schema `{name}` is ambiguous: there are `{}`. Write it exactly.",
                names.join("` and `")
            ))),
        }
    }

    /// The name under which a table is stored.
    pub async fn table_name(&self, schema: &str, table: &str) -> Result<Identifier, LakeError> {
        check_name("table", table)?;
        let schema = self.schema_name(schema).await?;
        let folder = self.table_folder(&schema, table);
        if self.exists(&format!("{folder}/schema/schema-0")).await? {
            return Ok(Identifier::new(schema, table));
        }
        let folders = self.list(&self.schema_folder(&schema)).await?;
        let visible = folders.into_iter().filter(|item| !item.is_hidden()).map(|item| item.name);
        match unique(table, visible.collect()) {
            Match::None => Err(LakeError::NotFound(format!("Table `{schema}.{table}` does not exist."))),
            Match::Many(names) => Err(LakeError::Invalid(format!(
                "Table `{schema}.{table}` is ambiguous: there are `{}`. Write it exactly.",
                names.join("` and `")
            ))),
            Match::One(stored) => match self.look(&self.table_folder(&schema, &stored)).await? {
                Found::Table => Ok(Identifier::new(schema, stored)),
                Found::Other(reason) => Err(LakeError::Invalid(format!(
                    "`{schema}.{stored}` is not a Paimon table: {} is {reason}.",
                    self.table_folder(&schema, &stored)
                ))),
            },
        }
    }

    /// A table by its newest schema.
    pub async fn load_table(&self, schema: &str, table: &str) -> Result<Table, LakeError> {
        let name = self.table_name(schema, table).await?;
        let location = self.table_folder(name.database(), name.object());
        let newest = self.newest_schema(&location, &name).await?;
        Ok(Table::new(self.file_io(), name, location, newest, None))
    }

    async fn newest_schema(&self, location: &str, name: &Identifier) -> Result<TableSchema, LakeError> {
        let newest = SchemaManager::new(self.file_io(), location.to_owned()).latest().await;
        match newest {
            Ok(Some(schema)) => Ok((*schema).clone()),
            Ok(None) => Err(LakeError::NotFound(format!("Table `{}` does not exist.", name.full_name()))),
            Err(error) => Err(lake_error(error, &format!("read the schema of `{}`", name.full_name()))),
        }
    }

    /// The newest snapshot of a table.
    pub async fn latest_snapshot(&self, table: &Table) -> Result<Option<Snapshot>, LakeError> {
        let location = table.location().trim_end_matches('/');
        Snapshots { file_io: &self.file_io(), location }.latest(None).await
    }

    /// Drops a schema. `default` stays.
    pub async fn drop_schema(&self, name: &str, behavior: DropBehavior) -> Result<(), LakeError> {
        let schema = self.schema_name(name).await?;
        if schema == DEFAULT_SCHEMA {
            return Err(LakeError::Invalid(format!("Schema `{DEFAULT_SCHEMA}` cannot be dropped.")));
        }
        let (tables, strays) = self.contents(&schema).await?;
        if let Some(stray) = strays.iter().find(|stray| !stray.reason.starts_with("an empty folder")) {
            return Err(LakeError::Invalid(format!(
                "Schema `{schema}` holds what is no table and would be lost: `{}` is {}.",
                stray.path, stray.reason
            )));
        }
        if behavior == DropBehavior::Restrict && !tables.is_empty() {
            return Err(LakeError::Invalid(format!(
                "Schema `{schema}` is not empty: it has {} table(s), e.g. `{}`. Drop them first or use CASCADE.",
                tables.len(),
                tables[0]
            )));
        }
        for table in &tables {
            self.drop_table(&schema, table).await?;
        }
        self.remove_folder(&self.schema_folder(&schema)).await
    }

    /// Creates a table; its schema's folder too, if that is `default`.
    pub async fn create_table(&self, schema: &str, table: &str, definition: Schema) -> Result<Table, LakeError> {
        check_name("table", table)?;
        let schema = self.schema_name(schema).await?;
        if let Ok(existing) = self.table_name(&schema, table).await {
            return Err(already_exists(&existing));
        }
        options::check_options(definition.options())?;
        let first = options::with_defaults(TableSchema::new(0, &definition));
        options::check_writable(&first)?;
        let (name, location) = (Identifier::new(schema.as_str(), table), self.table_folder(&schema, table));
        let _turn = self.turn(&location).await;
        self.make_room(&location, &name).await?;
        match self.put_schema(&location, &first, &name).await? {
            true => Ok(Table::new(self.file_io(), name, location, first, None)),
            false => Err(already_exists(&name)),
        }
    }

    /// A folder may be left of a table whose creation or deletion was interrupted, or of a writer that did not know of
    /// its deletion; one with anything else in it is not ours to use.
    async fn make_room(&self, location: &str, name: &Identifier) -> Result<(), LakeError> {
        if self.exists(&format!("{location}/{DROPPED}")).await? {
            return self.remove_folder(location).await;
        }
        let items = self.list(location).await?;
        let mut foreign = items.iter().find(|item| !item.is_leftover()).map(|item| item.name.clone());
        if foreign.is_none() && !(Snapshots { file_io: &self.file_io(), location }).ids().await?.is_empty() {
            foreign = Some("snapshot".into());
        }
        match foreign {
            None => Ok(()),
            Some(foreign) => Err(LakeError::Invalid(format!(
                "Cannot create table `{}`: its folder {location} exists and holds `{foreign}`. Move it away or choose \
                 another name.",
                name.full_name()
            ))),
        }
    }

    /// Publishes a version of a table's schema; `false` if someone else published that version first.
    async fn put_schema(&self, location: &str, schema: &TableSchema, name: &Identifier) -> Result<bool, LakeError> {
        use crate::put_if_absent::{PublishError, Published};
        let doing = format!("write the schema of `{}`", name.full_name());
        let bytes = serde_json::to_vec(schema).map(Bytes::from).map_err(|error| LakeError::Internal {
            message: format!("Cannot {doing}."),
            source: Some(Box::new(error)),
        })?;
        let path = format!("{location}/schema/schema-{}", schema.id());
        match self.storage.publish(&path, bytes).await {
            Ok(Published::Won) => Ok(true),
            Ok(Published::Lost) => Ok(false),
            Err(PublishError::NotPublished(error)) => Err(crate::store_error::lake_error(error, &doing)),
            Err(PublishError::Unknown(error)) => Err(LakeError::Unavailable {
                message: format!("The store does not tell whether it could {doing}. Look before you try again."),
                source: Some(Box::new(error)),
            }),
        }
    }

    /// Changes a table's schema; on top of the changes of whoever was faster.
    pub async fn alter_table(
        &self,
        schema: &str,
        table: &str,
        changes: Vec<SchemaChange>,
    ) -> Result<TableSchema, LakeError> {
        let name = self.table_name(schema, table).await?;
        let location = self.table_folder(name.database(), name.object());
        let _turn = self.turn(&location).await;
        let has_data = !Snapshots { file_io: &self.file_io(), location: &location }.ids().await?.is_empty();
        for attempt in 0..ALTERS_MAX {
            let current = self.newest_schema(&location, &name).await?;
            options::check_changes(&current, &changes, has_data)?;
            let doing = || format!("alter table `{}`", name.full_name());
            let next = current.apply_changes(changes.clone()).map_err(|error| lake_error(error, &doing()))?;
            // A table of another engine may be one that we cannot write to; ours stay writable.
            if options::check_writable(&current).is_ok() {
                options::check_writable(&next)?;
            }
            if self.put_schema(&location, &next, &name).await? {
                return Ok(next);
            }
            let longest = ALTER_PAUSE_MAX.min(Duration::from_millis(1 << attempt.min(10)));
            tokio::time::sleep(longest.mul_f64(rand::random_range(0.0..=1.0))).await;
        }
        Err(LakeError::Conflict(format!("Others keep altering table `{}`. Try again.", name.full_name())))
    }

    /// Drops a table with its files.
    ///
    /// In a local folder one rename makes it vanish, then its files are deleted. On an object store the schema files
    /// go first: a table without them is none, and whatever an interrupted deletion leaves is deleted by the next
    /// table of that name, or by the sweep.
    pub async fn drop_table(&self, schema: &str, table: &str) -> Result<(), LakeError> {
        let name = self.table_name(schema, table).await?;
        let location = self.table_folder(name.database(), name.object());
        let mut turn = self.turn(&location).await;
        self.remove_table(&location, &name).await?;
        *turn = TableState::default();
        Ok(())
    }

    async fn remove_table(&self, location: &str, name: &Identifier) -> Result<(), LakeError> {
        if self.warehouse().bucket().is_none() {
            return self.remove_folder(location).await;
        }
        let doing = || format!("drop table `{}`", name.full_name());
        let marker = format!("{location}/{DROPPED}");
        let mark = async { self.file_io().new_output(&marker)?.write(Bytes::new()).await };
        mark.await.map_err(|error| lake_error(error, &doing()))?;
        let mut versions = self.list(&format!("{location}/schema")).await?;
        versions.retain(|item| version_id(&item.name, "schema-").is_some());
        // The oldest goes last: the table is there until the last one is gone.
        versions.sort_by_key(|item| std::cmp::Reverse(version_id(&item.name, "schema-")));
        for version in versions {
            let path = format!("{location}/schema/{}", version.name);
            self.file_io().delete_file(&path).await.map_err(|error| lake_error(error, &doing()))?;
        }
        self.remove_folder(location).await
    }

    /// Deletes a folder with all that is in it; in a local warehouse it vanishes at once.
    async fn remove_folder(&self, folder: &str) -> Result<(), LakeError> {
        let doing = || format!("delete `{folder}`");
        let file_io = self.file_io();
        if self.warehouse().bucket().is_some() {
            return file_io.delete_dir(&format!("{folder}/")).await.map_err(|error| lake_error(error, &doing()));
        }
        let trash = format!("{}{TRASH}", self.storage.root());
        let grave = format!("{trash}/{}", uuid::Uuid::new_v4());
        file_io.mkdirs(&trash).await.map_err(|error| lake_error(error, &doing()))?;
        match file_io.rename(folder, &grave).await {
            Ok(()) => {}
            Err(error) if is_not_found(&error) => return Ok(()),
            Err(error) => return Err(lake_error(error, &doing())),
        }
        // It is gone for everyone; what cannot be deleted now is deleted by the sweep.
        if let Err(error) = file_io.delete_dir(&format!("{grave}/")).await {
            tracing::warn!("`{grave}` was left in the trash: {error}");
        }
        Ok(())
    }

    /// Gives a table another name in its schema. Object stores cannot move folders.
    pub async fn rename_table(&self, schema: &str, table: &str, new_name: &str) -> Result<(), LakeError> {
        check_name("table", new_name)?;
        let name = self.table_name(schema, table).await?;
        if self.warehouse().bucket().is_some() {
            return Err(LakeError::Unsupported(
                "Tables on an object store cannot be renamed: every file would have to be copied.".into(),
            ));
        }
        if let Ok(existing) = self.table_name(name.database(), new_name).await
            && existing != name
        {
            return Err(already_exists(&existing));
        }
        let (from, to) =
            (self.table_folder(name.database(), name.object()), self.table_folder(name.database(), new_name));
        let mut turn = self.turn(&from).await;
        if self.exists_folder(&to).await? {
            self.make_room(&to, &Identifier::new(name.database(), new_name)).await?;
        }
        let renamed = self.file_io().rename(&from, &to).await;
        renamed.map_err(|error| lake_error(error, &format!("rename table `{}`", name.full_name())))?;
        *turn = TableState::default();
        Ok(())
    }

    /// Finishes deletions that were interrupted; tells how many files or folders went.
    async fn finish_deletions(&self) -> Result<u64, LakeError> {
        let mut finished = 0;
        if self.warehouse().bucket().is_none() {
            let trash = format!("{}{TRASH}", self.storage.root());
            for item in self.list(&trash).await? {
                let grave = format!("{trash}/{}/", item.name);
                self.file_io()
                    .delete_dir(&grave)
                    .await
                    .map_err(|error| lake_error(error, &format!("delete `{grave}`")))?;
                finished += 1;
            }
            return Ok(finished);
        }
        for schema in self.stored_schemas().await? {
            for stray in self.contents(&schema).await?.1 {
                let marker = format!("{}/{DROPPED}", stray.path);
                if self.exists(&marker).await? {
                    let _turn = self.turn(&stray.path).await;
                    self.remove_folder(&stray.path).await?;
                    finished += 1;
                }
            }
        }
        Ok(finished)
    }
}

impl Item {
    fn is_hidden(&self) -> bool {
        self.name.starts_with('.')
    }

    /// Whether the folder of a table that is gone may still hold this: files that belong to no snapshot.
    fn is_leftover(&self) -> bool {
        let name = self.name.as_str();
        let is_ours = matches!(name, "schema" | "snapshot" | "manifest" | "index" | "statistics");
        self.is_hidden() || self.is_dir && (is_ours || name.starts_with("bucket-") || name.contains('='))
    }

    fn schema_name(&self) -> Option<String> {
        let name = self.name.strip_suffix(SCHEMA_SUFFIX).filter(|name| !name.is_empty() && !name.starts_with('.'))?;
        self.is_dir.then(|| name.to_owned())
    }
}

#[async_trait]
impl LakeCatalog for Catalog {
    async fn schemas(&self) -> Result<Vec<String>, LakeError> {
        let mut schemas = self.stored_schemas().await?;
        if !schemas.iter().any(|name| name == DEFAULT_SCHEMA) {
            schemas.push(DEFAULT_SCHEMA.to_owned());
        }
        schemas.sort();
        Ok(schemas)
    }

    async fn tables(&self, schema: &str) -> Result<Vec<String>, LakeError> {
        let schema = self.schema_name(schema).await?;
        Ok(self.contents(&schema).await?.0)
    }

    async fn table(&self, schema: &str, table: &str) -> Result<TableInfo, LakeError> {
        let table = self.load_table(schema, table).await?;
        let newest = self.latest_snapshot(&table).await?;
        let name = table.identifier();
        Ok(table_info(name.database(), name.object(), table.schema(), newest.as_ref()))
    }

    async fn create_schema(&self, schema: &str) -> Result<(), LakeError> {
        check_name("schema", schema)?;
        let exists = |name: String| LakeError::AlreadyExists(format!("Schema `{name}` exists already."));
        match unique(schema, self.stored_schemas().await?) {
            Match::None => {}
            Match::One(stored) => return Err(exists(stored)),
            Match::Many(mut stored) => return Err(exists(stored.swap_remove(0))),
        }
        let folder = self.schema_folder(schema);
        self.file_io().mkdirs(&folder).await.map_err(|error| lake_error(error, &format!("create schema `{schema}`")))
    }

    async fn overview(&self) -> Result<WarehouseOverview, LakeError> {
        let mut overview = WarehouseOverview::default();
        let note = |stray: Stray, overview: &mut WarehouseOverview| {
            overview.stray_count += 1;
            if overview.strays.len() < STRAYS_SHOWN_MAX {
                overview.strays.push(stray);
            }
        };
        for item in self.list(self.storage.root()).await?.into_iter().filter(|item| !item.is_hidden()) {
            let Some(schema) = item.schema_name() else {
                let reason = match item.is_dir {
                    true => "a folder whose name does not end with `.db`",
                    false => "a file where schemas' folders are expected",
                };
                let path = format!("{}{}", self.storage.root(), item.name);
                note(Stray { path, reason: reason.into() }, &mut overview);
                continue;
            };
            let (tables, strays) = self.contents(&schema).await?;
            overview.schema_count += 1;
            overview.table_count += tables.len() as u64;
            strays.into_iter().for_each(|stray| note(stray, &mut overview));
        }
        Ok(overview)
    }

    async fn find_commit(&self, schema: &str, table: &str, commit_user: &str) -> Result<Option<i64>, LakeError> {
        let table = self.load_table(schema, table).await?;
        let file_io = self.file_io();
        let snapshots = Snapshots { file_io: &file_io, location: table.location() };
        let ids = snapshots.ids().await?;
        // The commit that is looked for is recent: newest first.
        for id in ids.into_iter().rev().take(SNAPSHOTS_SEARCHED_MAX) {
            let snapshot = snapshots.read(id).await?;
            if snapshot.is_some_and(|snapshot| snapshot.commit_user() == commit_user) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    async fn owner(&self) -> Result<Option<WarehouseOwner>, LakeError> {
        self.read_owner().await
    }

    async fn claim(&self, owner: &WarehouseOwner) -> Result<WarehouseOwner, LakeError> {
        self.put_owner(owner).await
    }

    async fn release(&self, account: &str) -> Result<(), LakeError> {
        self.delete_owner(account).await
    }

    async fn sweep(&self) -> Result<u64, LakeError> {
        Ok(self.storage.sweep().await? + self.finish_deletions().await?)
    }
}

fn already_exists(name: &Identifier) -> LakeError {
    LakeError::AlreadyExists(format!("Table `{}` exists already.", name.full_name()))
}

/// Refuses names that cannot be folders everywhere, or that mean something else to Paimon.
fn check_name(kind: &str, name: &str) -> Result<(), LakeError> {
    let problem = if name.is_empty() {
        "it is empty"
    } else if name.len() > NAME_BYTES_MAX {
        "it is longer than 200 bytes"
    } else if name.starts_with('.') {
        "it begins with a dot"
    } else if name.trim() != name {
        "it begins or ends with a space"
    } else if name.contains(['/', '\\']) {
        "it has a slash"
    } else if name.contains('$') {
        "it has a `$`, which marks system tables"
    } else if name.contains(['?', '#', '*', '%', '"', '<', '>', '|']) {
        "it has a character that paths do not permit"
    } else if name.chars().any(char::is_control) {
        "it has a control character"
    } else {
        return Ok(());
    };
    Err(LakeError::Invalid(format!("`{}` cannot be the name of a {kind}: {problem}.", name.escape_debug())))
}

/// What a name finds.
enum Match {
    None,
    One(String),
    Many(Vec<String>),
}

/// The name itself, else the only one that differs in case at most.
fn unique(name: &str, mut names: Vec<String>) -> Match {
    if names.iter().any(|known| known == name) {
        return Match::One(name.to_owned());
    }
    let lower = name.to_lowercase();
    names.retain(|known| known.to_lowercase() == lower);
    match names.len() {
        0 => Match::None,
        1 => Match::One(names.swap_remove(0)),
        _ => Match::Many(names),
    }
}

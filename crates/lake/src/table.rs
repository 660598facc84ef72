//! Writing the rows of a table: files first, then one commit.

use crate::catalog::Catalog;
use crate::commit::commit_user;
use crate::error::lake_error;
use arrow::record_batch::RecordBatch;
use paimon::resource::ResourceContext;
use paimon::spec::{CoreOptions, Snapshot};
use paimon::table::{CommitMessage, Table, TableWrite};
use ports::lake::LakeError;
use std::collections::HashMap;
use tokio::sync::OwnedMutexGuard;

/// What the rows will do to the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// They come on top of what is there.
    Append,
    /// They replace what is there, so nothing of it matters to them.
    Overwrite,
}

/// Held by a writer that assigns buckets by an index: two at once would not see each other's keys.
pub(crate) type WriterTurn = OwnedMutexGuard<()>;

/// How the rows of a table find their bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Buckets {
    /// By hash or not at all.
    Fixed,
    /// By an index of each partition.
    Dynamic,
    /// By an index of the whole table: a key may move between partitions.
    CrossPartition,
}

impl Buckets {
    pub(crate) fn of(table: &Table) -> Self {
        let schema = table.schema();
        if schema.primary_keys().is_empty() || CoreOptions::new(schema.options()).bucket() != -1 {
            return Self::Fixed;
        }
        match schema.partition_keys().iter().all(|key| schema.primary_keys().contains(key)) {
            true => Self::Dynamic,
            false => Self::CrossPartition,
        }
    }
}

/// Writes rows into files that belong to no snapshot yet. Dropping it deletes them.
pub struct TableWriter {
    open: Option<OpenWriter>,
}

struct OpenWriter {
    write: TableWrite,
    table: Table,
    commit_user: String,
    base: Option<i64>,
    turn: Option<WriterTurn>,
}

/// Files that are whole and wait to be committed. Dropping it deletes them.
pub struct PreparedWrite {
    parts: Option<PreparedParts>,
    table: Table,
    commit_user: String,
    row_count: i64,
}

pub(crate) struct PreparedParts {
    pub(crate) messages: Vec<CommitMessage>,
    /// The snapshot (0: none) whose bucket index the writer relied on.
    pub(crate) base: Option<i64>,
    pub(crate) turn: Option<WriterTurn>,
}

impl Catalog {
    /// A writer for a table.
    pub async fn writer(&self, table: &Table, mode: WriteMode) -> Result<TableWriter, LakeError> {
        self.writer_with(table, mode, None).await
    }

    /// A writer that reserves what it buffers from a budget.
    pub async fn writer_with(
        &self,
        table: &Table,
        mode: WriteMode,
        resources: Option<ResourceContext>,
    ) -> Result<TableWriter, LakeError> {
        let buckets = Buckets::of(table);
        if (buckets, mode) == (Buckets::CrossPartition, WriteMode::Overwrite) {
            check_overwritable(table)?;
        }
        let turn = match buckets {
            Buckets::Fixed => None,
            Buckets::Dynamic | Buckets::CrossPartition => Some(self.writer_turn(table.location()).await),
        };
        let base = match (buckets, mode) {
            (Buckets::Dynamic, WriteMode::Append) | (Buckets::CrossPartition, _) => {
                Some(self.latest_snapshot(table).await?.map_or(0, |snapshot: Snapshot| snapshot.id()))
            }
            _ => None,
        };
        let commit_user = commit_user();
        // Keys may have to be taken from partitions that stay: such a deletion must come after what is there, so the writer
        // continues the table's sequence, but as an overwrite it leaves no changelog.
        let takes_keys = buckets == Buckets::CrossPartition;
        let written = match (takes_keys, mode) {
            (true, WriteMode::Overwrite) => {
                table.copy_with_options(HashMap::from([("changelog-producer".into(), "none".into())]))
            }
            _ => table.clone(),
        };
        let open = || {
            let mut builder = written.new_write_builder().with_commit_user(commit_user.as_str())?;
            if mode == WriteMode::Overwrite && !takes_keys {
                builder = builder.with_overwrite();
            }
            if let (Buckets::Dynamic, Some(base)) = (buckets, base) {
                builder = builder.with_restore_snapshot(base)?;
            }
            if let Some(resources) = resources {
                builder = builder.with_resources(resources);
            }
            builder.new_write()
        };
        let write =
            open().map_err(|error| lake_error(error, &format!("write to `{}`", table.identifier().full_name())))?;
        Ok(TableWriter { open: Some(OpenWriter { write, table: table.clone(), commit_user, base, turn }) })
    }
}

impl TableWriter {
    /// Writes rows. Columns are those of the table in its order; a primary-key table may get one more, `_VALUE_KIND`
    /// (Int8: 0 insert, 1 update before, 2 update after, 3 delete). After an error nothing more can be written.
    pub async fn write(&mut self, rows: &RecordBatch) -> Result<(), LakeError> {
        let Some(open) = &mut self.open else {
            return Err(LakeError::Invalid("The writer was closed by an earlier error.".into()));
        };
        match open.write.write_arrow_batch(rows).await {
            Ok(()) => Ok(()),
            Err(error) => {
                let failed = lake_error(error, &format!("write to `{}`", open.table.identifier().full_name()));
                self.close().await;
                Err(failed)
            }
        }
    }

    /// Completes the files.
    pub async fn finish(mut self) -> Result<PreparedWrite, LakeError> {
        let Some(open) = &mut self.open else {
            return Err(LakeError::Invalid("The writer was closed by an earlier error.".into()));
        };
        match open.write.prepare_commit().await {
            Ok(messages) => {
                let OpenWriter { table, commit_user, base, turn, .. } = self.open.take().expect("it is open");
                Ok(PreparedWrite::new(table, commit_user, PreparedParts { messages, base, turn }))
            }
            Err(error) => {
                let failed = lake_error(error, &format!("write to `{}`", open.table.identifier().full_name()));
                self.close().await;
                Err(failed)
            }
        }
    }

    /// Deletes what was written.
    pub async fn abort(mut self) {
        self.close().await;
    }

    async fn close(&mut self) {
        if let Some(mut open) = self.open.take() {
            open.write.close().await;
        }
    }
}

impl Drop for TableWriter {
    fn drop(&mut self) {
        if let Some(mut open) = self.open.take() {
            in_background(async move { open.write.close().await });
        }
    }
}

impl PreparedWrite {
    fn new(table: Table, commit_user: String, parts: PreparedParts) -> Self {
        let row_count = parts.messages.iter().flat_map(|message| &message.new_files).map(|file| file.row_count).sum();
        Self { parts: Some(parts), table, commit_user, row_count }
    }

    /// Files that were written in another way, e.g. by rewriting some: `deleted_files` and `new_files` of the messages.
    pub fn from_messages(table: &Table, messages: Vec<CommitMessage>, commit_user: String) -> Self {
        Self::new(table.clone(), commit_user, PreparedParts { messages, base: None, turn: None })
    }

    pub fn commit_user(&self) -> &str {
        &self.commit_user
    }

    /// Rows in the new files.
    pub fn row_count(&self) -> i64 {
        self.row_count
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.parts.as_ref().is_none_or(|parts| parts.messages.is_empty())
    }

    /// Hands the files over: from here on whoever has the parts deletes them.
    pub(crate) fn into_parts(mut self) -> PreparedParts {
        self.parts.take().expect("parts are only taken once, together with the value")
    }
}

impl Drop for PreparedWrite {
    fn drop(&mut self) {
        if let Some(parts) = self.parts.take().filter(|parts| !parts.messages.is_empty()) {
            let table = self.table.clone();
            in_background(async move { delete_files(&table, &parts.messages).await });
        }
    }
}

/// Where a key lives in one partition and is written to another, these engines keep the old row or merge into it: in an
/// overwrite that row may be one that goes away.
fn check_overwritable(table: &Table) -> Result<(), LakeError> {
    let engine = table.schema().options().get("merge-engine").map_or("deduplicate", String::as_str);
    if engine == "deduplicate" {
        return Ok(());
    }
    Err(LakeError::Unsupported(format!(
        "Cannot overwrite `{}`: its primary key spans partitions, and `merge-engine` = `{engine}` leaves a key in the \
         partition where it is. Remove the old rows first (TRUNCATE TABLE … PARTITION), then use INSERT INTO.",
        table.identifier().full_name()
    )))
}

/// Deletes new files that belong to no snapshot. What cannot be deleted is found by the cleaning of orphans.
pub(crate) async fn delete_files(table: &Table, messages: &[CommitMessage]) {
    if let Err(error) = table.new_write_builder().new_commit().abort(messages).await {
        tracing::debug!("files of `{}` were left behind: {error}", table.identifier().full_name());
    }
}

fn in_background(work: impl Future<Output = ()> + Send + 'static) {
    match tokio::runtime::Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn(work)),
        // Without a runtime the process is going down; the files are orphans like those of a crash.
        Err(_) => tracing::debug!("no runtime is left to delete unfinished files"),
    }
}

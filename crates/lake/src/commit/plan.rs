//! What a commit changes on top of one snapshot, if it may.

use super::conflict::{
    DELETION_VECTORS_INDEX, check_buckets, check_deletions, check_vectors, is_deletion_vectors, is_same_index_file,
    merge_index,
};
use super::scope::Scope;
use super::{CommitError, Committer, Plan};
use crate::error::{is_not_found, lake_error};
use crate::manifest::{Entry, cancel_pairs, normal_partition};
use crate::table::Buckets;
use paimon::spec::{
    CommitKind, CoreOptions, DataFileMeta, FileKind, IndexFileMeta, IndexManifest, IndexManifestEntry,
    ManifestFileMeta, Snapshot,
};
use paimon::table::{CommitMessage, SchemaManager};
use ports::lake::LakeError;
use std::collections::HashSet;

impl Committer {
    /// Refuses what this committer does not know how to commit.
    pub(super) fn check_messages(&self) -> Result<(), LakeError> {
        let refuse = |what: &str| Err(LakeError::Unsupported(format!("Cannot commit to `{}`: {what}.", self.name())));
        if self.messages.iter().any(has_compaction) {
            return refuse("a compaction needs a snapshot of its own");
        }
        let adds_vectors = |m: &CommitMessage| m.new_index_files.iter().any(|f| f.index_type == DELETION_VECTORS_INDEX);
        if self.scope.is_some() && self.messages.iter().any(|m| !m.deleted_files.is_empty() || adds_vectors(m)) {
            return refuse("an overwrite replaces whole partitions, not single files");
        }
        let has_row_ids = |m: &CommitMessage| m.check_from_snapshot.is_some();
        if self.messages.iter().any(has_row_ids) {
            return refuse("updates by row id are not supported");
        }
        Ok(())
    }

    /// The id of the newest schema. `first` also makes sure that the table is still the one that was written to.
    pub(super) async fn newest_schema_id(&mut self, first: bool) -> Result<i64, CommitError> {
        let doing = format!("read the schema of `{}`", self.name());
        let manager = SchemaManager::new(self.file_io.clone(), self.location.clone());
        let handle = self.table.schema();
        if first {
            let stored = match manager.schema(handle.id()).await {
                Ok(stored) => Some(stored),
                Err(error) if is_not_found(&error) => None,
                Err(error) => return Err(lake_error(error, &doing).into()),
            };
            let same = stored.is_some_and(|stored| {
                stored.time_millis() == handle.time_millis() && stored.fields() == handle.fields()
            });
            if !same {
                return Err(CommitError::Conflict(format!(
                    "Table `{}` was dropped or replaced while the statement ran.",
                    self.name()
                )));
            }
        }
        let mut id = self.state.buckets.keys().copied().fold(handle.id(), i64::max);
        if id > handle.id() && !self.exists(&manager.schema_path(id)).await? {
            id = handle.id();
        }
        while self.exists(&manager.schema_path(id + 1)).await? {
            id += 1;
        }
        Ok(id)
    }

    async fn exists(&self, path: &str) -> Result<bool, LakeError> {
        self.file_io.exists(path).await.map_err(|error| lake_error(error, &format!("look for `{path}`")))
    }

    /// What is to be changed on top of `latest`; `None` where there is nothing to do.
    pub(super) async fn plan(
        &mut self,
        latest: Option<&Snapshot>,
        schema_id: i64,
    ) -> Result<Option<Plan>, CommitError> {
        let mut added = self.entries(|message| &message.new_files, FileKind::Add);
        let removed = self.entries(|message| &message.deleted_files, FileKind::Delete);
        let changelog = self.entries(|message| &message.new_changelog_files, FileKind::Add);
        let index_added = self.index_entries(|message| &message.new_index_files, FileKind::Add);
        let index_removed = self.index_entries(|message| &message.deleted_index_files, FileKind::Delete);
        let carried_row_id = latest.and_then(Snapshot::next_row_id);

        let Some(scope) = self.scope.clone() else {
            let nothing = added.is_empty() && removed.is_empty() && changelog.is_empty();
            if nothing && index_added.is_empty() && index_removed.is_empty() {
                return Ok(None);
            }
            self.check_base(latest).await?;
            let touches_vectors = index_added.iter().chain(&index_removed).any(is_deletion_vectors);
            let rewrites = !removed.is_empty() || touches_vectors;
            if rewrites || self.buckets_differ(schema_id).await? {
                let changed: HashSet<Vec<u8>> =
                    added.iter().chain(&removed).map(|entry| normal_partition(&entry.partition).to_vec()).collect();
                let live = self.live(latest, |partition| changed.contains(normal_partition(partition))).await?;
                check_deletions(&live, &removed, &self.name())?;
                check_buckets(&live, &removed, &added, &self.name())?;
            }
            let index = match index_added.is_empty() && index_removed.is_empty() && removed.is_empty() {
                true => None,
                false => {
                    let previous = self.index(latest).await?;
                    let merged = merge_index(previous.clone(), &index_added, &index_removed, &self.name())?;
                    check_vectors(&merged, &removed, &self.name())?;
                    (merged != previous).then_some(merged)
                }
            };
            let next_row_id = self.assign_row_ids(latest, &mut added)?;
            let mut entries = removed;
            entries.extend(added);
            return Ok(Some(Plan {
                kind: if rewrites { CommitKind::OVERWRITE } else { CommitKind::APPEND },
                entries,
                changelog,
                index,
                is_independent: next_row_id.is_none(),
                next_row_id: next_row_id.or(carried_row_id),
            }));
        };

        self.check_base(latest).await?;
        let fields = self.table.schema().partition_fields();
        let takes_keys = |entry: &Entry| self.spans_partitions() && deletes_only(&entry.file);
        let written = added.iter().filter(|entry| !takes_keys(entry));
        let scope = Scope::new(&scope, &fields, written, self.table.schema())?;
        if matches!(&scope, Scope::Written(partitions) if partitions.is_empty()) {
            return Ok(None);
        }
        let mut matches = scope.cached(&fields);
        if let Some(stray) = added.iter().find(|entry| !matches(&entry.partition) && !takes_keys(entry)) {
            return Err(LakeError::Invalid(format!(
                "Cannot overwrite: file `{}` does not belong to the partition that is overwritten.",
                stray.file.file_name
            ))
            .into());
        }
        check_buckets(&[], &[], &added, &self.name())?;
        let replaced = self.live_where(latest, |meta| scope.may_hold(meta, &fields), &mut matches).await?;
        let mut entries: Vec<Entry> =
            replaced.into_iter().map(|entry| Entry { kind: FileKind::Delete, ..entry }).collect();
        let previous = self.index(latest).await?;
        let kept = previous.iter().filter(|entry| !matches(&entry.partition)).cloned().collect();
        let merged = merge_index(kept, &index_added, &index_removed, &self.name())?;
        let next_row_id = self.assign_row_ids(latest, &mut added)?;
        entries.extend(added);
        Ok(Some(Plan {
            kind: CommitKind::OVERWRITE,
            entries,
            changelog: Vec::new(),
            index: (merged != previous).then_some(merged),
            next_row_id: next_row_id.or(carried_row_id),
            is_independent: false,
        }))
    }

    fn entries(&self, files: fn(&CommitMessage) -> &Vec<DataFileMeta>, kind: FileKind) -> Vec<Entry> {
        let buckets = CoreOptions::new(self.table.schema().options()).bucket();
        let of_message = |message: &CommitMessage| {
            let (partition, bucket) = (message.partition.clone(), message.bucket);
            let total_buckets = message.total_buckets.unwrap_or(buckets);
            let entry = move |file: &DataFileMeta| Entry {
                kind,
                partition: partition.clone(),
                bucket,
                total_buckets,
                file: file.clone(),
            };
            files(message).iter().map(entry).collect::<Vec<_>>()
        };
        self.messages.iter().flat_map(of_message).collect()
    }

    fn index_entries(
        &self,
        files: fn(&CommitMessage) -> &Vec<IndexFileMeta>,
        kind: FileKind,
    ) -> Vec<IndexManifestEntry> {
        let of_message = |message: &CommitMessage| {
            let (partition, bucket) = (message.partition.clone(), message.bucket);
            let entry = move |file: &IndexFileMeta| IndexManifestEntry {
                version: 1,
                kind,
                partition: partition.clone(),
                bucket,
                index_file: file.clone(),
            };
            files(message).iter().map(entry).collect::<Vec<_>>()
        };
        self.messages.iter().flat_map(of_message).collect()
    }

    /// A writer that assigns buckets relied on the index of `base`: if someone else added rows to the same partitions
    /// since, a key might now live in two buckets.
    async fn check_base(&self, latest: Option<&Snapshot>) -> Result<(), CommitError> {
        let (Some(base), Some(latest)) = (self.base, latest) else { return Ok(()) };
        let changed = || {
            CommitError::Conflict(format!(
                "Another writer changed `{}` while this statement assigned its rows to buckets. Run it again.",
                self.name()
            ))
        };
        if latest.id() < base {
            return Err(changed());
        }
        let partitions: HashSet<&[u8]> = self.messages.iter().map(|m| normal_partition(&m.partition)).collect();
        let spans_partitions = self.spans_partitions();
        for id in base + 1..=latest.id() {
            let Some(snapshot) = self.snapshots().read(id).await? else { return Err(changed()) };
            if *snapshot.commit_kind() == CommitKind::COMPACT {
                continue;
            }
            let delta = self.manifests.read_list(snapshot.delta_manifest_list()).await?;
            let theirs = self.manifests.read_all(&delta, |_| true).await?;
            if theirs.iter().any(|e| spans_partitions || partitions.contains(normal_partition(&e.partition))) {
                return Err(changed());
            }
        }
        Ok(())
    }

    /// Whether a key may move between partitions: a write to one then takes it from another.
    fn spans_partitions(&self) -> bool {
        Buckets::of(&self.table) == Buckets::CrossPartition
    }

    /// Whether the table ever had another number of buckets, so that a partition may have kept it.
    async fn buckets_differ(&mut self, newest: i64) -> Result<bool, LakeError> {
        let ours = CoreOptions::new(self.table.schema().options()).bucket();
        if ours <= 0 {
            return Ok(false);
        }
        let manager = self.table.schema_manager().clone();
        let doing = format!("read the schemas of `{}`", self.name());
        for id in 0..=newest {
            if self.state.buckets.contains_key(&id) {
                continue;
            }
            let bucket = match manager.schema(id).await {
                Ok(schema) => CoreOptions::new(schema.options()).bucket(),
                Err(error) if is_not_found(&error) => ours,
                Err(error) => return Err(lake_error(error, &doing)),
            };
            self.state.buckets.insert(id, bucket);
        }
        Ok(self.state.buckets.values().any(|bucket| *bucket != ours))
    }

    async fn live(
        &mut self,
        latest: Option<&Snapshot>,
        wanted: impl FnMut(&[u8]) -> bool,
    ) -> Result<Vec<Entry>, LakeError> {
        self.live_where(latest, |_| true, wanted).await
    }

    /// The files that belong to the table in `latest`, of the partitions that are wanted.
    async fn live_where(
        &mut self,
        latest: Option<&Snapshot>,
        may_hold: impl Fn(&ManifestFileMeta) -> bool,
        wanted: impl FnMut(&[u8]) -> bool,
    ) -> Result<Vec<Entry>, LakeError> {
        let Some(latest) = latest else { return Ok(Vec::new()) };
        let mut manifests = self.manifests_of(latest).await?;
        manifests.retain(may_hold);
        let entries = cancel_pairs(self.manifests.read_all(&manifests, wanted).await?);
        Ok(entries.into_iter().filter(|entry| entry.kind == FileKind::Add).collect())
    }

    /// The index files of `latest`.
    async fn index(&self, latest: Option<&Snapshot>) -> Result<Vec<IndexManifestEntry>, LakeError> {
        let Some(name) = latest.and_then(Snapshot::index_manifest) else { return Ok(Vec::new()) };
        let path = self.manifests.path(name);
        let entries = IndexManifest::read(&self.file_io, &path)
            .await
            .map_err(|error| lake_error(error, &format!("read the index manifest `{path}`")))?;
        let mut live: Vec<IndexManifestEntry> = Vec::with_capacity(entries.len());
        for entry in entries {
            live.retain(|known| !is_same_index_file(known, &entry));
            if entry.kind == FileKind::Add {
                live.push(entry);
            }
        }
        Ok(live)
    }

    /// Numbers the rows of new files, where the table tracks rows; `None` where it does not.
    fn assign_row_ids(&self, latest: Option<&Snapshot>, added: &mut [Entry]) -> Result<Option<i64>, LakeError> {
        if !CoreOptions::new(self.table.schema().options()).row_tracking_enabled() {
            return Ok(None);
        }
        let snapshot_id = latest.map_or(1, |latest| latest.id() + 1);
        let mut next = latest.and_then(Snapshot::next_row_id).unwrap_or(0);
        for Entry { file, .. } in added {
            if file.file_name.ends_with(".blob") || file.file_name.contains(".vector.") {
                return Err(LakeError::Unsupported(format!(
                    "Cannot commit to `{}`: files of their own for BLOB or VECTOR columns are not supported.",
                    self.name()
                )));
            }
            // Zero stands for the snapshot that is not known yet when a file is written.
            if file.min_sequence_number == 0 {
                (file.min_sequence_number, file.max_sequence_number) = (snapshot_id, snapshot_id);
            }
            if file.first_row_id.is_none() {
                file.first_row_id = Some(next);
                next += file.row_count;
            }
        }
        Ok(Some(next))
    }
}

/// Whether a file only takes rows away.
fn deletes_only(file: &DataFileMeta) -> bool {
    file.delete_row_count == Some(file.row_count)
}

fn has_compaction(message: &CommitMessage) -> bool {
    !message.compact_before.is_empty()
        || !message.compact_after.is_empty()
        || !message.compact_changelog_files.is_empty()
        || !message.compact_new_index_files.is_empty()
        || !message.compact_deleted_index_files.is_empty()
}

//! The only writer of snapshots. A commit is made of files that nobody sees yet; publishing `snapshot-N` put-if-absent
//! makes them part of the table, or someone else was faster and it is tried again on top of their snapshot.

mod conflict;
mod plan;
mod scope;

pub use scope::{OverwriteScope, PartitionSpec};

use crate::catalog::Catalog;
use crate::error::lake_error;
use crate::manifest::{self, Entry, ManifestWriter, Manifests, Merge};
use crate::put_if_absent::{PublishError, Published};
use crate::snapshot::Snapshots;
use crate::storage::Storage;
use crate::store_error;
use crate::table::PreparedWrite;
use bytes::Bytes;
use model::table::TableRef;
use paimon::io::FileIO;
use paimon::spec::{
    CommitKind, CoreOptions, FileKind, IndexManifest, IndexManifestEntry, ManifestFileMeta, Snapshot, TableSchema,
};
use paimon::table::{CommitMessage, Table};
use ports::lake::LakeError;
use ports::sql_engine::CommitJournal;
use rand::Rng as _;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::OwnedMutexGuard;

/// A batch statement has no sequence of commits: Paimon marks that with the largest identifier.
const COMMIT_IDENTIFIER: i64 = i64::MAX;
/// Version of the snapshot format.
const SNAPSHOT_VERSION: i32 = 3;
/// How long an unanswered publication is looked after before its outcome is called unknown.
const DOUBT_MAX: Duration = Duration::from_secs(60);
const DOUBT_DELAY: Duration = Duration::from_secs(1);
/// Losing a race is normal: unless the table says otherwise, it is tried this often, this long, with pauses up to this.
const RETRIES_MAX: u32 = 10_000;
const TIMEOUT: Duration = Duration::from_secs(600);
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(250);

/// What a commit does to a table.
pub enum Change {
    /// Adds files; or replaces some by others, where the write names files to delete.
    Append(PreparedWrite),
    Overwrite {
        scope: OverwriteScope,
        write: PreparedWrite,
    },
    /// An overwrite with nothing: TRUNCATE, DROP PARTITION.
    Truncate {
        scope: OverwriteScope,
        commit_user: String,
    },
}

/// Hears of a commit before it is published.
#[derive(Clone)]
pub struct Journal {
    pub table: TableRef,
    pub journal: Arc<dyn CommitJournal>,
}

/// What was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// `None`: there was nothing to write.
    pub snapshot_id: Option<i64>,
    /// How many rows the table gained, negative where it lost some; files are counted, not merged rows.
    pub row_count: i64,
}

/// Why nothing was committed, or why that is not known.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Nothing was published: others changed what this commit relies on. The statement may be run again.
    #[error("{0}")]
    Conflict(String),
    /// Nothing was published.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// It may or may not have been published; [`Catalog::find_commit`](ports::lake::LakeCatalog::find_commit) tells
    /// once the store answers again.
    #[error("{message}")]
    Unknown {
        message: String,
        commit_user: String,
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

/// A name for the writer of one statement, by which its commit is found again.
pub fn commit_user() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// What is remembered of a table between commits; whoever holds it is the only one in this process who commits.
#[derive(Debug, Default)]
pub(crate) struct TableState {
    /// A snapshot that was the newest once.
    latest: Option<i64>,
    /// Manifests of that snapshot's lists, by the names of base and delta list: lists never change.
    manifests: Option<(String, String, Vec<ManifestFileMeta>)>,
    /// The option `bucket` of the schemas seen so far.
    buckets: HashMap<i64, i32>,
}

impl Catalog {
    /// Publishes a change. New files that did not become part of the table are deleted, unless the outcome is unknown.
    /// Once the table's turn has come, the commit runs to its end even if the caller goes away.
    pub async fn commit(
        &self,
        table: &Table,
        change: Change,
        journal: Option<Journal>,
    ) -> Result<Committed, CommitError> {
        let (scope, write, commit_user) = match change {
            Change::Append(write) => {
                let commit_user = write.commit_user().to_owned();
                (None, Some(write), commit_user)
            }
            Change::Overwrite { scope, write } => {
                let commit_user = write.commit_user().to_owned();
                (Some(scope), Some(write), commit_user)
            }
            Change::Truncate { scope, commit_user } => (Some(scope), None, commit_user),
        };
        let state = self.turn(table.location()).await;
        let parts = write.map(PreparedWrite::into_parts);
        let (messages, base, writer_turn) = parts.map_or((Vec::new(), None, None), |p| (p.messages, p.base, p.turn));
        let location = table.location().trim_end_matches('/').to_owned();
        let file_io = self.storage().file_io();
        let mut committer = Committer {
            storage: self.storage().clone(),
            manifests: Manifests::of(file_io.clone(), &location, table.schema()),
            patience: Patience::of(table.schema()),
            file_io,
            location,
            table: table.clone(),
            state,
            scope,
            messages,
            base,
            commit_user: commit_user.clone(),
            journal,
            delta: None,
            changelog: None,
            merge: None,
        };
        let run = tokio::spawn(async move {
            let result = committer.run().await;
            drop(writer_turn);
            result
        });
        run.await.unwrap_or_else(|stopped| {
            Err(CommitError::Unknown {
                message: "The commit was interrupted; it is not known whether it was published.".into(),
                commit_user,
                source: Some(Box::new(stopped)),
            })
        })
    }
}

/// How long races are lost before giving up.
struct Patience {
    retries_max: u32,
    timeout: Duration,
    pause_min: Duration,
    pause_max: Duration,
}

impl Patience {
    fn of(schema: &TableSchema) -> Self {
        let options = CoreOptions::new(schema.options());
        let is_set = |key: &str| schema.options().contains_key(key);
        let millis = |key, value: u64, default| if is_set(key) { Duration::from_millis(value) } else { default };
        Self {
            retries_max: if is_set("commit.max-retries") { options.commit_max_retries() } else { RETRIES_MAX },
            timeout: millis("commit.timeout", options.commit_timeout_ms(), TIMEOUT),
            pause_min: millis("commit.min-retry-wait", options.commit_min_retry_wait_ms(), PAUSE_MIN),
            pause_max: millis("commit.max-retry-wait", options.commit_max_retry_wait_ms(), PAUSE_MAX),
        }
    }

    /// Pauses before retry `n`: longer each time, and never in step with the others.
    async fn pause(&self, n: u32) {
        let longest = self.pause_min.saturating_mul(1 << n.min(16)).min(self.pause_max);
        let pause = longest.mul_f64(rand::rng().random_range(0.0..=1.0));
        tokio::time::sleep(pause).await;
    }
}

/// Manifests that were written once and serve every attempt.
struct Written {
    list: String,
    manifests: Vec<ManifestFileMeta>,
    files: Vec<String>,
}

/// What one attempt would change, on top of one snapshot.
struct Plan {
    kind: CommitKind,
    entries: Vec<Entry>,
    changelog: Vec<Entry>,
    /// The new content of the index manifest; `None` carries the old one on.
    index: Option<Vec<IndexManifestEntry>>,
    next_row_id: Option<i64>,
    /// The entries are the same whatever snapshot they come on top of.
    is_independent: bool,
}

/// A snapshot that is ready to be published.
struct Attempt {
    snapshot: Snapshot,
    /// Files that serve this attempt only.
    files: Vec<String>,
    manifests: Vec<ManifestFileMeta>,
    uses_merge: bool,
}

/// How publishing ended.
enum Verdict {
    Won,
    Lost,
    Failed(opendal::Error),
    Unknown(Option<opendal::Error>),
}

struct Committer {
    storage: Storage,
    file_io: FileIO,
    location: String,
    table: Table,
    manifests: Manifests,
    state: OwnedMutexGuard<TableState>,
    patience: Patience,
    scope: Option<OverwriteScope>,
    messages: Vec<CommitMessage>,
    /// The snapshot (0: none) whose bucket index the writer relied on.
    base: Option<i64>,
    commit_user: String,
    journal: Option<Journal>,
    delta: Option<Written>,
    changelog: Option<Written>,
    merge: Option<Merge>,
}

impl Committer {
    async fn run(&mut self) -> Result<Committed, CommitError> {
        let result = self.try_until_decided().await;
        if let Err(CommitError::Conflict(_) | CommitError::Lake(_)) = &result {
            self.take_back().await;
        }
        result
    }

    async fn try_until_decided(&mut self) -> Result<Committed, CommitError> {
        self.check_messages()?;
        let schema_id = self.newest_schema_id(true).await?;
        let started = Instant::now();
        let mut retries = 0;
        let mut schema_id = Some(schema_id);
        loop {
            let schema_id = match schema_id.take() {
                Some(id) => id,
                None => self.newest_schema_id(false).await?,
            };
            let latest = self.snapshots().latest(self.state.latest).await?;
            let Some(plan) = self.plan(latest.as_ref(), schema_id).await? else {
                return Ok(Committed { snapshot_id: None, row_count: 0 });
            };
            if retries == 0
                && let Some(Journal { table, journal }) = self.journal.take()
            {
                journal.will_commit(&table, &self.commit_user).await.map_err(|message| LakeError::Internal {
                    message: format!("The commit could not be recorded beforehand: {message}"),
                    source: None,
                })?;
            }
            let attempt = self.prepare(latest.as_ref(), schema_id, plan).await?;
            match self.publish(&attempt.snapshot).await? {
                Verdict::Won => return Ok(self.won(attempt).await),
                Verdict::Lost => manifest::remove(&self.manifests, &attempt.files).await,
                Verdict::Failed(error) => {
                    manifest::remove(&self.manifests, &attempt.files).await;
                    let doing = format!("publish a snapshot of `{}`", self.name());
                    return Err(store_error::lake_error(error, &doing).into());
                }
                Verdict::Unknown(error) => {
                    return Err(CommitError::Unknown {
                        message: format!(
                            "The store does not tell whether snapshot {} of `{}` was published.",
                            attempt.snapshot.id(),
                            self.name()
                        ),
                        commit_user: self.commit_user.clone(),
                        source: error.map(|error| Box::new(error) as _),
                    });
                }
            }
            if retries >= self.patience.retries_max || started.elapsed() >= self.patience.timeout {
                return Err(CommitError::Conflict(format!(
                    "Other writers of `{}` were faster {} times in {} s. Try again when fewer write to it.",
                    self.name(),
                    retries + 1,
                    started.elapsed().as_secs()
                )));
            }
            self.patience.pause(retries).await;
            retries += 1;
        }
    }

    fn name(&self) -> String {
        self.table.identifier().full_name()
    }

    fn snapshots(&self) -> Snapshots<'_> {
        Snapshots { file_io: &self.file_io, location: &self.location }
    }

    /// The manifests of a snapshot, oldest first.
    async fn manifests_of(&mut self, snapshot: &Snapshot) -> Result<Vec<ManifestFileMeta>, LakeError> {
        let (base, delta) = (snapshot.base_manifest_list(), snapshot.delta_manifest_list());
        if let Some((known_base, known_delta, manifests)) = &self.state.manifests
            && (known_base.as_str(), known_delta.as_str()) == (base, delta)
        {
            return Ok(manifests.clone());
        }
        let (mut manifests, newest) =
            futures::try_join!(self.manifests.read_list(base), self.manifests.read_list(delta))?;
        manifests.extend(newest);
        self.state.manifests = Some((base.to_owned(), delta.to_owned(), manifests.clone()));
        Ok(manifests)
    }

    /// Writes everything that the snapshot refers to.
    async fn prepare(&mut self, latest: Option<&Snapshot>, schema_id: i64, plan: Plan) -> Result<Attempt, CommitError> {
        let previous = match latest {
            Some(latest) => self.manifests_of(latest).await?,
            None => Vec::new(),
        };
        let (base, uses_merge) = self.merged(previous).await?;
        let manifests = self.manifests.clone();
        let mut writer = ManifestWriter::new(&manifests);
        let written = self.write_lists(&mut writer, &base, latest, schema_id, &plan).await;
        match written {
            Ok((snapshot, delta)) => {
                let mut manifests = base;
                manifests.extend(delta);
                Ok(Attempt { snapshot, files: writer.into_written(), manifests, uses_merge })
            }
            Err(error) => {
                manifest::remove(&manifests, &writer.into_written()).await;
                Err(error.into())
            }
        }
    }

    /// The list with what is due merged, and whether something was.
    async fn merged(&mut self, list: Vec<ManifestFileMeta>) -> Result<(Vec<ManifestFileMeta>, bool), LakeError> {
        if let Some(merge) = &self.merge {
            if let Some(merged) = merge.apply(&list) {
                return Ok((merged, true));
            }
            manifest::remove(&self.manifests, &merge.written).await;
        }
        self.merge = manifest::merge(&self.manifests, &list).await?;
        match self.merge.as_ref().and_then(|merge| merge.apply(&list)) {
            Some(merged) => Ok((merged, true)),
            None => Ok((list, false)),
        }
    }

    async fn write_lists(
        &mut self,
        writer: &mut ManifestWriter<'_>,
        base: &[ManifestFileMeta],
        latest: Option<&Snapshot>,
        schema_id: i64,
        plan: &Plan,
    ) -> Result<(Snapshot, Vec<ManifestFileMeta>), LakeError> {
        if !plan.is_independent
            && let Some(stale) = self.delta.take()
        {
            manifest::remove(&self.manifests, &stale.files).await;
        }
        if self.delta.is_none() {
            self.delta = Some(write_entries(&self.manifests, &plan.entries).await?);
        }
        if self.changelog.is_none() && !plan.changelog.is_empty() {
            self.changelog = Some(write_entries(&self.manifests, &plan.changelog).await?);
        }
        let base_list = writer.write_list(base).await?;
        let index_manifest = match &plan.index {
            None => latest.and_then(Snapshot::index_manifest).map(str::to_owned),
            Some(entries) if entries.is_empty() => None,
            Some(entries) => Some(self.write_index(writer, entries).await?),
        };
        let statistics = self.inherited_statistics(latest, schema_id).await?;
        let changelog_size = match &self.changelog {
            Some(changelog) => Some(self.size(&changelog.list).await?),
            None => None,
        };
        let delta = self.delta.as_ref().expect("it was written above");
        let delta_rows = plan.entries.iter().map(signed_rows).sum::<i64>();
        let total_rows = latest.and_then(Snapshot::total_record_count).unwrap_or(0) + delta_rows;
        let snapshot = Snapshot::builder()
            .version(SNAPSHOT_VERSION)
            .uuid(Some(uuid::Uuid::new_v4().to_string()))
            .id(latest.map_or(1, |latest| latest.id() + 1))
            .schema_id(schema_id)
            .base_manifest_list(base_list)
            .delta_manifest_list(delta.list.clone())
            .changelog_manifest_list(self.changelog.as_ref().map(|changelog| changelog.list.clone()))
            .changelog_manifest_list_size(changelog_size)
            .changelog_record_count(
                self.changelog.is_some().then(|| plan.changelog.iter().map(|entry| entry.file.row_count).sum()),
            )
            .index_manifest(index_manifest)
            .commit_user(self.commit_user.clone())
            .commit_identifier(COMMIT_IDENTIFIER)
            .commit_kind(plan.kind.clone())
            // Time travel searches by time: a clock that is set back must not put a snapshot before its parent.
            .time_millis(latest.map_or(0, Snapshot::time_millis).max(now_millis()))
            .total_record_count(Some(total_rows))
            .delta_record_count(Some(delta_rows))
            .watermark(latest.and_then(Snapshot::watermark))
            .statistics(statistics)
            .next_row_id(plan.next_row_id)
            .build();
        Ok((snapshot, delta.manifests.clone()))
    }

    async fn write_index(
        &self,
        writer: &mut ManifestWriter<'_>,
        entries: &[IndexManifestEntry],
    ) -> Result<String, LakeError> {
        let name = writer.claim("index-manifest");
        let path = self.manifests.path(&name);
        IndexManifest::write_with_compression(&self.file_io, &path, entries, self.manifests.compression())
            .await
            .map_err(|error| lake_error(error, &format!("write the index manifest `{path}`")))?;
        Ok(name)
    }

    async fn size(&self, name: &str) -> Result<i64, LakeError> {
        let path = self.manifests.path(name);
        let status = self.file_io.get_status(&path).await;
        let status = status.map_err(|error| lake_error(error, &format!("read `{path}`")))?;
        Ok(i64::try_from(status.size).unwrap_or(i64::MAX))
    }

    /// Statistics stay valid as long as the schema they were computed for does.
    async fn inherited_statistics(
        &self,
        latest: Option<&Snapshot>,
        schema_id: i64,
    ) -> Result<Option<String>, LakeError> {
        let Some(name) = latest.and_then(Snapshot::statistics) else { return Ok(None) };
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Statistics {
            schema_id: i64,
        }
        let path = format!("{}/statistics/{name}", self.location);
        let read = async { self.file_io.new_input(&path)?.read().await };
        let bytes = read.await.map_err(|error| lake_error(error, &format!("read the statistics `{path}`")))?;
        // Statistics are a help for planning: without them the table is still whole.
        let statistics = serde_json::from_slice::<Statistics>(&bytes).ok();
        Ok(statistics.filter(|statistics| statistics.schema_id == schema_id).map(|_| name.to_owned()))
    }

    /// Publishes until it is decided who has the snapshot's number. The bytes stay the same throughout, so that a
    /// request which arrives late does no harm.
    async fn publish(&mut self, snapshot: &Snapshot) -> Result<Verdict, CommitError> {
        let path = self.snapshots().path(snapshot.id());
        let bytes = serde_json::to_vec(snapshot).map(Bytes::from).map_err(|error| LakeError::Internal {
            message: "The snapshot cannot be written as JSON.".into(),
            source: Some(Box::new(error)),
        })?;
        let in_doubt_since = Instant::now();
        let mut is_in_doubt = false;
        loop {
            let error = match self.storage.publish(&path, bytes.clone()).await {
                Ok(Published::Won) => return Ok(Verdict::Won),
                Ok(Published::Lost) if !is_in_doubt => return Ok(Verdict::Lost),
                Ok(Published::Lost) => None,
                Err(PublishError::NotPublished(error)) if !is_in_doubt => return Ok(Verdict::Failed(error)),
                Err(PublishError::NotPublished(error) | PublishError::Unknown(error)) => Some(error),
            };
            is_in_doubt = true;
            match self.snapshots().read(snapshot.id()).await {
                Ok(Some(stored)) if stored.uuid().is_some() && stored.uuid() == snapshot.uuid() => {
                    return Ok(Verdict::Won);
                }
                Ok(Some(_)) => return Ok(Verdict::Lost),
                Ok(None) | Err(_) if in_doubt_since.elapsed() >= DOUBT_MAX => return Ok(Verdict::Unknown(error)),
                Ok(None) | Err(_) => tokio::time::sleep(DOUBT_DELAY).await,
            }
        }
    }

    /// Remembers the table as it is now.
    async fn won(&mut self, attempt: Attempt) -> Committed {
        let Attempt { snapshot, manifests, uses_merge, .. } = attempt;
        if !uses_merge && let Some(unused) = self.merge.take() {
            manifest::remove(&self.manifests, &unused.written).await;
        }
        let lists = (snapshot.base_manifest_list().to_owned(), snapshot.delta_manifest_list().to_owned());
        self.state.latest = Some(snapshot.id());
        self.state.manifests = Some((lists.0, lists.1, manifests));
        // A hint: whoever finds it stale or missing lists the folder.
        if let Err(error) = self.table.snapshot_manager().write_latest_hint(snapshot.id()).await {
            tracing::debug!("the hint of `{}` was not written: {error}", self.name());
        }
        let row_count = snapshot.delta_record_count().unwrap_or(0);
        tracing::info!(
            table.name = %self.name(),
            snapshot.id = snapshot.id(),
            "committed snapshot {} to `{}`",
            snapshot.id(),
            self.name()
        );
        Committed { snapshot_id: Some(snapshot.id()), row_count }
    }

    /// Nothing was published: takes back what was written for it.
    async fn take_back(&mut self) {
        let written =
            [self.delta.take(), self.changelog.take()].into_iter().flatten().flat_map(|written| written.files);
        let mut files: Vec<String> = written.collect();
        files.extend(self.merge.take().into_iter().flat_map(|merge| merge.written));
        manifest::remove(&self.manifests, &files).await;
        crate::table::delete_files(&self.table, &self.messages).await;
    }
}

async fn write_entries(manifests: &Manifests, entries: &[Entry]) -> Result<Written, LakeError> {
    let mut writer = ManifestWriter::new(manifests);
    let write = async {
        let metas = writer.write(entries).await?;
        Ok((writer.write_list(&metas).await?, metas))
    };
    match write.await {
        Ok((list, metas)) => Ok(Written { list, manifests: metas, files: writer.into_written() }),
        Err(error) => {
            manifest::remove(manifests, &writer.into_written()).await;
            Err(error)
        }
    }
}

fn signed_rows(entry: &Entry) -> i64 {
    match entry.kind {
        FileKind::Add => entry.file.row_count,
        FileKind::Delete => -entry.file.row_count,
    }
}

fn now_millis() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

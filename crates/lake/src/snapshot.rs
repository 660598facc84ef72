//! Reading a table's snapshots.

use crate::error::{is_not_found, lake_error};
use paimon::io::FileIO;
use paimon::spec::Snapshot;
use ports::lake::LakeError;

/// How far a hint may lie behind before the folder is listed instead.
const STEPS_MAX: usize = 32;
/// How often the folder is listed while snapshots vanish between listing and reading.
const LISTINGS_MAX: usize = 5;

/// The snapshots of one table. A hint is where a search begins, never its answer.
pub(crate) struct Snapshots<'a> {
    pub(crate) file_io: &'a FileIO,
    pub(crate) location: &'a str,
}

impl Snapshots<'_> {
    pub(crate) fn path(&self, id: i64) -> String {
        format!("{}/snapshot/snapshot-{id}", self.location)
    }

    /// The newest snapshot. `known` is one that was the newest a moment ago.
    pub(crate) async fn latest(&self, known: Option<i64>) -> Result<Option<Snapshot>, LakeError> {
        let start = match known {
            Some(id) => Some(id),
            None => self.hint("LATEST").await,
        };
        if let Some(start) = start
            && let Some(found) = self.newest_from(start).await?
        {
            return Ok(Some(found));
        }
        for _ in 0..LISTINGS_MAX {
            let Some(newest) = self.ids().await?.pop() else { return Ok(None) };
            if let Some(snapshot) = self.newest_from(newest).await? {
                return Ok(Some(snapshot));
            }
        }
        Err(LakeError::Conflict("The table's snapshots change faster than they can be read. Try again.".into()))
    }

    /// The newest of the snapshots that follow `start` without a gap; `None` where `start` does not exist or is far
    /// behind.
    async fn newest_from(&self, start: i64) -> Result<Option<Snapshot>, LakeError> {
        let Some(mut newest) = self.read(start).await? else { return Ok(None) };
        for _ in 0..STEPS_MAX {
            match self.read(newest.id() + 1).await? {
                Some(next) => newest = next,
                None => return Ok(Some(newest)),
            }
        }
        Ok(None)
    }

    /// A snapshot, `None` where it does not exist (any more).
    pub(crate) async fn read(&self, id: i64) -> Result<Option<Snapshot>, LakeError> {
        let doing = || format!("read snapshot {id} of `{}`", self.location);
        let read = async { self.file_io.new_input(&self.path(id))?.read().await };
        let bytes = match read.await {
            Ok(bytes) => bytes,
            Err(error) if is_not_found(&error) => return Ok(None),
            Err(error) => return Err(lake_error(error, &doing())),
        };
        let snapshot: Snapshot = serde_json::from_slice(&bytes)
            .map_err(|error| LakeError::Invalid(format!("Cannot {}: the file is damaged ({error}).", doing())))?;
        if snapshot.id() != id {
            return Err(LakeError::Invalid(format!("Cannot {}: the file holds snapshot {}.", doing(), snapshot.id())));
        }
        Ok(Some(snapshot))
    }

    /// The ids of all snapshots, ascending.
    pub(crate) async fn ids(&self) -> Result<Vec<i64>, LakeError> {
        let folder = format!("{}/snapshot", self.location);
        let entries = match self.file_io.list_status(&folder).await {
            Ok(entries) => entries,
            Err(error) if is_not_found(&error) => return Ok(Vec::new()),
            Err(error) => return Err(lake_error(error, &format!("list the snapshots of `{}`", self.location))),
        };
        let mut ids: Vec<i64> = entries.iter().filter_map(|entry| version_id(&entry.path, "snapshot-")).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    async fn hint(&self, name: &str) -> Option<i64> {
        let input = self.file_io.new_input(&format!("{}/snapshot/{name}", self.location)).ok()?;
        let bytes = input.read().await.ok()?;
        std::str::from_utf8(&bytes).ok()?.trim().parse().ok().filter(|id| *id > 0)
    }
}

/// The number in `…/<prefix><number>`.
pub(crate) fn version_id(path: &str, prefix: &str) -> Option<i64> {
    let digits = path.rsplit('/').next()?.strip_prefix(prefix)?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

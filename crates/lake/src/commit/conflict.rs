//! What must hold between a change and the table it is made to.

use super::CommitError;
use crate::manifest::{Entry, normal_partition};
use paimon::spec::IndexManifestEntry;
use std::collections::{HashMap, HashSet};

const HASH_INDEX: &str = "HASH";
pub(super) const DELETION_VECTORS_INDEX: &str = "DELETION_VECTORS";

/// Every file that is taken away must be there.
pub(super) fn check_deletions(live: &[Entry], removed: &[Entry], table: &str) -> Result<(), CommitError> {
    let mut live: HashSet<_> = live.iter().map(Entry::key).collect();
    for entry in removed {
        if !live.remove(&entry.key()) {
            return Err(CommitError::Conflict(format!(
                "File deletion conflicts detected! Another writer replaced files of `{table}` that this statement \
                 rewrote. Run it again."
            )));
        }
    }
    Ok(())
}

/// Within a partition all files agree on the number of buckets.
pub(super) fn check_buckets(
    live: &[Entry],
    removed: &[Entry],
    added: &[Entry],
    table: &str,
) -> Result<(), CommitError> {
    let removed: HashSet<_> = removed.iter().map(Entry::key).collect();
    let mut totals: HashMap<&[u8], i32> = HashMap::new();
    let stays = live.iter().filter(|entry| !removed.contains(&entry.key()));
    for entry in stays.chain(added).filter(|entry| entry.total_buckets > 0) {
        let total = *totals.entry(normal_partition(&entry.partition)).or_insert(entry.total_buckets);
        if total != entry.total_buckets {
            return Err(CommitError::Conflict(format!(
                "A partition of `{table}` has {total} buckets, not {}. Perform INSERT OVERWRITE of the partition to \
                 give it the new number of buckets.",
                entry.total_buckets
            )));
        }
    }
    Ok(())
}

pub(super) fn is_deletion_vectors(entry: &IndexManifestEntry) -> bool {
    entry.index_file.index_type == DELETION_VECTORS_INDEX
}

pub(super) fn is_same_index_file(one: &IndexManifestEntry, other: &IndexManifestEntry) -> bool {
    normal_partition(&one.partition) == normal_partition(&other.partition)
        && one.bucket == other.bucket
        && one.index_file.index_type == other.index_file.index_type
        && one.index_file.file_name == other.index_file.file_name
}

/// The index files after a change. A bucket has one HASH index, so a new one replaces the old.
pub(super) fn merge_index(
    mut index: Vec<IndexManifestEntry>,
    added: &[IndexManifestEntry],
    removed: &[IndexManifestEntry],
    table: &str,
) -> Result<Vec<IndexManifestEntry>, CommitError> {
    for gone in removed {
        match index.iter().position(|known| is_same_index_file(known, gone)) {
            Some(position) => drop(index.remove(position)),
            None if is_deletion_vectors(gone) => {
                return Err(CommitError::Conflict(format!(
                    "Another writer deleted rows of the same files of `{table}`. Run the statement again."
                )));
            }
            None => {}
        }
    }
    let place = |entry: &IndexManifestEntry| (normal_partition(&entry.partition).to_vec(), entry.bucket);
    let hashed: HashSet<_> =
        added.iter().filter(|entry| entry.index_file.index_type == HASH_INDEX).map(place).collect();
    index.retain(|known| known.index_file.index_type != HASH_INDEX || !hashed.contains(&place(known)));
    index.extend(added.iter().cloned());
    Ok(index)
}

/// A file has one deletion vector at most, and none once it is gone.
pub(super) fn check_vectors(index: &[IndexManifestEntry], removed: &[Entry], table: &str) -> Result<(), CommitError> {
    let gone: HashSet<_> =
        removed.iter().map(|e| (normal_partition(&e.partition), e.bucket, e.file.file_name.as_str())).collect();
    let mut seen = HashSet::new();
    for entry in index.iter().filter(|entry| is_deletion_vectors(entry)) {
        for file in entry.index_file.deletion_vectors_ranges.iter().flat_map(|ranges| ranges.keys()) {
            let key = (normal_partition(&entry.partition), entry.bucket, file.as_str());
            if gone.contains(&key) || !seen.insert(key) {
                return Err(CommitError::Conflict(format!(
                    "Another writer deleted rows of the same files of `{table}`. Run the statement again."
                )));
            }
        }
    }
    Ok(())
}

//! One level of a store.

use futures::TryStreamExt as _;
use opendal::{EntryMode, Operator, Result as StoreResult};

/// How many names a store is asked for at once.
const PAGE_MAX: usize = 1000;

/// The names directly below a folder.
#[derive(Debug, Default)]
pub(crate) struct Level {
    /// Without the trailing `/`.
    pub(crate) folders: Vec<String>,
    pub(crate) files: Vec<String>,
    /// Of each file, bytes.
    pub(crate) sizes: Vec<u64>,
    pub(crate) truncated: bool,
    /// Whether the store knows the folder: an object store has only those that hold something.
    pub(crate) exists: bool,
}

/// Reads at most `max` names of a folder; `folder` ends with `/`.
pub(crate) async fn level(operator: &Operator, folder: &str, max: usize) -> StoreResult<Level> {
    let mut entries = operator.lister_with(folder).limit(max.min(PAGE_MAX)).await?;
    let mut level = Level::default();
    while let Some(entry) = entries.try_next().await? {
        level.exists = true;
        let path = entry.path().trim_start_matches('/');
        let name = path.strip_prefix(folder.trim_start_matches('/')).unwrap_or(path).trim_end_matches('/');
        if name.is_empty() {
            continue;
        }
        if level.folders.len() + level.files.len() == max {
            level.truncated = true;
            break;
        }
        if entry.metadata().mode() == EntryMode::DIR {
            level.folders.push(name.to_owned());
        } else {
            level.files.push(name.to_owned());
            level.sizes.push(entry.metadata().content_length());
        }
    }
    Ok(level)
}

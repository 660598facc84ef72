//! Spooled results on disk: one Arrow file for each statement with rows, bounded in size and age.

use crate::{Config, Error};
use model::names::Id;
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The folder of all spools: `<data>/spool/<run>/<position>.arrow`.
#[derive(Clone)]
pub(crate) struct Spool {
    dir: PathBuf,
    bytes_max: u64,
    age_max: Duration,
    swept_at: Arc<Mutex<Instant>>,
}

/// The run of a younger folder may have begun and ended while its like were listed.
const ORPHAN_AGE_MIN: Duration = Duration::from_secs(60);
/// Shortest time between two sweeps that runs cause.
const SWEEP_PAUSE: Duration = Duration::from_secs(30);

/// The spool of one run, as a sweep sees it.
struct Kept {
    path: PathBuf,
    bytes: u64,
    modified: SystemTime,
}

impl Spool {
    pub(crate) fn open(config: &Config) -> Result<Self, Error> {
        let dir = config.data_dir.join("spool");
        std::fs::create_dir_all(&dir).map_err(|error| Error::internal("make the spool folder", error))?;
        let limits = &config.limits;
        let age_max = Duration::from_secs(limits.spool_hours_max.saturating_mul(3600));
        let swept_at = Arc::new(Mutex::new(Instant::now()));
        Ok(Self { dir, bytes_max: limits.spool_bytes_max, age_max, swept_at })
    }

    /// Where the rows of a statement go. Runs are named by the server, never by a user.
    pub(crate) fn file(&self, run: &Id, position: usize) -> PathBuf {
        self.dir.join(run).join(format!("{position}.arrow"))
    }

    /// Makes the folder of a run.
    pub(crate) async fn prepare(&self, run: &Id) -> io::Result<()> {
        tokio::fs::create_dir_all(self.dir.join(run)).await
    }

    /// What a statement left that did not succeed.
    pub(crate) async fn discard(&self, run: &Id, position: usize) {
        let file = self.file(run, position);
        match tokio::fs::remove_file(&file).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(run.id = run, %error, "cannot remove a spool");
            }
            _ => {}
        }
    }

    /// Whether the last sweep was a while ago; who is told so sweeps.
    pub(crate) fn is_due(&self) -> bool {
        let mut swept_at = self.swept_at.lock().unwrap_or_else(PoisonError::into_inner);
        let due = swept_at.elapsed() >= SWEEP_PAUSE;
        if due {
            *swept_at = Instant::now();
        }
        due
    }

    /// Removes what belongs to no run, is too old, or is too much; never what belongs to a run in `active`.
    pub(crate) async fn sweep(&self, known: HashSet<Id>, active: HashSet<Id>) {
        let spool = self.clone();
        let swept = tokio::task::spawn_blocking(move || spool.sweep_now(&known, &active)).await;
        match swept {
            Ok(Ok(removed)) if removed > 0 => tracing::info!(runs = removed, "removed spools"),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "cannot sweep the spool"),
            Err(error) => tracing::warn!(%error, "cannot sweep the spool"),
        }
    }

    fn sweep_now(&self, known: &HashSet<Id>, active: &HashSet<Id>) -> io::Result<usize> {
        let now = SystemTime::now();
        let mut removed = 0;
        let mut kept = Vec::new();
        for entry in std::fs::read_dir(&self.dir)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if active.contains(&name) {
                continue;
            }
            let (bytes, modified) = weigh(&entry.path())?;
            let age = now.duration_since(modified).unwrap_or_default();
            let is_orphan = !known.contains(&name) && age > ORPHAN_AGE_MIN;
            if age > self.age_max || is_orphan {
                remove(&entry.path())?;
                removed += 1;
            } else {
                kept.push(Kept { path: entry.path(), bytes, modified });
            }
        }
        let mut bytes: u64 = kept.iter().map(|kept| kept.bytes).sum();
        kept.sort_by_key(|kept| kept.modified);
        for oldest in kept {
            if bytes <= self.bytes_max {
                break;
            }
            remove(&oldest.path)?;
            bytes -= oldest.bytes;
            removed += 1;
        }
        Ok(removed)
    }
}

fn remove(path: &Path) -> io::Result<()> {
    if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }
}

/// Bytes in a folder, and when something in it last changed.
fn weigh(path: &Path) -> io::Result<(u64, SystemTime)> {
    let metadata = std::fs::symlink_metadata(path)?;
    let mut bytes = 0;
    let mut modified = metadata.modified()?;
    if metadata.is_dir() {
        for entry in std::fs::read_dir(path)? {
            let metadata = entry?.metadata()?;
            bytes += metadata.len();
            modified = modified.max(metadata.modified()?);
        }
    }
    Ok((bytes, modified))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spool(dir: &Path, bytes_max: u64, age_max: Duration) -> Spool {
        Spool { dir: dir.to_owned(), bytes_max, age_max, swept_at: Arc::new(Mutex::new(Instant::now())) }
    }

    fn put(dir: &Path, run: &str, bytes: usize, age: Duration) {
        let run = dir.join(run);
        std::fs::create_dir_all(&run).unwrap();
        let file = run.join("0.arrow");
        std::fs::write(&file, vec![0; bytes]).unwrap();
        let at = SystemTime::now() - age;
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(at).unwrap();
        std::fs::File::open(&run).unwrap().set_modified(at).unwrap();
    }

    fn left(dir: &Path) -> String {
        let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names.join(" ")
    }

    fn ids(text: &str) -> HashSet<Id> {
        text.split(' ').map(Id::from).collect()
    }

    #[test]
    fn orphans_old_ones_and_too_much_go() {
        let dir = tempfile::tempdir().unwrap();
        let hour = Duration::from_secs(3600);
        for (n, run) in ["a", "b", "c", "d"].into_iter().enumerate() {
            put(dir.path(), run, 100, hour * u32::try_from(n).unwrap());
        }
        put(dir.path(), "orphan", 1, hour);
        put(dir.path(), "young", 1, Duration::ZERO);
        put(dir.path(), "running", 1000, hour * 100);
        let spool = spool(dir.path(), 250, hour * 5 / 2);
        let removed = spool.sweep_now(&ids("a b c d running"), &ids("running")).unwrap();
        // d is too old, orphan belongs to nothing, c is the oldest of too much.
        assert_eq!((removed, left(dir.path()).as_str()), (3, "a b running young"));
    }
}

//! A warehouse in a local folder: paths stay inside it, and version files are published durably and at most once.

use crate::put_if_absent::{PublishError, Published};
use bytes::Bytes;
use opendal::raw::new_std_io_error;
use opendal::{Error, ErrorKind, Result as StoreResult};
use ports::connection::Egress;
use ports::lake::LakeError;
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How long a publication may take; slow disks need seconds for an fsync.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(30);
/// A temporary file that is older belongs to a writer that died.
pub(crate) const TEMPORARY_AGE_MAX: Duration = Duration::from_secs(3600);

/// Temporary files of ours begin so; those of other engines with the dot and the name of their target.
const OUR_PREFIX: &str = ".lakedeck-";
/// How long another engine is waited for that is about to publish under the same name.
const OTHERS_WAIT_MAX: Duration = Duration::from_secs(5);
const OTHERS_POLL: Duration = Duration::from_millis(2);

/// A folder with its symlinks resolved.
#[derive(Debug)]
pub(crate) struct LocalFolder {
    root: PathBuf,
    /// Folders that changed since they were last made durable.
    changed: Mutex<HashSet<PathBuf>>,
    /// Held while they are made durable: whoever then finds none of its folders left may rely on them.
    durable: tokio::sync::Mutex<()>,
}

impl LocalFolder {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, changed: Mutex::default(), durable: tokio::sync::Mutex::default() }
    }

    /// The file of a path below the folder. A symlink may not lead out of it. (Who can change links in the folder while
    /// we look is already past this check: it is for links that lie there.)
    pub(crate) fn resolve(&self, path: &str) -> StoreResult<PathBuf> {
        let mut target = self.root.clone();
        let mut exists = true;
        for part in Path::new(path.trim_start_matches('/')).components() {
            match part {
                Component::Normal(name) => target.push(name),
                Component::CurDir => continue,
                _ => return Err(outside(path)),
            }
            if !exists {
                continue;
            }
            match fs::symlink_metadata(&target) {
                Ok(found) if found.is_symlink() => match fs::canonicalize(&target) {
                    Ok(resolved) if resolved.starts_with(&self.root) => {}
                    // A dangling link would be followed by whoever creates its target.
                    Ok(_) | Err(_) => return Err(outside(path)),
                },
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => exists = false,
                Err(error) => return Err(new_std_io_error(error)),
            }
        }
        Ok(target)
    }

    /// Notes that an entry under `path` was made: its folder changed, and so may have every folder above it.
    pub(crate) fn touched(&self, path: &str) {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        for folder in Path::new(path.trim_matches('/')).ancestors().skip(1) {
            changed.insert(self.root.join(folder));
        }
    }

    /// Hidden file, fsync, fsync of every folder that changed before, `link(2)`, fsync of the folder.
    pub(crate) async fn publish(self: &Arc<Self>, path: &str, bytes: Bytes) -> Result<Published, PublishError> {
        let target = self.resolve(path).map_err(PublishError::NotPublished)?;
        self.make_durable().await.map_err(|error| PublishError::NotPublished(new_std_io_error(error)))?;
        let root = self.root.clone();
        let published = tokio::task::spawn_blocking(move || publish(&root, &target, &bytes));
        match tokio::time::timeout(PUBLISH_TIMEOUT, published).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panicked)) => Err(PublishError::Unknown(
                Error::new(ErrorKind::Unexpected, "publishing was interrupted").set_source(panicked),
            )),
            Err(_) => Err(PublishError::Unknown(Error::new(ErrorKind::Unexpected, "the disk did not answer in time"))),
        }
    }

    /// Temporary file and rename: readers see the old or the new content. Not made durable: it is a hint.
    pub(crate) async fn replace(self: &Arc<Self>, path: &str, bytes: Bytes) -> StoreResult<()> {
        let target = self.resolve(path)?;
        blocking(move || {
            let folder = parent(&target)?;
            fs::create_dir_all(folder)?;
            let temporary = temporary_beside(&target)?;
            let written = write_new(&temporary, &bytes).and_then(|_| fs::rename(&temporary, &target));
            if written.is_err() {
                // It is hidden and swept later.
                let _ = fs::remove_file(&temporary);
            }
            written
        })
        .await
        .map_err(new_std_io_error)
    }

    async fn make_durable(self: &Arc<Self>) -> io::Result<()> {
        let _turn = self.durable.lock().await;
        let changed = std::mem::take(&mut *self.changed.lock().unwrap_or_else(PoisonError::into_inner));
        if changed.is_empty() {
            return Ok(());
        }
        let folder = self.clone();
        blocking(move || {
            let synced = changed.iter().try_for_each(|folder| sync_folder(folder));
            if synced.is_err() {
                folder.changed.lock().unwrap_or_else(PoisonError::into_inner).extend(changed);
            }
            synced
        })
        .await
    }

    /// Removes hidden temporary files that writers which died left behind; tells how many.
    pub(crate) async fn sweep(self: &Arc<Self>) -> io::Result<u64> {
        let root = self.root.clone();
        blocking(move || {
            let mut removed = remove_old_temporaries(&root);
            for schema in folders(&root).filter(|folder| folder.extension().is_some_and(|e| e == "db")) {
                for table in folders(&schema) {
                    let branches = folders(&table.join("branch"));
                    for home in std::iter::once(table).chain(branches) {
                        for kind in ["snapshot", "schema", "tag", "changelog"] {
                            removed += remove_old_temporaries(&home.join(kind));
                        }
                    }
                }
            }
            Ok(removed)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    match tokio::time::timeout(PUBLISH_TIMEOUT, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(done)) => done,
        Ok(Err(panicked)) => Err(io::Error::other(panicked)),
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the disk did not answer in time")),
    }
}

fn outside(path: &str) -> Error {
    Error::new(ErrorKind::PermissionDenied, "the path leads out of the warehouse").with_context("path", path)
}

fn parent(target: &Path) -> io::Result<&Path> {
    target.parent().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
}

/// A hidden name in the same folder, which no reader lists as a version and which is told from other engines' names.
fn temporary_beside(target: &Path) -> io::Result<PathBuf> {
    let name = target.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    Ok(target.with_file_name(format!("{OUR_PREFIX}{}.{}.tmp", name.to_string_lossy(), uuid::Uuid::new_v4())))
}

pub(crate) fn is_temporary(name: &str) -> bool {
    if let Some(id) = name.strip_prefix(".probe-") {
        return uuid::Uuid::try_parse(id).is_ok();
    }
    let Some(inner) = name.strip_prefix('.').and_then(|rest| rest.strip_suffix(".tmp")) else { return false };
    inner.rsplit_once('.').is_some_and(|(_, id)| uuid::Uuid::try_parse(id).is_ok())
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    Ok(file)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder) {
        Ok(folder) => folder.sync_all(),
        // It was dropped since: nothing in it needs to last.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(()),
        Err(error) => Err(error),
    }
}

fn publish(root: &Path, target: &Path, bytes: &[u8]) -> Result<Published, PublishError> {
    let not_published = |error| PublishError::NotPublished(new_std_io_error(error));
    let folder = parent(target).map_err(not_published)?;
    let temporary = temporary_beside(target).map_err(not_published)?;
    let written = make_folders(root, folder)
        .and_then(|()| write_new(&temporary, bytes))
        .and_then(|file| file.sync_all().map(|()| file));
    let linked = written.and_then(|file| {
        wait_for_others(folder, target)?;
        link(&file, &temporary, target).map(|outcome| (file, outcome))
    });
    // Left behind when this process dies here: it is hidden and swept later.
    let _ = fs::remove_file(&temporary);
    match linked.map_err(not_published)? {
        (_, Published::Lost) => Ok(Published::Lost),
        // From here on the file can be seen: a failure leaves open whether it stays.
        (file, Published::Won) => still_ours(&file, folder, target)
            .and_then(|outcome| File::open(folder)?.sync_all().map(|()| outcome))
            .map_err(|error| PublishError::Unknown(new_std_io_error(error))),
    }
}

/// Other engines write `.<name>.<uuid>.tmp`, look whether `<name>` is free, and rename over whatever is there by then.
/// One that looked before we published may therefore take our place a moment later. Its temporary file tells: as long as
/// one lies there, nothing is decided; one that is made after ours was published finds the name taken.
fn wait_for_others(folder: &Path, target: &Path) -> io::Result<()> {
    let Some(name) = target.file_name() else { return Ok(()) };
    let prefix = [b".", name.as_encoded_bytes(), b"."].concat();
    let started = Instant::now();
    while started.elapsed() < OTHERS_WAIT_MAX && is_about_to_be_taken(folder, &prefix)? {
        std::thread::sleep(OTHERS_POLL);
    }
    Ok(())
}

/// Whether a young temporary file lies in a folder whose name begins so; an old one was left by a writer that died.
fn is_about_to_be_taken(folder: &Path, prefix: &[u8]) -> io::Result<bool> {
    // The folder holds every snapshot: this looks at names only.
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(prefix) && name.ends_with(b".tmp") {
            let age = |at| SystemTime::now().duration_since(at).unwrap_or_default();
            if entry.metadata().and_then(|found| found.modified()).is_ok_and(|at| age(at) < OTHERS_WAIT_MAX) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether the name still stands for our file once nobody else is about to take it.
fn still_ours(file: &File, folder: &Path, target: &Path) -> io::Result<Published> {
    wait_for_others(folder, target)?;
    let (ours, there) = (file.metadata()?, fs::metadata(target)?);
    let is_ours = (ours.dev(), ours.ino()) == (there.dev(), there.ino());
    Ok(if is_ours { Published::Won } else { Published::Lost })
}

/// Makes the folders between `root` and `folder` and their entries durable.
fn make_folders(root: &Path, folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    let above = folder.ancestors().skip(1).take_while(|above| above.starts_with(root));
    above.chain(root.parent()).try_for_each(sync_folder)
}

/// Gives the finished file its name unless the name is taken.
fn link(file: &File, temporary: &Path, target: &Path) -> io::Result<Published> {
    let error = match fs::hard_link(temporary, target) {
        Ok(()) => return Ok(Published::Won),
        Err(error) => error,
    };
    match error.kind() {
        // On network file systems the reply may be lost and the request repeated: a second link is ours.
        io::ErrorKind::AlreadyExists if file.metadata()?.nlink() > 1 => Ok(Published::Won),
        io::ErrorKind::AlreadyExists => Ok(Published::Lost),
        // Some file systems have no hard links.
        io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported | io::ErrorKind::TooManyLinks => {
            rename_unless_taken(temporary, target).map_err(|_| error)
        }
        _ => Err(error),
    }
}

fn rename_unless_taken(temporary: &Path, target: &Path) -> io::Result<Published> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, temporary, CWD, target, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(Published::Won),
        Err(rustix::io::Errno::EXIST) => Ok(Published::Lost),
        Err(error) => Err(error.into()),
    }
}

/// Folders directly below; none where there is nothing to list. Links are not followed.
fn folders(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
}

fn remove_old_temporaries(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let old = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_temporary)).filter(|entry| {
        let written = entry.metadata().and_then(|metadata| metadata.modified());
        written.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age > TEMPORARY_AGE_MAX))
    });
    old.filter(|entry| fs::remove_file(entry.path()).is_ok()).count() as u64
}

/// The folder with its symlinks resolved, if it lies in one of the permitted roots. It need not exist yet.
pub(crate) fn permitted_folder(egress: &Egress, folder: &str) -> Result<PathBuf, LakeError> {
    let resolved = resolve_existing(Path::new(folder))
        .map_err(|error| LakeError::Invalid(format!("The folder `{folder}` cannot be opened: {}.", words(&error))))?;
    if egress.allowed_roots.iter().any(|root| resolved.starts_with(root)) {
        return Ok(resolved);
    }
    Err(LakeError::Forbidden(format!(
        "The folder is outside the permitted roots: `{folder}`. The operator can permit it with --allowed-roots."
    )))
}

/// The same for a folder that is there. Opening one makes none: where a disk is not mounted, a new folder would hide it.
pub(crate) fn existing_folder(egress: &Egress, folder: &str) -> Result<PathBuf, LakeError> {
    let resolved = permitted_folder(egress, folder)?;
    match fs::metadata(&resolved) {
        Ok(found) if found.is_dir() => Ok(resolved),
        Ok(_) => Err(LakeError::Invalid(format!("`{folder}` is a file, not a folder."))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(LakeError::NotFound(format!("The folder `{folder}` does not exist.")))
        }
        Err(error) => Err(LakeError::Unavailable {
            message: format!("The folder `{folder}` cannot be opened: {}.", words(&error)),
            source: Some(Box::new(error)),
        }),
    }
}

/// The path with the symlinks of the part that exists resolved.
fn resolve_existing(folder: &Path) -> io::Result<PathBuf> {
    if folder.components().any(|part| part == Component::ParentDir) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path may not contain `..`"));
    }
    match fs::canonicalize(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(folder).is_err() => {
            match (folder.parent(), folder.file_name()) {
                (Some(above), Some(name)) => Ok(resolve_existing(above)?.join(name)),
                _ => Err(error),
            }
        }
        resolved => resolved,
    }
}

/// An operating system's error without its number.
pub(crate) fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it does not exist".into(),
        io::ErrorKind::PermissionDenied => "the server may not read it".into(),
        io::ErrorKind::NotADirectory => "a part of the path is a file".into(),
        _ => error.to_string(),
    }
}

//! The data directory: one owner process, and a socket through which others reach it.

use anyhow::{Context, bail};
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A data directory by its absolute path. Nothing in it is open yet.
#[derive(Clone, Debug)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// The directory that was asked for, or the user's own; it is made if it does not exist, for its owner only.
    pub fn prepare(given: Option<&Path>) -> anyhow::Result<Self> {
        let path = match given {
            Some(path) => path.to_owned(),
            None => default_path().context("there is no home directory: give --data-dir")?,
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("cannot make the data directory {}", path.display()))?;
        let path = path.canonicalize().with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Folders that `lakedeck open` was asked for: they stay permitted where no option says what is.
    pub fn permitted(&self) -> anyhow::Result<Vec<PathBuf>> {
        let path = self.0.join(PERMITTED);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.lines().map(PathBuf::from).collect()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Permits a folder from now on.
    pub fn permit(&self, folder: &Path) -> anyhow::Result<()> {
        if self.permitted()?.iter().any(|known| known == folder) {
            return Ok(());
        }
        let path = self.0.join(PERMITTED);
        let cannot = || format!("cannot write {}", path.display());
        let mut file = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&path).with_context(cannot)?;
        writeln!(file, "{}", folder.display()).with_context(cannot)
    }

    /// Whether no process has opened it before.
    pub fn is_new(&self) -> bool {
        !self.0.join(store::DATABASE_FILE).exists()
    }

    /// A folder in it that nobody but its owner reads, whatever the directory itself permits.
    pub fn private_folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.0.join(name);
        let cannot = || format!("cannot make {}", path.display());
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).with_context(cannot)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).with_context(cannot)?;
        Ok(path)
    }

    /// Where the owner process listens for this machine's administrator.
    fn socket(&self) -> PathBuf {
        self.0.join(SOCKET)
    }

    /// The socket's path in a form that a socket address can hold.
    pub fn socket_address(&self) -> anyhow::Result<SocketAddress> {
        let path = self.socket();
        if path.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
            return Ok(SocketAddress { path, _directory: None });
        }
        let directory = File::open(&self.0).with_context(|| format!("cannot open {}", self.0.display()))?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd())).join(SOCKET);
        Ok(SocketAddress { path, _directory: Some(directory) })
    }

    /// Where the owner process says under which address it serves.
    fn address_file(&self) -> PathBuf {
        self.0.join("lakedeck.address")
    }

    /// Becomes the owner, or `None` while another process is.
    pub fn try_own(&self) -> anyhow::Result<Option<Ownership>> {
        let path = self.0.join("lakedeck.lock");
        let lock = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the data directory"),
        }
        // What a process that was killed left behind.
        for stale in [self.socket(), self.address_file()] {
            match fs::remove_file(&stale) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", stale.display()));
                }
                _ => {}
            }
        }
        Ok(Some(Ownership { directory: self.clone(), _lock: lock }))
    }

    /// Becomes the owner, or says who stands in the way.
    pub fn own(&self) -> anyhow::Result<Ownership> {
        match self.try_own()? {
            Some(ownership) => Ok(ownership),
            None => {
                let whose = self.served_at().map(|url| format!(" (it serves {url})")).unwrap_or_default();
                bail!("another lakedeck process owns {}{whose}: stop it or use another --data-dir", self.0.display())
            }
        }
    }

    /// The address of the server that owns the directory, as far as it is known.
    pub fn served_at(&self) -> Option<String> {
        fs::read_to_string(self.address_file()).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }
}

/// One folder in a line.
const PERMITTED: &str = "allowed-roots";
const SOCKET: &str = "lakedeck.sock";
/// What `sockaddr_un` holds on every Unix.
const SOCKET_PATH_BYTES_MAX: usize = 100;

/// A path to the socket that is short enough; it holds as long as this lives.
#[derive(Debug)]
pub struct SocketAddress {
    path: PathBuf,
    _directory: Option<File>,
}

impl SocketAddress {
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The right to open what lies in a data directory; ends when dropped.
#[derive(Debug)]
pub struct Ownership {
    directory: DataDir,
    _lock: File,
}

impl Ownership {
    pub fn directory(&self) -> &DataDir {
        &self.directory
    }

    /// The socket, reachable by the owner of the directory only.
    pub fn listen(&self) -> anyhow::Result<tokio::net::UnixListener> {
        let address = self.directory.socket_address()?;
        let path = self.directory.socket();
        let cannot = || format!("cannot listen on {}", path.display());
        let listener = std::os::unix::net::UnixListener::bind(address.path()).with_context(cannot)?;
        listener.set_nonblocking(true).with_context(cannot)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).with_context(cannot)?;
        tokio::net::UnixListener::from_std(listener).with_context(cannot)
    }

    /// Tells other processes of this user where the console is.
    pub fn announce(&self, url: &str) -> anyhow::Result<()> {
        let path = self.directory.address_file();
        let mut file = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path)?;
        writeln!(file, "{url}").with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Drop for Ownership {
    fn drop(&mut self) {
        // A file that stays behind is removed by the next owner.
        _ = fs::remove_file(self.directory.socket());
        _ = fs::remove_file(self.directory.address_file());
    }
}

fn default_path() -> Option<PathBuf> {
    let absolute = |variable: &str| std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let share = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")))?;
    Some(share.join("lakedeck"))
}

/// The user's home, resolved: local warehouses may lie in it while only this machine is served.
pub fn home() -> Option<PathBuf> {
    PathBuf::from(std::env::var_os("HOME")?).canonicalize().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_owner() {
        let folder = tempfile::tempdir().expect("a folder");
        let directory = DataDir::prepare(Some(&folder.path().join("data"))).expect("prepared");
        let first = directory.own().expect("owned");
        first.announce("http://127.0.0.1:1").expect("announced");
        let refusal = directory.own().expect_err("one owner").to_string();
        assert!(
            refusal.contains("another lakedeck process owns") && refusal.contains("http://127.0.0.1:1"),
            "{refusal}"
        );
        drop(first);
        assert!(directory.served_at().is_none());
        directory.own().expect("free again");
    }
}

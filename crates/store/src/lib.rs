//! What Lakedeck knows by itself, in one SQLite database: one writer, several readers. Knows rows, not rules.
//!
//! Reads are methods of [`Store`], writes are methods of [`Tx`], so that a change and its audit entry live or die
//! together. A write that stands alone (a session, a setting) is a method of [`Store`], too.

mod audit;
mod data_source;
mod error;
mod external_project;
mod principal;
mod row;
mod run;
mod secret;
mod session;
mod setting;
mod worksheet;

pub use data_source::Secrets;
pub use error::{Error, Unique};
pub use external_project::NewProjectRow;
pub use principal::PrincipalRow;
pub use run::{JournalEntry, StatementRow};
pub use secret::KEY_FILE;

use secret::Sealer;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool, Transaction};
use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Name of the database in the data directory.
pub const DATABASE_FILE: &str = "lakedeck.db";
/// Held locked by the process that owns the data directory.
pub const LOCK_FILE: &str = "store.lock";

const READERS: u32 = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// The open database of a data directory. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    writer: SqlitePool,
    reader: SqlitePool,
    sealer: Arc<Sealer>,
    /// Dropped, and with it the lock released, with the last clone.
    _lock: Arc<File>,
}

impl Store {
    /// Opens the database in `data_dir`, which must exist; makes it, and its master key, where there is none.
    pub async fn open(data_dir: &Path) -> Result<Self, Error> {
        let lock = lock(data_dir)?;
        let path = data_dir.join(DATABASE_FILE);
        let is_new = !path.exists();
        let sealer = Sealer::load(data_dir, is_new)?;
        keep_private(&path)?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let pool =
            |connections: u32| SqlitePoolOptions::new().max_connections(connections).acquire_timeout(BUSY_TIMEOUT);
        let writer = pool(1).connect_with(options.clone()).await.map_err(|source| damaged_or(&path, source))?;
        migrate(&writer, &path).await?;
        let reader = pool(READERS)
            .connect_with(options.pragma("query_only", "on"))
            .await
            .map_err(|source| damaged_or(&path, source))?;
        let store = Self { writer, reader, sealer: Arc::new(sealer), _lock: Arc::new(lock) };
        store.check_key(data_dir).await?;
        Ok(store)
    }

    /// Starts the one write transaction there is: others wait until it ends. Dropping it takes everything back.
    pub async fn begin(&self) -> Result<Tx, Error> {
        let inner = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Tx { inner, sealer: self.sealer.clone() })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), Error> {
        sqlx::query("select 1").execute(&self.reader).await?;
        Ok(())
    }

    /// Ends all connections; the write-ahead log is folded into the database.
    pub async fn close(&self) {
        self.reader.close().await;
        // Without readers nothing is in its way. A log that stays is read at the next start.
        _ = sqlx::query("pragma wal_checkpoint(truncate)").execute(&self.writer).await;
        self.writer.close().await;
    }

    async fn read(&self) -> Result<PoolConnection<Sqlite>, Error> {
        Ok(self.reader.acquire().await?)
    }
}

/// A write transaction. Nothing is kept unless [`Tx::commit`] returned.
pub struct Tx {
    inner: Transaction<'static, Sqlite>,
    sealer: Arc<Sealer>,
}

impl Tx {
    pub async fn commit(self) -> Result<(), Error> {
        Ok(self.inner.commit().await?)
    }
}

fn lock(data_dir: &Path) -> Result<File, Error> {
    let path = data_dir.join(LOCK_FILE);
    let io = |doing| move |source| Error::Io { doing, path: data_dir.join(LOCK_FILE), source };
    let file = File::options().create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(io("open"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse(data_dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(io("lock")(source)),
    }
}

/// Nobody but the owner reads the database, whatever the folder around it permits. SQLite gives its other files the
/// permissions of the database.
fn keep_private(path: &Path) -> Result<(), Error> {
    let io = |source| Error::Io { doing: "protect", path: path.to_owned(), source };
    File::options().create(true).truncate(false).write(true).mode(0o600).open(path).map_err(io)?;
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        match fs::set_permissions(&file, Permissions::from_mode(0o600)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
    }
    Ok(())
}

async fn migrate(writer: &SqlitePool, path: &Path) -> Result<(), Error> {
    MIGRATOR.run(writer).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => Error::NewerSchema(version),
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => damaged_or(path, source),
        other => Error::Migration(other),
    })
}

/// `SQLITE_CORRUPT` and `SQLITE_NOTADB` have a cure of their own: the backup.
fn damaged_or(path: &Path, source: sqlx::Error) -> Error {
    let code = source.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<u32>().ok());
    match code.map(|code| code & 0xff) {
        Some(11 | 26) => Error::Damaged { path: PathBuf::from(path), source },
        _ => Error::Database(source),
    }
}

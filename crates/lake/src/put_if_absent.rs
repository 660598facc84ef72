//! Files that decide a commit (`snapshot-N`, `schema-N`, tags) are published put-if-absent: of any number of writers,
//! in this process or another, exactly one wins. The layer refuses every other way to write those names.

use crate::local_folder::LocalFolder;
use crate::store_error::is_unsigned;
use bytes::Bytes;
use opendal::raw::*;
use opendal::{
    Buffer, Capability, EntryMode, Error, ErrorKind, Metadata, OperationContext, Operator, Result as StoreResult,
};
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

/// A version file is metadata of kilobytes; one that exceeds this is a mistake.
const VERSION_BYTES_MAX: usize = 16 << 20;
/// How often a conditional PUT is tried while the store does not give an answer.
const ATTEMPTS_MAX: u32 = 4;
/// How long one request of a publication may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
const RETRY_DELAY_MIN: Duration = Duration::from_millis(100);

/// How a publication that was decided ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// The name was free and now holds our bytes.
    Won,
    /// The name is taken by someone else's bytes.
    Lost,
}

/// Why a publication was not decided.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Nothing was published.
    #[error("nothing was published")]
    NotPublished(#[source] Error),
    /// The bytes may or may not be there, now or in a moment: look again before doing anything else.
    #[error("it is not known whether the file was published")]
    Unknown(#[source] Error),
}

impl PublishError {
    pub fn into_store_error(self) -> Error {
        match self {
            Self::NotPublished(error) | Self::Unknown(error) => error,
        }
    }
}

/// What a path is to the commit protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Decides a commit: written once, never changed.
    Version,
    /// `LATEST`, `EARLIEST`: replaced as a whole.
    Hint,
    /// Looks like a version file but is none, e.g. `snapshot-7.tmp-…`, which older readers cannot parse.
    Reserved,
    Other,
}

impl Role {
    fn of(path: &str) -> Self {
        let mut parts = path.rsplit('/');
        let (name, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let prefix = match folder {
            "snapshot" => "snapshot-",
            "changelog" => "changelog-",
            "schema" => "schema-",
            "tag" if name.starts_with("tag-") => return Self::Version,
            _ => return Self::Other,
        };
        match name.strip_prefix(prefix) {
            Some(id) if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) => Self::Version,
            Some(_) => Self::Reserved,
            None if matches!(name, "LATEST" | "EARLIEST") => Self::Hint,
            None => Self::Other,
        }
    }
}

/// Publishes version files and hints of one warehouse.
#[derive(Debug)]
pub(crate) enum Publisher {
    /// Hidden file, fsync, `link(2)`.
    Local(Arc<LocalFolder>),
    /// Conditional PUT: `If-None-Match: *` on S3, `x-oss-forbid-overwrite` on OSS. The operator neither retries nor
    /// times out by itself: only who sees each answer can tell a lost race from a lost reply.
    Conditional(Operator),
}

impl Publisher {
    /// Puts `bytes` under a path that is free. Bytes must differ from those of every other attempt (a snapshot holds
    /// a UUID), because a lost reply is resolved by comparing what is stored with them.
    pub(crate) async fn publish(&self, path: &str, bytes: Bytes) -> Result<Published, PublishError> {
        if bytes.len() > VERSION_BYTES_MAX {
            let message = format!("a version file may have {VERSION_BYTES_MAX} bytes, not {}", bytes.len());
            return Err(PublishError::NotPublished(Error::new(ErrorKind::Unsupported, message)));
        }
        match self {
            Self::Local(folder) => folder.publish(path, bytes).await,
            Self::Conditional(operator) => put_if_absent(operator, path, bytes).await,
        }
    }

    /// Puts `bytes` under a path at once, whatever was there.
    async fn replace(&self, path: &str, bytes: Bytes) -> StoreResult<()> {
        match self {
            Self::Local(folder) => folder.replace(path, bytes).await,
            Self::Conditional(operator) => in_time(operator.write(path, bytes)).await.map(drop),
        }
    }

    /// Refuses paths that lead out of the warehouse.
    fn check(&self, path: &str) -> StoreResult<()> {
        match self {
            Self::Local(folder) => folder.resolve(path).map(drop),
            // The store itself confines keys to the root of its operator.
            Self::Conditional(_) => Ok(()),
        }
    }

    /// Notes that the folder of a path changed, so that the next publication makes the change durable first.
    fn touched(&self, path: &str) {
        match self {
            Self::Local(folder) => folder.touched(path),
            // A PUT that was answered is durable.
            Self::Conditional(_) => {}
        }
    }
}

async fn in_time<T>(operation: impl IntoFuture<Output = StoreResult<T>>) -> StoreResult<T> {
    tokio::time::timeout(REQUEST_TIMEOUT, operation).await.unwrap_or_else(|_| {
        let timeout = std::io::Error::from(std::io::ErrorKind::TimedOut);
        Err(Error::new(ErrorKind::Unexpected, "the store did not answer in time").set_source(timeout).set_temporary())
    })
}

/// Whether the store may still be working on a request that ended so: there was no answer.
fn is_unanswered(error: &Error) -> bool {
    // A request that could not be signed was never sent.
    error.source().is_some() && error.kind() == ErrorKind::Unexpected && !is_unsigned(error)
}

async fn put_if_absent(operator: &Operator, path: &str, bytes: Bytes) -> Result<Published, PublishError> {
    let mut delay = RETRY_DELAY_MIN;
    let (mut doubtful, mut unanswered) = (false, false);
    let mut attempt = 1;
    let error = loop {
        let error = match in_time(operator.write_with(path, bytes.clone()).if_not_exists(true)).await {
            Ok(_) => return Ok(Published::Won),
            Err(error) => error,
        };
        let taken = error.kind() == ErrorKind::ConditionNotMatch && !error.is_temporary();
        match (taken, doubtful) {
            (true, false) => return Ok(Published::Lost),
            // It may be our own earlier request that took the name.
            (true, true) => break error,
            (false, _) => {}
        }
        let again = error.is_temporary() || is_unanswered(&error);
        if !again && !doubtful {
            return Err(PublishError::NotPublished(error));
        }
        doubtful = true;
        unanswered |= is_unanswered(&error);
        if !again || attempt == ATTEMPTS_MAX {
            break error;
        }
        attempt += 1;
        tokio::time::sleep(delay).await;
        delay *= 2;
    };
    match holds(operator, path, &bytes).await {
        Ok(Some(true)) => Ok(Published::Won),
        Ok(Some(false)) => Ok(Published::Lost),
        Ok(None) if !unanswered => Err(PublishError::NotPublished(error)),
        Ok(None) | Err(_) => Err(PublishError::Unknown(error)),
    }
}

/// Whether a path holds exactly these bytes now; `None` when there is nothing.
async fn holds(operator: &Operator, path: &str, bytes: &Bytes) -> StoreResult<Option<bool>> {
    let compare = async || {
        // What someone else put there may be of any size: it is not fetched to learn that it is not ours.
        let size = in_time(operator.stat(path)).await?.content_length();
        let same_size = size == bytes.len() as u64;
        Ok(same_size && in_time(operator.read(path)).await?.to_bytes() == *bytes)
    };
    let mut delay = RETRY_DELAY_MIN;
    let mut attempt = 1;
    loop {
        let error: Error = match compare().await {
            Ok(same) => return Ok(Some(same)),
            Err(error) => error,
        };
        if error.kind() == ErrorKind::NotFound {
            return Ok(None);
        }
        if attempt == ATTEMPTS_MAX || !(error.is_temporary() || is_unanswered(&error)) {
            return Err(error);
        }
        attempt += 1;
        tokio::time::sleep(delay).await;
        delay *= 2;
    }
}

/// Applies the rules of [`Publisher`] to everything that goes through an operator.
#[derive(Debug)]
pub(crate) struct PutIfAbsentLayer(pub(crate) Arc<Publisher>);

impl Layer for PutIfAbsentLayer {
    fn apply_service(&self, inner: Servicer) -> Servicer {
        Arc::new(PutIfAbsent { inner, publisher: self.0.clone() })
    }
}

#[derive(Debug)]
struct PutIfAbsent {
    inner: Servicer,
    publisher: Arc<Publisher>,
}

impl PutIfAbsent {
    /// Refuses to copy or rename to or from a file of the commit protocol.
    fn refuse_move(&self, from: &str, to: &str) -> StoreResult<()> {
        self.publisher.check(from)?;
        self.publisher.check(to)?;
        match (Role::of(from), Role::of(to)) {
            (Role::Version | Role::Other, Role::Other) => Ok(()),
            _ => Err(refused(to)),
        }
    }
}

fn refused(path: &str) -> Error {
    Error::new(ErrorKind::Unsupported, "this name is only ever published whole and once").with_context("path", path)
}

impl Service for PutIfAbsent {
    type Reader = oio::Reader;
    type Writer = PublishingWriter;
    type Lister = oio::Lister;
    type Deleter = CheckedDeleter;
    type Copier = oio::Copier;

    fn info(&self) -> ServiceInfo {
        self.inner.info_dyn()
    }

    fn capability(&self) -> Capability {
        self.inner.capability_dyn()
    }

    async fn create_dir(&self, ctx: &OperationContext, path: &str, args: OpCreateDir) -> StoreResult<RpCreateDir> {
        self.publisher.check(path)?;
        let made = self.inner.create_dir_dyn(ctx, path, args).await?;
        self.publisher.touched(path);
        Ok(made)
    }

    async fn stat(&self, ctx: &OperationContext, path: &str, args: OpStat) -> StoreResult<RpStat> {
        self.publisher.check(path)?;
        self.inner.stat_dyn(ctx, path, args).await
    }

    fn read(&self, ctx: &OperationContext, path: &str, args: OpRead) -> StoreResult<oio::Reader> {
        self.publisher.check(path)?;
        self.inner.read_dyn(ctx, path, args)
    }

    fn write(&self, ctx: &OperationContext, path: &str, args: OpWrite) -> StoreResult<PublishingWriter> {
        self.publisher.check(path)?;
        let role = Role::of(path);
        match role {
            Role::Reserved => Err(refused(path)),
            Role::Version | Role::Hint if args.append() => Err(refused(path)),
            Role::Version | Role::Hint => Ok(PublishingWriter::Held {
                publisher: self.publisher.clone(),
                path: path.to_owned(),
                role,
                parts: Vec::new(),
                size: 0,
            }),
            Role::Other => Ok(PublishingWriter::Plain {
                writer: self.inner.write_dyn(ctx, path, args)?,
                publisher: self.publisher.clone(),
                path: path.to_owned(),
            }),
        }
    }

    fn delete(&self, ctx: &OperationContext) -> StoreResult<CheckedDeleter> {
        Ok(CheckedDeleter { publisher: self.publisher.clone(), inner: self.inner.delete_dyn(ctx)? })
    }

    fn list(&self, ctx: &OperationContext, path: &str, args: OpList) -> StoreResult<oio::Lister> {
        self.publisher.check(path)?;
        self.inner.list_dyn(ctx, path, args)
    }

    fn copy(
        &self,
        ctx: &OperationContext,
        from: &str,
        to: &str,
        args: OpCopy,
        options: OpCopier,
    ) -> StoreResult<oio::Copier> {
        self.refuse_move(from, to)?;
        self.inner.copy_dyn(ctx, from, to, args, options)
    }

    async fn rename(&self, ctx: &OperationContext, from: &str, to: &str, args: OpRename) -> StoreResult<RpRename> {
        self.refuse_move(from, to)?;
        if Role::of(from) == Role::Version {
            return Err(refused(from));
        }
        let renamed = self.inner.rename_dyn(ctx, from, to, args).await?;
        self.publisher.touched(from);
        self.publisher.touched(to);
        Ok(renamed)
    }

    async fn presign(&self, _: &OperationContext, path: &str, _: OpPresign) -> StoreResult<RpPresign> {
        // A signed URL would be a second door to the store.
        Err(refused(path))
    }
}

/// Holds version files and hints back until they are whole.
enum PublishingWriter {
    Plain { writer: oio::Writer, publisher: Arc<Publisher>, path: String },
    Held { publisher: Arc<Publisher>, path: String, role: Role, parts: Vec<Buffer>, size: usize },
}

impl oio::Write for PublishingWriter {
    async fn write(&mut self, bytes: Buffer) -> StoreResult<()> {
        match self {
            Self::Plain { writer, .. } => writer.write_dyn(bytes).await,
            Self::Held { parts, size, path, .. } => {
                *size += bytes.len();
                if *size > VERSION_BYTES_MAX {
                    return Err(Error::new(ErrorKind::Unsupported, "the version file is too large")
                        .with_context("path", path.as_str()));
                }
                parts.push(bytes);
                Ok(())
            }
        }
    }

    async fn close(&mut self) -> StoreResult<Metadata> {
        let (publisher, path, role, parts) = match self {
            Self::Plain { writer, publisher, path } => {
                let metadata = writer.close_dyn().await?;
                // Only now: another publication may have made the folder durable while the file was being written.
                publisher.touched(path);
                return Ok(metadata);
            }
            Self::Held { publisher, path, role, parts, .. } => (publisher, path.as_str(), *role, parts),
        };
        // Kept: a hint that could not be written is closed once more.
        let bytes = parts.iter().cloned().flatten().collect::<Buffer>().to_bytes();
        let metadata = Metadata::new(EntryMode::FILE).with_content_length(bytes.len() as u64);
        if role == Role::Hint {
            publisher.replace(path, bytes).await?;
            return Ok(metadata);
        }
        match publisher.publish(path, bytes).await {
            Ok(Published::Won) => Ok(metadata),
            Ok(Published::Lost) => {
                Err(Error::new(ErrorKind::ConditionNotMatch, "the version file already exists")
                    .with_context("path", path))
            }
            // The outcome is decided: a retry would only see its own traces.
            Err(error) => Err(error.into_store_error().set_persistent()),
        }
    }

    async fn abort(&mut self) -> StoreResult<()> {
        match self {
            Self::Plain { writer, .. } => writer.abort_dyn().await,
            Self::Held { parts, .. } => {
                parts.clear();
                Ok(())
            }
        }
    }
}

struct CheckedDeleter {
    publisher: Arc<Publisher>,
    inner: oio::Deleter,
}

impl oio::Delete for CheckedDeleter {
    async fn delete<'a>(&'a mut self, path: &'a str, args: OpDelete) -> StoreResult<()> {
        self.publisher.check(path)?;
        self.inner.delete_dyn(path, args).await
    }

    async fn close(&mut self) -> StoreResult<()> {
        self.inner.close_dyn().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles() {
        let check = |path: &str, role: Role| assert_eq!(Role::of(path), role, "{path}");
        check("default.db/t/snapshot/snapshot-1", Role::Version);
        check("default.db/t/branch/branch-b/snapshot/snapshot-12", Role::Version);
        check("default.db/t/schema/schema-0", Role::Version);
        check("default.db/t/tag/tag-2024-01-01", Role::Version);
        check("default.db/t/changelog/changelog-3", Role::Version);
        check("default.db/t/snapshot/LATEST", Role::Hint);
        check("default.db/t/snapshot/EARLIEST", Role::Hint);
        check("default.db/t/snapshot/snapshot-1.tmp-0a", Role::Reserved);
        check("default.db/t/snapshot/snapshot-", Role::Reserved);
        check("default.db/t/schema/schema-x", Role::Reserved);
        check("default.db/t/manifest/manifest-1", Role::Other);
        check("default.db/snapshot/manifest/snapshot-1", Role::Other);
        check("snapshot-1", Role::Other);
    }
}

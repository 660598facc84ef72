//! The one door to a store: every byte of a warehouse goes through the operator that is made here.

use crate::credentials;
use crate::level::level;
use crate::local_folder::{LocalFolder, TEMPORARY_AGE_MAX, existing_folder, is_temporary};
use crate::put_if_absent::{PublishError, Published, Publisher, PutIfAbsentLayer};
use crate::read_only::ReadOnly;
use crate::store_error::lake_error;
use crate::transport::transporter;
use async_trait::async_trait;
use bytes::Bytes;
use model::data_source::StorageKind;
use model::warehouse::WarehouseUri;
use object_store::ObjectStore;
use object_store::path::Path as ObjectPath;
use object_store::prefix::PrefixStore;
use object_store_opendal::OpendalStore;
use opendal::layers::{RetryLayer, TimeoutLayer};
use opendal::services::Fs;
use opendal::{Builder, OperationContext, Operator, raw::Timestamp};
use paimon::io::{FileIO, FileIOBuilder, FileIOProvider};
use ports::connection::{Connection, Egress};
use ports::lake::LakeError;
use std::sync::Arc;
use std::time::Duration;

/// How long a request without content may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one piece of content may take: a part of a file, up to a row group.
const CONTENT_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a failed request is repeated.
const RETRIES_MAX: usize = 3;
const RETRY_DELAY_MIN: Duration = Duration::from_millis(100);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(2);
/// How many entries of a warehouse's top are looked at for leftovers.
const SWEPT_ENTRIES_MAX: usize = 10_000;

/// A warehouse's storage. Clones share one operator.
#[derive(Clone, Debug)]
pub struct Storage {
    warehouse: WarehouseUri,
    operator: Operator,
    publisher: Arc<Publisher>,
    file_io: FileIO,
}

impl Storage {
    /// Opens the storage of a warehouse. Nothing is fetched; a local folder must exist and lie in one
    /// of the permitted roots.
    pub fn open(connection: &Connection, egress: &Egress, warehouse: &WarehouseUri) -> Result<Self, LakeError> {
        credentials::check_properties(connection)?;
        let fits = match connection.storage {
            StorageKind::Local => warehouse.bucket().is_none(),
            StorageKind::Oss | StorageKind::OssHdfs => warehouse.as_str().starts_with("oss://"),
            StorageKind::S3 => warehouse.as_str().starts_with("s3://"),
        };
        if !fits {
            let kind = connection.storage.label();
            return Err(LakeError::Invalid(format!("The warehouse `{warehouse}` does not lie on {kind} storage.")));
        }
        let (plain, publisher) = match connection.storage {
            StorageKind::Local => {
                let root = existing_folder(egress, warehouse.path())?;
                let plain = operator(Fs::default().root(&root.to_string_lossy()), warehouse)?;
                (plain, Publisher::Local(Arc::new(LocalFolder::new(root))))
            }
            _ => {
                let plain = bucket_operator(connection, egress, warehouse)?;
                (plain.clone(), Publisher::Conditional(plain))
            }
        };
        let publisher = Arc::new(publisher);
        // The publisher stands below the retries: what it answers is decided.
        let operator = plain
            .layer(TimeoutLayer::new().with_timeout(REQUEST_TIMEOUT).with_io_timeout(CONTENT_TIMEOUT))
            .layer(PutIfAbsentLayer(publisher.clone()))
            .layer(
                RetryLayer::new()
                    .with_max_times(RETRIES_MAX)
                    .with_min_delay(RETRY_DELAY_MIN)
                    .with_max_delay(RETRY_DELAY_MAX)
                    .with_jitter()
                    .with_notify(|event: opendal::layers::RetryEvent<'_>| {
                        tracing::debug!(attempt = event.attempt, "repeating {:?}: {}", event.op, event.err.kind());
                    }),
            );
        let file_io = file_io(&operator, warehouse)?;
        Ok(Self { warehouse: warehouse.clone(), operator, publisher, file_io })
    }

    /// The warehouse's address, with a trailing `/`.
    pub fn root(&self) -> &str {
        self.warehouse.as_str()
    }

    pub fn warehouse(&self) -> &WarehouseUri {
        &self.warehouse
    }

    /// The storage as paimon sees it: full addresses, refused where they lie outside the warehouse.
    pub fn file_io(&self) -> FileIO {
        self.file_io.clone()
    }

    /// The operator, rooted at the warehouse.
    pub fn operator(&self) -> &Operator {
        &self.operator
    }

    /// The warehouse as scans see it: rooted there, read-only.
    pub fn object_store(&self) -> Arc<dyn ObjectStore> {
        Arc::new(ReadOnly(OpendalStore::new(self.operator.clone())))
    }

    /// One folder of the warehouse as scans see it: rooted there, read-only. `folder` is a full address or relative
    /// to the warehouse.
    pub fn object_store_at(&self, folder: &str) -> Result<Arc<dyn ObjectStore>, LakeError> {
        let folder = self.relative(folder)?;
        let prefix = ObjectPath::parse(&folder)
            .map_err(|error| LakeError::Invalid(format!("`{folder}` is no folder of a warehouse: {error}.")))?;
        Ok(Arc::new(ReadOnly(PrefixStore::new(OpendalStore::new(self.operator.clone()), prefix))))
    }

    /// Publishes a version file put-if-absent: `path` is a full address or relative to the warehouse. The bytes must
    /// differ from those of every other attempt (snapshots hold a UUID), since a lost reply is resolved by comparing.
    pub async fn publish(&self, path: &str, bytes: Bytes) -> Result<Published, PublishError> {
        let path = self.relative(path).map_err(|refused| {
            let error = opendal::Error::new(opendal::ErrorKind::PermissionDenied, refused.to_string());
            PublishError::NotPublished(error)
        })?;
        self.publisher.publish(&path, bytes).await
    }

    /// The path below the warehouse of a full address, or the relative path itself; refused where it leads outside.
    pub fn relative(&self, path: &str) -> Result<String, LakeError> {
        relative(&self.warehouse, path)
            .map(str::to_owned)
            .ok_or_else(|| LakeError::Forbidden(format!("`{path}` lies outside the warehouse `{}`.", self.warehouse)))
    }

    /// Removes temporary files that writers which died left behind, older than an hour; tells how many.
    pub async fn sweep(&self) -> Result<u64, LakeError> {
        match &*self.publisher {
            Publisher::Local(folder) => folder.sweep().await.map_err(|error| LakeError::Unavailable {
                message: format!("Cannot sweep `{}`.", self.warehouse),
                source: Some(Box::new(error)),
            }),
            Publisher::Conditional(_) => {
                self.sweep_probes().await.map_err(|error| lake_error(error, &format!("sweep `{}`", self.warehouse)))
            }
        }
    }

    /// A conditional PUT needs no temporary file; only a test of the connection can leave one behind.
    async fn sweep_probes(&self) -> opendal::Result<u64> {
        let oldest = Timestamp::now() - TEMPORARY_AGE_MAX;
        let mut removed = 0;
        for file in level(&self.operator, "/", SWEPT_ENTRIES_MAX).await?.files {
            if is_temporary(&file) && self.operator.stat(&file).await?.last_modified().is_some_and(|at| at < oldest) {
                self.operator.delete(&file).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// An operator without our layers, over the transport that the egress policy permits.
pub(crate) fn bucket_operator(
    connection: &Connection,
    egress: &Egress,
    warehouse: &WarehouseUri,
) -> Result<Operator, LakeError> {
    let (bucket, root) = (warehouse.bucket().unwrap_or_default(), format!("/{}", warehouse.path()));
    let built = match connection.storage {
        StorageKind::Oss => operator(credentials::oss(connection, egress, bucket, &root)?, warehouse)?,
        StorageKind::S3 => operator(credentials::s3(connection, egress, bucket, &root)?, warehouse)?,
        StorageKind::Local => return Err(LakeError::Invalid(format!("`{warehouse}` is no bucket."))),
        StorageKind::OssHdfs => {
            let why = StorageKind::OssHdfs.unavailable().unwrap_or_default();
            return Err(LakeError::Unsupported(why.into()));
        }
    };
    let transport = transporter(egress)?;
    Ok(built.with_context(OperationContext::new().with_http_transport(transport)))
}

fn operator(builder: impl Builder, warehouse: &WarehouseUri) -> Result<Operator, LakeError> {
    Operator::new(builder).map_err(|error| lake_error(error, &format!("open `{warehouse}`")))
}

fn file_io(operator: &Operator, warehouse: &WarehouseUri) -> Result<FileIO, LakeError> {
    let scheme = warehouse.as_str().split_once("://").map_or("file", |(scheme, _)| scheme);
    let provider = WarehouseFiles { operator: operator.clone(), warehouse: warehouse.clone() };
    FileIOBuilder::new(scheme).with_provider(Arc::new(provider)).build().map_err(|error| LakeError::Internal {
        message: format!("Cannot open `{warehouse}`."),
        source: Some(Box::new(error)),
    })
}

/// The path below the warehouse, `None` where it leads outside or holds what a store would read as another path.
fn relative<'a>(warehouse: &WarehouseUri, path: &'a str) -> Option<&'a str> {
    let root = warehouse.as_str().trim_end_matches('/');
    let local = path.strip_prefix("file://").or_else(|| path.strip_prefix("file:")).unwrap_or(path);
    let full = if warehouse.bucket().is_none() { local } else { path };
    let is_full = path.contains("://") || full.starts_with('/');
    let inside = match full.strip_prefix(root) {
        Some("") => "",
        Some(rest) if is_full => rest.strip_prefix('/')?,
        _ if is_full => return None,
        _ => path,
    };
    let clean = inside.trim_end_matches('/').split('/').all(|part| !matches!(part, "" | "." | ".."));
    (clean || inside.is_empty()).then_some(inside)
}

/// Opens only what lies below the warehouse; all paths share one service, so that renames work.
#[derive(Debug)]
struct WarehouseFiles {
    operator: Operator,
    warehouse: WarehouseUri,
}

#[async_trait]
impl FileIOProvider for WarehouseFiles {
    async fn create(&self, path: &str) -> paimon::Result<(Operator, String)> {
        match relative(&self.warehouse, path) {
            Some(inside) => Ok((self.operator.clone(), inside.to_owned())),
            None => Err(paimon::Error::ConfigInvalid {
                message: format!("`{path}` lies outside the warehouse `{}`", self.warehouse),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        let check = |storage, warehouse: &str, path: &str, expected: Option<&str>| {
            let warehouse = WarehouseUri::parse(storage, warehouse).expect("a warehouse");
            assert_eq!(relative(&warehouse, path), expected, "{path}");
        };
        use StorageKind::{Local, Oss, S3};
        check(Local, "/data/w", "/data/w/a.db/t", Some("a.db/t"));
        check(Local, "/data/w", "/data/w", Some(""));
        check(Local, "/data/w", "/data/w/", Some(""));
        check(Local, "/data/w", "file:///data/w/a.db/", Some("a.db/"));
        check(Local, "/data/w", "file:/data/w/a.db", Some("a.db"));
        check(Local, "/data/w", "a.db/t", Some("a.db/t"));
        check(Local, "/data/w", "/data/w2/a.db", None);
        check(Local, "/data/w", "/data/w/../x", None);
        check(Local, "/data/w", "../x", None);
        check(Local, "/data/w", "/etc/passwd", None);
        check(Local, "/data/w", "s3://b/x", None);
        check(Oss, "oss://bucket/w", "oss://bucket/w/a.db/t", Some("a.db/t"));
        check(Oss, "oss://bucket/w", "oss://bucket/w2/t", None);
        check(Oss, "oss://bucket/w", "oss://other/w/t", None);
        check(Oss, "oss://bucket/w", "/etc/passwd", None);
        check(Oss, "oss://bucket/w", "oss://bucket/w/a//b", None);
        check(Oss, "oss://bucket/w", "oss://bucket/w/./b", None);
        check(S3, "s3://bucket", "s3://bucket/a.db", Some("a.db"));
    }
}

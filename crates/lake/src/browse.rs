//! The storage browser: one level at a time, with Paimon's folders marked.

use crate::level::level;
use crate::local_folder::{permitted_folder, words};
use crate::storage::Storage;
use crate::store_api::{ApiError, ApiRequest, StoreApi, element, elements};
use crate::store_error::lake_error;
use bytes::Bytes;
use futures::StreamExt as _;
use http::Method;
use model::data_source::StorageKind;
use model::lake::{EntryKind, StoreEntry, StoreListing};
use model::warehouse::WarehouseUri;
use ports::connection::{Connection, Egress};
use ports::lake::LakeError;
use std::path::Path;
use std::time::Duration;

const ENTRIES_MAX: usize = 1000;
/// How many folders are looked into for their marks; the rest are shown as plain folders.
const MARKED_MAX: usize = 100;
const MARKED_AT_ONCE: usize = 8;
const MARKING_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of a folder is read to mark it.
const PEEK_MAX: usize = 100;

/// One level of a store: `uri` empty lists buckets, or the permitted local folders.
pub async fn browse(connection: &Connection, egress: &Egress, uri: &str) -> Result<StoreListing, LakeError> {
    match (connection.storage, uri.trim()) {
        (StorageKind::Local, "") => Ok(permitted_roots(egress).await),
        (_, "") => buckets(connection, egress).await,
        (_, uri) => folder(connection, egress, uri).await,
    }
}

/// Makes a folder, or at the top of an object store a bucket.
pub async fn create_folder(connection: &Connection, egress: &Egress, uri: &str) -> Result<(), LakeError> {
    let target = parse(connection, uri)?;
    if connection.storage == StorageKind::Local {
        let folder = permitted_folder(egress, target.path())?;
        return tokio::fs::create_dir_all(&folder).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                LakeError::Forbidden(format!("Cannot make `{target}`: the server may not write there."))
            }
            std::io::ErrorKind::AlreadyExists | std::io::ErrorKind::NotADirectory => {
                LakeError::Invalid(format!("Cannot make `{target}`: a file is in the way."))
            }
            _ => {
                LakeError::Unavailable { message: format!("Cannot make `{target}`: {}.", words(&error)), source: None }
            }
        });
    }
    if target.path().is_empty() {
        return create_bucket(connection, egress, &target).await;
    }
    // A folder of an object store is an empty object whose name ends with `/`, as the stores' own consoles make it.
    let storage = Storage::open(connection, egress, &bucket_of(connection, &target)?)?;
    storage.operator().create_dir(target.path()).await.map_err(|error| lake_error(error, &format!("make `{target}`")))
}

fn parse(connection: &Connection, uri: &str) -> Result<WarehouseUri, LakeError> {
    WarehouseUri::parse(connection.storage, uri).map_err(|broken| LakeError::Invalid(broken.message))
}

fn bucket_of(connection: &Connection, target: &WarehouseUri) -> Result<WarehouseUri, LakeError> {
    let scheme = if connection.storage == StorageKind::S3 { "s3" } else { "oss" };
    parse(connection, &format!("{scheme}://{}/", target.bucket().unwrap_or_default()))
}

async fn permitted_roots(egress: &Egress) -> StoreListing {
    let mut entries = Vec::new();
    for root in &egress.allowed_roots {
        if tokio::fs::metadata(root).await.is_ok_and(|found| found.is_dir()) {
            let path = root.to_string_lossy().into_owned();
            let uri = format!("{}/", path.trim_end_matches('/'));
            entries.push(StoreEntry { name: path, uri, kind: EntryKind::Folder, size: None });
        }
    }
    StoreListing { uri: String::new(), parent: None, entries, truncated: false }
}

async fn buckets(connection: &Connection, egress: &Egress) -> Result<StoreListing, LakeError> {
    let answer =
        StoreApi::new(connection, egress)?.list_buckets().await.map_err(|error| no_answer(error, "list buckets"))?;
    if !answer.is_success() {
        let code = answer.code();
        return Err(match answer.status {
            401 | 403 => LakeError::Forbidden(format!(
                "The identity may not list buckets ({code}). Type the address of one instead."
            )),
            status => LakeError::Unavailable {
                message: format!("Cannot list buckets: the store answers HTTP {status} {code}."),
                source: None,
            },
        });
    }
    let scheme = if connection.storage == StorageKind::S3 { "s3" } else { "oss" };
    let names = elements(&answer.body, "Bucket").filter_map(|bucket| element(bucket, "Name"));
    let mut entries: Vec<_> = names
        .map(|name| StoreEntry {
            name: name.to_owned(),
            uri: format!("{scheme}://{name}/"),
            kind: EntryKind::Bucket,
            size: None,
        })
        .collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let more = element(&answer.body, "IsTruncated") == Some("true");
    let truncated = more || entries.len() > ENTRIES_MAX;
    entries.truncate(ENTRIES_MAX);
    Ok(StoreListing { uri: String::new(), parent: None, entries, truncated })
}

async fn create_bucket(connection: &Connection, egress: &Egress, target: &WarehouseUri) -> Result<(), LakeError> {
    let bucket = target.bucket().unwrap_or_default();
    // Only S3 wants to be told the region, and only where it is not its oldest.
    let region = crate::credentials::s3_region(connection);
    let body = match connection.storage {
        StorageKind::S3 if region != "us-east-1" => format!(
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
        ),
        _ => String::new(),
    };
    let request =
        ApiRequest { method: Method::PUT, bucket: Some(bucket), body: Bytes::from(body), ..ApiRequest::default() };
    let doing = format!("make bucket {bucket}");
    let answer = StoreApi::new(connection, egress)?.send(request).await.map_err(|error| no_answer(error, &doing))?;
    if answer.is_success() {
        return Ok(());
    }
    let code = answer.code();
    Err(match (answer.status, code) {
        (_, "BucketAlreadyExists" | "BucketAlreadyOwnedByYou") | (409, _) => LakeError::AlreadyExists(format!(
            "Bucket {bucket} exists already. Bucket names are unique in the whole store."
        )),
        (401 | 403, _) => LakeError::Forbidden(format!("The identity may not make buckets ({code}).")),
        (400, _) => LakeError::Invalid(format!("The store refuses the bucket name {bucket} ({code}).")),
        (status, _) => {
            LakeError::Unavailable { message: format!("Cannot {doing}: HTTP {status} {code}."), source: None }
        }
    })
}

fn no_answer(error: ApiError, doing: &str) -> LakeError {
    match error {
        ApiError::Credential(_) => LakeError::Forbidden(format!(
            "Cannot {doing}: no credential could be obtained. Test the connection to see why."
        )),
        error => LakeError::Unavailable {
            message: format!("Cannot {doing}: the store does not answer. Test the connection to see why."),
            source: Some(Box::new(error)),
        },
    }
}

async fn folder(connection: &Connection, egress: &Egress, uri: &str) -> Result<StoreListing, LakeError> {
    let here = parse(connection, uri)?;
    let storage = Storage::open(connection, egress, &here)?;
    let listed = level(storage.operator(), "/", ENTRIES_MAX).await;
    let listed = listed.map_err(|error| lake_error(error, &format!("list `{here}`")))?;
    if !listed.exists && connection.storage != StorageKind::Local && !here.path().is_empty() {
        return Err(LakeError::NotFound(format!("`{here}` does not exist.")));
    }
    let mut entries = marked(&storage, &here, &listed.folders).await;
    entries.extend(listed.files.into_iter().zip(listed.sizes).map(|(name, size)| StoreEntry {
        uri: format!("{here}{name}"),
        name,
        kind: EntryKind::File,
        size: Some(size),
    }));
    entries.sort_by(|a, b| (a.kind == EntryKind::File, &a.name).cmp(&(b.kind == EntryKind::File, &b.name)));
    let parent = Some(parent(egress, connection.storage, &here));
    Ok(StoreListing { uri: here.as_str().to_owned(), parent, entries, truncated: listed.truncated })
}

/// One level up; above a bucket or a permitted root is the top.
fn parent(egress: &Egress, storage: StorageKind, here: &WarehouseUri) -> String {
    let above = here.as_str().trim_end_matches('/').rsplit_once('/').map(|(above, _)| format!("{above}/"));
    let is_top = match storage {
        StorageKind::Local => {
            egress.allowed_roots.iter().any(|root| root == Path::new(here.path().trim_end_matches('/')))
        }
        _ => here.path().is_empty(),
    };
    above.filter(|_| !is_top).unwrap_or_default()
}

/// The folders with what their names and a look inside tell; those that there is no time for stay plain.
async fn marked(storage: &Storage, here: &WarehouseUri, folders: &[String]) -> Vec<StoreEntry> {
    let in_schema = here.as_str().ends_with(".db/");
    let mut kinds = vec![EntryKind::Folder; folders.len()];
    let looks: Vec<_> = folders
        .iter()
        .enumerate()
        .take(MARKED_MAX)
        .map(|(n, name)| async move {
            (n, if name.starts_with('.') { EntryKind::Folder } else { kind_of(storage, name, in_schema).await })
        })
        .collect();
    let mut looks = futures::stream::iter(looks).buffer_unordered(MARKED_AT_ONCE);
    let _ = tokio::time::timeout(MARKING_TIMEOUT, async {
        while let Some((n, kind)) = looks.next().await {
            kinds[n] = kind;
        }
    })
    .await;
    let entries = folders.iter().zip(kinds).map(|(name, kind)| StoreEntry {
        name: name.clone(),
        uri: format!("{here}{name}/"),
        kind: if name.ends_with(".db") { EntryKind::Schema } else { kind },
        size: None,
    });
    entries.collect()
}

async fn kind_of(storage: &Storage, name: &str, in_schema: bool) -> EntryKind {
    if name.ends_with(".db") {
        return EntryKind::Schema;
    }
    let operator = storage.operator();
    let is_table = || async { operator.exists(&format!("{name}/schema/schema-0")).await.unwrap_or(false) };
    if in_schema {
        return if is_table().await { EntryKind::Table } else { EntryKind::Folder };
    }
    // What cannot be looked into is still a folder.
    let inside = level(operator, &format!("{name}/"), PEEK_MAX).await.unwrap_or_default();
    if inside.folders.iter().any(|name| name.ends_with(".db")) {
        EntryKind::Warehouse
    } else if inside.folders.iter().any(|name| name == "schema") && is_table().await {
        EntryKind::Table
    } else {
        EntryKind::Folder
    }
}

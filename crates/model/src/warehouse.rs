//! Where a warehouse lies.

use crate::data_source::StorageKind;
use crate::names::clean;
use crate::problem::Broken;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A directory at catalog level, with exactly one trailing `/`: `oss://bucket/dir/`, `s3://bucket/dir/` or `/dir/`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WarehouseUri(String);

impl WarehouseUri {
    /// Checks the text against the rules of the storage. For local folders this checks the form only: whether the
    /// folder is permitted is for the server to say.
    pub fn parse(storage: StorageKind, text: &str) -> Result<Self, Broken> {
        let text = clean(text)?;
        if text.is_empty() {
            return Err(Broken::new("required", "This field is required."));
        }
        let good = match storage {
            StorageKind::Oss | StorageKind::OssHdfs => object_uri(&text, &["oss://"], false),
            StorageKind::S3 => object_uri(&text, &["s3://", "s3a://"], true),
            StorageKind::Local => return local(&text),
        };
        match (good, storage) {
            (Some(rest), StorageKind::S3) => Ok(Self(format!("s3://{rest}/"))),
            (Some(rest), _) => Ok(Self(format!("oss://{rest}/"))),
            (None, StorageKind::S3) => {
                Err(Broken::new("warehouse_s3", "Give bucket and directory, e.g. s3://my-bucket/warehouse/."))
            }
            (None, _) => {
                Err(Broken::new("warehouse_oss", "Give bucket and directory, e.g. oss://paimon-fs/paimon-test/."))
            }
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bucket of an object store, `None` for a local folder.
    pub fn bucket(&self) -> Option<&str> {
        let (_, rest) = self.0.split_once("://")?;
        rest.split('/').next()
    }

    /// The path inside the bucket without leading `/`, or the absolute local path; always with a trailing `/` unless
    /// it is the bucket's root, which is empty.
    pub fn path(&self) -> &str {
        match self.0.split_once("://") {
            Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
            None => &self.0,
        }
    }

    /// Whether one of the two lies inside the other.
    pub fn is_nested_with(&self, other: &Self) -> bool {
        self != other && (self.0.starts_with(&other.0) || other.0.starts_with(&self.0))
    }
}

impl fmt::Display for WarehouseUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `bucket/dir` of an object URI without the trailing slash, or `None` where a rule is broken.
fn object_uri(text: &str, schemes: &[&str], dots: bool) -> Option<String> {
    let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme))?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let mut parts = rest.split('/');
    let bucket = parts.next()?;
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let bucket_ok = (3..=63).contains(&bucket.len())
        && edge(bucket.chars().next())
        && edge(bucket.chars().next_back())
        && bucket.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || (dots && c == '.'));
    let path_ok = parts.clone().all(|part| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && !part.contains(|c: char| c.is_whitespace() || "?#".contains(c))
    });
    (bucket_ok && path_ok).then(|| rest.to_owned())
}

fn local(text: &str) -> Result<WarehouseUri, Broken> {
    let path = text.strip_prefix("file://").unwrap_or(text);
    if !path.starts_with('/') {
        return Err(Broken::new("warehouse_local", "Give an absolute path, e.g. /data/warehouse/."));
    }
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => return Err(Broken::new("warehouse_local_dots", "Give the path without `..`.")),
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return Err(Broken::new("warehouse_local_root", "Choose a folder below the root."));
    }
    Ok(WarehouseUri(format!("/{}/", parts.join("/"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(storage: StorageKind, text: &str, expected: &str) {
        let got = WarehouseUri::parse(storage, text).map_or_else(|b| format!("error: {}", b.code), |uri| uri.0);
        assert_eq!(got, expected, "{text}");
    }

    #[test]
    fn warehouses() {
        use StorageKind::{Local, Oss, S3};
        check(Oss, "oss://paimon-fs/paimon-test/", "oss://paimon-fs/paimon-test/");
        check(Oss, "oss://bucket/path/warehouse", "oss://bucket/path/warehouse/");
        check(Oss, "oss://bucket", "oss://bucket/");
        check(Oss, "oss://A/b", "error: warehouse_oss");
        check(Oss, "oss://ab", "error: warehouse_oss");
        check(Oss, "http://b/p", "error: warehouse_oss");
        check(Oss, "oss://b-/x", "error: warehouse_oss");
        check(Oss, "oss://bucket//x", "error: warehouse_oss");
        check(Oss, "oss://bucket/../x", "error: warehouse_oss");
        check(Oss, "", "error: required");
        check(S3, "s3a://my.bucket/w", "s3://my.bucket/w/");
        check(S3, "oss://bucket/w", "error: warehouse_s3");
        check(Local, "/data//lake/./w", "/data/lake/w/");
        check(Local, "file:///data/lake/", "/data/lake/");
        check(Local, "data/lake", "error: warehouse_local");
        check(Local, "/data/../etc", "error: warehouse_local_dots");
        check(Local, "/", "error: warehouse_local_root");
    }

    #[test]
    fn parts() {
        let uri = WarehouseUri::parse(StorageKind::Oss, "oss://paimon-fs/a/b/").expect("valid");
        assert_eq!((uri.bucket(), uri.path()), (Some("paimon-fs"), "a/b/"));
        let nested = WarehouseUri::parse(StorageKind::Oss, "oss://paimon-fs/a/").expect("valid");
        assert!(uri.is_nested_with(&nested) && nested.is_nested_with(&uri) && !uri.is_nested_with(&uri.clone()));
    }
}

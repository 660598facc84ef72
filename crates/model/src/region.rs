//! Regions and the endpoints that follow from them. The list is data (`regions.toml`), so that an operator can edit it.

use crate::data_source::StorageKind;
use serde::{Deserialize, Serialize};

/// The region of everything that lies outside a cloud: local folders, MinIO.
pub const LOCAL: &str = "local";

/// One entry of `regions.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// E.g. `cn-hangzhou`.
    pub id: String,
    /// E.g. `China (Hangzhou)`.
    pub name: String,
    /// The name in Chinese, e.g. `华东1（杭州）`; empty where it has none.
    #[serde(default)]
    pub name_zh: String,
    #[serde(default)]
    pub oss: bool,
    #[serde(default)]
    pub oss_hdfs: bool,
    #[serde(default)]
    pub dlf: bool,
    #[serde(default)]
    pub maxcompute: bool,
    /// Offered in the console's region selector.
    #[serde(default)]
    pub enabled: bool,
}

#[derive(Deserialize)]
struct RegionFile {
    region: Vec<Region>,
}

/// The regions that come with the product.
pub fn built_in() -> Vec<Region> {
    parse(include_str!("regions.toml")).expect("the built-in regions.toml is tested")
}

/// Reads a `regions.toml`; the error names the line.
pub fn parse(text: &str) -> Result<Vec<Region>, toml::de::Error> {
    toml::from_str::<RegionFile>(text).map(|file| file.region)
}

/// The endpoint that follows from storage and region, or `None` where the user must type it.
pub fn generated_endpoint(storage: StorageKind, region: &str) -> Option<String> {
    if region.is_empty() || region == LOCAL {
        return None;
    }
    match storage {
        StorageKind::Oss => Some(format!("oss-{region}-internal.aliyuncs.com")),
        StorageKind::OssHdfs => Some(format!("{region}.oss-dls.aliyuncs.com")),
        StorageKind::S3 => Some(format!("https://s3.{region}.amazonaws.com")),
        StorageKind::Local => None,
    }
}

/// The address of the same store from outside the cloud's network, where it differs.
pub fn public_endpoint(storage: StorageKind, region: &str) -> Option<String> {
    match storage {
        StorageKind::Oss if !region.is_empty() && region != LOCAL => Some(format!("oss-{region}.aliyuncs.com")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
        let check = |storage, region, expected: Option<&str>| {
            assert_eq!(generated_endpoint(storage, region).as_deref(), expected, "{storage:?} {region}");
        };
        check(StorageKind::Oss, "cn-hangzhou", Some("oss-cn-hangzhou-internal.aliyuncs.com"));
        check(StorageKind::OssHdfs, "cn-hangzhou", Some("cn-hangzhou.oss-dls.aliyuncs.com"));
        check(StorageKind::S3, "us-east-1", Some("https://s3.us-east-1.amazonaws.com"));
        check(StorageKind::Oss, LOCAL, None);
        check(StorageKind::Local, "cn-hangzhou", None);
    }

    #[test]
    fn built_in_regions_are_unique_and_local_is_enabled() {
        let regions = built_in();
        let ids: std::collections::HashSet<_> = regions.iter().map(|region| region.id.as_str()).collect();
        assert_eq!(ids.len(), regions.len());
        assert!(regions.iter().any(|region| region.id == LOCAL && region.enabled));
        assert!(regions.iter().all(|region| !region.name.is_empty() && !region.name_zh.is_empty()));
    }
}

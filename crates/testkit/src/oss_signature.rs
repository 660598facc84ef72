//! Signatures of OSS requests, version 1 (HMAC-SHA1 in the `Authorization` header), checked as the service documents
//! them.

use axum::http::{HeaderMap, Method};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;

/// Query parameters that belong to the signed resource.
const SUB_RESOURCES: [&str; 26] = [
    "acl",
    "uploads",
    "location",
    "cors",
    "logging",
    "website",
    "referer",
    "lifecycle",
    "delete",
    "append",
    "tagging",
    "objectMeta",
    "uploadId",
    "partNumber",
    "security-token",
    "position",
    "versioning",
    "versions",
    "versionId",
    "policy",
    "restore",
    "stat",
    "bucketInfo",
    "continuation-token",
    "encryption",
    "requestPayment",
];

/// What `Authorization: OSS <key id>:<signature>` says.
pub(crate) fn authorization(headers: &HeaderMap) -> Option<(&str, &str)> {
    headers.get("authorization")?.to_str().ok()?.strip_prefix("OSS ")?.split_once(':')
}

/// The signature that a request must carry. `resource` is `/bucket/key`, decoded.
pub(crate) fn signature(
    secret: &str,
    method: &Method,
    headers: &HeaderMap,
    resource: &str,
    query: &[(String, String)],
) -> String {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut own: Vec<_> = headers.keys().map(|name| name.as_str()).filter(|name| name.starts_with("x-oss-")).collect();
    own.sort_unstable();
    let own: String = own.into_iter().map(|name| format!("{name}:{}\n", header(name))).collect();
    let mut signed: Vec<_> = query
        .iter()
        .filter(|(key, _)| SUB_RESOURCES.contains(&key.as_str()) || key.starts_with("response-"))
        .map(|(key, value)| if value.is_empty() { key.clone() } else { format!("{key}={value}") })
        .collect();
    signed.sort_unstable();
    let query = if signed.is_empty() { String::new() } else { format!("?{}", signed.join("&")) };
    let (md5, kind, date) = (header("content-md5"), header("content-type"), header("date"));
    hmac_sha1(secret, &format!("{method}\n{md5}\n{kind}\n{date}\n{own}{resource}{query}"))
}

pub(crate) fn hmac_sha1(key: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the service's documentation ("Include signatures in the Authorization header").
    #[test]
    fn documented_example() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-md5", "ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM="),
            ("content-type", "text/html"),
            ("date", "Thu, 17 Nov 2005 18:49:58 GMT"),
            ("x-oss-meta-author", "foo@bar.com"),
            ("x-oss-magic", "abracadabra"),
        ] {
            headers.insert(name, value.parse().expect("a header"));
        }
        let signature =
            signature("OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV", &Method::PUT, &headers, "/oss-example/nelson", &[]);
        assert_eq!(signature, "26NBxoKdsyly4EDv6inkoDft/yA=");
    }
}

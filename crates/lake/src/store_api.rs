//! The requests that opendal has no operation for: list and create buckets, and the raw answers that a connection test
//! explains. Signed by the same library with the same credentials.

use crate::credentials;
use crate::transport;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method, Request};
use model::data_source::StorageKind;
use ports::connection::{Connection, Credentials, Egress};
use ports::lake::LakeError;
use reqsign_aliyun_oss as oss;
use reqsign_aws_v4 as aws;
use reqsign_core::{Context, OsEnv, Signer};
use reqsign_file_read_tokio::TokioFileRead;
use std::time::Duration;
use url::Url;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// A page of a listing has some hundred kilobytes; an endpoint that sends more is not a store.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// Speaks to one endpoint with one identity.
pub(crate) struct StoreApi {
    client: reqwest::Client,
    endpoint: Url,
    /// Whether the bucket stands before the host.
    bucket_in_host: bool,
    identity: Identity,
}

enum Identity {
    Oss(Signer<oss::Credential>),
    S3(Signer<aws::Credential>),
    None,
}

/// One request; keys and queries as text, encoded here.
#[derive(Default)]
pub(crate) struct ApiRequest<'a> {
    pub(crate) method: Method,
    pub(crate) bucket: Option<&'a str>,
    pub(crate) query: &'a [(&'a str, &'a str)],
    pub(crate) body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("no credential could be obtained")]
    Credential(#[source] reqsign_core::Error),
    #[error("the connection failed")]
    Transport(#[source] reqwest::Error),
    #[error("the store did not answer in time")]
    Timeout,
    #[error("the answer is too long")]
    TooLong,
    #[error("{0}")]
    Request(String),
}

/// What the store said.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The store's own code of an error, e.g. `NoSuchBucket`.
    pub(crate) fn code(&self) -> &str {
        element(&self.body, "Code").unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The text of the first element of that name: enough for the flat documents that stores send.
pub(crate) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    elements(xml, name).next()
}

/// The texts of all elements of that name.
pub(crate) fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once(&open)?;
        let (text, tail) = after.split_once(&close)?;
        rest = tail;
        Some(text.trim())
    })
}

impl StoreApi {
    pub(crate) fn new(connection: &Connection, egress: &Egress) -> Result<Self, LakeError> {
        credentials::check_properties(connection)?;
        let endpoint = credentials::endpoint(connection, egress)?;
        let context = Context::new()
            .with_file_read(TokioFileRead)
            .with_env(OsEnv)
            .with_http_send(transport::transporter(egress)?);
        let bucket_in_host = !connection.path_style && !credentials::is_address(&endpoint);
        let client = transport::client(egress)?;
        let identity = identity(connection, egress, context)?;
        Ok(Self { client, endpoint, bucket_in_host, identity })
    }

    /// Obtains the credential without asking the store: assumes the role, reads the environment.
    pub(crate) async fn obtain_credential(&self) -> Result<(), ApiError> {
        let mut parts = self.parts(&ApiRequest::default())?;
        in_time(self.sign(&mut parts, None)).await?
    }

    pub(crate) async fn send(&self, request: ApiRequest<'_>) -> Result<Answer, ApiError> {
        let mut parts = self.parts(&request)?;
        in_time(async {
            self.sign(&mut parts, request.bucket).await?;
            let signed = Request::from_parts(parts, reqwest::Body::from(request.body.clone()));
            let signed = reqwest::Request::try_from(signed).map_err(ApiError::Transport)?;
            let mut response = self.client.execute(signed).await.map_err(ApiError::Transport)?;
            let mut body = BytesMut::new();
            while let Some(chunk) = response.chunk().await.map_err(ApiError::Transport)? {
                body.extend_from_slice(&chunk);
                if body.len() > ANSWER_BYTES_MAX {
                    return Err(ApiError::TooLong);
                }
            }
            Ok(Answer {
                status: response.status().as_u16(),
                headers: std::mem::take(response.headers_mut()),
                body: String::from_utf8_lossy(&body).into_owned(),
            })
        })
        .await?
    }

    /// Names of the buckets that the identity may list.
    pub(crate) async fn list_buckets(&self) -> Result<Answer, ApiError> {
        self.send(ApiRequest::default()).await
    }

    fn parts(&self, request: &ApiRequest<'_>) -> Result<http::request::Parts, ApiError> {
        let mut url = self.endpoint.clone();
        if let Some(bucket) = request.bucket {
            if self.bucket_in_host {
                let host = format!("{bucket}.{}", url.host_str().unwrap_or_default());
                url.set_host(Some(&host)).map_err(|error| ApiError::Request(format!("`{host}`: {error}")))?;
            } else {
                url.set_path(&format!("{bucket}/"));
            }
        }
        let query = request.query.iter().map(|(key, value)| match value.is_empty() {
            true => encoded(key),
            false => format!("{}={}", encoded(key), encoded(value)),
        });
        let query = query.collect::<Vec<_>>().join("&");
        url.set_query((!query.is_empty()).then_some(&query));
        let mut head = Request::builder().method(request.method.clone()).uri(url.as_str());
        if !request.body.is_empty() {
            head = head.header(http::header::CONTENT_TYPE, "application/xml");
        }
        let (parts, ()) = head.body(()).map_err(|error| ApiError::Request(error.to_string()))?.into_parts();
        Ok(parts)
    }

    async fn sign(&self, parts: &mut http::request::Parts, bucket: Option<&str>) -> Result<(), ApiError> {
        match &self.identity {
            Identity::Oss(signer) => {
                let signer = signer.clone().with_request_signer(oss::RequestSigner::new(bucket.unwrap_or_default()));
                signer.sign(parts, None).await.map_err(ApiError::Credential)
            }
            Identity::S3(signer) => signer.sign(parts, None).await.map_err(ApiError::Credential),
            Identity::None => Ok(()),
        }
    }
}

async fn in_time<T>(request: impl Future<Output = T>) -> Result<T, ApiError> {
    tokio::time::timeout(REQUEST_TIMEOUT, request).await.map_err(|_| ApiError::Timeout)
}

fn identity(connection: &Connection, egress: &Egress, context: Context) -> Result<Identity, LakeError> {
    match connection.storage {
        StorageKind::S3 => Ok(match credentials::s3_provider(connection)? {
            Some(provider) => {
                let signer = aws::RequestSigner::new("s3", credentials::s3_region(connection));
                Identity::S3(Signer::new(context, provider, signer))
            }
            None => Identity::None,
        }),
        StorageKind::Oss => {
            let signer = oss::RequestSigner::new("");
            Ok(match &connection.credentials {
                Credentials::None => Identity::None,
                Credentials::RamRole(_) => {
                    Identity::Oss(Signer::new(context, credentials::oss_role_provider(connection, egress)?, signer))
                }
                _ => Identity::Oss(Signer::new(context, credentials::oss_base_provider(connection), signer)),
            })
        }
        StorageKind::Local | StorageKind::OssHdfs => {
            Err(LakeError::Unsupported(format!("{} has no buckets.", connection.storage.label())))
        }
    }
}

/// Percent-encodes everything but unreserved characters.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_flat_documents() {
        let xml = "<A><Code>NoSuchBucket</Code><Bucket><Name>a</Name></Bucket><Bucket><Name> b </Name></Bucket></A>";
        assert_eq!(element(xml, "Code"), Some("NoSuchBucket"));
        assert_eq!(elements(xml, "Name").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(element(xml, "Message"), None);
        assert_eq!(element("<Code>cut", "Code"), None);
        assert_eq!(encoded("a b/ü"), "a%20b%2F%C3%BC");
    }
}

//! With which identity a store is reached: the services of opendal, told who we are.
//!
//! A RAM role is assumed through STS with the server's own base credentials, which the OSS service finds in the
//! environment (`ALIBABA_CLOUD_ACCESS_KEY_ID`, `ALIBABA_CLOUD_ACCESS_KEY_SECRET`, `ALIBABA_CLOUD_SECURITY_TOKEN`), in the
//! metadata service of an ECS instance, or through OIDC. It renews them and what STS hands out before they expire.

use crate::egress;
use model::data_source::{ENCRYPTION_KEY, EXTERNAL_ID_KEY, STS_ENDPOINT_KEY};
use model::region;
use opendal::services::{Oss, S3};
use ports::connection::{Connection, Credentials, Egress};
use ports::lake::LakeError;
use reqsign_aliyun_oss as oss;
use reqsign_aws_v4 as aws;
use reqsign_core::ProvideCredentialChain;
use secrecy::ExposeSecret as _;
use std::net::IpAddr;
use url::Url;

/// How the server calls itself when it assumes a role.
const ROLE_SESSION_NAME: &str = "lakedeck";
/// Where roles are assumed unless the source says otherwise.
const STS_ENDPOINT: &str = "https://sts.aliyuncs.com";
/// The region that S3-compatible servers without regions expect.
const S3_REGION: &str = "us-east-1";

/// Refuses supplemental properties that mean nothing here, and names those that do.
pub(crate) fn check_properties(connection: &Connection) -> Result<(), LakeError> {
    match connection.storage.unknown_property(connection.properties.iter().map(|(key, _)| key.as_str())) {
        None => Ok(()),
        Some(sentence) => Err(LakeError::Invalid(sentence)),
    }
}

fn property<'a>(connection: &'a Connection, key: &str) -> Option<&'a str> {
    connection.properties.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
}

/// The address of the store as configured.
pub(crate) fn endpoint_url(connection: &Connection) -> Result<Url, LakeError> {
    let endpoint = connection
        .endpoint
        .as_ref()
        .ok_or_else(|| LakeError::Invalid(format!("The data source `{}` has no endpoint.", connection.name)))?;
    url(&endpoint.url())
}

/// The address of the store, with the policy checked where it is an address and no name.
pub(crate) fn endpoint(connection: &Connection, egress: &Egress) -> Result<Url, LakeError> {
    permitted(endpoint_url(connection)?, egress)
}

/// Where the role of a connection is assumed, if it has one.
pub(crate) fn sts_endpoint(connection: &Connection, egress: &Egress) -> Result<Option<Url>, LakeError> {
    let Credentials::RamRole(_) = connection.credentials else { return Ok(None) };
    let configured = property(connection, STS_ENDPOINT_KEY).unwrap_or(STS_ENDPOINT);
    let configured = if configured.contains("://") { configured.to_owned() } else { format!("https://{configured}") };
    permitted(url(&configured)?, egress).map(Some)
}

fn url(text: &str) -> Result<Url, LakeError> {
    let url = Url::parse(text).map_err(|error| LakeError::Invalid(format!("`{text}` is no endpoint: {error}.")))?;
    let good = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.host().is_some();
    if good { Ok(url) } else { Err(LakeError::Invalid(format!("`{text}` is no endpoint: give host or host:port."))) }
}

fn permitted(url: Url, egress: &Egress) -> Result<Url, LakeError> {
    if let (Some(address), Some(host)) = (literal(&url), url.host_str()) {
        egress::check(egress, host, address).map_err(|refused| LakeError::Forbidden(refused.to_string()))?;
    }
    Ok(url)
}

/// The address that a URL holds instead of a name.
fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        url::Host::Ipv4(address) => Some(address.into()),
        url::Host::Ipv6(address) => Some(address.into()),
        url::Host::Domain(_) => None,
    }
}

/// Whether an endpoint is an address, which has no subdomains to put a bucket in.
pub(crate) fn is_address(url: &Url) -> bool {
    literal(url).is_some()
}

/// An OSS bucket, reached as its connection says.
pub(crate) fn oss(connection: &Connection, egress: &Egress, bucket: &str, root: &str) -> Result<Oss, LakeError> {
    let endpoint = endpoint(connection, egress)?;
    let mut oss = Oss::default().bucket(bucket).root(root).endpoint(origin(&endpoint));
    if connection.path_style || is_address(&endpoint) {
        oss = oss.addressing_style("path");
    }
    if let Some(encryption) = property(connection, ENCRYPTION_KEY) {
        oss = oss.server_side_encryption(encryption);
    }
    Ok(match &connection.credentials {
        Credentials::AccessKey { id, secret, session_token } => {
            let token = session_token.as_ref().map_or("", |token| token.expose_secret());
            oss.access_key_id(id).access_key_secret(secret.expose_secret()).security_token(token)
        }
        Credentials::RamRole(role) => {
            if let Some(sts) = sts_endpoint(connection, egress)? {
                oss = oss.sts_endpoint(origin(&sts));
            }
            if let Some(id) = property(connection, EXTERNAL_ID_KEY) {
                oss = oss.external_id(id);
            }
            oss.role_arn(role.as_str()).role_session_name(ROLE_SESSION_NAME)
        }
        Credentials::Environment => oss,
        Credentials::None => oss.skip_signature(),
    })
}

/// An S3-compatible bucket, reached as its connection says.
pub(crate) fn s3(connection: &Connection, egress: &Egress, bucket: &str, root: &str) -> Result<S3, LakeError> {
    let endpoint = endpoint(connection, egress)?;
    let mut s3 = S3::default().bucket(bucket).root(root).endpoint(origin(&endpoint)).region(s3_region(connection));
    if !connection.path_style && !is_address(&endpoint) {
        s3 = s3.enable_virtual_host_style();
    }
    if let Some(encryption) = property(connection, ENCRYPTION_KEY) {
        s3 = s3.server_side_encryption(encryption);
    }
    Ok(match &connection.credentials {
        Credentials::AccessKey { id, secret, session_token } => {
            let token = session_token.as_ref().map_or("", |token| token.expose_secret());
            s3.access_key_id(id).secret_access_key(secret.expose_secret()).session_token(token).disable_config_load()
        }
        Credentials::Environment => s3,
        Credentials::None => s3.skip_signature(),
        Credentials::RamRole(role) => {
            return Err(LakeError::Invalid(format!("A RAM role ({role}) does not fit S3-compatible storage.")));
        }
    })
}

/// The credentials of an S3-compatible store, `None` where requests are not signed.
pub(crate) fn s3_provider(
    connection: &Connection,
) -> Result<Option<ProvideCredentialChain<aws::Credential>>, LakeError> {
    let chain = ProvideCredentialChain::new();
    match &connection.credentials {
        Credentials::AccessKey { id, secret, session_token } => {
            let mut key = aws::StaticCredentialProvider::new(id, secret.expose_secret());
            if let Some(token) = session_token {
                key = key.with_session_token(token.expose_secret());
            }
            Ok(Some(chain.push(key)))
        }
        Credentials::Environment => Ok(Some(chain.push(aws::DefaultCredentialProvider::new()))),
        Credentials::None => Ok(None),
        Credentials::RamRole(role) => {
            Err(LakeError::Invalid(format!("A RAM role ({role}) does not fit S3-compatible storage.")))
        }
    }
}

/// The key of an OSS connection, or the server's own: the same chain as the OSS service's.
pub(crate) fn oss_base_provider(connection: &Connection) -> ProvideCredentialChain<oss::Credential> {
    let chain = ProvideCredentialChain::new();
    if let Credentials::AccessKey { id, secret, session_token } = &connection.credentials {
        let key = oss::StaticCredentialProvider::new(id, secret.expose_secret());
        return chain.push(match session_token {
            Some(token) => key.with_security_token(token.expose_secret()),
            None => key,
        });
    }
    chain
        .push(oss::EnvCredentialProvider::new())
        .push(oss::EcsRamRoleCredentialProvider::new())
        .push(oss::AssumeRoleWithOidcCredentialProvider::new())
}

/// The role of an OSS connection, assumed with the server's own credentials; unlike in a chain its errors are seen.
pub(crate) fn oss_role_provider(
    connection: &Connection,
    egress: &Egress,
) -> Result<oss::AssumeRoleCredentialProvider, LakeError> {
    let mut provider = oss::AssumeRoleCredentialProvider::new()
        .with_base_provider(oss_base_provider(connection))
        .with_role_session_name(ROLE_SESSION_NAME);
    if let Credentials::RamRole(role) = &connection.credentials {
        provider = provider.with_role_arn(role.as_str());
    }
    if let Some(sts) = sts_endpoint(connection, egress)? {
        provider = provider.with_sts_endpoint(origin(&sts));
    }
    if let Some(id) = property(connection, EXTERNAL_ID_KEY) {
        provider = provider.with_external_id(id);
    }
    Ok(provider)
}

/// The region that requests to an S3-compatible store are signed for.
pub(crate) fn s3_region(connection: &Connection) -> &str {
    match connection.region.as_str() {
        "" | region::LOCAL => S3_REGION,
        region => region,
    }
}

/// Scheme, host and port, without the `/` that ends a URL.
fn origin(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}

//! What went wrong in a connection test, and what to do about it: one function for each signal.

use crate::egress::{self, Refused};
use crate::local_folder::words;
use crate::store_api::{Answer, ApiError, element};
use crate::store_error;
use model::probe::ConnectionState;
use opendal::ErrorKind;
use ports::connection::{Connection, Credentials};
use ports::lake::LakeError;
use std::error::Error as StdError;
use std::time::Duration;

/// A clock that differs by more makes stores refuse signatures.
pub(crate) const CLOCK_DIFFERENCE_MAX: Duration = Duration::from_secs(15 * 60);
/// How much of a store's answer is shown.
const RAW_CHARS_MAX: usize = 1000;

/// A failed step: the verdict, one line of what, one line of what next, and the store's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    pub(crate) state: ConnectionState,
    pub(crate) message: String,
    pub(crate) cure: String,
    pub(crate) raw: Option<String>,
}

fn config_error(message: impl Into<String>, cure: impl Into<String>) -> Diagnosis {
    Diagnosis { state: ConnectionState::ConfigError, message: message.into(), cure: cure.into(), raw: None }
}

fn unreachable(message: impl Into<String>, cure: impl Into<String>) -> Diagnosis {
    Diagnosis { state: ConnectionState::Unreachable, ..config_error(message, cure) }
}

impl Diagnosis {
    fn with_raw(self, raw: impl Into<String>) -> Self {
        Self { raw: Some(raw.into()), ..self }
    }

    fn with_answer(self, answer: &Answer) -> Self {
        self.with_raw(own_words(answer))
    }
}

/// The parts of an error document that are fit to be shown. The rest may hold a security token (`StringToSign`).
fn own_words(answer: &Answer) -> String {
    let mut lines = vec![format!("HTTP {}", answer.status)];
    for name in ["Code", "Message", "EC", "Endpoint", "Region", "HostId", "RequestId"] {
        if let Some(text) = element(&answer.body, name).filter(|text| !text.is_empty() && !text.contains('<')) {
            lines.push(format!("{name}: {}", text.chars().take(RAW_CHARS_MAX / 4).collect::<String>()));
        }
    }
    lines.join("\n")
}

fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

/// An error and its causes on one line each.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let lines: Vec<_> = causes(error).map(ToString::to_string).collect();
    lines.join("\n").chars().take(RAW_CHARS_MAX).collect()
}

fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    causes(error).find_map(|error| error.downcast_ref::<E>())
}

pub(crate) fn refused_by_policy(refused: &Refused) -> Diagnosis {
    config_error(
        format!("The server may not connect to {}: it is {}.", refused.host, refused.what),
        format!("Use another endpoint, or ask the operator to allow it: --allow-hosts {}.", refused.host),
    )
}

/// The address cannot even be built.
pub(crate) fn invalid(error: &LakeError) -> Diagnosis {
    match error {
        LakeError::Unsupported(why) => unsupported(why),
        LakeError::Forbidden(why) => {
            config_error(why.as_str(), "Choose another address, or ask the operator to permit it.")
        }
        error => config_error(error.to_string(), "Correct the data source."),
    }
}

/// A part that this build lacks.
pub(crate) fn unsupported(why: &str) -> Diagnosis {
    Diagnosis {
        state: ConnectionState::Unsupport,
        ..config_error(why, "Choose another storage type: OSS, S3-compatible or a local folder.")
    }
}

pub(crate) fn unresolved(host: &str, error: &std::io::Error) -> Diagnosis {
    let mut cure = "Check region and endpoint.".to_owned();
    if host.contains("-internal") || host.contains("-vpc") || host.contains("-intranet") {
        cure.push_str(" An -internal or -vpc name works only inside the cloud's network: use the public endpoint.");
    }
    unreachable("The endpoint name cannot be resolved.", cure).with_raw(format!("{host}: {error}"))
}

pub(crate) fn no_route(host: &str, port: u16) -> Diagnosis {
    unreachable(
        format!("No route to {host}:{port}."),
        "Add a NAT gateway for the server's network, peering, or use a public endpoint.",
    )
}

pub(crate) fn connection_refused(error: &std::io::Error) -> Diagnosis {
    unreachable(
        "The host refused the connection.",
        "Check the port, and the store's whitelist: add the server's addresses.",
    )
    .with_raw(error.to_string())
}

pub(crate) fn untrusted(host: &str, error: &(dyn StdError + 'static)) -> Diagnosis {
    config_error(
        format!("The certificate of {host} is not trusted."),
        "Install the certificate authority on the server, or check whether the endpoint speaks http:// instead of https://.",
    )
    .with_raw(chain(error))
}

fn wrong_key(connection: &Connection) -> Diagnosis {
    let cure = match connection.credentials {
        Credentials::AccessKey { .. } => "Replace the access key; check signer and region.",
        _ => "Replace the access key in the server's environment; check signer and region.",
    };
    config_error("The access key is wrong.", cure)
}

fn role_refused(why: &str) -> Diagnosis {
    config_error(
        "The role cannot be assumed.",
        "Check the ARN, and that the role's trust policy names the server's account or user.",
    )
    .with_raw(why)
}

fn no_server_credentials(connection: &Connection) -> Diagnosis {
    let names = match connection.storage {
        model::data_source::StorageKind::S3 => "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        _ => "ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    };
    config_error(
        "The server has no credentials of its own.",
        format!("Start the server with {names}, on an instance with a role, or use an access key."),
    )
}

/// Why no credential could be obtained: the role, the server's environment.
pub(crate) fn no_credential(connection: &Connection, error: &ApiError) -> Diagnosis {
    let cause = match error {
        ApiError::Credential(cause) => cause,
        error => return no_answer(error),
    };
    if cause.kind() == reqsign_core::ErrorKind::CredentialInvalid {
        return no_server_credentials(connection);
    }
    let said = chain(cause);
    let code = sts_code(&said).unwrap_or_default();
    match code {
        "" if find::<reqwest::Error>(cause).is_some() => {
            unreachable("STS does not answer.", "Check the property sts.endpoint and the server's network.")
                .with_raw(said)
        }
        code if code.starts_with("InvalidAccessKeyId")
            || matches!(code, "SignatureDoesNotMatch" | "IncompleteSignature" | "InvalidSecurityToken.Expired") =>
        {
            wrong_key(connection).with_raw(format!("STS: {code}"))
        }
        "InvalidTimeStamp.Expired" => clock_differs(None),
        "" => role_refused(&said),
        code => role_refused(&format!("STS: {code}")),
    }
}

/// The code of an STS error, which is JSON inside the library's message.
fn sts_code(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("\"Code\"")?;
    let (_, rest) = rest.split_once('"')?;
    rest.split_once('"').map(|(code, _)| code)
}

/// No answer where a moment ago there was a connection.
pub(crate) fn no_answer(error: &ApiError) -> Diagnosis {
    if let ApiError::Timeout = error {
        return unreachable(
            "The store did not answer in time.",
            "Try again; check the network between server and store.",
        );
    }
    if let Some(refused) = egress::refusal(error) {
        return refused_by_policy(refused);
    }
    unreachable("The store broke the connection off.", "Check endpoint and port; a proxy in between may be the cause.")
        .with_raw(chain(error))
}

/// What an answer to a signed request says about the credential; `None` when the store knows it.
pub(crate) fn bad_credential(connection: &Connection, answer: &Answer) -> Option<Diagnosis> {
    let code = answer.code();
    match code {
        "RequestTimeTooSkewed" => Some(clock_differs(clock_difference(answer)).with_answer(answer)),
        "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSecurityToken"
        | "SecurityTokenExpired"
        | "InvalidToken"
        | "ExpiredToken"
        | "InvalidClientTokenId"
        | "InvalidSecurity" => Some(wrong_key(connection).with_answer(answer)),
        _ if answer.status == 401 => Some(wrong_key(connection).with_answer(answer)),
        _ if answer.status >= 500 => Some(out_of_order(answer)),
        _ if !is_of_a_store(answer) => Some(not_a_store(answer)),
        _ => None,
    }
}

/// Whether an answer is one of an object store, and not of any web server.
fn is_of_a_store(answer: &Answer) -> bool {
    let documents = ["<Error>", "<ListAllMyBucketsResult", "<LocationConstraint", "<ListBucketResult"];
    let headers = ["x-oss-request-id", "x-amz-request-id", "x-amz-bucket-region"];
    documents.iter().any(|document| answer.body.contains(document))
        || headers.iter().any(|header| answer.header(header).is_some())
}

fn not_a_store(answer: &Answer) -> Diagnosis {
    config_error(
        format!("The endpoint does not answer like an object store (HTTP {}).", answer.status),
        "Check the endpoint: http or https, host and port, without the bucket.",
    )
    .with_answer(answer)
}

fn out_of_order(answer: &Answer) -> Diagnosis {
    unreachable(
        format!("The store answers that it cannot at the moment (HTTP {}).", answer.status),
        "Try again in a while.",
    )
    .with_answer(answer)
}

/// What an answer about a bucket says against it; `None` when the bucket is there.
pub(crate) fn bad_bucket(connection: &Connection, bucket: &str, answer: &Answer) -> Option<Diagnosis> {
    if let Some(diagnosis) = bad_credential(connection, answer) {
        return Some(diagnosis);
    }
    if let Some(region) = other_region(answer) {
        return Some(
            config_error(
                format!("The bucket is in region {region}."),
                "Change the region of the data source, and its endpoint.",
            )
            .with_answer(answer),
        );
    }
    let absent = config_error(format!("Bucket {bucket} does not exist."), "Check the name and the region.");
    match answer.code() {
        "NoSuchBucket" | "InvalidBucketName" => Some(absent.with_answer(answer)),
        _ if answer.status == 404 => Some(absent.with_answer(answer)),
        _ => None,
    }
}

/// What an answer to a listing says against it.
pub(crate) fn bad_listing(connection: &Connection, bucket: &str, prefix: &str, answer: &Answer) -> Option<Diagnosis> {
    if answer.is_success() {
        return None;
    }
    Some(bad_bucket(connection, bucket, answer).unwrap_or_else(|| {
        match answer.status {
            403 => denied(bucket, prefix, "list", answer.body.as_str()).with_answer(answer),
            status => unreachable(
                format!("The store refuses to list {bucket}/{prefix} (HTTP {status})."),
                "Check endpoint and path style.",
            )
            .with_answer(answer),
        }
    }))
}

/// A refusal of the identity, or of the address that it comes from.
fn denied(bucket: &str, prefix: &str, verb: &str, said: &str) -> Diagnosis {
    let said = said.to_ascii_lowercase();
    let about_address = ["sourceip", "source ip", "ip address", "whitelist", "sourcevpc", "from the vpc"];
    if about_address.iter().any(|hint| said.contains(hint)) {
        return config_error("Blocked by the bucket's address rule.", "Add the server's addresses to the whitelist.");
    }
    config_error(
        format!("The identity may not {verb} {bucket}/{prefix}."),
        "Its policy must allow ListObjects, GetObject, PutObject and DeleteObject.",
    )
}

/// The region in which the store says that the bucket lies, if it says so.
fn other_region(answer: &Answer) -> Option<String> {
    let moved = matches!(answer.status, 301 | 307)
        || matches!(
            answer.code(),
            "AccessMustUseSpecifiedEndpoint"
                | "PermanentRedirect"
                | "TemporaryRedirect"
                | "AuthorizationHeaderMalformed"
                | "IllegalLocationConstraintException"
        )
        || (answer.code() == "AccessDenied" && element(&answer.body, "Endpoint").is_some());
    if !moved || answer.is_success() {
        return None;
    }
    let named = answer.header("x-amz-bucket-region").or_else(|| element(&answer.body, "Region"));
    let region = named.map(str::to_owned).or_else(|| element(&answer.body, "Endpoint").and_then(region_of_endpoint));
    Some(region.unwrap_or_else(|| "another one".to_owned()))
}

/// `cn-beijing` of `oss-cn-beijing-internal.aliyuncs.com`, `eu-west-1` of `bucket.s3.eu-west-1.amazonaws.com`.
fn region_of_endpoint(endpoint: &str) -> Option<String> {
    let mut labels = endpoint.split('.');
    if let Some(region) = labels.clone().find_map(|label| label.strip_prefix("oss-")) {
        return Some(region.trim_end_matches("-internal").to_owned());
    }
    labels.clone().find_map(|label| label.strip_prefix("s3-")).map(str::to_owned).or_else(|| {
        labels.find(|label| *label == "s3")?;
        labels.next().filter(|label| *label != "amazonaws").map(str::to_owned)
    })
}

/// How far the store's clock is ahead of ours.
pub(crate) fn clock_difference(answer: &Answer) -> Option<i64> {
    let theirs = jiff::fmt::rfc2822::parse(answer.header("date")?).ok()?;
    Some(theirs.timestamp().as_second() - jiff::Timestamp::now().as_second())
}

pub(crate) fn clock_differs(seconds: Option<i64>) -> Diagnosis {
    let by = seconds.map_or_else(|| "more than 900".to_owned(), |seconds| seconds.unsigned_abs().to_string());
    config_error(format!("Clock differs by {by} s."), "Synchronise the server's clock (NTP).")
}

pub(crate) fn absent_path(path: &str) -> Diagnosis {
    config_error("The warehouse path does not exist.", format!("Check the path {path}, or create the folder."))
}

pub(crate) fn not_a_warehouse(suggestion: Option<&str>) -> Diagnosis {
    let cure = match suggestion {
        Some(uri) => format!("Choose {uri} instead."),
        None => "Choose its parent or a child: a warehouse holds <database>.db folders, or nothing yet.".to_owned(),
    };
    config_error("The directory is not a Paimon warehouse.", cure)
}

pub(crate) fn unreadable_table(table: &str, why: &str) -> Diagnosis {
    config_error(format!("Table {table} cannot be read: {why}."), "Repair or remove the table's schema file.")
}

pub(crate) fn unsafe_store(why: &str) -> Diagnosis {
    let diagnosis = config_error(
        "This store cannot commit safely; it is used for reading only.",
        "Use a store that honours conditional writes, or a Paimon REST catalog.",
    );
    if why.is_empty() { diagnosis } else { diagnosis.with_raw(why) }
}

/// A local folder that cannot be looked into.
pub(crate) fn unreadable_folder(folder: &str, error: &std::io::Error) -> Diagnosis {
    match error.kind() {
        std::io::ErrorKind::NotFound => absent_path(folder),
        std::io::ErrorKind::PermissionDenied => no_right(folder, "list"),
        _ => config_error(format!("The folder {folder} cannot be listed: {}.", words(error)), "Choose another folder."),
    }
}

/// An operation of opendal that the store refused. A local folder has no bucket.
pub(crate) fn store_refused(bucket: Option<&str>, path: &str, verb: &str, error: &opendal::Error) -> Diagnosis {
    let raw = store_error::code(error).unwrap_or(error.kind().into_static()).to_owned();
    if store_error::is_outside(error) {
        return config_error(
            "A symbolic link leads out of the warehouse.",
            format!("Remove the link below {path}, or replace it by the folder."),
        );
    }
    let diagnosis = match (error.kind(), bucket) {
        (ErrorKind::PermissionDenied, Some(bucket)) => denied(bucket, path, verb, error.message()),
        (ErrorKind::PermissionDenied, None) => no_right(path, verb),
        (ErrorKind::NotFound, _) => absent_path(path),
        (_, Some(bucket)) => unreachable(format!("The store did not {verb} {bucket}/{path}."), "Try again in a while."),
        (_, None) => {
            let why = store_error::disk_refuses(error).unwrap_or("the disk does not answer as it should");
            config_error(
                format!("The server could not {verb} {path}: {why}."),
                "Choose another folder, or repair this one.",
            )
        }
    };
    diagnosis.with_raw(raw)
}

fn no_right(folder: &str, verb: &str) -> Diagnosis {
    config_error(
        format!("The server may not {verb} {folder}."),
        "Give the server's user the right to read and write the folder.",
    )
}

pub(crate) fn too_slow() -> Diagnosis {
    unreachable("The test took longer than 30 s.", "Try again; check the network between server and store.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_of_endpoints() {
        let check = |endpoint: &str, region: Option<&str>| assert_eq!(region_of_endpoint(endpoint).as_deref(), region);
        check("oss-cn-beijing.aliyuncs.com", Some("cn-beijing"));
        check("bucket.oss-cn-beijing-internal.aliyuncs.com", Some("cn-beijing"));
        check("bucket.s3.eu-west-1.amazonaws.com", Some("eu-west-1"));
        check("bucket.s3-eu-west-1.amazonaws.com", Some("eu-west-1"));
        check("bucket.s3.amazonaws.com", None);
        check("minio.example", None);
    }

    #[test]
    fn refusals_of_disks() {
        let check = |os_error: i32, message: &str| {
            let error = opendal::raw::new_std_io_error(std::io::Error::from_raw_os_error(os_error));
            assert_eq!(store_refused(None, "/w/", "write to", &error).message, message);
        };
        check(13, "The server may not write to /w/.");
        check(28, "The server could not write to /w/: no space is left on the disk.");
        check(30, "The server could not write to /w/: the file system is read-only.");
        check(5, "The server could not write to /w/: the disk reports an input/output error.");
        check(2, "The warehouse path does not exist.");
    }

    #[test]
    fn codes_of_sts() {
        let said = r#"request to Aliyun STS Services failed: {"RequestId":"1","Code":"NoPermission","Message":"x"}"#;
        assert_eq!(sts_code(said), Some("NoPermission"));
        assert_eq!(sts_code("no json"), None);
    }
}

//! A double of Alibaba Cloud OSS in memory. It checks signatures and honours `x-oss-forbid-overwrite`; every request is
//! served under one lock, so that of any number of conditional PUTs exactly one wins. It can be told to misbehave.

use crate::oss_signature::{authorization, signature};
use crate::oss_xml::{error, escaped, texts, xml};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

const SKEW_MAX_SECONDS: i64 = 15 * 60;
const BODY_BYTES_MAX: usize = 1 << 30;

/// How the double misbehaves; nothing by default.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Applies so many of the next PUTs and breaks the connection off instead of answering.
    pub lost_replies: u32,
    /// Answers so many of the next requests with 503.
    pub unavailable: u32,
    /// Answers so many of the next PUTs with 503 and does not apply them.
    pub refused_puts: u32,
    /// Lost replies and refused PUTs are of keys that contain this only.
    pub keys: String,
    /// Answers every so many-th request with 503; none where it is 0.
    pub unavailable_every: u64,
    /// Refuses requests of these methods with `AccessDenied`, except to list buckets.
    pub denied: Vec<Method>,
    /// Refuses everything but listing buckets by the bucket's address rule.
    pub address_rule: bool,
    /// Says that buckets lie in this region.
    pub other_region: Option<String>,
    /// Overwrites in spite of `x-oss-forbid-overwrite`, as buckets with versioning do.
    pub overwrites: bool,
    /// How far the clock is ahead, seconds.
    pub clock_ahead: i64,
    /// Tells that clock in the `Date` header but does not compare it with the request's.
    pub tolerates_skew: bool,
    /// Waits so long before answering.
    pub delay: Duration,
}

#[derive(Clone, Debug)]
struct Object {
    content: Bytes,
    modified: Timestamp,
    content_type: Option<HeaderValue>,
}

#[derive(Debug, Default)]
struct Upload {
    bucket: String,
    key: String,
    parts: BTreeMap<u32, Bytes>,
}

#[derive(Debug)]
struct Key {
    secret: String,
    token: Option<String>,
}

#[derive(Debug, Default)]
struct Content {
    keys: HashMap<String, Key>,
    buckets: BTreeMap<String, BTreeMap<String, Object>>,
    uploads: HashMap<String, Upload>,
    faults: Faults,
    /// Requests that came.
    requests: u64,
    /// Signatures that were checked and right.
    verified: u64,
}

/// A running double; it stops with the runtime that it was started on.
#[derive(Clone, Debug)]
pub struct OssDouble {
    content: Arc<Mutex<Content>>,
    port: u16,
}

impl OssDouble {
    /// The access key that the double knows from the start.
    pub const KEY_ID: &str = "LTAIdouble";
    pub const KEY_SECRET: &str = "double-secret";

    /// Starts on a free port of the loopback interface.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let double = Self { content: Arc::default(), port };
        double.add_key(Self::KEY_ID, Self::KEY_SECRET, None);
        let router = Router::new().fallback(serve).with_state(double.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        double
    }

    /// With the bucket before the host (`http://bucket.localhost:<port>`), as OSS is addressed.
    pub fn endpoint(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// With the bucket in the path, as addresses are addressed.
    pub fn address_endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn add_key(&self, id: &str, secret: &str, token: Option<&str>) {
        let key = Key { secret: secret.into(), token: token.map(Into::into) };
        self.lock().keys.insert(id.into(), key);
    }

    pub fn create_bucket(&self, bucket: &str) {
        self.lock().buckets.entry(bucket.into()).or_default();
    }

    /// Puts an object past the API.
    pub fn put(&self, bucket: &str, key: &str, content: impl Into<Bytes>) {
        self.put_at(bucket, key, content, Timestamp::now());
    }

    /// Puts an object that was last modified at a given time.
    pub fn put_at(&self, bucket: &str, key: &str, content: impl Into<Bytes>, modified: Timestamp) {
        let object = Object { content: content.into(), modified, content_type: None };
        self.lock().buckets.entry(bucket.into()).or_default().insert(key.into(), object);
    }

    pub fn get(&self, bucket: &str, key: &str) -> Option<Bytes> {
        self.lock().buckets.get(bucket)?.get(key).map(|object| object.content.clone())
    }

    pub fn keys(&self, bucket: &str) -> Vec<String> {
        self.lock().buckets.get(bucket).map(|objects| objects.keys().cloned().collect()).unwrap_or_default()
    }

    pub fn set_faults(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    /// How many requests carried a right signature.
    pub fn verified(&self) -> u64 {
        self.lock().verified
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().expect("no test panics under this lock")
    }
}

/// Bucket, key and query of a request, decoded.
struct Target {
    bucket: Option<String>,
    key: String,
    query: Vec<(String, String)>,
}

impl Target {
    fn of(request: &axum::http::request::Parts) -> Self {
        let host = request.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let path = decoded(request.uri.path().trim_start_matches('/'));
        let query = request.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key), decoded(value))
        });
        let query = query.collect();
        match host.split_once(".localhost") {
            Some((bucket, _)) => Self { bucket: Some(bucket.into()), key: path, query },
            None => {
                let (bucket, key) = path.split_once('/').unwrap_or((&path, ""));
                Self { bucket: (!bucket.is_empty()).then(|| bucket.into()), key: key.into(), query }
            }
        }
    }

    fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// As it is signed: `/bucket/key`.
    fn resource(&self) -> String {
        self.bucket.as_ref().map_or_else(|| "/".into(), |bucket| format!("/{bucket}/{}", self.key))
    }
}

pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = tail
            .get(..2)
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, hex) {
            (b'%', Some(value)) => {
                bytes.push(value);
                rest = &tail[2..];
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn serve(State(double): State<OssDouble>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await.unwrap_or_default();
    let delay = double.lock().faults.delay;
    tokio::time::sleep(delay).await;
    let target = Target::of(&parts);
    let (mut response, lost) = {
        let mut content = double.lock();
        let response = answer(&mut content, &parts, &target, body);
        let is_meant = !target.key.is_empty() && target.key.contains(&content.faults.keys);
        let lost = content.faults.lost_replies > 0 && parts.method == Method::PUT && is_meant;
        if lost {
            content.faults.lost_replies -= 1;
        }
        let now = Timestamp::now() + jiff::SignedDuration::from_secs(content.faults.clock_ahead);
        (with_date(response, now), lost)
    };
    if lost {
        // Ends the task of this connection: the client sees it break off. No message, unlike a panic.
        std::panic::resume_unwind(Box::new("the reply is lost"));
    }
    if parts.method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

fn with_date(mut response: Response, now: Timestamp) -> Response {
    let date = HeaderValue::from_str(&http_date(now)).expect("a date is a header");
    response.headers_mut().insert(header::DATE, date);
    response
}

fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn answer(content: &mut Content, parts: &axum::http::request::Parts, target: &Target, body: Bytes) -> Response {
    content.requests += 1;
    if is_out_of_order(content, parts, target) {
        return error(503, "ServiceUnavailable", "Please try again later.", "");
    }
    if let Err(refused) = authenticate(content, parts, target) {
        return *refused;
    }
    let Some(bucket) = &target.bucket else { return list_buckets(content) };
    if content.faults.address_rule {
        return error(403, "AccessDenied", "The source ip address is not in the whitelist of the bucket.", "");
    }
    if let Some(region) = &content.faults.other_region {
        let message = "The bucket you are attempting to access must be addressed using the specified endpoint.";
        return error(403, "AccessDenied", message, &format!("<Endpoint>oss-{region}.aliyuncs.com</Endpoint>"));
    }
    let is_location = target.query("location").is_some();
    if content.faults.denied.contains(&parts.method) && !is_location {
        return error(403, "AccessDenied", "You have no right to access this object because of bucket acl.", "");
    }
    if target.key.is_empty() && parts.method == Method::PUT {
        if content.buckets.contains_key(bucket) {
            return error(409, "BucketAlreadyExists", "The requested bucket name is not available.", "");
        }
        content.buckets.insert(bucket.clone(), BTreeMap::new());
        return StatusCode::OK.into_response();
    }
    if !content.buckets.contains_key(bucket) {
        return error(404, "NoSuchBucket", "The specified bucket does not exist.", "");
    }
    if target.key.is_empty() {
        return match parts.method {
            Method::GET if is_location => {
                xml(StatusCode::OK, "<LocationConstraint>oss-cn-hangzhou</LocationConstraint>".into())
            }
            Method::GET => list_objects(&content.buckets[bucket], bucket, target),
            Method::POST if target.query("delete").is_some() => delete_objects(content, bucket, &body),
            Method::HEAD => StatusCode::OK.into_response(),
            _ => error(405, "MethodNotAllowed", "The double does not know this request.", ""),
        };
    }
    object(content, parts, target, bucket, body)
}

/// Whether a fault makes the store answer this request with 503.
fn is_out_of_order(content: &mut Content, parts: &axum::http::request::Parts, target: &Target) -> bool {
    let requests = content.requests;
    let faults = &mut content.faults;
    let of_put = parts.method == Method::PUT && target.key.contains(&faults.keys);
    if faults.unavailable > 0 {
        faults.unavailable -= 1;
        true
    } else if faults.refused_puts > 0 && of_put {
        faults.refused_puts -= 1;
        true
    } else {
        faults.unavailable_every > 0 && requests.is_multiple_of(faults.unavailable_every)
    }
}

fn authenticate(
    content: &mut Content,
    parts: &axum::http::request::Parts,
    target: &Target,
) -> Result<(), Box<Response>> {
    let refused = |status, code, message: &str| Err(Box::new(error(status, code, message, "")));
    let Some((id, given)) = authorization(&parts.headers) else {
        return refused(403, "AccessDenied", "Anonymous access is forbidden for this operation.");
    };
    let Some(key) = content.keys.get(id) else {
        return refused(403, "InvalidAccessKeyId", "The OSS Access Key Id you provided does not exist in our records.");
    };
    let token = parts.headers.get("x-oss-security-token").and_then(|token| token.to_str().ok());
    if token != key.token.as_deref() {
        return refused(403, "InvalidSecurityToken", "The security token you provided is invalid.");
    }
    let resource = target.resource();
    if signature(&key.secret, &parts.method, &parts.headers, &resource, &target.query) != given {
        return refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.");
    }
    content.verified += 1;
    let date = parts.headers.get(header::DATE).and_then(|date| date.to_str().ok()).unwrap_or_default();
    let now = Timestamp::now().as_second() + content.faults.clock_ahead;
    let skew = jiff::fmt::rfc2822::parse(date).map_or(i64::MAX, |at| (at.timestamp().as_second() - now).abs());
    if skew > SKEW_MAX_SECONDS && !content.faults.tolerates_skew {
        return refused(
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        );
    }
    Ok(())
}

fn list_buckets(content: &Content) -> Response {
    let buckets: String = content.buckets.keys().map(|name| format!("<Bucket><Name>{name}</Name></Bucket>")).collect();
    xml(StatusCode::OK, format!("<ListAllMyBucketsResult><Buckets>{buckets}</Buckets></ListAllMyBucketsResult>"))
}

fn list_objects(objects: &BTreeMap<String, Object>, bucket: &str, target: &Target) -> Response {
    let prefix = target.query("prefix").unwrap_or_default();
    let delimiter = target.query("delimiter").unwrap_or_default();
    let max: usize = target.query("max-keys").and_then(|max| max.parse().ok()).unwrap_or(100).min(1000);
    let after = target.query("continuation-token").or(target.query("start-after")).unwrap_or_default();
    let (mut found, mut folders) = (String::new(), BTreeSet::new());
    let (mut n, mut last, mut truncated) = (0, String::new(), false);
    for (key, object) in objects.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix)) {
        let folder = match delimiter.is_empty() {
            true => None,
            false => key[prefix.len()..].split_once(delimiter).map(|(name, _)| format!("{prefix}{name}{delimiter}")),
        };
        // What was listed before ends with the last key, or folder, of the page.
        let mark = folder.as_deref().unwrap_or(key);
        if mark <= after || folder.as_ref().is_some_and(|folder| folders.contains(folder)) {
            continue;
        }
        if n == max {
            truncated = true;
            break;
        }
        n += 1;
        last = mark.to_owned();
        match folder {
            Some(folder) => drop(folders.insert(folder)),
            None => found.push_str(&format!(
                "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>\"{}\"</ETag><Size>{}</Size></Contents>",
                escaped(key),
                object.modified.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                etag(&object.content),
                object.content.len(),
            )),
        }
    }
    let folders: String = folders
        .iter()
        .map(|folder| format!("<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", escaped(folder)))
        .collect();
    let next = match truncated {
        true => format!("<NextContinuationToken>{}</NextContinuationToken>", escaped(&last)),
        false => String::new(),
    };
    let body = format!(
        "<ListBucketResult><Name>{bucket}</Name><Prefix>{}</Prefix><MaxKeys>{max}</MaxKeys><KeyCount>{n}</KeyCount>\
         <IsTruncated>{truncated}</IsTruncated>{next}{found}{folders}</ListBucketResult>",
        escaped(prefix)
    );
    xml(StatusCode::OK, body)
}

/// Changes with the content; not the service's MD5.
fn etag(content: &[u8]) -> String {
    let hash = content
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}{:016x}", content.len())
}

fn delete_objects(content: &mut Content, bucket: &str, body: &[u8]) -> Response {
    let keys = texts(&String::from_utf8_lossy(body), "Key");
    let objects = content.buckets.get_mut(bucket).expect("the caller found it");
    let mut deleted = String::new();
    for key in keys {
        objects.remove(&key);
        deleted.push_str(&format!("<Deleted><Key>{}</Key></Deleted>", escaped(&key)));
    }
    xml(StatusCode::OK, format!("<DeleteResult>{deleted}</DeleteResult>"))
}

fn object(
    content: &mut Content,
    parts: &axum::http::request::Parts,
    target: &Target,
    bucket: &str,
    body: Bytes,
) -> Response {
    let upload = target.query("uploadId");
    match (&parts.method, upload) {
        (&Method::POST, None) if target.query("uploads").is_some() => begin_upload(content, parts, target, bucket),
        (&Method::PUT, Some(id)) => put_part(content, target, id, body),
        (&Method::POST, Some(id)) => complete_upload(content, parts, id, &body),
        (&Method::DELETE, Some(id)) => {
            content.uploads.remove(id);
            StatusCode::NO_CONTENT.into_response()
        }
        (&Method::PUT, None) => put_object(content, &parts.headers, bucket, &target.key, body),
        (&Method::GET | &Method::HEAD, None) => get_object(content, &parts.headers, bucket, &target.key),
        (&Method::DELETE, None) => {
            content.buckets.get_mut(bucket).expect("the caller found it").remove(&target.key);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => error(405, "MethodNotAllowed", "The double does not know this request.", ""),
    }
}

fn is_taken(content: &Content, headers: &HeaderMap, bucket: &str, key: &str) -> bool {
    let forbids = headers.get("x-oss-forbid-overwrite").is_some_and(|value| value == "true");
    forbids && !content.faults.overwrites && content.buckets[bucket].contains_key(key)
}

fn taken() -> Response {
    error(409, "FileAlreadyExists", "The object you specified already exists and can not be overwritten.", "")
}

fn put_object(content: &mut Content, headers: &HeaderMap, bucket: &str, key: &str, body: Bytes) -> Response {
    if is_taken(content, headers, bucket, key) {
        return taken();
    }
    let body = match headers.get("x-oss-copy-source").and_then(|source| source.to_str().ok()) {
        None => body,
        Some(source) => {
            let source = decoded(source.trim_start_matches('/'));
            let from = source.split_once('/').and_then(|(bucket, key)| content.buckets.get(bucket)?.get(key));
            match from {
                Some(object) => object.content.clone(),
                None => return error(404, "NoSuchKey", "The specified key does not exist.", ""),
            }
        }
    };
    store(content, bucket, key, body, headers.get(header::CONTENT_TYPE).cloned())
}

fn store(content: &mut Content, bucket: &str, key: &str, body: Bytes, content_type: Option<HeaderValue>) -> Response {
    let etag = format!("\"{}\"", etag(&body));
    let object = Object { content: body, modified: Timestamp::now(), content_type };
    content.buckets.get_mut(bucket).expect("the caller found it").insert(key.to_owned(), object);
    ([(header::ETAG, etag)], StatusCode::OK).into_response()
}

fn get_object(content: &Content, headers: &HeaderMap, bucket: &str, key: &str) -> Response {
    let Some(object) = content.buckets[bucket].get(key) else {
        return error(404, "NoSuchKey", "The specified key does not exist.", "");
    };
    let size = object.content.len();
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let (status, body, shown) = match range.map(|range| byte_range(range, size)) {
        None => (StatusCode::OK, object.content.clone(), None),
        Some(Some((from, to))) => (
            StatusCode::PARTIAL_CONTENT,
            object.content.slice(from..to),
            Some(format!("bytes {from}-{}/{size}", to - 1)),
        ),
        Some(None) => return error(416, "InvalidRange", "The requested range cannot be satisfied.", ""),
    };
    let mut response = (status, body.clone()).into_response();
    let headers = response.headers_mut();
    let mut set = |name: header::HeaderName, value: String| {
        headers.insert(name, HeaderValue::from_str(&value).expect("a header"));
    };
    set(header::CONTENT_LENGTH, body.len().to_string());
    set(header::ETAG, format!("\"{}\"", etag(&object.content)));
    set(header::LAST_MODIFIED, http_date(object.modified));
    if let Some(shown) = shown {
        set(header::CONTENT_RANGE, shown);
    }
    if let Some(kind) = &object.content_type {
        response.headers_mut().insert(header::CONTENT_TYPE, kind.clone());
    }
    response
}

/// The bytes `from..to` of `bytes=a-b`, `bytes=a-` or `bytes=-n`.
fn byte_range(range: &str, size: usize) -> Option<(usize, usize)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = match (from.parse::<usize>(), to.parse::<usize>()) {
        (Ok(from), Ok(to)) => (from, to.saturating_add(1).min(size)),
        (Ok(from), Err(_)) => (from, size),
        (Err(_), Ok(last)) => (size.saturating_sub(last), size),
        _ => return None,
    };
    (from < to).then_some((from, to))
}

fn begin_upload(content: &mut Content, parts: &axum::http::request::Parts, target: &Target, bucket: &str) -> Response {
    if is_taken(content, &parts.headers, bucket, &target.key) {
        return taken();
    }
    let id = uuid::Uuid::new_v4().simple().to_string();
    let upload = Upload { bucket: bucket.into(), key: target.key.clone(), parts: BTreeMap::new() };
    content.uploads.insert(id.clone(), upload);
    let body = format!(
        "<InitiateMultipartUploadResult><Bucket>{bucket}</Bucket><Key>{}</Key><UploadId>{id}</UploadId>\
         </InitiateMultipartUploadResult>",
        escaped(&target.key)
    );
    xml(StatusCode::OK, body)
}

fn put_part(content: &mut Content, target: &Target, id: &str, body: Bytes) -> Response {
    let number = target.query("partNumber").and_then(|number| number.parse().ok());
    let (Some(upload), Some(number)) = (content.uploads.get_mut(id), number) else {
        return error(404, "NoSuchUpload", "The specified upload does not exist.", "");
    };
    let etag = format!("\"{}\"", etag(&body));
    upload.parts.insert(number, body);
    ([(header::ETAG, etag)], StatusCode::OK).into_response()
}

fn complete_upload(content: &mut Content, parts: &axum::http::request::Parts, id: &str, body: &[u8]) -> Response {
    let Some(upload) = content.uploads.remove(id) else {
        return error(404, "NoSuchUpload", "The specified upload does not exist.", "");
    };
    if is_taken(content, &parts.headers, &upload.bucket, &upload.key) {
        return taken();
    }
    let wanted = texts(&String::from_utf8_lossy(body), "PartNumber");
    let chosen = wanted.iter().filter_map(|number| upload.parts.get(&number.parse().ok()?));
    let whole: Vec<u8> = chosen.flat_map(|part| part.iter().copied()).collect();
    let body = format!(
        "<CompleteMultipartUploadResult><Bucket>{}</Bucket><Key>{}</Key><ETag>\"{}\"</ETag></CompleteMultipartUploadResult>",
        upload.bucket,
        escaped(&upload.key),
        etag(&whole)
    );
    store(content, &upload.bucket, &upload.key, whole.into(), None);
    xml(StatusCode::OK, body)
}

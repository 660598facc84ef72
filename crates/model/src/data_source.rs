//! External data source (foreign server): how to reach a store and with which identity.

use crate::Timestamp;

use crate::names::{DataSourceName, Id, RoleArn, clean, description, required};
use crate::probe::TestRun;
use crate::problem::{Broken, FieldProblems, Problem};
use crate::region;
use crate::secret::Secret;
use serde::{Deserialize, Serialize};

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $id:literal, $label:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $(#[serde(rename = $id)] $variant,)+ }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The value in forms, files and the API.
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)+ }
            }

            /// The word on the screen.
            pub fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)+ }
            }

            pub fn parse(id: &str) -> Option<Self> {
                match id { $($id => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use choice;

choice!(
    /// How metadata is found.
    SourceKind {
        FilesystemCatalog = "filesystem", "Filesystem Catalog";
    }
);

choice!(
    /// What kind of store holds the files.
    StorageKind {
        Oss = "oss", "OSS";
        S3 = "s3", "S3-compatible";
        Local = "local", "Local folder";
        OssHdfs = "oss_hdfs", "OSS-HDFS";
    }
);

choice!(
    /// With which identity the store is reached.
    AuthKind {
        RamRole = "ram_role", "Alibaba Cloud RAM role";
        AccessKey = "access_key", "Access key";
        Environment = "environment", "Server environment";
        None = "none", "None";
    }
);

/// Supplemental property: where roles are assumed, e.g. `sts-vpc.cn-hangzhou.aliyuncs.com`.
pub const STS_ENDPOINT_KEY: &str = "sts.endpoint";
/// Supplemental property: the external id that a role's trust policy demands.
pub const EXTERNAL_ID_KEY: &str = "sts.external-id";
/// Supplemental property: `AES256` or `KMS`.
pub const ENCRYPTION_KEY: &str = "server-side-encryption";

impl StorageKind {
    /// The identities that make sense for this store; the first is the default.
    pub fn auth_kinds(self) -> &'static [AuthKind] {
        match self {
            Self::Oss | Self::OssHdfs => &[AuthKind::RamRole, AuthKind::AccessKey, AuthKind::Environment],
            Self::S3 => &[AuthKind::AccessKey, AuthKind::Environment, AuthKind::None],
            Self::Local => &[AuthKind::None],
        }
    }

    /// The supplemental properties that this storage understands; it refuses any other.
    pub fn known_properties(self) -> &'static [&'static str] {
        match self {
            Self::Oss => &[STS_ENDPOINT_KEY, EXTERNAL_ID_KEY, ENCRYPTION_KEY],
            Self::S3 => &[ENCRYPTION_KEY],
            Self::Local | Self::OssHdfs => &[],
        }
    }

    /// Says which of these properties is not understood, and which are; `None` where all are.
    pub fn unknown_property<'a>(self, mut keys: impl Iterator<Item = &'a str>) -> Option<String> {
        let known = self.known_properties();
        let key = keys.find(|key| !known.contains(key))?;
        let kind = self.label();
        Some(match known {
            [] => format!("The supplemental property `{key}` is not known: {kind} has none."),
            known => format!("The supplemental property `{key}` is not known. {kind} knows {}.", known.join(", ")),
        })
    }

    /// Why this storage cannot be used in this build, if so.
    pub fn unavailable(self) -> Option<&'static str> {
        match self {
            Self::OssHdfs => Some("OSS-HDFS needs a native library that is not built in."),
            _ => None,
        }
    }
}

/// The form of an external data source, as typed. Field names are the ids that [`Problem::fields`] refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataSourceDraft {
    pub source_kind: String,
    pub name: String,
    pub description: String,
    pub region: String,
    pub auth: String,
    pub role_arn: String,
    pub access_key_id: String,
    /// Empty in an edit form means: keep what is stored.
    pub access_key_secret: Secret,
    pub session_token: Secret,
    pub storage: String,
    pub endpoint: String,
    /// Address buckets as `endpoint/bucket`, as MinIO wants it.
    pub path_style: bool,
    /// Lines `key=value`.
    pub properties: String,
    /// Serves only the connection test; not stored.
    pub test_directory: String,
}

impl Default for DataSourceDraft {
    fn default() -> Self {
        Self {
            source_kind: SourceKind::FilesystemCatalog.id().into(),
            name: String::new(),
            description: String::new(),
            region: region::LOCAL.into(),
            auth: AuthKind::RamRole.id().into(),
            role_arn: String::new(),
            access_key_id: String::new(),
            access_key_secret: Secret::default(),
            session_token: Secret::default(),
            storage: StorageKind::Oss.id().into(),
            endpoint: String::new(),
            path_style: false,
            properties: String::new(),
            test_directory: String::new(),
        }
    }
}

/// A checked data source, ready to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDataSource {
    pub name: DataSourceName,
    pub description: String,
    pub source_kind: SourceKind,
    pub region: String,
    pub storage: StorageKind,
    pub endpoint: Option<Endpoint>,
    pub path_style: bool,
    pub auth: NewAuth,
    pub properties: Vec<(String, String)>,
}

/// The checked identity. An absent secret keeps the stored one (edit) and is refused at creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewAuth {
    RamRole(RoleArn),
    AccessKey { id: String, secret: Option<Secret>, session_token: Option<Secret> },
    Environment,
    None,
}

impl NewAuth {
    pub fn kind(&self) -> AuthKind {
        match self {
            Self::RamRole(_) => AuthKind::RamRole,
            Self::AccessKey { .. } => AuthKind::AccessKey,
            Self::Environment => AuthKind::Environment,
            Self::None => AuthKind::None,
        }
    }
}

/// Whether a draft makes a new source or changes one: an edit may leave secrets untyped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DraftUse {
    Create,
    Edit,
}

impl DataSourceDraft {
    /// Every rule of the form at once, the same in the browser and on the server.
    pub fn check(&self, draft_use: DraftUse) -> Result<NewDataSource, Problem> {
        let mut fields = FieldProblems::default();
        let name = fields.take("name", DataSourceName::parse(&self.name));
        let description = fields.take("description", description(&self.description));
        let source_kind = fields.take("source_kind", known(SourceKind::parse(&self.source_kind)));
        let storage = fields.take("storage", storage(&self.storage));
        let auth = storage.and_then(|storage| fields.take("auth", auth_kind(storage, &self.auth)));
        let auth = auth.and_then(|kind| self.check_auth(kind, draft_use, &mut fields));
        let region = fields.take("region", region_id(&self.region));
        let endpoint = storage.and_then(|storage| fields.take("endpoint", self.check_endpoint(storage)));
        let properties = fields.take("properties", properties(&self.properties));
        let properties = match storage {
            Some(storage) => properties.and_then(|all| fields.take("properties", known_to(storage, all))),
            None => properties,
        };
        match (name, description, source_kind, storage, auth, region, endpoint, properties) {
            (
                Some(name),
                Some(description),
                Some(source_kind),
                Some(storage),
                Some(auth),
                Some(region),
                Some(endpoint),
                Some(properties),
            ) if fields.is_empty() => Ok(NewDataSource {
                name,
                description,
                source_kind,
                region,
                storage,
                endpoint,
                path_style: self.path_style && storage == StorageKind::S3,
                auth,
                properties,
            }),
            _ => Err(fields.into_problem()),
        }
    }

    fn check_auth(&self, kind: AuthKind, draft_use: DraftUse, fields: &mut FieldProblems) -> Option<NewAuth> {
        match kind {
            AuthKind::RamRole => fields.take("role_arn", RoleArn::parse(&self.role_arn)).map(NewAuth::RamRole),
            AuthKind::Environment => Some(NewAuth::Environment),
            AuthKind::None => Some(NewAuth::None),
            AuthKind::AccessKey => {
                let id = fields.take("access_key_id", required(&self.access_key_id))?;
                let given = |secret: &Secret| (!secret.is_empty()).then(|| secret.clone());
                let secret = given(&self.access_key_secret);
                if secret.is_none() && draft_use == DraftUse::Create {
                    fields.add("access_key_secret", Broken::new("required", "This field is required."));
                    return None;
                }
                Some(NewAuth::AccessKey { id, secret, session_token: given(&self.session_token) })
            }
        }
    }

    fn check_endpoint(&self, storage: StorageKind) -> Result<Option<Endpoint>, Broken> {
        let text = clean(&self.endpoint)?;
        match (storage, text.is_empty()) {
            (StorageKind::Local, _) => Ok(None),
            (_, false) => Endpoint::parse(&text).map(Some),
            (_, true) => match region::generated_endpoint(storage, &self.region) {
                Some(generated) => Endpoint::parse(&generated).map(Some),
                None => Err(Broken::new("endpoint_required", endpoint_required(storage))),
            },
        }
    }
}

/// `host[:port]` or `http(s)://host[:port]`: no path, no user info.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Endpoint(String);

impl Endpoint {
    pub fn parse(text: &str) -> Result<Self, Broken> {
        let broken =
            || Broken::new("endpoint", "Give host or host:port, with http:// or https:// if you like, without a path.");
        let text = clean(text)?;
        let trimmed = text.strip_suffix('/').unwrap_or(&text);
        let authority = trimmed.strip_prefix("http://").or_else(|| trimmed.strip_prefix("https://")).unwrap_or(trimmed);
        let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => ("ipv6", port.strip_prefix(':')),
            Some(_) => return Err(broken()),
            None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
        };
        let host_ok = (1..=253).contains(&host.len())
            && host.split('.').all(|label| {
                !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
            });
        let port_ok = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        if host_ok && port_ok { Ok(Self(trimmed.to_owned())) } else { Err(broken()) }
    }

    /// As typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// With a scheme: `https` unless one was typed.
    pub fn url(&self) -> String {
        if self.0.contains("://") { self.0.clone() } else { format!("https://{}", self.0) }
    }
}

/// A stored data source, as shown: without its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSource {
    pub id: Id,
    pub name: DataSourceName,
    pub description: String,
    pub source_kind: SourceKind,
    pub region: String,
    pub storage: StorageKind,
    pub endpoint: Option<Endpoint>,
    pub path_style: bool,
    pub auth: AuthKind,
    /// Set when `auth` is [`AuthKind::RamRole`].
    pub role_arn: Option<RoleArn>,
    /// Set when `auth` is [`AuthKind::AccessKey`]; the secret never leaves the server.
    pub access_key_id: Option<String>,
    /// When a secret was last typed.
    pub secret_set_at: Option<Timestamp>,
    pub properties: Vec<(String, String)>,
    /// Names of the projects that use it.
    pub projects: Vec<String>,
    pub last_test: Option<TestRun>,
    pub created_by: String,
    pub created_at: Timestamp,
    pub updated_by: String,
    pub updated_at: Timestamp,
    /// Grows with every change; an edit names the version it saw.
    pub version: i64,
}

impl DataSource {
    /// The edit form of this source: everything but the secrets.
    pub fn draft(&self) -> DataSourceDraft {
        DataSourceDraft {
            source_kind: self.source_kind.id().into(),
            name: self.name.to_string(),
            description: self.description.clone(),
            region: self.region.clone(),
            auth: self.auth.id().into(),
            role_arn: self.role_arn.as_ref().map(ToString::to_string).unwrap_or_default(),
            access_key_id: self.access_key_id.clone().unwrap_or_default(),
            storage: self.storage.id().into(),
            endpoint: self.endpoint.as_ref().map(|e| e.as_str().to_owned()).unwrap_or_default(),
            path_style: self.path_style,
            properties: self.properties.iter().map(|(k, v)| format!("{k}={v}\n")).collect(),
            ..DataSourceDraft::default()
        }
    }
}

/// Whose store is browsed: a stored source's, or that of a form which is being filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrowseTarget {
    /// The name of a stored source.
    Stored(String),
    /// What is typed; a secret that is left untyped is that of the stored source of the same name.
    Draft(Box<DataSourceDraft>),
}

/// The account of an ARN hidden but for its first three digits: `acs:ram::124****:role/x`.
pub fn mask_arn(arn: &str) -> String {
    let Some((account, rest)) = arn.strip_prefix("acs:ram::").and_then(|rest| rest.split_once(':')) else {
        return arn.to_owned();
    };
    let shown: String = account.chars().take(3).collect();
    format!("acs:ram::{shown}****:{rest}")
}

/// A choice that was made.
pub(crate) fn known<T>(parsed: Option<T>) -> Result<T, Broken> {
    parsed.ok_or_else(|| Broken::new("choice", "Choose one of the values."))
}

fn storage(id: &str) -> Result<StorageKind, Broken> {
    let storage = known(StorageKind::parse(id))?;
    match storage.unavailable() {
        Some(reason) => Err(Broken::new("storage_unavailable", reason)),
        None => Ok(storage),
    }
}

fn auth_kind(storage: StorageKind, id: &str) -> Result<AuthKind, Broken> {
    let kind = known(AuthKind::parse(id))?;
    if storage.auth_kinds().contains(&kind) {
        Ok(kind)
    } else {
        Err(Broken::new("auth_for_storage", format!("{} does not fit {}.", kind.label(), storage.label())))
    }
}

/// What to type where no endpoint follows from the region.
fn endpoint_required(storage: StorageKind) -> &'static str {
    match storage {
        StorageKind::Oss | StorageKind::OssHdfs => {
            "Give the endpoint, e.g. oss-cn-hangzhou.aliyuncs.com, or the region that it follows from."
        }
        StorageKind::S3 | StorageKind::Local => "Give the endpoint, e.g. http://127.0.0.1:9000.",
    }
}

/// The properties, if the storage understands each of them.
fn known_to(storage: StorageKind, properties: Vec<(String, String)>) -> Result<Vec<(String, String)>, Broken> {
    match storage.unknown_property(properties.iter().map(|(key, _)| key.as_str())) {
        Some(sentence) => Err(Broken::new("property_unknown", sentence)),
        None => Ok(properties),
    }
}

fn region_id(text: &str) -> Result<String, Broken> {
    let text = clean(text)?;
    let good = (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if good { Ok(text) } else { Err(Broken::new("region", "Choose a region.")) }
}

/// Lines `key=value`, at most 50; keys that look like secrets are refused.
pub fn properties(text: &str) -> Result<Vec<(String, String)>, Broken> {
    let mut properties = Vec::new();
    for (n, line) in text.lines().enumerate().map(|(i, line)| (i + 1, line.trim())).filter(|(_, line)| !line.is_empty())
    {
        let Some((key, value)) = line.split_once('=') else {
            return Err(Broken::new("property_form", format!("Line {n}: write key=value.")));
        };
        let (key, value) = (key.trim(), clean(value)?);
        let good = (1..=128).contains(&key.len())
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if !good {
            return Err(Broken::new(
                "property_key",
                format!("Line {n}: use letters, digits, `.`, `_` and `-` in the key, at most 128 characters."),
            ));
        }
        let folded = key.to_ascii_lowercase();
        if ["secret", "password", "token", "accesskey"].iter().any(|word| folded.contains(word)) {
            return Err(Broken::new("property_secret", format!("Line {n}: {key}: Use the authentication section.")));
        }
        if properties.iter().any(|(known, _)| known == key) {
            return Err(Broken::new("property_twice", format!("Line {n}: {key} is given twice.")));
        }
        properties.push((key.to_owned(), value));
    }
    if properties.len() > 50 {
        return Err(Broken::new("property_count", "At most 50 properties."));
    }
    Ok(properties)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> DataSourceDraft {
        DataSourceDraft {
            name: "external_fs".into(),
            region: "cn-hangzhou".into(),
            role_arn: "acs:ram::124:role/aliyunodpsdefaultrole".into(),
            ..DataSourceDraft::default()
        }
    }

    fn check(draft: DataSourceDraft, expected: &str) {
        let got = match draft.check(DraftUse::Create) {
            Ok(new) => format!("{} {:?}", new.endpoint.map_or("-".into(), |e| e.as_str().to_owned()), new.auth.kind()),
            Err(problem) => {
                problem.fields.iter().map(|f| format!("{}:{}", f.field, f.code)).collect::<Vec<_>>().join(" ")
            }
        };
        assert_eq!(got, expected);
    }

    #[test]
    fn drafts() {
        check(good(), "oss-cn-hangzhou-internal.aliyuncs.com RamRole");
        check(
            DataSourceDraft { role_arn: String::new(), name: "1".into(), ..good() },
            "name:data_source_name role_arn:required",
        );
        check(DataSourceDraft { storage: "oss_hdfs".into(), ..good() }, "storage:storage_unavailable");
        check(DataSourceDraft { storage: "local".into(), ..good() }, "auth:auth_for_storage");
        check(DataSourceDraft { storage: "local".into(), auth: "none".into(), ..good() }, "- None");
        check(
            DataSourceDraft { storage: "s3".into(), auth: "access_key".into(), region: "us-east-1".into(), ..good() },
            "access_key_id:required",
        );
        check(DataSourceDraft { endpoint: "http://user@host".into(), ..good() }, "endpoint:endpoint");
        check(DataSourceDraft { endpoint: "http://host/path".into(), ..good() }, "endpoint:endpoint");
        check(DataSourceDraft { endpoint: "127.0.0.1:9000".into(), ..good() }, "127.0.0.1:9000 RamRole");
        check(
            DataSourceDraft { properties: "fs.oss.accessKeySecret=x".into(), ..good() },
            "properties:property_secret",
        );
        check(DataSourceDraft { properties: "no equals".into(), ..good() }, "properties:property_form");
        check(DataSourceDraft { properties: "fs.path=x".into(), ..good() }, "properties:property_unknown");
        let known = DataSourceDraft { properties: "sts.external-id=7".into(), ..good() };
        check(known.clone(), "oss-cn-hangzhou-internal.aliyuncs.com RamRole");
        let local = DataSourceDraft { storage: "local".into(), auth: "none".into(), ..known };
        check(local, "properties:property_unknown");
        assert_eq!(
            StorageKind::Oss.unknown_property(["a"].into_iter()).as_deref(),
            Some(
                "The supplemental property `a` is not known. OSS knows sts.endpoint, sts.external-id, server-side-encryption."
            )
        );
    }

    #[test]
    fn an_edit_may_leave_the_secret_untyped() {
        let draft = DataSourceDraft { auth: "access_key".into(), access_key_id: "AK".into(), ..good() };
        assert!(draft.check(DraftUse::Create).is_err());
        let new = draft.check(DraftUse::Edit).expect("an edit keeps the stored secret");
        assert_eq!(new.auth, NewAuth::AccessKey { id: "AK".into(), secret: None, session_token: None });
    }

    #[test]
    fn secrets_do_not_show() {
        let draft = DataSourceDraft { access_key_secret: Secret::new("hunter2"), ..good() };
        assert!(!format!("{draft:?}").contains("hunter2"));
    }

    #[test]
    fn masked_arns() {
        assert_eq!(mask_arn("acs:ram::1240099:role/x"), "acs:ram::124****:role/x");
    }
}

//! How other tools say the same: settings to copy for Flink, Spark, pypaimon, and the call to our own API.
//!
//! Secrets are never part of a snippet: where one belongs stands a word in angle brackets.

use crate::data_source::{AuthKind, StorageKind};
use crate::external_project::ExternalProjectDraft;
use std::fmt::Write as _;

/// A catalog as other engines need to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogSettings {
    /// The engine's name for it.
    pub name: String,
    pub storage: StorageKind,
    pub auth: AuthKind,
    /// The endpoint as typed, where the storage has one.
    pub endpoint: Option<String>,
    pub region: String,
    pub path_style: bool,
    /// `oss://…/`, `s3://…/` or an absolute path.
    pub warehouse: String,
}

impl CatalogSettings {
    /// Catalog options in Paimon's words, e.g. `fs.oss.endpoint`.
    fn options(&self) -> Vec<(&'static str, String)> {
        let mut options = vec![("metastore", "filesystem".to_owned()), ("warehouse", self.uri())];
        let endpoint = self.endpoint.clone();
        match self.storage {
            StorageKind::Oss | StorageKind::OssHdfs => {
                options.extend(endpoint.map(|endpoint| ("fs.oss.endpoint", endpoint)));
                if matches!(self.auth, AuthKind::AccessKey | AuthKind::RamRole) {
                    options.push(("fs.oss.accessKeyId", "<AccessKey ID>".into()));
                    options.push(("fs.oss.accessKeySecret", "<AccessKey secret>".into()));
                }
            }
            StorageKind::S3 => {
                options.extend(endpoint.map(|endpoint| ("s3.endpoint", endpoint)));
                options.push(("s3.region", self.region.clone()));
                if self.auth == AuthKind::AccessKey {
                    options.push(("s3.access-key", "<access key>".into()));
                    options.push(("s3.secret-key", "<secret key>".into()));
                }
                if self.path_style {
                    options.push(("s3.path.style.access", "true".into()));
                }
            }
            StorageKind::Local => {}
        }
        options
    }

    fn uri(&self) -> String {
        match self.storage {
            StorageKind::Local => format!("file://{}", self.warehouse),
            _ => self.warehouse.clone(),
        }
    }

    /// `CREATE CATALOG … WITH (…)` for Flink SQL.
    pub fn flink(&self) -> String {
        let mut text = format!("CREATE CATALOG `{}` WITH (\n  'type' = 'paimon'", self.name.replace('`', "``"));
        for (key, value) in self.options() {
            _ = write!(text, ",\n  '{key}' = '{}'", value.replace('\'', "''"));
        }
        text.push_str("\n);\n");
        text
    }

    /// Arguments of `spark-sql`.
    pub fn spark(&self) -> String {
        let catalog = format!("spark.sql.catalog.{}", self.name.replace('-', "_"));
        let mut text = format!("spark-sql \\\n  --conf {catalog}=org.apache.paimon.spark.SparkCatalog");
        for (key, value) in self.options() {
            _ = write!(text, " \\\n  --conf {}", shell(&format!("{catalog}.{key}={value}")));
        }
        text.push('\n');
        text
    }

    /// A few lines of Python that open the catalog.
    pub fn pypaimon(&self) -> String {
        let mut text = "from pypaimon import CatalogFactory\n\ncatalog = CatalogFactory.create({\n".to_owned();
        for (key, value) in self.options() {
            _ = writeln!(text, "    {}: {},", python(key), python(&value));
        }
        text.push_str("})\nprint(catalog.list_tables(\"default\"))\n");
        text
    }
}

/// The call to `/api/v1` that creates what the draft says.
pub fn api_call(draft: &ExternalProjectDraft, base_url: &str) -> String {
    let mut body = serde_json::to_value(draft).unwrap_or_default();
    if let Some(source) = body.get_mut("source").and_then(serde_json::Value::as_object_mut) {
        for (secret, placeholder) in [("access_key_secret", "<secret>"), ("session_token", "<token>")] {
            if source.get(secret).and_then(|value| value.as_str()).is_some_and(|value| !value.is_empty()) {
                source.insert(secret.into(), placeholder.into());
            }
        }
    }
    if !draft.creates_server()
        && let Some(body) = body.as_object_mut()
    {
        body.remove("source");
    }
    let body = serde_json::to_string_pretty(&body).unwrap_or_default();
    format!(
        "curl -u root {} \\\n  -H 'Content-Type: application/json' \\\n  -d {}\n",
        shell(&format!("{base_url}/api/v1/projects")),
        shell(&body)
    )
}

/// A word for a POSIX shell.
fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// A Python string literal.
fn python(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data_source::DataSourceDraft;
    use crate::secret::Secret;

    fn minio() -> CatalogSettings {
        CatalogSettings {
            name: "lab-catalog".into(),
            storage: StorageKind::S3,
            auth: AuthKind::AccessKey,
            endpoint: Some("http://127.0.0.1:9000".into()),
            region: "us-east-1".into(),
            path_style: true,
            warehouse: "s3://lake/w/".into(),
        }
    }

    #[test]
    fn snippets() {
        assert_eq!(
            minio().flink(),
            "CREATE CATALOG `lab-catalog` WITH (\n  'type' = 'paimon',\n  'metastore' = 'filesystem',\n  \
             'warehouse' = 's3://lake/w/',\n  's3.endpoint' = 'http://127.0.0.1:9000',\n  's3.region' = 'us-east-1',\n  \
             's3.access-key' = '<access key>',\n  's3.secret-key' = '<secret key>',\n  's3.path.style.access' = 'true'\n);\n"
        );
        let local = CatalogSettings {
            storage: StorageKind::Local,
            auth: AuthKind::None,
            endpoint: None,
            warehouse: "/data/it's/".into(),
            ..minio()
        };
        assert_eq!(
            local.spark(),
            "spark-sql \\\n  --conf spark.sql.catalog.lab_catalog=org.apache.paimon.spark.SparkCatalog \\\n  \
             --conf spark.sql.catalog.lab_catalog.metastore=filesystem \\\n  \
             --conf 'spark.sql.catalog.lab_catalog.warehouse=file:///data/it'\\''s/'\n"
        );
        assert!(local.pypaimon().contains("\"warehouse\": \"file:///data/it's/\""));
    }

    #[test]
    fn the_api_call_holds_no_secret() {
        let draft = ExternalProjectDraft {
            server_mode: "create".into(),
            source: DataSourceDraft { access_key_secret: Secret::new("hunter2"), ..DataSourceDraft::default() },
            ..ExternalProjectDraft::default()
        };
        let call = api_call(&draft, "http://127.0.0.1:3000");
        assert!(!call.contains("hunter2") && call.contains("<secret>"), "{call}");
    }
}

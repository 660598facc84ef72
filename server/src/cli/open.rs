//! `lakedeck open WAREHOUSE`: from a folder or bucket to its page in the console.

use super::Client;
use crate::api::admin::{LINK, Link};
use crate::config::OpenOptions;
use crate::data_dir::DataDir;
use crate::serve::{Server, open_browser, say, welcome};
use crate::telemetry;
use anyhow::{Context, bail};
use model::data_source::{AuthKind, DataSource, DataSourceDraft, StorageKind};
use model::external_project::{ExternalProject, ExternalProjectDraft};
use model::region::generated_endpoint;
use model::warehouse::WarehouseUri;
use std::path::Path;

/// Finds or starts the server, makes what is missing, and opens the project's page.
pub async fn open(options: OpenOptions) -> anyhow::Result<()> {
    let warehouse = warehouse(&options.warehouse)?;
    let directory = DataDir::prepare(options.serve.data.data_dir.as_deref())?;
    match directory.try_own()? {
        None => {
            telemetry::log(&options.serve.log, None)?;
            let client = Client::running(&directory).await?;
            let base = directory.served_at().context("the server of the data directory has no address yet")?;
            let page = page(&client, &base, &warehouse).await?;
            say(&format!("open: {page}"));
            if !options.serve.no_open {
                open_browser(&page);
            }
            Ok(())
        }
        Some(ownership) => {
            telemetry::log(&options.serve.log, Some(&directory))?;
            if warehouse.storage == StorageKind::Local && options.serve.data.allowed_roots.is_empty() {
                directory.permit(Path::new(warehouse.uri.path()))?;
            }
            let client = Client::socket(&directory)?;
            let server = Server::start(options.serve, ownership).await?;
            server.say_address();
            let page = page(&client, &server.url, &warehouse).await?;
            say(&format!("open: {page}"));
            server.open_browser(&page);
            server.until_stopped().await
        }
    }
}

struct Warehouse {
    storage: StorageKind,
    uri: WarehouseUri,
}

/// A folder relative to where the command runs, or an object store's address.
fn warehouse(text: &str) -> anyhow::Result<Warehouse> {
    let (storage, text) = if text.starts_with("oss://") {
        (StorageKind::Oss, text.to_owned())
    } else if text.starts_with("s3://") || text.starts_with("s3a://") {
        (StorageKind::S3, text.to_owned())
    } else {
        let path = Path::new(text.strip_prefix("file://").unwrap_or(text));
        let path = path.canonicalize().with_context(|| format!("cannot open {}", path.display()))?;
        if !path.is_dir() {
            bail!("{} is no folder", path.display());
        }
        let path = path.to_str().context("the folder's name is not UTF-8")?;
        (StorageKind::Local, path.to_owned())
    };
    Ok(Warehouse { storage, uri: WarehouseUri::parse(storage, &text)? })
}

/// The address of the warehouse's project, behind a link that signs the owner in.
async fn page(client: &Client, base: &str, warehouse: &Warehouse) -> anyhow::Result<String> {
    let project = project(client, warehouse).await?;
    let Link { token } = client.post(LINK, &()).await?;
    Ok(format!("{}&next=/projects/{}", welcome(base, token.expose()), project.name))
}

async fn project(client: &Client, warehouse: &Warehouse) -> anyhow::Result<ExternalProject> {
    let projects: Vec<ExternalProject> = client.get("/api/v1/projects").await?;
    if let Some(known) = projects.iter().find(|project| project.bucket_catalog == warehouse.uri) {
        return Ok(known.clone());
    }
    let sources: Vec<DataSource> = client.get("/api/v1/data-sources").await?;
    let server = match sources.iter().find(|source| serves(source, warehouse.storage)) {
        Some(source) => source.name.to_string(),
        None => {
            let taken = |name: &str| sources.iter().any(|source| source.name.as_str() == name);
            let draft = source_draft(warehouse.storage, free(source_name(warehouse.storage), 128, taken))?;
            let source: DataSource = client.post("/api/v1/data-sources", &draft).await?;
            source.name.to_string()
        }
    };
    let taken = |name: &str| projects.iter().any(|project| project.name.as_str().eq_ignore_ascii_case(name));
    let draft = ExternalProjectDraft {
        name: free(&project_name(&warehouse.uri), 28, taken),
        server,
        bucket_catalog: warehouse.uri.to_string(),
        // What lies beside the tables is reported on the project's page.
        use_anyway: true,
        ..ExternalProjectDraft::default()
    };
    client.post("/api/v1/projects", &draft).await
}

/// A source that reaches this store as the server itself does.
fn serves(source: &DataSource, storage: StorageKind) -> bool {
    source.storage == storage && source.auth == auth(storage)
}

fn auth(storage: StorageKind) -> AuthKind {
    match storage {
        StorageKind::Local => AuthKind::None,
        StorageKind::Oss | StorageKind::S3 | StorageKind::OssHdfs => AuthKind::Environment,
    }
}

fn source_name(storage: StorageKind) -> &'static str {
    match storage {
        StorageKind::Local => "local_folders",
        StorageKind::S3 => "s3_environment",
        StorageKind::Oss | StorageKind::OssHdfs => "oss_environment",
    }
}

/// What the stores' own tools read, in their order.
const S3_ENDPOINT: &[&str] = &["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"];
const OSS_ENDPOINT: &[&str] = &["OSS_ENDPOINT", "ALIBABA_CLOUD_OSS_ENDPOINT"];

/// A source that takes endpoint, region and keys from the environment, as the stores' own tools do.
fn source_draft(storage: StorageKind, name: String) -> anyhow::Result<DataSourceDraft> {
    let variable = |names: &[&str]| names.iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default();
    let mut draft = DataSourceDraft {
        name,
        storage: storage.id().into(),
        auth: auth(storage).id().into(),
        description: "Made by `lakedeck open`".into(),
        ..DataSourceDraft::default()
    };
    let (endpoint, region) = match storage {
        StorageKind::Local => return Ok(draft),
        StorageKind::S3 => (S3_ENDPOINT, &["AWS_REGION", "AWS_DEFAULT_REGION"]),
        StorageKind::Oss | StorageKind::OssHdfs => (OSS_ENDPOINT, &["OSS_REGION", "ALIBABA_CLOUD_REGION_ID"]),
    };
    draft.endpoint = variable(endpoint);
    draft.region = variable(region);
    // Stores that are not Amazon's are addressed by path nearly always.
    draft.path_style = storage == StorageKind::S3 && !draft.endpoint.is_empty();
    if storage == StorageKind::S3 && draft.region.is_empty() {
        draft.region = "us-east-1".into();
    }
    if draft.endpoint.is_empty() {
        draft.endpoint = generated_endpoint(storage, &draft.region).with_context(|| {
            format!("where the store is does not follow from its address: set {} or {}", endpoint[0], region[0])
        })?;
    }
    Ok(draft)
}

/// A project's name from the last folder of the address: `/data/my-lake/` → `my_lake`.
fn project_name(uri: &WarehouseUri) -> String {
    let folder = uri.as_str().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let folder = folder.strip_suffix(".db").unwrap_or(folder);
    let mut name: String = folder.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || name.len() < 3 {
        name = format!("lake_{name}");
    }
    name.truncate(28);
    name
}

/// `name`, or `name_2`, `name_3`, … cut so that it fits.
fn free(name: &str, length_max: usize, taken: impl Fn(&str) -> bool) -> String {
    let candidates = (2..).map(|n: u64| {
        let suffix = format!("_{n}");
        let stem: String = name.chars().take(length_max - suffix.len()).collect();
        format!("{stem}{suffix}")
    });
    std::iter::once(name.to_owned())
        .chain(candidates)
        .find(|candidate| !taken(candidate))
        .expect("finitely many names are taken")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn project_names() {
        let check = |storage: StorageKind, uri: &str, expected: &str| {
            let uri = WarehouseUri::parse(storage, uri).expect("valid");
            assert_eq!(project_name(&uri), expected, "{uri}");
            model::names::ProjectName::parse(expected).expect("a valid name");
        };
        check(StorageKind::Local, "/data/my-lake/", "my_lake");
        check(StorageKind::Local, "/data/2024/", "lake_2024");
        check(StorageKind::Local, "/x/", "lake_x");
        check(StorageKind::Local, "/data/größe", "gr__e");
        check(StorageKind::Oss, "oss://paimon-fs/paimon-test/", "paimon_test");
        check(StorageKind::S3, "s3://my.bucket/", "my_bucket");
        check(StorageKind::Local, "/data/a-very-long-name-of-a-warehouse-folder", "a_very_long_name_of_a_wareho");
    }

    #[test]
    fn taken_names() {
        assert_eq!(free("lake", 28, |_| false), "lake");
        assert_eq!(free("lake", 28, |name| name == "lake" || name == "lake_2"), "lake_3");
        assert_eq!(free(&"a".repeat(28), 28, |name| name.len() == 28 && !name.contains('_')).len(), 28);
    }
}

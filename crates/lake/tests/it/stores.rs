//! The three kinds of stores that every behaviour is tested on: a local folder, S3 (moto), and the double of OSS.

use lake::browse;
use lake::storage::Storage;
use model::data_source::{Endpoint, StorageKind};
use model::warehouse::WarehouseUri;
use ports::connection::{Connection, Credentials, Egress};
use std::path::Path;
use std::sync::OnceLock;
use tempfile::TempDir;
use testkit::moto::Moto;
use testkit::oss::OssDouble;

/// A warehouse on one of the stores.
pub struct Place {
    pub connection: Connection,
    pub egress: Egress,
    pub warehouse: WarehouseUri,
    /// Kept as long as the warehouse is used.
    _folder: Option<TempDir>,
}

impl Place {
    pub fn open(&self) -> Storage {
        Storage::open(&self.connection, &self.egress, &self.warehouse).expect("the warehouse opens")
    }

    /// The same store, another warehouse.
    pub fn at(&self, uri: &str) -> WarehouseUri {
        WarehouseUri::parse(self.connection.storage, uri).expect("a warehouse")
    }
}

/// Loopback is permitted, as while the server listens on loopback only.
pub fn egress() -> Egress {
    Egress { loopback: true, ..Egress::default() }
}

pub fn access_key(id: &str, secret: &str) -> Credentials {
    Credentials::AccessKey { id: id.into(), secret: secret.to_owned().into(), session_token: None }
}

pub fn local() -> Place {
    let folder = TempDir::new().expect("a folder");
    let root = folder.path().canonicalize().expect("it exists");
    let warehouse = root.join("warehouse");
    std::fs::create_dir(&warehouse).expect("a warehouse");
    Place {
        connection: local_connection(),
        egress: Egress { allowed_roots: vec![root], ..egress() },
        warehouse: uri_of(&warehouse),
        _folder: Some(folder),
    }
}

pub fn local_connection() -> Connection {
    Connection {
        name: "local".into(),
        storage: StorageKind::Local,
        region: "local".into(),
        endpoint: None,
        path_style: false,
        credentials: Credentials::None,
        properties: Vec::new(),
    }
}

pub fn uri_of(folder: &Path) -> WarehouseUri {
    WarehouseUri::parse(StorageKind::Local, &folder.to_string_lossy()).expect("a folder")
}

/// One server for all tests; each has a bucket of its own.
pub async fn s3() -> Place {
    static MOTO: OnceLock<Moto> = OnceLock::new();
    let moto = tokio::task::spawn_blocking(|| MOTO.get_or_init(Moto::start)).await.expect("moto starts");
    let connection = moto.connection();
    let bucket = format!("s3://bucket-{}/", uuid::Uuid::new_v4().simple());
    browse::create_folder(&connection, &egress(), &bucket).await.expect("a bucket");
    let warehouse = WarehouseUri::parse(StorageKind::S3, &format!("{bucket}warehouse/")).expect("a warehouse");
    Place { connection, egress: egress(), warehouse, _folder: None }
}

pub async fn oss() -> (Place, OssDouble) {
    let double = OssDouble::start().await;
    double.create_bucket("paimon-fs");
    let place = Place {
        connection: oss_connection(&double.endpoint()),
        egress: egress(),
        warehouse: WarehouseUri::parse(StorageKind::Oss, "oss://paimon-fs/warehouse/").expect("a warehouse"),
        _folder: None,
    };
    (place, double)
}

pub fn oss_connection(endpoint: &str) -> Connection {
    Connection {
        name: "external_fs".into(),
        storage: StorageKind::Oss,
        region: "cn-hangzhou".into(),
        endpoint: Some(Endpoint::parse(endpoint).expect("an endpoint")),
        path_style: false,
        credentials: access_key(OssDouble::KEY_ID, OssDouble::KEY_SECRET),
        properties: Vec::new(),
    }
}

/// Runs one test on each store.
#[macro_export]
macro_rules! on_every_store {
    ($($name:ident)+) => {
        mod on_local { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() { super::$name(&$crate::stores::local()).await }
        )+ }
        mod on_s3 { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() { super::$name(&$crate::stores::s3().await).await }
        )+ }
        mod on_oss { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let (place, double) = $crate::stores::oss().await;
                super::$name(&place).await;
                assert!(double.verified() > 0, "requests were signed");
            }
        )+ }
    };
}

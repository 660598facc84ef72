//! Where ports meet implementations: a data directory becomes running services.

use crate::config::{DataOptions, Limits, admin_password};
use crate::data_dir::{DataDir, Ownership, home};
use crate::measured::Measured;
use anyhow::Context;
use model::region::{self, Region};
use ports::connection::Egress;
use ports::sql_engine::SqlEngine;
use service::{Config, FirstStart, Services};
use std::path::PathBuf;
use std::sync::Arc;
use store::Store;

/// An open data directory.
pub struct Deck {
    pub services: Services,
    pub store: Store,
    pub ownership: Ownership,
}

/// Whom the process serves, which decides what local folders and addresses it may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// This machine only: its user could read the home directory anyway.
    Loopback,
    Network,
}

/// Opens the data directory: metadata, lake and engine, and what the first start makes.
pub async fn open(ownership: Ownership, options: &DataOptions, audience: Audience) -> anyhow::Result<Deck> {
    let directory = ownership.directory().clone();
    let first = FirstStart { admin_password: admin_password(), sample: !options.no_sample };
    if directory.is_new() {
        first.check()?;
    }
    let store = Store::open(directory.path()).await.context("cannot open the metadata database")?;
    let egress = egress(options, &directory, audience)?;
    let lake = Arc::new(lake::PaimonLake::new(egress.clone()));
    let engine = engine(&options.limits, &directory, lake.clone())?;
    let config = Config {
        data_dir: directory.path().to_owned(),
        limits: limits(&options.limits),
        regions: regions(&directory)?,
        egress,
    };
    directory.private_folder("spool")?;
    let services = Services::new(store.clone(), lake, engine, config).context("cannot start the services")?;
    services.first_start(first).await.context("the first start failed")?;
    services.recover().await.context("cannot resolve what the last run left behind")?;
    Ok(Deck { services, store, ownership })
}

fn engine(limits: &Limits, directory: &DataDir, lake: Arc<lake::PaimonLake>) -> anyhow::Result<Arc<dyn SqlEngine>> {
    let mut options = sql::EngineOptions::new(directory.private_folder("spill")?);
    options.memory_bytes = limits.memory_bytes_max.or(options.memory_bytes);
    Ok(Arc::new(Measured(sql::Engine::new(lake, options).context("cannot start the SQL engine")?)))
}

fn egress(options: &DataOptions, directory: &DataDir, audience: Audience) -> anyhow::Result<Egress> {
    let mut allowed_roots = vec![directory.path().to_owned()];
    if options.allowed_roots.is_empty() {
        if audience == Audience::Loopback {
            allowed_roots.extend(home());
            allowed_roots.extend(directory.permitted()?);
        }
    } else {
        // The sample lake lies in the data directory, whatever else is permitted.
        for root in &options.allowed_roots {
            let root =
                root.canonicalize().with_context(|| format!("--allowed-roots: cannot open {}", root.display()))?;
            allowed_roots.push(root);
        }
    }
    Ok(Egress {
        allowed_roots,
        allow_hosts: options.allow_hosts.iter().map(|host| host.trim().to_owned()).collect(),
        loopback: audience == Audience::Loopback,
    })
}

fn limits(limits: &Limits) -> service::Limits {
    service::Limits {
        statements_running_max: limits.statements_running_max,
        statements_queued_max: limits.statements_queued_max,
        statement_seconds_max: limits.statement_seconds_max,
        result_rows_max: limits.statement_rows_max,
        result_bytes_max: limits.result_bytes_max,
        ..service::Limits::default()
    }
}

/// The built-in regions, or those of `regions.toml` in the data directory.
fn regions(directory: &DataDir) -> anyhow::Result<Vec<Region>> {
    let path: PathBuf = directory.path().join("regions.toml");
    match std::fs::read_to_string(&path) {
        Ok(text) => region::parse(&text).with_context(|| format!("cannot read {}", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(region::built_in()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

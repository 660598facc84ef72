//! A data source with its secrets opened: in memory only, never stored, never shown.

use model::data_source::{Endpoint, StorageKind};
use model::names::RoleArn;
use secrecy::SecretString;
use std::path::PathBuf;

/// What is needed to reach a store.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Name of the data source, for messages.
    pub name: String,
    pub storage: StorageKind,
    pub region: String,
    /// `None` for local folders.
    pub endpoint: Option<Endpoint>,
    pub path_style: bool,
    pub credentials: Credentials,
    /// Supplemental properties, already checked against the allow-list.
    pub properties: Vec<(String, String)>,
}

/// With which identity. `Debug` hides what `SecretString` holds.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// STS AssumeRole with the server's own base credentials.
    RamRole(RoleArn),
    AccessKey {
        id: String,
        secret: SecretString,
        session_token: Option<SecretString>,
    },
    /// The server's own credentials: environment, instance metadata, OIDC.
    Environment,
    None,
}

/// What outbound access the operator permits; checked by everything that opens a connection.
#[derive(Clone, Debug, Default)]
pub struct Egress {
    /// Folders that local warehouses may lie in, absolute, with symlinks resolved.
    pub allowed_roots: Vec<PathBuf>,
    /// Hosts that are exempt from the rules below.
    pub allow_hosts: Vec<String>,
    /// Loopback addresses are permitted while the server itself listens on loopback only.
    pub loopback: bool,
}

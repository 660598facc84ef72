//! From stored sources, drafts and projects to connections: where sealed secrets are opened.

use crate::{Error, Services};
use model::data_source::{AuthKind, DataSource, Endpoint, NewAuth, NewDataSource, StorageKind};
use model::external_project::{ExternalProject, RunIdentity};
use model::names::RoleArn;
use model::secret::Secret;
use ports::connection::{Connection, Credentials};
use secrecy::SecretString;
use std::future::Future;
use std::time::Duration;
use store::Secrets;

/// Longest wait for any single answer of a store; the lake's own limits are shorter.
const LAKE_PATIENCE: Duration = Duration::from_secs(60);

impl Services {
    /// The connection of a stored source.
    pub(crate) async fn connection(&self, source: &DataSource) -> Result<Connection, Error> {
        let secrets = self.store.secrets(&source.id).await?;
        let credentials = match source.auth {
            AuthKind::RamRole => role(source.role_arn.as_ref())?,
            AuthKind::AccessKey => {
                let id = source.access_key_id.clone().unwrap_or_default();
                let secret = secrets.access_key_secret.ok_or_else(secret_required)?;
                Credentials::AccessKey { id, secret, session_token: secrets.session_token }
            }
            AuthKind::Environment => Credentials::Environment,
            AuthKind::None => Credentials::None,
        };
        Ok(Connection {
            name: source.name.to_string(),
            storage: source.storage,
            region: source.region.clone(),
            endpoint: source.endpoint.clone(),
            path_style: source.path_style,
            credentials,
            properties: source.properties.clone(),
        })
    }

    /// The connection that a checked form describes. `stored` has the secrets that were left untyped.
    pub(crate) async fn draft_connection(
        &self,
        new: &NewDataSource,
        stored: Option<&DataSource>,
    ) -> Result<Connection, Error> {
        let credentials = match &new.auth {
            NewAuth::RamRole(arn) => Credentials::RamRole(arn.clone()),
            NewAuth::AccessKey { id, secret: Some(secret), session_token } => Credentials::AccessKey {
                id: id.clone(),
                secret: sealed(secret),
                session_token: session_token.as_ref().map(sealed),
            },
            NewAuth::AccessKey { id, secret: None, session_token } => {
                let kept = self.kept_secrets(id, stored).await?;
                Credentials::AccessKey {
                    id: id.clone(),
                    secret: kept.access_key_secret.ok_or_else(secret_required)?,
                    session_token: session_token.as_ref().map(sealed).or(kept.session_token),
                }
            }
            NewAuth::Environment => Credentials::Environment,
            NewAuth::None => Credentials::None,
        };
        Ok(Connection {
            name: new.name.to_string(),
            storage: new.storage,
            region: new.region.clone(),
            endpoint: new.endpoint.clone(),
            path_style: new.path_style,
            credentials,
            properties: new.properties.clone(),
        })
    }

    /// The secrets of `stored`, if they belong to the access key `id`.
    async fn kept_secrets(&self, id: &str, stored: Option<&DataSource>) -> Result<Secrets, Error> {
        match stored.filter(|stored| stored.access_key_id.as_deref() == Some(id)) {
            Some(stored) => Ok(self.store.secrets(&stored.id).await?),
            None => Err(secret_required()),
        }
    }

    /// The connection of a project: its source's, by the endpoint and under the identity that the project chose.
    pub(crate) async fn project_connection(&self, project: &ExternalProject) -> Result<Connection, Error> {
        let source = self.stored_data_source(project.server.as_str()).await?;
        let connection = through(self.connection(&source).await?, project.endpoint.as_ref());
        run_as(connection, project.identity, project.role_arn.as_ref())
    }
}

/// The connection by a project's own endpoint, where it has one and the store has any.
pub(crate) fn through(connection: Connection, endpoint: Option<&Endpoint>) -> Connection {
    match connection.storage {
        StorageKind::Local => connection,
        _ => Connection { endpoint: endpoint.cloned().or(connection.endpoint), ..connection },
    }
}

/// The connection under the identity that tasks of a project run with.
pub(crate) fn run_as(
    connection: Connection,
    identity: RunIdentity,
    role_arn: Option<&RoleArn>,
) -> Result<Connection, Error> {
    let credentials = match (connection.storage, identity) {
        // A local folder is reached by the server's own process, whoever asks.
        (StorageKind::Local, _) | (_, RunIdentity::DataSource) => return Ok(connection),
        (_, RunIdentity::RamRole) => role(role_arn)?,
        (_, RunIdentity::TaskExecutor) => Credentials::Environment,
    };
    Ok(Connection { credentials, ..connection })
}

/// Waits for the lake, but not for ever.
pub(crate) async fn patiently<T>(answer: impl Future<Output = Result<T, ports::lake::LakeError>>) -> Result<T, Error> {
    match tokio::time::timeout(LAKE_PATIENCE, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Error::Lake(ports::lake::LakeError::Unavailable {
            message: format!("The store did not answer within {} s.", LAKE_PATIENCE.as_secs()),
            source: None,
        })),
    }
}

pub(crate) fn secret_required() -> Error {
    Error::field("access_key_secret", "secret_of_new_key", "Type the secret that belongs to this access key.")
}

fn role(arn: Option<&RoleArn>) -> Result<Credentials, Error> {
    let arn = arn.ok_or_else(|| Error::field("role_arn", "required", "This field is required."))?;
    Ok(Credentials::RamRole(arn.clone()))
}

fn sealed(secret: &Secret) -> SecretString {
    SecretString::from(secret.expose())
}

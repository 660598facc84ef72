//! `.paimon-console-owner` at the top of a warehouse: which deployment maps it. Advice, no lock: commits need none.

use crate::catalog::Catalog;
use crate::put_if_absent::{PublishError, Published};
use crate::store_error::lake_error;
use bytes::Bytes;
use model::lake::WarehouseOwner;
use opendal::ErrorKind;
use ports::lake::LakeError;

const OWNER: &str = ".paimon-console-owner";

impl Catalog {
    /// Who says that the warehouse is theirs. A file of another form is nobody's.
    pub(crate) async fn read_owner(&self) -> Result<Option<WarehouseOwner>, LakeError> {
        match self.storage().operator().read(OWNER).await {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes.to_bytes()).ok()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(lake_error(error, &self.doing("read the owner of"))),
        }
    }

    /// Puts the file unless there is one.
    pub(crate) async fn put_owner(&self, owner: &WarehouseOwner) -> Result<WarehouseOwner, LakeError> {
        let doing = self.doing("note the owner of");
        let bytes = serde_json::to_vec(owner).map(Bytes::from).map_err(|error| LakeError::Internal {
            message: format!("Cannot {doing}."),
            source: Some(Box::new(error)),
        })?;
        match self.storage().publish(OWNER, bytes).await {
            Ok(Published::Won) => Ok(owner.clone()),
            Ok(Published::Lost) => Ok(self.read_owner().await?.unwrap_or_else(|| owner.clone())),
            Err(PublishError::NotPublished(error) | PublishError::Unknown(error)) => Err(lake_error(error, &doing)),
        }
    }

    /// Deletes the file if it is this account's.
    pub(crate) async fn delete_owner(&self, account: &str) -> Result<(), LakeError> {
        match self.read_owner().await? {
            Some(owner) if owner.account == account => {
                let deleted = self.storage().operator().delete(OWNER).await;
                deleted.map_err(|error| lake_error(error, &self.doing("take back the owner of")))
            }
            _ => Ok(()),
        }
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} `{}`", self.warehouse())
    }
}

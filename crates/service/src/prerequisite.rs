//! What must be in place before the walkthrough works (S5), looked up at the moment of asking.

use crate::connection::patiently;
use crate::{Error, RequestContext, Services};
use model::access::{Action, Resource};
use model::data_source::{AuthKind, DataSourceDraft, StorageKind, mask_arn};
use model::names::RoleArn;
use model::probe::Prerequisite;
use model::quota::DEFAULT_QUOTA;
use std::time::Duration;

/// A checklist that is filled while one types does not wait longer.
const PATIENCE: Duration = Duration::from_secs(8);

impl Services {
    /// The checklist for a form as far as it is filled in. Keys: `bucket`, `role`, `quota`, `sample_data`.
    pub async fn prerequisites(
        &self,
        ctx: &RequestContext,
        draft: DataSourceDraft,
    ) -> Result<Vec<Prerequisite>, Error> {
        self.authorize(ctx, Action::Test, Resource::DataSources).await?;
        let quota = self.quota(DEFAULT_QUOTA)?;
        Ok(vec![
            self.bucket(ctx, &draft).await,
            identity(&draft),
            item(
                "quota",
                true,
                format!("Quota `{}` runs {} statements at once.", quota.name, quota.statements_running_max),
            ),
            item("sample_data", true, "A worksheet can make tables and rows; Flink is not needed."),
        ])
    }

    /// Whether the store answers with this identity, and holds something.
    async fn bucket(&self, ctx: &RequestContext, draft: &DataSourceDraft) -> Prerequisite {
        let local = draft.storage == StorageKind::Local.id();
        let place = if local { "folder" } else { "bucket" };
        let name = draft.name.trim();
        let existing = match self.store.data_source(name).await {
            Ok(stored) => stored.map(|stored| stored.name.to_string()),
            Err(error) => return item("bucket", false, error_line(&error.into())),
        };
        let looked = async {
            let (connection, _) = self.typed_connection(ctx, draft, existing.as_deref()).await?;
            patiently(self.lake.browse(&connection, draft.test_directory.trim())).await
        };
        match tokio::time::timeout(PATIENCE, looked).await {
            Ok(Ok(listing)) if !draft.test_directory.trim().is_empty() => {
                item("bucket", true, format!("{} can be listed.", listing.uri))
            }
            Ok(Ok(listing)) => match listing.entries.len() {
                0 => item("bucket", false, format!("No {place} yet: make one in the storage browser.")),
                1 => item("bucket", true, format!("1 {place} can be listed.")),
                count => item("bucket", true, format!("{count} {place}s can be listed.")),
            },
            Ok(Err(Error::Invalid(_) | Error::Field { .. })) => {
                item("bucket", false, "Fill in storage and identity first.")
            }
            Ok(Err(error)) => item("bucket", false, error_line(&error)),
            Err(_) => item("bucket", false, format!("The store did not answer within {} s.", PATIENCE.as_secs())),
        }
    }
}

fn identity(draft: &DataSourceDraft) -> Prerequisite {
    match AuthKind::parse(&draft.auth) {
        Some(AuthKind::RamRole) => match RoleArn::parse(&draft.role_arn) {
            Ok(arn) => item("role", true, format!("Role {}.", mask_arn(arn.as_str()))),
            Err(broken) => item("role", false, broken.message),
        },
        Some(AuthKind::AccessKey) if draft.access_key_id.trim().is_empty() => {
            item("role", false, "Give an access key that may read and write the bucket.")
        }
        Some(AuthKind::AccessKey) => item("role", true, format!("Access key {}.", draft.access_key_id.trim())),
        Some(AuthKind::Environment) => item("role", true, "The server's own credentials are used."),
        Some(AuthKind::None) => item("role", true, "No role is needed."),
        None => item("role", false, "Choose how to authenticate."),
    }
}

fn item(key: &str, done: bool, detail: impl Into<String>) -> Prerequisite {
    Prerequisite { key: key.into(), done, detail: detail.into() }
}

fn error_line(error: &Error) -> String {
    error.to_problem("prerequisites").message
}

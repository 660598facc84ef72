//! What must be in place before the walkthrough works (S5), looked up at the moment of asking.

use crate::connection::patiently;
use crate::{Error, RequestContext, Services};
use model::access::{Action, Resource};
use model::data_source::{AuthKind, DataSourceDraft, StorageKind, mask_arn};
use model::names::RoleArn;
use model::notice::Notice;
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
        let quota = Notice::new(
            "quota_ready",
            format!("Quota `{}` runs {} statements at once.", quota.name, quota.statements_running_max),
        )
        .with("quota", &quota.name)
        .with("statements", quota.statements_running_max);
        let sample = Notice::new("sample_ready", "A worksheet can make tables and rows; Flink is not needed.");
        Ok(vec![
            self.bucket(ctx, &draft).await,
            identity(&draft),
            item("quota", true, quota),
            item("sample_data", true, sample),
        ])
    }

    /// Whether the store answers with this identity, and holds something.
    async fn bucket(&self, ctx: &RequestContext, draft: &DataSourceDraft) -> Prerequisite {
        let local = draft.storage == StorageKind::Local.id();
        let place = if local { "folder" } else { "bucket" };
        let name = draft.name.trim();
        let existing = match self.store.data_source(name).await {
            Ok(stored) => stored.map(|stored| stored.name.to_string()),
            Err(error) => return item("bucket", false, failed(&error.into())),
        };
        let looked = async {
            let (connection, _) = self.typed_connection(ctx, draft, existing.as_deref()).await?;
            patiently(self.lake.browse(&connection, draft.test_directory.trim())).await
        };
        match tokio::time::timeout(PATIENCE, looked).await {
            Ok(Ok(listing)) if !draft.test_directory.trim().is_empty() => {
                let listed = Notice::new("directory_listed", format!("{} can be listed.", listing.uri));
                item("bucket", true, listed.with("uri", &listing.uri))
            }
            Ok(Ok(listing)) => {
                let count = listing.entries.len();
                let (code, text) = match count {
                    0 => ("places_missing", format!("No {place} yet: make one in the storage browser.")),
                    1 => ("places_listed", format!("1 {place} can be listed.")),
                    _ => ("places_listed", format!("{count} {place}s can be listed.")),
                };
                item("bucket", count > 0, Notice::new(code, text).with("place", place).with("count", count))
            }
            Ok(Err(Error::Invalid(_) | Error::Field { .. })) => {
                item("bucket", false, Notice::new("identity_first", "Fill in storage and identity first."))
            }
            Ok(Err(error)) => item("bucket", false, failed(&error)),
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                let late = Notice::new("store_late", format!("The store did not answer within {seconds} s."));
                item("bucket", false, late.with("seconds", seconds))
            }
        }
    }
}

fn identity(draft: &DataSourceDraft) -> Prerequisite {
    let (done, notice) = match AuthKind::parse(&draft.auth) {
        Some(AuthKind::RamRole) => match RoleArn::parse(&draft.role_arn) {
            Ok(arn) => {
                let arn = mask_arn(arn.as_str());
                (true, Notice::new("role", format!("Role {arn}.")).with("role", &arn))
            }
            Err(broken) => (false, Notice::new(broken.code, broken.message)),
        },
        Some(AuthKind::AccessKey) => match draft.access_key_id.trim() {
            "" => {
                let text = "Give an access key that may read and write the bucket.";
                (false, Notice::new("access_key_missing", text))
            }
            key => (true, Notice::new("access_key", format!("Access key {key}.")).with("key", key)),
        },
        Some(AuthKind::Environment) => {
            (true, Notice::new("server_credentials", "The server's own credentials are used."))
        }
        Some(AuthKind::None) => (true, Notice::new("role_needless", "No role is needed.")),
        None => (false, Notice::new("auth_missing", "Choose how to authenticate.")),
    };
    item("role", done, notice)
}

fn item(key: &str, done: bool, notice: Notice) -> Prerequisite {
    Prerequisite { key: key.into(), done, detail: notice.text.clone(), notice }
}

/// What a store or we ourselves say has no form in other languages.
fn failed(error: &Error) -> Notice {
    Notice::new("failed", error.to_problem("prerequisites").message)
}

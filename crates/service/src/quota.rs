//! Quotas: one resource group, which always exists.

use crate::{Error, RequestContext, Services};
use model::access::{Action, Resource};
use model::quota::{DEFAULT_QUOTA, Quota};

impl Services {
    pub async fn quotas(&self, ctx: &RequestContext) -> Result<Vec<Quota>, Error> {
        self.authorize(ctx, Action::Read, Resource::ExternalProjects).await?;
        Ok(vec![self.default_quota()])
    }

    /// The quota of this name.
    pub(crate) fn quota(&self, name: &str) -> Result<Quota, Error> {
        let quota = self.default_quota();
        if quota.name == name {
            return Ok(quota);
        }
        Err(Error::field("quota", "quota_unknown", format!("There is no quota `{name}`.")))
    }

    fn default_quota(&self) -> Quota {
        let limits = &self.config.limits;
        Quota {
            name: DEFAULT_QUOTA.into(),
            statements_running_max: limits.statements_running_max,
            statements_queued_max: limits.statements_queued_max,
            memory_bytes_max: limits.statement_memory_bytes_max,
            result_rows_max: limits.result_rows_max,
            result_bytes_max: limits.result_bytes_max,
            statement_seconds_max: limits.statement_seconds_max,
        }
    }
}

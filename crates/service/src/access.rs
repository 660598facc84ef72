//! Who may do what: the one function that every use case asks, and the words of a refusal.

use crate::context::nobody;
use crate::{Error, RequestContext, Services};
use model::access::{Action, Principal, Resource};

/// The answer of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Allow,
    /// Nobody is signed in.
    SignIn,
    /// A console action is not permitted.
    DenyControl,
    /// A privilege on data is missing; the sentence says which.
    DenyData(String),
}

/// The policy. Denies by default; the owner of the account may do everything. Roles and grants have their place here.
pub(crate) fn decide(
    owner: Option<&Principal>,
    principal: &Principal,
    action: Action,
    resource: &Resource,
) -> Decision {
    if *principal == nobody() {
        return Decision::SignIn;
    }
    if owner == Some(principal) {
        return Decision::Allow;
    }
    match missing_privilege(action, resource) {
        Some(missing) => Decision::DenyData(format!("Forbidden: User {principal} doesn't have privilege {missing}")),
        None => Decision::DenyControl,
    }
}

/// `LIST on DATABASE default`, or `None` for resources of the control plane.
fn missing_privilege(action: Action, resource: &Resource) -> Option<String> {
    let (kind, name) = match resource {
        Resource::Catalog(project) => ("CATALOG", project.clone()),
        Resource::Schema { schema, .. } => ("DATABASE", schema.clone()),
        Resource::Table(table) => ("TABLE", format!("{}.{}", table.schema, table.table)),
        Resource::DataSources
        | Resource::DataSource(_)
        | Resource::ExternalProjects
        | Resource::ExternalProject(_)
        | Resource::Worksheets
        | Resource::Worksheet(_)
        | Resource::Statements => return None,
    };
    let privilege = match (action, resource) {
        (Action::Create, Resource::Catalog(_)) => "CREATEDATABASE",
        (Action::Create, _) => "CREATETABLE",
        (Action::Insert, _) => "UPDATE",
        (Action::Alter | Action::Modify, _) => "ALTER",
        (Action::Drop | Action::Delete, _) => "DROP",
        (Action::List, _) => "LIST",
        (Action::Read | Action::Test, Resource::Table(_)) | (Action::Select | Action::Run, _) => "SELECT",
        (Action::Read | Action::Test, _) => "DESCRIBE",
    };
    Some(format!("{privilege} on {kind} {name}"))
}

impl Services {
    /// Allows the action or refuses it; a refusal is written to the audit log.
    pub(crate) async fn authorize(
        &self,
        ctx: &RequestContext,
        action: Action,
        resource: Resource,
    ) -> Result<(), Error> {
        let error = match decide(self.owner.get(), &ctx.principal, action, &resource) {
            Decision::Allow => return Ok(()),
            // Unknown callers leave no trace in the audit log: anyone could fill it.
            Decision::SignIn => return Err(Error::NotSignedIn),
            Decision::DenyControl => Error::ControlDenied,
            Decision::DenyData(sentence) => Error::DataDenied(sentence),
        };
        let mut tx = self.store.begin().await?;
        tx.audit(&ctx.denied(action, &resource, error.to_string())).await?;
        tx.commit().await?;
        Err(error)
    }
}

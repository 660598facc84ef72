//! Who asks, from where, and under which number log and audit know it.

use model::Timestamp;
use model::access::{Action, Principal, Resource};
use model::audit::AuditEntry;
use std::net::IpAddr;

/// What every use case is given besides its input.
#[derive(Clone, Debug)]
pub struct RequestContext {
    pub principal: Principal,
    /// The address that the request came from; `None` for what the server does by itself.
    pub origin: Option<IpAddr>,
    /// Finds everything that one request did, in log and audit.
    pub request_id: String,
}

impl RequestContext {
    /// What the server does on behalf of `principal` without being asked.
    pub(crate) fn internal(principal: Principal, occasion: &str) -> Self {
        Self { principal, origin: None, request_id: occasion.to_owned() }
    }

    /// The audit entry of an action that was allowed.
    pub(crate) fn did(&self, action: Action, resource: &Resource, detail: impl Into<String>) -> AuditEntry {
        let (kind, name) = resource.kind_and_name();
        AuditEntry { detail: detail.into(), ..self.entry(&format!("{action:?}"), kind, name) }
    }

    /// The audit entry of an action that was refused.
    pub(crate) fn denied(&self, action: Action, resource: &Resource, reason: impl Into<String>) -> AuditEntry {
        AuditEntry { allowed: false, ..self.did(action, resource, reason) }
    }

    pub(crate) fn entry(&self, action: &str, resource_kind: &str, resource: String) -> AuditEntry {
        AuditEntry {
            at: Timestamp::now(),
            principal: self.principal.clone(),
            origin: self.origin.map(|origin| origin.to_string()),
            request_id: self.request_id.clone(),
            action: action.to_owned(),
            resource_kind: resource_kind.to_owned(),
            resource,
            detail: String::new(),
            allowed: true,
        }
    }
}

/// The principal of a request without a sign-in: it may do nothing.
pub(crate) fn nobody() -> Principal {
    Principal::stored("")
}

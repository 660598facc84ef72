//! Who asks, from where, and under which number the log knows it.

use model::access::Principal;
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

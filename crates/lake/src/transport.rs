//! The HTTP transport of every store: connects where the egress policy permits, and never waits long for a metadata
//! service that is not there.

use crate::egress;
use http::{Request, Response};
use opendal::{Buffer, Error, ErrorKind, HttpBody, HttpTransport, HttpTransporter, Result as StoreResult};
use opendal_http_transport_reqwest::ReqwestTransport;
use ports::connection::Egress;
use ports::lake::LakeError;
use std::time::Duration;

/// Outside its cloud a metadata service swallows requests.
const METADATA_TIMEOUT: Duration = Duration::from_secs(1);
/// Where clouds hand out credentials to their machines.
const METADATA_HOSTS: [&str; 2] = ["100.100.100.200", "169.254.169.254"];

/// A transport of its own for one storage: its connections live and die with it.
pub(crate) fn transporter(egress: &Egress) -> Result<HttpTransporter, LakeError> {
    Ok(HttpTransporter::new(Transport(ReqwestTransport::new(client(egress)?))))
}

pub(crate) fn client(egress: &Egress) -> Result<reqwest::Client, LakeError> {
    egress::http_client(egress).map_err(|error| LakeError::Internal {
        message: "The HTTP client cannot be made.".into(),
        source: Some(Box::new(error)),
    })
}

struct Transport(ReqwestTransport);

impl HttpTransport for Transport {
    async fn fetch(&self, request: Request<Buffer>) -> StoreResult<Response<HttpBody>> {
        let is_metadata = request.uri().host().is_some_and(|host| METADATA_HOSTS.contains(&host));
        let answer = self.0.fetch(request);
        if !is_metadata {
            return answer.await;
        }
        tokio::time::timeout(METADATA_TIMEOUT, answer)
            .await
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::Unexpected, "the metadata service does not answer")))
    }
}

//! A double of Alibaba Cloud STS: checks the signature of `AssumeRole`, knows some roles, and hands out keys that its
//! OSS double accepts.

use crate::oss::{OssDouble, decoded};
use crate::oss_signature::hmac_sha1;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// A running double; it stops with the runtime that it was started on.
#[derive(Clone, Debug)]
pub struct StsDouble {
    oss: OssDouble,
    port: u16,
}

impl StsDouble {
    /// The base key that may assume roles.
    pub const KEY_ID: &str = "LTAIserver";
    pub const KEY_SECRET: &str = "server-secret";
    /// A role that trusts the base key.
    pub const ROLE: &str = "acs:ram::1234567890:role/lakehouse";
    /// A role that does not.
    pub const CLOSED_ROLE: &str = "acs:ram::1234567890:role/closed";

    pub async fn start(oss: &OssDouble) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let double = Self { oss: oss.clone(), port: listener.local_addr().expect("bound").port() };
        let router = Router::new().fallback(serve).with_state(double.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        double
    }

    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

async fn serve(State(double): State<StsDouble>, RawQuery(query): RawQuery) -> Response {
    let mut parameters: BTreeMap<String, String> = query
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (decoded(key), decoded(value)))
        .collect();
    let given = parameters.remove("Signature").unwrap_or_default();
    let parameter = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
    if parameter("AccessKeyId") != StsDouble::KEY_ID {
        return refused(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.");
    }
    let canonical: Vec<_> =
        parameters.iter().map(|(key, value)| format!("{}={}", encoded(key), encoded(value))).collect();
    let signed = format!("GET&%2F&{}", encoded(&canonical.join("&")));
    if hmac_sha1(&format!("{}&", StsDouble::KEY_SECRET), &signed) != given {
        return refused(400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation.");
    }
    if parameter("Action") != "AssumeRole" {
        return refused(400, "InvalidAction.NotFound", "Specified action is not found.");
    }
    match parameter("RoleArn") {
        StsDouble::ROLE => {}
        StsDouble::CLOSED_ROLE => {
            return refused(
                403,
                "NoPermission",
                "You are not authorized to do this action. You should be authorized by RAM.",
            );
        }
        _ => return refused(404, "EntityNotExist.Role", "The role not exists: role."),
    }
    let name = uuid::Uuid::new_v4().simple().to_string();
    let (id, secret, token) = (format!("STS.{name}"), format!("secret-{name}"), format!("token-{name}"));
    double.oss.add_key(&id, &secret, Some(&token));
    let expiration = Timestamp::now() + SignedDuration::from_hours(1);
    json(
        200,
        serde_json::json!({
            "RequestId": name,
            "Credentials": {
                "AccessKeyId": id,
                "AccessKeySecret": secret,
                "SecurityToken": token,
                "Expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            },
        }),
    )
}

fn refused(status: u16, code: &str, message: &str) -> Response {
    json(status, serde_json::json!({ "RequestId": "0", "HostId": "double", "Code": code, "Message": message }))
}

fn json(status: u16, body: serde_json::Value) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

//! The XML that OSS answers with.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// An answer of XML.
pub(crate) fn xml(status: StatusCode, body: String) -> Response {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}");
    let mut response = (status, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

/// An error document; `extra` holds further elements.
pub(crate) fn error(status: u16, code: &str, message: &str, extra: &str) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    let body = format!(
        "<Error><Code>{code}</Code><Message>{}</Message><RequestId>0</RequestId><HostId>double</HostId>{extra}</Error>",
        escaped(message)
    );
    xml(status, body)
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The texts of all elements of that name in a flat document, with entities resolved.
pub(crate) fn texts(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = xml.split(&open).skip(1).filter_map(|part| part.split_once(&close));
    let resolved = parts.map(|(text, _)| {
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&apos;", "'")
            .replace("&amp;", "&")
    });
    resolved.collect()
}

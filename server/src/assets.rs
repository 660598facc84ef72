//! The site folder inside the binary: wasm, scripts, styles, fonts.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use rust_embed::{Embed, EmbeddedFile};

#[derive(Embed)]
#[folder = "$LAKEDECK_SITE"]
#[allow_missing = true]
struct Site;

/// Compressed forms that lie beside a file, the better one first.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// The folder of built files below the site's root, as links name it: `pkg/<hash of its content>`.
pub fn build_folder() -> String {
    let hash = Site::get("build").and_then(|file| String::from_utf8(file.data.into_owned()).ok());
    hash.map_or_else(|| "pkg".into(), |hash| format!("pkg/{}", hash.trim()))
}

/// The file at the path of `uri`, in the best encoding that the client takes; `None` when there is no such file.
pub fn serve(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Response> {
    let name = uri.path().trim_start_matches('/');
    // Precompressed forms are not files of their own.
    if ENCODINGS.iter().any(|(_, suffix)| name.ends_with(suffix)) {
        return None;
    }
    let plain = Site::get(name)?;
    if method != Method::GET && method != Method::HEAD {
        return Some(StatusCode::METHOD_NOT_ALLOWED.into_response());
    }
    let (file, encoding) = encoded(name, headers).unwrap_or((plain, None));
    let etag = etag(&file);
    let unchanged = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == etag));
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(match file.data {
            std::borrow::Cow::Borrowed(bytes) => Body::from(bytes),
            std::borrow::Cow::Owned(bytes) => Body::from(bytes),
        })
    };
    let answer = response.headers_mut();
    answer.insert(CONTENT_TYPE, content_type(name));
    answer.insert(CACHE_CONTROL, HeaderValue::from_static(cache_control(name, uri.query())));
    answer.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        answer.insert(ETAG, etag);
    }
    if let Some(encoding) = encoding {
        answer.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(response)
}

fn encoded(name: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    let accepted = headers.get(ACCEPT_ENCODING)?.to_str().ok()?;
    ENCODINGS
        .iter()
        .filter(|(encoding, _)| accepts(accepted, encoding))
        .find_map(|(encoding, suffix)| Some((Site::get(&format!("{name}{suffix}"))?, Some(*encoding))))
}

/// Whether an `Accept-Encoding` names `encoding` without refusing it by `q=0`.
fn accepts(header: &str, encoding: &str) -> bool {
    header.split(',').any(|part| {
        let mut words = part.split(';').map(str::trim);
        let named = words.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let refused = words.any(|word| word.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0)));
        named && !refused
    })
}

fn etag(file: &EmbeddedFile) -> String {
    let hash: String = file.metadata.sha256_hash().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hash}\"")
}

fn content_type(name: &str) -> HeaderValue {
    let mime = mime_guess::from_path(name).first_or_octet_stream();
    let text = match (mime.type_().as_str(), mime.subtype().as_str()) {
        ("text", _) | (_, "javascript" | "json") => format!("{}; charset=utf-8", mime.essence_str()),
        _ => mime.essence_str().to_owned(),
    };
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// Below a folder or with a name that is a hash, or at an address that holds a version, content never changes.
fn cache_control(name: &str, query: Option<&str>) -> &'static str {
    let versioned = query.is_some_and(|query| query.split('&').any(|pair| pair.starts_with("v=") && pair.len() > 2));
    let hashed = name.split(['/', '.', '-']).any(|part| {
        (8..=64).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase())
            && part.bytes().any(|byte| byte.is_ascii_digit())
    });
    if versioned || hashed { "public, max-age=31536000, immutable" } else { "no-cache" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        let check = |header: &str, encoding: &str, expected: bool| {
            assert_eq!(accepts(header, encoding), expected, "{header}");
        };
        check("gzip, deflate, br", "br", true);
        check("gzip, deflate, br;q=0", "br", false);
        check("gzip, deflate, br;q=0.0", "br", false);
        check("BR;q=0.5", "br", true);
        check("gzip", "br", false);
        check("", "br", false);
    }

    #[test]
    fn caching() {
        let check = |name: &str, query: Option<&str>, immutable: bool| {
            assert_eq!(cache_control(name, query).contains("immutable"), immutable, "{name}");
        };
        check("pkg/lakedeck.0123abcd.wasm", None, true);
        check("pkg/3f2a91c07d5e4b60/lakedeck.js", None, true);
        check("pkg/editor-ABCDEFGH.js", None, false);
        check("pkg/lakedeck.js", None, false);
        check("pkg/lakedeck.js", Some("v=0.1.0-77"), true);
        check("pkg/lakedeck.js", Some("v="), false);
        check("fonts/deadbeef.woff2", None, false);
    }

    #[test]
    fn types() {
        let check = |name: &str, expected: &str| assert_eq!(content_type(name), expected, "{name}");
        check("pkg/a.js", "text/javascript; charset=utf-8");
        check("pkg/a.wasm", "application/wasm");
        check("pkg/a.css", "text/css; charset=utf-8");
        check("favicon.svg", "image/svg+xml");
        check("fonts/a.woff2", "font/woff2");
        check("odd.unknown-thing", "application/octet-stream");
    }
}

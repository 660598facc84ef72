//! The addresses of the pages: one constant or one function each, so that no link is written by hand.

pub const HOME: &str = "/";
pub const SIGN_IN: &str = "/sign-in";
pub const WELCOME: &str = "/welcome";
pub const WORKSHEETS: &str = "/worksheets";
pub const DATA_SOURCES: &str = "/data-sources";
pub const DATA_SOURCE_NEW: &str = "/data-sources/new";
pub const PROJECTS: &str = "/projects";
pub const PROJECT_NEW: &str = "/projects/new";
pub const QUOTAS: &str = "/quotas";
pub const SETTINGS: &str = "/settings";
pub const HELP_TYPES: &str = "/help/types";
pub const HELP_SUPPORT_MATRIX: &str = "/help/support-matrix";
pub const HELP_TROUBLESHOOTING: &str = "/help/troubleshooting";
pub const HELP_KEYBOARD: &str = "/help/keyboard";

// Forms that the server answers beside the pages.
pub const SESSION_SIGN_IN: &str = "/session/sign-in";
pub const SESSION_WELCOME: &str = "/session/welcome";
pub const SESSION_SIGN_OUT: &str = "/session/sign-out";

pub fn worksheet(id: &str) -> String {
    format!("{WORKSHEETS}/{}", encode(id))
}

pub fn data_source(name: &str) -> String {
    format!("{DATA_SOURCES}/{}", encode(name))
}

/// The list with the row of a source that was just created marked.
pub fn data_sources_with_new(name: &str) -> String {
    format!("{DATA_SOURCES}?new={}", encode(name))
}

pub fn data_source_edit(name: &str) -> String {
    format!("{DATA_SOURCES}/{}?edit=1", encode(name))
}

pub fn project(name: &str) -> String {
    format!("{PROJECTS}/{}", encode(name))
}

/// The form of a project that uses this source.
pub fn project_new_on(source: &str) -> String {
    format!("{PROJECT_NEW}?source={}", encode(source))
}

pub fn project_edit(name: &str) -> String {
    format!("{PROJECTS}/{}?edit=1", encode(name))
}

/// The sign-in page that leads back to `next`.
pub fn sign_in_then(next: &str) -> String {
    format!("{SIGN_IN}?next={}", encode(next))
}

/// Percent-encodes everything but unreserved characters.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn encoded() {
        assert_eq!(super::sign_in_then("/projects?new=a b"), "/sign-in?next=%2Fprojects%3Fnew%3Da%20b");
        assert_eq!(super::data_source("é"), "/data-sources/%C3%A9");
    }
}

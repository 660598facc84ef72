//! Names: parsed once, then trusted.

use crate::problem::Broken;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An opaque id: a UUID in text form, made on the server.
pub type Id = String;

/// Trims, composes (NFC) and refuses control characters: what every text field goes through first.
pub fn clean(text: &str) -> Result<String, Broken> {
    let text = composed(text.trim());
    match text.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t') {
        Some(c) => {
            Err(Broken::new("control_character", format!("Remove the control character U+{:04X}.", u32::from(c))))
        }
        None => Ok(text),
    }
}

/// The browser leaves composing to the server: the tables would double the page's weight.
#[cfg(not(target_arch = "wasm32"))]
fn composed(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    text.nfc().collect()
}

#[cfg(target_arch = "wasm32")]
fn composed(text: &str) -> String {
    text.to_owned()
}

/// A text that was cleaned and is not empty.
pub fn required(text: &str) -> Result<String, Broken> {
    let text = clean(text)?;
    if text.is_empty() { Err(Broken::new("required", "This field is required.")) } else { Ok(text) }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $rule:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name, or the rule it breaks.
            pub fn parse(text: &str) -> Result<Self, Broken> {
                let text = required(text)?;
                let rule: fn(&str) -> Result<(), Broken> = $rule;
                rule(&text)?;
                Ok(Self(text))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Broken;
            fn try_from(text: String) -> Result<Self, Broken> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// Name of an external data source (foreign server): `^[a-z][a-z0-9_]{0,127}$`.
    DataSourceName,
    |text| {
        let good = text.len() <= 128
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if good {
            return Ok(());
        }
        Err(Broken::new(
            "data_source_name",
            "Start with a lowercase letter; use lowercase letters, digits and underscores; at most 128 characters.",
        ))
    }
);

name!(
    /// Name of a project: `^[A-Za-z][A-Za-z0-9_]{2,27}$`, unique in the deployment whatever its case.
    ProjectName,
    |text| {
        let good = (3..=28).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if good {
            return Ok(());
        }
        Err(Broken::new("project_name", "Start with a letter; letters, digits, underscores; 3–28 characters."))
    }
);

name!(
    /// Name under which another engine knows a catalog: `^[A-Za-z][A-Za-z0-9_\-]{0,127}$`, e.g. `paimon-fs-catalog`.
    EngineCatalogName,
    |text| {
        let good = text.len() <= 128
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if good {
            return Ok(());
        }
        Err(Broken::new(
            "engine_catalog_name",
            "Start with a letter; letters, digits, underscores and hyphens; at most 128 characters.",
        ))
    }
);

name!(
    /// ARN of a RAM role: `^acs:ram::[0-9]{1,20}:role/[A-Za-z0-9._\-]{1,64}$`.
    RoleArn,
    |text| {
        if text.contains('*') {
            return Err(Broken::new(
                "role_arn_masked",
                "This is a masked ARN. Paste the full one from the role's basic information.",
            ));
        }
        let good = text.strip_prefix("acs:ram::").and_then(|rest| rest.split_once(":role/")).is_some_and(
            |(account, role)| {
                (1..=20).contains(&account.len())
                    && account.bytes().all(|b| b.is_ascii_digit())
                    && (1..=64).contains(&role.len())
                    && role.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
            },
        );
        if good {
            return Ok(());
        }
        Err(Broken::new(
            "role_arn",
            "Paste the ARN from the role's basic information, e.g. acs:ram::1234:role/aliyunodpsdefaultrole.",
        ))
    }
);

/// A description: free text of at most 1,024 characters.
pub fn description(text: &str) -> Result<String, Broken> {
    let text = clean(text)?;
    if text.chars().count() > 1024 {
        return Err(Broken::new("description", "At most 1,024 characters."));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict<T: fmt::Display>(result: Result<T, Broken>) -> String {
        result.map_or_else(|broken| format!("error: {}", broken.code), |name| name.to_string())
    }

    #[test]
    fn data_source_names() {
        let check = |text: &str, expected: &str| assert_eq!(verdict(DataSourceName::parse(text)), expected, "{text}");
        check("external_fs", "external_fs");
        check("paimon_dlf", "paimon_dlf");
        check("  external_fs ", "external_fs");
        check(&"a".repeat(128), &"a".repeat(128));
        check("", "error: required");
        check("External", "error: data_source_name");
        check("1fs", "error: data_source_name");
        check("_a", "error: data_source_name");
        check("a-b", "error: data_source_name");
        check("naïve", "error: data_source_name");
        check("a\u{7}b", "error: control_character");
        check(&"a".repeat(129), "error: data_source_name");
    }

    #[test]
    fn project_names() {
        let check = |text: &str, expected: &str| assert_eq!(verdict(ProjectName::parse(text)), expected, "{text}");
        check("abc", "abc");
        check("Proj_1", "Proj_1");
        check("ab", "error: project_name");
        check("a-b", "error: project_name");
        check("1abc", "error: project_name");
        check(&"p".repeat(28), &"p".repeat(28));
        check(&"p".repeat(29), "error: project_name");
    }

    #[test]
    fn role_arns() {
        let check = |text: &str, expected: &str| assert_eq!(verdict(RoleArn::parse(text)), expected, "{text}");
        check("acs:ram::124:role/aliyunodpsdefaultrole", "acs:ram::124:role/aliyunodpsdefaultrole");
        check("acs:ram::124****:role/x", "error: role_arn_masked");
        check("acs:ram::124:user/x", "error: role_arn");
        check("acs:ram:::role/x", "error: role_arn");
        check("acs:ram::124:role/", "error: role_arn");
    }
}

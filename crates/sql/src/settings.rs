//! `SET`: which keys exist, what their values may be, and what they are when nobody set them.

use crate::display::Zone;
use model::external_project::ProjectOptions;
use model::session::SqlSession;

pub(crate) const NAMESPACE_SCHEMA: &str = "odps.namespace.schema";
pub(crate) const DEFAULT_SCHEMA: &str = "odps.default.schema";
pub(crate) const ALLOW_FULLSCAN: &str = "odps.sql.allow.fullscan";
pub(crate) const TIMEZONE: &str = "odps.sql.timezone";
pub(crate) const TYPE_SYSTEM_ODPS2: &str = "odps.sql.type.system.odps2";
pub(crate) const HIVE_COMPATIBLE: &str = "odps.sql.hive.compatible";
const DECIMAL_ODPS2: &str = "odps.sql.decimal.odps2";

/// Selectors of the state that is read; all other options of the table format are refused.
const SCAN_SELECTORS: [&str; 5] = ["snapshot-id", "tag-name", "timestamp-millis", "timestamp", "version"];
const SCAN_PREFIX: &str = "paimon.scan.";

/// Bounds of what a session keeps.
const KEYS_MAX: usize = 200;
const KEY_BYTES_MAX: usize = 256;
const VALUE_BYTES_MAX: usize = 8 << 10;

/// Stores a setting, or says what is wrong with it.
pub(crate) fn set(session: &mut SqlSession, key: &str, value: &str) -> Result<(), String> {
    let key = key.to_lowercase();
    check(&key, value)?;
    if session.settings.len() >= KEYS_MAX && !session.settings.contains_key(&key) {
        return Err(format!("a session keeps at most {KEYS_MAX} settings"));
    }
    if key == DEFAULT_SCHEMA {
        session.schema = value.into();
    }
    session.settings.insert(key, value.into());
    Ok(())
}

fn check(key: &str, value: &str) -> Result<(), String> {
    if key.len() > KEY_BYTES_MAX || value.len() > VALUE_BYTES_MAX {
        return Err(format!(
            "a setting's name has at most {KEY_BYTES_MAX} bytes and its value at most {VALUE_BYTES_MAX}"
        ));
    }
    match key {
        NAMESPACE_SCHEMA | ALLOW_FULLSCAN | TYPE_SYSTEM_ODPS2 | HIVE_COMPATIBLE | DECIMAL_ODPS2 => {
            match value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false") {
                true => Ok(()),
                false => Err(format!("`{key}` is true or false, not `{value}`")),
            }
        }
        DEFAULT_SCHEMA if value.is_empty() => Err(format!("`{key}` needs the name of a schema")),
        TIMEZONE if Zone::parse(value).is_none() => {
            Err(format!("`{value}` is not a time zone; give a name such as Asia/Shanghai or an offset such as +08:00"))
        }
        _ if key.starts_with(SCAN_PREFIX) => {
            let selector = &key[SCAN_PREFIX.len()..];
            if SCAN_SELECTORS.contains(&selector) {
                Ok(())
            } else {
                let known: Vec<_> = SCAN_SELECTORS.iter().map(|s| format!("{SCAN_PREFIX}{s}")).collect();
                Err(format!("unknown setting {key}; of the table format these can be set: {}", known.join(", ")))
            }
        }
        _ if key.starts_with("odps.") => Ok(()),
        _ => Err(format!("unknown setting {key}")),
    }
}

/// Forgets a setting.
pub(crate) fn unset(session: &mut SqlSession, key: &str) {
    let key = key.to_lowercase();
    session.settings.remove(&key);
    if key == DEFAULT_SCHEMA {
        session.schema = model::table::DEFAULT_SCHEMA.into();
    }
}

/// A session's settings over its project's options over the server's.
#[derive(Clone, Debug)]
pub(crate) struct Effective {
    pub namespace_schema: bool,
    pub allow_fullscan: bool,
    pub hive_compatible: bool,
    pub odps2_types: bool,
    /// The zone and its name.
    pub zone: Zone,
    pub zone_name: String,
    /// `scan.…` options of the table format.
    pub scan_selectors: Vec<(String, String)>,
}

impl Effective {
    pub(crate) fn new(session: &SqlSession, options: Option<&ProjectOptions>, server_zone: &str) -> Self {
        let namespace_schema = options.is_none_or(|options| options.namespace_schema);
        let allow_fullscan = options.is_some_and(|options| options.allow_fullscan);
        let zones = [
            session.settings.get(TIMEZONE).map(String::as_str),
            options.map(|options| options.timezone.as_str()),
            Some(server_zone),
            Some("UTC"),
        ];
        let (zone, zone_name) = zones
            .into_iter()
            .flatten()
            .find_map(|name| Zone::parse(name).map(|zone| (zone, name.to_owned())))
            .expect("UTC is a time zone");
        let scan_selectors = session
            .settings
            .iter()
            .filter(|(key, _)| key.starts_with(SCAN_PREFIX))
            .map(|(key, value)| (key["paimon.".len()..].to_owned(), value.clone()))
            .collect();
        Self {
            namespace_schema: session.flag(NAMESPACE_SCHEMA, namespace_schema),
            allow_fullscan: session.flag(ALLOW_FULLSCAN, allow_fullscan),
            hive_compatible: session.flag(HIVE_COMPATIBLE, false),
            odps2_types: session.flag(TYPE_SYSTEM_ODPS2, true),
            zone,
            zone_name,
            scan_selectors,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::names::ProjectName;

    fn check(key: &str, value: &str, expected: &str) {
        let mut session = SqlSession::new(ProjectName::parse("sample").unwrap());
        let verdict = set(&mut session, key, value).map_or_else(|error| error, |()| "ok".into());
        assert_eq!(verdict, expected);
    }

    #[test]
    fn keys() {
        check("odps.sql.allow.fullscan", "true", "ok");
        check("ODPS.SQL.ALLOW.FULLSCAN", "TRUE", "ok");
        check("odps.sql.allow.fullscan", "1", "`odps.sql.allow.fullscan` is true or false, not `1`");
        check("odps.instance.priority", "9", "ok");
        check("odps.sql.timezone", "Asia/Shanghai", "ok");
        check(
            "odps.sql.timezone",
            "Mars",
            "`Mars` is not a time zone; give a name such as Asia/Shanghai or an offset such as +08:00",
        );
        check("paimon.scan.snapshot-id", "3", "ok");
        check(
            "paimon.scan.mode",
            "latest",
            "unknown setting paimon.scan.mode; of the table format these can be set: paimon.scan.snapshot-id, \
             paimon.scan.tag-name, paimon.scan.timestamp-millis, paimon.scan.timestamp, paimon.scan.version",
        );
        check("paimon.path", "/etc", "unknown setting paimon.path");
        check("datafusion.runtime.memory_limit", "1T", "unknown setting datafusion.runtime.memory_limit");
    }
}

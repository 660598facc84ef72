//! Columns ⇄ values.

use crate::Error;
use model::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// This moment, as exact as it is stored.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}

pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub(crate) fn timestamp(what: &'static str, micros: i64) -> Result<Timestamp, Error> {
    Timestamp::from_microsecond(micros).map_err(|why| Error::unreadable(what, why))
}

pub(crate) fn to_json<T: Serialize>(what: &'static str, value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|why| Error::unreadable(what, why))
}

pub(crate) fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|why| Error::unreadable(what, why))
}

/// A stored id of one of our enums.
pub(crate) fn known<T>(what: &'static str, id: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
    parse(id).ok_or_else(|| Error::unreadable(what, format!("unknown value `{id}`")))
}

//! A SQL session: what `SET` and `USE` change and later statements of the same worksheet see.

use crate::names::ProjectName;
use crate::table::DEFAULT_SCHEMA;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// State of one worksheet's session; never shared between worksheets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlSession {
    pub project: ProjectName,
    pub schema: String,
    /// Only what was set; defaults are not repeated.
    pub settings: BTreeMap<String, String>,
}

impl SqlSession {
    pub fn new(project: ProjectName) -> Self {
        Self { project, schema: DEFAULT_SCHEMA.into(), settings: BTreeMap::new() }
    }

    /// The boolean setting `key`, or `default` where it was not set.
    pub fn flag(&self, key: &str, default: bool) -> bool {
        self.settings.get(key).map_or(default, |value| value.eq_ignore_ascii_case("true"))
    }
}

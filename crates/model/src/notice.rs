//! Sentences that a page words in its own language.

use serde::{Deserialize, Serialize};

/// What is worth knowing: `code` names the sentence, `values` fill it in, `text` is its English form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Stable, e.g. `directory_shared`.
    pub code: String,
    /// By name, e.g. `projects`.
    pub values: Vec<(String, String)>,
    pub text: String,
}

impl Notice {
    pub fn new(code: &str, text: impl Into<String>) -> Self {
        Self { code: code.into(), values: Vec::new(), text: text.into() }
    }

    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.values.push((name.into(), value.to_string()));
        self
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

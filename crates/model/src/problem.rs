//! What a user is told when something cannot be done: what, why, and what next.

use serde::{Deserialize, Serialize};

/// The kind of a [`Problem`]; decides the HTTP status and the tone of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Correct the input.
    Invalid,
    /// Sign in.
    Unauthenticated,
    /// Ask for the named privilege.
    Forbidden,
    /// Check the name.
    NotFound,
    /// Choose another name.
    AlreadyExists,
    /// Someone was faster: reload.
    Conflict,
    /// Narrow it, or wait.
    LimitExceeded,
    /// Try again later.
    Unavailable,
    /// Not possible here.
    Unsupported,
    /// Our fault: quote the request id.
    Internal,
}

impl ErrorCode {
    /// The HTTP status that carries this code.
    pub fn status(self) -> u16 {
        match self {
            Self::Invalid => 422,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::AlreadyExists | Self::Conflict => 409,
            Self::LimitExceeded => 429,
            Self::Unavailable => 503,
            Self::Unsupported => 501,
            Self::Internal => 500,
        }
    }
}

/// Something wrong with one field of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldProblem {
    /// The field's id in the draft, e.g. `name` or `role_arn`.
    pub field: String,
    /// Stable key of the sentence, for translation, e.g. `data_source_name`.
    pub code: String,
    /// The sentence in English.
    pub message: String,
}

/// A rule that a single value broke: the translatable key and the English sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Broken {
    pub code: &'static str,
    pub message: String,
}

impl Broken {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// A failure as it is shown: no internals, no secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    pub code: ErrorCode,
    pub message: String,
    /// The fields to correct; empty when the problem is not about a form.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldProblem>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Finds the failure in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Problem {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), fields: Vec::new(), hint: None, request_id: None }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Invalid, message)
    }

    /// A problem that stands under one field of a form.
    pub fn on_field(code: ErrorCode, field: &str, key: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let fields = vec![FieldProblem { field: field.into(), code: key.into(), message: message.clone() }];
        Self { fields, ..Self::new(code, message) }
    }

    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The problem of one field, if there is one.
    pub fn field(&self, field: &str) -> Option<&FieldProblem> {
        self.fields.iter().find(|problem| problem.field == field)
    }
}

/// Collects what is wrong with a draft, so that every field is reported at once.
#[derive(Debug, Default)]
pub struct FieldProblems(Vec<FieldProblem>);

impl FieldProblems {
    /// The checked value, or `None` with the problem noted under `field`.
    pub fn take<T>(&mut self, field: &str, checked: Result<T, Broken>) -> Option<T> {
        checked.map_err(|broken| self.add(field, broken)).ok()
    }

    pub fn add(&mut self, field: &str, broken: Broken) {
        self.0.push(FieldProblem { field: field.into(), code: broken.code.into(), message: broken.message });
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything noted, under other field names: for a form that contains another one.
    pub fn absorb(&mut self, prefix: &str, problem: Problem) {
        let renamed = problem.fields.into_iter().map(|f| FieldProblem { field: format!("{prefix}{}", f.field), ..f });
        self.0.extend(renamed);
    }

    pub fn into_problem(self) -> Problem {
        let message = match self.0.as_slice() {
            [only] => only.message.clone(),
            many => format!("{} fields need attention.", many.len()),
        };
        Problem { fields: self.0, ..Problem::invalid(message) }
    }
}

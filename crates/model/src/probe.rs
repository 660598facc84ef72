//! The connection test: ten steps, each live, each with its cause and cure.

use crate::Timestamp;
use crate::notice::Notice;
use serde::{Deserialize, Serialize};

/// What a step looks at, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeStepKind {
    ResolveHost,
    Connect,
    Tls,
    Credential,
    Bucket,
    List,
    Shape,
    ReadSchema,
    WriteProbe,
    Clock,
}

impl ProbeStepKind {
    pub const ALL: [Self; 10] = [
        Self::ResolveHost,
        Self::Connect,
        Self::Tls,
        Self::Credential,
        Self::Bucket,
        Self::List,
        Self::Shape,
        Self::ReadSchema,
        Self::WriteProbe,
        Self::Clock,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Self::ResolveHost => "Resolve host",
            Self::Connect => "TCP connect",
            Self::Tls => "TLS",
            Self::Credential => "Credential valid",
            Self::Bucket => "Bucket exists",
            Self::List => "List warehouse",
            Self::Shape => "Paimon shape",
            Self::ReadSchema => "Read one schema",
            Self::WriteProbe => "Write probe",
            Self::Clock => "Clock difference",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeStatus {
    Waiting,
    Running,
    Ok,
    /// Works, but.
    Warning,
    Failed,
    /// Does not apply to this store, or an earlier step failed.
    NotRun,
}

/// One row of the test panel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeStep {
    pub kind: ProbeStepKind,
    pub status: ProbeStatus,
    /// How long it took, milliseconds.
    pub elapsed_ms: Option<u64>,
    /// What was found, or what went wrong: one line.
    pub message: String,
    /// What to do about it: one line.
    pub cure: Option<String>,
    /// The store's own words, folded in the page; never a secret.
    pub raw: Option<String>,
}

impl ProbeStep {
    pub fn waiting(kind: ProbeStepKind) -> Self {
        Self { kind, status: ProbeStatus::Waiting, elapsed_ms: None, message: String::new(), cure: None, raw: None }
    }
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConnectionState {
    Connectable,
    ConfigError,
    Unreachable,
    Unsupport,
}

impl ConnectionState {
    /// Exactly the words of the console.
    pub fn label(self) -> &'static str {
        match self {
            Self::Connectable => "Connected",
            Self::ConfigError | Self::Unreachable | Self::Unsupport => "Connection failed.",
        }
    }

    pub fn is_connected(self) -> bool {
        self == Self::Connectable
    }
}

/// A finished test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestRun {
    pub state: ConnectionState,
    /// Beside the verdict, e.g. `storage not checked: give a test directory`.
    pub note: Option<String>,
    pub steps: Vec<ProbeStep>,
    pub at: Timestamp,
}

/// What a running test says, one event after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ProbeEvent {
    Step(ProbeStep),
    Done(TestRun),
}

/// One thing that must be in place before the walkthrough works (S5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prerequisite {
    /// Stable key, e.g. `bucket`, `role`, `quota`.
    pub key: String,
    pub done: bool,
    /// One line, in English: what was found or what is missing.
    pub detail: String,
    /// The same with its code and values.
    pub notice: Notice,
}

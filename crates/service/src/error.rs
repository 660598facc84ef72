//! Failures of the use cases, and the one place that words them: what, why, what next.

use model::Timestamp;
use model::lake::Stray;
use model::problem::{Broken, ErrorCode, Problem};
use ports::lake::LakeError;
use store::Unique;

/// Things that are looked up by name or id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    DataSource,
    Project,
    Worksheet,
    Run,
    Statement,
    Probe,
}

impl Noun {
    fn label(self) -> &'static str {
        match self {
            Self::DataSource => "external data source",
            Self::Project => "external project",
            Self::Worksheet => "worksheet",
            Self::Run => "run",
            Self::Statement => "statement",
            Self::Probe => "connection test",
        }
    }
}

/// A failure. `Display` is for the log, [`Error::to_problem`] for people.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The input breaks a rule of its form.
    #[error("{0}")]
    Invalid(Problem),
    #[error("nobody is signed in")]
    NotSignedIn,
    #[error("You are not authorized to perform this action")]
    ControlDenied,
    #[error("{0}")]
    DataDenied(String),
    #[error("there is no {} `{name}`", .noun.label())]
    NotFound { noun: Noun, name: String },
    /// Decided by the database; `prefix` leads to the field of a form inside the form.
    #[error("{unique} `{name}` is taken")]
    Taken { unique: Unique, name: String, prefix: &'static str },
    #[error("Foreign server {name} is used by projects: {}. Delete these projects first.", .projects.join(", "))]
    DataSourceUsed { name: String, projects: Vec<String> },
    #[error("Changed by {by} at {}; reload.", moment(.at))]
    Changed { by: String, at: Timestamp },
    #[error("project `{0}` is disabled")]
    ProjectDisabled(String),
    #[error("the directory holds {count} things that are not Paimon's")]
    NotPaimon { strays: Vec<Stray>, count: u64 },
    /// A field is well formed but does not fit what exists; `code` is the key of the sentence.
    #[error("{field}: {message}")]
    Field { field: &'static str, code: &'static str, message: String, hint: Option<String> },
    #[error("worksheet is running")]
    WorksheetBusy,
    /// A limit, with the sentence that names it.
    #[error("{0}")]
    LimitExceeded(String),
    #[error("the server is stopping")]
    Draining,
    #[error("name or password is wrong")]
    WrongPassword,
    #[error("too many attempts; {seconds} s to wait")]
    Throttled { seconds: u64 },
    #[error("the sign-in link was used or has expired")]
    LinkUsed,
    #[error("the result has expired")]
    ResultExpired,
    #[error("the statement has no result")]
    NoResult,
    #[error(transparent)]
    Lake(#[from] LakeError),
    #[error("{}", .0.message)]
    Sql(Box<model::worksheet::StatementError>),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("{doing}")]
    Internal {
        doing: String,
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

impl Error {
    pub(crate) fn internal(
        doing: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Internal { doing: doing.into(), source: Some(source.into()) }
    }

    pub(crate) fn field(field: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self::Field { field, code, message: message.into(), hint: None }
    }

    pub(crate) fn not_found(noun: Noun, name: impl Into<String>) -> Self {
        Self::NotFound { noun, name: name.into() }
    }

    /// A broken rule under the field that broke it.
    pub(crate) fn broken(field: &'static str) -> impl FnOnce(Broken) -> Self {
        move |broken| Self::field(field, broken.code, broken.message)
    }

    /// A write whose name is decided by the database.
    pub(crate) fn on_taken(name: &str) -> impl FnOnce(store::Error) -> Self + use<> {
        let name = name.to_owned();
        move |error| match error {
            store::Error::Taken(unique) => Self::Taken { unique, name, prefix: "" },
            other => Self::Store(other),
        }
    }

    /// What the user is told. Failures of ours are logged here, once, under the request id that the user sees.
    pub fn to_problem(&self, request_id: &str) -> Problem {
        let mut problem = self.wording();
        if problem.code == ErrorCode::Internal || problem.code == ErrorCode::Unavailable {
            tracing::error!(request.id = request_id, error = %chain(self), "request failed");
        }
        problem.request_id = Some(request_id.to_owned());
        problem
    }

    fn wording(&self) -> Problem {
        use ErrorCode as Code;
        match self {
            Self::Invalid(problem) => problem.clone(),
            Self::NotSignedIn => Problem::new(Code::Unauthenticated, "Sign in to go on."),
            Self::ControlDenied => Problem::new(Code::Forbidden, self.to_string())
                .with_hint("The account owner can permit it under Access › Policies."),
            Self::DataDenied(sentence) => Problem::new(Code::Forbidden, sentence.clone())
                .with_hint("An administrator can grant it under Access › Grants."),
            Self::NotFound { noun, name } => {
                Problem::new(Code::NotFound, format!("There is no {} `{name}`.", noun.label()))
                    .with_hint("It may have been deleted or renamed; check the list.")
            }
            Self::Taken { unique, name, prefix } => taken(*unique, name, prefix),
            Self::DataSourceUsed { .. } => Problem::new(Code::Conflict, self.to_string()),
            Self::Changed { .. } => Problem::new(Code::Conflict, self.to_string()),
            Self::ProjectDisabled(name) => {
                Problem::new(Code::Conflict, format!("External project `{name}` is disabled."))
                    .with_hint("Enable it under Projects first.")
            }
            Self::NotPaimon { strays, count } => not_paimon(strays, *count),
            Self::Field { field, code, message, hint } => {
                Problem { hint: hint.clone(), ..Problem::on_field(Code::Invalid, field, code, message.clone()) }
            }
            Self::WorksheetBusy => Problem::new(Code::Conflict, "This worksheet is running.")
                .with_hint("Wait until it has finished, or cancel it."),
            Self::LimitExceeded(sentence) => Problem::new(Code::LimitExceeded, sentence.clone()),
            Self::Draining => Problem::new(Code::Unavailable, "The server is stopping and starts nothing new.")
                .with_hint("Try again in a minute."),
            Self::WrongPassword => Problem::new(Code::Unauthenticated, "The name or the password is wrong."),
            Self::Throttled { seconds } => {
                Problem::new(Code::LimitExceeded, format!("Too many attempts. Try again in {seconds} s."))
            }
            Self::LinkUsed => Problem::new(Code::Unauthenticated, "This sign-in link was used already or has expired.")
                .with_hint("Sign in with your password, or print a new link with `lakedeck admin link`."),
            Self::ResultExpired => Problem::new(Code::NotFound, "The rows of this result are no longer kept.")
                .with_hint("Run the statement again."),
            Self::NoResult => Problem::new(Code::NotFound, "This statement has no rows to show."),
            Self::Lake(error) => lake(error),
            Self::Sql(error) => Problem::new(Code::Invalid, error.message.clone()),
            Self::Store(_) | Self::Internal { .. } => internal(),
        }
    }
}

fn taken(unique: Unique, name: &str, prefix: &str) -> Problem {
    let (field, message) = match unique {
        Unique::DataSourceName => ("name", format!("An external data source `{name}` exists already.")),
        Unique::ProjectName => ("name", format!("A project `{name}` exists already; names are compared without case.")),
        Unique::EngineCatalogName => {
            ("engine_catalog", "Another project has this engine catalog name already.".to_owned())
        }
    };
    Problem::on_field(ErrorCode::AlreadyExists, &format!("{prefix}{field}"), "taken", message)
        .with_hint("Choose another name.")
}

fn not_paimon(strays: &[Stray], count: u64) -> Problem {
    let mut message = String::from("The directory holds things that are not Paimon's: ");
    message.push_str(&strays.iter().map(|stray| stray.path.as_str()).collect::<Vec<_>>().join(", "));
    let more = count.saturating_sub(strays.len() as u64);
    if more > 0 {
        message.push_str(&format!(" and {more} more"));
    }
    message.push('.');
    Problem::on_field(ErrorCode::Invalid, "bucket_catalog", "not_paimon", message)
        .with_hint("Choose another directory, or tick \"Use anyway\": they are left alone and listed as abnormal.")
}

fn lake(error: &LakeError) -> Problem {
    let code = match error {
        LakeError::Invalid(_) => ErrorCode::Invalid,
        LakeError::NotFound(_) => ErrorCode::NotFound,
        LakeError::AlreadyExists(_) => ErrorCode::AlreadyExists,
        // The store refuses the identity of the source: nothing that signing in again would cure.
        LakeError::Forbidden(_) => ErrorCode::Forbidden,
        LakeError::Conflict(_) => ErrorCode::Conflict,
        LakeError::Unavailable { .. } => ErrorCode::Unavailable,
        LakeError::Unsupported(_) => ErrorCode::Unsupported,
        LakeError::Internal { .. } => return internal(),
    };
    Problem::new(code, error.to_string())
}

fn internal() -> Problem {
    Problem::new(ErrorCode::Internal, "Something went wrong on our side.")
        .with_hint("Try again; if it stays, look for the request id in the server's log.")
}

/// An error with its causes, for the log.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some libraries repeat their cause in their own text.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// A moment as people read it: to the second, in UTC.
fn moment(at: &Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Invalid(problem)
    }
}

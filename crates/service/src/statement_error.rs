//! Errors of statements that the service words itself, in the form of the engine's.

use model::worksheet::StatementError;

pub(crate) fn system_error(sentence: &str) -> Box<StatementError> {
    statement_error("ODPS-0010000", "System internal error", sentence)
}

pub(crate) fn authorization_error(sentence: &str) -> Box<StatementError> {
    statement_error("ODPS-0130013", "Authorization exception", sentence)
}

fn statement_error(code: &str, class: &str, sentence: &str) -> Box<StatementError> {
    Box::new(StatementError {
        message: format!("{code}:{class} - {sentence}"),
        code: code.into(),
        line: 0,
        column: 0,
        span: None,
        suggestion: None,
        fix: None,
    })
}

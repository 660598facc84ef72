//! A parsed script, and how its statements are shown before they run.

use model::session::SqlSession;
use model::worksheet::{Progress, Span, StatementRun, StatementState};
use ports::sql_engine::{Statement, UnparsedStatement};
use std::sync::Arc;

/// A parsed script.
pub(crate) struct Script {
    pub statements: Vec<Arc<dyn Statement>>,
    pub unparsed: Option<UnparsedStatement>,
}

impl Script {
    /// The statements as they wait; `base_offset` is where the script begins in its text.
    pub(crate) fn statement_runs(&self, base_offset: usize) -> Vec<StatementRun> {
        let parsed = self.statements.iter().map(|it| (it.verb().to_owned(), it.text().to_owned(), it.span()));
        let unparsed = self.unparsed.iter().map(|it| (first_word(&it.text), it.text.clone(), it.span));
        let waiting = |(index, (verb, text, span)): (usize, (String, String, Span))| StatementRun {
            index,
            instance_id: None,
            verb,
            text,
            span: shifted(span, base_offset),
            state: StatementState::Waiting,
            started_at: None,
            progress: Progress::default(),
            columns: Vec::new(),
            row_count: 0,
            truncated: None,
            affected_rows: None,
            snapshot_id: None,
            notices: Vec::new(),
            error: None,
        };
        parsed.chain(unparsed).enumerate().map(waiting).collect()
    }

    /// `odps.sql.submit.mode=script`: all or nothing when it comes to parsing.
    pub(crate) fn is_one_job(&self, session: &SqlSession) -> bool {
        session.settings.get("odps.sql.submit.mode").is_some_and(|mode| mode.eq_ignore_ascii_case("script"))
    }
}

pub(crate) fn shifted(span: Span, by: usize) -> Span {
    Span { start: span.start + by, end: span.end + by }
}

fn first_word(text: &str) -> String {
    let word: String = text.chars().take_while(|c| c.is_ascii_alphabetic()).take(20).collect();
    if word.is_empty() { "STATEMENT".into() } else { word.to_ascii_uppercase() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_words() {
        assert_eq!(first_word("selec 1"), "SELEC");
        assert_eq!(first_word(")"), "STATEMENT");
    }
}

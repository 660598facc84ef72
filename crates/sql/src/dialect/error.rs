//! What is wrong with a sentence, and where.

use super::ast::ParsedStatement;
use model::script::line_and_column;
use model::worksheet::{Span, StatementError};

/// The family of an error: its code and its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The text is no statement.
    Parse,
    /// A name or a type does not fit.
    Semantic,
    /// A partition specification does not fit.
    Partition,
    /// A schema or a project is missing.
    Ddl,
}

impl ErrorClass {
    pub fn code(self) -> &'static str {
        match self {
            Self::Parse => "ODPS-0130161",
            Self::Semantic => "ODPS-0130071",
            Self::Partition => "ODPS-0123031",
            Self::Ddl => "ODPS-0110061",
        }
    }

    /// The words between position and text.
    fn title(self) -> &'static str {
        match self {
            Self::Parse => "Parse exception",
            Self::Semantic => "Semantic analysis exception",
            Self::Partition => "Partition exception",
            Self::Ddl => "Failed to run ddltask",
        }
    }

    /// The error of a sentence `text` that begins at `start` of its script; `at` is in the script.
    pub(super) fn error(self, text: &str, start: usize, at: Option<Span>, message: &str) -> StatementError {
        let (line, column) = at.map_or((0, 0), |at| line_and_column(text, at.start.saturating_sub(start)));
        StatementError {
            message: format!("{}:[{line},{column}] {} - {message}", self.code(), self.title()),
            code: self.code().into(),
            line,
            column,
            span: at,
            suggestion: None,
            fix: None,
        }
    }
}

impl ParsedStatement {
    /// An error of this statement; `at` is the offending token in the script.
    pub fn error(&self, class: ErrorClass, at: Option<Span>, message: impl AsRef<str>) -> StatementError {
        class.error(&self.text, self.span.start, at, message.as_ref())
    }

    /// Where in the script a line and column of this statement are: of the positions that the query's AST carries.
    pub fn offset_of(&self, line: u64, column: u64) -> Option<usize> {
        let line_index = usize::try_from(line.checked_sub(1)?).ok()?;
        let column_index = usize::try_from(column.checked_sub(1)?).ok()?;
        let line_start: usize = self.text.split_inclusive('\n').take(line_index).map(str::len).sum();
        let in_line = self.text.get(line_start..)?.char_indices().nth(column_index)?.0;
        Some(self.span.start + line_start + in_line)
    }

    /// The token at a line and column of this statement.
    pub fn span_at(&self, line: u64, column: u64) -> Option<Span> {
        let start = self.offset_of(line, column)?;
        let rest = self.text.get(start - self.span.start..)?;
        let piece = model::script::pieces(rest).next()?;
        Some(Span { start, end: start + piece.span.end })
    }
}

/// An error on its way out of the parser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub class: ErrorClass,
    pub at: Option<Span>,
    pub message: String,
    pub suggestion: Option<String>,
}

impl SyntaxError {
    pub fn new(at: Span, message: impl Into<String>) -> Self {
        Self { class: ErrorClass::Parse, at: Some(at), message: message.into(), suggestion: None }
    }

    /// The sentence is understood and cannot be.
    pub fn semantic(at: Span, message: impl Into<String>) -> Self {
        Self { class: ErrorClass::Semantic, ..Self::new(at, message) }
    }

    /// About the statement or the script as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self { class: ErrorClass::Parse, at: None, message: message.into(), suggestion: None }
    }

    pub fn suggest(mut self, replacement: impl Into<String>) -> Self {
        let replacement = replacement.into();
        self.message = format!("{}, did you mean '{replacement}'?", self.message);
        self.suggestion = Some(replacement);
        self
    }

    pub fn into_statement_error(self, text: &str, start: usize) -> StatementError {
        let error = self.class.error(text, start, self.at, &self.message);
        StatementError { suggestion: self.suggestion, ..error }
    }
}

/// The candidate that `word` was probably meant to be: at most one slip in short words, two in longer ones.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_uppercase();
    let slips_max = if word.len() <= 4 { 1 } else { 2 };
    if word.len() < 3 || word.len() > 32 {
        return None;
    }
    candidates
        .into_iter()
        .map(|candidate| (slips(word.as_bytes(), candidate.as_bytes()), candidate))
        .filter(|(slips, candidate)| (1..=slips_max).contains(slips) && *slips * 3 <= candidate.len())
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}

/// Letters changed, missing, added or swapped with their neighbour.
fn slips(a: &[u8], b: &[u8]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut best = changed.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_words() {
        let check = |word: &str, expected: Option<&str>| {
            assert_eq!(nearest(word, ["SELECT", "FROM", "WHERE", "SET", "GROUP"]), expected, "{word}");
        };
        check("SELCT", Some("SELECT"));
        check("form", Some("FROM"));
        check("WEHRE", Some("WHERE"));
        check("gruop", Some("GROUP"));
        check("select", None);
        check("t", None);
        check("emp", None);
        check("st", None);
    }
}

//! The dialect: text in, typed statements out. Nothing here looks a name up or touches data.
//!
//! A script goes through four steps: `model::script` splits it, `lexer` decodes its words, `statement` recognises the
//! verb and reads what sqlparser has no syntax for, and `query` hands queries to sqlparser's grammar and rewrites them
//! into what DataFusion plans.

pub mod ast;
pub mod error;
pub mod lateral_view;
pub mod types;

mod adapt;
mod calls;
mod create_table;
mod cursor;
mod insert;
mod lexer;
mod query;
mod rewrite;
mod setting;
mod statement;
mod translate;

pub use ast::*;
pub(crate) use calls::REWRITTEN_FUNCTIONS;
pub use error::ErrorClass;
pub use rewrite::time_travel;
pub use types::SqlType;

use cursor::Cursor;
use error::SyntaxError;
use model::script::{Piece, PieceKind, SCRIPT_BYTES_MAX, STATEMENTS_MAX, StatementSpan, pieces, statements};
use model::worksheet::Span;
use ports::sql_engine::UnparsedStatement;
use statement::Notes;

/// Every word of the dialect that is no name, in capitals: for completion and highlighting.
pub fn keywords() -> Vec<&'static str> {
    let lists = [statement::VERBS, statement::WORDS, translate::KEYWORDS, types::TYPE_NAMES];
    let mut words: Vec<&str> = lists.into_iter().flatten().copied().collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Stack of the thread that parses: nested text makes nested calls, and callers' stacks are small.
const STACK_BYTES: usize = 128 << 20;

/// The statements of a script up to the first that is none, and what is wrong with that one.
pub fn parse(script: &str) -> (Vec<ParsedStatement>, Option<UnparsedStatement>) {
    let parsed = std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("parser".into()).stack_size(STACK_BYTES);
        builder.spawn_scoped(scope, || parse_script(script)).ok().and_then(|parser| parser.join().ok())
    });
    parsed.unwrap_or_else(|| {
        let error = SyntaxError::whole("the script cannot be parsed now");
        (Vec::new(), Some(unparsed(script, Span { start: 0, end: script.len() }, error)))
    })
}

fn parse_script(script: &str) -> (Vec<ParsedStatement>, Option<UnparsedStatement>) {
    let whole = Span { start: 0, end: script.len() };
    if script.len() > SCRIPT_BYTES_MAX {
        let text = format!("the script is larger than {} MB", SCRIPT_BYTES_MAX >> 20);
        return (Vec::new(), Some(unparsed(script, whole, SyntaxError::whole(text))));
    }
    let spans = statements(script);
    if spans.len() > STATEMENTS_MAX {
        let text = format!("the script has more than {STATEMENTS_MAX} statements");
        return (Vec::new(), Some(unparsed(script, whole, SyntaxError::whole(text))));
    }
    let mut parsed = Vec::with_capacity(spans.len());
    let unclosed = |start: usize| {
        let comment = unclosed_comment(script)?;
        let error = SyntaxError::new(comment, "comment is not closed");
        Some(unparsed(script, Span { start: start.min(comment.start), end: script.len() }, error))
    };
    for (index, StatementSpan { span, .. }) in spans.iter().enumerate() {
        match parse_statement(script, *span) {
            Ok(statement) => parsed.push(statement),
            Err(error) => {
                // What is missing from the last statement may stand in the comment.
                let swallowed = if index + 1 == spans.len() { unclosed(span.start) } else { None };
                return (parsed, Some(swallowed.unwrap_or_else(|| unparsed(script, *span, error))));
            }
        }
    }
    let unparsed = unclosed_comment(script).and_then(|comment| unclosed(comment.start));
    (parsed, unparsed)
}

fn unparsed(script: &str, span: Span, error: SyntaxError) -> UnparsedStatement {
    let text = script[span.start..span.end].to_owned();
    let error = error.into_statement_error(&text, span.start);
    UnparsedStatement { text, span, error }
}

/// A comment that swallows the script's end, behind the last statement.
fn unclosed_comment(script: &str) -> Option<Span> {
    let last: Piece = pieces(script).last()?;
    let is_comment = matches!(last.kind, PieceKind::Comment | PieceKind::Hint);
    (is_comment && !last.is_closed).then_some(last.span)
}

fn parse_statement(script: &str, span: Span) -> cursor::Result<ParsedStatement> {
    let text = script[span.start..span.end].to_owned();
    let first = pieces(&text).next();
    let first_text = first.map_or("", |first| &text[..first.span.end]);
    if let Some(word) = first.filter(|_| first_text.eq_ignore_ascii_case("SET")) {
        let behind = Span { start: span.start + word.span.end, end: span.end };
        let statement = setting::parse(script, behind)?;
        return Ok(ParsedStatement { statement, text, span, hints: Vec::new(), warnings: Vec::new() });
    }
    let (tokens, hints) = match lexer::tokens(script, span) {
        Err(_) if statement::is_opaque(first_text) => (lexer::leading_words(script, span), Vec::new()),
        lexed => lexed?,
    };
    let mut notes = Notes { start: span.start, ..Notes::default() };
    let statement = statement::parse(&mut Cursor::new(&tokens, script), &mut notes)?;
    Ok(ParsedStatement { statement, text, span, hints, warnings: notes.warnings })
}

#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod tests;

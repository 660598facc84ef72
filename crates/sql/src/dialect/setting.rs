//! `SET k=v`: read from the text, since a value is whatever stands before the `;`.

use super::ast::{NotYet, Setting, Statement};
use super::cursor::Result;
use super::error::SyntaxError;
use super::lexer::text_value;
use model::script::{Piece, PieceKind, pieces};
use model::worksheet::Span;

/// The statement behind the word SET; `span` reaches from behind it to the statement's end.
pub(super) fn parse(script: &str, span: Span) -> Result<Statement> {
    let pieces: Vec<Piece> = pieces(&script[span.start..span.end])
        .map(|piece| Piece {
            span: Span { start: piece.span.start + span.start, end: piece.span.end + span.start },
            ..piece
        })
        .collect();
    let is_ignored = |piece: &Piece| matches!(piece.kind, PieceKind::Comment | PieceKind::Hint);
    let text_of = |piece: &Piece| &script[piece.span.start..piece.span.end];
    let Some(first) = pieces.iter().find(|piece| !is_ignored(piece) && piece.kind != PieceKind::Blank) else {
        return Ok(Statement::ShowSettings);
    };
    if text_of(first).eq_ignore_ascii_case("LABEL") {
        return Ok(Statement::NotYet(NotYet { verb: "SET LABEL" }));
    }
    let equals = pieces.iter().position(|piece| piece.kind == PieceKind::Symbol && text_of(piece).starts_with('='));
    let Some(equals) = equals else {
        let end = Span { start: span.end, end: span.end };
        return Err(SyntaxError::new(end, "unexpected end of statement, expect '='"));
    };
    let (key, key_span) = plain(script, &pieces[..equals])?;
    let key_span = key_span.unwrap_or(pieces[equals].span);
    checked_key(&key, key_span)?;
    // `k==v` is the key and a value that begins with `=`.
    let operator = text_of(&pieces[equals]);
    let (rest, _) = plain(script, &pieces[equals + 1..])?;
    check_forgotten_semicolon(script, &pieces[equals + 1..])?;
    let value = if operator.len() > 1 { format!("{}{rest}", &operator[1..]) } else { rest };
    Ok(Statement::Set(Setting { key, value, span: key_span }))
}

/// The text of the pieces without comments and outer blanks; one text in quotes stands for its value.
fn plain(script: &str, pieces: &[Piece]) -> Result<(String, Option<Span>)> {
    let is_shown = |piece: &&Piece| !matches!(piece.kind, PieceKind::Comment | PieceKind::Hint);
    let shown: Vec<&Piece> = pieces.iter().filter(is_shown).collect();
    let solid: Vec<&&Piece> = shown.iter().filter(|piece| piece.kind != PieceKind::Blank).collect();
    let span = solid.first().zip(solid.last()).map(|(a, b)| Span { start: a.span.start, end: b.span.end });
    if let [only] = solid.as_slice() {
        let text = &script[only.span.start..only.span.end];
        match only.kind {
            PieceKind::Text => return Ok((text_value(text, ***only)?, span)),
            PieceKind::Quoted if only.is_closed => return Ok((text[1..text.len() - 1].replace("``", "`"), span)),
            _ => {}
        }
    }
    let text: String = shown.iter().map(|piece| &script[piece.span.start..piece.span.end]).collect();
    Ok((text.trim().to_owned(), span))
}

/// A value that goes on with a statement on the next line has lost its `;`.
fn check_forgotten_semicolon(script: &str, pieces: &[Piece]) -> Result<()> {
    const VERBS: &[&str] =
        &["SELECT", "INSERT", "CREATE", "DROP", "SET", "SHOW", "USE", "WITH", "ALTER", "DESC", "EXPLAIN", "TRUNCATE"];
    let is_new_line = |piece: &Piece| script[piece.span.start..piece.span.end].contains('\n');
    for pair in pieces.windows(2) {
        let [blank, word] = pair else { continue };
        let text = &script[word.span.start..word.span.end];
        let is_verb = word.kind == PieceKind::Word && VERBS.iter().any(|verb| verb.eq_ignore_ascii_case(text));
        if blank.kind == PieceKind::Blank && is_new_line(blank) && is_verb {
            return Err(SyntaxError::new(word.span, format!("invalid token '{text}', expect ';' before it")));
        }
    }
    Ok(())
}

/// A key is one word of letters, digits, `_`, `.`, `-` and `:`.
pub(super) fn checked_key(key: &str, at: Span) -> Result<()> {
    let good = !key.is_empty()
        && key.len() <= 256
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | ':' | '$'));
    if good { Ok(()) } else { Err(SyntaxError::new(at, format!("invalid key '{}'", key.escape_debug()))) }
}

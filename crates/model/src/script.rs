//! Splits a script into statements, in the browser as on the server: both see the same quotes, comments and `;`.
//!
//! The pieces are also what the SQL lexer reads, so that the two cannot disagree.

use crate::worksheet::Span;

/// Longest script, in bytes.
pub const SCRIPT_BYTES_MAX: usize = 4 << 20;

/// Most statements in a script.
pub const STATEMENTS_MAX: usize = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceKind {
    Blank,
    /// `-- …` without the line's end, `/* … */`.
    Comment,
    /// `--+ …`, `/*+ … */`.
    Hint,
    /// `'…'` or `"…"`, undecoded.
    Text,
    /// `` `…` ``, undecoded.
    Quoted,
    /// Letters, digits, `_` and `$`, not beginning with a digit.
    Word,
    /// Begins with a digit, or with a point and a digit; may carry a suffix of letters.
    Number,
    Semicolon,
    /// An operator or any other character.
    Symbol,
}

/// A piece of a script; the pieces cover it without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub kind: PieceKind,
    pub span: Span,
    /// False for a text, a name in back quotes or a comment that the script ends within.
    pub is_closed: bool,
}

/// Operators of more than one character, longest first. `>>` is not among them: it closes two nested types.
const OPERATORS: [&str; 11] = ["<=>", "<=", ">=", "<>", "!=", "==", "||", "->", "=>", "::", "&&"];

/// The pieces of `script` in order.
pub fn pieces(script: &str) -> impl Iterator<Item = Piece> + '_ {
    let mut start = 0;
    let mut used = Used::Nothing;
    std::iter::from_fn(move || {
        let rest = &script[start..];
        let first = rest.chars().next()?;
        let (kind, length, is_closed) = match used {
            Used::Project if is_schema_behind_hyphens(rest) => (PieceKind::Symbol, "--".len(), true),
            _ => piece(rest, first),
        };
        let span = Span { start, end: start + length };
        used = used.after(kind, &script[span.start..span.end]);
        start = span.end;
        Some(Piece { kind, span, is_closed })
    })
}

/// How far a statement is a `USE p`: only there `--s` is no comment.
#[derive(Clone, Copy)]
enum Used {
    Nothing,
    Verb,
    /// `USE PROJECT`, or a project of that name.
    Keyword,
    Project,
    Other,
}

impl Used {
    fn after(self, kind: PieceKind, text: &str) -> Self {
        let is = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        match (kind, self) {
            (PieceKind::Blank | PieceKind::Comment | PieceKind::Hint, _) => self,
            (PieceKind::Semicolon, _) => Self::Nothing,
            (PieceKind::Word, Self::Nothing) if is(&["USE"]) => Self::Verb,
            (PieceKind::Word, Self::Verb) if is(&["PROJECT", "CATALOG"]) => Self::Keyword,
            (PieceKind::Word, Self::Verb) if is(&["SCHEMA", "DATABASE", "NAMESPACE"]) => Self::Other,
            (PieceKind::Word | PieceKind::Quoted, Self::Verb | Self::Keyword) => Self::Project,
            _ => Self::Other,
        }
    }
}

/// `--s`, alone on the rest of its line or up to a `;`.
fn is_schema_behind_hyphens(rest: &str) -> bool {
    let Some(name) = rest.strip_prefix("--").filter(|name| name.starts_with(|c: char| is_word(c) && c != '$')) else {
        return false;
    };
    let behind = name.trim_start_matches(is_word).lines().next().unwrap_or_default().trim_start();
    behind.is_empty() || behind.starts_with(';')
}

/// Kind and length in bytes of the piece that `rest` begins with, and whether it is complete.
fn piece(rest: &str, first: char) -> (PieceKind, usize, bool) {
    let run = |more: fn(char) -> bool| rest.find(|c| !more(c)).unwrap_or(rest.len());
    match first {
        c if is_blank(c) => (PieceKind::Blank, run(is_blank), true),
        '-' if rest.starts_with("--") => {
            let kind = if rest.starts_with("--+") { PieceKind::Hint } else { PieceKind::Comment };
            (kind, rest.find('\n').unwrap_or(rest.len()), true)
        }
        '/' if rest.starts_with("/*") => {
            let kind = if rest.starts_with("/*+") { PieceKind::Hint } else { PieceKind::Comment };
            match rest[2..].find("*/") {
                Some(at) => (kind, at + 4, true),
                None => (kind, rest.len(), false),
            }
        }
        '\'' | '"' => quoted(PieceKind::Text, rest, first),
        '`' => quoted(PieceKind::Quoted, rest, first),
        c if c.is_ascii_digit() => (PieceKind::Number, number(rest), true),
        '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => (PieceKind::Number, number(rest), true),
        c if is_word(c) => (PieceKind::Word, run(is_word), true),
        ';' => (PieceKind::Semicolon, 1, true),
        c => {
            let operator = OPERATORS.iter().find(|operator| rest.starts_with(**operator));
            (PieceKind::Symbol, operator.map_or(c.len_utf8(), |operator| operator.len()), true)
        }
    }
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// A piece between two of `quote`; a doubled quote is inside, and in texts so is one after a backslash.
fn quoted(kind: PieceKind, rest: &str, quote: char) -> (PieceKind, usize, bool) {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'\\' && kind == PieceKind::Text {
            at += 2;
        } else if byte == quote as u8 {
            if bytes.get(at + 1) != Some(&byte) {
                return (kind, at + 1, true);
            }
            at += 2;
        } else {
            at += 1;
        }
    }
    (kind, rest.len(), false)
}

/// A number with the letters of its suffix.
fn number(rest: &str) -> usize {
    let end = digits_end(rest);
    end + rest[end..].find(|c| !is_word(c)).unwrap_or(rest.len() - end)
}

/// Where the digits, the point and the exponent of a number end, and its suffix begins.
pub fn digits_end(number: &str) -> usize {
    let bytes = number.as_bytes();
    let digits = |from: usize| from + bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    end
}

/// A statement's place in its script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementSpan {
    /// From its first word to its last piece: without comments around it and without the `;`.
    pub span: Span,
    /// Behind its `;`, or behind its last piece where there is none.
    pub end: usize,
}

/// The statements of a script; empty ones are left out.
pub fn statements(script: &str) -> Vec<StatementSpan> {
    let mut found = Vec::new();
    let mut current: Option<Span> = None;
    for piece in pieces(script) {
        match piece.kind {
            PieceKind::Blank | PieceKind::Comment | PieceKind::Hint => {}
            PieceKind::Semicolon => {
                found.extend(current.take().map(|span| StatementSpan { span, end: piece.span.end }));
            }
            _ => current.get_or_insert(piece.span).end = piece.span.end,
        }
    }
    found.extend(current.map(|span| StatementSpan { span, end: span.end }));
    found
}

/// The statement that a cursor at byte `offset` belongs to: the one around it, else the one before it on the same
/// line, else the next one, else the last.
pub fn statement_at(script: &str, offset: usize) -> Option<Span> {
    let statements = statements(script);
    let next = statements.iter().position(|statement| offset < statement.end).unwrap_or(statements.len());
    let before = next.checked_sub(1).and_then(|index| statements.get(index));
    match (before, statements.get(next)) {
        (_, Some(around)) if around.span.start <= offset => Some(around.span),
        (Some(before), Some(_)) if script.get(before.end..offset).is_some_and(|gap| !gap.contains('\n')) => {
            Some(before.span)
        }
        (_, Some(next)) => Some(next.span),
        (before, None) => before.map(|statement| statement.span),
    }
}

/// Line and column of a byte offset, both from 1; columns count characters.
pub fn line_and_column(text: &str, offset: usize) -> (u32, u32) {
    let before = &text[..floor_char_boundary(text, offset)];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

/// The byte offset of a position that an editor counts in UTF-16 units.
pub fn byte_offset(text: &str, utf16: usize) -> usize {
    let mut units = 0;
    let found = text.char_indices().find(|(_, c)| {
        let is_there = units >= utf16;
        units += c.len_utf16();
        is_there
    });
    found.map_or(text.len(), |(at, _)| at)
}

/// The position that an editor counts in UTF-16 units of a byte offset.
pub fn utf16_offset(text: &str, byte: usize) -> usize {
    text[..floor_char_boundary(text, byte)].encode_utf16().count()
}

fn floor_char_boundary(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitting() {
        let check = |script: &str, expected: &[&str]| {
            let got: Vec<_> = statements(script).iter().map(|s| &script[s.span.start..s.span.end]).collect();
            assert_eq!(got, expected, "{script}");
        };
        check("", &[]);
        check(" ; ;; -- nothing\n/* ; */", &[]);
        check("SELECT 1", &["SELECT 1"]);
        check("SELECT 1; SELECT 2 ;", &["SELECT 1", "SELECT 2"]);
        check("-- a; b\nSELECT 1 -- c; d\n; SELECT 2", &["SELECT 1", "SELECT 2"]);
        check("SELECT ';', \";\", `;` ; b", &["SELECT ';', \";\", `;`", "b"]);
        check(r"SELECT 'a\';b'; c", &[r"SELECT 'a\';b'", "c"]);
        check(r"SELECT 'a\\'; c", &[r"SELECT 'a\\'", "c"]);
        check("SELECT 'it''s; x'; c", &["SELECT 'it''s; x'", "c"]);
        check(r"SELECT `a\`; c", &[r"SELECT `a\`", "c"]);
        check("SELECT /* ' */ 1; c", &["SELECT /* ' */ 1", "c"]);
        check("/* /* */ a; b */ c", &["a", "b */ c"]);
        check("SELECT 'open; b", &["SELECT 'open; b"]);
        check("a /* open ; b", &["a"]);
        check("SET k=v; -- why\nSELECT '中文；';", &["SET k=v", "SELECT '中文；'"]);
        check("/*+ MAPJOIN(a) */ SELECT 1;", &["SELECT 1"]);
        check("USE p --s; SELECT 1", &["USE p --s", "SELECT 1"]);
        check("use project p --s ;\nSELECT 1", &["use project p --s", "SELECT 1"]);
        check("USE p --s\n;SELECT 1", &["USE p --s", "SELECT 1"]);
        check("USE p -- s; t\n;SELECT 1", &["USE p", "SELECT 1"]);
        check("USE p --a comment; t\n;SELECT 1", &["USE p", "SELECT 1"]);
        check("USE SCHEMA s --a; t\n;SELECT 1", &["USE SCHEMA s", "SELECT 1"]);
        check("SELECT 1 --a; t\n;SELECT 2", &["SELECT 1", "SELECT 2"]);
        check("a\r\n;\r\nb", &["a", "b"]);
    }

    #[test]
    fn pieces_cover_the_script() {
        for script in [
            "SELECT a.b, 1.5BD, .5, 1e-3, 10L, t$snapshots <=> 'x' -- c\n`q``q` \u{feff}é；",
            "1.",
            "1e",
            "1e+",
            "a-->b",
            "'\\",
            "\\",
        ] {
            let mut end = 0;
            for piece in pieces(script) {
                assert_eq!(piece.span.start, end, "{script}");
                assert!(piece.span.end > end && script.is_char_boundary(piece.span.end), "{script}");
                end = piece.span.end;
            }
            assert_eq!(end, script.len(), "{script}");
        }
    }

    #[test]
    fn numbers() {
        let check = |text: &str, expected: &str| {
            let first = pieces(text).next().expect("not empty");
            assert_eq!((first.kind, &text[..first.span.end]), (PieceKind::Number, expected), "{text}");
        };
        check("10L+1", "10L");
        check("1.5BD,", "1.5BD");
        check("1e3 ", "1e3");
        check("1e-3-2", "1e-3");
        check("1e-", "1e");
        check(".5)", ".5");
        check("1.", "1.");
        check("2024-01", "2024");
        check("10MB", "10MB");
    }

    #[test]
    fn cursor() {
        let script = "SELECT 1; SELECT 2;  \n\n-- about three\nSELECT 3\n";
        let check = |offset: usize, expected: &str| {
            let span = statement_at(script, offset).expect("a statement");
            assert_eq!(&script[span.start..span.end], expected, "{offset}");
        };
        check(0, "SELECT 1");
        check(8, "SELECT 1"); // before the `;`
        check(9, "SELECT 1"); // behind the `;`, same line
        check(10, "SELECT 2");
        check(19, "SELECT 2");
        check(21, "SELECT 2");
        check(22, "SELECT 3");
        check(30, "SELECT 3");
        check(script.len(), "SELECT 3");
        check(usize::MAX, "SELECT 3");
        assert_eq!(statement_at(" -- nothing", 3), None);
        assert_eq!(statement_at("  SELECT 1", 0), Some(Span { start: 2, end: 10 }));
    }

    #[test]
    fn offsets() {
        let text = "a😀é\n中b";
        assert_eq!((byte_offset(text, 3), utf16_offset(text, 5)), (5, 3));
        assert_eq!(byte_offset(text, 99), text.len());
        assert_eq!(line_and_column(text, 0), (1, 1));
        assert_eq!(line_and_column(text, text.find('b').expect("there")), (2, 2));
        assert_eq!(line_and_column(text, 999), (2, 3));
    }
}

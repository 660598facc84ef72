//! Text to tokens: literals decoded, comments dropped, hints collected.

use super::ast::Hint;
use super::error::SyntaxError;
use model::script::{Piece, PieceKind, digits_end, pieces};
use model::worksheet::Span;

/// A token with its place in the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A keyword or a plain identifier, as written.
    Word(String),
    /// An identifier in back quotes, decoded.
    Quoted(String),
    /// A text of either kind of quotes, decoded; neighbours are joined.
    Text(String),
    Bytes(Vec<u8>),
    Number {
        digits: String,
        suffix: Suffix,
    },
    Symbol(&'static str),
}

/// The letters behind a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Suffix {
    None,
    TinyInt,
    SmallInt,
    BigInt,
    Decimal,
}

/// What operators and marks there are; two spellings of one meaning become one.
const SYMBOLS: &[(&str, &str)] = &[
    ("<=>", "<=>"),
    ("<=", "<="),
    (">=", ">="),
    ("<>", "<>"),
    ("!=", "<>"),
    ("==", "="),
    ("=", "="),
    ("||", "||"),
    ("->", "->"),
    ("=>", "=>"),
    ("(", "("),
    (")", ")"),
    (",", ","),
    (".", "."),
    ("+", "+"),
    ("-", "-"),
    // Of `USE p --s`; everywhere else it begins a comment.
    ("--", "--"),
    ("*", "*"),
    ("/", "/"),
    ("%", "%"),
    ("<", "<"),
    (">", ">"),
    ("[", "["),
    ("]", "]"),
    ("|", "|"),
    ("&", "&"),
    ("^", "^"),
    ("~", "~"),
    (":", ":"),
];

/// Marks that an input method or another dialect gives, and what was meant.
const FOREIGN_SYMBOLS: &[(&str, &str)] = &[
    ("；", ";"),
    ("，", ","),
    ("（", "("),
    ("）", ")"),
    ("“", "'"),
    ("”", "'"),
    ("‘", "'"),
    ("’", "'"),
    ("＝", "="),
    ("＞", ">"),
    ("＜", "<"),
    ("＊", "*"),
    ("。", "."),
    ("：", ":"),
    ("&&", "AND"),
];

/// The tokens of one statement, and the hints in it.
pub(super) fn tokens(script: &str, statement: Span) -> Result<(Vec<Token>, Vec<Hint>), SyntaxError> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut hints = Vec::new();
    let mut pieces =
        pieces(&script[statement.start..statement.end]).map(|piece| shifted(piece, statement.start)).peekable();
    while let Some(piece) = pieces.next() {
        let text = &script[piece.span.start..piece.span.end];
        let kind = match piece.kind {
            PieceKind::Blank | PieceKind::Comment => {
                if !piece.is_closed {
                    return Err(SyntaxError::new(piece.span, "comment is not closed"));
                }
                continue;
            }
            PieceKind::Hint => {
                hints.extend(parse_hints(text));
                continue;
            }
            PieceKind::Text => TokenKind::Text(text_value(text, piece)?),
            PieceKind::Quoted => TokenKind::Quoted(quoted_name(text, piece)?),
            PieceKind::Word if text.eq_ignore_ascii_case("x") => {
                match pieces.next_if(|next| next.kind == PieceKind::Text) {
                    Some(digits) => {
                        let span = Span { start: piece.span.start, end: digits.span.end };
                        let text = text_value(&script[digits.span.start..digits.span.end], digits)?;
                        tokens.push(Token { kind: TokenKind::Bytes(bytes(&text, span)?), span });
                        continue;
                    }
                    None => TokenKind::Word(text.into()),
                }
            }
            PieceKind::Word => TokenKind::Word(plain_word(text, piece.span)?),
            PieceKind::Number => number(text, piece.span)?,
            PieceKind::Semicolon => continue,
            PieceKind::Symbol if text == "!" => TokenKind::Word("NOT".into()),
            PieceKind::Symbol => TokenKind::Symbol(symbol(text, piece.span)?),
        };
        match (&kind, tokens.last_mut()) {
            (TokenKind::Text(more), Some(Token { kind: TokenKind::Text(value), span })) => {
                value.push_str(more);
                span.end = piece.span.end;
            }
            _ => tokens.push(Token { kind, span: piece.span }),
        }
    }
    Ok((tokens, hints))
}

/// The words that a statement begins with: all that is read of one that names files, ids or other free text.
pub(super) fn leading_words(script: &str, statement: Span) -> Vec<Token> {
    pieces(&script[statement.start..statement.end])
        .map(|piece| shifted(piece, statement.start))
        .filter(|piece| !matches!(piece.kind, PieceKind::Blank | PieceKind::Comment | PieceKind::Hint))
        .map_while(|piece| {
            let kind = TokenKind::Word(script[piece.span.start..piece.span.end].to_owned());
            (piece.kind == PieceKind::Word).then_some(Token { kind, span: piece.span })
        })
        .collect()
}

fn shifted(piece: Piece, by: usize) -> Piece {
    Piece { span: Span { start: piece.span.start + by, end: piece.span.end + by }, ..piece }
}

fn plain_word(text: &str, span: Span) -> Result<String, SyntaxError> {
    if text.is_ascii() && !text.starts_with('$') {
        return Ok(text.into());
    }
    let error = SyntaxError::new(span, format!("invalid token '{text}': this name needs back quotes"));
    Err(error.suggest(format!("`{text}`")))
}

fn symbol(text: &str, span: Span) -> Result<&'static str, SyntaxError> {
    if let Some((_, symbol)) = SYMBOLS.iter().find(|(spelling, _)| *spelling == text) {
        return Ok(symbol);
    }
    let error = SyntaxError::new(span, format!("invalid token '{}'", text.escape_debug()));
    Err(match FOREIGN_SYMBOLS.iter().find(|(foreign, _)| *foreign == text) {
        Some((_, meant)) => error.suggest(*meant),
        None => error,
    })
}

/// The value of `'…'` or `"…"`.
pub(super) fn text_value(text: &str, piece: Piece) -> Result<String, SyntaxError> {
    if !piece.is_closed {
        let start = piece.span.start;
        return Err(SyntaxError::new(Span { start, end: start + 1 }, "string is not closed"));
    }
    let inner = &text[1..text.len() - 1];
    let inner_start = piece.span.start + 1;
    let mut value = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(c) = rest.chars().next() {
        let at = inner_start + (inner.len() - rest.len());
        let taken = match c {
            '\\' => escape(rest, at, &mut value)?,
            // A quote inside is a doubled one.
            '\'' | '"' if text.starts_with(c) => {
                value.push(c);
                2
            }
            c => {
                value.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    Ok(value)
}

/// Decodes the escape that `rest` begins with; returns its length.
fn escape(rest: &str, at: usize, value: &mut String) -> Result<usize, SyntaxError> {
    let octal = rest.as_bytes().get(1..4).filter(|digits| digits.iter().all(|digit| matches!(digit, b'0'..=b'7')));
    if let Some(digits) = octal {
        let code = digits.iter().fold(0u32, |code, digit| code * 8 + u32::from(digit - b'0'));
        value.extend(char::from_u32(code));
        return Ok(4);
    }
    let escaped = rest[1..].chars().next().unwrap_or('\\');
    let error = || {
        let end = at + 1 + escaped.len_utf8();
        Err(SyntaxError::new(Span { start: at, end }, format!("unexpected escape sequence: {escaped}")))
    };
    match escaped {
        '\\' | '\'' | '"' => value.push(escaped),
        'n' => value.push('\n'),
        'r' => value.push('\r'),
        't' => value.push('\t'),
        'b' => value.push('\u{8}'),
        '0' => value.push('\0'),
        'Z' => value.push('\u{1a}'),
        // Both characters stay: they are escapes of LIKE patterns.
        '%' | '_' => {
            value.push('\\');
            value.push(escaped);
        }
        'u' => {
            let Some(first) = unicode_escape(rest) else { return error() };
            if let Some(c) = char::from_u32(first) {
                value.push(c);
                return Ok(6);
            }
            let pair = unicode_escape(&rest[6..]).and_then(|second| {
                let units = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
                String::from_utf16(&units).ok()
            });
            let Some(pair) = pair else { return error() };
            value.push_str(&pair);
            return Ok(12);
        }
        _ => return error(),
    }
    Ok(1 + escaped.len_utf8())
}

/// The number of `\uXXXX`.
fn unicode_escape(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
}

fn quoted_name(text: &str, piece: Piece) -> Result<String, SyntaxError> {
    if !piece.is_closed {
        let start = piece.span.start;
        return Err(SyntaxError::new(Span { start, end: start + 1 }, "name in back quotes is not closed"));
    }
    let name = text[1..text.len() - 1].replace("``", "`");
    if name.is_empty() {
        return Err(SyntaxError::new(piece.span, "empty name"));
    }
    Ok(name)
}

fn bytes(digits: &str, span: Span) -> Result<Vec<u8>, SyntaxError> {
    let digits: Option<Vec<u8>> = digits.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    match digits {
        Some(digits) if digits.len().is_multiple_of(2) => {
            Ok(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
        }
        _ => Err(SyntaxError::new(span, "X'…' needs an even count of hexadecimal digits")),
    }
}

/// Splits digits and suffix and checks what the suffix promises.
fn number(text: &str, span: Span) -> Result<TokenKind, SyntaxError> {
    let invalid = |why: &str| SyntaxError::new(span, format!("invalid number '{text}'{why}"));
    let (digits, letters) = text.split_at(digits_end(text));
    let suffix = match letters.to_ascii_uppercase().as_str() {
        "" => Suffix::None,
        "Y" => Suffix::TinyInt,
        "S" => Suffix::SmallInt,
        "L" => Suffix::BigInt,
        "BD" => Suffix::Decimal,
        _ => return Err(invalid(": a name begins with a letter or `_`, or stands in back quotes")),
    };
    let is_integer = digits.bytes().all(|byte| byte.is_ascii_digit());
    let n_digits = digits.trim_start_matches('0').bytes().filter(u8::is_ascii_digit).count();
    match suffix {
        Suffix::TinyInt | Suffix::SmallInt | Suffix::BigInt if !is_integer => {
            Err(invalid(": this suffix needs an integer"))
        }
        Suffix::Decimal if digits.contains(['e', 'E']) => Err(invalid(": a decimal has no exponent")),
        Suffix::Decimal if n_digits > 38 => Err(invalid(": a decimal has at most 38 digits")),
        Suffix::None if is_integer && n_digits > 38 => Err(invalid(": at most 38 digits")),
        _ => {
            // The sign is not known here: the magnitude of the smallest value is let through.
            let limit = match suffix {
                Suffix::TinyInt => 1u128 << 7,
                Suffix::SmallInt => 1 << 15,
                Suffix::BigInt => 1 << 63,
                Suffix::None | Suffix::Decimal => u128::MAX,
            };
            if is_integer && n_digits <= 38 && digits.parse::<u128>().is_ok_and(|value| value > limit) {
                return Err(invalid(": out of range"));
            }
            Ok(TokenKind::Number { digits: digits.into(), suffix })
        }
    }
}

/// `/*+ MAPJOIN(a, b), SKEWJOIN(c) */` to its hints; what is no hint is no error.
fn parse_hints(text: &str) -> Vec<Hint> {
    let inner = text.trim_start_matches("/*+").trim_start_matches("--+").trim_end_matches("*/");
    let mut hints = Vec::new();
    let mut rest = inner.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
    while !rest.is_empty() {
        let name_end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        if name_end == 0 {
            break;
        }
        let name = rest[..name_end].to_uppercase();
        rest = rest[name_end..].trim_start();
        let mut arguments = Vec::new();
        if let Some(list) = rest.strip_prefix('(') {
            let (inside, behind) = list.split_once(')').unwrap_or((list, ""));
            arguments = inside.split(',').map(|a| a.trim().to_owned()).filter(|a| !a.is_empty()).collect();
            rest = behind;
        }
        hints.push(Hint { name, arguments });
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
    }
    hints
}

//! Walks over the tokens of one statement.

use super::ast::{Ident, Literal, Name, PartitionKey, PartitionSpec};
use super::error::{SyntaxError, nearest};
use super::lexer::{Suffix, Token, TokenKind};
use super::types::{self, Meaning, SqlType};
use model::worksheet::Span;

pub(super) type Result<T> = std::result::Result<T, SyntaxError>;

/// A position among the tokens of a statement.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    pub tokens: &'a [Token],
    pub at: usize,
    /// The script, to quote it.
    pub script: &'a str,
    /// Where the statement ends: errors about something missing point there.
    end: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(tokens: &'a [Token], script: &'a str) -> Self {
        Self { tokens, at: 0, script, end: tokens.last().map_or(0, |token| token.span.end) }
    }

    pub fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    pub fn peek_nth(&self, n: usize) -> Option<&'a Token> {
        self.tokens.get(self.at + n)
    }

    pub fn next(&mut self) -> Option<&'a Token> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    pub fn is_at_end(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// What is left.
    pub fn rest(&self) -> &'a [Token] {
        self.tokens.get(self.at..).unwrap_or(&[])
    }

    /// The place of the next token, or just behind the last one.
    pub fn span(&self) -> Span {
        self.peek().map_or(Span { start: self.end, end: self.end }, |token| token.span)
    }

    /// From `start` to the last token taken.
    pub fn span_from(&self, start: Span) -> Span {
        let end = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(start.end, |token| token.span.end);
        Span { start: start.start, end: end.max(start.start) }
    }

    /// Takes the keyword if it is next.
    pub fn keyword(&mut self, keyword: &str) -> bool {
        let is_next = self.is_keyword(keyword);
        self.at += usize::from(is_next);
        is_next
    }

    pub fn is_keyword(&self, keyword: &str) -> bool {
        self.peek().is_some_and(|token| token.is_keyword(keyword))
    }

    /// Takes all of the keywords, or none.
    pub fn keywords(&mut self, keywords: &[&str]) -> bool {
        let are_next = keywords.iter().enumerate().all(|(n, k)| self.peek_nth(n).is_some_and(|t| t.is_keyword(k)));
        self.at += if are_next { keywords.len() } else { 0 };
        are_next
    }

    /// Takes the first of the keywords that is next.
    pub fn one_of(&mut self, keywords: &[&'static str]) -> Option<&'static str> {
        keywords.iter().find(|keyword| self.keyword(keyword)).copied()
    }

    pub fn expect_keyword(&mut self, keyword: &'static str) -> Result<()> {
        if self.keyword(keyword) { Ok(()) } else { Err(self.expected(&[keyword])) }
    }

    pub fn symbol(&mut self, symbol: &str) -> bool {
        let is_next = self.is_symbol(symbol);
        self.at += usize::from(is_next);
        is_next
    }

    pub fn is_symbol(&self, symbol: &str) -> bool {
        self.peek().is_some_and(|token| token.is_symbol(symbol))
    }

    pub fn expect_symbol(&mut self, symbol: &'static str) -> Result<()> {
        if self.symbol(symbol) { Ok(()) } else { Err(self.expected(&[symbol])) }
    }

    pub fn expect_end(&self) -> Result<()> {
        if self.is_at_end() { Ok(()) } else { Err(self.expected(&["end of statement"])) }
    }

    /// The next token is none of what may stand here.
    pub fn expected(&self, expected: &[&str]) -> SyntaxError {
        let Some(token) = self.peek() else {
            let list = listed(expected);
            return SyntaxError::new(self.span(), format!("unexpected end of statement, expect {list}"));
        };
        let error = SyntaxError::new(token.span, format!("invalid token '{}'", self.quote(token.span)));
        if let TokenKind::Word(word) = &token.kind {
            let keywords = expected.iter().copied().filter(|e| e.bytes().all(|b| b.is_ascii_uppercase()));
            if let Some(meant) = nearest(word, keywords) {
                return error.suggest(meant);
            }
        }
        SyntaxError { message: format!("{}, expect {}", error.message, listed(expected)), ..error }
    }

    /// The text at `span`, short enough for a message.
    pub fn quote(&self, span: Span) -> String {
        quote(self.script, span)
    }

    pub fn ident(&mut self, what: &'static str) -> Result<Ident> {
        let Some(token) = self.peek() else { return Err(self.expected(&[what])) };
        let (value, quoted) = match &token.kind {
            TokenKind::Word(word) => (word.clone(), false),
            TokenKind::Quoted(name) => (name.clone(), true),
            _ => return Err(self.expected(&[what])),
        };
        self.at += 1;
        Ok(Ident { value, quoted, span: token.span })
    }

    /// `a`, `a.b` or `a.b.c`.
    pub fn name(&mut self, what: &'static str, parts_max: usize) -> Result<Name> {
        let mut parts = vec![self.ident(what)?];
        while self.symbol(".") {
            parts.push(self.ident(what)?);
        }
        let name = Name { parts };
        if name.parts.len() > parts_max {
            let text = format!("invalid name '{}': at most {parts_max} parts", self.quote(name.span()));
            return Err(SyntaxError::new(name.span(), text));
        }
        Ok(name)
    }

    pub fn table(&mut self) -> Result<Name> {
        self.name("a table name", 3)
    }

    /// A list in parentheses, not empty.
    pub fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.expect_symbol("(")?;
        let mut items = vec![item(self)?];
        while self.symbol(",") {
            items.push(item(self)?);
        }
        if self.symbol(")") { Ok(items) } else { Err(self.expected(&[",", ")"])) }
    }

    pub fn text(&mut self, what: &'static str) -> Result<String> {
        match self.peek().map(|token| &token.kind) {
            Some(TokenKind::Text(text)) => {
                self.at += 1;
                Ok(text.clone())
            }
            _ => Err(self.expected(&[what])),
        }
    }

    /// `COMMENT 'x'`, if it is next.
    pub fn comment(&mut self) -> Result<Option<String>> {
        if self.keyword("COMMENT") { self.text("a comment in quotes").map(Some) } else { Ok(None) }
    }

    /// An integer in a range.
    pub fn integer(&mut self, what: &'static str, range: std::ops::RangeInclusive<u32>) -> Result<u32> {
        let Some(Token { kind: TokenKind::Number { digits, suffix: Suffix::None }, span }) = self.peek() else {
            return Err(self.expected(&[what]));
        };
        match digits.parse().ok().filter(|value| range.contains(value)) {
            Some(value) => {
                self.at += 1;
                Ok(value)
            }
            None => {
                let text = format!("{what} must be {}–{}, not {digits}", range.start(), range.end());
                Err(SyntaxError::new(*span, text))
            }
        }
    }

    /// `('k'='v', …)`.
    pub fn properties(&mut self) -> Result<Vec<(Ident, String)>> {
        self.list(|cursor| {
            let span = cursor.span();
            let key = match cursor.peek().map(|token| &token.kind) {
                Some(TokenKind::Text(key)) => {
                    cursor.at += 1;
                    key.clone()
                }
                Some(TokenKind::Word(_) | TokenKind::Quoted(_)) => {
                    let mut key = cursor.ident("a key")?.value;
                    while cursor.symbol(".") {
                        key = format!("{key}.{}", cursor.ident("a key")?.value);
                    }
                    key
                }
                _ => return Err(cursor.expected(&["a key"])),
            };
            let key = Ident { value: key, quoted: true, span: cursor.span_from(span) };
            cursor.expect_symbol("=")?;
            let value = match cursor.peek().map(|token| &token.kind) {
                Some(TokenKind::Text(value)) => value.clone(),
                Some(TokenKind::Number { digits, suffix: Suffix::None }) => digits.clone(),
                Some(TokenKind::Word(word)) if matches!(word.to_ascii_lowercase().as_str(), "true" | "false") => {
                    word.to_ascii_lowercase()
                }
                _ => return Err(cursor.expected(&["a value in quotes"])),
            };
            cursor.at += 1;
            Ok((key, value))
        })
    }

    /// A constant: what DEFAULT and partition values may be.
    pub fn literal(&mut self) -> Result<Literal> {
        let what = "a constant";
        let sign = if self.symbol("-") {
            "-"
        } else {
            self.symbol("+");
            ""
        };
        let Some(token) = self.peek() else { return Err(self.expected(&[what])) };
        if !sign.is_empty() && !matches!(token.kind, TokenKind::Number { .. }) {
            return Err(self.expected(&["a number"]));
        }
        let literal = match &token.kind {
            TokenKind::Text(text) => Literal::String(text.clone()),
            TokenKind::Bytes(bytes) => Literal::Binary(bytes.clone()),
            TokenKind::Number { digits, suffix } => {
                let text = format!("{sign}{digits}");
                match types::of_suffix(*suffix, digits) {
                    None => Literal::Number(text),
                    Some(data_type) => Literal::Typed { data_type, text },
                }
            }
            TokenKind::Word(word) => match word.to_ascii_uppercase().as_str() {
                "NULL" => Literal::Null,
                "TRUE" => Literal::Boolean(true),
                "FALSE" => Literal::Boolean(false),
                _ => {
                    let Some(data_type) = types::of_typed_text(word) else { return Err(self.expected(&[what])) };
                    self.at += 1;
                    let text_span = self.span();
                    let text = self.text("a text in quotes")?;
                    types::check_typed_text(&data_type, &text, text_span)?;
                    return Ok(Literal::Typed { data_type, text });
                }
            },
            TokenKind::Quoted(_) | TokenKind::Symbol(_) => return Err(self.expected(&[what])),
        };
        self.at += 1;
        Ok(literal)
    }

    /// `(p1='a', p2)`, behind PARTITION.
    pub fn partition_spec(&mut self) -> Result<PartitionSpec> {
        let start = self.span();
        let keys = self.list(|cursor| {
            let column = cursor.ident("a partition column")?;
            let value = if cursor.symbol("=") { Some(cursor.literal()?) } else { None };
            Ok(PartitionKey { column, value })
        })?;
        let mut seen: Vec<String> = Vec::new();
        for key in &keys {
            let name = key.column.value.to_lowercase();
            if seen.contains(&name) {
                let text = format!("partition column {} is given twice", key.column.value);
                return Err(SyntaxError::semantic(key.column.span, text));
            }
            seen.push(name);
        }
        Ok(PartitionSpec { keys, span: self.span_from(start) })
    }

    /// `PARTITION (…)`, if it is next.
    pub fn optional_partition(&mut self) -> Result<Option<PartitionSpec>> {
        if self.keyword("PARTITION") { self.partition_spec().map(Some) } else { Ok(None) }
    }

    pub fn data_type(&mut self, meaning: Meaning) -> Result<SqlType> {
        types::parse(self, meaning, 0)
    }
}

/// The text at `span`, short enough for a message.
pub(super) fn quote(script: &str, span: Span) -> String {
    const QUOTE_CHARS_MAX: usize = 40;
    let text = script.get(span.start..span.end).unwrap_or_default();
    match text.char_indices().nth(QUOTE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

/// What is expected, as far as a reader takes it in.
fn listed(expected: &[&str]) -> String {
    const LISTED_MAX: usize = 4;
    let quoted: Vec<String> =
        expected.iter().map(|word| if word.contains(' ') { (*word).to_owned() } else { format!("'{word}'") }).collect();
    match quoted.get(..LISTED_MAX) {
        Some(first) if quoted.len() > LISTED_MAX => format!("{}, …", first.join(", ")),
        _ => quoted.join(" or "),
    }
}

impl Token {
    pub fn is_keyword(&self, keyword: &str) -> bool {
        matches!(&self.kind, TokenKind::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    pub fn is_symbol(&self, symbol: &str) -> bool {
        matches!(&self.kind, TokenKind::Symbol(own) if *own == symbol)
    }
}

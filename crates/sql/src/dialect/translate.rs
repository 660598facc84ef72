//! Our tokens to sqlparser's. Words that the query grammar does not know become plain names, so foreign syntax cannot
//! be reached; what has other words in sqlparser is respelled; types and typed literals are read here.

use super::cursor::{Cursor, Result};
use super::error::SyntaxError;
use super::lexer::{Suffix, Token, TokenKind};
use super::statement::Notes;
use super::types::{self, Meaning};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Location, Span as SqlSpan, Token as SqlToken, TokenWithSpan, Word};
use model::worksheet::Span;

/// Most tokens of one query.
const TOKENS_MAX: usize = 500_000;

/// Deepest parentheses.
const PARENTHESES_MAX: usize = 64;

/// Deepest subqueries.
const SUBQUERIES_MAX: usize = 24;

/// Highest expression: `a + b + …` is one higher with each operator. Statements are copied and dropped by recursion.
const HEIGHT_MAX: usize = 250;

/// Most ANDs and ORs of one expression; they are balanced, so they are not as high.
const CONNECTIVES_MAX: usize = 1_000;

/// Most UNIONs of one query; those of one kind are balanced.
const UNIONS_MAX: usize = 500;

/// Most other set operations, and changes between UNION and UNION ALL.
const SET_OPERATIONS_MAX: usize = 50;

/// Most JOINs and LATERAL VIEWs of one query.
const JOINS_MAX: usize = 200;

/// Most lambdas and most doubled parentheses around queries inside each other: the grammar tries both twice.
const TRIED_TWICE_MAX: usize = 6;

/// Tokens for sqlparser, and where they came from.
pub(super) struct Located {
    pub tokens: Vec<TokenWithSpan>,
    pub places: Places,
}

/// Positions in the statement (line and column from 1) of its tokens.
pub(super) struct Places(Vec<((u64, u64), Span)>);

impl Places {
    /// The token at a line and column.
    pub fn span_at(&self, line: u64, column: u64) -> Option<Span> {
        let index = self.0.partition_point(|(position, _)| *position < (line, column));
        self.0.get(index).filter(|(position, _)| *position == (line, column)).map(|(_, span)| *span)
    }

    /// Adds the places of another part of the statement.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
        self.0.sort_unstable_by_key(|(position, _)| *position);
        self.0.dedup_by_key(|(position, _)| *position);
    }
}

/// The keywords of queries. Any other word is a name.
#[rustfmt::skip]
pub(super) const KEYWORDS: &[&str] = &[
    "ALL", "AND", "ANTI", "ANY", "AS", "ASC", "BETWEEN", "BOTH", "BY", "CASE", "CAST", "CROSS", "CUBE", "CURRENT",
    "CURRENT_DATE", "CURRENT_TIMESTAMP", "DAY", "DAYS", "DESC", "DISTINCT", "DIV", "ELSE", "END", "ESCAPE", "EXCEPT",
    "EXISTS", "EXTRACT", "FALSE", "FILTER", "FIRST", "FOLLOWING", "FROM", "FULL", "GROUP", "GROUPING", "GROUPS",
    "HAVING", "HOUR", "HOURS", "IGNORE", "ILIKE", "IN", "INNER", "INTERSECT", "INTERVAL", "IS", "JOIN", "LAST",
    "LATERAL", "LEADING", "LEFT", "LIKE", "LIMIT", "MICROSECOND", "MICROSECONDS", "MILLISECOND", "MILLISECONDS",
    "MINUS", "MINUTE", "MINUTES", "MONTH", "MONTHS", "NATURAL", "NOT", "NULL", "NULLS", "OF", "OFFSET", "ON", "OR",
    "ORDER", "OUTER", "OVER", "PARTITION", "PRECEDING", "QUALIFY", "QUARTER", "RANGE", "RECURSIVE", "REGEXP",
    "RESPECT", "RIGHT", "RLIKE", "ROLLUP", "ROW", "ROWS", "SECOND", "SECONDS", "SELECT", "SEMI", "SETS", "SOME",
    "TABLE", "THEN", "TRAILING", "TRIM", "TRUE", "TRY_CAST", "UNBOUNDED", "UNION", "UNNEST", "USING", "VALUES",
    "VIEW", "WEEK", "WEEKS", "WHEN", "WHERE", "WINDOW", "WITH", "WITHIN", "YEAR", "YEARS", "DISTRIBUTE", "SORT",
    "CLUSTER", "DOW", "DOY", "EPOCH", "CENTURY", "DECADE",
];

/// Whether a word means something to the query grammar.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

/// What an open parenthesis or CASE belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opened {
    Plain,
    Cast,
    Window,
    /// Of EXTRACT and TRIM.
    Arguments,
    Case,
    /// The arguments of a LATERAL VIEW's function.
    LateralView,
}

/// One level of nesting, with how deep the expressions in it grow.
struct Level {
    opened: Opened,
    /// Operators above each other since the last AND or OR.
    height: usize,
    /// The highest between ANDs and ORs of this expression.
    operand_height_max: usize,
    connectives: usize,
    /// The highest expression so far.
    height_max: usize,
    lambdas: usize,
    is_doubled: bool,
    is_query: bool,
}

impl Level {
    fn new(opened: Opened) -> Self {
        Self {
            opened,
            height: 0,
            operand_height_max: 0,
            connectives: 0,
            height_max: 0,
            lambdas: 0,
            is_doubled: false,
            is_query: false,
        }
    }

    /// An AND or OR: balanced, they add twice the logarithm of their number.
    fn connect(&mut self) {
        self.operand_height_max = self.operand_height_max.max(self.height);
        self.height = 0;
        self.connectives += 1;
    }

    /// A new expression begins.
    fn cut(&mut self) {
        let connected = 2 * (usize::BITS - self.connectives.leading_zeros()) as usize;
        self.height_max = self.height_max.max(self.operand_height_max.max(self.height) + connected);
        self.height = 0;
        self.operand_height_max = 0;
        self.connectives = 0;
        self.lambdas = 0;
    }
}

/// Clause words: a new expression begins behind them.
#[rustfmt::skip]
const CUTS: &[&str] = &[
    "SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "ON", "WHEN", "THEN", "ELSE", "JOIN", "UNION",
    "INTERSECT", "EXCEPT", "MINUS", "QUALIFY", "WINDOW", "VALUES", "SORT", "BY",
];

/// Words that name nothing without back quotes, not even beside a point.
const NEVER_NAMES: &[&str] =
    &["SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "ON", "AS", "JOIN", "GROUP", "ORDER", "BY"];

/// Infix words that nest.
const INFIXES: &[&str] = &["NOT", "LIKE", "ILIKE", "RLIKE", "REGEXP", "DIV", "IS", "IN", "BETWEEN"];

struct Translator<'a> {
    tokens: &'a [Token],
    at: usize,
    script: &'a str,
    notes: &'a mut Notes,
    out: Vec<TokenWithSpan>,
    places: Vec<((u64, u64), Span)>,
    levels: Vec<Level>,
    joins: usize,
    unions: usize,
    set_operations: usize,
    /// Whether the last set operation was UNION ALL or UNION; `None` for the others.
    last_set_operation: Option<bool>,
    n_lateral_views: usize,
    /// The last place that was turned into line and column.
    seen: (usize, u64, u64),
    /// LATERAL VIEW was seen; its arguments begin at the next parenthesis.
    is_in_lateral_view: bool,
}

/// All tokens for sqlparser.
pub(super) fn translate(tokens: &[Token], script: &str, notes: &mut Notes) -> Result<Located> {
    if let Some(excess) = tokens.get(TOKENS_MAX) {
        let text = format!("the statement has more than {TOKENS_MAX} words and values: split it");
        return Err(SyntaxError::new(excess.span, text));
    }
    let seen = (notes.start, 1, 1);
    let mut translator = Translator {
        tokens,
        at: 0,
        script,
        notes,
        out: Vec::with_capacity(tokens.len()),
        places: Vec::with_capacity(tokens.len()),
        levels: vec![Level::new(Opened::Plain)],
        joins: 0,
        unions: 0,
        set_operations: 0,
        last_set_operation: None,
        n_lateral_views: 0,
        seen,
        is_in_lateral_view: false,
    };
    while translator.at < tokens.len() {
        translator.step()?;
    }
    Ok(Located { tokens: translator.out, places: Places(translator.places) })
}

impl<'a> Translator<'a> {
    fn peek(&self, n: usize) -> Option<&'a Token> {
        self.tokens.get(self.at + n)
    }

    fn is_word(&self, n: usize, keyword: &str) -> bool {
        self.peek(n).is_some_and(|token| token.is_keyword(keyword))
    }

    fn is_symbol(&self, n: usize, symbol: &str) -> bool {
        self.peek(n).is_some_and(|token| token.is_symbol(symbol))
    }

    /// Whether the keyword stands before, as a clause: inside EXTRACT and TRIM, FROM begins a value.
    fn is_behind(&self, keyword: &str) -> bool {
        let is_clause = self.levels.last().is_some_and(|level| level.opened != Opened::Arguments);
        is_clause && self.at.checked_sub(1).is_some_and(|at| self.tokens[at].is_keyword(keyword))
    }

    fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("the outermost level is never closed")
    }

    /// Line and column of a place; tokens come in order, so the text is walked once.
    fn location(&mut self, offset: usize) -> Location {
        let (mut from, mut line, mut column) = self.seen;
        if offset < from {
            (from, line, column) = (self.notes.start, 1, 1);
        }
        for c in self.script[from..offset].chars() {
            if c == '\n' {
                (line, column) = (line + 1, 1);
            } else {
                column += 1;
            }
        }
        self.seen = (offset, line, column);
        Location { line, column }
    }

    /// Gives a token the place of one of ours.
    fn push(&mut self, token: SqlToken, span: Span) {
        let start = self.location(span.start);
        let width = self.script[span.start..span.end].chars().count() as u64;
        let end = Location { line: start.line, column: start.column + width };
        let position = (start.line, start.column);
        if self.places.last().is_none_or(|(last, _)| *last != position) {
            self.places.push((position, span));
        }
        self.out.push(TokenWithSpan::new(token, SqlSpan::new(start, end)));
    }

    fn keyword(&mut self, keyword: &str, span: Span) {
        self.push(SqlToken::make_keyword(keyword), span);
    }

    fn name(&mut self, name: &str, quote_style: Option<char>, span: Span) {
        let word = Word { value: name.to_owned(), quote_style, keyword: Keyword::NoKeyword };
        self.push(SqlToken::Word(word), span);
    }

    fn step(&mut self) -> Result<()> {
        let token = &self.tokens[self.at];
        let span = token.span;
        match &token.kind {
            TokenKind::Text(_) if self.is_behind("FROM") || self.is_behind("JOIN") => {
                let path = super::cursor::quote(self.script, span);
                let text = format!("{path} is no table name: tables are named, not read from paths");
                return Err(SyntaxError::semantic(span, text));
            }
            TokenKind::Text(text) => self.push(SqlToken::SingleQuotedString(text.clone()), span),
            TokenKind::Bytes(bytes) => {
                let digits = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
                self.push(SqlToken::HexStringLiteral(digits), span);
            }
            TokenKind::Number { digits, suffix } => {
                let letters = match suffix {
                    Suffix::None => "",
                    Suffix::TinyInt => "Y",
                    Suffix::SmallInt => "S",
                    Suffix::BigInt => "L",
                    Suffix::Decimal => "BD",
                };
                self.push(SqlToken::Number(format!("{digits}{letters}"), false), span);
            }
            TokenKind::Quoted(name) => self.name(name, Some('`'), span),
            TokenKind::Symbol(symbol) => return self.symbol(symbol, span),
            TokenKind::Word(word) => {
                // Beside a point every word is a name, unless it surely begins a clause.
                let is_behind_point = self.at.checked_sub(1).is_some_and(|at| self.tokens[at].is_symbol("."));
                let is_clause = NEVER_NAMES.iter().any(|clause| clause.eq_ignore_ascii_case(word));
                match (is_behind_point, is_clause) {
                    (true, true) => {
                        return Err(SyntaxError::new(span, format!("invalid token '{word}', expect a name")));
                    }
                    (true, false) => self.name(word, None, span),
                    (false, false) if self.is_symbol(1, ".") => self.name(word, None, span),
                    _ => return self.word(word, span),
                }
            }
        }
        self.at += 1;
        Ok(())
    }

    fn symbol(&mut self, symbol: &'static str, span: Span) -> Result<()> {
        let token = match symbol {
            "(" => {
                self.open(Opened::Plain, span)?;
                SqlToken::LParen
            }
            ")" => {
                self.push(SqlToken::RParen, span);
                self.at += 1;
                if self.close(span)? == Some(Opened::LateralView) {
                    self.lateral_view_names(span);
                }
                return Ok(());
            }
            "[" => {
                self.open(Opened::Plain, span)?;
                SqlToken::LBracket
            }
            "]" => {
                self.close(span)?;
                SqlToken::RBracket
            }
            "," => {
                self.level().cut();
                SqlToken::Comma
            }
            "." => SqlToken::Period,
            "=>" => SqlToken::RArrow,
            "->" => {
                self.level().lambdas += 1;
                if self.levels.iter().map(|level| level.lambdas).sum::<usize>() > TRIED_TWICE_MAX {
                    return Err(too_deep(span));
                }
                SqlToken::Arrow
            }
            operator => {
                self.chain(span)?;
                match operator {
                    "=" => SqlToken::Eq,
                    "<=>" => SqlToken::Spaceship,
                    "<" => SqlToken::Lt,
                    ">" => SqlToken::Gt,
                    "<=" => SqlToken::LtEq,
                    ">=" => SqlToken::GtEq,
                    "<>" => SqlToken::Neq,
                    "+" => SqlToken::Plus,
                    "-" => SqlToken::Minus,
                    "*" => SqlToken::Mul,
                    "/" => SqlToken::Div,
                    "%" => SqlToken::Mod,
                    "||" => SqlToken::StringConcat,
                    "|" => SqlToken::Pipe,
                    "&" => SqlToken::Ampersand,
                    "^" => SqlToken::Caret,
                    "~" => SqlToken::Tilde,
                    _ => return Err(SyntaxError::new(span, format!("invalid token '{operator}'"))),
                }
            }
        };
        self.push(token, span);
        self.at += 1;
        Ok(())
    }

    /// One operator more in the expression.
    fn chain(&mut self, span: Span) -> Result<()> {
        self.level().height += 1;
        self.check_height(span)
    }

    fn check_height(&mut self, span: Span) -> Result<()> {
        if self.level().height > HEIGHT_MAX {
            let text = format!("the expression has more than {HEIGHT_MAX} operators in a chain");
            return Err(SyntaxError::new(span, text));
        }
        Ok(())
    }

    fn connect(&mut self, span: Span) -> Result<()> {
        self.level().connect();
        if self.level().connectives > CONNECTIVES_MAX {
            let text = format!("the expression has more than {CONNECTIVES_MAX} ANDs and ORs: use IN or a join");
            return Err(SyntaxError::new(span, text));
        }
        Ok(())
    }

    fn open(&mut self, opened: Opened, span: Span) -> Result<()> {
        if self.levels.len() > PARENTHESES_MAX {
            return Err(too_deep(span));
        }
        let opened = match self.at.checked_sub(1).map(|at| &self.tokens[at]) {
            _ if opened != Opened::Plain => opened,
            Some(before) if before.is_keyword("CAST") || before.is_keyword("TRY_CAST") => Opened::Cast,
            Some(before) if before.is_keyword("OVER") => Opened::Window,
            Some(before) if before.is_keyword("EXTRACT") || before.is_keyword("TRIM") => Opened::Arguments,
            _ if std::mem::take(&mut self.is_in_lateral_view) => Opened::LateralView,
            _ => Opened::Plain,
        };
        let mut level = Level::new(opened);
        level.is_query = ["SELECT", "WITH", "VALUES"].iter().any(|keyword| self.is_word(1, keyword));
        if self.is_symbol(1, "(") {
            let inner = self.tokens[self.at..].iter().find(|token| !token.is_symbol("("));
            level.is_doubled = inner.is_some_and(|token| {
                ["SELECT", "WITH", "VALUES", "FROM"].iter().any(|keyword| token.is_keyword(keyword))
            });
        }
        self.levels.push(level);
        let n_doubled = self.levels.iter().filter(|level| level.is_doubled).count();
        let n_queries = self.levels.iter().filter(|level| level.is_query).count();
        if n_doubled > TRIED_TWICE_MAX || n_queries > SUBQUERIES_MAX {
            return Err(too_deep(span));
        }
        Ok(())
    }

    /// Closes a level and tells what it belonged to; a parenthesis too many is left to the parser.
    fn close(&mut self, span: Span) -> Result<Option<Opened>> {
        if self.levels.len() == 1 {
            return Ok(None);
        }
        self.level().cut();
        let Some(closed) = self.levels.pop() else { return Ok(None) };
        let level = self.level();
        level.height = level.height.max(closed.height_max + 1);
        self.check_height(span)?;
        Ok(Some(closed.opened))
    }

    fn word(&mut self, word: &str, span: Span) -> Result<()> {
        let upper = word.to_ascii_uppercase();
        let is_text_next = matches!(self.peek(1), Some(Token { kind: TokenKind::Text(_), .. }));
        let is_as_of_next = self.is_word(1, "AS") && self.is_word(2, "OF");
        match upper.as_str() {
            "DATE" | "DATETIME" | "TIMESTAMP" | "TIMESTAMP_NTZ" if is_text_next => return self.typed_text(word, span),
            "AS" if self.level().opened == Opened::Cast => return self.cast_type(span),
            "FOR" if self.is_travel(1) => {}
            "VERSION" | "SYSTEM_VERSION" | "TIMESTAMP" | "SYSTEM_TIME" if is_as_of_next => {
                return self.time_travel(&upper, span);
            }
            "DISTRIBUTE" | "SORT" | "CLUSTER" if self.is_word(1, "BY") => return self.order_like(&upper, span),
            "LATERAL" if self.is_word(1, "VIEW") => {
                self.count_join(span)?;
                self.is_in_lateral_view = true;
                self.level().cut();
                self.keyword("LATERAL", span);
            }
            "GROUP" if !self.is_word(1, "BY") && !self.is_behind("WITHIN") => return Err(self.expected_by()),
            "ORDER" if !self.is_word(1, "BY") => return Err(self.expected_by()),
            // Anything else is a column of that name; an interval of an interval would be tried twice at each level.
            "INTERVAL" if !self.is_interval_value(1) => self.name(word, None, span),
            "TABLESAMPLE" if !self.is_symbol(1, ",") && self.at > 0 => {
                return Err(SyntaxError::semantic(span, "TABLESAMPLE is not supported"));
            }
            "PIVOT" | "UNPIVOT" | "MATCH_RECOGNIZE" if self.is_symbol(1, "(") && self.is_behind_relation() => {
                return Err(SyntaxError::semantic(span, format!("{upper} is not supported yet")));
            }
            "INTO" if self.at > 0 => {
                let text = "SELECT … INTO is not supported: use CREATE TABLE … AS SELECT";
                return Err(SyntaxError::semantic(span, text));
            }
            "USING" if is_text_next => {
                return Err(SyntaxError::semantic(span, "SELECT TRANSFORM … USING is not supported"));
            }
            "AT" if self.is_word(1, "TIME") && self.is_word(2, "ZONE") => {
                for (n, keyword) in ["AT", "TIME", "ZONE"].into_iter().enumerate() {
                    let span = self.tokens[self.at + n].span;
                    self.keyword(keyword, span);
                }
                self.at += 3;
                return Ok(());
            }
            "ARRAY" if self.is_symbol(1, "[") => self.keyword("ARRAY", span),
            "CASE" => {
                self.keyword("CASE", span);
                self.open(Opened::Case, span)?;
            }
            "END" if self.level().opened == Opened::Case => {
                self.keyword("END", span);
                self.close(span)?;
            }
            "UNION" | "INTERSECT" | "EXCEPT" | "MINUS" | "JOIN" => {
                if upper == "JOIN" {
                    self.count_join(span)?;
                } else {
                    self.count_set_operation(&upper, span)?;
                }
                self.level().cut();
                self.keyword(&upper, span);
            }
            _ if is_keyword(word) => {
                if CUTS.contains(&upper.as_str()) {
                    self.level().cut();
                } else if matches!(upper.as_str(), "AND" | "OR") {
                    self.connect(span)?;
                } else if INFIXES.contains(&upper.as_str()) {
                    self.chain(span)?;
                }
                self.keyword(&upper, span);
                // Names keep their spelling, also those that are keywords elsewhere.
                if let Some(TokenWithSpan { token: SqlToken::Word(last), .. }) = self.out.last_mut() {
                    last.value = word.to_owned();
                }
            }
            _ => self.name(word, None, span),
        }
        self.at += 1;
        Ok(())
    }

    fn expected_by(&self) -> SyntaxError {
        let mut cursor = Cursor::new(self.tokens, self.script);
        cursor.at = self.at + 1;
        cursor.expected(&["BY"])
    }

    /// Whether a text or a number, perhaps with a sign, stands `n` tokens ahead.
    fn is_interval_value(&self, n: usize) -> bool {
        let n = if self.is_symbol(n, "-") { n + 1 } else { n };
        self.peek(n).is_some_and(|token| matches!(token.kind, TokenKind::Text(_) | TokenKind::Number { .. }))
    }

    fn count_join(&mut self, span: Span) -> Result<()> {
        self.joins += 1;
        if self.joins > JOINS_MAX {
            return Err(SyntaxError::new(span, format!("the query has more than {JOINS_MAX} joins")));
        }
        Ok(())
    }

    fn count_set_operation(&mut self, upper: &str, span: Span) -> Result<()> {
        if self.at.checked_sub(1).is_some_and(|at| self.tokens[at].is_symbol("*")) {
            return Ok(()); // `* EXCEPT (a)`
        }
        let kind = (upper == "UNION").then(|| self.is_word(1, "ALL"));
        if kind.is_some() {
            self.unions += 1;
        }
        if kind.is_none() || kind != self.last_set_operation {
            self.set_operations += 1;
        }
        self.last_set_operation = kind;
        if self.unions > UNIONS_MAX || self.set_operations > SET_OPERATIONS_MAX {
            return Err(SyntaxError::new(span, format!("the query has too many set operations, here {upper}")));
        }
        Ok(())
    }

    /// What stands before could be a table or its alias.
    fn is_behind_relation(&self) -> bool {
        let before = self.at.checked_sub(1).map(|at| &self.tokens[at]);
        before.is_some_and(|token| match &token.kind {
            TokenKind::Word(word) => !is_keyword(word),
            TokenKind::Quoted(_) => true,
            kind => *kind == TokenKind::Symbol(")"),
        })
    }

    /// `DATE '…'` is `CAST('…' AS date)`.
    fn typed_text(&mut self, word: &str, span: Span) -> Result<()> {
        let Some(data_type) = types::of_typed_text(word) else {
            return Err(SyntaxError::new(span, format!("invalid token '{word}'")));
        };
        let Some(Token { kind: TokenKind::Text(text), span: text_span }) = self.peek(1) else {
            return Err(SyntaxError::new(span, "a text in quotes is missing"));
        };
        let whole = Span { start: span.start, end: text_span.end };
        types::check_typed_text(&data_type, text, *text_span)?;
        self.keyword("CAST", whole);
        self.push(SqlToken::LParen, whole);
        self.push(SqlToken::SingleQuotedString(text.clone()), whole);
        self.keyword("AS", whole);
        self.name(&data_type.to_string(), Some('"'), whole);
        self.push(SqlToken::RParen, whole);
        self.at += 2;
        Ok(())
    }

    /// `AS type` in a cast: the type becomes one quoted name.
    fn cast_type(&mut self, span: Span) -> Result<()> {
        self.keyword("AS", span);
        let mut cursor = Cursor::new(self.tokens, self.script);
        cursor.at = self.at + 1;
        let start = cursor.span();
        let data_type = cursor.data_type(Meaning::MaxCompute)?;
        let type_span = cursor.span_from(start);
        self.at = cursor.at;
        self.name(&data_type.to_string(), Some('"'), type_span);
        Ok(())
    }

    /// Whether `VERSION AS OF` or one of its like stands `n` tokens ahead.
    fn is_travel(&self, n: usize) -> bool {
        ["VERSION", "TIMESTAMP", "SYSTEM_TIME", "SYSTEM_VERSION"].iter().any(|word| self.is_word(n, word))
            && self.is_word(n + 1, "AS")
            && self.is_word(n + 2, "OF")
    }

    /// `VERSION AS OF 3`, `VERSION AS OF 'tag'`, `TIMESTAMP AS OF '…'`.
    fn time_travel(&mut self, upper: &str, span: Span) -> Result<()> {
        let is_version = upper.ends_with("VERSION");
        let Some(value) = self.peek(3) else {
            return Err(SyntaxError::new(span, "unexpected end of statement, expect a snapshot, a tag or a time"));
        };
        // The grammar takes any expression after TIMESTAMP AS OF, and a number only after VERSION AS OF.
        self.keyword("TIMESTAMP", span);
        for (n, keyword) in [(1, "AS"), (2, "OF")] {
            let span = self.tokens[self.at + n].span;
            self.keyword(keyword, span);
        }
        self.at += 3;
        let marker = if is_version { super::rewrite::VERSION } else { super::rewrite::TIMESTAMP };
        let mut cursor = Cursor::new(self.tokens, self.script);
        cursor.at = self.at;
        let literal = cursor.literal()?;
        let whole = cursor.span_from(value.span);
        let Some(text) = literal.text() else { return Err(SyntaxError::new(whole, "NULL is no point in time")) };
        self.at = cursor.at;
        self.push(SqlToken::SingleQuotedString(format!("{marker}{text}")), whole);
        Ok(())
    }

    /// DISTRIBUTE BY is left out, SORT BY and CLUSTER BY order the result; in a window they are its own clauses.
    fn order_like(&mut self, upper: &str, span: Span) -> Result<()> {
        let by = self.tokens[self.at + 1].span;
        self.at += 2;
        self.level().cut();
        if self.level().opened == Opened::Window {
            self.keyword(if upper == "SORT" { "ORDER" } else { "PARTITION" }, span);
            self.keyword("BY", by);
            return Ok(());
        }
        if upper != "DISTRIBUTE" {
            self.notes.warn(&format!("{upper} BY orders the whole result, as ORDER BY does."));
            self.keyword("ORDER", span);
            self.keyword("BY", by);
            return Ok(());
        }
        self.notes.warn("DISTRIBUTE BY has no effect.");
        let mut depth = 0usize;
        while let Some(token) = self.peek(0) {
            let ends = ["SORT", "CLUSTER", "ORDER", "LIMIT", "UNION", "INTERSECT", "EXCEPT", "MINUS"];
            if token.is_symbol("(") {
                depth += 1;
            } else if token.is_symbol(")") {
                if depth == 0 {
                    break;
                }
                depth -= 1;
            } else if depth == 0 && ends.iter().any(|keyword| token.is_keyword(keyword)) {
                break;
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Behind the arguments of a LATERAL VIEW: gives it a name and column names where none were written, since the
    /// grammar would take the next clause for them.
    fn lateral_view_names(&mut self, span: Span) {
        self.n_lateral_views += 1;
        if self.is_word(0, "AS")
            || self.peek(0).is_none_or(|token| !matches!(token.kind, TokenKind::Word(_) | TokenKind::Quoted(_)))
        {
            self.name(&format!("_lv{}", self.n_lateral_views), Some('`'), span);
        } else if let Some(Token { kind: TokenKind::Word(name), span }) = self.peek(0) {
            self.name(name, None, *span);
            self.at += 1;
        } else if let Some(Token { kind: TokenKind::Quoted(name), span }) = self.peek(0) {
            self.name(name, Some('`'), *span);
            self.at += 1;
        }
        if !self.is_word(0, "AS") {
            self.keyword("AS", span);
            self.name(super::rewrite::DEFAULT_COLUMNS, Some('"'), span);
        }
    }
}

fn too_deep(span: Span) -> SyntaxError {
    SyntaxError::new(span, "the statement is nested too deeply")
}

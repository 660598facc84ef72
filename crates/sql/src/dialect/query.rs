//! Queries: our tokens through sqlparser's expression and query grammar, then rewritten for DataFusion.

use super::ast::Query;
use super::cursor::{Result, quote};
use super::error::{SyntaxError, nearest};
use super::lexer::Token;
use super::rewrite;
use super::statement::Notes;
use super::translate::{Located, translate};
use datafusion::sql::sqlparser::ast::{self as sqlparser, Expr};
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect, Precedence};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{self, TokenWithSpan};
use std::any::TypeId;

/// Deepest nesting of expressions and queries. The parser grows its stack, so this bounds what comes after it.
const PARSER_DEPTH_MAX: usize = 400;

/// Clause words, for `did you mean`.
#[rustfmt::skip]
const CLAUSES: &[&str] = &[
    "SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "JOIN", "INNER", "LEFT", "RIGHT",
    "FULL", "OUTER", "CROSS", "UNION", "INTERSECT", "EXCEPT", "LATERAL", "VIEW", "BETWEEN", "DISTINCT", "VALUES",
    "DISTRIBUTE", "CLUSTER", "SORT", "QUALIFY", "WINDOW", "EXISTS", "RLIKE", "REGEXP", "INTERVAL", "PARTITION",
    "USING",
];

/// What sqlparser needs to know about the dialect; everything about characters is decided by our own lexer.
#[derive(Debug)]
struct MaxComputeDialect;

impl Dialect for MaxComputeDialect {
    fn dialect(&self) -> TypeId {
        TypeId::of::<GenericDialect>()
    }

    fn is_identifier_start(&self, c: char) -> bool {
        c.is_ascii_alphabetic() || c == '_'
    }

    fn is_identifier_part(&self, c: char) -> bool {
        c.is_ascii_alphanumeric() || c == '_' || c == '$'
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_group_by_with_modifier(&self) -> bool {
        true
    }

    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }

    fn supports_window_clause_named_window_reference(&self) -> bool {
        true
    }

    fn supports_lambda_functions(&self) -> bool {
        true
    }

    fn supports_select_wildcard_except(&self) -> bool {
        true
    }

    fn supports_limit_comma(&self) -> bool {
        true
    }

    fn supports_values_as_table_factor(&self) -> bool {
        true
    }

    fn supports_parens_around_table_factor(&self) -> bool {
        true
    }

    fn supports_table_versioning(&self) -> bool {
        true
    }

    fn supports_comma_separated_trim(&self) -> bool {
        true
    }

    /// A word that begins an expression of its own kind is never tried again as a name: errors stay where they are,
    /// and nested ones are not parsed twice at each level.
    fn is_reserved_for_identifier(&self, keyword: Keyword) -> bool {
        matches!(
            keyword,
            Keyword::CASE
                | Keyword::CAST
                | Keyword::TRY_CAST
                | Keyword::EXISTS
                | Keyword::EXTRACT
                | Keyword::INTERVAL
                | Keyword::NOT
                | Keyword::TRIM
                | Keyword::ARRAY
        )
    }

    fn parse_infix(
        &self,
        parser: &mut Parser<'_>,
        left: &Expr,
        precedence: u8,
    ) -> Option<std::result::Result<Expr, ParserError>> {
        if !parser.parse_keyword(Keyword::DIV) {
            return None;
        }
        Some(parser.parse_subexpr(precedence).map(|right| Expr::BinaryOp {
            left: Box::new(left.clone()),
            op: sqlparser::BinaryOperator::MyIntegerDivide,
            right: Box::new(right),
        }))
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<std::result::Result<u8, ParserError>> {
        match &parser.peek_token_ref().token {
            tokenizer::Token::Word(word) if word.keyword == Keyword::DIV => {
                Some(Ok(self.prec_value(Precedence::MulDivModOp)))
            }
            _ => None,
        }
    }
}

/// The query that the tokens are, all of them.
pub(super) fn parse(tokens: &[Token], script: &str, notes: &mut Notes) -> Result<Query> {
    let located = translate(tokens, script, notes)?;
    let query = parse_located(&located, tokens, script, notes)?;
    rewrite::rewrite(query, &located.places)
}

/// A select list whose FROM clause was written in front: `FROM a JOIN b …` and `SELECT x WHERE y`.
pub(super) fn parse_from_first(
    ctes: &[Token],
    from: &[Token],
    select: &[Token],
    script: &str,
    notes: &mut Notes,
) -> Result<Query> {
    let Some(from_word) = from.first() else { return Err(SyntaxError::whole("FROM is missing")) };
    let mut from_located = translate(from, script, notes)?;
    let head = [tokenizer::Token::make_keyword("SELECT"), tokenizer::Token::Mul];
    from_located.tokens.splice(0..0, head.map(TokenWithSpan::wrap));
    let from_query = parse_located(&from_located, from, script, notes)?;
    let select_tokens = [ctes, select].concat();
    let mut located = translate(&select_tokens, script, notes)?;
    let mut query = parse_located(&located, &select_tokens, script, notes)?;
    located.places.merge(from_located.places);
    let clash = || SyntaxError::new(select.first().unwrap_or(from_word).span, "the source is in front already");
    match (query.body.as_mut(), *from_query.body) {
        (sqlparser::SetExpr::Select(select), sqlparser::SetExpr::Select(source)) if select.from.is_empty() => {
            select.from = source.from;
            select.lateral_views = source.lateral_views;
            if source.selection.is_some() && select.selection.is_some() {
                return Err(SyntaxError::new(from_word.span, "WHERE is given twice"));
            }
            select.selection = select.selection.take().or(source.selection);
        }
        _ => return Err(clash()),
    }
    rewrite::rewrite(query, &located.places)
}

/// Most subqueries that are looked into for the reason of an error.
const BLAMED_MAX: usize = 16;

/// The grammar tries a parenthesis in FROM in two ways and complains about the second. The innermost subquery that is
/// none by itself tells better.
fn blamed(tokens: &[Token], script: &str, notes: &mut Notes) -> Option<SyntaxError> {
    let begins_query = |token: &Token| ["SELECT", "WITH", "VALUES"].iter().any(|keyword| token.is_keyword(keyword));
    let opens = (1..tokens.len()).rev().filter(|at| tokens[at - 1].is_symbol("(") && begins_query(&tokens[*at]));
    for start in opens.take(BLAMED_MAX) {
        let mut depth = 0usize;
        let length = tokens[start..].iter().position(|token| {
            depth += usize::from(token.is_symbol("("));
            let closes = token.is_symbol(")") && depth == 0;
            depth = depth.saturating_sub(usize::from(token.is_symbol(")")));
            closes
        });
        let inner = &tokens[start..start + length.unwrap_or(tokens.len() - start)];
        let located = translate(inner, script, notes).ok()?;
        if let Err(error) = parse_plainly(&located, inner, script) {
            return Some(error);
        }
        if length.is_none() {
            let end = tokens.last().map_or(0, |token| token.span.end);
            let end = model::worksheet::Span { start: end, end };
            return Some(SyntaxError::new(end, "unexpected end of statement, expect ')'"));
        }
    }
    None
}

fn parse_located(
    located: &Located,
    tokens: &[Token],
    script: &str,
    notes: &mut Notes,
) -> Result<Box<sqlparser::Query>> {
    parse_plainly(located, tokens, script).map_err(|error| match error.suggestion {
        Some(_) => error,
        None => blamed(tokens, script, &mut Notes { start: notes.start, ..Notes::default() }).unwrap_or(error),
    })
}

fn parse_plainly(located: &Located, tokens: &[Token], script: &str) -> Result<Box<sqlparser::Query>> {
    let mut parser = Parser::new(&MaxComputeDialect)
        .with_recursion_limit(PARSER_DEPTH_MAX)
        .with_tokens_with_locations(located.tokens.clone());
    let parsed = parser.parse_query().and_then(|query| match &parser.peek_token_ref().token {
        tokenizer::Token::EOF => Ok(query),
        _ => parser.expected_ref("end of statement", parser.peek_token_ref()),
    });
    parsed.map_err(|error| syntax_error(error, located, tokens, script))
}

/// sqlparser's message with our position and words.
fn syntax_error(error: ParserError, located: &Located, tokens: &[Token], script: &str) -> SyntaxError {
    let message = match error {
        ParserError::RecursionLimitExceeded => {
            return SyntaxError {
                at: tokens.first().map(|token| token.span),
                ..SyntaxError::whole("the statement is nested too deeply")
            };
        }
        ParserError::ParserError(message) | ParserError::TokenizerError(message) => message,
    };
    let (text, position) = match message.rfind(" at Line: ") {
        Some(at) => (&message[..at], position(&message[at..])),
        None => (message.as_str(), None),
    };
    let at = position.and_then(|(line, column)| located.places.span_at(line, column));
    let expected = text
        .strip_prefix("Expected: ")
        .and_then(|text| text.rsplit_once(", found: "))
        .map(|(expected, _)| worded(expected));
    let Some(at) = at.filter(|_| !text.ends_with("found: EOF")) else {
        let end = tokens.last().map_or(0, |token| token.span.end);
        let end = model::worksheet::Span { start: end, end };
        let text = match expected {
            Some(expected) => format!("unexpected end of statement, expect {expected}"),
            None => text.to_owned(),
        };
        return misspelt_before(tokens, tokens.len(), script).unwrap_or_else(|| SyntaxError::new(end, text));
    };
    let mut index = tokens.partition_point(|token| token.span.start < at.start);
    // This message of sqlparser points one token too far.
    let unexpected = text.strip_prefix("Expected an expression, found: ");
    let is_word = |index: usize, word: &str| tokens.get(index).is_some_and(|token| token.is_keyword(word));
    if let Some(word) = unexpected
        && index > 0
        && !is_word(index, word)
        && is_word(index - 1, word)
    {
        index -= 1;
    }
    let expected = expected.or(unexpected.map(|_| "an expression".to_owned()));
    if let Some(error) = misspelt_at(tokens, index, script).or_else(|| misspelt_before(tokens, index, script)) {
        return error;
    }
    let token = tokens.get(index).map_or(at, |token| token.span);
    let found = quote(script, token);
    SyntaxError::new(
        token,
        match expected {
            Some(expected) => format!("invalid token '{found}', expect {expected}"),
            None => format!("invalid token '{found}': {text}"),
        },
    )
}

/// sqlparser's name of what may stand there, in our words.
fn worded(expected: &str) -> String {
    match expected {
        "an expression" | "an expression:" => "an expression".into(),
        "identifier" => "a name".into(),
        "SELECT, VALUES, or a subquery in the query body" => "'SELECT' or 'VALUES'".into(),
        other if other.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_punctuation()) => format!("'{other}'"),
        other => other.into(),
    }
}

/// ` at Line: 1, Column: 8`.
fn position(text: &str) -> Option<(u64, u64)> {
    let (line, column) = text.trim().strip_prefix("at Line: ")?.split_once(", Column: ")?;
    Some((line.parse().ok()?, column.trim().parse().ok()?))
}

/// The token is nearly a clause word.
fn misspelt_at(tokens: &[Token], index: usize, script: &str) -> Option<SyntaxError> {
    let token = tokens.get(index).filter(|token| matches!(token.kind, super::lexer::TokenKind::Word(_)))?;
    let word = script.get(token.span.start..token.span.end)?;
    let meant = nearest(word, CLAUSES.iter().copied()).filter(|_| !super::translate::is_keyword(word))?;
    Some(SyntaxError::new(token.span, format!("invalid token '{word}'")).suggest(meant))
}

/// The token before was read as an alias and is nearly a clause word: `FROM t WEHRE a = 1`.
fn misspelt_before(tokens: &[Token], index: usize, script: &str) -> Option<SyntaxError> {
    misspelt_at(tokens, index.checked_sub(1)?, script)
}

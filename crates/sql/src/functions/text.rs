//! Texts and numbers.

use super::call::{Call, Definition, Gives, function};
use arrow::array::{Array, ArrayRef, ListBuilder, StringBuilder};
use datafusion::common::Result;
use regex::Regex;
use std::collections::HashMap;
use std::sync::Arc;

pub(super) const FUNCTIONS: &[Definition] = &[
    function("concat", (1, usize::MAX), Gives::Text, concat),
    function("concat_ws", (1, usize::MAX), Gives::Text, concat_ws),
    function("substr", (2, 3), Gives::Text, substr),
    function("substring", (2, 3), Gives::Text, substr),
    function("repeat", (2, 2), Gives::Text, repeat),
    function("space", (1, 1), Gives::Text, space),
    function("lpad", (2, 3), Gives::Text, |call| pad(call, |text, padding| padding + text)),
    function("rpad", (2, 3), Gives::Text, |call| pad(call, |text, padding| text.to_owned() + &padding)),
    function("replace", (3, 3), Gives::Text, replace),
    function("instr", (2, 4), Gives::BigInt, instr),
    function("lengthb", (1, 1), Gives::BigInt, |call| {
        let texts = call.texts(0)?;
        call.give_integers(texts.iter().map(|text| text.map(|text| text.len() as i64)))
    }),
    function("split", (2, 3), Gives::Texts, split),
    function("split_part", (3, 4), Gives::Text, split_part),
    function("regexp_extract", (2, 3), Gives::Text, regexp_extract),
    function("regexp_replace", (3, 4), Gives::Text, regexp_replace),
    function("regexp_substr", (2, 4), Gives::Text, regexp_substr),
    function("power", (2, 2), Gives::Double, |call| doubles(call, f64::powf)),
    function("pow", (2, 2), Gives::Double, |call| doubles(call, f64::powf)),
    function("log", (2, 2), Gives::Double, |call| doubles(call, |base, value| value.log(base))),
];

/// A function of two numbers; what is no number is NULL.
fn doubles(call: &Call<'_>, of: fn(f64, f64) -> f64) -> Result<ArrayRef> {
    let (first, second) = (call.doubles(0)?, call.doubles(1)?);
    call.give_doubles(first.iter().zip(&second).map(|(a, b)| Some(of(a?, b?)).filter(|value| !value.is_nan())))
}

fn concat(call: &Call<'_>) -> Result<ArrayRef> {
    let columns = (0..call.n_arguments()).map(|position| call.texts(position)).collect::<Result<Vec<_>>>()?;
    let row = |row: usize| {
        let parts = columns.iter().map(|column| column.is_valid(row).then(|| column.value(row)));
        parts.collect::<Option<String>>()
    };
    call.give_texts((0..call.n_rows).map(row))
}

/// With the first argument between the others; those that are NULL are left out.
fn concat_ws(call: &Call<'_>) -> Result<ArrayRef> {
    let columns = (0..call.n_arguments()).map(|position| call.texts(position)).collect::<Result<Vec<_>>>()?;
    let value = |column: usize, row: usize| columns[column].is_valid(row).then(|| columns[column].value(row));
    call.give_texts((0..call.n_rows).map(|row| {
        let parts: Vec<&str> = (1..columns.len()).filter_map(|column| value(column, row)).collect();
        Some(parts.join(value(0, row)?))
    }))
}

/// Positions count from 1, negative ones from the end; there is no position 0.
fn substr(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, positions) = (call.texts(0)?, call.integers(1)?);
    let lengths = (call.n_arguments() == 3).then(|| call.integers(2)).transpose()?;
    let row = |row: usize| {
        if texts.is_null(row) || positions.is_null(row) || lengths.as_ref().is_some_and(|lengths| lengths.is_null(row))
        {
            return None;
        }
        let (text, position) = (texts.value(row), positions.value(row));
        let length = lengths.as_ref().map_or(i64::MAX, |lengths| lengths.value(row));
        let start = match position {
            0 => return Some(String::new()),
            1.. => position - 1,
            _ => i64::try_from(text.chars().count()).unwrap_or(i64::MAX).saturating_add(position),
        };
        if start < 0 || length <= 0 {
            return Some(String::new());
        }
        let size = |n: i64| usize::try_from(n).unwrap_or(usize::MAX);
        Some(text.chars().skip(size(start)).take(size(length)).collect())
    };
    call.give_texts((0..call.n_rows).map(row))
}

/// A length that an argument gives; negative ones are 0.
fn length(n: i64) -> usize {
    usize::try_from(n.max(0)).unwrap_or(usize::MAX)
}

fn repeat(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, counts) = (call.texts(0)?, call.integers(1)?);
    let rows = texts.iter().zip(&counts).map(|(text, n)| {
        let (Some(text), Some(n)) = (text, n) else { return Ok(None) };
        call.check_length(text.len().checked_mul(length(n)))?;
        Ok(Some(text.repeat(length(n))))
    });
    call.try_give_texts(rows)
}

fn space(call: &Call<'_>) -> Result<ArrayRef> {
    let counts = call.integers(0)?;
    let rows = counts.iter().map(|n| {
        let Some(n) = n else { return Ok(None) };
        call.check_length(Some(length(n)))?;
        Ok(Some(" ".repeat(length(n))))
    });
    call.try_give_texts(rows)
}

/// To a length in characters: longer texts are cut, shorter ones get characters of the third argument.
fn pad(call: &Call<'_>, join: fn(&str, String) -> String) -> Result<ArrayRef> {
    let (texts, lengths) = (call.texts(0)?, call.integers(1)?);
    let fillings = (call.n_arguments() == 3).then(|| call.texts(2)).transpose()?;
    call.try_give_texts((0..call.n_rows).map(|row| {
        let filling = fillings.as_ref().map_or(Some(" "), |column| column.is_valid(row).then(|| column.value(row)));
        let Some(filling) = filling.filter(|_| texts.is_valid(row) && lengths.is_valid(row)) else { return Ok(None) };
        let (text, wanted) = (texts.value(row), length(lengths.value(row)));
        let missing = wanted.saturating_sub(text.chars().count());
        call.check_length(missing.checked_mul(4))?;
        let kept: String = text.chars().take(wanted).collect();
        Ok(Some(join(&kept, filling.chars().cycle().take(missing).collect())))
    }))
}

fn replace(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, wanted, others) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    let rows = texts.iter().zip(&wanted).zip(&others).map(|((text, wanted), other)| {
        let (Some(text), Some(wanted), Some(other)) = (text, wanted, other) else { return Ok(None) };
        if wanted.is_empty() {
            return Ok(Some(text.to_owned()));
        }
        let added = text.matches(wanted).count().checked_mul(other.len());
        call.check_length(added.and_then(|added| added.checked_add(text.len())))?;
        Ok(Some(text.replace(wanted, other)))
    });
    call.try_give_texts(rows)
}

/// Where the nth occurrence begins, counted from 1 in characters; 0 if there is none.
fn instr(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, wanted) = (call.texts(0)?, call.texts(1)?);
    let optional = |position| (position < call.n_arguments()).then(|| call.integers(position)).transpose();
    let (starts, occurrences) = (optional(2)?, optional(3)?);
    let mut found = Vec::with_capacity(call.n_rows);
    for row in 0..call.n_rows {
        let known = [&starts, &occurrences].iter().all(|column| column.as_ref().is_none_or(|c| c.is_valid(row)));
        if texts.is_null(row) || wanted.is_null(row) || !known {
            found.push(None);
            continue;
        }
        let start = starts.as_ref().map_or(1, |column| column.value(row));
        let nth = occurrences.as_ref().map_or(1, |column| column.value(row));
        if start == 0 || nth < 1 {
            return Err(call.refused("positions and occurrences count from 1"));
        }
        found.push(Some(position_of(texts.value(row), wanted.value(row), start, nth)));
    }
    call.give_integers(found.into_iter())
}

/// A negative start counts from the end and looks towards the beginning.
fn position_of(text: &str, wanted: &str, start: i64, nth: i64) -> i64 {
    let offsets: Vec<usize> = text.char_indices().map(|(offset, _)| offset).chain([text.len()]).collect();
    let is_at = |position: &usize| text[offsets[*position]..].starts_with(wanted);
    let n_chars = offsets.len() - 1;
    let steps = usize::try_from(start.unsigned_abs() - 1).unwrap_or(usize::MAX);
    let nth = usize::try_from(nth - 1).unwrap_or(usize::MAX);
    let found = match start {
        1.. => (steps..=n_chars).filter(is_at).nth(nth),
        _ if steps >= n_chars => None,
        _ => (0..n_chars - steps).rev().filter(is_at).nth(nth),
    };
    found.map_or(0, |position| position as i64 + 1)
}

/// Regular expressions are mostly one constant: each is compiled once.
struct Patterns<'a> {
    call: &'a Call<'a>,
    known: HashMap<String, Regex>,
}

impl<'a> Patterns<'a> {
    fn new(call: &'a Call<'a>) -> Self {
        Self { call, known: HashMap::new() }
    }

    fn get(&mut self, pattern: &str) -> Result<&Regex> {
        if !self.known.contains_key(pattern) {
            let compiled = Regex::new(pattern).map_err(|error| {
                // The last line of the message says what is wrong; those before it draw where.
                let text = error.to_string();
                let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                self.call.refused(format!("'{pattern}' is no regular expression that is supported: {reason}"))
            })?;
            self.known.insert(pattern.to_owned(), compiled);
        }
        Ok(&self.known[pattern])
    }
}

/// Empty parts at the end are left out unless the third argument is false.
fn split(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let trims = (call.n_arguments() == 3).then(|| call.texts(2)).transpose()?;
    let mut known = Patterns::new(call);
    let mut lists = ListBuilder::new(StringBuilder::new());
    for row in 0..call.n_rows {
        if texts.is_null(row) || patterns.is_null(row) {
            lists.append_null();
            continue;
        }
        let (text, pattern) = (texts.value(row), known.get(patterns.value(row))?);
        let is_kept = trims.as_ref().is_some_and(|trims| trims.is_valid(row) && trims.value(row) == "false");
        let mut parts: Vec<&str> = pattern.split(text).collect();
        while !is_kept && parts.len() > 1 && parts.last() == Some(&"") {
            parts.pop();
        }
        parts.into_iter().for_each(|part| lists.values().append_value(part));
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

/// The parts from one number to another, joined as they were.
fn split_part(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, separators, starts) = (call.texts(0)?, call.texts(1)?, call.integers(2)?);
    let ends = if call.n_arguments() == 4 { call.integers(3)? } else { starts.clone() };
    let mut parts = Vec::with_capacity(call.n_rows);
    for row in 0..call.n_rows {
        if texts.is_null(row) || separators.is_null(row) || starts.is_null(row) || ends.is_null(row) {
            parts.push(None);
            continue;
        }
        let (separator, start, end) = (separators.value(row), starts.value(row), ends.value(row));
        if start < 1 || end < start {
            return Err(call.refused("the parts count from 1, and the last is not before the first"));
        }
        let all: Vec<&str> = match separator {
            "" => vec![texts.value(row)],
            separator => texts.value(row).split(separator).collect(),
        };
        let position = |n: i64| usize::try_from(n).unwrap_or(usize::MAX);
        let wanted = all.into_iter().take(position(end)).skip(position(start - 1));
        parts.push(Some(wanted.collect::<Vec<_>>().join(separator)));
    }
    call.give_texts(parts.into_iter())
}

/// The group of the first match, 1 unless another is asked for; no match is NULL.
fn regexp_extract(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let groups = (call.n_arguments() == 3).then(|| call.integers(2)).transpose()?;
    let mut known = Patterns::new(call);
    let mut found = Vec::with_capacity(call.n_rows);
    for row in 0..call.n_rows {
        let group = groups.as_ref().map_or(Some(1), |groups| groups.is_valid(row).then(|| groups.value(row)));
        let Some(group) = group.filter(|_| texts.is_valid(row) && patterns.is_valid(row)) else {
            found.push(None);
            continue;
        };
        let pattern = known.get(patterns.value(row))?;
        let group = usize::try_from(group).ok().filter(|group| *group < pattern.captures_len());
        let Some(group) = group else {
            return Err(call.refused(format!("the regular expression '{pattern}' has no such group")));
        };
        let captures = pattern.captures(texts.value(row));
        found.push(captures.and_then(|captures| captures.get(group)).map(|group| group.as_str().to_owned()));
    }
    call.give_texts(found.into_iter())
}

/// All matches are replaced, or only the nth.
fn regexp_replace(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns, replacements) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    let occurrences = (call.n_arguments() == 4).then(|| call.integers(3)).transpose()?;
    let mut known = Patterns::new(call);
    call.try_give_texts((0..call.n_rows).map(|row| {
        let nth = occurrences.as_ref().map_or(Some(0), |column| column.is_valid(row).then(|| column.value(row)));
        let is_known = texts.is_valid(row) && patterns.is_valid(row) && replacements.is_valid(row);
        let Some(nth) = nth.filter(|_| is_known) else { return Ok(None) };
        let text = texts.value(row);
        let pattern = known.get(patterns.value(row))?;
        let replacement = groups_of_rust(replacements.value(row));
        Ok(Some(match usize::try_from(nth) {
            Err(_) => return Err(call.refused("occurrences count from 1; 0 means all")),
            Ok(0) => {
                let mut replaced = String::new();
                let mut end = 0;
                for captures in pattern.captures_iter(text) {
                    let whole = captures.get_match();
                    replaced.push_str(&text[end..whole.start()]);
                    captures.expand(&replacement, &mut replaced);
                    end = whole.end();
                    call.check_length(Some(replaced.len()))?;
                }
                replaced + &text[end..]
            }
            Ok(nth) => match pattern.captures_iter(text).nth(nth - 1) {
                Some(captures) => {
                    let whole = captures.get_match();
                    let mut expanded = String::new();
                    captures.expand(&replacement, &mut expanded);
                    format!("{}{expanded}{}", &text[..whole.start()], &text[whole.end()..])
                }
                None => text.to_owned(),
            },
        }))
    }))
}

/// `\1` and `$1` as the regular expressions of Rust write them; any other `\x` is x.
fn groups_of_rust(replacement: &str) -> String {
    let mut out = String::with_capacity(replacement.len());
    let mut chars = replacement.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek().copied()) {
            ('\\' | '$', Some(digit)) if digit.is_ascii_digit() => {
                chars.next();
                out.push_str(&format!("${{{digit}}}"));
            }
            ('\\', Some(escaped)) => {
                chars.next();
                out.push_str(if escaped == '$' { "$$" } else { "" });
                if escaped != '$' {
                    out.push(escaped);
                }
            }
            ('$', _) => out.push_str("$$"),
            _ => out.push(c),
        }
    }
    out
}

/// The nth match at or behind a position; no match is NULL.
fn regexp_substr(call: &Call<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let optional = |position| (position < call.n_arguments()).then(|| call.integers(position)).transpose();
    let (starts, occurrences) = (optional(2)?, optional(3)?);
    let mut known = Patterns::new(call);
    let mut found = Vec::with_capacity(call.n_rows);
    for row in 0..call.n_rows {
        let is_known = [&starts, &occurrences].iter().all(|column| column.as_ref().is_none_or(|c| c.is_valid(row)));
        if texts.is_null(row) || patterns.is_null(row) || !is_known {
            found.push(None);
            continue;
        }
        let counted = |column: &Option<arrow::array::Int64Array>| {
            let n = column.as_ref().map_or(1, |column| column.value(row));
            usize::try_from(n).ok().and_then(|n| n.checked_sub(1))
        };
        let (Some(start), Some(nth)) = (counted(&starts), counted(&occurrences)) else {
            return Err(call.refused("positions and occurrences count from 1"));
        };
        let text = texts.value(row);
        let pattern = known.get(patterns.value(row))?;
        let from = text.char_indices().nth(start).map_or(text.len(), |(offset, _)| offset);
        found.push(pattern.find_iter(&text[from..]).nth(nth).map(|found| found.as_str().to_owned()));
    }
    call.give_texts(found.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions() {
        assert_eq!(position_of("Tech on the net", "e", 1, 2), 11);
        assert_eq!(position_of("Tech on the net", "e", 3, 1), 11);
        assert_eq!(position_of("Tech on the net", "t", -3, 1), 9);
        assert_eq!(position_of("北京京", "京", 1, 2), 3);
        assert_eq!(position_of("abc", "x", 1, 1), 0);
        assert_eq!(position_of("abc", "a", 9, 1), 0);
        assert_eq!(position_of("abc", "a", -9, 1), 0);
        assert_eq!(position_of("", "", 1, 1), 1);
    }

    #[test]
    fn groups() {
        assert_eq!(groups_of_rust(r"\1-$2"), "${1}-${2}");
        assert_eq!(groups_of_rust(r"a$b\$c\\"), r"a$$b$$c\");
    }
}

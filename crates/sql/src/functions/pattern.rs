//! Patterns of dates and times: `yyyy-mm-dd hh:mi:ss` of MaxCompute and `yyyy-MM-dd HH:mm:ss` of Java.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use std::fmt::Write;

/// A pattern, read.
pub(super) struct Pattern {
    parts: Vec<Part>,
    /// Numbers must have as many digits as the pattern has letters.
    is_padded: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Number(Unit, usize),
    Fraction(usize),
    MonthName(usize),
    DayName(usize),
    /// AM or PM.
    Half,
    Text(String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Unit {
    Year,
    Month,
    Day,
    DayOfYear,
    Hour,
    /// 1 to 12.
    HourOfHalf,
    Minute,
    Second,
}

impl Pattern {
    /// `yyyy mm dd hh mi ss ff3` in any case; everything else stands for itself.
    pub(super) fn of_maxcompute(pattern: &str) -> Self {
        const TOKENS: [(&str, Part); 8] = [
            ("yyyy", Part::Number(Unit::Year, 4)),
            ("mm", Part::Number(Unit::Month, 2)),
            ("dd", Part::Number(Unit::Day, 2)),
            ("hh24", Part::Number(Unit::Hour, 2)),
            ("hh", Part::Number(Unit::Hour, 2)),
            ("mi", Part::Number(Unit::Minute, 2)),
            ("ss", Part::Number(Unit::Second, 2)),
            ("ff3", Part::Fraction(3)),
        ];
        let mut parts = Vec::new();
        let mut rest = pattern;
        while let Some(first) = rest.chars().next() {
            let starts = |token: &str| rest.get(..token.len()).is_some_and(|head| head.eq_ignore_ascii_case(token));
            match TOKENS.iter().find(|(token, _)| starts(token)) {
                Some((token, part)) => {
                    parts.push(part.clone());
                    rest = &rest[token.len()..];
                }
                None => {
                    push_text(&mut parts, first);
                    rest = &rest[first.len_utf8()..];
                }
            }
        }
        Self { parts, is_padded: true }
    }

    /// The letters of Java's `SimpleDateFormat`, as far as they have a meaning for dates without zone.
    pub(super) fn of_java(pattern: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut chars = pattern.chars().peekable();
        while let Some(letter) = chars.next() {
            if letter == '\'' {
                let mut is_empty = true;
                loop {
                    match chars.next() {
                        Some('\'') if chars.peek() == Some(&'\'') => {
                            chars.next();
                            push_text(&mut parts, '\'');
                        }
                        Some('\'') if is_empty => break push_text(&mut parts, '\''),
                        Some('\'') => break,
                        Some(quoted) => push_text(&mut parts, quoted),
                        None => return Err(format!("the pattern '{pattern}' has a quote that is not closed")),
                    }
                    is_empty = false;
                }
                continue;
            }
            if !letter.is_ascii_alphabetic() {
                push_text(&mut parts, letter);
                continue;
            }
            let mut width = 1;
            while chars.next_if_eq(&letter).is_some() {
                width += 1;
            }
            parts.push(match letter {
                'y' | 'u' => Part::Number(Unit::Year, width),
                'M' | 'L' if width > 2 => Part::MonthName(width),
                'M' | 'L' => Part::Number(Unit::Month, width),
                'd' => Part::Number(Unit::Day, width),
                'D' => Part::Number(Unit::DayOfYear, width),
                'H' => Part::Number(Unit::Hour, width),
                'h' => Part::Number(Unit::HourOfHalf, width),
                'm' => Part::Number(Unit::Minute, width),
                's' => Part::Number(Unit::Second, width),
                'S' => Part::Fraction(width),
                'E' => Part::DayName(width),
                'a' => Part::Half,
                other => return Err(format!("the letter {other} of the pattern '{pattern}' is not supported")),
            });
        }
        Ok(Self { parts, is_padded: false })
    }

    pub(super) fn format(&self, moment: NaiveDateTime) -> String {
        let mut out = String::new();
        for part in &self.parts {
            // Writing to a String cannot fail.
            _ = match part {
                Part::Number(Unit::Year, 2) => write!(out, "{:02}", moment.year().rem_euclid(100)),
                Part::Number(unit, width) => write!(out, "{:0width$}", unit.of(moment)),
                Part::Fraction(digits) => {
                    let nanos = format!("{:09}", moment.nanosecond());
                    write!(out, "{:0<digits$}", &nanos[..(*digits).min(9)])
                }
                Part::MonthName(3) => write!(out, "{}", moment.format("%b")),
                Part::MonthName(_) => write!(out, "{}", moment.format("%B")),
                Part::DayName(1..=3) => write!(out, "{}", moment.format("%a")),
                Part::DayName(_) => write!(out, "{}", moment.format("%A")),
                Part::Half => write!(out, "{}", if moment.hour() < 12 { "AM" } else { "PM" }),
                Part::Text(text) => write!(out, "{text}"),
            };
        }
        out
    }

    /// The moment that the whole text says; what it leaves out is the beginning of 1970.
    pub(super) fn parse(&self, text: &str) -> Option<NaiveDateTime> {
        let (mut year, mut month, mut day, mut hour, mut minute, mut second) = (1970, 1, 1, 0, 0, 0);
        let (mut nanos, mut is_afternoon, mut day_of_year) = (0, None, None);
        let mut rest = text;
        for (index, part) in self.parts.iter().enumerate() {
            let is_number_next = matches!(self.parts.get(index + 1), Some(Part::Number(..) | Part::Fraction(_)));
            match part {
                Part::Text(text) => rest = rest.strip_prefix(text.as_str())?,
                Part::Number(unit, width) => {
                    let width = if *unit == Unit::Year { (*width).max(4) } else { (*width).max(2) };
                    let value = number(&mut rest, width, self.is_padded || is_number_next)?;
                    match unit {
                        Unit::Year => year = i32::try_from(value).ok()?,
                        Unit::Month => month = value,
                        Unit::Day => day = value,
                        Unit::DayOfYear => day_of_year = Some(value),
                        Unit::Hour => hour = value,
                        Unit::HourOfHalf => hour = value % 12,
                        Unit::Minute => minute = value,
                        Unit::Second => second = value,
                    }
                }
                Part::Fraction(digits) => {
                    let digits = u32::try_from(*digits).ok().filter(|digits| *digits <= 9)?;
                    nanos = number(&mut rest, digits as usize, true)?.checked_mul(10u32.pow(9 - digits))?;
                }
                Part::Half => {
                    let (half, behind) = rest.split_at_checked(2)?;
                    is_afternoon = Some(half.eq_ignore_ascii_case("PM"));
                    rest = behind;
                }
                Part::MonthName(_) | Part::DayName(_) => return None,
            }
        }
        let date = match day_of_year {
            Some(day) => NaiveDate::from_yo_opt(year, day)?,
            None => NaiveDate::from_ymd_opt(year, month, day)?,
        };
        let hour = if is_afternoon == Some(true) { hour % 12 + 12 } else { hour };
        let is_whole = rest.is_empty() && (0..=9999).contains(&year);
        is_whole.then(|| date.and_hms_nano_opt(hour, minute, second, nanos)).flatten()
    }
}

impl Unit {
    fn of(self, moment: NaiveDateTime) -> i64 {
        match self {
            Self::Year => i64::from(moment.year()),
            Self::Month => i64::from(moment.month()),
            Self::Day => i64::from(moment.day()),
            Self::DayOfYear => i64::from(moment.ordinal()),
            Self::Hour => i64::from(moment.hour()),
            Self::HourOfHalf => i64::from((moment.hour() + 11) % 12 + 1),
            Self::Minute => i64::from(moment.minute()),
            Self::Second => i64::from(moment.second()),
        }
    }
}

fn push_text(parts: &mut Vec<Part>, c: char) {
    match parts.last_mut() {
        Some(Part::Text(text)) => text.push(c),
        _ => parts.push(Part::Text(c.into())),
    }
}

/// Takes digits from the front: exactly `width`, or at most.
fn number(rest: &mut &str, width: usize, is_exact: bool) -> Option<u32> {
    let n_digits = rest.bytes().take(width).take_while(u8::is_ascii_digit).count();
    if n_digits == 0 || (is_exact && n_digits < width) {
        return None;
    }
    let (digits, behind) = rest.split_at(n_digits);
    *rest = behind;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment() -> NaiveDateTime {
        NaiveDate::from_ymd_opt(2024, 7, 8).unwrap().and_hms_micro_opt(15, 6, 7, 89_000).unwrap()
    }

    #[test]
    fn patterns_of_maxcompute() {
        let check = |pattern, text: &str| {
            let pattern = Pattern::of_maxcompute(pattern);
            assert_eq!(pattern.format(moment()), text);
            assert_eq!(pattern.parse(text).map(|parsed| pattern.format(parsed)).as_deref(), Some(text));
        };
        check("yyyy-mm-dd hh:mi:ss", "2024-07-08 15:06:07");
        check("YYYYMMDD HH24MISS.ff3", "20240708 150607.089");
        check("北京yyyy年", "北京2024年");
        assert_eq!(Pattern::of_maxcompute("yyyy-mm-dd").parse("2024-7-8"), None);
        assert_eq!(Pattern::of_maxcompute("yyyy-mm-dd").parse("2024-02-30"), None);
        assert_eq!(Pattern::of_maxcompute("yyyy").parse("2024 "), None);
    }

    #[test]
    fn patterns_of_java() {
        let check = |pattern: &str, expected: &str| {
            let got = Pattern::of_java(pattern).map(|pattern| pattern.format(moment()));
            assert_eq!(got.unwrap_or_else(|error| error), expected);
        };
        check("yyyy-MM-dd HH:mm:ss.SSS", "2024-07-08 15:06:07.089");
        check("d/M/yy h 'o''clock' a", "8/7/24 3 o'clock PM");
        check("EEE, MMM D", "Mon, Jul 190");
        check("''yyyy", "'2024");
        check("QQ", "the letter Q of the pattern 'QQ' is not supported");
        check("'x", "the pattern ''x' has a quote that is not closed");
        let parsed = Pattern::of_java("yyyy-MM-dd HH").unwrap().parse("2024-7-8 5");
        assert_eq!(parsed.unwrap().to_string(), "2024-07-08 05:00:00");
        assert_eq!(Pattern::of_java("yyyyMMdd").unwrap().parse("202478"), None);
    }
}

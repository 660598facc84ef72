//! Dates and times.

use super::call::{Call, Definition, Gives, function};
use super::pattern::Pattern;
use arrow::array::{Array, ArrayRef, StringArray};
use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use datafusion::common::Result;
use std::collections::HashMap;

pub(super) const FUNCTIONS: &[Definition] = &[
    function("getdate", (0, 0), Gives::DateTime, now),
    function("now", (0, 0), Gives::DateTime, now),
    function("current_timestamp", (0, 0), Gives::Timestamp, now),
    function("current_date", (0, 0), Gives::Date, now),
    function("current_timezone", (0, 0), Gives::Text, |call| {
        call.give_texts((0..call.n_rows).map(|_| Some(call.session.zone_name.clone())))
    }),
    function("date_format", (2, 2), Gives::Text, |call| {
        let patterns = call.texts(1)?;
        format(call, &patterns, Pattern::of_java)
    }),
    function("to_char", (1, 2), Gives::Text, to_char),
    function("to_date", (1, 2), Gives::ByArity(&Gives::Date, &Gives::DateTime), |call| match call.n_arguments() {
        1 => call.give_moments(call.moments(0)?.into_iter()),
        _ => call.give_moments(parse(call, |pattern| Ok(Pattern::of_maxcompute(pattern)))?.into_iter()),
    }),
    function("isdate", (2, 2), Gives::Boolean, |call| {
        let parsed = parse(call, |pattern| Ok(Pattern::of_maxcompute(pattern)))?;
        let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
        let is_known = |row| texts.is_valid(row) && patterns.is_valid(row);
        call.give_booleans(parsed.iter().enumerate().map(|(row, moment)| is_known(row).then_some(moment.is_some())))
    }),
    function("unix_timestamp", (0, 2), Gives::BigInt, unix_timestamp),
    function("from_unixtime", (1, 2), Gives::ByArity(&Gives::DateTime, &Gives::Text), from_unixtime),
    function("dateadd", (3, 3), Gives::LikeFirst, dateadd),
    function("date_add", (2, 2), Gives::Date, |call| add_days(call, 1)),
    function("date_sub", (2, 2), Gives::Date, |call| add_days(call, -1)),
    function("add_months", (2, 2), Gives::Date, |call| {
        let (moments, months) = (call.moments(0)?, call.integers(1)?);
        call.give_moments(moments.into_iter().zip(&months).map(|(moment, months)| add_months(moment?, months?)))
    }),
    function("datediff", (2, 3), Gives::BigInt, datediff),
    function("datetrunc", (2, 2), Gives::LikeFirst, |call| {
        let units = units(call, 1)?;
        call.give_moments(call.moments(0)?.into_iter().zip(units).map(|(moment, unit)| Some(unit?.truncate(moment?))))
    }),
    function("datepart", (2, 2), Gives::BigInt, |call| {
        let units = units(call, 1)?;
        call.give_integers(call.moments(0)?.into_iter().zip(units).map(|(moment, unit)| Some(unit?.of(moment?))))
    }),
    function("months_between", (2, 2), Gives::Double, |call| {
        let (later, earlier) = (call.moments(0)?, call.moments(1)?);
        call.give_doubles(later.into_iter().zip(earlier).map(|(later, earlier)| Some(months_between(later?, earlier?))))
    }),
    function("last_day", (1, 1), Gives::Date, last_day),
    function("lastday", (1, 1), Gives::DateTime, last_day),
    function("year", (1, 1), Gives::Int, |call| part(call, |moment| moment.year().into())),
    function("quarter", (1, 1), Gives::Int, |call| part(call, |moment| moment.quarter().into())),
    function("month", (1, 1), Gives::Int, |call| part(call, |moment| moment.month().into())),
    function("weekofyear", (1, 1), Gives::BigInt, |call| part(call, |moment| moment.iso_week().week().into())),
    function("day", (1, 1), Gives::Int, |call| part(call, |moment| moment.day().into())),
    function("dayofmonth", (1, 1), Gives::Int, |call| part(call, |moment| moment.day().into())),
    function("dayofyear", (1, 1), Gives::Int, |call| part(call, |moment| moment.ordinal().into())),
    function("dayofweek", (1, 1), Gives::Int, |call| part(call, |moment| moment.weekday().number_from_sunday().into())),
    function("weekday", (1, 1), Gives::BigInt, |call| {
        part(call, |moment| moment.weekday().num_days_from_monday().into())
    }),
    function("hour", (1, 1), Gives::Int, |call| part(call, |moment| moment.hour().into())),
    function("minute", (1, 1), Gives::Int, |call| part(call, |moment| moment.minute().into())),
    function("second", (1, 1), Gives::Int, |call| part(call, |moment| moment.second().into())),
];

fn now(call: &Call<'_>) -> Result<ArrayRef> {
    let now = call.session.now;
    let local = now.naive_utc() + TimeDelta::seconds(call.session.zone.offset_seconds(now.timestamp()));
    call.give_moments((0..call.n_rows).map(|_| Some(local)))
}

fn part(call: &Call<'_>, part: fn(NaiveDateTime) -> i64) -> Result<ArrayRef> {
    call.give_integers(call.moments(0)?.into_iter().map(|moment| moment.map(part)))
}

/// Patterns are mostly one constant: each is read once.
struct Patterns<'a> {
    read: fn(&str) -> std::result::Result<Pattern, String>,
    call: &'a Call<'a>,
    known: HashMap<String, Pattern>,
}

impl<'a> Patterns<'a> {
    fn new(call: &'a Call<'a>, read: fn(&str) -> std::result::Result<Pattern, String>) -> Self {
        Self { read, call, known: HashMap::new() }
    }

    fn get(&mut self, pattern: &str) -> Result<&Pattern> {
        if !self.known.contains_key(pattern) {
            let read = (self.read)(pattern).map_err(|error| self.call.refused(error))?;
            self.known.insert(pattern.to_owned(), read);
        }
        Ok(&self.known[pattern])
    }
}

fn format(
    call: &Call<'_>,
    patterns: &StringArray,
    read: fn(&str) -> std::result::Result<Pattern, String>,
) -> Result<ArrayRef> {
    let mut known = Patterns::new(call, read);
    let mut texts = Vec::with_capacity(call.n_rows);
    for (moment, pattern) in call.moments(0)?.into_iter().zip(patterns) {
        texts.push(match (moment, pattern) {
            (Some(moment), Some(pattern)) => Some(known.get(pattern)?.format(moment)),
            _ => None,
        });
    }
    call.give_texts(texts.into_iter())
}

/// Texts by the patterns beside them; NULL where they do not follow them.
fn parse(
    call: &Call<'_>,
    read: fn(&str) -> std::result::Result<Pattern, String>,
) -> Result<Vec<Option<NaiveDateTime>>> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let mut known = Patterns::new(call, read);
    let rows = texts.iter().zip(&patterns).map(|(text, pattern)| match (text, pattern) {
        (Some(text), Some(pattern)) => Ok(known.get(pattern)?.parse(text)),
        _ => Ok(None),
    });
    rows.collect()
}

fn to_char(call: &Call<'_>) -> Result<ArrayRef> {
    if call.n_arguments() == 2 {
        let patterns = call.texts(1)?;
        return format(call, &patterns, |pattern| Ok(Pattern::of_maxcompute(pattern)));
    }
    let texts = call.texts(0)?;
    call.give_texts(texts.iter().map(|text| text.map(str::to_owned)))
}

fn unix_timestamp(call: &Call<'_>) -> Result<ArrayRef> {
    let moments = match call.n_arguments() {
        0 => return call.give_integers((0..call.n_rows).map(|_| Some(call.session.now.timestamp()))),
        1 => call.moments(0)?,
        _ if call.is_moment(0) => return Err(call.refused("a pattern is for a text, not for a date or time")),
        _ => parse(call, Pattern::of_java)?,
    };
    let instant = |moment: NaiveDateTime| {
        let seconds = moment.and_utc().timestamp();
        seconds - call.session.zone.offset_of_local(seconds)
    };
    call.give_integers(moments.into_iter().map(|moment| moment.map(instant)))
}

fn from_unixtime(call: &Call<'_>) -> Result<ArrayRef> {
    let local = |seconds: i64| {
        let offset = call.session.zone.offset_seconds(seconds);
        let local = chrono::DateTime::from_timestamp(seconds.checked_add(offset)?, 0)?.naive_utc();
        (0..=9999).contains(&local.year()).then_some(local)
    };
    let seconds = call.integers(0)?;
    let moments = seconds.iter().map(|seconds| local(seconds?));
    if call.n_arguments() == 1 {
        return call.give_moments(moments);
    }
    let patterns = call.texts(1)?;
    let mut known = Patterns::new(call, Pattern::of_java);
    let mut texts = Vec::with_capacity(call.n_rows);
    for (moment, pattern) in moments.zip(&patterns) {
        texts.push(match (moment, pattern) {
            (Some(moment), Some(pattern)) => Some(known.get(pattern)?.format(moment)),
            _ => None,
        });
    }
    call.give_texts(texts.into_iter())
}

/// What dates are counted in.
#[derive(Clone, Copy)]
enum Unit {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

impl Unit {
    fn by_name(name: &str) -> Option<Self> {
        Some(match name.to_lowercase().as_str() {
            "yyyy" | "year" => Self::Year,
            "mm" | "month" | "mon" => Self::Month,
            "dd" | "day" => Self::Day,
            "hh" | "hour" => Self::Hour,
            "mi" | "minute" => Self::Minute,
            "ss" | "second" => Self::Second,
            "ff3" | "millisecond" => Self::Millisecond,
            _ => return None,
        })
    }

    fn truncate(self, moment: NaiveDateTime) -> NaiveDateTime {
        let date = moment.date();
        let begin = |date: Option<NaiveDate>| date.map_or(moment, |date| date.and_time(NaiveTime::MIN));
        let at = |hour, minute, second, nanos| date.and_hms_nano_opt(hour, minute, second, nanos).unwrap_or(moment);
        match self {
            Self::Year => begin(NaiveDate::from_ymd_opt(date.year(), 1, 1)),
            Self::Month => begin(date.with_day(1)),
            Self::Day => begin(Some(date)),
            Self::Hour => at(moment.hour(), 0, 0, 0),
            Self::Minute => at(moment.hour(), moment.minute(), 0, 0),
            Self::Second => at(moment.hour(), moment.minute(), moment.second(), 0),
            Self::Millisecond => {
                at(moment.hour(), moment.minute(), moment.second(), moment.nanosecond() / 1_000_000 * 1_000_000)
            }
        }
    }

    fn of(self, moment: NaiveDateTime) -> i64 {
        match self {
            Self::Year => moment.year().into(),
            Self::Month => moment.month().into(),
            Self::Day => moment.day().into(),
            Self::Hour => moment.hour().into(),
            Self::Minute => moment.minute().into(),
            Self::Second => moment.second().into(),
            Self::Millisecond => i64::from(moment.nanosecond()) / 1_000_000,
        }
    }

    fn add(self, moment: NaiveDateTime, n: i64) -> Option<NaiveDateTime> {
        let moved = match self {
            Self::Year => add_months(moment, n.checked_mul(12)?)?,
            Self::Month => add_months(moment, n)?,
            Self::Day => moment.checked_add_signed(TimeDelta::try_days(n)?)?,
            Self::Hour => moment.checked_add_signed(TimeDelta::try_hours(n)?)?,
            Self::Minute => moment.checked_add_signed(TimeDelta::try_minutes(n)?)?,
            Self::Second => moment.checked_add_signed(TimeDelta::try_seconds(n)?)?,
            Self::Millisecond => moment.checked_add_signed(TimeDelta::try_milliseconds(n)?)?,
        };
        (0..=9999).contains(&moved.year()).then_some(moved)
    }

    /// How often the unit began between two moments.
    fn between(self, earlier: NaiveDateTime, later: NaiveDateTime) -> i64 {
        let apart = self.truncate(later) - self.truncate(earlier);
        let months = |moment: NaiveDateTime| i64::from(moment.year()) * 12 + i64::from(moment.month0());
        match self {
            Self::Year => i64::from(later.year()) - i64::from(earlier.year()),
            Self::Month => months(later) - months(earlier),
            Self::Day => apart.num_days(),
            Self::Hour => apart.num_hours(),
            Self::Minute => apart.num_minutes(),
            Self::Second => apart.num_seconds(),
            Self::Millisecond => apart.num_milliseconds(),
        }
    }
}

/// The units that an argument names.
fn units(call: &Call<'_>, position: usize) -> Result<Vec<Option<Unit>>> {
    let names = call.texts(position)?;
    let unit = |name: &str| {
        let refused = || call.refused(format!("'{name}' is no unit: use yyyy, mm, dd, hh, mi, ss or ff3"));
        Unit::by_name(name).ok_or_else(refused)
    };
    names.iter().map(|name| name.map(unit).transpose()).collect()
}

fn dateadd(call: &Call<'_>) -> Result<ArrayRef> {
    let (moments, deltas, units) = (call.moments(0)?, call.integers(1)?, units(call, 2)?);
    let rows = moments.into_iter().zip(&deltas).zip(units);
    call.give_moments(rows.map(|((moment, delta), unit)| unit?.add(moment?, delta?)))
}

fn datediff(call: &Call<'_>) -> Result<ArrayRef> {
    let (later, earlier) = (call.moments(0)?, call.moments(1)?);
    let units = match call.n_arguments() {
        2 => vec![Some(Unit::Day); call.n_rows],
        _ => units(call, 2)?,
    };
    let rows = later.into_iter().zip(earlier).zip(units);
    call.give_integers(rows.map(|((later, earlier), unit)| Some(unit?.between(earlier?, later?))))
}

fn add_days(call: &Call<'_>, sign: i64) -> Result<ArrayRef> {
    let (moments, days) = (call.moments(0)?, call.integers(1)?);
    let rows = moments.into_iter().zip(&days);
    call.give_moments(rows.map(|(moment, days)| Unit::Day.add(moment?, days?.checked_mul(sign)?)))
}

/// The last day of the month stands in for days that the month does not have.
fn add_months(moment: NaiveDateTime, months: i64) -> Option<NaiveDateTime> {
    let n = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    if months < 0 { moment.checked_sub_months(n) } else { moment.checked_add_months(n) }
}

fn last_of_month(moment: NaiveDateTime) -> Option<NaiveDateTime> {
    let next = Unit::Month.truncate(moment).checked_add_months(Months::new(1))?;
    next.checked_sub_days(Days::new(1))
}

fn last_day(call: &Call<'_>) -> Result<ArrayRef> {
    call.give_moments(call.moments(0)?.into_iter().map(|moment| last_of_month(moment?)))
}

/// Whole months between equal days or last days, else with days as parts of 31, to eight digits.
fn months_between(later: NaiveDateTime, earlier: NaiveDateTime) -> f64 {
    let months = Unit::Month.between(earlier, later);
    let is_last = |moment| last_of_month(moment).is_some_and(|last| last.date() == moment.date());
    if later.day() == earlier.day() || (is_last(later) && is_last(earlier)) {
        return months as f64;
    }
    let seconds =
        |moment: NaiveDateTime| i64::from(moment.day()) * 86_400 + i64::from(moment.time().num_seconds_from_midnight());
    let fraction = (seconds(later) - seconds(earlier)) as f64 / (31.0 * 86_400.0);
    ((months as f64 + fraction) * 1e8).round() / 1e8
}

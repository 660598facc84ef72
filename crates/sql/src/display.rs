//! Values as text: what the grid, the seeds' tables and the exports show.

use arrow::array::timezone::Tz;
use arrow::array::*;
use arrow::datatypes::*;
use chrono::{DateTime, LocalResult, Offset, TimeZone};
use std::fmt::Write;

/// Metadata key of a field whose SQL type the Arrow type does not tell, e.g. `char(3)`.
pub(crate) const SQL_TYPE: &str = "lakedeck.type";

/// A session's time zone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Zone(Tz);

impl Default for Zone {
    fn default() -> Self {
        Self::parse("UTC").expect("UTC is a time zone")
    }
}

impl Zone {
    /// `Asia/Shanghai`, `UTC` or `+08:00`.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    /// Seconds that local time is ahead of UTC at an instant.
    pub(crate) fn offset_seconds(self, instant_seconds: i64) -> i64 {
        match DateTime::from_timestamp(instant_seconds, 0) {
            Some(instant) => i64::from(self.0.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc()),
            None => 0,
        }
    }
}

/// Seconds of the day before a change of the clock, when the old offset still holds.
const DAY_SECONDS: i64 = 86_400;

impl Zone {
    /// Seconds that a local time is ahead of UTC. Of two the earlier moment is meant; a time that the clock skipped
    /// moves forward by the gap.
    pub(crate) fn offset_of_local(self, local_seconds: i64) -> i64 {
        let Some(local) = DateTime::from_timestamp(local_seconds, 0).map(|instant| instant.naive_utc()) else {
            return 0;
        };
        match self.0.offset_from_local_datetime(&local) {
            LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => {
                i64::from(offset.fix().local_minus_utc())
            }
            LocalResult::None => self.offset_seconds(local_seconds - DAY_SECONDS),
        }
    }
}

/// The SQL name of a column's type, lower case.
pub(crate) fn sql_type(field: &Field) -> String {
    match field.metadata().get(SQL_TYPE) {
        Some(name) => name.clone(),
        None => type_name(field.data_type()),
    }
}

/// The SQL name of an Arrow type, lower case.
pub(crate) fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "void".into(),
        DataType::Boolean => "boolean".into(),
        DataType::Int8 => "tinyint".into(),
        DataType::Int16 | DataType::UInt8 => "smallint".into(),
        DataType::Int32 | DataType::UInt16 => "int".into(),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => "bigint".into(),
        DataType::Float16 | DataType::Float32 => "float".into(),
        DataType::Float64 => "double".into(),
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => format!("decimal({p},{s})"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Time32(_) | DataType::Time64(_) => {
            "string".into()
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "binary".into()
        }
        DataType::Date32 | DataType::Date64 => "date".into(),
        DataType::Timestamp(TimeUnit::Second | TimeUnit::Millisecond, Some(_)) => "datetime".into(),
        DataType::Timestamp(_, Some(_)) => "timestamp".into(),
        DataType::Timestamp(_, None) => "timestamp_ntz".into(),
        DataType::Interval(_) | DataType::Duration(_) => "interval".into(),
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::ListView(element)
        | DataType::LargeListView(element)
        | DataType::FixedSizeList(element, _) => format!("array<{}>", sql_type(element)),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(parts) if parts.len() == 2 => {
                format!("map<{},{}>", sql_type(&parts[0]), sql_type(&parts[1]))
            }
            _ => "map".into(),
        },
        DataType::Struct(fields) => {
            let fields: Vec<_> = fields.iter().map(|f| format!("{}:{}", f.name(), sql_type(f))).collect();
            format!("struct<{}>", fields.join(","))
        }
        DataType::Dictionary(_, value) => type_name(value),
        DataType::RunEndEncoded(_, values) => type_name(values.data_type()),
        DataType::Union(..) => "union".into(),
    }
}

pub(crate) fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

/// One value as text, `None` for NULL.
pub(crate) fn value_text(array: &dyn Array, row: usize, zone: Zone) -> Option<String> {
    if array.is_null(row) || array.data_type() == &DataType::Null {
        return None;
    }
    let mut text = String::new();
    write_value(&mut text, array, row, zone);
    Some(text)
}

/// An instant as DATETIME.
pub(crate) fn instant_text(millis: i64, zone: Zone) -> String {
    let instant = TimestampMillisecondArray::from(vec![millis]).with_timezone("UTC");
    value_text(&instant, 0, zone).unwrap_or_default()
}

/// Appends a value that is not NULL.
fn write_value(out: &mut String, array: &dyn Array, row: usize, zone: Zone) {
    macro_rules! plain {
        ($t:ty) => {
            push(out, format_args!("{}", array.as_primitive::<$t>().value(row)))
        };
    }
    match array.data_type() {
        DataType::Boolean => push(out, format_args!("{}", array.as_boolean().value(row))),
        DataType::Int8 => plain!(Int8Type),
        DataType::Int16 => plain!(Int16Type),
        DataType::Int32 => plain!(Int32Type),
        DataType::Int64 => plain!(Int64Type),
        DataType::UInt8 => plain!(UInt8Type),
        DataType::UInt16 => plain!(UInt16Type),
        DataType::UInt32 => plain!(UInt32Type),
        DataType::UInt64 => plain!(UInt64Type),
        DataType::Float32 => {
            let value = array.as_primitive::<Float32Type>().value(row);
            float(out, f64::from(value), format_args!("{value:?}"));
        }
        DataType::Float64 => {
            let value = array.as_primitive::<Float64Type>().value(row);
            float(out, value, format_args!("{value:?}"));
        }
        DataType::Decimal128(p, s) => {
            out.push_str(&Decimal128Type::format_decimal(array.as_primitive::<Decimal128Type>().value(row), *p, *s));
        }
        DataType::Decimal256(p, s) => {
            out.push_str(&Decimal256Type::format_decimal(array.as_primitive::<Decimal256Type>().value(row), *p, *s));
        }
        DataType::Utf8 => out.push_str(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => out.push_str(array.as_string::<i64>().value(row)),
        DataType::Utf8View => out.push_str(array.as_string_view().value(row)),
        DataType::Binary => hex(out, array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => hex(out, array.as_binary::<i64>().value(row)),
        DataType::BinaryView => hex(out, array.as_binary_view().value(row)),
        DataType::FixedSizeBinary(_) => hex(out, array.as_fixed_size_binary().value(row)),
        DataType::Date32 => date(out, i64::from(array.as_primitive::<Date32Type>().value(row))),
        DataType::Date64 => date(out, array.as_primitive::<Date64Type>().value(row).div_euclid(86_400_000)),
        DataType::Timestamp(unit, tz) => {
            let (value, per_second, digits) = match unit {
                TimeUnit::Second => (array.as_primitive::<TimestampSecondType>().value(row), 1, 0),
                TimeUnit::Millisecond => (array.as_primitive::<TimestampMillisecondType>().value(row), 1_000, 3),
                TimeUnit::Microsecond => (array.as_primitive::<TimestampMicrosecondType>().value(row), 1_000_000, 6),
                TimeUnit::Nanosecond => (array.as_primitive::<TimestampNanosecondType>().value(row), 1_000_000_000, 9),
            };
            let seconds = value.div_euclid(per_second);
            let fraction = value.rem_euclid(per_second);
            let local = if tz.is_some() { seconds + zone.offset_seconds(seconds) } else { seconds };
            date(out, local.div_euclid(86_400));
            out.push(' ');
            let keeps_zeros = tz.is_some() && digits == 3;
            time_of_day(out, local.rem_euclid(86_400), fraction, digits, keeps_zeros);
        }
        DataType::Time32(TimeUnit::Second) => {
            time_of_day(out, i64::from(array.as_primitive::<Time32SecondType>().value(row)), 0, 0, true);
        }
        DataType::Time32(_) => {
            let value = i64::from(array.as_primitive::<Time32MillisecondType>().value(row));
            time_of_day(out, value.div_euclid(1_000), value.rem_euclid(1_000), 3, true);
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            let value = array.as_primitive::<Time64MicrosecondType>().value(row);
            time_of_day(out, value.div_euclid(1_000_000), value.rem_euclid(1_000_000), 6, false);
        }
        DataType::Time64(_) => {
            let value = array.as_primitive::<Time64NanosecondType>().value(row);
            time_of_day(out, value.div_euclid(1_000_000_000), value.rem_euclid(1_000_000_000), 9, false);
        }
        DataType::List(_) => list(out, &array.as_list::<i32>().value(row), zone),
        DataType::LargeList(_) => list(out, &array.as_list::<i64>().value(row), zone),
        DataType::FixedSizeList(..) => list(out, &array.as_fixed_size_list().value(row), zone),
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            out.push('{');
            for i in 0..entries.len() {
                separate(out, i);
                nested(out, entries.column(0).as_ref(), i, zone);
                out.push(':');
                nested(out, entries.column(1).as_ref(), i, zone);
            }
            out.push('}');
        }
        DataType::Struct(fields) => match variant_json(array, row) {
            Some(json) => out.push_str(&json),
            None => {
                let columns = array.as_struct();
                out.push('{');
                for (i, field) in fields.iter().enumerate() {
                    separate(out, i);
                    quoted(out, field.name());
                    out.push(':');
                    nested(out, columns.column(i).as_ref(), row, zone);
                }
                out.push('}');
            }
        },
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let key = dictionary.normalized_keys()[row];
            write_value(out, dictionary.values().as_ref(), key, zone);
        }
        _ => match arrow::util::display::array_value_to_string(array, row) {
            Ok(text) => out.push_str(&text),
            Err(error) => push(out, format_args!("<{error}>")),
        },
    }
}

/// The Arrow form of Paimon's VARIANT is a struct of two binaries; it is read as JSON text.
fn variant_json(array: &dyn Array, row: usize) -> Option<String> {
    if array.data_type() != &paimon::arrow::variant_arrow_type() {
        return None;
    }
    let parts = array.as_struct();
    let part = |name| parts.column_by_name(name).map(|column| column.as_binary::<i32>().value(row).to_vec());
    let variant = paimon::variant::GenericVariant::from_parts(part("value")?, part("metadata")?).ok()?;
    variant.to_json().ok()
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a String cannot fail");
}

fn float(out: &mut String, value: f64, shortest: std::fmt::Arguments<'_>) {
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    } else {
        let from = out.len();
        push(out, shortest);
        if let Some(at) = out[from..].find('e') {
            let exponent = out.split_off(from + at);
            if !out[from..].contains('.') {
                out.push_str(".0");
            }
            out.push('E');
            out.push_str(&exponent[1..]);
        }
    }
}

fn hex(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        push(out, format_args!("{byte:02X}"));
    }
}

/// `yyyy-MM-dd` of a day counted from 1970-01-01 in the proleptic Gregorian calendar.
fn date(out: &mut String, days: i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    push(out, format_args!("{year:04}-{month:02}-{day:02}"));
}

/// `HH:mm:ss` and the fraction: none if it is zero; whole or without trailing zeros.
fn time_of_day(out: &mut String, seconds: i64, fraction: i64, digits: usize, keeps_zeros: bool) {
    push(out, format_args!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60));
    if fraction != 0 {
        push(out, format_args!(".{fraction:0digits$}"));
        if !keeps_zeros {
            out.truncate(out.trim_end_matches('0').len());
        }
    }
}

fn separate(out: &mut String, index: usize) {
    if index > 0 {
        out.push(',');
    }
}

fn list(out: &mut String, values: &ArrayRef, zone: Zone) {
    out.push('[');
    for i in 0..values.len() {
        separate(out, i);
        nested(out, values.as_ref(), i, zone);
    }
    out.push(']');
}

/// A value inside another: texts in quotes, so that `[a,b]` and `["a,b"]` differ.
fn nested(out: &mut String, array: &dyn Array, row: usize, zone: Zone) {
    match value_text(array, row, zone) {
        None => out.push_str("null"),
        Some(text) if is_bare(array.data_type()) => out.push_str(&text),
        Some(text) => quoted(out, &text),
    }
}

fn is_bare(data_type: &DataType) -> bool {
    data_type.is_numeric() || data_type.is_nested() || data_type == &DataType::Boolean
}

fn quoted(out: &mut String, text: &str) {
    match serde_json::to_string(text) {
        Ok(json) => out.push_str(&json),
        Err(error) => push(out, format_args!("<{error}>")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn check(array: ArrayRef, zone: &str, expected: &str) {
        let zone = Zone::parse(zone).expect("a zone");
        assert_eq!(value_text(array.as_ref(), 0, zone).unwrap_or_else(|| "NULL".into()), expected);
    }

    #[test]
    fn numbers() {
        check(Arc::new(Int64Array::from(vec![i64::MIN])), "UTC", "-9223372036854775808");
        check(Arc::new(Float64Array::from(vec![1.0])), "UTC", "1.0");
        check(Arc::new(Float64Array::from(vec![1e300])), "UTC", "1.0E300");
        check(Arc::new(Float64Array::from(vec![1.5e-7])), "UTC", "1.5E-7");
        check(Arc::new(Float64Array::from(vec![f64::NEG_INFINITY])), "UTC", "-Infinity");
        check(Arc::new(Float32Array::from(vec![0.1])), "UTC", "0.1");
        let decimal = Decimal128Array::from(vec![-150]).with_precision_and_scale(10, 2).unwrap();
        check(Arc::new(decimal), "UTC", "-1.50");
        check(Arc::new(Int32Array::from(vec![None])), "UTC", "NULL");
    }

    #[test]
    fn dates_and_timestamps() {
        check(Arc::new(Date32Array::from(vec![0])), "UTC", "1970-01-01");
        check(Arc::new(Date32Array::from(vec![-719_162])), "UTC", "0001-01-01");
        check(Arc::new(Date32Array::from(vec![2_932_896])), "UTC", "9999-12-31");
        let millis = |value| TimestampMillisecondArray::from(vec![value]);
        check(Arc::new(millis(1_756_211_696_120)), "UTC", "2025-08-26 12:34:56.12");
        check(Arc::new(millis(1_756_211_696_120).with_timezone("UTC")), "UTC", "2025-08-26 12:34:56.120");
        check(Arc::new(millis(1_756_211_696_000).with_timezone("UTC")), "Asia/Shanghai", "2025-08-26 20:34:56");
        check(Arc::new(millis(-1)), "UTC", "1969-12-31 23:59:59.999");
        let nanos = TimestampNanosecondArray::from(vec![1_756_211_696_123_456_789]);
        check(Arc::new(nanos), "UTC", "2025-08-26 12:34:56.123456789");
    }

    #[test]
    fn nested_values() {
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1), None])]);
        check(Arc::new(list), "UTC", "[1,null]");
        let fields = StructArray::from(vec![(
            Arc::new(Field::new("a", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec!["x\"y"])) as ArrayRef,
        )]);
        check(Arc::new(fields), "UTC", r#"{"a":"x\"y"}"#);
    }
}

//! Assignment: what a value becomes in a column, or why it cannot.

use crate::display::{self, Zone};
use crate::types;
use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, PrimitiveArray, StringArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
};
use arrow::compute::kernels::cast_utils::string_to_datetime;
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType as ArrowType, Decimal128Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::util::display::FormatOptions;
use chrono::{DateTime, NaiveDateTime, Utc};
use paimon::spec::{DataField, DataType};
use std::sync::Arc;

/// Why a value does not fit, and in which row of its batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub row: usize,
    pub text: String,
}

/// How values become those of one column.
#[derive(Clone, Debug)]
pub(crate) struct Conversion {
    field: DataField,
    target: ArrowType,
    zone: Zone,
    zone_name: String,
    /// Too long texts are cut instead of refused.
    cuts_texts: bool,
}

impl Conversion {
    /// `None` for types that cannot be written.
    pub(crate) fn new(field: &DataField, zone: Zone, zone_name: &str, cuts_texts: bool) -> Option<Self> {
        let writable = !matches!(field.data_type(), DataType::Time(_) | DataType::Multiset(_) | DataType::Blob(_));
        let target = paimon::arrow::paimon_type_to_arrow(field.data_type()).ok()?;
        writable.then(|| Self { field: field.clone(), target, zone, zone_name: zone_name.into(), cuts_texts })
    }

    pub(crate) fn name(&self) -> &str {
        self.field.name()
    }

    pub(crate) fn is_nullable(&self) -> bool {
        self.field.data_type().is_nullable()
    }

    pub(crate) fn target(&self) -> &ArrowType {
        &self.target
    }

    /// The values in the column's type.
    pub(crate) fn convert(&self, values: &ArrayRef) -> Result<ArrayRef, Refused> {
        let converted = match (&self.target, values.data_type()) {
            (target, source) if target == source => Arc::clone(values),
            (_, ArrowType::Null) => arrow::array::new_null_array(&self.target, values.len()),
            (ArrowType::Utf8, _) => self.to_text(values)?,
            (ArrowType::Timestamp(unit, zone), _) => self.to_timestamp(values, *unit, zone.is_some())?,
            (ArrowType::Date32, ArrowType::Timestamp(_, zone)) => {
                let local = if zone.is_some() { self.to_local(values) } else { Arc::clone(values) };
                let days = seconds(&local).into_iter().map(|v| v.map(|v| v.div_euclid(86_400)));
                self.checked(values, &(Arc::new(days.collect::<Int64Array>()) as ArrayRef))?
            }
            (ArrowType::Struct(_), source) if *source != self.target && is_variant(&self.field) => {
                return Err(Refused { row: 0, text: "a JSON value is written through parse_json(…)".into() });
            }
            _ => self.checked(values, values)?,
        };
        let converted = self.fitting(values, converted)?;
        if !self.field.data_type().is_nullable()
            && let Some(row) = (0..converted.len()).find(|row| converted.is_null(*row))
        {
            let text = format!("NULL value in column {} which is defined NOT NULL", self.field.name());
            return Err(Refused { row, text });
        }
        Ok(converted)
    }

    /// Casts `values`; where a value is lost, `shown` tells which it was.
    fn checked(&self, shown: &ArrayRef, values: &ArrayRef) -> Result<ArrayRef, Refused> {
        let options = CastOptions { safe: true, format_options: FormatOptions::default() };
        let cast = cast_with_options(values, &self.target, &options).map_err(|_| self.no_cast(values.data_type()))?;
        match (0..cast.len()).find(|row| cast.is_null(*row) && !values.is_null(*row)) {
            Some(row) => Err(self.refused(shown, row)),
            None => Ok(cast),
        }
    }

    fn no_cast(&self, source: &ArrowType) -> Refused {
        let (from, to) = (display::type_name(source), types::sql_name(self.field.data_type()));
        Refused { row: 0, text: format!("{from} cannot be converted to {to}") }
    }

    fn refused(&self, values: &ArrayRef, row: usize) -> Refused {
        let value = display::value_text(values.as_ref(), row, self.zone).unwrap_or_else(|| "NULL".into());
        let shown: String = value.chars().take(50).collect();
        let name = types::sql_name(self.field.data_type());
        Refused { row, text: format!("'{shown}' cannot be converted to {name}") }
    }

    fn to_text(&self, values: &ArrayRef) -> Result<ArrayRef, Refused> {
        Ok(match values.data_type() {
            ArrowType::LargeUtf8 | ArrowType::Utf8View => {
                cast(values, &ArrowType::Utf8).map_err(|_| self.no_cast(values.data_type()))?
            }
            ArrowType::Binary | ArrowType::LargeBinary | ArrowType::BinaryView => self.checked(values, values)?,
            _ => {
                let texts: StringArray =
                    (0..values.len()).map(|row| display::value_text(values.as_ref(), row, self.zone)).collect();
                Arc::new(texts)
            }
        })
    }

    /// Digits beyond the precision are cut off, towards the past.
    fn to_timestamp(&self, values: &ArrayRef, unit: TimeUnit, is_instant: bool) -> Result<ArrayRef, Refused> {
        let local = match values.data_type() {
            ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View => {
                let zone = is_instant.then(|| Arc::from(self.zone_name.as_str()));
                let options = CastOptions { safe: true, format_options: FormatOptions::default() };
                let parsed = cast_with_options(values, &ArrowType::Timestamp(unit, zone), &options)
                    .map_err(|_| self.no_cast(values.data_type()))?;
                if let Some(row) = (0..parsed.len()).find(|row| parsed.is_null(*row) && !values.is_null(*row)) {
                    return Err(self.refused(values, row));
                }
                return Ok(with_zone(&parsed, is_instant.then_some("UTC")));
            }
            ArrowType::Date32 | ArrowType::Date64 => {
                let days = cast(values, &ArrowType::Date32)
                    .and_then(|days| cast(&days, &ArrowType::Timestamp(TimeUnit::Second, None)))
                    .map_err(|_| self.no_cast(values.data_type()))?;
                if is_instant { self.to_instant(&days) } else { days }
            }
            ArrowType::Timestamp(_, None) if is_instant => self.to_instant(values),
            ArrowType::Timestamp(_, Some(_)) if !is_instant => self.to_local(values),
            ArrowType::Timestamp(..) => Arc::clone(values),
            other => return Err(self.no_cast(other)),
        };
        let converted = in_unit(&local, unit);
        match (0..converted.len()).find(|row| converted.is_null(*row) && !values.is_null(*row)) {
            Some(row) => {
                let precision = types::sql_name(self.field.data_type());
                let text = format!("timestamp out of range for precision of {precision}");
                Err(Refused { row, text })
            }
            None => Ok(with_zone(&converted, is_instant.then_some("UTC"))),
        }
    }

    /// Wall-clock times as instants in the session's zone.
    fn to_instant(&self, values: &ArrayRef) -> ArrayRef {
        self.shifted(values, |local| -self.zone.offset_of_local(local))
    }

    /// Instants as wall-clock times in the session's zone.
    fn to_local(&self, values: &ArrayRef) -> ArrayRef {
        self.shifted(values, |instant| self.zone.offset_seconds(instant))
    }

    fn shifted(&self, values: &ArrayRef, shift_seconds: impl Fn(i64) -> i64) -> ArrayRef {
        let values = with_zone(values, None);
        map_timestamps(&values, |value, per_second| {
            value.checked_add(shift_seconds(value.div_euclid(per_second)).checked_mul(per_second)?)
        })
    }

    /// Texts and bytes that are too long are refused, or cut where the session says so.
    fn fitting(&self, shown: &ArrayRef, values: ArrayRef) -> Result<ArrayRef, Refused> {
        match self.field.data_type() {
            DataType::Decimal(t) => match too_long_decimal(&values) {
                None => Ok(values),
                Some(row) => {
                    let name = types::sql_name(self.field.data_type());
                    Err(Refused { row, text: format!("a number of more than {} digits is no {name}", t.precision()) })
                }
            },
            DataType::Char(t) => self.fitting_text(values, t.length()),
            DataType::VarChar(t) => self.fitting_text(values, t.length() as usize),
            DataType::Binary(t) => self.fitting_bytes(shown, values, t.length()),
            DataType::VarBinary(t) => self.fitting_bytes(shown, values, t.length() as usize),
            _ => Ok(values),
        }
    }

    fn fitting_text(&self, values: ArrayRef, length: usize) -> Result<ArrayRef, Refused> {
        let texts = values.as_string::<i32>();
        let too_long = |text: &str| text.len() > length && text.chars().nth(length).is_some();
        let Some(row) = (0..texts.len()).find(|row| texts.is_valid(*row) && too_long(texts.value(*row))) else {
            return Ok(values);
        };
        if self.cuts_texts {
            let cut = |text: &str| text.chars().take(length).collect::<String>();
            return Ok(Arc::new(texts.iter().map(|text| text.map(cut)).collect::<StringArray>()));
        }
        let shown: String = texts.value(row).chars().take(50).collect();
        let name = types::sql_name(self.field.data_type());
        Err(Refused { row, text: format!("'{shown}' is longer than {name}") })
    }

    fn fitting_bytes(&self, shown: &ArrayRef, values: ArrayRef, length: usize) -> Result<ArrayRef, Refused> {
        let bytes = values.as_binary::<i32>();
        match (0..bytes.len()).find(|row| bytes.is_valid(*row) && bytes.value(*row).len() > length) {
            None => Ok(values),
            Some(row) => Err(self.refused(shown, row)),
        }
    }
}

/// The first row whose decimal has more digits than its type: arithmetic does not look at them.
pub(crate) fn too_long_decimal(values: &ArrayRef) -> Option<usize> {
    let ArrowType::Decimal128(precision, _) = values.data_type() else { return None };
    let limit = 10u128.checked_pow(u32::from(*precision))?;
    let decimals = values.as_primitive::<Decimal128Type>();
    (0..decimals.len()).find(|row| decimals.is_valid(*row) && decimals.value(*row).unsigned_abs() >= limit)
}

/// The wall-clock time that a text says: `2024-07-18`, `2024-07-18 10:00:00.123`.
pub(crate) fn local_time(text: &str) -> Option<NaiveDateTime> {
    string_to_datetime(&Utc, text.trim()).ok().map(|time| time.naive_utc())
}

/// The instant of a wall-clock time in a zone, in milliseconds since 1970.
pub(crate) fn instant_millis(text: &str, zone: Zone) -> Option<i64> {
    let local = local_time(text)?.and_utc();
    Some(local.timestamp_millis() - zone.offset_of_local(local.timestamp()) * 1_000)
}

/// Timestamps as wall-clock times; instants in the zone.
pub(crate) fn local_times(values: &ArrayRef, zone: Zone) -> Vec<Option<NaiveDateTime>> {
    let per_second = per_second(unit_of(values));
    let is_instant = matches!(values.data_type(), ArrowType::Timestamp(_, Some(_)));
    let local = |value: i64| {
        let seconds = value.div_euclid(per_second);
        let nanos = value.rem_euclid(per_second) * (1_000_000_000 / per_second);
        let offset = if is_instant { zone.offset_seconds(seconds) } else { 0 };
        DateTime::from_timestamp(seconds + offset, u32::try_from(nanos).ok()?).map(|time| time.naive_utc())
    };
    numbers(values).into_iter().map(|value| value.and_then(local)).collect()
}

fn is_variant(field: &DataField) -> bool {
    matches!(field.data_type(), DataType::Variant(_))
}

/// The same numbers under another zone.
fn with_zone(values: &ArrayRef, zone: Option<&str>) -> ArrayRef {
    fn relabel<T>(values: &ArrayRef, zone: Option<&str>) -> ArrayRef
    where
        T: arrow::datatypes::ArrowTimestampType,
    {
        Arc::new(values.as_primitive::<T>().clone().with_timezone_opt(zone))
    }
    match values.data_type() {
        ArrowType::Timestamp(TimeUnit::Second, _) => relabel::<TimestampSecondType>(values, zone),
        ArrowType::Timestamp(TimeUnit::Millisecond, _) => relabel::<TimestampMillisecondType>(values, zone),
        ArrowType::Timestamp(TimeUnit::Microsecond, _) => relabel::<TimestampMicrosecondType>(values, zone),
        ArrowType::Timestamp(TimeUnit::Nanosecond, _) => relabel::<TimestampNanosecondType>(values, zone),
        _ => Arc::clone(values),
    }
}

/// Changes each value, which becomes NULL where the change gives none.
fn map_timestamps(values: &ArrayRef, change: impl Fn(i64, i64) -> Option<i64>) -> ArrayRef {
    fn map<T: ArrowPrimitiveType<Native = i64>>(
        values: &ArrayRef,
        per_second: i64,
        change: impl Fn(i64, i64) -> Option<i64>,
    ) -> ArrayRef {
        let changed: PrimitiveArray<T> =
            values.as_primitive::<T>().iter().map(|value| value.and_then(|value| change(value, per_second))).collect();
        Arc::new(changed)
    }
    match values.data_type() {
        ArrowType::Timestamp(unit, _) => {
            let per_second = per_second(*unit);
            match unit {
                TimeUnit::Second => map::<TimestampSecondType>(values, per_second, change),
                TimeUnit::Millisecond => map::<TimestampMillisecondType>(values, per_second, change),
                TimeUnit::Microsecond => map::<TimestampMicrosecondType>(values, per_second, change),
                TimeUnit::Nanosecond => map::<TimestampNanosecondType>(values, per_second, change),
            }
        }
        _ => Arc::clone(values),
    }
}

/// How many of a unit are a second.
pub(crate) fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// The numbers of a timestamp column.
fn numbers(values: &ArrayRef) -> Vec<Option<i64>> {
    match values.data_type() {
        ArrowType::Timestamp(TimeUnit::Second, _) => values.as_primitive::<TimestampSecondType>().iter().collect(),
        ArrowType::Timestamp(TimeUnit::Millisecond, _) => {
            values.as_primitive::<TimestampMillisecondType>().iter().collect()
        }
        ArrowType::Timestamp(TimeUnit::Microsecond, _) => {
            values.as_primitive::<TimestampMicrosecondType>().iter().collect()
        }
        ArrowType::Timestamp(TimeUnit::Nanosecond, _) => {
            values.as_primitive::<TimestampNanosecondType>().iter().collect()
        }
        _ => vec![None; values.len()],
    }
}

fn unit_of(values: &ArrayRef) -> TimeUnit {
    match values.data_type() {
        ArrowType::Timestamp(unit, _) => *unit,
        _ => TimeUnit::Second,
    }
}

fn seconds(values: &ArrayRef) -> Vec<Option<i64>> {
    let per_second = per_second(unit_of(values));
    numbers(values).into_iter().map(|value| value.map(|value| value.div_euclid(per_second))).collect()
}

/// Timestamps without zone in another unit: coarser by cutting off towards the past, finer where it still fits.
fn in_unit(values: &ArrayRef, unit: TimeUnit) -> ArrayRef {
    let (from, to) = (per_second(unit_of(values)), per_second(unit));
    let changed = numbers(values).into_iter().map(|value| {
        let value = value?;
        if from > to { Some(value.div_euclid(from / to)) } else { value.checked_mul(to / from) }
    });
    match unit {
        TimeUnit::Second => Arc::new(changed.collect::<TimestampSecondArray>()),
        TimeUnit::Millisecond => Arc::new(changed.collect::<TimestampMillisecondArray>()),
        TimeUnit::Microsecond => Arc::new(changed.collect::<TimestampMicrosecondArray>()),
        TimeUnit::Nanosecond => Arc::new(changed.collect::<TimestampNanosecondArray>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use paimon::spec::{
        CharType, DecimalType, IntType, LocalZonedTimestampType, TimestampType, TinyIntType, VarCharType,
    };

    /// Converts one text and shows what became of it.
    fn check(data_type: DataType, zone_name: &str, value: ArrayRef, expected: &str) {
        let zone = Zone::parse(zone_name).unwrap();
        let conversion = Conversion::new(&DataField::new(0, "c".into(), data_type), zone, zone_name, false).unwrap();
        let got = match conversion.convert(&value) {
            Ok(converted) => {
                assert_eq!(converted.data_type(), conversion.target());
                display::value_text(converted.as_ref(), 0, zone).unwrap_or_else(|| "NULL".into())
            }
            Err(refused) => format!("error in row {}: {}", refused.row, refused.text),
        };
        assert_eq!(got, expected);
    }

    fn text(value: &str) -> ArrayRef {
        Arc::new(StringArray::from(vec![value]))
    }

    #[test]
    fn numbers_from_texts() {
        check(DataType::TinyInt(TinyIntType::new()), "UTC", text("127"), "127");
        check(
            DataType::TinyInt(TinyIntType::new()),
            "UTC",
            text("128"),
            "error in row 0: '128' cannot be converted to tinyint",
        );
        check(DataType::Int(IntType::new()), "UTC", text("abc"), "error in row 0: 'abc' cannot be converted to int");
        check(DataType::Decimal(DecimalType::new(5, 2).unwrap()), "UTC", text("1.005"), "1.01");
        check(DataType::Decimal(DecimalType::new(5, 2).unwrap()), "UTC", text("-1.005"), "-1.01");
        check(
            DataType::Decimal(DecimalType::new(5, 2).unwrap()),
            "UTC",
            text("1000"),
            "error in row 0: '1000' cannot be converted to decimal(5,2)",
        );
    }

    #[test]
    fn timestamps_are_cut_not_rounded() {
        let ntz = |p| DataType::Timestamp(TimestampType::new(p).unwrap());
        let value = "2025-08-26 12:34:56.123456789";
        check(ntz(3), "UTC", text(value), "2025-08-26 12:34:56.123");
        check(ntz(5), "UTC", text(value), "2025-08-26 12:34:56.123456");
        check(ntz(6), "UTC", text(value), "2025-08-26 12:34:56.123456");
        check(ntz(9), "UTC", text(value), "2025-08-26 12:34:56.123456789");
        check(ntz(3), "UTC", text("1969-12-31 23:59:59.9999"), "1969-12-31 23:59:59.999");
        let nanos: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![-100_000]));
        check(ntz(3), "UTC", nanos, "1969-12-31 23:59:59.999");
        check(
            ntz(9),
            "UTC",
            Arc::new(TimestampMillisecondArray::from(vec![i64::MAX / 2_000])),
            "error in row 0: timestamp out of range for precision of timestamp_ntz(9)",
        );
    }

    #[test]
    fn instants_follow_the_zone() {
        let ltz = |p| DataType::LocalZonedTimestamp(LocalZonedTimestampType::new(p).unwrap());
        check(ltz(3), "Asia/Shanghai", text("2025-08-26 12:34:56"), "2025-08-26 12:34:56");
        let local: ArrayRef = Arc::new(TimestampSecondArray::from(vec![1_743_301_800]));
        // 02:30 on the day when Berlin goes from 02:00 to 03:00.
        check(ltz(3), "Europe/Berlin", local, "2025-03-30 03:30:00");
        let day: ArrayRef = Arc::new(arrow::array::Date32Array::from(vec![20_000]));
        check(ltz(3), "Asia/Shanghai", day, "2024-10-04 00:00:00");
    }

    #[test]
    fn texts_have_a_length() {
        let varchar = DataType::VarChar(VarCharType::new(2).unwrap());
        check(varchar.clone(), "UTC", text("北京"), "北京");
        check(varchar, "UTC", text("abc"), "error in row 0: 'abc' is longer than varchar(2)");
        let not_null = DataType::Char(CharType::with_nullable(false, 3).unwrap());
        let null: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>]));
        check(not_null, "UTC", null, "error in row 0: NULL value in column c which is defined NOT NULL");
    }
}

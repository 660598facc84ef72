//! Functions of our own: what they take and give, and their arguments row by row.

use crate::convert;
use crate::display::{self, Zone};
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, StringArray,
    StringBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Field, FieldRef, TimeUnit};
use chrono::{DateTime, NaiveDateTime, Utc};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The longest text that a function makes of shorter ones.
const TEXT_BYTES_MAX: usize = 64 << 20;

/// All texts that a function gives at once; an array holds no more than 2 GB.
pub(super) const BATCH_BYTES_MAX: usize = 512 << 20;

/// What functions know of the statement that calls them.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub zone: Zone,
    pub zone_name: String,
    /// When the statement began: the same moment in all of it.
    pub now: DateTime<Utc>,
}

/// What a function gives.
#[derive(Clone, Copy, Debug)]
pub(super) enum Gives {
    Boolean,
    Int,
    BigInt,
    Double,
    Text,
    Texts,
    Date,
    /// Milliseconds in the session's zone.
    DateTime,
    /// Microseconds in the session's zone.
    Timestamp,
    /// The type of the first argument, or DATETIME for a text.
    LikeFirst,
    /// One type for the shortest call, another for all longer ones.
    ByArity(&'static Gives, &'static Gives),
}

/// A function by its name.
#[derive(Debug)]
pub(super) struct Definition {
    pub name: &'static str,
    /// Least and greatest number of arguments.
    pub arity: (usize, usize),
    pub gives: Gives,
    pub evaluate: fn(&Call<'_>) -> Result<ArrayRef>,
}

/// A line of a table of functions.
pub(super) const fn function(
    name: &'static str,
    arity: (usize, usize),
    gives: Gives,
    evaluate: fn(&Call<'_>) -> Result<ArrayRef>,
) -> Definition {
    Definition { name, arity, gives, evaluate }
}

/// A function of our own in a session.
#[derive(Debug)]
pub(super) struct Function {
    definition: &'static Definition,
    session: Arc<Session>,
    signature: Signature,
}

impl Function {
    pub(super) fn new(definition: &'static Definition, session: Arc<Session>) -> Self {
        let any = vec![TypeSignature::VariadicAny, TypeSignature::Nullary];
        Self { definition, session, signature: Signature::one_of(any, Volatility::Stable) }
    }

    fn key(&self) -> (&str, &str, DateTime<Utc>) {
        (self.definition.name, &self.session.zone_name, self.session.now)
    }

    fn data_type(&self, gives: Gives, arguments: &[DataType]) -> DataType {
        let zone: Arc<str> = self.session.zone_name.as_str().into();
        match gives {
            Gives::Boolean => DataType::Boolean,
            Gives::Int => DataType::Int32,
            Gives::BigInt => DataType::Int64,
            Gives::Double => DataType::Float64,
            Gives::Text => DataType::Utf8,
            Gives::Texts => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
            Gives::Date => DataType::Date32,
            Gives::DateTime => DataType::Timestamp(TimeUnit::Millisecond, Some(zone)),
            Gives::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some(zone)),
            Gives::LikeFirst => match arguments.first() {
                Some(first @ (DataType::Date32 | DataType::Timestamp(..))) => first.clone(),
                _ => DataType::Timestamp(TimeUnit::Millisecond, Some(zone)),
            },
            Gives::ByArity(short, long) => {
                let gives = if arguments.len() == self.definition.arity.0 { short } else { long };
                self.data_type(*gives, arguments)
            }
        }
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.definition.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let (least, greatest) = self.definition.arity;
        if !(least..=greatest).contains(&arguments.len()) {
            let expected = match (least, greatest) {
                (1, 1) => "1 argument".to_owned(),
                (least, greatest) if least == greatest => format!("{least} arguments"),
                (least, usize::MAX) => format!("at least {least} arguments"),
                (least, greatest) => format!("{least} to {greatest} arguments"),
            };
            let (name, n) = (self.definition.name, arguments.len());
            return Err(DataFusionError::Plan(format!("function {name} takes {expected}, not {n}")));
        }
        Ok(self.data_type(self.definition.gives, arguments))
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let types: Vec<DataType> = arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, true)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let n_rows = arguments.number_rows;
        let size = |value: &ColumnarValue| match value {
            ColumnarValue::Scalar(value) => value.size().saturating_mul(n_rows),
            ColumnarValue::Array(_) => 0,
        };
        // A constant is repeated for each row.
        if arguments.args.iter().map(size).fold(0, usize::saturating_add) > BATCH_BYTES_MAX {
            let name = self.definition.name;
            return Err(DataFusionError::Execution(format!("function {name}: its texts are too long")));
        }
        let arrays = arguments.args.iter().map(|value| value.to_array(n_rows)).collect::<Result<Vec<_>>>()?;
        let call = Call {
            name: self.definition.name,
            session: &self.session,
            gives: arguments.return_field.data_type(),
            arrays,
            n_rows,
        };
        Ok(ColumnarValue::Array((self.definition.evaluate)(&call)?))
    }
}

/// The arguments of a call.
pub(super) struct Call<'a> {
    name: &'static str,
    pub session: &'a Session,
    /// The type of the result.
    pub gives: &'a DataType,
    arrays: Vec<ArrayRef>,
    pub n_rows: usize,
}

impl Call<'_> {
    pub(super) fn n_arguments(&self) -> usize {
        self.arrays.len()
    }

    pub(super) fn refused(&self, text: impl std::fmt::Display) -> DataFusionError {
        DataFusionError::Execution(format!("function {}: {text}", self.name))
    }

    fn wrong_type(&self, position: usize, expected: &str) -> DataFusionError {
        let got = display::type_name(self.arrays[position].data_type());
        let position = position + 1;
        DataFusionError::Plan(format!("function {} takes {expected} as argument {position}, not {got}", self.name))
    }

    /// The argument as text, as results print it.
    pub(super) fn texts(&self, position: usize) -> Result<StringArray> {
        let array = &self.arrays[position];
        match array.data_type() {
            DataType::Utf8 => Ok(array.as_string::<i32>().clone()),
            data_type if data_type.is_nested() => Err(self.wrong_type(position, "a text")),
            _ => Ok((0..self.n_rows).map(|row| display::value_text(array, row, self.session.zone)).collect()),
        }
    }

    pub(super) fn integers(&self, position: usize) -> Result<Int64Array> {
        let array = &self.arrays[position];
        let integers = cast(array, &DataType::Int64).map_err(|_| self.wrong_type(position, "a number"))?;
        match array.data_type().is_temporal() {
            true => Err(self.wrong_type(position, "a number")),
            false => Ok(integers.as_primitive::<arrow::datatypes::Int64Type>().clone()),
        }
    }

    pub(super) fn doubles(&self, position: usize) -> Result<Float64Array> {
        let doubles = cast(&self.arrays[position], &DataType::Float64);
        let doubles = doubles.map_err(|_| self.wrong_type(position, "a number"))?;
        Ok(doubles.as_primitive::<arrow::datatypes::Float64Type>().clone())
    }

    pub(super) fn is_moment(&self, position: usize) -> bool {
        matches!(self.arrays[position].data_type(), DataType::Date32 | DataType::Timestamp(..))
    }

    /// The argument as wall-clock time in the session's zone; a text that is none is NULL.
    pub(super) fn moments(&self, position: usize) -> Result<Vec<Option<NaiveDateTime>>> {
        let array = &self.arrays[position];
        let moments = match array.data_type() {
            DataType::Null => vec![None; self.n_rows],
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                self.texts(position)?.iter().map(|text| text.and_then(convert::local_time)).collect()
            }
            DataType::Date32 => array.as_primitive::<Date32Type>().iter().map(|days| moment_of(days?)).collect(),
            DataType::Timestamp(..) => convert::local_times(array, self.session.zone),
            _ => return Err(self.wrong_type(position, "a date or time")),
        };
        Ok(moments)
    }

    /// Wall-clock times in the type that the function gives.
    pub(super) fn give_moments(&self, moments: impl Iterator<Item = Option<NaiveDateTime>>) -> Result<ArrayRef> {
        if self.gives == &DataType::Date32 {
            let days = moments.map(|moment| i32::try_from(moment?.and_utc().timestamp().div_euclid(86_400)).ok());
            return Ok(Arc::new(days.collect::<Date32Array>()));
        }
        let DataType::Timestamp(unit, zone) = self.gives else {
            return Err(DataFusionError::Internal(format!("{} gives no time", self.name)));
        };
        let per_second = convert::per_second(*unit);
        let numbers = moments.map(|moment| {
            let moment = moment?.and_utc();
            let seconds = moment.timestamp();
            let offset = if zone.is_some() { self.session.zone.offset_of_local(seconds) } else { 0 };
            let fraction = i64::from(moment.timestamp_subsec_nanos()) / (1_000_000_000 / per_second);
            (seconds - offset).checked_mul(per_second)?.checked_add(fraction)
        });
        Ok(cast(&numbers.collect::<Int64Array>(), self.gives)?)
    }

    pub(super) fn give_texts(&self, texts: impl Iterator<Item = Option<String>>) -> Result<ArrayRef> {
        self.try_give_texts(texts.map(Ok))
    }

    pub(super) fn try_give_texts(&self, texts: impl Iterator<Item = Result<Option<String>>>) -> Result<ArrayRef> {
        let mut builder = StringBuilder::with_capacity(self.n_rows, 0);
        for text in texts {
            let text = text?;
            let bytes = builder.values_slice().len() + text.as_ref().map_or(0, String::len);
            if bytes > BATCH_BYTES_MAX {
                return Err(self.refused("its texts are too long"));
            }
            builder.append_option(text);
        }
        let mut texts = builder.finish();
        // What was reserved while it grew would count as memory of the statement.
        texts.shrink_to_fit();
        Ok(Arc::new(texts))
    }

    /// Asked before a text is made longer than what it is made of.
    pub(super) fn check_length(&self, bytes: Option<usize>) -> Result<()> {
        match bytes {
            Some(bytes) if bytes <= TEXT_BYTES_MAX => Ok(()),
            _ => Err(self.refused(format!("a text would be longer than {} MB", TEXT_BYTES_MAX >> 20))),
        }
    }

    pub(super) fn give_integers(&self, integers: impl Iterator<Item = Option<i64>>) -> Result<ArrayRef> {
        if self.gives == &DataType::Int32 {
            let narrow = integers.map(|value| i32::try_from(value?).ok());
            return Ok(Arc::new(narrow.collect::<Int32Array>()));
        }
        Ok(Arc::new(integers.collect::<Int64Array>()))
    }

    pub(super) fn give_doubles(&self, doubles: impl Iterator<Item = Option<f64>>) -> Result<ArrayRef> {
        Ok(Arc::new(doubles.collect::<Float64Array>()))
    }

    pub(super) fn give_booleans(&self, booleans: impl Iterator<Item = Option<bool>>) -> Result<ArrayRef> {
        Ok(Arc::new(booleans.collect::<BooleanArray>()))
    }
}

/// Midnight of a day counted from 1970-01-01.
fn moment_of(days: i32) -> Option<NaiveDateTime> {
    DateTime::from_timestamp(i64::from(days) * 86_400, 0).map(|moment| moment.naive_utc())
}

//! Functions of DataFusion that make large values of small ones, with a bound: what they make is in no memory pool, and
//! a chain of them doubles with every link.

use super::call::BATCH_BYTES_MAX;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, StructFieldMapping,
};
use std::sync::Arc;

/// Types inside one type: those that are built of themselves take the planner exponential time.
const NESTED_TYPES_MAX: usize = 1_000;

const NAMES: [&str; 10] = [
    "array_append",
    "array_concat",
    "array_join",
    "array_to_string",
    "array_union",
    "flatten",
    "make_array",
    "map",
    "named_struct",
    "array_prepend",
];

/// The function with its bound, if it needs one.
pub(super) fn bounded(function: &Arc<ScalarUDF>) -> Arc<ScalarUDF> {
    match NAMES.contains(&function.name()) {
        true => Arc::new(ScalarUDF::from(Bounded { inner: Arc::clone(function) })),
        false => Arc::clone(function),
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    inner: Arc<ScalarUDF>,
}

impl Bounded {
    fn check_type(&self, data_type: &DataType) -> Result<()> {
        match count_types(data_type, NESTED_TYPES_MAX) {
            Some(_) => Ok(()),
            None => {
                let text = format!("the type of {}(…) has more than {NESTED_TYPES_MAX} parts", self.name());
                Err(DataFusionError::Plan(text))
            }
        }
    }

    fn check_size(&self, arguments: &ScalarFunctionArgs) -> Result<()> {
        let n_rows = arguments.number_rows;
        let sizes = arguments.args.iter().map(|argument| bytes(argument, n_rows));
        let joined = match arguments.args.as_slice() {
            [values, separator, ..] if self.name().contains("join") || self.name().contains("string") => {
                n_values(values, n_rows).saturating_mul(text_bytes(separator))
            }
            _ => 0,
        };
        if sizes.fold(joined, usize::saturating_add) <= BATCH_BYTES_MAX {
            return Ok(());
        }
        Err(DataFusionError::Execution(format!("function {}: its values are too large", self.name())))
    }
}

/// How many types a type is made of; `None` for more than `max`.
fn count_types(data_type: &DataType, max: usize) -> Option<usize> {
    let fields: Vec<&FieldRef> = match data_type {
        DataType::List(field) | DataType::FixedSizeList(field, _) | DataType::Map(field, _) => vec![field],
        DataType::Struct(fields) => fields.iter().collect(),
        _ => Vec::new(),
    };
    let mut count = 1;
    for field in fields {
        count += count_types(field.data_type(), max.checked_sub(count)?)?;
    }
    (count <= max).then_some(count)
}

/// What an argument takes once it has a value for each row.
fn bytes(argument: &ColumnarValue, n_rows: usize) -> usize {
    match argument {
        ColumnarValue::Array(array) => array.get_array_memory_size(),
        ColumnarValue::Scalar(value) => value.size().saturating_mul(n_rows),
    }
}

fn n_values(argument: &ColumnarValue, n_rows: usize) -> usize {
    let of_list = |array: &dyn Array| array.as_list_opt::<i32>().map_or(0, |lists| lists.values().len());
    match argument {
        ColumnarValue::Array(array) => of_list(array.as_ref()),
        ColumnarValue::Scalar(ScalarValue::List(list)) => of_list(list.as_ref()).saturating_mul(n_rows),
        ColumnarValue::Scalar(_) => 0,
    }
}

/// The longest of some texts.
fn text_bytes(argument: &ColumnarValue) -> usize {
    match argument {
        ColumnarValue::Scalar(ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text))) => text.len(),
        ColumnarValue::Scalar(_) => 0,
        ColumnarValue::Array(array) => match array.as_string_opt::<i32>() {
            Some(texts) => texts.iter().flatten().map(str::len).max().unwrap_or(0),
            None => 0,
        },
    }
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(arguments)
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let data_type = self.inner.return_type(arguments)?;
        self.check_type(&data_type)?;
        Ok(data_type)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let field = self.inner.return_field_from_args(arguments)?;
        self.check_type(field.data_type())?;
        Ok(field)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.check_size(&arguments)?;
        self.inner.invoke_with_args(arguments)
    }

    fn struct_field_mapping(&self, literals: &[Option<ScalarValue>]) -> Option<StructFieldMapping> {
        self.inner.struct_field_mapping(literals)
    }
}

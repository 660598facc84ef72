//! Integers that leave their type are an error, never another number: the operators `+`, `-` and `*`, and `sum`.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::compute::kernels::numeric::{add, mul, sub};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::type_coercion::binary::BinaryTypeCoercer;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, EmitTo, Expr, GroupsAccumulator, Operator,
    ReversedUDAF, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, cast,
};
use std::sync::Arc;

/// `left op right` of two signed integers.
pub(crate) fn arithmetic(left: Expr, op: Operator, right: Expr, types: (&DataType, &DataType)) -> Result<Expr> {
    let name = match op {
        Operator::Plus => "plus",
        Operator::Minus => "minus",
        _ => "multiply",
    };
    let (left_type, right_type) = BinaryTypeCoercer::new(types.0, &op, types.1).get_input_types()?;
    let signature = Signature::any(2, Volatility::Immutable);
    let function = ScalarUDF::from(Arithmetic { name, op, signature });
    Ok(function.call(vec![cast_unless(left, types.0, left_type), cast_unless(right, types.1, right_type)]))
}

fn cast_unless(value: Expr, is: &DataType, wanted: DataType) -> Expr {
    if *is == wanted { value } else { cast(value, wanted) }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Arithmetic {
    name: &'static str,
    op: Operator,
    signature: Signature,
}

impl ScalarUDFImpl for Arithmetic {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [left, right] if left == right => Ok(left.clone()),
            _ => Err(DataFusionError::Internal("both sides of an operator have one type".into())),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = arguments.args.as_slice() else {
            return Err(DataFusionError::Internal("an operator has two sides".into()));
        };
        let compute = match self.op {
            Operator::Plus => add,
            Operator::Minus => sub,
            _ => mul,
        };
        let computed = match (left, right) {
            (ColumnarValue::Array(left), ColumnarValue::Array(right)) => compute(left, right),
            (ColumnarValue::Array(left), ColumnarValue::Scalar(right)) => compute(left, &right.to_scalar()?),
            (ColumnarValue::Scalar(left), ColumnarValue::Array(right)) => compute(&left.to_scalar()?, right),
            (ColumnarValue::Scalar(left), ColumnarValue::Scalar(right)) => {
                let value = compute(&left.to_scalar()?, &right.to_scalar()?)?;
                return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&value, 0)?));
            }
        };
        Ok(ColumnarValue::Array(computed?))
    }
}

/// `sum`: of BIGINT it is computed in 38 digits and must fit at the end.
pub(crate) fn sum() -> AggregateUDF {
    AggregateUDF::from(Sum { inner: sum_udaf() })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Sum {
    inner: Arc<AggregateUDF>,
}

const WIDE: DataType = DataType::Decimal128(38, 0);

fn wide_field() -> FieldRef {
    Arc::new(Field::new("sum", WIDE, true))
}

fn widened(values: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
    let widened = values.iter().map(|values| match values.data_type() {
        DataType::Int64 => Ok(arrow::compute::cast(values, &WIDE)?),
        _ => Ok(Arc::clone(values)),
    });
    widened.collect()
}

fn too_large(sum: i128) -> DataFusionError {
    DataFusionError::Execution(format!("the sum {sum} is out of range of bigint"))
}

fn narrowed(sum: i128) -> Result<i64> {
    i64::try_from(sum).map_err(|_| too_large(sum))
}

impl AggregateUDFImpl for Sum {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arguments)
    }

    fn accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if *arguments.return_field.data_type() != DataType::Int64 {
            return self.inner.accumulator(arguments);
        }
        let inner = self.inner.accumulator(AccumulatorArgs { return_field: wide_field(), ..arguments })?;
        Ok(Box::new(BigIntSum { inner }))
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        if *arguments.return_field.data_type() != DataType::Int64 {
            return self.inner.state_fields(arguments);
        }
        self.inner.state_fields(StateFieldsArgs { return_field: wide_field(), ..arguments })
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs<'_>) -> bool {
        self.inner.groups_accumulator_supported(arguments)
    }

    fn create_groups_accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        if *arguments.return_field.data_type() != DataType::Int64 {
            return self.inner.create_groups_accumulator(arguments);
        }
        let arguments = AccumulatorArgs { return_field: wide_field(), ..arguments };
        Ok(Box::new(BigIntSums { inner: self.inner.create_groups_accumulator(arguments)? }))
    }

    fn create_sliding_accumulator(&self, arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        if *arguments.return_field.data_type() != DataType::Int64 {
            return self.inner.create_sliding_accumulator(arguments);
        }
        let arguments = AccumulatorArgs { return_field: wide_field(), ..arguments };
        Ok(Box::new(BigIntSum { inner: self.inner.create_sliding_accumulator(arguments)? }))
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}

/// A sum of decimals that takes and gives BIGINT.
#[derive(Debug)]
struct BigIntSum {
    inner: Box<dyn Accumulator>,
}

impl Accumulator for BigIntSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.update_batch(&widened(values)?)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        match self.inner.evaluate()? {
            ScalarValue::Decimal128(sum, ..) => Ok(ScalarValue::Int64(sum.map(narrowed).transpose()?)),
            other => Err(DataFusionError::Internal(format!("{other} is no sum of integers"))),
        }
    }

    fn size(&self) -> usize {
        self.inner.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(states)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(&widened(values)?)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }
}

/// The same of many groups.
struct BigIntSums {
    inner: Box<dyn GroupsAccumulator>,
}

impl GroupsAccumulator for BigIntSums {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        n_groups: usize,
    ) -> Result<()> {
        self.inner.update_batch(&widened(values)?, group_indices, filter, n_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let sums = self.inner.evaluate(emit_to)?;
        let options = CastOptions { safe: true, ..CastOptions::default() };
        let fitting = cast_with_options(&sums, &DataType::Int64, &options)?;
        if fitting.null_count() > sums.null_count() {
            let wide = sums.as_primitive::<Decimal128Type>();
            let lost = wide.iter().flatten().find(|sum| narrowed(*sum).is_err());
            return Err(too_large(lost.unwrap_or_default()));
        }
        Ok(fitting)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.inner.state(emit_to)
    }

    fn merge_batch(
        &mut self,
        states: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        n_groups: usize,
    ) -> Result<()> {
        self.inner.merge_batch(states, group_indices, filter, n_groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.inner.convert_to_state(&widened(values)?, filter)
    }

    fn supports_convert_to_state(&self) -> bool {
        self.inner.supports_convert_to_state()
    }

    fn size(&self) -> usize {
        self.inner.size()
    }
}

//! Functions that DataFusion lacks, or knows by another name.

use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use paimon::variant::GenericVariant;
use std::sync::Arc;

/// Names of MaxCompute for functions that do the same under another one.
const ALIASES: [(&str, &str); 5] =
    [("array", "make_array"), ("getdate", "now"), ("size", "cardinality"), ("tolower", "lower"), ("toupper", "upper")];

/// The name under which DataFusion has a function.
pub(crate) fn known_as(name: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, known)| known)
}

/// Our own functions.
pub(crate) fn all() -> Vec<Arc<ScalarUDF>> {
    let signature = TypeSignature::Exact(vec![DataType::Utf8]);
    vec![Arc::new(ScalarUDF::from(ParseJson { signature: Signature::new(signature, Volatility::Immutable) }))]
}

/// `parse_json(text)`: the one way to write a JSON column.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ParseJson {
    signature: Signature,
}

impl ScalarUDFImpl for ParseJson {
    fn name(&self) -> &str {
        "parse_json"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(paimon::arrow::variant_arrow_type())
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [text] = arguments.args.as_slice() else {
            return Err(DataFusionError::Plan("parse_json takes one text".into()));
        };
        let texts = text.to_array(arguments.number_rows)?;
        let (mut values, mut metadata) = (BinaryBuilder::new(), BinaryBuilder::new());
        for text in texts.as_string::<i32>() {
            match text {
                None => {
                    values.append_value([]);
                    metadata.append_value([]);
                }
                Some(text) => {
                    let variant = GenericVariant::parse_json(text)
                        .map_err(|error| DataFusionError::Execution(format!("parse_json: {error}")))?;
                    values.append_value(variant.value());
                    metadata.append_value(variant.metadata());
                }
            }
        }
        let DataType::Struct(fields) = paimon::arrow::variant_arrow_type() else {
            return Err(DataFusionError::Internal("a JSON value is a struct".into()));
        };
        let nulls = texts.nulls().map(|nulls| NullBuffer::new(nulls.inner().clone()));
        let columns = fields.iter().map(|field| -> ArrayRef {
            if field.name() == "value" { Arc::new(values.finish()) } else { Arc::new(metadata.finish()) }
        });
        Ok(ColumnarValue::Array(Arc::new(StructArray::try_new(fields.clone(), columns.collect(), nulls)?)))
    }
}

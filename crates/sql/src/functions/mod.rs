//! Functions. Of DataFusion's only those are visible that mean the same here; what differs is ours, and what is
//! missing says so: an answer is never silently another one.

mod bounded;
mod call;
mod exact;
mod pattern;
mod text;
mod time;

pub(crate) use call::Session;
pub(crate) use exact::{arithmetic, sum};

use crate::dialect;
use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use call::{Definition, Function};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};
use paimon::variant::GenericVariant;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Names of MaxCompute for functions of DataFusion that do the same under another one.
const ALIASES: [(&str, &str); 16] = [
    ("any_value", "first_value"),
    ("array", "make_array"),
    ("array_remove", "array_remove_all"),
    ("filter", "array_filter"),
    ("len", "length"),
    ("rand", "random"),
    ("sign", "signum"),
    ("size", "cardinality"),
    ("sort_array", "array_sort"),
    // Of the whole, not of a sample.
    ("stddev", "stddev_pop"),
    ("tolower", "lower"),
    ("toupper", "upper"),
    ("transform", "array_transform"),
    ("ucase", "upper"),
    ("lcase", "lower"),
    ("variance", "var_pop"),
];

/// Functions of DataFusion that mean what they mean in the dialect.
#[rustfmt::skip]
const KNOWN: &[&str] = &[
    "abs", "acos", "acosh", "approx_distinct", "array_agg", "array_append", "array_compact", "array_concat",
    "array_contains", "array_distinct", "array_except", "array_filter", "array_intersect", "array_join",
    "array_max", "array_min", "array_position", "array_reverse", "array_sort", "array_transform",
    "array_union", "arrays_overlap", "ascii", "asin", "asinh", "atan", "atan2", "atanh", "avg", "bit_and",
    "bit_length", "bit_or", "bit_xor", "bool_and", "bool_or", "btrim", "cardinality", "cbrt", "ceil", "char_length",
    "character_length", "chr", "coalesce", "contains", "corr", "cos", "cosh", "cot", "count",
    "covar_pop", "covar_samp", "cume_dist", "date_part", "date_trunc", "degrees", "dense_rank", "ends_with", "exp", "factorial",
    "find_in_set", "first_value", "flatten", "floor", "greatest", "grouping", "ifnull", "initcap", "isnan", "lag",
    "last_value", "lead", "least", "length", "ln", "log10", "log2", "lower", "ltrim", "make_array", "map",
    "map_entries", "map_keys", "map_values", "max", "md5", "median", "min", "named_struct", "nanvl", "nth_value",
    "ntile", "nullif", "nvl", "nvl2", "octet_length", "parse_json", "percent_rank", "pi", "radians", "rank",
    "regexp_count", "regexp_instr", "regexp_like", "regr_avgx", "regr_avgy", "regr_count", "regr_intercept",
    "regr_r2", "regr_slope", "regr_sxx", "regr_sxy", "regr_syy", "reverse", "round",
    "row_number", "rtrim", "sin", "sinh", "sqrt", "starts_with", "stddev_pop", "stddev_samp", "string_agg",
    "strpos", "substring_index", "sum", "tan", "tanh", "translate", "trim", "trunc", "upper", "uuid", "var_pop",
    "var_samp",
];

/// Functions of MaxCompute that are missing here and that DataFusion has under no name either.
#[rustfmt::skip]
const LATER: &[&str] = &[
    "arg_max", "arg_min", "base64", "bin", "bit_count", "bit_get", "bitwise", "char", "char_matchcount", "conv", "crc32",
    "e", "elt", "explode", "format_number", "format_string", "from_json", "from_utc_timestamp", "get_json_object",
    "getbit", "hash", "hex", "ilike", "inline", "is_encoding", "json_extract", "json_object", "json_tuple",
    "keyvalue", "like", "locate", "luhn_check", "make_interval", "map_agg", "map_concat", "map_filter",
    "map_from_arrays", "map_from_entries", "mask_hash", "max_by", "max_pt", "min_by", "negative", "next_day",
    "numeric_histogram", "ordinal", "parse_url", "partition_exists", "percentile", "percentile_approx",
    "posexplode", "positive", "printf", "reduce", "regexp_extract_all", "rint", "rlike", "sample", "sequence", "sha",
    "sha1", "sha2", "shiftleft", "shiftright", "shuffle", "slice", "soundex", "stack", "str_to_map",
    "table_exists", "time_trunc", "to_json", "to_millis", "to_utc_timestamp", "trans_array", "try_parse_url",
    "try_sum", "unbase64", "unhex", "unique_id", "unix_date", "unix_micros", "unix_millis", "unix_seconds",
    "url_decode", "url_encode", "width_bucket", "xxhash64", "zeroifnull", "zip_with",
];

fn own(name: &str) -> Option<&'static Definition> {
    time::FUNCTIONS.iter().chain(text::FUNCTIONS).find(|definition| definition.name == name)
}

/// The name under which DataFusion has a function, if users may see it.
pub(crate) fn known_as(name: &str) -> Option<&str> {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == name).map(|(_, known)| *known);
    alias.or_else(|| KNOWN.contains(&name).then_some(name))
}

/// A function of rows: ours, or DataFusion's.
pub(crate) fn scalar(name: &str, session: &Arc<Session>, state: &SessionState) -> Option<Arc<ScalarUDF>> {
    match own(name) {
        Some(definition) => Some(Arc::new(ScalarUDF::from(Function::new(definition, Arc::clone(session))))),
        None => state.scalar_functions().get(known_as(name)?).map(bounded::bounded),
    }
}

/// Whether a name that cannot be resolved is a function all the same.
pub(crate) fn is_missing(name: &str, state: &SessionState) -> bool {
    LATER.contains(&name)
        || state.scalar_functions().contains_key(name)
        || state.higher_order_functions().contains_key(name)
        || state.aggregate_functions().contains_key(name)
        || state.window_functions().contains_key(name)
}

/// The names of all functions that users can call.
pub(crate) fn names() -> BTreeSet<String> {
    let own = time::FUNCTIONS.iter().chain(text::FUNCTIONS).map(|definition| definition.name);
    let aliases = ALIASES.iter().map(|(alias, _)| *alias);
    let known = KNOWN.iter().chain(dialect::REWRITTEN_FUNCTIONS).copied();
    own.chain(aliases).chain(known).chain(["max_pt"]).map(str::to_owned).collect()
}

/// Functions that every session has.
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
                        .map_err(|error| DataFusionError::Execution(format!("parse_json: {}", reason(&error))))?;
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

/// What is wrong with a text, without the words around it.
fn reason(error: &paimon::Error) -> String {
    match error {
        paimon::Error::DataInvalid { message, .. } => message.clone(),
        other => other.to_string(),
    }
}

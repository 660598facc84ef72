//! Functions that are other expressions: `if(a, b, c)` is `CASE WHEN a THEN b ELSE c END`.

use super::rewrite::{call, cast};
use super::types::SqlType;
use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CaseWhen, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, Ident, ObjectName, Value,
};

/// Their names.
pub(crate) const REWRITTEN_FUNCTIONS: &[&str] = &[
    "if",
    "decode",
    "mod",
    "pmod",
    "ceil",
    "ceiling",
    "floor",
    "median",
    "count_if",
    "wm_concat",
    "collect_list",
    "collect_set",
    "struct",
];

/// What the call means, if it is no function of the engine.
pub(super) fn rewritten(function: &Function) -> Result<Option<Expr>, String> {
    let name = function.name.to_string().to_lowercase();
    if !REWRITTEN_FUNCTIONS.contains(&name.as_str()) {
        return Ok(None);
    }
    let arguments = arguments(function).ok_or_else(|| format!("function {name} takes plain arguments"))?;
    let takes = |what: &str| Err(format!("function {name} takes {what}, not {}", arguments.len()));
    Ok(Some(match (name.as_str(), arguments.as_slice()) {
        ("if", [condition, yes, no]) => case(vec![(condition.clone(), yes.clone())], Some(no.clone())),
        ("if", _) => return takes("3 arguments"),
        ("decode", [value, pairs @ ..]) if pairs.len() >= 2 => {
            let otherwise = (pairs.len() % 2 == 1).then(|| pairs[pairs.len() - 1].clone());
            let branches = pairs
                .chunks_exact(2)
                .map(|pair| (binary(value.clone(), BinaryOperator::Spaceship, pair[0].clone()), pair[1].clone()));
            case(branches.collect(), otherwise)
        }
        ("decode", _) => return takes("at least 3 arguments"),
        ("mod", [a, b]) => Expr::Nested(Box::new(binary(a.clone(), BinaryOperator::Modulo, b.clone()))),
        ("pmod", [a, b]) => {
            let rest = binary(a.clone(), BinaryOperator::Modulo, b.clone());
            let positive = binary(rest, BinaryOperator::Plus, b.clone());
            Expr::Nested(Box::new(binary(positive, BinaryOperator::Modulo, b.clone())))
        }
        ("mod" | "pmod", _) => return takes("2 arguments"),
        ("ceil" | "ceiling", [value]) => cast(call("ceil", vec![value.clone()]), &SqlType::BigInt),
        ("floor", [value]) => cast(call("floor", vec![value.clone()]), &SqlType::BigInt),
        ("ceil" | "ceiling" | "floor", _) => return takes("1 argument"),
        ("median", [value]) => aggregate(function, "median", vec![cast(value.clone(), &SqlType::Double)]),
        ("count_if", [condition]) => {
            let one = Expr::value(Value::Number("1".into(), false));
            aggregate(function, "count", vec![case(vec![(condition.clone(), one)], None)])
        }
        ("median" | "count_if", _) => return takes("1 argument"),
        ("wm_concat", [separator, value]) => {
            aggregate(function, "string_agg", vec![cast(value.clone(), &SqlType::String), separator.clone()])
        }
        ("wm_concat", _) => return takes("2 arguments"),
        ("struct", fields) => {
            let named = fields.iter().enumerate().flat_map(|(index, field)| {
                [Expr::value(Value::SingleQuotedString(format!("col{}", index + 1))), field.clone()]
            });
            call("named_struct", named.collect())
        }
        ("collect_list" | "collect_set", [value]) => {
            let mut aggregate = match aggregate(function, "array_agg", vec![value.clone()]) {
                Expr::Function(aggregate) => aggregate,
                other => return Ok(Some(other)),
            };
            let is_value = Expr::IsNotNull(Box::new(Expr::Nested(Box::new(value.clone()))));
            aggregate.filter = Some(Box::new(match aggregate.filter.take() {
                Some(filter) => binary(*filter, BinaryOperator::And, is_value),
                None => is_value,
            }));
            if name == "collect_set"
                && let FunctionArguments::List(list) = &mut aggregate.args
            {
                list.duplicate_treatment = Some(DuplicateTreatment::Distinct);
            }
            Expr::Function(aggregate)
        }
        _ => return takes("1 argument"),
    }))
}

/// The arguments, if none of them is named or a wildcard.
fn arguments(function: &Function) -> Option<Vec<Expr>> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let plain = list.args.iter().map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    });
    plain.collect()
}

/// The same aggregate by another name: filter, window and DISTINCT stay.
fn aggregate(written: &Function, name: &str, arguments: Vec<Expr>) -> Expr {
    let Expr::Function(mut function) = call(name, arguments) else { unreachable!("a call is a function") };
    if let (FunctionArguments::List(written_list), FunctionArguments::List(list)) = (&written.args, &mut function.args)
    {
        list.duplicate_treatment = written_list.duplicate_treatment;
        list.clauses = written_list.clauses.clone();
        if !written.within_group.is_empty() {
            list.clauses.push(FunctionArgumentClause::OrderBy(written.within_group.clone()));
        }
    }
    function.filter = written.filter.clone();
    function.over = written.over.clone();
    function.null_treatment = written.null_treatment;
    Expr::Function(Function { name: ObjectName::from(vec![Ident::new(name)]), ..function })
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    let nested = |expr| Box::new(Expr::Nested(Box::new(expr)));
    Expr::BinaryOp { left: nested(left), op, right: nested(right) }
}

fn case(branches: Vec<(Expr, Expr)>, otherwise: Option<Expr>) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: branches.into_iter().map(|(condition, result)| CaseWhen { condition, result }).collect(),
        else_result: otherwise.map(Box::new),
    }
}

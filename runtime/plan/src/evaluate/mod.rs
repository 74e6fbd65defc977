//! Python's meaning of an expression, within limits.
//!
//! A tree and a scope come in, a value or an error goes out. Nothing here reads anything but its arguments, panics, or recurses deeper
//! than the tree nests. An operation counts the steps and the memory that it will need before it begins.

pub(crate) mod arithmetic;
mod attribute;
mod builtins;
mod call;
pub(crate) mod compare;
mod complex;
mod comprehension;
pub(crate) mod error;
mod float;
mod format;
pub(crate) mod integer;
mod iterate;
mod meter;
mod methods;
mod path;
mod scope;
mod sequence;
mod tree;

pub(crate) use error::Failure;
pub use error::{ErrorKind, EvaluationError};
pub use meter::Limits;
pub(crate) use meter::Meter;
pub use scope::{Binding, Scope};

use self::tree::Evaluation;
use crate::Data;
use crate::expression::{Expression, Id};
use crate::value::{Key, Refusal, Value};

/// Evaluates an expression.
pub fn evaluate(expression: &Expression, scope: &Scope, limits: &Limits) -> Result<Value, EvaluationError> {
    let mut evaluation = Evaluation::new(&expression.tree, scope, limits);
    evaluation.value(expression.root()).map_err(|failure| placed(expression, &failure))
}

/// Evaluates a part of an expression: a node that is an expression of its own and reads no variable of a comprehension around it.
pub fn evaluate_part(
    expression: &Expression,
    part: Id,
    scope: &Scope,
    limits: &Limits,
) -> Result<Value, EvaluationError> {
    let mut evaluation = Evaluation::new(&expression.tree, scope, limits);
    evaluation.value(part).map_err(|failure| placed(expression, &failure))
}

/// Evaluates an expression whose result is to be plain data.
pub fn evaluate_to_data(expression: &Expression, scope: &Scope, limits: &Limits) -> Result<Data, EvaluationError> {
    let mut evaluation = Evaluation::new(&expression.tree, scope, limits);
    let root = expression.root();
    let found = evaluation.find(root).map_err(|failure| placed(expression, &failure))?;
    found.to_data_within(&mut evaluation.meter).map_err(|refusal| match refusal {
        Refusal::Limit(failure) => placed(expression, &failure.at(root)),
        Refusal::NotPlain(reason) => {
            let mut failure = Failure::new(ErrorKind::NotPlain, reason.message);
            if let Some(help) = reason.help {
                failure = failure.help(help);
            }
            placed(expression, &failure.at(root))
        }
    })
}

fn placed(expression: &Expression, failure: &Failure) -> EvaluationError {
    let node = failure.node.unwrap_or(expression.root());
    let place = expression.place(node);
    EvaluationError {
        kind: failure.kind,
        message: failure.message.clone(),
        help: failure.help.clone(),
        start: place.start,
        end: place.end,
        node,
    }
}

/// Whether a node runs, and the error that made it run, if there was one (reference: Q4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Whether it runs.
    pub holds: bool,
    /// Why it runs although nobody knows whether it should.
    pub error: Option<EvaluationError>,
}

/// Evaluates a `run_if`: any error means that it holds.
pub fn evaluate_condition(expression: &Expression, scope: &Scope, limits: &Limits) -> Condition {
    match evaluate(expression, scope, limits) {
        Ok(value) => Condition { holds: value.is_truthy(), error: None },
        Err(error) => Condition { holds: true, error: Some(error) },
    }
}

/// A value as a key, after its parts have been counted: hashing and comparing walk through them.
pub(crate) fn charge_key(value: Value, meter: &mut Meter) -> Result<Key, Failure> {
    charge_parts(&value, meter)?;
    Ok(Key(value))
}

fn charge_all<'a>(mut items: impl Iterator<Item = &'a Value>, meter: &mut Meter) -> Result<(), Failure> {
    items.try_for_each(|item| {
        meter.step()?;
        charge_parts(item, meter)
    })
}

fn charge_parts(value: &Value, meter: &mut Meter) -> Result<(), Failure> {
    match value {
        Value::None
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Complex(..)
        | Value::Builtin(_)
        | Value::Range(_) => Ok(()),
        Value::Str(text) => meter.steps(text.len() as u64 / 256),
        Value::Big(value) => meter.steps(value.bits() / 1024),
        Value::Tuple(items) => charge_all(items.iter(), meter),
        Value::Set(set) if set.frozen => charge_all(set.iter(), meter),
        Value::List(_) | Value::Dict(_) | Value::Set(_) | Value::View(_) | Value::Iterator(_) | Value::Method(_) => {
            Err(error::r#type(format!("unhashable type: '{}'", value.type_name())))
        }
    }
}

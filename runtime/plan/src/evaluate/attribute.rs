//! Attributes of values: the keys of attribute dictionaries, the parts of numbers and ranges, methods.

use std::sync::Arc;

use super::{Failure, error, methods};
use crate::value::{Method, Value};

/// `value.name`
pub(crate) fn get(value: &Value, name: &str) -> Result<Value, Failure> {
    if let Value::Dict(dict) = value
        && dict.attributes
        && let Some(found) = dict.get_str(name)
    {
        return Ok(found.clone());
    }
    if let Some(part) = part(value, name) {
        return Ok(part);
    }
    if methods::exists(value, name) {
        return Ok(Value::Method(Arc::new(Method { object: value.clone(), name: name.into() })));
    }
    Err(missing(value, name))
}

fn part(value: &Value, name: &str) -> Option<Value> {
    match (value, name) {
        (Value::Bool(value), "real" | "numerator") => Some(Value::Int(i64::from(*value))),
        (Value::Int(_) | Value::Big(_), "real" | "numerator") | (Value::Float(_), "real") => Some(value.clone()),
        (Value::Bool(_) | Value::Int(_) | Value::Big(_), "imag") => Some(Value::Int(0)),
        (Value::Bool(_) | Value::Int(_) | Value::Big(_), "denominator") => Some(Value::Int(1)),
        (Value::Float(_), "imag") => Some(Value::Float(0.0)),
        (Value::Complex(real, _), "real") => Some(Value::Float(*real)),
        (Value::Complex(_, imaginary), "imag") => Some(Value::Float(*imaginary)),
        (Value::Range(range), "start") => Some(Value::integer(range.start.clone())),
        (Value::Range(range), "stop") => Some(Value::integer(range.stop.clone())),
        (Value::Range(range), "step") => Some(Value::integer(range.step.clone())),
        _ => None,
    }
}

/// There is no such attribute; the message says what else to write if it is known.
pub(crate) fn missing(value: &Value, name: &str) -> Failure {
    if let Some(help) = methods::instead_of(value, name) {
        return error::refused(format!("`{name}` would change the value, and values never change")).help(help);
    }
    let mut failure = error::attribute(match value {
        Value::Builtin(builtin) => format!("type object '{}' has no attribute '{name}'", builtin.name()),
        _ => format!("'{}' object has no attribute '{name}'", value.type_name()),
    });
    if let Value::Dict(dict) = value
        && dict.get_str(name).is_some()
    {
        failure = failure.help(format!("write `[\"{name}\"]`: only constants, options and locals have attributes"));
    }
    failure
}

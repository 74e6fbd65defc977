//! The operators between two values, and those before one.

use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::Signed;

use super::iterate::{extend_dict, extend_set, iterate};
use super::{Failure, Meter, charge_key, compare, complex, error, float, format, integer, sequence};
use crate::expression::{Arithmetic, Sign};
use crate::value::{Dict, Set, Value};

/// `a operator b`.
pub(crate) fn binary(operator: Arithmetic, a: &Value, b: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    if let (Value::Int(x), Value::Int(y)) = (a, b)
        && let Some(value) = small(operator, *x, *y)
    {
        return Ok(value);
    }
    if let (Some(x), Some(y)) = (Number::of(a), Number::of(b)) {
        return match (x, y) {
            (Number::Integer, Number::Integer) => integers(operator, a, b, meter),
            (Number::Complex, _) | (_, Number::Complex) => complex::binary(operator, a, b),
            _ => floats(operator, a, b),
        };
    }
    match operator {
        Arithmetic::Add => sequence::concatenate(a, b, meter),
        Arithmetic::Multiply => sequence::repeat(a, b, meter),
        Arithmetic::Modulo => match a {
            Value::Str(text) => format::percent(text, b, meter).map(Value::from),
            _ => Err(unsupported(operator, a, b)),
        },
        Arithmetic::Or | Arithmetic::And | Arithmetic::Xor | Arithmetic::Subtract => sets(operator, a, b, meter),
        Arithmetic::Divide
        | Arithmetic::FloorDivide
        | Arithmetic::Power
        | Arithmetic::MatrixMultiply
        | Arithmetic::ShiftLeft
        | Arithmetic::ShiftRight => Err(unsupported(operator, a, b)),
    }
}

/// `a + b`.
pub(crate) fn add(a: &Value, b: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    binary(Arithmetic::Add, a, b, meter)
}

pub(crate) fn unsupported(operator: Arithmetic, a: &Value, b: &Value) -> Failure {
    error::r#type(format!(
        "unsupported operand type(s) for {}: '{}' and '{}'",
        operator.symbol(),
        a.type_name(),
        b.type_name()
    ))
}

enum Number {
    Integer,
    Float,
    Complex,
}

impl Number {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(_) | Value::Int(_) | Value::Big(_) => Some(Self::Integer),
            Value::Float(_) => Some(Self::Float),
            Value::Complex(..) => Some(Self::Complex),
            _ => None,
        }
    }
}

/// What fits in 64 bits and cannot fail.
fn small(operator: Arithmetic, a: i64, b: i64) -> Option<Value> {
    const EXACT: u64 = 1 << 53;
    Some(Value::Int(match operator {
        Arithmetic::Add => a.checked_add(b)?,
        Arithmetic::Subtract => a.checked_sub(b)?,
        Arithmetic::Multiply => a.checked_mul(b)?,
        Arithmetic::FloorDivide => {
            let quotient = a.checked_div(b)?;
            if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient }
        }
        Arithmetic::Modulo => {
            let rest = a.checked_rem(b)?;
            if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
        }
        Arithmetic::Divide if b != 0 && a.unsigned_abs() < EXACT && b.unsigned_abs() < EXACT => {
            return Some(Value::Float(a as f64 / b as f64));
        }
        Arithmetic::And => a & b,
        Arithmetic::Or => a | b,
        Arithmetic::Xor => a ^ b,
        Arithmetic::ShiftRight => a >> u32::try_from(b).ok()?.min(63),
        Arithmetic::Divide | Arithmetic::Power | Arithmetic::MatrixMultiply | Arithmetic::ShiftLeft => return None,
    }))
}

fn integers(operator: Arithmetic, a: &Value, b: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    if let (Value::Bool(x), Value::Bool(y)) = (a, b) {
        match operator {
            Arithmetic::And => return Ok(Value::Bool(x & y)),
            Arithmetic::Or => return Ok(Value::Bool(x | y)),
            Arithmetic::Xor => return Ok(Value::Bool(x ^ y)),
            _ => {}
        }
    }
    let (Some(x), Some(y)) = (integer::of(a), integer::of(b)) else { return Err(unsupported(operator, a, b)) };
    let (x, y): (&BigInt, &BigInt) = (&x, &y);
    let size = x.bits().max(y.bits()) + 1;
    match operator {
        Arithmetic::Multiply => integer::multiply(x, y, meter),
        Arithmetic::Divide => integer::divide(x, y).map(Value::Float),
        Arithmetic::FloorDivide => integer::divide_floor(x, y, meter).map(|(quotient, _)| Value::integer(quotient)),
        Arithmetic::Modulo => integer::divide_floor(x, y, meter).map(|(_, rest)| Value::integer(rest)),
        Arithmetic::Power if y.is_negative() => float::power(integer::to_float(x)?, integer::to_float(y)?),
        Arithmetic::Power => integer::power(x, y, meter),
        Arithmetic::ShiftLeft => integer::shift_left(x, y, meter),
        Arithmetic::ShiftRight => integer::shift_right(x, y, meter),
        Arithmetic::Add | Arithmetic::Subtract | Arithmetic::And | Arithmetic::Or | Arithmetic::Xor => {
            integer::charge(size, meter)?;
            Ok(Value::integer(match operator {
                Arithmetic::Add => x + y,
                Arithmetic::Subtract => x - y,
                Arithmetic::And => x & y,
                Arithmetic::Or => x | y,
                _ => x ^ y,
            }))
        }
        Arithmetic::MatrixMultiply => Err(unsupported(operator, a, b)),
    }
}

fn floats(operator: Arithmetic, a: &Value, b: &Value) -> Result<Value, Failure> {
    let (x, y) = (to_float(a)?, to_float(b)?);
    Ok(Value::Float(match operator {
        Arithmetic::Add => x + y,
        Arithmetic::Subtract => x - y,
        Arithmetic::Multiply => x * y,
        Arithmetic::Divide if y == 0.0 => return Err(error::zero_division("float division by zero")),
        Arithmetic::Divide => x / y,
        Arithmetic::FloorDivide => float::floor_divide(x, y)?,
        Arithmetic::Modulo => float::modulo(x, y)?,
        Arithmetic::Power => return float::power(x, y),
        Arithmetic::MatrixMultiply
        | Arithmetic::ShiftLeft
        | Arithmetic::ShiftRight
        | Arithmetic::And
        | Arithmetic::Or
        | Arithmetic::Xor => return Err(unsupported(operator, a, b)),
    }))
}

/// A number as a float.
pub(crate) fn to_float(value: &Value) -> Result<f64, Failure> {
    match value {
        Value::Float(value) => Ok(*value),
        Value::Bool(value) => Ok(f64::from(u8::from(*value))),
        Value::Int(value) => Ok(*value as f64),
        Value::Big(value) => integer::to_float(value),
        other => Err(error::r#type(format!("must be real number, not {}", other.type_name()))),
    }
}

/// `|`, `&`, `^` and `-` of dicts, sets and views.
fn sets(operator: Arithmetic, a: &Value, b: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    match (a, b) {
        (Value::Dict(x), Value::Dict(y)) if operator == Arithmetic::Or => {
            let mut merged = Dict::with_capacity(0);
            extend_dict(&mut merged, x, meter)?;
            extend_dict(&mut merged, y, meter)?;
            Ok(Value::Dict(Arc::new(merged)))
        }
        (Value::Set(x), Value::Set(_)) => combine(operator, a, b, x.frozen, meter),
        (Value::View(_), _) if compare::is_setlike(a) => combine(operator, a, b, false, meter),
        (_, Value::View(_)) if compare::is_setlike(b) => combine(operator, a, b, false, meter),
        _ => Err(unsupported(operator, a, b)),
    }
}

/// A set of the members of two collections.
pub(crate) fn combine(
    operator: Arithmetic,
    a: &Value,
    b: &Value,
    frozen: bool,
    meter: &mut Meter,
) -> Result<Value, Failure> {
    let mut set = Set::new(frozen);
    match operator {
        Arithmetic::Or => {
            extend_set(&mut set, a, meter)?;
            extend_set(&mut set, b, meter)?;
        }
        Arithmetic::And => {
            let (kept, other) = if takes_first(a, b) { (a, b) } else { (b, a) };
            keep(&mut set, kept, other, true, meter)?;
        }
        Arithmetic::Subtract => keep(&mut set, a, b, false, meter)?,
        _ => {
            keep(&mut set, a, b, false, meter)?;
            keep(&mut set, b, a, false, meter)?;
        }
    }
    Ok(Value::Set(Arc::new(set)))
}

/// Whether an intersection takes its members from `a`, as `CPython` does, which matters for `1` and `1.0`: of two sets the smaller one
/// is gone through, else the second.
fn takes_first(a: &Value, b: &Value) -> bool {
    let (x, y) = (compare::length(a), compare::length(b));
    match (a, b) {
        (Value::View(_), Value::Set(set)) if !set.frozen => x <= y,
        (Value::Set(set), Value::View(_)) => set.frozen || x < y,
        (Value::Set(_), Value::Set(_)) | (Value::View(_), Value::View(_)) => x < y,
        (_, Value::View(_)) => true,
        _ => false,
    }
}

/// Adds the items of `a` that are, or are not, in `b`.
fn keep(set: &mut Set, a: &Value, b: &Value, wanted: bool, meter: &mut Meter) -> Result<(), Failure> {
    let mut other = Set::new(false);
    extend_set(&mut other, b, meter)?;
    let mut items = iterate(a, meter)?;
    while let Some(item) = items.next(meter)? {
        meter.entries(1)?;
        let key = charge_key(item, meter)?;
        if other.contains(&key) == wanted {
            set.insert(key);
        }
    }
    Ok(())
}

/// `-a`, `+a`, `~a`, `not a`.
pub(crate) fn unary(sign: Sign, a: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    match (sign, a) {
        (Sign::Not, _) => Ok(Value::Bool(!a.is_truthy())),
        (Sign::Plus, Value::Complex(..)) => Ok(a.clone()),
        (Sign::Minus, Value::Complex(real, imaginary)) => Ok(Value::Complex(-real, -imaginary)),
        (Sign::Plus | Sign::Minus, Value::Float(value)) => {
            Ok(Value::Float(if sign == Sign::Minus { -value } else { *value }))
        }
        _ => {
            let name = match sign {
                Sign::Minus => "-",
                Sign::Plus => "+",
                Sign::Invert | Sign::Not => "~",
            };
            let value = integer::of(a)
                .ok_or_else(|| error::r#type(format!("bad operand type for unary {name}: '{}'", a.type_name())))?;
            if let (Some(small), Sign::Minus) = (integer::small(a), sign)
                && let Some(negated) = small.checked_neg()
            {
                return Ok(Value::Int(negated));
            }
            integer::charge(value.bits(), meter)?;
            Ok(Value::integer(match sign {
                Sign::Minus => -value.into_owned(),
                Sign::Invert => -(value.into_owned() + 1u8),
                Sign::Plus | Sign::Not => value.into_owned(),
            }))
        }
    }
}

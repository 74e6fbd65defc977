//! Complex numbers. No literal makes one and no result may be one, but a negative number has a fractional power, whose `abs` is a float.

use super::{Failure, arithmetic, error, float};
use crate::expression::Arithmetic;
use crate::value::Value;

/// The real and the imaginary part.
pub(crate) type Complex = (f64, f64);

/// The complex number that a number is.
pub(crate) fn of(value: &Value) -> Result<Complex, Failure> {
    match value {
        Value::Complex(real, imaginary) => Ok((*real, *imaginary)),
        other => arithmetic::to_float(other).map(|real| (real, 0.0)),
    }
}

/// `a operator b`, one of which is complex.
pub(crate) fn binary(operator: Arithmetic, a: &Value, b: &Value) -> Result<Value, Failure> {
    let (x, y) = (of(a)?, of(b)?);
    let (real, imaginary) = match operator {
        Arithmetic::Add => (x.0 + y.0, x.1 + y.1),
        Arithmetic::Subtract => (x.0 - y.0, x.1 - y.1),
        Arithmetic::Multiply => multiply(x, y),
        Arithmetic::Divide => divide(x, y).ok_or_else(|| error::zero_division("complex division by zero"))?,
        Arithmetic::Power => power(x, y)?,
        _ => return Err(arithmetic::unsupported(operator, a, b)),
    };
    Ok(Value::Complex(real, imaginary))
}

fn multiply(a: Complex, b: Complex) -> Complex {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

/// By the larger part of the divisor, so that nothing overflows on the way.
fn divide(a: Complex, b: Complex) -> Option<Complex> {
    if b == (0.0, 0.0) {
        return None;
    }
    if b.0.abs() >= b.1.abs() {
        let ratio = b.1 / b.0;
        let scale = b.0 + b.1 * ratio;
        return Some(((a.0 + a.1 * ratio) / scale, (a.1 - a.0 * ratio) / scale));
    }
    let ratio = b.0 / b.1;
    let scale = b.0 * ratio + b.1;
    Some(((a.0 * ratio + a.1) / scale, (a.1 * ratio - a.0) / scale))
}

pub(crate) fn power(a: Complex, b: Complex) -> Result<Complex, Failure> {
    let impossible = || error::zero_division("0.0 to a negative or complex power");
    let value = if b.1 == 0.0 && b.0.floor() == b.0 && b.0.abs() <= 100.0 {
        let whole = integer_power(a, b.0.abs() as u32);
        if b.0 >= 0.0 { whole } else { divide((1.0, 0.0), whole).ok_or_else(impossible)? }
    } else if a == (0.0, 0.0) {
        if b.1 != 0.0 || b.0 < 0.0 {
            return Err(impossible());
        }
        (0.0, 0.0)
    } else {
        polar_power(a, b)
    };
    if value.0.is_infinite() || value.1.is_infinite() {
        return Err(error::overflow("complex exponentiation"));
    }
    Ok(value)
}

fn integer_power(base: Complex, exponent: u32) -> Complex {
    let (mut result, mut power, mut left) = ((1.0, 0.0), base, exponent);
    while left > 0 {
        if left & 1 == 1 {
            result = multiply(result, power);
        }
        left >>= 1;
        if left > 0 {
            power = multiply(power, power);
        }
    }
    result
}

fn polar_power(a: Complex, b: Complex) -> Complex {
    let magnitude = a.0.hypot(a.1);
    let angle = a.1.atan2(a.0);
    let (mut length, mut phase) = (magnitude.powf(b.0), angle * b.0);
    if b.1 != 0.0 {
        length /= (angle * b.1).exp();
        phase += b.1 * magnitude.ln();
    }
    (length * phase.cos(), length * phase.sin())
}

/// What `repr` gives.
pub(crate) fn text(real: f64, imaginary: f64) -> String {
    let part = |value: f64| {
        let text = float::text(value);
        text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
    };
    if real == 0.0 && real.is_sign_positive() {
        return format!("{}j", part(imaginary));
    }
    let plus = if imaginary.is_sign_negative() && !imaginary.is_nan() { "" } else { "+" };
    format!("({}{plus}{}j)", part(real), part(imaginary))
}

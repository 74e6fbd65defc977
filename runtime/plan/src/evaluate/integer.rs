//! Integers of any size, up to a limit.

use std::borrow::Cow;
use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};
use num_integer::Integer;
use num_traits::{FromPrimitive, One, Signed, ToPrimitive, Zero};

use super::error;
use super::{Failure, Meter};
use crate::value::Value;

/// The most bits that an integer may have: about 79,000 decimal digits.
pub(crate) const MAX_BITS: u64 = 1 << 18;

/// The most decimal digits that an integer may have as text, as in `CPython`.
pub(crate) const MAX_DIGITS: usize = 4300;

/// The integer that a value is, if it is one; `True` is 1.
pub(crate) fn of(value: &Value) -> Option<Cow<'_, BigInt>> {
    match value {
        Value::Bool(value) => Some(Cow::Owned(BigInt::from(u8::from(*value)))),
        Value::Int(value) => Some(Cow::Owned(BigInt::from(*value))),
        Value::Big(value) => Some(Cow::Borrowed(value)),
        _ => None,
    }
}

/// The integer that a value is, in 64 bits, if it is one that fits.
pub(crate) fn small(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Int(value) => Some(*value),
        _ => None,
    }
}

/// An integer where Python needs an index.
pub(crate) fn index(value: &Value) -> Result<Cow<'_, BigInt>, Failure> {
    of(value)
        .ok_or_else(|| error::r#type(format!("'{}' object cannot be interpreted as an integer", value.type_name())))
}

/// An integer that Python keeps in a machine word.
pub(crate) fn word(value: &Value) -> Result<i64, Failure> {
    match value {
        Value::Big(_) => Err(error::overflow("Python int too large to convert to C ssize_t")),
        other => small(other).ok_or_else(|| {
            error::r#type(format!("'{}' object cannot be interpreted as an integer", other.type_name()))
        }),
    }
}

/// Counts what an integer of so many bits needs.
pub(crate) fn charge(bits: u64, meter: &mut Meter) -> Result<(), Failure> {
    if bits > MAX_BITS {
        return Err(error::limit(format!("an integer of more than {MAX_BITS} bits")));
    }
    meter.allocate(bits as usize / 8 + 32)
}

pub(crate) fn multiply(a: &BigInt, b: &BigInt, meter: &mut Meter) -> Result<Value, Failure> {
    charge(a.bits() + b.bits(), meter)?;
    meter.steps(work(a, b))?;
    Ok(Value::integer(a * b))
}

/// The steps that a product or a quotient takes.
fn work(a: &BigInt, b: &BigInt) -> u64 {
    (a.bits() / 64 + 1) * (b.bits() / 64 + 1) / 64
}

pub(crate) fn divide_floor(a: &BigInt, b: &BigInt, meter: &mut Meter) -> Result<(BigInt, BigInt), Failure> {
    if b.is_zero() {
        return Err(error::zero_division("integer division or modulo by zero"));
    }
    charge(a.bits(), meter)?;
    meter.steps(work(a, b))?;
    Ok(a.div_mod_floor(b))
}

/// `base ** exponent`, for an exponent that is not negative.
pub(crate) fn power(base: &BigInt, exponent: &BigInt, meter: &mut Meter) -> Result<Value, Failure> {
    if base.is_zero() || base.is_one() || exponent.is_zero() {
        let one = exponent.is_zero() || base.is_one();
        return Ok(Value::Int(i64::from(one)));
    }
    if base.abs().is_one() {
        return Ok(Value::Int(if exponent.is_even() { 1 } else { -1 }));
    }
    let bits = exponent.to_u64().and_then(|exponent| exponent.checked_mul(base.bits())).unwrap_or(u64::MAX);
    let least = exponent.to_u64().and_then(|exponent| exponent.checked_mul(base.bits() - 1)).unwrap_or(u64::MAX);
    charge(least, meter)?;
    meter.allocate(bits as usize / 8)?;
    meter.steps((bits / 64) * (bits / 64) / 32)?;
    let exponent = exponent.to_u32().unwrap_or(u32::MAX);
    Ok(Value::integer(base.pow(exponent)))
}

/// `pow(base, exponent, modulus)`.
pub(crate) fn power_modulo(
    base: &BigInt,
    exponent: &BigInt,
    modulus: &BigInt,
    meter: &mut Meter,
) -> Result<Value, Failure> {
    if modulus.is_zero() {
        return Err(error::value("pow() 3rd argument cannot be 0"));
    }
    let words = modulus.bits() / 64 + 1;
    meter.steps(exponent.bits().saturating_mul(words * words) / 16)?;
    charge(base.bits().max(modulus.bits()), meter)?;
    if !exponent.is_negative() {
        return Ok(Value::integer(base.modpow(exponent, modulus)));
    }
    let inverse = base.modinv(modulus).ok_or_else(|| error::value("base is not invertible for the given modulus"))?;
    Ok(Value::integer(inverse.modpow(&-exponent, modulus)))
}

pub(crate) fn shift_left(a: &BigInt, by: &BigInt, meter: &mut Meter) -> Result<Value, Failure> {
    if by.is_negative() {
        return Err(error::value("negative shift count"));
    }
    if a.is_zero() {
        return Ok(Value::Int(0));
    }
    let by = by.to_u64().unwrap_or(u64::MAX);
    charge(by.saturating_add(a.bits()), meter)?;
    Ok(Value::integer(a << by))
}

pub(crate) fn shift_right(a: &BigInt, by: &BigInt, meter: &mut Meter) -> Result<Value, Failure> {
    if by.is_negative() {
        return Err(error::value("negative shift count"));
    }
    charge(a.bits(), meter)?;
    match by.to_u64().filter(|&by| by <= a.bits()) {
        Some(by) => Ok(Value::integer(a >> by)),
        None => Ok(Value::Int(if a.is_negative() { -1 } else { 0 })),
    }
}

/// `a / b`, correctly rounded.
pub(crate) fn divide(a: &BigInt, b: &BigInt) -> Result<f64, Failure> {
    if b.is_zero() {
        return Err(error::zero_division("division by zero"));
    }
    let negative = (a.sign() == Sign::Minus) != (b.sign() == Sign::Minus);
    let signed = |value: f64| if negative { -value } else { value };
    if a.is_zero() {
        return Ok(signed(0.0));
    }
    let difference = a.bits() as i64 - b.bits() as i64;
    if difference > 1025 {
        return Err(error::overflow("integer division result too large for a float"));
    }
    if difference < -1100 {
        return Ok(signed(0.0));
    }
    let shift = 66 - difference;
    let (mut numerator, mut denominator) = (a.abs(), b.abs());
    if shift >= 0 {
        numerator <<= shift as u64;
    } else {
        denominator <<= (-shift) as u64;
    }
    let (quotient, rest) = numerator.div_rem(&denominator);
    let bits = quotient.to_u128().unwrap_or(u128::MAX) << 1 | u128::from(!rest.is_zero());
    let value = scale(bits, -shift - 1);
    if value.is_infinite() {
        return Err(error::overflow("integer division result too large for a float"));
    }
    Ok(signed(value))
}

/// `bits * 2^exponent`, rounded once to the nearest float, half to even.
fn scale(bits: u128, exponent: i64) -> f64 {
    let top = 128 - i64::from(bits.leading_zeros());
    let drop = (top - 53).max(-1074 - exponent).max(0);
    if drop > 127 {
        return 0.0;
    }
    let (kept, rest) = (bits >> drop, bits & ((1u128 << drop) - 1));
    let half = if drop == 0 { 0 } else { 1u128 << (drop - 1) };
    let up = drop > 0 && (rest > half || rest == half && kept & 1 == 1);
    let mut value = (kept + u128::from(up)) as f64;
    let mut left = exponent + drop;
    while left > 0 && value.is_finite() {
        let by = left.min(1000);
        value *= two_to(by);
        left -= by;
    }
    while left < 0 && value != 0.0 {
        let by = left.max(-1000);
        value *= two_to(by);
        left -= by;
    }
    value
}

fn two_to(exponent: i64) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// The nearest float.
pub(crate) fn to_float(value: &BigInt) -> Result<f64, Failure> {
    value.to_f64().filter(|float| float.is_finite()).ok_or_else(|| error::overflow("int too large to convert to float"))
}

/// The integer part of a float.
pub(crate) fn truncate(value: f64) -> Result<Value, Failure> {
    if value.is_nan() {
        return Err(error::value("cannot convert float NaN to integer"));
    }
    if value.is_infinite() {
        return Err(error::overflow("cannot convert float infinity to integer"));
    }
    if value.abs() < 9.0e18 {
        return Ok(Value::Int(value as i64));
    }
    Ok(BigInt::from_f64(value.trunc()).map_or(Value::Int(0), Value::integer))
}

/// How an integer compares with a float, exactly; none for NaN.
pub(crate) fn compare_float(a: &BigInt, b: f64) -> Option<Ordering> {
    if b.is_nan() {
        return None;
    }
    if b.is_infinite() {
        return Some(if b > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    let whole = BigInt::from_f64(b.trunc())?;
    Some(a.cmp(&whole).then_with(|| 0.0f64.partial_cmp(&b.fract()).unwrap_or(Ordering::Equal)))
}

/// Whether it may become decimal text.
pub(crate) fn has_text(value: &BigInt) -> bool {
    value.bits() < 14_284 || value.bits() <= 14_285 && value.magnitude().to_string().len() <= MAX_DIGITS
}

/// Its decimal digits.
pub(crate) fn text(value: &BigInt, meter: &mut Meter) -> Result<String, Failure> {
    if !has_text(value) {
        return Err(too_many_digits());
    }
    meter.allocate(value.bits() as usize / 3)?;
    meter.steps(value.bits() / 64)?;
    Ok(value.to_string())
}

pub(crate) fn too_many_digits() -> Failure {
    error::value(format!("exceeds the limit ({MAX_DIGITS} digits) for integer string conversion"))
}

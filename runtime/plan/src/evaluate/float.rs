//! Floats: Python's division, powers, rounding and text.

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{FromPrimitive, Signed, ToPrimitive, Zero};

use super::{Failure, complex, error, integer};
use crate::value::{Value, unicode};

pub(crate) fn modulo(a: f64, b: f64) -> Result<f64, Failure> {
    if b == 0.0 {
        return Err(error::zero_division("float modulo"));
    }
    Ok(divide_floor(a, b).1)
}

pub(crate) fn floor_divide(a: f64, b: f64) -> Result<f64, Failure> {
    if b == 0.0 {
        return Err(error::zero_division("float floor division by zero"));
    }
    Ok(divide_floor(a, b).0)
}

/// The floor of the quotient, and the rest with the divisor's sign.
pub(crate) fn divide_floor(a: f64, b: f64) -> (f64, f64) {
    let mut rest = a % b;
    let mut quotient = (a - rest) / b;
    if rest == 0.0 {
        rest = 0.0f64.copysign(b);
    } else if (b < 0.0) != (rest < 0.0) {
        rest += b;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0.0f64.copysign(a / b), rest);
    }
    let floor = quotient.floor();
    (if quotient - floor > 0.5 { floor + 1.0 } else { floor }, rest)
}

pub(crate) fn power(a: f64, b: f64) -> Result<Value, Failure> {
    if a == 0.0 && b < 0.0 {
        return Err(error::zero_division("0.0 cannot be raised to a negative power"));
    }
    if a < 0.0 && a.is_finite() && b.is_finite() && b.fract() != 0.0 {
        let (real, imaginary) = complex::power((a, 0.0), (b, 0.0))?;
        return Ok(Value::Complex(real, imaginary));
    }
    let value = a.powf(b);
    if value.is_infinite() && a.is_finite() && b.is_finite() {
        return Err(error::overflow("(34, 'Numerical result out of range')"));
    }
    Ok(Value::Float(value))
}

/// The nearest integer, half to even.
pub(crate) fn round(value: f64) -> Result<Value, Failure> {
    integer::truncate(value.round_ties_even())
}

/// Rounded to so many decimal places, by the exact value of the float.
pub(crate) fn round_to(value: f64, places: i64) -> Result<Value, Failure> {
    if !value.is_finite() || value == 0.0 || places > 323 {
        return Ok(Value::Float(value));
    }
    if places < -308 {
        return Ok(Value::Float(0.0f64.copysign(value)));
    }
    let rounded = if places >= 0 {
        format!("{value:.*}", places as usize).parse().unwrap_or(value)
    } else {
        round_tens(value, places.unsigned_abs() as u32)
    };
    if rounded.is_infinite() {
        return Err(error::overflow("rounded value too large to represent"));
    }
    Ok(Value::Float(rounded))
}

fn round_tens(value: f64, tens: u32) -> f64 {
    let Some(whole) = BigInt::from_f64(value.abs().trunc()) else { return value };
    let unit = BigInt::from(10u8).pow(tens);
    let (quotient, rest) = whole.div_rem(&unit);
    let twice = rest * 2u8;
    let fraction = value.fract() != 0.0;
    let up = twice > unit || twice == unit && (fraction || quotient.is_odd());
    let rounded = (quotient + u8::from(up)) * unit;
    rounded.to_f64().unwrap_or(f64::INFINITY).copysign(value)
}

/// The shortest text that reads back as the same float.
pub(crate) fn text(value: f64) -> String {
    if !value.is_finite() {
        return special(value).into();
    }
    let shortest = format!("{value:e}");
    let (digits, exponent) = parts(&shortest);
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let body = if (-4..16).contains(&exponent) {
        let fixed = place_point(&digits, exponent);
        if fixed.contains('.') { fixed } else { fixed + ".0" }
    } else {
        scientific(&digits, exponent, 'e')
    };
    format!("{sign}{body}")
}

/// `nan`, `inf` or `-inf`.
pub(crate) fn special(value: f64) -> &'static str {
    if value.is_nan() {
        "nan"
    } else if value > 0.0 {
        "inf"
    } else {
        "-inf"
    }
}

/// The digits without sign and point, and the exponent of the first, of a number in scientific notation.
pub(crate) fn parts(scientific: &str) -> (String, i32) {
    let (digits, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let digits = digits.chars().filter(char::is_ascii_digit).collect();
    (digits, exponent.parse().unwrap_or(0))
}

/// Digits with a point after the one that `exponent` says.
pub(crate) fn place_point(digits: &str, exponent: i32) -> String {
    if exponent < 0 {
        return format!("0.{}{digits}", "0".repeat((-exponent - 1) as usize));
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        return format!("{digits}{}", "0".repeat(whole - digits.len()));
    }
    format!("{}.{}", &digits[..whole], &digits[whole..])
}

/// Digits with a point after the first, and an exponent of at least two digits.
pub(crate) fn scientific(digits: &str, exponent: i32, e: char) -> String {
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{first}{point}{rest}{e}{sign}{:02}", exponent.unsigned_abs())
}

/// What `float()` makes of a text.
pub(crate) fn parse(text: &str) -> Option<f64> {
    let trimmed = text.trim_matches(unicode::is_space);
    let plain: String = trimmed.chars().map(ascii_digit).collect();
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    if ["inf", "infinity", "nan"].iter().any(|word| unsigned.eq_ignore_ascii_case(word)) {
        return plain.parse().ok();
    }
    let digits_only = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-' | '_');
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !plain.chars().all(digits_only) {
        return None;
    }
    if !underscores_are_between_digits(&plain) {
        return None;
    }
    plain.replace('_', "").parse().ok()
}

/// A decimal digit of any script as ASCII.
pub(crate) fn ascii_digit(character: char) -> char {
    unicode::decimal(character).and_then(|value| char::from_digit(value, 10)).unwrap_or(character)
}

fn underscores_are_between_digits(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digit =
        |position: Option<usize>| position.and_then(|position| bytes.get(position)).is_some_and(u8::is_ascii_digit);
    (0..bytes.len()).filter(|&at| bytes[at] == b'_').all(|at| digit(at.checked_sub(1)) && digit(Some(at + 1)))
}

/// The numerator and the denominator of a finite float.
pub(crate) fn ratio(value: f64) -> Result<(BigInt, BigInt), Failure> {
    if value.is_nan() {
        return Err(error::value("cannot convert NaN to integer ratio"));
    }
    if value.is_infinite() {
        return Err(error::overflow("cannot convert Infinity to integer ratio"));
    }
    let bits = value.to_bits();
    let raw = (bits >> 52 & 0x7ff) as i64;
    let mantissa = bits & ((1 << 52) - 1) | if raw == 0 { 0 } else { 1 << 52 };
    let exponent = raw.max(1) - 1075;
    let mut numerator = BigInt::from(mantissa);
    if value.is_sign_negative() {
        numerator = -numerator;
    }
    if exponent >= 0 {
        return Ok((numerator << exponent as u64, BigInt::from(1)));
    }
    let common = mantissa.trailing_zeros().min((-exponent) as u32);
    if numerator.is_zero() {
        return Ok((numerator, BigInt::from(1)));
    }
    let sign = if numerator.is_negative() { -1 } else { 1 };
    Ok((BigInt::from(mantissa >> common) * sign, BigInt::from(1) << ((-exponent) as u64 - u64::from(common))))
}

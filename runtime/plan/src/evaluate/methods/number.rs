//! The methods of numbers.

use super::attribute;
use crate::evaluate::call::Args;
use crate::evaluate::{Failure, Meter, error, float, integer};
use crate::value::Value;

pub(super) const INTEGER_METHODS: &[&str] = &["as_integer_ratio", "bit_count", "bit_length", "conjugate"];

pub(super) const FLOAT_METHODS: &[&str] = &["as_integer_ratio", "conjugate", "fromhex", "hex", "is_integer"];

pub(super) fn of_integer(object: &Value, name: &str, args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    let number = integer::index(object)?;
    integer::charge(number.bits(), meter)?;
    let [] = args.exactly(name)?;
    Ok(match name {
        "as_integer_ratio" => Value::tuple(vec![Value::integer(number.into_owned()), Value::Int(1)]),
        "bit_count" => Value::Int(number.magnitude().count_ones() as i64),
        "bit_length" => Value::Int(number.bits() as i64),
        "conjugate" => Value::integer(number.into_owned()),
        _ => return Err(attribute::missing(object, name)),
    })
}

pub(super) fn of_float(value: f64, name: &str, args: Args) -> Result<Value, Failure> {
    if name == "fromhex" {
        return from_hex(args);
    }
    let [] = args.exactly(name)?;
    Ok(match name {
        "as_integer_ratio" => {
            let (numerator, denominator) = float::ratio(value)?;
            Value::tuple(vec![Value::integer(numerator), Value::integer(denominator)])
        }
        "conjugate" => Value::Float(value),
        "hex" => Value::from(hex(value)),
        "is_integer" => Value::Bool(value.is_finite() && value.fract() == 0.0),
        _ => return Err(attribute::missing(&Value::Float(value), name)),
    })
}

fn hex(value: f64) -> String {
    if !value.is_finite() {
        return float::special(value).into();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let bits = value.to_bits();
    let (raw, fraction) = ((bits >> 52 & 0x7ff) as i64, bits & ((1 << 52) - 1));
    match (raw, fraction) {
        (0, 0) => format!("{sign}0x0.0p+0"),
        (0, _) => format!("{sign}0x0.{fraction:013x}p-1022"),
        _ => format!("{sign}0x1.{fraction:013x}p{:+}", raw - 1023),
    }
}

pub(super) fn from_hex(args: Args) -> Result<Value, Failure> {
    let [text] = args.exactly("fromhex")?;
    let Value::Str(text) = &text else { return Err(error::r#type("fromhex() argument must be a string")) };
    let trimmed = text.trim_matches(crate::value::unicode::is_space);
    parse_hex(trimmed).ok_or_else(|| error::value("invalid hexadecimal floating-point string"))?.map(Value::Float)
}

/// None for what is no number, an error for one that is too large.
fn parse_hex(text: &str) -> Option<Result<f64, Failure>> {
    let negative = text.starts_with('-');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text).to_ascii_lowercase();
    let signed = |value: f64| if negative { -value } else { value };
    match unsigned.as_str() {
        "inf" | "infinity" => return Some(Ok(signed(f64::INFINITY))),
        "nan" => return Some(Ok(signed(f64::NAN))),
        _ => {}
    }
    let body = unsigned.strip_prefix("0x").unwrap_or(&unsigned);
    let (mantissa, exponent) = body.split_once('p').unwrap_or((body, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_hexdigit()) || digits.len() > 4096 {
        return None;
    }
    if exponent.strip_prefix(['+', '-']).unwrap_or(exponent).chars().any(|c| !c.is_ascii_digit()) {
        return None;
    }
    let exponent: i64 = exponent.parse().ok()?;
    let exponent = exponent.clamp(-100_000, 100_000) - 4 * fraction.len() as i64;
    let number = num_bigint::BigInt::parse_bytes(digits.as_bytes(), 16)?;
    let power = num_bigint::BigInt::from(1) << exponent.unsigned_abs();
    let value = if exponent < 0 { integer::divide(&number, &power) } else { integer::to_float(&(number * power)) };
    Some(value.map(signed).map_err(|_| error::overflow("hexadecimal value too large to represent as a float")))
}

//! `bin`, `hex`, `oct`, `divmod`, `pow`, `round`, and integers from text.

use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Num, Signed, ToPrimitive};

use super::{arithmetic, error, integer};
use crate::evaluate::call::Args;
use crate::evaluate::{Failure, Meter, float};
use crate::expression::Arithmetic;
use crate::value::{Value, unicode};

/// `0b101` and the like.
pub(super) fn in_base(value: &Value, base: u32, meter: &mut Meter) -> Result<Value, Failure> {
    let number = integer::index(value)?;
    integer::charge(number.bits(), meter)?;
    meter.allocate(number.bits() as usize)?;
    let prefix = match base {
        2 => "0b",
        8 => "0o",
        _ => "0x",
    };
    let sign = if number.is_negative() { "-" } else { "" };
    Ok(Value::from(format!("{sign}{prefix}{}", number.magnitude().to_str_radix(base))))
}

pub(super) fn divmod(a: &Value, b: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    let unsupported = || {
        error::r#type(format!("unsupported operand type(s) for divmod(): '{}' and '{}'", a.type_name(), b.type_name()))
    };
    if let (Some(x), Some(y)) = (integer::of(a), integer::of(b)) {
        let (quotient, rest) = integer::divide_floor(&x, &y, meter)?;
        return Ok(Value::tuple(vec![Value::integer(quotient), Value::integer(rest)]));
    }
    let number = |value: &Value| matches!(value, Value::Float(_)) || integer::of(value).is_some();
    if !number(a) || !number(b) {
        return Err(unsupported());
    }
    let (x, y) = (arithmetic::to_float(a)?, arithmetic::to_float(b)?);
    if y == 0.0 {
        return Err(error::zero_division("float divmod()"));
    }
    let (quotient, rest) = float::divide_floor(x, y);
    Ok(Value::tuple(vec![Value::Float(quotient), Value::Float(rest)]))
}

pub(super) fn pow(args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    let [base, exponent, modulus] = args.take("pow", ["base", "exp", "mod"], 2)?;
    let (base, exponent) = (base.unwrap_or(Value::None), exponent.unwrap_or(Value::None));
    let Some(modulus) = modulus.filter(|modulus| !matches!(modulus, Value::None)) else {
        return arithmetic::binary(Arithmetic::Power, &base, &exponent, meter);
    };
    match (integer::of(&base), integer::of(&exponent), integer::of(&modulus)) {
        (Some(base), Some(exponent), Some(modulus)) => integer::power_modulo(&base, &exponent, &modulus, meter),
        _ => Err(error::r#type("pow() 3rd argument not allowed unless all arguments are integers")),
    }
}

pub(super) fn round(args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    let [number, places] = args.take("round", ["number", "ndigits"], 1)?;
    let number = number.unwrap_or(Value::None);
    let places = places.filter(|places| !matches!(places, Value::None));
    match (&number, places) {
        (Value::Float(value), None) => float::round(*value),
        (Value::Float(value), Some(places)) => float::round_to(*value, integer::word(&places)?),
        (_, places) => {
            let Some(whole) = integer::of(&number) else {
                return Err(error::r#type(format!("type {} doesn't define __round__ method", number.type_name())));
            };
            match places {
                None => Ok(Value::integer(whole.into_owned())),
                Some(places) => round_integer(&whole, &*integer::index(&places)?, meter),
            }
        }
    }
}

/// To a multiple of a power of ten, half to even.
fn round_integer(number: &BigInt, places: &BigInt, meter: &mut Meter) -> Result<Value, Failure> {
    if !places.is_negative() {
        return Ok(Value::integer(number.clone()));
    }
    let tens = (-places).to_u64().unwrap_or(u64::MAX);
    if tens > number.bits() {
        return Ok(Value::Int(0));
    }
    integer::charge(tens.saturating_mul(4), meter)?;
    let unit = BigInt::from(10u8).pow(tens as u32);
    let (quotient, rest) = integer::divide_floor(number, &unit, meter)?;
    let twice: BigInt = rest * 2u8;
    let up = twice > unit || twice == unit && quotient.is_odd();
    Ok(Value::integer((quotient + u8::from(up)) * unit))
}

/// What `int(text, base)` makes of a text.
pub(crate) fn parse_integer(text: &str, base: u32, meter: &mut Meter) -> Result<Value, Failure> {
    let invalid = || {
        let shown: String = text.chars().take(100).collect();
        error::value(format!("invalid literal for int() with base {base}: '{shown}'"))
    };
    meter.allocate(text.len())?;
    let plain: String = text.trim_matches(unicode::is_space).chars().map(float::ascii_digit).collect();
    let (negative, unsigned) = match plain.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let (radix, digits, prefixed) = radix_of(unsigned, base);
    let digits = if prefixed { digits.strip_prefix('_').unwrap_or(digits) } else { digits };
    let doubtful = digits.starts_with('_') || digits.ends_with('_') || digits.contains("__") || digits.is_empty();
    let leading_zero =
        base == 0 && !prefixed && digits.starts_with('0') && digits.contains(|c| !matches!(c, '0' | '_'));
    if doubtful || leading_zero {
        return Err(invalid());
    }
    let digits = digits.replace('_', "");
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(invalid());
    }
    if !radix.is_power_of_two() && digits.len() > integer::MAX_DIGITS {
        return Err(integer::too_many_digits());
    }
    integer::charge(digits.len() as u64 * u64::from(radix.ilog2()), meter)?;
    meter.steps(digits.len() as u64 / 16)?;
    let value = BigInt::from_str_radix(&digits, radix).map_err(|_| invalid())?;
    Ok(Value::integer(if negative { -value } else { value }))
}

/// The base of a text, what follows a prefix, and whether there is one.
fn radix_of(text: &str, base: u32) -> (u32, &str, bool) {
    let prefixed = text.get(..2).and_then(|prefix| match prefix {
        "0x" | "0X" => Some(16),
        "0o" | "0O" => Some(8),
        "0b" | "0B" => Some(2),
        _ => None,
    });
    match prefixed {
        Some(found) if base == 0 || base == found => (found, &text[2..], true),
        _ => (if base == 0 { 10 } else { base }, text, false),
    }
}

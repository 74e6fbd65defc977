//! The text of a number to its value.
//!
//! Integers have any size up to [`MAX_DIGITS`]; `-0` is the integer 0. A number with a fraction or an exponent is a float and finite.

use num_bigint::{BigInt, Sign};

/// The most digits of an integer; Python reads no more, either.
const MAX_DIGITS: usize = 4300;

/// A number.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Number {
    /// An integer of 64 bits.
    Int(i64),
    /// A larger integer.
    Big(BigInt),
    /// A number with a fraction or an exponent.
    Float(f64),
}

/// Why it is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// `NaN` or `Infinity`.
    NotFinite,
    /// Beyond the range of a float.
    Range,
    /// More digits than [`MAX_DIGITS`].
    Digits,
    /// A zero before other digits.
    LeadingZero,
    /// `_` between digits.
    Underscore,
    /// An exponent, `0x` or a sign without digits.
    MissingDigits,
    /// Anything else.
    Malformed,
}

/// Reads a number; the text is not empty.
pub(super) fn number(text: &str) -> Result<Number, Fault> {
    let negative = text.starts_with('-');
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, "NaN" | "Infinity" | "nan" | "inf" | "infinity" | "Inf") {
        return Err(Fault::NotFinite);
    }
    match unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        Some(digits) => integer(digits, negative, 16),
        None if unsigned.bytes().all(|byte| byte.is_ascii_digit()) => decimal_integer(unsigned, negative),
        None => float(text, unsigned),
    }
}

/// The syntax that JSON does not have, if the number uses it.
pub(super) fn json5_only(text: &str) -> Option<&'static str> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mantissa = unsigned.split(['e', 'E']).next().unwrap_or_default();
    match unsigned.as_bytes() {
        _ if text.starts_with('+') => Some("a plus sign"),
        [b'0', b'x' | b'X', ..] => Some("a hexadecimal number"),
        [b'.', ..] => Some("a leading decimal point"),
        _ if mantissa.ends_with('.') => Some("a trailing decimal point"),
        _ => None,
    }
}

fn decimal_integer(digits: &str, negative: bool) -> Result<Number, Fault> {
    match digits.as_bytes() {
        [] => Err(Fault::MissingDigits),
        [b'0', _, ..] => Err(Fault::LeadingZero),
        _ => integer(digits, negative, 10),
    }
}

fn integer(digits: &str, negative: bool, radix: u32) -> Result<Number, Fault> {
    if digits.is_empty() {
        return Err(Fault::MissingDigits);
    }
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(if digits.contains('_') { Fault::Underscore } else { Fault::Malformed });
    }
    if digits.len() > MAX_DIGITS {
        return Err(Fault::Digits);
    }
    let sign = if negative { Sign::Minus } else { Sign::Plus };
    if let Ok(small) = i64::from_str_radix(digits, radix) {
        return Ok(Number::Int(if negative { -small } else { small }));
    }
    let magnitude = BigInt::parse_bytes(digits.as_bytes(), radix).ok_or(Fault::Malformed)?;
    let value = BigInt::from_biguint(sign, magnitude.into_parts().1);
    Ok(i64::try_from(&value).map_or_else(|_| Number::Big(value), Number::Int))
}

fn float(text: &str, unsigned: &str) -> Result<Number, Fault> {
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) || !exponent.is_none_or(is_digits) {
        return Err(if unsigned.contains('_') { Fault::Underscore } else { Fault::Malformed });
    }
    if exponent == Some("") || (whole.is_empty() && fraction.is_empty()) {
        return Err(Fault::MissingDigits);
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return Err(Fault::LeadingZero);
    }
    let value: f64 = text.parse().map_err(|_| Fault::Malformed)?;
    if value.is_finite() { Ok(Number::Float(value)) } else { Err(Fault::Range) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_decides_the_type() {
        let cases = [
            ("0", Number::Int(0)),
            ("-0", Number::Int(0)),
            ("+7", Number::Int(7)),
            ("0x1F", Number::Int(31)),
            ("-0x10", Number::Int(-16)),
            ("9223372036854775807", Number::Int(i64::MAX)),
            ("-9223372036854775808", Number::Int(i64::MIN)),
            ("1.0", Number::Float(1.0)),
            ("1e5", Number::Float(1e5)),
            (".5", Number::Float(0.5)),
            ("5.", Number::Float(5.0)),
            ("+5.e-1", Number::Float(0.5)),
            ("1e-999", Number::Float(0.0)),
        ];
        for (text, value) in cases {
            assert_eq!(number(text), Ok(value), "{text}");
        }
        let big = number("9223372036854775808").expect("a number");
        assert_eq!(big, Number::Big(BigInt::from(i64::MAX) + 1));
        assert!(matches!(number("0xffffffffffffffff"), Ok(Number::Big(_))));
        assert!(matches!(number("-0.0"), Ok(Number::Float(zero)) if zero.is_sign_negative()));
    }

    #[test]
    fn each_fault_is_told_apart() {
        let long = "1".repeat(MAX_DIGITS + 1);
        let cases = [
            ("NaN", Fault::NotFinite),
            ("-Infinity", Fault::NotFinite),
            ("1e400", Fault::Range),
            (&long, Fault::Digits),
            ("01", Fault::LeadingZero),
            ("-00.5", Fault::LeadingZero),
            ("1_000", Fault::Underscore),
            ("1e", Fault::MissingDigits),
            ("0x", Fault::MissingDigits),
            (".", Fault::MissingDigits),
            ("-", Fault::MissingDigits),
            ("1.2.3", Fault::Malformed),
            ("1L", Fault::Malformed),
            ("--1", Fault::Malformed),
            ("0xg", Fault::Malformed),
            ("1e1.5", Fault::Malformed),
        ];
        for (text, fault) in cases {
            assert_eq!(number(text), Err(fault), "{text}");
        }
    }
}

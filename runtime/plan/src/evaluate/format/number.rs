//! The digits of numbers: precision, exponents, thousands.

use super::spec::{Align, Sign, Spec, pad};
use crate::evaluate::{Failure, Meter, error, float};

/// What stands between groups of digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grouping {
    Comma,
    Underscore,
}

impl Grouping {
    pub(super) fn separator(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Underscore => '_',
        }
    }
}

pub(super) fn sign(negative: bool, sign: Sign) -> &'static str {
    match (negative, sign) {
        (true, _) => "-",
        (false, Sign::Plus) => "+",
        (false, Sign::Space) => " ",
        (false, Sign::Default | Sign::Minus) => "",
    }
}

pub(super) fn base_prefix(base: u32) -> &'static str {
    match base {
        2 => "0b",
        8 => "0o",
        16 => "0x",
        _ => "",
    }
}

/// The magnitude of a float in one of the styles `e`, `f`, `g`; with `point`, `g` keeps its zeros and a point is always there.
pub(super) fn digits(
    magnitude: f64,
    style: char,
    precision: usize,
    point: bool,
    meter: &mut Meter,
) -> Result<String, Failure> {
    if !magnitude.is_finite() {
        return Ok(float::special(magnitude).into());
    }
    meter.allocate(precision.saturating_add(400))?;
    if precision > u16::MAX as usize {
        return long_digits(magnitude, style, precision, point, meter);
    }
    Ok(match style {
        'f' => {
            let text = format!("{magnitude:.precision$}");
            if point && precision == 0 { text + "." } else { text }
        }
        'e' => {
            let (digits, exponent) = float::parts(&format!("{magnitude:.precision$e}"));
            let text = float::scientific(&digits, exponent, 'e');
            if point && precision == 0 { text.replacen('e', ".e", 1) } else { text }
        }
        _ => general(magnitude, precision.max(1), precision.max(1), point),
    })
}

/// A float has at most 1,100 digits that are not 0; the others need no arithmetic.
fn long_digits(
    magnitude: f64,
    style: char,
    precision: usize,
    point: bool,
    meter: &mut Meter,
) -> Result<String, Failure> {
    const EXACT: usize = 1200;
    if style == 'g' && !point {
        return digits(magnitude, style, EXACT, point, meter);
    }
    let short = digits(magnitude, style, EXACT, true, meter)?;
    let (mantissa, exponent) = short.split_at(short.find('e').unwrap_or(short.len()));
    Ok(format!("{mantissa}{}{exponent}", "0".repeat(precision - EXACT)))
}

/// The style `g`: so many significant digits, and an exponent if the number is that large.
fn general(magnitude: f64, precision: usize, threshold: usize, point: bool) -> String {
    let (mut digits, exponent) = float::parts(&format!("{magnitude:.*e}", precision - 1));
    let scientific = exponent < -4 || exponent >= threshold as i32;
    if !point {
        digits.truncate(digits.trim_end_matches('0').len().max(1));
    }
    if scientific {
        let text = float::scientific(&digits, exponent, 'e');
        return if point && digits.len() == 1 { text.replacen('e', ".e", 1) } else { text };
    }
    let text = float::place_point(&digits, exponent);
    if point && !text.contains('.') { text + "." } else { text }
}

pub(super) fn format_float(value: f64, spec: &Spec, meter: &mut Meter) -> Result<String, Failure> {
    let percent = spec.kind == Some('%');
    let shown = if percent { value * 100.0 } else { value };
    let (magnitude, style) = (shown.abs(), spec.kind.map_or('r', |kind| kind.to_ascii_lowercase()));
    let mut text = match (style, spec.precision) {
        ('r', None) => {
            let text = float::text(magnitude);
            if spec.alternate && !text.contains('.') && magnitude.is_finite() {
                text.replacen('e', ".e", 1)
            } else {
                text
            }
        }
        ('r', Some(precision)) => repr_digits(magnitude, precision, spec.alternate, meter)?,
        ('%', precision) => digits(magnitude, 'f', precision.unwrap_or(6), spec.alternate, meter)?,
        ('n', precision) => digits(magnitude, 'g', precision.unwrap_or(6), spec.alternate, meter)?,
        (style, precision) => digits(magnitude, style, precision.unwrap_or(6), spec.alternate, meter)?,
    };
    let negative = shown.is_sign_negative() && !shown.is_nan();
    let is_zero = !text.contains(|c: char| ('1'..='9').contains(&c)) && shown.is_finite();
    let mantissa_is_zero =
        is_zero || text.split(['e']).next().is_some_and(|m| !m.contains(|c: char| ('1'..='9').contains(&c)));
    let negative = negative && !(spec.no_negative_zero && mantissa_is_zero && shown.is_finite());
    if percent {
        text.push('%');
    }
    if spec.kind.is_some_and(|kind| kind.is_ascii_uppercase()) {
        text = text.to_uppercase();
    }
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (whole, rest) = text.split_at(end);
    group_and_pad(spec, sign(negative, spec.sign), whole, rest, 3, meter)
}

/// Without a style, a precision means significant digits, but one digit after the point is always there.
fn repr_digits(magnitude: f64, precision: usize, alternate: bool, meter: &mut Meter) -> Result<String, Failure> {
    if !magnitude.is_finite() {
        return Ok(float::special(magnitude).into());
    }
    let precision = precision.max(1);
    meter.allocate(precision)?;
    let shown = precision.min(1200);
    let mut text = general(magnitude, shown, precision.saturating_sub(1).min(i32::MAX as usize), alternate);
    if alternate && precision > shown {
        text.push_str(&"0".repeat(precision - shown));
    }
    if text.ends_with('.') {
        text.push('0');
    } else if !text.contains(['.', 'e']) {
        text.push_str(".0");
    }
    Ok(text)
}

/// Puts separators between groups of the whole digits, zeros that fill included, and fills up to the width.
pub(super) fn group_and_pad(
    spec: &Spec,
    prefix: &str,
    whole: &str,
    rest: &str,
    size: usize,
    meter: &mut Meter,
) -> Result<String, Failure> {
    let Some(grouping) = spec.grouping else {
        return pad(spec, prefix, &format!("{whole}{rest}"), meter);
    };
    let zeros = spec.fill == '0' && spec.align == Align::AfterSign;
    let least = if zeros { spec.width.saturating_sub(prefix.len() + rest.len()) } else { 0 };
    meter.allocate(least.saturating_mul(2))?;
    let body = format!("{}{rest}", group(whole, grouping.separator(), size, least));
    pad(spec, prefix, &body, meter)
}

fn group(digits: &str, separator: char, size: usize, least: usize) -> String {
    if digits.is_empty() {
        return String::new();
    }
    let mut reversed = Vec::new();
    let mut left = digits.bytes().rev();
    let (mut remaining, mut width) = (digits.len() as i64, least as i64);
    loop {
        let length = (size as i64).min(remaining.max(width).max(1));
        reversed.extend((0..length).map(|_| left.next().unwrap_or(b'0')));
        remaining -= length;
        width -= length;
        if remaining <= 0 && width <= 0 {
            break;
        }
        reversed.push(separator as u8);
        width -= 1;
    }
    reversed.iter().rev().map(|&byte| char::from(byte)).collect()
}

/// A precision that Python accepts in `%` formatting.
pub(super) fn precision(value: i64) -> Result<usize, Failure> {
    if value > i64::from(i32::MAX) { Err(error::value("precision too big")) } else { Ok(value.max(0) as usize) }
}

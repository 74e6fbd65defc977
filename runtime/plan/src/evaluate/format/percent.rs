//! `'%s' % value`.

use num_traits::{Signed, ToPrimitive};

use super::spec::{Align, Sign, Spec, pad};
use super::{Output, ascii, number, repr, str};
use crate::evaluate::{Failure, Meter, arithmetic, charge_key, error, float, integer};
use crate::value::Value;

/// One conversion: `%(key)-08.3f`.
#[derive(Default)]
struct Conversion {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

/// What is formatted, and how much of it has been used.
struct Values<'a> {
    all: &'a Value,
    next: usize,
    /// The value of `%(key)`, for the conversion that names it.
    named: Option<Value>,
}

/// What `text % values` gives.
pub(crate) fn percent(text: &str, values: &Value, meter: &mut Meter) -> Result<String, Failure> {
    let mut values = Values { all: values, next: 0, named: None };
    let mut output = Output::new(meter);
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once('%') {
        output.push_str(literal)?;
        rest = convert(after, &mut values, &mut output)?;
    }
    output.push_str(rest)?;
    if values.has_unused() {
        return Err(error::r#type("not all arguments converted during string formatting"));
    }
    Ok(output.finish())
}

impl Values<'_> {
    fn is_mapping(&self) -> bool {
        matches!(self.all, Value::Dict(_) | Value::List(_) | Value::Range(_))
    }

    fn has_unused(&self) -> bool {
        match self.all {
            Value::Tuple(items) => self.next < items.len(),
            _ => !self.is_mapping() && self.next == 0,
        }
    }

    fn take(&mut self) -> Result<Value, Failure> {
        if let Some(value) = self.named.take() {
            return Ok(value);
        }
        let value = match self.all {
            Value::Tuple(items) => items.get(self.next).cloned(),
            single if self.next == 0 => Some(single.clone()),
            _ => None,
        };
        self.next += 1;
        value.ok_or_else(|| error::r#type("not enough arguments for format string"))
    }

    fn name(&mut self, key: &str, meter: &mut Meter) -> Result<(), Failure> {
        let Value::Dict(dict) = self.all else {
            let message = if self.is_mapping() {
                "list indices must be integers or slices, not str"
            } else {
                "format requires a mapping"
            };
            return Err(error::r#type(message));
        };
        let found = dict.get(&charge_key(Value::from(key), meter)?);
        self.named = Some(found.cloned().ok_or_else(|| error::key(format!("'{key}'")))?);
        self.next = self.next.max(1);
        Ok(())
    }
}

fn incomplete() -> Failure {
    error::value("incomplete format")
}

/// Writes what a conversion gives, and returns what follows it.
fn convert<'t>(text: &'t str, values: &mut Values<'_>, output: &mut Output<'_>) -> Result<&'t str, Failure> {
    let mut rest = text;
    if let Some(after) = rest.strip_prefix('%') {
        output.push('%')?;
        return Ok(after);
    }
    if let Some(after) = rest.strip_prefix('(') {
        let length = key_length(after).ok_or_else(|| error::value("incomplete format key"))?;
        values.name(&after[..length], output.meter)?;
        rest = &after[length + 1..];
    }
    let mut conversion = Conversion::default();
    rest = flags(rest, &mut conversion);
    rest = width(rest, &mut conversion, values)?;
    rest = precision(rest, &mut conversion, values)?;
    rest = rest.strip_prefix(['h', 'l', 'L']).unwrap_or(rest);
    let kind = rest.chars().next().ok_or_else(incomplete)?;
    let after = &rest[kind.len_utf8()..];
    let shown = show(kind, &conversion, values, output.meter)?;
    output.push_str(&shown)?;
    Ok(after)
}

fn key_length(text: &str) -> Option<usize> {
    let mut open = 1;
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => open += 1,
            b')' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(position);
        }
    }
    None
}

fn flags<'t>(text: &'t str, conversion: &mut Conversion) -> &'t str {
    let end = text.find(|c| !matches!(c, '-' | '+' | ' ' | '#' | '0')).unwrap_or(text.len());
    for flag in text[..end].chars() {
        match flag {
            '-' => conversion.left = true,
            '+' => conversion.plus = true,
            ' ' => conversion.space = true,
            '#' => conversion.alternate = true,
            _ => conversion.zero = true,
        }
    }
    &text[end..]
}

fn width<'t>(text: &'t str, conversion: &mut Conversion, values: &mut Values<'_>) -> Result<&'t str, Failure> {
    if let Some(rest) = text.strip_prefix('*') {
        let width = star(values)?;
        conversion.left |= width < 0;
        conversion.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
        return Ok(rest);
    }
    let (width, rest) = digits(text, "width too big")?;
    conversion.width = width.unwrap_or(0) as usize;
    Ok(rest)
}

fn precision<'t>(text: &'t str, conversion: &mut Conversion, values: &mut Values<'_>) -> Result<&'t str, Failure> {
    let Some(rest) = text.strip_prefix('.') else { return Ok(text) };
    if let Some(rest) = rest.strip_prefix('*') {
        conversion.precision = Some(number::precision(star(values)?)?);
        return Ok(rest);
    }
    let (precision, rest) = digits(rest, "precision too big")?;
    conversion.precision = Some(number::precision(precision.unwrap_or(0))?);
    Ok(rest)
}

fn star(values: &mut Values<'_>) -> Result<i64, Failure> {
    let value = values.take()?;
    match value {
        Value::Big(_) => Err(error::overflow("Python int too large to convert to C ssize_t")),
        other => integer::small(&other).ok_or_else(|| error::r#type("* wants int")),
    }
}

fn digits<'t>(text: &'t str, too_big: &str) -> Result<(Option<i64>, &'t str), Failure> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    if end == 0 {
        return Ok((None, text));
    }
    let value = text[..end].parse().map_err(|_| error::value(too_big))?;
    Ok((Some(value), &text[end..]))
}

fn show(kind: char, conversion: &Conversion, values: &mut Values<'_>, meter: &mut Meter) -> Result<String, Failure> {
    let known = "srad iuoxXeEfFgGc";
    if !known.contains(kind) || kind == ' ' {
        values.take()?;
        return Err(error::value(format!("unsupported format character '{kind}' ({:#x})", u32::from(kind))));
    }
    let value = values.take()?;
    match kind {
        's' => text(&str(&value, meter)?, conversion, meter),
        'r' => text(&repr(&value, meter)?, conversion, meter),
        'a' => text(&ascii(&value, meter)?, conversion, meter),
        'c' => {
            let shown = character(&value)?;
            let unlimited = Conversion { precision: None, ..*conversion };
            text(&shown, &unlimited, meter)
        }
        'd' | 'i' | 'u' => decimal(kind, &value, conversion, meter),
        'o' | 'x' | 'X' => based(kind, &value, conversion, meter),
        _ => float_text(kind, &value, conversion, meter),
    }
}

fn text(shown: &str, conversion: &Conversion, meter: &mut Meter) -> Result<String, Failure> {
    let shown: String = match conversion.precision {
        Some(precision) => shown.chars().take(precision).collect(),
        None => shown.into(),
    };
    let align = if conversion.left { Align::Left } else { Align::Right };
    pad(&conversion.spec(' ', align), "", &shown, meter)
}

fn character(value: &Value) -> Result<String, Failure> {
    let wrong = || error::r#type("%c requires int or char");
    match value {
        Value::Str(text) if text.chars().count() == 1 => Ok(text.to_string()),
        other => {
            let code = integer::of(other).ok_or_else(wrong)?;
            let character = code.to_u32().and_then(char::from_u32);
            character.map(String::from).ok_or_else(|| error::overflow("%c arg not in range(0x110000)"))
        }
    }
}

fn decimal(kind: char, value: &Value, conversion: &Conversion, meter: &mut Meter) -> Result<String, Failure> {
    let whole = match value {
        Value::Float(value) => integer::truncate(*value)?,
        other => other.clone(),
    };
    let number = integer::of(&whole).ok_or_else(|| {
        error::r#type(format!("%{kind} format: a real number is required, not {}", value.type_name()))
    })?;
    let digits = integer::text(&number, meter)?;
    numeric(number.is_negative(), "", digits.trim_start_matches('-'), conversion, meter)
}

fn based(kind: char, value: &Value, conversion: &Conversion, meter: &mut Meter) -> Result<String, Failure> {
    let number = integer::of(value)
        .ok_or_else(|| error::r#type(format!("%{kind} format: an integer is required, not {}", value.type_name())))?;
    let base = if kind == 'o' { 8 } else { 16 };
    integer::charge(number.bits() * 8, meter)?;
    let mut digits = number.magnitude().to_str_radix(base);
    let mut prefix = if conversion.alternate { number::base_prefix(base).to_owned() } else { String::new() };
    if kind == 'X' {
        digits = digits.to_uppercase();
        prefix = prefix.to_uppercase();
    }
    numeric(number.is_negative(), &prefix, &digits, conversion, meter)
}

fn numeric(
    negative: bool,
    prefix: &str,
    digits: &str,
    conversion: &Conversion,
    meter: &mut Meter,
) -> Result<String, Failure> {
    let zeros = conversion.precision.unwrap_or(0).saturating_sub(digits.len());
    let mut body = Output::new(meter);
    body.pad('0', zeros)?;
    body.push_str(digits)?;
    let body = body.finish();
    let prefix = format!("{}{prefix}", conversion.sign(negative));
    pad(&conversion.numeric_spec(), &prefix, &body, meter)
}

fn float_text(kind: char, value: &Value, conversion: &Conversion, meter: &mut Meter) -> Result<String, Failure> {
    let number = arithmetic::to_float(value)?;
    let precision = conversion.precision.unwrap_or(6);
    let style = kind.to_ascii_lowercase();
    let mut body = if number.is_finite() {
        number::digits(number.abs(), style, precision, conversion.alternate, meter)?
    } else {
        float::special(number.abs()).to_owned()
    };
    if kind.is_ascii_uppercase() {
        body = body.to_uppercase();
    }
    let negative = number.is_sign_negative() && !number.is_nan();
    pad(&conversion.numeric_spec(), conversion.sign(negative), &body, meter)
}

impl Conversion {
    fn sign(&self, negative: bool) -> &'static str {
        let sign = if self.plus {
            Sign::Plus
        } else if self.space {
            Sign::Space
        } else {
            Sign::Default
        };
        number::sign(negative, sign)
    }

    fn numeric_spec(&self) -> Spec {
        match (self.left, self.zero) {
            (true, _) => self.spec(' ', Align::Left),
            (false, true) => self.spec('0', Align::AfterSign),
            (false, false) => self.spec(' ', Align::Right),
        }
    }

    fn spec(&self, fill: char, align: Align) -> Spec {
        Spec {
            fill,
            align,
            sign: Sign::Default,
            no_negative_zero: false,
            alternate: false,
            width: self.width,
            grouping: None,
            precision: None,
            kind: None,
        }
    }
}

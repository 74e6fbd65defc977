//! Format specifications: `{:>8.3f}`.

use num_traits::{Signed, ToPrimitive};

use super::number::{self, Grouping};
use super::{Output, str};
use crate::evaluate::{Failure, Meter, arithmetic, error, integer};
use crate::value::Value;

/// A parsed specification.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    pub(super) fill: char,
    pub(super) align: Align,
    pub(super) sign: Sign,
    pub(super) no_negative_zero: bool,
    pub(super) alternate: bool,
    pub(super) width: usize,
    pub(super) grouping: Option<Grouping>,
    pub(super) precision: Option<usize>,
    pub(super) kind: Option<char>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
    Center,
    AfterSign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Default,
    Minus,
    Plus,
    Space,
}

/// What `format(value, spec)` gives.
pub(crate) fn format(value: &Value, spec: &str, meter: &mut Meter) -> Result<String, Failure> {
    if spec.is_empty() {
        return str(value, meter);
    }
    meter.allocate(spec.len())?;
    match value {
        Value::Str(text) => format_text(text, &Spec::parse(spec, Align::Left, "str")?, meter),
        Value::Bool(_) | Value::Int(_) | Value::Big(_) => {
            format_integer(value, &Spec::parse(spec, Align::Right, value.type_name())?, meter)
        }
        Value::Float(value) => format_float(*value, &Spec::parse(spec, Align::Right, "float")?, meter),
        other => Err(error::r#type(format!("unsupported format string passed to {}.__format__", other.type_name()))),
    }
}

impl Spec {
    fn parse(text: &str, default: Align, type_name: &str) -> Result<Self, Failure> {
        let characters: Vec<char> = text.chars().collect();
        let at = |position: usize| characters.get(position).copied();
        let mut position = 0;
        let mut spec = Self {
            fill: ' ',
            align: default,
            sign: Sign::Default,
            no_negative_zero: false,
            alternate: false,
            width: 0,
            grouping: None,
            precision: None,
            kind: None,
        };
        let mut aligned = true;
        let mut filled = false;
        if let Some(align) = at(1).and_then(Align::of) {
            (spec.fill, spec.align, filled, position) = (characters[0], align, true, 2);
        } else if let Some(align) = at(0).and_then(Align::of) {
            (spec.align, position) = (align, 1);
        } else {
            aligned = false;
        }
        let mut take = |wanted: char| {
            let found = at(position) == Some(wanted);
            position += usize::from(found);
            found
        };
        if take('+') {
            spec.sign = Sign::Plus;
        } else if take('-') {
            spec.sign = Sign::Minus;
        } else if take(' ') {
            spec.sign = Sign::Space;
        }
        spec.no_negative_zero = take('z');
        spec.alternate = take('#');
        if !filled && take('0') {
            spec.fill = '0';
            if !aligned && default == Align::Right {
                spec.align = Align::AfterSign;
            }
        }
        let (width, mut position) = digits(&characters, position)?;
        spec.width = width.unwrap_or(0);
        if at(position) == Some(',') {
            spec.grouping = Some(Grouping::Comma);
            position += 1;
        }
        if at(position) == Some('_') {
            if spec.grouping.is_some() {
                return Err(error::value("Cannot specify both ',' and '_'."));
            }
            spec.grouping = Some(Grouping::Underscore);
            position += 1;
            if at(position) == Some('_') {
                return Err(error::value("Cannot specify '_' with '_'."));
            }
        }
        if at(position) == Some(',') && spec.grouping.is_some() {
            let message = match spec.grouping {
                Some(Grouping::Comma) => "Cannot specify ',' with ','.",
                _ => "Cannot specify both ',' and '_'.",
            };
            return Err(error::value(message));
        }
        if at(position) == Some('.') {
            let (precision, after) = digits(&characters, position + 1)?;
            spec.precision = Some(precision.ok_or_else(|| error::value("Format specifier missing precision"))?);
            position = after;
        }
        match characters.get(position..).unwrap_or(&[]) {
            [] => {}
            [kind] => spec.kind = Some(*kind),
            _ => {
                return Err(error::value(format!(
                    "Invalid format specifier '{text}' for object of type '{type_name}'"
                )));
            }
        }
        spec.check_grouping()?;
        Ok(spec)
    }

    fn check_grouping(&self) -> Result<(), Failure> {
        match (self.grouping, self.kind) {
            (None, _)
            | (_, None | Some('d' | 'e' | 'f' | 'g' | 'E' | 'G' | '%' | 'F'))
            | (Some(Grouping::Underscore), Some('b' | 'o' | 'x' | 'X')) => Ok(()),
            (Some(grouping), Some(kind)) => {
                Err(error::value(format!("Cannot specify '{}' with '{kind}'.", grouping.separator())))
            }
        }
    }

    fn refuse_kind(&self, type_name: &str) -> Failure {
        let kind = self.kind.unwrap_or(' ');
        error::value(format!("Unknown format code '{kind}' for object of type '{type_name}'"))
    }
}

impl Align {
    fn of(character: char) -> Option<Self> {
        match character {
            '<' => Some(Self::Left),
            '>' => Some(Self::Right),
            '^' => Some(Self::Center),
            '=' => Some(Self::AfterSign),
            _ => None,
        }
    }
}

fn digits(characters: &[char], from: usize) -> Result<(Option<usize>, usize), Failure> {
    let mut position = from;
    let mut value: Option<usize> = None;
    while let Some(digit) = characters.get(position).and_then(|&character| crate::value::unicode::decimal(character)) {
        value = value.unwrap_or(0).checked_mul(10).and_then(|value| value.checked_add(digit as usize));
        if value.is_none_or(|value| value > i64::MAX as usize) {
            return Err(error::value("Too many decimal digits in format string"));
        }
        position += 1;
    }
    Ok((value, position))
}

fn format_text(text: &str, spec: &Spec, meter: &mut Meter) -> Result<String, Failure> {
    if spec.kind.is_some_and(|kind| kind != 's') {
        return Err(spec.refuse_kind("str"));
    }
    match spec.sign {
        Sign::Default => {}
        Sign::Space => return Err(error::value("Space not allowed in string format specifier")),
        Sign::Plus | Sign::Minus => return Err(error::value("Sign not allowed in string format specifier")),
    }
    if spec.no_negative_zero {
        return Err(error::value("Negative zero coercion (z) not allowed in string format specifier"));
    }
    if spec.alternate {
        return Err(error::value("Alternate form (#) not allowed in string format specifier"));
    }
    if spec.align == Align::AfterSign {
        return Err(error::value("'=' alignment not allowed in string format specifier"));
    }
    if let Some(grouping) = spec.grouping {
        return Err(error::value(format!("Cannot specify '{}' with 's'.", grouping.separator())));
    }
    let shown: String = match spec.precision {
        Some(precision) => text.chars().take(precision).collect(),
        None => text.into(),
    };
    pad(spec, "", &shown, meter)
}

/// Fills up to the width, around what comes before the digits and the rest.
pub(super) fn pad(spec: &Spec, prefix: &str, body: &str, meter: &mut Meter) -> Result<String, Failure> {
    let length = prefix.chars().count() + body.chars().count();
    let missing = spec.width.saturating_sub(length);
    let (left, middle, right) = match spec.align {
        Align::Left => (0, 0, missing),
        Align::Right => (missing, 0, 0),
        Align::Center => (missing / 2, 0, missing - missing / 2),
        Align::AfterSign => (0, missing, 0),
    };
    let mut output = Output::new(meter);
    output.pad(spec.fill, left)?;
    output.push_str(prefix)?;
    output.pad(spec.fill, middle)?;
    output.push_str(body)?;
    output.pad(spec.fill, right)?;
    Ok(output.finish())
}

fn format_integer(value: &Value, spec: &Spec, meter: &mut Meter) -> Result<String, Failure> {
    let base = match spec.kind {
        None | Some('d' | 'n') => 10,
        Some('b') => 2,
        Some('o') => 8,
        Some('x' | 'X') => 16,
        Some('c') => return format_character(value, spec, meter),
        Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') => {
            return format_float(arithmetic::to_float(value)?, spec, meter);
        }
        Some(_) => return Err(spec.refuse_kind(value.type_name())),
    };
    if spec.precision.is_some() {
        return Err(error::value("Precision not allowed in integer format specifier"));
    }
    if spec.no_negative_zero {
        return Err(error::value("Negative zero coercion (z) not allowed in format specifier with integer"));
    }
    let number = integer::index(value)?;
    let mut digits = if base == 10 {
        integer::text(&number, meter)?.trim_start_matches('-').to_owned()
    } else {
        integer::charge(number.bits() * 8, meter)?;
        number.magnitude().to_str_radix(base)
    };
    let mut prefix = number::sign(number.is_negative(), spec.sign).to_owned();
    if spec.alternate {
        prefix.push_str(number::base_prefix(base));
    }
    if spec.kind == Some('X') {
        digits = digits.to_uppercase();
        prefix = prefix.to_uppercase();
    }
    let size = if base == 10 { 3 } else { 4 };
    number::group_and_pad(spec, &prefix, &digits, "", size, meter)
}

fn format_character(value: &Value, spec: &Spec, meter: &mut Meter) -> Result<String, Failure> {
    if spec.precision.is_some() {
        return Err(error::value("Precision not allowed in integer format specifier"));
    }
    if spec.no_negative_zero {
        return Err(error::value("Negative zero coercion (z) not allowed in format specifier with integer"));
    }
    if spec.sign != Sign::Default {
        return Err(error::value("Sign not allowed with integer format specifier 'c'"));
    }
    if spec.alternate {
        return Err(error::value("Alternate form (#) not allowed with integer format specifier 'c'"));
    }
    let code = integer::index(value)?;
    let character = code.to_u32().and_then(char::from_u32);
    let character = character.ok_or_else(|| error::overflow("%c arg not in range(0x110000)"))?;
    pad(spec, "", character.encode_utf8(&mut [0; 4]), meter)
}

fn format_float(value: f64, spec: &Spec, meter: &mut Meter) -> Result<String, Failure> {
    if !matches!(spec.kind, None | Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'n' | '%')) {
        return Err(spec.refuse_kind("float"));
    }
    number::format_float(value, spec, meter)
}

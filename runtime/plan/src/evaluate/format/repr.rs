//! `str`, `repr` and `ascii`.

use num_traits::One;

use super::Output;
use crate::evaluate::{Failure, Meter, complex, float, integer};
use crate::value::{Builtin, Dict, Range, Set, Value, View, ViewKind, unicode};

/// What `str()` gives.
pub(crate) fn str(value: &Value, meter: &mut Meter) -> Result<String, Failure> {
    match value {
        Value::Str(text) => {
            meter.allocate(text.len())?;
            Ok(text.to_string())
        }
        other => repr(other, meter),
    }
}

/// What `repr()` gives.
pub(crate) fn repr(value: &Value, meter: &mut Meter) -> Result<String, Failure> {
    let mut output = Output::new(meter);
    write(value, &mut output)?;
    Ok(output.finish())
}

/// What `ascii()` gives.
pub(crate) fn ascii(value: &Value, meter: &mut Meter) -> Result<String, Failure> {
    let text = repr(value, meter)?;
    if text.is_ascii() {
        return Ok(text);
    }
    let mut output = Output::new(meter);
    for character in text.chars() {
        if character.is_ascii() { output.push(character)? } else { output.push_str(&escape(character))? }
    }
    Ok(output.finish())
}

fn escape(character: char) -> String {
    let code = u32::from(character);
    match code {
        0..=0xff => format!("\\x{code:02x}"),
        0x100..=0xffff => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    }
}

fn write(value: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    output.meter.step()?;
    match value {
        Value::None => output.push_str("None"),
        Value::Bool(true) => output.push_str("True"),
        Value::Bool(false) => output.push_str("False"),
        Value::Int(value) => output.push_str(&value.to_string()),
        Value::Big(value) => {
            let text = integer::text(value, output.meter)?;
            output.push_str(&text)
        }
        Value::Float(value) => output.push_str(&float::text(*value)),
        Value::Complex(real, imaginary) => output.push_str(&complex::text(*real, *imaginary)),
        Value::Str(text) => quote(text, output),
        Value::List(items) => between("[", items.iter(), "]", output),
        Value::Tuple(items) => match items.as_slice() {
            [only] => {
                output.push('(')?;
                write(only, output)?;
                output.push_str(",)")
            }
            items => between("(", items.iter(), ")", output),
        },
        Value::Dict(dict) => write_dict(dict, output),
        Value::Set(set) => write_set(set, output),
        Value::Range(range) => write_range(range, output),
        Value::View(view) => write_view(view, output),
        Value::Iterator(iterator) => output.push_str(&format!("<{} object>", iterator.kind.name())),
        Value::Builtin(Builtin::Type(kind)) => output.push_str(&format!("<class '{}'>", kind.name())),
        Value::Builtin(Builtin::Function(function)) => {
            output.push_str(&format!("<built-in function {}>", function.name()))
        }
        Value::Method(method) => output.push_str(&format!("<built-in method {}>", method.name)),
    }
}

fn between<'a>(
    open: &str,
    items: impl std::iter::Iterator<Item = &'a Value>,
    close: &str,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    output.push_str(open)?;
    for (position, item) in items.enumerate() {
        if position > 0 {
            output.push_str(", ")?;
        }
        write(item, output)?;
    }
    output.push_str(close)
}

fn write_dict(dict: &Dict, output: &mut Output<'_>) -> Result<(), Failure> {
    output.push('{')?;
    for (position, (key, value)) in dict.iter().enumerate() {
        if position > 0 {
            output.push_str(", ")?;
        }
        write(key, output)?;
        output.push_str(": ")?;
        write(value, output)?;
    }
    output.push('}')
}

fn write_set(set: &Set, output: &mut Output<'_>) -> Result<(), Failure> {
    match (set.frozen, set.is_empty()) {
        (true, true) => output.push_str("frozenset()"),
        (false, true) => output.push_str("set()"),
        (true, false) => between("frozenset({", set.iter(), "})", output),
        (false, false) => between("{", set.iter(), "}", output),
    }
}

fn write_range(range: &Range, output: &mut Output<'_>) -> Result<(), Failure> {
    let (start, stop) = (integer::text(&range.start, output.meter)?, integer::text(&range.stop, output.meter)?);
    if range.step.is_one() {
        return output.push_str(&format!("range({start}, {stop})"));
    }
    let step = integer::text(&range.step, output.meter)?;
    output.push_str(&format!("range({start}, {stop}, {step})"))
}

fn write_view(view: &View, output: &mut Output<'_>) -> Result<(), Failure> {
    output.push_str(view.kind.name())?;
    output.push_str("([")?;
    for (position, (key, value)) in view.dict.iter().enumerate() {
        if position > 0 {
            output.push_str(", ")?;
        }
        match view.kind {
            ViewKind::Keys => write(key, output)?,
            ViewKind::Values => write(value, output)?,
            ViewKind::Items => {
                output.push('(')?;
                write(key, output)?;
                output.push_str(", ")?;
                write(value, output)?;
                output.push(')')?;
            }
        }
    }
    output.push_str("])")
}

/// A text in quotes, which are double only if it holds single ones and no double ones.
fn quote(text: &str, output: &mut Output<'_>) -> Result<(), Failure> {
    let mark = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    output.meter.allocate(text.len())?;
    output.push(mark)?;
    for character in text.chars() {
        match character {
            '\n' => output.push_str("\\n")?,
            '\r' => output.push_str("\\r")?,
            '\t' => output.push_str("\\t")?,
            '\\' => output.push_str("\\\\")?,
            character if character == mark => {
                output.push('\\')?;
                output.push(mark)?;
            }
            character if unicode::is_printable(character) => output.push(character)?,
            character => output.push_str(&escape(character))?,
        }
    }
    output.push(mark)
}

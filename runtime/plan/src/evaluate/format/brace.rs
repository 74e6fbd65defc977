//! `'{} {name.attribute[0]!r:>8}'.format(…)`.

use std::sync::Arc;

use super::{Output, ascii, format, repr, str};
use crate::evaluate::call::Args;
use crate::evaluate::{Failure, Meter, attribute, error, sequence};
use crate::value::{Text, Value};

/// The arguments of a format, and which of the two ways of numbering it uses.
struct Fields<'a> {
    positional: &'a [Value],
    named: Named<'a>,
    numbering: Numbering,
}

/// Where named fields come from: keyword arguments, or the mapping of `format_map`.
pub(crate) enum Named<'a> {
    Keywords(&'a [(Arc<str>, Value)]),
    Mapping(&'a Value),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbering {
    Unknown,
    Automatic(usize),
    Manual,
}

/// What `text.format(…)` gives.
pub(crate) fn brace(text: &str, args: &Args, mapping: Option<&Value>, meter: &mut Meter) -> Result<String, Failure> {
    let named = mapping.map_or(Named::Keywords(&args.keywords), Named::Mapping);
    let mut fields = Fields { positional: &args.positional, named, numbering: Numbering::Unknown };
    expand(text, &mut fields, 2, meter)
}

fn expand(text: &str, fields: &mut Fields<'_>, depth: usize, meter: &mut Meter) -> Result<String, Failure> {
    if depth == 0 {
        return Err(error::value("Max string recursion exceeded"));
    }
    let mut output = Output::new(meter);
    let mut rest = text;
    while let Some(position) = rest.find(['{', '}']) {
        output.push_str(&rest[..position])?;
        let brace = &rest[position..=position];
        rest = &rest[position + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            output.push_str(brace)?;
            rest = after;
            continue;
        }
        if brace == "}" {
            return Err(error::value("Single '}' encountered in format string"));
        }
        if rest.is_empty() {
            return Err(error::value("Single '{' encountered in format string"));
        }
        rest = field(rest, fields, depth, &mut output)?;
    }
    output.push_str(rest)?;
    Ok(output.finish())
}

/// Writes a replacement field, and returns what follows it.
fn field<'t>(
    text: &'t str,
    fields: &mut Fields<'_>,
    depth: usize,
    output: &mut Output<'_>,
) -> Result<&'t str, Failure> {
    let unclosed = || error::value("expected '}' before end of string");
    let end = name_end(text)?;
    let (name, mut rest) = text.split_at(end);
    let mut conversion = None;
    if let Some(after) = rest.strip_prefix('!') {
        let character =
            after.chars().next().ok_or_else(|| error::value("end of string while looking for conversion specifier"))?;
        conversion = Some(character);
        rest = &after[character.len_utf8()..];
        if rest.is_empty() {
            return Err(error::value("unmatched '{' in format spec"));
        }
        if !rest.starts_with([':', '}']) {
            return Err(error::value("expected ':' after conversion specifier"));
        }
    }
    let spec = match rest.strip_prefix(':') {
        Some(after) => {
            let end = spec_end(after).ok_or_else(unclosed)?;
            rest = &after[end..];
            &after[..end]
        }
        None => "",
    };
    let after = rest.strip_prefix('}').ok_or_else(unclosed)?;
    let value = fields.value(name, output.meter)?;
    let value = match conversion {
        None => value,
        Some('s') => Value::from(str(&value, output.meter)?),
        Some('r') => Value::from(repr(&value, output.meter)?),
        Some('a') => Value::from(ascii(&value, output.meter)?),
        Some(other) => return Err(error::value(format!("Unknown conversion specifier {other}"))),
    };
    let spec = if spec.contains(['{', '}']) { expand(spec, fields, depth - 1, output.meter)? } else { spec.into() };
    let shown = format(&value, &spec, output.meter)?;
    output.push_str(&shown)?;
    Ok(after)
}

/// Where the name of a field ends; brackets may hold anything.
fn name_end(text: &str) -> Result<usize, Failure> {
    let mut bracket = false;
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            b'{' if !bracket => return Err(error::value("unexpected '{' in field name")),
            b'[' => bracket = true,
            b']' => bracket = false,
            b'}' | b':' | b'!' if !bracket => return Ok(position),
            _ => {}
        }
    }
    Err(error::value("expected '}' before end of string"))
}

fn spec_end(text: &str) -> Option<usize> {
    let mut open = 1;
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(position);
        }
    }
    None
}

impl Fields<'_> {
    fn value(&mut self, text: &str, meter: &mut Meter) -> Result<Value, Failure> {
        let end = text.find(['.', '[']).unwrap_or(text.len());
        let (first, mut rest) = text.split_at(end);
        let mut value = self.first(first, meter)?;
        while !rest.is_empty() {
            meter.step()?;
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                value = attribute_of(&value, &after[..end])?;
                rest = &after[end..];
            } else if let Some(after) = rest.strip_prefix('[') {
                let end = after.find(']').ok_or_else(|| error::value("Missing ']' in format string"))?;
                value = item_of(&value, &after[..end], meter)?;
                rest = &after[end + 1..];
            } else {
                return Err(error::value("Only '.' or '[' may follow ']' in format field specifier"));
            }
        }
        Ok(value)
    }

    fn first(&mut self, name: &str, meter: &mut Meter) -> Result<Value, Failure> {
        let number = if name.is_empty() { None } else { index(name)? };
        if !name.is_empty() && number.is_none() {
            return self.named(name, meter);
        }
        let position = match (number, self.numbering) {
            (None, Numbering::Manual) => {
                return Err(error::value("cannot switch from manual field specification to automatic field numbering"));
            }
            (Some(_), Numbering::Automatic(_)) => {
                return Err(error::value("cannot switch from automatic field numbering to manual field specification"));
            }
            (Some(position), _) => {
                self.numbering = Numbering::Manual;
                position
            }
            (None, Numbering::Automatic(position)) => {
                self.numbering = Numbering::Automatic(position + 1);
                position
            }
            (None, Numbering::Unknown) => {
                self.numbering = Numbering::Automatic(1);
                0
            }
        };
        if let Named::Mapping(_) = self.named {
            return Err(error::value("Format string contains positional fields"));
        }
        let missing = || error::index(format!("Replacement index {position} out of range for positional args tuple"));
        self.positional.get(position).cloned().ok_or_else(missing)
    }

    fn named(&self, name: &str, meter: &mut Meter) -> Result<Value, Failure> {
        match &self.named {
            Named::Keywords(keywords) => {
                let found = keywords.iter().find(|(keyword, _)| **keyword == *name);
                found.map(|(_, value)| value.clone()).ok_or_else(|| error::key(format!("'{name}'")))
            }
            Named::Mapping(Value::Dict(dict)) => {
                dict.get_str(Text(name).0).cloned().ok_or_else(|| error::key(format!("'{name}'")))
            }
            Named::Mapping(other) => sequence::subscript(other, &Value::from(name), meter),
        }
    }
}

fn index(text: &str) -> Result<Option<usize>, Failure> {
    if text.is_empty() || !text.chars().all(crate::value::unicode::is_decimal) {
        return Ok(None);
    }
    let digits: String = text.chars().map(crate::evaluate::float::ascii_digit).collect();
    match digits.parse::<i64>() {
        Ok(value) => Ok(Some(value as usize)),
        Err(_) => Err(error::value("Too many decimal digits in format string")),
    }
}

fn attribute_of(value: &Value, name: &str) -> Result<Value, Failure> {
    if name.is_empty() {
        return Err(error::value("Empty attribute in format string"));
    }
    if name.starts_with('_') {
        return Err(error::refused(format!("the attribute `{name}` begins with an underscore")));
    }
    attribute::get(value, name)
}

fn item_of(value: &Value, text: &str, meter: &mut Meter) -> Result<Value, Failure> {
    if text.is_empty() {
        return Err(error::value("Empty attribute in format string"));
    }
    let key = index(text)?.map_or_else(|| Value::from(text), Value::from);
    sequence::subscript(value, &key, meter)
}

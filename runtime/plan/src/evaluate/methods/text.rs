//! The methods of text: the dispatch, searching, and translation.

use std::sync::Arc;

use num_traits::{Signed, ToPrimitive};

use super::{attribute, error, text_case, text_split};
use crate::evaluate::call::Args;
use crate::evaluate::{ErrorKind, Failure, Meter, charge_key, format, integer, sequence};
use crate::value::{Dict, Key, Value, unicode};

pub(super) const METHODS: &[&str] = &[
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "maketrans",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "translate",
    "upper",
    "zfill",
];

pub(super) fn call(this: &Arc<str>, name: &str, args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    meter.allocate(this.len())?;
    match name {
        "format" => return format::brace(this, &args, None, meter).map(Value::from),
        "format_map" => {
            let [mapping] = args.exactly(name)?;
            return format::brace(this, &Args::default(), Some(&mapping), meter).map(Value::from);
        }
        "encode" => {
            return Err(error::refused("`encode` would make bytes, and there are no bytes"));
        }
        "maketrans" => return make_table(args, meter),
        "translate" => {
            let [table] = args.exactly(name)?;
            return translate(this, &table, meter);
        }
        "join" => {
            let [items] = args.exactly(name)?;
            return text_split::join(this, &items, meter);
        }
        "split" | "rsplit" | "splitlines" | "partition" | "rpartition" | "strip" | "lstrip" | "rstrip" => {
            return text_split::call(this, name, args, meter);
        }
        "count" | "find" | "index" | "rfind" | "rindex" | "startswith" | "endswith" => {
            return search(this, name, args, meter);
        }
        "replace" => return replace(this, args, meter),
        "removeprefix" | "removesuffix" => {
            let [part] = args.exactly(name)?;
            let part = of(&part, name)?;
            let rest = if name == "removeprefix" { this.strip_prefix(part) } else { this.strip_suffix(part) };
            return Ok(rest.map_or_else(|| Value::Str(Arc::clone(this)), Value::from));
        }
        "center" | "ljust" | "rjust" | "zfill" | "expandtabs" => return text_split::widen(this, name, args, meter),
        _ => {}
    }
    let [] = args.exactly(name)?;
    text_case::call(this, name, meter).unwrap_or_else(|| Err(attribute::missing(&Value::Str(Arc::clone(this)), name)))
}

/// An argument that must be text.
pub(super) fn of<'a>(value: &'a Value, function: &str) -> Result<&'a str, Failure> {
    match value {
        Value::Str(text) => Ok(text),
        other => Err(error::r#type(format!("{function}() argument must be str, not {}", other.type_name()))),
    }
}

/// The part of a text between two positions in characters, and where it begins; none if it begins after the end.
fn window<'t>(text: &'t str, start: Option<&Value>, stop: Option<&Value>) -> Result<Option<(usize, &'t str)>, Failure> {
    let length = if text.is_ascii() { text.len() } else { text.chars().count() };
    let bound = |value: Option<&Value>, default: usize| match value {
        None | Some(Value::None) => Ok(default),
        Some(value) => {
            let Some(index) = integer::of(value) else {
                return Err(error::r#type("slice indices must be integers or None or have an __index__ method"));
            };
            let position = if index.is_negative() { &*index + length } else { index.into_owned() };
            Ok(if position.is_negative() { 0 } else { position.to_usize().unwrap_or(usize::MAX) })
        }
    };
    let (start, stop) = (bound(start, 0)?, bound(stop, length)?.min(length));
    if start > stop {
        return Ok(None);
    }
    if text.is_ascii() {
        return Ok(Some((start, &text[start..stop])));
    }
    let offset = |position: usize| text.char_indices().nth(position).map_or(text.len(), |(offset, _)| offset);
    Ok(Some((start, &text[offset(start)..offset(stop)])))
}

fn search(this: &str, name: &str, args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    let [part, start, stop] = args.without_keywords(name)?.take(name, ["", "", ""], 1)?;
    let part = part.unwrap_or(Value::None);
    let window = window(this, start.as_ref(), stop.as_ref())?;
    if let "startswith" | "endswith" = name {
        return affix(name, window.map(|(_, text)| text), &part, meter).map(Value::Bool);
    }
    let Value::Str(part) = &part else {
        return Err(error::r#type(format!("must be str, not {}", part.type_name())));
    };
    if name == "count" {
        let count =
            window.map_or(
                0,
                |(_, text)| {
                    if part.is_empty() { text.chars().count() + 1 } else { text.matches(&**part).count() }
                },
            );
        return Ok(Value::from(count));
    }
    let found = window.and_then(|(start, text)| {
        let offset = if name.starts_with('r') { text.rfind(&**part) } else { text.find(&**part) };
        offset.map(|offset| start + text[..offset].chars().count())
    });
    match found {
        Some(position) => Ok(Value::from(position)),
        None if name.ends_with("find") => Ok(Value::Int(-1)),
        None => Err(error::value("substring not found")),
    }
}

fn affix(name: &str, text: Option<&str>, part: &Value, meter: &mut Meter) -> Result<bool, Failure> {
    let matches = |part: &str| {
        text.is_some_and(|text| if name == "startswith" { text.starts_with(part) } else { text.ends_with(part) })
    };
    match part {
        Value::Str(part) => Ok(matches(part)),
        Value::Tuple(parts) => {
            for part in parts.iter() {
                meter.step()?;
                let Value::Str(part) = part else {
                    return Err(error::r#type(format!(
                        "tuple for {name} must only contain str, not {}",
                        part.type_name()
                    )));
                };
                if matches(part) {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        other => {
            Err(error::r#type(format!("{name} first arg must be str or a tuple of str, not {}", other.type_name())))
        }
    }
}

fn replace(this: &str, args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    let [old, new, count] = args.without_keywords("replace")?.take("replace", ["", "", ""], 2)?;
    let (old, new) = (old.unwrap_or(Value::None), new.unwrap_or(Value::None));
    let (old, new) = (of(&old, "replace")?, of(&new, "replace")?);
    let count = count.map_or(Ok(-1), |count| integer::word(&count))?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let found = if old.is_empty() { this.chars().count() + 1 } else { this.matches(old).count() };
    meter.allocate(this.len().saturating_add(new.len().saturating_mul(found.min(count))))?;
    Ok(Value::from(this.replacen(old, new, count)))
}

/// `str.maketrans(…)`: a dict from code points to text, code points or `None`.
pub(super) fn make_table(args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    let [from, to, removed] = args.without_keywords("maketrans")?.take("maketrans", ["", "", ""], 1)?;
    let from = from.unwrap_or(Value::None);
    let mut table = Dict::with_capacity(0);
    let code = |character: char| Key(Value::Int(i64::from(u32::from(character))));
    let Some(to) = to else {
        let Value::Dict(source) = &from else {
            return Err(error::r#type("if you give only one argument to maketrans it must be a dict"));
        };
        meter.entries(source.len())?;
        for (key, value) in source.iter() {
            let key = match key {
                Value::Str(text) => {
                    let mut characters = text.chars();
                    match (characters.next(), characters.next()) {
                        (Some(character), None) => code(character),
                        _ => return Err(error::value("string keys in translate table must be of length 1")),
                    }
                }
                other if integer::of(other).is_some() => charge_key(other.clone(), meter)?,
                _ => return Err(error::r#type("keys in translate table must be strings or integers")),
            };
            table.insert(key, value.clone());
        }
        return Ok(Value::Dict(Arc::new(table)));
    };
    let (from, to) = (of(&from, "maketrans")?, of(&to, "maketrans")?);
    if from.chars().count() != to.chars().count() {
        return Err(error::value("the first two maketrans arguments must have equal length"));
    }
    meter.entries(from.len())?;
    for (old, new) in from.chars().zip(to.chars()) {
        table.insert(code(old), Value::Int(i64::from(u32::from(new))));
    }
    if let Some(removed) = removed {
        let removed = of(&removed, "maketrans")?;
        meter.entries(removed.len())?;
        for character in removed.chars() {
            table.insert(code(character), Value::None);
        }
    }
    Ok(Value::Dict(Arc::new(table)))
}

fn translate(this: &str, table: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    let mut text = String::new();
    for character in this.chars() {
        meter.step()?;
        let code = Value::Int(i64::from(u32::from(character)));
        let replacement = match sequence::subscript(table, &code, meter) {
            Ok(value) => value,
            Err(failure) if matches!(failure.kind, ErrorKind::Key | ErrorKind::Index) => code,
            Err(failure) => return Err(failure),
        };
        match &replacement {
            Value::None => {}
            Value::Str(replacement) => {
                meter.allocate(replacement.len())?;
                text.push_str(replacement);
            }
            other => {
                let code = integer::of(other)
                    .ok_or_else(|| error::r#type("character mapping must return integer, None or str"))?;
                let character = code.to_u32().and_then(char::from_u32);
                text.push(character.ok_or_else(|| error::value("character mapping must be in range(0x110000)"))?);
            }
        }
    }
    Ok(Value::from(text))
}

/// Whether a text is a Python identifier.
pub(super) fn is_identifier(text: &str) -> bool {
    let mut characters = text.chars();
    let first = characters.next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c));
    first && characters.all(unicode_ident::is_xid_continue)
}

/// Whether all characters are such, and there is one.
pub(super) fn every(text: &str, wanted: impl Fn(char) -> bool) -> Value {
    Value::Bool(!text.is_empty() && text.chars().all(wanted))
}

pub(super) fn is_alphanumeric(character: char) -> bool {
    unicode::is_alphabetic(character) || unicode::is_numeric(character)
}

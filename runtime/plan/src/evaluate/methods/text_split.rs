//! Splitting, joining, stripping and filling text.

use std::sync::Arc;

use super::text::of;
use super::{attribute, error};
use crate::evaluate::call::Args;
use crate::evaluate::iterate::collect;
use crate::evaluate::{Failure, Meter, integer};
use crate::value::{Value, unicode};

pub(super) fn call(this: &Arc<str>, name: &str, args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    match name {
        "split" | "rsplit" => split(this, args, name == "rsplit", meter),
        "splitlines" => split_lines(this, args, meter),
        "partition" | "rpartition" => partition(this, name, args),
        "strip" => strip(this, name, args, true, true),
        "lstrip" => strip(this, name, args, true, false),
        "rstrip" => strip(this, name, args, false, true),
        _ => Err(attribute::missing(&Value::Str(Arc::clone(this)), name)),
    }
}

fn strip(this: &Arc<str>, name: &str, args: Args, left: bool, right: bool) -> Result<Value, Failure> {
    let [characters] = args.without_keywords(name)?.take(name, [""], 0)?;
    let characters: Option<Vec<char>> = match &characters {
        None | Some(Value::None) => None,
        Some(Value::Str(text)) => Some(text.chars().collect()),
        Some(_) => return Err(error::r#type(format!("{name} arg must be None or str"))),
    };
    let matches =
        |c: char| characters.as_ref().map_or_else(|| unicode::is_space(c), |characters| characters.contains(&c));
    let mut rest: &str = this;
    if left {
        rest = rest.trim_start_matches(matches);
    }
    if right {
        rest = rest.trim_end_matches(matches);
    }
    Ok(if rest.len() == this.len() { Value::Str(Arc::clone(this)) } else { Value::from(rest) })
}

/// A list of parts, counted.
struct Parts<'m> {
    parts: Vec<Value>,
    meter: &'m mut Meter,
}

impl Parts<'_> {
    fn push(&mut self, part: &str) -> Result<(), Failure> {
        self.meter.items(1)?;
        self.meter.allocate(part.len() + 16)?;
        self.meter.step()?;
        self.parts.push(Value::from(part));
        Ok(())
    }
}

fn split(this: &str, args: Args, from_right: bool, meter: &mut Meter) -> Result<Value, Failure> {
    let name = if from_right { "rsplit" } else { "split" };
    let [separator, most] = args.take(name, ["sep", "maxsplit"], 0)?;
    let most = most.map_or(Ok(-1), |most| integer::word(&most))?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut parts = Parts { parts: Vec::new(), meter };
    match separator {
        None | Some(Value::None) if from_right => words_from_right(this, most, &mut parts)?,
        None | Some(Value::None) => words(this, most, &mut parts)?,
        Some(separator) => {
            let separator = of(&separator, name)?;
            if separator.is_empty() {
                return Err(error::value("empty separator"));
            }
            let limit = most.saturating_add(1);
            if from_right {
                for part in this.rsplitn(limit, separator) {
                    parts.push(part)?;
                }
                parts.parts.reverse();
            } else {
                for part in this.splitn(limit, separator) {
                    parts.push(part)?;
                }
            }
        }
    }
    Ok(Value::list(parts.parts))
}

/// Words between white space; after so many splits the rest is one word, with the white space at its end.
fn words(this: &str, most: usize, parts: &mut Parts<'_>) -> Result<(), Failure> {
    let mut rest = this.trim_start_matches(unicode::is_space);
    let mut splits = 0;
    while !rest.is_empty() {
        if splits == most {
            return parts.push(rest);
        }
        let end = rest.find(unicode::is_space).unwrap_or(rest.len());
        parts.push(&rest[..end])?;
        rest = rest[end..].trim_start_matches(unicode::is_space);
        splits += 1;
    }
    Ok(())
}

fn words_from_right(this: &str, most: usize, parts: &mut Parts<'_>) -> Result<(), Failure> {
    let mut rest = this.trim_end_matches(unicode::is_space);
    let mut splits = 0;
    while !rest.is_empty() {
        if splits == most {
            parts.push(rest)?;
            break;
        }
        let start =
            rest.char_indices().rev().find(|(_, c)| unicode::is_space(*c)).map_or(0, |(at, c)| at + c.len_utf8());
        parts.push(&rest[start..])?;
        rest = rest[..start].trim_end_matches(unicode::is_space);
        splits += 1;
    }
    parts.parts.reverse();
    Ok(())
}

fn split_lines(this: &str, args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    let [keep] = args.take("splitlines", ["keepends"], 0)?;
    let keep = match keep {
        None => false,
        Some(value) => {
            integer::index(&value)?;
            value.is_truthy()
        }
    };
    let mut parts = Parts { parts: Vec::new(), meter };
    let mut rest = this;
    while let Some((at, mark)) = rest.char_indices().find(|(_, c)| unicode::is_line_break(*c)) {
        let mark_length = if rest[at..].starts_with("\r\n") { 2 } else { mark.len_utf8() };
        parts.push(&rest[..if keep { at + mark_length } else { at }])?;
        rest = &rest[at + mark_length..];
    }
    if !rest.is_empty() {
        parts.push(rest)?;
    }
    Ok(Value::list(parts.parts))
}

fn partition(this: &Arc<str>, name: &str, args: Args) -> Result<Value, Failure> {
    let [separator] = args.exactly(name)?;
    let separator = of(&separator, name)?;
    if separator.is_empty() {
        return Err(error::value("empty separator"));
    }
    let from_right = name == "rpartition";
    let found = if from_right { this.rsplit_once(separator) } else { this.split_once(separator) };
    let whole = Value::Str(Arc::clone(this));
    let nothing = || Value::from("");
    Ok(Value::tuple(match found {
        Some((before, after)) => vec![Value::from(before), Value::from(separator), Value::from(after)],
        None if from_right => vec![nothing(), nothing(), whole],
        None => vec![whole, nothing(), nothing()],
    }))
}

pub(super) fn join(this: &str, items: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    let items = match collect(items, meter) {
        Err(failure) if failure.kind == crate::evaluate::ErrorKind::Type => {
            return Err(error::r#type("can only join an iterable"));
        }
        items => items?,
    };
    meter.allocate(this.len().saturating_mul(items.len()))?;
    let mut text = String::new();
    for (position, item) in items.iter().enumerate() {
        let Value::Str(item) = item else {
            return Err(error::r#type(format!(
                "sequence item {position}: expected str instance, {} found",
                item.type_name()
            ))
            .help("write `str(…)` around the items"));
        };
        meter.allocate(item.len())?;
        if position > 0 {
            text.push_str(this);
        }
        text.push_str(item);
    }
    Ok(Value::from(text))
}

/// `center`, `ljust`, `rjust`, `zfill`, `expandtabs`.
pub(super) fn widen(this: &Arc<str>, name: &str, args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    if name == "expandtabs" {
        let [size] = args.take(name, ["tabsize"], 0)?;
        let size = size.map_or(Ok(8), |size| integer::word(&size))?;
        return expand_tabs(this, usize::try_from(size).unwrap_or(0), meter);
    }
    let fills = name != "zfill";
    let args = args.without_keywords(name)?;
    let (width, fill) = if fills {
        let [width, fill] = args.take(name, ["", ""], 1)?;
        (width, fill)
    } else {
        let [width] = args.take(name, [""], 1)?;
        (width, None)
    };
    let width = usize::try_from(integer::word(&width.unwrap_or(Value::None))?).unwrap_or(0);
    let fill = match &fill {
        None => ' ',
        Some(Value::Str(text)) if text.chars().count() == 1 => text.chars().next().unwrap_or(' '),
        Some(_) => return Err(error::r#type("The fill character must be exactly one character long")),
    };
    let missing = width.saturating_sub(this.chars().count());
    if missing == 0 {
        return Ok(Value::Str(Arc::clone(this)));
    }
    meter.allocate(missing.saturating_mul(fill.len_utf8()))?;
    let padding = |count: usize| String::from(fill).repeat(count);
    Ok(Value::from(match name {
        "ljust" => format!("{this}{}", padding(missing)),
        "rjust" => format!("{}{this}", padding(missing)),
        "center" => {
            let left = missing / 2 + (missing & width & 1);
            format!("{}{this}{}", padding(left), padding(missing - left))
        }
        _ => {
            let digits = this.strip_prefix(['+', '-']).unwrap_or(this);
            let sign = &this[..this.len() - digits.len()];
            format!("{sign}{}{digits}", "0".repeat(missing))
        }
    }))
}

fn expand_tabs(this: &str, size: usize, meter: &mut Meter) -> Result<Value, Failure> {
    let mut text = String::new();
    let mut column = 0;
    for character in this.chars() {
        meter.step()?;
        match character {
            '\t' => {
                let count = if size == 0 { 0 } else { size - column % size };
                meter.allocate(count)?;
                text.extend(std::iter::repeat_n(' ', count));
                column += count;
            }
            '\n' | '\r' => {
                text.push(character);
                column = 0;
            }
            _ => {
                text.push(character);
                column += 1;
            }
        }
    }
    Ok(Value::from(text))
}

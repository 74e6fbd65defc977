//! Concatenation, repetition, subscripts and slices.

use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::{One, Signed, ToPrimitive, Zero};

use super::{Failure, Meter, arithmetic, charge_key, error, format, integer};
use crate::expression::Arithmetic;
use crate::value::{Range, Value};

/// `a + b` of sequences.
pub(crate) fn concatenate(a: &Value, b: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    let joined = |x: &[Value], y: &[Value], meter: &mut Meter| {
        meter.items(x.len() + y.len())?;
        Ok([x, y].concat())
    };
    match (a, b) {
        (Value::Str(x), Value::Str(y)) => {
            meter.allocate(x.len() + y.len())?;
            let mut text = String::with_capacity(x.len() + y.len());
            text.push_str(x);
            text.push_str(y);
            Ok(Value::from(text))
        }
        (Value::List(x), Value::List(y)) => joined(x, y, meter).map(Value::list),
        (Value::Tuple(x), Value::Tuple(y)) => joined(x, y, meter).map(Value::tuple),
        (Value::Str(_) | Value::List(_) | Value::Tuple(_), other) => Err(error::r#type(format!(
            "can only concatenate {} (not \"{}\") to {}",
            a.type_name(),
            other.type_name(),
            a.type_name()
        ))),
        _ => Err(arithmetic::unsupported(Arithmetic::Add, a, b)),
    }
}

/// `a * b` of a sequence and a number.
pub(crate) fn repeat(a: &Value, b: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    let (sequence, times) = match (a, b) {
        (Value::Str(_) | Value::List(_) | Value::Tuple(_), _) => (a, b),
        (_, Value::Str(_) | Value::List(_) | Value::Tuple(_)) => (b, a),
        _ => return Err(arithmetic::unsupported(Arithmetic::Multiply, a, b)),
    };
    let Some(times) = integer::of(times) else {
        return Err(error::r#type(format!("can't multiply sequence by non-int of type '{}'", times.type_name())));
    };
    let Some(times) = times.to_i64() else {
        return Err(error::overflow("cannot fit 'int' into an index-sized integer"));
    };
    let times = usize::try_from(times).unwrap_or(0);
    match sequence {
        Value::Str(text) => {
            meter.allocate(text.len().saturating_mul(times))?;
            Ok(Value::from(if text.is_empty() { String::new() } else { text.repeat(times) }))
        }
        Value::List(items) => repeat_items(items, times, meter).map(Value::list),
        Value::Tuple(items) => repeat_items(items, times, meter).map(Value::tuple),
        _ => Err(arithmetic::unsupported(Arithmetic::Multiply, a, b)),
    }
}

fn repeat_items(items: &[Value], times: usize, meter: &mut Meter) -> Result<Vec<Value>, Failure> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let length = items.len().saturating_mul(times);
    meter.items(length)?;
    let mut repeated = Vec::with_capacity(length);
    for _ in 0..times {
        repeated.extend_from_slice(items);
    }
    Ok(repeated)
}

/// `object[index]`.
pub(crate) fn subscript(object: &Value, index: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    match object {
        Value::List(items) | Value::Tuple(items) => {
            let position = position(index, items.len(), object.type_name())?;
            Ok(items[position].clone())
        }
        Value::Dict(dict) => {
            let key = charge_key(index.clone(), meter)?;
            match dict.get(&key) {
                Some(value) => Ok(value.clone()),
                None => Err(error::key(format::repr(index, meter)?)),
            }
        }
        Value::Str(text) => {
            let length = super::compare::length(object).unwrap_or(0);
            let position = position(index, length, "string")?;
            meter.steps(text.len() as u64 / 256)?;
            let character = if text.is_ascii() {
                text.get(position..=position).map(Value::from)
            } else {
                text.chars().nth(position).map(|character| Value::from(character.to_string()))
            };
            character.ok_or_else(|| error::index("string index out of range"))
        }
        Value::Range(range) => {
            let Some(index) = integer::of(index) else {
                return Err(error::r#type(format!(
                    "range indices must be integers or slices, not {}",
                    index.type_name()
                )));
            };
            let index = if index.is_negative() { &*index + &range.length } else { index.into_owned() };
            if index.is_negative() || index >= range.length {
                return Err(error::index("range object index out of range"));
            }
            Ok(Value::integer(range.at(&index)))
        }
        other => Err(error::r#type(format!("'{}' object is not subscriptable", other.type_name()))),
    }
}

fn position(index: &Value, length: usize, what: &str) -> Result<usize, Failure> {
    let Some(index) = integer::small(index) else {
        return Err(match index {
            Value::Big(_) => error::index("cannot fit 'int' into an index-sized integer"),
            other => error::r#type(format!("{what} indices must be integers or slices, not {}", other.type_name())),
        });
    };
    let position = if index < 0 { index + length as i64 } else { index };
    usize::try_from(position)
        .ok()
        .filter(|&position| position < length)
        .ok_or_else(|| error::index(format!("{what} index out of range")))
}

/// `object[start:stop:step]`; a part that is left out is `None`.
pub(crate) fn slice(object: &Value, parts: [&Value; 3], meter: &mut Meter) -> Result<Value, Failure> {
    match object {
        Value::List(items) => picked(items, parts, meter).map(Value::list),
        Value::Tuple(items) => picked(items, parts, meter).map(Value::tuple),
        Value::Str(text) => slice_text(text, parts, meter),
        Value::Range(range) => slice_range(range, parts),
        Value::Dict(_) => Err(error::r#type("unhashable type: 'slice'")),
        other => Err(error::r#type(format!("'{}' object is not subscriptable", other.type_name()))),
    }
}

fn picked(items: &[Value], parts: [&Value; 3], meter: &mut Meter) -> Result<Vec<Value>, Failure> {
    let positions = Positions::of(parts, &BigInt::from(items.len()))?;
    meter.items(positions.count())?;
    Ok(positions.each().map(|position| items[position].clone()).collect())
}

fn slice_text(text: &Arc<str>, parts: [&Value; 3], meter: &mut Meter) -> Result<Value, Failure> {
    meter.allocate(text.len())?;
    if text.is_ascii() {
        let positions = Positions::of(parts, &BigInt::from(text.len()))?;
        let bytes = text.as_bytes();
        return Ok(Value::from(positions.each().map(|position| char::from(bytes[position])).collect::<String>()));
    }
    let characters: Vec<char> = text.chars().collect();
    meter.allocate(characters.len() * 4)?;
    let positions = Positions::of(parts, &BigInt::from(characters.len()))?;
    Ok(Value::from(positions.each().map(|position| characters[position]).collect::<String>()))
}

fn slice_range(range: &Range, parts: [&Value; 3]) -> Result<Value, Failure> {
    let positions = Positions::of(parts, &range.length)?;
    let step = &range.step * &positions.step;
    let (start, stop) = (range.at(&positions.start), range.at(&positions.stop));
    Ok(Value::Range(Arc::new(Range::new(start, stop, step))))
}

/// Which positions of a sequence a slice means.
struct Positions {
    start: BigInt,
    stop: BigInt,
    step: BigInt,
}

impl Positions {
    fn of([start, stop, step]: [&Value; 3], length: &BigInt) -> Result<Self, Failure> {
        let step = part(step)?.unwrap_or_else(BigInt::one);
        if step.is_zero() {
            return Err(error::value("slice step cannot be zero"));
        }
        let backward = step.is_negative();
        let (low, high) = if backward { (BigInt::from(-1), length - 1) } else { (BigInt::zero(), length.clone()) };
        let clamp = |bound: BigInt| {
            let bound = if bound.is_negative() { bound + length } else { bound };
            bound.clamp(low.clone(), high.clone().max(low.clone()))
        };
        let start = part(start)?.map_or_else(|| if backward { high.clone() } else { low.clone() }, clamp);
        let stop = part(stop)?.map_or_else(|| if backward { low.clone() } else { high.clone() }, clamp);
        Ok(Self { start, stop, step })
    }

    fn count(&self) -> usize {
        Range::new(self.start.clone(), self.stop.clone(), self.step.clone()).length.to_usize().unwrap_or(0)
    }

    /// The positions; all are inside.
    fn each(&self) -> impl Iterator<Item = usize> + use<> {
        let count = self.count();
        let start = self.start.to_i64().unwrap_or(0);
        let step = self.step.to_i64().unwrap_or(0);
        (0..count as i64).map(move |index| (start + index * step) as usize)
    }
}

fn part(value: &Value) -> Result<Option<BigInt>, Failure> {
    match value {
        Value::None => Ok(None),
        other => integer::of(other)
            .map(|value| Some(value.into_owned()))
            .ok_or_else(|| error::r#type("slice indices must be integers or None or have an __index__ method")),
    }
}

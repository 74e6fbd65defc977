//! The methods of lists, tuples, dicts, sets, ranges and views.

use std::sync::Arc;

use num_traits::{Signed, ToPrimitive};

use super::{attribute, error};
use crate::evaluate::call::Args;
use crate::evaluate::iterate::{extend_set, iterate};
use crate::evaluate::{Failure, Meter, arithmetic, charge_key, compare, format, integer};
use crate::expression::{Arithmetic, Comparison};
use crate::value::{Dict, Range, Set, Value, View, ViewKind};

pub(super) const SET_METHODS: &[&str] =
    &["copy", "difference", "intersection", "isdisjoint", "issubset", "issuperset", "symmetric_difference", "union"];

pub(super) fn of_items(
    object: &Value,
    items: &[Value],
    name: &str,
    args: Args,
    meter: &mut Meter,
) -> Result<Value, Failure> {
    match name {
        "count" => {
            let [wanted] = args.exactly(name)?;
            let mut count = 0;
            for item in items {
                meter.step()?;
                count += i64::from(compare::is_equal(item, &wanted, meter)?);
            }
            Ok(Value::Int(count))
        }
        "index" => {
            let [wanted, start, stop] = args.without_keywords(name)?.take(name, ["", "", ""], 1)?;
            let wanted = wanted.unwrap_or(Value::None);
            let (start, stop) =
                (bound(start.as_ref(), items.len(), 0)?, bound(stop.as_ref(), items.len(), items.len())?);
            for (position, item) in items.iter().enumerate().take(stop).skip(start) {
                meter.step()?;
                if compare::is_equal(item, &wanted, meter)? {
                    return Ok(Value::from(position));
                }
            }
            Err(error::value(format!("{} is not in {}", format::repr(&wanted, meter)?, object.type_name())))
        }
        "copy" => {
            let [] = args.exactly(name)?;
            meter.items(items.len())?;
            Ok(Value::list(items.to_vec()))
        }
        _ => Err(attribute::missing(object, name)),
    }
}

/// A position in a sequence: counted from the end if it is negative, and cut to what is there.
fn bound(value: Option<&Value>, length: usize, default: usize) -> Result<usize, Failure> {
    let Some(value) = value else { return Ok(default) };
    let Some(index) = integer::of(value) else {
        return Err(error::r#type("slice indices must be integers or have an __index__ method"));
    };
    let position = if index.is_negative() { &*index + length } else { index.into_owned() };
    Ok(if position.is_negative() { 0 } else { position.to_usize().unwrap_or(length).min(length) })
}

pub(super) fn of_dict(dict: &Arc<Dict>, name: &str, args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    let view = |kind| Value::View(Arc::new(View { dict: Arc::clone(dict), kind }));
    match name {
        "get" => {
            let [key, default] = args.without_keywords(name)?.take(name, ["", ""], 1)?;
            let key = charge_key(key.unwrap_or(Value::None), meter)?;
            Ok(dict.get(&key).cloned().or(default).unwrap_or(Value::None))
        }
        "fromkeys" => from_keys(args, meter),
        _ => {
            let [] = args.exactly(name)?;
            match name {
                "items" => Ok(view(ViewKind::Items)),
                "keys" => Ok(view(ViewKind::Keys)),
                "values" => Ok(view(ViewKind::Values)),
                "copy" => {
                    let mut copy = Dict::with_capacity(0);
                    crate::evaluate::iterate::extend_dict(&mut copy, dict, meter)?;
                    Ok(Value::Dict(Arc::new(copy)))
                }
                _ => Err(attribute::missing(&Value::Dict(Arc::clone(dict)), name)),
            }
        }
    }
}

/// `dict.fromkeys(keys, value)`
pub(super) fn from_keys(args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    let [keys, value] = args.without_keywords("fromkeys")?.take("fromkeys", ["", ""], 1)?;
    let value = value.unwrap_or(Value::None);
    let mut keys = iterate(&keys.unwrap_or(Value::None), meter)?;
    let mut dict = Dict::with_capacity(0);
    while let Some(key) = keys.next(meter)? {
        meter.entries(1)?;
        dict.insert(charge_key(key, meter)?, value.clone());
    }
    Ok(Value::Dict(Arc::new(dict)))
}

pub(super) fn of_set(
    object: &Value,
    set: &Arc<Set>,
    name: &str,
    args: Args,
    meter: &mut Meter,
) -> Result<Value, Failure> {
    let operator = match name {
        "union" => Arithmetic::Or,
        "intersection" => Arithmetic::And,
        "difference" => Arithmetic::Subtract,
        _ => return compare_sets(object, set, name, args, meter),
    };
    let others = args.without_keywords(name)?.positional;
    let mut result = object.clone();
    for other in &others {
        result = arithmetic::combine(operator, &result, other, set.frozen, meter)?;
    }
    Ok(result)
}

fn compare_sets(object: &Value, set: &Arc<Set>, name: &str, args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    if name == "copy" {
        let [] = args.exactly(name)?;
        return Ok(object.clone());
    }
    let [other] = args.exactly(name)?;
    if name == "isdisjoint" {
        return is_disjoint(object, &other, meter);
    }
    if name == "issuperset" {
        return is_superset(set, &other, meter);
    }
    if name == "symmetric_difference" {
        return arithmetic::combine(Arithmetic::Xor, object, &as_set(&other, meter)?, set.frozen, meter);
    }
    let other = as_set(&other, meter)?;
    compare::is_ordered(Comparison::LessOrEqual, object, &other, meter).map(Value::Bool)
}

/// Ends at the first item that is not there, so that what comes after it may be unhashable.
fn is_superset(set: &Set, other: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    let mut items = iterate(other, meter)?;
    while let Some(item) = items.next(meter)? {
        if !set.contains(&charge_key(item, meter)?) {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

fn as_set(value: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    let mut set = Set::new(false);
    extend_set(&mut set, value, meter)?;
    Ok(Value::Set(Arc::new(set)))
}

fn is_disjoint(object: &Value, other: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    let mut items = iterate(other, meter)?;
    while let Some(item) = items.next(meter)? {
        charge_key(item.clone(), meter)?;
        if compare::contains(object, &item, meter)? {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

pub(super) fn of_range(range: &Range, name: &str, args: Args) -> Result<Value, Failure> {
    let [wanted] = args.exactly(name)?;
    let whole = match &wanted {
        Value::Float(value) if value.is_finite() && value.fract() == 0.0 => Some(integer::truncate(*value)?),
        Value::Float(_) => None,
        other => Some(other.clone()),
    };
    let position = whole.as_ref().and_then(integer::of).and_then(|number| range.position(&number));
    match (name, position) {
        ("count", position) => Ok(Value::Int(i64::from(position.is_some()))),
        (_, Some(position)) => Ok(Value::integer(position)),
        (_, None) => Err(error::value("the value is not in the range")),
    }
}

pub(super) fn of_view(object: &Value, view: &View, args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    if view.kind == ViewKind::Values {
        return Err(attribute::missing(object, "isdisjoint"));
    }
    let [other] = args.exactly("isdisjoint")?;
    is_disjoint(object, &other, meter)
}

//! Going through what can be gone through, and collecting it.

use std::sync::Arc;

use super::{Failure, Meter, charge_key, error};
use crate::value::{Dict, Iter, Set, Type, Value, View, ViewKind};

/// The items of a value, in Python's order.
pub(crate) fn iterate(value: &Value, _meter: &mut Meter) -> Result<Iter, Failure> {
    Ok(match value {
        Value::List(items) | Value::Tuple(items) => Iter::Items { items: Arc::clone(items), next: 0 },
        Value::Str(text) => Iter::Chars { text: Arc::clone(text), offset: 0 },
        Value::Dict(dict) => {
            Iter::View { view: Arc::new(View { dict: Arc::clone(dict), kind: ViewKind::Keys }), next: 0 }
        }
        Value::Set(set) => Iter::Set { set: Arc::clone(set), next: 0 },
        Value::Range(range) => Iter::range(range),
        Value::View(view) => Iter::View { view: Arc::clone(view), next: 0 },
        Value::Iterator(iterator) => Iter::Shared(Arc::clone(iterator)),
        Value::None
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Big(_)
        | Value::Float(_)
        | Value::Complex(..)
        | Value::Builtin(_)
        | Value::Method(_) => {
            return Err(error::r#type(format!("'{}' object is not iterable", value.type_name())));
        }
    })
}

/// The items from the end, for `reversed`.
pub(crate) fn reversed(value: &Value) -> Result<Value, Failure> {
    let iter = match value {
        Value::List(items) | Value::Tuple(items) => Iter::ItemsBack { items: Arc::clone(items), left: items.len() },
        Value::Str(text) => Iter::CharsBack { text: Arc::clone(text), end: text.len() },
        Value::Dict(dict) => {
            Iter::ViewBack { view: Arc::new(View { dict: Arc::clone(dict), kind: ViewKind::Keys }), left: dict.len() }
        }
        Value::View(view) => Iter::ViewBack { view: Arc::clone(view), left: view.dict.len() },
        Value::Range(range) => Iter::range(&range.reversed()),
        other => return Err(error::r#type(format!("'{}' object is not reversible", other.type_name()))),
    };
    Ok(Value::iterator(Type::Reversed, iter))
}

/// All items; room is counted before it is taken.
pub(crate) fn collect(value: &Value, meter: &mut Meter) -> Result<Vec<Value>, Failure> {
    if let Value::List(items) | Value::Tuple(items) = value {
        meter.items(items.len())?;
        return Ok(items.to_vec());
    }
    let mut iter = iterate(value, meter)?;
    let mut items = Vec::new();
    let hint = iter.hint();
    meter.items(hint)?;
    items.reserve_exact(hint);
    while let Some(item) = iter.next(meter)? {
        if items.len() >= hint {
            meter.items(1)?;
        }
        items.push(item);
    }
    Ok(items)
}

/// Adds all items to a set.
pub(crate) fn extend_set(set: &mut Set, value: &Value, meter: &mut Meter) -> Result<(), Failure> {
    let mut iter = iterate(value, meter)?;
    while let Some(item) = iter.next(meter)? {
        meter.entries(1)?;
        set.insert(charge_key(item, meter)?);
    }
    Ok(())
}

/// Adds all entries of another dict.
pub(crate) fn extend_dict(dict: &mut Dict, other: &Dict, meter: &mut Meter) -> Result<(), Failure> {
    meter.entries(other.len())?;
    meter.steps(other.len() as u64)?;
    for (key, value) in other.iter() {
        dict.insert(charge_key(key.clone(), meter)?, value.clone());
    }
    Ok(())
}

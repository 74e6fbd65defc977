//! Equality, order and membership.

use std::cmp::Ordering;
use std::sync::Arc;

use num_traits::ToPrimitive;

use super::iterate::iterate;
use super::{Failure, Meter, charge_key, complex, error, integer};
use crate::expression::Comparison;
use crate::value::{Dict, Set, Value, View, ViewKind};

/// What `a comparison b` is.
pub(crate) fn compare(comparison: Comparison, a: &Value, b: &Value, meter: &mut Meter) -> Result<bool, Failure> {
    match comparison {
        Comparison::Equal => is_equal(a, b, meter),
        Comparison::NotEqual => is_equal(a, b, meter).map(|equal| !equal),
        Comparison::Is => Ok(is_same(a, b)),
        Comparison::IsNot => Ok(!is_same(a, b)),
        Comparison::In => contains(b, a, meter),
        Comparison::NotIn => contains(b, a, meter).map(|found| !found),
        Comparison::Less | Comparison::LessOrEqual | Comparison::Greater | Comparison::GreaterOrEqual => {
            is_ordered(comparison, a, b, meter)
        }
    }
}

/// `a == b`; each part that is compared costs a step.
pub(crate) fn is_equal(a: &Value, b: &Value, meter: &mut Meter) -> Result<bool, Failure> {
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => Ok(a == b),
        (Value::Int(a), Value::Int(b)) => Ok(a == b),
        (Value::None, Value::None) => Ok(true),
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            if Arc::ptr_eq(a, b) {
                return Ok(true);
            }
            if a.len() != b.len() {
                return Ok(false);
            }
            for (x, y) in a.iter().zip(b.iter()) {
                meter.step()?;
                if !is_equal(x, y, meter)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Dict(a), Value::Dict(b)) => equal_dicts(a, b, meter),
        (Value::Set(_), Value::Set(_)) => equal_members(a, b, meter),
        (Value::View(x), Value::View(y)) => {
            if x.kind == ViewKind::Values || y.kind == ViewKind::Values {
                return Ok(Arc::ptr_eq(x, y));
            }
            equal_members(a, b, meter)
        }
        (Value::View(view), Value::Set(_)) | (Value::Set(_), Value::View(view)) if view.kind != ViewKind::Values => {
            equal_members(a, b, meter)
        }
        (Value::Range(a), Value::Range(b)) => Ok(a.is_equal(b)),
        (Value::Builtin(a), Value::Builtin(b)) => Ok(a == b),
        (Value::Iterator(a), Value::Iterator(b)) => Ok(Arc::ptr_eq(a, b)),
        (Value::Method(a), Value::Method(b)) => Ok(a.name == b.name && is_same(&a.object, &b.object)),
        (Value::Complex(..), _) | (_, Value::Complex(..)) => {
            let parts = (complex::of(a), complex::of(b));
            Ok(matches!(parts, (Ok(x), Ok(y)) if x == y))
        }
        _ => Ok(order_numbers(a, b) == Some(Order::Known(Ordering::Equal))),
    }
}

fn equal_dicts(a: &Arc<Dict>, b: &Arc<Dict>, meter: &mut Meter) -> Result<bool, Failure> {
    if Arc::ptr_eq(a, b) {
        return Ok(true);
    }
    if a.len() != b.len() {
        return Ok(false);
    }
    for (key, value) in a.iter() {
        meter.step()?;
        let key = charge_key(key.clone(), meter)?;
        match b.get(&key) {
            Some(other) if is_equal(value, other, meter)? => {}
            Some(_) | None => return Ok(false),
        }
    }
    Ok(true)
}

fn equal_members(a: &Value, b: &Value, meter: &mut Meter) -> Result<bool, Failure> {
    Ok(length(a) == length(b) && is_subset(a, b, meter)?)
}

/// How many items it has, if it is a collection.
pub(crate) fn length(value: &Value) -> Option<usize> {
    Some(match value {
        Value::Str(text) if text.is_ascii() => text.len(),
        Value::Str(text) => text.chars().count(),
        Value::List(items) | Value::Tuple(items) => items.len(),
        Value::Dict(dict) => dict.len(),
        Value::Set(set) => set.len(),
        Value::View(view) => view.dict.len(),
        Value::Range(range) => range.length.to_usize().unwrap_or(usize::MAX),
        _ => return None,
    })
}

/// Whether every member of `a` is in `b`; both are sets or views.
fn is_subset(a: &Value, b: &Value, meter: &mut Meter) -> Result<bool, Failure> {
    let mut items = iterate(a, meter)?;
    while let Some(item) = items.next(meter)? {
        if !contains(b, &item, meter)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// How two numbers compare.
#[derive(PartialEq)]
enum Order {
    Known(Ordering),
    /// One is NaN.
    NotANumber,
}

impl Order {
    fn of(order: Option<Ordering>) -> Self {
        order.map_or(Self::NotANumber, Self::Known)
    }

    fn reverse(self) -> Self {
        match self {
            Self::Known(order) => Self::Known(order.reverse()),
            Self::NotANumber => Self::NotANumber,
        }
    }
}

/// How two values compare, if both are numbers.
fn order_numbers(a: &Value, b: &Value) -> Option<Order> {
    if let (Some(x), Some(y)) = (integer::small(a), integer::small(b)) {
        return Some(Order::Known(x.cmp(&y)));
    }
    match (a, b) {
        (Value::Float(x), Value::Float(y)) => Some(Order::of(x.partial_cmp(y))),
        (Value::Float(x), other) => order_with_float(other, *x).map(Order::reverse),
        (other, Value::Float(y)) => order_with_float(other, *y),
        _ => Some(Order::Known(integer::of(a)?.cmp(&integer::of(b)?))),
    }
}

fn order_with_float(a: &Value, b: f64) -> Option<Order> {
    const EXACT: u64 = 1 << 53;
    match integer::small(a) {
        Some(small) if small.unsigned_abs() < EXACT => Some(Order::of((small as f64).partial_cmp(&b))),
        _ => Some(Order::of(integer::compare_float(integer::of(a)?.as_ref(), b))),
    }
}

/// `a < b` and the like.
pub(crate) fn is_ordered(comparison: Comparison, a: &Value, b: &Value, meter: &mut Meter) -> Result<bool, Failure> {
    match (a, b) {
        (Value::Str(x), Value::Str(y)) => Ok(holds(comparison, x.cmp(y))),
        (Value::List(x), Value::List(y)) | (Value::Tuple(x), Value::Tuple(y)) => {
            for (left, right) in x.iter().zip(y.iter()) {
                meter.step()?;
                if !is_equal(left, right, meter)? {
                    return is_ordered(comparison, left, right, meter);
                }
            }
            Ok(holds(comparison, x.len().cmp(&y.len())))
        }
        (Value::Set(_) | Value::View(_), Value::Set(_) | Value::View(_)) if is_setlike(a) && is_setlike(b) => {
            let (x, y) = (length(a), length(b));
            match comparison {
                Comparison::Less => Ok(x < y && is_subset(a, b, meter)?),
                Comparison::LessOrEqual => Ok(x <= y && is_subset(a, b, meter)?),
                Comparison::Greater => Ok(x > y && is_subset(b, a, meter)?),
                _ => Ok(x >= y && is_subset(b, a, meter)?),
            }
        }
        _ => match order_numbers(a, b) {
            Some(Order::Known(order)) => Ok(holds(comparison, order)),
            Some(Order::NotANumber) => Ok(false),
            None => Err(error::r#type(format!(
                "'{}' not supported between instances of '{}' and '{}'",
                comparison.symbol(),
                a.type_name(),
                b.type_name()
            ))),
        },
    }
}

/// Whether it is a set, or a view that works like one.
pub(crate) fn is_setlike(value: &Value) -> bool {
    match value {
        Value::Set(_) => true,
        Value::View(view) => view.kind != ViewKind::Values,
        _ => false,
    }
}

fn holds(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
        Comparison::Equal | Comparison::Is | Comparison::In => order.is_eq(),
        Comparison::NotEqual | Comparison::IsNot | Comparison::NotIn => order.is_ne(),
    }
}

/// `a is b`: for numbers and texts, the same type and an equal value; for collections, the same one.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(x), Value::List(y)) => Arc::ptr_eq(x, y),
        (Value::Tuple(x), Value::Tuple(y)) => Arc::ptr_eq(x, y) || x.is_empty() && y.is_empty(),
        (Value::Dict(x), Value::Dict(y)) => Arc::ptr_eq(x, y),
        (Value::Set(x), Value::Set(y)) => Arc::ptr_eq(x, y),
        (Value::Range(x), Value::Range(y)) => Arc::ptr_eq(x, y),
        (Value::View(x), Value::View(y)) => Arc::ptr_eq(x, y),
        (Value::Iterator(x), Value::Iterator(y)) => Arc::ptr_eq(x, y),
        (Value::Method(x), Value::Method(y)) => Arc::ptr_eq(x, y),
        _ => a.is_identical(b),
    }
}

/// `item in collection`.
pub(crate) fn contains(collection: &Value, item: &Value, meter: &mut Meter) -> Result<bool, Failure> {
    match (collection, item) {
        (Value::Str(text), Value::Str(part)) => {
            meter.steps(text.len() as u64 / 256)?;
            Ok(text.contains(&**part))
        }
        (Value::Str(_), other) => {
            Err(error::r#type(format!("'in <string>' requires string as left operand, not {}", other.type_name())))
        }
        (Value::List(items) | Value::Tuple(items), _) => {
            for candidate in items.iter() {
                meter.step()?;
                if is_equal(candidate, item, meter)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        (Value::Dict(dict), _) => Ok(dict.get(&charge_key(item.clone(), meter)?).is_some()),
        (Value::Set(set), _) => contains_member(set, item, meter),
        (Value::Range(range), _) => match item {
            Value::Float(value) if value.fract() == 0.0 && value.is_finite() => {
                let whole = integer::truncate(*value)?;
                Ok(integer::of(&whole).is_some_and(|number| range.position(&number).is_some()))
            }
            other => Ok(integer::of(other).is_some_and(|number| range.position(&number).is_some())),
        },
        (Value::View(view), _) => view_contains(view, item, meter),
        (Value::Iterator(_), _) => {
            let mut items = iterate(collection, meter)?;
            while let Some(candidate) = items.next(meter)? {
                if is_equal(&candidate, item, meter)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => Err(error::r#type(format!("argument of type '{}' is not iterable", collection.type_name()))),
    }
}

/// A set is looked up in a set as if it were frozen.
fn contains_member(set: &Set, item: &Value, meter: &mut Meter) -> Result<bool, Failure> {
    if let Value::Set(inner) = item {
        meter.entries(inner.len())?;
        let frozen = Value::Set(Arc::new(inner.as_frozen(true)));
        return Ok(set.contains(&charge_key(frozen, meter)?));
    }
    Ok(set.contains(&charge_key(item.clone(), meter)?))
}

fn view_contains(view: &View, item: &Value, meter: &mut Meter) -> Result<bool, Failure> {
    match view.kind {
        ViewKind::Keys => Ok(view.dict.get(&charge_key(item.clone(), meter)?).is_some()),
        ViewKind::Items => {
            let Value::Tuple(pair) = item else { return Ok(false) };
            let [key, value] = pair.as_slice() else { return Ok(false) };
            match view.dict.get(&charge_key(key.clone(), meter)?) {
                Some(found) => is_equal(found, value, meter),
                None => Ok(false),
            }
        }
        ViewKind::Values => {
            for (_, value) in view.dict.iter() {
                meter.step()?;
                if is_equal(value, item, meter)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

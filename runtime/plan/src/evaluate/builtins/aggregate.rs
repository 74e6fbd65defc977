//! `all`, `any`, `max`, `min`, `sum`.

use super::{add, apply, error, iterate, key_function};
use crate::evaluate::call::Args;
use crate::evaluate::{Failure, Meter, compare};
use crate::expression::Comparison;
use crate::value::Value;

pub(super) fn all(items: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    let mut items = iterate::iterate(items, meter)?;
    while let Some(item) = items.next(meter)? {
        if !item.is_truthy() {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

pub(super) fn any(items: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    let mut items = iterate::iterate(items, meter)?;
    while let Some(item) = items.next(meter)? {
        if item.is_truthy() {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

/// `max` and `min`: the first of the largest, or of the smallest.
pub(super) fn extreme(mut args: Args, largest: bool, meter: &mut Meter) -> Result<Value, Failure> {
    let name = if largest { "max" } else { "min" };
    let positional = std::mem::take(&mut args.positional);
    let [key, default] = args.take(name, ["*key", "*default"], 0)?;
    let key = key_function(key)?;
    let several = positional.len() > 1;
    if several && default.is_some() {
        let message = format!("Cannot specify a default for {name}() with multiple positional arguments");
        return Err(error::r#type(message));
    }
    let items = if several {
        Value::tuple(positional)
    } else {
        let first = positional.into_iter().next();
        first.ok_or_else(|| error::r#type(format!("{name} expected at least 1 argument, got 0")))?
    };
    let mut items = iterate::iterate(&items, meter)?;
    let comparison = if largest { Comparison::Greater } else { Comparison::Less };
    let mut best: Option<(Value, Value)> = None;
    while let Some(item) = items.next(meter)? {
        let rank = apply(key.as_ref(), &item, meter)?;
        let better = match &best {
            None => true,
            Some((least, _)) => compare::is_ordered(comparison, &rank, least, meter)?,
        };
        if better {
            best = Some((rank, item));
        }
    }
    match (best, default) {
        (Some((_, item)), _) => Ok(item),
        (None, Some(default)) => Ok(default),
        (None, None) => Err(error::value(format!("{name}() arg is an empty sequence"))),
    }
}

pub(super) fn sum(args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    let [items, start] = args.take("sum", ["", "start"], 1)?;
    let start = start.unwrap_or(Value::Int(0));
    if let Value::Str(_) = start {
        return Err(error::r#type("sum() can't sum strings [use ''.join(seq) instead]").help("write `''.join(…)`"));
    }
    let mut items = iterate::iterate(&items.unwrap_or(Value::None), meter)?;
    let mut total = start;
    while let Some(item) = items.next(meter)? {
        total = add(&total, &item, meter)?;
    }
    Ok(total)
}

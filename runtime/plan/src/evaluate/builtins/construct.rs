//! Calls of types: `int(…)`, `dict(…)`, `zip(…)`.

use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::{One, Zero};

use super::{error, format, integer, iterate, parse_integer};
use crate::evaluate::call::Args;
use crate::evaluate::{Failure, Meter, arithmetic, charge_key, float};
use crate::value::{Dict, Iter, Key, Range, Set, Type, Value};

/// Makes a value of a type.
pub(crate) fn construct(kind: Type, args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    match kind {
        Type::Bool => {
            let [value] = args.without_keywords("bool")?.take("bool", [""], 0)?;
            Ok(Value::Bool(value.is_some_and(|value| value.is_truthy())))
        }
        Type::Int => int(args, meter),
        Type::Float => {
            let [value] = args.without_keywords("float")?.take("float", [""], 0)?;
            to_float(&value.unwrap_or(Value::Int(0))).map(Value::Float)
        }
        Type::Str => string(args, meter),
        Type::List => {
            let [items] = args.without_keywords("list")?.take("list", [""], 0)?;
            items.map_or(Ok(Vec::new()), |items| iterate::collect(&items, meter)).map(Value::list)
        }
        Type::Tuple => {
            let [items] = args.without_keywords("tuple")?.take("tuple", [""], 0)?;
            match items {
                Some(tuple @ Value::Tuple(_)) => Ok(tuple),
                Some(items) => iterate::collect(&items, meter).map(Value::tuple),
                None => Ok(Value::tuple(Vec::new())),
            }
        }
        Type::Set => set(args, false, meter),
        Type::FrozenSet => set(args, true, meter),
        Type::Dict => dict(args, meter),
        Type::Range => range(args),
        Type::Enumerate => enumerate(args, meter),
        Type::Zip => zip(args, meter),
        Type::Reversed => {
            let [items] = args.exactly("reversed")?;
            iterate::reversed(&items)
        }
        Type::Filter => filter(args, meter),
    }
}

fn int(args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    let [value, base] = args.take("int", ["", "base"], 0)?;
    let Some(base) = base else { return value.map_or(Ok(Value::Int(0)), |value| to_int(&value, meter)) };
    let base = integer::index(&base)?;
    let base = u32::try_from(base.as_ref()).ok().filter(|base| *base == 0 || (2..=36).contains(base));
    let base = base.ok_or_else(|| error::value("int() base must be >= 2 and <= 36, or 0"))?;
    match value {
        None => Err(error::r#type("int() missing string argument")),
        Some(Value::Str(text)) => parse_integer(&text, base, meter),
        Some(_) => Err(error::r#type("int() can't convert non-string with explicit base")),
    }
}

fn to_int(value: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    match value {
        Value::Bool(value) => Ok(Value::Int(i64::from(*value))),
        Value::Int(_) | Value::Big(_) => Ok(value.clone()),
        Value::Float(value) => integer::truncate(*value),
        Value::Str(text) => parse_integer(text, 10, meter),
        other => Err(error::r#type(format!(
            "int() argument must be a string, a bytes-like object or a real number, not '{}'",
            other.type_name()
        ))),
    }
}

fn to_float(value: &Value) -> Result<f64, Failure> {
    match value {
        Value::Str(text) => float::parse(text).ok_or_else(|| {
            let shown: String = text.chars().take(100).collect();
            error::value(format!("could not convert string to float: '{shown}'"))
        }),
        Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) => arithmetic::to_float(value),
        other => Err(error::r#type(format!(
            "float() argument must be a string or a real number, not '{}'",
            other.type_name()
        ))),
    }
}

fn string(args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    let [value, encoding, errors] = args.take("str", ["object", "encoding", "errors"], 0)?;
    if encoding.is_some() || errors.is_some() {
        return Err(error::r#type("decoding is not supported: there are no bytes"));
    }
    match value {
        None => Ok(Value::from("")),
        Some(text @ Value::Str(_)) => Ok(text),
        Some(value) => format::str(&value, meter).map(Value::from),
    }
}

fn set(args: Args, frozen: bool, meter: &mut Meter) -> Result<Value, Failure> {
    let name = if frozen { "frozenset" } else { "set" };
    let [items] = args.without_keywords(name)?.take(name, [""], 0)?;
    let mut set = Set::new(frozen);
    if let Some(items) = items {
        iterate::extend_set(&mut set, &items, meter)?;
    }
    Ok(Value::Set(Arc::new(set)))
}

fn dict(mut args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    let keywords = std::mem::take(&mut args.keywords);
    let [source] = args.take("dict", [""], 0)?;
    let mut dict = Dict::with_capacity(0);
    match source {
        None => {}
        Some(Value::Dict(other)) => iterate::extend_dict(&mut dict, &other, meter)?,
        Some(pairs) => extend_with_pairs(&mut dict, &pairs, meter)?,
    }
    meter.entries(keywords.len())?;
    for (name, value) in keywords {
        dict.insert(Key(Value::Str(name)), value);
    }
    Ok(Value::Dict(Arc::new(dict)))
}

fn extend_with_pairs(dict: &mut Dict, pairs: &Value, meter: &mut Meter) -> Result<(), Failure> {
    let mut pairs = iterate::iterate(pairs, meter)?;
    let mut position = 0;
    while let Some(pair) = pairs.next(meter)? {
        let items = iterate::collect(&pair, meter).map_err(|failure| match failure.kind {
            crate::evaluate::ErrorKind::Type => {
                error::r#type(format!("cannot convert dictionary update sequence element #{position} to a sequence"))
            }
            _ => failure,
        })?;
        let length = items.len();
        let Ok([key, value]) = <[Value; 2]>::try_from(items) else {
            return Err(error::value(format!(
                "dictionary update sequence element #{position} has length {length}; 2 is required"
            )));
        };
        meter.entries(1)?;
        dict.insert(charge_key(key, meter)?, value);
        position += 1;
    }
    Ok(())
}

fn range(args: Args) -> Result<Value, Failure> {
    let args = args.without_keywords("range")?.positional;
    let number = |value: &Value| integer::index(value).map(std::borrow::Cow::into_owned);
    let (start, stop, step) = match args.as_slice() {
        [stop] => (BigInt::zero(), number(stop)?, BigInt::one()),
        [start, stop] => (number(start)?, number(stop)?, BigInt::one()),
        [start, stop, step] => (number(start)?, number(stop)?, number(step)?),
        other => {
            return Err(error::r#type(format!("range expected from 1 to 3 arguments, got {}", other.len())));
        }
    };
    if step.is_zero() {
        return Err(error::value("range() arg 3 must not be zero"));
    }
    Ok(Value::Range(Arc::new(Range::new(start, stop, step))))
}

fn enumerate(args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    let [items, start] = args.take("enumerate", ["iterable", "start"], 1)?;
    let count = match start {
        Some(start) => Value::integer(integer::index(&start)?.into_owned()),
        None => Value::Int(0),
    };
    let inner = Box::new(iterate::iterate(&items.unwrap_or(Value::None), meter)?);
    Ok(Value::iterator(Type::Enumerate, Iter::Enumerate { inner, count }))
}

fn zip(mut args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    let columns = std::mem::take(&mut args.positional);
    let [strict] = args.take("zip", ["*strict"], 0)?;
    let strict = strict.is_some_and(|strict| strict.is_truthy());
    meter.items(columns.len() * 3)?;
    let parts = columns.iter().map(|column| iterate::iterate(column, meter)).collect::<Result<_, _>>()?;
    Ok(Value::iterator(Type::Zip, Iter::Zip { parts, strict }))
}

fn filter(args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    let [function, items] = args.exactly("filter")?;
    if !matches!(function, Value::None | Value::Builtin(crate::value::Builtin::Type(Type::Bool))) {
        return Err(error::refused("`filter` works without a function only").help("write `[x for x in … if …]`"));
    }
    let inner = Box::new(iterate::iterate(&items, meter)?);
    Ok(Value::iterator(Type::Filter, Iter::Filter(inner)))
}

//! The methods of values: those that read.

mod collection;
mod number;
mod text;
mod text_case;
mod text_split;

use super::call::Args;
use super::{Failure, Meter, attribute, builtins, error};
use crate::value::{Builtin, Type, Value};

/// `object.name(args)`
pub(crate) fn call(object: &Value, name: &str, args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    if let Value::Dict(dict) = object
        && dict.attributes
        && let Some(value) = dict.get_str(name)
    {
        return super::call::call(value, args, meter);
    }
    if !exists(object, name) {
        return match attribute::get(object, name) {
            Ok(value) => super::call::call(&value, args, meter),
            Err(failure) => Err(failure),
        };
    }
    match object {
        Value::Str(this) => text::call(this, name, args, meter),
        Value::Bool(_) | Value::Int(_) | Value::Big(_) => number::of_integer(object, name, args, meter),
        Value::Float(value) => number::of_float(*value, name, args),
        Value::List(items) | Value::Tuple(items) => collection::of_items(object, items, name, args, meter),
        Value::Dict(dict) => collection::of_dict(dict, name, args, meter),
        Value::Set(set) => collection::of_set(object, set, name, args, meter),
        Value::Range(range) => collection::of_range(range, name, args),
        Value::View(view) => collection::of_view(object, view, args, meter),
        Value::Builtin(Builtin::Type(kind)) => of_type(*kind, name, args, meter),
        Value::None
        | Value::Complex(..)
        | Value::Iterator(_)
        | Value::Method(_)
        | Value::Builtin(Builtin::Function(_)) => Err(attribute::missing(object, name)),
    }
}

/// Fails if there is nothing of this name to call, before the arguments are evaluated.
pub(crate) fn check(object: &Value, name: &str) -> Result<(), Failure> {
    if exists(object, name) {
        return Ok(());
    }
    attribute::get(object, name).map(|_| ())
}

/// Whether a value has a method of this name.
pub(crate) fn exists(object: &Value, name: &str) -> bool {
    match object {
        Value::Builtin(Builtin::Type(kind)) => {
            of_kind(*kind).contains(&name)
                || matches!((kind, name), (Type::Dict, "fromkeys") | (Type::Float, "fromhex"))
        }
        other => kind_of(other).is_some_and(|kind| of_kind(kind).contains(&name)),
    }
}

fn kind_of(value: &Value) -> Option<Type> {
    Some(match value {
        Value::Bool(_) | Value::Int(_) | Value::Big(_) => Type::Int,
        Value::Float(_) => Type::Float,
        Value::Str(_) => Type::Str,
        Value::List(_) => Type::List,
        Value::Tuple(_) => Type::Tuple,
        Value::Dict(_) => Type::Dict,
        Value::Set(set) if set.frozen => Type::FrozenSet,
        Value::Set(_) => Type::Set,
        Value::Range(_) => Type::Range,
        // Views of keys and items have one method; enumerations have none, so their type stands for them here.
        Value::View(_) => Type::Enumerate,
        Value::None | Value::Complex(..) | Value::Iterator(_) | Value::Builtin(_) | Value::Method(_) => return None,
    })
}

fn of_kind(kind: Type) -> &'static [&'static str] {
    match kind {
        Type::Str => text::METHODS,
        Type::Int | Type::Bool => number::INTEGER_METHODS,
        Type::Float => number::FLOAT_METHODS,
        Type::List => &["copy", "count", "index"],
        Type::Tuple | Type::Range => &["count", "index"],
        Type::Dict => &["copy", "fromkeys", "get", "items", "keys", "values"],
        Type::Set | Type::FrozenSet => collection::SET_METHODS,
        Type::Enumerate => &["isdisjoint"],
        Type::Filter | Type::Reversed | Type::Zip => &[],
    }
}

/// `str.upper('a')`: the object is the first argument.
fn of_type(kind: Type, name: &str, mut args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    match (kind, name) {
        (Type::Dict, "fromkeys") => return collection::from_keys(args, meter),
        (Type::Str, "maketrans") => return text::make_table(args, meter),
        (Type::Float, "fromhex") => return number::from_hex(args),
        _ => {}
    }
    if args.positional.is_empty() {
        return Err(error::r#type(format!("unbound method {}.{name}() needs an argument", kind.name())));
    }
    let object = args.positional.remove(0);
    if !builtins::is_of(&object, kind) {
        return Err(error::r#type(format!(
            "descriptor '{name}' for '{}' objects doesn't apply to a '{}' object",
            kind.name(),
            object.type_name()
        )));
    }
    call(&object, name, args, meter)
}

/// What to write instead of a method that would change its object; none if it is no such method.
pub(crate) fn instead_of(object: &Value, name: &str) -> Option<&'static str> {
    Some(match (object, name) {
        (Value::List(_), "append") => "write `a + [x]`",
        (Value::List(_), "extend") => "write `a + b`, with a list on either side",
        (Value::List(_), "insert") => "write `a[:i] + [x] + a[i:]`",
        (Value::List(_), "sort") => "write `sorted(a)`",
        (Value::List(_), "reverse") => "write `a[::-1]`",
        (Value::List(_), "remove") => "write `[x for x in a if x != y]`",
        (Value::List(_), "pop") => "write `a[-1]` for the item, `a[:-1]` for the rest",
        (Value::List(_), "clear") => "write `[]`",
        (Value::Dict(_), "update") => "write `a | b`",
        (Value::Dict(_), "setdefault") => "write `a.get(key, default)`",
        (Value::Dict(_), "pop") => "write `a.get(key)` for the value",
        (Value::Dict(_), "popitem") => "write `list(a.items())[-1]`",
        (Value::Dict(_), "clear") => "write `{}`",
        (Value::Set(_), "add") => "write `a | {x}`",
        (Value::Set(_), "remove" | "discard") => "write `a - {x}`",
        (Value::Set(_), "update") => "write `a | b`, with a set on either side",
        (Value::Set(_), "intersection_update") => "write `a & b`",
        (Value::Set(_), "difference_update") => "write `a - b`",
        (Value::Set(_), "symmetric_difference_update") => "write `a ^ b`",
        (Value::Set(_), "pop") => "write `sorted(a)[0]`",
        (Value::Set(_), "clear") => "write `set()`",
        _ => return None,
    })
}

//! The builtin functions.

mod aggregate;
mod construct;
mod number;
mod sort;

use std::borrow::Cow;

use num_traits::{Signed, ToPrimitive};

pub(crate) use construct::construct;
pub(crate) use number::parse_integer;

use super::call::Args;
use super::tree::is_builtin;
use super::{Failure, Meter, arithmetic, compare, error, format, integer, iterate};
use crate::expression::Arithmetic;
use crate::value::{Builtin, Function, Type, Value};

/// Calls a function with its arguments.
pub(crate) fn call(function: Function, args: Args, meter: &mut Meter) -> Result<Value, Failure> {
    let name = function.name();
    match function {
        Function::Abs => one(args, name).and_then(|value| absolute(&value, meter)),
        Function::All => aggregate::all(&one(args, name)?, meter),
        Function::Any => aggregate::any(&one(args, name)?, meter),
        Function::Ascii => format::ascii(&one(args, name)?, meter).map(Value::from),
        Function::Bin => number::in_base(&one(args, name)?, 2, meter),
        Function::Chr => chr(&one(args, name)?),
        Function::Divmod => {
            let [a, b] = args.exactly(name)?;
            number::divmod(&a, &b, meter)
        }
        Function::Format => {
            let [value, spec] = args.without_keywords(name)?.take(name, ["", ""], 1)?;
            let spec = spec.unwrap_or_else(|| Value::from(""));
            let Value::Str(spec) = &spec else {
                return Err(error::r#type(format!("format() argument 2 must be str, not {}", spec.type_name())));
            };
            format::format(&value.unwrap_or(Value::None), spec, meter).map(Value::from)
        }
        Function::Hex => number::in_base(&one(args, name)?, 16, meter),
        Function::Isinstance => {
            let [value, classes] = args.exactly(name)?;
            is_instance(&value, &classes, meter).map(Value::Bool)
        }
        Function::Len => len(&one(args, name)?),
        Function::Max => aggregate::extreme(args, true, meter),
        Function::Min => aggregate::extreme(args, false, meter),
        Function::Oct => number::in_base(&one(args, name)?, 8, meter),
        Function::Ord => ord(&one(args, name)?),
        Function::Pow => number::pow(args, meter),
        Function::Repr => format::repr(&one(args, name)?, meter).map(Value::from),
        Function::Round => number::round(args, meter),
        Function::Sorted => sort::sorted(args, meter),
        Function::Sum => aggregate::sum(args, meter),
    }
}

/// The builtins that lists call most, without a list of arguments; none if it is another one.
pub(super) fn of_one(builtin: Builtin, value: &Value, meter: &mut Meter) -> Result<Option<Value>, Failure> {
    match (builtin, value) {
        (Builtin::Function(Function::Len), _) => len(value).map(Some),
        (Builtin::Type(Type::Int), Value::Float(float)) => integer::truncate(*float).map(Some),
        (Builtin::Type(Type::Bool), _) => Ok(Some(Value::Bool(value.is_truthy()))),
        (Builtin::Type(Type::Int), Value::Int(_)) | (Builtin::Type(Type::Str), Value::Str(_)) => {
            Ok(Some(value.clone()))
        }
        (Builtin::Type(Type::Str), _) => format::str(value, meter).map(|text| Some(Value::from(text))),
        _ => Ok(None),
    }
}

fn one(args: Args, name: &str) -> Result<Value, Failure> {
    let [value] = args.exactly(name)?;
    Ok(value)
}

fn absolute(value: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    match value {
        Value::Float(value) => Ok(Value::Float(value.abs())),
        Value::Complex(real, imaginary) => Ok(Value::Float(real.hypot(*imaginary))),
        other => {
            let Some(number) = integer::of(other) else {
                return Err(error::r#type(format!("bad operand type for abs(): '{}'", other.type_name())));
            };
            integer::charge(number.bits(), meter)?;
            Ok(Value::integer(number.abs()))
        }
    }
}

fn chr(value: &Value) -> Result<Value, Failure> {
    let code = integer::index(value)?;
    if code.to_i32().is_none() {
        return Err(error::overflow("Python int too large to convert to C int"));
    }
    match code.to_u32().filter(|&code| code < 0x0011_0000).map(char::from_u32) {
        Some(Some(character)) => Ok(Value::from(character.to_string())),
        Some(None) => Err(error::value("chr() of a surrogate, which is no character of its own")),
        None => Err(error::value("chr() arg not in range(0x110000)")),
    }
}

fn ord(value: &Value) -> Result<Value, Failure> {
    let Value::Str(text) = value else {
        return Err(error::r#type(format!("ord() expected string of length 1, but {} found", value.type_name())));
    };
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Ok(Value::Int(i64::from(u32::from(character)))),
        _ => {
            let length = text.chars().count();
            Err(error::r#type(format!("ord() expected a character, but string of length {length} found")))
        }
    }
}

fn len(value: &Value) -> Result<Value, Failure> {
    if let Value::Range(range) = value
        && range.length.to_i64().is_none()
    {
        return Err(error::overflow("Python int too large to convert to C ssize_t"));
    }
    compare::length(value)
        .map(Value::from)
        .ok_or_else(|| error::r#type(format!("object of type '{}' has no len()", value.type_name())))
}

/// `isinstance`; `bool` is a kind of `int`.
fn is_instance(value: &Value, classes: &Value, meter: &mut Meter) -> Result<bool, Failure> {
    match classes {
        Value::Tuple(items) => {
            for item in items.iter() {
                meter.step()?;
                if is_instance(value, item, meter)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Builtin(Builtin::Type(kind)) => Ok(is_of(value, *kind)),
        _ => Err(error::r#type("isinstance() arg 2 must be a type, a tuple of types, or a union")),
    }
}

pub(crate) fn is_of(value: &Value, kind: Type) -> bool {
    match value {
        Value::Bool(_) => matches!(kind, Type::Bool | Type::Int),
        Value::Int(_) | Value::Big(_) => kind == Type::Int,
        Value::Float(_) => kind == Type::Float,
        Value::Str(_) => kind == Type::Str,
        Value::List(_) => kind == Type::List,
        Value::Tuple(_) => kind == Type::Tuple,
        Value::Dict(_) => kind == Type::Dict,
        Value::Set(set) => kind == if set.frozen { Type::FrozenSet } else { Type::Set },
        Value::Range(_) => kind == Type::Range,
        Value::Iterator(iterator) => kind == iterator.kind,
        Value::None | Value::Complex(..) | Value::View(_) | Value::Builtin(_) | Value::Method(_) => false,
    }
}

/// A function that is given as `key=`: none for `None`.
fn key_function(value: Option<Value>) -> Result<Option<Value>, Failure> {
    match value {
        None | Some(Value::None) => Ok(None),
        Some(function) if is_builtin(&function).is_some() || matches!(function, Value::Method(_)) => Ok(Some(function)),
        Some(other) => Err(error::r#type(format!("'{}' object is not callable", other.type_name()))),
    }
}

fn apply(function: Option<&Value>, item: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    match function {
        None => Ok(item.clone()),
        Some(Value::Builtin(builtin)) => super::call::builtin_of_one(*builtin, Cow::Borrowed(item), meter),
        Some(function) => super::call::call(function, Args::of(vec![item.clone()]), meter),
    }
}

fn add(a: &Value, b: &Value, meter: &mut Meter) -> Result<Value, Failure> {
    arithmetic::binary(Arithmetic::Add, a, b, meter)
}

//! Values in a plan: those that a literal or a folded part of an expression can have.

use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::ToPrimitive;
use serde::{Deserialize, Serialize};

use super::{Dict, Key, Set, Value};
use crate::evaluate::{Meter, charge_key};

/// A value of literals, lists, tuples, dicts and sets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Plain {
    /// `None`.
    None,
    /// A truth value.
    Bool(bool),
    /// An integer, in decimal or, beyond 64 bits, in hexadecimal digits.
    Int(i64),
    /// A large integer in hexadecimal digits.
    Big(String),
    /// The bits of a float: exact, infinity included.
    Float(u64),
    /// Text.
    Str(Arc<str>),
    /// A list.
    List(Vec<Plain>),
    /// A tuple.
    Tuple(Vec<Plain>),
    /// A dict.
    Dict(Vec<(Plain, Plain)>),
    /// An attribute dictionary.
    Attributes(Vec<(Plain, Plain)>),
    /// A set.
    Set(Vec<Plain>),
    /// A frozenset.
    Frozenset(Vec<Plain>),
}

impl Plain {
    /// The value, if it can be written.
    pub fn of(value: &Value) -> Option<Self> {
        let mut left = usize::MAX;
        Self::within(value, &mut left)
    }

    /// The value, if it can be written and has at most so many parts.
    pub fn of_at_most(value: &Value, parts: usize) -> Option<Self> {
        let mut left = parts;
        Self::within(value, &mut left)
    }

    fn within(value: &Value, left: &mut usize) -> Option<Self> {
        *left = left.checked_sub(1)?;
        let mut list = |items: &[Value]| items.iter().map(|item| Self::within(item, left)).collect::<Option<Vec<_>>>();
        Some(match value {
            Value::None => Self::None,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Big(value) => Self::Big(value.to_str_radix(16)),
            Value::Float(value) => Self::Float(value.to_bits()),
            Value::Str(text) => Self::Str(Arc::clone(text)),
            Value::List(items) => Self::List(list(items)?),
            Value::Tuple(items) => Self::Tuple(list(items)?),
            Value::Dict(dict) => {
                let pair = |(key, value)| Some((Self::within(key, left)?, Self::within(value, left)?));
                let pairs = dict.iter().map(pair).collect::<Option<_>>()?;
                if dict.attributes { Self::Attributes(pairs) } else { Self::Dict(pairs) }
            }
            Value::Set(set) => {
                let members = set.iter().map(|member| Self::within(member, left)).collect::<Option<_>>()?;
                if set.frozen { Self::Frozenset(members) } else { Self::Set(members) }
            }
            Value::Complex(..)
            | Value::Range(_)
            | Value::View(_)
            | Value::Iterator(_)
            | Value::Builtin(_)
            | Value::Method(_) => return None,
        })
    }
}

impl TryFrom<Plain> for Value {
    type Error = &'static str;

    fn try_from(plain: Plain) -> Result<Self, &'static str> {
        let values = |items: Vec<Plain>| items.into_iter().map(Value::try_from).collect::<Result<Vec<_>, _>>();
        Ok(match plain {
            Plain::None => Self::None,
            Plain::Bool(value) => Self::Bool(value),
            Plain::Int(value) => Self::Int(value),
            Plain::Big(digits) => big(&digits)?,
            Plain::Float(bits) => Self::Float(f64::from_bits(bits)),
            Plain::Str(text) => Self::Str(text),
            Plain::List(items) => Self::list(values(items)?),
            Plain::Tuple(items) => Self::tuple(values(items)?),
            Plain::Dict(pairs) => dict(pairs, false)?,
            Plain::Attributes(pairs) => dict(pairs, true)?,
            Plain::Set(members) => set(members, false)?,
            Plain::Frozenset(members) => set(members, true)?,
        })
    }
}

fn big(digits: &str) -> Result<Value, &'static str> {
    let value = BigInt::parse_bytes(digits.as_bytes(), 16).ok_or("an integer has digits that are not hexadecimal")?;
    if value.to_i64().is_some() { Err("a small integer is written as a large one") } else { Ok(Value::integer(value)) }
}

fn key(plain: Plain) -> Result<Key, &'static str> {
    charge_key(Value::try_from(plain)?, &mut Meter::unlimited()).map_err(|_| "a key cannot be hashed")
}

fn dict(pairs: Vec<(Plain, Plain)>, attributes: bool) -> Result<Value, &'static str> {
    let mut dict = Dict::with_capacity(pairs.len());
    dict.attributes = attributes;
    for (name, value) in pairs {
        dict.insert(key(name)?, Value::try_from(value)?);
    }
    Ok(Value::Dict(Arc::new(dict)))
}

fn set(members: Vec<Plain>, frozen: bool) -> Result<Value, &'static str> {
    let mut set = Set::new(frozen);
    for member in members {
        set.insert(key(member)?);
    }
    Ok(Value::Set(Arc::new(set)))
}

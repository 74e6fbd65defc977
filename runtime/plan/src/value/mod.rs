//! Python's values, as far as expressions have them.
//!
//! Values never change, so copies share what they hold. Only [`Value::Iterator`] has a state, as in Python.

mod builtin;
mod data;
mod dict;
mod iterate;
mod key;
mod range;
pub(crate) mod unicode;
mod wire;

use std::sync::{Arc, Mutex};

use num_bigint::BigInt;
use num_traits::ToPrimitive;

pub use builtin::{Builtin, Function, Type};
pub use data::NotPlain;
pub(crate) use data::Refusal;
pub use dict::{Dict, Set, View, ViewKind};
pub(crate) use iterate::Iter;
pub(crate) use key::{Key, Text};
pub use range::Range;
pub use wire::Plain;

/// A Python value.
#[derive(Clone, Debug)]
pub enum Value {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// An integer that needs more than 64 bits.
    Big(Arc<BigInt>),
    /// A float, infinity and NaN included.
    Float(f64),
    /// A complex number: real and imaginary part.
    Complex(f64, f64),
    /// Text.
    Str(Arc<str>),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A tuple.
    Tuple(Arc<Vec<Value>>),
    /// A dict, or an attribute dictionary.
    Dict(Arc<Dict>),
    /// A set or a frozenset.
    Set(Arc<Set>),
    /// A range.
    Range(Arc<Range>),
    /// The keys, values or items of a dict.
    View(Arc<View>),
    /// What `zip`, `enumerate`, `reversed` and `filter` give.
    Iterator(Arc<Iterator>),
    /// A type or a builtin function.
    Builtin(Builtin),
    /// A method of a value, not called yet.
    Method(Arc<Method>),
}

/// An iterator: what it is called, and how far it is.
#[derive(Debug)]
pub struct Iterator {
    /// Its type: `zip`.
    pub(crate) kind: Type,
    pub(crate) state: Mutex<Iter>,
}

/// A method of a value.
#[derive(Debug)]
pub struct Method {
    /// Whose.
    pub(crate) object: Value,
    /// Which.
    pub(crate) name: Arc<str>,
}

impl Value {
    /// Text as a value.
    pub fn str(text: impl Into<Arc<str>>) -> Self {
        Self::Str(text.into())
    }

    /// A list of these items.
    pub fn list(items: Vec<Value>) -> Self {
        Self::List(Arc::new(items))
    }

    /// A tuple of these items.
    pub fn tuple(items: Vec<Value>) -> Self {
        Self::Tuple(Arc::new(items))
    }

    /// An integer of any size, in the smaller of its two forms.
    pub fn integer(value: BigInt) -> Self {
        match value.to_i64() {
            Some(small) => Self::Int(small),
            None => Self::Big(Arc::new(value)),
        }
    }

    pub(crate) fn iterator(kind: Type, state: Iter) -> Self {
        Self::Iterator(Arc::new(Iterator { kind, state: Mutex::new(state) }))
    }

    /// What Python's `bool()` makes of it.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Complex(real, imaginary) => *real != 0.0 || *imaginary != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::List(items) | Self::Tuple(items) => !items.is_empty(),
            Self::Dict(dict) => !dict.is_empty(),
            Self::Set(set) => !set.is_empty(),
            Self::Range(range) => !range.is_empty(),
            Self::View(view) => !view.dict.is_empty(),
            Self::Big(_) | Self::Iterator(_) | Self::Builtin(_) | Self::Method(_) => true,
        }
    }

    /// The name of its type, as Python spells it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Big(_) => "int",
            Self::Float(_) => "float",
            Self::Complex(..) => "complex",
            Self::Str(_) => "str",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Dict(dict) if dict.attributes => "AttrDict",
            Self::Dict(_) => "dict",
            Self::Set(set) if set.frozen => "frozenset",
            Self::Set(_) => "set",
            Self::Range(_) => "range",
            Self::View(view) => view.kind.name(),
            Self::Iterator(iterator) => iterator.kind.name(),
            Self::Builtin(Builtin::Type(_)) => "type",
            Self::Builtin(Builtin::Function(_)) | Self::Method(_) => "builtin_function_or_method",
        }
    }

    /// Whether it is the same value of the same type, bit by bit.
    pub(crate) fn is_identical(&self, other: &Self) -> bool {
        let items = |a: &[Value], b: &[Value]| a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.is_identical(y));
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Big(a), Self::Big(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Complex(a, b), Self::Complex(c, d)) => a.to_bits() == c.to_bits() && b.to_bits() == d.to_bits(),
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::List(a), Self::List(b)) | (Self::Tuple(a), Self::Tuple(b)) => items(a, b),
            (Self::Dict(a), Self::Dict(b)) => {
                a.attributes == b.attributes
                    && a.len() == b.len()
                    && a.iter().zip(b.iter()).all(|((k, v), (l, w))| k.is_identical(l) && v.is_identical(w))
            }
            (Self::Set(a), Self::Set(b)) => {
                a.frozen == b.frozen && a.len() == b.len() && a.iter().zip(b.iter()).all(|(x, y)| x.is_identical(y))
            }
            (Self::Range(a), Self::Range(b)) => a.start == b.start && a.step == b.step && a.length == b.length,
            (Self::Builtin(a), Self::Builtin(b)) => a == b,
            _ => false,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Int(value as i64)
    }
}

impl From<BigInt> for Value {
    fn from(value: BigInt) -> Self {
        Self::integer(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

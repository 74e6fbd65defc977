//! From plain data to values and back.

use std::fmt;
use std::sync::Arc;

use num_traits::ToPrimitive;

use super::{Dict, Iter, Key, Value};
use crate::Data;
use crate::data::Object;
use crate::evaluate::{Failure, Meter, integer};

/// Why a value is no plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotPlain {
    /// What it is instead.
    pub message: String,
    /// What to write.
    pub help: Option<String>,
}

impl fmt::Display for NotPlain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<&Data> for Value {
    /// Objects become dicts.
    fn from(data: &Data) -> Self {
        convert(data, false)
    }
}

impl Value {
    /// Objects become attribute dictionaries, at any depth (reference: R5).
    pub fn with_attributes(data: &Data) -> Self {
        convert(data, true)
    }
}

fn convert(data: &Data, attributes: bool) -> Value {
    match data {
        Data::Null => Value::None,
        Data::Bool(value) => Value::Bool(*value),
        Data::Int(value) => Value::Int(*value),
        Data::Big(value) => Value::Big(Arc::clone(value)),
        Data::Float(value) => Value::Float(*value),
        Data::String(text) => Value::Str(Arc::clone(text)),
        Data::List(items) => Value::list(items.iter().map(|item| convert(item, attributes)).collect()),
        Data::Object(members) => {
            let mut dict = Dict::with_capacity(members.len());
            dict.attributes = attributes;
            for (key, value) in members.iter() {
                dict.insert(Key(Value::Str(Arc::clone(key))), convert(value, attributes));
            }
            Value::Dict(Arc::new(dict))
        }
    }
}

/// Why a conversion ended.
pub(crate) enum Refusal {
    NotPlain(NotPlain),
    Limit(Failure),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Limit(failure)
    }
}

impl Value {
    /// The value as plain data: tuples, ranges and views are lists (reference: R6). Values that share parts can be much larger as
    /// data than they are here; [`evaluate`](crate::evaluate) counts that, this does not.
    pub fn to_data(&self) -> Result<Data, NotPlain> {
        self.to_data_within(&mut Meter::unlimited()).map_err(|refusal| match refusal {
            Refusal::NotPlain(not_plain) => not_plain,
            Refusal::Limit(failure) => NotPlain { message: failure.message.clone(), help: None },
        })
    }

    pub(crate) fn to_data_within(&self, meter: &mut Meter) -> Result<Data, Refusal> {
        meter.allocate(size_of::<Data>())?;
        Ok(match self {
            Self::None => Data::Null,
            Self::Bool(value) => Data::Bool(*value),
            Self::Int(value) => Data::Int(*value),
            Self::Big(value) if !integer::has_text(value) => {
                return not_plain("an integer of more than 4300 digits", None);
            }
            Self::Big(value) => Data::Big(Arc::clone(value)),
            Self::Float(value) if value.is_finite() => Data::Float(*value),
            Self::Float(value) => return not_plain(if value.is_nan() { "NaN" } else { "infinity" }, None),
            Self::Complex(..) => {
                return not_plain("a complex number", Some("write `abs(…)` or keep the base positive"));
            }
            Self::Str(text) => {
                // Whoever writes it writes it as often as it is there.
                meter.allocate(text.len())?;
                Data::String(Arc::clone(text))
            }
            Self::List(items) | Self::Tuple(items) => list(items.iter(), meter)?,
            Self::Dict(dict) => object(dict, meter)?,
            Self::Range(range) => {
                meter.allocate(range.length.to_usize().unwrap_or(usize::MAX).saturating_mul(size_of::<Data>()))?;
                collect(Iter::range(range), meter)?
            }
            Self::View(view) => collect(Iter::View { view: Arc::clone(view), next: 0 }, meter)?,
            Self::Set(set) if set.frozen => return not_plain("a frozenset", Some("write `sorted(…)`")),
            Self::Set(_) => return not_plain("a set", Some("write `sorted(…)`, which makes a list in a fixed order")),
            Self::Iterator(iterator) => {
                return not_plain(&format!("an iterator (`{}`)", iterator.kind.name()), Some("write `list(…)`"));
            }
            Self::Builtin(builtin) => return not_plain(&format!("the builtin `{}`", builtin.name()), Some("call it")),
            Self::Method(method) => return not_plain(&format!("the method `{}`", method.name), Some("call it")),
        })
    }
}

fn list<'a>(items: impl ExactSizeIterator<Item = &'a Value>, meter: &mut Meter) -> Result<Data, Refusal> {
    let mut data = Vec::new();
    for item in items {
        data.push(item.to_data_within(meter)?);
    }
    Ok(Data::list(data))
}

fn collect(mut items: Iter, meter: &mut Meter) -> Result<Data, Refusal> {
    let mut data = Vec::new();
    while let Some(item) = items.next(meter)? {
        data.push(item.to_data_within(meter)?);
    }
    Ok(Data::list(data))
}

fn object(dict: &Dict, meter: &mut Meter) -> Result<Data, Refusal> {
    let mut members = Object::with_capacity(dict.len().min(1024));
    for (key, value) in dict.iter() {
        let Value::Str(key) = key else {
            let message = format!("a dict with a key that is no string but of type `{}`", key.type_name());
            return not_plain(&message, Some("write `str(…)` around the key"));
        };
        meter.allocate(key.len())?;
        members.insert(Arc::clone(key), value.to_data_within(meter)?);
    }
    Ok(Data::object(members))
}

fn not_plain(what: &str, help: Option<&str>) -> Result<Data, Refusal> {
    Err(Refusal::NotPlain(NotPlain {
        message: format!("the result is {what}, which is no JSON data"),
        help: help.map(Into::into),
    }))
}

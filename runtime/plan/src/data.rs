//! Plain JSON data: what constants, arguments and results are.
//!
//! Integers have any size, objects keep their order, and copies are cheap: lists and objects are shared. There is no NaN and no
//! infinity in it.

use std::fmt;
use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::ToPrimitive;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::members::Members;

/// The members of an object, in their order.
pub type Object = Members<Data>;

/// A JSON value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Data {
    /// `null`, Python's `None`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// An integer that needs more than 64 bits.
    Big(Arc<BigInt>),
    /// A finite number with a fraction or an exponent.
    Float(f64),
    /// Text.
    String(Arc<str>),
    /// An array.
    List(Arc<Vec<Data>>),
    /// An object.
    Object(Arc<Object>),
}

impl Data {
    /// Text as data.
    pub fn string(text: impl Into<Arc<str>>) -> Self {
        Self::String(text.into())
    }

    /// A list of these items.
    pub fn list(items: Vec<Data>) -> Self {
        Self::List(Arc::new(items))
    }

    /// An object of these members.
    pub fn object(members: impl Into<Object>) -> Self {
        Self::Object(Arc::new(members.into()))
    }

    /// An integer of any size, in the smaller of its two forms.
    pub fn integer(value: BigInt) -> Self {
        match value.to_i64() {
            Some(small) => Self::Int(small),
            None => Self::Big(Arc::new(value)),
        }
    }

    /// The value of the member `key`, if this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Data> {
        self.as_object()?.get(key)
    }

    /// The members, if this is an object.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The items, if this is a list.
    pub fn as_list(&self) -> Option<&[Data]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// What Python's `bool()` makes of it.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Big(_) => true,
            Self::Float(value) => *value != 0.0,
            Self::String(text) => !text.is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Object(members) => !members.is_empty(),
        }
    }

    /// The JSON word for its type, for messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Big(_) => "an integer",
            Self::Float(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl fmt::Display for Data {
    /// Compact JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl From<bool> for Data {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Data {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Data {
    fn from(text: &str) -> Self {
        Self::string(text)
    }
}

impl From<&serde_json::Value> for Data {
    /// A number outside of the range of a float becomes `null`; [`Data`] has no infinity.
    fn from(value: &serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => from_lexeme(number.as_str()),
            Value::String(text) => Self::string(text.as_str()),
            Value::Array(items) => Self::list(items.iter().map(Self::from).collect()),
            Value::Object(members) => {
                let members = members.iter().map(|(key, value)| (key.as_str().into(), value.into()));
                Self::object(members.collect::<Object>())
            }
        }
    }
}

fn from_lexeme(number: &str) -> Data {
    if number.contains(['.', 'e', 'E']) {
        return number.parse().ok().filter(|float: &f64| float.is_finite()).map_or(Data::Null, Data::Float);
    }
    number.parse().map_or(Data::Null, Data::integer)
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Big(value) => serde_json::Number::from_string_unchecked(value.to_string()).serialize(serializer),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::String(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items.iter()),
            Self::Object(members) => serializer.collect_map(members.iter()),
        }
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Value::deserialize(deserializer).map(|value| Self::from(&value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_json_exactly() {
        for text in ["0", "-7", "9223372036854775808", "1.0", "2.5e-7", "123456789012345678901234567890"] {
            let data: Data = serde_json::from_str(text).expect("valid JSON");
            assert_eq!(data.to_string(), text);
        }
        assert_eq!(serde_json::from_str::<Data>("1").expect("valid JSON"), Data::Int(1));
        assert_eq!(serde_json::from_str::<Data>("1.0").expect("valid JSON"), Data::Float(1.0));
    }
}

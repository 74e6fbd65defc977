//! `measurement`: a value or a series, with the limits that the test gives it.

use std::cmp::Ordering;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Number;

use super::{Text, expression, filled, wrong};

/// The parameters of `measurement`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Measurement {
    /// What it is called; not empty.
    pub name: String,
    /// A number, a string or a boolean.
    pub value: Option<Reading>,
    /// Instead of `value`: 2 axes or more with equally many values each.
    pub series: Option<Vec<Axis>>,
    /// The unit of the value.
    pub unit: Option<String>,
    /// The least that it may be.
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub min: Option<Number>,
    /// The most that it may be.
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub max: Option<Number>,
    /// What it must be equal to.
    pub equals: Option<Reading>,
    /// A regular expression that the whole text must match.
    pub matches: Option<String>,
    /// How `min`, `max` and `equals` are meant.
    pub comparison: Option<Comparison>,
    /// A text for people.
    pub label: Option<Text>,
    /// Measurements of one group belong together.
    pub group: Option<String>,
}

/// What is expected of a measurement.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// The least that it may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// The most that it may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
    /// What it must be equal to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equals: Option<Reading>,
    /// A regular expression that the whole text must match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// How `min`, `max` and `equals` are meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
}

/// One axis of a series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Axis {
    /// What it is called.
    pub name: String,
    /// The unit of its values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Its values: numbers, or `{"nonfinite": …}`.
    pub values: Vec<Reading>,
}

/// A single value.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// A number, as it was written.
    Number(Number),
    /// A number that JSON has none for.
    Nonfinite(Nonfinite),
    /// A text.
    Text(String),
    /// Yes or no.
    Bool(bool),
}

/// Numbers that JSON has none for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Nonfinite {
    /// Not a number.
    Nan,
    /// Above all numbers.
    Inf,
    /// Below all numbers.
    #[serde(rename = "-inf")]
    NegInf,
}

/// How limits are meant: `G` greater, `L` less, `E` or equal; with both limits the first word is about `min`, or, outside, about below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Comparison {
    /// Equal to `equals`.
    Eq,
    /// Not equal to `equals`.
    Ne,
    /// Above `min`.
    Gt,
    /// At `min` or above.
    Ge,
    /// Below `max`.
    Lt,
    /// At `max` or below.
    Le,
    /// Inside, both limits included.
    GeLe,
    /// Inside, `min` included.
    GeLt,
    /// Inside, `max` included.
    GtLe,
    /// Inside, no limit included.
    GtLt,
    /// Outside: below `min` or above `max`.
    LtGt,
    /// Outside, both limits included.
    LeGe,
    /// Outside, `min` included.
    LeGt,
    /// Outside, `max` included.
    LtGe,
}

impl Comparison {
    /// What it needs: `equals`, `min`, `max`.
    fn needs(self) -> (bool, bool, bool) {
        match self {
            Self::Eq | Self::Ne => (true, false, false),
            Self::Gt | Self::Ge => (false, true, false),
            Self::Lt | Self::Le => (false, false, true),
            Self::GeLe | Self::GeLt | Self::GtLe | Self::GtLt | Self::LtGt | Self::LeGe | Self::LeGt | Self::LtGe => {
                (false, true, true)
            }
        }
    }
}

impl Measurement {
    /// The limits that the message itself has.
    pub fn limits(&self) -> Limits {
        Limits {
            min: self.min.clone(),
            max: self.max.clone(),
            equals: self.equals.clone(),
            matches: self.matches.clone(),
            comparison: self.comparison,
        }
    }

    /// Whether it is a series of several values.
    pub fn is_series(&self) -> bool {
        self.series.is_some()
    }
}

impl Limits {
    /// Whether nothing is expected.
    pub fn is_empty(&self) -> bool {
        self.min.is_none() && self.max.is_none() && self.equals.is_none() && self.matches.is_none()
    }

    /// What is wrong with them by themselves; the error names the field.
    pub fn check(&self) -> Result<(), String> {
        expression("matches", self.matches.as_deref())?;
        in_order(self.min.as_ref(), self.max.as_ref())?;
        let Some(comparison) = self.comparison else { return Ok(()) };
        let (equals, min, max) = comparison.needs();
        let missing = [
            (equals, self.equals.is_none(), "equals"),
            (min, self.min.is_none(), "min"),
            (max, self.max.is_none(), "max"),
        ];
        match missing.into_iter().find(|(needed, missing, _)| *needed && *missing) {
            Some((_, _, name)) => Err(wrong("comparison", &format!("it needs `{name}`, which is missing"))),
            None => Ok(()),
        }
    }
}

impl Reading {
    /// The word for its type, for messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Number(_) | Self::Nonfinite(_) => "a number",
            Self::Text(_) => "a text",
            Self::Bool(_) => "a boolean",
        }
    }

    /// Whether it is a number of any kind.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Nonfinite(_))
    }

    /// Integers exactly, all else as floating-point numbers; `None` if they have no order.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self.whole(), other.whole()) {
            (Some(one), Some(other)) => Some(one.cmp(&other)),
            _ => self.float()?.partial_cmp(&other.float()?),
        }
    }

    fn whole(&self) -> Option<i128> {
        match self {
            Self::Number(number) => number.as_str().parse().ok(),
            Self::Nonfinite(_) | Self::Text(_) | Self::Bool(_) => None,
        }
    }

    fn float(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_str().parse().ok(),
            Self::Nonfinite(Nonfinite::Nan) => Some(f64::NAN),
            Self::Nonfinite(Nonfinite::Inf) => Some(f64::INFINITY),
            Self::Nonfinite(Nonfinite::NegInf) => Some(f64::NEG_INFINITY),
            Self::Text(_) | Self::Bool(_) => None,
        }
    }
}

/// An error if `min` is above `max`.
pub(super) fn in_order(min: Option<&Number>, max: Option<&Number>) -> Result<(), String> {
    let (Some(min), Some(max)) = (min, max) else { return Ok(()) };
    match Reading::Number(min.clone()).compare(&Reading::Number(max.clone())) {
        Some(Ordering::Greater) => Err(wrong("min", &format!("{min} is above `max`, which is {max}"))),
        Some(Ordering::Less | Ordering::Equal) | None => Ok(()),
    }
}

/// What the fields say together.
pub(super) fn check(measurement: Measurement) -> Result<Box<Measurement>, String> {
    filled("name", &measurement.name)?;
    measurement.limits().check()?;
    match (&measurement.value, &measurement.series) {
        (Some(_), Some(_)) => return Err(wrong("series", "it stands beside `value`; expected one of them")),
        (None, None) => {
            return Err(wrong("value", "it is missing; expected a number, a string or a boolean, or `series`"));
        }
        (None, Some(series)) => check_series(series)?,
        (Some(_), None) => {}
    }
    check_kind(&measurement, &measurement.limits())?;
    Ok(Box::new(measurement))
}

/// Whether limits are of the kind that the value can have; the error names the field.
pub(crate) fn check_kind(measurement: &Measurement, limits: &Limits) -> Result<(), String> {
    let kind = measurement.value.as_ref().map_or("a series", Reading::type_name);
    let numeric = measurement.value.as_ref().is_none_or(Reading::is_number);
    let is_text = matches!(&measurement.value, Some(Reading::Text(_)));
    let misplaced = [
        (!numeric && limits.min.is_some(), "min", "a number or a series"),
        (!numeric && limits.max.is_some(), "max", "a number or a series"),
        (!is_text && limits.matches.is_some(), "matches", "a text"),
    ];
    match misplaced.into_iter().find(|(is, ..)| *is) {
        Some((_, field, expected)) => Err(wrong(field, &format!("the value is {kind}; this limit is for {expected}"))),
        None => Ok(()),
    }
}

fn check_series(series: &[Axis]) -> Result<(), String> {
    let [first, .., _] = series else {
        return Err(wrong("series", &format!("it has {}; expected 2 axes or more", series.len())));
    };
    for (position, axis) in series.iter().enumerate() {
        let field = format!("series[{position}].values");
        if axis.values.len() != first.values.len() {
            let (found, expected) = (axis.values.len(), first.values.len());
            return Err(wrong(&field, &format!("{found} values; the first axis has {expected}")));
        }
        if let Some(other) = axis.values.iter().find(|value| !value.is_number()) {
            return Err(wrong(&field, &format!("found {}, expected numbers", other.type_name())));
        }
    }
    Ok(())
}

impl fmt::Display for Nonfinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nan => "nan",
            Self::Inf => "inf",
            Self::NegInf => "-inf",
        })
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Nonfinite(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Bool(value) => write!(f, "{value}"),
        }
    }
}

impl Serialize for Reading {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => number.serialize(serializer),
            Self::Nonfinite(number) => serializer.collect_map([("nonfinite", number)]),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bool(value) => serializer.serialize_bool(*value),
        }
    }
}

impl<'de> Deserialize<'de> for Reading {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadingVisitor)
    }
}

struct ReadingVisitor;

const EXPECTED: &str = "a number, a string, a boolean, or {\"nonfinite\": \"nan\", \"inf\" or \"-inf\"}";

impl<'de> Visitor<'de> for ReadingVisitor {
    type Value = Reading;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Reading, E> {
        Ok(Reading::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Reading, E> {
        Ok(Reading::Number(value.into()))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Reading, E> {
        Ok(Reading::Number(value.into()))
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Reading, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Reading, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Reading, E> {
        Number::from_f64(value).map(Reading::Number).ok_or_else(|| E::custom("it is no number of JSON"))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Reading, E> {
        Ok(Reading::Text(value.to_owned()))
    }

    /// A number of any precision comes as a map of its own kind, too.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Reading, A::Error> {
        let value = serde_json::Value::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
        match &value {
            serde_json::Value::Number(number) => Ok(Reading::Number(number.clone())),
            serde_json::Value::Object(members) => match members.get("nonfinite").map(Nonfinite::deserialize) {
                Some(read) => read.map(Reading::Nonfinite).map_err(A::Error::custom),
                None => Err(A::Error::custom(format!("found an object, expected {EXPECTED}"))),
            },
            _ => Err(A::Error::custom(format!("expected {EXPECTED}"))),
        }
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Reading {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Reading".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let nonfinite = generator.subschema_for::<Nonfinite>();
        schemars::json_schema!({
            "description": "A single value.",
            "anyOf": [
                { "type": ["number", "string", "boolean"] },
                { "type": "object", "properties": { "nonfinite": nonfinite }, "required": ["nonfinite"] },
            ],
        })
    }
}

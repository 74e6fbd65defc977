//! `data.*`: values that outlive a test.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use super::{fields, wrong};

/// Where a value is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Space {
    /// With the run.
    Run,
    /// With the station, for longer than a run.
    Cache,
    /// Device data, a tree.
    Device,
    /// The data shelf, a tree.
    Shelf,
}

/// What is asked of a space.
#[derive(Clone, Debug, PartialEq)]
pub enum DataRequest {
    /// A value.
    Get(At),
    /// A value is set.
    Set(Set),
    /// Several values are set.
    Update(Update),
    /// A value is deleted.
    Delete(At),
    /// The names that there are.
    Keys(Keys),
    /// A number grows.
    Increment(Increment),
}

/// The parameters of `data.get` and `data.delete`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct At {
    /// Where.
    pub space: Space,
    /// Under which name.
    pub key: String,
}

/// The parameters of `data.set`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Set {
    /// Where.
    pub space: Space,
    /// Under which name.
    pub key: String,
    /// What stands there from now on.
    #[serde(deserialize_with = "any")]
    pub value: Value,
}

/// The parameters of `data.update`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Update {
    /// Where.
    pub space: Space,
    /// What is set, by its name; in a tree each leaf of it.
    pub value: serde_json::Map<String, Value>,
}

/// The parameters of `data.keys`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Keys {
    /// Where.
    pub space: Space,
    /// Below which key of a tree.
    pub key: Option<String>,
}

/// The parameters of `data.increment`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Increment {
    /// `run` or `cache`.
    pub space: Space,
    /// Under which name.
    pub key: String,
    /// How much; 1 if it is missing.
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub by: Option<Number>,
}

impl Space {
    /// Whether its keys have levels.
    pub fn is_tree(self) -> bool {
        match self {
            Self::Run | Self::Cache => false,
            Self::Device | Self::Shelf => true,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Cache => "cache",
            Self::Device => "device",
            Self::Shelf => "shelf",
        }
    }
}

impl DataRequest {
    /// Whether it changes nothing.
    pub fn only_reads(&self) -> bool {
        matches!(self, Self::Get(_) | Self::Keys(_))
    }
}

/// `null` is a value, too.
fn any<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    Value::deserialize(deserializer)
}

/// Reads the parameters of a method that begins with `data.`.
pub(super) fn read(method: &str, params: Option<Value>) -> Option<Result<DataRequest, String>> {
    let read = match method.strip_prefix("data.")? {
        "get" => fields(params).map(DataRequest::Get),
        "set" => fields(params).map(DataRequest::Set),
        "update" => fields(params).map(DataRequest::Update),
        "delete" => fields(params).map(DataRequest::Delete),
        "keys" => fields(params).map(DataRequest::Keys),
        "increment" => fields(params).map(DataRequest::Increment),
        _ => return None,
    };
    Some(read.and_then(check))
}

fn check(request: DataRequest) -> Result<DataRequest, String> {
    match &request {
        DataRequest::Get(At { space, key }) if space.is_tree() && !key.is_empty() => check_key("key", key)?,
        DataRequest::Delete(At { space, key }) | DataRequest::Set(Set { space, key, .. }) if space.is_tree() => {
            check_key("key", key)?;
        }
        DataRequest::Update(Update { space, value }) if space.is_tree() => check_keys("value", value)?,
        DataRequest::Keys(Keys { space, key: Some(key) }) if space.is_tree() && !key.is_empty() => {
            check_key("key", key)?;
        }
        DataRequest::Increment(Increment { space, .. }) if space.is_tree() => {
            return Err(wrong("space", &format!("found `{}`, expected `run` or `cache`", space.name())));
        }
        _ => {}
    }
    if let DataRequest::Set(Set { space, value: Value::Object(value), .. }) = &request
        && space.is_tree()
    {
        check_keys("value", value)?;
    }
    Ok(request)
}

fn check_key(field: &str, key: &str) -> Result<(), String> {
    if key.split('.').any(str::is_empty) {
        return Err(wrong(field, &format!("`{key}` has an empty part")));
    }
    Ok(())
}

/// The keys of an object that becomes a part of a tree.
fn check_keys(field: &str, members: &serde_json::Map<String, Value>) -> Result<(), String> {
    for (key, value) in members {
        check_key(field, key)?;
        if let Value::Object(below) = value {
            check_keys(&format!("{field}.{key}"), below)?;
        }
    }
    Ok(())
}

//! The words of a script: outcomes, statuses, levels, changes of device data.

use serde_json::Value;
use tlc_plan::Data;
use tlc_plan::plan::Count;

use crate::schedule::{DeviceChange, NoteLevel, Outcome, Remaining, Status};

/// How a started test acts.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    Pass,
    Fail(Outcome, &'static str),
    Hang,
    Crash,
    Shutdown { happens: bool },
}

pub(super) fn number(count: Count) -> i64 {
    Remaining::from(count).number()
}

pub(super) fn read_act(outcome: &Value) -> Result<(Act, Vec<DeviceChange>), String> {
    let (word, set) = match outcome.as_object() {
        Some(object) => (&object.get("r").cloned().unwrap_or_default(), object.get("set")),
        None => (outcome, None),
    };
    let act = match word.as_str() {
        Some("P") => Act::Pass,
        Some("F") => Act::Fail(Outcome::Failed, "it failed"),
        Some("EXIT1") => Act::Fail(Outcome::Error, "its process ended with exit code 1"),
        Some("NORESULT") => Act::Fail(Outcome::Error, "its process ended without a result"),
        Some("HANG") => Act::Hang,
        Some("CRASH") => Act::Crash,
        Some("SHUTDOWN") => Act::Shutdown { happens: true },
        Some("FALSESHUTDOWN") => Act::Shutdown { happens: false },
        _ => return Err(format!("{word} is not an outcome")),
    };
    let set = set.and_then(Value::as_object).into_iter().flatten();
    Ok((act, set.map(|(key, value)| read_change(key, value)).collect()))
}

pub(super) fn read_change(key: &str, value: &Value) -> DeviceChange {
    DeviceChange { key: key.strip_prefix("device.").unwrap_or(key).to_owned(), value: Some(Data::from(value)) }
}

pub(super) fn read_statuses(names: &Value) -> Result<Vec<Status>, String> {
    let names = names.as_array().ok_or("a filter is an array of statuses")?;
    names
        .iter()
        .map(|name| name.as_str().and_then(Status::from_name).ok_or_else(|| format!("{name} is not a status")))
        .collect()
}

pub(super) fn read_level(name: &Value) -> Result<NoteLevel, String> {
    serde_json::from_value(name.clone()).map_err(|_| format!("{name} is not a level of notes"))
}

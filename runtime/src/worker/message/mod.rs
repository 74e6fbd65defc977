//! The messages of a test, typed: what it may report, ask and say.
//!
//! In: a method and its parameters. Out: a [`Message`], or a text that names the field that does not fit. Unknown fields are ignored.
//! `docs/src/reference/protocol.md` describes them; its schema, `protocol.schema.json`, is made from these types.

mod data;
mod identity;
mod measurement;
mod prompt;
mod report;
#[cfg(test)]
mod schema;
mod text;

pub use data::{At, DataRequest, Increment, Keys, Set, Space, Update};
pub use identity::{Identity as Identities, Info, Party, Process, Stand, Unit};
pub(crate) use measurement::check_kind;
pub use measurement::{Axis, Comparison, Limits, Measurement, Nonfinite, Reading};
pub use prompt::{Button, Figure, Kind, Link, Prompt, Step};
pub use report::{
    Attachment, Content, ErrorCode, Finished, Heading, Log, LogLevel, Note, NoteLevel, Part, PartOutcome, Progress,
    Reported,
};
pub use text::Text;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::words::plain;

/// What a test sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// The test is over.
    Finished(Finished),
    /// A value, perhaps with limits.
    Measurement(Box<Measurement>),
    /// A file that stays with the attempt.
    Attachment(Attachment),
    /// A part of the test with an outcome of its own.
    Result(Part),
    /// A line for the log.
    Log(Log),
    /// What the test does now.
    Heading(Heading),
    /// How far it is.
    Progress(Progress),
    /// A text that stays with the attempt.
    Note(Note),
    /// A question to the operator.
    Prompt(Box<Prompt>),
    /// A prompt is taken back.
    Dismiss(Dismiss),
    /// Who and what takes part.
    Identity(Box<Identities>),
    /// Values that outlive the test.
    Data(DataRequest),
    /// A secret is asked for.
    Secret(Secret),
}

/// The parameters of `dismiss`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Dismiss {
    /// The name of the prompt.
    pub prompt: String,
}

/// The parameters of `secret`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Secret {
    /// The name of the secret.
    pub name: String,
}

impl Message {
    /// Reads the parameters of a method; `None` if there is no such method, an error if they do not fit.
    pub fn read(method: &str, params: Option<Value>) -> Option<Result<Self, String>> {
        let read = match method {
            "finished" => fields(params).map(Self::Finished),
            "measurement" => fields(params).and_then(measurement::check).map(Self::Measurement),
            "attachment" => fields(params).and_then(report::check_attachment).map(Self::Attachment),
            "result" => fields(params).and_then(report::check_part).map(Self::Result),
            "log" => fields(params).map(Self::Log),
            "heading" => fields(params).map(Self::Heading),
            "progress" => fields(params).and_then(report::check_progress).map(Self::Progress),
            "note" => fields(params).map(Self::Note),
            "prompt" => fields(params).and_then(prompt::check).map(Self::Prompt),
            "dismiss" => fields(params).map(Self::Dismiss),
            "identity" => fields(params).and_then(identity::check).map(Self::Identity),
            "secret" => fields(params).map(Self::Secret),
            _ => data::read(method, params)?.map(Self::Data),
        };
        Some(read.map_err(|what| format!("`{method}`: {what}")))
    }

    /// Whether it makes no sense without an answer.
    pub fn needs_answer(&self) -> bool {
        match self {
            Self::Prompt(_) | Self::Secret(_) => true,
            Self::Data(request) => request.only_reads(),
            Self::Finished(_)
            | Self::Measurement(_)
            | Self::Attachment(_)
            | Self::Result(_)
            | Self::Log(_)
            | Self::Heading(_)
            | Self::Progress(_)
            | Self::Note(_)
            | Self::Dismiss(_)
            | Self::Identity(_) => false,
        }
    }

    /// Whether it counts among what an attempt may report.
    pub fn is_counted(&self) -> bool {
        match self {
            Self::Measurement(_) | Self::Attachment(_) | Self::Result(_) | Self::Note(_) | Self::Prompt(_) => true,
            Self::Finished(_)
            | Self::Log(_)
            | Self::Heading(_)
            | Self::Progress(_)
            | Self::Dismiss(_)
            | Self::Identity(_)
            | Self::Data(_)
            | Self::Secret(_) => false,
        }
    }
}

/// Reads an object; the error names the field.
fn fields<T: DeserializeOwned>(params: Option<Value>) -> Result<T, String> {
    let params = params.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    if !params.is_object() {
        return Err("expected an object of parameters".to_owned());
    }
    if let Some((field, number)) = too_large(&params) {
        let number: String = number.chars().take(NUMBER_SHOWN).collect();
        return Err(wrong(&field, &format!("{number} is too large for a number; doubles end at 1.8e308")));
    }
    serde_path_to_error::deserialize(params).map_err(|error| {
        let field = error.path().to_string();
        let what = plain(&error.into_inner().to_string());
        if field == "." { what } else { wrong(&field, &what) }
    })
}

/// The first number that is beyond what a double can hold, with its place. It would become infinity, which no test meant.
fn too_large(value: &Value) -> Option<(String, &str)> {
    match value {
        Value::Number(number) if number.as_f64().is_none() => Some((String::new(), number.as_str())),
        Value::Array(items) => items.iter().enumerate().find_map(|(place, item)| {
            let (below, number) = too_large(item)?;
            Some((joined(&format!("[{place}]"), &below), number))
        }),
        Value::Object(members) => members.iter().find_map(|(key, member)| {
            let (below, number) = too_large(member)?;
            Some((joined(key, &below), number))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// A place and what is below it: `series[1].values`.
fn joined(place: &str, below: &str) -> String {
    let dot = if below.is_empty() || below.starts_with('[') { "" } else { "." };
    format!("{place}{dot}{below}")
}

/// How much of a number is shown that is too large.
const NUMBER_SHOWN: usize = 30;

/// A field and what is wrong with it.
fn wrong(field: &str, what: &str) -> String {
    format!("`{field}`: {what}")
}

/// An error if the text is empty.
fn filled(field: &str, text: &str) -> Result<(), String> {
    if text.is_empty() { Err(wrong(field, "it is empty")) } else { Ok(()) }
}

/// An error if it is no regular expression.
fn expression(field: &str, pattern: Option<&str>) -> Result<(), String> {
    match pattern.map(whole) {
        Some(Err(what)) => Err(wrong(field, &what)),
        Some(Ok(_)) | None => Ok(()),
    }
}

/// A regular expression that a whole text must match; the error is one line.
pub fn whole(pattern: &str) -> Result<regex::Regex, String> {
    let limited = |text: &str| regex::RegexBuilder::new(text).size_limit(EXPRESSION_LIMIT).build();
    // The pattern itself first, so that a bracket of it cannot close ours; a comment at its end takes the rest of the line with it.
    let whole = || limited(&format!(r"\A(?:{pattern})\z")).or_else(|_| limited(&format!("\\A(?:{pattern}\n)\\z")));
    limited(pattern).and_then(|_| whole()).map_err(|error| {
        let what = error.to_string();
        let last = what.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        format!("`{pattern}` is no regular expression: {last}")
    })
}

/// No compiled expression is larger, in bytes.
const EXPRESSION_LIMIT: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(method: &str, params: Value) -> Result<Message, String> {
        Message::read(method, Some(params)).expect("a method that is known")
    }

    #[test]
    fn unknown_methods_are_told_apart_and_unknown_fields_ignored() {
        assert!(Message::read("dance", None).is_none() && Message::read("data.dance", None).is_none());
        assert!(read("finished", json!({"outcome": "failed", "later": 1})).is_ok());
        assert!(read("log", json!({"text": "a", "level": "warning", "colour": "red"})).is_ok());
    }

    #[track_caller]
    fn refused(method: &str, params: Value, words: &[&str]) {
        let what = read(method, params).expect_err("it does not fit");
        for word in words.iter().chain([&&*format!("`{method}`")]) {
            assert!(what.contains(word), "{what}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_field() {
        refused("finished", json!({"outcome": "fine"}), &["`outcome`", "`fine`"]);
        refused("finished", json!({"outcome": "passed", "error_code": 1.5}), &["error_code"]);
        refused("finished", json!([]), &["expected an object"]);
        refused("measurement", json!({}), &["`name`"]);
        refused("measurement", json!({"name": "", "value": 1}), &["`name`", "empty"]);
        refused("measurement", json!({"name": "a"}), &["`value`"]);
        refused("measurement", json!({"name": "a", "value": [1]}), &["`value`", "expected a number"]);
        refused("measurement", json!({"name": "a", "value": {"nonfinite": "x"}}), &["`value`", "nan"]);
        refused("measurement", json!({"name": "a", "value": 1, "min": "x"}), &["`min`"]);
        refused("measurement", json!({"name": "a", "value": 1, "comparison": "XX"}), &["`comparison`", "XX"]);
        refused(
            "measurement",
            json!({"name": "a", "value": 1, "min": 1, "comparison": "GELE"}),
            &["`comparison`", "`max`"],
        );
        refused(
            "measurement",
            json!({"name": "a", "value": 1, "min": 2, "max": 1.5}),
            &["`min`", "2 is above `max`", "1.5"],
        );
        refused("prompt", json!({"kind": "number", "text": "a", "min": 1e3, "max": 1}), &["`min`", "above `max`"]);
        refused("measurement", json!({"name": "a", "value": "x", "matches": "("}), &["`matches`", "unclosed"]);
        refused("measurement", json!({"name": "a", "value": "x", "min": 1}), &["`min`", "number"]);
        refused("measurement", json!({"name": "a", "value": 3, "matches": "x"}), &["`matches`", "text"]);
        refused("measurement", json!({"name": "a", "value": 1, "series": []}), &["`series`", "`value`"]);
        refused("measurement", json!({"name": "a", "series": [{"name": "x", "values": [1]}]}), &["`series`", "2 axes"]);
        let uneven = json!({"name": "a", "series": [{"name": "x", "values": [1]}, {"name": "y", "values": []}]});
        refused("measurement", uneven, &["`series[1].values`", "0", "1"]);
        refused("attachment", json!({"name": "a/b", "text": ""}), &["`name`", "/"]);
        refused("attachment", json!({"name": "a"}), &["`path`", "`text`", "`base64`"]);
        refused("attachment", json!({"name": "a", "text": "", "path": "b"}), &["`path`", "`text`"]);
        refused("attachment", json!({"name": "a", "base64": "%"}), &["`base64`"]);
        refused("result", json!({"name": "a", "outcome": "great"}), &["`outcome`"]);
        refused("result", json!({"name": "a", "outcome": "passed", "duration_secs": -1}), &["`duration_secs`"]);
        refused("log", json!({"text": 3}), &["`text`"]);
        refused("progress", json!({"fraction": 1.5}), &["`fraction`", "from 0 to 1"]);
        refused("heading", json!({"text": {}}), &["`text`"]);
        refused("note", json!({"text": "a", "level": "bad"}), &["`level`"]);
        refused("identity", json!({"dut": {"serial_number": ""}}), &["`dut.serial_number`", "empty"]);
        refused("identity", json!({"dut": {"serial_number": "a\0"}}), &["`dut.serial_number`", "NUL"]);
        refused("identity", json!({"instruments": [{"name": "a\0"}]}), &["`instruments[0].name`", "NUL"]);
        refused("identity", json!({"dut": {"info": {"a": [1]}}}), &["`dut.info.a`"]);
        refused("identity", json!({"process": {"number": -1}}), &["`process.number`"]);
        refused("identity", json!({"dut": {"sub_units": [{"info": {"a": {}}}]}}), &["`dut.sub_units[0].info.a`"]);
        refused("data.set", json!({"space": "moon", "key": "a", "value": 1}), &["`space`", "moon"]);
        refused("data.set", json!({"space": "device", "key": "a..b", "value": 1}), &["`key`", "empty part"]);
        refused("data.set", json!({"space": "run", "key": "a"}), &["`value`"]);
        refused("data.update", json!({"space": "run", "value": 1}), &["`value`", "object"]);
        refused("data.increment", json!({"space": "shelf", "key": "a"}), &["`space`"]);
        refused("data.increment", json!({"space": "run", "key": "a", "by": "x"}), &["`by`"]);
        refused("prompt", json!({"kind": "dance", "text": "a"}), &["`kind`", "dance"]);
        refused("prompt", json!({"kind": "buttons", "text": "a"}), &["`buttons`"]);
        refused("prompt", json!({"kind": "buttons", "text": "a", "buttons": []}), &["`buttons`", "1 or more"]);
        refused("prompt", json!({"kind": "select", "text": "a", "choices": []}), &["`choices`", "1 or more"]);
        refused("prompt", json!({"kind": "scan", "text": "a", "pattern": "("}), &["`pattern`"]);
        refused("prompt", json!({"kind": "note", "text": "a", "timeout_secs": 0}), &["`timeout_secs`"]);
        refused("prompt", json!({"kind": "countdown", "text": "a", "seconds": 0}), &["`seconds`"]);
        refused("prompt", json!({"kind": "image", "text": "a"}), &["`image`"]);
        refused("dismiss", json!({}), &["`prompt`"]);
        refused("secret", json!({"name": 1}), &["`name`"]);
    }

    #[test]
    fn a_number_that_no_double_can_hold_is_refused_with_its_place() {
        let huge: Value = serde_json::from_str("1e400").expect("JSON");
        let long: Value = serde_json::from_str(&"9".repeat(400)).expect("JSON");
        let axis = |value: &Value| json!({"name": "x", "values": [1, value]});
        refused("measurement", json!({"name": "a", "value": huge}), &["`value`", "1e+400", "too large"]);
        refused("measurement", json!({"name": "a", "value": long}), &["`value`", "99999", "too large"]);
        refused("measurement", json!({"name": "a", "value": 1, "max": huge}), &["`max`", "1e+400"]);
        let series = json!({"name": "a", "series": [axis(&json!(1)), axis(&huge)]});
        refused("measurement", series, &["`series[1].values[1]`", "1e+400"]);
        refused("result", json!({"name": "a", "outcome": "passed", "duration_secs": huge}), &["`duration_secs`"]);
        refused("prompt", json!({"kind": "number", "text": "a", "min": huge}), &["`min`", "1e+400"]);
        refused("data.set", json!({"space": "run", "key": "a", "value": {"b": [huge]}}), &["`value.b[0]`", "1e+400"]);
        assert!(read("measurement", json!({"name": "a", "value": 1.7e308})).is_ok());
    }

    #[test]
    fn a_pattern_matches_the_whole_text_whatever_it_contains() {
        let fits = |pattern: &str, text: &str| whole(pattern).expect("an expression").is_match(text);
        assert!(fits("a|bc", "bc") && !fits("a|bc", "abc") && !fits("a|bc", "a\n"));
        assert!(fits("(?x)a # comment", "a") && fits("^a$", "a") && !fits("(?m)a$", "a\nb"));
        assert!(whole("a)(b").expect_err("unbalanced").contains("`a)(b`"));
    }
}

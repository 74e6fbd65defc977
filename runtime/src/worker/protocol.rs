//! The messages between the runtime and a worker: JSON-RPC 2.0, one message a line.
//!
//! The page `docs/src/reference/protocol.md` describes them. Unknown fields are ignored in both directions.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tlc_plan::Data;

use super::desk::{Answer, Refusal};
use super::message::Message;
use super::{Attempt, Identity, MESSAGE_LIMIT, Program};
use crate::words::plain;

/// The version in the handshake.
pub const PROTOCOL_VERSION: u32 = 1;

/// The id of the request `start`.
const START: u32 = 1;

/// A line of a worker, as far as it is understood.
#[derive(Debug)]
pub(super) enum Line {
    /// A message of the test: its parameters, or what does not fit; with an id it is answered.
    Message { id: Option<Value>, message: Result<Message, String> },
    /// The answer to `start`.
    Ready { protocol: u32 },
    /// A request that nobody knows; it gets an answer.
    Unknown { id: Value, method: String },
    /// Something that needs no answer.
    Ignored,
}

#[derive(Deserialize)]
struct Envelope {
    jsonrpc: String,
    #[serde(default, deserialize_with = "present")]
    id: Option<Value>,
    method: Option<String>,
    params: Option<Value>,
    result: Option<Value>,
}

#[derive(Deserialize)]
struct Ready {
    protocol: u32,
}

/// An id of `null` is one.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A request of the runtime.
#[derive(Serialize)]
struct Request<T> {
    jsonrpc: &'static str,
    id: u32,
    method: &'static str,
    params: T,
}

/// The parameters of `start`: who a test is and what it runs.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Start<'a> {
    /// The version of the protocol.
    protocol: u32,
    /// The id of the run.
    run: &'a str,
    /// The slot of the station, from 0.
    slot: u32,
    /// The serial number of the device under test, as far as it is known.
    unit: &'a str,
    /// The id of the attempt.
    invocation: &'a str,
    /// Which start of the test, from 1.
    attempt: u32,
    /// The id of the list.
    list: &'a str,
    /// The path of the test in the list.
    path: &'a str,
    /// The phase; empty if there is none.
    phase: &'a str,
    /// The locale for texts.
    locale: &'a str,
    /// The station.
    station: &'a str,
    /// Who runs it; empty if that is not known.
    operator: &'a str,
    /// The arguments.
    #[cfg_attr(test, schemars(with = "serde_json::Map<String, Value>"))]
    args: &'a Data,
    /// What runs.
    test: Test<'a>,
    /// The limits that the list declares.
    #[cfg_attr(test, schemars(with = "serde_json::Map<String, Value>"))]
    measurements: &'a Data,
    /// The options of the device under test.
    #[cfg_attr(test, schemars(with = "Value"))]
    dut_options: &'a Data,
    /// After how many seconds it is ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    time_limit_secs: Option<f64>,
}

/// What an attempt runs.
#[derive(Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Test<'a> {
    /// A program and its arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    exec: Option<&'a [String]>,
    /// A Python test by its dotted name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pytest_name: Option<&'a str>,
    /// The directory of Python tests.
    #[serde(skip_serializing_if = "Option::is_none")]
    tests: Option<&'a Path>,
}

/// The first message to a worker.
pub(super) fn start(attempt: &Attempt) -> Vec<u8> {
    line(&Request { jsonrpc: "2.0", id: START, method: "start", params: parameters(attempt) })
}

/// The parameters of the first message to a worker.
pub(super) fn parameters(attempt: &Attempt) -> Start<'_> {
    let test = match &attempt.program {
        Program::Exec(argv) => Test { exec: Some(argv), ..Test::default() },
        Program::Python { tests, name, .. } => Test { pytest_name: Some(name), tests: Some(tests), ..Test::default() },
    };
    let Identity { run, slot, unit, invocation, number, path, list, phase, locale, station, operator } =
        &attempt.identity;
    Start {
        protocol: PROTOCOL_VERSION,
        run,
        slot: *slot,
        unit,
        invocation,
        attempt: *number,
        list,
        path,
        phase,
        locale,
        station,
        operator,
        args: &attempt.args,
        test,
        measurements: &attempt.measurements,
        dut_options: &attempt.dut_options,
        time_limit_secs: attempt.time_limit.map(|limit| limit.as_secs_f64()),
    }
}

/// The answer to a request.
pub(super) fn answer(id: &Value, answer: &Answer) -> Vec<u8> {
    let line = line(&match answer {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(refusal) => json!({ "jsonrpc": "2.0", "id": id, "error": refusal.as_json() }),
    });
    if line.len() > MESSAGE_LIMIT && answer.is_ok() {
        let what = format!("the answer would be longer than the {MESSAGE_LIMIT} bytes of a message");
        return self::answer(id, &Err(Refusal::new(Refusal::IMPOSSIBLE, what)));
    }
    line
}

/// The answer to a request with an unknown method.
pub(super) fn method_not_found(id: &Value, method: &str) -> Vec<u8> {
    answer(id, &Err(Refusal::new(Refusal::METHOD, format!("unknown method `{method}`"))))
}

fn line(message: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(message).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Reads one line of a worker; the error says what is wrong with it.
pub(super) fn read(line: &[u8]) -> Result<Line, String> {
    let envelope: Envelope = serde_json::from_slice(line).map_err(|error| not_a_message(line, &error))?;
    if envelope.jsonrpc != "2.0" {
        return Err(format!("sent a message of JSON-RPC `{}`, expected `2.0`", envelope.jsonrpc));
    }
    let Envelope { id, method, params, result, .. } = envelope;
    if id.as_ref().is_some_and(|id| !(id.is_string() || id.is_number() || id.is_null())) {
        return Err("sent a message whose `id` is neither a number nor a string".into());
    }
    let Some(method) = method else {
        return match result {
            Some(result) if id == Some(Value::from(START)) => ready(result),
            Some(_) | None => Ok(Line::Ignored),
        };
    };
    match (Message::read(&method, params), id) {
        (Some(message), id) => {
            Ok(Line::Message { id, message: message.map_err(|what| format!("sent a wrong {what}")) })
        }
        (None, Some(id)) => Ok(Line::Unknown { id, method }),
        (None, None) => Ok(Line::Ignored),
    }
}

fn ready(result: Value) -> Result<Line, String> {
    let ready: Ready = serde_json::from_value(result)
        .map_err(|error| format!("sent a wrong answer to `start`: {}", plain(&error.to_string())))?;
    Ok(Line::Ready { protocol: ready.protocol })
}

fn not_a_message(line: &[u8], error: &serde_json::Error) -> String {
    let begin: String = String::from_utf8_lossy(line).chars().take(60).collect();
    format!("sent a line that is no JSON-RPC message ({error}): {begin:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_and_notifications_are_ignored() {
        let line =
            br#"{"jsonrpc":"2.0","method":"finished","params":{"outcome":"failed","message":"m","later":1},"x":2}"#;
        assert!(matches!(read(line), Ok(Line::Message { id: None, message: Ok(Message::Finished(_)) })));
        assert!(matches!(read(br#"{"jsonrpc":"2.0","method":"dance"}"#), Ok(Line::Ignored)));
        assert!(matches!(read(br#"{"jsonrpc":"2.0","id":7,"result":{"x":1}}"#), Ok(Line::Ignored)));
        assert!(matches!(
            read(br#"{"jsonrpc":"2.0","id":1,"result":{"protocol":1}}"#),
            Ok(Line::Ready { protocol: 1 })
        ));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let line = br#"{"jsonrpc":"2.0","method":"finished","params":{"outcome":"fine"}}"#;
        let Ok(Line::Message { message: Err(wrong), .. }) = read(line) else { panic!("it does not fit") };
        assert!(wrong.contains("`fine`") && wrong.contains("`finished`") && wrong.contains("`outcome`"), "{wrong}");
        assert!(read(b"hello").expect_err("not JSON").contains("hello"));
        assert!(read(br#"{"jsonrpc":"1.0"}"#).expect_err("old").contains("`1.0`"));
        assert!(read(br#"{"jsonrpc":"2.0","id":[],"method":"log"}"#).expect_err("no id").contains("`id`"));
    }

    #[test]
    fn a_request_that_nobody_knows_gets_an_answer() {
        let Ok(Line::Unknown { id, method }) = read(br#"{"jsonrpc":"2.0","id":"a","method":"dance"}"#) else {
            panic!("it is a request");
        };
        let answer = String::from_utf8(method_not_found(&id, &method)).expect("UTF-8");
        assert!(answer.contains("-32601") && answer.ends_with('\n'));
    }
}

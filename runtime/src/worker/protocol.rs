//! The messages between the runtime and a worker: JSON-RPC 2.0, one message a line.
//!
//! The page `docs/src/reference/protocol.md` describes them. Unknown fields are ignored in both directions.

use serde::Deserialize;
use serde_json::{Value, json};

use super::desk::{Answer, Refusal};
use super::message::Message;
use super::{Attempt, Identity, Program};

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

/// The first message to a worker: who it is and what it runs.
pub(super) fn start(attempt: &Attempt) -> Vec<u8> {
    let test = match &attempt.program {
        Program::Exec(argv) => json!({ "exec": argv }),
        Program::Python { tests, name, .. } => json!({ "pytest_name": name, "tests": tests }),
    };
    let Identity { run, slot, unit, invocation, number, path, list, phase, locale, station, operator } =
        &attempt.identity;
    let mut params = json!({
        "protocol": PROTOCOL_VERSION, "run": run, "slot": slot, "unit": unit, "invocation": invocation, "attempt": number,
        "list": list, "path": path, "phase": phase, "locale": locale, "station": station, "operator": operator,
        "args": attempt.args, "test": test, "measurements": attempt.measurements, "dut_options": attempt.dut_options,
    });
    if let (Some(limit), Some(members)) = (attempt.time_limit, params.as_object_mut()) {
        members.insert("time_limit_secs".into(), json!(limit.as_secs_f64()));
    }
    line(&json!({ "jsonrpc": "2.0", "id": START, "method": "start", "params": params }))
}

/// The answer to a request.
pub(super) fn answer(id: &Value, answer: &Answer) -> Vec<u8> {
    line(&match answer {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(refusal) => json!({ "jsonrpc": "2.0", "id": id, "error": refusal.as_json() }),
    })
}

/// The answer to a request with an unknown method.
pub(super) fn method_not_found(id: &Value, method: &str) -> Vec<u8> {
    answer(id, &Err(Refusal::new(Refusal::METHOD, format!("unknown method `{method}`"))))
}

fn line(message: &Value) -> Vec<u8> {
    let mut line = message.to_string().into_bytes();
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
    let ready: Ready =
        serde_json::from_value(result).map_err(|error| format!("sent a wrong answer to `start`: {error}"))?;
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

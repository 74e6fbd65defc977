//! The messages between the runtime and a worker: JSON-RPC 2.0, one message a line.
//!
//! The page `docs/src/reference/protocol.md` describes them. Unknown fields are ignored in both directions.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Attempt, Identity, Program};

/// The version in the handshake.
pub const PROTOCOL_VERSION: u32 = 1;

/// The code of JSON-RPC for a method that is not known.
pub(super) const METHOD_NOT_FOUND: i32 = -32601;

/// What a worker may say of its test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Reported {
    Passed,
    Failed,
    Error,
}

/// The parameters of `finished`.
#[derive(Debug, Deserialize)]
pub(super) struct Finished {
    pub outcome: Reported,
    pub message: Option<String>,
    pub traceback: Option<String>,
}

/// What a worker sent, as far as it is understood.
#[derive(Debug)]
pub(super) enum Message {
    /// The test is over.
    Finished(Finished),
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
    id: Option<Value>,
    method: Option<String>,
    params: Option<Value>,
    result: Option<Value>,
}

#[derive(Deserialize)]
struct Ready {
    protocol: u32,
}

/// The first message to a worker: who it is and what it runs.
pub(super) fn start(attempt: &Attempt) -> Vec<u8> {
    let test = match &attempt.program {
        Program::Exec(argv) => json!({ "exec": argv }),
        Program::Python { tests, name, .. } => json!({ "pytest_name": name, "tests": tests }),
    };
    let Identity { run, slot, unit, invocation, path, list, phase, locale } = &attempt.identity;
    let params = json!({
        "protocol": PROTOCOL_VERSION, "run": run, "slot": slot, "unit": unit, "invocation": invocation, "path": path,
        "list": list, "phase": phase, "locale": locale, "args": attempt.args, "test": test,
    });
    line(&json!({ "jsonrpc": "2.0", "id": 1, "method": "start", "params": params }))
}

/// The answer to a request with an unknown method.
pub(super) fn method_not_found(id: &Value, method: &str) -> Vec<u8> {
    let error = json!({ "code": METHOD_NOT_FOUND, "message": format!("unknown method `{method}`") });
    line(&json!({ "jsonrpc": "2.0", "id": id, "error": error }))
}

fn line(message: &Value) -> Vec<u8> {
    let mut line = message.to_string().into_bytes();
    line.push(b'\n');
    line
}

/// Reads one line of a worker; the error says what is wrong with it.
pub(super) fn read(line: &[u8]) -> Result<Message, String> {
    let envelope: Envelope = serde_json::from_slice(line).map_err(|error| not_a_message(line, &error))?;
    if envelope.jsonrpc != "2.0" {
        return Err(format!("sent a message of JSON-RPC `{}`, expected `2.0`", envelope.jsonrpc));
    }
    match (envelope.method.as_deref(), envelope.id) {
        (Some("finished"), _) => parse("finished", envelope.params).map(Message::Finished),
        (Some(method), Some(id)) => Ok(Message::Unknown { id, method: method.into() }),
        (None, Some(_)) if envelope.result.is_some() => parse::<Ready>("the answer to start", envelope.result)
            .map(|ready| Message::Ready { protocol: ready.protocol }),
        (Some(_) | None, _) => Ok(Message::Ignored),
    }
}

fn parse<T: serde::de::DeserializeOwned>(what: &str, value: Option<Value>) -> Result<T, String> {
    serde_json::from_value(value.unwrap_or(Value::Null)).map_err(|error| format!("sent a wrong `{what}`: {error}"))
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
        assert!(matches!(read(line), Ok(Message::Finished(Finished { outcome: Reported::Failed, .. }))));
        assert!(matches!(read(br#"{"jsonrpc":"2.0","method":"heading"}"#), Ok(Message::Ignored)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong =
            read(br#"{"jsonrpc":"2.0","method":"finished","params":{"outcome":"fine"}}"#).expect_err("no outcome");
        assert!(wrong.contains("`fine`") && wrong.contains("`finished`"), "{wrong}");
        assert!(read(b"hello").expect_err("not JSON").contains("hello"));
        assert!(read(br#"{"jsonrpc":"1.0"}"#).expect_err("old").contains("`1.0`"));
    }

    #[test]
    fn a_request_that_nobody_knows_gets_an_answer() {
        let Ok(Message::Unknown { id, method }) = read(br#"{"jsonrpc":"2.0","id":"a","method":"prompt"}"#) else {
            panic!("it is a request");
        };
        let answer = String::from_utf8(method_not_found(&id, &method)).expect("UTF-8");
        assert!(answer.contains("-32601") && answer.ends_with('\n'));
    }
}

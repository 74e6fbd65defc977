//! For the fuzz target in `runtime/fuzz`: all readers of what a test sends, without a test.

use serde_json::Value;
use tokio::io::BufReader;
use tokio::sync::mpsc;

use super::OutputForm;
use super::channel::{MESSAGE_LIMIT, next_line};
use super::measure::{self, Declared};
use super::message::Message;
use super::protocol::{self, Line};
use super::reading::{Heard, Listener};

/// Reads bytes as messages of a worker and as the output of a program, in every form; panics if something does not hold that must.
pub async fn read(bytes: &[u8]) {
    messages(bytes).await;
    // However the bytes arrive, the same is heard.
    for form in [OutputForm::Unknown, OutputForm::Tap, OutputForm::Lager] {
        let whole = output(form, bytes.len().max(1), bytes);
        let pieces = output(form, 7, bytes);
        assert_eq!(whole, pieces, "{form:?}");
    }
}

async fn messages(bytes: &[u8]) {
    let mut reader = BufReader::with_capacity(64, bytes);
    let mut line = Vec::new();
    while let Ok(true) = next_line(&mut reader, &mut line).await {
        assert!(line.len() <= MESSAGE_LIMIT && !line.contains(&b'\n'));
        if let Ok(Line::Message { message: Ok(message), .. }) = protocol::read(&line) {
            judge(message);
        }
    }
}

fn judge(message: Message) {
    let _ = message.needs_answer() || message.is_counted();
    match message {
        Message::Measurement(measurement) => {
            let _ = measure::judge(*measurement, &Declared::default());
        }
        Message::Prompt(prompt) => {
            for answer in [Value::Null, Value::Bool(true), Value::from("a"), Value::from(1), Value::Array(Vec::new())] {
                let _ = crate::prompt::accept(&prompt, &answer);
            }
        }
        Message::Attachment(attachment) => {
            let _ = (attachment.content(), attachment.media_type());
        }
        _ => {}
    }
}

/// What is heard of an output that arrives in pieces of this size: the bytes of the log, and the messages.
fn output(form: OutputForm, size: usize, bytes: &[u8]) -> (Vec<u8>, Vec<String>) {
    let (messages, _received) = mpsc::channel(1);
    let mut listener = Listener::new(form, None, &messages);
    let mut heard: Vec<Heard> = bytes.chunks(size).flat_map(|piece| listener.hear(piece)).collect();
    heard.extend(listener.finish());
    let (mut log, mut said) = (Vec::new(), Vec::new());
    for one in heard {
        match one {
            Heard::Log(bytes) => log.extend(bytes),
            Heard::Message(incoming) => said.push(format!("{:?}", incoming.message)),
        }
    }
    assert!(log.len() <= bytes.len() && (form == OutputForm::Lager || log == bytes), "{form:?}: no byte is lost");
    (log, said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_reader_takes_anything(lines in prop::collection::vec(prop_oneof![
            any::<Vec<u8>>(),
            "\\PC{0,40}".prop_map(String::into_bytes),
            "\\{\"jsonrpc\":\"2.0\",(\"id\":[0-9a\"]{1,3},)?\"method\":\"(measurement|prompt|result|log|data.set)\",\"params\":\\{\"name\":\"a\",\"(value|min|kind|text)\":[0-9.e\"-]{1,5}\\}\\}"
                .prop_map(String::into_bytes),
            Just(b"TAP version 14".to_vec()),
            "[ ]{0,5}(not )?ok [0-9]{0,3}[ -]{0,3}[a-z#]{0,5}".prop_map(String::into_bytes),
            "\u{2}FACTORY:\\{\"type\":\"(start|done|present_buttons|present_select|error)\",\"data\":[\\[\\]1,\"a]{0,6}\\}".prop_map(String::into_bytes),
        ], 0..12)) {
            let bytes = lines.join(&b'\n');
            tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(read(&bytes));
        }
    }
}

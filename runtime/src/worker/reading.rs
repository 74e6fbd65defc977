//! Listens to what a program writes to its stdout, where that says more than a log: TAP, or the event lines of Lager's steps.
//!
//! In: bytes, as they are read. Out: messages for the intake, as if they had come by the protocol; answers to prompts go to the
//! program's stdin. What is heard belongs to the log all the same, but for event lines that were understood. No line is kept longer than
//! a message may be.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::channel::MESSAGE_LIMIT;
use super::desk::{Answer, Refusal};
use super::intake::{Back, Incoming};
use super::lager::{self, Event, Lager};
use super::message::Message;
use super::tap::{self, PartOutcome, Tap};

/// What a program writes to its stdout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputForm {
    /// A log, unless its first line asks to be read as TAP.
    #[default]
    Unknown,
    /// TAP.
    Tap,
    /// Event lines of Lager's steps.
    Lager,
}

/// What a program is being heard as.
enum Reader {
    /// Nothing is known yet.
    Unknown,
    /// A log and no more.
    Log,
    Tap(Box<Tap>),
    Lager(Lager),
}

/// What follows from something that was heard.
pub(super) enum Heard {
    /// Bytes for the log.
    Log(Vec<u8>),
    /// A message for the intake.
    Message(Box<Incoming>),
}

/// Listens to one output.
pub(super) struct Listener {
    reader: Reader,
    /// A line that is not complete yet.
    partial: Vec<u8>,
    /// The line at hand is too long to be read; the rest of it goes to the log.
    overlong: bool,
    answers: Option<mpsc::Sender<Asked>>,
}

/// A prompt that waits for its answer.
type Asked = oneshot::Receiver<Answer>;

impl Listener {
    /// `stdin` is where answers go, and `messages` where it is said that there was none.
    pub fn new(form: OutputForm, stdin: Option<pipe::Sender>, messages: &mpsc::Sender<Incoming>) -> Self {
        let reader = match form {
            OutputForm::Unknown => Reader::Unknown,
            OutputForm::Tap => Reader::Tap(Box::default()),
            OutputForm::Lager => Reader::Lager(Lager::default()),
        };
        let answers = stdin.map(|stdin| {
            let (asked, waiting) = mpsc::channel(1);
            tokio::spawn(answer(waiting, stdin, messages.downgrade()));
            asked
        });
        Self { reader, partial: Vec::new(), overlong: false, answers }
    }

    /// Takes bytes, in their order.
    pub fn hear(&mut self, bytes: &[u8]) -> Vec<Heard> {
        let mut heard = Vec::new();
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            if matches!(self.reader, Reader::Log) {
                log(&mut heard, part);
                continue;
            }
            let ends = part.ends_with(b"\n");
            if self.overlong || self.partial.len() + part.len() > MESSAGE_LIMIT {
                log(&mut heard, &std::mem::take(&mut self.partial));
                log(&mut heard, part);
                self.overlong = !ends;
                self.no_line();
                continue;
            }
            self.partial.extend_from_slice(part);
            if ends {
                let line = std::mem::take(&mut self.partial);
                self.line(&line, &mut heard);
            }
        }
        heard
    }

    /// The end of the output.
    pub fn finish(&mut self) -> Vec<Heard> {
        let mut heard = Vec::new();
        let line = std::mem::take(&mut self.partial);
        if !line.is_empty() {
            self.line(&line, &mut heard);
        }
        if let Reader::Tap(tap) = std::mem::replace(&mut self.reader, Reader::Log) {
            let mut parts = Vec::new();
            let problem = tap.finish(&mut parts);
            heard.extend(parts.iter().map(part));
            if let Some(problem) = problem {
                let wrong = json!({ "name": "TAP", "outcome": "failed", "message": problem });
                heard.push(message("result", wrong, 0, Back::Nowhere));
            }
        }
        self.answers = None;
        heard
    }

    /// A line that is too long to be one of ours.
    fn no_line(&mut self) {
        if matches!(self.reader, Reader::Unknown) {
            self.reader = Reader::Log;
        }
    }

    fn line(&mut self, line: &[u8], heard: &mut Vec<Heard>) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\n', '\r']);
        if matches!(self.reader, Reader::Unknown) {
            self.reader = if tap::asks(text) { Reader::Tap(Box::default()) } else { Reader::Log };
        }
        match &mut self.reader {
            Reader::Unknown | Reader::Log => log(heard, line),
            Reader::Tap(tap) => {
                let mut parts = Vec::new();
                tap.line(text, &mut parts);
                heard.extend(parts.iter().map(part));
                log(heard, line);
            }
            Reader::Lager(lager) => match lager.line(text) {
                None => log(heard, line),
                Some(Event::Nothing) => {}
                Some(Event::Says(method, params)) => heard.push(message(method, params, line.len(), Back::Nowhere)),
                Some(Event::Asks(params)) => {
                    let (reply, answer) = oneshot::channel();
                    let sent = self.answers.as_ref().map(|answers| answers.try_send(answer));
                    if let Some(Err(TrySendError::Full(_))) = sent {
                        let what = "asked something before it had the answer to what it asked before".to_owned();
                        let (message, size, back) = (Err(what), line.len(), Back::Nowhere);
                        return heard.push(Heard::Message(Box::new(Incoming { message, size, back })));
                    }
                    // Where nobody reads it any more, since an earlier question had no answer, it is asked all the same.
                    heard.push(message("prompt", params, line.len(), Back::Reader(reply)));
                }
            },
        }
    }
}

fn log(heard: &mut Vec<Heard>, bytes: &[u8]) {
    match heard.last_mut() {
        _ if bytes.is_empty() => {}
        Some(Heard::Log(before)) => before.extend_from_slice(bytes),
        Some(Heard::Message(_)) | None => heard.push(Heard::Log(bytes.to_vec())),
    }
}

fn part(part: &tap::Part) -> Heard {
    let outcome = match part.outcome {
        PartOutcome::Passed => "passed",
        PartOutcome::Failed => "failed",
        PartOutcome::Skipped => "skipped",
    };
    let size = part.name.len() + part.message.as_ref().map_or(0, String::len);
    let params = json!({
        "name": part.name, "outcome": outcome, "message": part.message, "duration_secs": part.duration_secs,
    });
    message("result", params, size, Back::Nowhere)
}

fn message(method: &str, params: Value, size: usize, back: Back) -> Heard {
    let message = Message::read(method, Some(params)).unwrap_or_else(|| Err(format!("unknown method `{method}`")));
    Heard::Message(Box::new(Incoming { message: message.map_err(|what| format!("wrote a wrong {what}")), size, back }))
}

/// Writes answers to the program's stdin, one after another. The first that there is not closes it, and fails the test.
async fn answer(mut waiting: mpsc::Receiver<Asked>, mut stdin: pipe::Sender, messages: mpsc::WeakSender<Incoming>) {
    while let Some(asked) = waiting.recv().await {
        let refusal = match asked.await {
            Ok(Ok(answer)) => {
                let line = lager::answer(answer.get("answer").unwrap_or(&Value::Null));
                match stdin.write_all(&line).await {
                    Ok(()) => continue,
                    Err(_) => return,
                }
            }
            Ok(Err(refusal)) => refusal,
            Err(_) => return,
        };
        if refusal.code == Refusal::UNFIT {
            return;
        }
        let unanswered = json!({ "name": "prompt", "outcome": "failed", "message": refusal.message });
        if let (Heard::Message(incoming), Some(messages)) =
            (message("result", unanswered, 0, Back::Nowhere), messages.upgrade())
        {
            let _ = messages.send(*incoming).await;
        }
        return;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(form: OutputForm, chunks: &[&[u8]]) -> (String, Vec<String>) {
        let (messages, _received) = mpsc::channel(1);
        let mut listener = Listener::new(form, None, &messages);
        let mut all: Vec<Heard> = chunks.iter().flat_map(|chunk| listener.hear(chunk)).collect();
        all.extend(listener.finish());
        let (mut log, mut said) = (Vec::new(), Vec::new());
        for one in all {
            match one {
                Heard::Log(bytes) => log.extend(bytes),
                Heard::Message(incoming) => said.push(match incoming.message {
                    Ok(Message::Result(part)) => format!("{:?} {}", part.outcome, part.name),
                    other => format!("{:?}", other.map_err(|_| "refused")),
                }),
            }
        }
        (String::from_utf8_lossy(&log).into_owned(), said)
    }

    #[test]
    fn tap_is_heard_if_the_first_line_asks_for_it() {
        let (log, said) = heard(OutputForm::Unknown, &[b"TAP ver", b"sion 13\n1..1\nok 1 -", b" a\n"]);
        assert_eq!((log.as_str(), said), ("TAP version 13\n1..1\nok 1 - a\n", vec!["Passed a".to_owned()]));
        let (log, said) = heard(OutputForm::Unknown, &[b"hello\nTAP version 13\nok 1\n", b"no end"]);
        assert_eq!((log.as_str(), said.len()), ("hello\nTAP version 13\nok 1\nno end", 0));
        let (_, said) = heard(OutputForm::Tap, &[b"ok 1\n1..2\n"]);
        assert_eq!(said, ["Passed 1", "Failed TAP"]);
    }

    #[test]
    fn events_are_no_lines_of_the_log_and_everything_else_is() {
        let done = "\u{2}FACTORY:{\"type\":\"done\",\"class\":\"A\",\"data\":true}\n";
        let text = format!("before\n{done}\u{2}FACTORY:broken\nafter");
        let (log, said) = heard(OutputForm::Lager, &[text.as_bytes()]);
        assert_eq!((log.as_str(), said), ("before\n\u{2}FACTORY:broken\nafter", vec!["Passed A".to_owned()]));
    }

    #[test]
    fn a_line_that_is_too_long_is_not_kept() {
        let (messages, _received) = mpsc::channel(1);
        let mut listener = Listener::new(OutputForm::Tap, None, &messages);
        let chunk = vec![b'x'; 64 << 10];
        let mut logged = 0;
        for _ in 0..64 {
            for one in listener.hear(&chunk) {
                if let Heard::Log(bytes) = one {
                    logged += bytes.len();
                }
            }
            assert!(listener.partial.len() <= MESSAGE_LIMIT);
        }
        listener.hear(b"\nok 1\n");
        assert_eq!(logged, 64 * chunk.len());
        assert!(matches!(&listener.reader, Reader::Tap(_)) && !listener.overlong);
    }
}

//! The conversation with one worker over its pair of pipes.
//!
//! In: bytes from the worker. Out: [`Incoming`] messages for the intake, and answers for the worker. A message is at most
//! [`MESSAGE_LIMIT`] long, messages and answers wait in short queues, and a worker that reads nothing stops only itself: memory is bounded
//! whatever it does.

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::net::unix::pipe;
use tokio::sync::mpsc;

use super::Secrets;
use super::intake::{Back, Incoming};
use super::message::Message;
use super::protocol::{self, Line, PROTOCOL_VERSION};

/// The longest message of a worker, in bytes.
pub const MESSAGE_LIMIT: usize = 1 << 20;

/// How much of what a worker sends is read at once, in bytes; most messages are shorter.
const READ_AT_ONCE: usize = 4 << 10;

/// How many answers wait for a worker to read them.
pub(super) const QUEUE: usize = 16;

/// Writes to the worker: first `start`, then the answers, as long as it reads.
pub(super) async fn speak(mut outgoing: pipe::Sender, start: Vec<u8>, mut waiting: mpsc::Receiver<Vec<u8>>) {
    let mut open = outgoing.write_all(&start).await.is_ok();
    while let Some(answer) = waiting.recv().await {
        open = open && outgoing.write_all(&answer).await.is_ok();
    }
}

/// Reads what the worker sends until it closes its end; whether that was in the middle of a message. The error says how it broke the
/// protocol.
pub(super) async fn listen(
    incoming: pipe::Receiver,
    messages: mpsc::Sender<Incoming>,
    answers: mpsc::Sender<Vec<u8>>,
    secrets: &Secrets,
) -> Result<bool, String> {
    let mut reader = BufReader::with_capacity(READ_AT_ONCE, incoming);
    let mut line = Vec::new();
    while next_line(&mut reader, &mut line).await? {
        // What is wrong is said with a part of the line, and half a secret could not be masked any more.
        let read = protocol::read(&line).or_else(|_| protocol::read(&secrets.masked_bytes(&line)));
        match read? {
            Line::Message { id, message } => {
                let is_last = matches!(message, Ok(Message::Finished(_)));
                let back = id.map_or(Back::Nowhere, |id| Back::Pipe(id, answers.clone()));
                let _ = messages.send(Incoming { message, size: line.len(), back }).await;
                if is_last {
                    // Whatever comes after it is read, and ignored.
                    let _ = tokio::io::copy(&mut reader, &mut tokio::io::sink()).await;
                    return Ok(false);
                }
            }
            Line::Ready { protocol: PROTOCOL_VERSION } | Line::Ignored => {}
            Line::Ready { protocol } => {
                return Err(format!("speaks version {protocol} of the protocol, expected {PROTOCOL_VERSION}"));
            }
            Line::Unknown { id, method } => {
                let _ = answers.send(protocol::method_not_found(&id, &method)).await;
            }
        }
    }
    Ok(!line.iter().all(u8::is_ascii_whitespace))
}

/// Reads one line without its end into `line`; false at the end of the stream, where `line` is what has no end.
pub(super) async fn next_line(
    reader: &mut BufReader<impl AsyncRead + Unpin>,
    line: &mut Vec<u8>,
) -> Result<bool, String> {
    line.clear();
    loop {
        let chunk = reader.fill_buf().await.unwrap_or_default();
        if chunk.is_empty() {
            return Ok(false);
        }
        let end = chunk.iter().position(|&byte| byte == b'\n');
        let taken = end.unwrap_or(chunk.len());
        if line.len() + taken > MESSAGE_LIMIT {
            return Err(format!("sent a message of more than {MESSAGE_LIMIT} bytes"));
        }
        line.extend_from_slice(&chunk[..taken]);
        let used = taken + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() && !line.iter().all(u8::is_ascii_whitespace) {
            return Ok(true);
        }
        if end.is_some() {
            line.clear();
        }
    }
}

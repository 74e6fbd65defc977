//! The conversation with one worker over its pair of pipes.
//!
//! In: bytes from the worker. Out: [`Report`]s. A message is at most [`MESSAGE_LIMIT`] long, answers wait in a short queue, and a worker
//! that reads nothing stops only itself: memory is bounded whatever it does.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::pipe;
use tokio::sync::mpsc;

use super::protocol::{self, Finished, Message, PROTOCOL_VERSION};

/// The longest message of a worker, in bytes.
pub const MESSAGE_LIMIT: usize = 1 << 20;

/// What the conversation brought to light.
#[derive(Debug)]
pub(super) enum Report {
    /// The worker gave its outcome.
    Finished(Finished),
    /// The worker broke the protocol; the text says how.
    Violation(String),
}

/// Talks until the worker closes its end, and drops `reports` then.
pub(super) async fn converse(
    incoming: pipe::Receiver,
    outgoing: pipe::Sender,
    start: Vec<u8>,
    reports: mpsc::Sender<Report>,
) {
    let (answers, waiting) = mpsc::channel(16);
    let listen = async {
        if let Err(what) = listen(incoming, &reports, &answers).await {
            let _ = reports.send(Report::Violation(what)).await;
        }
        drop(reports);
        // The pipe to the worker stays open: its end means that the runtime is gone.
        answers.closed().await;
    };
    tokio::join!(listen, speak(outgoing, start, waiting));
}

async fn speak(mut outgoing: pipe::Sender, start: Vec<u8>, mut waiting: mpsc::Receiver<Vec<u8>>) {
    let mut open = outgoing.write_all(&start).await.is_ok();
    while let Some(answer) = waiting.recv().await {
        open = open && outgoing.write_all(&answer).await.is_ok();
    }
}

async fn listen(
    incoming: pipe::Receiver,
    reports: &mpsc::Sender<Report>,
    answers: &mpsc::Sender<Vec<u8>>,
) -> Result<(), String> {
    let mut reader = BufReader::with_capacity(16 << 10, incoming);
    let mut line = Vec::new();
    while next_line(&mut reader, &mut line).await? {
        match protocol::read(&line)? {
            Message::Finished(finished) => {
                let _ = reports.send(Report::Finished(finished)).await;
            }
            Message::Ready { protocol: PROTOCOL_VERSION } | Message::Ignored => {}
            Message::Ready { protocol } => {
                return Err(format!("speaks version {protocol} of the protocol, expected {PROTOCOL_VERSION}"));
            }
            Message::Unknown { id, method } => {
                let _ = answers.send(protocol::method_not_found(&id, &method)).await;
            }
        }
    }
    Ok(())
}

/// Reads one line without its end into `line`; false at the end of the stream. An unfinished last line is dropped.
async fn next_line(reader: &mut BufReader<pipe::Receiver>, line: &mut Vec<u8>) -> Result<bool, String> {
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

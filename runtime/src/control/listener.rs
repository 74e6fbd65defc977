//! The side of the run: requests come in, each with a place for its answer.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixListener;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::place::Place;
use super::{Answer, CONTROL_VERSION, Envelope, Request};

/// No request is longer, in bytes.
const LINE_LIMIT: u64 = 64 << 10;

/// How long the last answers may take to go out.
const FAREWELL: Duration = Duration::from_secs(1);

/// A request, and who waits for its answer.
#[derive(Debug)]
pub(crate) struct Asked {
    pub request: Request,
    pub reply: Reply,
}

/// The place for an answer.
#[derive(Debug)]
pub(crate) struct Reply(oneshot::Sender<Answer>);

/// The socket of a run that is on.
#[derive(Debug)]
pub(crate) struct Control {
    asked: mpsc::Receiver<Asked>,
    /// Listens; none if there is no socket.
    listening: Option<Listening>,
}

#[derive(Debug)]
struct Listening {
    place: Place,
    task: JoinHandle<()>,
    close: oneshot::Sender<()>,
}

impl Reply {
    /// A place for an answer, and where it arrives.
    pub fn place() -> (Self, oneshot::Receiver<Answer>) {
        let (sender, answer) = oneshot::channel();
        (Self(sender), answer)
    }

    /// Answers. Whoever asked may have gone.
    pub fn give(self, answer: Answer) {
        let _ = self.0.send(answer);
    }

    /// Says why not.
    pub fn refuse(self, reason: impl Into<String>) {
        self.give(Answer::Refused { reason: reason.into() });
    }
}

impl Control {
    /// Listens beside the store, whose lock must be held: what lies there is left from an earlier run.
    pub fn listen(store: &Path) -> io::Result<Self> {
        let place = Place::create(store)?;
        match fs::remove_file(place.socket()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(place.socket())?;
        fs::set_permissions(place.socket(), Permissions::from_mode(0o600))?;
        let (sender, asked) = mpsc::channel(16);
        let (close, closed) = oneshot::channel();
        let task = tokio::spawn(accept(listener, sender, closed));
        Ok(Self { asked, listening: Some(Listening { place, task, close }) })
    }

    /// Nobody can ask anything.
    pub fn closed() -> Self {
        Self { asked: mpsc::channel(1).1, listening: None }
    }

    /// Asked without a socket.
    pub fn direct() -> (mpsc::Sender<Asked>, Self) {
        let (sender, asked) = mpsc::channel(16);
        (sender, Self { asked, listening: None })
    }

    /// The next request.
    pub async fn next(&mut self) -> Asked {
        match self.asked.recv().await {
            Some(asked) => asked,
            None => std::future::pending().await,
        }
    }

    /// Lets the last answers go out, and takes the socket away.
    pub async fn end(mut self) {
        self.asked.close();
        while let Ok(asked) = self.asked.try_recv() {
            asked.reply.give(Answer::Over {});
        }
        let Some(Listening { place, mut task, close }) = self.listening else { return };
        let _ = fs::remove_file(place.socket());
        let _ = close.send(());
        if timeout(FAREWELL, &mut task).await.is_err() {
            task.abort();
        }
    }
}

async fn accept(listener: UnixListener, asked: mpsc::Sender<Asked>, mut closed: oneshot::Receiver<()>) {
    let mut talks = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut closed => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let (reads, writes) = stream.into_split();
                    talks.spawn(converse(reads, writes, asked.clone()));
                }
                // There are no descriptors left, for example; that passes.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            },
            Some(_) = talks.join_next() => {}
        }
    }
    drop(asked);
    while talks.join_next().await.is_some() {}
}

async fn converse(reads: OwnedReadHalf, mut writes: OwnedWriteHalf, asked: mpsc::Sender<Asked>) {
    let mut reads = BufReader::new(reads);
    while !asked.is_closed() {
        let mut line = Vec::new();
        let read = (&mut reads).take(LINE_LIMIT).read_until(b'\n', &mut line).await;
        if !matches!(read, Ok(1..)) {
            return;
        }
        let answer = match understand(&line) {
            Ok(request) => answer(request, &asked).await,
            Err(reason) => Answer::Refused { reason },
        };
        let mut text = serde_json::to_vec(&Envelope { version: CONTROL_VERSION, body: answer }).unwrap_or_default();
        text.push(b'\n');
        if writes.write_all(&text).await.is_err() {
            return;
        }
    }
}

async fn answer(request: Request, asked: &mpsc::Sender<Asked>) -> Answer {
    let (reply, answer) = Reply::place();
    if asked.send(Asked { request, reply }).await.is_err() {
        return Answer::Over {};
    }
    answer.await.unwrap_or(Answer::Over {})
}

fn understand(line: &[u8]) -> Result<Request, String> {
    let value: Value = serde_json::from_slice(line).map_err(|error| format!("no JSON on one line: {error}"))?;
    match value.get("version").and_then(Value::as_u64) {
        Some(version) if version == u64::from(CONTROL_VERSION) => {}
        Some(version) => return Err(format!("version {version} is not known, expected {CONTROL_VERSION}")),
        None => return Err(format!("it has no `version`, expected {CONTROL_VERSION}")),
    }
    let envelope: Envelope<Request> = serde_json::from_value(value).map_err(|error| error.to_string())?;
    Ok(envelope.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_understood_or_refused_with_the_reason() {
        let read = |text: &str| understand(text.as_bytes());
        assert_eq!(read(r#"{"version":1,"body":{"request":"stop"}}"#), Ok(Request::Stop {}));
        assert!(read(r#"{"version":7,"body":{"request":"stop"}}"#).expect_err("newer").contains("version 7"));
        assert!(read(r#"{"body":{"request":"stop"}}"#).expect_err("none").contains("no `version`"));
        assert!(read(r#"{"version":1,"body":{"request":"dance"}}"#).expect_err("unknown").contains("dance"));
        assert!(read("stop").expect_err("no JSON").contains("no JSON"));
    }
}

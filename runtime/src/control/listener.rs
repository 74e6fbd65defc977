//! The side of the run: requests come in, each with a place for its answer. When the run has ended, whoever asked until then still gets one.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::place::Place;
use super::{Answer, CONTROL_VERSION, Envelope, Request};
use crate::words::plain;

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
    ended: Ended,
    /// Listens; none if there is no socket.
    listening: Option<Listening>,
}

#[derive(Debug)]
struct Listening {
    place: Place,
    task: JoinHandle<()>,
    close: oneshot::Sender<()>,
}

/// How the run ended, once it has.
#[derive(Clone, Debug, Default)]
struct Ended(Arc<OnceLock<Answer>>);

impl Ended {
    /// What is answered after the end.
    fn answer(&self, request: &Request) -> Answer {
        match (request, self.0.get()) {
            (Request::Wait {}, Some(ended)) => ended.clone(),
            _ => Answer::Over {},
        }
    }
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
        let ended = Ended::default();
        let task = tokio::spawn(accept(listener, sender, ended.clone(), closed));
        Ok(Self { asked, ended, listening: Some(Listening { place, task, close }) })
    }

    /// Nobody can ask anything.
    pub fn closed() -> Self {
        Self { asked: mpsc::channel(1).1, ended: Ended::default(), listening: None }
    }

    /// Asked without a socket.
    pub fn direct() -> (mpsc::Sender<Asked>, Self) {
        let (sender, asked) = mpsc::channel(16);
        (sender, Self { asked, ended: Ended::default(), listening: None })
    }

    /// The next request.
    pub async fn next(&mut self) -> Asked {
        match self.asked.recv().await {
            Some(asked) => asked,
            None => std::future::pending().await,
        }
    }

    /// Lets the last answers go out, and takes the socket away. Who waits for the end of the run hears how it ended, if it did.
    pub async fn end(mut self, ended: Option<Answer>) {
        if let Some(ended) = ended {
            let _ = self.ended.0.set(ended);
        }
        self.asked.close();
        while let Ok(Asked { request, reply }) = self.asked.try_recv() {
            reply.give(self.ended.answer(&request));
        }
        let Some(Listening { place, mut task, close }) = self.listening else { return };
        let _ = fs::remove_file(place.socket());
        let _ = close.send(());
        if timeout(FAREWELL, &mut task).await.is_err() {
            task.abort();
        }
    }
}

async fn accept(listener: UnixListener, asked: mpsc::Sender<Asked>, ended: Ended, mut closed: oneshot::Receiver<()>) {
    let mut talks = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    talks.spawn(converse(stream, asked.clone(), ended.clone()));
                }
                // There are no descriptors left, for example; that passes.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            },
            _ = &mut closed => break,
            Some(_) = talks.join_next() => {}
        }
    }
    for stream in still_waiting(listener) {
        talks.spawn(converse(stream, asked.clone(), ended.clone()));
    }
    drop(asked);
    while talks.join_next().await.is_some() {}
}

/// Those who came before the socket was closed.
fn still_waiting(listener: UnixListener) -> Vec<UnixStream> {
    let next = |listener: &std::os::unix::net::UnixListener| {
        let (stream, _) = listener.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        UnixStream::from_std(stream).ok()
    };
    listener.into_std().map_or_else(|_| Vec::new(), |listener| std::iter::from_fn(|| next(&listener)).collect())
}

async fn converse(stream: UnixStream, asked: mpsc::Sender<Asked>, ended: Ended) {
    let (reads, mut writes) = stream.into_split();
    let mut reads = BufReader::new(reads);
    let mut over = false;
    while !over {
        let mut line = Vec::new();
        let read = (&mut reads).take(LINE_LIMIT).read_until(b'\n', &mut line).await;
        if !matches!(read, Ok(1..)) {
            return;
        }
        let answer = match understand(&line) {
            Ok(request) => answer(request, &asked, &ended).await,
            Err(reason) => Answer::Refused { reason },
        };
        let mut text = serde_json::to_vec(&Envelope { version: CONTROL_VERSION, body: answer }).unwrap_or_default();
        text.push(b'\n');
        if writes.write_all(&text).await.is_err() {
            return;
        }
        over = asked.is_closed();
    }
}

async fn answer(request: Request, asked: &mpsc::Sender<Asked>, ended: &Ended) -> Answer {
    let (reply, answer) = Reply::place();
    match asked.send(Asked { request: request.clone(), reply }).await {
        Ok(()) => answer.await.unwrap_or_else(|_| ended.answer(&request)),
        Err(_) => ended.answer(&request),
    }
}

fn understand(line: &[u8]) -> Result<Request, String> {
    let value: Value = serde_json::from_slice(line).map_err(|error| format!("no JSON on one line: {error}"))?;
    match value.get("version").and_then(Value::as_u64) {
        Some(version) if version == u64::from(CONTROL_VERSION) => {}
        Some(version) => return Err(format!("version {version} is not known, expected {CONTROL_VERSION}")),
        None => return Err(format!("it has no `version`, expected {CONTROL_VERSION}")),
    }
    let envelope: Envelope<Request> = serde_json::from_value(value).map_err(|error| plain(&error.to_string()))?;
    Ok(envelope.body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_at_the_very_end_hears_how_the_run_ended() {
        use std::io::{BufRead as _, Write as _};
        let directory = tempfile::tempdir().expect("a directory");
        let store = directory.path().join("station.sqlite");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let control = Control::listen(&store).expect("a socket");
            let ask = |request: &str| {
                let path = directory.path().join("station.sqlite.control/socket");
                let mut stream = std::os::unix::net::UnixStream::connect(path).expect("the socket");
                writeln!(stream, r#"{{"version":1,"body":{{"request":"{request}"}}}}"#).expect("sent");
                stream
            };
            let asked_before = ask("wait");
            // It is in the channel, and nobody takes it out.
            tokio::time::sleep(Duration::from_millis(20)).await;
            let (asked_now, something_else) = (ask("wait"), ask("stop"));
            control.end(Some(Answer::Ended { verdict: "PASSED".into(), passed: true })).await;
            let heard = |stream| std::io::BufReader::new(stream).lines().next().expect("an answer").expect("a line");
            for (stream, word) in [(asked_before, "PASSED"), (asked_now, "PASSED"), (something_else, "over")] {
                let answer = heard(stream);
                assert!(answer.contains(word), "{answer}");
            }
        });
    }

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

//! The side of the other terminal: one request, one answer.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::place::Place;
use super::{Answer, CONTROL_VERSION, Envelope, Request};

/// Asks the run that is on with this store; the error is a message for people.
pub(crate) fn ask(store: &Path, request: Request) -> Result<Answer, String> {
    let stream = connect(store).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
            format!("no run is on with the store `{}`; `--store` names another", store.display())
        }
        _ => format!("unable to reach the run with the store `{}`: {error}", store.display()),
    })?;
    talk(stream, request).map_err(|error| format!("the run does not answer: {error}"))
}

fn connect(store: &Path) -> io::Result<UnixStream> {
    let place = Place::open(store)?;
    UnixStream::connect(place.socket())
}

fn talk(mut stream: UnixStream, request: Request) -> io::Result<Answer> {
    let mut text = serde_json::to_vec(&Envelope { version: CONTROL_VERSION, body: request })?;
    text.push(b'\n');
    stream.write_all(&text)?;
    let mut line = String::new();
    if BufReader::new(stream).read_line(&mut line)? == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it has ended"));
    }
    let envelope: Envelope<Answer> = serde_json::from_str(&line)?;
    Ok(envelope.body)
}

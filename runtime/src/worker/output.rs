//! The log of one attempt: what it wrote to stdout and stderr, each line with the time of its arrival.
//!
//! In: the read end of a pipe. Out: a bounded file and a [`LogFile`] that describes it. Half of the limit is for the beginning, which is
//! written as it comes; the other half is for the end, which is kept in memory until the attempt ends. Between them stands a line that
//! says what was left out.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::intake::Incoming;
use super::reading::{Heard, Listener};
use super::secrets::MaskedStream;

/// What became of an attempt's output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFile {
    /// How many bytes the attempt wrote.
    pub written: u64,
    /// How many of the log's bytes were left out.
    pub left_out: u64,
    /// The SHA-256 of the file.
    pub sha256: Option<String>,
    /// Why the log is not complete.
    pub error: Option<String>,
}

/// How much is read at a time, in bytes.
const BUFFER: usize = 32 << 10;

/// A capture that can be told to stop waiting for more.
pub(crate) struct Capture {
    task: JoinHandle<LogFile>,
    enough: oneshot::Sender<()>,
}

/// What belongs to the log of a test besides its output.
pub(super) struct Beside {
    /// Takes secrets out.
    pub mask: MaskedStream,
    /// Lines of the test's own.
    pub lines: Option<mpsc::Receiver<Vec<u8>>>,
    /// Who listens to the output, if somebody does.
    pub heard: Option<Listened>,
}

/// What is listened to while it becomes part of the log.
pub(super) struct Listened {
    pub listener: Listener,
    /// Where goes what was heard.
    pub messages: mpsc::Sender<Incoming>,
    /// The stdout, if it does not come with everything else.
    pub stdout: Option<pipe::Receiver>,
}

/// Starts to write the output to `path` until the last writer of the pipe is gone.
pub(super) fn capture(output: pipe::Receiver, path: PathBuf, limit: u64, beside: Beside) -> Capture {
    let (enough, stop) = oneshot::channel();
    let Beside { mask, lines, heard } = beside;
    let written = Written { log: Log::new(path, limit), mask, lines };
    Capture { task: tokio::spawn(pump(output, written, heard, stop)), enough }
}

/// The same, for a pipe that is not yet part of the event loop.
pub(crate) fn capture_output(
    output: io::PipeReader,
    path: PathBuf,
    limit: u64,
    mask: MaskedStream,
) -> io::Result<Capture> {
    let beside = Beside { mask, lines: None, heard: None };
    Ok(capture(pipe::Receiver::from_owned_fd(output.into())?, path, limit, beside))
}

/// The finished log. A process out of reach can hold the pipe open; it is given up after `patience`.
pub(crate) async fn finish(capture: Capture, patience: Duration) -> LogFile {
    let Capture { mut task, enough } = capture;
    if let Ok(Ok(log)) = timeout(patience, &mut task).await {
        return log;
    }
    let _ = enough.send(());
    task.await.unwrap_or_default()
}

async fn pump(
    output: pipe::Receiver,
    mut written: Written,
    mut heard: Option<Listened>,
    mut stop: oneshot::Receiver<()>,
) -> LogFile {
    let mut stdout = heard.as_mut().and_then(|heard| heard.stdout.take());
    let (mut output, apart) = (Some(output), stdout.is_some());
    let (mut buffer, mut own) = (Vec::with_capacity(BUFFER), Vec::with_capacity(if apart { BUFFER } else { 0 }));
    while output.is_some() || stdout.is_some() {
        let (bytes, is_heard) = tokio::select! {
            () = read(&mut stdout, &mut own) => (&own, true),
            () = read(&mut output, &mut buffer) => (&buffer, !apart),
            Some(line) = next_line(&mut written.lines) => {
                written.line(&line);
                continue;
            }
            _ = &mut stop => break,
        };
        match &mut heard {
            Some(heard) if is_heard => {
                let all = heard.listener.hear(bytes);
                written.heard(all, &heard.messages, apart).await;
            }
            Some(_) | None => written.output(bytes),
        }
    }
    if let Some(mut heard) = heard {
        let rest = heard.listener.finish();
        written.heard(rest, &heard.messages, apart).await;
    }
    // What was said before the end of the output is still to be written.
    while let Some(line) = next_line(&mut written.lines).await {
        written.line(&line);
    }
    written.finish()
}

/// Reads a part of a pipe into a buffer, as much as that has room for, and forgets the pipe at its end.
async fn read(pipe: &mut Option<pipe::Receiver>, buffer: &mut Vec<u8>) {
    let Some(open) = pipe else { return std::future::pending().await };
    buffer.clear();
    if let Ok(0) | Err(_) = open.read_buf(buffer).await {
        *pipe = None;
    }
}

async fn next_line(lines: &mut Option<mpsc::Receiver<Vec<u8>>>) -> Option<Vec<u8>> {
    lines.as_mut()?.recv().await
}

/// A log into which no secret is written.
struct Written {
    log: Log,
    mask: MaskedStream,
    /// Lines of the test's own that are to be written.
    lines: Option<mpsc::Receiver<Vec<u8>>>,
}

impl Written {
    fn output(&mut self, bytes: &[u8]) {
        self.log.write(&self.mask.take(bytes));
    }

    /// What was heard: messages go to who takes them in, the rest is output. Whoever takes them in may have to write lines first.
    /// What comes by a pipe of its own stands in lines of its own.
    async fn heard(&mut self, all: Vec<Heard>, messages: &mpsc::Sender<Incoming>, apart: bool) {
        for one in all {
            match one {
                Heard::Log(bytes) if apart => self.line(&bytes),
                Heard::Log(bytes) => self.output(&bytes),
                Heard::Message(message) => {
                    let mut sent = std::pin::pin!(messages.send(*message));
                    loop {
                        tokio::select! {
                            _ = &mut sent => break,
                            Some(line) = next_line(&mut self.lines) => self.line(&line),
                        }
                    }
                }
            }
        }
    }

    /// A line of the test's own between those of its output.
    fn line(&mut self, line: &[u8]) {
        if !self.log.at_line_start {
            self.log.write(b"\n");
        }
        self.log.write(&self.mask.whole(line));
    }

    fn finish(mut self) -> LogFile {
        self.log.write(&self.mask.rest());
        self.log.finish()
    }
}

/// How much of a log is searched for its last lines, in bytes.
const SEARCHED: u64 = 64 << 10;

/// The last lines of a log, without their times, fit for a terminal; none if there is no log.
pub(crate) fn last_lines(log: &Path, number: usize) -> Vec<String> {
    let bytes = end_of(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let mut lines: Vec<String> = text.lines().map(|line| printable(without_time(line))).collect();
    lines.truncate(lines.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1));
    lines[lines.len().saturating_sub(number)..].to_vec()
}

fn end_of(log: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(log)?;
    let begin = file.metadata()?.len().saturating_sub(SEARCHED);
    file.seek(SeekFrom::Start(begin))?;
    let mut bytes = Vec::new();
    file.take(SEARCHED).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn without_time(line: &str) -> &str {
    match line.split_once(' ') {
        Some((time, text)) if time.parse::<Timestamp>().is_ok() => text,
        Some(_) | None => line,
    }
}

/// What would move a terminal's cursor or change its colours is left out, and a line that is no line is cut.
fn printable(line: &str) -> String {
    line.chars().filter(|character| !character.is_control() || *character == '\t').take(SHOWN_WIDTH).collect()
}

/// No line is shown longer, in characters.
const SHOWN_WIDTH: usize = 400;

struct Log {
    path: PathBuf,
    file: Option<File>,
    hasher: Sha256,
    /// Bytes that the beginning may still take.
    room: usize,
    tail: VecDeque<u8>,
    tail_limit: usize,
    at_line_start: bool,
    summary: LogFile,
}

impl Log {
    /// A log whose file is made with its first byte.
    fn new(path: PathBuf, limit: u64) -> Self {
        let half = usize::try_from(limit / 2).unwrap_or(usize::MAX);
        Self {
            path,
            file: None,
            hasher: Sha256::new(),
            room: half,
            tail: VecDeque::new(),
            tail_limit: half,
            at_line_start: true,
            summary: LogFile::default(),
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.summary.written += bytes.len() as u64;
        let mut stamped = Vec::with_capacity(bytes.len() + 64);
        let mut stamp = String::new();
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            if self.at_line_start {
                if stamp.is_empty() {
                    let _ = write!(stamp, "{:.3} ", Timestamp::now());
                }
                stamped.extend_from_slice(stamp.as_bytes());
            }
            stamped.extend_from_slice(part);
            self.at_line_start = part.ends_with(b"\n");
        }
        self.keep(&stamped);
    }

    fn keep(&mut self, bytes: &[u8]) {
        let (head, rest) = bytes.split_at(bytes.len().min(self.room));
        self.room -= head.len();
        self.put(head);
        if rest.is_empty() {
            return;
        }
        let rest = &rest[rest.len().saturating_sub(self.tail_limit)..];
        let excess = (self.tail.len() + rest.len()).saturating_sub(self.tail_limit);
        self.tail.drain(..excess);
        self.tail.extend(rest);
        self.summary.left_out += (excess + bytes.len() - head.len() - rest.len()) as u64;
    }

    fn put(&mut self, bytes: &[u8]) {
        if bytes.is_empty() || self.summary.error.is_some() {
            return;
        }
        match self.append(bytes) {
            Ok(()) => self.hasher.update(bytes),
            Err(error) => self.summary.error = Some(format!("unable to write the log: {error}")),
        }
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(create(&self.path)?),
        };
        file.write_all(bytes)
    }

    fn finish(mut self) -> LogFile {
        if self.summary.left_out > 0 {
            // The first line of the tail is cut somewhere; what is left of it is left out too.
            let cut = self.tail.iter().position(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            self.tail.drain(..cut);
            self.summary.left_out += cut as u64;
            let notice = format!("\n[{} bytes of output left out]\n", self.summary.left_out);
            self.put(notice.as_bytes());
        }
        let tail: Vec<u8> = std::mem::take(&mut self.tail).into();
        self.put(&tail);
        if self.file.is_some() && self.summary.error.is_none() {
            self.summary.sha256 = Some(hexadecimal(&self.hasher.finalize()));
        }
        self.summary
    }
}

fn create(path: &Path) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    File::create(path)
}

/// The SHA-256 of a file.
pub(crate) fn hash(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    Ok(hexadecimal(&hasher.finalize()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(chunks: &[&[u8]], limit: u64) -> (String, LogFile) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        let mut log = Log::new(path.clone(), limit);
        for chunk in chunks {
            log.write(chunk);
        }
        let summary = log.finish();
        (std::fs::read_to_string(&path).expect("the log"), summary)
    }

    #[test]
    fn each_line_has_one_time_stamp_however_it_arrives() {
        let (text, summary) = logged(&[b"one\ntw", b"o\n", b"three"], 1000);
        let lines: Vec<_> = text.lines().map(|line| line.split_once(' ').expect("a stamp")).collect();
        assert_eq!(lines.iter().map(|(_, text)| *text).collect::<Vec<_>>(), ["one", "two", "three"]);
        assert!(lines.iter().all(|(stamp, _)| stamp.ends_with('Z') && stamp.len() == 24), "{text}");
        assert_eq!(summary.written, 13);
        assert_eq!(summary.left_out, 0);
    }

    #[test]
    fn beyond_the_limit_the_beginning_and_the_end_are_kept() {
        let lines: Vec<u8> = (0..1000).flat_map(|number| format!("line {number}\n").into_bytes()).collect();
        let (text, summary) = logged(&[&lines, b"the end\n"], 1000);
        assert!(text.contains("line 0\n") && text.ends_with("the end\n"), "{text}");
        assert!(text.contains(&format!("[{} bytes of output left out]", summary.left_out)));
        assert!(text.len() < 1100);
    }

    #[test]
    fn the_last_lines_are_shown_without_their_times_and_without_what_moves_a_cursor() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        let mut log = Log::new(path.clone(), 1 << 20);
        log.write(b"one\ntwo words\n\x1b[2Jthree\n\n");
        log.finish();
        assert_eq!(last_lines(&path, 2), ["two words", "[2Jthree"]);
        assert_eq!(last_lines(&path, 9).len(), 3);
        assert!(last_lines(Path::new("/nowhere/at/all/log"), 5).is_empty());
    }

    #[test]
    fn a_log_that_cannot_be_written_is_said_and_stops_nothing() {
        let mut log = Log::new("/proc/nowhere/at/all/log".into(), 10);
        log.write(b"hello, is there anybody?");
        let summary = log.finish();
        assert!(summary.error.expect("an error").contains("unable to write the log"));
        assert_eq!(summary.written, 24);
    }

    #[test]
    fn a_test_that_writes_nothing_has_no_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("log");
        assert_eq!(Log::new(path.clone(), 10).finish(), LogFile::default());
        assert!(!path.exists());
    }
}

//! A warm interpreter for Python tests: it forks a child for each test, or a worker that stays for many.
//!
//! In: an attempt, and the descriptors of its output and its channel. Out: a [`Forked`] or a [`Staying`] process. The interpreter is driven
//! over a socket: a frame is its length and a JSON object, with descriptors; the answers are JSON objects, one a line. Its Python half is
//! `sdk/python/tlc/_worker.py`. When its end of the socket is closed, it ends, and with it all that it forked.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs;
use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::debug;

use super::environment::Variables;
use super::limits::ProcessLimits;
use super::protocol::{self, Start};
use super::reaper::{self, End, Reaper};
use super::{Attempt, Usage};
use super::{descriptors, environment};

/// How long an interpreter may take until it is warm.
const WARM_UP: Duration = Duration::from_mins(1);

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest line of an interpreter, in bytes.
const LINE_LIMIT: usize = 4 << 20;

/// What distinguishes one test from another; the interpreter itself has none of it.
const OF_A_TEST: [&str; 2] = [environment::INVOCATION, "TLC_TEST_PATH"];

/// Lets an interpreter look up all of its functions when it starts, so that no child has to do it again. Children do not get it.
const LOOK_UP: (&str, &str) = ("LD_BIND_NOW", "1");

/// The descriptors that a test gets: its output, where it reads, and where it writes.
pub(super) type Ends = [OwnedFd; 3];

/// What an interpreter is started with.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub interpreter: PathBuf,
    pub worker: PathBuf,
    /// Modules that are imported before the first test.
    pub preload: Vec<String>,
    /// Where its own output goes.
    pub log: PathBuf,
}

/// An interpreter that is warm. It ends when nobody holds it any more.
#[derive(Debug)]
pub(super) struct Interpreter {
    writer: tokio::sync::Mutex<OwnedWriteHalf>,
    told: Arc<Told>,
    /// The variables that it was started with.
    variables: Variables,
    sources: Vec<Source>,
}

/// What it told so far, and who waits for what.
#[derive(Debug, Default)]
struct Told {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Nothing more will be told.
    over: bool,
    ready: Option<oneshot::Sender<Result<Vec<Source>, String>>>,
    forks: VecDeque<oneshot::Sender<Result<Pid, String>>>,
    collections: HashMap<i32, oneshot::Sender<Collected>>,
}

/// A file that it has imported: its path, when it was changed, in nanoseconds, and its size.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Source(PathBuf, i64, u64);

#[derive(Debug)]
struct Collected {
    status: i32,
    usage: Usage,
}

/// A line of an interpreter, or of a worker that stays.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    ready: Option<i32>,
    sources: Vec<Source>,
    failed: Option<String>,
    pid: Option<i32>,
    error: Option<String>,
    collected: Option<i32>,
    status: i32,
    done: bool,
    reusable: bool,
    cpu: f64,
    memory: u64,
}

/// A forked child.
#[derive(Debug)]
pub(super) struct Forked {
    interpreter: Arc<Interpreter>,
    pub pid: Pid,
    /// Its end, as far as this process sees it.
    pub end: End,
}

/// A worker that stays for more than one test.
#[derive(Debug)]
pub(super) struct Staying {
    process: Forked,
    stream: BufReader<UnixStream>,
    /// The variables of its last test.
    variables: Variables,
    line: Vec<u8>,
    /// What it used for its last test, once it is done and may be used again.
    free: Option<Usage>,
}

/// The warm interpreter of a run, and the workers that wait for their next test.
#[derive(Debug, Default)]
pub(super) struct Pool {
    interpreter: Option<Arc<Interpreter>>,
    idle: Vec<Staying>,
}

impl Pool {
    /// The interpreter; a new one if there is none, if it is gone, or if what it has imported has changed.
    async fn interpreter(
        &mut self,
        recipe: &Recipe,
        tests: &Path,
        attempt: &Attempt,
        reaper: &Arc<Reaper>,
    ) -> Result<Arc<Interpreter>, String> {
        if let Some(interpreter) =
            self.interpreter.take_if(|interpreter| interpreter.is_over() || interpreter.is_outdated())
        {
            debug!("the warm interpreter is replaced");
            drop(interpreter);
            for staying in self.idle.drain(..) {
                tokio::spawn(staying.bury(Arc::clone(reaper)));
            }
        }
        if let Some(interpreter) = &self.interpreter {
            return Ok(Arc::clone(interpreter));
        }
        let interpreter = Arc::new(Interpreter::start(recipe, tests, attempt, reaper).await?);
        self.interpreter = Some(Arc::clone(&interpreter));
        Ok(interpreter)
    }

    /// A child of its own for this attempt.
    pub async fn fork(
        &mut self,
        recipe: &Recipe,
        tests: &Path,
        attempt: &Attempt,
        reaper: &Arc<Reaper>,
        ends: &Ends,
    ) -> Result<Forked, String> {
        let mut retried = false;
        loop {
            let interpreter = self.interpreter(recipe, tests, attempt, reaper).await?;
            match interpreter.fork(attempt, ends).await {
                Err(Trouble::Gone) if !retried => retried = true,
                Err(trouble) => return Err(trouble.into_text()),
                Ok(forked) => {
                    reaper.know(forked.pid);
                    return Ok(forked);
                }
            }
        }
    }

    /// A worker that may have run other tests before.
    pub async fn share(
        &mut self,
        recipe: &Recipe,
        tests: &Path,
        attempt: &Attempt,
        reaper: &Arc<Reaper>,
        ends: &Ends,
    ) -> Result<Staying, String> {
        let interpreter = self.interpreter(recipe, tests, attempt, reaper).await?;
        while let Some(mut staying) = self.idle.pop() {
            if staying.run(attempt, ends).await.is_ok() {
                return Ok(staying);
            }
            tokio::spawn(staying.bury(Arc::clone(reaper)));
        }
        let mut staying = interpreter.stay().await.map_err(Trouble::into_text)?;
        reaper.know(staying.process.pid);
        staying.run(attempt, ends).await.map_err(|error| format!("the warm interpreter does not listen: {error}"))?;
        Ok(staying)
    }

    /// Takes a worker back that is free.
    pub fn give_back(&mut self, staying: Staying, reaper: &Arc<Reaper>) {
        let same = |interpreter: &Arc<Interpreter>| Arc::ptr_eq(interpreter, &staying.process.interpreter);
        if self.interpreter.as_ref().is_some_and(same) {
            self.idle.push(staying);
        } else {
            // Its interpreter was replaced meanwhile.
            tokio::spawn(staying.bury(Arc::clone(reaper)));
        }
    }
}

/// Why a request came to nothing.
#[derive(Debug)]
enum Trouble {
    Gone,
    Refused(String),
}

impl Trouble {
    fn into_text(self) -> String {
        match self {
            Self::Gone => "the warm interpreter is gone".into(),
            Self::Refused(reason) => format!("the warm interpreter cannot fork: {reason}"),
        }
    }
}

impl Interpreter {
    async fn start(recipe: &Recipe, tests: &Path, attempt: &Attempt, reaper: &Arc<Reaper>) -> Result<Self, String> {
        let name = recipe.interpreter.display();
        let unable = |error: io::Error| format!("unable to start `{name}`: {error}");
        let (own, theirs) = StdUnixStream::pair().map_err(unable)?;
        let mut variables = environment::of(attempt);
        variables.retain(|name, _| !OF_A_TEST.iter().any(|of_a_test| name == of_a_test));
        let mut command = Command::new(&recipe.interpreter);
        command.env_clear().envs(&variables).env(LOOK_UP.0, LOOK_UP.1);
        let log = fs::File::create(&recipe.log).map_err(unable)?;
        command.arg(&recipe.worker).arg("serve").arg(tests).args(&recipe.preload);
        command.stdin(OwnedFd::from(theirs)).stdout(log.try_clone().map_err(unable)?).stderr(log).process_group(0);
        command.current_dir(tests);
        let child = descriptors::spawn_alone(&mut command).map_err(unable)?;
        // The other end of the socket, which only the interpreter holds from now on.
        drop(command);
        let leader = Pid::from_raw(child.id().cast_signed());
        reaper.know(leader);
        debug!(process = %leader, "started a warm interpreter");
        own.set_nonblocking(true).map_err(unable)?;
        let (reader, writer) = UnixStream::from_std(own).map_err(unable)?.into_split();
        let told = Arc::new(Told::default());
        let (ready, is_ready) = oneshot::channel();
        told.waiting().ready = Some(ready);
        tokio::spawn(listen(reader, Arc::clone(&told), child, Arc::clone(reaper)));
        let interpreter = Self { writer: tokio::sync::Mutex::new(writer), told, variables, sources: Vec::new() };
        match timeout(WARM_UP, is_ready).await {
            Ok(Ok(Ok(sources))) => Ok(Self { sources, ..interpreter }),
            Ok(Ok(Err(reason))) => Err(format!("the interpreter `{name}` cannot be made ready for tests: {reason}")),
            Ok(Err(_)) => {
                Err(format!("the interpreter `{name}` ended before it was ready: {}", last_line(&recipe.log)))
            }
            Err(_) => Err(format!("the interpreter `{name}` was not ready after {} s", WARM_UP.as_secs())),
        }
    }

    fn is_over(&self) -> bool {
        self.told.waiting().over
    }

    /// Whether a file that it has imported has changed.
    fn is_outdated(&self) -> bool {
        self.sources.iter().any(|source| Source::of(&source.0).as_ref() != Some(source))
    }

    async fn fork(self: &Arc<Self>, attempt: &Attempt, ends: &Ends) -> Result<Forked, Trouble> {
        let request = request("fork", attempt, &self.variables, &environment::of(attempt));
        let fds: Vec<RawFd> = ends.iter().map(AsRawFd::as_raw_fd).collect();
        self.forked(&request, &fds).await
    }

    async fn stay(self: &Arc<Self>) -> Result<Staying, Trouble> {
        let refused = |error: io::Error| Trouble::Refused(error.to_string());
        let (own, theirs) = StdUnixStream::pair().map_err(refused)?;
        own.set_nonblocking(true).map_err(refused)?;
        let stream = BufReader::new(UnixStream::from_std(own).map_err(refused)?);
        let process = self.forked(&frame(&json!({ "op": "stay" })), &[theirs.as_raw_fd()]).await?;
        let variables = self.variables.clone();
        Ok(Staying { process, stream, variables, line: Vec::new(), free: None })
    }

    async fn forked(self: &Arc<Self>, request: &[u8], fds: &[RawFd]) -> Result<Forked, Trouble> {
        let (answer, answered) = oneshot::channel();
        {
            // Answers come in the order of their requests.
            let writer = self.writer.lock().await;
            {
                let mut waiting = self.told.waiting();
                if waiting.over {
                    return Err(Trouble::Gone);
                }
                waiting.forks.push_back(answer);
            }
            send(writer.as_ref(), request, fds).await.map_err(|_| Trouble::Gone)?;
        }
        let Ok(answer) = timeout(PATIENCE, answered).await else {
            return Err(Trouble::Refused(format!("it did not answer within {} s", PATIENCE.as_secs())));
        };
        match answer {
            Ok(Ok(pid)) => Ok(Forked { interpreter: Arc::clone(self), pid, end: End::of(pid) }),
            Ok(Err(reason)) => Err(Trouble::Refused(reason)),
            Err(_) => Err(Trouble::Gone),
        }
    }

    async fn collect(&self, pid: Pid) -> Option<Collected> {
        let (answer, answered) = oneshot::channel();
        {
            let mut waiting = self.told.waiting();
            if waiting.over {
                return None;
            }
            waiting.collections.insert(pid.as_raw(), answer);
        }
        let request = frame(&json!({ "op": "collect", "pid": pid.as_raw() }));
        send(self.writer.lock().await.as_ref(), &request, &[]).await.ok()?;
        timeout(PATIENCE, answered).await.ok()?.ok()
    }
}

impl Told {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, line: Line) {
        let mut waiting = self.waiting();
        if let Some(reason) = line.failed
            && let Some(ready) = waiting.ready.take()
        {
            let _ = ready.send(Err(reason));
        } else if line.ready.is_some()
            && let Some(ready) = waiting.ready.take()
        {
            let _ = ready.send(Ok(line.sources));
        } else if let Some(pid) = line.pid
            && let Some(fork) = waiting.forks.pop_front()
        {
            let _ = fork.send(Ok(Pid::from_raw(pid)));
        } else if let Some(reason) = line.error
            && let Some(fork) = waiting.forks.pop_front()
        {
            let _ = fork.send(Err(reason));
        } else if let Some(collection) = line.collected.and_then(|pid| waiting.collections.remove(&pid)) {
            let usage = Usage { cpu: seconds(line.cpu), peak_memory: line.memory };
            let _ = collection.send(Collected { status: line.status, usage });
        }
    }
}

/// Hears what an interpreter says, to its end. Only when its process is gone are its children ours, so only then is
/// anybody told.
async fn listen(reader: OwnedReadHalf, told: Arc<Told>, mut child: Child, reaper: Arc<Reaper>) {
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while let Ok(1..) = reader.read_until(b'\n', &mut line).await {
        let Ok(said) = serde_json::from_slice(&line) else { break };
        told.take(said);
        line.clear();
        if line.capacity() > LINE_LIMIT {
            break;
        }
    }
    told.waiting().over = true;
    let leader = Pid::from_raw(child.id().cast_signed());
    reaper::kill_group(leader);
    let _ = tokio::task::spawn_blocking(move || child.wait()).await;
    reaper.forget(leader);
    debug!(process = %leader, "a warm interpreter is gone");
    *told.waiting() = Waiting { over: true, ..Waiting::default() };
}

impl Forked {
    /// Takes its status and what it used; its number may be given to another process then. What it used is not known if its interpreter is
    /// gone.
    pub async fn collect(self) -> (io::Result<ExitStatus>, Option<Usage>) {
        use std::os::unix::process::ExitStatusExt as _;
        match self.interpreter.collect(self.pid).await {
            Some(Collected { status, usage }) => (Ok(ExitStatus::from_raw(status)), Some(usage)),
            None => (reaper::collect(self.pid), None),
        }
    }
}

impl Staying {
    /// The process, and its group.
    pub fn pid(&self) -> Pid {
        self.process.pid
    }

    /// Sends it a test.
    async fn run(&mut self, attempt: &Attempt, ends: &Ends) -> io::Result<()> {
        let fds: Vec<RawFd> = ends.iter().map(AsRawFd::as_raw_fd).collect();
        let variables = environment::of(attempt);
        let request = request("run", attempt, &self.variables, &variables);
        self.free = None;
        send(self.stream.get_ref(), &request, &fds).await?;
        self.variables = variables;
        Ok(())
    }

    /// Waits until it is done with its test: free for the next one, or ended.
    pub async fn ended(&mut self) {
        while self.free.is_none() {
            let read = tokio::select! {
                read = self.stream.read_until(b'\n', &mut self.line) => read,
                // What the test left behind may hold the other end of the socket.
                () = self.process.end.reached() => return,
            };
            match read {
                Ok(1..) if self.line.ends_with(b"\n") => {
                    let said: Line = serde_json::from_slice(&self.line).unwrap_or_default();
                    self.line.clear();
                    if said.done && said.reusable {
                        self.free = Some(Usage { cpu: seconds(said.cpu), peak_memory: said.memory });
                    }
                }
                Ok(_) | Err(_) => return self.process.end.reached().await,
            }
        }
    }

    /// What it used for its test, if it is free for another one; else its process, which has ended.
    pub fn free(self) -> Result<(Self, Usage), Forked> {
        match self.free {
            Some(usage) => Ok((self, usage)),
            None => Err(self.process),
        }
    }

    /// Sees to the end of a worker that ended while nobody looked.
    async fn bury(self, reaper: Arc<Reaper>) {
        let process = self.process;
        let pid = process.pid;
        reaper::kill_group(pid);
        process.end.reached().await;
        let _ = process.collect().await;
        reaper.forget(pid);
    }
}

impl Source {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let changed = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self(path.to_path_buf(), changed.as_nanos() as i64, metadata.len()))
    }
}

fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number).unwrap_or_default()
}

/// A request to run an attempt.
#[derive(Serialize)]
struct Request<'a> {
    op: &'static str,
    /// Variables that are to be set, and those that are to go.
    env: BTreeMap<Cow<'a, str>, Option<Cow<'a, str>>>,
    cwd: Cow<'a, str>,
    /// What marks its processes.
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<&'a ProcessLimits>,
    /// The SHA-256 of the file of the test: what was read of another one is not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    /// The parameters of `start`, which so need no message of their own.
    start: Start<'a>,
}

/// A request to run an attempt with the variables `wanted`, where `known` are the variables.
fn request(op: &'static str, attempt: &Attempt, known: &Variables, wanted: &Variables) -> Vec<u8> {
    let gone = known.keys().filter(|name| !wanted.contains_key(*name)).map(|name| (name.to_string_lossy(), None));
    let new = wanted.iter().filter(|(name, value)| known.get(*name) != Some(value));
    let new = new.map(|(name, value)| (name.to_string_lossy(), Some(value.to_string_lossy())));
    let limits = &attempt.surroundings.limits;
    frame(&Request {
        op,
        env: gone.chain(new).collect(),
        cwd: attempt.directory.to_string_lossy(),
        name: environment::comm(&attempt.identity.invocation),
        limits: limits.any().then_some(limits),
        source: attempt.source_sha256.as_deref(),
        start: protocol::parameters(attempt),
    })
}

fn frame(message: &impl Serialize) -> Vec<u8> {
    let mut frame = vec![0; size_of::<u32>()];
    // It is made of texts and numbers, and cannot fail.
    let _ = serde_json::to_writer(&mut frame, message);
    let length = (frame.len() - size_of::<u32>()) as u32;
    frame[..size_of::<u32>()].copy_from_slice(&length.to_le_bytes());
    frame
}

/// Sends a frame; the descriptors go with its first byte.
async fn send(stream: &UnixStream, frame: &[u8], fds: &[RawFd]) -> io::Result<()> {
    let mut sent = 0;
    while sent < frame.len() {
        let count = stream.async_io(Interest::WRITABLE, || {
            let rights = [ControlMessage::ScmRights(fds)];
            let control = if sent == 0 && !fds.is_empty() { &rights[..] } else { &[] };
            let data = [IoSlice::new(&frame[sent..])];
            sendmsg::<()>(stream.as_raw_fd(), &data, control, MsgFlags::MSG_NOSIGNAL, None).map_err(io::Error::from)
        });
        sent += count.await?;
    }
    Ok(())
}

fn last_line(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_its_length_and_an_object() {
        assert_eq!(frame(&json!({ "op": "stay" })), b"\x0d\0\0\0{\"op\":\"stay\"}");
    }

    #[test]
    fn what_an_interpreter_tells_goes_to_who_waits_for_it() {
        let told = Told::default();
        let (fork, mut forked) = oneshot::channel();
        told.waiting().forks.push_back(fork);
        let line = |text: &str| serde_json::from_str::<Line>(text).expect("a line");
        told.take(line(r#"{"pid": 7}"#));
        assert_eq!(forked.try_recv().expect("an answer"), Ok(Pid::from_raw(7)));
        let (collection, mut collected) = oneshot::channel();
        told.waiting().collections.insert(7, collection);
        told.take(line(r#"{"collected": 7, "status": 256, "cpu": 0.5, "memory": 4096}"#));
        assert_eq!(collected.try_recv().expect("its status").status, 256);
        told.take(line(r#"{"error": "nobody waits for this"}"#));
        told.take(line(r#"{"unknown": 1}"#));
    }
}

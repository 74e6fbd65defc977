//! Runs one attempt of one test in a process group of its own.
//!
//! In: an [`Attempt`], that is a program with its arguments, a time limit and a place for its log, a signal to end it early, and a [`Desk`]
//! for what it reports and asks. Out: an [`Ended`]. The worker knows nothing of the plan, of other tests or of what their outcome means.
//! Nothing that an attempt started survives it.

mod channel;
mod descriptors;
pub mod desk;
mod environment;
#[doc(hidden)]
pub mod fuzz;
mod intake;
mod judge;
mod lager;
mod limits;
pub mod measure;
pub mod message;
mod output;
mod process;
mod protocol;
mod python;
mod reading;
mod reaper;
mod secrets;
mod source;
mod spawn;
mod surroundings;
mod tap;
mod warm;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tlc_plan::Data;
use tlc_plan::plan::Isolation;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tracing::debug;

pub use channel::MESSAGE_LIMIT;
pub(crate) use descriptors::{reserve, spawn_alone};
pub use desk::{Desk, Facilities};
pub(crate) use environment::{hide_secrets, mark, pattern_problem};
pub use intake::{ITEM_BYTES, ITEM_LIMIT, PROMPT_LIMIT};
pub use limits::ProcessLimits;
pub use output::LogFile;
pub(crate) use output::{Capture, capture_output, finish as finish_output, hash, last_lines};
pub use protocol::PROTOCOL_VERSION;
pub use python::{Python, PythonError};
pub use reading::OutputForm;
pub use reaper::Reaper;
pub(crate) use reaper::{end_left_behind, has_ended, terminate_group};
pub(crate) use secrets::MaskedStream;
pub use secrets::{MASK, Secrets};
pub(crate) use source::Sources;
pub use surroundings::Surroundings;

use crate::schedule::Outcome;
use desk::Item;
use intake::{Gathered, Intake, Report};
use judge::{Cause, Evidence, Findings};
use measure::Declared;
use message::Finished;

/// How long a process group has between SIGTERM and SIGKILL.
pub const GRACE: Duration = Duration::from_secs(2);

/// How long what a dead process has written may take to arrive.
const DRAIN: Duration = Duration::from_secs(2);

/// How long it may take until all that a dead process has reported is taken in: large attachments are copied, and all is recorded.
const PATIENCE: Duration = Duration::from_mins(1);

/// One attempt to run a test.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Who runs, where and for what.
    pub identity: Identity,
    /// What runs.
    pub program: Program,
    /// Its arguments, an object.
    pub args: Data,
    /// After how long it is ended.
    pub time_limit: Option<Duration>,
    /// The file for its output.
    pub log: PathBuf,
    /// How many bytes of its output are kept.
    pub log_limit: u64,
    /// What its program writes to its stdout.
    pub output: OutputForm,
    /// Variables that services and the station publish to tests.
    pub variables: Vec<(String, String)>,
    /// Where it runs: private, empty at its start, and removed at its end. It has one from its start on.
    pub directory: PathBuf,
    /// What surrounds it as every attempt of its run.
    pub surroundings: Arc<Surroundings>,
    /// The limits that the list declares, as the test gets them.
    pub measurements: Data,
    /// The same, ready to judge by.
    pub declared: Declared,
    /// The options of the device under test.
    pub dut_options: Data,
    /// The SHA-256 of the file that it runs, as far as that is known.
    pub source_sha256: Option<String>,
}

/// What names an attempt, in its environment and in the handshake.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The run.
    pub run: String,
    /// The slot of the station.
    pub slot: u32,
    /// The unit under test; empty while it is not known.
    pub unit: String,
    /// The attempt.
    pub invocation: String,
    /// Which start of the test, from 1.
    pub number: u32,
    /// The path of the test in the list.
    pub path: String,
    /// The list's id.
    pub list: String,
    /// The phase of the project.
    pub phase: String,
    /// The locale for texts.
    pub locale: String,
    /// The station.
    pub station: String,
    /// Who runs it.
    pub operator: String,
}

/// What an attempt runs.
#[derive(Clone, Debug)]
pub enum Program {
    /// A program and its arguments.
    Exec(Vec<String>),
    /// A Python test by its dotted name.
    Python {
        /// The interpreter with the worker's own sources.
        python: Arc<Python>,
        /// The directory of tests.
        tests: PathBuf,
        /// The dotted name.
        name: String,
        /// How it gets its interpreter.
        isolation: Isolation,
    },
}

/// Why an attempt is to end early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With SIGTERM first.
    Stop(String),
    /// At once.
    Kill(String),
}

/// How a process ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exit {
    /// It never ran.
    #[default]
    None,
    /// With this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// What a process used, with all its children that it waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// CPU time, in the program and in the system.
    pub cpu: Duration,
    /// The most memory that one of them held, in bytes.
    pub peak_memory: u64,
}

/// What is known of an attempt after its end.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The outcome.
    pub outcome: Outcome,
    /// Why it did not pass.
    pub message: Option<String>,
    /// Where it did not pass, in the test's own terms.
    pub traceback: Option<String>,
    /// How its process ended.
    pub exit: Exit,
    /// How long it took.
    pub duration: Duration,
    /// What its process used; `None` if there was none.
    pub usage: Option<Usage>,
    /// What became of its output.
    pub log: LogFile,
    /// What it reported and is not on record yet.
    pub items: Vec<Item>,
    /// What failed of it: measurements and parts, each in a line.
    pub failures: Vec<String>,
    /// A short code for statistics.
    pub error_code: Option<String>,
}

impl Ended {
    /// An attempt that could not be started.
    pub fn broken(message: String) -> Self {
        Self {
            outcome: Outcome::Error,
            message: Some(message),
            traceback: None,
            exit: Exit::None,
            duration: Duration::ZERO,
            usage: None,
            log: LogFile::default(),
            items: Vec::new(),
            failures: Vec::new(),
            error_code: None,
        }
    }
}

/// Runs the attempt to its end. `ending` ends it early; it may be set more than once, from `Stop` to `Kill`.
pub async fn run(
    mut attempt: Attempt,
    reaper: Arc<Reaper>,
    mut ending: watch::Receiver<Option<Ending>>,
    desk: Desk,
) -> Ended {
    let scratch = match attempt.surroundings.make(&attempt.identity.invocation) {
        Ok(scratch) => scratch,
        Err(message) => return Ended::broken(message),
    };
    scratch.path().clone_into(&mut attempt.directory);
    let spawned = match spawn::start(&attempt, &reaper).await {
        Ok(spawned) => spawned,
        Err(message) => return Ended::broken(message),
    };
    // An interpreter that had to be made warm first is nothing of the test.
    let begun = Instant::now();
    let spawn::Spawned { mut process, start, output, own, requests, reports: incoming } = spawned;
    let leader = process.leader();
    debug!(invocation = attempt.identity.invocation, path = attempt.identity.path, process = %leader, "started");
    let secrets = Arc::clone(&desk.facilities.secrets);
    let (log, lines) = mpsc::channel(LOG_QUEUE);
    let (messages, received) = mpsc::channel(channel::QUEUE);
    let heard = own.listened(&attempt, messages.clone());
    let beside = output::Beside { mask: secrets.stream(), lines: Some(lines), heard };
    let capture = output::capture(output, attempt.log.clone(), attempt.log_limit, beside);
    let gathered = Arc::new(Mutex::new(Gathered::default()));
    let (reports, mut reported) = mpsc::channel(4);
    let intake = Intake::new(&attempt, desk, log, reports.clone(), Arc::clone(&gathered));
    let messages = (messages, received);
    let (gone, is_gone) = watch::channel(false);
    let talk = tokio::spawn(converse(incoming, requests, start, intake, reports, messages, is_gone));
    let mut watch = Watch::new(leader, begun, attempt.time_limit);
    let must_report = matches!(attempt.program, Program::Python { .. });
    while !watch.over {
        tokio::select! {
            () = process.ended() => watch.over = true,
            Some(report) = reported.recv() => watch.report(report),
            () = until(watch.deadline) => watch.time_is_up(),
            Ok(()) = ending.changed() => watch.end_early(ending.borrow_and_update().clone()),
        }
    }
    let process::Settled { status, usage } = process.settle(&reaper, &attempt.identity.invocation).await;
    gone.send_replace(true);
    let all_taken_in = Instant::now() + PATIENCE;
    while let Ok(Some(report)) = timeout_at(all_taken_in, reported.recv()).await {
        watch.report(report);
    }
    talk.abort();
    let duration = begun.elapsed();
    let log = output::finish(capture, DRAIN).await;
    let gathered = std::mem::take(&mut *gathered.lock().unwrap_or_else(PoisonError::into_inner));
    let findings = Findings {
        refused: gathered.refused.clone(),
        failures: gathered.failures.clone(),
        missing: gathered.missing(&attempt.declared),
    };
    let ended = Ended::from_evidence(watch.evidence(&status, must_report, findings), duration, log);
    attempt.surroundings.remove(scratch).await;
    let ended = Ended { usage, items: gathered.items, failures: gathered.failures, ..ended };
    ended.explained(&attempt.surroundings.limits, &attempt.log).without(&secrets)
}

/// How many lines of a test's own log may wait to be written.
const LOG_QUEUE: usize = 64;

/// Talks until the worker closes its end and all that it asked is answered; then nobody reports any more.
async fn converse(
    incoming: tokio::net::unix::pipe::Receiver,
    outgoing: tokio::net::unix::pipe::Sender,
    start: Vec<u8>,
    intake: Intake,
    reports: mpsc::Sender<Report>,
    (messages, received): (mpsc::Sender<intake::Incoming>, mpsc::Receiver<intake::Incoming>),
    gone: watch::Receiver<bool>,
) {
    let (answers, waiting) = mpsc::channel(channel::QUEUE);
    let held = answers.clone();
    let listen = async {
        let mut left = gone.clone();
        let secrets = intake.secrets();
        let listen = async {
            let heard = tokio::select! {
                heard = channel::listen(incoming, messages, answers, &secrets) => heard,
                () = async {
                    let _ = left.wait_for(|&gone| gone).await;
                    sleep(DRAIN).await;
                } => Ok(false),
            };
            let report = match heard {
                Ok(false) => return,
                Ok(true) => Report::Half,
                Err(what) => Report::Violation(what),
            };
            let _ = reports.send(report).await;
        };
        tokio::join!(listen, intake.run(received, gone));
        drop(reports);
        // The pipe to the worker stays open: its end means that the runtime is gone.
        held.closed().await;
    };
    tokio::join!(listen, channel::speak(outgoing, start, waiting));
}

impl Ended {
    fn from_evidence(evidence: Evidence, duration: Duration, log: LogFile) -> Self {
        let exit = evidence.exit;
        let finished = evidence.finished.as_ref();
        let error_code = finished.and_then(|finished| finished.error_code.clone()).map(|code| code.0);
        let judge::Judgement { outcome, message, traceback } = judge::judge(evidence);
        Self { outcome, message, traceback, exit, duration, log, error_code, ..Self::broken(String::new()) }
    }

    /// The same without secrets.
    fn without(self, secrets: &Secrets) -> Self {
        let masked = |text: Option<String>| text.map(|text| secrets.masked(text));
        Self {
            message: masked(self.message),
            traceback: masked(self.traceback),
            error_code: masked(self.error_code),
            ..self
        }
    }

    /// Says in the message which limit was hit, as far as that can be known.
    fn explained(mut self, limits: &ProcessLimits, log: &Path) -> Self {
        let last = if limits.any() { last_lines(log, 3).join("\n") } else { String::new() };
        let said = format!("{}\n{last}", self.message.as_deref().unwrap_or_default());
        if let Some(why) = limits.explain(self.outcome, self.exit, self.usage.as_ref(), &said) {
            self.message = Some(self.message.map_or(why.clone(), |message| format!("{message}; {why}")));
        }
        self
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// What has happened to a running attempt so far.
struct Watch {
    leader: nix::unistd::Pid,
    time_limit: Option<Duration>,
    /// When the next thing is due: the time limit, or the end of the grace.
    deadline: Option<Instant>,
    cause: Option<Cause>,
    finished: Option<Finished>,
    /// What it sent last has no end.
    half: bool,
    over: bool,
}

impl Watch {
    fn new(leader: nix::unistd::Pid, begun: Instant, time_limit: Option<Duration>) -> Self {
        let deadline = time_limit.and_then(|limit| begun.checked_add(limit));
        Self { leader, time_limit, deadline, cause: None, finished: None, half: false, over: false }
    }

    fn report(&mut self, report: Report) {
        match report {
            Report::Finished(finished) if self.finished.is_none() && self.cause.is_none() => {
                self.finished = Some(finished);
                self.deadline = Some(Instant::now() + GRACE);
            }
            Report::Finished(_) => {}
            Report::Half => self.half = true,
            Report::Violation(what) => self.end(Cause::Violation(what), true),
        }
    }

    fn time_is_up(&mut self) {
        if self.finished.is_some() || self.cause.is_some() {
            reaper::kill_group(self.leader);
            self.deadline = None;
        } else if let Some(limit) = self.time_limit {
            self.end(Cause::TimeLimit(limit), false);
        }
    }

    fn end_early(&mut self, ending: Option<Ending>) {
        match ending {
            None => {}
            Some(Ending::Stop(reason)) => self.end(Cause::Aborted(reason), false),
            Some(Ending::Kill(reason)) => self.end(Cause::Aborted(reason), true),
        }
    }

    /// The first cause stands; a later one can only be quicker.
    fn end(&mut self, cause: Cause, at_once: bool) {
        let first = self.cause.is_none() && self.finished.is_none();
        if first {
            self.cause = Some(cause);
        }
        if at_once {
            reaper::kill_group(self.leader);
            self.deadline = None;
        } else if first {
            reaper::terminate_group(self.leader);
            self.deadline = Some(Instant::now() + GRACE);
        }
    }

    fn evidence(
        self,
        status: &std::io::Result<std::process::ExitStatus>,
        must_report: bool,
        findings: Findings,
    ) -> Evidence {
        let Self { cause, finished, half, .. } = self;
        Evidence { cause, finished, half, exit: judge::exit(status), must_report, findings }
    }
}

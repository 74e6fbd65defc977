//! The one task that owns a run: its schedule, its attempts, its record and what is shown of it.
//!
//! In: ends of attempts, signals, lost services. Each becomes an event; the events of a turn are given to the scheduler, recorded with
//! all that follows from them in one transaction, and only then acted upon and shown.

mod attempt;
mod bench;
mod control;
mod edits;
mod evaluation;
mod identity;
mod journal;
mod recovery;
mod reports;
mod room;
mod signals;
mod spaces;
mod turn;
mod workers;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tlc_plan::{NodeId, Plan};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

pub(crate) use attempt::Ground;
pub(crate) use edits::Later;
pub use edits::{Edit, Edits};
pub(crate) use evaluation::Evaluation;
pub(crate) use identity::named;
pub(crate) use journal::{label, state, tests};
pub(crate) use recovery::{Recovered, RecoveryError, RunSettings, later_plans, replay};
pub(crate) use signals::Signals;
pub(crate) use spaces::Spaces;
pub(crate) use workers::Workers;
#[doc(hidden)]
pub use workers::{Played, Script};

use crate::control::{Answer, Control, Reply};
use crate::report::Reporter;
use crate::schedule::{Beginning, Command, Event, Schedule, State, Status, Verdict};
use crate::store::{RunKey, Store, StoreError};
use crate::worker::desk::Signal;
use crate::worker::message::Identities;
use crate::worker::{Ended, Ending};
use journal::Journal;
use turn::Record;

/// How often it is looked whether a service is still there.
const SERVICE_WATCH: Duration = Duration::from_millis(500);

/// How often in a row it is looked in vain whether more has happened.
const QUIET: u32 = 3;

/// How often it is looked at all.
const LOOKS: u32 = 64;

/// How long the end of what was killed is waited for, if it cannot be recorded anyway.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a run needs to go on.
pub(crate) struct Dispatch<'a> {
    pub plan: &'a Plan,
    pub schedule: Schedule,
    pub evaluation: &'a Evaluation,
    pub spaces: Spaces,
    pub identity: Identities,
    /// What the list is after an edit.
    pub later: &'a Later,
    pub store: &'a mut Store,
    pub run: RunKey,
    pub ground: Ground,
    pub operator: &'a mut Operator,
    pub reporter: &'a mut Reporter,
    /// How long earlier parts of the run took.
    pub before: Duration,
    /// It was interrupted, and goes on.
    pub resumed: bool,
    /// How many attempts the run had before.
    pub attempts: u32,
    /// Someone stopped it before it was interrupted.
    pub stopped: bool,
    /// The root of what was asked for at first.
    pub asked: String,
    /// The root of what is run, or was at last.
    pub root: String,
}

/// How someone outside is heard.
#[derive(Debug)]
pub(crate) struct Operator {
    pub signals: Signals,
    pub control: Control,
    pub edits: Edits,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Conclusion {
    pub verdict: Verdict,
    /// Someone ended it.
    pub interrupted: bool,
    /// Someone ended it now, not before it was interrupted.
    pub interrupted_now: bool,
    /// It waits for the machine to go down; it is not over.
    pub shutting_down: bool,
}

impl Conclusion {
    /// Nobody ended it, and all is well.
    pub fn is_pass(&self) -> bool {
        self.verdict.is_pass() && !self.interrupted && !self.shutting_down
    }

    /// What is told to those who wait for the end.
    pub fn answer(&self) -> Answer {
        Answer::Ended { verdict: self.verdict.status.name().to_owned(), passed: self.is_pass() }
    }
}

/// Something that happened.
enum Happening {
    Event(Event),
    /// Something for people only.
    Told(String),
    /// Someone in another terminal wants something, and waits until it is recorded.
    Ordered(Command, Reply),
    AttemptOver {
        path: String,
        attempt: u32,
        ended: Box<Ended>,
    },
    /// A test reports or asks something.
    Signalled {
        path: String,
        attempt: u32,
        signal: Signal,
    },
}

/// An attempt that runs.
struct Running {
    invocation: String,
    begun: Instant,
    ending: watch::Sender<Option<Ending>>,
}

/// The state of a run between two turns.
struct Course {
    index: HashMap<String, NodeId>,
    queue: VecDeque<Happening>,
    running: BTreeMap<(String, u32), Running>,
    /// What the list is to be as soon as no open group loses a teardown by it.
    edited: Option<Box<Plan>>,
    /// What ran when an edit took it away, as it was.
    gone: HashMap<String, State>,
    over: mpsc::UnboundedSender<Happening>,
    journal: Journal,
    /// The states of groups that are on record.
    groups: HashMap<String, State>,
    /// What an interrupted run goes on with.
    then: Vec<Event>,
    /// What tests reported without waiting for it; it is recorded with whatever is recorded next.
    pending: Record,
    verdict: Option<Verdict>,
    interrupted: bool,
    killing: bool,
    shutting_down: bool,
    /// There is no room left for the store.
    paused: bool,
    /// Who waits for the end.
    waiting: Vec<Reply>,
    begun: Instant,
}

impl Dispatch<'_> {
    /// Drives the run to its end.
    pub async fn run(mut self, beginning: Beginning) -> Result<Conclusion, StoreError> {
        let (over, mut ended) = mpsc::unbounded_channel();
        let mut course = Course::new(self.plan, over, beginning.events, beginning.then);
        for (path, state) in self.schedule.states() {
            self.reporter.settled(path, state.status);
        }
        let concluded = self.drive(&mut course, &mut ended, beginning.relaunched).await;
        if concluded.is_err() {
            // Nothing can be recorded any more, so nothing may go on.
            course.kill_all("its end cannot be recorded");
            let _ = tokio::time::timeout(PATIENCE, course.all_gone(&mut ended)).await;
        }
        for reply in course.waiting.drain(..) {
            match &concluded {
                Ok(conclusion) => reply.give(conclusion.answer()),
                Err(error) => reply.refuse(format!("the run cannot go on: {error}")),
            }
        }
        concluded
    }

    async fn drive(
        &mut self,
        course: &mut Course,
        ended: &mut mpsc::UnboundedReceiver<Happening>,
        relaunched: Vec<(String, u32)>,
    ) -> Result<Conclusion, StoreError> {
        if self.resumed {
            self.relaunch(course, relaunched).await?;
        }
        loop {
            self.turns(course).await?;
            if let Some(conclusion) = self.conclusion(course) {
                return Ok(conclusion);
            }
            self.wait(course, ended).await;
        }
    }

    /// Takes turns until nothing new has happened.
    async fn turns(&mut self, course: &mut Course) -> Result<(), StoreError> {
        loop {
            while !course.queue.is_empty() {
                let deeds = self.turn(course).await?;
                self.act(course, deeds).await;
            }
            if self.schedule.is_running() || course.verdict.is_some() {
                return Ok(());
            }
            if !course.running.is_empty() {
                return Ok(());
            }
            if course.then.is_empty() {
                // There was nothing to run, or to go on with.
                self.close(course).await?;
            }
            course.queue.extend(std::mem::take(&mut course.then).into_iter().map(Happening::Event));
        }
    }

    fn conclusion(&self, course: &Course) -> Option<Conclusion> {
        let going_down = course.shutting_down && course.interrupted;
        let verdict = course.verdict.clone().or_else(|| going_down.then(|| self.open_verdict()))?;
        let interrupted = course.interrupted || self.stopped;
        let interrupted_now = course.interrupted;
        Some(Conclusion { verdict, interrupted, interrupted_now, shutting_down: course.shutting_down })
    }

    /// The verdict of a run that did not say how it ended.
    fn open_verdict(&self) -> Verdict {
        let root = self.root.clone();
        let status = self.schedule.states().get(&root).map_or(Status::Untested, |state| state.status);
        Verdict { root, status, attempts: self.attempts }
    }

    /// Waits for the next thing to happen, and takes all that has happened until then.
    async fn wait(&mut self, course: &mut Course, ended: &mut mpsc::UnboundedReceiver<Happening>) {
        // In this order, so that the same happenings give the same run.
        tokio::select! {
            biased;
            Some(happening) = ended.recv() => course.queue.push_back(happening),
            () = self.operator.signals.next() => self.signal(course),
            asked = self.operator.control.next() => self.asked(course, asked),
            () = tokio::time::sleep(SERVICE_WATCH) => self.watch_services().await,
        }
        course.take_all(ended).await;
    }

    /// The first signal stops the run, the second kills it; while the machine goes down a signal is part of that.
    fn signal(&mut self, course: &mut Course) {
        let command = match (course.shutting_down, course.interrupted) {
            (true, _) => {
                course.interrupted = true;
                return;
            }
            (false, false) => self.stop(course),
            (false, true) => {
                course.killing = true;
                self.reporter.interrupted(true);
                Command::Kill
            }
        };
        course.queue.push_back(Happening::Event(Event::Command(command)));
    }

    async fn watch_services(&mut self) {
        // While they are switched none is lost.
        let services = std::sync::Arc::clone(&self.ground.services);
        let Ok(mut services) = services.try_lock() else { return };
        while let Some((name, status)) = services.lost().await {
            let how = status.map_or_else(String::new, |status| format!(" ({status})"));
            self.reporter.warn(&format!("the service `{name}` has ended by itself{how}"));
        }
    }
}

fn index(plan: &Plan) -> HashMap<String, NodeId> {
    plan.preorder().map(|id| (plan.node(id).path.clone(), id)).collect()
}

impl Course {
    fn new(plan: &Plan, over: mpsc::UnboundedSender<Happening>, first: Vec<Event>, then: Vec<Event>) -> Self {
        Self {
            index: index(plan),
            queue: first.into_iter().map(Happening::Event).collect(),
            running: BTreeMap::new(),
            edited: None,
            gone: HashMap::new(),
            over,
            journal: Journal::new(),
            groups: HashMap::new(),
            then,
            pending: Record::default(),
            verdict: None,
            interrupted: false,
            killing: false,
            shutting_down: false,
            paused: false,
            waiting: Vec::new(),
            begun: Instant::now(),
        }
    }

    /// Takes all that has happened. While others run, whoever is about to say something says it first: what ends together is recorded
    /// together.
    async fn take_all(&mut self, ended: &mut mpsc::UnboundedReceiver<Happening>) {
        let mut quiet = 0;
        for _ in 0..LOOKS {
            quiet += 1;
            while let Ok(happening) = ended.try_recv() {
                self.queue.push_back(happening);
                quiet = 0;
            }
            if self.running.len() < 2 || quiet == QUIET {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn all_gone(&mut self, ended: &mut mpsc::UnboundedReceiver<Happening>) {
        while !self.running.is_empty() {
            if let Some(Happening::AttemptOver { path, attempt, .. }) = ended.recv().await {
                self.running.remove(&(path, attempt));
            }
        }
    }

    fn kill_all(&self, reason: &str) {
        for running in self.running.values() {
            running.ending.send_replace(Some(Ending::Kill(reason.into())));
        }
    }
}

/// The directories and ids that every attempt of a run shares.
#[derive(Clone, Debug)]
pub(crate) struct RunPlace {
    /// The id of the run.
    pub id: String,
    /// Where its logs are.
    pub logs: PathBuf,
    /// The directory of tests.
    pub tests: Option<PathBuf>,
    /// What texts are in.
    pub locale: Arc<str>,
    /// The station.
    pub station: Arc<str>,
}

//! The scheduler: events go in, actions come out. No clock, thread, file, randomness or process.
//!
//! A [`Schedule`] belongs to one slot of a station. It is a value: it serialises, a copy of it goes on in the same way, and the same events
//! always give the same actions. The caller records an event, then calls [`Schedule::on`], then does what the actions say.

mod action;
mod attempt;
mod commands;
mod conditions;
mod device;
mod entry;
mod event;
mod iterator;
mod recovery;
mod rules;
mod run;
mod settings;
mod shape;
mod startup;
mod state;
mod turn;

use std::collections::VecDeque;

use indexmap::{IndexMap, IndexSet};
use serde::{Deserialize, Serialize};
use tlc_plan::plan::Count;
use tlc_plan::{Data, Plan};

pub use action::{Action, Cause, Purpose, SkipReason};
pub use conditions::{Conditions, NoExpressions};
pub use event::{Command, DeviceChange, Event, NoteLevel};
pub use settings::{Options, Settings, TeardownPolicy};
pub use state::{Outcome, Remaining, State, Status, Verdict};

pub(crate) use commands::counts;
pub(crate) use recovery::{Beginning, History, last_rites};
pub(crate) use rules::matches;
pub(crate) use shape::{find, is_at_or_under, is_sequence, is_teardown, rerun_root};

use commands::Deferred;
use run::{NewRun, Run};
use turn::{Counts, Turn};

/// What a slot knows and does: the states of all nodes, and the run that is on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    settings: Settings,
    options: Options,
    states: IndexMap<String, State>,
    /// How many children of each group have which status.
    counts: IndexMap<String, Counts>,
    device: Data,
    /// Nodes that a rule of `skipped_tests` names, and which.
    skipped: IndexMap<String, SkipReason>,
    /// Nodes whose failure does not count.
    waived: IndexSet<String>,
    /// Iterations and retries that an operator set.
    overrides: IndexMap<String, (Count, Count)>,
    engineering: bool,
    /// The last note is a critical one.
    blocked: bool,
    restart_scheduled: bool,
    /// The step whose shutdown was ordered, and has not happened.
    shutdown: Option<String>,
    /// The step whose next attempt is the check after its shutdown.
    after_shutdown: Option<AfterShutdown>,
    /// Attempts that run: path and number.
    active: IndexMap<String, u32>,
    /// Those of them that were told to end.
    ending: IndexMap<String, Ending>,
    /// What waits for their end.
    deferred: VecDeque<Deferred>,
    run: Option<Run>,
}

/// An attempt that was told to end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ending {
    /// Its test fails; otherwise it becomes untested.
    fail: bool,
    reason: String,
}

/// A check after a shutdown that is to be started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AfterShutdown {
    path: String,
    error: Option<String>,
}

impl Schedule {
    /// A schedule before its first [`Event::Started`].
    pub fn new(plan: &Plan, settings: Settings) -> Self {
        let states = plan.preorder().map(|id| (plan.node(id).path.clone(), State::new(plan.node(id)))).collect();
        let mut schedule = Self {
            settings,
            options: Options::default(),
            states,
            counts: IndexMap::new(),
            device: Data::object(IndexMap::new()),
            skipped: IndexMap::new(),
            waived: IndexSet::new(),
            overrides: IndexMap::new(),
            engineering: false,
            blocked: false,
            restart_scheduled: false,
            shutdown: None,
            after_shutdown: None,
            active: IndexMap::new(),
            ending: IndexMap::new(),
            deferred: VecDeque::new(),
            run: None,
        };
        schedule.recount(plan);
        schedule
    }

    /// The same, with what is known of earlier runs; paths that the plan does not have are left out.
    pub fn with_states(plan: &Plan, settings: Settings, states: impl IntoIterator<Item = (String, State)>) -> Self {
        let mut schedule = Self::new(plan, settings);
        for (path, state) in states {
            if let Some(known) = schedule.states.get_mut(&path) {
                *known = state;
            }
        }
        schedule.recount(plan);
        schedule
    }

    /// Counts afresh; every change of a status keeps the counts.
    fn recount(&mut self, plan: &Plan) {
        self.counts.clear();
        for group in plan.preorder().filter(|&id| !plan.is_leaf(id)) {
            let mut counts = Counts::default();
            for &child in plan.children(group) {
                counts.add(self.states.get(&plan.node(child).path).map_or(Status::Untested, |state| state.status));
            }
            self.counts.insert(plan.node(group).path.clone(), counts);
        }
    }

    /// Takes note of an event, and says what is to be done.
    pub fn on(&mut self, plan: &Plan, conditions: &dyn Conditions, event: Event) -> Vec<Action> {
        let mut turn = Turn { schedule: self, plan, conditions, actions: Vec::new() };
        turn.take(event);
        turn.actions
    }

    /// The verdict on what was asked for at first, when the last thing that ran has one: a part that was started afresh from another
    /// terminal does not speak for the rest.
    pub fn verdict_on(&self, asked: &str, last: Verdict) -> Verdict {
        match self.states.get(asked) {
            Some(state) if !is_at_or_under(asked, &last.root) => {
                Verdict { root: asked.to_owned(), status: state.status, ..last }
            }
            Some(_) | None => last,
        }
    }

    /// The states of all nodes, by path, in the list's order; the root's path is empty.
    pub fn states(&self) -> &IndexMap<String, State> {
        &self.states
    }

    /// The attempts that run: path and number.
    pub fn active(&self) -> &IndexMap<String, u32> {
        &self.active
    }

    /// Whether a run is on.
    pub fn is_running(&self) -> bool {
        self.run.is_some()
    }

    /// The root of the run that is on.
    pub fn run_root(&self) -> Option<&str> {
        self.run.as_ref().map(|run| run.root.as_str())
    }

    /// Why only teardowns are left of the run that is on, if that is so.
    pub fn ends_because(&self) -> Option<&Cause> {
        let run = self.run.as_ref()?;
        let root = run.frames.first().filter(|frame| frame.ending);
        run.stopping.as_ref().or_else(|| root.and_then(|frame| frame.teardown_only.as_ref()))
    }

    /// What operators asked for and that has not begun, as commands that ask for it once more.
    pub fn pending_commands(&self) -> Vec<Command> {
        let successor = self.run.as_ref().and_then(|run| run.successor.as_ref()).map(NewRun::command);
        successor.into_iter().chain(self.deferred_commands()).collect()
    }

    /// Those of them that wait for something else to end.
    fn deferred_commands(&self) -> impl Iterator<Item = Command> + '_ {
        self.deferred.iter().filter_map(Deferred::command)
    }

    /// All leaves of the run that is on, done or not (rule V14); none if no run is on.
    pub fn pending(&self, plan: &Plan) -> Vec<String> {
        let root = self.run_root().and_then(|root| shape::find(plan, root));
        let leaves = root.map(|root| shape::leaves(plan, root)).unwrap_or_default();
        leaves.into_iter().map(|leaf| plan.node(leaf).path.clone()).collect()
    }

    /// Which rules hold: the station's phase, or else the list's.
    pub fn phase(&self) -> Option<&str> {
        self.settings.phase.as_deref().or(self.options.phase.as_deref())
    }

    /// The device data as the schedule knows it.
    pub fn device(&self) -> &Data {
        &self.device
    }
}

impl Turn<'_> {
    /// Handles an event. While attempts are being ended, what operators ask for waits.
    fn take(&mut self, event: Event) {
        match event {
            Event::Started { device } => self.started(device),
            Event::AttemptEnded { path, attempt, outcome, message, changes } => {
                self.device_changed(&changes);
                self.attempt_ended(&path, attempt, outcome, message);
            }
            Event::DeviceDataChanged { changes } => self.device_changed(&changes),
            Event::ShutdownRequested { path } => self.shutdown_requested(path),
            Event::PlanReplaced => self.plan_replaced(),
            Event::Command(Command::Kill) => self.command(Command::Kill),
            Event::Command(ref command) if !self.schedule.ending.is_empty() || self.must_wait(command) => {
                self.schedule.deferred.push_back(Deferred::Event(event));
            }
            Event::Command(command) => self.command(command),
        }
    }
}

//! The scheduler: events go in, actions come out. No clock, thread, file, randomness or process.
//!
//! A [`Schedule`] belongs to one slot of a station. It is a value: it serialises, a copy of it goes on in the same way, and the same events
//! always give the same actions. The caller records an event, then calls [`Schedule::on`], then does what the actions say.

mod action;
mod conditions;
mod event;
mod run;
mod settings;
mod state;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use tlc_plan::{Data, Plan};

pub use action::{Action, Cause, Purpose, SkipReason};
pub use conditions::{Conditions, NoExpressions};
pub use event::{Command, DeviceChange, Event, NoteLevel};
pub use settings::{Options, Settings, TeardownPolicy};
pub use state::{Outcome, Remaining, State, Status, Verdict};

use run::{NewRun, Run};

/// What a slot knows and does: the states of all nodes, and the run that is on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    settings: Settings,
    options: Options,
    states: IndexMap<String, State>,
    device: Data,
    /// Nodes that a rule of `skipped_tests` names, and which.
    skipped: IndexMap<String, SkipReason>,
    /// Nodes whose failure does not count.
    waived: Vec<String>,
    engineering: bool,
    /// A critical note is the last one.
    blocked: bool,
    restart_scheduled: bool,
    /// The step whose shutdown was ordered, and has not happened.
    shutdown: Option<String>,
    /// Attempts that run: path and number.
    active: IndexMap<String, u32>,
    run: Option<Run>,
    successor: Option<NewRun>,
}

impl Schedule {
    /// A schedule before its first [`Event::Started`].
    pub fn new(plan: &Plan, settings: Settings) -> Self {
        let states = plan.preorder().map(|id| (plan.node(id).path.clone(), State::new(plan.node(id)))).collect();
        Self {
            settings,
            options: Options::default(),
            states,
            device: Data::object(IndexMap::new()),
            skipped: IndexMap::new(),
            waived: Vec::new(),
            engineering: false,
            blocked: false,
            restart_scheduled: false,
            shutdown: None,
            active: IndexMap::new(),
            run: None,
            successor: None,
        }
    }

    /// The same, with what is known of earlier runs; paths that the plan does not have are left out.
    pub fn with_states(plan: &Plan, settings: Settings, states: impl IntoIterator<Item = (String, State)>) -> Self {
        let mut schedule = Self::new(plan, settings);
        for (path, state) in states {
            if let Some(known) = schedule.states.get_mut(&path) {
                *known = state;
            }
        }
        schedule
    }

    /// Takes note of an event, and says what is to be done.
    pub fn on(&mut self, plan: &Plan, conditions: &dyn Conditions, event: Event) -> Vec<Action> {
        let _ = (plan, conditions, event);
        Vec::new()
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

    /// All leaves of the run that is on, done or not (rule V14); none if no run is on.
    pub fn pending(&self, plan: &Plan) -> Vec<String> {
        let _ = plan;
        Vec::new()
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

//! A run that was interrupted: its events are given to a new scheduler once more, and it stands where it stood.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tlc_plan::{Data, NodeId, Plan};

use super::Evaluation;
use crate::schedule::{
    Action, Cause, Command, Event, Outcome, Schedule, Settings, State, Status, TeardownPolicy, is_teardown,
};
use crate::store::{EventRow, RunRow};

/// The kind of the entry that separates the parts of a run.
pub(super) const RESUMED: &str = "resumed";

/// The kind of the event with which another plan takes the place of the one before it; its body has the plan's hash as `plan`.
pub(super) const PLAN_REPLACED: &str = "plan_replaced";

/// What is said of an attempt whose end nobody saw.
const LOST: &str = "the device or the station's program went away while it ran";

/// What a run was set to; recorded with it, so that a replay gives the same.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunSettings {
    /// What the scheduler was set to.
    pub schedule: Settings,
    /// What was run.
    pub command: Command,
    /// The states that it began with, if it continued another run.
    pub states: Option<IndexMap<String, State>>,
    /// What its tests found as `TLC_SEED`.
    #[serde(default)]
    pub seed: Option<u64>,
}

/// Where a run stood.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub schedule: Schedule,
    /// Someone had stopped it.
    pub stopped: bool,
    /// It waits for a shutdown that was ordered.
    pub ordered: bool,
    /// It had been told what to run.
    pub begun: bool,
    /// How long it had taken.
    pub before: Duration,
    /// The root of what was run at last.
    pub root: Option<String>,
    /// What operators asked for and what never began, whatever interrupted it.
    pending: Vec<Command>,
}

/// What a run that was interrupted begins with.
#[derive(Debug, Default)]
pub(crate) struct Beginning {
    /// What the scheduler is told.
    pub events: Vec<Event>,
    /// Attempts that start once more.
    pub relaunched: Vec<(String, u32)>,
    /// What the scheduler is told when the run has ended for now.
    pub then: Vec<Event>,
}

/// Why a run cannot be resumed.
#[derive(Debug)]
pub(crate) struct RecoveryError {
    run: i64,
    reason: String,
}

impl RunSettings {
    /// A scheduler at the beginning of the run.
    pub fn schedule(&self, plan: &Plan) -> Schedule {
        match &self.states {
            Some(states) => Schedule::with_states(plan, self.schedule.clone(), states.clone()),
            None => Schedule::new(plan, self.schedule.clone()),
        }
    }

    /// The group or test that is run.
    fn path(&self) -> Option<String> {
        match &self.command {
            Command::Restart { path } | Command::AutoRun { path } | Command::RunWithStatus { path, .. } => path.clone(),
            _ => None,
        }
    }

    /// As it was recorded.
    pub fn of(run: &RunRow) -> Result<Self, RecoveryError> {
        serde_json::from_str(&run.settings).map_err(|error| RecoveryError { run: run.run, reason: error.to_string() })
    }
}

/// The hashes of the plans that took the place of a run's first one.
pub(crate) fn later_plans(events: &[EventRow]) -> impl Iterator<Item = String> + '_ {
    let replaced = events.iter().filter(|event| event.kind == PLAN_REPLACED);
    replaced.filter_map(|event| {
        let body: Value = serde_json::from_str(&event.body).ok()?;
        body["plan"].as_str().map(str::to_owned)
    })
}

/// Gives the recorded events to a new scheduler. What it answers has been done already, or is lost. There is an edition of the list for the
/// beginning, and one for each time that it was edited.
pub(crate) fn replay<'a>(
    mut editions: impl Iterator<Item = (&'a Plan, &'a Evaluation)>,
    run: &RunRow,
    settings: &RunSettings,
    events: &[EventRow],
) -> Result<Recovered, RecoveryError> {
    let missing = || RecoveryError { run: run.run, reason: "a plan of it is missing".into() };
    let (mut plan, mut evaluation) = editions.next().ok_or_else(missing)?;
    let schedule = settings.schedule(plan);
    let before = Duration::ZERO;
    let mut recovered =
        Recovered { schedule, stopped: false, ordered: false, begun: false, before, root: None, pending: Vec::new() };
    let mut last = 0;
    for row in events {
        if row.kind == RESUMED {
            recovered.before += part(std::mem::take(&mut last));
            continue;
        }
        let event: Event = if row.kind == PLAN_REPLACED {
            (plan, evaluation) = editions.next().ok_or_else(missing)?;
            Event::PlanReplaced
        } else {
            serde_json::from_str(&row.body)
                .map_err(|error| RecoveryError { run: run.run, reason: format!("event {}: {error}", row.seq) })?
        };
        match &event {
            Event::Started { .. } => recovered.pending.extend(recovered.schedule.pending_commands()),
            Event::Command(command) if is_run(command) => recovered.pending.clear(),
            Event::Command(command) => recovered.pending.retain(|pending| pending != command),
            _ => {}
        }
        recovered.ordered &= !matches!(event, Event::Started { .. } | Event::AttemptEnded { .. });
        recovered.begun |= matches!(event, Event::Command(_));
        recovered.stopped |= matches!(event, Event::Command(Command::Stop { path: None, .. } | Command::Kill));
        for action in recovered.schedule.on(plan, evaluation, event) {
            match action {
                Action::Shutdown { .. } => recovered.ordered = true,
                Action::RunStarted { root, .. } => recovered.root = Some(root),
                _ => {}
            }
        }
        last = row.monotonic_us;
    }
    recovered.before += part(last);
    recovered.pending.extend(recovered.schedule.pending_commands());
    Ok(recovered)
}

/// Whether a command begins a run.
fn is_run(command: &Command) -> bool {
    matches!(command, Command::Restart { .. } | Command::AutoRun { .. } | Command::RunWithStatus { .. })
}

fn part(microseconds: i64) -> Duration {
    Duration::from_micros(u64::try_from(microseconds).unwrap_or(0))
}

impl Recovered {
    /// How it goes on.
    ///
    /// - A shutdown that was ordered has happened: the scheduler knows what to do then. With the reference's policy it also knows what to
    ///   do after an interruption: nothing (rule Z2).
    /// - A run that was ending, because someone stopped it or a test failed that stops the list, goes on to its end: what was running has
    ///   crashed, and a teardown that was running starts again.
    /// - Otherwise the scheduler ends what was open with its teardowns (rule Z2), and then what is untested runs (rule Z3), a sequence as a
    ///   whole, with its teardowns after it once more. It is the same if it was interrupted again when its teardowns had run. What an
    ///   operator asked for instead, and was told that it is recorded, comes in its place.
    pub fn beginning(&self, plan: &Plan, evaluation: &Evaluation, settings: &RunSettings, device: Data) -> Beginning {
        let started = Beginning { events: vec![Event::Started { device }], ..Beginning::default() };
        if settings.schedule.teardown == TeardownPolicy::Reference || !self.begun {
            return started;
        }
        if self.ordered {
            return Beginning { then: self.asked_before(), ..started };
        }
        if self.stopped || self.is_ending(plan, evaluation) {
            return if self.schedule.is_running() { self.on_to_the_end(plan) } else { started };
        }
        let last_run = self.pending.iter().rposition(is_run);
        let asked = self.pending.iter().enumerate();
        let asked = asked.filter(|&(at, command)| !is_run(command) || Some(at) == last_run);
        let mut then: Vec<_> = asked.map(|(_, command)| command.clone()).collect();
        if last_run.is_none() {
            then.extend(self.teardowns_of_the_rest(plan).map(|path| Command::Clear { path: Some(path) }));
            // A restart from another terminal changes what is run.
            then.push(Command::AutoRun { path: self.root.clone().or_else(|| settings.path()) });
        }
        Beginning { then: then.into_iter().map(Event::Command).collect(), ..started }
    }

    /// The run that someone asked for in an earlier life of this one, if the scheduler does not hold a later one itself.
    fn asked_before(&self) -> Vec<Event> {
        let held = self.schedule.pending_commands();
        let before = &self.pending[..self.pending.len() - held.len().min(self.pending.len())];
        match before.iter().rfind(|command| is_run(command)) {
            Some(last) if !held.iter().any(is_run) => vec![Event::Command(last.clone())],
            Some(_) | None => Vec::new(),
        }
    }

    /// How it ends, if it does not go on: what was open is ended with its teardowns, and nothing else runs.
    pub fn last_rites(&self, device: Data) -> Beginning {
        if !self.schedule.is_running() {
            return Beginning::default();
        }
        let events = vec![Event::Started { device }, Event::Command(Command::CancelPending)];
        Beginning { events, ..Beginning::default() }
    }

    /// Whether a failure has ended the run, or will: the loss of what was running is one.
    fn is_ending(&self, plan: &Plan, evaluation: &Evaluation) -> bool {
        let mut schedule = self.schedule.clone();
        for event in self.lost(plan) {
            schedule.on(plan, evaluation, event);
        }
        schedule.ends_because().is_some_and(|cause| match cause {
            Cause::Failure { .. } | Cause::StopOnFailure { .. } | Cause::Stopped => true,
            Cause::Replaced | Cause::Interrupted | Cause::Vanished { .. } => false,
        })
    }

    /// The teardowns of groups in which something is still to run.
    fn teardowns_of_the_rest<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = String> + 'a {
        let status =
            |id| self.schedule.states().get(&plan.node(id).path).map_or(Status::Untested, |state| state.status);
        let waits = |id| match status(id) {
            Status::Untested => true,
            Status::Active => starts_again(plan, &plan.node(id).path),
            Status::Passed | Status::Failed | Status::FailedAndWaived | Status::Skipped => false,
        };
        let leaves = || plan.preorder().filter(|&id| plan.is_leaf(id));
        let rest = leaves().filter(move |&id| !is_teardown(plan, id) && waits(id));
        let open: HashSet<NodeId> =
            rest.flat_map(|id| std::iter::successors(Some(id), |&id| plan.parent(id))).collect();
        let group = |id| {
            let top =
                std::iter::successors(Some(id), |&id| plan.parent(id)).filter(|&id| plan.node(id).teardown).last();
            top.and_then(|top| plan.parent(top))
        };
        leaves()
            .filter(move |&id| group(id).is_some_and(|group| open.contains(&group)))
            .map(|id| plan.node(id).path.clone())
    }

    /// The ends of attempts that were running and do not start again.
    fn lost(&self, plan: &Plan) -> Vec<Event> {
        let active = self.schedule.active().iter().filter(|(path, _)| !starts_again(plan, path));
        active.map(|(path, &attempt)| crashed(path, attempt)).collect()
    }

    fn on_to_the_end(&self, plan: &Plan) -> Beginning {
        let again = self.schedule.active().iter().filter(|(path, _)| starts_again(plan, path));
        Beginning {
            events: self.lost(plan),
            relaunched: again.map(|(path, &attempt)| (path.clone(), attempt)).collect(),
            then: Vec::new(),
        }
    }
}

/// A test of which a restart is a part, and a teardown: it always runs, and to its end.
fn starts_again(plan: &Plan, path: &str) -> bool {
    let Some(id) = plan.find(path) else { return false };
    let node = plan.node(id);
    is_teardown(plan, id) || (node.allow_reboot && !node.class.is_shutdown())
}

fn crashed(path: &str, attempt: u32) -> Event {
    Event::AttemptEnded {
        path: path.to_owned(),
        attempt,
        outcome: Outcome::Crashed,
        message: Some(LOST.to_owned()),
        changes: Vec::new(),
    }
}

impl fmt::Display for RecoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the interrupted run {} cannot be resumed ({}); --new abandons it and starts afresh",
            self.run, self.reason
        )
    }
}

impl std::error::Error for RecoveryError {}

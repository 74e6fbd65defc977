//! A run that was interrupted: its events are given to a new scheduler once more, and it stands where it stood.

use std::fmt;
use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use tlc_plan::Plan;

use super::Evaluation;
use super::journal::is_teardown;
use crate::schedule::{Action, Command, Event, Outcome, Schedule, Settings, State, TeardownPolicy};
use crate::store::{EventRow, RunRow};

/// The kind of the entry that separates the parts of a run.
pub(super) const RESUMED: &str = "resumed";

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
}

/// Where a run stood.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub schedule: Schedule,
    /// Someone had stopped it.
    pub stopped: bool,
    /// It waits for a shutdown that was ordered.
    pub ordered: bool,
    /// How long it had taken.
    pub before: Duration,
}

/// What a run that was interrupted begins with.
#[derive(Debug, Default)]
pub(crate) struct Beginning {
    /// What the scheduler is told.
    pub events: Vec<Event>,
    /// Attempts that start once more.
    pub relaunched: Vec<(String, u32)>,
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

    /// As it was recorded.
    pub fn of(run: &RunRow) -> Result<Self, RecoveryError> {
        serde_json::from_str(&run.settings).map_err(|error| RecoveryError { run: run.run, reason: error.to_string() })
    }
}

/// Gives the recorded events to a new scheduler. What it answers has been done already, or is lost.
pub(crate) fn replay(
    plan: &Plan,
    evaluation: &Evaluation,
    run: &RunRow,
    settings: &RunSettings,
    events: &[EventRow],
) -> Result<Recovered, RecoveryError> {
    let schedule = settings.schedule(plan);
    let mut recovered = Recovered { schedule, stopped: false, ordered: false, before: Duration::ZERO };
    let mut last = 0;
    for row in events {
        if row.kind == RESUMED {
            recovered.before += part(std::mem::take(&mut last));
            continue;
        }
        let event: Event = serde_json::from_str(&row.body)
            .map_err(|error| RecoveryError { run: run.run, reason: format!("event {}: {error}", row.seq) })?;
        recovered.ordered &= !matches!(event, Event::Started { .. } | Event::AttemptEnded { .. });
        recovered.stopped |= matches!(event, Event::Command(Command::Stop { path: None, .. } | Command::Kill));
        let actions = recovered.schedule.on(plan, evaluation, event);
        recovered.ordered |= actions.iter().any(|action| matches!(action, Action::Shutdown { .. }));
        last = row.monotonic_us;
    }
    recovered.before += part(last);
    Ok(recovered)
}

fn part(microseconds: i64) -> Duration {
    Duration::from_micros(u64::try_from(microseconds).unwrap_or(0))
}

impl Recovered {
    /// How it goes on. An ordered shutdown has happened, and the scheduler knows what to do then; with the reference's policy an interruption
    /// ends the run (rule Z2). Otherwise the attempts that were running have crashed, and the run goes on as after any failure: with
    /// retries, with `action_on_failure`, and with teardowns where they stand. A teardown that was running starts again.
    pub fn beginning(&self, plan: &Plan, policy: TeardownPolicy, started: Event) -> Beginning {
        if self.ordered || policy == TeardownPolicy::Reference || !self.schedule.is_running() {
            return Beginning { events: vec![started], relaunched: Vec::new() };
        }
        let mut beginning = Beginning::default();
        for (path, &attempt) in self.schedule.active() {
            if starts_again(plan, path) {
                beginning.relaunched.push((path.clone(), attempt));
            } else {
                beginning.events.push(crashed(path, attempt));
            }
        }
        beginning
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

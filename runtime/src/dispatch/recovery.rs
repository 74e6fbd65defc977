//! A run that was interrupted: its events are given to a new scheduler once more, and it stands where it stood.

use std::fmt;
use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tlc_plan::Plan;

use super::Evaluation;
use crate::schedule::{Command, Event, History, Schedule, Settings, State};
use crate::store::{EventRow, RunRow};

/// The kind of the entry that separates the parts of a run.
pub(super) const RESUMED: &str = "resumed";

/// The kind of the event with which another plan takes the place of the one before it; its body has the plan's hash as `plan`.
pub(super) const PLAN_REPLACED: &str = "plan_replaced";

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
    /// What it had been told.
    pub history: History,
    /// How long it had taken.
    pub before: Duration,
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
    let mut schedule = settings.schedule(plan);
    let mut history = History::new(settings.path());
    let mut before = Duration::ZERO;
    let mut last = 0;
    for row in events {
        if row.kind == RESUMED {
            before += part(std::mem::take(&mut last));
            continue;
        }
        let event: Event = if row.kind == PLAN_REPLACED {
            (plan, evaluation) = editions.next().ok_or_else(missing)?;
            Event::PlanReplaced
        } else {
            serde_json::from_str(&row.body)
                .map_err(|error| RecoveryError { run: run.run, reason: format!("event {}: {error}", row.seq) })?
        };
        history.on(&mut schedule, plan, evaluation, event);
        last = row.monotonic_us;
    }
    before += part(last);
    Ok(Recovered { schedule, history, before })
}

fn part(microseconds: i64) -> Duration {
    Duration::from_micros(u64::try_from(microseconds).unwrap_or(0))
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

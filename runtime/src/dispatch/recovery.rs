//! A run that was interrupted: its events are given to a new scheduler once more, and it stands where it stood.

use std::fmt;
use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use tlc_plan::Plan;

use super::Evaluation;
use crate::schedule::{Action, Command, Event, Schedule, Settings, State};
use crate::store::{EventRow, RunRow};

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
    /// Whether what is untested runs when the teardowns have run: not if someone had stopped it, and not if it waits for a shutdown, after
    /// which the scheduler goes on by itself.
    pub goes_on: bool,
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
    let mut recovered = Recovered { schedule: settings.schedule(plan), goes_on: true, before: Duration::ZERO };
    let mut last = 0;
    let mut stopped = false;
    let mut ordered = false;
    for row in events {
        let event: Event = serde_json::from_str(&row.body)
            .map_err(|error| RecoveryError { run: run.run, reason: format!("event {}: {error}", row.seq) })?;
        match &event {
            Event::Started { .. } => {
                recovered.before += Duration::from_micros(u64::try_from(last).unwrap_or(0));
                ordered = false;
            }
            Event::Command(Command::Stop { path: None, .. } | Command::Kill) => stopped = true,
            Event::AttemptEnded { .. } => ordered = false,
            _ => {}
        }
        last = row.monotonic_us;
        let actions = recovered.schedule.on(plan, evaluation, event);
        ordered |= actions.iter().any(|action| matches!(action, Action::Shutdown { .. }));
    }
    recovered.before += Duration::from_micros(u64::try_from(last).unwrap_or(0));
    recovered.goes_on = !stopped && !ordered;
    Ok(recovered)
}

impl fmt::Display for RecoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the interrupted run {} cannot be resumed ({}); --new abandons it and starts afresh", self.run, self.reason)
    }
}

impl std::error::Error for RecoveryError {}

//! A run that was interrupted: its events are given to a new scheduler once more, and it stands where it stood.

use std::fmt;
use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use tlc_plan::Plan;

use super::Evaluation;
use crate::schedule::{Action, Command, Event, Schedule, Settings, State, Status};
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
    /// It waits for a shutdown that was ordered.
    pub ordered: bool,
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
    let mut recovered =
        Recovered { schedule: settings.schedule(plan), goes_on: true, ordered: false, before: Duration::ZERO };
    let mut last = 0;
    let mut stopped = false;
    let mut ordered = false;
    let mut left_out = Vec::new();
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
        for action in actions {
            match action {
                Action::Shutdown { .. } => ordered = true,
                Action::LeftOut { path, .. } => left_out.push(path),
                Action::RunStarted { .. } | Action::Round { .. } => left_out.clear(),
                _ => {}
            }
        }
    }
    recovered.before += Duration::from_micros(u64::try_from(last).unwrap_or(0));
    recovered.ordered = ordered;
    recovered.goes_on = !stopped && !ordered && has_more(plan, &recovered.schedule, &left_out);
    Ok(recovered)
}

/// Whether a test is untested for another reason than that it was left out after a failure, or was running.
fn has_more(plan: &Plan, schedule: &Schedule, left_out: &[String]) -> bool {
    let inside = |path: &str, group: &str| path == group || path.starts_with(&format!("{group}."));
    schedule.pending(plan).iter().any(|path| {
        let untested = schedule.states().get(path).is_some_and(|state| state.status == Status::Untested);
        untested && !left_out.iter().any(|group| inside(path, group))
    })
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

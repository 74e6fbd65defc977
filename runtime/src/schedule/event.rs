//! What a schedule is told: events, and the commands among them. They are recorded before they are acted on, so all of them serialise.

use serde::{Deserialize, Serialize};
use tlc_plan::Data;

use super::device;
use super::state::{Outcome, Status};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// The station's program started, for the first time or again. Every attempt that was running has been interrupted; a run that waited
    /// for an ordered shutdown continues (rules Z1 to Z3).
    Started {
        /// The device data, an object.
        device: Data,
    },
    /// An attempt ended, by itself or because of [`Action::End`](super::Action::End).
    AttemptEnded {
        /// The leaf.
        path: String,
        /// The number that [`Action::Start`](super::Action::Start) gave; another number is a late answer, and is ignored.
        attempt: u32,
        /// How it ended.
        outcome: Outcome,
        /// Why, for people; `None` if it passed.
        message: Option<String>,
        /// Device data that it changed and that was not reported by [`Event::DeviceDataChanged`].
        changes: Vec<DeviceChange>,
    },
    /// Device data changed.
    DeviceDataChanged {
        /// In their order.
        changes: Vec<DeviceChange>,
    },
    /// A running test asks for a shutdown (rule Z7). The answer is [`Action::Shutdown`](super::Action::Shutdown) or
    /// [`Action::ShutdownRefused`](super::Action::ShutdownRefused). If the machine stays up, the attempt ends like any other.
    ShutdownRequested {
        /// The leaf that asks.
        path: String,
    },
    /// The list was edited: the plan that comes with this event, and with every one after it, is a new one (rule U1).
    PlanReplaced,
    /// Someone wants something.
    Command(Command),
}

/// What an operator, or the command line, can ask for (rules AA1 to AA7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Runs the subtree around a path afresh; everything active is aborted. `None` is the whole list.
    Restart {
        /// Any path in the subtree: its rerun root is run.
        path: Option<String>,
    },
    /// Runs what is untested of the subtree around a path.
    AutoRun {
        /// Any path in the subtree.
        path: Option<String>,
    },
    /// Runs those tests of the subtree around a path that have one of these statuses.
    RunWithStatus {
        /// The filter.
        statuses: Vec<Status>,
        /// Any path in the subtree.
        path: Option<String>,
    },
    /// Aborts what is active at or below a path and goes on after it; without a path the run ends.
    Stop {
        /// Exactly this node; `None` is everything.
        path: Option<String>,
        /// The aborted tests fail; otherwise they become untested.
        fail: bool,
    },
    /// Ends what is active and the run, without teardowns whatever the policy says.
    Kill,
    /// Stops a node, makes it untested, and gives it back the list's iterations and retries.
    Clear {
        /// Exactly this node; `None` is everything.
        path: Option<String>,
    },
    /// What is active finishes; then the run ends.
    CancelPending,
    /// When the next attempt ends, the whole list is restarted.
    ScheduleRestart,
    /// Changes how often a node runs, from its next entry on.
    SetIterations {
        /// Exactly this node.
        path: String,
        /// At least 1, or -1 for no end; anything else is ignored with a note.
        iterations: i64,
        /// At least 0, or -1 for no end; anything else is ignored with a note.
        retries: i64,
    },
    /// A note for the operator; a critical one stops everything (rule AA7).
    AddNote {
        /// How grave it is.
        level: NoteLevel,
        /// What it says.
        text: String,
    },
    /// Forgets all notes; only in engineering mode.
    ClearNotes,
    /// Switches engineering mode, in which `require_run` only warns.
    SetEngineering {
        /// On or off.
        on: bool,
    },
}

/// How grave a note is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum NoteLevel {
    /// Good to know.
    Info,
    /// Shown until it is read.
    Warning,
    /// Nothing runs while it is the last note.
    Critical,
}

/// One change of the device data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceChange {
    /// The dotted key below `device`, for example `component.has_lte`.
    pub key: String,
    /// What stands there now, replacing the subtree; `None` if it was deleted.
    pub value: Option<Data>,
}

impl DeviceChange {
    /// Makes the change in device data.
    pub fn apply(&self, device: &mut Data) {
        device::apply(device, &self.key, self.value.clone());
    }
}

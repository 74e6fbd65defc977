//! The control socket: from another terminal, what a run does is shown, stopped and changed.
//!
//! In: requests, one JSON document a line, on a socket that lies beside the store and that nobody else may open. Out: an [`Answer`] each,
//! when what it says is durable. `docs/src/reference/control.md` describes the protocol.

mod client;
mod listener;
mod place;

use serde::{Deserialize, Serialize};

pub(crate) use client::ask;
pub(crate) use listener::{Asked, Control, Reply};

/// The version of the protocol.
pub const CONTROL_VERSION: u32 = 1;

/// A line of a client.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope<T> {
    /// The version of the protocol.
    pub version: u32,
    /// What is asked or answered.
    pub body: T,
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// What does the run do?
    Status {},
    /// Answer when the run has ended.
    Wait {},
    /// End what runs; the teardowns run, and the run ends.
    Stop {},
    /// End what runs at or below a path; the run goes on after it.
    Abort {
        /// The group or test.
        path: String,
    },
    /// End what runs, and run the subtree of a path afresh, and nothing else.
    Restart {
        /// Any path in the subtree.
        path: String,
    },
    /// End what runs at or below a path, and make it untested.
    Clear {
        /// The group or test.
        path: String,
    },
    /// Change how often a node runs, from its next entry on.
    SetIterations {
        /// The group or test.
        path: String,
        /// How often it is to pass; -1 for no end.
        iterations: i64,
        /// How often it may fail before it has failed; -1 for no end; what it was if nothing is said.
        retries: Option<i64>,
    },
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// It is recorded, and is being done.
    Done {},
    /// It is not done.
    Refused {
        /// Why, for people.
        reason: String,
    },
    /// There is no run any more that could do it.
    Over {},
    /// What the run does.
    Status {
        /// That.
        status: Box<RunStatus>,
    },
    /// The run has ended.
    Ended {
        /// The status of what was run.
        verdict: String,
        /// Whether that is good, and nobody stopped it.
        passed: bool,
    },
}

/// What a run does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunStatus {
    /// The number of the run in its store.
    pub run: i64,
    /// The id of the run.
    pub id: String,
    /// The list.
    pub list: String,
    /// The subtree that is run; empty for the whole list.
    pub root: String,
    /// What it does.
    pub state: RunState,
    /// The process of the station's program.
    pub process: u32,
    /// How long it has taken, in milliseconds.
    pub elapsed_ms: u64,
    /// The attempts that run.
    pub active: Vec<ActiveAttempt>,
    /// How many tests have which status, those with none left out.
    pub counts: Vec<StatusCount>,
}

/// What a run that is on does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It runs tests.
    Running,
    /// Someone stopped it; its teardowns run.
    Stopping,
    /// Someone killed it.
    Killing,
    /// It waits for room for its store.
    Paused,
    /// It waits for the machine to go down.
    ShuttingDown,
}

/// An attempt that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActiveAttempt {
    /// The test.
    pub path: String,
    /// Which start of the test.
    pub number: u32,
    /// For how long, in milliseconds.
    pub elapsed_ms: u64,
}

/// How many tests have a status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusCount {
    /// The status.
    pub status: String,
    /// How many.
    pub number: usize,
}

impl RunState {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopping => "stopping: its teardowns run",
            Self::Killing => "being killed",
            Self::Paused => "paused: there is no room left for the store",
            Self::ShuttingDown => "waiting for the machine to go down",
        }
    }
}

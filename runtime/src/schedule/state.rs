//! What is known of a node: status, counters, outcomes; and the verdict of a run.

use std::fmt;

use serde::{Deserialize, Serialize};
use tlc_plan::plan::{Count, Node};

/// The status of a node (rule W1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Not run, or not to the end.
    #[default]
    Untested,
    /// Running.
    Active,
    /// Its last attempt passed.
    Passed,
    /// Its last attempt did not pass.
    Failed,
    /// It failed, and a rule of `waived_tests` says that this does not count.
    FailedAndWaived,
    /// It was not to run.
    Skipped,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The test says that it passed.
    Passed,
    /// The test says that it failed.
    Failed,
    /// The test itself broke: its arguments, an exception, an exit code.
    Error,
    /// It took longer than it may.
    Timeout,
    /// It was ended by an operator or a command.
    Aborted,
    /// The machine or the station's program went away while it ran.
    Crashed,
}

/// The state of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Its status.
    pub status: Status,
    /// How its last attempt ended; `None` for a group, and before the first.
    pub outcome: Option<Outcome>,
    /// What was wrong the last time, until it starts again.
    pub message: Option<String>,
    /// How often it was started, ever; kept by [`Clear`](super::Command::Clear).
    pub count: u32,
    /// How many shutdowns the device came back from since it was last untested.
    pub shutdown_count: u32,
    /// How often it still has to pass.
    pub iterations_left: Remaining,
    /// How often it may still fail; -1 is one failure too many.
    pub retries_left: Remaining,
    /// How often it has to pass: the list's number, or the operator's.
    pub iterations: Count,
    /// How often it may fail: the list's number, or the operator's.
    pub retries: Count,
}

/// A counter on its way down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remaining {
    /// So many more.
    Times(i64),
    /// Without an end.
    Unlimited,
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The root of the subtree that was run.
    pub root: String,
    /// Its status.
    pub status: Status,
    /// How many attempts were started.
    pub attempts: u32,
}

impl State {
    /// The state of a node that nothing is known of.
    pub fn new(node: &Node) -> Self {
        Self {
            status: Status::Untested,
            outcome: None,
            message: None,
            count: 0,
            shutdown_count: 0,
            iterations_left: Remaining::Times(0),
            retries_left: Remaining::Times(0),
            iterations: node.iterations,
            retries: node.retries,
        }
    }
}

impl State {
    /// Sets the status; an untested node has had no shutdown (rule W3).
    pub(super) fn set_status(&mut self, status: Status) {
        self.status = status;
        if status == Status::Untested {
            self.shutdown_count = 0;
        }
    }

    /// A failure, which does not count if it is waived (rule W4).
    pub(super) fn fail(&mut self, waived: bool) {
        self.status = if waived { Status::FailedAndWaived } else { Status::Failed };
    }
}

impl Status {
    /// Its name, as lists and panels spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Untested => "UNTESTED",
            Self::Active => "ACTIVE",
            Self::Passed => "PASSED",
            Self::Failed => "FAILED",
            Self::FailedAndWaived => "FAILED_AND_WAIVED",
            Self::Skipped => "SKIPPED",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Untested, Self::Active, Self::Passed, Self::Failed, Self::FailedAndWaived, Self::Skipped]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

impl Remaining {
    /// Whether anything is left of a number of passes.
    pub fn is_positive(self) -> bool {
        match self {
            Self::Times(times) => times > 0,
            Self::Unlimited => true,
        }
    }

    /// Whether a number of failures has not been exceeded.
    pub fn is_not_exceeded(self) -> bool {
        match self {
            Self::Times(times) => times >= 0,
            Self::Unlimited => true,
        }
    }

    /// The number that people see: -1 where there is no end.
    pub fn number(self) -> i64 {
        match self {
            Self::Times(times) => times,
            Self::Unlimited => -1,
        }
    }

    /// One less, but not below `least`.
    #[must_use]
    pub fn lowered(self, least: i64) -> Self {
        match self {
            Self::Times(times) => Self::Times((times - 1).max(least)),
            Self::Unlimited => Self::Unlimited,
        }
    }
}

impl Verdict {
    /// Whether the run counts as passed.
    pub fn is_pass(&self) -> bool {
        match self.status {
            Status::Passed | Status::Skipped | Status::FailedAndWaived => true,
            Status::Untested | Status::Active | Status::Failed => false,
        }
    }
}

impl From<Count> for Remaining {
    fn from(count: Count) -> Self {
        match count {
            Count::Times(times) => Self::Times(i64::from(times)),
            Count::Unlimited => Self::Unlimited,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Aborted => "aborted",
            Self::Crashed => "crashed",
        })
    }
}

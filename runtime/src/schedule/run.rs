//! A run: where the iterator stands in the list. Everything is kept by path, so that it survives a reload of the list.

use serde::{Deserialize, Serialize};

use super::action::Cause;
use super::state::Status;

/// One run over a subtree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    /// The subtree's root.
    pub root: String,
    /// Runnable nodes with another status are passed over.
    pub filter: Option<Vec<Status>>,
    /// The open nodes, from the root down.
    pub frames: Vec<Frame>,
    /// Set by `STOP`: in every group only teardowns run.
    pub stopping: Option<Cause>,
    /// How many attempts it started.
    pub attempts: u32,
    /// What runs after it.
    pub successor: Option<NewRun>,
}

/// A run to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRun {
    /// The subtree's root.
    pub root: String,
    /// Runnable nodes with another status are passed over.
    pub filter: Option<Vec<Status>>,
    /// Everything in it becomes untested first.
    pub afresh: bool,
}

/// An open node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Frame {
    /// The node.
    pub path: String,
    /// What comes next.
    pub step: Step,
    /// Only teardowns run in this group.
    pub teardown_only: Option<Cause>,
    /// No further round begins, whatever the counters say.
    pub ending: bool,
    /// Whether `STOP` was in force when it was entered.
    pub entered_stopping: bool,
    /// `require_run`, or a missing program, kept it from starting.
    pub refused: bool,
    /// How many rounds began.
    pub rounds: u32,
    /// [`Run::attempts`] when this round began.
    pub attempts_before: u32,
}

/// What comes next in a frame (rule V1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// Whether it runs at all.
    Enter,
    /// Whether a round begins.
    Check,
    /// The body: the child at this position, or the node itself.
    Body {
        /// Which child.
        position: usize,
        /// The path of the child before, to find the place again after a reload.
        after: Option<String>,
    },
    /// The child at this position has ended.
    After {
        /// Which child.
        position: usize,
        /// Its path.
        child: String,
    },
    /// Nothing more.
    Leave,
}

//! A run: where the iterator stands in the list. Everything is kept by path, so that it survives a reload of the list.

use serde::{Deserialize, Serialize};

use super::action::Cause;
use super::event::Command;
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
    /// No further round begins and no child is judged, whatever the counters and the actions say.
    pub ending: bool,
    /// `STOP` was in force when it was entered, so a retry of this group cannot lift it.
    pub entered_stopping: bool,
    /// `require_run` kept it from starting.
    pub refused: bool,
    /// How many rounds began.
    pub rounds: u32,
    /// [`Run::attempts`] when this round began.
    pub attempts_before: u32,
    /// How often it was interrupted and started again.
    pub interruptions: u32,
}

/// What comes next in a frame (rule V1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// Whether it runs at all.
    Enter,
    /// Whether a round begins.
    Check,
    /// The node itself, if it is runnable; otherwise the child after this one, or the first.
    Body(Option<Child>),
    /// Nothing more.
    Leave,
}

/// A child that was opened: by path, and by position in case a reload removes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Child {
    /// Which.
    pub path: String,
    /// Its place among the children.
    pub position: usize,
}

impl Run {
    /// A run that stands before its root.
    pub fn new(root: String, filter: Option<Vec<Status>>) -> Self {
        let frames = vec![Frame::new(root.clone(), false)];
        // An empty filter is none.
        let filter = filter.filter(|statuses| !statuses.is_empty());
        Self { root, filter, frames, stopping: None, attempts: 0, successor: None }
    }
}

impl NewRun {
    /// The command that asks for it.
    pub fn command(&self) -> Command {
        let path = Some(self.root.clone());
        match &self.filter {
            _ if self.afresh => Command::Restart { path },
            Some(statuses) => Command::RunWithStatus { statuses: statuses.clone(), path },
            None => Command::RunWithStatus { statuses: Vec::new(), path },
        }
    }
}

impl Frame {
    /// A node that is about to be entered.
    pub fn new(path: String, entered_stopping: bool) -> Self {
        Self {
            path,
            step: Step::Enter,
            teardown_only: None,
            ending: false,
            entered_stopping,
            refused: false,
            rounds: 0,
            attempts_before: 0,
            interruptions: 0,
        }
    }
}

//! What a schedule answers: things to do, and things to show. They are in the order in which they are meant.

use serde::{Deserialize, Serialize};

use super::event::NoteLevel;
use super::state::{State, Status, Verdict};

/// Something to do, or to show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Start an attempt; the answer is an [`AttemptEnded`](super::Event::AttemptEnded).
    Start {
        /// The leaf.
        path: String,
        /// The number of this start, over the life of the leaf's state, from 1.
        attempt: u32,
        /// What kind of attempt.
        purpose: Purpose,
    },
    /// End a running attempt, its whole process group; the answer is an [`AttemptEnded`](super::Event::AttemptEnded). Nothing else starts before it came.
    End {
        /// The leaf.
        path: String,
        /// The attempt.
        attempt: u32,
        /// Why, for people.
        reason: String,
    },
    /// A node's state changed.
    StateChanged {
        /// The node.
        path: String,
        /// What it is now.
        state: State,
    },
    /// A node does not run, and is skipped if it has not passed.
    Skipped {
        /// The node.
        path: String,
        /// Why.
        why: SkipReason,
    },
    /// A node is passed over, its status stays: the run's filter leaves it out.
    PassedOver {
        /// The node.
        path: String,
        /// The status that the filter does not have.
        status: Status,
    },
    /// A node of an open group does not run any more, because only teardowns do.
    LeftOut {
        /// The node.
        path: String,
        /// Why only teardowns run.
        cause: Cause,
    },
    /// Another round of a group begins.
    Round {
        /// The group.
        path: String,
        /// Because the round before it failed; otherwise because it is to pass several times.
        retry: bool,
    },
    /// Shut the device down, as this step says.
    Shutdown {
        /// The step.
        path: String,
    },
    /// Do not shut down; the test that asked is told why.
    ShutdownRefused {
        /// The test that asked.
        path: String,
        /// Why.
        reason: String,
    },
    /// A run begins.
    RunStarted {
        /// The subtree's root.
        root: String,
        /// Tests with one of these statuses run; `None`: all.
        filter: Option<Vec<Status>>,
    },
    /// The run ended: nothing is active, and nothing will start by itself.
    RunFinished {
        /// What came of it.
        verdict: Verdict,
    },
    /// Something to tell the operator.
    Note {
        /// How grave it is.
        level: NoteLevel,
        /// What it says.
        text: String,
    },
}

/// What kind of attempt is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Purpose {
    /// The test itself; for a shutdown step, the part before the shutdown.
    Test,
    /// The check after a shutdown: the second half of a shutdown step.
    AfterShutdown {
        /// Why it fails whatever it finds.
        error: Option<String>,
    },
}

/// Why a node is skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case", deny_unknown_fields)]
pub enum SkipReason {
    /// Its `run_if` is false.
    RunIf {
        /// The condition's text.
        condition: String,
    },
    /// A rule of `skipped_tests` names it.
    Rule {
        /// The phase or the condition of the rule.
        rule: String,
        /// The pattern that matches.
        pattern: String,
    },
    /// It lies before the node with which the run begins.
    From {
        /// The node.
        path: String,
    },
    /// It was skipped before, and nothing in it would run now.
    Before,
}

/// Why only teardowns run in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case", deny_unknown_fields)]
pub enum Cause {
    /// A node failed whose `action_on_failure` is not `NEXT`.
    Failure {
        /// The node.
        path: String,
    },
    /// A test failed, and the list says `stop_on_failure`.
    StopOnFailure {
        /// The test.
        path: String,
    },
    /// The operator stopped it.
    Stopped,
    /// The operator started another run.
    Replaced,
    /// A restart interrupted it.
    Interrupted,
    /// A node that was running is not in the list any more.
    Vanished {
        /// The node.
        path: String,
    },
}

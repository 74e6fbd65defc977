//! What a schedule is set to: the station's policy, and the options of the list that it obeys.

use serde::{Deserialize, Serialize};
use tlc_plan::Data;

/// What the station decides; the rest is the list's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Whether teardowns run when a run does not go its normal way.
    pub teardown: TeardownPolicy,
    /// The phase, instead of the list's.
    pub phase: Option<String>,
    /// Whether a start of the program starts a run, instead of the list's `auto_run_on_start`. A run that a restart interrupted, and that
    /// may go on, follows the list.
    pub auto_run: Option<bool>,
    /// What lies before this node in the list is skipped.
    #[serde(default)]
    pub from: Option<String>,
}

/// Whether teardowns run when a run does not go its normal way. (They always run after a failure.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TeardownPolicy {
    /// The teardowns of every group that was entered run, also after a stop, an abort of the group, `stop_on_failure`, another run's
    /// start, and a restart that interrupted the run. Only [`Kill`](super::Command::Kill) and a critical note leave them out.
    #[default]
    Always,
    /// They run only when the group reaches them: after the tests before them, or after a failure.
    Reference,
}

/// The options of a list that the scheduler obeys (rule O1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// A start of the program starts the untested tests.
    pub auto_run_on_start: bool,
    /// Then the failed ones run, too.
    pub retry_failed_on_start: bool,
    /// Then nothing is remembered.
    pub clear_state_on_start: bool,
    /// Nothing starts after a failure.
    pub stop_on_failure: bool,
    /// Which rules of `skipped_tests` and `waived_tests` hold.
    pub phase: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            auto_run_on_start: true,
            retry_failed_on_start: false,
            clear_state_on_start: false,
            stop_on_failure: false,
            phase: None,
        }
    }
}

impl Options {
    /// The options in a list's resolved `options`; what is missing has its default.
    pub fn read(options: &Data) -> Self {
        let default = Self::default();
        let flag = |name, or| options.get(name).map_or(or, Data::is_truthy);
        Self {
            auto_run_on_start: flag("auto_run_on_start", default.auto_run_on_start),
            retry_failed_on_start: flag("retry_failed_on_start", default.retry_failed_on_start),
            clear_state_on_start: flag("clear_state_on_start", default.clear_state_on_start),
            stop_on_failure: flag("stop_on_failure", default.stop_on_failure),
            phase: options.get("phase").and_then(Data::as_str).map(str::to_owned),
        }
    }
}

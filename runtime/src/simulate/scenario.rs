//! Scripted scenarios: a plan and a script of outcomes and commands go in; what was started, in order, and the final states come out.
//!
//! The format is that of a corpus of recorded runs. The caller builds the plan from the scenario's `tests` and `options`. Without
//! `teardown` the policy is [`TeardownPolicy::Reference`].

mod player;
mod words;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use tlc_plan::Data;
use tlc_plan::plan::Plan;

use super::Evaluation;
use crate::schedule::{State, Status, TeardownPolicy};
use player::Player;

/// A script. What the list is made of (`tests`, `options`) is the plan's matter, and kept as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is called.
    #[serde(default)]
    pub name: String,
    /// What it shows.
    #[serde(default)]
    pub why: String,
    /// The list's tests.
    #[serde(default)]
    pub tests: serde_json::Value,
    /// The list's options.
    #[serde(default)]
    pub options: serde_json::Value,
    /// Other sections of the list.
    #[serde(default)]
    pub constants: serde_json::Value,
    /// How starts end: path to outcomes in order, the last one repeats.
    #[serde(default)]
    pub outcomes: IndexMap<String, Vec<serde_json::Value>>,
    /// Statuses that are stored before the start.
    #[serde(default)]
    pub initial: IndexMap<String, Status>,
    /// Device data before the start, by dotted keys with or without `device.` before them.
    #[serde(default)]
    pub device: IndexMap<String, serde_json::Value>,
    /// Commands at moments, in order, each once.
    #[serde(default)]
    pub events: Vec<Moment>,
    /// How the checks after a shutdown end, in order; then they pass.
    #[serde(default)]
    pub post: Vec<serde_json::Value>,
    /// The observer stops after so many starts.
    #[serde(default)]
    pub max: Option<usize>,
    /// The policy.
    #[serde(default = "reference")]
    pub teardown: TeardownPolicy,
}

fn reference() -> TeardownPolicy {
    TeardownPolicy::Reference
}

/// Commands, and when they come.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// `idle`, or `active:` and a path.
    pub on: String,
    /// One command or several; a command is an array of its word and its arguments.
    #[serde(rename = "do")]
    pub commands: serde_json::Value,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recording {
    /// What was started and commanded, in order.
    pub sequence: Vec<String>,
    /// The final state of each node, by path.
    pub states: IndexMap<String, FinalState>,
}

/// A node's state at the end; counters without an end are -1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FinalState {
    /// Its status.
    pub status: Status,
    /// How often it was started.
    pub count: u32,
    /// What was wrong.
    pub error_msg: Option<String>,
    /// What is left of its iterations.
    pub iterations_left: i64,
    /// What is left of its retries.
    pub retries_left: i64,
    /// How many shutdowns it came back from.
    pub shutdown_count: u32,
}

impl Scenario {
    /// The device data before the start, an object.
    pub fn device_data(&self) -> Data {
        let mut device = Data::object(IndexMap::new());
        for (key, value) in &self.device {
            words::read_change(key, value).apply(&mut device);
        }
        device
    }
}

/// Plays a scenario; or says which part of the script is not understood.
pub fn play(plan: &Plan, evaluation: &dyn Evaluation, scenario: &Scenario) -> Result<Recording, String> {
    let mut player = Player::new(plan, evaluation, scenario)?;
    player.play()?;
    Ok(player.recording())
}

impl From<&State> for FinalState {
    fn from(state: &State) -> Self {
        Self {
            status: state.status,
            count: state.count,
            error_msg: state.message.clone(),
            iterations_left: state.iterations_left.number(),
            retries_left: state.retries_left.number(),
            shutdown_count: state.shutdown_count,
        }
    }
}

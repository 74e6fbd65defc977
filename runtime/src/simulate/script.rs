//! What is supposed to happen in a simulation. What the script does not name passes.

use indexmap::IndexMap;
use tlc_plan::Data;
use tlc_plan::plan::Plan;

use crate::schedule::Settings;

/// A script.
#[derive(Clone, Debug)]
pub struct Script {
    /// Tests that fail, each so often; `None`: always. A group stands for every test in it.
    pub fail: Vec<(String, Option<u32>)>,
    /// Nodes that the operator aborts when a test in them starts for the first time.
    pub abort: Vec<String>,
    /// Nodes in which the power goes when a test in them starts for the first time.
    pub crash_at: Vec<String>,
    /// Nodes at which the operator stops everything when a test in them starts for the first time.
    pub stop: Vec<String>,
    /// What is run; `None`: the whole list.
    pub only: Option<String>,
    /// The device data, an object.
    pub device: Data,
    /// The policy, and the phase.
    pub settings: Settings,
    /// How long tests take, in seconds, by path; those that are missing take no time.
    pub durations: IndexMap<String, f64>,
    /// Tests that run beside each other and take equally long end in an order drawn from this; `None`: in the list's order.
    pub seed: Option<u64>,
    /// After so many attempts the simulation gives up; there are lists without an end.
    pub limit: u32,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            fail: Vec::new(),
            abort: Vec::new(),
            crash_at: Vec::new(),
            stop: Vec::new(),
            only: None,
            device: Data::object(IndexMap::new()),
            settings: Settings::default(),
            durations: IndexMap::new(),
            seed: None,
            limit: 10_000,
        }
    }
}

impl Script {
    /// The paths of the script that the list does not have.
    pub fn unknown_paths(&self, plan: &Plan) -> Vec<String> {
        let fail = self.fail.iter().map(|(path, _)| path);
        let paths = fail
            .chain(&self.abort)
            .chain(&self.crash_at)
            .chain(&self.stop)
            .chain(&self.only)
            .chain(&self.settings.from);
        paths.filter(|path| plan.find(path).is_none()).cloned().collect()
    }
}

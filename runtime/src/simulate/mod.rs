//! What-if: the real scheduler on a virtual clock, with scripted tests. Nothing is started, nothing is stored.

use tlc_plan::Data;
use tlc_plan::plan::{NodeId, Plan};

use crate::schedule::Conditions;

pub mod scenario;

/// What a simulation asks of expressions: the scheduler's questions, and whether a leaf's arguments can be evaluated at its start.
pub trait Evaluation: Conditions {
    /// Evaluates the arguments of a leaf; or says why that fails, which fails the attempt.
    fn arguments(&self, plan: &Plan, leaf: NodeId, device: &Data) -> Result<(), String>;
}

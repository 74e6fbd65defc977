//! What-if: the real scheduler on a virtual clock, with scripted tests. Nothing is started, nothing is stored.
//!
//! [`run`] plays one script and gives a [`Timeline`]; [`every_failure`] plays one for each leaf; [`scenario`] plays recorded scenarios.

mod durations;
mod evaluation;
mod failures;
mod player;
pub mod scenario;
mod script;
mod timeline;

use tlc_plan::Data;
use tlc_plan::plan::{NodeId, Plan};

use crate::schedule::Conditions;

pub use durations::{Durations, durations};
pub use evaluation::evaluation;
pub use failures::{Consequence, Expectation, Expected, every_failure};
pub use player::run;
pub use script::Script;
pub use timeline::{Entry, Happening, Timeline};

/// What a simulation asks of expressions: the scheduler's questions, and whether a leaf's arguments can be evaluated at its start.
pub trait Evaluation: Conditions {
    /// Evaluates the arguments of a leaf; or says why that fails, which fails the attempt.
    fn arguments(&self, plan: &Plan, leaf: NodeId, device: &Data) -> Result<(), String>;
}

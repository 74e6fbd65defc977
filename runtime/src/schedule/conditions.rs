//! The seam to the evaluator: what a schedule asks of expressions. The schedule itself evaluates nothing, so tests can script the answers.

use tlc_plan::plan::Plan;
use tlc_plan::template::ExpressionUse;
use tlc_plan::{Data, Template};

/// Answers what expressions of a plan give. The same question must always have the same answer.
pub trait Conditions {
    /// Whether a `run_if`, or the key of a rule, is true with this device data; or why that cannot be said.
    fn holds(&self, plan: &Plan, expression: ExpressionUse, device: &Data) -> Result<bool, String>;

    /// What a template of the list's options gives with this device data; or why that cannot be said.
    fn resolve(&self, plan: &Plan, template: &Template, device: &Data) -> Result<Data, String>;
}

/// For a plan without expressions: data is itself, every expression is an error.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoExpressions;

impl Conditions for NoExpressions {
    fn holds(&self, _: &Plan, _: ExpressionUse, _: &Data) -> Result<bool, String> {
        Err("expressions are not evaluated here".to_owned())
    }

    fn resolve(&self, _: &Plan, template: &Template, _: &Data) -> Result<Data, String> {
        template.as_data().cloned().ok_or_else(|| "expressions are not evaluated here".to_owned())
    }
}

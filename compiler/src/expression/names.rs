//! Whether the names of an expression are bound where it stands.

use tlc_plan::expression::Expression;

use super::SyntaxError;

/// Where an expression stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// An argument, a program or a limit (reference: R3).
    Argument,
    /// A `run_if`, or a key of `skipped_tests` or `waived_tests` (reference: Q1).
    RunIf,
    /// Locals (reference: I2): as arguments; `dut` and `station` are null there.
    Locals,
    /// Options (reference: O3): as locals, but without `options` and `locals`.
    Options,
}

/// The names of an expression that are not bound in this context, in the order of their places.
pub fn check_names(expression: &Expression, context: Context) -> Vec<SyntaxError> {
    let _ = (expression, context);
    Vec::new()
}

//! `unknown-phase`: a key of `skipped_tests` or `waived_tests` is neither a phase nor a condition. Such a rule never holds, because a
//! condition that fails counts as false there (reference: P1).

use tlc_plan::plan::PHASES;

use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::document::Entry;
use crate::document::Symbol;
use crate::expression::{Context, check_names};
use crate::source::Span;
use crate::tree::{Evaluation, TestTree};

use super::{Checked, RULES};

pub(super) fn check(
    tree: &TestTree,
    list: &Checked<'_>,
    evaluation: &mut Evaluation,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for option in RULES {
        let written = tree.options.get(option).and_then(|setting| setting.written).map(|node| list.arena.entry(node));
        for member in written.map(Entry::members).unwrap_or_default() {
            let key = list.arena.text(member.key);
            if !PHASES.contains(&key) && never_holds(member.key, list, evaluation) {
                diagnostics.push(no_phase(option, key, member.key_span));
            }
        }
    }
}

/// Whether a key that is no phase is nearly one, or is no expression.
fn never_holds(key: Symbol, list: &Checked<'_>, evaluation: &mut Evaluation) -> bool {
    let is_condition = |expression: &_| check_names(expression, Context::RunIf).is_empty();
    did_you_mean(list.arena.text(key), PHASES).is_some()
        || !evaluation.expression(key, 0, list.arena).as_ref().as_ref().is_ok_and(is_condition)
}

fn no_phase(option: &str, key: &str, span: Span) -> Diagnostic {
    let message = format!("`{option}` has rules for `{key}`, which is neither a phase nor a condition");
    let help = did_you_mean(key, PHASES).unwrap_or_else(|| {
        format!(
            "a key is one of {}, or an expression of `device` and `constants`",
            PHASES.map(|phase| format!("`{phase}`")).join(", ")
        )
    });
    Diagnostic::denied("unknown-phase", message, span, "never holds").help(help)
}

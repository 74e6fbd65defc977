//! `unknown-phase`: a key of `skipped_tests` or `waived_tests` is neither a phase nor a condition. Such a rule never holds, because a
//! condition that fails counts as false there (reference: P1). Or the phase of the list itself is none (reference: O4).

use tlc_plan::plan::PHASES;

use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::document::Entry;
use crate::document::Symbol;
use crate::expression::{Context, check_names};
use crate::source::Span;
use crate::tree::{Evaluation, TestTree};
use crate::words;

use super::{Checked, RULES};

pub(super) fn check(
    tree: &TestTree,
    list: &Checked<'_>,
    evaluation: &mut Evaluation,
    diagnostics: &mut Vec<Diagnostic>,
) {
    diagnostics.extend(phase_of_the_list(tree, list));
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

/// The phase that a list is made for, if it is none.
fn phase_of_the_list(tree: &TestTree, list: &Checked<'_>) -> Option<Diagnostic> {
    let setting = tree.options.get("phase").filter(|setting| !setting.reads_device)?;
    // What only lacks a space is an expression, and another finding.
    let is_expression = |phase: &str| phase.starts_with(words::EVAL.trim_end());
    let phase = setting.value.as_str().filter(|phase| !PHASES.contains(phase) && !is_expression(phase))?;
    let option = list.arena.entry(setting.written?);
    let constants = list.config.get(list.arena, words::CONSTANTS).map(|constants| list.arena.entry(constants));
    let constant = constants.and_then(|constants| constants.get("phase"));
    // It usually stands among the constants.
    let of_constants = constant.filter(|constant| constant.as_str() == Some(phase) && option.as_str() != Some(phase));
    let place = of_constants.unwrap_or(option).span();
    let message = format!("the phase of the list is `{phase}`, which is none: rules for phases never hold");
    let help = did_you_mean(phase, PHASES).unwrap_or_else(|| format!("it is one of {}", phases()));
    Some(Diagnostic::denied("unknown-phase", message, place, "not a phase").help(help))
}

fn phases() -> String {
    PHASES.map(|phase| format!("`{phase}`")).join(", ")
}

/// Whether a key that is no phase is nearly one, or is no expression.
fn never_holds(key: Symbol, list: &Checked<'_>, evaluation: &mut Evaluation) -> bool {
    let is_condition = |expression: &_| check_names(expression, Context::RunIf).is_empty();
    did_you_mean(list.arena.text(key), PHASES).is_some()
        || !evaluation.expression(key, 0, list.arena).as_ref().as_ref().is_ok_and(is_condition)
}

fn no_phase(option: &str, key: &str, span: Span) -> Diagnostic {
    let message = format!("`{option}` has rules for `{key}`, which is neither a phase nor a condition");
    let help = did_you_mean(key, PHASES)
        .unwrap_or_else(|| format!("a key is one of {}, or an expression of `device` and `constants`", phases()));
    Diagnostic::denied("unknown-phase", message, span, "never holds").help(help)
}

//! `unknown-phase`: a key of `skipped_tests` or `waived_tests` is neither a phase nor a condition. Such a rule never holds, because a
//! condition that fails counts as false there (reference: P1).

use tlc_plan::plan::PHASES;

use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::document::Entry;
use crate::expression::{Context, check_names, parse};
use crate::source::Span;
use crate::tree::TestTree;

use super::{Checked, RULES};

pub(super) fn check(tree: &TestTree, list: &Checked<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for option in RULES {
        let written = tree.options.get(option).and_then(|setting| setting.written).map(|node| list.arena.entry(node));
        for member in written.map_or(&[][..], Entry::members) {
            let key = list.arena.text(member.key);
            if !PHASES.contains(&key) && never_holds(key) {
                diagnostics.push(no_phase(option, key, member.key_span));
            }
        }
    }
}

/// Whether a key that is no phase is nearly one, or is no expression.
fn never_holds(key: &str) -> bool {
    did_you_mean(key, PHASES).is_some()
        || parse(key).map_or(true, |expression| !check_names(&expression, Context::RunIf).is_empty())
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

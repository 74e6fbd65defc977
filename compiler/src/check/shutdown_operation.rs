//! `missing-argument`, `wrong-argument`: a shutdown step does not say what it is to do, or says something that no machine does
//! (reference: H3). Each attempt of it fails.

use tlc_plan::Data;

use crate::arguments::Given;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::document::Arena;
use crate::tree::{Evaluation, TestTree};

use super::python_tests::place;

/// The argument that says it.
const OPERATION: &str = "operation";

const OPERATIONS: [&str; 4] = ["reboot", "full_reboot", "halt", "direct_ec_reboot"];

pub(super) fn check(tree: &TestTree, arena: &Arena, evaluation: &mut Evaluation, diagnostics: &mut Vec<Diagnostic>) {
    for id in tree.preorder().filter(|id| tree.is_leaf(*id) && tree.test(*id).class.is_shutdown()) {
        let path = tree.path(arena, id);
        let known = OPERATIONS.map(|operation| format!("`{operation}`")).join(", ");
        // One that says nothing has `null`.
        let member = arena.entry(tree.test(id).args).member(OPERATION).copied();
        let given = member.map(|member| evaluation.given(member.value, tree.locals_of(id), arena));
        let (Some(member), Some(Given::Data(operation))) = (member, given) else { continue };
        if operation == Data::Null {
            let message = format!("`{path}`: the argument `{OPERATION}` is required, found none");
            let finding = Diagnostic::denied("missing-argument", message, place(tree, arena, id), "not given here");
            diagnostics.push(finding.help(format!("add `\"{OPERATION}\"` to the `args`: one of {known}")));
            continue;
        }
        let word = operation.as_str().unwrap_or_default();
        if !OPERATIONS.contains(&word) {
            let message = format!(
                "`{path}`: the argument `{OPERATION}` is one of {known}, found `{}`",
                Data::to_string(&operation)
            );
            let finding =
                Diagnostic::denied("wrong-argument", message, arena.entry(member.value).span(), "not allowed");
            diagnostics
                .push(finding.help(did_you_mean(word, OPERATIONS).unwrap_or_else(|| format!("give one of {known}"))));
        }
    }
}

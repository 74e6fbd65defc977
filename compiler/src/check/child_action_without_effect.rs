//! `child-action-without-effect`: a leaf has `child_action_on_failure`, which is for the tests of a group (reference: J1).

use crate::diagnostic::Diagnostic;
use crate::document::Arena;
use crate::source::Span;
use crate::tree::TestTree;
use crate::words;

pub(super) fn check(tree: &TestTree, arena: &Arena, diagnostics: &mut Vec<Diagnostic>) {
    if !tree.has_field(words::CHILD_ACTION_ON_FAILURE) {
        return;
    }
    for id in tree.preorder().skip(1).filter(|id| tree.is_leaf(*id) && !tree.is_incomplete(*id)) {
        if let Some(field) = arena.entry(tree.test(id).object).member(words::CHILD_ACTION_ON_FAILURE) {
            diagnostics.push(has_no_children(&tree.path(arena, id), field.key_span));
        }
    }
}

fn has_no_children(path: &str, span: Span) -> Diagnostic {
    let message = format!("`{path}` has `child_action_on_failure`, and no tests in it");
    Diagnostic::warning("child-action-without-effect", message, span, "no effect")
        .help("`action_on_failure` says what a failure of this test does; remove the other")
}

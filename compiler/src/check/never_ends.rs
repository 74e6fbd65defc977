//! `never-ends`: a test is repeated without an end, whether it passes or fails, and others come after it. A loop that comes last is what
//! a station does that waits for one unit after the other.

use tlc_plan::plan::Count;

use crate::diagnostic::Diagnostic;
use crate::document::Arena;
use crate::source::Span;
use crate::tree::{TestId, TestTree};
use crate::words;

pub(super) fn check(tree: &TestTree, arena: &Arena, diagnostics: &mut Vec<Diagnostic>) {
    if !tree.has_field(words::ITERATIONS) {
        return;
    }
    for id in tree.preorder().skip(1) {
        let test = tree.test(id);
        if (test.iterations(), test.retries()) != (Count::Unlimited, Count::Unlimited) {
            continue;
        }
        let Some(next) = next_after(tree, id) else { continue };
        let place = |field| arena.entry(test.object).member(field).map_or(test.span(arena), |member| member.key_span);
        let paths = (tree.path(arena, id), tree.path(arena, next));
        let finding = without_end(&paths.0, &paths.1, place("iterations"), place("retries"));
        diagnostics.push(finding.label(tree.test(next).span(arena), "never runs"));
    }
}

/// What comes after a test, in its group or in one around it.
fn next_after(tree: &TestTree, id: TestId) -> Option<TestId> {
    tree.ancestors(id).find_map(|node| tree.next_sibling(node))
}

fn without_end(path: &str, next: &str, iterations: Span, retries: Span) -> Diagnostic {
    let message = format!("`{path}` never ends, so that `{next}` never runs");
    Diagnostic::warning("never-ends", message, iterations, "again when it passes")
        .label(retries, "again when it fails")
        .help("give one of them a number")
}

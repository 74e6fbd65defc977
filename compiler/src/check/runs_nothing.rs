//! `runs-nothing`: a leaf has nothing to run. The reference accepts it and then waits for ever (reference: E7, Z9); here each attempt
//! fails.

use crate::diagnostic::{Diagnostic, Severity};
use crate::document::Arena;
use crate::source::Span;
use crate::tree::{TestId, TestTree};
use crate::words;

pub(super) fn check(tree: &TestTree, arena: &Arena, diagnostics: &mut Vec<Diagnostic>) {
    for id in tree.preorder().skip(1).filter(|id| runs_nothing(tree, arena, *id)) {
        let test = tree.test(id);
        if is_refused(test.span(arena), diagnostics) {
            continue;
        }
        let written = arena.entry(test.object);
        let empty = [("subtests", words::SUBTESTS), ("exec", words::EXEC)]
            .into_iter()
            .find_map(|(field, symbol)| Some((field, written.member(symbol)?.key_span)));
        diagnostics.push(nothing_to_run(&tree.path(arena, id), test.span(arena), empty));
    }
}

/// Whether something in the test is refused, which may be what it was meant to run.
fn is_refused(test: Span, diagnostics: &[Diagnostic]) -> bool {
    let within = |span: Span| test.start <= span.start && span.end() <= test.end();
    let refused = diagnostics.iter().filter(|found| found.severity == Severity::Error);
    refused.filter_map(|found| found.labels.first()).any(|label| within(label.span))
}

fn runs_nothing(tree: &TestTree, arena: &Arena, id: TestId) -> bool {
    let test = tree.test(id);
    let runs_python = test.pytest_name.is_some_and(|name| name != words::NOTHING);
    if runs_python || !tree.is_leaf(id) || test.class.is_shutdown() || tree.is_incomplete(id) {
        return false;
    }
    arena.entry(test.object).get(words::EXEC).is_none_or(|exec| exec.items().len() == 0)
}

fn nothing_to_run(path: &str, span: Span, empty: Option<(&str, Span)>) -> Diagnostic {
    match empty {
        Some(("exec", exec)) => {
            Diagnostic::denied("runs-nothing", format!("`{path}` runs nothing"), exec, "names no program")
                .help("name a program, then its arguments; until then it fails when it is run")
        }
        Some((_, subtests)) => {
            Diagnostic::denied("runs-nothing", format!("the group `{path}` has no tests"), span, "this group")
                .label(subtests, "empty")
                .help("add tests, or remove the group; until then it fails when it is run")
        }
        None => Diagnostic::denied("runs-nothing", format!("`{path}` runs nothing"), span, "no program and no tests")
            .help("add `pytest_name`, `exec` or `subtests`; until then it fails when it is run"),
    }
}

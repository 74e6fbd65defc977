//! `test-syntax`: the source of a Python test is no Python, so that every attempt fails.

use hashbrown::HashSet;

use crate::arguments::{Unchecked, Unusable};
use crate::diagnostic::Diagnostic;
use crate::document::Arena;
use crate::source::Span;
use crate::tree::TestTree;

use super::PythonTests;
use super::python_tests::{Found, place};

pub(super) fn check(tree: &TestTree, tests: &PythonTests, arena: &Arena, diagnostics: &mut Vec<Diagnostic>) {
    let mut seen = HashSet::new();
    for id in tree.preorder() {
        let Some((name, Found::Unusable(_, Unusable::Syntax(error)))) = tests.of(tree, arena, id) else { continue };
        if seen.insert(name) {
            diagnostics.push(no_python(arena.text(name), error, place(tree, arena, id)));
        }
    }
}

fn no_python(name: &str, error: &Unchecked, named: Span) -> Diagnostic {
    let message = format!("the source of the Python test `{name}` is no Python: {}", error.reason);
    Diagnostic::denied("test-syntax", message, error.span, "here")
        .label(named, "this test runs it")
        .help("correct the source; until then the test fails when it is run")
}

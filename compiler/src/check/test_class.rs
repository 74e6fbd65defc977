//! `test-class`: a Python test has no test class, or several, so that every attempt fails (reference: BB2).

use hashbrown::HashSet;
use std::path::Path;

use crate::arguments::Unusable;
use crate::diagnostic::Diagnostic;
use crate::document::Arena;
use crate::source::{SourceMap, Span};
use crate::tree::TestTree;

use super::PythonTests;
use super::python_tests::{Found, place};

pub(super) fn check(
    tree: &TestTree,
    tests: &PythonTests,
    arena: &Arena,
    sources: &SourceMap,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut seen = HashSet::new();
    for id in tree.preorder() {
        let Some((name, Found::Unusable(file, unusable))) = tests.of(tree, arena, id) else { continue };
        if !seen.insert(name) {
            continue;
        }
        let (name, named) = (arena.text(name), place(tree, arena, id));
        diagnostics.extend(match unusable {
            Unusable::Syntax(_) => None,
            Unusable::NoClass => Some(no_class(name, sources.path(*file), named)),
            Unusable::Classes(first, second) => Some(several(name, *first, *second, named)),
        });
    }
}

fn no_class(name: &str, file: &Path, named: Span) -> Diagnostic {
    let message = format!("the Python test `{name}` has no test class in `{}`", file.display());
    Diagnostic::denied("test-class", message, named, "this test").help(
        "derive one class of the file from `unittest.TestCase` or `tlc.TestCase`; one that is imported does not count",
    )
}

fn several(name: &str, first: Span, second: Span, named: Span) -> Diagnostic {
    Diagnostic::denied(
        "test-class",
        format!("the Python test `{name}` has several test classes"),
        second,
        "another one",
    )
    .label(first, "the first one")
    .label(named, "this test")
    .help("leave one in the file; a class that several tests are derived from goes to a module of its own")
}

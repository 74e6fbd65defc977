//! `unknown-test`: `pytest_name` names a Python test that is not in the tests directory so that every attempt fails.

use hashbrown::HashSet;
use std::path::Path;

use crate::diagnostic::{Diagnostic, Suggestions};
use crate::document::Arena;
use crate::source::{self, Span};
use crate::tree::TestTree;
use crate::words;

use super::PythonTests;
use super::python_tests::Found;

pub(super) fn check(tree: &TestTree, tests: &PythonTests, arena: &Arena, diagnostics: &mut Vec<Diagnostic>) {
    let mut known: Option<Vec<String>> = None;
    let mut seen = HashSet::new();
    let mut suggestions = Suggestions::default();
    for id in tree.preorder() {
        let Some((name, Found::Missing)) = tests.of(tree, arena, id) else { continue };
        let Some(written) = arena.entry(tree.test(id).object).get(words::PYTEST_NAME) else { continue };
        if !seen.insert(written.span()) {
            continue;
        }
        let known = known.get_or_insert_with(|| names_in(&tests.directory));
        let meant = suggestions.did_you_mean(arena.text(name), known.iter().map(String::as_str));
        diagnostics.push(unknown(arena.text(name), written.span(), &tests.directory, meant));
    }
}

/// The names of the tests in a directory: `a.b` for `a/b.py`.
fn names_in(directory: &Path) -> Vec<String> {
    let files = source::files_below(directory, ".py").files;
    let within = files.iter().filter_map(|file| file.strip_prefix(directory).ok());
    let names = within.map(|file| file.with_extension("").to_string_lossy().replace('/', "."));
    names.map(|name| name.strip_suffix(".__init__").map_or(name.clone(), str::to_owned)).collect()
}

fn unknown(name: &str, span: Span, directory: &Path, meant: Option<String>) -> Diagnostic {
    let message = format!("there is no Python test `{name}` in `{}`", directory.display());
    let file = directory.join(name.replace('.', "/")).with_extension("py");
    let help = meant.unwrap_or_else(|| format!("the test is the file `{}`", file.display()));
    Diagnostic::denied("unknown-test", message, span, "not there").help(help)
}

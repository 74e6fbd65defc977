//! `require_run`: names of tests to tests, after numbering.

use crate::diagnostic::Diagnostic;
use crate::document::{Arena, Entry, Value};
use crate::source::Span;
use crate::words;

use super::paths::PathIndex;
use super::{NearPaths, TestId, TestTree};

/// Finds what every node requires.
pub(super) fn resolve(tree: &mut TestTree, list: &str, arena: &Arena, diagnostics: &mut Vec<Diagnostic>) {
    let mut near = NearPaths::default();
    let mut paths = PathIndex::default();
    if !tree.has_field(words::REQUIRE_RUN) {
        return;
    }
    for id in tree.preorder() {
        let Some(field) = arena.entry(tree.test(id).object).get(words::REQUIRE_RUN) else { continue };
        let mut found = Vec::new();
        for (text, span) in written(field) {
            let path = absolute(tree, list, arena, id, &text);
            match paths.find(tree, arena, &path) {
                Some(required) => found.push(required),
                None if paths.may_lack(tree, arena, &path) => {}
                None => {
                    let help = near.did_you_mean(text.trim_start_matches('.'), tree, arena);
                    diagnostics.push(unknown(&text, span, help));
                }
            }
        }
        tree.requirements.insert(id, found);
    }
}

/// The paths of a `require_run`: an empty string alone means none.
fn written(field: Entry<'_>) -> Vec<(String, Span)> {
    match field.value() {
        Value::List => field.items().filter_map(|item| Some((item.as_str()?.to_owned(), item.span()))).collect(),
        _ => field
            .as_str()
            .filter(|text| !text.is_empty())
            .map(|text| (text.to_owned(), field.span()))
            .into_iter()
            .collect(),
    }
}

/// The path that a text means: from the root, or with leading dots, of which one is the group of the test and each further one the
/// group around that.
fn absolute(tree: &TestTree, list: &str, arena: &Arena, from: TestId, text: &str) -> String {
    if text == "all" {
        return String::new();
    }
    let text = text.strip_prefix(list).and_then(|rest| rest.strip_prefix(':')).unwrap_or(text);
    let relative = text.trim_start_matches('.');
    let dots = text.len() - relative.len();
    let mut start = if dots == 0 { tree.root() } else { from };
    for _ in 0..dots {
        start = tree.test(start).parent.unwrap_or(start);
    }
    let prefix = tree.path(arena, start);
    match (prefix.is_empty(), relative.is_empty()) {
        (true, _) => relative.to_owned(),
        (false, true) => prefix,
        (false, false) => format!("{prefix}.{relative}"),
    }
}

fn unknown(text: &str, span: Span, meant: Option<String>) -> Diagnostic {
    let message = format!("`require_run` names `{text}`, and there is no such test");
    Diagnostic::error("unknown-requirement", message, span, "no such test").help(meant.unwrap_or_else(|| {
        "write the path from the top of the list, or begin with a dot for a test of the same group".into()
    }))
}

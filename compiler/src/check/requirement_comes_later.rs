//! `requirement-comes-later`: a test requires one that comes after it, so that a run from the beginning fails there (reference: V15).

use crate::diagnostic::Diagnostic;
use crate::document::{Arena, Entry};
use crate::source::Span;
use crate::tree::{TestId, TestTree};
use crate::words;

pub(super) fn check(tree: &TestTree, arena: &Arena, diagnostics: &mut Vec<Diagnostic>) {
    if !tree.has_field(words::REQUIRE_RUN) {
        return;
    }
    for id in tree.preorder().skip(1).filter(|id| tree.is_leaf(*id) || tree.test(*id).parallel) {
        let required = tree.requirements(id);
        let spans = places(arena.entry(tree.test(id).object).get(words::REQUIRE_RUN));
        if required.len() != spans.len() {
            // One of them names no test, which was reported.
            continue;
        }
        for (required, span) in required.iter().zip(spans).filter(|(required, _)| comes_later(tree, id, **required)) {
            let paths = (tree.path(arena, id), tree.path(arena, *required));
            diagnostics.push(later(&paths.0, &paths.1, span, tree.test(*required).span(arena)));
        }
    }
}

/// Ids are given in the order of the list.
fn comes_later(tree: &TestTree, id: TestId, required: TestId) -> bool {
    required > id && !tree.ancestors(required).any(|around| around == id)
}

fn places(field: Option<Entry<'_>>) -> Vec<Span> {
    let Some(field) = field else { return Vec::new() };
    match field.as_str() {
        Some("") => Vec::new(),
        Some(_) => vec![field.span()],
        None => field.items().map(Entry::span).collect(),
    }
}

fn later(path: &str, required: &str, span: Span, place: Span) -> Diagnostic {
    let message = format!("`{path}` requires `{required}`, which comes later");
    Diagnostic::warning("requirement-comes-later", message, span, "has not run by then")
        .label(place, "this test")
        .help("move the required test before the other, or remove the requirement")
}

//! Rules about how tests may lie in each other, checked on the finished tree.

use crate::diagnostic::Diagnostic;
use crate::document::Arena;
use crate::source::Span;
use crate::words;

use super::{TestId, TestTree, texts};

/// Checks every node: parallel groups, and teardowns that must come last.
pub(super) fn check(tree: &TestTree, arena: &Arena, diagnostics: &mut Vec<Diagnostic>) {
    if !tree.has_field(words::PARALLEL) && !tree.has_field(words::TEARDOWN) {
        return;
    }
    for id in tree.preorder() {
        let test = tree.test(id);
        if test.parallel {
            parallel(tree, arena, id, diagnostics);
        }
        if !test.teardown {
            teardowns_last(tree, arena, id, diagnostics);
        }
    }
}

fn parallel(tree: &TestTree, arena: &Arena, id: TestId, diagnostics: &mut Vec<Diagnostic>) {
    let group = tree.test(id);
    let path = tree.path(arena, id);
    let place = arena.entry(group.object).member(words::PARALLEL).map_or(group.span(arena), |member| member.key_span);
    if tree.is_leaf(id) {
        diagnostics.push(nothing_to_run(&path, place));
    }
    for child in tree.children(id) {
        let test = tree.test(child);
        let child_path = tree.path(arena, child);
        if !tree.is_leaf(child) {
            diagnostics.push(group_in_parallel(&path, &child_path, test.span(arena), place));
        }
        for field in ["enable_services", "disable_services"] {
            if !texts(arena, test.object, field).is_empty() {
                let at = arena.entry(test.object).member(field).map_or(test.span(arena), |member| member.key_span);
                diagnostics.push(services_in_parallel(field, &child_path, at, place));
            }
        }
    }
}

fn teardowns_last(tree: &TestTree, arena: &Arena, id: TestId, diagnostics: &mut Vec<Diagnostic>) {
    let mut teardown = None;
    for child in tree.children(id) {
        let test = tree.test(child);
        match teardown {
            _ if test.teardown => teardown = teardown.or(Some(child)),
            None => {}
            Some(first) => {
                let (path, first_path) = (tree.path(arena, child), tree.path(arena, first));
                diagnostics.push(test_after_teardown(
                    &path,
                    &first_path,
                    test.span(arena),
                    tree.test(first).span(arena),
                ));
                return;
            }
        }
    }
}

fn nothing_to_run(path: &str, place: Span) -> Diagnostic {
    Diagnostic::error(
        "parallel-without-tests",
        format!("`{path}` is parallel and has no tests"),
        place,
        "nothing to run in parallel",
    )
    .help("add `subtests`, or remove `parallel`")
}

fn group_in_parallel(path: &str, child: &str, span: Span, place: Span) -> Diagnostic {
    Diagnostic::error("group-in-parallel", format!("`{child}` is a group in the parallel group `{path}`"), span, "a group")
        .label(place, "parallel here")
        .help("a parallel group holds tests only: flatten the inner group with `\"inherit\": \"FlattenGroup\"`, or run it by itself")
}

fn services_in_parallel(field: &str, child: &str, span: Span, place: Span) -> Diagnostic {
    Diagnostic::error(
        "services-in-parallel",
        format!("`{child}` has `{field}` of its own in a parallel group"),
        span,
        "not here",
    )
    .label(place, "parallel here")
    .help(format!("move `{field}` to the parallel group"))
}

fn test_after_teardown(path: &str, teardown: &str, span: Span, place: Span) -> Diagnostic {
    Diagnostic::error(
        "test-after-teardown",
        format!("`{path}` comes after the teardown `{teardown}`"),
        span,
        "not a teardown",
    )
    .label(place, "the first teardown of this group")
    .help("move it before the teardowns, or write `\"teardown\": true` in it")
}

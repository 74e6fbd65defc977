//! `shared-resource`: two tests of a parallel group each take the same resource for themselves.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::document::Arena;
use crate::source::Span;
use crate::tree::TestTree;
use crate::words;

pub(super) fn check(tree: &TestTree, arena: &Arena, diagnostics: &mut Vec<Diagnostic>) {
    if !tree.has_field(words::PARALLEL) || !tree.has_field(words::EXCLUSIVE_RESOURCES) {
        return;
    }
    for group in tree.preorder().filter(|id| tree.test(*id).parallel) {
        let mut holders: BTreeMap<&str, (String, Span)> = BTreeMap::new();
        for child in tree.children(group) {
            let Some(field) = arena.entry(tree.test(child).object).get(words::EXCLUSIVE_RESOURCES) else { continue };
            let path = tree.path(arena, child);
            for (name, span) in field.items().filter_map(|item| Some((item.as_str()?, item.span()))) {
                match holders.get(name) {
                    Some((holder, place)) if *holder != path => {
                        diagnostics.push(taken_twice(name, &path, holder, span, *place));
                    }
                    Some(_) => {}
                    None => {
                        holders.insert(name, (path.clone(), span));
                    }
                }
            }
        }
    }
}

fn taken_twice(name: &str, path: &str, holder: &str, span: Span, place: Span) -> Diagnostic {
    let message = format!("`{path}` and `{holder}` run at the same time, and each takes `{name}` for itself");
    let finding = Diagnostic::warning("shared-resource", message, span, "taken here");
    let finding = if span == place { finding } else { finding.label(place, "and here") };
    finding.help("give the resource to the group, or run the tests one after the other")
}

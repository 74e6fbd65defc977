//! `override_args`: arguments over those of the tests that their paths name.

use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::document::Arena;
use crate::merge::{NoTrace, merge};
use crate::source::Span;

use super::TestTree;
use super::build::Input;

/// Merges the arguments of every path over those of its test.
pub(super) fn apply(tree: &mut TestTree, input: &Input<'_>, arena: &mut Arena, diagnostics: &mut Vec<Diagnostic>) {
    let Some(overrides) = input.config.get(arena, "override_args") else { return };
    for member in arena.entry(overrides).members().to_vec() {
        let text = arena.text(member.key).clone();
        let path = text.strip_prefix(input.list).and_then(|rest| rest.strip_prefix(':')).unwrap_or(&text);
        let Some(id) = tree.find(arena, path) else {
            if !path.starts_with("__comment") && !tree.may_lack(arena, path) {
                diagnostics.push(unknown_override(tree, arena, path, member.key_span));
            }
            continue;
        };
        let value = arena.entry(member.value);
        if !value.is_object() {
            diagnostics.push(override_is_no_object(path, value.type_name(), value.span()));
            continue;
        }
        let (args, found) = merge(arena, &[tree.test(id).args, member.value], &mut NoTrace);
        diagnostics.extend(found);
        tree.tests[id.0 as usize].args = args;
    }
}

fn unknown_override(tree: &TestTree, arena: &Arena, path: &str, span: Span) -> Diagnostic {
    let finding = Diagnostic::denied(
        "unknown-override",
        format!("`override_args` names `{path}`, and there is no such test"),
        span,
        "no such test",
    );
    let paths: Vec<String> = tree.preorder().skip(1).take(10_000).map(|id| tree.path(arena, id)).collect();
    match did_you_mean(path, paths.iter().map(String::as_str)) {
        Some(help) => finding.help(help),
        None => finding.help("`tlc dump` prints the paths of all tests"),
    }
}

fn override_is_no_object(path: &str, found: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "override-type",
        format!("the arguments for `{path}` are an object, found {found}"),
        span,
        "expected an object",
    )
    .help("write the arguments by their names: `{\"NAME\": VALUE}`")
}

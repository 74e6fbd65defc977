//! `override_args`: arguments over those of the tests that their paths name.

use hashbrown::HashSet;

use crate::diagnostic::Diagnostic;
use crate::document::Arena;
use crate::merge::{NoTrace, merge};
use crate::source::Span;
use crate::words;

use super::build::Input;
use super::paths::PathIndex;
use super::{NearPaths, TestTree};

/// Merges the arguments of every path over those of its test.
pub(super) fn apply(tree: &mut TestTree, input: &Input<'_>, arena: &mut Arena, diagnostics: &mut Vec<Diagnostic>) {
    let Some(overrides) = input.config.get(arena, words::OVERRIDE_ARGS) else { return };
    let mut near = NearPaths::default();
    let mut paths = PathIndex::default();
    let mut replaced = HashSet::new();
    for member in arena.entry(overrides).members().to_vec() {
        let text = arena.shared(member.key);
        let path = text.strip_prefix(input.list).and_then(|rest| rest.strip_prefix(':')).unwrap_or(&text);
        let Some(id) = paths.find(tree, arena, path) else {
            if !path.starts_with("__comment") && !paths.may_lack(tree, arena, path) {
                let help = near.did_you_mean(path, tree, arena);
                diagnostics.push(unknown_override(path, member.key_span, help));
            }
            continue;
        };
        let value = arena.entry(member.value);
        if !value.is_object() {
            diagnostics.push(override_is_no_object(path, value.type_name(), value.span()));
            continue;
        }
        let before = tree.test(id).args;
        let (args, found) = merge(arena, &[before, member.value], &mut NoTrace);
        diagnostics.extend(found);
        if arena.entry(args).to_data() == arena.entry(before).to_data() {
            diagnostics.push(changes_nothing(path, member.key_span));
        }
        let test = &mut tree.tests[id.index()];
        (test.args, test.is_overridden) = (args, true);
        replaced.insert(before);
        replaced.insert(args);
    }
    // A copy is no longer like its original if either of them has other arguments now.
    for test in tree.tests.iter_mut().filter(|test| test.is_copy && replaced.contains(&test.args)) {
        test.is_copy = false;
    }
}

fn unknown_override(path: &str, span: Span, meant: Option<String>) -> Diagnostic {
    Diagnostic::denied(
        "unknown-override",
        format!("`override_args` names `{path}`, and there is no such test"),
        span,
        "no such test",
    )
    .help(meant.unwrap_or_else(|| "`tlc dump` prints the paths of all tests".into()))
}

fn changes_nothing(path: &str, span: Span) -> Diagnostic {
    let message = format!("`override_args` changes nothing of `{path}`");
    Diagnostic::warning("override-without-effect", message, span, "the test has these arguments already")
        .help("remove it, or correct the arguments")
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

//! `unmatched-pattern`: a pattern of `skipped_tests` or `waived_tests` names no test, so that nothing is skipped or waived (reference: P2).

use tlc_plan::Data;
use tlc_plan::plan::pattern_matches;

use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::document::{Arena, Entry};
use crate::source::Span;
use crate::tree::{Evaluation, TestTree};

use super::RULES;

/// How many paths are looked through for one that may be meant.
const CANDIDATES: usize = 10_000;

pub(super) fn check(tree: &TestTree, arena: &Arena, evaluation: &Evaluation, diagnostics: &mut Vec<Diagnostic>) {
    let mut paths: Option<Vec<String>> = None;
    for option in RULES {
        let Some(setting) = tree.options.get(option) else { continue };
        let (Some(written), Some(rules)) = (setting.written, setting.value.as_object()) else { continue };
        if setting.reads_device && !evaluation.has_device() {
            continue;
        }
        for (key, patterns) in rules {
            let place = arena.entry(written).get(key).unwrap_or(arena.entry(written));
            let Some(items) = patterns.as_list() else {
                diagnostics.push(no_patterns(option, key, patterns, place.span()));
                continue;
            };
            for (position, pattern) in items.iter().enumerate().filter_map(|(at, item)| Some((at, item.as_str()?))) {
                let known = paths.get_or_insert_with(|| tree.preorder().map(|id| tree.path(arena, id)).collect());
                if !known.iter().any(|path| pattern_matches(pattern, path)) {
                    diagnostics.push(no_test(option, pattern, place_of(place, position, pattern), known));
                }
            }
        }
    }
}

/// Where a pattern is written; where its rule is, if it is the result of an expression.
fn place_of(rule: Entry<'_>, position: usize, pattern: &str) -> Span {
    let item = rule.items().nth(position).filter(|item| item.as_str() == Some(pattern));
    item.unwrap_or(rule).span()
}

fn no_test(option: &str, pattern: &str, span: Span, paths: &[String]) -> Diagnostic {
    let message = format!("`{option}` names `{pattern}`, and there is no such test");
    let meant = did_you_mean(pattern, paths.iter().skip(1).take(CANDIDATES).map(String::as_str));
    Diagnostic::denied("unmatched-pattern", message, span, "matches nothing").help(meant.unwrap_or_else(|| {
        "a pattern is the path of a test, or `*` and the end of one; `tlc dump` prints all paths".into()
    }))
}

fn no_patterns(option: &str, key: &str, found: &Data, span: Span) -> Diagnostic {
    let message = format!("the patterns of `{key}` in `{option}` are an array, found {}", found.type_name());
    let text = match found.as_str() {
        Some(_) => "each letter counts as a pattern",
        None => "no patterns",
    };
    Diagnostic::denied("unmatched-pattern", message, span, text).help("write an array of paths: `[\"SMT.Led\"]`")
}

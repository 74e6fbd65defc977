//! `unmatched-pattern`: a pattern of `skipped_tests` or `waived_tests` names no test, so that nothing is skipped or waived (reference: P2).

use tlc_plan::Data;

use crate::diagnostic::Diagnostic;
use crate::document::{Arena, Entry};
use crate::source::Span;
use crate::tree::{Evaluation, NearPaths, PathIndex, TestTree};

use super::RULES;

pub(super) fn check(tree: &TestTree, arena: &Arena, evaluation: &Evaluation, diagnostics: &mut Vec<Diagnostic>) {
    let mut paths: Option<Paths> = None;
    let mut index = PathIndex::default();
    let mut near = NearPaths::default();
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
                let is_path = index.find(tree, arena, pattern).is_some();
                if !is_path && !paths.get_or_insert_with(|| Paths::new(tree, arena)).matches(pattern) {
                    let help = near.did_you_mean(pattern, tree, arena);
                    diagnostics.push(no_test(option, pattern, place_of(place, position, pattern), help));
                }
            }
        }
    }
}

/// Every path of a tree, from its end to its beginning, sorted: those with the same end lie together.
struct Paths(Vec<String>);

impl Paths {
    fn new(tree: &TestTree, arena: &Arena) -> Self {
        let mut reversed: Vec<String> = Vec::with_capacity(tree.len());
        for id in tree.preorder() {
            let (id, parent) = (arena.text(tree.test(id).id), tree.test(id).parent);
            let group = parent.filter(|group| *group != tree.root()).map(|group| &*reversed[group.index()]);
            let mut path = String::with_capacity(id.len() + group.map_or(0, |group| group.len() + 1));
            path.extend(id.chars().rev());
            if let Some(group) = group {
                path.push('.');
                path.push_str(group);
            }
            reversed.push(path);
        }
        reversed.sort_unstable();
        Self(reversed)
    }

    /// Whether a pattern names one of them, as [`tlc_plan::plan::pattern_matches`] has it.
    fn matches(&self, pattern: &str) -> bool {
        let pattern = pattern.rsplit(':').next().unwrap_or(pattern);
        let end: String = pattern.strip_prefix('*').unwrap_or(pattern).chars().rev().collect();
        let first = self.0.partition_point(|path| *path < end);
        self.0
            .get(first)
            .is_some_and(|path| if pattern.starts_with('*') { path.starts_with(&end) } else { *path == end })
    }
}

/// Where a pattern is written; where its rule is, if it is the result of an expression.
fn place_of(rule: Entry<'_>, position: usize, pattern: &str) -> Span {
    let item = rule.items().nth(position).filter(|item| item.as_str() == Some(pattern));
    item.unwrap_or(rule).span()
}

fn no_test(option: &str, pattern: &str, span: Span, meant: Option<String>) -> Diagnostic {
    let message = format!("`{option}` names `{pattern}`, and there is no such test");
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

#[cfg(test)]
mod tests {
    use tlc_plan::plan::pattern_matches;

    use super::*;

    #[test]
    fn patterns_match_as_at_a_station() {
        let known = ["", "A", "BA", "G", "G.A", "G.A_2", "Gé.A"];
        let mut reversed: Vec<String> = known.iter().map(|path| path.chars().rev().collect()).collect();
        reversed.sort_unstable();
        let paths = Paths(reversed);
        for pattern in
            ["", "*", "A", "*A", "*.A", "G", "list:G.A", "*_2", "*é.A", "G*", "*.B", "X", "g.A", "*G.A_", ":"]
        {
            let expected = known.iter().any(|path| pattern_matches(pattern, path));
            assert_eq!(paths.matches(pattern), expected, "{pattern}");
        }
    }
}

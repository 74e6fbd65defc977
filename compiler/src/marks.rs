//! `skipped_tests` and `waived_tests` when a run starts: which nodes they mark.

use hashbrown::HashSet;

use tlc_plan::Data;
use tlc_plan::plan::{PHASES, pattern_matches};

use crate::document::Arena;
use crate::tree::{Evaluation, TestId, TestTree};

/// What the rules of a list mark when a run starts.
#[derive(Debug, Default)]
pub struct Marks {
    /// Paths that are SKIPPED.
    pub skipped: Vec<String>,
    /// Paths whose condition becomes constantly false.
    pub forced: Vec<String>,
    /// Nodes whose failure does not count.
    pub waived: Vec<TestId>,
}

/// Applies the rules of a list to its tree, in which nothing has run yet.
pub fn at_start(tree: &TestTree, arena: &Arena, evaluation: &mut Evaluation) -> Marks {
    let forced = matched(tree, arena, evaluation, "skipped_tests");
    let waived = matched(tree, arena, evaluation, "waived_tests");
    let skipped = skipped(tree, &forced.iter().copied().collect());
    let within = |id: TestId, marked: &HashSet<TestId>| tree.ancestors(id).any(|node| marked.contains(&node));
    let waived_roots: HashSet<TestId> = waived.into_iter().collect();
    let paths =
        |ids: &HashSet<TestId>| tree.preorder().filter(|id| ids.contains(id)).map(|id| tree.path(arena, id)).collect();
    Marks {
        skipped: paths(&skipped),
        forced: paths(&forced.into_iter().collect()),
        waived: tree.preorder().filter(|id| within(*id, &waived_roots)).collect(),
    }
}

/// The nodes that the rules of an option name. A rule that is no list of patterns ends the search.
fn matched(tree: &TestTree, arena: &Arena, evaluation: &mut Evaluation, option: &str) -> Vec<TestId> {
    let Some(rules) = tree.options.get(option).and_then(|setting| setting.value.as_object()) else { return Vec::new() };
    let phase = tree.options.get("phase").and_then(|setting| setting.value.as_str());
    let mut patterns: Vec<String> = Vec::new();
    for (key, value) in rules {
        let holds = if PHASES.contains(&&**key) { phase == Some(key) } else { evaluation.rule_condition(key) };
        if !holds {
            continue;
        }
        let Some(more) = patterns_of(value) else { return Vec::new() };
        patterns.extend(more);
    }
    if patterns.is_empty() {
        return Vec::new();
    }
    tree.preorder()
        .filter(|id| {
            let path = tree.path(arena, *id);
            patterns.iter().any(|pattern| pattern_matches(pattern, &path))
        })
        .collect()
}

/// The patterns of a rule; a string is taken letter by letter, as the reference does. `None` if it is nothing that can be gone through.
pub fn patterns_of(value: &Data) -> Option<Vec<String>> {
    match value {
        Data::List(items) => Some(items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()),
        Data::String(text) => Some(text.chars().map(String::from).collect()),
        Data::Object(members) => Some(members.keys().map(ToString::to_string).collect()),
        Data::Null | Data::Bool(_) | Data::Int(_) | Data::Big(_) | Data::Float(_) => None,
    }
}

/// Leaves below a marked node, marked groups that have one, and groups all of whose children are skipped.
fn skipped(tree: &TestTree, forced: &HashSet<TestId>) -> HashSet<TestId> {
    let mut skipped = HashSet::new();
    if forced.is_empty() {
        return skipped;
    }
    for id in tree.preorder().rev() {
        let marked = tree.ancestors(id).any(|node| forced.contains(&node));
        let all = !tree.is_leaf(id) && tree.children(id).all(|child| skipped.contains(&child));
        if (tree.is_leaf(id) && marked && id != tree.root()) || all {
            skipped.insert(id);
        }
    }
    skipped
}

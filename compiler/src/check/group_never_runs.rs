//! `group-never-runs`: every test of a group is left out by a condition that nothing can change, or by a rule of `skipped_tests` that
//! always holds, so that the group never runs.

use hashbrown::{HashMap, HashSet};

use tlc_plan::plan::pattern_matches;

use crate::diagnostic::Diagnostic;
use crate::document::{Arena, Entry, NodeId, Symbol, Value};
use crate::expression::parse;
use crate::source::Span;
use crate::tree::{Evaluation, TestId, TestTree};

use crate::words;

use super::truth::Truth;

/// The conditions that a finding is about come back.
pub(super) fn check(
    tree: &TestTree,
    arena: &Arena,
    evaluation: &mut Evaluation,
    diagnostics: &mut Vec<Diagnostic>,
) -> HashSet<NodeId> {
    let patterns = patterns(tree, arena);
    if patterns.is_empty() && !tree.has_field(words::RUN_IF) {
        return HashSet::new();
    }
    let mut left_out = LeftOut { tree, arena, evaluation, patterns, conditions: HashMap::new() };
    let never: HashSet<TestId> = left_out.all();
    let mut told = HashSet::new();
    for id in tree.preorder().skip(1).filter(|id| never.contains(id)) {
        let test = tree.test(id);
        let around = test.parent.is_some_and(|parent| never.contains(&parent));
        if around || tree.is_leaf(id) || left_out.reason(id).is_some() {
            continue;
        }
        let below: Vec<TestId> = tree.within(id).collect();
        let reasons: Vec<Span> = below.iter().filter_map(|id| left_out.reason(*id)).collect();
        diagnostics.push(never_runs(&tree.path(arena, id), test.span(arena), &reasons));
        told.extend(below.iter().filter_map(|id| tree.test(*id).run_if));
    }
    told
}

/// Tests that something leaves out, and groups all of whose tests are left out, whatever constants and device data say.
pub(super) fn left_out(tree: &TestTree, arena: &Arena, evaluation: &mut Evaluation) -> HashSet<TestId> {
    let patterns = patterns(tree, arena);
    LeftOut { tree, arena, evaluation, patterns, conditions: HashMap::new() }.all()
}

struct LeftOut<'a> {
    tree: &'a TestTree,
    arena: &'a Arena,
    evaluation: &'a mut Evaluation,
    /// Patterns of rules that always hold, and where they are written.
    patterns: Vec<(String, Span)>,
    conditions: HashMap<Symbol, bool>,
}

impl LeftOut<'_> {
    /// Tests that something leaves out, and groups all of whose tests are left out.
    fn all(&mut self) -> HashSet<TestId> {
        let mut never = HashSet::new();
        for id in self.tree.within(self.tree.root()).rev() {
            let whole = !self.tree.is_leaf(id) && !self.tree.is_incomplete(id);
            if (whole && self.tree.children(id).all(|child| never.contains(&child))) || self.reason(id).is_some() {
                never.insert(id);
            }
        }
        never
    }

    /// What leaves a test out by itself: its condition, or a pattern.
    fn reason(&mut self, id: TestId) -> Option<Span> {
        let run_if = self.tree.test(id).run_if.map(|node| self.arena.entry(node));
        if let Some(Value::String(text)) = run_if.map(Entry::value)
            && self.is_false(text)
        {
            return run_if.map(Entry::span);
        }
        if self.patterns.is_empty() {
            return None;
        }
        let path = self.tree.path(self.arena, id);
        self.patterns.iter().find(|(pattern, _)| pattern_matches(pattern, &path)).map(|(_, span)| *span)
    }
}

impl LeftOut<'_> {
    /// Whether a condition is always false; each is looked at once.
    fn is_false(&mut self, text: Symbol) -> bool {
        if let Some(known) = self.conditions.get(&text) {
            return *known;
        }
        let parsed = self.evaluation.expression(text, 0, self.arena);
        let is_false = parsed.as_ref().as_ref().is_ok_and(|expression| Truth::new(expression).of_all() == Some(false));
        self.conditions.insert(text, is_false);
        is_false
    }
}

/// The patterns of `skipped_tests` whose condition is always true.
fn patterns(tree: &TestTree, arena: &Arena) -> Vec<(String, Span)> {
    let written = tree.options.get("skipped_tests").and_then(|setting| setting.written).map(|node| arena.entry(node));
    let mut found = Vec::new();
    for member in written.map(Entry::members).unwrap_or_default() {
        let holds =
            parse(arena.text(member.key)).is_ok_and(|expression| Truth::new(&expression).of_all() == Some(true));
        if holds {
            let items = arena.entry(member.value).items();
            found.extend(items.filter_map(|item| Some((item.as_str()?.to_owned(), item.span()))));
        }
    }
    found
}

fn never_runs(path: &str, span: Span, reasons: &[Span]) -> Diagnostic {
    const MOST_SHOWN: usize = 5;
    let message = format!("the group `{path}` never runs: each of its tests is left out");
    let mut finding = Diagnostic::warning("group-never-runs", message, span, "this group");
    let mut shown: Vec<Span> = reasons.to_vec();
    shown.sort_unstable();
    shown.dedup();
    for reason in shown.into_iter().take(MOST_SHOWN) {
        finding = finding.label(reason, "never runs");
    }
    finding.help("remove the group, or make its conditions depend on a constant or on device data")
}

//! `group-never-runs`: every test of a group is left out by a condition that nothing can change, or by a rule of `skipped_tests` that
//! always holds, so that the group never runs.

use std::collections::HashSet;

use tlc_plan::plan::pattern_matches;

use crate::diagnostic::Diagnostic;
use crate::document::{Arena, Entry, NodeId, Value};
use crate::expression::parse;
use crate::source::Span;
use crate::tree::{Evaluation, TestId, TestTree};

use super::truth::Truth;

/// The conditions that a finding is about come back.
pub(super) fn check(
    tree: &TestTree,
    arena: &Arena,
    evaluation: &mut Evaluation,
    diagnostics: &mut Vec<Diagnostic>,
) -> HashSet<NodeId> {
    let patterns = patterns(tree, arena);
    let mut left_out = LeftOut { tree, arena, evaluation, patterns };
    let never: HashSet<TestId> = left_out.all();
    let mut told = HashSet::new();
    for id in tree.preorder().skip(1).filter(|id| never.contains(id)) {
        let test = tree.test(id);
        let around = test.parent.is_some_and(|parent| never.contains(&parent));
        if around || test.children.is_empty() || left_out.reason(id).is_some() {
            continue;
        }
        let below: Vec<TestId> = descendants(tree, id).collect();
        let reasons: Vec<Span> = below.iter().filter_map(|id| left_out.reason(*id)).collect();
        diagnostics.push(never_runs(&tree.path(arena, id), test.span, &reasons));
        told.extend(below.iter().filter_map(|id| tree.test(*id).run_if));
    }
    told
}

/// Tests that something leaves out, and groups all of whose tests are left out, whatever constants and device data say.
pub(super) fn left_out(tree: &TestTree, arena: &Arena, evaluation: &mut Evaluation) -> HashSet<TestId> {
    let patterns = patterns(tree, arena);
    LeftOut { tree, arena, evaluation, patterns }.all()
}

struct LeftOut<'a> {
    tree: &'a TestTree,
    arena: &'a Arena,
    evaluation: &'a mut Evaluation,
    /// Patterns of rules that always hold, and where they are written.
    patterns: Vec<(String, Span)>,
}

impl LeftOut<'_> {
    /// Tests that something leaves out, and groups all of whose tests are left out.
    fn all(&mut self) -> HashSet<TestId> {
        let order: Vec<TestId> = self.tree.preorder().skip(1).collect();
        let mut never = HashSet::new();
        for id in order.into_iter().rev() {
            let children = &self.tree.test(id).children;
            let whole = !children.is_empty() && !self.tree.is_incomplete(id);
            if (whole && children.iter().all(|child| never.contains(child))) || self.reason(id).is_some() {
                never.insert(id);
            }
        }
        never
    }

    /// What leaves a test out by itself: its condition, or a pattern.
    fn reason(&mut self, id: TestId) -> Option<Span> {
        let run_if = self.tree.test(id).run_if.map(|node| self.arena.entry(node));
        if let Some(Value::String(text)) = run_if.map(Entry::value)
            && let Ok(expression) = &*self.evaluation.expression(text, 0, self.arena)
            && Truth::new(expression).of_all() == Some(false)
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

/// The patterns of `skipped_tests` whose condition is always true.
fn patterns(tree: &TestTree, arena: &Arena) -> Vec<(String, Span)> {
    let written = tree.options.get("skipped_tests").and_then(|setting| setting.written).map(|node| arena.entry(node));
    let mut found = Vec::new();
    for member in written.map_or(&[][..], Entry::members) {
        let holds =
            parse(arena.text(member.key)).is_ok_and(|expression| Truth::new(&expression).of_all() == Some(true));
        if holds {
            let items = arena.entry(member.value).items();
            found.extend(items.filter_map(|item| Some((item.as_str()?.to_owned(), item.span()))));
        }
    }
    found
}

fn descendants(tree: &TestTree, group: TestId) -> impl Iterator<Item = TestId> + '_ {
    let mut open: Vec<TestId> = tree.test(group).children.iter().rev().copied().collect();
    std::iter::from_fn(move || {
        let next = open.pop()?;
        open.extend(tree.test(next).children.iter().rev());
        Some(next)
    })
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

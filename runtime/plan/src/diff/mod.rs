//! Two plans in, what a station would do differently out. What only moved in the files is no difference.

mod nodes;
mod templates;

use serde::Serialize;

use crate::plan::{Rule, Text, When};
use crate::{NodeId, Plan};

use templates::Sides;

/// A difference in behaviour.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Change {
    /// A test or a group is new.
    Added {
        /// Its path.
        path: String,
        /// What it runs.
        runs: String,
    },
    /// A test or a group is gone.
    Removed {
        /// Its path.
        path: String,
        /// What it ran.
        runs: String,
    },
    /// A test or a group comes at another place among those that both lists have.
    Moved {
        /// Its path.
        path: String,
        /// What came before it; nothing if it was the first.
        before: Option<String>,
        /// What comes before it now.
        after: Option<String>,
    },
    /// Something about a test, a group or the list is another.
    Changed {
        /// Its path; empty for the list itself.
        path: String,
        /// What: a field, `args.NAME`, `measurements.NAME.max`, `options.NAME`.
        what: String,
        /// What it was; nothing if it was not there.
        before: Option<String>,
        /// What it is now.
        after: Option<String>,
    },
}

/// What changes in behaviour from one plan to the other, in the order of the lists.
pub fn diff(before: &Plan, after: &Plan) -> Vec<Change> {
    // The list itself has the locals of its root.
    let sides = Sides { before, after, locals: (0, 0) };
    let mut changes = Vec::new();
    list(&sides, &mut changes);
    let (old_root, new_root) = (before.root(), after.root());
    group(&sides, old_root, new_root, &mut changes);
    changes
}

/// Options and rules of the list itself.
fn list(sides: &Sides<'_>, changes: &mut Vec<Change>) {
    let (before, after) = (sides.before, sides.after);
    let mut push = |what: &str, before: Option<String>, after: Option<String>| {
        if before != after {
            changes.push(Change::Changed { path: String::new(), what: what.to_owned(), before, after });
        }
    };
    push("label", text(&before.label), text(&after.label));
    for (what, old, new) in sides.differences("options", &before.options, &after.options) {
        // The rules are compared below, in the form in which they act.
        if !what.starts_with("options.skipped_tests") && !what.starts_with("options.waived_tests") {
            push(&what, old, new);
        }
    }
    for (what, old, new) in [
        ("skipped_tests", &before.skipped_tests, &after.skipped_tests),
        ("waived_tests", &before.waived_tests, &after.waived_tests),
    ] {
        let texts = [rules(before, old), rules(after, new)];
        let is_other = |(old, new): (&Rule, &Rule)| match (&old.when, &new.when) {
            (When::Condition(old), When::Condition(new)) => !sides.same_expression(*old, *new),
            _ => false,
        };
        let [old, new] = if old.iter().zip(new).any(is_other) { sides.told_apart(texts) } else { texts };
        push(what, old, new);
    }
}

fn rules(plan: &Plan, rules: &[Rule]) -> Option<String> {
    let lines = rules.iter().map(|rule| {
        let when = match &rule.when {
            When::Phase(phase) => phase.clone(),
            When::Condition(place) => templates::source(plan, *place),
            When::Never(key) => key.clone(),
        };
        format!("{when}: {}", templates::show(plan, &rule.patterns))
    });
    Some(lines.collect::<Vec<_>>().join("; ")).filter(|lines| !lines.is_empty())
}

/// The children of a group that both have, then each of them.
fn group(sides: &Sides<'_>, old: NodeId, new: NodeId, changes: &mut Vec<Change>) {
    let (before, after) = (sides.before, sides.after);
    let find = |plan: &Plan, group: NodeId, id: &str| {
        plan.children(group).iter().copied().find(|child| *plan.node(*child).id == *id)
    };
    for &child in before.children(old) {
        if find(after, new, &before.node(child).id).is_none() {
            every(before, child, &mut |path, runs| changes.push(Change::Removed { path, runs }));
        }
    }
    moved(sides, old, new, changes);
    for &child in after.children(new) {
        match find(before, old, &after.node(child).id) {
            None => every(after, child, &mut |path, runs| changes.push(Change::Added { path, runs })),
            Some(earlier) => {
                nodes::compare(sides, earlier, child, changes);
                group(sides, earlier, child, changes);
            }
        }
    }
}

/// The order of the children that both have.
fn moved(sides: &Sides<'_>, old: NodeId, new: NodeId, changes: &mut Vec<Change>) {
    let ids = |plan: &Plan, group: NodeId| -> Vec<String> {
        plan.children(group).iter().map(|child| plan.node(*child).id.to_string()).collect()
    };
    let (old_ids, new_ids) = (ids(sides.before, old), ids(sides.after, new));
    let old_kept: Vec<&String> = old_ids.iter().filter(|id| new_ids.contains(id)).collect();
    let new_kept: Vec<&String> = new_ids.iter().filter(|id| old_ids.contains(id)).collect();
    let stays = longest_common(&old_kept, &new_kept);
    let prefix = &sides.after.node(new).path;
    for (at, id) in new_kept.iter().enumerate() {
        if stays.contains(id) {
            continue;
        }
        let was = old_kept.iter().position(|old| old == id).unwrap_or(0);
        let path = if prefix.is_empty() { (*id).clone() } else { format!("{prefix}.{id}") };
        let previous = |kept: &[&String], at: usize| at.checked_sub(1).map(|before| kept[before].clone());
        changes.push(Change::Moved { path, before: previous(&old_kept, was), after: previous(&new_kept, at) });
    }
}

/// The longest sequence that both have; with ids that are distinct, the longest increasing run of old positions.
fn longest_common<'a>(old: &[&'a String], new: &[&'a String]) -> std::collections::HashSet<&'a String> {
    let positions: std::collections::HashMap<&String, usize> =
        old.iter().enumerate().map(|(at, id)| (*id, at)).collect();
    let sequence: Vec<usize> = new.iter().map(|id| positions[*id]).collect();
    let mut ends: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = vec![None; sequence.len()];
    for (at, &position) in sequence.iter().enumerate() {
        let length = ends.partition_point(|end| sequence[*end] < position);
        previous[at] = length.checked_sub(1).map(|before| ends[before]);
        if length == ends.len() { ends.push(at) } else { ends[length] = at }
    }
    let mut common = std::collections::HashSet::new();
    let mut at = ends.last().copied();
    while let Some(index) = at {
        common.insert(new[index]);
        at = previous[index];
    }
    common
}

fn every(plan: &Plan, id: NodeId, found: &mut impl FnMut(String, String)) {
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        found(plan.node(id).path.clone(), nodes::runs(plan, id));
        open.extend(plan.children(id).iter().rev());
    }
}

fn text(text: &Text) -> Option<String> {
    text.get("en-US").map(ToString::to_string)
}

/// What a node runs, in a few words.
pub fn runs(plan: &Plan, id: NodeId) -> String {
    nodes::runs(plan, id)
}

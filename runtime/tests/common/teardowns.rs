//! Whether the teardowns of every group that was entered ran.

use tlc_plan::plan::{NodeId, Plan};
use tlc_runtime::schedule::Action;

/// After the last test of a group in a run, each of its teardowns has started, or it is said why not.
pub fn teardowns_ran(plan: &Plan, actions: &[Action]) -> Result<(), String> {
    let ends = |action: &Action| matches!(action, Action::RunFinished { .. });
    for run in actions.split_inclusive(ends) {
        let by_hand = |action: &Action| match action {
            Action::End { path, reason, .. } => reason.contains("killed") || is_teardown(plan, path),
            _ => false,
        };
        if run.iter().any(by_hand) {
            continue;
        }
        for group in plan.preorder().filter(|&node| !plan.is_leaf(node) && !plan.node(node).parallel) {
            let path = &plan.node(group).path;
            let last = run.iter().rposition(|action| match action {
                Action::Start { path: leaf, .. } => is_below(leaf, path) && !is_teardown(plan, leaf),
                _ => false,
            });
            let entered = |action: &Action| match action {
                Action::RunStarted { root, .. } => is_below(path, root),
                _ => false,
            };
            let entered = run.iter().any(entered) && !is_teardown(plan, path);
            let Some(last) = last.filter(|_| entered) else { continue };
            for &teardown in plan.children(group).iter().filter(|&&child| plan.node(child).teardown) {
                let name = &plan.node(teardown).path;
                if !run[last..].iter().any(|action| settles(action, name)) {
                    return Err(format!("the teardown `{name}` was missed"));
                }
            }
        }
    }
    Ok(())
}

/// Whether this says that a teardown ran, or why it did not.
pub fn settles(action: &Action, teardown: &str) -> bool {
    match action {
        Action::Start { path, .. } | Action::PassedOver { path, .. } | Action::Skipped { path, .. } => {
            is_below(path, teardown)
        }
        Action::StateChanged { path, state } => {
            is_below(path, teardown) && state.message.as_ref().is_some_and(|it| it.contains("requires"))
        }
        _ => false,
    }
}

pub fn is_teardown(plan: &Plan, path: &str) -> bool {
    let mut at: Option<NodeId> = plan.find(path);
    while let Some(node) = at {
        if plan.node(node).teardown {
            return true;
        }
        at = plan.parent(node);
    }
    false
}

pub fn is_below(path: &str, ancestor: &str) -> bool {
    ancestor.is_empty() || path == ancestor || path.strip_prefix(ancestor).is_some_and(|rest| rest.starts_with('.'))
}

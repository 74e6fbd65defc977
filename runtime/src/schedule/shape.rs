//! Questions about the structure of a plan: which nodes start as one, which belong to a teardown, which are run again together.

use tlc_plan::plan::{ActionOnFailure, Class, NodeId, Plan};

/// The node at a path; the empty path is the root.
pub(crate) fn find(plan: &Plan, path: &str) -> Option<NodeId> {
    plan.at(path)
}

/// Whether the first path is the second, or lies below it.
pub(crate) fn is_at_or_under(path: &str, ancestor: &str) -> bool {
    ancestor.is_empty() || path.strip_prefix(ancestor).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Leaves and parallel groups are started as one.
pub(super) fn is_runnable(plan: &Plan, node: NodeId) -> bool {
    plan.is_leaf(node) || plan.node(node).parallel
}

/// A sequence or test that is repeated as a whole (rule H1): no `TestGroup`, directly below the root or a `TestGroup`.
pub(super) fn is_top_level(plan: &Plan, node: NodeId) -> bool {
    !is_test_group(plan, node)
        && plan.parent(node).is_some_and(|parent| parent == plan.root() || is_test_group(plan, parent))
}

/// A group that is repeated as a whole, and not at one time.
pub(crate) fn is_sequence(plan: &Plan, node: NodeId) -> bool {
    is_top_level(plan, node) && !is_runnable(plan, node)
}

/// What is run again if this node is asked for (rule H1).
pub(crate) fn rerun_root(plan: &Plan, node: NodeId) -> NodeId {
    let mut at = node;
    while !is_test_group(plan, at) && !is_top_level(plan, at) {
        match plan.parent(at) {
            Some(parent) => at = parent,
            None => return at,
        }
    }
    at
}

/// Whether the node, or a group around it, is a teardown (rule K1).
pub(crate) fn is_teardown(plan: &Plan, node: NodeId) -> bool {
    std::iter::successors(Some(node), |&node| plan.parent(node)).any(|node| plan.node(node).teardown)
}

/// The group that a teardown is of, and what is in a teardown: the parent of the outermost one.
pub(super) fn taken_down(plan: &Plan, node: NodeId) -> Option<NodeId> {
    let around = std::iter::successors(Some(node), |&node| plan.parent(node));
    plan.parent(around.filter(|&node| plan.node(node).teardown).last()?)
}

/// What a failure of the node does; nothing in a teardown (rule J3).
pub(super) fn action_on_failure(plan: &Plan, node: NodeId) -> ActionOnFailure {
    if is_teardown(plan, node) { ActionOnFailure::Next } else { plan.node(node).action_on_failure }
}

/// The subtree, parents before their children.
pub(super) fn subtree(plan: &Plan, root: NodeId) -> Vec<NodeId> {
    let mut nodes = Vec::new();
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        nodes.push(node);
        open.extend(plan.children(node).iter().rev());
    }
    nodes
}

/// The subtree, children before their parents, otherwise in the list's order.
pub(super) fn children_first(plan: &Plan, root: NodeId) -> Vec<NodeId> {
    let mut nodes = Vec::new();
    let mut open = vec![(root, false)];
    while let Some((node, children_done)) = open.pop() {
        if children_done || plan.is_leaf(node) {
            nodes.push(node);
            continue;
        }
        open.push((node, true));
        open.extend(plan.children(node).iter().rev().map(|&child| (child, false)));
    }
    nodes
}

/// The leaves of a subtree, in the list's order.
pub(super) fn leaves(plan: &Plan, root: NodeId) -> Vec<NodeId> {
    subtree(plan, root).into_iter().filter(|&node| plan.is_leaf(node)).collect()
}

/// The nodes that end before this one begins: its earlier siblings, and those of the groups around it, with all that is in them.
pub(super) fn before(plan: &Plan, node: NodeId) -> Vec<NodeId> {
    let mut nodes = Vec::new();
    let mut at = node;
    while let Some(parent) = plan.parent(at) {
        let earlier = plan.children(parent).iter().take_while(|&&child| child != at);
        nodes.extend(earlier.flat_map(|&child| subtree(plan, child)));
        at = parent;
    }
    nodes
}

fn is_test_group(plan: &Plan, node: NodeId) -> bool {
    plan.node(node).class == Class::TestGroup
}

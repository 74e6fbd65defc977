//! One path through a merge: which of the merged objects set it, in their order.

use crate::document::{Arena, NodeId, Symbol};
use crate::merge::{Step, Trace, merge};

/// Something that a merged object did to a path.
#[derive(Debug)]
pub(super) struct Link {
    /// What it did.
    pub(super) action: &'static str,
    /// The value that did it.
    pub(super) node: NodeId,
    /// How many keys of the path lead to that value.
    pub(super) depth: usize,
    /// The value is what was set, and not an object around it.
    pub(super) shows_value: bool,
}

/// What happened to the value at `keys` when these objects were merged, the weakest first.
pub(super) fn chain(arena: &mut Arena, objects: &[NodeId], keys: &[String]) -> Vec<Link> {
    let path: Vec<Symbol> = keys.iter().map(|key| arena.intern(key)).collect();
    let mut notes = Notes { path: &path, at: Vec::new(), steps: Vec::new() };
    merge(arena, objects, &mut notes);
    let steps = notes.steps;
    let mut links: Vec<Link> = Vec::new();
    // An object that alone lies at a key is not merged, so the rest of the path is found in it.
    let mut holder: Option<(NodeId, usize)> = objects.last().filter(|_| objects.len() == 1).map(|object| (*object, 0));
    for (depth, step) in steps {
        let whole = depth == path.len();
        let (action, node) = match step {
            Step::Set(node) if whole => {
                (if links.iter().any(|link| link.shows_value) { "overrides" } else { "set" }, node)
            }
            Step::Override(node) if whole => ("adds to it", node),
            Step::Set(node) if !arena.entry(node).is_object() => ("replaces what is around it", node),
            Step::Set(node) | Step::Override(node) => {
                holder = Some((node, depth));
                continue;
            }
            Step::Replace(node) => {
                holder = Some((node, depth));
                (if whole { "replaces everything" } else { "replaces what is around it" }, node)
            }
            Step::Delete(node) => {
                holder = None;
                ("removed", node)
            }
        };
        links.push(Link { action, node, depth, shows_value: whole && action != "removed" });
    }
    let reached = links.iter().any(|link| link.depth == path.len());
    if let Some((object, depth)) = holder.filter(|(_, depth)| !reached && *depth < path.len()) {
        let inner = keys[depth..].iter().try_fold(object, |node, key| arena.entry(node).get(key).map(|entry| entry.id));
        links.extend(inner.map(|node| Link { action: "set", node, depth: path.len(), shows_value: true }));
    }
    links
}

/// The steps along one path, with their depth.
struct Notes<'p> {
    path: &'p [Symbol],
    at: Vec<Symbol>,
    steps: Vec<(usize, Step)>,
}

impl Trace for Notes<'_> {
    fn enter(&mut self, key: Symbol) {
        self.at.push(key);
    }

    fn leave(&mut self) {
        self.at.pop();
    }

    fn step(&mut self, step: Step) {
        if self.path.starts_with(&self.at) {
            self.steps.push((self.at.len(), step));
        }
    }
}

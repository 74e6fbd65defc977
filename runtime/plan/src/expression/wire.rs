//! A tree in a plan. A plan is input: every index is checked when it is read, so that evaluation can rely on the shape.

use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Expression, MAX_NODES, Node, Tree, build};
use crate::value::{Plain, Value};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    nodes: Vec<Node>,
    lists: Vec<u32>,
    names: Vec<Arc<str>>,
    literals: Vec<Plain>,
    slots: u32,
}

impl Serialize for Expression {
    /// The tree without the places.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tree = &self.tree;
        let literals = tree.literals.iter().map(Plain::of).collect::<Option<_>>();
        Wire {
            nodes: tree.nodes.clone(),
            lists: tree.lists.clone(),
            names: tree.names.clone(),
            literals: literals.ok_or_else(|| serde::ser::Error::custom("a literal is no plain value"))?,
            slots: tree.slots,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let literals = wire.literals.into_iter().map(Value::try_from).collect::<Result<_, _>>();
        let tree = Tree {
            nodes: wire.nodes,
            lists: wire.lists,
            names: wire.names,
            literals: literals.map_err(D::Error::custom)?,
            slots: wire.slots,
        };
        check(&tree).map_err(D::Error::custom)?;
        Ok(Self::of(tree, Arc::from([])))
    }
}

/// Children come before their parents and have one parent each, every index leads somewhere, and nothing nests too deeply.
fn check(tree: &Tree) -> Result<(), &'static str> {
    if tree.nodes.is_empty() {
        return Err("an expression has no nodes");
    }
    if tree.nodes.len() > MAX_NODES || tree.slots as usize > tree.nodes.len() {
        return Err("an expression is too large");
    }
    let mut owned = vec![false; tree.nodes.len()];
    let mut depths = Vec::with_capacity(tree.nodes.len());
    for (position, &node) in tree.nodes.iter().enumerate() {
        check_indices(tree, node)?;
        let (children, list) = node.parts();
        let listed = list.map_or(&[][..], |list| tree.list(list));
        for child in
            children.into_iter().flatten().map(super::Id::index).chain(listed.iter().map(|&index| index as usize))
        {
            if child >= position || std::mem::replace(&mut owned[child], true) {
                return Err("the nodes of an expression are no tree");
            }
        }
        depths.push(build::depth(tree, &depths, node).ok_or("an expression nests too deeply")?);
    }
    Ok(())
}

fn check_indices(tree: &Tree, node: Node) -> Result<(), &'static str> {
    let name = |name: u32| (name as usize) < tree.names.len();
    let whole = |list: super::Nodes| {
        tree.lists.get(list.index()).is_some_and(|&length| tree.list(list).len() == length as usize)
    };
    let list_is_whole = node.parts().1.is_none_or(whole);
    let sound = match node {
        Node::Literal(literal) => (literal as usize) < tree.literals.len(),
        Node::Path { names, .. } => whole(names) && tree.list(names).iter().all(|&index| name(index)),
        Node::Variable { slot, name: index } => slot < tree.slots && name(index),
        Node::Unknown(index)
        | Node::Attribute { name: index, .. }
        | Node::Keyword { name: index, .. }
        | Node::CallMethod { name: index, .. } => name(index),
        _ => true,
    };
    if sound && list_is_whole { Ok(()) } else { Err("an index of an expression leads nowhere") }
}

//! Building a tree from the leaves up.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Expression, Id, MAX_DEPTH, MAX_NODES, Node, Nodes, Place, Tree};
use crate::value::Value;

/// An expression that is being built: children are pushed before their parents.
#[derive(Debug, Default)]
pub struct Builder {
    tree: Tree,
    places: Vec<Place>,
    depths: Vec<u16>,
    interned: HashMap<Arc<str>, u32>,
}

/// A tree that nests too deeply or has too many nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooComplex;

impl Builder {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node.
    pub fn push(&mut self, node: Node, place: Place) -> Result<Id, TooComplex> {
        let depth = depth(&self.tree, &self.depths, node).ok_or(TooComplex)?;
        if self.tree.nodes.len() >= MAX_NODES {
            return Err(TooComplex);
        }
        self.tree.nodes.push(node);
        self.places.push(place);
        self.depths.push(depth);
        Ok(Id::new(self.tree.nodes.len() - 1))
    }

    /// Adds a node for a value that is known.
    pub fn value(&mut self, value: Value, place: Place) -> Result<Id, TooComplex> {
        let node = match value {
            Value::None => Node::None,
            Value::Bool(value) => Node::Bool(value),
            Value::Int(value) => Node::Int(value),
            other => {
                self.tree.literals.push(other);
                Node::Literal(self.tree.literals.len() as u32 - 1)
            }
        };
        self.push(node, place)
    }

    /// Adds a list of nodes.
    pub fn list(&mut self, nodes: &[Id]) -> Nodes {
        self.indices(nodes.iter().map(|id| id.index() as u32))
    }

    /// Adds a list of names, for a [`Node::Path`].
    pub fn path(&mut self, names: &[u32]) -> Nodes {
        self.indices(names.iter().copied())
    }

    fn indices(&mut self, indices: impl ExactSizeIterator<Item = u32>) -> Nodes {
        let list = Nodes::new(self.tree.lists.len());
        self.tree.lists.push(indices.len() as u32);
        self.tree.lists.extend(indices);
        list
    }

    /// Adds a name, once for each text.
    pub fn name(&mut self, name: &str) -> u32 {
        if let Some(position) = self.tree.names.iter().take(8).position(|known| &**known == name) {
            return position as u32;
        }
        if self.tree.names.len() < 8 {
            self.tree.names.push(name.into());
            return self.tree.names.len() as u32 - 1;
        }
        if let Some(&index) = self.interned.get(name) {
            return index;
        }
        let index = self.tree.names.len() as u32;
        self.tree.names.push(name.into());
        self.interned.insert(name.into(), index);
        index
    }

    /// A new variable of a comprehension.
    pub fn slot(&mut self) -> u32 {
        self.tree.slots += 1;
        self.tree.slots - 1
    }

    /// A variable that has the same slot in the expression that this one is made from.
    pub fn keep_slot(&mut self, slot: u32) -> u32 {
        self.tree.slots = self.tree.slots.max(slot + 1);
        slot
    }

    /// A node that was pushed.
    pub fn node(&self, id: Id) -> Node {
        self.tree.nodes[id.index()]
    }

    /// Where a node stands.
    pub fn place(&self, id: Id) -> Place {
        self.places[id.index()]
    }

    /// The expression whose root is the node that was pushed last.
    pub fn finish(self) -> Expression {
        Expression::of(self.tree, self.places.into())
    }
}

/// How deeply a node nests; none if that is too much. The left-hand side of a binary operator is walked without recursion if it is
/// one too.
pub(super) fn depth(tree: &Tree, depths: &[u16], node: Node) -> Option<u16> {
    let of = |id: Id| depths.get(id.index()).copied().unwrap_or(0);
    let depth = match node {
        Node::Binary { left, right, .. } if matches!(tree.nodes.get(left.index()), Some(Node::Binary { .. })) => {
            of(left).max(of(right).saturating_add(1))
        }
        node => {
            let (children, list) = node.parts();
            let direct = children.into_iter().flatten().map(of).max().unwrap_or(0);
            let listed = list
                .map_or(0, |list| tree.list(list).iter().map(|&index| of(Id::new(index as usize))).max().unwrap_or(0));
            let clauses = match node {
                Node::Comprehension { clauses, .. } => tree.list(clauses).len().min(usize::from(MAX_DEPTH)) as u16,
                _ => 0,
            };
            (direct.max(listed) + 1).saturating_add(clauses)
        }
    };
    (depth <= MAX_DEPTH).then_some(depth)
}

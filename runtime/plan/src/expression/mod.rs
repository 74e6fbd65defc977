//! An `eval!` expression as a tree.
//!
//! The tree is an arena of small nodes, children before their parents, the root last. Names are resolved when it is built: roots of the
//! scope, builtins and the variables of comprehensions are no strings any more. Where the nodes stand in the text is kept beside the
//! tree, so that two texts that differ only in their layout give the same tree. It is built by [`Builder`] and read from a plan
//! through a check of every index; evaluation is in [`evaluate`](crate::evaluate).

mod build;
mod node;
mod read;
mod wire;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use build::{Builder, TooComplex};
pub use node::{Arithmetic, Collection, Comparison, Conversion, Id, Logic, Node, Nodes, Sign};
pub use read::{Access, NameUse};

use crate::value::Value;

/// How deeply a tree may nest; chains of binary operators count once, and their length is limited by [`MAX_NODES`].
pub const MAX_DEPTH: u16 = 150;

/// How many nodes a tree may have.
pub const MAX_NODES: usize = 100_000;

/// A parsed expression.
#[derive(Clone, Debug)]
pub struct Expression {
    pub(crate) tree: Tree,
    /// One for each node, or none if they are kept elsewhere.
    places: Arc<[Place]>,
}

/// Where a part of an expression stands in its text, in code points from 0; the end is exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "(u32, u32)", into = "(u32, u32)")]
pub struct Place {
    /// The first code point.
    pub start: u32,
    /// The one after the last.
    pub end: u32,
}

/// A name that the scope may bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Root {
    /// The list's constants.
    Constants,
    /// The list's options.
    Options,
    /// The locals of the node.
    Locals,
    /// The device data.
    Device,
    /// The device under test.
    Dut,
    /// The station.
    Station,
    /// The stored state.
    StateProxy,
}

/// What a tree is made of; every index has been checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// Lists of nodes and of names: a length, then so many indices.
    pub(crate) lists: Vec<u32>,
    pub(crate) names: Vec<Arc<str>>,
    pub(crate) literals: Vec<Value>,
    /// How many variables its comprehensions have.
    pub(crate) slots: u32,
}

impl Root {
    /// Every root.
    pub const ALL: [Self; 7] =
        [Self::Constants, Self::Options, Self::Locals, Self::Device, Self::Dut, Self::Station, Self::StateProxy];

    /// As expressions spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Constants => "constants",
            Self::Options => "options",
            Self::Locals => "locals",
            Self::Device => "device",
            Self::Dut => "dut",
            Self::Station => "station",
            Self::StateProxy => "state_proxy",
        }
    }

    /// The root of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|root| root.name() == name)
    }
}

impl Place {
    /// From `start` to before `end`.
    pub fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }
}

impl From<(u32, u32)> for Place {
    fn from((start, end): (u32, u32)) -> Self {
        Self { start, end }
    }
}

impl From<Place> for (u32, u32) {
    fn from(place: Place) -> Self {
        (place.start, place.end)
    }
}

impl Expression {
    pub(crate) fn of(tree: Tree, places: Arc<[Place]>) -> Self {
        Self { tree, places }
    }

    /// Where its nodes stand in its text; empty after [`without_places`](Self::without_places) and when it was read from a plan.
    pub fn places(&self) -> &Arc<[Place]> {
        &self.places
    }

    /// The tree alone: what a plan holds once for each distinct expression.
    #[must_use]
    pub fn without_places(&self) -> Self {
        Self { tree: self.tree.clone(), places: Arc::from([]) }
    }

    /// Where a node stands; the beginning of the text if that is not known.
    pub fn place(&self, id: Id) -> Place {
        self.places.get(id.index()).copied().unwrap_or_default()
    }

    /// The node that stands for the whole.
    pub fn root(&self) -> Id {
        Id::new(self.tree.nodes.len().saturating_sub(1))
    }

    /// A node.
    pub fn node(&self, id: Id) -> Node {
        self.tree.nodes.get(id.index()).copied().unwrap_or(Node::None)
    }

    /// Every node with its id, children before their parents.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = (Id, Node)> + '_ {
        self.tree.nodes.iter().enumerate().map(|(index, node)| (Id::new(index), *node))
    }

    /// The members of a list of nodes.
    pub fn list(&self, list: Nodes) -> impl ExactSizeIterator<Item = Id> + '_ {
        self.tree.list(list).iter().map(|&index| Id::new(index as usize))
    }

    /// The names of a path.
    pub fn path(&self, names: Nodes) -> impl ExactSizeIterator<Item = &Arc<str>> + '_ {
        self.tree.list(names).iter().map(|&name| &self.tree.names[name as usize])
    }

    /// A name that a node refers to.
    pub fn name(&self, name: u32) -> &Arc<str> {
        &self.tree.names[name as usize]
    }

    /// The value, if the whole expression is one.
    pub fn as_literal(&self) -> Option<Value> {
        match self.node(self.root()) {
            Node::None => Some(Value::None),
            Node::Bool(value) => Some(Value::Bool(value)),
            Node::Int(value) => Some(Value::Int(value)),
            Node::Literal(index) => self.tree.literals.get(index as usize).cloned(),
            _ => None,
        }
    }

    /// A literal that a node refers to.
    pub fn literal(&self, literal: u32) -> &Value {
        &self.tree.literals[literal as usize]
    }
}

impl Tree {
    pub(crate) fn list(&self, list: Nodes) -> &[u32] {
        let start = list.index() + 1;
        self.lists.get(list.index()).and_then(|&length| self.lists.get(start..start + length as usize)).unwrap_or(&[])
    }
}

impl PartialEq for Expression {
    /// Whether the trees are the same; where they stand does not count.
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (&self.tree, &other.tree);
        a.nodes == b.nodes
            && a.lists == b.lists
            && a.names == b.names
            && a.slots == b.slots
            && a.literals.len() == b.literals.len()
            && a.literals.iter().zip(&b.literals).all(|(x, y)| x.is_identical(y))
    }
}

impl Eq for Expression {}

impl Hash for Expression {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.tree.nodes.hash(state);
        self.tree.lists.hash(state);
        self.tree.names.hash(state);
        self.tree.literals.len().hash(state);
    }
}

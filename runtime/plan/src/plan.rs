//! The plan: a graph of groups and tests, with everything a station needs to run them.
//!
//! The graph holds structure, never policy: what happens after a failure is the scheduler's.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;
use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Data;
use crate::expression::{Expression, Place};
use crate::members::Members;
use crate::names::Names;
use crate::template::{ExpressionUse, Template};

/// A node of the plan.
pub type NodeId = NodeIndex<u32>;

/// A text for people: one for each locale, `en-US` first.
pub type Text = Members<Arc<str>>;

/// A compiled test list.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The list's id, for example `main`.
    pub id: String,
    /// What the list is called.
    pub label: Text,
    /// The list's options: an object that holds every known option.
    pub options: Template,
    /// Tests that are not to run (`options.skipped_tests`).
    pub skipped_tests: Vec<Rule>,
    /// Tests whose failure does not count (`options.waived_tests`).
    pub waived_tests: Vec<Rule>,
    /// The list's constants, an object.
    pub constants: Data,
    /// The locals that nodes refer to; equal ones stand once.
    pub locals: Vec<Locals>,
    /// Every distinct expression, [without its places](Expression::without_places).
    pub expressions: Vec<Expression>,
    /// Where expressions stand in the files; not part of the hash.
    pub sources: Vec<ExpressionSource>,
    graph: DiGraph<Node, Edge>,
    /// How many children each node has.
    counts: Vec<u32>,
    root: NodeId,
    /// Made when the children of a node are first asked for.
    children: OnceLock<Children>,
    /// Made when a node is looked for.
    paths: OnceLock<HashMap<Box<str>, NodeId>>,
}

/// The children of all nodes, those of one node together.
#[derive(Clone, Debug)]
struct Children {
    all: Vec<NodeId>,
    /// Where those of each node begin, and where the last ones end.
    starts: Vec<u32>,
}

/// A group, a test, or the root of the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// The ids from the root down, joined by dots; empty for the root.
    pub path: String,
    /// The last part of the path; empty for the root.
    pub id: Arc<str>,
    /// What people call it; nodes with the same texts share them.
    pub label: Arc<Text>,
    /// The class of the reference that it was made from.
    pub class: Class,
    /// What it runs; `None` for a group.
    pub test: Option<Test>,
    /// Whether it runs at all.
    pub run_if: Option<ExpressionUse>,
    /// How often it must pass.
    pub iterations: Count,
    /// How often it may fail.
    pub retries: Count,
    /// What a failure does to the tests after it.
    pub action_on_failure: ActionOnFailure,
    /// Runs after the others of its group, whatever happened.
    pub teardown: bool,
    /// Its children run at the same time.
    pub parallel: bool,
    /// A reboot while it runs is expected.
    pub allow_reboot: bool,
    /// An operator may not abort it.
    pub disable_abort: bool,
    /// It runs without a panel.
    pub no_host: bool,
    /// Resources that it, or a group around it, holds.
    pub exclusive_resources: Names,
    /// Services that are on while it runs.
    pub enable_services: Names,
    /// Services that are off while it runs.
    pub disable_services: Names,
    /// Options of the connection to the device under test; nodes with the same ones share them.
    pub dut_options: Arc<Data>,
    /// How a panel lays out parallel tests; nodes with the same layout share it.
    pub layout: Arc<Data>,
    /// Its locals: an index into [`Plan::locals`].
    pub locals: u32,
}

/// What a leaf runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// The program.
    pub program: Program,
    /// The arguments, an object.
    pub args: Template,
    /// After how many seconds an attempt is ended.
    pub timeout_secs: Option<f64>,
    /// How a Python test gets its interpreter.
    pub isolation: Isolation,
    /// Limits that the runtime judges: name to object; tests with the same ones share them.
    pub measurements: Arc<Template>,
}

/// The program of a leaf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Program {
    /// A Python file below the tests directory, by its dotted name.
    Pytest(Arc<str>),
    /// A program and its arguments, an array of strings.
    Exec(Arc<Template>),
    /// A shutdown, a reboot or a halt; the argument `operation` says which.
    Shutdown,
    /// Nothing: an attempt fails.
    Nothing,
}

/// How a Python test gets its interpreter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// A child of a warm interpreter.
    #[default]
    Fork,
    /// A new interpreter.
    Spawn,
    /// A warm interpreter that stays.
    Shared,
}

/// The reference's class of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Class {
    /// A test, or a sequence of tests that is repeated as a whole.
    FactoryTest,
    /// A group whose tests can run on their own.
    TestGroup,
    /// A shutdown.
    ShutdownStep,
    /// A shutdown that halts.
    HaltStep,
    /// A shutdown that reboots.
    RebootStep,
    /// A shutdown that reboots with the embedded controller.
    FullRebootStep,
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(match self {
            Self::Times(times) => i64::from(*times),
            Self::Unlimited => -1,
        })
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match i64::deserialize(deserializer)? {
            -1 => Ok(Self::Unlimited),
            times => u32::try_from(times)
                .map(Self::Times)
                .map_err(|_| D::Error::custom("a count is -1 or from 0 to 4294967295")),
        }
    }
}

impl Class {
    /// Whether it shuts the device down.
    pub fn is_shutdown(self) -> bool {
        match self {
            Self::ShutdownStep | Self::HaltStep | Self::RebootStep | Self::FullRebootStep => true,
            Self::FactoryTest | Self::TestGroup => false,
        }
    }

    /// Its name, as lists spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::FactoryTest => "FactoryTest",
            Self::TestGroup => "TestGroup",
            Self::ShutdownStep => "ShutdownStep",
            Self::HaltStep => "HaltStep",
            Self::RebootStep => "RebootStep",
            Self::FullRebootStep => "FullRebootStep",
        }
    }
}

/// A number of times; written -1 where it has no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// So often.
    Times(u32),
    /// Without an end.
    Unlimited,
}

/// What a failure does to the tests after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ActionOnFailure {
    /// The next test runs.
    #[default]
    Next,
    /// The rest of the group is left out.
    Parent,
    /// The rest of the run is left out.
    Stop,
}

/// A rule of `skipped_tests` or `waived_tests`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// When it holds.
    pub when: When,
    /// Patterns of paths: exact, or a suffix after `*`.
    pub patterns: Template,
}

/// When a [`Rule`] holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum When {
    /// In this phase.
    Phase(String),
    /// If this expression is true; an error counts as false.
    Condition(ExpressionUse),
    /// Never: its key is no expression.
    Never(String),
}

/// The phases of a product, as `skipped_tests` and `waived_tests` spell them.
pub const PHASES: [&str; 5] = ["PROTO", "EVT", "DVT", "PVT_DOGFOOD", "PVT"];

/// Whether a pattern of a rule names this path. What stands before the last `:` does not count; `*` and a suffix matches every path
/// that ends so; anything else is the path itself. `*` alone matches everything, the root included.
pub fn pattern_matches(pattern: &str, path: &str) -> bool {
    let pattern = pattern.rsplit(':').next().unwrap_or(pattern);
    match pattern.strip_prefix('*') {
        Some(suffix) => path.ends_with(suffix),
        None => path == pattern,
    }
}

/// The locals of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Locals {
    /// Known when the list was compiled.
    Known(Data),
    /// Evaluated when the station loads the plan, with the enclosing locals, which they then override deeply.
    AtLoad {
        /// The locals of the enclosing group: an index into [`Plan::locals`].
        enclosing: u32,
        /// The node's own.
        own: Template,
    },
}

/// Where an expression stands, for messages on a station that does not have the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpressionSource {
    /// The expression's text, without the prefix `eval! `.
    pub text: Arc<str>,
    /// The list's file.
    pub file: Arc<str>,
    /// The line of the text's first character, from 1.
    pub line: u32,
    /// The column of the text's first character, from 1, in code points.
    pub column: u32,
    /// `(offset in the text, columns that an escape before it takes beyond one)`, cumulative, both in code points.
    pub escapes: Vec<(u32, u32)>,
    /// Where the nodes of the tree stand in the text ([`Expression::places`]).
    pub places: Arc<[Place]>,
}

/// What binds two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Edge {
    /// The target is the group's child at this position.
    Contains(u32),
    /// The target must have run before; the position in `require_run`.
    Requires(u32),
}

impl Plan {
    /// A plan whose graph has only a root; [`add_child`](Self::add_child) and [`add_requirement`](Self::add_requirement) make the rest.
    pub fn new(id: String, label: Text, root: Node) -> Self {
        let mut graph = DiGraph::new();
        let root = graph.add_node(root);
        Self {
            id,
            label,
            options: Template::Data(Data::object(IndexMap::new())),
            skipped_tests: Vec::new(),
            waived_tests: Vec::new(),
            constants: Data::object(IndexMap::new()),
            locals: vec![Locals::Known(Data::object(IndexMap::new()))],
            expressions: Vec::new(),
            sources: Vec::new(),
            graph,
            counts: vec![0],
            root,
            children: OnceLock::new(),
            paths: OnceLock::new(),
        }
    }

    /// Makes room for so many nodes below the root.
    pub fn reserve(&mut self, nodes: usize) {
        self.graph.reserve_exact_nodes(nodes);
        self.graph.reserve_exact_edges(nodes);
        self.counts.reserve_exact(nodes);
    }

    /// Adds the last child of `parent`.
    pub fn add_child(&mut self, parent: NodeId, node: Node) -> NodeId {
        let child = self.graph.add_node(node);
        let position = &mut self.counts[parent.index()];
        self.graph.add_edge(parent, child, Edge::Contains(*position));
        *position += 1;
        self.counts.push(0);
        self.children.take();
        self.paths.take();
        child
    }

    /// Says that `node` needs `required` to have run.
    pub fn add_requirement(&mut self, node: NodeId, required: NodeId) {
        let position = self.graph.edges(node).filter(|edge| matches!(edge.weight(), Edge::Requires(_))).count();
        self.graph.add_edge(node, required, Edge::Requires(position as u32));
    }

    /// The whole list.
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// The node with this id.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.graph[id]
    }

    /// The children of a group, in their order; none for a test.
    pub fn children(&self, id: NodeId) -> &[NodeId] {
        let Children { all, starts } = self.children.get_or_init(|| self.all_children());
        &all[starts[id.index()] as usize..starts[id.index() + 1] as usize]
    }

    fn all_children(&self) -> Children {
        let mut starts = Vec::with_capacity(self.counts.len() + 1);
        starts.push(0);
        starts.extend(self.counts.iter().scan(0, |end, count| {
            *end += count;
            Some(*end)
        }));
        let mut all = vec![self.root; self.counts.len() - 1];
        for edge in self.graph.raw_edges() {
            if let Edge::Contains(position) = edge.weight {
                all[(starts[edge.source().index()] + position) as usize] = edge.target();
            }
        }
        Children { all, starts }
    }

    /// The group around a node; none for the root.
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.graph
            .edges_directed(id, Direction::Incoming)
            .find(|edge| matches!(edge.weight(), Edge::Contains(_)))
            .map(|edge| edge.source())
    }

    /// What `require_run` names, in its order.
    pub fn requirements(&self, id: NodeId) -> Vec<NodeId> {
        let mut required: Vec<_> = self
            .graph
            .edges(id)
            .filter_map(|edge| match edge.weight() {
                Edge::Requires(position) => Some((*position, edge.target())),
                Edge::Contains(_) => None,
            })
            .collect();
        required.sort_by_key(|(position, _)| *position);
        required.into_iter().map(|(_, target)| target).collect()
    }

    /// Every node, parents before their children, in the list's order.
    pub fn preorder(&self) -> impl Iterator<Item = NodeId> + '_ {
        let mut open = vec![self.root];
        std::iter::from_fn(move || {
            let next = open.pop()?;
            open.extend(self.children(next).iter().rev());
            Some(next)
        })
    }

    /// The node at a path; the empty path is the root. A prefix `LIST:` of this list is allowed.
    pub fn find(&self, path: &str) -> Option<NodeId> {
        let path = path.strip_prefix(&self.id).and_then(|rest| rest.strip_prefix(':')).unwrap_or(path);
        self.at(path)
    }

    /// The node at exactly this path; the empty path is the root.
    pub fn at(&self, path: &str) -> Option<NodeId> {
        let paths = self.paths.get_or_init(|| {
            let mut paths = HashMap::new();
            for id in self.preorder() {
                // Where a path stands twice, it is the first that counts.
                paths.entry(self.node(id).path.as_str().into()).or_insert(id);
            }
            paths
        });
        paths.get(path).copied()
    }

    /// Whether the node has no children.
    pub fn is_leaf(&self, id: NodeId) -> bool {
        self.counts[id.index()] == 0
    }

    /// The graph, for drawing.
    pub fn graph(&self) -> &DiGraph<Node, Edge> {
        &self.graph
    }
}

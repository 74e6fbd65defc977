//! The plan on disk: JSON with a format name, a version and a hash.
//!
//! The hash is the SHA-256 of the plan's canonical form: compact JSON with sorted keys, without the places where expressions stand. So it
//! does not change with the layout of the files, with comments, or from machine to machine.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::canonical::canonical;
use crate::plan::{Edge, ExpressionSource, Locals, Node, NodeId, Rule, Text};
use crate::{Data, Plan, Template, expression::Expression};

/// The name in every plan file.
pub const FORMAT: &str = "tlc-plan";

/// The version that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// Why a text is not a plan.
#[derive(Debug)]
pub enum WireError {
    /// It is not JSON of the right shape.
    Malformed(serde_json::Error),
    /// It is JSON, and says that it is something else.
    OtherFormat(String),
    /// It is a plan of a version that this program does not know.
    OtherVersion(u32),
    /// It was changed after it was written.
    WrongHash,
    /// Its graph is not a tree of groups and tests, or an index leads nowhere.
    BrokenGraph(&'static str),
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    format: String,
    version: u32,
    hash: String,
    plan: Body,
    sources: Vec<ExpressionSource>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    id: String,
    label: Text,
    options: Template,
    skipped_tests: Vec<Rule>,
    waived_tests: Vec<Rule>,
    constants: Data,
    locals: Vec<Locals>,
    expressions: Vec<Expression>,
    /// Parents before their children; the first is the root.
    nodes: Vec<Node>,
    /// From, to, and what it means.
    edges: Vec<(u32, u32, Edge)>,
}

impl Plan {
    /// The hash: 64 hexadecimal digits.
    pub fn hash(&self) -> String {
        hash_of(&body(self))
    }

    /// The text of the plan's file.
    pub fn to_json(&self) -> String {
        self.to_json_with(self.hash())
    }

    /// The text of the plan's file, where its hash is known already.
    pub fn to_json_with(&self, hash: String) -> String {
        let plan = body(self);
        let file = PlanFile { format: FORMAT.into(), version: VERSION, hash, plan, sources: self.sources.clone() };
        serde_json::to_string_pretty(&file).unwrap_or_default()
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    pub fn from_json(text: &str) -> Result<Self, WireError> {
        let file: Result<PlanFile, _> = serde_json::from_str(text);
        let head = match &file {
            Ok(file) => Head { format: file.format.clone(), version: file.version },
            Err(_) => serde_json::from_str(text).map_err(WireError::Malformed)?,
        };
        if head.format != FORMAT {
            return Err(WireError::OtherFormat(head.format));
        }
        if head.version != VERSION {
            return Err(WireError::OtherVersion(head.version));
        }
        let file = file.map_err(WireError::Malformed)?;
        if hash_of(&file.plan) != file.hash {
            return Err(WireError::WrongHash);
        }
        plan(file)
    }
}

fn body(plan: &Plan) -> Body {
    let graph = plan.graph();
    Body {
        id: plan.id.clone(),
        label: plan.label.clone(),
        options: plan.options.clone(),
        skipped_tests: plan.skipped_tests.clone(),
        waived_tests: plan.waived_tests.clone(),
        constants: plan.constants.clone(),
        locals: plan.locals.clone(),
        expressions: plan.expressions.clone(),
        nodes: graph.node_weights().cloned().collect(),
        edges: graph
            .raw_edges()
            .iter()
            .map(|edge| (edge.source().index() as u32, edge.target().index() as u32, edge.weight))
            .collect(),
    }
}

fn hash_of(body: &Body) -> String {
    let Ok(text) = canonical(body) else { return String::new() };
    let digest = Sha256::digest(text);
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn plan(file: PlanFile) -> Result<Plan, WireError> {
    let body = file.plan;
    let mut nodes = body.nodes.into_iter();
    let root = nodes.next().ok_or(WireError::BrokenGraph("it has no root"))?;
    let mut plan = Plan::new(body.id, body.label, root);
    let parents = parents(&body.edges, nodes.len() + 1)?;
    for (node, parent) in nodes.zip(parents) {
        plan.add_child(NodeId::new(parent as usize), node);
    }
    for (from, to, edge) in &body.edges {
        if let Edge::Requires(_) = edge {
            plan.add_requirement(NodeId::new(*from as usize), NodeId::new(*to as usize));
        }
    }
    plan.options = body.options;
    plan.skipped_tests = body.skipped_tests;
    plan.waived_tests = body.waived_tests;
    plan.constants = body.constants;
    plan.locals = body.locals;
    plan.expressions = body.expressions;
    plan.sources = file.sources;
    Ok(plan)
}

/// The parent of each node but the root; each comes before its child.
fn parents(edges: &[(u32, u32, Edge)], count: usize) -> Result<Vec<u32>, WireError> {
    let mut parents = vec![None; count];
    for &(from, to, edge) in edges {
        if from as usize >= count || to as usize >= count {
            return Err(WireError::BrokenGraph("an edge leads to a node that does not exist"));
        }
        if let Edge::Contains(_) = edge
            && (from >= to || parents[to as usize].replace(from).is_some())
        {
            return Err(WireError::BrokenGraph("a node has two parents, or one that comes after it"));
        }
    }
    let found: Option<Vec<u32>> = parents.into_iter().skip(1).collect();
    found.ok_or(WireError::BrokenGraph("a node has no parent"))
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "it is not a plan: {error}"),
            Self::OtherFormat(format) => write!(f, "it is not a plan: its format is `{format}`, expected `{FORMAT}`"),
            Self::OtherVersion(version) => {
                write!(
                    f,
                    "it is a plan of version {version}; this program reads version {VERSION}: compile the list again"
                )
            }
            Self::WrongHash => f.write_str("its hash does not match: it was changed after `tlc compile` wrote it"),
            Self::BrokenGraph(reason) => write!(f, "it is not a plan: {reason}"),
        }
    }
}

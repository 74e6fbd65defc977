//! Stages as text for people.

use std::fmt::Write as _;

use tlc_compiler::Compilation;
use tlc_compiler::plan::plan::{ActionOnFailure, Count, Node, Program, Test};
use tlc_compiler::plan::{NodeId, Plan};

/// The tests of a list.
pub fn tests(compilation: &Compilation) -> String {
    match &compilation.plan {
        Some(plan) => plan_tree(plan),
        None => format!("{}: a library; it has no tests of its own\n", compilation.id),
    }
}

/// The plan: its hash, its size, its tests.
pub fn plan(plan: &Plan) -> String {
    let tests = plan.preorder().filter(|id| plan.node(*id).test.is_some()).count();
    let groups = plan.preorder().count() - tests - 1;
    let expressions = plan.expressions.len();
    format!(
        "plan {}\n{tests} tests, {groups} groups, {expressions} expressions for the station\n\n{}",
        plan.hash(),
        plan_tree(plan)
    )
}

/// The files in the order of inheritance.
pub fn lineage(compilation: &Compilation) -> String {
    let mut text = String::new();
    for ancestor in compilation.lineage.iter().flat_map(|lineage| &lineage.order) {
        let files =
            ancestor.layers.iter().rev().map(|layer| compilation.sources.path(layer.file).display().to_string());
        let _ = writeln!(text, "{}  {}", ancestor.name, files.collect::<Vec<_>>().join(", "));
        for (parent, _) in &ancestor.parents {
            let _ = writeln!(text, "    inherits {parent}");
        }
    }
    text
}

fn plan_tree(plan: &Plan) -> String {
    let mut text = format!("{}  {}\n", plan.id, english(plan.node(plan.root())));
    children(plan, plan.root(), "", &mut text);
    text
}

fn children(plan: &Plan, group: NodeId, indent: &str, text: &mut String) {
    let children = plan.children(group);
    for (index, &child) in children.iter().enumerate() {
        let last = index + 1 == children.len();
        let (branch, below) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let _ = writeln!(text, "{indent}{branch}{}", line(plan.node(child), plan, child));
        children_below(plan, child, indent, below, text);
    }
}

fn children_below(plan: &Plan, child: NodeId, indent: &str, below: &str, text: &mut String) {
    children(plan, child, &format!("{indent}{below}"), text);
}

fn line(node: &Node, plan: &Plan, id: NodeId) -> String {
    let mut line = node.id.to_string();
    let label = english(node);
    if label.replace(' ', "") != *node.id {
        let _ = write!(line, "  “{label}”");
    }
    if let Some(test) = &node.test {
        let _ = write!(line, "  {}", program(test));
    }
    for remark in remarks(node, plan, id) {
        let _ = write!(line, "  [{remark}]");
    }
    line
}

fn program(test: &Test) -> String {
    match &test.program {
        Program::Pytest(name) => name.to_string(),
        Program::Exec(argv) => {
            let first = argv.as_data().and_then(|argv| argv.as_list()?.first()?.as_str().map(str::to_owned));
            format!("$ {}", first.unwrap_or_else(|| "...".into()))
        }
        Program::Shutdown => "shutdown".into(),
        Program::Nothing => "(runs nothing)".into(),
    }
}

fn remarks(node: &Node, plan: &Plan, id: NodeId) -> Vec<String> {
    let mut remarks = Vec::new();
    if node.parallel {
        remarks.push("parallel".to_owned());
    }
    if node.teardown {
        remarks.push("teardown".to_owned());
    }
    match node.iterations {
        Count::Times(1) => {}
        Count::Times(times) => remarks.push(format!("{times} times")),
        Count::Unlimited => remarks.push("for ever".to_owned()),
    }
    match node.retries {
        Count::Times(0) => {}
        Count::Times(1) => remarks.push("1 retry".to_owned()),
        Count::Times(times) => remarks.push(format!("{times} retries")),
        Count::Unlimited => remarks.push("retried for ever".to_owned()),
    }
    match node.action_on_failure {
        ActionOnFailure::Next => {}
        ActionOnFailure::Parent => remarks.push("a failure ends the group".to_owned()),
        ActionOnFailure::Stop => remarks.push("a failure ends the run".to_owned()),
    }
    if let Some(source) = node.run_if.and_then(|run_if| plan.sources.get(run_if.source as usize)) {
        remarks.push(format!("if {}", source.text));
    }
    for required in plan.requirements(id) {
        let path = &plan.node(required).path;
        remarks.push(format!("after {}", if path.is_empty() { "all" } else { path }));
    }
    remarks
}

fn english(node: &Node) -> &str {
    node.label.get("en-US").map_or("", |label| label)
}

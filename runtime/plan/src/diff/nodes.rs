//! Two nodes of the same path against each other, field by field.

use crate::plan::{ActionOnFailure, Count, Node, Program, Test};
use crate::{Data, NodeId, Plan};

use super::templates::Sides;
use super::{Change, text};

/// What is different between two nodes of the same path.
pub(super) fn compare(sides: &Sides<'_>, old: NodeId, new: NodeId, changes: &mut Vec<Change>) {
    let path = sides.after.node(new).path.clone();
    let mut push = |what: String, before: Option<String>, after: Option<String>| {
        if before != after {
            changes.push(Change::Changed { path: path.clone(), what, before, after });
        }
    };
    let (before, after) = (sides.before.node(old), sides.after.node(new));
    let sides = &Sides { locals: (before.locals, after.locals), ..*sides };
    let both = fields(sides.before, old).into_iter().zip(fields(sides.after, new));
    for ((what, old), (_, new)) in both {
        push(what.to_owned(), old, new);
    }
    condition(sides, before, after, &mut push);
    if let (Some(old), Some(new)) = (&before.test, &after.test) {
        test(sides, old, new, &mut push);
    }
}

/// The fields of a node that are compared as text; nothing for a default.
fn fields(plan: &Plan, id: NodeId) -> Vec<(&'static str, Option<String>)> {
    let node = plan.node(id);
    let flag = |value: bool| value.then(|| "true".to_owned());
    let names = |names: &[String]| Some(names.join(", ")).filter(|names| !names.is_empty());
    let data = |data: &Data| Some(data.to_string()).filter(|_| data.is_truthy());
    let required: Vec<String> =
        plan.requirements(id).into_iter().map(|required| plan.node(required).path.clone()).collect();
    vec![
        ("label", text(&node.label)),
        ("runs", Some(runs(plan, id))),
        ("class", Some(node.class.name().to_owned())),
        ("iterations", Some(count(node.iterations))),
        ("retries", Some(count(node.retries))),
        ("action_on_failure", action(node.action_on_failure)),
        ("teardown", flag(node.teardown)),
        ("parallel", flag(node.parallel)),
        ("allow_reboot", flag(node.allow_reboot)),
        ("disable_abort", flag(node.disable_abort)),
        ("no_host", flag(node.no_host)),
        ("require_run", names(&required)),
        ("exclusive_resources", names(&node.exclusive_resources)),
        ("enable_services", names(&node.enable_services)),
        ("disable_services", names(&node.disable_services)),
        ("dut_options", data(&node.dut_options)),
        ("layout", data(&node.layout)),
        ("timeout_secs", node.test.as_ref().and_then(|test| test.timeout_secs).map(|seconds| seconds.to_string())),
        ("isolation", node.test.as_ref().map(|test| format!("{:?}", test.isolation).to_lowercase())),
    ]
}

fn condition(sides: &Sides<'_>, old: &Node, new: &Node, push: &mut impl FnMut(String, Option<String>, Option<String>)) {
    let same = match (old.run_if, new.run_if) {
        (Some(old), Some(new)) => sides.same_expression(old, new),
        (None, None) => true,
        _ => false,
    };
    if !same {
        let [before, after] = sides.sources(old.run_if, new.run_if);
        push("run_if".to_owned(), before, after);
    }
}

fn test(sides: &Sides<'_>, old: &Test, new: &Test, push: &mut impl FnMut(String, Option<String>, Option<String>)) {
    let mut differences = sides.differences("args", &old.args, &new.args);
    differences.extend(sides.differences("measurements", &old.measurements, &new.measurements));
    if let (Program::Exec(old), Program::Exec(new)) = (&old.program, &new.program) {
        differences.extend(sides.differences("exec", old, new));
    }
    for (what, before, after) in differences {
        push(what, before, after);
    }
}

/// What a node runs, in a few words.
pub(super) fn runs(plan: &Plan, id: NodeId) -> String {
    match plan.node(id).test.as_ref().map(|test| &test.program) {
        None => "group".to_owned(),
        Some(Program::Pytest(name)) => name.to_string(),
        Some(Program::Exec(_)) => "exec".to_owned(),
        Some(Program::Shutdown) => "shutdown".to_owned(),
        Some(Program::Nothing) => "nothing".to_owned(),
    }
}

fn count(count: Count) -> String {
    match count {
        Count::Times(times) => times.to_string(),
        Count::Unlimited => "unlimited".to_owned(),
    }
}

fn action(action: ActionOnFailure) -> Option<String> {
    match action {
        ActionOnFailure::Next => None,
        ActionOnFailure::Parent => Some("PARENT".to_owned()),
        ActionOnFailure::Stop => Some("STOP".to_owned()),
    }
}

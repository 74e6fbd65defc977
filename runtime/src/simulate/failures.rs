//! Each leaf failing once, alone: what was left out, which teardowns ran, what the verdict is; and whether that is what the list expects.

use serde::{Deserialize, Serialize};
use tlc_plan::plan::{Count, NodeId, Plan};

use super::Evaluation;
use super::player::run;
use super::script::Script;
use super::timeline::Timeline;
use crate::schedule::{Status, find, is_at_or_under, is_teardown};

/// What the failure of a leaf leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Consequence {
    /// The leaf that failed, as often as its own retries allow and once more.
    pub fail: String,
    /// The status of what was run.
    pub verdict: Status,
    /// Tests that did not run though they run when nothing fails.
    pub not_run: Vec<String>,
    /// The same in short: a group stands for its tests if none of them ran.
    pub not_run_groups: Vec<String>,
    /// Teardowns that ran.
    pub teardowns: Vec<String>,
    /// Teardowns of groups that were entered, and that did not run though they run when nothing fails.
    pub missed_teardowns: Vec<String>,
    /// What differs from the list's expectations.
    pub differences: Vec<String>,
}

/// An entry of a list's `simulate` section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The leaf that fails.
    pub fail: String,
    /// What is expected.
    pub expect: Expected,
}

/// What a list expects of a failure; what it does not name may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The status of what was run.
    pub verdict: Option<Status>,
    /// Exactly these tests do not run, in any order; a group stands for its tests.
    pub not_run: Option<Vec<String>>,
    /// Exactly these teardowns run, in any order; a group stands for its tests.
    pub teardowns: Option<Vec<String>>,
}

/// Fails each leaf that runs, alone, with everything else as the script says. Leaves that do not run by themselves are not asked.
pub fn every_failure(
    plan: &Plan,
    evaluation: &dyn Evaluation,
    script: &Script,
    expectations: &[Expectation],
) -> Vec<Consequence> {
    let usual = run(plan, evaluation, script);
    let leaves = usual.started().into_iter().filter_map(|path| find(plan, path));
    leaves
        .map(|leaf| {
            let mut script = script.clone();
            let path = plan.node(leaf).path.clone();
            script.fail.push((path.clone(), Some(failures(plan, leaf))));
            let mut consequence = consequence(plan, path, &usual, &run(plan, evaluation, &script));
            for expectation in expectations.iter().filter(|it| it.fail == consequence.fail) {
                let differences = differences(&expectation.expect, &consequence, &usual);
                consequence.differences.extend(differences);
            }
            consequence
        })
        .collect()
}

/// How often a leaf fails until its own retries are used up.
fn failures(plan: &Plan, leaf: NodeId) -> u32 {
    match plan.node(leaf).retries {
        Count::Times(retries) => retries.saturating_add(1),
        Count::Unlimited => 1,
    }
}

fn consequence(plan: &Plan, fail: String, usual: &Timeline, failed: &Timeline) -> Consequence {
    let started = failed.started();
    let not_run: Vec<_> =
        usual.started().into_iter().filter(|path| !started.contains(path)).map(str::to_owned).collect();
    let is_a_teardown = |path: &str| find(plan, path).is_some_and(|node| is_teardown(plan, node));
    Consequence {
        verdict: failed.verdict.as_ref().map_or(Status::Untested, |verdict| verdict.status),
        teardowns: started.iter().filter(|path| is_a_teardown(path)).map(|&path| path.to_owned()).collect(),
        missed_teardowns: not_run.iter().filter(|path| was_due(plan, path, &started)).cloned().collect(),
        not_run_groups: shortened(plan, &not_run, usual),
        not_run,
        fail,
        differences: Vec::new(),
    }
}

/// Whether a test belongs to a teardown of a group that was entered.
fn was_due(plan: &Plan, path: &str, started: &[&str]) -> bool {
    let mut at = find(plan, path).filter(|&node| is_teardown(plan, node));
    // Up to the group whose teardown it is.
    while let Some(node) = at.filter(|&node| is_teardown(plan, node)) {
        at = plan.parent(node);
    }
    let group = at.map(|node| &plan.node(node).path);
    group.is_some_and(|group| started.iter().any(|path| is_at_or_under(path, group)))
}

/// The highest nodes that have tests, none of which ran.
fn shortened(plan: &Plan, not_run: &[String], usual: &Timeline) -> Vec<String> {
    let usual = usual.started();
    let is_left_out = |path: &str| {
        let mut tests = usual.iter().filter(|test| is_at_or_under(test, path)).peekable();
        tests.peek().is_some() && tests.all(|test| not_run.iter().any(|other| other == test))
    };
    let mut short: Vec<String> = Vec::new();
    for node in plan.preorder() {
        let path = &plan.node(node).path;
        let covered = short.iter().any(|group| is_at_or_under(path, group));
        if !covered && !path.is_empty() && is_left_out(path) {
            short.push(path.clone());
        }
    }
    short
}

fn differences(expected: &Expected, found: &Consequence, usual: &Timeline) -> Vec<String> {
    let mut differences = Vec::new();
    if let Some(verdict) = expected.verdict.filter(|&verdict| verdict != found.verdict) {
        differences.push(format!("the verdict is {}, expected {verdict}", found.verdict));
    }
    let usual = usual.started();
    let lists = [("not run", &expected.not_run, &found.not_run), ("teardowns", &expected.teardowns, &found.teardowns)];
    for (what, expected, found) in lists {
        let Some(expected) = expected else { continue };
        let tests = usual.iter().filter(|test| expected.iter().any(|path| is_at_or_under(test, path)));
        let missing = tests.filter(|test| !found.iter().any(|other| other == *test));
        differences.extend(missing.map(|path| format!("{what}: `{path}` is expected, and is not among them")));
        let nothing = expected.iter().filter(|path| !usual.iter().any(|test| is_at_or_under(test, path)));
        differences.extend(nothing.map(|path| format!("{what}: `{path}` never runs")));
        let further = found.iter().filter(|test| !expected.iter().any(|path| is_at_or_under(test, path)));
        differences.extend(further.map(|path| format!("{what}: `{path}` is not expected")));
    }
    differences
}

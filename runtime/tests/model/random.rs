//! Random lists, and what happens to them.

use proptest::prelude::*;
use serde_json::{Value, json};
use tlc_plan::Plan;
use tlc_runtime::schedule::Status;

use super::{Incident, Model, Spec, Wish, id};
use crate::common;

const STATUSES: [Status; 5] =
    [Status::Untested, Status::Passed, Status::Failed, Status::FailedAndWaived, Status::Skipped];

/// A random case.
#[derive(Clone, Debug)]
pub struct Case {
    pub root: Spec,
    pub stop_on_failure: bool,
    pub wishes: Vec<Wish>,
    /// Numbers that become a leaf and the number of its start.
    pub incidents: Vec<(usize, usize, Incident)>,
}

fn leaf() -> impl Strategy<Value = Spec> {
    let flow = (
        prop_oneof![4 => Just(1u32), 1 => 2..4u32],
        prop_oneof![4 => Just(Some(0)), 2 => (1..3u32).prop_map(Some), 1 => Just(None)],
    );
    let outcomes = prop::collection::vec(prop::bool::weighted(0.6), 0..4);
    let rare = (prop::bool::weighted(0.1), prop::bool::weighted(0.2), prop::bool::weighted(0.1));
    (flow, actions(), conditions(), outcomes, rare, initial(), teardown()).prop_map(
        |((iterations, retries), action, run_if, outcomes, (waived, allow_reboot, sets), initial, teardown)| Spec {
            teardown,
            iterations,
            retries,
            action,
            run_if,
            waived,
            allow_reboot,
            outcomes,
            sets,
            initial,
            ..Spec::default()
        },
    )
}

fn tree() -> impl Strategy<Value = Spec> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        let kind = (any::<bool>(), prop::bool::weighted(0.2), prop::bool::weighted(0.1));
        let flow = (prop_oneof![3 => Just(1u32), 1 => 2..4u32], prop_oneof![3 => Just(0u32), 1 => 1..3u32]);
        (prop::collection::vec(inner, 1..5), kind, flow, actions(), conditions(), teardown()).prop_map(
            |(children, (test_group, parallel, waived), (iterations, retries), action, run_if, teardown)| Spec {
                children,
                test_group,
                parallel,
                teardown,
                iterations,
                retries: Some(retries),
                action,
                run_if,
                waived,
                ..Spec::default()
            },
        )
    })
}

fn actions() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just("NEXT"), 1 => Just("PARENT"), 1 => Just("STOP")]
}

fn conditions() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![
        9 => Just(None),
        1 => Just(Some("device.x")),
        1 => Just(Some("not device.x")),
        1 => Just(Some("an error")),
    ]
}

fn teardown() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.25)
}

fn initial() -> impl Strategy<Value = Status> {
    prop_oneof![3 => Just(Status::Untested), 1 => prop::sample::select(&STATUSES[..])]
}

fn incident() -> impl Strategy<Value = Incident> {
    prop_oneof![
        1 => Just(Incident::StopAll),
        1 => Just(Incident::Kill),
        2 => Just(Incident::Crash),
        3 => (0..4usize, any::<bool>()).prop_map(|(levels, fail)| Incident::Abort { levels, fail }),
    ]
}

fn wish() -> impl Strategy<Value = Wish> {
    let filter = prop::collection::vec(prop::sample::select(&STATUSES[..]), 1..4);
    let node = prop_oneof![Just(0usize), 0..32usize];
    (node, prop::option::of(filter)).prop_map(|(node, filter)| Wish { node, filter })
}

/// A random case.
pub fn case() -> impl Strategy<Value = Case> {
    let root = prop::collection::vec(tree(), 1..5);
    let incidents = prop::collection::vec((0..32usize, 1..4usize, incident()), 0..4);
    let requires = prop::collection::vec((0..32usize, 0..32usize), 0..3);
    (root, prop::bool::weighted(0.1), prop::collection::vec(wish(), 1..4), incidents, requires).prop_map(
        |(children, stop_on_failure, wishes, incidents, requires)| {
            let mut root = Spec { children, ..Spec::default() };
            make_valid(&mut root, false);
            let count = size(&root);
            for (from, to) in requires {
                if let Some(spec) = nth(&mut root, &mut (from % count)) {
                    spec.requires = Some(to % count).filter(|_| spec.children.is_empty() || spec.parallel);
                }
            }
            let wishes = wishes.into_iter().map(|wish| Wish { node: wish.node % count, ..wish }).collect();
            let incidents = incidents.into_iter().map(|(leaf, start, it)| (leaf % count, start, it)).collect();
            Case { root, stop_on_failure, wishes, incidents }
        },
    )
}

/// What a list may be: members of parallel groups are leaves, teardowns come last, waived goes down.
fn make_valid(spec: &mut Spec, in_teardown: bool) {
    let in_teardown = in_teardown || spec.teardown;
    if !in_teardown {
        spec.children.sort_by_key(|child| child.teardown);
    }
    for child in &mut spec.children {
        child.waived |= spec.waived;
        if spec.parallel {
            child.children.clear();
            child.parallel = false;
            child.test_group = false;
        }
        if child.children.is_empty() {
            child.parallel = false;
        }
        make_valid(child, in_teardown);
    }
}

fn size(spec: &Spec) -> usize {
    1 + spec.children.iter().map(size).sum::<usize>()
}

fn nth<'a>(spec: &'a mut Spec, left: &mut usize) -> Option<&'a mut Spec> {
    if *left == 0 {
        return Some(spec);
    }
    *left -= 1;
    spec.children.iter_mut().find_map(|child| nth(child, left))
}

fn class(spec: &Spec) -> &'static str {
    match spec {
        Spec { shuts_down: true, .. } => "RebootStep",
        Spec { test_group: true, .. } => "TestGroup",
        _ => "FactoryTest",
    }
}

fn tests_of(spec: &Spec, model: &Model) -> Vec<Value> {
    spec.children
        .iter()
        .enumerate()
        .map(|(position, child)| {
            let mut test = json!({
                "id": id(position),
                "exec": ["/scripted"],
                "inherit": class(child),
                "parallel": child.parallel,
                "teardown": child.teardown,
                "iterations": child.iterations,
                "retries": child.retries.map_or(-1, i64::from),
                "action_on_failure": child.action,
                "allow_reboot": child.allow_reboot || child.shuts_down,
                "subtests": tests_of(child, model),
            });
            if let Some(condition) = child.run_if {
                test["run_if"] = condition.into();
            }
            if let Some(required) = child.requires {
                let path = &model.nodes[required].path;
                test["require_run"] = if path.is_empty() { "all".into() } else { path.clone().into() };
            }
            test
        })
        .collect()
}

/// The list of a case; it does not start by itself.
pub fn plan(case: &Case, model: &Model) -> Plan {
    let waived: Vec<_> = model.nodes.iter().filter(|node| node.spec.waived).map(|node| node.path.clone()).collect();
    let options = json!({
        "phase": "PROTO",
        "waived_tests": {"PROTO": waived},
        "stop_on_failure": case.stop_on_failure,
        "auto_run_on_start": false,
    });
    common::plan(&Value::Array(tests_of(&case.root, model)), &options)
}

//! `tlc diff`: each kind of change, as people read it, and as a machine does.

mod common;

use common::{directory, run};
use serde_json::Value;

const BASE: &str = r#"{
  "constants": {"hot": true},
  "options": {},
  "definitions": {"FactoryTest": {"inherit": "FactoryTest"}, "TestGroup": {"inherit": "TestGroup"}}
}"#;

/// A list with this at the top, beside what every list needs.
fn list(more: &str) -> String {
    format!(r#"{{"inherit": ["base.test_list"], "label": "Board test", {more}}}"#)
}

/// What is told of two lists, without the name of the list, and the exit code.
fn diff(before: &str, after: &str) -> (i32, Vec<String>) {
    let lists = directory(&[
        ("a/base.test_list.json", BASE),
        ("a/main.test_list.json", &list(before)),
        ("b/base.test_list.json", BASE),
        ("b/main.test_list.json", &list(after)),
    ]);
    let outcome = run(lists.path(), &["diff", "a/main.test_list.json", "b/main.test_list.json"]);
    (outcome.code, outcome.stdout.lines().map(str::to_owned).collect())
}

fn check(before: &str, after: &str, expected: &[&str]) {
    let (code, lines) = diff(before, after);
    assert_eq!((code, lines[0].as_str()), (1, "main"), "{lines:?}");
    assert_eq!(&lines[1..], expected, "{before}\n{after}");
}

#[test]
fn what_only_moved_in_the_files_is_no_change() {
    let before = r#""tests": [{"pytest_name": "led", "args": {"a": 1, "b": 2}}]"#;
    let after = r#""definitions": {"L": {"id": "LED", "pytest_name": "led", "label": "LED", "args": {"b": 2, "a": 1}}}, "tests": ["L"]"#;
    assert_eq!(diff(before, after), (0, vec!["no change in behaviour".to_owned()]));
}

#[test]
fn tests_are_added_removed_and_moved() {
    check(
        r#""tests": [{"pytest_name": "one"}, {"pytest_name": "two"}, {"pytest_name": "three"}]"#,
        r#""tests": [{"pytest_name": "three"}, {"pytest_name": "one"}, {"id": "New", "exec": ["true"]}]"#,
        &["- Two  (two)", "> Three  moved: was after One, is first", "+ New  (exec)"],
    );
}

#[test]
fn arguments_stand_in_columns_and_long_values_are_cut() {
    let long = "x".repeat(80);
    let cut = format!("    args.notice: \"{}… → (none)", "x".repeat(58));
    check(
        &format!(r#""tests": [{{"pytest_name": "one", "args": {{"a": 1, "notice": "{long}"}}}}]"#),
        r#""tests": [{"pytest_name": "one", "args": {"a": "eval! constants.hot and device.x"}}]"#,
        &["~ One", "    args.a:      1 → eval! constants.hot and device.x", &cut],
    );
}

#[test]
fn conditions_limits_and_actions_are_compared() {
    check(
        r#""tests": [{"pytest_name": "one", "run_if": "constants.hot", "measurements": {"v": {"max": 2}}, "retries": 1}]"#,
        r#""tests": [{"pytest_name": "one", "run_if": "device.hot", "measurements": {"v": {"max": 2.5}}, "action_on_failure": "STOP"}]"#,
        &[
            "~ One",
            "    retries:            1 → 0",
            "    action_on_failure:  (none) → STOP",
            "    run_if:             constants.hot → device.hot",
            "    measurements.v.max: 2 → 2.5",
        ],
    );
}

#[test]
fn options_and_rules_are_of_the_list() {
    let tests = r#""tests": [{"pytest_name": "one"}]"#;
    check(
        &format!(r#""options": {{"stop_on_failure": false}}, {tests}"#),
        &format!(r#""options": {{"stop_on_failure": true, "skipped_tests": {{"PVT": ["One"]}}}}, {tests}"#),
        &[
            "~ (the list)",
            "    options.stop_on_failure: false → true",
            "    skipped_tests:           (none) → PVT: [\"One\"]",
        ],
    );
}

#[test]
fn directories_and_plans_are_compared_list_by_list() {
    let (one, two) = (list(r#""tests": [{"pytest_name": "one"}]"#), list(r#""tests": [{"pytest_name": "two"}]"#));
    let lists = directory(&[
        ("a/base.test_list.json", BASE),
        ("a/main.test_list.json", &one),
        ("a/old.test_list.json", &one),
        ("b/base.test_list.json", BASE),
        ("b/main.test_list.json", &one),
        ("b/new.test_list.json", &two),
    ]);
    let outcome = run(lists.path(), &["diff", "a", "b"]);
    let expected = "old.test_list.json\n- One  (one)\n\nnew.test_list.json\n+ Two  (two)\n";
    assert_eq!((outcome.code, &*outcome.stdout), (1, expected), "{}", outcome.stderr);
    let compiled = run(lists.path(), &["compile", "a/main.test_list.json", "-o", "main.plan.json"]);
    assert_eq!(compiled.code, 0, "{}", compiled.stderr);
    let same = run(lists.path(), &["diff", "main.plan.json", "b/main.test_list.json"]);
    assert_eq!((same.code, &*same.stdout), (0, "no change in behaviour\n"));
    let other = run(lists.path(), &["diff", "main.plan.json", "b/new.test_list.json", "--format", "json"]);
    let document: Value = serde_json::from_str(&other.stdout).expect("JSON");
    assert_eq!(other.code, 1);
    assert_eq!(document["lists"][0]["changes"][0]["kind"], "removed");
    assert_eq!(document["lists"][0]["changes"][1]["kind"], "added");
    assert_eq!(document["lists"][0]["changes"][1]["path"], "Two");
}

#[test]
fn a_list_that_is_refused_is_compared_with_nothing() {
    let lists = directory(&[("base.test_list.json", BASE), ("main.test_list.json", &list(r#""tests": ["None"]"#))]);
    let outcome = run(lists.path(), &["diff", "main.test_list.json", "main.test_list.json"]);
    assert_eq!((outcome.code, &*outcome.stdout), (1, ""));
    assert!(outcome.stderr.contains("unknown-definition"), "{}", outcome.stderr);
}

#[test]
fn what_an_expression_reads_is_a_part_of_it() {
    let with = |factor: u32| {
        format!(
            r#""constants": {{"factor": {factor}, "other": {factor}, "deep": {{"k": {factor}}}}}, "options": {{"skipped_tests": {{"constants.factor == 1 and device.x": ["C"]}}}},
               "tests": [
                {{"id": "A", "exec": ["a"], "measurements": {{"v": {{"max": "eval! device.nominal * constants.factor"}}}}}},
                {{"id": "B", "exec": ["b"], "run_if": "device.x == constants.deep.k"}},
                {{"id": "C", "exec": ["c"], "locals": {{"w": {factor}}}, "args": {{"k": ["eval! device.q + locals.w"]}}}},
                {{"id": "D", "exec": ["d"], "args": {{"k": "eval! device.q"}}}}]"#
        )
    };
    check(
        &with(1),
        &with(2),
        &[
            "~ (the list)",
            "    skipped_tests: (constants.factor = 1) constants.factor == 1 and device.x: … → (constants.factor = 2) constants.factor == 1 and device.x: …",
            "~ A",
            "    measurements.v.max: (constants.factor = 1) eval! device.nominal * constants.fac… → (constants.factor = 2) eval! device.nominal * constants.fac…",
            "~ B",
            "    run_if: (constants.deep.k = 1) device.x == constants.deep.k → (constants.deep.k = 2) device.x == constants.deep.k",
            "~ C",
            "    args.k: (locals.w = 1) [eval! device.q + locals.w] → (locals.w = 2) [eval! device.q + locals.w]",
        ],
    );
    assert_eq!(diff(&with(1), &with(1)).0, 0);
}

#[test]
fn a_constant_that_is_null_is_told_from_one_that_is_not_there() {
    let with = |gone: &str| {
        format!(
            r#""constants": {{"w": 1{gone}}}, "tests": [{{"id": "A", "exec": ["a"], "run_if": "device.x in constants"}}]"#
        )
    };
    check(
        &with(r#", "gone": null"#),
        &with(""),
        &[
            "~ A",
            "    run_if: (constants.gone = null) device.x in constants → (constants.gone = (not there)) device.x in constants",
        ],
    );
}

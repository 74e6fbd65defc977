//! `tlc eval`: values as JSON, mistakes as `tlc check` shows them, at a place in a list or without one.

mod common;

use std::io::Write as _;
use std::process::Stdio;

use common::{Outcome, directory, outcome, run, tlc};
use tempfile::TempDir;

const BASE: &str = r#"{"options": {}, "constants": {}, "definitions": {"FactoryTest": {"inherit": "FactoryTest"}}}"#;

const MAIN: &str = r#"{"inherit": ["base.test_list"], "label": "L",
  "constants": {"phase": "EVT", "limits": {"max": 5.5}, "with-dash": "größer"},
  "options": {"phase": "PVT"},
  "tests": [{"id": "SMT", "locals": {"station": "SMT", "volts": "eval! constants.limits.max / 2"}, "subtests": [
    {"id": "Rail", "inherit": "FactoryTest", "exec": ["true"], "locals": {"rail": "5V"}},
    {"id": "Fan", "inherit": "FactoryTest", "exec": ["true"]}]}]}"#;

fn lists() -> TempDir {
    directory(&[
        ("base.test_list.json", BASE),
        ("main.test_list.json", MAIN),
        ("library.test_list.json", r#"{"inherit": ["base.test_list"], "constants": {"a": 1}}"#),
        ("broken.test_list.json", r#"{"inherit": ["base.test_list"], "tests": ["Nowhere"]}"#),
        ("unit.json", r#"{"component": {"has_rail": true}}"#),
        ("scope.json", r#"{"constants": {"n": 5}, "device": {"a": 1}}"#),
    ])
}

fn eval(arguments: &[&str]) -> Outcome {
    run(lists().path(), &[&["eval"], arguments].concat())
}

fn assert_value(arguments: &[&str], value: &str) {
    let outcome = eval(arguments);
    assert_eq!((outcome.code, &*outcome.stdout, &*outcome.stderr), (0, &*format!("{value}\n"), ""), "{arguments:?}");
}

#[test]
fn a_value_is_json() {
    assert_value(&["-7 // 2"], "-4");
    assert_value(&["{'a': [1, 2.0, None, 'ß']}"], r#"{"a":[1,2.0,null,"ß"]}"#);
    assert_value(&["constants.n + device.a", "--scope", "scope.json"], "6");
}

#[test]
fn it_reads_what_an_argument_of_the_list_reads() {
    assert_value(&["constants.phase + options.phase", "--list", "main"], r#""EVTPVT""#);
    assert_value(&["constants['with-dash']", "--list", "main.test_list.json"], r#""größer""#);
    assert_value(&["device.component.has_rail", "--list", "main"], "null");
    assert_value(&["device.component.has_rail", "--list", "main", "--device-data", "unit.json"], "true");
}

#[test]
fn a_path_chooses_the_locals() {
    assert_value(&["locals", "--list", "main", "--at", "SMT.Fan"], r#"{"station":"SMT","volts":2.75}"#);
    assert_value(&["locals.rail + locals.station", "--list", "main", "--at", "SMT.Rail"], r#""5VSMT""#);
    assert_value(&["locals", "--list", "main"], "{}");
}

#[test]
fn a_mistake_is_shown_with_a_mark_and_the_next_step() {
    let cases: [(&[&str], &str); 5] = [
        (&["1 +"], "expression-syntax"),
        (&["open('x')"], "refused-name"),
        (&["constats.a"], "unknown-name"),
        (&["lambda: 1"], "expression-refused"),
        (&["'ß' + constants.limits.min", "--list", "main"], "evaluation-fails"),
    ];
    for (arguments, code) in cases {
        let outcome = eval(arguments);
        assert_eq!((outcome.code, &*outcome.stdout), (1, ""), "{arguments:?}");
        for part in [code, "EXPR:1:", arguments[0], "help:"] {
            assert!(outcome.stderr.contains(part), "{part} is not in\n{}", outcome.stderr);
        }
    }
}

#[test]
fn a_mark_stands_below_its_part_of_the_expression() {
    let outcome = eval(&["'ß' + constants.limits.min", "--list", "main"]);
    assert!(outcome.stderr.contains("EXPR:1:7"), "{}", outcome.stderr);
}

#[test]
fn every_unknown_name_is_reported() {
    let outcome = eval(&["foo + bar"]);
    assert!(outcome.stderr.contains("`foo`") && outcome.stderr.contains("`bar`"), "{}", outcome.stderr);
}

#[test]
fn what_is_not_there_is_a_matter_of_usage() {
    let cases: [(&[&str], &str); 6] = [
        (&["1", "--list", "mian"], "did you mean `main`?"),
        (&["1", "--list", "main", "--at", "SMT.Ral"], "did you mean `SMT.Rail`?"),
        (&["1", "--list", "main", "--at", "Elsewhere"], "`tlc dump main` shows its tests"),
        (&["1", "--list", "library"], "is a library"),
        (&["1", "--at", "SMT"], "--list"),
        (&["1", "--device-data", "unit.json"], "--list"),
    ];
    for (arguments, message) in cases {
        let outcome = eval(arguments);
        assert_eq!(outcome.code, 2, "{arguments:?}: {} {}", outcome.stdout, outcome.stderr);
        assert!(outcome.stderr.contains(message), "{}", outcome.stderr);
    }
}

#[test]
fn a_list_with_mistakes_has_no_values() {
    let outcome = eval(&["1", "--list", "broken"]);
    assert_eq!((outcome.code, &*outcome.stdout), (1, ""));
    assert!(outcome.stderr.contains("Nowhere"), "{}", outcome.stderr);
}

#[test]
fn lines_are_evaluated_at_a_place_too() {
    let directory = lists();
    let mut child = tlc(directory.path())
        .args(["eval", "--jsonl", "--list", "main", "--at", "SMT.Rail"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("tlc can be started");
    child.stdin.take().expect("a pipe").write_all(b"\"locals.rail\"\n\"1 +\"\n").expect("tlc reads");
    let outcome = outcome(child.wait_with_output().expect("tlc ends"));
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!((outcome.code, lines.len(), lines[0]), (0, 2, r#"{"value":"5V"}"#));
    assert!(lines[1].starts_with(r#"{"error":{"kind":"SyntaxError""#), "{}", lines[1]);
}

//! Lists that nobody writes by hand: they end in bounded work, with a bounded report. Nothing here measures time; what is quadratic makes
//! these tests hang.

mod common;

use std::fmt::Write as _;

use common::{Outcome, diagnostics, directory, run};

const BASE: &str = r#"{"options": {}, "constants": {}, "definitions": {
    "FactoryTest": {"inherit": "FactoryTest"}, "TestGroup": {"inherit": "TestGroup"}}}"#;

/// `tlc check` of a list with these members beside its head.
fn check(members: &str) -> Outcome {
    let text = format!(r#"{{"inherit": ["base.test_list"], "label": "L", {members}}}"#);
    let folder = directory(&[("base.test_list.json", BASE), ("main.test_list.json", &text)]);
    run(folder.path(), &["check", "main.test_list.json", "--format", "json"])
}

fn count(outcome: &Outcome, code: &str) -> usize {
    diagnostics(outcome).iter().filter(|finding| finding["code"] == code).count()
}

/// Items or members, with commas between them.
fn joined(number: usize, item: impl Fn(usize) -> String) -> String {
    (0..number).map(item).collect::<Vec<_>>().join(",")
}

#[test]
fn many_missing_parents() {
    let parents = joined(20_000, |number| format!(r#""missing{number}.test_list""#));
    let text = format!(r#"{{"inherit": [{parents}], "label": "L", "tests": []}}"#);
    let folder = directory(&[("main.test_list.json", &text), ("missin1.test_list.json", "{}")]);
    let outcome = run(folder.path(), &["check", "main.test_list.json", "--format", "json"]);
    assert_eq!(outcome.code, 1);
    assert_eq!(count(&outcome, "unknown-parent"), 20_000);
    assert!(outcome.stdout.matches("did you mean").count() <= 20);
}

#[test]
fn many_overrides_of_tests_that_do_not_exist() {
    let tests = joined(2_000, |number| format!(r#"{{"id": "T{number}", "pytest_name": "t"}}"#));
    let overrides = joined(20_000, |number| format!(r#""U{number}": {{}}"#));
    let outcome = check(&format!(r#""tests": [{tests}], "override_args": {{{overrides}}}"#));
    assert_eq!(outcome.code, 1);
    assert_eq!(count(&outcome, "unknown-override"), 20_000);
    assert!(outcome.stdout.matches("did you mean").count() <= 100);
}

#[test]
fn many_overrides_of_many_siblings() {
    let tests = joined(20_000, |number| format!(r#"{{"id": "T{number}", "pytest_name": "t"}}"#));
    let overrides = joined(20_000, |number| format!(r#""T{number}": {{"a": {number}}}"#));
    let outcome = check(&format!(r#""tests": [{tests}], "override_args": {{{overrides}}}"#));
    assert_eq!((outcome.code, diagnostics(&outcome).len()), (0, 0), "{}", outcome.stderr);
}

#[test]
fn many_requirements_of_many_siblings() {
    let tests = joined(10_000, |number| {
        format!(r#"{{"id": "T{number}", "pytest_name": "t", "require_run": "T{}"}}"#, number / 2)
    });
    let outcome = check(&format!(r#""tests": [{tests}]"#));
    assert_eq!(count(&outcome, "unknown-requirement"), 0, "{}", outcome.stdout);
}

#[test]
fn many_duplicate_keys() {
    let keys = joined(200_000, |number| format!(r#""k{}": 1"#, number / 2));
    let outcome = check(&format!(r#""tests": [], "constants": {{{keys}}}"#));
    assert_eq!((outcome.code, count(&outcome, "duplicate-key")), (1, 21));
    assert!(outcome.stdout.contains("99980 more keys of this file stand twice"));
}

#[test]
fn one_key_very_often() {
    let keys = joined(200_000, |_| r#""k": 1"#.into());
    let outcome = check(&format!(r#""tests": [], "constants": {{{keys}}}"#));
    assert_eq!((outcome.code, count(&outcome, "duplicate-key")), (1, 21));
}

#[test]
fn many_constants_that_nothing_defines() {
    let constants = joined(5_000, |number| format!(r#""c{number}": 1"#));
    let args = joined(5_000, |number| format!(r#""a{number}": "eval! constants.d{number}""#));
    let outcome =
        check(&format!(r#""constants": {{{constants}}}, "tests": [{{"pytest_name": "t", "args": {{{args}}}}}]"#));
    assert_eq!(outcome.code, 1);
    assert!(outcome.stdout.matches("did you mean").count() <= 20);
}

#[test]
fn a_label_with_many_locales() {
    let texts = joined(10_000, |number| format!(r#""x{number}": "text""#));
    let outcome = check(&format!(r#""tests": [{{"pytest_name": "t", "label": {{"en-US": "T", {texts}}}}}]"#));
    assert!(diagnostics(&outcome).len() <= 100, "{}", diagnostics(&outcome).len());
}

#[test]
fn a_long_chain_of_definitions() {
    let mut chain = String::from(r#""D0": {"inherit": "FactoryTest", "pytest_name": "t"}"#);
    for number in 1..50_000 {
        let _ = write!(chain, r#","D{number}":{{"inherit":"D{}"}}"#, number - 1);
    }
    let outcome = check(&format!(r#""definitions": {{{chain}}}, "tests": ["D49999"]"#));
    assert_eq!(outcome.code, 0, "{}", &outcome.stdout[..outcome.stdout.len().min(2000)]);
}

#[test]
fn a_long_chain_of_definitions_in_a_circle() {
    let chain = joined(20_000, |number| format!(r#""D{number}": {{"inherit": "D{}"}}"#, (number + 1) % 20_000));
    let outcome = check(&format!(r#""definitions": {{{chain}}}, "tests": ["D0"]"#));
    let found = diagnostics(&outcome);
    assert_eq!((outcome.code, found.len()), (1, 1));
    assert!(found[0]["labels"].as_array().expect("labels").len() <= 21);
}

#[test]
fn groups_in_groups_through_many_definitions() {
    let groups =
        joined(20_000, |number| format!(r#""D{number}": {{"inherit": "TestGroup", "subtests": ["D{}"]}}"#, number + 1));
    let last = r#""D20000": {"inherit": "FactoryTest", "pytest_name": "t"}"#;
    let outcome = check(&format!(r#""definitions": {{{groups}, {last}}}, "tests": ["D0"]"#));
    assert_eq!((outcome.code, count(&outcome, "too-deep")), (1, 1));
}

#[test]
fn many_unknown_definitions() {
    let tests = joined(20_000, |number| format!(r#""U{number}""#));
    let definitions = joined(5_000, |number| format!(r#""D{number}": {{"inherit": "FactoryTest"}}"#));
    let outcome = check(&format!(r#""definitions": {{{definitions}}}, "tests": [{tests}]"#));
    assert_eq!((outcome.code, count(&outcome, "unknown-definition")), (1, 20_000));
}

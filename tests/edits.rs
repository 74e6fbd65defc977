//! `tlc run` picks up a list that is edited while it runs.

mod common;

use std::fs;
use std::path::Path;

use common::{Outcome, outcome, tlc};
use serde_json::Value;

/// A test that puts a text in the place of the list's, and one after it.
fn list(edit: &str, after: &str) -> String {
    format!(
        r#"{{"label": "Main", "options": {{}}, "constants": {{}},
            "definitions": {{"FactoryTest": {{"inherit": "FactoryTest"}}}}, "tests": [
            {{"id": "Edit", "exec": ["sh", "-c", "{edit}"]}},
            {{"id": "After", "exec": ["sh", "-c", "{after}"]}}
        ]}}"#
    )
}

/// A command that puts the next list in the place of this one, and another that leaves a word behind.
fn commands(directory: &Path, word: &str) -> (String, String) {
    let directory = directory.display();
    (format!("cp {directory}/next {directory}/main.test_list.json"), format!("echo {word} > {directory}/after"))
}

fn run(directory: &Path, list: &str) -> Outcome {
    fs::write(directory.join("main.test_list.json"), list).expect("a list");
    let mut command = tlc(directory);
    command.env("XDG_STATE_HOME", directory).args(["run", "main.test_list.json"]);
    outcome(command.output().expect("tlc can be started"))
}

#[test]
fn a_list_that_is_edited_while_it_runs_goes_on_as_it_is_now() {
    let directory = tempfile::tempdir().expect("a directory");
    let (_, after) = commands(directory.path(), "after");
    fs::write(directory.path().join("next"), list("exit 1", &after)).expect("the next list");
    let (edit, before) = commands(directory.path(), "before");
    let first = list(&edit, &before);
    let ran = run(directory.path(), &first);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("the list main was edited"), "{}", ran.stdout);
    assert_eq!(fs::read_to_string(directory.path().join("after")).expect("it ran"), "after\n");
}

#[test]
fn a_list_that_is_edited_into_a_mistake_stays_and_the_mistake_is_shown() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("next"), list("true", "true").replace("exec", "exce")).expect("the next list");
    let (edit, before) = commands(directory.path(), "before");
    let first = list(&edit, &before);
    let ran = run(directory.path(), &first);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let said = &ran.stderr;
    assert!(said.contains("cannot be used like that") && said.contains("exce"), "{said}");
    assert_eq!(fs::read_to_string(directory.path().join("after")).expect("it ran"), "before\n");
}

/// The running test, in a group, under these names.
fn group(group: &str, test: &str, edit: &str, ending: &str) -> String {
    format!(
        r#"{{"label": "Main", "options": {{}}, "constants": {{}},
            "definitions": {{"FactoryTest": {{"inherit": "FactoryTest"}}}}, "tests": [
            {{"id": "{group}", "subtests": [{{"id": "{test}", "exec": ["sh", "-c", "{edit}; exit {ending}"]}}]}},
            {{"id": "After", "exec": ["true"]}}
        ]}}"#
    )
}

/// The row of a test or a group in the results of the last run.
fn row(directory: &Path, path: &str) -> Value {
    let mut command = tlc(directory);
    command.env("XDG_STATE_HOME", directory).args(["results", "last", "--format", "json"]);
    let results: Value = serde_json::from_str(&outcome(command.output().expect("tlc")).stdout).expect("JSON");
    let rows = results["tests"].as_array().expect("rows");
    rows.iter().find(|row| row["path"] == path).unwrap_or_else(|| panic!("`{path}` in {results:#}")).clone()
}

#[test]
fn a_running_test_that_an_edit_renames_is_shown_as_it_ended() {
    for (ending, status, outcome) in [("0", "PASSED", "passed"), ("3", "FAILED", "failed")] {
        let directory = tempfile::tempdir().expect("a directory");
        let (edit, _) = commands(directory.path(), "");
        fs::write(directory.path().join("next"), group("Group", "Renamed", "true", "0")).expect("the next list");
        let ran = run(directory.path(), &group("Group", "Edit", &edit, ending));
        assert!(ran.stdout.contains("the list main was edited"), "{}", ran.stdout);
        let row = row(directory.path(), "Group.Edit");
        assert_eq!(
            (&row["status"], &row["outcome"], &row["count"]),
            (&status.into(), &outcome.into(), &1.into()),
            "{row:#}"
        );
        assert_eq!(row["message"].is_string(), ending != "0", "{row:#}");
    }
}

#[test]
fn a_group_that_an_edit_takes_away_while_it_runs_was_not_run_to_its_end() {
    let directory = tempfile::tempdir().expect("a directory");
    let (edit, _) = commands(directory.path(), "");
    fs::write(directory.path().join("next"), group("Renamed", "Edit", "true", "0")).expect("the next list");
    let ran = run(directory.path(), &group("Group", "Edit", &edit, "0"));
    assert!(ran.stdout.contains("the list main was edited"), "{}", ran.stdout);
    assert_eq!(row(directory.path(), "Group")["status"], "UNTESTED");
    assert_eq!(row(directory.path(), "Group.Edit")["status"], "PASSED");
}

#[test]
fn a_group_that_comes_back_is_shown_as_active_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = directory.path().display();
    let list = |group: &str, script: &str| {
        format!(
            r#"{{"label": "Main", "options": {{}}, "constants": {{}},
                "definitions": {{"FactoryTest": {{"inherit": "FactoryTest"}}, "TestGroup": {{"inherit": "TestGroup"}}}}, "tests": [
                {{"id": "All", "inherit": "TestGroup", "subtests": [
                    {{"id": "{group}", "inherit": "TestGroup", "subtests": [{{"id": "A", "exec": ["sh", "-c", "{script}"]}}]}}
                ]}}
            ]}}"#
        )
    };
    let tlc = format!("XDG_STATE_HOME={at} {}", env!("CARGO_BIN_EXE_tlc"));
    let edits = |next: &str| format!("cp {at}/{next} {at}/main.test_list.json; {tlc} control restart All; sleep 100");
    let looks = format!("{tlc} results last --format json > {at}/seen");
    fs::write(directory.path().join("third"), list("Group", &looks)).expect("the third list");
    fs::write(directory.path().join("second"), list("Renamed", &edits("third"))).expect("the second list");
    let ran = run(directory.path(), &list("Group", &edits("second")));
    assert_eq!(ran.stdout.matches("the list main was edited").count(), 2, "{}{}", ran.stdout, ran.stderr);
    let seen = fs::read_to_string(directory.path().join("seen")).expect("what the last one saw");
    let seen: Value = serde_json::from_str(&seen).expect("JSON");
    let rows = seen["tests"].as_array().expect("rows");
    let active =
        rows.iter().filter(|row| row["status"] == "ACTIVE").map(|row| row["path"].as_str().unwrap_or_default());
    assert_eq!(active.collect::<Vec<_>>(), ["", "All", "All.Group", "All.Group.A"]);
}

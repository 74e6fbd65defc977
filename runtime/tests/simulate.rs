//! What-if: scripts in, timelines out.

mod common;

use serde_json::{Value, json};
use tlc_plan::Plan;
use tlc_runtime::schedule::{Settings, Status, TeardownPolicy};
use tlc_runtime::simulate::{Expectation, Expected, Script, every_failure, run};

fn station() -> Plan {
    let setup = json!({"id": "Setup", "pytest_name": "setup", "action_on_failure": "PARENT"});
    let measure = json!({"id": "Measure", "pytest_name": "measure", "retries": 1});
    let radio = json!({"id": "Radio", "pytest_name": "radio", "run_if": "device.has_radio"});
    let release = json!({"id": "Release", "pytest_name": "release", "teardown": true});
    let fixture = json!({"id": "Fixture", "subtests": [setup, measure, radio, release]});
    let label = json!({"id": "Label", "pytest_name": "label", "require_run": "Fixture"});
    common::plan(&json!([fixture, label]), &Value::Null)
}

fn text(script: &Script) -> String {
    run(&station(), &common::SmallConditions, script).to_string()
}

#[test]
fn a_timeline_says_what_runs_and_what_does_not_and_why() {
    let script = Script { fail: vec![("Fixture.Measure".into(), Some(1))], ..Script::default() };
    insta::assert_snapshot!(text(&script), @"
    passed     Fixture.Setup
    failed     Fixture.Measure: as the script says
    passed     Fixture.Measure  (start 2)
    skipped    Fixture.Radio: its `run_if` is false: `device.has_radio`
    passed     Fixture.Release  (teardown)
    passed     Label
    end        the list: SKIPPED
    5 attempts; how long they take is not known
    ");
}

#[test]
fn a_power_loss_with_durations() {
    let durations = [("Fixture.Setup", 2.0), ("Fixture.Measure", 61.5), ("Fixture.Release", 0.5)];
    let script = Script {
        crash_at: vec!["Fixture.Measure".into()],
        durations: durations.into_iter().map(|(path, seconds)| (path.to_owned(), seconds)).collect(),
        ..Script::default()
    };
    insta::assert_snapshot!(text(&script), @"
       0:00.0  passed     Fixture.Setup
       0:02.0  start      Fixture.Measure
       0:02.0  power loss
       0:02.0  passed     Fixture.Release  (teardown)
       0:02.5  passed     Fixture.Setup  (start 2)
       0:04.5  passed     Fixture.Measure  (start 2)
       1:06.0  skipped    Fixture.Radio: its `run_if` is false: `device.has_radio`
       1:06.0  passed     Fixture.Release  (start 2, teardown)
       1:06.5  passed     Label
       1:06.5  end        the list: SKIPPED
    7 attempts in 1:06.5, not counting 1 of unknown duration
    ");
}

#[test]
fn an_abort_a_stop_and_what_is_refused() {
    let aborted = Script { abort: vec!["Fixture".into()], ..Script::default() };
    let timeline = run(&station(), &common::SmallConditions, &aborted);
    assert_eq!(timeline.started(), ["Fixture.Setup", "Fixture.Release"]);
    let told = timeline.to_string();
    assert_eq!(
        told.matches("refused    Label: it requires `Fixture.Setup`, which has not passed").count(),
        1,
        "{told}"
    );
    let stopped = Script { stop: vec!["Fixture.Measure".into()], ..Script::default() };
    let timeline = run(&station(), &common::SmallConditions, &stopped);
    assert_eq!(timeline.started(), ["Fixture.Setup", "Fixture.Measure", "Fixture.Release"]);
    assert_eq!(timeline.left_out(), ["Fixture.Radio", "Label"]);
}

#[test]
fn every_failure_finds_the_teardown_that_can_be_missed() {
    let plan = station();
    let script = Script::default();
    let rows = every_failure(&plan, &common::SmallConditions, &script, &[]);
    let tests: Vec<_> = rows.iter().map(|row| (row.fail.as_str(), row.verdict)).collect();
    let failed = ["Fixture.Setup", "Fixture.Measure", "Fixture.Release", "Label"].map(|path| (path, Status::Failed));
    assert_eq!(tests, failed);
    assert_eq!(rows[0].not_run, ["Fixture.Measure", "Label"]);
    assert_eq!(rows[0].not_run_groups, ["Fixture.Measure", "Label"]);
    assert!(rows.iter().all(|row| row.teardowns == ["Fixture.Release"] && row.missed_teardowns.is_empty()));

    let options = json!({"stop_on_failure": true});
    let tests = json!([{"id": "G", "subtests": [
        {"id": "A", "pytest_name": "a"}, {"id": "T", "pytest_name": "t", "teardown": true},
    ]}]);
    let plan = common::plan(&tests, &options);
    let settings = Settings { teardown: TeardownPolicy::Reference, ..Settings::default() };
    let rows = every_failure(&plan, &common::SmallConditions, &Script { settings, ..script }, &[]);
    assert_eq!(rows[0].missed_teardowns, ["G.T"]);
}

#[test]
fn every_failure_is_held_against_what_the_list_expects() {
    let expect = Expected {
        verdict: Some(Status::Passed),
        not_run: Some(vec!["Label".into()]),
        teardowns: Some(vec!["Fixture.Release".into()]),
    };
    let expectation = Expectation { fail: "Fixture.Setup".into(), expect };
    let rows = every_failure(&station(), &common::SmallConditions, &Script::default(), &[expectation]);
    assert_eq!(
        rows[0].differences,
        ["the verdict is FAILED, expected PASSED", "not run: `Fixture.Measure` is not expected"]
    );
    assert!(rows[1..].iter().all(|row| row.differences.is_empty()));
}

#[test]
fn a_seed_draws_the_order_in_which_parallel_tests_end() {
    let members: Vec<_> = (0..8).map(|n| json!({"id": format!("M{n}"), "pytest_name": "m"})).collect();
    let plan = common::plan(&json!([{"id": "P", "parallel": true, "subtests": members}]), &Value::Null);
    let ended = |seed| run(&plan, &common::SmallConditions, &Script { seed, ..Script::default() }).to_string();
    assert_eq!(ended(Some(1)), ended(Some(1)));
    assert_ne!(ended(Some(1)), ended(None));
}

#[test]
fn a_run_that_begins_later_skips_what_is_before() {
    let tests = ["A", "B", "C"].map(|id| json!({"id": id, "pytest_name": "t"}));
    let plan = common::plan(&json!(tests), &Value::Null);
    let settings = Settings { from: Some("B".into()), ..Settings::default() };
    let timeline = run(&plan, &common::SmallConditions, &Script { settings, ..Script::default() });
    let ran: Vec<_> = timeline.statuses.iter().map(|(path, status)| (path.as_str(), status.name())).collect();
    assert_eq!(ran, [("A", "SKIPPED"), ("B", "PASSED"), ("C", "PASSED")]);
    let elsewhere = Settings { from: Some("Z".into()), ..Settings::default() };
    assert_eq!(Script { settings: elsewhere, ..Script::default() }.unknown_paths(&plan), ["Z"]);
}

#[test]
fn a_list_without_an_end_is_given_up() {
    let plan = common::plan(&json!([{"id": "A", "pytest_name": "a", "iterations": -1}]), &Value::Null);
    let timeline = run(&plan, &common::SmallConditions, &Script { limit: 100, ..Script::default() });
    assert!(timeline.truncated && timeline.attempts == 100);
}

#[test]
fn a_list_without_tests_passes_and_says_so() {
    let plan = common::plan(&json!([]), &Value::Null);
    let timeline = run(&plan, &common::SmallConditions, &Script::default());
    assert_eq!(timeline.to_string(), "warning: the list has no tests; nothing ran\n");
    assert!(timeline.verdict.is_some_and(|verdict| verdict.is_pass()) && timeline.attempts == 0);
    let plan = common::plan(&json!([{"id": "A", "pytest_name": "a"}]), &Value::Null);
    let one = run(&plan, &common::SmallConditions, &Script::default()).to_string();
    assert!(one.contains("1 attempt;"), "{one}");
}

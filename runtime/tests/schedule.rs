//! Cases of the scheduler: each is a small list, a script, and what starts. Defects of the recorded main loop that are not copied are here,
//! with what happens instead; so is every finding of the property tests.

// Cases hand over lists that are written where they are used.
#![allow(clippy::needless_pass_by_value)]

mod common;

use serde_json::{Value, json};
use tlc_runtime::schedule::{Action, Command, Event, NoExpressions, Outcome, Schedule, Settings, Status};
use tlc_runtime::simulate::scenario::{Recording, Scenario, play};

/// A leaf that is scripted.
fn leaf(id: &str, fields: Value) -> Value {
    node(id, json!({"pytest_name": "scripted"}), fields)
}

fn group(id: &str, fields: Value, children: Vec<Value>) -> Value {
    node(id, json!({"subtests": children}), fields)
}

fn node(id: &str, mut node: Value, fields: Value) -> Value {
    node["id"] = id.into();
    if let (Some(node), Value::Object(fields)) = (node.as_object_mut(), fields) {
        node.extend(fields);
    }
    node
}

fn a(id: &str) -> Value {
    leaf(id, json!({}))
}

fn teardown(id: &str) -> Value {
    leaf(id, json!({"teardown": true}))
}

fn script(tests: Vec<Value>, script: Value) -> Recording {
    let scenario = node("", script, json!({"tests": tests}));
    let mut scenario = scenario;
    scenario.as_object_mut().expect("an object").remove("id");
    let scenario: Scenario = serde_json::from_value(scenario).expect("a scenario");
    let plan = common::plan(&scenario.tests, &scenario.options);
    play(&plan, &common::SmallConditions, &scenario).expect("a script that is understood")
}

fn starts(tests: Vec<Value>, with: Value) -> String {
    script(tests, with).sequence.join(" ")
}

/// The same, with teardowns that always run.
fn always(tests: Vec<Value>, mut with: Value) -> String {
    with["teardown"] = "always".into();
    starts(tests, with)
}

fn waived(paths: &[&str]) -> Value {
    json!({"phase": "PROTO", "waived_tests": {"PROTO": paths}})
}

// Defects that are not copied.

#[test]
fn a_waived_failure_ends_the_loop_of_its_test() {
    let tests = vec![leaf("A", json!({"iterations": 3, "retries": 1})), a("Z")];
    let played = script(tests, json!({"options": waived(&["A"]), "outcomes": {"A": ["F"]}}));
    assert_eq!(played.sequence, ["A", "Z"]);
    assert_eq!(played.states["A"].status, Status::FailedAndWaived);
}

#[test]
fn a_parallel_group_whose_members_are_all_skipped_goes_on() {
    let skipped = |id| leaf(id, json!({"run_if": "device.x"}));
    let tests = vec![group("G", json!({"parallel": true}), vec![skipped("A"), skipped("B")]), a("Z")];
    let played = script(tests, json!({}));
    assert_eq!(played.sequence, ["Z"]);
    assert_eq!(played.states["G"].status, Status::Skipped);
}

#[test]
fn a_leaf_that_runs_nothing_fails_its_attempt() {
    for nothing in [json!({"id": "X"}), json!({"id": "X", "subtests": []})] {
        let played = script(vec![nothing, a("Z")], json!({}));
        assert_eq!(played.sequence, ["Z"]);
        assert_eq!((played.states["X"].status, played.states["X"].count), (Status::Failed, 1));
    }
}

#[test]
fn an_empty_list_fails() {
    assert_eq!(script(Vec::new(), json!({})).states[""].status, Status::Failed);
}

#[test]
fn commands_before_the_first_run_do_nothing() {
    let moment =
        json!([{"on": "idle", "do": [["stop", null, true], ["clear", null], ["cancel"], ["stop", "A", true]]}]);
    let with = json!({"options": {"auto_run_on_start": false}, "events": moment});
    assert_eq!(starts(vec![a("A")], with), "!stop !clear !cancel !stop");
}

#[test]
fn clear_gives_back_the_lists_iterations_at_once() {
    let moment = json!([{"on": "idle", "do": [["iter", "A", 3, 0], ["clear", "A"], ["restart", null]]}]);
    let with = json!({"options": {"auto_run_on_start": false}, "events": moment});
    assert_eq!(starts(vec![a("A")], with), "!iter !clear !restart A");
}

#[test]
fn a_parallel_group_that_is_refused_stays_failed() {
    let parallel = json!({"parallel": true, "require_run": "A", "action_on_failure": "STOP"});
    let tests = vec![a("A"), group("G", parallel, vec![a("B")]), a("Z")];
    let played = script(tests, json!({"outcomes": {"A": ["F"]}}));
    assert_eq!(played.sequence, ["A"]);
    assert_eq!(played.states["G"].status, Status::Failed);
}

#[test]
fn what_never_starts_does_not_repeat_without_end() {
    let endless = json!({"iterations": -1, "retries": -1});
    let refused = leaf("B", json!({"require_run": "Z", "retries": -1}));
    let skipped = leaf("C", json!({"run_if": "device.x"}));
    let tests = vec![group("G", endless.clone(), vec![refused]), group("H", endless, vec![skipped]), a("Z")];
    assert_eq!(starts(tests, json!({})), "Z");
}

// Teardowns that always run.

fn nested() -> Vec<Value> {
    let inner = group("H", json!({}), vec![a("A"), a("B"), teardown("T")]);
    vec![group("G", json!({}), vec![inner, a("C"), teardown("T")]), a("Z"), teardown("T")]
}

fn during(path: &str, commands: Value) -> Value {
    json!({"outcomes": {path: ["HANG"]}, "events": [{"on": format!("active:{path}"), "do": commands}]})
}

#[test]
fn teardowns_run_after_a_stop() {
    assert_eq!(always(nested(), during("G.H.A", json!(["stop", null, true]))), "G.H.A !stop G.H.T G.T T");
}

#[test]
fn teardowns_of_a_group_run_after_its_abort() {
    assert_eq!(always(nested(), during("G.H.A", json!(["stop", "G", true]))), "G.H.A !stop G.H.T G.T Z T");
    assert_eq!(always(nested(), during("G.H.A", json!(["stop", "G.H", true]))), "G.H.A !stop G.H.T G.C G.T Z T");
}

#[test]
fn a_group_that_is_aborted_is_neither_retried_nor_iterated() {
    let tests = vec![group("G", json!({"retries": 2, "iterations": 2}), vec![a("A"), teardown("T")]), a("Z")];
    assert_eq!(always(tests, during("G.A", json!(["stop", "G", true]))), "G.A !stop G.T Z");
}

#[test]
fn the_abort_of_a_teardown_goes_on_with_the_next_one() {
    let tests = vec![group("G", json!({}), vec![a("A"), teardown("T"), teardown("U")]), a("Z")];
    assert_eq!(always(tests, during("G.T", json!(["stop", "G.T", true]))), "G.A G.T !stop G.U Z");
}

#[test]
fn what_ends_the_tests_around_a_running_teardown_waits_for_it() {
    let tests = vec![group("G", json!({}), vec![a("A"), teardown("T"), teardown("U")]), a("Z")];
    let during = |what: Value| during("G.T", json!([what, ["finish", "G.T", "P"]]));
    assert_eq!(always(tests.clone(), during(json!(["stop", null, true]))), "G.A G.T !stop !finish G.U");
    assert_eq!(always(tests.clone(), during(json!(["stop", "G", true]))), "G.A G.T !stop !finish G.U Z");
    assert_eq!(always(tests, during(json!(["restart", "Z"]))), "G.A G.T !restart !finish G.U Z");
}

#[test]
fn the_abort_of_a_group_of_teardowns_ends_it() {
    let teardowns = group("T", json!({"teardown": true}), vec![a("X"), a("Y")]);
    let tests = vec![group("G", json!({}), vec![a("A"), teardowns, teardown("U")])];
    assert_eq!(always(tests, during("G.T.X", json!(["stop", "G.T", true]))), "G.A G.T.X !stop G.U");
}

#[test]
fn teardowns_run_after_stop_on_failure() {
    let with = json!({"options": {"stop_on_failure": true}, "outcomes": {"G.H.A": ["F"]}});
    assert_eq!(always(nested(), with), "G.H.A G.H.T G.T T");
}

#[test]
fn teardowns_run_after_cancel_pending() {
    let with = during("G.H.A", json!([["cancel"], ["finish", "G.H.A", "P"]]));
    assert_eq!(always(nested(), with), "G.H.A !cancel !finish G.H.T G.T T");
}

#[test]
fn teardowns_run_before_another_run() {
    let with = during("G.H.A", json!(["restart", "Z"]));
    assert_eq!(always(nested(), with), "G.H.A !restart G.H.T G.T T Z");
}

#[test]
fn a_critical_note_leaves_teardowns_out() {
    assert_eq!(always(nested(), during("G.H.A", json!(["note", "CRITICAL"]))), "G.H.A !note");
}

#[test]
fn teardowns_run_after_a_power_loss() {
    let with = json!({"outcomes": {"G.H.A": ["CRASH"]}});
    assert_eq!(always(nested(), with), "G.H.A --reboot(crash)-- G.H.T G.T T");
}

#[test]
fn a_teardown_that_a_power_loss_interrupts_starts_again() {
    let with = json!({"outcomes": {"G.H.T": ["CRASH", "P"]}});
    assert_eq!(always(nested(), with), "G.H.A G.H.B G.H.T --reboot(crash)-- G.H.T G.T T");
}

#[test]
fn a_teardown_that_takes_the_station_with_it_is_given_up() {
    let with = json!({"outcomes": {"G.H.T": ["CRASH"]}});
    let again = " --reboot(crash)-- G.H.T".repeat(3);
    assert_eq!(always(nested(), with), format!("G.H.A G.H.B G.H.T{again} --reboot(crash)-- G.T T"));
}

#[test]
fn a_power_loss_where_a_reboot_is_allowed_starts_over() {
    let tests = vec![group("G", json!({}), vec![a("A"), leaf("B", json!({"allow_reboot": true})), teardown("T")])];
    let crash = json!({"outcomes": {"G.B": ["CRASH", "P"]}});
    assert_eq!(always(tests.clone(), crash), "G.A G.B --reboot(crash)-- G.A G.B G.T");
    let by_hand = json!({
        "outcomes": {"G.B": ["CRASH", "P"]},
        "options": {"auto_run_on_start": false},
        "events": [{"on": "idle", "do": ["restart", null]}],
    });
    assert_eq!(always(tests, by_hand), "!restart G.A G.B --reboot(crash)-- G.T");
}

#[test]
fn a_shutdown_that_was_not_ordered_is_a_power_loss() {
    let step = json!({"id": "R", "inherit": "RebootStep"});
    let tests = vec![group("G", json!({}), vec![step, a("A"), teardown("T")]), a("Z")];
    assert_eq!(always(tests, json!({"outcomes": {"G.R": ["CRASH"]}})), "G.R --reboot(crash)-- G.T");
}

#[test]
fn a_teardown_that_is_retried_does_not_lift_a_stop() {
    let teardowns = group("T", json!({"teardown": true, "retries": 1}), vec![a("X")]);
    let inner = group("H", json!({}), vec![leaf("A", json!({"action_on_failure": "STOP"})), teardowns]);
    let tests = vec![group("G", json!({}), vec![inner, a("C"), teardown("T")]), a("Z")];
    let with = json!({"outcomes": {"G.H.A": ["F"], "G.H.T.X": ["F", "P"]}});
    assert_eq!(always(tests, with), "G.H.A G.H.T.X G.H.T.X G.T");
}

// Findings of the property tests.

#[test]
fn stop_on_failure_ends_the_retries_of_a_parallel_group() {
    let tests = vec![group("G", json!({"parallel": true, "retries": 1}), vec![a("A"), a("B")])];
    let with = json!({"options": {"stop_on_failure": true}, "outcomes": {"G.A": ["F"]}});
    assert_eq!(always(tests, with), "G.A G.B");
}

#[test]
fn a_parallel_teardown_that_is_killed_is_not_repeated() {
    let teardowns = json!({"parallel": true, "teardown": true, "retries": 1});
    let tests = vec![a("A"), group("T", teardowns, vec![a("X"), a("Y")]), teardown("U")];
    let with = json!({
        "outcomes": {"T.X": ["HANG"], "T.Y": ["HANG"]},
        "events": [{"on": "active:T.Y", "do": ["stop", "T", true]}],
    });
    assert_eq!(always(tests, with), "A T.X T.Y !stop U");
}

#[test]
fn a_parallel_teardown_is_retried_after_stop_on_failure() {
    let teardowns = json!({"parallel": true, "teardown": true, "retries": 1});
    let tests = vec![a("A"), group("T", teardowns, vec![a("X"), a("Y")]), teardown("U")];
    for failing in ["T.X", "T.Y"] {
        let with = json!({"options": {"stop_on_failure": true}, "outcomes": {failing: ["F", "P"]}});
        assert_eq!(always(tests.clone(), with), "A T.X T.Y T.X T.Y U");
    }
}

// A restart that is scheduled.

#[test]
fn a_scheduled_restart_comes_after_an_abort_but_not_after_a_stop() {
    let abort = during("A", json!([["schedule_restart"], ["stop", "A", true]]));
    let mut abort = abort;
    abort["outcomes"]["A"] = json!(["HANG", "P"]);
    assert_eq!(starts(vec![a("A"), a("Z")], abort), "A !schedule_restart !stop A Z");
    let stop = during("A", json!([["schedule_restart"], ["stop", null, true]]));
    assert_eq!(starts(vec![a("A"), a("Z")], stop), "A !schedule_restart !stop");
}

// Shutdowns.

#[test]
fn a_shutdown_is_refused_to_a_test_and_beside_others() {
    assert_eq!(starts(vec![a("A"), a("Z")], json!({"outcomes": {"A": ["SHUTDOWN"]}})), "A (shutdown refused) Z");
    let step = json!({"id": "R", "inherit": "RebootStep"});
    let tests = vec![group("G", json!({"parallel": true}), vec![step.clone(), a("B")]), a("Z")];
    let with = json!({"outcomes": {"G.B": ["HANG"]}, "events": [{"on": "active:G.B", "do": ["finish", "G.B", "P"]}]});
    assert_eq!(starts(tests, with), "G.R G.B (shutdown refused) !finish Z");
    assert_eq!(starts(vec![step, a("Z")], json!({"outcomes": {"R": ["FALSESHUTDOWN"]}})), "R Z");
}

// The list is edited while it runs.

fn ended(path: &str, attempt: u32) -> Event {
    let path = path.to_owned();
    Event::AttemptEnded { path, attempt, outcome: Outcome::Passed, message: None, changes: Vec::new() }
}

fn started(actions: &[Action]) -> Vec<&str> {
    let mut paths = Vec::new();
    for action in actions {
        if let Action::Start { path, .. } = action {
            paths.push(path.as_str());
        }
    }
    paths
}

#[test]
fn an_edited_list_goes_on_after_the_same_test() {
    let before = common::plan(&json!([group("G", json!({}), vec![a("A"), a("B")]), a("Z")]), &json!({}));
    let after = common::plan(&json!([a("Y"), group("G", json!({}), vec![a("N"), a("A"), a("M")]), a("Z")]), &json!({}));
    let mut schedule = Schedule::new(&before, Settings::default());
    let device = tlc_plan::Data::object(indexmap::IndexMap::new());
    assert_eq!(started(&schedule.on(&before, &NoExpressions, Event::Started { device })), ["G.A"]);
    schedule.on(&after, &NoExpressions, Event::PlanReplaced);
    assert_eq!(schedule.pending(&after), ["Y", "G.N", "G.A", "G.M", "Z"]);
    assert_eq!(started(&schedule.on(&after, &NoExpressions, ended("G.A", 1))), ["G.M"]);
    assert_eq!(schedule.states()["G.A"].status, Status::Passed);
    assert!(!schedule.states().contains_key("G.B"));
}

#[test]
fn a_running_test_that_an_edit_removes_is_ended() {
    let before =
        common::plan(&json!([group("G", json!({}), vec![a("A"), teardown("T")]), a("Z"), teardown("T")]), &json!({}));
    let after = common::plan(&json!([a("Z"), teardown("T")]), &json!({}));
    let mut schedule = Schedule::new(&before, Settings::default());
    let device = tlc_plan::Data::object(indexmap::IndexMap::new());
    schedule.on(&before, &NoExpressions, Event::Started { device });
    let actions = schedule.on(&after, &NoExpressions, Event::PlanReplaced);
    assert!(actions.iter().any(|action| matches!(action, Action::End { path, .. } if path == "G.A")));
    assert_eq!(started(&schedule.on(&after, &NoExpressions, ended("G.A", 1))), ["T"]);
}

#[test]
fn an_edit_that_makes_a_test_of_a_running_group_leaves_it_untested() {
    let before = common::plan(&json!([group("G", json!({}), vec![a("A")])]), &json!({}));
    let after = common::plan(&json!([a("G")]), &json!({}));
    let mut schedule = Schedule::new(&before, Settings::default());
    let device = tlc_plan::Data::object(indexmap::IndexMap::new());
    schedule.on(&before, &NoExpressions, Event::Started { device });
    schedule.on(&after, &NoExpressions, Event::PlanReplaced);
    assert_eq!(schedule.states()["G"].status, Status::Untested);
}

#[test]
fn a_running_test_that_an_edit_makes_a_group_says_nothing_about_the_group() {
    let before = common::plan(&json!([a("G")]), &json!({}));
    let after = common::plan(&json!([group("G", json!({}), vec![a("A")])]), &json!({}));
    let mut schedule = Schedule::new(&before, Settings::default());
    let device = tlc_plan::Data::object(indexmap::IndexMap::new());
    schedule.on(&before, &NoExpressions, Event::Started { device });
    schedule.on(&after, &NoExpressions, Event::PlanReplaced);
    schedule.on(&after, &NoExpressions, ended("G", 1));
    assert_eq!(schedule.states()["G"].status, Status::Untested);
}

#[test]
fn a_test_that_an_edit_takes_away_and_another_gives_back_is_still_running() {
    let before = common::plan(&json!([a("A")]), &json!({}));
    let after = common::plan(&json!([a("B")]), &json!({}));
    let mut schedule = Schedule::new(&before, Settings::default());
    let device = tlc_plan::Data::object(indexmap::IndexMap::new());
    schedule.on(&before, &NoExpressions, Event::Started { device });
    schedule.on(&after, &NoExpressions, Event::PlanReplaced);
    schedule.on(&before, &NoExpressions, Event::PlanReplaced);
    assert_eq!((schedule.states()["A"].status, schedule.states()["A"].count), (Status::Active, 1));
}

#[test]
fn commands_that_come_while_an_attempt_is_being_ended_are_done_in_their_order() {
    let plan = common::plan(&json!([a("A"), a("B"), a("C")]), &json!({}));
    let mut schedule = Schedule::new(&plan, Settings::default());
    let device = tlc_plan::Data::object(indexmap::IndexMap::new());
    schedule.on(&plan, &NoExpressions, Event::Started { device });
    for command in [
        Command::Stop { path: Some("A".into()), fail: true },
        Command::Clear { path: Some("B".into()) },
        Command::Restart { path: Some("C".into()) },
    ] {
        schedule.on(&plan, &NoExpressions, Event::Command(command));
    }
    // The clear goes on with B before it clears it; the restart ends B, and C is what it starts.
    for (path, attempt, next) in [("A", 1, "B"), ("B", 1, "C")] {
        let actions = schedule.on(&plan, &NoExpressions, ended(path, attempt));
        assert!(started(&actions).contains(&next), "{path}: {actions:?}");
    }
    assert_eq!(schedule.run_root(), Some("C"));
}

#[test]
fn a_late_answer_is_ignored() {
    let plan = common::plan(&json!([leaf("A", json!({"iterations": 2})), a("Z")]), &json!({}));
    let mut schedule = Schedule::new(&plan, Settings::default());
    let device = tlc_plan::Data::object(indexmap::IndexMap::new());
    schedule.on(&plan, &NoExpressions, Event::Started { device });
    schedule.on(&plan, &NoExpressions, ended("A", 1));
    assert!(schedule.on(&plan, &NoExpressions, ended("A", 1)).is_empty());
    assert_eq!(schedule.active()["A"], 2);
}

#[test]
fn a_kill_leaves_teardowns_out_and_waits_for_the_attempt() {
    let plan = common::plan(&json!([a("A"), teardown("T")]), &json!({}));
    let mut schedule = Schedule::new(&plan, Settings::default());
    let device = tlc_plan::Data::object(indexmap::IndexMap::new());
    schedule.on(&plan, &NoExpressions, Event::Started { device });
    schedule.on(&plan, &NoExpressions, Event::Command(Command::Stop { path: None, fail: true }));
    let actions = schedule.on(&plan, &NoExpressions, Event::Command(Command::Kill));
    assert!(!actions.iter().any(|action| matches!(action, Action::RunFinished { .. })), "A still runs");
    let actions = schedule.on(&plan, &NoExpressions, ended("A", 1));
    assert!(started(&actions).is_empty());
    let Some(Action::RunFinished { verdict }) = actions.last() else { panic!("the run ends") };
    assert!(!verdict.is_pass());
}

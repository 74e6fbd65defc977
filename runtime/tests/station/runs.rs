//! Whole runs: groups, parallel groups, Ctrl-C, and a program that is killed and started again.

use std::fs;
use std::process::{Child, Command};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tlc_plan::plan::{ActionOnFailure, Class, Node};

use crate::line::{Line, Ran, add, eventually, group, is_alive, list, shell, teardown};

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().cast_signed()), signal).expect("the program is there");
}

fn ended(child: Child) -> Ran {
    Ran::new(&child.wait_with_output().expect("its end"))
}

#[test]
fn members_of_a_parallel_group_run_at_the_same_time() {
    let line = Line::new();
    let mut plan = list(vec![]);
    let root = plan.root();
    let together = add(&mut plan, root, Node { parallel: true, ..group("Together") });
    // Each waits for the other, so one after the other would never end.
    let meet = |own: &str, other: &str| {
        format!("touch \"$LINE/{own}\"; while [ ! -e \"$LINE/{other}\" ]; do sleep 0.01; done")
    };
    add(&mut plan, together, shell("A", &meet("a", "b")));
    add(&mut plan, together, shell("B", &meet("b", "a")));
    add(&mut plan, together, shell("C", "exit 1"));
    line.run(&plan, &[]).ended_with(1);
    let statuses: Vec<_> = line.statuses().into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, ["PASSED", "PASSED", "FAILED"]);
}

#[test]
fn a_failure_that_stops_leaves_out_the_rest_and_runs_teardowns() {
    let line = Line::new();
    let plan = list(vec![
        Node { action_on_failure: ActionOnFailure::Stop, ..shell("Bad", "exit 1") },
        shell("Rest", "touch \"$LINE/rest\""),
        teardown(shell("Down", "touch \"$LINE/down\"")),
    ]);
    let ran = line.run(&plan, &[]).ended_with(1);
    assert!(line.path("down").exists() && !line.path("rest").exists());
    assert!(ran.stdout.contains("not run  Rest: `Bad` failed"), "{}", ran.stdout);
    assert!(ran.stdout.contains("Down: passed"), "{}", ran.stdout);
}

#[test]
fn only_a_part_of_a_list_runs_if_it_is_named() {
    let line = Line::new();
    let plan = list(vec![shell("A", "touch \"$LINE/a\""), shell("B", "touch \"$LINE/b\"")]);
    line.run(&plan, &["--only", "B"]).ended_with(0);
    assert!(line.path("b").exists() && !line.path("a").exists());
    let ran = line.run(&plan, &["--only", "C"]).ended_with(2);
    assert!(ran.stderr.contains("the list `main` has no `C`"), "{}", ran.stderr);
}

#[test]
fn the_last_run_is_continued_with_a_status() {
    let line = Line::new();
    let plan = list(vec![shell("A", "echo a >> \"$LINE/a\""), shell("B", "test -e \"$LINE/mended\"")]);
    line.run(&plan, &[]).ended_with(1);
    line.write("mended", "");
    line.run(&plan, &["--status", "failed,untested"]).ended_with(0);
    assert_eq!(line.read("a"), "a\n", "a test that has passed does not run again");
    assert_eq!(line.results(&["list"])["runs"][0]["continues"], 1);
}

#[test]
fn a_sequence_that_runs_as_a_whole_is_not_passed_over_in_silence() {
    let line = Line::new();
    let mut plan = list(vec![shell("Alone", "true")]);
    let root = plan.root();
    let sequence = add(&mut plan, root, group("Sequence"));
    add(&mut plan, sequence, shell("Fails", "false"));
    line.run(&plan, &[]).ended_with(1);
    let ran = line.run(&plan, &["--status", "failed"]).ended_with(1);
    assert!(ran.stderr.contains("`Sequence` is a sequence") && ran.stderr.contains("`untested`"), "{}", ran.stderr);
    line.run(&plan, &[]).ended_with(1);
    let ran = line.run(&plan, &["--status", "failed,untested"]).ended_with(1);
    assert!(!ran.stderr.contains("sequence") && ran.stdout.contains("Sequence.Fails (start 2)"), "{ran:?}");
}

#[test]
fn ctrl_c_ends_the_test_runs_teardowns_and_ends_services() {
    let line = Line::new();
    let settings = line.settings(
        r#"{ services: { board: {
            command: ["sh", "-c", "echo $$ > \"$LINE/service\"; : > \"$0\"; exec sleep 1000", "${state_dir}/ready"],
            ready: { path: "${state_dir}/ready" },
        } } }"#,
    );
    let plan = list(vec![
        shell("Hangs", "trap '' TERM; sh -c 'echo $$ > \"$LINE/test\"; sleep 1000'; sleep 1000"),
        shell("Never", "touch \"$LINE/never\""),
        teardown(shell("Down", "test -e /proc/$(cat \"$LINE/service\") && touch \"$LINE/down\"")),
    ]);
    let child = line.start(&plan, &["--station", &settings]);
    eventually("the test starts", || is_alive(&line.path("test")));
    send(&child, Signal::SIGINT);
    let ran = ended(child).ended_with(1);
    assert!(line.path("down").exists(), "the teardown ran while the service was there: {}{}", ran.stdout, ran.stderr);
    assert!(!line.path("never").exists());
    assert!(!is_alive(&line.path("test")) && !is_alive(&line.path("service")));
    assert_eq!(line.attempt("Hangs")["outcome"], "aborted");
    let run = line.results(&["last"])["run"].clone();
    assert_eq!((&run["state"], &run["verdict"]), (&"stopped".into(), &"FAILED".into()));
    assert!(ran.stdout.contains("stopped by the operator"), "{}", ran.stdout);
}

#[test]
fn ctrl_c_twice_kills_at_once() {
    let line = Line::new();
    let plan = list(vec![
        shell("Quick", "echo $$ > \"$LINE/test\"; sleep 1000"),
        teardown(shell("Down", "trap '' TERM; echo $$ > \"$LINE/down\"; sleep 1000; sleep 1000")),
        teardown(shell("Further", "touch \"$LINE/further\"")),
    ]);
    let child = line.start(&plan, &[]);
    eventually("the test starts", || is_alive(&line.path("test")));
    send(&child, Signal::SIGTERM);
    eventually("the teardown starts", || is_alive(&line.path("down")));
    // It has to be meant.
    std::thread::sleep(std::time::Duration::from_millis(600));
    send(&child, Signal::SIGTERM);
    ended(child).ended_with(1);
    assert!(!is_alive(&line.path("down")) && !line.path("further").exists());
    assert_eq!(line.attempt("Down")["outcome"], "aborted");
}

#[test]
fn the_echo_of_a_signal_is_no_second_one() {
    let line = Line::new();
    let plan = list(vec![
        shell("Quick", "echo $$ > \"$LINE/test\"; sleep 1000"),
        teardown(shell("Down", "echo $$ > \"$LINE/down\"; while ! [ -e \"$LINE/go\" ]; do sleep 0.02; done")),
    ]);
    let child = line.start(&plan, &[]);
    eventually("the test starts", || is_alive(&line.path("test")));
    send(&child, Signal::SIGTERM);
    send(&child, Signal::SIGINT);
    send(&child, Signal::SIGHUP);
    eventually("the teardown starts", || is_alive(&line.path("down")));
    std::thread::sleep(std::time::Duration::from_millis(600));
    send(&child, Signal::SIGHUP);
    std::thread::sleep(std::time::Duration::from_millis(100));
    line.write("go", "");
    ended(child).ended_with(1);
    assert_eq!(line.attempt("Down")["outcome"], "passed");
}

#[test]
fn a_limit_of_file_sizes_ends_no_run() {
    let line = Line::new();
    let plan = list(vec![shell("Much", "head -c 3000000 /dev/zero"), teardown(shell("Down", "true"))]);
    let command = line.command(&plan, &[]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 2000; exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
    let ran = Ran::new(&limited.env("LINE", line.path("")).output().expect("sh"));
    assert!(ran.code.is_some(), "{ran:?}");
    assert!(line.attempt("Much")["log_error"].to_string().contains("File too large"), "{ran:?}");
    assert_eq!(line.attempt("Down")["outcome"], "passed", "{ran:?}");
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    let line = Line::new();
    let plan = list(vec![
        shell("First", "echo first >> \"$LINE/trace\""),
        shell("Second", "echo second >> \"$LINE/trace\"; echo $$ > \"$LINE/test\"; sleep 1000"),
        shell("Third", "echo third >> \"$LINE/trace\""),
        teardown(shell("Down", "echo down >> \"$LINE/trace\"")),
    ]);
    let mut child = line.start(&plan, &[]);
    eventually("the second test starts", || is_alive(&line.path("test")));
    child.kill().expect("killed");
    child.wait().expect("its end");
    let run = line.results(&["last"])["run"].clone();
    assert_eq!((&run["state"], &run["run"]), (&"running".into(), &1.into()));
    let ran = line.run(&plan, &[]).ended_with(1);
    assert!(ran.stdout.contains("was interrupted and goes on"), "{}", ran.stdout);
    assert!(!is_alive(&line.path("test")), "what the killed program left behind is ended");
    let statuses: Vec<_> = line.statuses().into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, ["PASSED", "FAILED", "PASSED", "PASSED"], "{}", ran.stdout);
    assert_eq!(line.results(&["last"])["run"]["run"], 1, "it is the same run");
    assert_eq!(line.attempt("Second")["outcome"], "crashed");
    assert_eq!(line.read("trace"), "first\nsecond\ndown\nthird\ndown\n", "what has passed does not run again");
}

#[test]
fn a_run_that_was_stopped_and_then_killed_does_not_go_on() {
    let line = Line::new();
    let plan = list(vec![
        shell("Hangs", "echo $$ > \"$LINE/test\"; sleep 1000"),
        shell("Never", "touch \"$LINE/never\""),
        teardown(shell("Down", "[ -e \"$LINE/down\" ] || { echo $$ > \"$LINE/down\"; sleep 1000; }")),
        teardown(shell("Further", "touch \"$LINE/further\"")),
    ]);
    let mut child = line.start(&plan, &[]);
    eventually("the test starts", || is_alive(&line.path("test")));
    send(&child, Signal::SIGINT);
    eventually("the teardown starts", || is_alive(&line.path("down")));
    child.kill().expect("killed");
    child.wait().expect("its end");
    line.run(&plan, &[]).ended_with(1);
    assert!(line.path("further").exists() && !line.path("never").exists());
    assert_eq!(line.results(&["last"])["run"]["state"], "stopped");
    assert_eq!(line.attempt("Down")["outcome"], "passed", "a teardown that was interrupted starts again");
    assert!(!is_alive(&line.path("down")));
}

#[test]
fn a_run_that_a_failure_ends_does_not_go_on_after_a_kill() {
    let line = Line::new();
    let plan = list(vec![
        Node { action_on_failure: ActionOnFailure::Stop, ..shell("Bad", "exit 1") },
        shell("Never", "touch \"$LINE/never\""),
        teardown(shell("Down", "[ -e \"$LINE/down\" ] || { echo $$ > \"$LINE/down\"; sleep 1000; }")),
    ]);
    let mut child = line.start(&plan, &[]);
    eventually("the teardown starts", || is_alive(&line.path("down")));
    child.kill().expect("killed");
    child.wait().expect("its end");
    line.run(&plan, &[]).ended_with(1);
    assert!(!line.path("never").exists());
    assert_eq!(line.attempt("Down")["outcome"], "passed", "a teardown that was interrupted starts again");
}

#[test]
fn a_sequence_that_was_interrupted_runs_as_a_whole() {
    let line = Line::new();
    let mut plan = list(vec![shell("Before", "echo before >> \"$LINE/trace\"")]);
    let root = plan.root();
    let sequence = add(&mut plan, root, group("Sequence"));
    add(&mut plan, sequence, shell("On", "echo on >> \"$LINE/trace\""));
    add(&mut plan, sequence, shell("Test", "[ -e \"$LINE/test\" ] || { echo $$ > \"$LINE/test\"; sleep 1000; }"));
    add(&mut plan, sequence, teardown(shell("Off", "echo off >> \"$LINE/trace\"")));
    let mut child = line.start(&plan, &[]);
    eventually("the test starts", || is_alive(&line.path("test")));
    child.kill().expect("killed");
    child.wait().expect("its end");
    line.run(&plan, &[]).ended_with(0);
    assert_eq!(line.read("trace"), "before\non\noff\non\noff\n");
}

#[test]
fn what_a_killed_run_left_behind_is_ended_by_the_next_one() {
    let line = Line::new();
    let settings = line.settings(
        r#"{ services: { board: { command: ["sh", "-c", "echo $$ > \"$LINE/service\"; exec sleep 1000"] } } }"#,
    );
    let plan = list(vec![shell("Hangs", "echo $$ > \"$LINE/test\"; sleep 1000")]);
    let mut child = line.start(&plan, &["--station", &settings]);
    eventually("test and service start", || is_alive(&line.path("test")) && is_alive(&line.path("service")));
    child.kill().expect("killed");
    child.wait().expect("its end");
    assert!(is_alive(&line.path("service")));
    line.run(&list(vec![shell("Other", "true")]), &[]).ended_with(0);
    assert!(!is_alive(&line.path("test")) && !is_alive(&line.path("service")), "also by one of another list");
}

/// A test that puts another file in the place of the plan's.
fn edit(to: &str) -> String {
    format!("mv \"$LINE/{to}\" \"$LINE/plan.json\"")
}

#[test]
fn an_edited_list_is_picked_up_between_tests() {
    let line = Line::new();
    let before = list(vec![shell("Edit", &edit("next")), shell("Old", "true"), shell("Same", "echo before")]);
    let after = list(vec![shell("Edit", "false"), shell("Same", "echo after"), shell("New", "true")]);
    line.write("next", &after.to_json());
    let ran = line.run(&before, &[]).ended_with(0);
    assert!(ran.stdout.contains("the list main was edited"), "{}", ran.stdout);
    let last = line.results(&["last"]);
    let paths: Vec<_> = last["attempts"].as_array().expect("attempts").iter().map(|it| it["path"].clone()).collect();
    assert_eq!(paths, ["Edit", "Same", "New"], "states are kept by path");
    assert!(line.attempt("Same")["program"].to_string().contains("echo after"));
    let note = |path: &str| {
        let tests = last["tests"].as_array().expect("tests").iter();
        tests.filter(|test| test["path"] == path).map(|test| test["note"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((note("Old"), note("New")), (vec!["it is not in the list any more".into()], vec![Value::Null]));
}

#[test]
fn an_edit_that_takes_a_teardown_of_an_open_group_waits_until_that_has_run() {
    let line = Line::new();
    let plan = |name: &str, first: &str| {
        let mut plan = list(Vec::new());
        let root = plan.root();
        let rails = add(&mut plan, root, group(name));
        for node in [shell("On", first), shell("Low", "true"), teardown(shell("Off", "true"))] {
            add(&mut plan, rails, node);
        }
        add(&mut plan, root, shell("Then", "true"));
        add(&mut plan, root, shell(&format!("After{name}"), "true"));
        plan
    };
    line.write("next", &plan("Renamed", "true").to_json());
    let ran = line.run(&plan("Rails", &edit("next")), &[]);
    let last = line.results(&["last"]);
    let paths: Vec<_> = last["attempts"].as_array().expect("attempts").iter().map(|it| it["path"].clone()).collect();
    assert_eq!(paths, ["Rails.On", "Rails.Low", "Rails.Off", "Then", "AfterRenamed"], "{ran:?}");
    assert_eq!(ran.stderr.matches("`Rails.Off` any more waits").count(), 1, "{}", ran.stderr);
    assert!(ran.stdout.contains("the list main was edited"), "{}", ran.stdout);
}

#[test]
fn an_edit_that_leaves_no_test_is_not_used() {
    let line = Line::new();
    let plan = list(vec![shell("Edit", &edit("next")), shell("Last", "true")]);
    line.write("next", &list(Vec::new()).to_json());
    let ran = line.run(&plan, &[]).ended_with(0);
    assert!(ran.stderr.contains("cannot be used like that") && ran.stderr.contains("it has no tests"), "{ran:?}");
}

#[test]
fn an_edit_that_cannot_be_used_is_shown_and_the_list_stays() {
    let line = Line::new();
    let plan = list(vec![shell("Edit", &edit("next")), shell("Old", "true"), shell("Last", "true")]);
    line.write("next", "{ broken");
    let ran = line.run(&plan, &[]).ended_with(0);
    assert_eq!(ran.stderr.matches("the list was edited and cannot be used like that").count(), 1, "{}", ran.stderr);
    assert_eq!(line.results(&["last"])["attempts"].as_array().expect("attempts").len(), 3);
}

#[test]
fn a_run_whose_list_was_edited_goes_on_after_a_kill_with_the_last_one() {
    let line = Line::new();
    let hangs = || shell("Hangs", "[ -e \"$LINE/test\" ] || { echo $$ > \"$LINE/test\"; sleep 1000; }");
    let after = list(vec![shell("Edit", "true"), hangs(), shell("New", "true"), teardown(shell("Down", "true"))]);
    line.write("next", &after.to_json());
    let mut child = line.start(&list(vec![shell("Edit", &edit("next")), shell("Old", "true")]), &[]);
    eventually("the test starts", || is_alive(&line.path("test")));
    child.kill().expect("killed");
    child.wait().expect("its end");
    let ran = line.run(&after, &[]).ended_with(1);
    assert!(ran.stdout.contains("run 1 of main was interrupted and goes on"), "{}{}", ran.stdout, ran.stderr);
    let statuses = line.statuses();
    let status = |path: &str| statuses.iter().find(|it| it.0 == path).map(|it| it.1.as_str());
    let all = ["Edit", "Hangs", "New", "Down"].map(status);
    assert_eq!(all, [Some("PASSED"), Some("FAILED"), Some("PASSED"), Some("PASSED")]);
}

#[test]
fn a_test_that_an_edit_took_away_while_it_ran_has_failed_after_a_kill() {
    let line = Line::new();
    let plan = |members: Vec<Node>| {
        let mut plan = list(Vec::new());
        let root = plan.root();
        let together = add(&mut plan, root, Node { parallel: true, ..group("Together") });
        for member in members {
            add(&mut plan, together, member);
        }
        plan
    };
    let hangs = |id: &str| shell(id, "trap '' TERM; echo $$ > \"$LINE/test\"; while :; do sleep 0.1; done");
    let edit = || shell("Edit", &format!("while ! [ -s \"$LINE/test\" ]; do sleep 0.05; done; {}", edit("next")));
    line.write("next", &plan(vec![edit(), shell("New", "true")]).to_json());
    let mut child = line.start(&plan(vec![hangs("Old"), edit()]), &[]);
    eventually("the test starts", || is_alive(&line.path("test")));
    eventually("the edit is seen", || {
        let tests = line.results(&["last"])["tests"].clone();
        tests.as_array().is_some_and(|tests| tests.iter().any(|test| test["path"] == "Together.New"))
    });
    child.kill().expect("killed");
    child.wait().expect("its end");
    let ran = line.run(&plan(vec![edit(), shell("New", "true")]), &[]);
    assert!(ran.stdout.contains("run 1 of main was interrupted"), "{ran:?}");
    let statuses = line.statuses();
    assert!(statuses.contains(&("Together.Old".into(), "FAILED".into())), "{statuses:?}");
}

#[test]
fn what_runs_again_by_its_status_has_its_teardown() {
    let line = Line::new();
    let mut plan = list(Vec::new());
    let root = plan.root();
    let rails = add(&mut plan, root, Node { class: Class::TestGroup, ..group("Rails") });
    let high = Node { action_on_failure: ActionOnFailure::Stop, ..shell("High", "[ -e \"$LINE/ready\" ]") };
    for node in [shell("On", "true"), high, shell("Low", "true"), teardown(shell("Off", "true"))] {
        add(&mut plan, rails, node);
    }
    add(&mut plan, root, teardown(shell("End", "true")));
    let started = || {
        let last = line.results(&["last"]);
        let attempts = last["attempts"].as_array().expect("attempts").iter();
        attempts.map(|it| it["path"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    line.run(&plan, &[]).ended_with(1);
    assert_eq!(started(), ["Rails.On", "Rails.High", "Rails.Off", "End"]);
    line.write("ready", "");
    line.run(&plan, &["--status", "untested,failed"]).ended_with(0);
    assert_eq!(started(), ["Rails.High", "Rails.Low", "Rails.Off", "End"]);
    line.run(&plan, &["--status", "untested,failed"]).ended_with(0);
    assert_eq!(started(), [""; 0], "where nothing runs, nothing is taken down");
}

#[test]
fn a_member_of_a_sequence_that_is_asked_for_is_a_run_of_the_sequence() {
    let line = Line::new();
    let mut plan = list(Vec::new());
    let root = plan.root();
    let sequence = add(&mut plan, root, group("Sequence"));
    for node in [shell("One", "true"), shell("Two", "exit 1"), shell("Three", "true")] {
        add(&mut plan, sequence, node);
    }
    add(&mut plan, root, shell("Other", "true"));
    let ran = line.run(&plan, &["--only", "Sequence.Three"]).ended_with(1);
    assert!(ran.stdout.contains("Run 1 of main, Sequence: FAILED"), "{ran:?}");
    assert!(ran.stdout.contains("2  PASSED") && ran.stdout.contains("  Sequence.Two: "), "{ran:?}");
    assert_eq!(line.results(&["last"])["run"]["root"], "Sequence");
}

#[test]
fn an_interrupted_run_for_another_unit_or_phase_is_closed() {
    let line = Line::new();
    let hangs = shell("Hangs", "[ -e \"$LINE/test\" ] || { echo $$ > \"$LINE/test\"; sleep 1000; }");
    let plan = list(vec![hangs, teardown(shell("Down", "true"))]);
    let mut child = line.start(&plan, &["--unit", "SN-1", "--operator", "Anna"]);
    eventually("the test starts", || is_alive(&line.path("test")));
    child.kill().expect("killed");
    child.wait().expect("its end");
    let ran = line.run(&plan, &["--unit", "SN-2", "--operator", "Bert"]).ended_with(0);
    assert!(ran.stdout.contains("does not go on: its teardowns run"), "{ran:?}");
    let runs = line.results(&["list"])["runs"].clone();
    assert_eq!((&runs[0]["unit"], &runs[1]["unit"]), (&"SN-2".into(), &"SN-1".into()));
    assert_eq!((&runs[0]["attempts"], &runs[1]["attempts"]), (&2.into(), &2.into()));

    fs::remove_file(line.path("test")).expect("removed");
    let mut child = line.start(&plan, &["--unit", "SN-3"]);
    eventually("the test starts", || is_alive(&line.path("test")));
    child.kill().expect("killed");
    child.wait().expect("its end");
    let ran = line.run(&plan, &["--operator", "Bert"]);
    assert!(ran.stdout.contains("run 3 of main was interrupted and goes on"), "{ran:?}");
    assert_eq!(line.attempt("Down")["operator"], "Bert");
}

#[test]
fn an_interrupted_run_took_as_long_as_is_known_of_it() {
    let line = Line::new();
    let plan = list(vec![
        shell("First", "sleep 0.3"),
        shell("Once", "[ -e \"$LINE/test\" ] || { echo $$ > \"$LINE/test\"; sleep 1000; }"),
    ]);
    let mut child = line.start(&plan, &[]);
    eventually("the test starts", || is_alive(&line.path("test")));
    child.kill().expect("killed");
    child.wait().expect("its end");
    let took = || line.results(&["last"])["run"]["duration_ms"].as_i64().expect("a number");
    let so_far = took();
    assert!((300..60_000).contains(&so_far), "{so_far}");
    let shown = Command::new(env!("CARGO_BIN_EXE_tlc-station"))
        .args(["results", "last", "--store"])
        .arg(line.path("station.sqlite"))
        .output();
    let shown = Ran::new(&shown.expect("tlc-station"));
    assert!(
        shown.stdout.lines().any(|line| line.contains(" -  Once")) && !shown.stdout.contains(" 0.00 s"),
        "{shown:?}"
    );
    line.run(&list(vec![shell("Other", "true")]), &["--new"]).ended_with(0);
    assert!(line.results(&["list"])["runs"][1]["duration_ms"].as_i64() >= Some(so_far));
}

#[test]
fn a_killed_run_can_be_given_up() {
    let line = Line::new();
    let plan = list(vec![shell("Once", "[ -e \"$LINE/test\" ] || { echo $$ > \"$LINE/test\"; sleep 1000; }")]);
    let mut child = line.start(&plan, &[]);
    eventually("the test starts", || is_alive(&line.path("test")));
    child.kill().expect("killed");
    child.wait().expect("its end");
    line.run(&plan, &["--new"]).ended_with(0);
    let runs = line.results(&["list"])["runs"].clone();
    assert_eq!((&runs[0]["state"], &runs[1]["state"]), (&"finished".into(), &"abandoned".into()));
}

#[test]
fn an_interrupted_run_whose_list_has_changed_ends_with_the_teardowns_of_its_own_plan() {
    let line = Line::new();
    let hangs = || shell("Hangs", "[ -e \"$LINE/test\" ] || { echo $$ > \"$LINE/test\"; sleep 1000; }");
    let down = |which: &str| teardown(shell("Down", &format!("echo {which} >> \"$LINE/downs\"")));
    let mut child = line.start(&list(vec![hangs(), shell("Next", "touch \"$LINE/next\""), down("old")]), &[]);
    eventually("the test starts", || is_alive(&line.path("test")));
    child.kill().expect("killed");
    child.wait().expect("its end");
    let ran = line.run(&list(vec![hangs(), down("new")]), &[]).ended_with(0);
    assert!(ran.stdout.contains("run 1 of main was interrupted and does not go on"), "{}", ran.stdout);
    assert_eq!(line.read("downs"), "old\nnew\n");
    assert!(!line.path("next").exists(), "nothing else of it runs");
    let runs = line.results(&["list"])["runs"].clone();
    assert_eq!((&runs[0]["state"], &runs[1]["state"]), (&"finished".into(), &"stopped".into()));
    let old = line.results(&["show", "1"])["attempts"].clone();
    assert_eq!((&old[0]["outcome"], &old[1]["outcome"]), (&"crashed".into(), &"passed".into()));
}

#[test]
fn an_interrupted_run_ends_with_its_teardowns_before_another_part_of_its_list_runs() {
    let line = Line::new();
    let hangs = shell("Hangs", "[ -e \"$LINE/test\" ] || { echo $$ > \"$LINE/test\"; sleep 1000; }");
    let mut plan = list(vec![hangs, shell("Other", "true")]);
    let root = plan.root();
    add(&mut plan, root, teardown(shell("Down", "touch \"$LINE/down\"")));
    let mut child = line.start(&plan, &[]);
    eventually("the test starts", || is_alive(&line.path("test")));
    child.kill().expect("killed");
    child.wait().expect("its end");
    line.run(&plan, &["--only", "Other"]).ended_with(0);
    assert!(line.path("down").exists());
    let runs = line.results(&["list"])["runs"].clone();
    assert_eq!((&runs[0]["root"], &runs[1]["state"]), (&"Other".into(), &"stopped".into()));
}

/// Runs a program on a terminal of its own; what that shows goes to stdout.
const TERMINAL: &str = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

#[test]
fn a_terminal_without_a_cursor_gets_plain_lines() {
    let line = Line::new();
    let command = line.command(&list(vec![shell("A", "true")]), &[]);
    let shown = |term: Option<&str>| {
        let mut terminal = std::process::Command::new("python3");
        terminal.args(["-c", TERMINAL]).arg(command.get_program()).args(command.get_args());
        terminal.env("LINE", line.path("")).env_remove("TERM").envs(term.map(|term| ("TERM", term)));
        Ran::new(&terminal.stdin(std::process::Stdio::null()).output().expect("a terminal")).ended_with(0).stdout
    };
    for term in [None, Some("dumb")] {
        let shown = shown(term);
        assert!(shown.contains("start    A") && shown.contains("A ("), "{term:?}: {shown}");
    }
    assert!(!shown(Some("xterm")).contains("start    A"), "the bar shows what runs");
}

#[test]
fn a_closed_pipe_is_no_reason_to_panic() {
    let line = Line::new();
    let plan = list((0..50).map(|number| shell(&format!("T{number}"), "true")).collect());
    let mut child = line.start(&plan, &[]);
    drop(child.stdout.take());
    drop(child.stderr.take());
    assert_eq!(child.wait().expect("its end").code(), Some(0));
    assert_eq!(line.statuses().len(), 50);
    assert!(fs::metadata(line.path("station.sqlite")).is_ok());
}

#[test]
fn a_run_begins_where_it_is_told_and_the_teardowns_around_it_run() {
    let line = Line::new();
    let mark = |id: &str| shell(id, &format!("echo {id} >> \"$LINE/trace\""));
    let mut plan = list(vec![mark("First")]);
    let root = plan.root();
    let group_of = add(&mut plan, root, group("Group"));
    for node in [mark("A"), mark("B"), mark("C"), teardown(mark("Down"))] {
        add(&mut plan, group_of, node);
    }
    add(&mut plan, root, mark("Last"));
    let ran = line.run(&plan, &["--from", "Group.B"]).ended_with(0);
    assert_eq!(line.read("trace"), "B\nC\nDown\nLast\n");
    assert!(ran.stdout.contains("First: the run begins with `Group.B`"), "{}", ran.stdout);
    let statuses: Vec<_> = line.statuses().into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, ["SKIPPED", "SKIPPED", "PASSED", "PASSED", "PASSED", "PASSED"]);
    line.run(&plan, &["--from", "Group.D"]).ended_with(2);
}

#[test]
fn a_test_that_fails_is_tried_again_as_often_as_the_operator_says() {
    let line = Line::new();
    let third = "echo x >> \"$LINE/trace\"; echo \"$TLC_SEED\" > \"$LINE/seed\"; [ $(wc -l < \"$LINE/trace\") -ge 3 ]";
    let plan = list(vec![shell("Third", third), teardown(shell("Down", "echo x >> \"$LINE/down\"; exit 1"))]);
    line.run(&plan, &["--retry", "2", "--seed", "7"]).ended_with(1);
    assert_eq!(line.statuses()[0].1, "PASSED");
    assert_eq!(
        (line.read("trace"), line.read("down"), line.read("seed")),
        ("x\nx\nx\n".into(), "x\n".into(), "7\n".into())
    );
}

#[test]
fn a_run_that_began_in_the_middle_goes_on_there_after_a_kill() {
    let line = Line::new();
    let once = "[ -e \"$LINE/test\" ] || { echo $$ > \"$LINE/test\"; sleep 1000; }";
    let plan = list(vec![shell("First", "touch \"$LINE/first\""), shell("Once", once), shell("Last", "true")]);
    let mut child = line.start(&plan, &["--from", "Once"]);
    eventually("the test starts", || is_alive(&line.path("test")));
    child.kill().expect("killed");
    child.wait().expect("its end");
    let ran = line.run(&plan, &[]);
    assert!(ran.stdout.contains("goes on") && !line.path("first").exists(), "{}", ran.stdout);
    assert_eq!(line.statuses().last().expect("a test").1, "PASSED");
}

#[test]
fn a_teardown_that_did_not_run_is_shown_with_its_reason() {
    let line = Line::new();
    let skipped = tlc_plan::plan::Node { teardown: true, ..shell("Down", "true") };
    let hangs = shell("Hangs", "echo $$ > \"$LINE/test\"; sleep 1000");
    let station = line.settings("{ teardown: 'reference' }");
    let child = line.start(&list(vec![hangs, skipped]), &["--station", &station]);
    eventually("the test starts", || is_alive(&line.path("test")));
    send(&child, Signal::SIGINT);
    let ran = ended(child).ended_with(1);
    let summary = ran.stdout.split_once("Teardowns").expect("a section").1;
    assert!(summary.contains("Down: not run, the operator stopped the run"), "{}", ran.stdout);
    assert!(ran.stdout.contains("aborted  Hangs (") && !ran.stdout.contains("s): Aborted:"), "{}", ran.stdout);
}

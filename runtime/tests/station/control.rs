//! The control socket: what another terminal sees of a run, and what it can do to it.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};

use serde_json::Value;
use tlc_plan::Plan;
use tlc_plan::plan::{Count, Node};

use crate::line::{Line, Ran, add, eventually, group, is_alive, list, shell, teardown};

fn control(line: &Line, what: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tlc-station"));
    command.arg("control").args(what).arg("--store").arg(line.path("station.sqlite"));
    Ran::new(&command.output().expect("tlc-station"))
}

fn started(line: &Line, plan: &Plan) -> Child {
    let child = line.start(plan, &[]);
    eventually("the test starts", || is_alive(&line.path("test")));
    child
}

fn ended(child: Child) -> Ran {
    Ran::new(&child.wait_with_output().expect("its end"))
}

fn hanging(id: &str) -> Node {
    shell(id, "echo $$ > \"$LINE/test\"; sleep 1000")
}

/// Events of the store, by their kind.
fn recorded(line: &Line, kind: &str) -> i64 {
    let store = rusqlite::Connection::open(line.path("station.sqlite")).expect("the store");
    store.query_row("SELECT count(*) FROM events WHERE kind = ?1", [kind], |row| row.get(0)).expect("a number")
}

#[test]
fn a_run_is_seen_from_another_terminal_and_stopped_with_its_teardowns() {
    let line = Line::new();
    let plan = list(vec![shell("Good", "true"), hanging("Hangs"), teardown(shell("Down", "touch \"$LINE/down\""))]);
    let child = started(&line, &plan);
    let status = control(&line, &["status"]).ended_with(0);
    assert!(status.stdout.contains("run 1 of main: running") && status.stdout.contains("active  Hangs"), "{status:?}");
    let status: Value = serde_json::from_str(&control(&line, &["status", "--format", "json"]).stdout).expect("JSON");
    assert_eq!(status["status"]["active"][0]["path"], "Hangs");
    assert_eq!(status["status"]["counts"][0], serde_json::json!({"status": "PASSED", "number": 1}));
    control(&line, &["stop"]).ended_with(0);
    assert_eq!(recorded(&line, "stop"), 1, "what is answered is on record");
    ended(child).ended_with(1);
    assert!(line.path("down").exists());
    assert_eq!(line.results(&["last"])["run"]["state"], "stopped");
    let nobody = control(&line, &["status"]).ended_with(3);
    assert!(nobody.stderr.contains("no run is on with the store"), "{}", nobody.stderr);
}

#[test]
fn an_aborted_test_fails_and_the_run_goes_on() {
    let line = Line::new();
    let child = started(&line, &list(vec![hanging("Hangs"), shell("After", "true")]));
    let refused = control(&line, &["abort", "Nothing"]).ended_with(2);
    assert!(refused.stderr.contains("has no `Nothing`"), "{}", refused.stderr);
    let waiting = Command::new(env!("CARGO_BIN_EXE_tlc-station"))
        .args(["control", "wait", "--store"])
        .arg(line.path("station.sqlite"))
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("tlc-station");
    control(&line, &["abort", "Hangs"]).ended_with(0);
    ended(child).ended_with(1);
    let statuses: Vec<_> = line.statuses().into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, ["FAILED", "PASSED"]);
    let waited = Ran::new(&waiting.wait_with_output().expect("its end"));
    assert!(waited.code == Some(1) && waited.stdout == "FAILED\n" || waited.code == Some(3), "{waited:?}");
}

#[test]
fn who_waits_gets_the_verdict() {
    let line = Line::new();
    let plan = list(vec![shell("Waits", "echo $$ > \"$LINE/test\"; while [ ! -e \"$LINE/go\" ]; do sleep 0.01; done")]);
    let child = started(&line, &plan);
    let mut socket = UnixStream::connect(line.path("station.sqlite.control/socket")).expect("the socket");
    socket.write_all(b"nonsense\n{\"version\":1,\"body\":{\"request\":\"wait\"}}\n").expect("sent");
    let mut lines = BufReader::new(socket).lines().map_while(Result::ok);
    assert!(lines.next().expect("an answer").contains("refused"));
    line.write("go", "");
    let answer: Value = serde_json::from_str(&lines.next().expect("an answer")).expect("JSON");
    assert_eq!(
        answer,
        serde_json::json!({"version": 1, "body": {"answer": "ended", "verdict": "PASSED", "passed": true}})
    );
    ended(child).ended_with(0);
}

#[test]
fn a_test_is_started_afresh_and_nothing_after_it() {
    let line = Line::new();
    let script = "echo here >> \"$LINE/trace\"; [ -e \"$LINE/test\" ] || { echo $$ > \"$LINE/test\"; sleep 1000; }";
    let mut plan = list(vec![]);
    let root = plan.root();
    let tests = add(&mut plan, root, Node { class: tlc_plan::plan::Class::TestGroup, ..group("Tests") });
    add(&mut plan, tests, shell("Hangs", script));
    add(&mut plan, tests, shell("After", "touch \"$LINE/after\""));
    let child = started(&line, &plan);
    control(&line, &["restart", "Tests.Hangs"]).ended_with(0);
    let ran = ended(child);
    assert_eq!(line.read("trace"), "here\nhere\n", "{ran:?}");
    assert!(!line.path("after").exists());
    assert_eq!(recorded(&line, "restart"), 2);
}

#[test]
fn what_is_cleared_becomes_untested_and_iterations_change() {
    let line = Line::new();
    let again = Node { iterations: Count::Times(1), ..shell("Again", "echo here >> \"$LINE/trace\"") };
    let child = started(&line, &list(vec![hanging("Hangs"), again]));
    control(&line, &["set-iterations", "Again", "3"]).ended_with(0);
    control(&line, &["clear", "Hangs"]).ended_with(0);
    ended(child);
    assert_eq!(line.read("trace"), "here\nhere\nhere\n");
    let statuses: Vec<_> = line.statuses().into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, ["UNTESTED", "PASSED"]);
    let tests = line.results(&["last"])["tests"].clone();
    let notes: Vec<_> = tests.as_array().expect("tests").iter().filter(|test| test["path"] == "Hangs").collect();
    assert_eq!(notes[0]["note"], "its state was cleared");
}

#[test]
fn iterations_that_cannot_be_are_refused_with_what_is_allowed() {
    let line = Line::new();
    let child = started(&line, &list(vec![hanging("Hangs"), shell("After", "echo here >> \"$LINE/trace\"")]));
    for (wrong, what) in [
        (&["0"][..], "found 0 iterations, expected 1 to 4294967295, or -1 for no end"),
        (&["-2"], "found -2 iterations"),
        (&["4294967296"], "found 4294967296 iterations"),
        (&["2", "--retries", "-2"], "found -2 retries, expected 0 to 4294967295, or -1 for no end"),
    ] {
        let refused = control(&line, &[&["set-iterations", "After"], wrong].concat()).ended_with(2);
        assert!(refused.stderr.contains(what), "{refused:?}");
    }
    assert_eq!(recorded(&line, "set_iterations"), 0);
    control(&line, &["abort", "Hangs"]).ended_with(0);
    ended(child).ended_with(1);
    assert_eq!(line.read("trace"), "here\n");
}

#[test]
fn nobody_else_may_open_the_socket() {
    let line = Line::new();
    let child = started(&line, &list(vec![hanging("Hangs")]));
    let mode = |name| fs::metadata(line.path(name)).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode("station.sqlite.control"), mode("station.sqlite.control/socket")), (0o700, 0o600));
    control(&line, &["stop"]).ended_with(0);
    ended(child).ended_with(1);
    assert!(!line.path("station.sqlite.control/socket").exists());
}

/// A test that fails, and a teardown that takes a moment; it says in `test` when it begins and in `down` when it is over.
fn failing_with_a_teardown() -> Plan {
    let down = shell("Down", "echo $$ > \"$LINE/test\"; sleep 0.7; echo down >> \"$LINE/down\"");
    list(vec![shell("A", "true"), shell("F", "false"), teardown(down)])
}

#[test]
fn a_restart_waits_for_the_teardown_that_runs_and_a_part_does_not_speak_for_the_rest() {
    let line = Line::new();
    let child = started(&line, &failing_with_a_teardown());
    control(&line, &["restart", "A"]).ended_with(0);
    let ran = ended(child).ended_with(1);
    assert_eq!(line.read("down"), "down\n", "it came to its end: {}", ran.stdout);
    assert!(ran.stdout.contains("passed   A (") && ran.stdout.contains("A (start 2)"), "{}", ran.stdout);
    assert_eq!(line.results(&["last"])["run"]["verdict"], "FAILED");
    assert_eq!(line.attempt("Down")["outcome"], "passed");
}

#[test]
fn a_stop_waits_for_the_teardown_that_runs() {
    let line = Line::new();
    let child = started(&line, &failing_with_a_teardown());
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id().cast_signed()), nix::sys::signal::Signal::SIGINT)
        .expect("a signal");
    ended(child).ended_with(1);
    assert_eq!(line.read("down"), "down\n");
    assert_eq!(line.attempt("Down")["outcome"], "passed");
}

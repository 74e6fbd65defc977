//! The demo station, end to end: real processes, a real board service, a real store.

mod common;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Outcome, outcome, root, run, tlc};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

const LIST: &str = "lists/demo/main.test_list.json";

/// A directory for the store of one test.
fn state() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn tlc_with(state: &Path) -> Command {
    let mut command = tlc(root());
    command.env("XDG_STATE_HOME", state);
    command
}

fn run_with(state: &Path, arguments: &[&str]) -> Outcome {
    outcome(tlc_with(state).args(arguments).output().expect("tlc can be started"))
}

fn last(state: &Path) -> Value {
    let outcome = run_with(state, &["results", "last", "--format", "json"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    serde_json::from_str(&outcome.stdout).expect("one JSON document")
}

#[test]
fn the_demo_has_no_mistakes() {
    let outcome = run(root(), &["check", "lists"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""), "{}", outcome.stdout);
    assert!(outcome.stdout.ends_with("no problems\n"), "{}", outcome.stdout);
}

#[test]
fn the_demo_passes_and_is_shown_again() {
    let state = state();
    let outcome = run_with(state.path(), &["run", LIST]);
    assert_eq!(outcome.code, 0, "{}\n{}", outcome.stdout, outcome.stderr);
    let again = run_with(state.path(), &["results", "last"]);
    assert_eq!(again.code, 0);
    assert!(again.stdout.contains("PASSED"), "{}", again.stdout);
    assert_eq!(last(state.path())["run"]["verdict"], "PASSED");
}

#[test]
fn a_plan_runs_without_the_list() {
    let state = state();
    let station = PathBuf::from(env!("CARGO_BIN_EXE_tlc")).with_file_name("tlc-station");
    if !station.is_file() {
        eprintln!(
            "a_plan_runs_without_the_list: SKIPPED, `tlc-station` is not built (cargo test --workspace builds it)"
        );
        return;
    }
    let plan = state.path().join("main.plan.json");
    let plan_text = plan.to_str().expect("a path that is text");
    let compiled = run_with(state.path(), &["compile", LIST, "-o", plan_text]);
    assert_eq!(compiled.code, 0, "{}", compiled.stderr);
    let mut command = Command::new(station);
    command.current_dir(state.path()).env("XDG_STATE_HOME", state.path());
    let demo = root().join("lists/demo");
    command.args(["run", plan_text, "--only", "SMT.SMTStart"]);
    command.arg("--tests").arg(demo.join("tests")).arg("--station").arg(demo.join("station.json5"));
    let outcome = outcome(command.output().expect("tlc-station can be started"));
    assert_eq!(outcome.code, 0, "{}\n{}", outcome.stdout, outcome.stderr);
}

#[test]
fn the_same_list_gives_the_same_plan() {
    let state = state();
    let plans: Vec<String> = ["a", "b"]
        .iter()
        .map(|name| {
            let path = state.path().join(name);
            let outcome = run_with(state.path(), &["compile", LIST, "-o", path.to_str().expect("text")]);
            assert_eq!(outcome.code, 0, "{}", outcome.stderr);
            std::fs::read_to_string(path).expect("written")
        })
        .collect();
    assert_eq!(plans[0], plans[1]);
    let changed = run_with(state.path(), &["diff", LIST, LIST]);
    assert_eq!((changed.code, changed.stdout.as_str()), (0, "no change in behaviour\n"));
}

/// Starts the demo and waits until a test has started.
fn started(state: &Path, test: &str) -> std::process::Child {
    let mut command = tlc_with(state);
    command.args(["run", LIST, "--plain"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("tlc can be started");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let seen = lines.by_ref().map_while(Result::ok).any(|line| line.contains(test));
    assert!(seen, "{test} never started");
    // Whoever goes on writing must find a reader.
    std::thread::spawn(move || lines.for_each(drop));
    child
}

fn signal(child: &std::process::Child, signal: Signal) {
    let id = i32::try_from(child.id()).expect("a process id");
    kill(Pid::from_raw(id), signal).expect("the process is there");
}

#[test]
fn ctrl_c_ends_the_test_and_runs_the_teardowns() {
    let state = state();
    let mut child = started(state.path(), "SMT.Flash");
    signal(&child, Signal::SIGINT);
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    let run = last(state.path());
    assert_eq!(run["run"]["verdict"], "FAILED");
    let tests = run["tests"].as_array().expect("tests");
    let status =
        |path: &str| tests.iter().find(|test| test["path"] == path).map_or(Value::Null, |test| test["status"].clone());
    assert_eq!(status("SMT.PowerOff"), "PASSED", "{run:#}");
}

#[test]
fn a_run_that_was_killed_goes_on() {
    let state = state();
    let mut child = started(state.path(), "SMT.Flash");
    signal(&child, Signal::SIGKILL);
    child.wait().expect("it ends");
    let outcome = run_with(state.path(), &["run", LIST]);
    let shown = format!("{}\n{}", outcome.stdout, outcome.stderr);
    assert!(shown.contains("interrupted"), "{shown}");
    let runs = run_with(state.path(), &["results", "list", "--format", "json"]);
    let runs: Value = serde_json::from_str(&runs.stdout).expect("one JSON document");
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(1), "{runs:#}");
}

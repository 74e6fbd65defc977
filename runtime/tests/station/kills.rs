//! The program is killed at random moments, and resumed: what the store says is compared with what the tests themselves wrote down.
//!
//! `TLC_KILLS=300 cargo test -p tlc-runtime --test station kills -- --nocapture` kills more often, `TLC_SEED=N` at other moments.

use std::collections::BTreeMap;
use std::env;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde_json::Value;
use tlc_plan::Plan;
use tlc_plan::plan::Node;

use crate::line::{Line, add, group, list, shell, teardown};

/// How often it is killed if nobody says.
const KILLS: u64 = 20;

/// Numbers that look random, and are the same for the same seed.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

pub fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// What a run of a test begins with; 0 would stay 0.
pub fn seed() -> u64 {
    number("TLC_SEED").unwrap_or(1) | 1
}

/// A list of a few short tests with teardowns, which write down when they begin and end.
pub fn plan() -> Plan {
    let mark = "echo begin $TLC_INVOCATION >> \"$LINE/trace\"; sleep 0.02; echo end $TLC_INVOCATION >> \"$LINE/trace\"";
    let mut plan = list(vec![shell("First", mark)]);
    let root = plan.root();
    let inner = add(&mut plan, root, group("Group"));
    add(&mut plan, inner, shell("Inner", mark));
    add(&mut plan, inner, teardown(shell("InnerDown", mark)));
    let together = add(&mut plan, root, Node { parallel: true, ..group("Together") });
    add(&mut plan, together, shell("A", mark));
    add(&mut plan, together, shell("B", mark));
    add(&mut plan, root, shell("Last", mark));
    add(&mut plan, root, teardown(shell("Down", mark)));
    plan
}

#[test]
fn whenever_a_run_is_killed_nothing_that_ended_is_lost_and_teardowns_run() {
    let kills = number("TLC_KILLS").unwrap_or(KILLS);
    let seed = seed();
    println!("{kills} kills, TLC_SEED={seed}");
    let mut random = Random(seed);
    let plan = plan();
    let mut done = 0;
    let mut resumed = 0;
    while done < kills {
        let line = Line::new();
        let mut shown = BTreeMap::new();
        let ended = loop {
            done += 1;
            let ended = killed(&line, &plan, &mut random);
            count_passed(&line.read("stdout"), &mut shown);
            if ended || random.below(3) > 0 {
                break ended;
            }
        };
        let mut what = format!("TLC_SEED={seed}, kill {done}");
        if !ended {
            let ran = line.run(&plan, &[]);
            resumed += u64::from(ran.stdout.contains("goes on"));
            what += &format!("\n{}{}", ran.stdout, ran.stderr);
        }
        check(&line, &shown, &what);
    }
    println!("{done} kills, {resumed} runs resumed");
}

/// Starts the run, and kills it at some moment; says whether the run was over by then.
fn killed(line: &Line, plan: &Plan, random: &mut Random) -> bool {
    let mut command = line.command(plan, &[]);
    command.process_group(0).stdout(File::create(line.path("stdout")).expect("a file"));
    let mut child = command.spawn().expect("tlc-station");
    std::thread::sleep(Duration::from_micros(random.below(400_000)));
    let process = Pid::from_raw(child.id().cast_signed());
    let _ = if random.below(2) == 0 { kill(process, Signal::SIGKILL) } else { killpg(process, Signal::SIGKILL) };
    child.wait().expect("its end").code().is_some() || is_finished(line)
}

pub fn is_finished(line: &Line) -> bool {
    let store = rusqlite::Connection::open(line.path("station.sqlite")).expect("the store");
    let state = store.query_row("SELECT state FROM runs", [], |row| row.get::<_, String>(0));
    state.is_ok_and(|state| state == "finished")
}

/// How often each test was shown as passed.
pub fn count_passed(shown: &str, passed: &mut BTreeMap<String, usize>) {
    for path in shown.lines().filter_map(|line| line.strip_prefix("passed   ")) {
        let path = path.split(' ').next().unwrap_or_default();
        *passed.entry(path.to_owned()).or_default() += 1;
    }
}

#[track_caller]
pub fn check(line: &Line, shown: &BTreeMap<String, usize>, what: &str) {
    let last = line.results(&["last"]);
    let attempts = last["attempts"].as_array().expect("attempts");
    assert_eq!(last["run"]["state"], "finished", "{what}");
    let tests = last["tests"].as_array().expect("tests");
    assert_eq!(tests.len(), 10, "{what}: {last}");
    let failed = tests.iter().any(|test| test["status"] == "FAILED");
    assert_eq!(last["run"]["verdict"], if failed { "FAILED" } else { "PASSED" }, "{what}: {last}");
    let is_settled = |test: &Value| test["status"] == "PASSED" || test["status"] == "FAILED";
    assert!(tests.iter().all(is_settled), "{what}: everything ran: {last}");
    assert!(
        attempts.iter().all(|attempt| attempt["outcome"] != Value::Null),
        "{what}: every attempt has an end: {last}"
    );
    for path in ["Group.InnerDown", "Down"] {
        assert_eq!(line.attempt(path)["outcome"], "passed", "{what}: the teardown ran: {last}");
    }
    let passed = |path: &str| {
        attempts.iter().filter(|attempt| attempt["path"] == path && attempt["outcome"] == "passed").count()
    };
    for (path, &times) in shown {
        assert!(passed(path) >= times, "{what}: `{path}` was shown as passed: {last}");
    }
    let trace = line.read("trace");
    for attempt in attempts.iter().filter(|attempt| attempt["outcome"] == "passed") {
        let end = format!("end {}\n", attempt["invocation"].as_str().expect("an id"));
        assert!(trace.contains(&end), "{what}: what passed has run: {attempt}");
    }
    for begun in trace.lines().filter_map(|line| line.strip_prefix("begin ")) {
        let rows = attempts.iter().filter(|attempt| attempt["invocation"] == begun).count();
        assert_eq!(rows, 1, "{what}: what began is on record, once: {begun}");
        assert_eq!(trace.matches(&format!("begin {begun}\n")).count(), 1, "{what}: it began once: {begun}");
    }
}

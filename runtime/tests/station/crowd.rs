//! Parallel groups at their worst: 64 tests at once, among them one that hangs, one that crashes, one that floods its output, and one that
//! leaves children behind. All end, all are recorded, and the memory of the station's program stays small.

use std::fs;

use serde_json::Value;
use tlc_plan::plan::Node;

use crate::line::{Line, Ran, add, group, is_alive, list, shell, within};

/// How much more memory than for two tests the program may take, in KiB.
const ROOM: u64 = 64 << 10;

/// A child that leaves the group and outlives its test; the file has its number.
const LEAVES: &str =
    "setsid sh -c 'echo $$ > \"$LINE/stray\"; exec sleep 1000' & sleep 1000 & echo $! > \"$LINE/child\"
while [ ! -s \"$LINE/stray\" ]; do sleep 0.01; done";

/// Runs a parallel group; its most memory is what the last look at the living program said.
fn run(line: &Line, members: Vec<Node>) -> (Ran, u64) {
    let mut plan = list(Vec::new());
    let root = plan.root();
    let together = add(&mut plan, root, Node { parallel: true, ..group("Together") });
    for member in members {
        add(&mut plan, together, member);
    }
    add(&mut plan, root, shell("Look", "grep VmHWM /proc/$PPID/status > \"$LINE/memory\""));
    let ran = line.run(&plan, &[]);
    let status = line.read("memory");
    let memory = status.split_whitespace().nth(1).and_then(|number| number.parse().ok());
    (ran, memory.unwrap_or_else(|| panic!("no memory in {status:?}")))
}

#[test]
fn a_crowd_of_tests_ends_is_recorded_and_takes_little_memory() {
    let (small, least) = run(&Line::new(), vec![shell("A", "true"), shell("B", "true")]);
    small.ended_with(0);
    let line = Line::new();
    let mut members = vec![
        within(1.0, shell("Hangs", "trap '' TERM; while :; do sleep 1000; done")),
        shell("Crashes", "kill -SEGV $$"),
        shell("Floods", "head -c 104857600 /dev/zero | tr '\\\\0' x"),
        shell("Leaves", LEAVES),
    ];
    members.extend((members.len()..64).map(|number| shell(&format!("T{number}"), "echo begun; sleep 0.1; echo done")));
    let (ran, most) = run(&line, members);
    let ran = ran.ended_with(1);
    let last = line.results(&["last"]);
    let attempts = last["attempts"].as_array().expect("attempts");
    assert_eq!(attempts.len(), 65, "{}", ran.stdout);
    let outcome = |path: &str| {
        let path = format!("Together.{path}");
        let attempt = attempts.iter().find(|attempt| attempt["path"] == *path).unwrap_or(&Value::Null);
        attempt["outcome"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!([outcome("Hangs"), outcome("Crashes")], ["timeout", "crashed"]);
    assert_eq!([outcome("Floods"), outcome("Leaves")], ["passed", "passed"]);
    assert!((4..64).all(|number| outcome(&format!("T{number}")) == "passed"), "{}", ran.stdout);
    let flood = attempts.iter().find(|attempt| attempt["path"] == "Together.Floods").expect("the flood");
    let number = |name: &str| flood[name].as_u64().expect("a number");
    assert_eq!(number("log_written"), 100 << 20);
    let log = fs::metadata(flood["log"].as_str().expect("a log")).expect("a log").len();
    assert!(log < 5 << 20 && number("log_left_out") > 90 << 20, "{log} {flood}");
    assert!(!is_alive(&line.path("stray")) && !is_alive(&line.path("child")), "nothing outlives its test");
    assert!(most < least + ROOM, "{most} KiB, and {least} KiB for two tests");
    println!("{most} KiB for 64 tests, {least} KiB for two");
}

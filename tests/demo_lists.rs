//! The demo's lists do what they say, on a good board and on broken ones. (`demo.rs` is about the program, with the demo as its input.)

mod common;

use common::{outcome, root, run, tlc};
use serde_json::Value;

const LIST: &str = "lists/demo/main.test_list.json";

/// A run of the demo that is over.
struct Run {
    code: i32,
    results: Value,
}

impl Run {
    /// Runs the demo on a board with these faults.
    fn of(faults: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let run = |words: &[&str]| {
            let mut command = tlc(root());
            command.args(words).env("XDG_STATE_HOME", folder.path()).env("DEMO_FAULT", faults);
            outcome(command.output().expect("tlc can be started"))
        };
        let run_itself = run(&[&["run", LIST, "--quiet"], arguments].concat());
        let shown = run(&["results", "last", "--format", "json"]);
        let results = serde_json::from_str(&shown.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}{}", run_itself.stderr, shown.stderr));
        Self { code: run_itself.code, results }
    }

    fn status(&self, path: &str) -> &str {
        let test = self.tests().iter().find(|test| test["path"] == path);
        test.unwrap_or_else(|| panic!("there is no `{path}`"))["status"].as_str().expect("a status")
    }

    /// The paths of the leaves with this status.
    fn leaves(&self, status: &str) -> Vec<&str> {
        let leaves = self.tests().iter().filter(|test| test["leaf"] == true && test["status"] == status);
        leaves.map(|test| test["path"].as_str().expect("a path")).collect()
    }

    fn tests(&self) -> &[Value] {
        self.results["tests"].as_array().expect("tests")
    }

    fn attempts(&self, path: &str) -> Vec<&Value> {
        let attempts = self.results["attempts"].as_array().expect("attempts");
        attempts.iter().filter(|attempt| attempt["path"] == path).collect()
    }

    fn outcomes(&self, path: &str) -> Vec<&str> {
        self.attempts(path).iter().map(|attempt| attempt["outcome"].as_str().expect("an outcome")).collect()
    }
}

#[test]
fn a_good_board_passes() {
    let run = Run::of("", &[]);
    assert_eq!(run.leaves("PASSED").len(), 28, "{:#}", run.results["summary"]);
    assert_eq!(run.code, 0);
    assert_eq!(run.outcomes("SMT.Radio"), ["failed", "passed"], "one failure of the radio is forgiven");
    assert_eq!(
        run.outcomes("RunIn.RunInReboots.Identity"),
        ["passed", "passed"],
        "the reboots are a sequence of two rounds"
    );
    let members = ["ProcessorLoad", "MemoryLoad", "Temperature"].map(|id| format!("RunIn.RunInStress.{id}"));
    let last_start = members.iter().map(|path| time(&run, path, "started_at")).max();
    let first_end = members.iter().map(|path| time(&run, path, "ended_at")).min();
    assert!(last_start < first_end, "the members of a parallel group overlap");
}

#[test]
fn a_bad_rail_fails_where_it_is_measured_and_nowhere_else() {
    let run = Run::of("1V8", &[]);
    assert_eq!(run.leaves("FAILED"), ["SMT.SMTRails.Rail1V8", "RunIn.RunInStress.Rail1V8"]);
    assert_eq!(run.leaves("PASSED").len(), 26);
    assert_eq!(run.code, 1);
}

#[test]
fn a_board_that_does_not_start_ends_the_run_and_is_switched_off() {
    let run = Run::of("mute", &[]);
    assert_eq!(run.leaves("FAILED"), ["SMT.SMTStart.PowerOn"]);
    assert_eq!(run.leaves("PASSED"), ["SMT.SMTStart.FreeSpace", "SMT.PowerOff", "ArchiveLog"]);
    assert_eq!(run.status("RunIn"), "UNTESTED");
    assert_eq!(run.code, 1);
}

#[test]
fn device_data_say_what_is_left_out() {
    let device = tempfile::NamedTempFile::new().expect("a file");
    let data = r#"{"component": {"has_radio": false}, "factory": {"end_RUNIN": true}}"#;
    std::fs::write(device.path(), data).expect("written");
    let run = Run::of("", &["--device-data", device.path().to_str().expect("a path")]);
    assert_eq!(run.status("SMT.Radio"), "SKIPPED");
    assert_eq!(run.status("RunIn"), "SKIPPED");
    assert_eq!(run.status("SMT.Flash"), "PASSED");
    assert_eq!(run.code, 0);
}

#[test]
fn a_station_of_the_demo_runs_alone() {
    let run = Run::of("", &["--only", "RunIn"]);
    assert_eq!(run.leaves("PASSED").len(), 11);
    assert_eq!(run.status("RunIn.PowerOff"), "PASSED");
    assert_eq!(run.code, 0);
}

#[test]
fn every_label_is_translated() {
    let dump = run(root(), &["dump", LIST, "--format", "json"]);
    let list: Value = serde_json::from_str(&dump.stdout).expect("one JSON document");
    let mut left = Vec::new();
    let mut open: Vec<&Value> = vec![&list["tests"]];
    while let Some(tests) = open.pop() {
        for test in tests.as_array().expect("tests") {
            let label = &test["label"];
            if label["zh-CN"] == label["en-US"] || label.get("de-DE").is_none() {
                left.push(&test["path"]);
            }
            open.push(&test["subtests"]);
        }
    }
    assert!(left.is_empty(), "not in the catalogues of the demo: {left:?}");
}

#[test]
fn the_lists_are_in_their_canonical_form() {
    let found = run(root(), &["fmt", "--check", "lists"]);
    assert_eq!(found.code, 0, "`tlc fmt lists` would change\n{}", found.stdout);
}

fn time(run: &Run, path: &str, which: &str) -> String {
    let attempts = run.attempts(path);
    let [attempt] = attempts[..] else { panic!("`{path}` has {} attempts", attempts.len()) };
    attempt[which].as_str().expect("a time").to_owned()
}

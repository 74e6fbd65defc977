//! What surrounds a test: its environment, its directory, and its limits.

use std::fs;

use serde_json::Value;

use crate::line::{Line, exec, list, python, shell};

#[test]
fn a_test_gets_a_documented_environment_and_no_secrets() {
    let line = Line::new();
    let settings = line.settings("{ environment: { BENCH: '${settings_dir}' } }");
    let plan = list(vec![shell("Env", "env > \"$LINE/env\"")]);
    let mut command = line.command(&plan, &["--station", &settings]);
    command.env("LC_NUMERIC", "C").env("STRANGE", "1").env("LD_PRELOAD_X", "1").env("LAGER_SECRET_mes", "hush");
    assert!(command.output().expect("tlc-station").status.success());
    let seen = line.read("env");
    let has = |name: &str| seen.lines().any(|line| line.split_once('=').is_some_and(|(found, _)| found == name));
    for name in ["PATH", "LC_NUMERIC", "LINE", "BENCH", "TLC_TESTS", "TLC_RUN", "TLC_PROTOCOL"] {
        assert!(has(name), "{name}: {seen}");
    }
    for name in ["STRANGE", "LD_PRELOAD_X", "LAGER_SECRET_mes"] {
        assert!(!has(name), "{name}: {seen}");
    }
}

#[test]
fn all_variables_may_pass_but_secrets() {
    let line = Line::new();
    line.write("all.json5", "{ pass_environment: ['*'] }");
    let all = line.path("all.json5").display().to_string();
    let mut command = line.command(&list(vec![shell("Env", "env > \"$LINE/env\"")]), &["--station", &all]);
    command.env("STRANGE", "1").env("LAGER_SECRET_mes", "hush");
    assert!(command.output().expect("tlc-station").status.success());
    let seen = line.read("env");
    assert!(seen.contains("STRANGE=1\n") && !seen.contains("hush"), "{seen}");
}

#[test]
fn each_attempt_has_an_empty_directory_of_its_own_that_goes_with_it() {
    let line = Line::new();
    let script = "pwd >> \"$LINE/where\"; ls -A >> \"$LINE/what\"; ls -ld . >> \"$LINE/mode\"; mkdir -p a/b; touch a/b/c; chmod 0 a";
    let plan = list(vec![
        shell("One", script),
        shell("Two", script),
        shell("Third", "test ! -e \"$(tail -1 \"$LINE/where\")\""),
    ]);
    line.run(&plan, &[]).ended_with(0);
    let places = line.read("where");
    let places: Vec<_> = places.lines().collect();
    assert!(places.len() == 2 && places[0] != places[1], "{places:?}");
    assert_eq!(line.read("what"), "", "it is empty");
    assert!(line.read("mode").lines().all(|mode| mode.starts_with("drwx------")), "{}", line.read("mode"));
    assert!(places.iter().all(|place| !fs::exists(place).expect("a path")));
}

#[test]
fn a_program_with_a_slash_is_found_below_the_tests() {
    use std::os::unix::fs::PermissionsExt as _;
    let line = Line::new();
    fs::create_dir(line.path("tests/bin")).expect("a folder");
    for name in ["tests/run.sh", "tests/bin/deep.sh"] {
        line.write(name, "#!/bin/sh\ntest -e \"$TLC_TESTS/run.sh\"\n");
        fs::set_permissions(line.path(name), fs::Permissions::from_mode(0o755)).expect("a program");
    }
    let plan = list(vec![exec("Here", &["./run.sh"]), exec("Deep", &["bin/deep.sh"]), exec("Gone", &["./gone.sh"])]);
    line.run(&plan, &[]).ended_with(1);
    assert_eq!(
        (&line.attempt("Here")["outcome"], &line.attempt("Deep")["outcome"]),
        (&"passed".into(), &"passed".into())
    );
    assert_eq!(line.attempt("Here")["source_sha256"].as_str().map(str::len), Some(64));
    let message = line.attempt("Gone")["message"].as_str().expect("a message").to_owned();
    assert!(message.starts_with("unable to start `./gone.sh`: No such file"), "{message}");
}

/// The outcome and message of a test under limits.
fn limited(limits: &str, script: &str) -> (Value, String) {
    let line = Line::new();
    let settings = line.settings(&format!("{{ limits: {limits} }}"));
    line.run(&list(vec![shell("Limited", script), shell("After", "true")]), &["--station", &settings]);
    assert_eq!(line.attempt("After")["outcome"], "passed", "the run goes on");
    let attempt = line.attempt("Limited");
    (attempt["outcome"].clone(), attempt["message"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_test_that_wants_more_memory_than_it_may_have_fails_with_the_limit() {
    let line = Line::new();
    line.write(
        "tests/hungry.py",
        "import unittest\nclass T(unittest.TestCase):\n    def runTest(self):\n        b'x' * (512 << 20)\n",
    );
    let settings = line.settings("{ limits: { memory_bytes: 268435456 } }");
    line.run(&list(vec![python("Hungry", "hungry", "{}"), shell("After", "true")]), &["--station", &settings]);
    let hungry = line.attempt("Hungry");
    let message = hungry["message"].as_str().expect("a message");
    assert!(message.contains("MemoryError") && message.contains("268435456 bytes of memory"), "{message}");
    assert_eq!(line.attempt("After")["outcome"], "passed");
    let (outcome, message) =
        limited("{ memory_bytes: 67108864 }", "x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo ${#x}");
    assert!(outcome != "passed" && message.contains("67108864 bytes of memory"), "{message}");
}

#[test]
fn cpu_time_files_and_their_size_are_limited_for_everything_that_a_test_starts() {
    let (outcome, message) = limited("{ cpu_secs: 1 }", "while :; do :; done");
    assert!(
        outcome == "crashed" && message.contains("SIGXCPU") && message.contains("limit of 1 s of CPU time"),
        "{message}"
    );
    let (outcome, message) = limited("{ file_bytes: 4096 }", "exec head -c 5000 /dev/zero > big");
    assert!(outcome != "passed" && message.contains("a file may have 4096 bytes"), "{outcome} {message}");
    let (outcome, _) = limited("{ open_files: 32, processes: 100000 }", "sh -c 'test \"$(ulimit -n)\" = 32'");
    assert_eq!(outcome, "passed");
    let (outcome, message) =
        limited("{ open_files: 12 }", "exec python3 -c 'f = [open(\"/dev/null\") for _ in range(40)]'");
    assert!(outcome == "failed" && message.contains("12 open files"), "{outcome} {message}");
}

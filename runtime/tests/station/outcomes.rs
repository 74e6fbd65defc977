//! How an attempt ends, and what of it is recorded.

use std::fs;

use tlc_plan::Template;
use tlc_plan::plan::{Node, Program};

use crate::line::{Line, exec, group, is_alive, list, python, shell, within};

#[test]
fn a_program_passes_by_its_exit_code() {
    let line = Line::new();
    let plan =
        list(vec![shell("Good", "echo hello; echo world >&2"), shell("Bad", "exit 7"), shell("Shot", "kill -SEGV $$")]);
    let ran = line.run(&plan, &[]).ended_with(1);
    assert_eq!(line.attempt("Good")["outcome"], "passed");
    assert_eq!(line.attempt("Bad")["message"], "exited with code 7");
    assert_eq!((&line.attempt("Bad")["outcome"], &line.attempt("Bad")["exit_code"]), (&"failed".into(), &7.into()));
    assert_eq!(line.attempt("Shot")["message"], "was ended by signal SIGSEGV");
    assert_eq!(line.attempt("Shot")["outcome"], "crashed");
    let log = fs::read_to_string(line.attempt("Good")["log"].as_str().expect("a log")).expect("the log");
    let words: Vec<_> = log.lines().filter_map(|line| line.split_once(' ')).map(|(_, text)| text).collect();
    assert_eq!(words, ["hello", "world"]);
    assert!(ran.stdout.contains("failed   Bad") && ran.stdout.contains("exited with code 7"), "{}", ran.stdout);
    assert!(!ran.stdout.contains('\x1b'), "no colours outside of a terminal");
}

#[test]
fn a_program_that_is_not_there_is_an_error_of_its_test() {
    let line = Line::new();
    line.run(&list(vec![exec("Gone", &["/nowhere/program"]), shell("Good", "true")]), &[]).ended_with(1);
    assert_eq!(line.attempt("Gone")["outcome"], "error");
    let message = line.attempt("Gone")["message"].clone();
    assert!(message.as_str().expect("a message").starts_with("unable to start `/nowhere/program`"), "{message}");
    assert_eq!(line.attempt("Good")["outcome"], "passed");
}

#[test]
fn arguments_that_cannot_be_resolved_fail_the_attempt() {
    let line = Line::new();
    let mut broken = shell("Broken", "true");
    if let Some(test) = &mut broken.test {
        test.args = Template::Broken("`1 +` is no expression".into());
    }
    let mut number = shell("Number", "true");
    if let Some(test) = &mut number.test {
        test.program = Program::Exec(Template::Data(serde_json::from_str("[\"sh\", 1]").expect("JSON")).into());
    }
    line.run(&list(vec![broken, number]), &[]).ended_with(1);
    let message = line.attempt("Broken")["message"].as_str().expect("a message").to_owned();
    assert!(message.starts_with("unable to resolve arguments: ") && message.contains("`1 +`"), "{message}");
    assert_eq!(line.attempt("Number")["message"], "unable to resolve exec: item 1 is an integer, expected a string");
}

#[test]
fn a_declared_measurement_that_was_not_reported_fails_the_test() {
    let line = Line::new();
    let declares = |mut node: Node, text: &str| {
        if let Some(test) = &mut node.test {
            test.measurements = Template::Data(serde_json::from_str(text).expect("limits")).into();
        }
        node
    };
    line.write("tests/good.py", "import unittest\nclass T(unittest.TestCase):\n    def runTest(self):\n        pass\n");
    let one = declares(shell("One", "true"), r#"{"rail": {"min": 3.2}}"#);
    let two = declares(python("Two", "good", "{}"), r#"{"rail": {}, "load": {}}"#);
    let bad = declares(shell("Bad", "exit 7"), r#"{"rail": {}}"#);
    line.run(&list(vec![one, two, bad, shell("None", "true")]), &[]).ended_with(1);
    let end = |path| (line.attempt(path)["outcome"].clone(), line.attempt(path)["message"].clone());
    assert_eq!(end("One"), ("failed".into(), "the declared measurement `rail` was not reported".into()));
    assert_eq!(end("Two"), ("failed".into(), "the declared measurements `rail`, `load` were not reported".into()));
    assert_eq!(end("Bad"), ("failed".into(), "exited with code 7".into()));
    assert_eq!(end("None").0, "passed");
}

#[test]
fn a_list_that_passes_ends_with_0() {
    let line = Line::new();
    let ran = line.run(&list(vec![shell("A", "true"), shell("B", "true")]), &[]).ended_with(0);
    assert!(ran.stdout.contains("PASSED") && ran.stdout.contains("2 attempts"), "{}", ran.stdout);
}

#[test]
fn a_list_without_tests_passes_with_a_warning() {
    let line = Line::new();
    let ran = line.run(&list(vec![]), &[]).ended_with(0);
    assert!(ran.stderr.contains("warning: the list has no tests; nothing ran"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("error") && !ran.stdout.contains("error"), "{ran:?}");
    line.run(&list(vec![group("Empty")]), &[]).ended_with(0);
}

#[test]
fn a_test_finds_its_place_in_its_environment() {
    let line = Line::new();
    let script = r#"echo "$TLC_TEST_PATH|$TLC_TEST_LIST|$TLC_SLOT|$TLC_PHASE|$TLC_UNIT|$TLC_PROTOCOL" > "$LINE/seen"; echo "$TLC_TESTS" >> "$LINE/seen""#;
    line.run(&list(vec![shell("Place", script)]), &["--phase", "EVT", "--unit", "U7"]).ended_with(0);
    let tests = fs::canonicalize(line.path("tests")).expect("the tests");
    assert_eq!(line.read("seen"), format!("Place|main|0|EVT|U7|1\n{}\n", tests.display()));
}

#[test]
fn a_python_test_gets_its_arguments_and_reports() {
    let line = Line::new();
    line.write(
        "tests/rail.py",
        "import unittest\n\
         class Rail(unittest.TestCase):\n\
         \x20   def setUp(self):\n        self.limit = 3.2\n\
         \x20   def runTest(self):\n        print('measuring', self.args.name)\n        self.assertGreater(self.args.volts, self.limit, 'too low')\n",
    );
    fs::create_dir(line.path("tests/deep")).expect("a folder");
    line.write(
        "tests/deep/boom.py",
        "import unittest\nclass B(unittest.TestCase):\n    def test_it(self):\n        {}['x']\n",
    );
    line.write("tests/two.py", "import unittest\nclass A(unittest.TestCase): pass\nclass B(unittest.TestCase): pass\n");
    line.write(
        "tests/quits.py",
        "import os, unittest\nclass A(unittest.TestCase):\n    def runTest(self):\n        os._exit(0)\n",
    );
    line.write("tests/select.py", "import select, unittest\nclass A(unittest.TestCase):\n    def runTest(self):\n        select.select([], [], [], 0)\n");
    let plan = list(vec![
        python("Good", "rail", r#"{"name": "3V3", "volts": 3.3}"#),
        python("Low", "rail", r#"{"name": "3V3", "volts": 3.0}"#),
        python("Boom", "deep.boom", "{}"),
        python("Two", "two", "{}"),
        python("Missing", "nothing.here", "{}"),
        python("Quits", "quits", "{}"),
        python("Named", "select", "{}"),
    ]);
    line.run(&plan, &[]).ended_with(1);
    let seen = |path: &str| {
        let attempt = line.attempt(path);
        (attempt["outcome"].as_str().unwrap_or("").to_owned(), attempt["message"].as_str().unwrap_or("").to_owned())
    };
    assert_eq!(seen("Good"), ("passed".into(), String::new()));
    assert_eq!(seen("Low"), ("failed".into(), "3.0 not greater than 3.2 : too low".into()));
    assert!(line.attempt("Low")["traceback"].as_str().expect("a traceback").contains("rail.py"));
    assert_eq!(seen("Boom"), ("error".into(), "KeyError: 'x'".into()));
    let (outcome, message) = seen("Two");
    assert!(outcome == "error" && message.contains("exactly one") && message.contains("`A`, `B`"), "{message}");
    let (outcome, message) = seen("Missing");
    assert!(outcome == "error" && message.contains("nothing/here.py"), "{message}");
    assert_eq!(
        seen("Quits"),
        ("crashed".into(), "its process exited with code 0 before it reported an outcome".into())
    );
    assert_eq!(seen("Named").0, "passed");
}

#[test]
fn what_python_says_of_a_failure_is_always_text() {
    let line = Line::new();
    let case =
        |body: &str| format!("import unittest\nclass T(unittest.TestCase):\n    def runTest(self):\n        {body}\n");
    line.write("tests/half.py", &case(r#"self.fail("\udcff\ud800 is no text")"#));
    line.write("tests/syn.py", "x = = 1\n");
    line.write("tests/imp.py", "import nowhere_at_all\n");
    let tests = ["half", "syn", "imp"].map(|name| python(name, name, "{}"));
    line.run(&list(tests.to_vec()), &[]).ended_with(1);
    let end = |path| (line.attempt(path)["outcome"].clone(), line.attempt(path)["message"].clone());
    assert_eq!(end("half"), ("failed".into(), r"\udcff\ud800 is no text".into()));
    assert_eq!(end("syn"), ("error".into(), "SyntaxError: invalid syntax (syn.py, line 1)".into()));
    assert_eq!(end("imp"), ("error".into(), "ModuleNotFoundError: No module named 'nowhere_at_all'".into()));
}

#[test]
fn declared_arguments_have_defaults() {
    let line = Line::new();
    line.write(
        "tests/declared.py",
        "import unittest\nfrom tlc import Arg\n\
         class Declared(unittest.TestCase):\n\
         \x20   ARGS = [Arg('rail', str, 'Its name.'), Arg('samples', int, 'How many.', default=3)]\n\
         \x20   def runTest(self):\n        self.assertEqual((self.args.rail, self.args.samples), ('3V3', 3))\n",
    );
    let plan = list(vec![
        python("Good", "declared", r#"{"rail": "3V3"}"#),
        python("Missing", "declared", "{}"),
        python("Unknown", "declared", r#"{"rail": "x", "rial": 1}"#),
    ]);
    line.run(&plan, &[]).ended_with(1);
    assert_eq!(line.attempt("Good")["outcome"], "passed");
    assert_eq!(line.attempt("Missing")["message"], "the required argument `rail` is missing");
    assert_eq!(line.attempt("Unknown")["message"], "the test does not declare the argument `rial`");
}

#[test]
fn a_time_limit_ends_a_whole_tree_that_does_not_want_to() {
    let line = Line::new();
    let script = "trap '' TERM; (trap '' TERM; echo $$ > \"$LINE/outer\"; sh -c 'echo $$ > \"$LINE/inner\"; sleep 1000') & \
                  sleep 1000; sleep 1000";
    line.run(&list(vec![within(0.5, shell("Stubborn", script))]), &[]).ended_with(1);
    let attempt = line.attempt("Stubborn");
    assert_eq!(
        (&attempt["outcome"], &attempt["message"]),
        (&"timeout".into(), &"ended after its time limit of 0.5 s".into())
    );
    assert!(!is_alive(&line.path("inner")) && line.path("inner").exists());
}

#[test]
fn what_left_its_group_is_ended_too() {
    let line = Line::new();
    let escape = "setsid sh -c 'echo $$ > \"$LINE/marked\"; exec sleep 1000' & \
                  setsid env -i PATH=\"$PATH\" LINE=\"$LINE\" sh -c 'echo $$ > \"$LINE/unmarked\"; exec sleep 1000' & \
                  while [ ! -s \"$LINE/marked\" ] || [ ! -s \"$LINE/unmarked\" ]; do sleep 0.01; done";
    line.run(&list(vec![shell("Escape", escape), shell("After", "true")]), &[]).ended_with(0);
    assert!(!is_alive(&line.path("marked")), "it has the mark of its test");
    assert!(!is_alive(&line.path("unmarked")), "it has thrown the mark away");
}

#[test]
fn a_flood_of_output_is_bounded() {
    let line = Line::new();
    let script = "echo first; head -c 52428800 /dev/zero | tr '\\0' 'x' | fold -w 100; echo; echo last";
    line.run(&list(vec![shell("Flood", script)]), &[]).ended_with(0);
    let attempt = line.attempt("Flood");
    assert!(attempt["log_written"].as_i64().expect("a number") > 52_000_000);
    let log = fs::read_to_string(attempt["log"].as_str().expect("a log")).expect("the log");
    assert!(log.len() < 5 << 20, "{}", log.len());
    let lines: Vec<_> = log.lines().collect();
    assert!(lines[0].ends_with(" first") && lines[lines.len() - 1].ends_with(" last"));
    assert!(log.contains("bytes of output left out]"));
}

#[test]
fn a_worker_that_breaks_the_protocol_is_told_apart() {
    let line = Line::new();
    let plan = list(vec![
        shell("Garbage", "echo garbage >&\"$TLC_PROTOCOL_WRITE_FD\"; sleep 100"),
        shell("Long", "head -c 3000000 /dev/zero | tr '\\0' 'x' >&\"$TLC_PROTOCOL_WRITE_FD\"; sleep 100"),
        shell(
            "Speaks",
            r#"read -r start <&"$TLC_PROTOCOL_READ_FD"; case "$start" in *'"path":"Speaks"'*) echo '{"jsonrpc":"2.0","method":"finished","params":{"outcome":"failed","message":"so it is"}}' >&"$TLC_PROTOCOL_WRITE_FD";; esac"#,
        ),
        shell(
            "Asks",
            r#"read -r start <&"$TLC_PROTOCOL_READ_FD"; echo '{"jsonrpc":"2.0","id":9,"method":"dance"}' >&"$TLC_PROTOCOL_WRITE_FD"; read -r answer <&"$TLC_PROTOCOL_READ_FD"; case "$answer" in *-32601*) exit 0;; esac; exit 1"#,
        ),
        shell("Closes", "exec 3<&- 4>&-; sleep 0.1"),
        shell(
            "Lies",
            r#"echo '{"jsonrpc":"2.0","method":"finished","params":{"outcome":"passed"}}' >&"$TLC_PROTOCOL_WRITE_FD"; exit 3"#,
        ),
    ]);
    line.run(&plan, &[]).ended_with(1);
    let seen = |path: &str| line.attempt(path)["message"].as_str().unwrap_or_default().to_owned();
    assert!(
        seen("Garbage").contains("no JSON-RPC message") && seen("Garbage").contains("garbage"),
        "{}",
        seen("Garbage")
    );
    assert_eq!(seen("Long"), "sent a message of more than 1048576 bytes");
    assert_eq!(seen("Speaks"), "so it is");
    assert_eq!(
        (line.attempt("Asks")["outcome"].clone(), line.attempt("Closes")["outcome"].clone()),
        ("passed".into(), "passed".into())
    );
    assert_eq!(seen("Lies"), "reported that it passed, and then its process exited with code 3");
}

#[test]
fn a_failure_is_shown_with_the_end_of_its_output_and_the_path_of_its_log() {
    let line = Line::new();
    let plan = list(vec![shell("Bad", "for n in 1 2 3 4 5 6 7; do echo line $n; done; exit 1")]);
    let ran = line.run(&plan, &[]).ended_with(1);
    let shown =
        "  Bad: exited with code 1\n      | line 3\n      | line 4\n      | line 5\n      | line 6\n      | line 7\n";
    assert!(ran.stdout.contains(shown), "{}", ran.stdout);
    let log = line.attempt("Bad")["log"].as_str().expect("a log").to_owned();
    assert!(ran.stdout.contains(&format!("      log: {log}\n")), "{}", ran.stdout);
}

#[test]
fn an_attempt_is_recorded_with_its_source_its_use_its_unit_and_its_operator() {
    let line = Line::new();
    line.write("tests/busy.py", "import unittest\n\nclass Busy(unittest.TestCase):\n    def runTest(self):\n        b'x' * (64 << 20)\n        sum(range(3000000))\n");
    let plan = list(vec![python("Busy", "busy", "{}"), shell("Shell", "true"), exec("None", &["/nowhere/at/all"])]);
    line.run(&plan, &["--operator", "Ada", "--unit", "U-7"]).ended_with(1);
    let busy = line.attempt("Busy");
    assert_eq!((&busy["operator"], &busy["unit"], &busy["slot"]), (&"Ada".into(), &"U-7".into(), &0.into()));
    assert!(busy["cpu_ms"].as_i64().expect("a time") > 10, "{busy}");
    assert!(busy["peak_memory_bytes"].as_i64().expect("a size") > 64 << 20, "{busy}");
    let digest = |attempt: &serde_json::Value| attempt["source_sha256"].as_str().map(str::to_owned);
    assert_eq!(digest(&busy).expect("a digest").len(), 64);
    assert!(digest(&line.attempt("Shell")).is_some_and(|shell| Some(shell) != digest(&busy)));
    let none = line.attempt("None");
    assert!(none["source_sha256"].is_null() && none["cpu_ms"].is_null(), "{none}");
}

#[test]
fn what_a_test_left_behind_is_gone_before_the_next_one() {
    let line = Line::new();
    let leaves = "setsid env -i PATH=\"$PATH\" LINE=\"$LINE\" sh -c 'echo $$ > \"$LINE/left\"; exec sleep 1000' \
                  >/dev/null 2>&1 </dev/null & while [ ! -s \"$LINE/left\" ]; do sleep 0.01; done";
    let looks = "! kill -0 \"$(cat \"$LINE/left\")\" 2>/dev/null";
    line.run(&list(vec![shell("Leaves", leaves), shell("Looks", looks)]), &[]).ended_with(0);
}

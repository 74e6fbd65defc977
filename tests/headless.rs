//! `tlc check --headless`: prompts of Python tests against a file of answers, without running anything.

mod common;

use common::{diagnostics, directory, run};
use serde_json::Value;

const BASE: &str = r#"{"options": {}, "constants": {"manual": false}, "definitions": {"FactoryTest": {"inherit": "FactoryTest"}, "TestGroup": {"inherit": "TestGroup"}}}"#;

const MAIN: &str = r#"{
  "inherit": ["base.test_list"],
  "label": "Board test",
  "tests": [
    {"id": "SMT", "subtests": [{"id": "Identify", "pytest_name": "identify"}, {"id": "Visual", "pytest_name": "deep.visual"}]},
    {"id": "Never", "pytest_name": "identify", "run_if": "constants.manual"},
    {"id": "Off", "run_if": "constants.manual", "subtests": [{"id": "Inner", "pytest_name": "identify"}]},
    {"id": "Script", "exec": ["true"]},
    {"id": "Again", "pytest_name": "identify"}
  ]
}"#;

const IDENTIFY: &str = "import tlc\nfrom bench import ready\nclass T(tlc.TestCase):\n    def runTest(self):\n        ready()\n        tlc.countdown('Cool down', 2, prompt='cool')\n        \
                        self.ask_scan('Scan', prompt='serial')\n        tlc.ask_pass_fail('Lit?')\n";

const BENCH: &str =
    "from tlc import show_note\nimport identify\ndef ready():\n    show_note('Close the lid', prompt='lid')\n";

const VISUAL: &str = "import tlc\nclass T(tlc.TestCase):\n    def runTest(self):\n        for name in 'ab':\n            tlc.ask_text(name, prompt=name)\n";

fn station(answers: &str) -> tempfile::TempDir {
    directory(&[
        ("base.test_list.json", BASE),
        ("main.test_list.json", MAIN),
        ("tests/identify.py", IDENTIFY),
        ("tests/bench.py", BENCH),
        ("tests/deep/visual.py", VISUAL),
        ("answers.json5", answers),
    ])
}

const CHECK: [&str; 6] = ["check", "main.test_list.json", "--tests", "tests", "--headless", "answers.json5"];

fn messages(answers: &str) -> (i32, Vec<String>, Value) {
    let lists = station(answers);
    let outcome = run(lists.path(), &[&CHECK[..], &["--format", "json"]].concat());
    let found =
        diagnostics(&outcome).iter().map(|finding| finding["message"].as_str().unwrap_or("").to_owned()).collect();
    let document: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    (outcome.code, found, document["headless"].clone())
}

#[test]
fn what_is_not_answered_is_listed_with_the_tests_that_ask_it() {
    let (code, found, numbers) = messages("{ 'SMT.Identify': { serial: 'A' } }");
    let expected = [
        "the prompt `serial` of `Again` is not answered",
        "the prompt `3` of `SMT.Identify`, `Again` is not answered",
        "the prompt `lid` of `SMT.Identify`, `Again` is not answered",
        "the name of a prompt of `SMT.Visual` is only known when the test runs",
    ];
    assert_eq!((code, found.iter().map(String::as_str).collect::<Vec<_>>()), (1, expected.to_vec()));
    assert_eq!(numbers, serde_json::json!({"answered": 1, "unanswered": 5, "unclear": 1, "programs": 1}));
}

#[test]
fn a_file_that_answers_everything_is_enough() {
    let (code, found, numbers) = messages(
        "{ '*Identify': { serial: 'A', '*': true }, Again: { serial: 'B', '3': true, lid: true }, 'SMT.Visual': {'*': 'x'} }",
    );
    assert_eq!((code, found), (0, vec![]));
    assert_eq!(numbers, serde_json::json!({"answered": 7, "unanswered": 0, "unclear": 0, "programs": 1}));
    let (code, found, _) = messages("{ '*': { serial: 'A', '3': true, lid: true } }");
    assert_eq!((code, found.len()), (0, 1), "what is not known is no error");
}

#[test]
fn people_are_told_the_numbers() {
    let lists = station("{ '*': { '*': true } }");
    let outcome = run(lists.path(), &CHECK);
    let numbers = "prompts: 7 answered, 0 not answered, 0 not known; 1 test is a program, of which nothing is known";
    assert_eq!((outcome.code, outcome.stdout), (0, format!("{numbers}\n`main`: no problems\n")));
}

#[test]
fn what_cannot_be_used_is_said() {
    let lists = station("{ A: 3 }");
    let broken = run(lists.path(), &CHECK);
    assert_eq!(broken.code, 3);
    assert!(
        broken.stderr.contains("answers.json5:1:") && broken.stderr.contains("expected an object"),
        "{}",
        broken.stderr
    );
    let missing = run(lists.path(), &["check", "main.test_list.json", "--tests", "tests", "--headless", "nowhere"]);
    assert_eq!(missing.code, 2, "{}", missing.stderr);
    let lists = station("{}");
    let unknown = run(lists.path(), &["check", "main.test_list.json", "--headless", "answers.json5"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("the directory of tests is not known"), "{}", unknown.stderr);
    std::fs::write(lists.path().join("tests/bench.py"), "x = = 1\n").expect("written");
    let found = diagnostics(&run(lists.path(), &[&CHECK[..], &["--format", "json"]].concat()));
    let unread = found.iter().find(|finding| finding["labels"][0]["file"] == "tests/bench.py").expect("a finding");
    assert!(
        unread["message"]
            .as_str()
            .is_some_and(|text| text.starts_with("what `SMT.Identify`, `Again` asks is not known")),
        "{unread}"
    );
}

//! The Python SDK with the real runtime: what a test reports and asks.

use std::process::Command;

use serde_json::{Value, json};
use tlc_plan::plan::{Isolation, Node};
use tlc_plan::{Data, Template};

use crate::line::{Line, list, python};

fn declares(mut node: Node, limits: &str) -> Node {
    if let Some(test) = &mut node.test {
        test.measurements = Template::Data(serde_json::from_str::<Data>(limits).expect("limits")).into();
    }
    node
}

fn case(line: &Line, name: &str, body: &str) {
    let body = body.trim().replace('\n', "\n        ");
    line.write(
        &format!("tests/{name}.py"),
        &format!(
            "import math, os, threading\nimport tlc\n\nclass T(tlc.TestCase):\n    def runTest(self):\n        {body}\n"
        ),
    );
}

fn end(line: &Line, path: &str) -> (String, String) {
    let attempt = line.attempt(path);
    let text = |name: &str| attempt[name].as_str().unwrap_or_default().to_owned();
    (text("outcome"), text("message"))
}

fn passed() -> (String, String) {
    ("passed".into(), String::new())
}

#[test]
fn everything_that_a_test_can_say_is_understood() {
    let line = Line::new();
    line.write(
        "answers.json5",
        r#"{"*": {serial: "HRN-000042", b: 2, ok: true, t: "text", n: 3.5, s: "y", r: 1, m: ["a", "c"], c: [], i: true, l: true,
            h: true, note: true, steps: true, count: true}}"#,
    );
    case(
        &line,
        "reports",
        r#"
assert self.measure("rail", 3.31, unit="V", min=3.2, max=3.4)
assert tlc.measure("text", "boot 2.4", matches="boot [0-9.]+", wait=True).outcome == "passed"
assert self.measure("declared", 5).limits == {"min": 4, "max": 6}
assert tlc.measure("yes", True, equals=True).outcome == "passed"
assert tlc.measure("free", math.nan).outcome == "unset"
assert tlc.measure("big", 10**30, min=10**29).outcome == "passed"
assert tlc.measure("outside", 9, min=1, max=5, comparison="LTGT", label={"en-US": "Out"}, group="g", wait=True)
tlc.measure_series("sweep", tlc.Axis("f", [1, 2], unit="MHz"), tlc.Axis("loss", [-1.5, -2.5], unit="dB"), max=0, wait=True)
assert tlc.attach("notes.txt", "second try").size == 10
assert tlc.attach("raw.bin", b"\x00\x01" * 400000).size == 800000
with open("scope.png", "w") as file: file.write("picture")
assert tlc.attach("scope.png", path="scope.png", move=True, description="scope").size == 7
assert not os.path.exists("scope.png")
try: tlc.attach("gone", path="/nowhere/at/all")
except tlc.AttachmentRefused as error: print(error)
else: self.fail("it is not there")
with tlc.part("red LED"): pass
tlc.result("green LED", True, "bright", 0.5)
tlc.log("a line", "warning"); tlc.heading({"en-US": "Now"}); tlc.progress(0.5, "half", 3); tlc.note("pins", "warning", key="pins")
assert tlc.identify("HRN-000042", part_number="HRN-1", info={"sw": "2.4"}, sub_units=[{"serial_number": "R-7"}], batch="7") == [0]
assert tlc.identify("HRN-000042") == [] and tlc.context.unit == "HRN-000042"
try: tlc.identify("other")
except tlc.AlreadySet: pass
else: self.fail("it was set twice")
assert tlc.secret("mes", "none") == "none"
try: tlc.secret("mes")
except tlc.NoSecret: pass
else: self.fail("there is none")
assert (tlc.context.path, tlc.context.attempt, tlc.context.slot) == ("Reports", 1, 0)
"#,
    );
    case(
        &line,
        "data",
        r#"
tlc.run_data["a"] = {"x": [1, None]}
assert tlc.run_data["a"] == {"x": [1, None]} and "a" in tlc.run_data and "b" not in tlc.run_data
assert tlc.run_data.get("b", 7) == 7 and tlc.run_data.pop("a") and list(tlc.run_data) == []
assert tlc.cache.increment("n") == 1 and tlc.cache.increment("n", 2) == 3 and dict(tlc.cache) == {"n": 3}
tlc.device["component.camera"] = True
tlc.device.update({"component": {"led": 2}})
assert tlc.device["component"] == {"camera": True, "led": 2} and tlc.device.names("component") == ["camera", "led"]
del tlc.device["component.camera"]
assert tlc.device.as_dict() == {"component": {"led": 2}}
tlc.shelf["a.b"] = 1
try: tlc.device["nothing"]
except KeyError as error: assert "nothing" in str(error), error
else: self.fail("there is none")
def add():
    for _ in range(50): tlc.cache.increment("threads")
threads = [threading.Thread(target=add) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert tlc.cache["threads"] == 200
"#,
    );
    case(
        &line,
        "asks",
        r#"
assert tlc.ask_scan({"en-US": "Scan"}, pattern="HRN-[0-9]{6}", prompt="serial", timeout=5) == "HRN-000042"
assert tlc.ask_buttons("Which?", {1: "one", 2: {"en-US": "two"}}, prompt="b") == 2
assert tlc.ask_pass_fail("Good?", prompt="ok", title="t") is True
assert tlc.ask_text("Text?", prompt="t", size=9, initial="x") == "text"
assert tlc.ask_number("Number?", min=1, max=4, unit="V", prompt="n") == 3.5
assert tlc.ask_choice("One?", ["x", "y"], prompt="s") == "y"
assert tlc.ask_choice("One?", [("eins", 1), tlc.Choice("zwei", 2)], radios=True, prompt="r") == 1
assert tlc.ask_choices("Some?", ["a", "b", "c"], prompt="m", min_choices=1) == ["a", "c"]
assert tlc.ask_choices("Some?", ["a"], prompt="c", checkboxes=True) == []
with open("p.png", "wb") as file: file.write(b"\x89PNG")
tlc.show_image("Look", "p.png", prompt="i")
tlc.show_link("Read", "https://example.com", "the page", prompt="l")
tlc.show_html("Look", "<b>x</b>", prompt="h")
tlc.show_note("Read", prompt="note")
tlc.show_steps("Do", ["one", ("two", "more"), tlc.Step("three", image=b"\x89PNG")], prompt="steps")
tlc.countdown("Wait", 30, prompt="count")
"#,
    );
    let plan = list(vec![
        declares(python("Reports", "reports", "{}"), r#"{"declared": {"min": 4, "max": 6}}"#),
        python("Data", "data", "{}"),
        python("Asks", "asks", "{}"),
    ]);
    let answers = line.path("answers.json5");
    let ran = line.run(&plan, &["--answers", answers.to_str().expect("a path")]);
    for path in ["Reports", "Data", "Asks"] {
        assert_eq!(end(&line, path), passed(), "{path}: {}\n{}", ran.stdout, line.attempt(path)["traceback"]);
    }
    let reports = line.attempt("Reports");
    let names = |items: &Value| -> Vec<String> {
        let items = items.as_array().expect("items");
        items.iter().map(|item| item["name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(
        names(&reports["measurements"]),
        ["rail", "text", "declared", "yes", "free", "big", "outside", "sweep"],
        "{reports}"
    );
    assert_eq!(names(&reports["attachments"]), ["notes.txt", "raw.bin", "scope.png"]);
    assert_eq!(names(&reports["results"]), ["red LED", "green LED"]);
    assert_eq!(reports["unit"], json!(""), "{reports}");
    assert_eq!(line.attempt("Data")["unit"], json!("HRN-000042"));
}

#[test]
fn the_sdk_passes_its_own_tests() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/python");
    let ran = Command::new("python3").args(["-m", "unittest", "-q"]).current_dir(directory).output();
    match ran {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => eprintln!("the_sdk_passes_its_own_tests: SKIPPED, there is no `python3`: {error}"),
    }
}

#[test]
fn a_test_fails_as_it_says_or_as_the_runtime_judges() {
    let line = Line::new();
    case(&line, "code", "self.fail('dark', error_code='E7')");
    case(&line, "limits", "assert not self.measure('rail', 3.5, unit='V', max=3.4)");
    case(&line, "part", "with tlc.part('blue', go_on=True): self.fail('dark')\nprint('went on')");
    case(&line, "nobody", "tlc.ask_pass_fail('Good?', prompt='ok')");
    case(&line, "unit", "self.measure('volts', 1, unit='mV')");
    case(&line, "value", "self.measure('volts', object())");
    let mut shared = python("Shared", "limits", "{}");
    if let Some(test) = &mut shared.test {
        test.isolation = Isolation::Shared;
    }
    let plan = list(vec![
        python("Code", "code", "{}"),
        python("Limits", "limits", "{}"),
        shared,
        python("Part", "part", "{}"),
        python("Nobody", "nobody", "{}"),
        declares(python("Unit", "unit", "{}"), r#"{"volts": {"unit": "V"}}"#),
        python("Value", "value", "{}"),
    ]);
    line.run(&plan, &[]).ended_with(1);
    assert_eq!(end(&line, "Code"), ("failed".into(), "dark".into()));
    assert_eq!(line.attempt("Code")["error_code"], "E7", "{}", line.attempt("Code"));
    for path in ["Limits", "Shared"] {
        let (outcome, message) = end(&line, path);
        assert!(outcome == "failed" && message.contains("rail: 3.5 V"), "{path}: {message}");
    }
    assert_eq!(end(&line, "Part"), ("failed".into(), "blue: dark".into()));
    let (outcome, message) = end(&line, "Nobody");
    assert!(outcome == "error" && message.starts_with("NoAnswer: "), "{message}");
    let (outcome, message) = end(&line, "Unit");
    assert!(outcome == "error" && message.contains("the list says `V`"), "{message}");
    let (outcome, message) = end(&line, "Value");
    assert!(outcome == "error" && message.starts_with("TypeError: a value is made of"), "{message}");
}

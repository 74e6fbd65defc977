//! What tests report and ask over the protocol, by real processes, and what of it is on record.

use std::fs;

use serde_json::{Value, json};
use tlc_plan::Template;
use tlc_plan::plan::Node;

use crate::line::{Line, list, shell};

/// A script that reads `start` and then sends these messages; to each with an id it waits for the answer, which goes to a file.
pub fn talk(id: &str, messages: &[Value]) -> Node {
    let mut script =
        String::from("read -r start <&$TLC_PROTOCOL_READ_FD; printf '%s\\n' \"$start\" > \"$LINE/start\"\n");
    for message in messages {
        let mut message = message.clone();
        message["jsonrpc"] = "2.0".into();
        let text = message.to_string();
        assert!(!text.contains('\''), "it stands between quotes");
        script += &format!("printf '%s\\n' '{text}' >&$TLC_PROTOCOL_WRITE_FD\n");
        if message.get("id").is_some() {
            script +=
                &format!("read -r answer <&$TLC_PROTOCOL_READ_FD; printf '%s\\n' \"$answer\" >> \"$LINE/{id}\"\n");
        }
    }
    shell(id, &script)
}

/// A request.
pub fn request(method: &str, params: impl Into<Value>) -> Value {
    json!({"id": method, "method": method, "params": params.into()})
}

/// A message without an id.
pub fn notice(method: &str, params: impl Into<Value>) -> Value {
    json!({"method": method, "params": params.into()})
}

/// What a script of [`talk`] was answered.
pub fn answers(line: &Line, id: &str) -> Vec<Value> {
    line.read(id).lines().map(|line| serde_json::from_str(line).expect("an answer")).collect()
}

/// The results in the answers, and the codes of the errors.
pub fn results(line: &Line, id: &str) -> Vec<Value> {
    let of = |answer: Value| match answer.get("result") {
        Some(result) => result.clone(),
        None => answer["error"]["code"].clone(),
    };
    answers(line, id).into_iter().map(of).collect()
}

fn declares(mut node: Node, limits: &str) -> Node {
    if let Some(test) = &mut node.test {
        test.measurements = Template::Data(serde_json::from_str(limits).expect("limits")).into();
    }
    node
}

/// The outcome and the message of a test.
pub fn end(line: &Line, path: &str) -> (String, String) {
    let attempt = line.attempt(path);
    let text = |name: &str| attempt[name].as_str().unwrap_or_default().to_owned();
    (text("outcome"), text("message"))
}

fn names(items: &Value) -> Vec<&str> {
    items.as_array().into_iter().flatten().filter_map(|item| item["name"].as_str()).collect()
}

#[test]
fn a_test_is_told_who_it_is() {
    let line = Line::new();
    let mut node = declares(talk("T", &[]), r#"{"rail": {"unit": "V", "min": 3.2}}"#);
    if let Some(test) = &mut node.test {
        test.timeout_secs = Some(30.0);
    }
    let settings = line.settings("{ station: 'smt-03' }");
    let more = ["--unit", "U7", "--operator", "Ada", "--phase", "EVT", "--station", &settings];
    line.run(&list(vec![node]), &more).ended_with(1);
    let start: Value = serde_json::from_str(&line.read("start")).expect("JSON");
    let params = &start["params"];
    assert_eq!((&start["id"], &start["method"]), (&json!(1), &json!("start")));
    let expected = json!({"protocol": 1, "slot": 0, "unit": "U7", "attempt": 1, "list": "main", "path": "T", "phase": "EVT",
        "locale": "en-US", "station": "smt-03", "operator": "Ada", "args": {}, "measurements": {"rail": {"unit": "V", "min": 3.2}},
        "time_limit_secs": 30.0});
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(&params[name], value, "{name}");
    }
    assert_eq!(params["invocation"], line.attempt("T")["invocation"]);
}

#[test]
fn measurements_are_judged_recorded_and_answered() {
    let line = Line::new();
    let good = talk(
        "Good",
        &[
            request("measurement", json!({"name": "rail", "value": 3.31, "unit": "V", "min": 3.2, "max": 3.4})),
            request("measurement", json!({"name": "banner", "value": "boot 2.4", "matches": "boot [0-9.]+"})),
            request("measurement", json!({"name": "seen", "value": 7, "group": "g", "label": {"en-US": "Seen"}})),
            notice("measurement", json!({"name": "later", "value": true, "equals": true})),
        ],
    );
    let low = talk(
        "Low",
        &[notice("measurement", json!({"name": "rail_3v3", "value": 3.01, "unit": "V", "min": 3.2, "max": 3.4}))],
    );
    let series = json!({"name": "sweep", "max": -10, "series": [{"name": "f", "unit": "MHz", "values": [1, 2]},
        {"name": "loss", "unit": "dB", "values": [-12, {"nonfinite": "nan"}]}]});
    let sweep = talk("Sweep", &[request("measurement", series), request("finished", json!({"outcome": "passed"}))]);
    let own = talk(
        "Own",
        &[
            notice("measurement", json!({"name": "a", "value": 1, "min": 2})),
            notice("finished", json!({"outcome": "failed", "message": "the arm is stuck", "error_code": 17})),
        ],
    );
    let ran = line.run(&list(vec![good, low, sweep, own]), &[]).ended_with(1);
    assert_eq!(
        results(&line, "Good"),
        [json!({"outcome": "passed"}), json!({"outcome": "passed"}), json!({"outcome": "unset"})]
    );
    assert_eq!(end(&line, "Good"), ("passed".into(), String::new()));
    assert_eq!(end(&line, "Low"), ("failed".into(), "rail_3v3: 3.01 V, expected 3.2 V to 3.4 V".into()));
    assert_eq!(end(&line, "Sweep"), ("failed".into(), "sweep: loss nan dB at f 2 MHz, expected -10 dB or less".into()));
    assert_eq!(results(&line, "Sweep")[0], json!({"outcome": "failed"}));
    assert_eq!(end(&line, "Own"), ("failed".into(), "the arm is stuck".into()));
    assert_eq!(line.attempt("Own")["error_code"], "17");
    let measurements = line.attempt("Good")["measurements"].clone();
    assert_eq!(names(&measurements), ["rail", "banner", "seen", "later"]);
    let rail = &measurements[0];
    assert_eq!((&rail["value"], &rail["unit"], &rail["outcome"]), (&json!(3.31), &json!("V"), &json!("passed")));
    assert_eq!((&rail["limits"], &rail["position"]), (&json!({"min": 3.2, "max": 3.4}), &json!(0)));
    assert_eq!((&measurements[2]["label"], &measurements[2]["group"]), (&json!("Seen"), &json!("g")));
    assert_eq!(line.attempt("Sweep")["measurements"][0]["series"][1]["values"], json!([-12, {"nonfinite": "nan"}]));
    assert!(
        ran.stdout.contains("failed   Low") && ran.stdout.contains("rail_3v3: 3.01 V, expected 3.2 V to 3.4 V"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("the arm is stuck\n         a: 1, expected 2 or more\n"), "{}", ran.stdout);
}

#[test]
fn declared_limits_hold_and_missing_measurements_fail() {
    let line = Line::new();
    let limits = r#"{"rail": {"unit": "V", "min": 3.2, "max": 3.4}, "load": {"max": 5}}"#;
    let rail = |value: f64| notice("measurement", json!({"name": "rail", "value": value, "max": 99}));
    let load = notice("measurement", json!({"name": "load", "value": 4}));
    let plan = list(vec![
        declares(talk("Good", &[rail(3.3), load.clone()]), limits),
        declares(talk("High", &[rail(3.5), load.clone()]), limits),
        declares(talk("Missing", &[rail(3.3), notice("finished", json!({"outcome": "passed"}))]), limits),
        declares(
            talk("Unit", &[request("measurement", json!({"name": "rail", "value": 3300, "unit": "mV"})), load]),
            limits,
        ),
        declares(talk("Broken", &[]), r#"{"rail": {"min": "x"}}"#),
    ]);
    line.run(&plan, &[]).ended_with(1);
    assert_eq!(end(&line, "Good").0, "passed");
    assert_eq!(end(&line, "High"), ("failed".into(), "rail: 3.5 V, expected 3.2 V to 3.4 V".into()));
    assert_eq!(end(&line, "Missing"), ("failed".into(), "the declared measurement `load` was not reported".into()));
    let (outcome, message) = end(&line, "Unit");
    assert!(outcome == "error" && message.contains("`unit` of `rail`: found `mV`"), "{message}");
    assert_eq!(results(&line, "Unit"), [json!(-32602)]);
    assert_eq!(
        end(&line, "Broken"),
        ("error".into(), "unable to resolve measurements: `rail`: `min` is \"x\", expected a number".into())
    );
}

#[test]
fn parts_attachments_and_notes_stay_with_the_attempt() {
    let line = Line::new();
    line.write("tests/scope.png", "picture");
    line.write("tests/moved.log", "moved away");
    let plan = list(vec![
        talk(
            "Parts",
            &[
                notice("result", json!({"name": "red LED", "outcome": "passed", "duration_secs": 0.4})),
                notice("result", json!({"name": "blue LED", "outcome": "failed", "message": "dark"})),
                notice("result", json!({"name": "green LED", "outcome": "skipped"})),
            ],
        ),
        talk(
            "Files",
            &[
                request("attachment", json!({"name": "scope.png", "path": line.path("tests/scope.png")})),
                request("attachment", json!({"name": "moved.log", "path": line.path("tests/moved.log"), "move": true})),
                notice("attachment", json!({"name": "again.bin", "base64": "cGljdHVyZQ==", "description": "the same"})),
                request("attachment", json!({"name": "gone", "path": "/nowhere/at/all"})),
                request("attachment", json!({"name": "device", "path": "/dev/zero"})),
                request("attachment", json!({"name": "environment", "path": "/proc/self/environ"})),
                notice("attachment", json!({"name": "silent", "path": "/nowhere/at/all"})),
                notice("note", json!({"text": "first", "key": "k"})),
                notice("note", json!({"level": "critical", "text": {"de-DE": "zweitens"}, "key": "k"})),
            ],
        ),
    ]);
    line.run(&plan, &[]).ended_with(1);
    assert_eq!(end(&line, "Parts"), ("failed".into(), "blue LED: dark".into()));
    let parts = line.attempt("Parts")["results"].clone();
    assert_eq!(names(&parts), ["red LED", "blue LED", "green LED"]);
    assert_eq!((&parts[0]["duration_secs"], &parts[1]["outcome"]), (&json!(0.4), &json!("failed")));
    let files = line.attempt("Files");
    assert_eq!(end(&line, "Files").0, "passed");
    let attachments = &files["attachments"];
    assert_eq!(names(attachments), ["scope.png", "moved.log", "again.bin"]);
    assert_eq!(attachments[0]["media_type"], "image/png");
    assert_eq!(attachments[0]["sha256"], attachments[2]["sha256"]);
    assert!(!line.path("tests/moved.log").exists() && line.path("tests/scope.png").exists());
    let sha256 = attachments[0]["sha256"].as_str().expect("a hash");
    assert_eq!(
        results(&line, "Files"),
        [
            json!({"sha256": sha256, "size": 7}),
            json!({"sha256": attachments[1]["sha256"], "size": 10}),
            json!(-32007),
            json!(-32007),
            json!(-32007),
        ]
    );
    let content = line.path("station.sqlite.files/attachments").join(&sha256[..2]).join(sha256);
    assert_eq!(fs::read_to_string(content).expect("the content"), "picture");
    let notes = files["notes"].as_array().expect("notes");
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0]["text"].as_str().expect("a text").starts_with("`silent` cannot be attached: unable to read"));
    assert_eq!((&notes[1]["text"], &notes[1]["level"]), (&json!("zweitens"), &json!("critical")));
}

#[test]
fn a_file_of_the_tests_own_directory_is_attached_before_that_goes() {
    let line = Line::new();
    let script = "echo picture > own.txt; \
                  echo '{\"jsonrpc\":\"2.0\",\"method\":\"attachment\",\"params\":{\"name\":\"own.txt\",\"path\":\"own.txt\"}}' >&$TLC_PROTOCOL_WRITE_FD";
    line.run(&list(vec![shell("Own", script)]), &[]).ended_with(0);
    let attachment = line.attempt("Own")["attachments"][0].clone();
    assert_eq!((&attachment["size"], &attachment["media_type"]), (&json!(8), &json!("text/plain")));
}

#[test]
fn a_line_of_the_log_stands_between_those_of_the_output() {
    let line = Line::new();
    let node = shell(
        "Log",
        "echo one; sleep 0.2; echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"log\",\"params\":{\"level\":\"warning\",\"text\":\"two\"}}' >&$TLC_PROTOCOL_WRITE_FD; \
         read -r start <&$TLC_PROTOCOL_READ_FD; read -r answer <&$TLC_PROTOCOL_READ_FD; echo three",
    );
    line.run(&list(vec![node]), &[]).ended_with(0);
    let log = fs::read_to_string(line.attempt("Log")["log"].as_str().expect("a log")).expect("the log");
    let words: Vec<_> = log.lines().filter_map(|line| line.split_once(' ')).map(|(_, text)| text).collect();
    assert_eq!(words, ["one", "warning: two", "three"]);
}

#[test]
fn what_does_not_fit_fails_the_test_with_its_field() {
    let line = Line::new();
    let wrong = [
        ("measurement", json!({"name": "a", "value": 1, "min": "x"}), "`min`"),
        ("attachment", json!({"name": "a/b", "text": ""}), "`name`"),
        ("result", json!({"name": "a", "outcome": "great"}), "`outcome`"),
        ("log", json!({"text": 1}), "`text`"),
        ("heading", json!({"text": {}}), "`text`"),
        ("progress", json!({"fraction": 2}), "`fraction`"),
        ("note", json!({"text": "a", "level": "bad"}), "`level`"),
        ("prompt", json!({"kind": "dance", "text": "a"}), "`kind`"),
        ("dismiss", json!({}), "`prompt`"),
        ("identity", json!({"dut": {"serial_number": ""}}), "`dut.serial_number`"),
        ("data.get", json!({"space": "moon", "key": "a"}), "`space`"),
        ("data.set", json!({"space": "device", "key": "a..b", "value": 1}), "`key`"),
        ("data.update", json!({"space": "run", "value": 1}), "`value`"),
        ("data.delete", json!({"space": "run"}), "`key`"),
        ("data.keys", json!({"space": "run", "key": 1}), "`key`"),
        ("data.increment", json!({"space": "run", "key": "a", "by": "x"}), "`by`"),
        ("secret", json!({}), "`name`"),
    ];
    let passed = notice("finished", json!({"outcome": "passed"}));
    let mut nodes = Vec::new();
    for (number, (method, params, _)) in wrong.iter().enumerate() {
        nodes.push(talk(&format!("Asked{number}"), &[request(method, params.clone()), passed.clone()]));
        nodes.push(talk(&format!("Said{number}"), &[notice(method, params.clone()), passed.clone()]));
    }
    nodes.push(talk("NoId", &[notice("data.get", json!({"space": "run", "key": "a"})), passed.clone()]));
    nodes.push(talk("Finished", &[notice("finished", json!({"outcome": "fine"}))]));
    nodes.push(talk("Id", &[json!({"id": [1], "method": "log", "params": {"text": "a"}})]));
    line.run(&list(nodes), &[]).ended_with(1);
    let last = line.results(&["last"]);
    let seen = |path: &str| {
        let attempts = last["attempts"].as_array().expect("attempts");
        let attempt = attempts.iter().find(|attempt| attempt["path"] == path).expect("an attempt").clone();
        (
            attempt["outcome"].as_str().unwrap_or_default().to_owned(),
            attempt["message"].as_str().unwrap_or_default().to_owned(),
        )
    };
    for (number, (method, _, field)) in wrong.iter().enumerate() {
        for kind in ["Asked", "Said"] {
            let (outcome, message) = seen(&format!("{kind}{number}"));
            assert!(
                outcome == "error" && message.contains(field) && message.contains(method),
                "{kind} {method}: {message}"
            );
        }
        let answer = &answers(&line, &format!("Asked{number}"))[0];
        assert_eq!(answer["error"]["code"], -32602, "{method}");
        assert!(answer["error"]["message"].as_str().expect("a text").contains(field), "{answer}");
    }
    assert!(seen("NoId").1.contains("without an `id`"), "{}", seen("NoId").1);
    assert!(seen("Finished").0 == "error" && seen("Finished").1.contains("`outcome`"));
    assert!(seen("Id").0 == "error" && seen("Id").1.contains("`id`"), "{}", seen("Id").1);
}

#[test]
fn an_attempt_that_asks_nothing_costs_two_transactions() {
    let line = Line::new();
    let report = notice("measurement", json!({"name": "a", "value": 1}));
    let plan = list(vec![talk("A", &vec![report; 50])]);
    // Without a store a run has one transaction to begin, one with its first start, and one with its last end.
    let mut reached = 0;
    for number in 1..10 {
        let fresh = Line::new();
        let ran = fresh.command(&plan, &[]).env("TLC_CRASH", format!("before:{number}")).output().expect("tlc-station");
        reached = if ran.status.code().is_none() { number } else { reached };
    }
    assert_eq!(reached, 3);
    line.run(&plan, &[]).ended_with(0);
    assert_eq!(line.attempt("A")["measurements"].as_array().expect("measurements").len(), 50);
}

#[test]
fn a_flood_ends_the_attempt_and_a_worker_that_reads_nothing_stops_itself() {
    let line = Line::new();
    let message = r#"{"jsonrpc":"2.0","method":"measurement","params":{"name":"a","value":1}}"#;
    let flood = shell("Flood", &format!("yes '{message}' | head -n 10001 >&$TLC_PROTOCOL_WRITE_FD; sleep 100"));
    let enough = shell("Enough", &format!("yes '{message}' | head -n 10000 >&$TLC_PROTOCOL_WRITE_FD"));
    let large = r#"{"jsonrpc":"2.0","method":"note","params":{"text":"TEXT"}}"#;
    let bytes = format!(
        "text=$(head -c 1000000 /dev/zero | tr '\\0' 'x'); n=0; while [ $n -lt 18 ]; do echo '{}' >&$TLC_PROTOCOL_WRITE_FD; n=$((n+1)); done; sleep 100",
        large.replace("TEXT", "'\"$text\"'")
    );
    let asks = r#"{"jsonrpc":"2.0","id":1,"method":"data.keys","params":{"space":"run"}}"#;
    let deaf = crate::line::within(3.0, shell("Deaf", &format!("yes '{asks}' >&$TLC_PROTOCOL_WRITE_FD")));
    let plan = list(vec![flood, enough, shell("Bytes", &bytes), deaf, shell("After", "true")]);
    line.run(&plan, &[]).ended_with(1);
    assert_eq!(
        end(&line, "Flood"),
        ("error".into(), "reported more than 10000 measurements, parts, attachments, notes and prompts".into())
    );
    assert_eq!(line.attempt("Flood")["measurements"].as_array().expect("measurements").len(), 10_000);
    assert_eq!(end(&line, "Enough").0, "passed");
    assert!(end(&line, "Bytes").1.contains("more than 16777216 bytes"), "{}", end(&line, "Bytes").1);
    assert_eq!(end(&line, "Deaf").0, "timeout");
    assert_eq!(end(&line, "After").0, "passed");
}

#[test]
fn results_list_what_tests_reported() {
    let line = Line::new();
    let messages = [
        notice("measurement", json!({"name": "rail", "value": 3.31, "unit": "V", "min": 3.2, "max": 3.4})),
        notice("result", json!({"name": "red LED", "outcome": "passed"})),
        notice("attachment", json!({"name": "notes.txt", "text": "second try"})),
        notice("note", json!({"text": "pins", "level": "warning"})),
        notice("identity", json!({"dut": {"serial_number": "HRN-1"}})),
    ];
    line.run(&list(vec![talk("T", &messages)]), &[]).ended_with(0);
    let shown = crate::line::text_of(&line.path(""), &["results", "last"]);
    for expected in [
        "      passed     rail = 3.31 V, expected 3.2 V to 3.4 V\n",
        "      passed     red LED\n",
        "      file       notes.txt (text/plain, 10 bytes)\n",
        "      note       warning: pins\n",
        "\nIdentity\n  dut: serial_number HRN-1\n",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let content = line.attempt("T")["attachments"][0]["content"].as_str().expect("a path").to_owned();
    assert!(shown.contains(&content) && fs::read_to_string(content).expect("the content") == "second try");
    let whole = crate::line::text_of(&line.path(""), &["store", "check"]);
    assert!(whole.contains("is whole") && whole.contains("1 attachments"), "{whole}");
}

#[test]
fn prompts_and_attachments_have_their_bounds() {
    let line = Line::new();
    let prompt = |number: usize| {
        let params = json!({"prompt": format!("p{number}"), "kind": "countdown", "text": "Wait", "seconds": 100});
        json!({"jsonrpc": "2.0", "id": number, "method": "prompt", "params": params}).to_string()
    };
    let mut prompts = String::new();
    for number in 1..=17 {
        prompts += &format!("echo '{}' >&$TLC_PROTOCOL_WRITE_FD\n", prompt(number));
    }
    let many = shell(
        "Many",
        &format!("{prompts}read -r start <&$TLC_PROTOCOL_READ_FD; read -r answer <&$TLC_PROTOCOL_READ_FD"),
    );
    let large = talk(
        "Large",
        &[
            request("attachment", json!({"name": "fits", "text": "1234"})),
            request("attachment", json!({"name": "large", "text": "12345"})),
        ],
    );
    let settings = line.settings("{ limits: { attachment_bytes: 4 } }");
    line.run(&list(vec![many, large]), &["--station", &settings]).ended_with(1);
    assert_eq!(end(&line, "Many"), ("error".into(), "sent a `prompt` while 16 are open".into()));
    assert_eq!(line.attempt("Many")["prompts"].as_array().expect("prompts").len(), 16);
    assert_eq!(results(&line, "Large")[1], json!(-32007));
    let message = answers(&line, "Large")[1]["error"]["message"].as_str().expect("a text").to_owned();
    assert!(message.contains("larger than 4 bytes"), "{message}");
    assert_eq!(end(&line, "Large").0, "passed");
}

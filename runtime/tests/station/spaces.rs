//! What outlives a test: data, identity, secrets and prompts, by real processes.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::line::{Line, Ran, eventually, list, shell};
use crate::reports::{answers, end, notice, request, results, talk};

#[test]
fn data_outlives_a_test_and_a_run() {
    let line = Line::new();
    let plan = list(vec![
        talk(
            "Write",
            &[
                request("data.set", json!({"space": "run", "key": "a", "value": {"n": 1}})),
                request("data.increment", json!({"space": "cache", "key": "boards"})),
                notice(
                    "data.update",
                    json!({"space": "device", "value": {"component": {"has_lte": true}, "factory.x": "y"}}),
                ),
                request("data.set", json!({"space": "shelf", "key": "line.speed", "value": 3})),
                request("data.get", json!({"space": "device", "key": "component"})),
            ],
        ),
        talk(
            "Read",
            &[
                request("data.get", json!({"space": "run", "key": "a"})),
                request("data.get", json!({"space": "shelf", "key": "device.factory.x"})),
                request("data.keys", json!({"space": "shelf"})),
                request("data.delete", json!({"space": "run", "key": "a"})),
                request("data.delete", json!({"space": "run", "key": "a"})),
                request("data.get", json!({"space": "run", "key": "a"})),
                notice("data.delete", json!({"space": "cache", "key": "none"})),
            ],
        ),
    ]);
    line.run(&plan, &[]).ended_with(0);
    assert_eq!(
        results(&line, "Write"),
        [json!({}), json!({"value": 1}), json!({}), json!({"value": {"has_lte": true}})]
    );
    assert_eq!(
        results(&line, "Read"),
        [
            json!({"value": {"n": 1}}),
            json!({"value": "y"}),
            json!({"keys": ["device", "line"]}),
            json!({}),
            json!(-32004),
            json!(-32004),
        ]
    );
    assert_eq!(line.attempt("Read")["notes"][0]["text"], "there is no `none` in `cache`");
    let again = list(vec![talk(
        "Again",
        &[
            request("data.keys", json!({"space": "run"})),
            request("data.increment", json!({"space": "cache", "key": "boards", "by": 10})),
            request("data.get", json!({"space": "device", "key": "component.has_lte"})),
            request("data.get", json!({"space": "shelf", "key": "line"})),
        ],
    )]);
    line.run(&again, &[]).ended_with(0);
    let kept = [json!({"keys": []}), json!({"value": 11}), json!({"value": true}), json!({"value": {"speed": 3}})];
    assert_eq!(results(&line, "Again"), kept);
}

#[test]
fn a_condition_sees_what_a_test_has_set() {
    let line = Line::new();
    let mut plan = list(vec![
        talk("Set", &[notice("data.set", json!({"space": "device", "key": "component.has_lte", "value": true}))]),
        crate::line::only_if(0, shell("Lte", "true")),
        crate::line::only_if(1, shell("Wifi", "true")),
    ]);
    crate::line::conditions(&mut plan, &["component.has_lte", "component.has_wifi"]);
    line.run(&plan, &[]).ended_with(0);
    let statuses: Vec<String> = line.statuses().into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, ["PASSED", "PASSED", "SKIPPED"]);
}

#[test]
fn an_identity_is_set_once_and_names_the_unit_from_then_on() {
    let line = Line::new();
    let dut = json!({"serial_number": "HRN-000123", "part_number": "HRN-1", "sub_units": [{"serial_number": "R-7"}]});
    let plan = list(vec![
        talk(
            "Scan",
            &[
                request("identity", json!({"dut": dut, "batch": "2026-47"})),
                request("identity", json!({"dut": {"serial_number": "HRN-9"}, "batch": "other"})),
                notice("identity", json!({"operator": "0815", "stand": {"info": {"a": 1}}})),
                notice("identity", json!({"batch": "another"})),
            ],
        ),
        talk("Next", &[]),
    ]);
    line.run(&plan, &[]).ended_with(0);
    assert_eq!(results(&line, "Scan"), [json!({"sub_units": [0]}), json!(-32006)]);
    let message = answers(&line, "Scan")[1]["error"]["message"].as_str().expect("a text").to_owned();
    assert!(message.contains("`dut.serial_number` is \"HRN-000123\" already"), "{message}");
    let run = line.results(&["last"])["run"].clone();
    assert_eq!((&run["unit"], &run["operator"]), (&json!("HRN-000123"), &json!("0815")));
    let expected = json!({"dut": {"serial_number": "HRN-000123", "part_number": "HRN-1", "sub_units": [{"serial_number": "R-7"}]},
        "batch": "2026-47", "stand": {"info": {"a": 1}}, "operator": "0815"});
    assert_eq!(run["identity"], expected);
    assert_eq!((&line.attempt("Scan")["unit"], &line.attempt("Next")["unit"]), (&json!(""), &json!("HRN-000123")));
    assert_eq!(line.attempt("Next")["operator"], "0815");
    let start: Value = serde_json::from_str(&line.read("start")).expect("JSON");
    assert_eq!((&start["params"]["unit"], &start["params"]["operator"]), (&json!("HRN-000123"), &json!("0815")));
    assert!(line.attempt("Scan")["notes"][0]["text"].as_str().expect("a note").contains("`batch`"));
}

#[test]
fn the_command_line_names_the_unit_too() {
    let line = Line::new();
    let plan = list(vec![talk(
        "T",
        &[
            request("identity", json!({"dut": {"serial_number": "U7"}})),
            request("identity", json!({"dut": {"serial_number": "U8"}})),
        ],
    )]);
    line.run(&plan, &["--unit", "U7"]).ended_with(0);
    assert_eq!(results(&line, "T"), [json!({}), json!(-32006)]);
}

#[test]
fn what_was_answered_survives_a_kill() {
    let line = Line::new();
    let plan = list(vec![
        shell(
            "Sets",
            "read -r start <&$TLC_PROTOCOL_READ_FD; \
             echo '{\"jsonrpc\":\"2.0\",\"method\":\"measurement\",\"params\":{\"name\":\"m\",\"value\":1}}' >&$TLC_PROTOCOL_WRITE_FD; \
             echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"data.set\",\"params\":{\"space\":\"cache\",\"key\":\"k\",\"value\":\"kept\"}}' >&$TLC_PROTOCOL_WRITE_FD; \
             read -r answer <&$TLC_PROTOCOL_READ_FD; echo \"$answer\" > \"$LINE/answered\"; sleep 100",
        ),
        talk("Reads", &[request("data.get", json!({"space": "cache", "key": "k"}))]),
    ]);
    let mut child = line.start(&plan, &[]);
    eventually("the answer", || line.read("answered").ends_with('\n'));
    child.kill().expect("killed");
    child.wait().expect("gone");
    line.run(&plan, &[]).ended_with(1);
    assert_eq!(results(&line, "Reads"), [json!({"value": "kept"})]);
    let last = line.results(&["last"]);
    let first = &last["attempts"][0];
    assert_eq!((&first["path"], &first["outcome"]), (&json!("Sets"), &json!("crashed")));
    assert_eq!(first["measurements"][0]["name"], "m", "what was reported before it is there, too");
}

/// All bytes below a directory.
fn bytes_below(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            found.extend(bytes_below(&entry));
        } else {
            found.push((entry.display().to_string(), fs::read(&entry).unwrap_or_default()));
        }
    }
    found
}

#[test]
fn a_secret_is_nowhere_on_record() {
    let line = Line::new();
    let store = line.path("store");
    fs::create_dir(&store).expect("a directory");
    let secret = "hunter2-\u{e4}-secret";
    line.write("token", &format!("{secret}\n"));
    let settings = line.settings(
        "{ secrets: { token: { file: 'token' }, said: { command: ['sh', '-c', 'echo said-secret'] }, env: { env: 'LINE_SECRET' },
           short: { env: 'LINE_SHORT' }, gone: { file: 'gone' } }, environment: { LOGS: '${log_dir}' },
           services: { spy: { command: ['sh', '-c', 'env; until [ -e \"$LINE/told\" ]; do sleep 0.01; done; cat \"$LINE/token\"; sleep 1000'] } } }",
    );
    // It says the secret in every way that there is.
    let leak = |name: &str| json!(format!("{name} SECRET."));
    let tell = [
        request(
            "measurement",
            json!({"name": leak("m"), "value": "SECRET", "equals": "x SECRET", "unit": "SECRET", "label": "SECRET"}),
        ),
        notice("result", json!({"name": "SECRET", "outcome": "failed", "message": "SECRET"})),
        notice("note", json!({"text": {"en-US": "SECRET"}, "key": "SECRET"})),
        notice("log", json!({"text": "log SECRET"})),
        notice("heading", json!({"text": "SECRET"})),
        request("attachment", json!({"name": "SECRET", "text": "in SECRET it"})),
        notice("attachment", json!({"name": "b", "text": "in SECRET it"})),
        request("identity", json!({"batch": "SECRET", "dut": {"info": {"SECRET": "SECRET"}}})),
        request("data.set", json!({"space": "cache", "key": "SECRET", "value": {"SECRET": ["SECRET"]}})),
        request("data.set", json!({"space": "device", "key": "k", "value": "SECRET"})),
        request("data.set", json!({"space": "shelf", "key": "k", "value": "SECRET"})),
        request("data.set", json!({"space": "moon", "key": "SECRET", "value": 1})),
        request("prompt", json!({"prompt": "SECRET", "kind": "text", "text": "SECRET"})),
        notice(
            "finished",
            json!({"outcome": "failed", "message": "SECRET", "traceback": "SECRET", "error_code": "SECRET"}),
        ),
    ];
    let mut script = String::from(
        "import json, os, sys, time\nr = os.fdopen(int(os.environ['TLC_PROTOCOL_READ_FD'])); w = os.fdopen(int(os.environ['TLC_PROTOCOL_WRITE_FD']), 'w')\nr.readline()\n\
         def send(message):\n    w.write(json.dumps(dict(message, jsonrpc='2.0')) + '\\n'); w.flush()\n    return json.loads(r.readline()) if 'id' in message else None\n\
         def get(name):\n    return send({'id': name, 'method': 'secret', 'params': {'name': name}})\n\
         codes = [get(name).get('error', {}).get('code') for name in ('short', 'gone', 'none')]\n\
         open(os.environ['LINE'] + '/codes', 'w').write(json.dumps(codes))\n\
         others = [get(name)['result']['value'] for name in ('said', 'env', 'lager')]\n\
         open(os.environ['LINE'] + '/others', 'w').write(json.dumps(others))\n\
         secret = get('token')['result']['value']\n\
         open(os.environ['LINE'] + '/told', 'w').close()\n\
         print('out', secret); sys.stdout.flush()\n\
         for byte in (secret + chr(10)).encode():\n    os.write(2, bytes([byte])); time.sleep(0.002)\n\
         print(others[0], others[1], others[2]); sys.stdout.flush()\n",
    );
    for message in &tell {
        let text = serde_json::to_string(&message.to_string()).expect("JSON");
        script += &format!("send(json.loads(json.dumps(json.loads({text})).replace('SECRET', secret)))\n");
    }
    line.write("leak.py", &script);
    let plan = list(vec![
        crate::line::exec("Leak", &["python3", line.path("leak.py").to_str().expect("a path")]),
        shell(
            "Later",
            "echo later $(cat \"$LINE/token\"); env; while ! grep -q '•' \"$LOGS\"/service-spy.log; do sleep 0.01; done",
        ),
    ]);
    let mut command = line.command(&plan, &["--station", &settings]);
    command.env("LAGER_SECRET_lager", "lager-secret");
    command.env("LINE_SECRET", "env-secret").env("LINE_SHORT", "abc");
    // The last one counts.
    let position = command.get_args().position(|argument| argument == "--store").expect("a store") + 1;
    let mut arguments: Vec<_> = command.get_args().map(std::ffi::OsStr::to_owned).collect();
    arguments[position] = store.join("station.sqlite").into();
    let mut moved = std::process::Command::new(command.get_program());
    moved.args(arguments).envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = moved.stdin(Stdio::null()).output().expect("tlc-station");
    let ran = Ran::new(&output).ended_with(1);
    assert_eq!(line.read("codes"), "[-32005, -32005, -32005]", "{ran:?}");
    assert_eq!(line.read("others"), r#"["said-secret", "env-secret", "lager-secret"]"#);
    let last = crate::line::text_of(&store, &["results", "last", "--format", "json"]);
    let document: Value = serde_json::from_str(&last).expect("JSON");
    let leaked = document["attempts"][0].to_string();
    assert!(!leaked.contains("hunter2") && leaked.contains("••••"), "{leaked}");
    for secret in [secret, "said-secret", "env-secret", "lager-secret"] {
        let escaped = serde_json::to_string(secret).expect("JSON");
        for (file, bytes) in bytes_below(&store) {
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(secret) && !text.contains(escaped.trim_matches('"')), "{file}: {text}");
        }
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{ran:?}");
    }
    let log = fs::read_to_string(document["attempts"][0]["log"].as_str().expect("a log")).expect("the log");
    assert!(log.contains("out ••••") && log.contains("log ••••") && log.contains("•••• •••• ••••"), "{log}");
    let later = fs::read_to_string(document["attempts"][1]["log"].as_str().expect("a log")).expect("the log");
    assert!(later.contains("later ••••"), "{later}");
    let attachments = document["attempts"][0]["attachments"].as_array().expect("attachments");
    assert!(attachments.is_empty(), "{attachments:?}");
}

#[test]
fn prompts_are_answered_by_the_file_or_nobody() {
    let line = Line::new();
    line.write(
        "answers.json5",
        "{ Ask: { serial: 'HRN-000123', '2': { answers: [true, false] }, colours: ['b', 'a'], bad: 7, secret: 'hunter22' }, Wrong: { word: 'open sesame' }, '*': { any: 1 } }",
    );
    let choices = json!([{"label": "A", "value": "a"}, {"label": "B", "value": "b"}]);
    let node = talk(
        "Ask",
        &[
            request(
                "prompt",
                json!({"prompt": "serial", "kind": "scan", "text": {"en-US": "Scan"}, "pattern": "HRN-[0-9]{6}"}),
            ),
            request("prompt", json!({"kind": "pass_fail", "text": "Good?"})),
            request("prompt", json!({"prompt": "colours", "kind": "checkboxes", "text": "Which?", "choices": choices})),
            request("prompt", json!({"prompt": "any", "kind": "number", "text": "How many?", "min": 1})),
            request("prompt", json!({"prompt": "none", "kind": "note", "text": "Read this"})),
            request("prompt", json!({"prompt": "wait", "kind": "countdown", "text": "Wait", "seconds": 0.1})),
            request("prompt", json!({"prompt": "secret", "kind": "text", "text": "Password", "secret": true})),
            notice("log", json!({"text": "it was hunter22"})),
        ],
    );
    let bad = talk("Bad", &[request("prompt", json!({"prompt": "any", "kind": "note", "text": "Read this"}))]);
    let word = json!({"prompt": "word", "kind": "text", "text": "Password", "secret": true, "pattern": "[0-9]{8}"});
    let wrong = talk("Wrong", &[request("prompt", word)]);
    let file = line.path("answers.json5");
    let ran = line.run(&list(vec![node, bad, wrong]), &["--answers", file.to_str().expect("a path")]).ended_with(1);
    let by = |answer: Value| json!({"answer": answer, "by": "answers"});
    assert_eq!(
        results(&line, "Ask"),
        [
            by(json!("HRN-000123")),
            by(json!(true)),
            by(json!(["a", "b"])),
            by(json!(1)),
            json!(-32001),
            json!({"answer": true, "by": "time"}),
            by(json!("hunter22")),
        ]
    );
    assert_eq!(end(&line, "Ask").0, "passed", "{ran:?}");
    let (outcome, message) = end(&line, "Bad");
    assert!(outcome == "error" && message.contains("answers `any` with 1: expected `true`"), "{message}");
    let (outcome, message) = end(&line, "Wrong");
    assert!(outcome == "error" && message.contains("answers `word` with ••••: expected a text"), "{message}");
    let prompts = line.attempt("Ask")["prompts"].as_array().expect("prompts").clone();
    let states: Vec<_> = prompts.iter().map(|prompt| prompt["state"].as_str().expect("a state")).collect();
    assert_eq!(states, ["answered", "answered", "answered", "answered", "unanswerable", "answered", "answered"]);
    let first = &prompts[0];
    assert_eq!((&first["name"], &first["kind"], &first["text"]), (&json!("serial"), &json!("scan"), &json!("Scan")));
    assert_eq!((&first["answer"], &first["answered_by"]), (&json!("HRN-000123"), &json!("answers")));
    assert_eq!((&prompts[1]["name"], &prompts[6]["answer"]), (&json!("2"), &json!("••••")));
    let log = fs::read_to_string(line.attempt("Ask")["log"].as_str().expect("a log")).expect("the log");
    assert!(log.contains("it was ••••"), "{log}");
}

#[test]
fn the_station_names_a_file_of_answers_and_a_wrong_one_stops_the_run() {
    let line = Line::new();
    line.write("answers.json5", "{ '*': { '*': true } }");
    let settings = line.settings("{ answers: 'answers.json5' }");
    let settings = ["--station", settings.as_str()];
    let plan = list(vec![talk("Ask", &[request("prompt", json!({"kind": "note", "text": "Read"}))])]);
    line.run(&plan, &settings).ended_with(0);
    line.write("answers.json5", "{\n  A: [1] }");
    let ran = line.run(&plan, &settings).ended_with(3);
    assert!(ran.stderr.contains("answers.json5:2:") && ran.stderr.contains("`A`"), "{}", ran.stderr);
    let ran = line.run(&plan, &["--answers", "/nowhere/at/all"]).ended_with(2);
    assert!(ran.stderr.contains("/nowhere/at/all"), "{}", ran.stderr);
}

/// Runs a plan on a terminal of its own, and types a line when the screen shows what is waited for.
fn on_a_terminal(line: &Line, plan: &tlc_plan::Plan, typed: &[(&str, &str)]) -> Option<String> {
    let program = "import json, os, pty, sys, select, time\n\
        steps = json.loads(sys.argv[1]); pid, fd = pty.fork()\n\
        if pid == 0:\n    os.execvp(sys.argv[2], sys.argv[2:])\n\
        seen = ''; begun = time.time()\n\
        while time.time() - begun < 60:\n\
        \x20   if not select.select([fd], [], [], 0.05)[0]:\n        continue\n\
        \x20   try:\n        chunk = os.read(fd, 65536)\n    except OSError:\n        break\n\
        \x20   if not chunk:\n        break\n\
        \x20   seen += chunk.decode('utf-8', 'replace')\n\
        \x20   if steps and steps[0][0] in seen:\n        os.write(fd, steps[0][1].encode()); sys.stdout.write(seen); seen = ''; steps.pop(0)\n\
        sys.stdout.write(seen); sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n";
    let command = line.command(plan, &[]);
    let mut terminal = std::process::Command::new("python3");
    terminal.args(["-c", program, &serde_json::to_string(typed).expect("JSON")]).arg(command.get_program());
    terminal.args(command.get_args()).env("LINE", line.path("")).env("TERM", "xterm");
    let output = terminal.stdin(Stdio::null()).stderr(Stdio::piped()).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_person_at_the_terminal_answers_one_prompt_after_the_other() {
    let line = Line::new();
    let choices = json!([{"label": "red", "value": "r"}, {"label": "green", "value": "g"}]);
    let ask = talk(
        "Ask",
        &[
            request("prompt", json!({"prompt": "serial", "kind": "scan", "text": "Scan it", "pattern": "HRN-[0-9]+"})),
            request("prompt", json!({"prompt": "colour", "kind": "select", "text": "Colour?", "choices": choices})),
            request("prompt", json!({"prompt": "word", "kind": "text", "text": "Password?", "secret": true})),
            request("prompt", json!({"prompt": "late", "kind": "text", "text": "Too late", "timeout_secs": 0.3})),
            request("prompt", json!({"prompt": "then", "kind": "text", "text": "And then"})),
        ],
    );
    let typed = [
        ("Scan it", "nonsense\n"),
        ("matches", "HRN-1\n"),
        ("Colour?", "2\n"),
        ("a text", "hunter22\n"),
        ("Too late", "half of a li"),
        ("And then", "whole\n"),
    ];
    let Some(shown) = on_a_terminal(&line, &list(vec![ask]), &typed) else { return };
    let by = |answer: Value| json!({"answer": answer, "by": "terminal"});
    let expected = [by(json!("HRN-1")), by(json!("g")), by(json!("hunter22")), json!(-32002), by(json!("whole"))];
    assert_eq!(results(&line, "Ask"), expected, "{shown}");
    assert!(shown.contains("prompt   Ask: Scan it") && shown.contains(" 2  green"), "{shown}");
    assert!(!shown.contains("hunter22"), "{shown}");
    let states: Vec<_> = line.attempt("Ask")["prompts"]
        .as_array()
        .expect("prompts")
        .iter()
        .map(|prompt| prompt["state"].clone())
        .collect();
    assert_eq!(states, ["answered", "answered", "answered", "timeout", "answered"]);
}

#[test]
fn a_prompt_that_is_open_at_the_end_is_cancelled_and_a_dismissed_one_too() {
    let line = Line::new();
    let prompt = |name: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":"{name}","method":"prompt","params":{{"prompt":"{name}","kind":"countdown","text":"Wait","seconds":100}}}}"#
        )
    };
    let dismiss = r#"{"jsonrpc":"2.0","method":"dismiss","params":{"prompt":"one"}}"#;
    let script = format!(
        "read -r start <&$TLC_PROTOCOL_READ_FD; echo '{}' >&$TLC_PROTOCOL_WRITE_FD; echo '{}' >&$TLC_PROTOCOL_WRITE_FD; echo '{dismiss}' >&$TLC_PROTOCOL_WRITE_FD; read -r answer <&$TLC_PROTOCOL_READ_FD; printf '%s\\n' \"$answer\" > \"$LINE/Open\"",
        prompt("one"),
        prompt("two")
    );
    let twice = format!(
        "read -r start <&$TLC_PROTOCOL_READ_FD; echo '{0}' >&$TLC_PROTOCOL_WRITE_FD; echo '{0}' >&$TLC_PROTOCOL_WRITE_FD; read -r answer <&$TLC_PROTOCOL_READ_FD; sleep 0.2",
        prompt("same")
    );
    let begun = std::time::Instant::now();
    line.run(&list(vec![shell("Open", &script), shell("Twice", &twice)]), &[]).ended_with(1);
    assert!(begun.elapsed() < Duration::from_secs(30));
    assert_eq!(results(&line, "Open"), [json!(-32003)]);
    let prompts = line.attempt("Open")["prompts"].clone();
    assert_eq!((&prompts[0]["state"], &prompts[1]["state"]), (&json!("cancelled"), &json!("cancelled")));
    let (outcome, message) = end(&line, "Twice");
    assert!(outcome == "error" && message.contains("`same` is open already"), "{message}");
}

#[test]
fn a_parallel_group_loses_no_update() {
    let line = Line::new();
    let increments = vec![request("data.increment", json!({"space": "run", "key": "n"})); 20];
    let mut plan = list(vec![]);
    let root = plan.root();
    let group = crate::line::add(&mut plan, root, tlc_plan::plan::Node { parallel: true, ..crate::line::group("G") });
    for name in ["A", "B", "C"] {
        crate::line::add(&mut plan, group, talk(name, &increments));
    }
    crate::line::add(&mut plan, root, talk("Read", &[request("data.get", json!({"space": "run", "key": "n"}))]));
    line.run(&plan, &[]).ended_with(0);
    assert_eq!(results(&line, "Read"), [json!({"value": 60})]);
}

#[test]
fn a_test_that_says_nothing_more_still_gets_its_answers() {
    let line = Line::new();
    let ask = r#"{"jsonrpc":"2.0","id":1,"method":"prompt","params":{"kind":"countdown","text":"Wait","seconds":0.5}}"#;
    let script = format!(
        "read -r start <&$TLC_PROTOCOL_READ_FD; echo '{ask}' >&$TLC_PROTOCOL_WRITE_FD; eval \"exec $TLC_PROTOCOL_WRITE_FD>&-\"; \
         read -r answer <&$TLC_PROTOCOL_READ_FD; printf '%s\\n' \"$answer\" > \"$LINE/Silent\""
    );
    line.run(&list(vec![shell("Silent", &script)]), &[]).ended_with(0);
    assert_eq!(results(&line, "Silent"), [json!({"answer": true, "by": "time"})]);
}

#[test]
fn a_flood_of_changes_and_complaints_is_bounded() {
    let line = Line::new();
    let set = r#"{"jsonrpc":"2.0","method":"data.set","params":{"space":"run","key":"k","value":1}}"#;
    let delete = r#"{"jsonrpc":"2.0","method":"data.delete","params":{"space":"run","key":"none"}}"#;
    let script = format!("(yes '{set}' | head -n 2000; yes '{delete}' | head -n 2000) >&$TLC_PROTOCOL_WRITE_FD");
    line.run(&list(vec![shell("Flood", &script)]), &[]).ended_with(0);
    assert_eq!(line.attempt("Flood")["notes"].as_array().expect("notes").len(), 100);
}

#[test]
fn a_terminal_shows_what_a_test_does() {
    let line = Line::new();
    let node = shell(
        "Busy",
        "echo '{\"jsonrpc\":\"2.0\",\"method\":\"heading\",\"params\":{\"text\":\"Radio\"}}' >&$TLC_PROTOCOL_WRITE_FD; sleep 0.3; \
         echo '{\"jsonrpc\":\"2.0\",\"method\":\"progress\",\"params\":{\"fraction\":0.4,\"remaining_secs\":12}}' >&$TLC_PROTOCOL_WRITE_FD; sleep 0.5",
    );
    let Some(shown) = on_a_terminal(&line, &list(vec![node]), &[]) else { return };
    assert!(shown.contains("Busy (Radio)") && shown.contains("Busy (Radio, 40 %, 12 s left)"), "{shown}");
}

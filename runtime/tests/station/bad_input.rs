//! Workers that send what no worker should, and worse: each test gets the right failure, the run goes on, and the memory of the
//! station's program stays small.

use tlc_plan::plan::Node;

use crate::line::{Line, list, python, shell, within};
use crate::reports::end;

/// How much memory the station's program may ever hold, in KiB.
const MEMORY: u64 = 160 << 10;

/// Runs tests, the last of which looks at the memory; its figure comes back.
fn run(line: &Line, mut tests: Vec<Node>) -> u64 {
    tests.push(shell("Look", "grep VmHWM /proc/$PPID/status > \"$LINE/memory\""));
    line.run(&list(tests), &[]);
    assert_eq!(end(line, "Look").0, "passed", "the run goes on");
    line.read("memory").split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("the memory")
}

/// A test that sends bytes, as `printf` writes them, and then waits to be ended or ends by itself.
fn sends(id: &str, bytes: &str, then: &str) -> Node {
    shell(id, &format!("printf '{bytes}' >&4; {then}"))
}

const WAIT: &str = "sleep 100";

#[test]
fn what_is_no_message_ends_the_attempt_with_what_was_sent() {
    let line = Line::new();
    let tests = vec![
        sends("Garbage", r"hello\n", WAIT),
        sends("Zeros", r"\0\0\0\n", WAIT),
        sends("Encoding", r#"{"jsonrpc":"2.0","method":"log","params":{"text":"\xff\xfe"}}\n"#, WAIT),
        sends("Surrogate", r#"{"jsonrpc":"2.0","method":"log","params":{"text":"\\ud800"}}\n"#, WAIT),
        sends("Batch", r#"[{"jsonrpc":"2.0","method":"log","params":{"text":"a"}}]\n"#, WAIT),
        sends("Text", r#""text"\n"#, WAIT),
        sends("Id", r#"{"jsonrpc":"2.0","id":true,"method":"data.keys","params":{"space":"run"}}\n"#, WAIT),
        sends("Twice", r#"{"jsonrpc":"2.0","jsonrpc":"2.0","method":"log"}\n"#, WAIT),
        sends("Two", r#"{"jsonrpc":"2.0","method":"a"}{"jsonrpc":"2.0","method":"b"}\n"#, WAIT),
        shell("Deep", &format!("head -c 1000000 /dev/zero | tr '\\0' '[' >&4; echo >&4; {WAIT}")),
        shell(
            "Nested",
            &format!(
                "n=$(head -c 300000 /dev/zero | tr '\\0' '['); printf '{{\"jsonrpc\":\"2.0\",\"method\":\"dance\",\"params\":%s' \"$n\" >&4; echo >&4; {WAIT}"
            ),
        ),
        sends("Version", r#"{"jsonrpc":"2.0","id":1,"result":{"protocol":9}}\n"#, WAIT),
        sends("Answer", r#"{"jsonrpc":"2.0","id":1,"result":{"protocol":"one"}}\n"#, WAIT),
    ];
    let names: Vec<String> = tests.iter().map(|test| test.id.to_string()).collect();
    let memory = run(&line, tests);
    for name in names {
        let (outcome, message) = end(&line, &name);
        let expected = match name.as_str() {
            "Version" => "speaks version 9 of the protocol, expected 1",
            "Answer" => "sent a wrong answer to `start`",
            "Id" => "`id`",
            _ => "sent a line that is no JSON-RPC message",
        };
        assert!(outcome == "error" && message.contains(expected), "{name}: {outcome} {message}");
        assert!(message.len() < 400, "{name}: {message}");
    }
    assert!(memory < MEMORY, "{memory} KiB");
}

#[test]
fn a_line_of_a_gigabyte_is_not_read_to_its_end() {
    let line = Line::new();
    let much = |megabytes: u32| format!("head -c {megabytes}M /dev/zero | tr '\\0' x");
    let tests = vec![
        shell("Message", &format!("{} >&4; {WAIT}", much(1024))),
        shell("Log", &much(1024)),
        shell("Tap", &format!("echo 'TAP version 14'; {}; echo; echo ok 1; echo 1..1", much(64))),
    ];
    let memory = run(&line, tests);
    assert_eq!(end(&line, "Message"), ("error".into(), "sent a message of more than 1048576 bytes".into()));
    assert_eq!(end(&line, "Log").0, "passed");
    assert_eq!(line.attempt("Log")["log_written"].as_u64(), Some(1 << 30));
    assert_eq!(end(&line, "Tap").0, "passed");
    assert!(memory < MEMORY, "{memory} KiB");
}

#[test]
fn what_has_no_end_is_no_message() {
    let line = Line::new();
    let half = r#"{"jsonrpc":"2.0","method":"measurement","params":{"na"#;
    let whole = r#"{"jsonrpc":"2.0","method":"finished","params":{"outcome":"passed"}}\n"#;
    run(
        &line,
        vec![
            sends("Half", half, "exit 0"),
            sends("Fails", half, "exit 3"),
            sends("Dies", half, "kill -9 $$"),
            sends("Spaces", r"   \n  ", "exit 0"),
            sends("Over", &format!("{whole}{half}"), "exit 0"),
        ],
    );
    assert_eq!(end(&line, "Half"), ("error".into(), "ended in the middle of a message".into()));
    assert_eq!(end(&line, "Fails"), ("failed".into(), "exited with code 3".into()));
    assert_eq!(end(&line, "Dies").0, "crashed");
    assert_eq!((end(&line, "Spaces").0, end(&line, "Over").0), ("passed".into(), "passed".into()));
}

#[test]
fn what_is_only_strange_does_no_harm() {
    let line = Line::new();
    let ask = r#"{"jsonrpc":"2.0","id":7,"method":"data.keys","params":{"space":"run"}}\n"#;
    let finished = r#"{"jsonrpc":"2.0","method":"finished","params":{"outcome":"passed"}}\n"#;
    let read = "read -r start <&3; read -r one <&3; read -r two <&3; case \"$one$two\" in *'\"id\":7'*'\"id\":7'*) exit 0;; esac; exit 1";
    let mut large = shell("Large", "exit 0");
    if let Some(test) = &mut large.test {
        let text = "x".repeat(300_000);
        test.args =
            tlc_plan::Template::Data(serde_json::from_value(serde_json::json!({ "text": text })).expect("data"));
    }
    let names = ["Answers", "Ids", "Lines", "Zero", "Closed", "Silent", "Large", "Forks", "After"];
    run(
        &line,
        vec![
            sends(
                "Answers",
                r#"{"jsonrpc":"2.0","id":77,"result":{}}\n{"jsonrpc":"2.0","id":"x","error":{"code":1}}\n"#,
                "exit 0",
            ),
            sends("Ids", &format!("{ask}{ask}"), read),
            sends("Lines", r#"\n \r\n{"jsonrpc":"2.0","method":"log","params":{"text":"a"}}\r\n"#, "exit 0"),
            sends(
                "Zero",
                r#"{"jsonrpc":"2.0","method":"result","params":{"name":"a\\u0000b","outcome":"passed"}}\n"#,
                "exit 0",
            ),
            shell("Closed", "exec 3<&- 4>&- >&- 2>&-; sleep 0.1"),
            shell("Silent", "sleep 0.1"),
            large,
            shell("Forks", "(sleep 1000; echo garbage >&4) & setsid sleep 1000 & exit 0"),
            sends("After", finished, r"printf 'garbage\n' >&4; exit 0"),
        ],
    );
    for name in names {
        assert_eq!(end(&line, name), ("passed".into(), String::new()), "{name}");
    }
    let parts = line.attempt("Zero")["results"][0]["name"].clone();
    assert_eq!(parts, "a\0b");
}

#[test]
fn a_number_beyond_all_doubles_is_no_measurement() {
    let line = Line::new();
    let measured = r#"{"jsonrpc":"2.0","method":"measurement","params":{"name":"a","value":1e999,"min":1}}\n"#;
    run(&line, vec![sends("Number", measured, "exit 0")]);
    let (outcome, message) = end(&line, "Number");
    assert!(outcome == "error" && message.contains("`value`: 1e+999 is too large"), "{outcome} {message}");
}

#[test]
fn a_python_test_that_leaves_without_a_word_has_crashed() {
    let line = Line::new();
    let test = |body: &str| {
        format!("import os, unittest\nclass T(unittest.TestCase):\n    def runTest(self):\n        {body}\n")
    };
    line.write("tests/leaves.py", &test("os._exit(0)"));
    line.write("tests/closes.py", &test("os.closerange(3, 64); os._exit(0)"));
    line.write("tests/forks.py", &test("os.fork() or __import__('time').sleep(1000); os._exit(0)"));
    run(&line, ["leaves", "closes", "forks"].map(|name| python(name, name, "{}")).to_vec());
    for name in ["leaves", "closes", "forks"] {
        assert_eq!(end(&line, name).0, "crashed", "{name}: {}", end(&line, name).1);
    }
}

#[test]
fn a_flood_of_notices_is_bounded() {
    let line = Line::new();
    let flood = |id: &str, message: &str| within(2.0, shell(id, &format!("yes '{message}' >&4")));
    let text = "x".repeat(1000);
    let memory = run(
        &line,
        vec![
            flood("Unknown", r#"{"jsonrpc":"2.0","method":"dance","params":{}}"#),
            flood("Requests", r#"{"jsonrpc":"2.0","id":1,"method":"dance"}"#),
            flood("Log", &format!(r#"{{"jsonrpc":"2.0","method":"log","params":{{"text":"{text}"}}}}"#)),
            flood("Heading", &format!(r#"{{"jsonrpc":"2.0","method":"heading","params":{{"text":"{text}"}}}}"#)),
            flood("Empty", ""),
            flood("Wrong", r#"{"jsonrpc":"2.0","method":"measurement","params":{}}"#),
        ],
    );
    for name in ["Unknown", "Requests", "Log", "Heading", "Empty"] {
        assert_eq!(end(&line, name).0, "timeout", "{name}: {}", end(&line, name).1);
    }
    let wrong = end(&line, "Wrong");
    assert!(["timeout", "error"].contains(&wrong.0.as_str()), "{wrong:?}");
    assert!(memory < MEMORY, "{memory} KiB");
}

//! What programs say on their stdout: TAP, and the event lines of Lager's steps.

use std::fs;

use serde_json::Value;

use crate::line::{Line, list, shell};
use crate::reports::end;

/// The parts of an attempt: their outcomes and names.
fn parts(line: &Line, path: &str) -> Vec<String> {
    let text = |part: &Value, name: &str| part[name].as_str().unwrap_or_default().to_owned();
    let attempt = line.attempt(path);
    let parts = attempt["results"].as_array().expect("parts").iter();
    parts.map(|part| format!("{} {}", text(part, "outcome"), text(part, "name"))).collect()
}

fn log(line: &Line, path: &str) -> Vec<String> {
    let log = fs::read_to_string(line.attempt(path)["log"].as_str().expect("a log")).expect("the log");
    log.lines().filter_map(|line| Some(line.split_once(' ')?.1.to_owned())).collect()
}

fn pair(outcome: &str, message: &str) -> (String, String) {
    (outcome.to_owned(), message.to_owned())
}

#[test]
fn tap_is_read_where_the_first_line_asks_for_it() {
    let line = Line::new();
    let plan = list(vec![
        shell(
            "Good",
            "printf 'TAP version 14\\n1..3\\nok 1 - rail\\nok 2 - load # SKIP none\\nnot ok 3 - led # TODO\\n'",
        ),
        shell(
            "Bad",
            "printf 'TAP version 13\\n1..2\\nok 1\\nnot ok 2 - load\\n  ---\\n  message: too high\\n  ...\\n'; exit 1",
        ),
        shell("Lies", "printf 'TAP version 13\\n1..1\\nnot ok 1 - load\\n'"),
        shell("Short", "printf 'TAP version 13\\n1..2\\nok 1\\n'"),
        shell("Bails", "printf 'TAP version 13\\n1..2\\nok 1\\nBail out! no fixture\\n'"),
        shell("Dies", "printf 'TAP version 13\\n1..1\\nok 1\\n'; exit 7"),
        shell("Plain", "printf 'hello\\nTAP version 13\\nnot ok 1\\n'"),
    ]);
    line.run(&plan, &[]).ended_with(1);
    assert_eq!(end(&line, "Good"), pair("passed", ""));
    assert_eq!(parts(&line, "Good"), ["passed rail", "skipped load", "skipped led"]);
    assert_eq!(end(&line, "Bad"), pair("failed", "load: too high; exited with code 1"));
    assert_eq!(end(&line, "Lies"), pair("failed", "load: failed"));
    assert_eq!(end(&line, "Short"), pair("failed", "TAP: it planned 2 test points and had 1"));
    assert_eq!(end(&line, "Bails"), pair("failed", "TAP: it bailed out: no fixture"));
    assert_eq!(end(&line, "Dies"), pair("failed", "exited with code 7"));
    assert_eq!((end(&line, "Plain"), parts(&line, "Plain")), (pair("passed", ""), vec![]));
    assert_eq!(log(&line, "Short"), ["TAP version 13", "1..2", "ok 1"], "all of it is in the log");
}

#[test]
fn tap_is_read_where_the_settings_say_so_whatever_is_on_stderr() {
    let line = Line::new();
    let settings = line.settings("{ output: { tap: ['SMT*', '*.Tap'] } }");
    let script =
        "printf 'ok 1 - one\\nok 2 -'; printf 'noise\\nnot ok 9\\nhalf' >&2; sleep 0.2; printf ' two\\n1..2\\n'";
    let plan = list(vec![shell("SMT", script), shell("SMTSilent", "true"), shell("Other", "echo not ok 1")]);
    line.run(&plan, &["--station", &settings]).ended_with(1);
    assert_eq!(
        (end(&line, "SMT"), parts(&line, "SMT")),
        (pair("passed", ""), vec!["passed one".into(), "passed two".into()])
    );
    let log = log(&line, "SMT");
    assert!(log.contains(&"ok 2 - two".to_owned()) && log.contains(&"not ok 9".to_owned()), "{log:?}");
    assert_eq!(end(&line, "SMTSilent"), pair("failed", "TAP: it announced no plan and had no test points"));
    assert_eq!(end(&line, "Other").0, "passed");
}

/// A program that says this event.
fn event(text: &str) -> String {
    format!("printf '\\002FACTORY:%s\\n' '{text}'\n")
}

#[test]
fn steps_of_lager_are_understood_and_their_prompts_answered_on_stdin() {
    let line = Line::new();
    let settings = line.settings("{ output: { lager: ['Steps*'] } }");
    line.write("answers.json5", "{ Steps: { '1': 'HRN-1', '2': true }, StepsDie: { '*': false } }");
    let answers = line.path("answers.json5").display().to_string();
    let ask = |kind: &str, data: &str| {
        event(&format!("{{\"type\":\"{kind}\",\"class\":\"A\",\"data\":{data}}}"))
            + "read -r answer; echo \"$answer\"\n"
    };
    let start = event(r#"{"type":"start","class":"A","name":"Look at it"}"#);
    let done =
        |data: &str| event(&format!("{{\"type\":\"done\",\"class\":\"A\",\"data\":{data},\"stop_on_fail\":true}}"));
    let complete = |result: &str| {
        event(&format!("{{\"type\":\"lager-factory-complete\",\"result\":{result},\"failed_step\":\"Look at it\"}}"))
    };
    let text = ask("present_text_input", r#"{"prompt":"Serial","size":25}"#);
    let buttons = ask("present_buttons", r#"[["Pass",true],["Fail",false]]"#);
    let logged = event(r#"{"type":"lager-log","class":"A","file":"stdout","content":"measuring"}"#);
    let whole =
        [&*start, &text, &logged, "echo plain; echo wrong >&2\n", &buttons, &done("true"), &complete("true")].concat();
    let fails =
        [&*start, &event(r#"{"type":"error","class":"A","message":"too dark"}"#), &done("false"), &complete("false")]
            .concat();
    let plan = list(vec![
        shell("Steps", &whole),
        shell("StepsFail", &fails),
        shell("StepsDie", &[&*start, "printf '\\002FACTORY:{broken\\n'; kill -9 $$\n"].concat()),
        shell("StepsAlone", &[&*start, &buttons, &done("true"), &complete("true")].concat()),
        shell("StepsGoOn", &[&*start, &buttons, &text, &done("false"), &complete("false")].concat()),
        shell("StepsAtOnce", &[&*start, &buttons.replace("read -r", "#"), &buttons, &text, &done("false")].concat()),
        shell("Other", &done("false")),
    ]);
    line.run(&plan, &["--station", &settings, "--answers", &answers]).ended_with(1);
    assert_eq!((end(&line, "Steps"), parts(&line, "Steps")), (pair("passed", ""), vec!["passed Look at it".into()]));
    let seen = log(&line, "Steps");
    for text in ["{\"value\":\"HRN-1\"}", "measuring", "plain", "wrong", "{\"value\":true}"] {
        assert!(seen.contains(&text.to_owned()), "{text}: {seen:?}");
    }
    assert!(seen.iter().all(|line| !line.contains("FACTORY")), "{seen:?}");
    assert_eq!(line.attempt("Steps")["prompts"].as_array().map(Vec::len), Some(2));
    assert_eq!(end(&line, "StepsFail").0, "failed");
    assert!(end(&line, "StepsFail").1.contains("the step `Look at it` failed"), "{:?}", end(&line, "StepsFail"));
    assert_eq!(end(&line, "StepsDie"), pair("crashed", "was ended by signal SIGKILL"));
    assert!(log(&line, "StepsDie").iter().any(|line| line.ends_with("FACTORY:{broken")));
    let (outcome, message) = end(&line, "StepsAlone");
    assert!(outcome == "failed" && message.contains("prompt: ") && message.contains("no one to answer"), "{message}");
    assert_eq!(end(&line, "StepsGoOn"), pair("failed", "the step `Look at it` failed"));
    assert_eq!(parts(&line, "StepsGoOn"), ["failed prompt", "failed Look at it"]);
    let (outcome, message) = end(&line, "StepsAtOnce");
    assert!(outcome == "error" && message.contains("asked something before it had the answer"), "{outcome} {message}");
    assert_eq!((end(&line, "Other").0.as_str(), parts(&line, "Other").len()), ("passed", 0));
}

#[test]
fn a_program_that_says_much_at_once_holds_nothing_up() {
    let line = Line::new();
    let settings = line.settings("{ output: { lager: ['Steps'] } }");
    let logged = r#"{"type":"lager-log","class":"A","file":"stdout","content":"line"}"#;
    let script =
        format!("i=0; while [ $i -lt 2000 ]; do printf '\\002FACTORY:%s\\nplain\\n' '{logged}'; i=$((i+1)); done");
    line.run(&list(vec![shell("Steps", &script)]), &["--station", &settings]).ended_with(0);
    assert_eq!(log(&line, "Steps").len(), 4000);
}

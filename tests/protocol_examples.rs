//! The tests in `lists/examples/protocol`: programs that were written from the page of the protocol, run for real.

mod common;

use std::process::{Command, Stdio};

use common::{root, run, tlc};
use serde_json::{Value, json};

/// The attempt at a test of the examples; none, said aloud, where its interpreter is not there.
fn attempt(path: &str, interpreter: &str) -> Option<Value> {
    let known = Command::new(interpreter).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !known.is_ok_and(|status| status.success()) {
        eprintln!("{path}: SKIPPED, there is no `{interpreter}`");
        return None;
    }
    let state = tempfile::tempdir().expect("a directory");
    let list = root().join("lists/examples/protocol/main.test_list.json");
    let ran = run(state.path(), &["run", list.to_str().expect("a path"), "--only", path]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let results = tlc(state.path()).args(["results", "last", "--format", "json"]).output().expect("results");
    let document: Value = serde_json::from_slice(&results.stdout).expect("JSON");
    Some(document["attempts"][0].clone())
}

fn of(items: &Value, fields: &[&str]) -> Vec<Vec<Value>> {
    let items = items.as_array().into_iter().flatten();
    items.map(|item| fields.iter().map(|field| item[*field].clone()).collect()).collect()
}

#[test]
fn a_test_in_bash_measures_attaches_asks_and_reports() {
    let Some(attempt) = attempt("Fans", "bash") else { return };
    assert_eq!((&attempt["outcome"], &attempt["message"]), (&json!("passed"), &json!("2 fans")));
    assert_eq!(
        of(&attempt["measurements"], &["name", "value", "outcome"]),
        [[json!("fans"), json!(2), json!("passed")]]
    );
    assert_eq!(of(&attempt["attachments"], &["name", "media_type"]), [[json!("fans.csv"), json!("text/csv")]]);
    assert_eq!(
        of(&attempt["prompts"], &["name", "answer", "answered_by"]),
        [[json!("turning"), json!(true), json!("answers")]]
    );
    assert_eq!(of(&attempt["results"], &["name", "outcome"]), [[json!("all turn"), json!("passed")]]);
}

#[test]
fn a_test_in_node_measures_attaches_asks_and_reports() {
    let Some(attempt) = attempt("Link", "node") else { return };
    assert_eq!((&attempt["outcome"], &attempt["message"]), (&json!("passed"), &json!("1000 Mbit/s")));
    assert_eq!(
        of(&attempt["measurements"], &["name", "outcome"]),
        [[json!("link_speed"), json!("passed")], [json!("loss"), json!("passed")]]
    );
    assert_eq!(of(&attempt["attachments"], &["name", "size"]), [[json!("link.txt"), json!(12)]]);
    assert_eq!(
        of(&attempt["prompts"], &["name", "answer"]),
        [[json!("cable"), json!("CAT6-000123")], [json!("1"), json!("green")]]
    );
    assert_eq!(of(&attempt["results"], &["name", "outcome"]), [[json!("LED"), json!("passed")]]);
    assert!(attempt["exit_signal"].is_null(), "it ends by itself: {attempt}");
}

#[test]
fn the_list_has_no_mistakes() {
    let state = tempfile::tempdir().expect("a directory");
    let lists = root().join("lists/examples");
    let checked = run(state.path(), &["check", lists.to_str().expect("a path")]);
    assert_eq!((checked.code, &*checked.stderr), (0, ""), "{}", checked.stdout);
}

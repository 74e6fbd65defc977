//! Bad input: each is one clear report with a place where there is one, an exit code, and never a panic.

mod common;

use common::{Outcome, diagnostics, directory, outcome, run};

const BASE: &str = r#"{"options": {}, "constants": {}, "definitions": {"FactoryTest": {"inherit": "FactoryTest"}}}"#;

fn main_list(rest: &str) -> String {
    format!(r#"{{"inherit": ["base.test_list"], "label": "L", {rest}}}"#)
}

/// `tlc check` of one file: its only diagnostic.
fn only_diagnostic(text: &[u8]) -> serde_json::Value {
    let directory = directory(&[("base.test_list.json", BASE)]);
    std::fs::write(directory.path().join("main.test_list.json"), text).expect("written");
    let outcome = run(directory.path(), &["check", "main.test_list.json", "--format", "json"]);
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    let found = diagnostics(&outcome);
    assert_eq!(found.len(), 1, "{}", outcome.stdout);
    found[0].clone()
}

fn assert_usage(outcome: &Outcome, message: &str) {
    assert_eq!(outcome.code, 2, "{} {}", outcome.stdout, outcome.stderr);
    assert!(outcome.stderr.contains(message), "{}", outcome.stderr);
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
}

#[test]
fn a_list_that_does_not_exist_is_a_matter_of_usage() {
    let directory = directory(&[("main.test_list.json", BASE)]);
    for command in ["check", "dump"] {
        let outcome = run(directory.path(), &[command, "nowhere/x.test_list.json"]);
        assert_usage(&outcome, "there is no file `nowhere/x.test_list.json`");
        assert_usage(&run(directory.path(), &[command, "mian"]), "did you mean `main`?");
    }
    assert_usage(&run(directory.path(), &["check", "main", "--lists", "nowhere"]), "there is no directory `nowhere`");
}

#[test]
fn a_directory_without_lists_is_a_matter_of_usage() {
    let directory = directory(&[("readme.txt", "")]);
    assert_usage(&run(directory.path(), &["check", "."]), "there are no lists");
}

#[test]
fn a_file_that_is_no_list_is_a_matter_of_usage() {
    let directory = directory(&[("a.json", "{}")]);
    assert_usage(&run(directory.path(), &["check", "a.json"]), "the name of one ends with `.test_list.json`");
}

#[test]
fn a_list_that_cannot_be_read_is_the_environments() {
    let directory = directory(&[("x.test_list.json/inner", "")]);
    let outcome = run(directory.path(), &["check", "x", "--format", "json"]);
    assert_eq!(outcome.code, 3, "{}", outcome.stdout);
    assert_eq!(diagnostics(&outcome)[0]["code"], "unreadable-file");
}

#[test]
fn bytes_that_are_no_text_are_pointed_at() {
    let found = only_diagnostic(b"{\n  \"label\": \"\xff\"\n}");
    assert_eq!(found["code"], "not-utf8");
    assert_eq!((&found["labels"][0]["line"], &found["labels"][0]["column"]), (&2.into(), &13.into()));
}

#[test]
fn an_empty_file_is_one_error() {
    for text in [&b""[..], b" \n // nothing\n"] {
        let found = only_diagnostic(text);
        assert_eq!(found["severity"], "error");
        assert_eq!(found["labels"].as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn null_is_an_error_at_the_file() {
    let found = only_diagnostic(b"null");
    assert_eq!((&found["code"], &found["labels"][0]["line"]), (&"list-type".into(), &1.into()));
}

#[test]
fn brackets_without_an_end_do_not_exhaust_the_stack() {
    let found = only_diagnostic("[".repeat(10_000).as_bytes());
    assert_eq!(found["code"], "json-depth");
    let text = main_list(&format!(r#""tests": {}{}"#, "[".repeat(10_000), "]".repeat(10_000)));
    assert_eq!(only_diagnostic(text.as_bytes())["code"], "json-depth");
}

#[test]
fn a_file_of_100_megabytes_is_refused_at_once() {
    let directory = directory(&[]);
    let file = std::fs::File::create(directory.path().join("main.test_list.json")).expect("created");
    file.set_len(100 << 20).expect("a sparse file");
    let outcome = run(directory.path(), &["check", "main.test_list.json"]);
    assert_eq!(outcome.code, 3);
    assert!(outcome.stdout.contains("it is larger than 64 MiB"), "{}", outcome.stdout);
}

#[test]
fn a_parent_that_does_not_exist_is_named_where_it_is_inherited() {
    let found = only_diagnostic(br#"{"inherit": ["base.test_list", "bose.test_list"]}"#);
    assert_eq!((&found["code"], &found["labels"][0]["column"]), (&"unknown-parent".into(), &32.into()));
    assert_eq!(found["help"], "did you mean `base.test_list`?");
}

#[test]
fn a_circle_of_parents_is_shown_in_every_file_of_it() {
    let a = r#"{"inherit": ["b.test_list"]}"#;
    let b = r#"{"inherit": ["a.test_list"]}"#;
    let directory = directory(&[("a.test_list.json", a), ("b.test_list.json", b)]);
    let outcome = run(directory.path(), &["check", "a", "--format", "json"]);
    let found = diagnostics(&outcome);
    assert_eq!((outcome.code, found.len()), (1, 1));
    let files: Vec<_> =
        found[0]["labels"].as_array().expect("labels").iter().map(|label| label["file"].clone()).collect();
    assert_eq!(files, ["b.test_list.json", "a.test_list.json"]);
}

#[test]
fn a_group_that_contains_itself_ends() {
    let direct = main_list(r#""definitions": {"G": {"subtests": ["G"]}}, "tests": ["G"]"#);
    assert_eq!(only_diagnostic(direct.as_bytes())["code"], "contains-itself");
    let around = main_list(
        r#""definitions": {"G": {"subtests": ["H"]}, "H": {"subtests": [{"inherit": "G"}]}}, "tests": ["G"]"#,
    );
    assert_eq!(only_diagnostic(around.as_bytes())["code"], "contains-itself");
}

#[test]
fn a_fan_of_groups_is_stopped_at_a_limit() {
    let groups: Vec<String> = (1..=12)
        .map(|level| format!(r#""G{level}": {{"subtests": [{}]}}"#, vec![format!("\"G{}\"", level - 1); 10].join(",")))
        .collect();
    let text = main_list(&format!(
        r#""definitions": {{"G0": {{"pytest_name": "x"}}, {}}}, "tests": ["G12"]"#,
        groups.join(",")
    ));
    assert_eq!(only_diagnostic(text.as_bytes())["code"], "too-many-tests");
}

#[test]
fn groups_in_each_other_are_stopped_at_a_limit() {
    let groups: Vec<String> =
        (1..=201).map(|level| format!(r#""G{level}": {{"subtests": ["G{}"]}}"#, level - 1)).collect();
    let text = main_list(&format!(
        r#""definitions": {{"G0": {{"pytest_name": "x"}}, {}}}, "tests": ["G201"]"#,
        groups.join(",")
    ));
    assert_eq!(only_diagnostic(text.as_bytes())["code"], "too-deep");
}

#[test]
fn device_data_that_make_no_sense_are_a_matter_of_usage() {
    let directory = directory(&[("main.test_list.json", BASE), ("d.json", "[1]"), ("e.json", "{")]);
    assert_usage(&run(directory.path(), &["dump", "main", "--device-data", "d.json"]), "expected an object");
    assert_usage(&run(directory.path(), &["dump", "main", "--device-data", "e.json"]), "cannot be read");
    assert_usage(&run(directory.path(), &["dump", "main", "--device-data", "f.json"]), "there is no such file");
}

#[test]
fn a_pipe_is_no_list() {
    let directory = directory(&[]);
    let path = directory.path().join("main.test_list.json");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let outcome = run(directory.path(), &["check", "main.test_list.json", "--format", "json"]);
    assert_eq!(outcome.code, 3, "{}", outcome.stdout);
    let found = diagnostics(&outcome);
    assert_eq!(found[0]["message"], "`main.test_list.json` cannot be read: it is not a file");
    assert_eq!(found[0]["labels"][0]["file"], "main.test_list.json");
}

#[test]
fn a_plan_is_written_into_a_pipe_that_stays_one() {
    let directory = directory(&[("base.test_list.json", BASE), ("main.test_list.json", &main_list(r#""tests": []"#))]);
    let path = directory.path().join("pipe");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let reader = std::thread::spawn({
        let path = path.clone();
        move || std::fs::read_to_string(path).expect("the plan")
    });
    let outcome = run(directory.path(), &["compile", "main.test_list.json", "-o", "pipe"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(reader.join().expect("it ends").contains("tlc-plan"));
    assert!(!path.metadata().expect("it is there").is_file());
}

#[test]
fn output_that_cannot_be_written_is_the_environments() {
    let directory = directory(&[("main.test_list.json", BASE)]);
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let output = common::tlc(directory.path())
        .args(["dump", "main", "--format", "json"])
        .stdout(full)
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("the output cannot be written"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let tests = vec![r#"{"pytest_name": "x"}"#; 5000].join(",");
    let text = main_list(&format!(r#""tests": [{tests}]"#));
    let directory = directory(&[("base.test_list.json", BASE), ("main.test_list.json", &text)]);
    let mut child = common::tlc(directory.path())
        .args(["dump", "main.test_list.json", "--format", "json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("tlc can be started");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_circle_of_lists_is_reported_once() {
    let list = |parent: &str| format!("{{\"inherit\": [\"{parent}.test_list\"], \"label\": \"L\", \"tests\": []}}");
    let (a, b, c) = (list("b"), list("a"), list("b"));
    let lists = directory(&[("a.test_list.json", &a), ("b.test_list.json", &b), ("c.test_list.json", &c)]);
    for target in [".", "a.test_list.json", "b.test_list.json", "c.test_list.json"] {
        let found = diagnostics(&run(lists.path(), &["check", target, "--format", "json"]));
        assert_eq!(found.len(), 1, "{target}: {found:?}");
        assert_eq!(found[0]["message"], "`a.test_list` inherits itself: `a.test_list` → `b.test_list` → `a.test_list`");
    }
}

#[test]
fn a_directory_that_cannot_be_read_is_not_passed_over() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    let lists = directory(&[("base.test_list.json", BASE), ("closed/more.test_list.json", BASE)]);
    let rights = |path: &str, mode| {
        std::fs::set_permissions(lists.path().join(path), std::fs::Permissions::from_mode(mode)).expect("rights");
    };
    rights("", 0o755);
    rights("closed", 0o000);
    // Nothing is closed to root: the command is copied to where somebody else can start it.
    let copy = lists.path().join("tlc");
    std::fs::copy(env!("CARGO_BIN_EXE_tlc"), &copy).expect("a copy");
    let mut command = std::process::Command::new(&copy);
    command.args(["check", "."]).current_dir(lists.path()).env("NO_COLOR", "1");
    if nix::unistd::geteuid().is_root() {
        command.uid(65534).gid(65534);
    }
    let outcome = outcome(command.output().expect("tlc can be started"));
    rights("closed", 0o755);
    assert_eq!((outcome.code, &*outcome.stdout), (3, ""), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("the directory `./closed` cannot be read: Permission denied"),
        "{}",
        outcome.stderr
    );
}

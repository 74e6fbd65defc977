//! `tlc why`: each kind of step that a value can have, as people read it, and as a machine does.

mod common;

use common::{directory, run};
use serde_json::Value;

/// The classes, and what most cases inherit.
const BASE: &str = r#"{
  "constants": {"volts": 5, "limits": [1, {"deep": 2}], "power": {"max": 10, "min": 1}},
  "options": {},
  "definitions": {
    "FactoryTest": {"inherit": "FactoryTest"},
    "TestGroup": {"inherit": "TestGroup"},
    "FlattenGroup": {"inherit": "FlattenGroup"},
    "Rail": {"pytest_name": "rail", "retries": 3, "args": {"max": "eval! constants.volts * locals.factor", "x.y": 1, "pins": ["a", "b"]}},
    "Rail5": {"inherit": "Rail", "retries": 4, "args": {"old": 1, "set": {"a": 1}}}
  }
}"#;

const MAIN: &str = r#"{
  "inherit": ["base.test_list"],
  "label": "Board test",
  "constants": {"volts": 6, "power": {"__replace__": true, "max": 20}},
  "definitions": {
    "Rail5": {"args": {"old": {"__delete__": true}, "set": {"__replace__": true, "b": 2}}},
    "Flat": {"inherit": "FlattenGroup", "locals": {"gain": 7}, "subtests": ["Rail"]}
  },
  "tests": [
    {
      "id": "G",
      "inherit": "TestGroup",
      "locals": {"factor": 2},
      "child_action_on_failure": "STOP",
      "run_if": "device.factory.ready and constants.volts",
      "subtests": ["Rail5", "Flat", {"id": "Off", "pytest_name": "off", "teardown": true}]
    }
  ],
  "override_args": {"G.Rail5": {"pins": ["c"]}}
}"#;

fn lists() -> tempfile::TempDir {
    directory(&[("base.test_list.json", BASE), ("main.test_list.json", MAIN)])
}

/// The lines about a subject, without what stands around them.
fn why(subject: &str) -> Vec<String> {
    let lists = lists();
    let outcome = run(lists.path(), &["why", "main.test_list.json", subject]);
    assert_eq!(outcome.code, 0, "{subject}: {}{}", outcome.stdout, outcome.stderr);
    outcome.stdout.lines().map(str::to_owned).collect()
}

fn check(subject: &str, expected: &[&str]) {
    assert_eq!(why(subject), expected, "{subject}");
}

#[test]
fn a_chain_of_definitions_is_aligned_and_marks_what_is_in_force() {
    check(
        "G.Rail5.retries",
        &[
            "G.Rail5.retries = 4",
            "   set        3  definition Rail   base.test_list.json:8:48",
            " ▸ overrides  4  definition Rail5  base.test_list.json:9:45",
        ],
    );
}

#[test]
fn files_override_files() {
    check(
        "constants.volts",
        &[
            "constants.volts = 6",
            "   set        5  base.test_list.json:2:26",
            " ▸ overrides  6  main.test_list.json:4:26",
        ],
    );
}

#[test]
fn a_layer_lies_above_another() {
    let lists = directory(&[
        ("base.test_list.json", BASE),
        ("main.test_list.json", MAIN),
        ("board/main.test_list.json", r#"{"constants": {"volts": 7}}"#),
    ]);
    let outcome = run(lists.path(), &["why", "main.test_list.json", "constants.volts", "--lists", "board"]);
    assert!(outcome.stdout.starts_with("constants.volts = 7\n"), "{}{}", outcome.stdout, outcome.stderr);
    assert!(outcome.stdout.ends_with(" ▸ overrides  7  board/main.test_list.json:1:25\n"), "{}", outcome.stdout);
}

#[test]
fn markers_replace_and_remove() {
    let replaced = why("constants.power");
    assert_eq!(replaced[0], "constants.power = {\"max\":20}");
    assert!(replaced[2].starts_with(" ▸ replaces everything"), "{replaced:?}");
    let removed = why("G.Rail5.args.old");
    assert_eq!(removed[0], "G.Rail5.args.old = (not known here)");
    assert!(removed[2].starts_with(" ▸ removed"), "{removed:?}");
}

#[test]
fn an_override_is_the_last_word() {
    let found = why("G.Rail5.args.pins");
    assert_eq!(found[0], "G.Rail5.args.pins = [\"c\"]");
    assert!(found[2].starts_with(" ▸ overrides"), "{found:?}");
    assert!(found[2].ends_with("override_args    main.test_list.json:19:41"), "{found:?}");
}

#[test]
fn an_expression_says_what_it_reads() {
    let found = why("G.Rail5.args.max");
    assert_eq!(found[0], "G.Rail5.args.max = 12");
    assert!(found.contains(&"    constants.volts = 6".to_owned()), "{found:?}");
    assert!(found.contains(&"    locals.factor = 2".to_owned()), "{found:?}");
    let condition = why("G.run_if");
    assert!(condition.contains(&"    device.factory.ready = (not known here)".to_owned()), "{condition:?}");
    assert!(condition.contains(&"     ▸ read  known at the station".to_owned()), "{condition:?}");
}

#[test]
fn locals_come_from_groups_and_from_those_that_flatten() {
    let factor = why("G.Rail.locals.factor");
    assert_eq!(factor.len(), 2);
    assert!(factor[1].contains("2  the test itself of the group G"), "{factor:?}");
    let gain = why("G.Rail.locals.gain");
    assert!(gain[1].contains("7  a FlattenGroup around it  main.test_list.json:7:"), "{gain:?}");
    let all = why("G.Rail.locals");
    assert_eq!(all[0], "G.Rail.locals = {\"factor\":2,\"gain\":7}");
    assert!(all[2].starts_with(" ▸ adds to it"), "{all:?}");
}

#[test]
fn a_failure_action_comes_from_the_group_or_from_being_a_teardown() {
    let action = why("G.Rail5.action_on_failure");
    assert_eq!(action[0], "G.Rail5.action_on_failure = \"STOP\"");
    assert!(action[1].contains("child_action_on_failure of G, the test itself"), "{action:?}");
    let teardown = why("G.Off.action_on_failure");
    assert_eq!(teardown[0], "G.Off.action_on_failure = \"NEXT\"");
    assert!(teardown[2].ends_with("a teardown's action is always NEXT"), "{teardown:?}");
}

#[test]
fn what_nothing_sets_has_a_default() {
    check("G.Off.retries", &["G.Off.retries = 0", " ▸ default  0  nothing sets it"]);
    check("G.Off.label", &["G.Off.label = {\"en-US\":\"Off\"}", " ▸ default  {\"en-US\":\"Off\"}  made from its name"]);
}

#[test]
fn items_of_arrays_and_keys_with_dots_are_found() {
    check(
        "constants.limits.1.deep",
        &["constants.limits.1.deep = 2", " ▸ set  [1,{\"deep\":2}]  base.test_list.json:2:39"],
    );
    assert_eq!(why("G.Rail.args.pins.0")[0], "G.Rail.args.pins.0 = \"a\"");
    assert_eq!(why("G.Rail.args.x.y")[0], "G.Rail.args.x.y = 1");
    assert_eq!(why("override_args.G.Rail5.pins")[0], "override_args.G.Rail5.pins = [\"c\"]");
}

#[test]
fn a_machine_gets_the_same_with_places() {
    let lists = lists();
    let outcome = run(lists.path(), &["why", "main.test_list.json", "G.Rail5.args.max", "--format", "json"]);
    let document: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    let found = &document[0];
    assert_eq!((&found["subject"], &found["value"]), (&"G.Rail5.args.max".into(), &12.into()));
    let step = &found["steps"][0];
    assert_eq!((&step["action"], &step["by"]), (&"set".into(), &"definition Rail".into()));
    assert_eq!((&step["file"], &step["line"]), (&"base.test_list.json".into(), &8.into()));
    assert_eq!(found["reads"][0]["subject"], "constants.volts");
    assert_eq!(found["reads"][0]["steps"][1]["text"], 6);
}

#[test]
fn what_is_not_there_is_said_with_what_was_meant() {
    let lists = lists();
    let outcome = run(lists.path(), &["why", "main.test_list.json", "G.Rial5.retries"]);
    assert_eq!((outcome.code, &*outcome.stdout), (2, ""));
    assert!(outcome.stderr.contains("did you mean `G.Rail5`?"), "{}", outcome.stderr);
}

/// The lines about a subject of a list of its own.
fn why_of(main: &str, subject: &str) -> Vec<String> {
    let base = r#"{"constants": {"phase": "PROTO"}, "options": {"phase": "eval! constants.phase"},
        "definitions": {"FactoryTest": {"inherit": "FactoryTest"}, "TestGroup": {"inherit": "TestGroup"}}}"#;
    let lists = directory(&[
        ("base.test_list.json", base),
        ("main.test_list.json", main),
        ("test_list_constants.json", r#"{"phase": "EVT"}"#),
    ]);
    let outcome = run(lists.path(), &["why", "main.test_list.json", subject]);
    outcome.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn what_is_around_a_test_and_what_comes_after_all_lists_is_named() {
    let main = r#"{"inherit": ["base.test_list"], "label": "Main", "tests": [
      {"inherit": "TestGroup", "id": "G", "locals": {"off": 1}, "subtests": [
        {"exec": ["true"], "id": "L", "locals": {"off": 2, "k": "eval! locals.off"}},
        {"inherit": "TestGroup", "id": "T", "teardown": true, "subtests": [{"exec": ["true"], "id": "In"}]}]}]}"#;
    let lines = why_of(main, "constants.phase");
    assert!(
        lines[2].starts_with(" ▸ overrides  \"EVT\"    the file of constants  test_list_constants.json:1:"),
        "{lines:?}"
    );
    let lines = why_of(main, "G.L.locals.k");
    assert_eq!(
        (lines[0].as_str(), lines[2].as_str(), lines.len()),
        ("G.L.locals.k = 1", "    locals.off = 1", 4),
        "{lines:?}"
    );
    let lines = why_of(main, "G.T.In.teardown");
    assert!(lines[1].starts_with(" ▸ set  true  teardown of G.T, the test itself"), "{lines:?}");
}

//! The order of members: by their place for a list and a test, by name for definitions, constants and options. What is for the test
//! itself (arguments, locals) keeps its order.

use super::read::{Container, File, Item, Value};

const LIST: &[&str] =
    &["__comment", "inherit", "label", "constants", "options", "definitions", "tests", "override_args", "simulate"];

const TEST: &[&str] = &[
    "__replace__",
    "__delete__",
    "inherit",
    "pytest_name",
    "exec",
    "id",
    "label",
    "teardown",
    "run_if",
    "exclusive_resources",
    "disable_services",
    "enable_services",
    "no_host",
    "allow_reboot",
    "parallel",
    "layout",
    "iterations",
    "retries",
    "timeout_secs",
    "isolation",
    "action_on_failure",
    "child_action_on_failure",
    "disable_abort",
    "require_run",
    "dut_options",
    "__comment",
    "locals",
    "subtests",
    "args",
    "measurements",
];

/// Puts the members of a list in order.
pub(super) fn order(file: &mut File<'_>) {
    let Value::Container(list) = &mut file.root else { return };
    by_place(list, LIST);
    for item in &mut list.items {
        let (name, Value::Container(value)) = (name(item), &mut item.value) else { continue };
        match &*name {
            "constants" | "options" => by_name(value),
            "definitions" => {
                by_name(value);
                tests(value);
            }
            "tests" => tests(value),
            _ => {}
        }
    }
}

/// Orders the tests of a container, and those in them.
fn tests(container: &mut Container<'_>) {
    for item in &mut container.items {
        let Value::Container(test) = &mut item.value else { continue };
        if test.brackets[0] == '{' {
            by_place(test, TEST);
        }
        for field in &mut test.items {
            let (name, Value::Container(value)) = (name(field), &mut field.value) else { continue };
            if name == "subtests" {
                tests(value);
            }
        }
    }
}

/// Known names at their places, others after them as they are written.
fn by_place(container: &mut Container<'_>, places: &[&str]) {
    container.items.sort_by_cached_key(|item| {
        let name = name(item);
        places.iter().position(|place| *place == name).unwrap_or(places.len())
    });
}

/// Sorted by name; a comment about a member follows it.
fn by_name(container: &mut Container<'_>) {
    if container.brackets[0] == '{' {
        container.items.sort_by_cached_key(|item| {
            let name = name(item);
            match name.strip_prefix("__comment_") {
                Some(about) => (about.to_owned(), true),
                None => (name, false),
            }
        });
    }
}

/// The name that a key stands for; one with escapes stands for itself.
fn name(item: &Item<'_>) -> String {
    item.key.unwrap_or_default().trim_matches(['"', '\'']).to_owned()
}

//! Generated lists for measurements: the same every time, with the parts that real lists have.

use std::fmt::Write as _;
use std::path::Path;

/// What a generated list looks like.
#[derive(Clone, Copy)]
pub enum Shape {
    /// This many leaves, each written out: groups of 20, one definition for two leaves, expressions, conditions and locals.
    Line(usize),
    /// Groups of groups, so that a short text has this many leaves.
    Fan(usize),
}

/// How many tests a group has.
const GROUP: usize = 20;

/// How many overrides a line has: one for this many leaves.
const LEAVES_OF_AN_OVERRIDE: usize = 100;

/// Writes the files of a list, whose id is `main`, into a folder.
pub fn write(folder: &Path, shape: Shape) {
    for (name, text) in files(shape) {
        std::fs::write(folder.join(name), text).expect("written");
    }
}

/// The files of a list.
pub fn files(shape: Shape) -> Vec<(String, String)> {
    let main = match shape {
        Shape::Line(leaves) => line(leaves),
        Shape::Fan(leaves) => fan(leaves),
    };
    vec![("base.test_list.json".into(), base()), ("main.test_list.json".into(), main)]
}

fn base() -> String {
    let constants: Vec<String> = (0..GROUP)
        .map(|number| format!(r#""c{number}": {{"url": "http://10.0.{number}.1", "flag": true, "count": {number}}}"#))
        .collect();
    format!(
        r#"{{
  "constants": {{{}}},
  "options": {{}},
  "definitions": {{
    "FactoryTest": {{"inherit": "FactoryTest"}},
    "TestGroup": {{"inherit": "TestGroup"}},
    "Common": {{"inherit": "FactoryTest", "args": {{"timeout_secs": 30, "mode": "normal"}}}}
  }}
}}
"#,
        constants.join(", ")
    )
}

fn line(leaves: usize) -> String {
    let mut text =
        String::from("{\n  \"inherit\": [\"base.test_list\"],\n  \"label\": \"Line\",\n  \"definitions\": {\n");
    for number in 0..leaves.div_ceil(2) {
        let comma = if number == 0 { "" } else { ",\n" };
        let (first, second) = (number % GROUP, number % 1000);
        let _ = write!(
            text,
            r#"{comma}    "Test{number}": {{
      "inherit": "Common",
      "pytest_name": "kind{first}.test",
      "args": {{"server": "eval! constants.c{first}.url", "limit": {second}, "ports": [{first}, {second}]}}
    }}"#
        );
    }
    text.push_str("\n  },\n  \"tests\": [\n");
    for group in 0..leaves.div_ceil(GROUP) {
        let comma = if group == 0 { "" } else { ",\n" };
        let in_group = (group * GROUP..leaves.min((group + 1) * GROUP)).map(leaf);
        let _ = write!(
            text,
            r#"{comma}    {{"inherit": "TestGroup", "id": "Group{group}", "label": "Group {group}", "locals": {{"index": {group}}}, "subtests": [{}]}}"#,
            in_group.collect::<Vec<_>>().join(", ")
        );
    }
    let overrides = (0..leaves)
        .step_by(LEAVES_OF_AN_OVERRIDE)
        .map(|leaf| format!(r#"    "Group{}.Leaf{}": {{"limit": {}}}"#, leaf / GROUP, leaf % GROUP, 1000 + leaf));
    let overrides: Vec<String> = overrides.collect();
    let _ = write!(text, "\n  ],\n  \"override_args\": {{\n{}\n  }}\n}}\n", overrides.join(",\n"));
    text
}

/// Every third leaf has a condition, every fourth an expression of its own.
fn leaf(number: usize) -> String {
    let condition = if number.is_multiple_of(3) { r#", "run_if": "device.component.has_camera""# } else { "" };
    let args = match number % 4 {
        0 => format!(r#"{{"count": "eval! constants.c{}.count + {}"}}"#, number % GROUP, number % 50),
        _ => format!(r#"{{"count": {number}}}"#),
    };
    let (definition, id) = (number / 2, number % GROUP);
    format!(r#"{{"inherit": "Test{definition}", "id": "Leaf{id}"{condition}, "args": {args}}}"#)
}

/// Three levels of groups above the leaves.
fn fan(leaves: usize) -> String {
    let width = (leaves as f64).powf(0.25).ceil() as usize;
    let list = |name: &str| {
        let names: Vec<String> = (0..width).map(|_| format!("\"{name}\"")).collect();
        names.join(", ")
    };
    let mut text =
        String::from("{\n  \"inherit\": [\"base.test_list\"],\n  \"label\": \"Fan\",\n  \"definitions\": {\n");
    text.push_str("    \"Leaf\": {\"inherit\": \"Common\", \"pytest_name\": \"kind.test\"}");
    for (name, inner) in [("Low", "Leaf"), ("Middle", "Low"), ("High", "Middle")] {
        let _ = write!(text, ",\n    \"{name}\": {{\"inherit\": \"TestGroup\", \"subtests\": [{}]}}", list(inner));
    }
    let _ = write!(text, "\n  }},\n  \"tests\": [{}]\n}}\n", list("High"));
    text
}

//! `tlc check --format sarif|github`: what the standard, and GitHub, ask of them.
//!
//! SARIF 2.1.0 is compared with the schema that OASIS has published for it (as it lies in the sources of the crate `serde-sarif`), and with
//! what sections 3.13 to 3.52 of the standard demand of the properties that are used, and that there are no others.

mod common;

use common::{Outcome, directory, run};
use serde_json::Value;

const BASE: &str = r#"{
  "constants": {},
  "options": {},
  "definitions": {"FactoryTest": {"inherit": "FactoryTest"}, "TestGroup": {"inherit": "TestGroup"}}
}"#;

/// Errors and warnings, in a file whose name needs an escape, with places in two files and a letter of two code units.
fn rich(format: &str) -> Outcome {
    let main = "{\n  \"inherit\": [\"base.test_list\"],\n  \"label\": \"😀 Board\",\n  \"constants\": {\"a\": 1, \"a\": 2},\n  \
                \"tests\": [\n    {\"pytest_name\": \"led\", \"run_if\": \"False\"},\n    {\"id\": \"Empty\"}\n  ],\n  \
                \"override_args\": {\"Lde\": {\"x\": 1}}\n}\n";
    let lists = directory(&[("base.test_list.json", BASE), ("a 100%,b.test_list.json", main)]);
    run(lists.path(), &["check", "a 100%,b.test_list.json", "--format", format])
}

fn object<'a>(value: &'a Value, required: &[&str], allowed: &[&str]) -> &'a serde_json::Map<String, Value> {
    let object = value.as_object().unwrap_or_else(|| panic!("an object: {value}"));
    for key in required {
        assert!(object.contains_key(*key), "no `{key}`: {value}");
    }
    for key in object.keys() {
        assert!(required.contains(&&**key) || allowed.contains(&&**key), "`{key}` is not known here: {value}");
    }
    object
}

fn items(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("an array: {value}"))
}

fn message(value: &Value) {
    object(value, &["text"], &["markdown"]);
    assert!(value["text"].as_str().is_some_and(|text| !text.is_empty()), "{value}");
}

fn physical_location(value: &Value) {
    object(value, &["artifactLocation", "region"], &[]);
    object(&value["artifactLocation"], &["uri"], &[]);
    let uri = value["artifactLocation"]["uri"].as_str().expect("a URI");
    assert!(!uri.contains([' ', ',', '\\']) && !uri.ends_with('%'), "{uri}");
    object(&value["region"], &["startLine", "startColumn", "endLine", "endColumn"], &[]);
    let number = |key: &str| value["region"][key].as_u64().filter(|number| *number >= 1).expect("from 1");
    assert!((number("startLine"), number("startColumn")) <= (number("endLine"), number("endColumn")), "{value}");
}

#[test]
fn sarif_is_as_the_standard_has_it() {
    let outcome = rich("sarif");
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    let log: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    object(&log, &["$schema", "version", "runs"], &[]);
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    object(run, &["tool", "columnKind", "results"], &[]);
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let driver = &run["tool"]["driver"];
    object(driver, &["name", "version", "rules"], &[]);
    let rules = items(&driver["rules"]);
    for rule in rules {
        object(rule, &["id", "shortDescription", "help", "defaultConfiguration"], &[]);
        message(&rule["shortDescription"]);
        message(&rule["help"]);
        assert!(!rule["help"]["text"].as_str().expect("a text").contains('`'), "{rule}");
        object(&rule["defaultConfiguration"], &["level"], &[]);
    }
    let results = items(&run["results"]);
    assert!(results.len() >= 4, "{results:?}");
    for result in results {
        object(result, &["ruleId", "level", "message", "locations"], &["relatedLocations"]);
        assert!(rules.iter().any(|rule| rule["id"] == result["ruleId"]), "{result}");
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().expect("a level")), "{result}");
        message(&result["message"]);
        for location in items(&result["locations"]) {
            object(location, &["physicalLocation"], &[]);
            physical_location(&location["physicalLocation"]);
        }
    }
    related(results);
}

/// Places beside the first have numbers of their own and say what is there.
fn related(results: &[Value]) {
    let with: Vec<&Value> = results.iter().filter(|result| result.get("relatedLocations").is_some()).collect();
    assert!(!with.is_empty());
    for result in with {
        for (at, location) in items(&result["relatedLocations"]).iter().enumerate() {
            object(location, &["id", "message", "physicalLocation"], &[]);
            assert_eq!(location["id"], at + 1);
            message(&location["message"]);
            physical_location(&location["physicalLocation"]);
        }
    }
}

/// The published schema: Cargo knows where the sources of the crate that has it are.
fn published_schema() -> String {
    let cargo = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .expect("cargo");
    let metadata: Value = serde_json::from_slice(&cargo.stdout).expect("JSON");
    let sarif =
        items(&metadata["packages"]).iter().find(|package| package["name"] == "serde-sarif").expect("the crate");
    let manifest = std::path::Path::new(sarif["manifest_path"].as_str().expect("a path"));
    std::fs::read_to_string(manifest.with_file_name("src/schema.json")).expect("the schema")
}

#[test]
fn sarif_fits_the_published_schema() {
    // A bracket in its patterns means itself, which is said with a backslash by now.
    let schema = published_schema().replace("{2}]?$", "{2}\\\\]?$");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let fits = |outcome: &Outcome| {
        let log: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
        let wrong: Vec<String> =
            schema.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        serde_json::from_value::<serde_sarif::sarif::Sarif>(log.clone()).expect("a log, for other programs too");
        log
    };
    let log = fits(&rich("sarif"));
    assert!(log["runs"][0]["results"].as_array().is_some_and(|results| results.len() > 3));
    let lists = directory(&[("base.test_list.json", BASE)]);
    let mut nothing = fits(&run(lists.path(), &["check", "base.test_list.json", "--format", "sarif"]));
    nothing["runs"][0]["results"] = "none".into();
    assert!(!schema.is_valid(&nothing), "the schema refuses what does not fit");
}

#[test]
fn sarif_of_nothing_is_a_log_all_the_same() {
    let lists = directory(&[("base.test_list.json", BASE)]);
    let outcome = run(lists.path(), &["check", "base.test_list.json", "--format", "sarif"]);
    let log: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!((outcome.code, items(&log["runs"][0]["results"]).len()), (0, 0));
}

#[test]
fn github_gets_a_command_a_finding() {
    let outcome = rich("github");
    assert_eq!(outcome.code, 1, "{}", outcome.stderr);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert!(lines.len() >= 4, "{lines:?}");
    for line in &lines {
        let rest = line.strip_prefix("::error ").or_else(|| line.strip_prefix("::warning "));
        let (properties, message) = rest.and_then(|rest| rest.split_once("::")).expect("a command");
        let names: Vec<&str> = properties.split(',').filter_map(|pair| Some(pair.split_once('=')?.0)).collect();
        assert_eq!(names, ["file", "line", "col", "endLine", "endColumn", "title"], "{line}");
        assert!(properties.starts_with("file=a 100%25%2Cb.test_list.json,"), "{line}");
        assert!(!message.is_empty() && !message.contains('\r'), "{line}");
    }
    assert!(lines.iter().any(|line| line.contains("title=constant-condition") && line.starts_with("::warning ")));
    assert!(lines.iter().any(|line| line.contains("title=runs-nothing") && line.starts_with("::error ")));
}

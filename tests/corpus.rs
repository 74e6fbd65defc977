//! What the compiler computes against what the reference computed, on the lists and probes of the corpus.
//!
//! The corpus lies beside the repository on some machines; where it does not, these tests say so and pass.

mod common;

use std::path::{Path, PathBuf};

use serde_json::Value;
use tlc_compiler::plan::Data;
use tlc_compiler::{Compilation, Request, compile, dump};

/// Refused by the reference, accepted here: JSON5.
const EXTENSIONS: &[&str] = &["json_bom", "json_comment", "json_trailing_comma"];

/// Accepted by the reference, refused here.
const REFUSED: &[&str] = &[
    "json_lone_surrogate",
    "json_nan",
    "inherit_path_traversal",
    "eval_check_assign",
    "eval_check_assign_use",
    "run_if_check_walrus",
    "eval_check_yield_from",
];

/// Keys of the resolved form that are compared: of the list, and of each test.
const TOP: &[&str] = &[
    "id",
    "options",
    "constants",
    "label",
    "linearization",
    "merged",
    "skipped_at_start",
    "skip_forced",
    "waived_at_start",
];

/// Equal as data: an expected error matches any error, an expected oddity anything; an integer is not a float.
fn same(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Object(e), _) if e.len() == 1 && (e.contains_key("__pyrepr__") || e.contains_key("__selector__")) => {
            true
        }
        (Value::Object(e), Value::Object(g)) if e.len() == 1 && e.contains_key("__error__") => {
            g.len() == 1 && g.contains_key("__error__")
        }
        (Value::Object(e), Value::Object(g)) => {
            e.len() == g.len() && e.iter().all(|(key, value)| g.get(key).is_some_and(|got| same(value, got)))
        }
        (Value::Array(e), Value::Array(g)) => e.len() == g.len() && e.iter().zip(g).all(|(e, g)| same(e, g)),
        (Value::Number(e), Value::Number(g)) => {
            let is_float = |number: &serde_json::Number| number.as_str().contains(['.', 'e', 'E']);
            is_float(e) == is_float(g) && if is_float(e) { e.as_f64() == g.as_f64() } else { e.as_str() == g.as_str() }
        }
        _ => expected == got,
    }
}

fn difference(expected: &Value, got: &Value) -> Option<String> {
    for key in TOP {
        let Some(wanted) = expected.get(*key) else { continue };
        if !same(wanted, &got[*key]) {
            return Some(format!("{key}: expected {wanted}, got {}", got[*key]));
        }
    }
    tests_difference("", &expected["tests"], &got["tests"])
}

fn tests_difference(group: &str, expected: &Value, got: &Value) -> Option<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let (expected, got) = (list(expected), list(got));
    let paths = |tests: &[Value]| tests.iter().map(|test| test["path"].clone()).collect::<Vec<_>>();
    if paths(&expected) != paths(&got) {
        return Some(format!("tests of `{group}`: expected {:?}, got {:?}", paths(&expected), paths(&got)));
    }
    for (expected, got) in expected.iter().zip(&got) {
        let path = expected["path"].as_str().unwrap_or_default();
        for (key, wanted) in expected.as_object().into_iter().flatten().filter(|(key, _)| *key != "subtests") {
            if !same(wanted, &got[key]) {
                return Some(format!("{path}.{key}: expected {wanted}, got {}", got[key]));
            }
        }
        if let Some(found) = tests_difference(path, &expected["subtests"], &got["subtests"]) {
            return Some(found);
        }
    }
    None
}

fn json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("the corpus is readable");
    serde_json::from_str(&text).expect("the corpus is JSON")
}

fn resolved(compilation: &mut Compilation) -> Value {
    let mut text = Vec::new();
    dump::resolved(compilation, &mut text).expect("memory takes everything");
    serde_json::from_slice(&text).expect("the resolved form is JSON")
}

/// Compiles a list and says how it differs from what was recorded.
fn compare(name: &str, probe: &str, request: &Request, expected: &Value) -> Option<String> {
    let mut compilation = compile(request);
    let refused = compilation.is_refused();
    let found = if expected["ok"] == true {
        match (REFUSED.contains(&probe), refused) {
            (true, true) => None,
            (true, false) => Some("should be refused".to_owned()),
            (false, true) => Some(format!("is refused: {:#?}", compilation.diagnostics)),
            (false, false) => {
                let got = resolved(&mut compilation);
                difference(expected, &got)
            }
        }
    } else if EXTENSIONS.contains(&probe) {
        None
    } else if expected["reference_message"] == "'tests'" {
        let got = resolved(&mut compilation);
        let merged_differs = expected.get("merged").is_some_and(|merged| !same(merged, &got["merged"]));
        (refused || merged_differs).then(|| "is a library; it should be dumped".to_owned())
    } else {
        let placed =
            compilation.diagnostics.iter().any(|found| found.severity.name() == "error" && !found.labels.is_empty());
        let is_error = compilation.diagnostics.iter().any(|found| found.severity.name() == "error");
        (!is_error || !placed)
            .then(|| format!("should be refused: {}: {}", expected["reference_error"], expected["reference_message"]))
    };
    found.map(|found| format!("{name}: {found}"))
}

fn request(id: &str, layers: Vec<PathBuf>, po: Option<PathBuf>, device: Option<&Path>) -> Request {
    let device = device.map(|path| Data::from(&json(path)));
    Request { id: id.to_owned(), layers, po, device, ..Request::default() }
}

fn ids_in(folder: &Path) -> Vec<String> {
    let mut ids: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .filter_map(|entry| entry.expect("an entry").file_name().to_str()?.strip_suffix(".json").map(str::to_owned))
        .collect();
    ids.sort();
    ids
}

fn folders_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn real_lists_resolve_as_in_the_reference() {
    let Some(corpus) = common::corpus("real_lists_resolve_as_in_the_reference") else { return };
    let mut differences = Vec::new();
    for set in folders_in(&corpus.join("expected")) {
        for variant in folders_in(&corpus.join("expected").join(&set)) {
            let answers = corpus.join("expected").join(&set).join(&variant);
            for id in ids_in(&answers) {
                let po = (variant == "locales").then(|| corpus.join("po"));
                let device = (variant == "device").then(|| corpus.join("device.json"));
                let request = request(&id, vec![corpus.join("lists").join(&set)], po, device.as_deref());
                let expected = json(&answers.join(format!("{id}.json")));
                differences.extend(compare(&format!("{set}/{variant}/{id}"), "", &request, &expected));
            }
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn probes_resolve_as_in_the_reference() {
    let Some(corpus) = common::corpus("probes_resolve_as_in_the_reference") else { return };
    let mut differences = Vec::new();
    for probe in folders_in(&corpus.join("probes")) {
        let folder = corpus.join("probes").join(&probe);
        let about = json(&folder.join("probe.json"));
        let names = |key: &str| -> Vec<String> {
            about[key].as_array().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
        };
        for id in names("lists") {
            let layers = names("layers").iter().map(|layer| folder.join(layer)).collect();
            let po = (about["locales"] == true).then(|| corpus.join("po"));
            let device = (about["device"] == true).then(|| folder.join("device.json"));
            let request = request(&id, layers, po, device.as_deref());
            // What the reference accepted and is refused here need not be JSON for anyone else.
            let expected = if REFUSED.contains(&&*probe) {
                serde_json::json!({ "ok": true })
            } else {
                json(&folder.join("expected").join(format!("{id}.json")))
            };
            differences.extend(compare(&format!("{probe}:{id}"), &probe, &request, &expected));
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

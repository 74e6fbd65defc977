//! The recorded scenarios: the scheduler does what the recorded main loop did, in the order in which it did it.
//!
//! They are read from the directory in `TLC_CORPUS`, or from `shared/corpus` beside the repository; without either the test says that it
//! was skipped.

mod common;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;
use tlc_runtime::simulate::scenario::{Scenario, play};

/// Recorded defects that are not copied; `schedule.rs` has a case for the sane behaviour of each.
const NOT_COPIED: [&str; 5] =
    ["leaf_no_pytest", "empty_group", "empty_list", "parallel_all_skipped_stalls", "waived_iterations_forever"];

#[test]
fn recorded_scenarios() {
    let Some(text) = corpus().and_then(|corpus| std::fs::read_to_string(corpus.join("runtime/scenarios.json")).ok())
    else {
        eprintln!("skipped: the corpus is not here; set TLC_CORPUS to its directory");
        return;
    };
    let recorded: Vec<Value> = serde_json::from_str(&text).expect("the corpus is JSON");
    let mut differences = Vec::new();
    for entry in recorded.iter().filter(|entry| !NOT_COPIED.contains(&entry["name"].as_str().unwrap_or_default())) {
        if let Err(difference) = compare(entry) {
            differences.push(format!("{}: {difference}", entry["name"]));
        }
    }
    assert!(recorded.len() > 100, "the corpus has more scenarios than {}", recorded.len());
    assert!(differences.is_empty(), "{} differ\n{}", differences.len(), differences.join("\n"));
}

fn corpus() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    std::env::var_os("TLC_CORPUS").map(PathBuf::from).or(Some(beside)).filter(|path| path.is_dir())
}

fn compare(entry: &Value) -> Result<(), String> {
    let scenario: Scenario = serde_json::from_value(entry["scenario"].clone()).map_err(|error| error.to_string())?;
    let plan = common::plan(&scenario.tests, &scenario.options);
    let played = play(&plan, &common::SmallConditions, &scenario)?;
    let expected: Vec<String> = serde_json::from_value(entry["sequence"].clone()).map_err(|error| error.to_string())?;
    let groups = parallel_groups(&scenario.tests, "");
    if comparable(&expected, &groups) != comparable(&played.sequence, &groups) {
        return Err(format!("expected {expected:?}, got {:?}", played.sequence));
    }
    let got = serde_json::to_value(&played.states).map_err(|error| error.to_string())?;
    for (path, state) in entry["states"].as_object().into_iter().flatten() {
        for key in ["status", "count", "iterations_left", "retries_left", "shutdown_count"] {
            if state.get(key).is_some_and(|expected| *expected != got[path][key]) {
                return Err(format!("{path:?}.{key}: expected {}, got {}", state[key], got[path][key]));
            }
        }
    }
    Ok(())
}

fn parallel_groups(tests: &Value, prefix: &str) -> BTreeSet<String> {
    let mut groups = BTreeSet::new();
    for test in tests.as_array().into_iter().flatten().filter(|test| test["subtests"].is_array()) {
        let path = format!("{prefix}{}", test["id"].as_str().unwrap_or_default());
        groups.extend(parallel_groups(&test["subtests"], &format!("{path}.")));
        if test["parallel"] == Value::Bool(true) {
            groups.insert(path);
        }
    }
    groups
}

/// Members of a parallel group start together: between two other entries their order does not count.
fn comparable(sequence: &[String], groups: &BTreeSet<String>) -> Vec<String> {
    let group_of = |entry: &String| {
        let group = entry.rsplit_once('.').map(|(group, _)| group.to_owned());
        group.filter(|group| groups.contains(group))
    };
    sequence
        .chunk_by(|a, b| group_of(a).is_some() && group_of(a) == group_of(b))
        .flat_map(|chunk| {
            let mut chunk = chunk.to_vec();
            chunk.sort();
            chunk
        })
        .collect()
}

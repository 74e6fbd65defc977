//! The public suites of JSON5 and of JSON parsers, and the `json5` crate as an oracle for values.
//!
//! The suites are not part of this repository: they are looked for in `$TLC_CORPUS`, or in `shared/corpus` beside the working copy.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tlc_compiler::document::{Arena, read};
use tlc_compiler::source::SourceMap;
use tlc_plan::Data;

fn corpus(suite: &str) -> Option<PathBuf> {
    let beside = || {
        let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        above.map(|directory| directory.join("shared/corpus")).find(|directory| directory.is_dir())
    };
    let found = std::env::var_os("TLC_CORPUS").map(PathBuf::from).or_else(beside);
    let found = found.map(|corpus| corpus.join(suite)).filter(|suite| suite.is_dir());
    if found.is_none() {
        eprintln!("skipped: {suite} was not found; say where with TLC_CORPUS");
    }
    found
}

/// The files below a directory that are cases.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path
            .extension()
            .is_some_and(|extension| ["json", "json5", "js", "txt"].iter().any(|e| extension == *e))
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What the reader makes of a file; none if it is refused.
fn ours(bytes: Vec<u8>) -> Option<Data> {
    let mut sources = SourceMap::default();
    let file = sources.add(Path::new("case"), String::from_utf8(bytes).ok()?).expect("room");
    let mut arena = Arena::default();
    let (document, diagnostics) = read(&sources, file, &mut arena);
    assert!(document.root.is_some() || !diagnostics.is_empty(), "neither a value nor an error");
    diagnostics.is_empty().then(|| arena.entry(document.root.expect("a value")).to_data())
}

/// What the oracle makes of it, in a thread with room for deep nesting.
fn theirs(bytes: Vec<u8>) -> Option<Value> {
    let text = String::from_utf8(bytes).ok()?;
    let big = std::thread::Builder::new().stack_size(256 << 20);
    big.spawn(move || json5::from_str(&text).ok()).expect("a thread").join().expect("no panic")
}

/// Equal, but that the oracle has no integers of more than 64 bits.
fn same(ours: &Data, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Data::List(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Data::Object(ours), Value::Object(theirs)) => {
            let pairs = ours.iter().zip(theirs);
            ours.len() == theirs.len()
                && pairs.into_iter().all(|(ours, theirs)| **ours.0 == **theirs.0 && same(ours.1, theirs.1))
        }
        (Data::Big(ours), Value::Number(theirs)) => ours.to_string().parse().ok() == theirs.as_f64(),
        (Data::Int(ours), Value::Number(theirs)) => {
            theirs.as_i64() == Some(*ours) || theirs.as_f64() == Some(*ours as f64)
        }
        (Data::Float(ours), Value::Number(theirs)) => theirs.as_f64() == Some(*ours),
        (ours, theirs) => *ours == Data::from(theirs),
    }
}

fn name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

#[test]
fn json5_tests() {
    let Some(suite) = corpus("json5-tests") else { return };
    // They hold a number that is not finite, which tlc refuses.
    let refused =
        ["infinity.json5", "nan.json5", "negative-infinity.json5", "positive-infinity.json5", "readme-example.json5"];
    let mut count = 0;
    for path in files(&suite) {
        let valid = path.extension().is_some_and(|extension| extension == "json" || extension == "json5");
        let bytes = std::fs::read(&path).expect("readable");
        let expected = valid && !refused.contains(&&*name(&path));
        let value = ours(bytes.clone());
        assert_eq!(value.is_some(), expected, "{}", path.display());
        if let (Some(ours), Some(theirs)) = (value, theirs(bytes)) {
            assert!(same(&ours, &theirs), "{}: {ours} and {theirs}", path.display());
        }
        count += 1;
    }
    eprintln!("{count} cases of json5-tests");
    assert!(count > 100);
}

#[test]
fn json_test_suite() {
    let Some(suite) = corpus("json-test-suite") else { return };
    let (mut count, mut allowed, mut compared) = (0, 0, 0);
    for path in files(&suite) {
        let name = name(&path);
        let bytes = std::fs::read(&path).expect("readable");
        let value = ours(bytes.clone());
        let deep = ["n_structure_100000_opening_arrays.json", "n_structure_open_array_object.json"].contains(&&*name);
        let oracle = if deep { None } else { theirs(bytes) };
        match name.as_bytes()[0] {
            b'y' => assert!(value.is_some(), "{name} is valid JSON"),
            b'n' if value.is_some() => {
                assert!(oracle.is_some(), "{name} is not valid JSON5");
                allowed += 1;
            }
            b'n' if oracle.is_some() => {
                let not_finite = ["NaN", "nan", "infinity", "Inf"].iter().any(|word| name.contains(word));
                assert!(not_finite, "{name} is valid JSON5");
            }
            _ => {}
        }
        if let (Some(ours), Some(theirs)) = (value, oracle) {
            assert!(same(&ours, &theirs), "{name}: {ours} and {theirs}");
            compared += 1;
        }
        count += 1;
    }
    eprintln!("{count} cases of json-test-suite: {allowed} of `n_` are JSON5, {compared} values are the oracle's");
    assert!(count > 250);
}

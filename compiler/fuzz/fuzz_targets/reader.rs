//! Any bytes through the reader: it never panics, every place lies in the file, and where the `json5` crate accepts the text, too, both
//! have the same value.
//!
//! `cargo +nightly fuzz run reader` in the folder `compiler`. A seed corpus is a folder of `.json` and `.json5` files given after it;
//! the public suites of JSON5 and of JSON parsers are good ones. What it found so far: the oracle has no hexadecimal numbers beyond 128
//! bits. (The property tests had found a place inside of a wide character before.)

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tlc_compiler::diagnostic::Diagnostic;
use tlc_compiler::document::{Arena, Document, read};
use tlc_compiler::source::{SourceMap, Span};
use tlc_plan::Data;

/// The oracle is recursive and has no limit of its own.
const ORACLE_DEPTH: usize = 200;

fuzz_target!(|text: &str| {
    let mut sources = SourceMap::default();
    let Some(file) = sources.add(Path::new("fuzz"), text.into()) else { return };
    let mut arena = Arena::default();
    let (document, diagnostics) = read(&sources, file, &mut arena);
    places_lie_in_the_file(text, &document, &diagnostics);
    let Some(root) = document.root else {
        assert!(!diagnostics.is_empty(), "neither a value nor a message");
        return;
    };
    let ours = arena.entry(root).to_data();
    if depth(text) >= ORACLE_DEPTH {
        return;
    }
    match json5::from_str::<Value>(text) {
        Ok(theirs) if diagnostics.is_empty() => assert!(same(&ours, &theirs), "{ours} and {theirs}"),
        Ok(_) => assert!(diagnostics.iter().all(is_stricter), "refused: {diagnostics:?}"),
        // The oracle has no hexadecimal numbers beyond 128 bits.
        Err(error) if error.to_string().contains("overflow") => {}
        Err(error) => assert!(!diagnostics.is_empty(), "accepted, but: {error}"),
    }
});

fn places_lie_in_the_file(text: &str, document: &Document, diagnostics: &[Diagnostic]) {
    let lies_in = |span: Span| text.get(span.start as usize..span.end() as usize).is_some();
    for label in diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels) {
        assert!(lies_in(label.span), "{label:?}");
    }
    assert!(document.comments.iter().all(|comment| lies_in(comment.span)));
    assert!(document.json5_only.iter().all(|(span, _)| lies_in(*span)));
}

fn depth(text: &str) -> usize {
    text.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count()
}

/// What tlc refuses on purpose: numbers that are not finite or have too many digits, and halves of surrogate pairs.
fn is_stricter(diagnostic: &Diagnostic) -> bool {
    diagnostic.code == "json-number" || diagnostic.message.contains("surrogate")
}

/// Equal, but that the oracle makes floats of large integers.
fn same(ours: &Data, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Data::List(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Data::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().zip(theirs).all(|(ours, theirs)| **ours.0 == **theirs.0 && same(ours.1, theirs.1))
        }
        (Data::Big(_) | Data::Int(_), Value::Number(theirs)) => {
            theirs.to_string() == ours.to_string() || same_float(ours.to_string().parse().ok(), theirs.as_f64())
        }
        (Data::Big(ours), Value::Null) => ours.to_string().parse::<f64>().is_ok_and(f64::is_infinite),
        (Data::Float(ours), Value::Number(theirs)) => theirs.as_f64() == Some(*ours),
        (ours, theirs) => *ours == Data::from(theirs),
    }
}

/// The oracle adds the digits of a hexadecimal number up in floats, which may round more than once.
fn same_float(ours: Option<f64>, theirs: Option<f64>) -> bool {
    matches!((ours, theirs), (Some(ours), Some(theirs)) if (ours - theirs).abs() <= ours.abs() * 1e-14)
}

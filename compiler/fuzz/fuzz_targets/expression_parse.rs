//! Any text as an expression: reading it, checking its names and folding it never panics, every place lies in the text, and what is read
//! can be written into a plan and read from it again.
//!
//! How to run it, and what it found: `docs/src/fuzzing.md`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tlc_compiler::expression::{Context, check_names, fold, parse};
use tlc_plan::Data;
use tlc_plan::evaluate::{Binding, Scope};
use tlc_plan::expression::{Expression, Root};

const CONTEXTS: [Context; 4] = [Context::Argument, Context::RunIf, Context::Locals, Context::Options];

fuzz_target!(|text: &str| {
    let length = text.chars().count() as u32;
    let lies_inside = |start: u32, end: u32| assert!(start <= end && end <= length, "{start}..{end} of {length}");
    let expression = match parse(text) {
        Ok(expression) => expression,
        Err(error) => {
            assert!(!error.message.is_empty());
            return lies_inside(error.start, error.end);
        }
    };
    for place in &**expression.places() {
        lies_inside(place.start, place.end);
    }
    for context in CONTEXTS {
        for finding in check_names(&expression, context) {
            lies_inside(finding.start, finding.end);
        }
    }
    survives_the_plan(&expression);
    survives_the_plan(&fold(&expression, &scope()));
});

/// Constants are known when a list is compiled, the device is not.
fn scope() -> Scope {
    let constants = Data::from(&serde_json::json!({ "a": 1, "b": [1, 2.5, "x"], "c": { "d": null } }));
    Scope::new().with(Root::Constants, Binding::attributes(&constants)).with(Root::Device, Binding::Unresolvable)
}

fn survives_the_plan(expression: &Expression) {
    let written = serde_json::to_string(expression).expect("a tree can be written");
    let read: Expression = serde_json::from_str(&written).expect("what was written can be read");
    assert!(read == expression.without_places(), "another tree: {written}");
}

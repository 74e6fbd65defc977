//! Any text as an expression, with values for every root and the usual limits: evaluating it never panics; folding it, sending it
//! through a plan, and lower limits change nothing but that a limit may be met sooner or later. Time and memory are watched from
//! outside, with `-timeout` and `-malloc_limit_mb`.
//!
//! How to run it, and what it found: `docs/src/fuzzing.md`.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tlc_compiler::expression::{Context, check_names, fold, parse};
use tlc_plan::Data;
use tlc_plan::evaluate::{Binding, ErrorKind, Limits, Scope, evaluate_to_data};
use tlc_plan::expression::{Expression, Root};

const DATA: &str = r#"{"constants": {"n": 5, "zero": 0, "neg": -7, "f": 2.5, "big": 1180591620717411303424, "b": true,
    "nul": null, "s": "Hello World", "empty": "", "uni": "naïve 測試 ñ ß ǆ İ", "csv": "a,b,,c", "num": "42",
    "l": [3, 1, 2], "ls": ["pear", "Apple"], "ll": [[1, 2], [3, 4], []], "d": {"k": "v", "n": 1, "a-b": 2},
    "ld": [{"k": "x", "v": 1}, {"k": "y", "v": 2}], "phase": "PVT"},
  "options": {"retries": 3, "limits": [0.5, 1.5]}, "locals": {"voltage": 3.3, "port": 2, "name": "left", "dut": null},
  "device": {"component": {"has_touch": true, "cells": [4.1, 4.2]}, "vpd": {"ro": {"region": "us"}}}}"#;

static SCOPE: LazyLock<Scope> = LazyLock::new(|| scope().with(Root::Device, Binding::device(&part("device"))));
/// What is known when a list is compiled: all but the device.
static COMPILING: LazyLock<Scope> = LazyLock::new(|| scope().with(Root::Device, Binding::Unresolvable));

const FEW: Limits = Limits { steps: 2_000, memory: 64 << 10 };

fuzz_target!(|text: &str| {
    let Ok(expression) = parse(text) else { return };
    if !check_names(&expression, Context::Argument).is_empty() {
        return;
    }
    let outcome = evaluate(&expression, &Limits::default());
    assert_same(&outcome, &evaluate(&fold(&expression, &COMPILING), &Limits::default()), "folded");
    assert_same(&outcome, &evaluate(&through_a_plan(&expression), &Limits::default()), "from a plan");
    assert_same(&outcome, &evaluate(&expression, &FEW), "with few steps");
});

fn part(name: &str) -> Data {
    let data: Data = serde_json::from_str(DATA).expect("JSON");
    data.get(name).cloned().expect("a part of the scope")
}

fn scope() -> Scope {
    Scope::new()
        .with(Root::Constants, Binding::attributes(&part("constants")))
        .with(Root::Options, Binding::attributes(&part("options")))
        .with(Root::Locals, Binding::attributes(&part("locals")))
        .with(Root::Dut, Binding::null())
        .with(Root::Station, Binding::Unresolvable)
        .with(Root::StateProxy, Binding::Unresolvable)
}

/// The value as text, or the kind of the error.
fn evaluate(expression: &Expression, limits: &Limits) -> Result<String, ErrorKind> {
    evaluate_to_data(expression, &SCOPE, limits).map(|data| data.to_string()).map_err(|error| error.kind)
}

fn through_a_plan(expression: &Expression) -> Expression {
    let written = serde_json::to_string(expression).expect("a tree can be written");
    serde_json::from_str(&written).expect("what was written can be read")
}

fn assert_same(one: &Result<String, ErrorKind>, other: &Result<String, ErrorKind>, how: &str) {
    let meets_a_limit = [one, other].iter().any(|outcome| matches!(outcome, Err(ErrorKind::Limit)));
    assert!(meets_a_limit || one == other, "{one:?}, but {how} {other:?}");
}

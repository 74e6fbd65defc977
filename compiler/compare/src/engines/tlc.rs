//! Ours.

use std::hint::black_box;

use serde_json::Value;
use tlc_compiler::expression::{Context, check_names, parse};
use tlc_plan::Data;
use tlc_plan::evaluate::{Binding, Limits, Scope, evaluate, evaluate_to_data};
use tlc_plan::expression::Root;

use super::Timing;
use crate::cases::Cases;
use crate::measure;

pub(super) fn time(cases: &Cases) -> Vec<Option<Timing>> {
    let scope = scope(cases);
    cases.expressions.iter().map(|text| time_one(text, &scope)).collect()
}

pub(super) fn value(cases: &Cases, text: &str) -> Value {
    let expression = parse(text).expect("tlc reads it");
    let data = evaluate_to_data(&expression, &scope(cases), &Limits::default()).expect("tlc evaluates it");
    serde_json::from_str(&data.to_string()).expect("JSON")
}

fn scope(cases: &Cases) -> Scope {
    let part = |name: &str| Data::from(&cases.scope[name]);
    Scope::new()
        .with(Root::Constants, Binding::attributes(&part("constants")))
        .with(Root::Options, Binding::attributes(&part("options")))
        .with(Root::Locals, Binding::attributes(&part("locals")))
        .with(Root::Device, Binding::device(&part("device")))
}

fn time_one(text: &str, scope: &Scope) -> Option<Timing> {
    let expression = parse(text).ok()?;
    let limited = Limits::default();
    let unlimited = Limits { steps: u64::MAX, memory: u64::MAX };
    let evaluation =
        |limits: &Limits| measure::time(|| drop(black_box(evaluate(black_box(&expression), scope, limits))));
    let read = measure::time(|| {
        let parsed = parse(black_box(text));
        drop(black_box(parsed.map(|parsed| check_names(&parsed, Context::Argument))));
    });
    Some(Timing { read, evaluate: evaluation(&limited), unlimited: Some(evaluation(&unlimited)) })
}

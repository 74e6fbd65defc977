//! How long the expressions of real lists take: `cargo bench -p tlc-compiler --bench expressions`.
//!
//! Beside it, on the same machine, `CPython`: `python3 compiler/benches/expressions.py`.

use std::hint::black_box;
use std::time::Instant;

use tlc_compiler::expression::{Context, check_names, parse};
use tlc_plan::Data;
use tlc_plan::evaluate::{Binding, Limits, Scope, evaluate};
use tlc_plan::expression::Root;

/// The scope, and a list of expressions.
const CASES: &str = include_str!("expressions.json");

/// The time of one call in nanoseconds: the least of several batches.
fn time(mut call: impl FnMut()) -> f64 {
    let batch = |count: u32, call: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..count).for_each(|_| call());
        start.elapsed().as_nanos() as f64 / f64::from(count)
    };
    let warm = batch(100, &mut call);
    let count = (2e6 / warm.max(1.0)) as u32 + 1;
    (0..7).map(|_| batch(count, &mut call)).fold(f64::INFINITY, f64::min)
}

fn geometric_mean(times: &[f64]) -> f64 {
    (times.iter().map(|time| time.ln()).sum::<f64>() / times.len() as f64).exp()
}

fn main() {
    let cases: Data = serde_json::from_str(CASES).unwrap_or_default();
    let part = |name: &str| cases.get(name).cloned().unwrap_or_default();
    let scope = Scope::new()
        .with(Root::Constants, Binding::attributes(&part("constants")))
        .with(Root::Options, Binding::attributes(&part("options")))
        .with(Root::Locals, Binding::attributes(&part("locals")))
        .with(Root::Device, Binding::device(&part("device")));
    let unlimited = Limits { steps: u64::MAX, memory: u64::MAX };
    let (mut parses, mut limited, mut free) = (Vec::new(), Vec::new(), Vec::new());
    for text in part("expressions").as_list().unwrap_or(&[]).iter().filter_map(Data::as_str) {
        let Ok(expression) = parse(text) else { continue };
        let limits = Limits::default();
        parses.push(time(|| {
            let parsed = parse(black_box(text));
            black_box(parsed.map(|parsed| check_names(&parsed, Context::Argument)).is_ok());
        }));
        limited.push(time(|| {
            black_box(evaluate(black_box(&expression), &scope, &limits).is_ok());
        }));
        free.push(time(|| {
            black_box(evaluate(black_box(&expression), &scope, &unlimited).is_ok());
        }));
        println!("{:8.0} ns read  {:8.0} ns evaluate  {text}", parses[parses.len() - 1], limited[limited.len() - 1]);
    }
    println!("geometric means of {}:", parses.len());
    println!("{:8.1} ns read and check", geometric_mean(&parses));
    println!("{:8.1} ns evaluate, {:.1} ns without limits", geometric_mean(&limited), geometric_mean(&free));
}

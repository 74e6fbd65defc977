//! Expressions in tlc beside other engines, in one run: `cargo run --release` in this folder.
//!
//! The expressions are those of `compiler/benches/expressions.json`, in the shape of real lists, and eight heavier ones. An engine that
//! has no way to say an expression, or that says something else with it, has no time for it. CPython is measured by
//! `compiler/benches/expressions.py`, with the interpreter that `PYTHON` names, else `python3`.

mod cases;
mod engines;
mod measure;
mod table;

use cases::Cases;
use engines::{Engine, Timing};

fn main() {
    let cases = [Cases::real(), Cases::heavy()];
    let mut columns: Vec<(String, Vec<Vec<Option<Timing>>>)> = Engine::ALL
        .iter()
        .map(|engine| (engine.name().to_owned(), cases.iter().map(|cases| engine.time(cases)).collect()))
        .collect();
    let python: Option<Vec<_>> = cases.iter().map(engines::cpython::time).collect();
    match python {
        Some(times) => columns.insert(1, ("CPython".into(), times)),
        None => eprintln!("there is no CPython: set PYTHON to an interpreter"),
    }
    println!("{}", table::real(&columns));
    println!("{}", table::heavy(&cases[1], &columns));
}

//! CPython: `compile` and `eval`, in a process of its own.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::Timing;
use crate::cases::Cases;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/expressions.py");

/// The times of all expressions; `None` without an interpreter.
pub fn time(cases: &Cases) -> Option<Vec<Option<Timing>>> {
    let mut input = cases.scope.clone();
    input["expressions"] = cases.expressions.clone().into();
    let mut child = Command::new(std::env::var("PYTHON").unwrap_or_else(|_| "python3".into()))
        .args([SCRIPT, "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(input.to_string().as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    let times: Vec<[Value; 2]> = serde_json::from_slice(&output.stdout).ok()?;
    Some(times.iter().map(|[read, evaluate]| timing(read.as_f64()?, evaluate.as_f64()?)).collect())
}

fn timing(read: f64, evaluate: f64) -> Option<Timing> {
    Some(Timing { read, evaluate, unlimited: None })
}

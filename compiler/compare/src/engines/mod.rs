//! The engines: each times every expression that it can say, after its value was compared with that of tlc.

mod cel;
pub mod cpython;
mod jinja;
mod starlark;
mod tlc;

use serde_json::Value;

use crate::cases::Cases;

/// What one expression takes, in nanoseconds.
#[derive(Clone, Copy)]
pub struct Timing {
    /// To read it: for tlc, to check its names, too.
    pub read: f64,
    /// To evaluate what was read.
    pub evaluate: f64,
    /// The same without limits, where there are some.
    pub unlimited: Option<f64>,
}

/// An engine within this process.
#[derive(Clone, Copy)]
pub enum Engine {
    /// Ours.
    Tlc,
    /// Templates.
    Minijinja,
    /// The Common Expression Language.
    Cel,
    /// The language of build files.
    Starlark,
}

impl Engine {
    /// In the order of the table.
    pub const ALL: [Self; 4] = [Self::Tlc, Self::Minijinja, Self::Cel, Self::Starlark];

    /// As the table calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tlc => "tlc",
            Self::Minijinja => "minijinja",
            Self::Cel => "cel",
            Self::Starlark => "starlark",
        }
    }

    /// The times of all expressions, in their order.
    pub fn time(self, cases: &Cases) -> Vec<Option<Timing>> {
        match self {
            Self::Tlc => tlc::time(cases),
            Self::Minijinja => jinja::time(cases),
            Self::Cel => cel::time(cases),
            Self::Starlark => starlark::time(cases),
        }
    }
}

/// Whether an engine means the same as tlc; says so if not.
fn agrees(engine: &str, cases: &Cases, expression: &str, theirs: Option<&Value>) -> bool {
    let ours = tlc::value(cases, expression);
    let agrees = theirs.is_some_and(|theirs| same(theirs, &ours));
    if !agrees {
        let short = |value: String| value.chars().take(60).collect::<String>();
        let theirs = theirs.map_or("no value".into(), |theirs| short(theirs.to_string()));
        eprintln!("{engine}: {expression}: {theirs}, but tlc: {}", short(ours.to_string()));
    }
    agrees
}

/// Numbers are the same if they are equal, whatever their types.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (a, b) => a == b,
    }
}

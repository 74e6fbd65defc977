//! An expression that stands in no list: its value, or what `check` would say if it were an argument.

use tlc_plan::Data;
use tlc_plan::evaluate::{Limits, Scope, evaluate_to_data};

use crate::diagnostic::{Diagnostic, Severity};
use crate::expression::{Context, check_names, parse};
use crate::source::{SourceMap, Span};

use super::evaluation::{evaluation_finding_at, syntax_finding_at};

/// Evaluates the text of an expression, which is all of this span.
pub fn try_out(expression: Span, scope: &Scope, sources: &SourceMap) -> Result<Data, Vec<Diagnostic>> {
    let text = sources.slice(expression);
    let part = |start: u32, end: u32| Span::new(offset(expression, text, start), offset(expression, text, end));
    let refused =
        |error: crate::expression::SyntaxError| syntax_finding_at(part(error.start, error.end), error, Severity::Error);
    let parsed = parse(text).map_err(|error| vec![refused(error)])?;
    let findings: Vec<_> = check_names(&parsed, Context::Argument).into_iter().map(refused).collect();
    if !findings.is_empty() {
        return Err(findings);
    }
    evaluate_to_data(&parsed, scope, &Limits::default())
        .map_err(|error| vec![evaluation_finding_at(part(error.start, error.end), &error, Severity::Error)])
}

/// Where a code point of the text is in its file, in bytes.
fn offset(expression: Span, text: &str, code_point: u32) -> u32 {
    let within = text.char_indices().nth(code_point as usize).map_or(text.len(), |(at, _)| at);
    expression.start + within as u32
}

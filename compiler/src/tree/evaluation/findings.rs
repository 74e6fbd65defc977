//! What is wrong with an expression, as a diagnostic at its place in the file.

use tlc_plan::evaluate::{ErrorKind, EvaluationError};

use crate::diagnostic::{Diagnostic, Severity};
use crate::document::source_offset;
use crate::expression::{SyntaxError, SyntaxErrorKind};
use crate::source::{SourceMap, Span};

/// The place of a part of an expression: code points of its text to bytes of the file.
pub fn place(sources: &SourceMap, literal: Span, skip: usize, start: u32, end: u32) -> Span {
    let offset = |at: u32| source_offset(sources, literal, skip + at as usize);
    Span::new(offset(start), offset(end).max(offset(start)))
}

/// A mistake in the text of an expression.
pub fn syntax_finding(
    error: SyntaxError,
    severity: Severity,
    literal: Span,
    skip: usize,
    sources: &SourceMap,
) -> Diagnostic {
    let span = place(sources, literal, skip, error.start, error.end);
    syntax_finding_at(span, error, severity)
}

/// A mistake in the text of an expression, at this place.
pub(in crate::tree) fn syntax_finding_at(span: Span, error: SyntaxError, severity: Severity) -> Diagnostic {
    let (code, text) = match error.kind {
        SyntaxErrorKind::Syntax => ("expression-syntax", "here"),
        SyntaxErrorKind::Refused => ("expression-refused", "not allowed"),
        SyntaxErrorKind::Limit => ("expression-limit", "here"),
        SyntaxErrorKind::UnknownName | SyntaxErrorKind::RootNotAllowed => ("unknown-name", "not known here"),
        SyntaxErrorKind::RefusedName => ("refused-name", "not available"),
        SyntaxErrorKind::LocalsInRunIf => ("locals-in-run-if", "not the test's locals"),
    };
    let (code, severity) = match (code, severity) {
        ("locals-in-run-if", _) => (code, Severity::Denied),
        (_, Severity::Error) => (code, severity),
        (_, Severity::Note | Severity::Warning | Severity::Denied) => ("argument-fails", severity),
    };
    let message = match code {
        "argument-fails" => format!("the expression fails: {}", error.message),
        _ => error.message,
    };
    let help = error.help.unwrap_or_else(|| how_to_write(error.kind).to_owned());
    Diagnostic::new(code, severity, message).label(span, text).help(help)
}

/// What to do about a mistake that does not say more itself.
fn how_to_write(kind: SyntaxErrorKind) -> &'static str {
    match kind {
        SyntaxErrorKind::Syntax => "an expression is one value, written as in Python; `tlc eval` tries one",
        SyntaxErrorKind::Limit => "make several of it: `locals` can hold parts",
        SyntaxErrorKind::Refused | SyntaxErrorKind::RefusedName => "an expression computes with plain data only",
        SyntaxErrorKind::UnknownName | SyntaxErrorKind::RootNotAllowed | SyntaxErrorKind::LocalsInRunIf => {
            "`tlc explain unknown-name` says which names are known where; a text stands between quotes"
        }
    }
}

/// An evaluation that failed: of locals or options, which refuses the list; of an argument, which fails its test; or one that
/// other device data may save.
pub fn evaluation_finding(
    error: &EvaluationError,
    severity: Severity,
    literal: Span,
    skip: usize,
    sources: &SourceMap,
) -> Diagnostic {
    evaluation_finding_at(place(sources, literal, skip, error.start, error.end), error, severity)
}

/// An evaluation that failed, at this place.
pub(in crate::tree) fn evaluation_finding_at(span: Span, error: &EvaluationError, severity: Severity) -> Diagnostic {
    let (code, what) = match severity {
        Severity::Error => ("evaluation-fails", "the expression fails"),
        Severity::Denied => ("argument-fails", "the expression fails"),
        Severity::Note | Severity::Warning => ("undecided-value", "without device data, the expression fails"),
    };
    let usual = || {
        if error.message.starts_with("'NoneType'") && code != "undecided-value" {
            OF_NOTHING
        } else {
            how_to_save(error.kind, code)
        }
    };
    let help = error.help.clone().unwrap_or_else(|| usual().to_owned());
    Diagnostic::new(code, severity, format!("{what}: {}", error.message)).label(span, error.kind.name()).help(help)
}

/// What to do where nothing was found before a name.
const OF_NOTHING: &str = "what stands before the name is null here; `dut` and `station` are in `locals` and `options`, and known to arguments when a test starts";

/// What to do about a failure that does not say more itself.
fn how_to_save(kind: ErrorKind, code: &str) -> &'static str {
    if code == "undecided-value" {
        return "`--device-data FILE` decides it; `device.NAME or DEFAULT` has a value without";
    }
    match kind {
        ErrorKind::Index => {
            "positions count from 0; `x[i] if len(x) > i else DEFAULT` has a value also where there is none"
        }
        ErrorKind::Attribute | ErrorKind::Key | ErrorKind::Name => {
            "`.get(\"NAME\", DEFAULT)` has a value also where there is none"
        }
        ErrorKind::Type | ErrorKind::Value | ErrorKind::Overflow => {
            "look at the values that it reads; `int()`, `float()` and `str()` convert them"
        }
        ErrorKind::ZeroDivision => "look at the divisor: `a / b if b else 0`",
        ErrorKind::Limit => "an expression has bounded time and memory; compute less of it, or in the test",
        ErrorKind::NotPlain => "the result must be data: `list()` and `dict()` make some",
        ErrorKind::Refused | ErrorKind::Unresolvable => "an expression computes with plain data only",
    }
}

//! What the compiler has to say: a code, a severity, a message, places, and the next step.
//!
//! A diagnostic is a value, built where the problem is found by a function that names it. It knows spans and no text: whoever shows it
//! has the [`SourceMap`](crate::source::SourceMap).

use std::path::Path;

use crate::source::{ReadError, Span};

/// A finding about the lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable name, for example `unknown-parent`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: a lower-case fragment, names in backticks.
    pub message: String,
    /// Where it is: the first is the place itself, others say where its cause lies. Empty only where there is no file.
    pub labels: Vec<Label>,
    /// The next step.
    pub help: Option<String>,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably not meant.
    Warning,
    /// The list can be used, but a line would do something else than its author wrote. Counts as an error.
    Denied,
    /// The list is refused.
    Error,
}

/// A place and what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is there; may be empty.
    pub text: String,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: &'static str, message: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message).label(span, text)
    }

    /// A finding that counts as an error and does not stop the list from being used.
    pub fn denied(code: &'static str, message: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        Self::new(code, Severity::Denied, message).label(span, text)
    }

    /// A warning at a place.
    pub fn warning(code: &'static str, message: impl Into<String>, span: Span, text: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message).label(span, text)
    }

    /// A finding without a place.
    pub fn new(code: &'static str, severity: Severity, message: impl Into<String>) -> Self {
        Self { code, severity, message: message.into(), labels: Vec::new(), help: None }
    }

    /// Adds a place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Severity {
    /// Its word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Denied | Self::Error => "error",
        }
    }
}

/// Longer texts are no names, and comparing them takes long.
const LONGEST_NAME: usize = 200;

/// A file that is there and cannot be read; `named_at` is where it is asked for.
pub fn unreadable(path: &Path, error: &ReadError, named_at: Option<Span>) -> Diagnostic {
    let message = format!("`{}` cannot be read: {error}", path.display());
    let (span, text) = match (error, named_at) {
        (ReadError::NotUtf8(_, span), _) => {
            return Diagnostic::error("not-utf8", message, *span, "the first byte that is not UTF-8")
                .help("save the file as UTF-8");
        }
        (_, Some(span)) => (span, "asked for here"),
        (ReadError::Refused(span, _) | ReadError::TooLarge(span), None) => (*span, "this file"),
        (ReadError::NotFound, None) => (Span::default(), "this file"),
    };
    let help = match error {
        ReadError::TooLarge(_) => "split it into several lists",
        ReadError::NotFound | ReadError::Refused(..) | ReadError::NotUtf8(..) => "look at its type and its permissions",
    };
    Diagnostic::error("unreadable-file", message, span, text).help(help)
}

/// The name that was probably meant: the nearest of `known`, if it is near enough.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = name.chars().count();
    let limit = (length / 3).max(1);
    known
        .into_iter()
        .filter(|candidate| length <= LONGEST_NAME && candidate.chars().count().abs_diff(length) <= limit)
        .map(|candidate| (strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean ...?`, if a known name is near.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, known).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// How many unknown names of one kind are compared with the known ones: of many the first are enough, and each costs as much as all known
/// names are long.
const MAX_SUGGESTIONS: usize = 20;

/// Counts the unknown names of one kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Suggestions {
    asked: usize,
}

impl Suggestions {
    /// The name that was probably meant, if this is one of the first that is asked for.
    pub fn nearest<'a>(&mut self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
        self.asked += 1;
        if self.asked > MAX_SUGGESTIONS { None } else { nearest(name, known) }
    }

    /// `did you mean ...?`, if a known name is near and this is one of the first that is asked for.
    pub fn did_you_mean<'a>(&mut self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
        self.nearest(name, known).map(|candidate| format!("did you mean `{candidate}`?"))
    }
}

/// Puts diagnostics in the order of their places, worst first at one place, and leaves out what was said twice.
pub fn settle(diagnostics: &mut Vec<Diagnostic>) {
    let place = |diagnostic: &Diagnostic| diagnostic.labels.first().map(|label| label.span);
    diagnostics.sort_by_key(|diagnostic| (place(diagnostic), std::cmp::Reverse(diagnostic.severity)));
    let mut seen = hashbrown::HashSet::new();
    diagnostics.retain(|diagnostic| seen.insert((diagnostic.code, place(diagnostic), diagnostic.message.clone())));
}

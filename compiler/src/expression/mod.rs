//! From the text of an expression to a tree: a scan of its brackets, the grammar, the tree, a check of its names, and folding.
//!
//! A text comes in, a [`tlc_plan::expression::Expression`] or a [`SyntaxError`] goes out. What it evaluates to is not known here, except
//! by [`fold`], which asks `tlc_plan`.

mod comprehension;
mod fold;
mod fstring;
mod grammar;
mod literal;
mod names;
mod operand;
mod scan;
mod tree;

use hashbrown::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

pub use fold::fold;
pub use names::{Context, check_names};
pub use scan::{MAX_BRACKETS, MAX_LENGTH};
use tlc_plan::expression::Expression;

/// What is wrong with an expression, before it is evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// What kind of mistake.
    pub kind: SyntaxErrorKind,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Where it begins, in code points of the expression's text from 0.
    pub start: u32,
    /// Where it ends, exclusive.
    pub end: u32,
}

/// The kinds of mistakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SyntaxErrorKind {
    /// It is no expression.
    Syntax,
    /// It is Python, but expressions do not have it: lambda, generator expressions, assignments, …
    Refused,
    /// It is too long or too deeply nested.
    Limit,
    /// A name that nothing binds.
    UnknownName,
    /// A builtin of Python's that expressions do not have.
    RefusedName,
    /// A root that is not bound in this context.
    RootNotAllowed,
    /// `locals` in a `run_if`: Python's function, so that every use of it fails and the test always runs (reference: Q1).
    LocalsInRunIf,
}

impl SyntaxErrorKind {
    /// Its name in the output of `tlc eval`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Syntax => "SyntaxError",
            Self::Refused => "Refused",
            Self::Limit => "LimitError",
            Self::UnknownName | Self::RootNotAllowed | Self::LocalsInRunIf => "NameError",
            Self::RefusedName => "RefusedName",
        }
    }
}

/// Reads an expression: the text after `eval! `, or that of a `run_if`.
pub fn parse(text: &str) -> Result<Expression, SyntaxError> {
    scan::scan(text).and_then(|part| tree::read(text, part)).map_err(|mistake| mistake.placed(text))
}

/// Reads an expression, unless this process did so lately.
pub fn parsed(text: &str) -> Arc<Result<Expression, SyntaxError>> {
    if let Some(known) = lately().find(text) {
        return known;
    }
    let parsed = Arc::new(parse(text));
    lately().keep(text.into(), parsed.clone());
    parsed
}

/// What was read lately: at most twice [`KEPT`] texts. What comes of one depends on the text alone, so all compilations can share it.
#[derive(Default)]
struct Lately {
    recent: Kept,
    /// What was recent before; what is not asked for again is forgotten with it.
    older: Kept,
}

type Kept = HashMap<Box<str>, Arc<Result<Expression, SyntaxError>>>;

/// How many texts are read before what was not asked for since is forgotten.
const KEPT: usize = 2048;

/// Longer texts are not kept, in bytes.
const LONGEST_KEPT: usize = 1000;

fn lately() -> MutexGuard<'static, Lately> {
    static LATELY: LazyLock<Mutex<Lately>> = LazyLock::new(Mutex::default);
    LATELY.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lately {
    fn find(&mut self, text: &str) -> Option<Arc<Result<Expression, SyntaxError>>> {
        if let Some(known) = self.recent.get(text) {
            return Some(known.clone());
        }
        let (text, known) = self.older.remove_entry(text)?;
        self.keep(text, known.clone());
        Some(known)
    }

    fn keep(&mut self, text: Box<str>, parsed: Arc<Result<Expression, SyntaxError>>) {
        if text.len() > LONGEST_KEPT {
            return;
        }
        if self.recent.len() == KEPT {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(text, parsed);
    }
}

/// Expressions by their texts, so that equal texts are read once.
#[derive(Debug, Default)]
pub struct Expressions {
    known: HashMap<Arc<str>, Result<Arc<Expression>, SyntaxError>>,
}

impl Expressions {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads an expression, unless that has been done.
    pub fn parse(&mut self, text: &str) -> Result<Arc<Expression>, SyntaxError> {
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        let parsed = parse(text).map(Arc::new);
        self.known.insert(text.into(), parsed.clone());
        parsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_lately_is_the_same_and_does_not_grow() {
        let first = parsed("constants.a + 1");
        assert!(Arc::ptr_eq(&first, &parsed("constants.a + 1")));
        for number in 0..3 * KEPT {
            let text = format!("constants.a + {number}");
            assert_eq!(*parsed(&text), parse(&text));
        }
        assert_eq!(*first, *parsed("constants.a + 1"));
        assert!(parsed("constants.").is_err() && parsed("constants.").is_err());
        let lately = lately();
        assert!(lately.recent.len() <= KEPT && lately.older.len() <= KEPT);
    }
}

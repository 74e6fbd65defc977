//! Why an evaluation fails.

use std::fmt;

use crate::expression::Id;

/// A failed evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvaluationError {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// What is wrong.
    pub message: String,
    /// What to write instead, if that is known.
    pub help: Option<String>,
    /// Where the part that failed begins in the expression's text, in code points from 0.
    pub start: u32,
    /// Where it ends, exclusive.
    pub end: u32,
    /// The part that failed.
    pub node: Id,
}

/// The kinds of failure: Python's exceptions, and our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// An attribute that is not there.
    Attribute,
    /// An index outside of a sequence.
    Index,
    /// A key that is not there.
    Key,
    /// More than a limit allows.
    Limit,
    /// A name that is not bound.
    Name,
    /// The result is no plain data.
    NotPlain,
    /// A number that is too large for a float.
    Overflow,
    /// Something that expressions may not do.
    Refused,
    /// A type that an operation does not work with.
    Type,
    /// It depends on what is not known here: `dut`, `station`, `state_proxy`, or `device`.
    Unresolvable,
    /// A value that an operation does not work with.
    Value,
    /// A division by zero.
    ZeroDivision,
}

impl ErrorKind {
    /// Its name: that of Python's exception, if it is one.
    pub fn name(self) -> &'static str {
        match self {
            Self::Attribute => "AttributeError",
            Self::Index => "IndexError",
            Self::Key => "KeyError",
            Self::Limit => "LimitError",
            Self::Name => "NameError",
            Self::NotPlain => "NotPlain",
            Self::Overflow => "OverflowError",
            Self::Refused => "Refused",
            Self::Type => "TypeError",
            Self::Unresolvable => "Unresolvable",
            Self::Value => "ValueError",
            Self::ZeroDivision => "ZeroDivisionError",
        }
    }
}

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)
    }
}

impl std::error::Error for EvaluationError {}

/// A failure on its way out; one word wide, as nearly every function can return one.
#[derive(Debug)]
pub(crate) struct Failure(Box<Cause>);

#[derive(Debug)]
pub(crate) struct Cause {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) node: Option<Id>,
}

impl std::ops::Deref for Failure {
    type Target = Cause;

    fn deref(&self) -> &Cause {
        &self.0
    }
}

impl Failure {
    #[cold]
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Cause { kind, message: message.into(), help: None, node: None }))
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Says where it happened, unless that is known more precisely.
    #[cold]
    pub(crate) fn at(mut self, node: Id) -> Self {
        self.0.node.get_or_insert(node);
        self
    }
}

pub(crate) fn attribute(message: impl Into<String>) -> Failure {
    Failure::new(ErrorKind::Attribute, message)
}

pub(crate) fn index(message: impl Into<String>) -> Failure {
    Failure::new(ErrorKind::Index, message)
}

pub(crate) fn key(message: impl Into<String>) -> Failure {
    Failure::new(ErrorKind::Key, message)
}

pub(crate) fn limit(message: impl Into<String>) -> Failure {
    Failure::new(ErrorKind::Limit, message)
}

pub(crate) fn name(message: impl Into<String>) -> Failure {
    Failure::new(ErrorKind::Name, message)
}

pub(crate) fn overflow(message: impl Into<String>) -> Failure {
    Failure::new(ErrorKind::Overflow, message)
}

pub(crate) fn refused(message: impl Into<String>) -> Failure {
    Failure::new(ErrorKind::Refused, message)
}

pub(crate) fn r#type(message: impl Into<String>) -> Failure {
    Failure::new(ErrorKind::Type, message)
}

pub(crate) fn value(message: impl Into<String>) -> Failure {
    Failure::new(ErrorKind::Value, message)
}

pub(crate) fn zero_division(message: impl Into<String>) -> Failure {
    Failure::new(ErrorKind::ZeroDivision, message)
}

//! What Python tests declare about their arguments, and whether given arguments fit.
//!
//! The source of a test comes in, its `ARGS` go out; nothing is executed. What cannot be known without executing is said to be
//! unchecked and never guessed (reference: T).

mod check;
mod classes;
mod declaring;
mod prompts;
mod python;
mod schema;

use std::fmt;

use tlc_plan::Data;

use crate::source::{FileId, SourceMap, Span};

/// What a test's source says about its arguments.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Its declaration.
    Declared(Declaration),
    /// Nothing that could be known.
    Unchecked(Unchecked),
    /// No test can be run from it.
    Unusable(Unusable),
}

/// Why a source is surely no Python test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It is no Python: what the parser says, and where.
    Syntax(Unchecked),
    /// It defines no test class.
    NoClass,
    /// It defines several; the names of the first two.
    Classes(Span, Span),
}

/// Why something is not checked, and where it stands in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unchecked {
    /// What cannot be known: a lower-case fragment.
    pub reason: String,
    /// Where it stands.
    pub span: Span,
}

/// The arguments that a test declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Declaration {
    /// The name of the test's class.
    pub class: Span,
    /// The class, or one that it is derived from, has `ARGS`. A test without says nothing about its arguments, which is no mistake.
    pub is_written: bool,
    /// The arguments that are known, in their order.
    pub arguments: Vec<Argument>,
    /// There may be more arguments than those.
    pub open: Option<Unchecked>,
    /// What the declaration itself has wrong; a test with such a declaration cannot run.
    pub faults: Vec<Fault>,
}

/// An argument that a test declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Where its declaration stands.
    pub span: Span,
    /// Its types, one of which a value must have.
    pub types: Types,
    /// What it is if it is not given.
    pub default: Fallback,
    /// It is a text for people: a string, or an object of locales.
    pub i18n: bool,
    /// What else a value must be.
    pub schema: Schema,
}

/// The types of an argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Types {
    /// One of these.
    Known(Vec<Type>),
    /// Something that is only known when the test runs.
    Unknown(Unchecked),
}

/// A type of an argument: a Python type, or an enumeration.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// `int`, which `True` and `False` are, too.
    Int,
    /// `float`, which no integer is.
    Float,
    /// `bool`.
    Bool,
    /// `str`.
    Str,
    /// `list`, which no tuple is.
    List,
    /// `tuple`, which no list is.
    Tuple,
    /// `dict`.
    Dict,
    /// `type(None)`.
    Null,
    /// One of these values.
    Enum(Vec<Data>),
}

/// What an argument is if it is not given.
#[derive(Clone, Debug, PartialEq)]
pub enum Fallback {
    /// It must be given.
    Required,
    /// This value. `null` also allows `null` to be given.
    Value(Data),
    /// A value that is only known when the test runs.
    Unknown,
}

/// The schema of an argument.
#[derive(Clone, Debug, PartialEq)]
pub enum Schema {
    /// None.
    Nothing,
    /// A JSON schema.
    Known(Data),
    /// One that is only known when the test runs.
    Unknown(Unchecked),
}

/// A mistake in a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// Where it stands.
    pub span: Span,
}

/// The value of an argument in a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// Data.
    Data(Data),
    /// A tuple that an expression gave; it is data otherwise.
    Tuple(Data),
    /// Something that is only known at the station; it fits everything.
    Unknown,
}

/// Something about an argument that does not fit its declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The argument's name.
    pub argument: String,
    /// What is wrong.
    pub kind: ProblemKind,
    /// Where the argument is declared, if it is.
    pub declared: Option<Span>,
}

/// What is wrong with an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// It is required, and is not given.
    Missing,
    /// Its type is another one: the declared ones, and what was found.
    WrongType(String, String),
    /// Its schema does not allow it, for this reason.
    Schema(String),
    /// A text in locales without English.
    NoEnglish,
    /// The test does not declare it; perhaps this one was meant.
    Undeclared(Option<String>),
}

/// The prompts that a Python source asks, and where it may have more of them from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asking {
    /// Its calls of the SDK's functions, in the order of the source.
    pub calls: Vec<PromptCall>,
    /// The modules that it imports: dotted names, dots before them as in the source; what comes from a module may be one itself.
    pub imports: Vec<String>,
    /// Why nothing is known of it.
    pub unchecked: Option<Unchecked>,
}

/// A call that asks a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptCall {
    /// The name of the prompt.
    pub name: PromptName,
    /// The function of the SDK.
    pub function: String,
    /// What is asked, if that is written as a text.
    pub text: Option<String>,
    /// Where it stands.
    pub span: Span,
}

/// The name of a prompt, as far as the source says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromptName {
    /// This.
    Known(String),
    /// None, so that it has a number: its place among the prompts of its attempt, taken from its place in the source.
    Place(usize),
    /// It is only known when the test runs.
    Unknown,
}

impl Asking {
    /// Reads the prompts of a Python source.
    pub fn read(sources: &SourceMap, file: FileId) -> Self {
        prompts::read(sources.text(file), sources.base(file))
    }
}

impl Declaration {
    /// Reads the declaration of the one test class in a Python source.
    pub fn read(sources: &SourceMap, file: FileId) -> Reading {
        python::read(sources.text(file), sources.base(file))
    }

    /// An argument by its name.
    pub fn argument(&self, name: &str) -> Option<&Argument> {
        self.arguments.iter().find(|argument| argument.name == name)
    }

    /// What does not fit, in the order of the declaration; undeclared arguments come last, sorted.
    pub fn check<'a>(&self, given: impl IntoIterator<Item = (&'a str, Given)>) -> Vec<Problem> {
        check::check(self, &given.into_iter().collect())
    }

    /// What of the declaration cannot be checked.
    pub fn unchecked(&self) -> Vec<&Unchecked> {
        let of_arguments = self.arguments.iter().flat_map(|argument| {
            let types = if let Types::Unknown(unchecked) = &argument.types { Some(unchecked) } else { None };
            let schema = if let Schema::Unknown(unchecked) = &argument.schema { Some(unchecked) } else { None };
            [types, schema]
        });
        of_arguments.chain([self.open.as_ref()]).flatten().collect()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.argument;
        match &self.kind {
            ProblemKind::Missing => write!(f, "the argument `{name}` is required, found none"),
            ProblemKind::WrongType(expected, found) => write!(f, "the argument `{name}` is {expected}, found {found}"),
            ProblemKind::Schema(reason) => write!(f, "the argument `{name}` does not fit its schema: {reason}"),
            ProblemKind::NoEnglish => write!(f, "the argument `{name}` has no text for `en-US`"),
            ProblemKind::Undeclared(_) => write!(f, "the test declares no argument `{name}`"),
        }
    }
}

//! From a template to data: what a station does with arguments when an attempt starts.

use std::fmt;
use std::sync::Arc;

use crate::data::Object;
use crate::evaluate::{ErrorKind, Limits, Scope, evaluate_to_data};
use crate::plan::ExpressionSource;
use crate::template::ExpressionUse;
use crate::{Data, Plan, Template};

/// An expression that failed, with its place in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolveError {
    /// What kind of failure; [`ErrorKind::Refused`] for a [`Template::Broken`].
    pub kind: ErrorKind,
    /// What is wrong.
    pub message: String,
    /// What to write instead, if that is known.
    pub help: Option<String>,
    /// Where the failing part stands; none for a [`Template::Broken`].
    pub place: Option<ListPlace>,
}

/// A place in a test list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListPlace {
    /// The file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The column of the first code point, from 1.
    pub column: u32,
    /// The column after the last one; the same line unless a text with line breaks is written with a line continuation.
    pub end_column: u32,
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => {
                write!(f, "{}:{}:{}: {}: {}", place.file, place.line, place.column, self.kind.name(), self.message)
            }
            None => write!(f, "{}: {}", self.kind.name(), self.message),
        }
    }
}

impl std::error::Error for ResolveError {}

impl ExpressionSource {
    /// The place in the file of a part of the text, given in code points.
    pub fn place(&self, start: u32, end: u32) -> ListPlace {
        let column = |offset: u32| {
            let further =
                self.escapes.iter().take_while(|(at, _)| *at < offset).last().map_or(0, |(_, further)| *further);
            self.column + offset + further
        };
        ListPlace { file: Arc::clone(&self.file), line: self.line, column: column(start), end_column: column(end) }
    }
}

/// Evaluates every expression of a template. Each expression has its own limits.
pub fn resolve(template: &Template, plan: &Plan, scope: &Scope, limits: &Limits) -> Result<Data, ResolveError> {
    match template {
        Template::Data(data) => Ok(data.clone()),
        Template::Expression(place) => resolve_expression(*place, plan, scope, limits),
        Template::Broken(message) => {
            Err(ResolveError { kind: ErrorKind::Refused, message: message.to_string(), help: None, place: None })
        }
        Template::List(items) => {
            items.iter().map(|item| resolve(item, plan, scope, limits)).collect::<Result<_, _>>().map(Data::list)
        }
        Template::Object(members) => members
            .iter()
            .map(|(key, value)| Ok((Arc::clone(key), resolve(value, plan, scope, limits)?)))
            .collect::<Result<Object, _>>()
            .map(Data::object),
    }
}

fn resolve_expression(place: ExpressionUse, plan: &Plan, scope: &Scope, limits: &Limits) -> Result<Data, ResolveError> {
    let Some(expression) = plan.expressions.get(place.expression as usize) else {
        let message = "the plan has no such expression".into();
        return Err(ResolveError { kind: ErrorKind::Refused, message, help: None, place: None });
    };
    evaluate_to_data(expression, scope, limits).map_err(|error| {
        let source = plan.sources.get(place.source as usize);
        let place = source.map(|source| {
            let part = source.places.get(error.node.index()).copied().unwrap_or_default();
            source.place(part.start, part.end)
        });
        ResolveError { kind: error.kind, message: error.message, help: error.help, place }
    })
}

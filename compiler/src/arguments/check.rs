//! Given arguments against a declaration (reference: T2, T3, T5, T6).

use std::collections::BTreeMap;

use tlc_plan::Data;

use super::schema::{self, Verdict};
use super::{Argument, Declaration, Fallback, Given, Problem, ProblemKind, Schema, Type, Types};
use crate::diagnostic::nearest;

/// What does not fit.
pub(super) fn check(declaration: &Declaration, given: &BTreeMap<&str, Given>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for argument in &declaration.arguments {
        let kind = match given.get(argument.name.as_str()) {
            None if argument.default == Fallback::Required => Some(ProblemKind::Missing),
            None => None,
            Some(value) => of_value(argument, value),
        };
        let declared = Some(argument.span);
        problems.extend(kind.map(|kind| Problem { argument: argument.name.clone(), kind, declared }));
    }
    if declaration.open.is_none() {
        problems.extend(given.keys().filter(|name| declaration.argument(name).is_none()).map(|name| {
            let names = declaration.arguments.iter().map(|argument| argument.name.as_str());
            let kind = ProblemKind::Undeclared(nearest(name, names).map(str::to_owned));
            Problem { argument: (*name).to_owned(), kind, declared: None }
        }));
    }
    problems
}

fn of_value(argument: &Argument, given: &Given) -> Option<ProblemKind> {
    let (Given::Data(value) | Given::Tuple(value)) = given else { return None };
    if !fits(argument, given) {
        return Some(ProblemKind::WrongType(expected(argument), found(given)));
    }
    if argument.i18n && value.as_object().is_some() && value.get("en-US").is_none() {
        return Some(ProblemKind::NoEnglish);
    }
    // A schema is not asked about `None`, which the test takes if it is the default.
    let Schema::Known(schema) = &argument.schema else { return None };
    if matches!(value, Data::Null) {
        return None;
    }
    match schema::verdict(schema, value) {
        Verdict::Fits | Verdict::Unsure => None,
        Verdict::Violates(reason) => Some(ProblemKind::Schema(reason)),
    }
}

fn fits(argument: &Argument, given: &Given) -> bool {
    let Types::Known(types) = &argument.types else { return true };
    let null = matches!(given, Given::Data(Data::Null));
    let null_is_default = matches!(argument.default, Fallback::Value(Data::Null) | Fallback::Unknown);
    (null && null_is_default) || types.iter().any(|known| is_instance(known, given))
}

/// Python's `isinstance`, and membership for an enumeration.
pub(super) fn is_instance(known: &Type, given: &Given) -> bool {
    let value = match given {
        Given::Data(value) => value,
        Given::Tuple(value) => return *known == Type::Tuple || is_member(known, value),
        Given::Unknown => return true,
    };
    match known {
        Type::Int => matches!(value, Data::Int(_) | Data::Big(_) | Data::Bool(_)),
        Type::Float => matches!(value, Data::Float(_)),
        Type::Bool => matches!(value, Data::Bool(_)),
        Type::Str => matches!(value, Data::String(_)),
        Type::List => matches!(value, Data::List(_)),
        Type::Tuple => false,
        Type::Dict => matches!(value, Data::Object(_)),
        Type::Null => matches!(value, Data::Null),
        Type::Enum(_) => is_member(known, value),
    }
}

fn is_member(known: &Type, value: &Data) -> bool {
    matches!(known, Type::Enum(members) if members.contains(value))
}

/// The declared types, for a message.
fn expected(argument: &Argument) -> String {
    let Types::Known(types) = &argument.types else { return String::new() };
    let mut words: Vec<String> = types.iter().map(word).collect();
    if argument.default == Fallback::Value(Data::Null) && !types.contains(&Type::Null) {
        words.push("`null`".into());
    }
    let last = words.pop().unwrap_or_default();
    if words.is_empty() { last } else { format!("{} or {last}", words.join(", ")) }
}

fn word(known: &Type) -> String {
    match known {
        Type::Int => "an integer".into(),
        Type::Float => "a number with a fraction".into(),
        Type::Bool => "`true` or `false`".into(),
        Type::Str => "a string".into(),
        Type::List => "an array".into(),
        Type::Tuple => "a tuple, which only an expression gives".into(),
        Type::Dict => "an object".into(),
        Type::Null => "`null`".into(),
        Type::Enum(members) => {
            let members: Vec<_> = members.iter().map(|member| format!("`{member}`")).collect();
            format!("one of {}", members.join(", "))
        }
    }
}

/// What was given, for a message: scalars as they are written.
fn found(given: &Given) -> String {
    match given {
        Given::Tuple(_) => "a tuple".into(),
        Given::Data(value @ (Data::List(_) | Data::Object(_))) => value.type_name().into(),
        Given::Data(value) => {
            let text = value.to_string();
            if text.chars().count() > 40 { value.type_name().into() } else { format!("`{text}`") }
        }
        Given::Unknown => String::new(),
    }
}

//! `bad-exec`: an `exec` whose words are no program and its arguments, as far as they are known here. Each attempt of the test fails.

use std::collections::HashSet;

use tlc_plan::Data;

use crate::arguments::Given;
use crate::diagnostic::Diagnostic;
use crate::document::Arena;
use crate::source::Span;
use crate::tree::{Evaluation, TestTree};
use crate::words;

pub(super) fn check(tree: &TestTree, arena: &Arena, evaluation: &mut Evaluation, diagnostics: &mut Vec<Diagnostic>) {
    if !tree.has_field(words::EXEC) {
        return;
    }
    let mut seen = HashSet::new();
    for id in tree.preorder().filter(|id| tree.is_leaf(*id) && !tree.test(*id).class.is_shutdown()) {
        let Some(exec) = arena.entry(tree.test(id).object).get(words::EXEC) else { continue };
        // A word that is no text has a finding of its own.
        let words = exec.items().enumerate().filter(|(_, word)| word.as_str().is_some());
        for (place, word) in words.filter(|(_, word)| seen.insert((word.id, tree.test(id).locals))) {
            if let Some(problem) = problem(place, &evaluation.given(word.id, tree.locals_of(id), arena)) {
                let finding = no_word(&tree.path(arena, id), &problem, word.span());
                if !diagnostics.contains(&finding) {
                    diagnostics.push(finding);
                }
            }
        }
    }
}

/// What is wrong with a word.
fn problem(place: usize, given: &Given) -> Option<String> {
    let value = match given {
        Given::Unknown => return None,
        Given::Tuple(_) => return Some("is a tuple, expected a string".to_owned()),
        Given::Data(value) => value,
    };
    match value.as_str() {
        None => Some(format!("is {}, expected a string", kind(value))),
        Some("") if place == 0 => Some("is empty, expected the name of a program".to_owned()),
        Some(text) if text.contains('\0') => Some("has a NUL in it, which no program can be given".to_owned()),
        Some(_) => None,
    }
}

fn kind(value: &Data) -> String {
    match value {
        Data::Int(_) | Data::Float(_) | Data::Bool(_) => format!("`{value}`"),
        Data::Null | Data::Big(_) | Data::String(_) | Data::List(_) | Data::Object(_) => value.type_name().to_owned(),
    }
}

fn no_word(path: &str, problem: &str, span: Span) -> Diagnostic {
    Diagnostic::denied("bad-exec", format!("a word of `exec` of `{path}` {problem}"), span, "this word")
        .help("write the program and its arguments as strings; an expression can make one with `str(…)`")
}

//! `undefined-value`: an expression reads a constant or a local that nothing defines. In a `run_if` that is null without a word
//! (reference: Q2); in an argument it fails, at the latest when the part that reads it is evaluated (reference: R5).
//!
//! An expression that was found to fail is explained here: what it lacks, or what it reads, and where that is written.

use std::collections::BTreeMap;

use hashbrown::HashSet;

use tlc_plan::Data;
use tlc_plan::expression::{Access, Root};

use crate::diagnostic::{Diagnostic, Label, Suggestions};
use crate::document::{Contents, Entry, NodeId, Value};
use crate::source::Span;
use crate::tree::evaluation::{EVAL, place};
use crate::tree::{Evaluation, TestId, TestTree};
use crate::words;

use super::Checked;

pub(super) fn check(
    tree: &TestTree,
    list: &Checked<'_>,
    evaluation: &mut Evaluation,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut told: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, finding) in diagnostics.iter().enumerate() {
        if let Some(label) = finding.labels.first() {
            told.entry(label.span.start).or_default().push(index);
        }
    }
    let mut reads =
        Reads { tree, list, evaluation, diagnostics, told, seen: HashSet::new(), suggestions: Suggestions::default() };
    for locals in &tree.locals {
        if let (Some(own), Some(enclosing)) = (locals.own, locals.enclosing) {
            reads.value(list.arena.entry(own), enclosing.index());
        }
    }
    for written in tree.options.iter().filter_map(|(_, setting)| setting.written) {
        reads.value(list.arena.entry(written), 0);
    }
    if reads.is_anything_open() {
        tree.preorder().for_each(|id| reads.test(id));
    }
}

struct Reads<'a> {
    tree: &'a TestTree,
    list: &'a Checked<'a>,
    evaluation: &'a mut Evaluation,
    diagnostics: &'a mut Vec<Diagnostic>,
    /// What other stages have found, by the places that it is about.
    told: BTreeMap<u32, Vec<usize>>,
    /// What was looked at, with which locals.
    seen: HashSet<(NodeId, usize)>,
    suggestions: Suggestions,
}

/// An expression in the list.
#[derive(Clone, Copy)]
struct Place {
    literal: Span,
    skip: usize,
    /// The locals around it.
    locals: usize,
}

/// What an access comes to.
enum Found<'a> {
    Value(&'a Data),
    /// The first name that is not there, by its position, and the value that lacks it.
    Missing(usize, &'a Data),
    /// It is not for the compiler to know.
    Open,
}

impl<'a> Reads<'a> {
    /// Whether there may be anything to say: what tests read is there, and nothing else was found that could be explained.
    fn is_anything_open(&self) -> bool {
        let outermost = Place { literal: Span::default(), skip: EVAL.len(), locals: 0 };
        let is_open =
            |access: &Access| access.root == Root::Locals || matches!(self.find(access, outermost), Found::Missing(..));
        let mut read = self.evaluation.texts().filter_map(|(_, parsed)| parsed.as_ref().ok());
        !self.told.is_empty() || read.any(|expression| expression.accesses().iter().any(is_open))
    }

    fn test(&mut self, id: TestId) {
        let test = self.tree.test(id);
        let written = self.list.arena.entry(test.object);
        let args = self.list.arena.entry(test.args);
        if test.is_copy && test.run_if.is_none() && !args.contents().has(Contents::EXPRESSION) {
            // The original has the same program and limits, but perhaps other locals.
            let mut others = [words::EXEC, words::MEASUREMENTS].into_iter().filter_map(|field| written.get(field));
            if !others.any(|value| value.contents().has(Contents::EXPRESSION)) {
                return;
            }
        }
        if let Some(run_if) = test.run_if {
            self.text(self.list.arena.entry(run_if), 0, test.locals.index());
        }
        if self.tree.is_leaf(id) {
            let values =
                [Some(self.list.arena.entry(test.args)), written.get(words::EXEC), written.get(words::MEASUREMENTS)];
            for value in values.into_iter().flatten() {
                self.value(value, test.locals.index());
            }
        }
    }

    fn value(&mut self, value: Entry<'_>, locals: usize) {
        if !value.contents().has(Contents::EXPRESSION) {
            return;
        }
        match value.value() {
            Value::String(_) if value.as_str().is_some_and(|text| text.starts_with(EVAL)) => {
                self.text(value, EVAL.len(), locals);
            }
            Value::List => value.items().for_each(|item| self.value(item, locals)),
            Value::Object => {
                value.members().for_each(|member| self.value(value.arena.entry(member.value), locals));
            }
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) | Value::String(_) => {}
        }
    }

    fn text(&mut self, literal: Entry<'_>, skip: usize, locals: usize) {
        let Value::String(text) = literal.value() else { return };
        if !self.seen.insert((literal.id, locals)) {
            return;
        }
        let parsed = self.evaluation.expression(text, skip, self.list.arena);
        let Ok(expression) = &*parsed else { return };
        for access in expression.accesses() {
            self.access(&access, Place { literal: literal.span(), skip, locals });
        }
    }

    fn access(&mut self, access: &Access, at: Place) {
        let found = self.find(access, at);
        let is_fine = match found {
            Found::Open => true,
            Found::Value(_) => self.told.range(at.literal.start..at.literal.end()).next().is_none(),
            Found::Missing(..) => false,
        };
        if is_fine {
            return;
        }
        let span = place(self.list.sources, at.literal, at.skip, access.place.start, access.place.end);
        let told: Vec<usize> =
            self.told.range(at.literal.start..span.end()).flat_map(|(_, indices)| indices).copied().collect();
        match found {
            Found::Open => {}
            Found::Value(value) => self.explain(access, value, at, span, &told),
            Found::Missing(depth, owner) => self.missing(access, (depth, owner), at, span, &told),
        }
    }

    /// Reports a value that is not there, or says that this is why an expression fails.
    fn missing(&mut self, access: &Access, missing: (usize, &Data), at: Place, span: Span, told: &[usize]) {
        let (depth, owner) = missing;
        let keys = owner.as_object().into_iter().flat_map(|members| members.keys().map(|key| &**key));
        let meant = self.suggestions.did_you_mean(&access.names[depth], keys);
        let mut finding = undefined(access, (depth, owner), meant, span, at.skip == 0);
        if let Some(key) = self.written_at(access, depth, at.locals) {
            finding = finding.label(key, "this is all that it has");
        }
        let mut is_told = false;
        for index in told {
            let other = &mut self.diagnostics[*index];
            if is_failure(other) && other.labels[0].span == span {
                other.message = format!("the expression fails: {}", finding.message);
                other.labels.truncate(1);
                other.labels.extend(finding.labels.iter().skip(1).cloned());
                other.help.clone_from(&finding.help);
            }
            is_told |= other.labels[0].span.end() > span.start;
        }
        if !is_told {
            self.diagnostics.push(finding);
        }
    }

    /// Says where a value is written with which an expression fails.
    fn explain(&mut self, access: &Access, value: &Data, at: Place, span: Span, told: &[usize]) {
        for index in told {
            let failure = &self.diagnostics[*index];
            let around = failure.labels[0].span;
            if !is_failure(failure) || around == span || around.end() < span.end() {
                continue;
            }
            let Some(key) = self.written_at(access, access.names.len(), at.locals) else { return };
            if failure.labels.iter().all(|label| label.span != key) {
                let text = format!("`{}` is {}", spelled(access, access.names.len()), value.type_name());
                self.diagnostics[*index].labels.push(Label { span: key, text });
            }
        }
    }

    fn find(&self, access: &Access, at: Place) -> Found<'a> {
        let locals = &self.tree.locals[at.locals];
        let mut value: &'a Data = match access.root {
            // What is no object at all has a finding of its own.
            Root::Constants if self.tree.constants.as_object().is_some() => &self.tree.constants,
            // `locals` in a condition has a finding of its own.
            Root::Locals if at.skip > 0 && locals.value.as_object().is_some() => &locals.value,
            Root::Constants => return Found::Open,
            Root::Locals | Root::Options | Root::Device | Root::Dut | Root::Station | Root::StateProxy => {
                return Found::Open;
            }
        };
        let undecided = access.root == Root::Locals && locals.reads_device;
        for (depth, name) in access.names.iter().enumerate() {
            match value.get(name) {
                Some(inner) => value = inner,
                None if undecided && depth > 0 => return Found::Open,
                None => return Found::Missing(depth, value),
            }
        }
        Found::Value(value)
    }

    /// The key at which the first `depth` names of an access are written, if they are.
    fn written_at(&self, access: &Access, depth: usize, locals: usize) -> Option<Span> {
        let (first, rest) = access.names[..depth].split_first()?;
        let arena = self.list.arena;
        let top = match access.root {
            Root::Constants => arena.entry(self.list.config.get(arena, words::CONSTANTS)?).member(first),
            _ => std::iter::successors(Some(locals), |id| Some(self.tree.locals[*id].enclosing?.index()))
                .filter_map(|id| self.tree.locals[id].own)
                .find_map(|own| arena.entry(own).member(first)),
        };
        rest.iter().try_fold(top?, |member, name| arena.entry(member.value).member(name)).map(|member| member.key_span)
    }
}

/// Whether a finding is an expression that fails.
fn is_failure(finding: &Diagnostic) -> bool {
    matches!(finding.code, "argument-fails" | "evaluation-fails")
}

/// The first `depth` names of an access, as expressions spell them.
fn spelled(access: &Access, depth: usize) -> String {
    access.names[..depth].iter().fold(access.root.name().to_owned(), |path, name| format!("{path}.{name}"))
}

fn undefined(
    access: &Access,
    (depth, owner): (usize, &Data),
    meant: Option<String>,
    span: Span,
    in_condition: bool,
) -> Diagnostic {
    let (name, path) = (&access.names[depth], spelled(access, depth));
    let text = if in_condition { "always null" } else { "fails when it is read" };
    let message = match owner.as_object() {
        Some(_) => format!("`{path}` has no `{name}`"),
        None => format!("`{path}` is {}, and has no `{name}`", owner.type_name()),
    };
    let help = meant.unwrap_or_else(|| match access.root {
        Root::Locals => format!("add `{name}` to the `locals` of this test, or of a group around it, which is all that an expression in `locals` sees"),
        _ => format!("add `\"{name}\"` to `{path}`, or correct the name"),
    });
    Diagnostic::denied("undefined-value", message, span, text).help(help)
}

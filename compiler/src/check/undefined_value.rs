//! `undefined-value`: an expression reads a constant or a local that nothing defines. In a `run_if` that is null without a word
//! (reference: Q2); in an argument it fails, at the latest when the part that reads it is evaluated (reference: R5).

use std::collections::HashSet;

use tlc_plan::Data;
use tlc_plan::expression::{Access, Root};

use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::document::{Entry, NodeId, Value};
use crate::source::Span;
use crate::tree::evaluation::{EVAL, place};
use crate::tree::{Evaluation, Locals, TestId, TestTree};

use super::{Checked, is_reported};

pub(super) fn check(
    tree: &TestTree,
    list: &Checked<'_>,
    evaluation: &mut Evaluation,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut reads = Reads { tree, list, evaluation, diagnostics, seen: HashSet::new() };
    for locals in &tree.locals {
        if let (Some(own), Some(enclosing)) = (locals.own, locals.enclosing) {
            reads.value(list.arena.entry(own), enclosing.index());
        }
    }
    for written in tree.options.iter().filter_map(|(_, setting)| setting.written) {
        reads.value(list.arena.entry(written), 0);
    }
    for id in tree.preorder() {
        reads.test(id);
    }
}

struct Reads<'a> {
    tree: &'a TestTree,
    list: &'a Checked<'a>,
    evaluation: &'a mut Evaluation,
    diagnostics: &'a mut Vec<Diagnostic>,
    /// What was looked at, with which locals.
    seen: HashSet<(NodeId, usize)>,
}

impl<'a> Reads<'a> {
    fn test(&mut self, id: TestId) {
        let test = self.tree.test(id);
        let written = self.list.arena.entry(test.object);
        if let Some(run_if) = test.run_if {
            self.text(self.list.arena.entry(run_if), 0, test.locals.index());
        }
        if test.children.is_empty() {
            let values = [Some(self.list.arena.entry(test.args)), written.get("exec"), written.get("measurements")];
            for value in values.into_iter().flatten() {
                self.value(value, test.locals.index());
            }
        }
    }

    fn value(&mut self, value: Entry<'_>, locals: usize) {
        match value.value() {
            Value::String(_) if value.as_str().is_some_and(|text| text.starts_with(EVAL)) => {
                self.text(value, EVAL.len(), locals);
            }
            Value::List(..) => value.items().for_each(|item| self.value(item, locals)),
            Value::Object(..) => {
                value.members().iter().for_each(|member| self.value(value.arena.entry(member.value), locals));
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
            let Some((depth, within)) = self.missing(&access, &self.tree.locals[locals], skip == 0) else { continue };
            let span = place(self.list.sources, literal.span(), skip, access.place.start, access.place.end);
            let finding = undefined(&access, depth, within, span, skip == 0);
            let reported = is_reported(span, self.diagnostics);
            match self.diagnostics.iter_mut().find(|failure| is_failure_at(failure, span)) {
                Some(failure) => {
                    failure.message = format!("the expression fails: {}", finding.message);
                    failure.help = finding.help;
                }
                None if reported => {}
                None => self.diagnostics.push(finding),
            }
        }
    }

    /// The first name of an access that is not there, and the value that lacks it.
    fn missing(&self, access: &Access, locals: &'a Locals, in_condition: bool) -> Option<(usize, &'a Data)> {
        let mut value: &'a Data = match access.root {
            Root::Constants => &self.tree.constants,
            // `locals` in a condition has a finding of its own.
            Root::Locals if !in_condition => &locals.value,
            Root::Locals | Root::Options | Root::Device | Root::Dut | Root::Station | Root::StateProxy => return None,
        };
        let undecided = access.root == Root::Locals && locals.reads_device;
        for (depth, name) in access.names.iter().enumerate() {
            match value.get(name) {
                Some(inner) => value = inner,
                None if undecided && depth > 0 => return None,
                None => return Some((depth, value)),
            }
        }
        None
    }
}

/// Whether an expression was found to fail exactly there, which is then for lack of the value.
fn is_failure_at(diagnostic: &Diagnostic, span: Span) -> bool {
    matches!(diagnostic.code, "argument-fails" | "evaluation-fails")
        && diagnostic.labels.first().is_some_and(|label| label.span == span)
}

fn undefined(access: &Access, depth: usize, within: &Data, span: Span, in_condition: bool) -> Diagnostic {
    let name = &access.names[depth];
    let owner = access.names[..depth].iter().fold(access.root.name().to_owned(), |path, name| format!("{path}.{name}"));
    let text = if in_condition { "always null" } else { "fails when it is read" };
    let keys: Vec<&str> = within.as_object().map_or(Vec::new(), |members| members.keys().map(|key| &**key).collect());
    let message = match within.as_object() {
        Some(_) => format!("`{owner}` has no `{name}`"),
        None => format!("`{owner}` is {}, and has no `{name}`", within.type_name()),
    };
    let help = did_you_mean(name, keys).unwrap_or_else(|| match access.root {
        Root::Locals => format!("add `{name}` to the `locals` of this test, or of a group around it"),
        _ => format!("add `\"{name}\"` to `{owner}`, or correct the name"),
    });
    Diagnostic::denied("undefined-value", message, span, text).help(help)
}

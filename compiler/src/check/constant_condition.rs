//! `constant-condition`: a `run_if`, or a condition in an expression, can only be true or only be false, whatever constants and device
//! data say; or an `eval!` is a single literal. A condition that reads a constant is a switch, and is none of these.

use hashbrown::HashSet;

use tlc_plan::expression::Expression;

use crate::diagnostic::Diagnostic;
use crate::document::{Contents, Entry, NodeId, Value};
use crate::source::Span;
use crate::tree::evaluation::{EVAL, place};
use crate::tree::{Evaluation, TestTree};

use super::Checked;
use super::truth::Truth;

/// `told`: conditions that another finding is about.
pub(super) fn check(
    tree: &TestTree,
    list: &Checked<'_>,
    told: &HashSet<NodeId>,
    evaluation: &mut Evaluation,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let is_decided =
        evaluation.texts().any(|(skip, parsed)| parsed.as_ref().is_ok_and(|read| may_be_decided(read, skip)));
    let mut conditions = Conditions { list, evaluation, diagnostics, seen: HashSet::new() };
    for own in tree.locals.iter().filter_map(|locals| locals.own) {
        conditions.value(list.arena.entry(own));
    }
    for written in tree.options.iter().filter_map(|(_, setting)| setting.written) {
        conditions.value(list.arena.entry(written));
    }
    for id in tree.preorder().skip(1).filter(|id| !tree.test(*id).is_copy) {
        let test = tree.test(id);
        if !is_decided && !test.is_overridden {
            continue;
        }
        if let Some(run_if) = test.run_if.filter(|run_if| !told.contains(run_if)) {
            conditions.run_if(list.arena.entry(run_if), !tree.is_leaf(id));
        }
        conditions.value(list.arena.entry(test.args));
    }
}

/// Whether there is anything to say about an expression, wherever it stands.
fn may_be_decided(expression: &Expression, skip: usize) -> bool {
    let truth = Truth::new(expression);
    if skip == 0 { truth.of_all().is_some() } else { expression.as_literal().is_some() || truth.decided().is_some() }
}

struct Conditions<'a> {
    list: &'a Checked<'a>,
    evaluation: &'a mut Evaluation,
    diagnostics: &'a mut Vec<Diagnostic>,
    seen: HashSet<NodeId>,
}

impl Conditions<'_> {
    fn run_if(&mut self, written: Entry<'_>, is_group: bool) {
        let Value::String(text) = written.value() else { return };
        let parsed = self.evaluation.expression(text, 0, self.list.arena);
        let Ok(expression) = &*parsed else { return };
        if self.seen.insert(written.id)
            && let Some(truth) = Truth::new(expression).of_all()
        {
            self.diagnostics.push(always(truth, is_group, written.span()));
        }
    }

    fn value(&mut self, value: Entry<'_>) {
        if !value.contents().has(Contents::EXPRESSION) {
            return;
        }
        match value.value() {
            Value::String(_) => self.expression(value),
            Value::List => value.items().for_each(|item| self.value(item)),
            Value::Object => {
                value.members().for_each(|member| self.value(value.arena.entry(member.value)));
            }
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) => {}
        }
    }

    fn expression(&mut self, written: Entry<'_>) {
        let Value::String(text) = written.value() else { return };
        if !self.list.arena.text(text).starts_with(EVAL) || !self.seen.insert(written.id) {
            return;
        }
        let parsed = self.evaluation.expression(text, EVAL.len(), self.list.arena);
        if let Ok(expression) = &*parsed {
            self.diagnostics.extend(self.decided(expression, written));
        }
    }

    fn decided(&self, expression: &Expression, written: Entry<'_>) -> Option<Diagnostic> {
        if expression.as_literal().is_some() {
            return Some(only_a_literal(written.span()));
        }
        let (id, truth) = Truth::new(expression).decided()?;
        let at = expression.place(id);
        Some(part(truth, place(self.list.sources, written.span(), EVAL.len(), at.start, at.end)))
    }
}

fn always(truth: bool, is_group: bool, span: Span) -> Diagnostic {
    let what = if is_group { "group" } else { "test" };
    let (runs, help) = if truth {
        ("always runs", "leave `run_if` out, or compare with a constant or with device data")
    } else {
        ("never runs", "remove it, or make the condition a constant that a list can set")
    };
    let message = format!("the condition is {}: the {what} {runs}", named(truth));
    Diagnostic::warning("constant-condition", message, span, named(truth)).help(help)
}

fn named(truth: bool) -> &'static str {
    if truth { "always true" } else { "always false" }
}

fn part(truth: bool, span: Span) -> Diagnostic {
    let message = format!("a condition in the expression is {}, so it decides nothing", named(truth));
    Diagnostic::warning("constant-condition", message, span, named(truth))
        .help("remove what can never happen, or compare with a constant or with device data")
}

fn only_a_literal(span: Span) -> Diagnostic {
    Diagnostic::warning("constant-condition", "the expression is a literal", span, "nothing to evaluate")
        .help("write the value itself, without `eval!`")
}

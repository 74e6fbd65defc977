//! The fields of a test's object, read into types. What has the wrong type was reported by the schema and counts as absent here.

use tlc_plan::plan::{ActionOnFailure, Class, Count};

use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Member, NodeId, Symbol, Value};
use crate::source::Span;
use crate::words;

use super::build::{Builder, Effective};

impl Builder<'_, '_> {
    pub(super) fn action(&self, object: NodeId, field: Symbol) -> Option<ActionOnFailure> {
        match self.arena.entry(object).get(field)?.as_str()? {
            "NEXT" => Some(ActionOnFailure::Next),
            "PARENT" => Some(ActionOnFailure::Parent),
            "STOP" => Some(ActionOnFailure::Stop),
            _ => None,
        }
    }

    /// The items of a field that is a list with something in it.
    pub(super) fn list(&self, object: NodeId, field: Symbol) -> Option<Vec<NodeId>> {
        let items = self.arena.entry(object).get(field)?.items();
        (items.len() > 0).then(|| items.map(|item| item.id).collect())
    }

    /// A whole number from `least`, or -1 for no end.
    pub(super) fn count(&mut self, object: NodeId, field: Symbol, least: u32) -> Count {
        let Some(written) = self.arena.entry(object).get(field) else { return Count::Times(least) };
        match written.value() {
            Value::Int(-1) => Count::Unlimited,
            Value::Int(number) if number >= i64::from(least) && number <= i64::from(u32::MAX) => {
                Count::Times(number as u32)
            }
            Value::Int(_) | Value::Big(_) | Value::Float(_) => {
                let finding = bad_count(self.arena.text(field), least, written);
                self.diagnostics.push(finding);
                Count::Times(least)
            }
            _ => Count::Times(least),
        }
    }

    pub(super) fn args(&mut self, object: NodeId, class: Class) -> NodeId {
        let args = self
            .arena
            .entry(object)
            .get(words::ARGS)
            .filter(|args| args.is_object())
            .map_or(self.nothing, |args| args.id);
        let operation = match class {
            Class::FactoryTest | Class::TestGroup => return args,
            Class::ShutdownStep => None,
            Class::HaltStep => Some("halt"),
            Class::RebootStep => Some("reboot"),
            Class::FullRebootStep => Some("full_reboot"),
        };
        if operation.is_none() && self.arena.entry(args).get(words::OPERATION).is_some() {
            return args;
        }
        let span = self.arena.node(args).span;
        let key = self.arena.intern("operation");
        let mut members = self.arena.entry(args).members().to_vec();
        members.retain(|member| member.key != key);
        let value = match operation {
            Some(operation) => self.arena.add_string(operation, span),
            None => self.arena.add_scalar(Value::Null, span),
        };
        members.push(Member { key, key_span: span, value });
        self.arena.add_object(&members, span)
    }

    pub(super) fn pytest_name(&mut self, effective: &Effective, class: Class) -> Option<Symbol> {
        if class.is_shutdown() {
            return Some(words::SHUTDOWN);
        }
        match self.arena.entry(effective.resolved.object).get(words::PYTEST_NAME)?.value() {
            Value::String(name) => Some(name),
            _ => None,
        }
    }

    /// A leaf runs one thing, and a group nothing.
    pub(super) fn exclusive_fields(&mut self, effective: &Effective, class: Class) {
        let object = self.arena.entry(effective.resolved.object);
        let filled = |field: Symbol| {
            let member = object.member(field)?;
            let value = self.arena.entry(member.value);
            let has = value.as_str().is_some_and(|text| !text.is_empty()) || value.items().len() > 0;
            has.then(|| (self.arena.text(field), member.key_span))
        };
        let mut fields = [words::PYTEST_NAME, words::EXEC, words::SUBTESTS].into_iter().filter_map(filled);
        let (Some(first), second) = (fields.next(), fields.next()) else { return };
        // A program beside a group without tests is a group that lost them, or a program that is no longer run.
        let lost = || object.member(words::SUBTESTS).filter(|_| first.0 == "exec");
        let finding = match second.or_else(|| lost().map(|subtests| ("subtests", subtests.key_span))) {
            _ if class.is_shutdown() => shutdown_runs_nothing_else(first.0, first.1),
            Some(second) => two_programs(first, second),
            None => return,
        };
        self.diagnostics.push(finding);
    }
}

fn bad_count(field: &str, least: u32, found: Entry<'_>) -> Diagnostic {
    let expected = format!("`{field}` is a whole number from {least}, or -1 for no end");
    let help = match (field, found.value()) {
        (_, Value::Float(_)) => "write it without a point and an exponent",
        (_, Value::Int(number)) if number > 0 => TOO_MANY,
        (_, Value::Big(_)) => TOO_MANY,
        ("iterations", _) => {
            "leave it out to run the test once; `run_if` and the option `skipped_tests` keep it from running"
        }
        _ => "leave it out if the test is not to be retried",
    };
    Diagnostic::error(
        "bad-count",
        format!("{expected}, found `{}`", found.to_data()),
        found.span(),
        "not such a number",
    )
    .help(help)
}

const TOO_MANY: &str = "at most 4294967295 is allowed; write -1 for no end";

fn two_programs(first: (&str, Span), second: (&str, Span)) -> Diagnostic {
    let (a, b) = (first.0, second.0);
    Diagnostic::error("two-programs", format!("a test has `{a}` or `{b}`, not both"), second.1, format!("`{b}` here"))
        .label(first.1, format!("`{a}` here"))
        .help("a group has `subtests`; a test has `pytest_name` or `exec`; look for one that is inherited")
}

fn shutdown_runs_nothing_else(field: &str, span: Span) -> Diagnostic {
    Diagnostic::error("shutdown-with-program", format!("a shutdown step has no `{field}`"), span, "not here")
        .help("put what is to run before or after the shutdown into tests of their own")
}

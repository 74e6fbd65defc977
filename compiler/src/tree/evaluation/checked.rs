//! Syntax and names of expressions, where they stand.

use crate::diagnostic::{Diagnostic, Severity};
use crate::document::{Arena, Contents, Entry, NodeId, Value};
use crate::expression::{Context, check_names};
use crate::source::SourceMap;

use super::{EVAL, Evaluation, syntax_finding};

impl Evaluation {
    /// Syntax and names of the expressions in arguments. The reference does not look into arrays before a test starts; what is wrong
    /// there does not stop the list from being used.
    pub(in crate::tree) fn check_arguments(
        &mut self,
        node: NodeId,
        arena: &Arena,
        sources: &SourceMap,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        self.check_within(arena.entry(node), Severity::Error, sources, diagnostics);
    }

    fn check_within(
        &mut self,
        entry: Entry<'_>,
        severity: Severity,
        sources: &SourceMap,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        if !entry.contents().has(Contents::EXPRESSION) {
            return;
        }
        let arena = entry.arena;
        for item in entry.items() {
            self.check_within(item, Severity::Denied, sources, diagnostics);
        }
        for member in entry.members() {
            self.check_within(arena.entry(member.value), severity, sources, diagnostics);
        }
        if entry.as_str().is_some_and(|text| text.starts_with(EVAL)) {
            self.check_text(entry, EVAL.len(), Context::Argument, severity, sources, diagnostics);
        }
    }

    /// Syntax and names of a `run_if`.
    pub(in crate::tree) fn check_condition(
        &mut self,
        node: NodeId,
        arena: &Arena,
        sources: &SourceMap,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let before = diagnostics.len();
        let entry = arena.entry(node);
        self.check_text(entry, 0, Context::RunIf, Severity::Error, sources, diagnostics);
        if entry.as_str().is_some_and(|text| text.starts_with(EVAL)) {
            for found in &mut diagnostics[before..] {
                found.help = Some(format!("a condition is an expression already: remove `{}`", EVAL.trim_end()));
            }
        }
    }

    pub(super) fn check_text(
        &mut self,
        entry: Entry<'_>,
        skip: usize,
        context: Context,
        severity: Severity,
        sources: &SourceMap,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let Value::String(text) = entry.value() else { return };
        let bit = 1_u8 << (2 * context as u8 + u8::from(skip > 0));
        if self.fine.get(text.index()).is_some_and(|fine| fine & bit != 0) {
            return;
        }
        let expression = self.expression(text, skip, entry.arena);
        let errors = match &*expression {
            Ok(expression) => check_names(expression, context),
            Err(error) => vec![error.clone()],
        };
        if errors.is_empty() {
            if self.fine.len() <= text.index() {
                self.fine.resize(entry.arena.symbol_count(), 0);
            }
            self.fine[text.index()] |= bit;
        }
        diagnostics
            .extend(errors.into_iter().map(|error| syntax_finding(error, severity, entry.span(), skip, sources)));
    }
}

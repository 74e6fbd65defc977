//! Options and locals, whose expressions are evaluated as the list is built.

use tlc_plan::Data;
use tlc_plan::data::Object;
use tlc_plan::evaluate::{Binding, Scope, evaluate_to_data};
use tlc_plan::expression::Root;

use crate::diagnostic::{Diagnostic, Severity};
use crate::document::{Arena, Entry, NodeId, Symbol, Value};
use crate::expression::Context;
use crate::source::SourceMap;
use crate::tree::label::I18N;

use super::{EVAL, Evaluated, Evaluation, evaluation_finding};

impl Evaluation {
    /// The value of an option. `None` if it fails; a diagnostic says why.
    pub(in crate::tree) fn option(
        &mut self,
        node: NodeId,
        arena: &Arena,
        sources: &SourceMap,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<Evaluated> {
        let before = diagnostics.len();
        let (scope, context) = (self.options.clone(), Context::Options);
        let mut built = Built {
            evaluation: self,
            arena,
            sources,
            diagnostics,
            scope,
            context,
            around_reads_device: false,
            reads_device: false,
        };
        let evaluated = built.evaluated(node);
        let failed = diagnostics[before..].iter().any(|found| found.severity == Severity::Error);
        (!failed).then_some(evaluated)
    }

    /// What a node's own locals are, given those around it, and whether those read device data.
    pub(in crate::tree) fn own_locals(
        &mut self,
        own: NodeId,
        (around, around_reads_device): (&Data, bool),
        arena: &Arena,
        sources: &SourceMap,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Evaluated {
        let scope = self.locals.clone().with(Root::Locals, Binding::attributes(around));
        let context = Context::Locals;
        Built {
            evaluation: self,
            arena,
            sources,
            diagnostics,
            scope,
            context,
            around_reads_device,
            reads_device: false,
        }
        .evaluated(own)
    }
}

/// A value that is being evaluated, and where it stands.
struct Built<'a> {
    evaluation: &'a mut Evaluation,
    arena: &'a Arena,
    sources: &'a SourceMap,
    diagnostics: &'a mut Vec<Diagnostic>,
    scope: Scope,
    context: Context,
    around_reads_device: bool,
    reads_device: bool,
}

impl Built<'_> {
    fn evaluated(&mut self, node: NodeId) -> Evaluated {
        let value = self.value(node);
        Evaluated { value, reads_device: self.reads_device }
    }

    fn value(&mut self, node: NodeId) -> Data {
        let entry = self.arena.entry(node);
        match entry.value() {
            Value::String(text) => self.text(entry, text),
            Value::List => Data::list(entry.items().map(|item| self.value(item.id)).collect()),
            Value::Object => {
                let members = entry.members();
                let values = members.map(|member| (self.arena.shared(member.key), self.value(member.value)));
                Data::object(values.collect::<Object>())
            }
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) => entry.to_data(),
        }
    }

    fn text(&mut self, entry: Entry<'_>, text: Symbol) -> Data {
        let written = self.arena.text(text);
        if let Some(english) = written.strip_prefix(I18N) {
            return self.evaluation.translated(english);
        }
        if !written.starts_with(EVAL) {
            return Data::String(self.arena.shared(text));
        }
        let before = self.diagnostics.len();
        self.evaluation.check_text(entry, EVAL.len(), self.context, Severity::Error, self.sources, self.diagnostics);
        let parsed = self.evaluation.expression(text, EVAL.len(), self.arena);
        let Ok(expression) = &*parsed else { return Data::Null };
        let roots = expression.roots();
        let reads_device = roots.contains(&Root::Device)
            || (roots.contains(&Root::Locals) && self.around_reads_device)
            || (roots.contains(&Root::Options) && self.evaluation.options_read_device);
        self.reads_device |= reads_device;
        if self.diagnostics.len() > before {
            return Data::Null;
        }
        match evaluate_to_data(expression, &self.scope, &self.evaluation.limits) {
            Ok(value) => value,
            Err(error) => {
                let undecided = reads_device && !self.evaluation.has_device();
                let severity = if undecided { Severity::Warning } else { Severity::Error };
                self.diagnostics.push(evaluation_finding(&error, severity, entry.span(), EVAL.len(), self.sources));
                Data::Null
            }
        }
    }
}

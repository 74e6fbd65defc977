//! Arguments and conditions to templates: expressions are evaluated as far as they can be, and stand once in the plan.

use hashbrown::HashMap;
use std::sync::Arc;

use tlc_plan::data::Object;
use tlc_plan::evaluate::ErrorKind;
use tlc_plan::expression::{Expression, Place, Root};
use tlc_plan::members::Members as Named;
use tlc_plan::plan::ExpressionSource;
use tlc_plan::template::ExpressionUse;
use tlc_plan::{Data, Template};

use crate::diagnostic::{Diagnostic, Severity};
use crate::document::{Arena, Contents, Entry, Members, NodeId, Symbol, Value, escape_breakpoints, source_offset};
use crate::expression::{Context, check_names};
use crate::source::{FileId, SourceMap, Span};
use crate::tree::evaluation::{EVAL, Failure, evaluation_finding, syntax_finding};
use crate::tree::label::I18N;
use crate::tree::{Evaluation, Locals, LocalsId};

/// The expressions and sources of a plan, as they are found.
pub(super) struct Templates<'a> {
    arena: &'a Arena,
    sources: &'a SourceMap,
    evaluation: &'a mut Evaluation,
    diagnostics: &'a mut Vec<Diagnostic>,
    /// What a text became, with these locals if it reads any.
    known: HashMap<(Symbol, Option<LocalsId>), Found>,
    /// What a `run_if` became.
    conditions: HashMap<Symbol, Tree>,
    trees: HashMap<Expression, u32>,
    expressions: Vec<Expression>,
    /// A literal and the tree that it became, which depends on the locals around it.
    places: HashMap<(Span, u32), u32>,
    found_sources: Vec<ExpressionSource>,
    /// Templates that several tests have.
    shared: HashMap<(NodeId, LocalsId), Template>,
    /// The texts and files of sources.
    texts: HashMap<(Symbol, usize), Arc<str>>,
    files: HashMap<FileId, Arc<str>>,
}

#[derive(Clone)]
enum Found {
    Value(Template),
    Tree(Tree),
}

/// A tree of the plan, and where its nodes stand in the text that it came from.
#[derive(Clone)]
struct Tree {
    index: u32,
    places: Arc<[Place]>,
}

/// The locals of the node whose argument it is.
type InScope<'t> = (&'t Locals, LocalsId);

impl<'a> Templates<'a> {
    pub(super) fn new(
        arena: &'a Arena,
        sources: &'a SourceMap,
        evaluation: &'a mut Evaluation,
        diagnostics: &'a mut Vec<Diagnostic>,
    ) -> Self {
        Self {
            arena,
            sources,
            evaluation,
            diagnostics,
            known: HashMap::new(),
            conditions: HashMap::new(),
            trees: HashMap::new(),
            expressions: Vec::new(),
            places: HashMap::new(),
            found_sources: Vec::new(),
            shared: HashMap::new(),
            texts: HashMap::new(),
            files: HashMap::new(),
        }
    }

    pub(super) fn finish(self) -> (Vec<Expression>, Vec<ExpressionSource>) {
        (self.expressions, self.found_sources)
    }

    /// A value that several tests may have with the same locals, as a template that they share.
    pub(super) fn shared(&mut self, node: NodeId, scope: InScope<'_>) -> Template {
        let key = (node, scope.1);
        if let Some(known) = self.shared.get(&key) {
            return known.clone();
        }
        let template = self.template(node, scope);
        self.shared.insert(key, template.clone());
        template
    }

    /// A value of the list as a template.
    pub(super) fn template(&mut self, node: NodeId, scope: InScope<'_>) -> Template {
        let entry = self.arena.entry(node);
        if !entry.contents().has(Contents::EXPRESSION) && !entry.contents().has(Contents::TRANSLATED) {
            return Template::Data(entry.to_data());
        }
        match entry.value() {
            Value::String(text) => self.text(entry, text, scope),
            Value::List => Template::list(entry.items().map(|item| self.template(item.id, scope)).collect()),
            Value::Object => self.object(entry.members(), scope),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) => {
                Template::Data(entry.to_data())
            }
        }
    }

    /// An object, which is mostly data when its expressions are folded.
    fn object(&mut self, mut members: Members<'_>, scope: InScope<'_>) -> Template {
        let mut data = Object::with_capacity(members.len());
        while let Some(member) = members.next() {
            let name = self.arena.shared(member.key);
            match self.template(member.value, scope) {
                Template::Data(value) => data.push_new(name, value),
                value => {
                    let mut all = Named::with_capacity(data.len() + 1 + members.len());
                    data.into_iter().for_each(|(name, value)| all.push_new(name, Template::Data(value)));
                    all.push_new(name, value);
                    for member in members {
                        all.push_new(self.arena.shared(member.key), self.template(member.value, scope));
                    }
                    return Template::object(all);
                }
            }
        }
        Template::Data(Data::object(data))
    }

    /// Whether every expression that was read for arguments has a value, whatever locals are around it.
    pub(super) fn arguments_are_fine(&mut self) -> bool {
        let texts: Vec<Symbol> = self.evaluation.argument_texts().collect();
        texts.into_iter().all(|text| self.is_fine(text))
    }

    fn is_fine(&mut self, text: Symbol) -> bool {
        let parsed = self.evaluation.expression(text, EVAL.len(), self.arena);
        let Ok(expression) = &*parsed else { return false };
        if expression.reads(&[Root::Locals]) || !check_names(expression, Context::Argument).is_empty() {
            return false;
        }
        match self.evaluation.evaluate(text, &Data::default(), self.arena) {
            Ok(_) => true,
            Err(Failure::Evaluation(error)) => error.kind == ErrorKind::Unresolvable,
            Err(Failure::Syntax(_)) => false,
        }
    }

    /// Finds what fails in a value, without making a template of it.
    pub(super) fn find(&mut self, node: NodeId, scope: InScope<'_>) {
        let entry = self.arena.entry(node);
        if !entry.contents().has(Contents::EXPRESSION) {
            return;
        }
        if let Value::String(text) = entry.value() {
            let _ = self.found(entry, text, scope);
        }
        entry.items().for_each(|item| self.find(item.id, scope));
        entry.members().for_each(|member| self.find(member.value, scope));
    }

    fn text(&mut self, entry: Entry<'_>, text: Symbol, scope: InScope<'_>) -> Template {
        if !self.arena.is_expression(text) {
            return Template::Data(match self.arena.text(text).strip_prefix(I18N) {
                Some(english) => self.evaluation.translated(english),
                None => entry.to_data(),
            });
        }
        match self.found(entry, text, scope) {
            Ok(Found::Value(value)) => value,
            Ok(Found::Tree(tree)) => Template::Expression(self.expression_use(&tree, entry.span(), EVAL.len(), text)),
            Err(message) => Template::Broken(message),
        }
    }

    /// What an expression comes to with these locals, or why it is none.
    fn found(&mut self, entry: Entry<'_>, text: Symbol, scope: InScope<'_>) -> Result<Found, Arc<str>> {
        // Most expressions read no locals, and are the same for every test.
        if let Some(found) = self.known.get(&(text, None)) {
            return Ok(found.clone());
        }
        let parsed = self.evaluation.expression(text, EVAL.len(), self.arena);
        let expression = match &*parsed {
            Ok(expression) => expression,
            Err(error) => {
                let finding = syntax_finding(error.clone(), Severity::Denied, entry.span(), EVAL.len(), self.sources);
                self.diagnostics.push(finding);
                return Err(error.message.as_str().into());
            }
        };
        let reads_locals = expression.reads(&[Root::Locals]);
        let key = (text, reads_locals.then_some(scope.1));
        if let Some(found) = self.known.get(&key) {
            return Ok(found.clone());
        }
        let at_station = expression.reads(&[Root::Device, Root::Dut, Root::Station, Root::StateProxy]);
        let options_wait = self.evaluation.options_read_device() && expression.reads(&[Root::Options]);
        let locals_wait = scope.0.reads_device && reads_locals;
        let found = self.evaluated(entry, text, expression, scope, at_station || options_wait || locals_wait);
        self.known.insert(key, found.clone());
        Ok(found)
    }

    fn evaluated(
        &mut self,
        entry: Entry<'_>,
        text: Symbol,
        expression: &Expression,
        scope: InScope<'_>,
        later: bool,
    ) -> Found {
        for error in check_names(expression, Context::Argument) {
            self.diagnostics.push(syntax_finding(error, Severity::Denied, entry.span(), EVAL.len(), self.sources));
        }
        let result = self.evaluation.evaluate(text, &scope.0.value, self.arena);
        match result {
            Ok(value) if !later => return Found::Value(Template::Data(value)),
            Err(Failure::Evaluation(error)) if error.kind == ErrorKind::Unresolvable => {}
            Err(Failure::Evaluation(error)) => {
                let undecided = later && !self.evaluation.has_device();
                if !undecided {
                    self.diagnostics.push(evaluation_finding(
                        &error,
                        Severity::Denied,
                        entry.span(),
                        EVAL.len(),
                        self.sources,
                    ));
                }
            }
            Ok(_) | Err(Failure::Syntax(_)) => {}
        }
        let locals = Some(&scope.0.value).filter(|_| !scope.0.reads_device);
        let folded = self.evaluation.fold(expression, locals);
        Found::Tree(self.tree(&folded))
    }

    /// A `run_if`.
    pub(super) fn condition(&mut self, node: NodeId) -> Option<ExpressionUse> {
        let entry = self.arena.entry(node);
        let Value::String(text) = entry.value() else { return None };
        let tree = match self.conditions.get(&text) {
            Some(known) => known.clone(),
            None => {
                let parsed = self.evaluation.expression(text, 0, self.arena);
                let expression = parsed.as_ref().as_ref().ok()?;
                let tree = self.tree(&self.evaluation.fold_condition(expression));
                self.conditions.insert(text, tree.clone());
                tree
            }
        };
        Some(self.expression_use(&tree, entry.span(), 0, text))
    }

    /// A key of `skipped_tests` or `waived_tests` that is an expression.
    pub(super) fn rule(&mut self, key: &str, at: Option<Span>) -> Option<ExpressionUse> {
        let text = self.arena.symbol(key)?;
        let parsed = self.evaluation.expression(text, 0, self.arena);
        let expression =
            parsed.as_ref().as_ref().ok().filter(|expression| check_names(expression, Context::RunIf).is_empty())?;
        let tree = self.tree(&self.evaluation.fold_condition(expression));
        Some(self.expression_use(&tree, at.unwrap_or_default(), 0, text))
    }

    fn tree(&mut self, expression: &Expression) -> Tree {
        let places = expression.places().clone();
        if let Some(index) = self.trees.get(expression) {
            return Tree { index: *index, places };
        }
        let index = self.expressions.len() as u32;
        let expression = expression.without_places();
        self.expressions.push(expression.clone());
        self.trees.insert(expression, index);
        Tree { index, places }
    }

    fn expression_use(&mut self, tree: &Tree, literal: Span, skip: usize, text: Symbol) -> ExpressionUse {
        ExpressionUse { expression: tree.index, source: self.source(tree, literal, skip, text) }
    }

    fn source(&mut self, tree: &Tree, literal: Span, skip: usize, text: Symbol) -> u32 {
        let key = (literal, tree.index);
        if let Some(index) = self.places.get(&key) {
            return *index;
        }
        let sources = self.sources;
        let start = sources.position(source_offset(sources, literal, skip));
        let file = sources.file_of(literal);
        let source = ExpressionSource {
            text: self.texts.entry((text, skip)).or_insert_with(|| self.arena.text(text)[skip..].into()).clone(),
            file: self.files.entry(file).or_insert_with(|| sources.path(file).display().to_string().into()).clone(),
            line: start.line,
            column: start.column,
            escapes: escape_breakpoints(sources, literal, skip),
            places: tree.places.clone(),
        };
        let index = self.found_sources.len() as u32;
        self.found_sources.push(source);
        self.places.insert(key, index);
        index
    }
}

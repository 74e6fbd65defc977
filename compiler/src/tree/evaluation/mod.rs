//! Expressions of a list: parsed once for each text, checked where they stand, evaluated with what is known.

mod built;
mod checked;
mod findings;

use hashbrown::HashMap;
use std::sync::Arc;

use tlc_plan::Data;
use tlc_plan::data::Object;
use tlc_plan::evaluate::{
    Binding, ErrorKind, EvaluationError, Limits, Scope, evaluate, evaluate_condition, evaluate_to_data,
};
use tlc_plan::expression::{Expression, Root};

use crate::arguments::Given;
use crate::catalogue::Catalogues;
use crate::document::{Arena, Contents, Entry, NodeId, Symbol, Value};
use crate::expression::{Context, SyntaxError, check_names, fold, parse, parsed};

use super::label::I18N;
use super::{Locals, Options};

pub use findings::{evaluation_finding, place, syntax_finding};
pub(super) use findings::{evaluation_finding_at, syntax_finding_at};

pub use crate::words::EVAL;

/// Why an expression of arguments has no value here.
#[derive(Clone, Debug)]
pub enum Failure {
    /// It is no expression.
    Syntax(SyntaxError),
    /// Its evaluation failed.
    Evaluation(EvaluationError),
}

/// The expressions of a list, and what they are evaluated with.
pub struct Evaluation {
    catalogues: Catalogues,
    device: Option<Data>,
    limits: Limits,
    parsed: HashMap<(Symbol, usize), Arc<Result<Expression, SyntaxError>>>,
    /// By symbol: a bit for each context in which nothing is wrong in a text, with a prefix or without.
    fine: Vec<u8>,
    arguments: Scope,
    locals: Scope,
    options: Scope,
    conditions: Scope,
    /// The locals that `arguments` is bound to.
    bound: Option<Data>,
    options_read_device: bool,
}

/// An evaluated value, and whether it may be another one on a station.
#[derive(Clone, Debug, Default)]
pub struct Evaluated {
    /// The value; null for what failed.
    pub value: Data,
    /// It reads device data, or something that does.
    pub reads_device: bool,
}

impl Evaluation {
    /// An evaluation with these texts and this device data.
    pub fn new(catalogues: Catalogues, device: Option<Data>) -> Self {
        let scope = Scope::new();
        Self {
            catalogues,
            device,
            limits: Limits::default(),
            parsed: HashMap::new(),
            fine: Vec::new(),
            arguments: scope.clone(),
            locals: scope.clone(),
            options: scope.clone(),
            conditions: scope,
            bound: None,
            options_read_device: false,
        }
    }

    /// The known locales and their texts.
    pub fn catalogues(&self) -> &Catalogues {
        &self.catalogues
    }

    /// The device data, if some were given.
    pub fn device(&self) -> Option<&Data> {
        self.device.as_ref()
    }

    /// Whether device data were given; without, what fails for lack of them is undecided.
    pub fn has_device(&self) -> bool {
        self.device.is_some()
    }

    /// Whether an option reads device data.
    pub fn options_read_device(&self) -> bool {
        self.options_read_device
    }

    /// Binds the constants of a list.
    pub(super) fn begin(&mut self, constants: &Data) {
        let empty = Data::object(Object::new());
        let device = self.device.clone().unwrap_or(empty);
        let known = Scope::new()
            .with(Root::Constants, Binding::attributes(constants))
            .with(Root::Device, Binding::device(&device));
        self.options = known.clone().with(Root::Dut, Binding::null()).with(Root::Station, Binding::null());
        self.locals = self.options.clone().with(Root::StateProxy, Binding::Unresolvable);
        self.arguments = known
            .with(Root::Dut, Binding::Unresolvable)
            .with(Root::Station, Binding::Unresolvable)
            .with(Root::StateProxy, Binding::Unresolvable);
        self.conditions =
            Scope::new().with(Root::Constants, Binding::device(constants)).with(Root::Device, Binding::device(&device));
    }

    /// Binds the options of a list.
    pub(super) fn set_options(&mut self, options: &Options) {
        let binding = Binding::attributes(&options.to_data());
        self.locals.set(Root::Options, binding.clone());
        self.arguments.set(Root::Options, binding);
        self.options_read_device = options.iter().any(|(_, setting)| setting.reads_device);
    }

    /// The tree of a text that begins with a prefix of `skip` bytes.
    pub fn expression(&mut self, text: Symbol, skip: usize, arena: &Arena) -> Arc<Result<Expression, SyntaxError>> {
        self.parsed.entry((text, skip)).or_insert_with(|| parsed(&arena.text(text)[skip..])).clone()
    }

    /// Every text that was read, with how many bytes of it are no part of the expression.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (usize, &Result<Expression, SyntaxError>)> {
        self.parsed.iter().map(|((_, skip), parsed)| (*skip, &**parsed))
    }

    /// Every text that was read and is not a condition.
    pub(crate) fn argument_texts(&self) -> impl Iterator<Item = Symbol> {
        self.parsed.keys().filter(|(_, skip)| *skip > 0).map(|(text, _)| *text)
    }

    /// What a `run_if` gives with the given device data; true if it fails.
    pub fn condition(&mut self, node: NodeId, arena: &Arena) -> Data {
        let Value::String(text) = arena.node(node).value else { return Data::Bool(true) };
        match &*self.expression(text, 0, arena) {
            Ok(expression) => evaluate_to_data(expression, &self.conditions, &self.limits).unwrap_or(Data::Bool(true)),
            Err(_) => Data::Bool(true),
        }
    }

    /// Whether a key of `skipped_tests` or `waived_tests` holds; an error counts as false.
    pub fn rule_condition(&mut self, key: &str) -> bool {
        let Ok(expression) = parse(key) else { return false };
        if !check_names(&expression, Context::RunIf).is_empty() {
            return false;
        }
        let condition = evaluate_condition(&expression, &self.conditions, &self.limits);
        condition.holds && condition.error.is_none()
    }

    /// The value of an expression of arguments, with these locals.
    pub fn evaluate(&mut self, text: Symbol, locals: &Data, arena: &Arena) -> Result<Data, Failure> {
        self.bind(locals);
        match &*self.expression(text, EVAL.len(), arena) {
            Ok(expression) => evaluate_to_data(expression, &self.arguments, &self.limits).map_err(Failure::Evaluation),
            Err(error) => Err(Failure::Syntax(error.clone())),
        }
    }

    /// What the names of an argument are bound to, with these locals.
    pub fn scope(&mut self, locals: &Data) -> &Scope {
        self.bind(locals);
        &self.arguments
    }

    /// An expression of arguments with everything folded that is the same for every unit; locals only if they are.
    pub fn fold(&mut self, expression: &Expression, locals: Option<&Data>) -> Expression {
        let mut scope = Scope::new().with(Root::Constants, self.arguments.get(Root::Constants).clone());
        if !self.options_read_device {
            scope.set(Root::Options, self.arguments.get(Root::Options).clone());
        }
        if let Some(locals) = locals {
            self.bind(locals);
            scope.set(Root::Locals, self.arguments.get(Root::Locals).clone());
        }
        fold(expression, &scope)
    }

    /// A condition with everything folded that is the same for every unit.
    pub fn fold_condition(&self, expression: &Expression) -> Expression {
        fold(expression, &Scope::new().with(Root::Constants, self.conditions.get(Root::Constants).clone()))
    }

    fn bind(&mut self, locals: &Data) {
        let same = |bound: &Data| match (bound, locals) {
            (Data::Object(a), Data::Object(b)) => Arc::ptr_eq(a, b),
            _ => false,
        };
        if !self.bound.as_ref().is_some_and(same) {
            self.arguments.set(Root::Locals, Binding::attributes(locals));
            self.bound = Some(locals.clone());
        }
    }

    /// Whether a value holds nothing that is evaluated or translated.
    pub(crate) fn is_plain(value: Entry<'_>) -> bool {
        !value.contents().has(Contents::EXPRESSION) && !value.contents().has(Contents::TRANSLATED)
    }

    /// Arguments with every expression evaluated, in the notation of the resolved form: `__unresolvable__` for what only a station knows,
    /// `__error__` for what fails.
    pub fn argument(&mut self, node: NodeId, locals: &Data, arena: &Arena) -> Data {
        let entry = arena.entry(node);
        if Self::is_plain(entry) {
            return entry.to_data();
        }
        match entry.value() {
            Value::String(text) => self.argument_text(text, locals, arena),
            Value::List => Data::list(entry.items().map(|item| self.argument(item.id, locals, arena)).collect()),
            Value::Object => {
                let mut values = Object::with_capacity(entry.members().len());
                for member in entry.members() {
                    values.push_new(arena.shared(member.key), self.argument(member.value, locals, arena));
                }
                Data::object(values)
            }
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) => entry.to_data(),
        }
    }

    fn argument_text(&mut self, text: Symbol, locals: &Data, arena: &Arena) -> Data {
        let written = arena.text(text);
        if let Some(english) = written.strip_prefix(I18N) {
            return self.translated(english);
        }
        if !written.starts_with(EVAL) {
            return Data::String(arena.shared(text));
        }
        let (key, value) = match self.evaluate(text, locals, arena) {
            Ok(value) => return value,
            Err(Failure::Evaluation(error)) if error.kind == ErrorKind::Unresolvable => {
                ("__unresolvable__", written.to_string())
            }
            Err(Failure::Evaluation(error)) => ("__error__", error.to_string()),
            Err(Failure::Syntax(error)) => ("__error__", error.message),
        };
        Data::object([(key.into(), Data::string(value))])
    }

    /// The value of an argument, as a declaration judges it: unknown is what only a station knows, and what fails and so has a finding of
    /// its own.
    pub fn given(&mut self, node: NodeId, locals: &Locals, arena: &Arena) -> Given {
        if self.is_open(arena.entry(node), locals) {
            return Given::Unknown;
        }
        let value = self.argument(node, &locals.value, arena);
        if self.is_tuple(node, arena) { Given::Tuple(value) } else { Given::Data(value) }
    }

    /// Whether an expression in a value has no value yet, or never has one.
    fn is_open(&mut self, value: Entry<'_>, locals: &Locals) -> bool {
        let arena = value.arena;
        let inner = value.items().chain(value.members().map(|member| arena.entry(member.value)));
        match value.value() {
            Value::String(text) if arena.text(text).starts_with(EVAL) => {
                self.waits_for_device(text, locals, arena) || self.evaluate(text, &locals.value, arena).is_err()
            }
            _ => inner.collect::<Vec<_>>().into_iter().any(|inner| self.is_open(inner, locals)),
        }
    }

    /// Whether an expression of arguments reads device data that were not given.
    fn waits_for_device(&mut self, text: Symbol, locals: &Locals, arena: &Arena) -> bool {
        let parsed = self.expression(text, EVAL.len(), arena);
        let roots = parsed.as_ref().as_ref().map(Expression::roots).unwrap_or_default();
        !self.has_device()
            && (roots.contains(&Root::Device)
                || (roots.contains(&Root::Locals) && locals.reads_device)
                || (roots.contains(&Root::Options) && self.options_read_device))
    }

    /// Whether an argument is an expression that gives a tuple, with the locals that were bound last.
    fn is_tuple(&mut self, node: NodeId, arena: &Arena) -> bool {
        let Value::String(text) = arena.node(node).value else { return false };
        if !arena.text(text).starts_with(EVAL) {
            return false;
        }
        let parsed = self.expression(text, EVAL.len(), arena);
        let Ok(expression) = &*parsed else { return false };
        matches!(evaluate(expression, &self.arguments, &self.limits), Ok(tlc_plan::value::Value::Tuple(_)))
    }

    /// A text in every known locale.
    pub fn translated(&self, english: &str) -> Data {
        let texts = self.catalogues.text(english);
        let texts = texts.into_iter().map(|(locale, text)| (locale, Data::String(text)));
        Data::object(texts.collect::<Object>())
    }
}

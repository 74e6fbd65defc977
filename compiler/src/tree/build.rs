//! The builder: raw tests to nodes, depth first, in the order of the list.

use std::collections::HashMap;

use tlc_plan::Data;
use tlc_plan::plan::{ActionOnFailure, Class, Count, Text};

use crate::catalogue::Catalogues;
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::document::{Arena, Entry, Member, NodeId, Symbol, Value};
use crate::merge::{NoTrace, merge};
use crate::source::{SourceMap, Span};

use super::definitions::{Definitions, Kind, Resolved};
use super::evaluation::Evaluation;
use super::label::{I18N, id_of_label, is_id, label_of_pytest, normalize};
use super::options::Options;
use super::{Locals, LocalsId, Test, TestId, TestTree, flag, requirements, structure};

/// How deep groups may lie in each other.
pub const MAX_DEPTH: usize = 200;

/// How many nodes a list may have.
pub const MAX_TESTS: usize = 4_000_000;

/// What a list is resolved with.
pub struct Input<'a> {
    /// The files.
    pub sources: &'a SourceMap,
    /// The list after inheritance.
    pub config: &'a Config,
    /// The list's id.
    pub list: &'a str,
}

/// Builds the tree of a list. `None` if the list has no `tests`, which makes it a library, or cannot be built.
///
/// Every mistake that can be found is reported, also where no tree comes out.
pub fn resolve(
    input: &Input<'_>,
    arena: &mut Arena,
    evaluation: &mut Evaluation,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<TestTree> {
    let constants = input.config.get(arena, "constants").map_or(Data::Null, |constants| arena.entry(constants).to_data());
    evaluation.begin(&constants);
    let options = Options::resolve(input.config.get(arena, "options"), arena, input.sources, evaluation, diagnostics);
    evaluation.set_options(&options);
    let tests = input.config.get(arena, "tests")?;
    let label = list_label(input, evaluation.catalogues(), arena, diagnostics)?;
    let span = arena.node(input.config.root).span;
    let nothing = arena.add_object(&[], Span { start: span.start, len: 0 });
    let definitions = Definitions::new(arena, input.config.get(arena, "definitions"));
    let mut builder = Builder { input, arena, evaluation, diagnostics, definitions, nothing, tree: empty_tree(label), labels: HashMap::new(), open: Vec::new(), full: false };
    builder.tree.options = options;
    builder.tree.constants = constants;
    builder.root(tests, span);
    let mut tree = builder.tree;
    override_args(&mut tree, input, arena, diagnostics);
    requirements::resolve(&mut tree, input.list, arena, diagnostics);
    structure::check(&tree, arena, diagnostics);
    Some(tree)
}

fn empty_tree(label: Text) -> TestTree {
    TestTree {
        label,
        options: Options::default(),
        constants: Data::Null,
        locals: vec![Locals { enclosing: None, own: None, value: Data::object(indexmap::IndexMap::new()), reads_device: false }],
        labels: Vec::new(),
        tests: Vec::new(),
    }
}

fn list_label(input: &Input<'_>, catalogues: &Catalogues, arena: &Arena, diagnostics: &mut Vec<Diagnostic>) -> Option<Text> {
    let root = arena.entry(input.config.root);
    let Some(label) = root.get("label") else {
        diagnostics.push(missing_label(root.span()));
        return None;
    };
    let text = label.as_str()?;
    Some(catalogues.text(text.strip_prefix(I18N).unwrap_or(text)))
}

struct Builder<'a, 'i> {
    input: &'a Input<'i>,
    arena: &'a mut Arena,
    evaluation: &'a mut Evaluation,
    diagnostics: &'a mut Vec<Diagnostic>,
    definitions: Definitions,
    /// The object without members.
    nothing: NodeId,
    tree: TestTree,
    labels: HashMap<LabelKey, u32>,
    /// The definitions whose subtests are being built.
    open: Vec<Symbol>,
    full: bool,
}

/// A label as a key.
type LabelKey = Vec<(String, String)>;

/// What a group hands down to its tests.
#[derive(Clone, Copy)]
struct Around {
    parent: TestId,
    locals: LocalsId,
    child_action: Option<ActionOnFailure>,
    teardown: bool,
}

/// A raw test with what it inherits.
struct Effective {
    resolved: Resolved,
    /// The definition that it names, if any.
    named: Option<Symbol>,
    span: Span,
}

impl Builder<'_, '_> {
    fn root(&mut self, tests: NodeId, span: Span) {
        let id = self.arena.intern("");
        let root = Test {
            parent: None,
            children: Vec::new(),
            id,
            class: Class::TestGroup,
            object: self.nothing,
            args: self.nothing,
            span,
            pytest_name: None,
            locals: LocalsId(0),
            run_if: None,
            iterations: Count::Times(1),
            retries: Count::Times(0),
            action_on_failure: ActionOnFailure::Next,
            teardown: false,
            parallel: false,
            allow_reboot: false,
            require_run: Vec::new(),
            label: 0,
        };
        self.tree.labels.push(self.tree.label.clone());
        self.tree.tests.push(root);
        self.subtests(tests, Around { parent: TestId(0), locals: LocalsId(0), child_action: None, teardown: false });
        self.number(TestId(0));
    }

    fn subtests(&mut self, subtests: NodeId, around: Around) {
        let count = self.arena.entry(subtests).items().len();
        for position in 0..count {
            let Some(raw) = self.arena.entry(subtests).items().nth(position).map(|entry| entry.id) else { return };
            if self.tree.tests.len() >= MAX_TESTS {
                self.too_many(raw);
                return;
            }
            self.test(raw, around);
        }
    }

    fn too_many(&mut self, raw: NodeId) {
        if !std::mem::replace(&mut self.full, true) {
            self.diagnostics.push(too_many_tests(self.arena.node(raw).span));
        }
    }

    fn test(&mut self, raw: NodeId, around: Around) {
        let Some(effective) = self.effective(raw) else { return };
        if self.open.len() >= MAX_DEPTH {
            self.diagnostics.push(too_deep(effective.span));
            return;
        }
        if let Some(name) = effective.named {
            if self.open.contains(&name) && self.arena.entry(effective.resolved.object).get("subtests").is_some() {
                self.diagnostics.push(contains_itself(self.arena.text(name), effective.span));
                return;
            }
        }
        self.open.push(effective.named.unwrap_or_else(|| self.arena.intern("")));
        match effective.resolved.kind {
            Kind::Flatten => self.flatten(&effective, around),
            Kind::Test(class) => self.node(&effective, class, around),
        }
        self.open.pop();
    }

    /// A string names a definition; an object is merged over the definition that it inherits.
    fn effective(&mut self, raw: NodeId) -> Option<Effective> {
        let entry = self.arena.entry(raw);
        let span = entry.span();
        if let Value::String(name) = entry.value() {
            let resolved = self.definitions.resolve(name, span, self.arena, self.diagnostics)?;
            return Some(Effective { resolved, named: Some(name), span });
        }
        if !entry.is_object() {
            return None;
        }
        let base = entry.get("inherit");
        let (name, at) = match base.map(|base| (base.value(), base.span())) {
            Some((Value::String(name), at)) => (name, at),
            Some(_) => return None,
            None => (self.arena.intern("FactoryTest"), Span { len: span.len.min(1), ..span }),
        };
        let resolved = self.definitions.resolve(name, at, self.arena, self.diagnostics)?;
        let (object, found) = merge(self.arena, &[resolved.object, raw], &mut NoTrace);
        self.diagnostics.extend(found);
        Some(Effective { resolved: Resolved { object, ..resolved }, named: Some(name), span })
    }

    /// A flattened group hands down its locals and its children's action, and nothing else.
    fn flatten(&mut self, effective: &Effective, around: Around) {
        let object = effective.resolved.object;
        let locals = self.locals(object, around.locals);
        let child_action = self.action(object, "child_action_on_failure").or(around.child_action);
        self.expressions(object);
        if let Some(subtests) = self.list(object, "subtests") {
            self.subtests(subtests, Around { locals, child_action, ..around });
        }
    }

    fn node(&mut self, effective: &Effective, class: Class, around: Around) {
        let object = effective.resolved.object;
        let locals = self.locals(object, around.locals);
        let teardown = around.teardown || flag(self.arena, object, "teardown").unwrap_or(false);
        let id = TestId(self.tree.tests.len() as u32);
        let test = Test {
            parent: Some(around.parent),
            children: Vec::new(),
            id: self.arena.intern(""),
            class,
            object,
            args: self.args(object, class),
            span: effective.span,
            pytest_name: self.pytest_name(effective, class),
            locals,
            run_if: self.arena.entry(object).get("run_if").filter(|value| value.as_str().is_some()).map(|value| value.id),
            iterations: self.count(object, "iterations", 1),
            retries: self.count(object, "retries", 0),
            action_on_failure: self.action_on_failure(object, teardown, around),
            teardown,
            parallel: flag(self.arena, object, "parallel").unwrap_or(false),
            allow_reboot: flag(self.arena, object, "allow_reboot").unwrap_or(class.is_shutdown()),
            require_run: Vec::new(),
            label: 0,
        };
        self.tree.tests.push(test);
        self.tree.tests[around.parent.0 as usize].children.push(id);
        if let Some(subtests) = self.list(object, "subtests") {
            let child_action = self.action(object, "child_action_on_failure").or(around.child_action);
            self.subtests(subtests, Around { parent: id, locals, child_action, teardown });
            self.number(id);
        }
        self.expressions(object);
        self.exclusive_fields(effective, class);
        self.name(id, effective);
    }

    fn action_on_failure(&self, object: NodeId, teardown: bool, around: Around) -> ActionOnFailure {
        if teardown {
            return ActionOnFailure::Next;
        }
        self.action(object, "action_on_failure").or(around.child_action).unwrap_or_default()
    }

    fn action(&self, object: NodeId, field: &str) -> Option<ActionOnFailure> {
        match self.arena.entry(object).get(field)?.as_str()? {
            "NEXT" => Some(ActionOnFailure::Next),
            "PARENT" => Some(ActionOnFailure::Parent),
            "STOP" => Some(ActionOnFailure::Stop),
            _ => None,
        }
    }

    /// A field that is a list with something in it.
    fn list(&self, object: NodeId, field: &str) -> Option<NodeId> {
        self.arena.entry(object).get(field).filter(|list| list.items().len() > 0).map(|list| list.id)
    }

    /// A whole number from `least`, or -1 for no end.
    fn count(&mut self, object: NodeId, field: &str, least: u32) -> Count {
        let Some(written) = self.arena.entry(object).get(field) else { return Count::Times(least) };
        match written.value() {
            Value::Int(-1) => Count::Unlimited,
            Value::Int(number) if number >= i64::from(least) && number <= i64::from(u32::MAX) => Count::Times(number as u32),
            Value::Int(_) | Value::Big(_) | Value::Float(_) => {
                let finding = bad_count(field, least, written);
                self.diagnostics.push(finding);
                Count::Times(least)
            }
            _ => Count::Times(least),
        }
    }

    fn args(&mut self, object: NodeId, class: Class) -> NodeId {
        let args = self.arena.entry(object).get("args").filter(|args| args.is_object()).map_or(self.nothing, |args| args.id);
        let operation = match class {
            Class::FactoryTest | Class::TestGroup => return args,
            Class::ShutdownStep => None,
            Class::HaltStep => Some("halt"),
            Class::RebootStep => Some("reboot"),
            Class::FullRebootStep => Some("full_reboot"),
        };
        if operation.is_none() && self.arena.entry(args).get("operation").is_some() {
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

    fn pytest_name(&mut self, effective: &Effective, class: Class) -> Option<Symbol> {
        if class.is_shutdown() {
            return Some(self.arena.intern("shutdown"));
        }
        match self.arena.entry(effective.resolved.object).get("pytest_name")?.value() {
            Value::String(name) => Some(name),
            _ => None,
        }
    }

    /// A leaf runs one thing, and a group nothing.
    fn exclusive_fields(&mut self, effective: &Effective, class: Class) {
        let object = self.arena.entry(effective.resolved.object);
        let filled = |field: &str| {
            let value = object.get(field)?;
            let has = value.as_str().is_some_and(|text| !text.is_empty()) || value.items().len() > 0;
            object.member(field).filter(|_| has).map(|member| (field.to_owned(), member.key_span))
        };
        let fields: Vec<(String, Span)> = ["pytest_name", "exec", "subtests"].iter().filter_map(|field| filled(field)).collect();
        let finding = match &fields[..] {
            [first, ..] if class.is_shutdown() => shutdown_runs_nothing_else(&first.0, first.1),
            [first, second, ..] => two_programs(first, second),
            _ => return,
        };
        self.diagnostics.push(finding);
    }

    fn locals(&mut self, object: NodeId, enclosing: LocalsId) -> LocalsId {
        let Some(own) = self.arena.entry(object).get("locals").filter(|own| !own.members().is_empty()).map(|own| own.id) else {
            return enclosing;
        };
        let around = &self.tree.locals[enclosing.0 as usize];
        let evaluated =
            self.evaluation.own_locals(own, (&around.value, around.reads_device), self.arena, self.input.sources, self.diagnostics);
        let value = merge_data(&around.value, &evaluated.value);
        let reads_device = around.reads_device || evaluated.reads_device;
        self.tree.locals.push(Locals { enclosing: Some(enclosing), own: Some(own), value, reads_device });
        LocalsId(self.tree.locals.len() as u32 - 1)
    }

    /// The syntax and the names of a node's own arguments and condition.
    fn expressions(&mut self, object: NodeId) {
        let entry = self.arena.entry(object);
        let (args, run_if) = (entry.get("args").map(|args| args.id), entry.get("run_if").map(|run_if| run_if.id));
        if let Some(node) = args {
            self.evaluation.check_arguments(node, self.arena, self.input.sources, self.diagnostics);
        }
        if let Some(node) = run_if {
            self.evaluation.check_condition(node, self.arena, self.input.sources, self.diagnostics);
        }
    }

    fn name(&mut self, id: TestId, effective: &Effective) {
        let object = self.arena.entry(effective.resolved.object);
        let explicit = object.get("id").and_then(Entry::as_str).filter(|id| !id.is_empty()).map(str::to_owned);
        let Some(label) = self.label(id, effective, explicit.as_deref()) else { return };
        let english = label.get("en-US").map_or("", String::as_str);
        let name = explicit.unwrap_or_else(|| id_of_label(english));
        if !is_id(&name) {
            let object = self.arena.entry(effective.resolved.object);
            let place = object.get("id").or(object.get("label")).map_or(effective.span, Entry::span);
            self.diagnostics.push(bad_id(&name, place));
        }
        let key: LabelKey = label.iter().map(|(locale, text)| (locale.clone(), text.clone())).collect();
        let labels = &mut self.tree.labels;
        let index = *self.labels.entry(key).or_insert_with(|| {
            labels.push(label);
            labels.len() as u32 - 1
        });
        let symbol = self.arena.intern(&name);
        let test = &mut self.tree.tests[id.0 as usize];
        (test.id, test.label) = (symbol, index);
    }

    /// The explicit label; else that of the Python test, of the program, or the id.
    fn label(&mut self, id: TestId, effective: &Effective, explicit_id: Option<&str>) -> Option<Text> {
        let catalogues = self.evaluation.catalogues();
        let object = self.arena.entry(effective.resolved.object);
        if let Some(written) = object.get("label") {
            if let Some(text) = written.as_str() {
                return Some(catalogues.text(text.strip_prefix(I18N).unwrap_or(text)));
            }
            let normalized = normalize(catalogues, |locale| written.get(locale).and_then(Entry::as_str));
            if normalized.is_none() && written.is_object() {
                self.diagnostics.push(label_without_english(written.span()));
            }
            return normalized;
        }
        let test = self.tree.test(id);
        let default = match (test.class, test.pytest_name) {
            (Class::HaltStep, _) => Some("Halt".to_owned()),
            (Class::RebootStep, _) => Some("Reboot".to_owned()),
            (Class::FullRebootStep, _) => Some("Full Reboot".to_owned()),
            (Class::FactoryTest | Class::TestGroup, Some(name)) => Some(label_of_pytest(self.arena.text(name))),
            (Class::ShutdownStep, _) | (Class::FactoryTest | Class::TestGroup, None) => explicit_id.map(str::to_owned),
        };
        let default = default.or_else(|| program(object).map(|name| label_of_pytest(&name)));
        Some(catalogues.text(default.as_deref().unwrap_or("Test Group")))
    }

    /// Siblings with the same id are numbered from the second on.
    fn number(&mut self, group: TestId) {
        let children = self.tree.test(group).children.clone();
        let mut seen: HashMap<Symbol, u32> = HashMap::with_capacity(children.len());
        for child in children {
            let id = self.tree.test(child).id;
            let count = seen.entry(id).and_modify(|count| *count += 1).or_insert(1);
            if *count > 1 {
                let numbered = format!("{}_{count}", self.arena.text(id));
                self.tree.tests[child.0 as usize].id = self.arena.intern(&numbered);
            }
        }
    }
}

/// The name of the program of an `exec`, without its folder and its extension.
fn program(object: Entry<'_>) -> Option<String> {
    let first = object.get("exec")?.items().next()?.as_str()?;
    let stem = std::path::Path::new(first).file_stem()?.to_string_lossy().replace('-', "_");
    Some(stem)
}

/// Evaluated data over other data, member by member.
pub(super) fn merge_data(below: &Data, above: &Data) -> Data {
    let (Some(old), Some(new)) = (below.as_object(), above.as_object()) else { return above.clone() };
    let mut all = old.clone();
    for (key, value) in new {
        let merged = match all.get(key) {
            Some(old) => merge_data(old, value),
            None => value.clone(),
        };
        all.insert(key.clone(), merged);
    }
    Data::object(all)
}

/// Arguments of `override_args` over those of the tests that they name.
fn override_args(tree: &mut TestTree, input: &Input<'_>, arena: &mut Arena, diagnostics: &mut Vec<Diagnostic>) {
    let Some(overrides) = input.config.get(arena, "override_args") else { return };
    for member in arena.entry(overrides).members().to_vec() {
        let text = arena.text(member.key).clone();
        let path = text.strip_prefix(input.list).and_then(|rest| rest.strip_prefix(':')).unwrap_or(&text);
        let Some(id) = tree.find(arena, path) else {
            if !path.starts_with("__comment") {
                diagnostics.push(unknown_override(tree, arena, path, member.key_span));
            }
            continue;
        };
        let value = arena.entry(member.value);
        if !value.is_object() {
            diagnostics.push(override_is_no_object(path, value.type_name(), value.span()));
            continue;
        }
        let (args, found) = merge(arena, &[tree.test(id).args, member.value], &mut NoTrace);
        diagnostics.extend(found);
        tree.tests[id.0 as usize].args = args;
    }
}

fn missing_label(span: Span) -> Diagnostic {
    Diagnostic::error("missing-field", "the list has `tests` and no `label`", Span { len: span.len.min(1), ..span }, "this list")
        .help("add a `label`: what people call the list")
}

fn too_many_tests(span: Span) -> Diagnostic {
    Diagnostic::error("too-many-tests", format!("the list has more than {MAX_TESTS} tests"), span, "here").help("split the list")
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error("too-deep", format!("groups lie in each other more than {MAX_DEPTH} deep"), span, "here")
        .help("a definition may contain itself through others; flatten the groups")
}

fn contains_itself(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error("contains-itself", format!("the group `{name}` contains itself"), span, "inside of its own subtests")
        .help("remove this test")
}

fn bad_count(field: &str, least: u32, found: Entry<'_>) -> Diagnostic {
    let expected = format!("`{field}` is a whole number from {least}, or -1 for no end");
    Diagnostic::error("bad-count", format!("{expected}, found `{}`", found.to_data()), found.span(), "not such a number")
}

fn two_programs(first: &(String, Span), second: &(String, Span)) -> Diagnostic {
    let (a, b) = (&first.0, &second.0);
    Diagnostic::error("two-programs", format!("a test has `{a}` or `{b}`, not both"), second.1, format!("`{b}` here"))
        .label(first.1, format!("`{a}` here"))
        .help("a group has `subtests`; a test has `pytest_name` or `exec`; look for one that is inherited")
}

fn shutdown_runs_nothing_else(field: &str, span: Span) -> Diagnostic {
    Diagnostic::error("shutdown-with-program", format!("a shutdown step has no `{field}`"), span, "not here")
        .help("put what is to run before or after the shutdown into tests of their own")
}

fn bad_id(id: &str, span: Span) -> Diagnostic {
    let (message, help) = if id.is_empty() {
        ("the test has no id: its label has no letters or digits".to_owned(), "add an `id`")
    } else {
        (format!("`{id}` cannot be an id"), "an id has only ASCII letters and digits; add an `id` beside the label or the definition's name")
    };
    Diagnostic::error("bad-id", message, span, "here").help(help)
}

fn label_without_english(span: Span) -> Diagnostic {
    Diagnostic::error("label-without-english", "a label needs the text for `en-US`", span, "no `en-US`")
        .help("add `\"en-US\": \"...\"`; other locales are filled from it")
}

fn unknown_override(tree: &TestTree, arena: &Arena, path: &str, span: Span) -> Diagnostic {
    let finding = Diagnostic::denied("unknown-override", format!("`override_args` names `{path}`, and there is no such test"), span, "no such test");
    let paths: Vec<String> = tree.preorder().skip(1).take(10_000).map(|id| tree.path(arena, id)).collect();
    match crate::diagnostic::did_you_mean(path, paths.iter().map(String::as_str)) {
        Some(help) => finding.help(help),
        None => finding.help("`tlc dump` prints the paths of all tests"),
    }
}

fn override_is_no_object(path: &str, found: &str, span: Span) -> Diagnostic {
    Diagnostic::error("override-type", format!("the arguments for `{path}` are an object, found {found}"), span, "expected an object")
}

//! The builder: raw tests to nodes, depth first, in the order of the list.

use hashbrown::{HashMap, HashSet};
use std::sync::Arc;

use tlc_plan::Data;
use tlc_plan::plan::{ActionOnFailure, Class, Count, Text};

use crate::catalogue::{Catalogues, ENGLISH};
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::document::{Arena, Entry, NodeId, Symbol, Value, Words};
use crate::merge::{NoTrace, merge};
use crate::source::{SourceMap, Span};
use crate::words;

use super::definitions::{Definitions, Kind, Resolved};
use super::evaluation::Evaluation;
use super::label::I18N;
use super::names::Labels;
use super::options::Options;
use super::{
    Counts, Label, Locals, LocalsId, Test, TestId, TestTree, flag, overrides, requirements, schema, structure,
};

/// How deep groups may lie in each other.
pub const MAX_DEPTH: usize = 200;

/// How many nodes a list may have.
pub const MAX_TESTS: usize = 1_500_000;

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
    let constants =
        input.config.get(arena, words::CONSTANTS).map_or(Data::Null, |constants| arena.entry(constants).to_data());
    evaluation.begin(&constants);
    let options =
        Options::resolve(input.config.get(arena, words::OPTIONS), arena, input.sources, evaluation, diagnostics);
    evaluation.set_options(&options);
    let tests = input.config.get(arena, words::TESTS);
    let label = match tests {
        Some(_) => list_label(input, evaluation.catalogues(), arena, diagnostics),
        None => Text::default(),
    };
    // What definitions inherit that name nothing.
    arena.intern("FactoryTest");
    let span = arena.node(input.config.root).span;
    let nothing = arena.add_object(&[], Span { start: span.start, len: 0 });
    let definitions = Definitions::new(input.config.get(arena, words::DEFINITIONS));
    let mut builder = Builder {
        input,
        arena,
        evaluation,
        diagnostics,
        definitions,
        nothing,
        tree: empty_tree(label),
        labels: Labels::default(),
        siblings: HashMap::new(),
        visits: HashMap::new(),
        again: false,
        known: HashMap::new(),
        open: Vec::new(),
        full: false,
        is_alone: false,
    };
    builder.tree.options = options;
    builder.tree.constants = constants;
    if let Some(tests) = tests {
        let tests: Vec<NodeId> = builder.arena.entry(tests).items().map(|test| test.id).collect();
        builder.root(&tests, span);
    }
    let used = builder.definitions.reached();
    builder.unreached(tests.is_none());
    builder.definitions.settle_missing(builder.arena, builder.diagnostics);
    if builder.definitions.lacks_a_class(builder.arena) {
        without_consequences(builder.diagnostics);
    }
    let mut tree = TestTree { used, ..builder.tree };
    tests?;
    overrides::apply(&mut tree, input, arena, diagnostics);
    requirements::resolve(&mut tree, input.list, arena, diagnostics);
    structure::check(&tree, arena, diagnostics);
    Some(tree)
}

/// A list that is refused for want of a class inherits no `base`, which would also bring the constants and the options that it lacks.
fn without_consequences(diagnostics: &mut Vec<Diagnostic>) {
    if diagnostics.iter().any(schema::is_inherit_misspelt) {
        // It would inherit what it lacks.
        diagnostics.retain(|finding| finding.code != "unknown-definition" && !schema::is_brought_by_base(finding));
    } else if diagnostics.iter().any(|finding| finding.code == "unknown-definition") {
        diagnostics.retain(|finding| !schema::is_brought_by_base(finding));
    }
}

pub(super) fn empty_tree(label: Text) -> TestTree {
    TestTree {
        label,
        options: Options::default(),
        constants: Data::Null,
        locals: vec![Locals {
            enclosing: None,
            own: None,
            value: Data::object(tlc_plan::data::Object::new()),
            reads_device: false,
        }],
        labels: Vec::new(),
        english: ENGLISH.into(),
        tests: Vec::new(),
        requirements: HashMap::new(),
        words: Words::default(),
        incomplete: HashSet::new(),
        used: Vec::new(),
    }
}

fn list_label(input: &Input<'_>, catalogues: &Catalogues, arena: &Arena, diagnostics: &mut Vec<Diagnostic>) -> Text {
    let root = arena.entry(input.config.root);
    let label = root.get(words::LABEL);
    if label.is_none() {
        diagnostics.push(missing_label(root.span(), root.member(words::TESTS).map(|tests| tests.key_span)));
    }
    let text = label.and_then(Entry::as_str).unwrap_or_default();
    catalogues.text(text.strip_prefix(I18N).unwrap_or(text))
}

pub(super) struct Builder<'a, 'i> {
    pub(super) input: &'a Input<'i>,
    pub(super) arena: &'a mut Arena,
    pub(super) evaluation: &'a mut Evaluation,
    pub(super) diagnostics: &'a mut Vec<Diagnostic>,
    pub(super) definitions: Definitions,
    /// The object without members.
    pub(super) nothing: NodeId,
    pub(super) tree: TestTree,
    pub(super) labels: Labels,
    /// How often an id stands in the group that is being numbered.
    pub(super) siblings: HashMap<Symbol, u32>,
    /// How often the subtests of a definition were entered.
    visits: HashMap<Symbol, u32>,
    /// The group at hand was entered before.
    again: bool,
    /// Tests of groups that were entered before, by where they are written.
    known: HashMap<NodeId, (Effective, Facts)>,
    /// The tests that are being built, each in the subtests of the one before.
    open: Vec<Open>,
    full: bool,
    /// A definition is being built by itself.
    pub(super) is_alone: bool,
}

/// A test that is being built.
#[derive(Clone, Copy)]
struct Open {
    /// The definition that its subtests come from, if they do.
    group: Option<Symbol>,
    span: Span,
}

/// What a group hands down to its tests.
#[derive(Clone, Copy)]
pub(super) struct Around {
    parent: TestId,
    locals: LocalsId,
    pub(super) child_action: Option<ActionOnFailure>,
    pub(super) teardown: bool,
}

/// What a node is, whatever is around it.
#[derive(Clone, Copy)]
struct Facts {
    class: Class,
    args: NodeId,
    pytest_name: Option<Symbol>,
    run_if: Option<NodeId>,
    counts: Counts,
    action: Option<ActionOnFailure>,
    teardown: bool,
    parallel: bool,
    allow_reboot: bool,
    /// Its id before numbering, and its label; `None` if it has none that makes sense.
    name: Option<(Symbol, u32)>,
}

/// A raw test with what it inherits.
#[derive(Clone, Copy)]
pub(super) struct Effective {
    pub(super) resolved: Resolved,
    /// The definition whose subtests it has, if it has none of its own.
    group: Option<Symbol>,
    raw: NodeId,
    pub(super) span: Span,
}

impl Builder<'_, '_> {
    pub(super) fn root(&mut self, tests: &[NodeId], span: Span) {
        let root = Test {
            parent: None,
            id: words::NOTHING,
            class: Class::TestGroup,
            raw: self.arena.add_object(&[], span),
            object: self.nothing,
            args: self.nothing,
            pytest_name: None,
            locals: LocalsId(0),
            run_if: None,
            counts: Counts::new(Count::Times(1), Count::Times(0)),
            action_on_failure: ActionOnFailure::Next,
            teardown: false,
            parallel: false,
            allow_reboot: false,
            is_copy: false,
            is_overridden: false,
            label: 0,
            end: 0,
        };
        self.tree.labels.push(Label::Texts(Arc::new(self.tree.label.clone())));
        self.tree.tests.push(root);
        self.subtests(
            tests,
            Around { parent: self.tree.root(), locals: LocalsId(0), child_action: None, teardown: false },
        );
        self.finish(TestId::new(0));
    }

    fn subtests(&mut self, subtests: &[NodeId], around: Around) {
        for &raw in subtests {
            if self.tree.tests.len() >= MAX_TESTS {
                self.too_many(raw);
                self.tree.incomplete.insert(around.parent);
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
        let known = if self.again { self.known.get(&raw).copied() } else { None };
        let Some(effective) = known.map(|(effective, _)| effective).or_else(|| self.effective(raw)) else {
            self.tree.incomplete.insert(around.parent);
            return;
        };
        if self.open.len() >= MAX_DEPTH {
            self.diagnostics.push(too_deep(effective.span));
            self.tree.incomplete.insert(around.parent);
            return;
        }
        let group = effective.group;
        if group.is_some()
            && let Some(first) = self.open.iter().position(|open| open.group == group)
        {
            self.diagnostics.push(contains_itself(self.arena, &self.open[first..], effective.span));
            self.tree.incomplete.insert(around.parent);
            return;
        }
        if self.is_alone && group.is_some() && !self.open.is_empty() {
            return;
        }
        self.open.push(Open { group, span: effective.span });
        match effective.resolved.kind {
            Kind::Flatten => self.flatten(&effective, around),
            Kind::Test(class) => self.node(&effective, class, known.map(|(_, facts)| facts), around),
        }
        self.open.pop();
    }

    /// A string names a definition; an object is merged over the definition that it inherits.
    fn effective(&mut self, raw: NodeId) -> Option<Effective> {
        let entry = self.arena.entry(raw);
        let span = entry.span();
        if let Value::String(name) = entry.value() {
            let resolved = self.definitions.resolve(name, span, self.arena, self.diagnostics)?;
            let group = self.arena.entry(resolved.object).get(words::SUBTESTS).map(|_| name);
            return Some(Effective { resolved, group, raw, span });
        }
        if !entry.is_object() {
            return None;
        }
        let base = entry.get(words::INHERIT);
        let (name, at) = match base.map(|base| (base.value(), base.span())) {
            Some((Value::String(name), at)) => (name, at),
            Some(_) => return None,
            None => (self.arena.intern("FactoryTest"), Span { len: span.len.min(1), ..span }),
        };
        let resolved = self.definitions.resolve(name, at, self.arena, self.diagnostics)?;
        let has_subtests = |object| self.arena.entry(object).get(words::SUBTESTS).is_some();
        let group = (has_subtests(resolved.object) && !has_subtests(raw)).then_some(name);
        let (object, found) = merge(self.arena, &[resolved.object, raw], &mut NoTrace);
        self.diagnostics.extend(found);
        Some(Effective { resolved: Resolved { object, ..resolved }, group, raw, span })
    }

    /// A flattened group hands down its locals and its children's action, and nothing else.
    fn flatten(&mut self, effective: &Effective, around: Around) {
        let object = effective.resolved.object;
        let locals = self.locals(object, around.locals);
        let child_action = self.action(object, words::CHILD_ACTION_ON_FAILURE).or(around.child_action);
        self.expressions(object);
        self.inner(effective, Around { locals, child_action, ..around });
    }

    /// The subtests of a group. Those that a definition has are written in one place for all groups that are made from it.
    fn inner(&mut self, effective: &Effective, around: Around) {
        let Some(subtests) = self.list(effective.resolved.object, words::SUBTESTS) else { return };
        let again = self.again;
        if let Some(group) = effective.group {
            let visits = self.visits.entry(group).or_insert(0);
            *visits += 1;
            self.again = *visits > 1 && !self.is_alone;
        }
        self.subtests(&subtests, around);
        self.again = again;
    }

    fn node(&mut self, effective: &Effective, class: Class, known: Option<Facts>, around: Around) {
        let object = effective.resolved.object;
        let facts = known.unwrap_or_else(|| self.facts(effective, class));
        let locals = self.locals(object, around.locals);
        let teardown = around.teardown || facts.teardown;
        let id = TestId::new(self.tree.tests.len());
        let (name, label) = facts.name.unwrap_or((words::NOTHING, 0));
        if facts.name.is_none() {
            self.tree.incomplete.insert(around.parent);
        }
        self.tree.tests.push(Test {
            parent: Some(around.parent),
            id: name,
            class: facts.class,
            raw: effective.raw,
            object,
            args: facts.args,
            pytest_name: facts.pytest_name,
            locals,
            run_if: facts.run_if,
            counts: facts.counts,
            action_on_failure: if teardown {
                ActionOnFailure::Next
            } else {
                facts.action.or(around.child_action).unwrap_or_default()
            },
            teardown,
            parallel: facts.parallel,
            allow_reboot: facts.allow_reboot,
            is_copy: known.is_some(),
            is_overridden: false,
            label,
            end: 0,
        });
        let child_action = self.action(object, words::CHILD_ACTION_ON_FAILURE).or(around.child_action);
        self.inner(effective, Around { parent: id, locals, child_action, teardown });
        self.finish(id);
    }

    /// Everything that can be in a group is in it.
    fn finish(&mut self, group: TestId) {
        let end = self.tree.tests.len();
        self.tree.tests[group.index()].end = end as u32;
        if end > group.index() + 1 {
            self.number(group);
        }
    }

    fn facts(&mut self, effective: &Effective, class: Class) -> Facts {
        let before = self.diagnostics.len();
        let object = effective.resolved.object;
        let entry = self.arena.entry(object);
        self.tree.words = self.tree.words.and(entry.words());
        let run_if = entry.get(words::RUN_IF).filter(|value| value.as_str().is_some()).map(|value| value.id);
        let pytest_name = self.pytest_name(effective, class);
        let facts = Facts {
            class,
            args: self.args(object, class),
            pytest_name,
            run_if,
            counts: Counts::new(self.count(object, words::ITERATIONS, 1), self.count(object, words::RETRIES, 0)),
            action: self.action(object, words::ACTION_ON_FAILURE),
            teardown: flag(self.arena, object, words::TEARDOWN).unwrap_or(false),
            parallel: flag(self.arena, object, words::PARALLEL).unwrap_or(false),
            allow_reboot: flag(self.arena, object, words::ALLOW_REBOOT).unwrap_or(class.is_shutdown()),
            name: self.name(effective, class, pytest_name),
        };
        self.expressions(object);
        self.exclusive_fields(effective, class);
        if self.again && self.diagnostics.len() == before && facts.name.is_some() {
            self.known.insert(effective.raw, (*effective, facts));
        }
        facts
    }

    fn locals(&mut self, object: NodeId, enclosing: LocalsId) -> LocalsId {
        let Some(own) = self
            .arena
            .entry(object)
            .get(words::LOCALS)
            .filter(|own| !own.members().is_empty() && !self.is_alone)
            .map(|own| own.id)
        else {
            return enclosing;
        };
        let around = &self.tree.locals[enclosing.0 as usize];
        let evaluated = self.evaluation.own_locals(
            own,
            (&around.value, around.reads_device),
            self.arena,
            self.input.sources,
            self.diagnostics,
        );
        let value = merge_data(&around.value, &evaluated.value);
        let reads_device = around.reads_device || evaluated.reads_device;
        self.tree.locals.push(Locals { enclosing: Some(enclosing), own: Some(own), value, reads_device });
        LocalsId(self.tree.locals.len() as u32 - 1)
    }

    /// The syntax and the names of a node's own arguments and condition.
    fn expressions(&mut self, object: NodeId) {
        let entry = self.arena.entry(object);
        let (args, run_if) =
            (entry.get(words::ARGS).map(|args| args.id), entry.get(words::RUN_IF).map(|run_if| run_if.id));
        if let Some(node) = args {
            self.evaluation.check_arguments(node, self.arena, self.input.sources, self.diagnostics);
        }
        if let Some(node) = run_if {
            self.evaluation.check_condition(node, self.arena, self.input.sources, self.diagnostics);
        }
    }
}

/// Evaluated data over other data, member by member.
fn merge_data(below: &Data, above: &Data) -> Data {
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

fn missing_label(span: Span, tests: Option<Span>) -> Diagnostic {
    let finding = Diagnostic::error(
        "missing-field",
        "the list has `tests` and no `label`",
        Span { len: span.len.min(1), ..span },
        "this list",
    );
    let finding = match tests {
        Some(tests) => finding.label(tests, "its tests"),
        None => finding,
    };
    finding.help("add a `label`: what people call the list")
}

fn too_many_tests(span: Span) -> Diagnostic {
    Diagnostic::error("too-many-tests", format!("the list has more than {MAX_TESTS} tests"), span, "here")
        .help("split the list")
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error("too-deep", format!("groups lie in each other more than {MAX_DEPTH} deep"), span, "here")
        .help("a definition may contain itself through others; flatten the groups")
}

/// `around` begins with the group, and ends with the test in whose subtests it stands again.
fn contains_itself(arena: &Arena, around: &[Open], span: Span) -> Diagnostic {
    let name = |open: &Open| open.group.map(|group| format!("`{}`", arena.text(group)));
    let names: Vec<String> = around.iter().chain(&around[..1]).filter_map(name).collect();
    let message = format!("the group {} contains itself: {}", names[0], names.join(" → "));
    let mut finding = Diagnostic::error("contains-itself", message, span, "inside of its own subtests");
    for (position, open) in around.iter().enumerate() {
        finding = finding.label(open.span, if position == 0 { "the group" } else { "contained here" });
    }
    finding.help("remove this test")
}

//! Tree to [`Plan`]: what a station needs, with every expression evaluated that needs nothing of a station.
//!
//! An expression that reads only constants, options and locals becomes its value. The rest stays an expression, with everything in it
//! folded that is known. Device data that were given are not used here: a plan is the same for every unit.

mod templates;

use std::cell::OnceCell;
use std::sync::Arc;

use tlc_plan::members::Members;
use tlc_plan::names::Names;
use tlc_plan::plan::{Class, Node, PHASES, Program, Rule, Test, Text, When};
use tlc_plan::{Data, NodeId, Plan, Template, plan};

use crate::diagnostic::Diagnostic;
use crate::document::{self, Arena, Entry};
use crate::marks::patterns_of;
use crate::source::SourceMap;
use crate::tree::{Evaluation, LocalsId, TestId, TestTree, flag, texts};
use crate::words;

use templates::Templates;

/// Makes the plan of a list that is not refused. What fails for every unit is a finding.
pub fn lower(
    id: &str,
    tree: &TestTree,
    arena: &Arena,
    sources: &SourceMap,
    evaluation: &mut Evaluation,
    diagnostics: &mut Vec<Diagnostic>,
) -> Plan {
    let mut templates = Templates::new(arena, sources, evaluation, diagnostics);
    let usual = Usual::new(tree);
    let locals = (0..tree.locals.len()).map(|index| locals(tree, LocalsId::new(index), &mut templates)).collect();
    let root = node(tree, tree.root(), arena, &usual, &HandedDown::default(), &mut templates);
    let mut around = vec![(tree.root(), HandedDown::default().through(tree, tree.root(), "", arena))];
    let mut plan = Plan::new(id.to_owned(), tree.label.clone(), root);
    plan.reserve(tree.len() - 1);
    let mut nodes: Vec<NodeId> = Vec::with_capacity(tree.len());
    nodes.push(plan.root());
    for id in tree.preorder().skip(1) {
        while around.len() > 1 && around.last().map(|(group, _)| *group) != tree.test(id).parent {
            around.pop();
        }
        let Some((group, handed_down)) = around.last() else { break };
        let lowered = node(tree, id, arena, &usual, handed_down, &mut templates);
        let further = (!tree.is_leaf(id)).then(|| handed_down.through(tree, id, &lowered.path, arena));
        nodes.push(plan.add_child(nodes[group.index()], lowered));
        around.extend(further.map(|further| (id, further)));
    }
    for id in tree.preorder().filter(|_| tree.has_field(words::REQUIRE_RUN)) {
        for required in tree.requirements(id) {
            plan.add_requirement(nodes[id.index()], nodes[required.index()]);
        }
    }
    plan.options = options(tree, &mut templates);
    plan.skipped_tests = rules(tree, "skipped_tests", arena, &mut templates);
    plan.waived_tests = rules(tree, "waived_tests", arena, &mut templates);
    plan.constants = tree.constants.clone();
    plan.locals = locals;
    (plan.expressions, plan.sources) = templates.finish();
    plan
}

/// Finds what fails for every unit in a list, as [`lower`] does, without making a plan of it.
pub fn find(
    tree: &TestTree,
    arena: &Arena,
    sources: &SourceMap,
    evaluation: &mut Evaluation,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut templates = Templates::new(arena, sources, evaluation, diagnostics);
    for index in 0..tree.locals.len() {
        locals(tree, LocalsId::new(index), &mut templates);
    }
    // Every expression of an argument was read when the tree was made, unless it came later, by `override_args`.
    let arguments_are_fine = templates.arguments_are_fine();
    let others_are_absent = !tree.has_field(words::EXEC) && !tree.has_field(words::MEASUREMENTS);
    for id in tree.preorder().skip(1) {
        let test = tree.test(id);
        if !tree.is_leaf(id) || (arguments_are_fine && others_are_absent && !test.is_overridden) {
            continue;
        }
        let written = arena.entry(test.object);
        let scope = (tree.locals_of(id), test.locals);
        let exec = written.get(words::EXEC).filter(|_| !test.class.is_shutdown());
        let others = [exec, written.get(words::MEASUREMENTS)];
        for value in others.into_iter().flatten().map(|entry| entry.id).chain([test.args]) {
            templates.find(value, scope);
        }
    }
    options(tree, &mut templates);
    for option in ["skipped_tests", "waived_tests"] {
        rules(tree, option, arena, &mut templates);
    }
}

/// What most nodes have, made once.
struct Usual {
    layout: Arc<Data>,
    measurements: Arc<Template>,
    dut_options: Arc<Data>,
    /// The labels of the tree, each made when a node first has it.
    labels: Vec<OnceCell<Arc<Text>>>,
}

impl Usual {
    fn new(tree: &TestTree) -> Self {
        Self {
            layout: crate::dump::layout(None).into(),
            measurements: Template::object(Members::new()).into(),
            dut_options: tree
                .options
                .get("dut_options")
                .map(|setting| setting.value.clone())
                .unwrap_or_default()
                .into(),
            labels: vec![OnceCell::new(); tree.label_count()],
        }
    }

    fn label(&self, tree: &TestTree, id: TestId, arena: &Arena) -> Arc<Text> {
        self.labels[tree.label_index(id)].get_or_init(|| tree.label_of(arena, id)).clone()
    }
}

/// What a group hands down to its tests.
#[derive(Default)]
struct HandedDown {
    /// The path of the group, with a dot behind it.
    prefix: String,
    /// Resources that it, or a group around it, holds; sorted.
    resources: Names,
    /// It, or a group around it, is a `TestGroup` that runs without a panel.
    no_host: bool,
    /// The nearest options that are not empty.
    dut_options: Option<Arc<Data>>,
}

impl HandedDown {
    /// What the tests of a group get whose own path is `path`.
    fn through(&self, tree: &TestTree, group: TestId, path: &str, arena: &Arena) -> Self {
        let test = tree.test(group);
        let own_no_host = test.class == Class::TestGroup && flag(arena, test.object, words::NO_HOST).unwrap_or(false);
        Self {
            prefix: if path.is_empty() { String::new() } else { format!("{path}.") },
            resources: self.resources_with(arena, test.object),
            no_host: self.no_host || own_no_host,
            dut_options: own_dut_options(arena, test.object).or_else(|| self.dut_options.clone()),
        }
    }

    /// The path of a test of the group.
    fn path_of(&self, id: &str) -> String {
        let mut path = String::with_capacity(self.prefix.len() + id.len());
        path.push_str(&self.prefix);
        path.push_str(id);
        path
    }

    /// Resources that a test of the group holds, with those of the groups around it.
    fn resources_with(&self, arena: &Arena, object: document::NodeId) -> Names {
        let mut names = texts(arena, object, words::EXCLUSIVE_RESOURCES);
        if names.is_empty() {
            return self.resources.clone();
        }
        names.extend(self.resources.iter().cloned());
        names.sort();
        names.dedup();
        names.into()
    }
}

fn own_dut_options(arena: &Arena, object: document::NodeId) -> Option<Arc<Data>> {
    arena.entry(object).get(words::DUT_OPTIONS).map(Entry::to_data).filter(Data::is_truthy).map(Arc::new)
}

fn node(
    tree: &TestTree,
    id: TestId,
    arena: &Arena,
    usual: &Usual,
    around: &HandedDown,
    templates: &mut Templates<'_>,
) -> Node {
    let test = tree.test(id);
    let written = arena.entry(test.object);
    let name = arena.shared(test.id);
    Node {
        path: around.path_of(&name),
        id: name,
        label: usual.label(tree, id, arena),
        class: test.class,
        test: (tree.is_leaf(id) && id != tree.root()).then(|| leaf(tree, id, arena, usual, templates)),
        run_if: test.run_if.and_then(|run_if| templates.condition(run_if)),
        iterations: test.iterations(),
        retries: test.retries(),
        action_on_failure: test.action_on_failure,
        teardown: test.teardown,
        parallel: test.parallel,
        allow_reboot: test.allow_reboot,
        disable_abort: flag(arena, test.object, words::DISABLE_ABORT).unwrap_or(false),
        no_host: around.no_host || flag(arena, test.object, words::NO_HOST).unwrap_or(false),
        exclusive_resources: around.resources_with(arena, test.object),
        enable_services: texts(arena, test.object, words::ENABLE_SERVICES).into(),
        disable_services: texts(arena, test.object, words::DISABLE_SERVICES).into(),
        dut_options: own_dut_options(arena, test.object)
            .or_else(|| around.dut_options.clone())
            .unwrap_or_else(|| usual.dut_options.clone()),
        layout: match written.get(words::LAYOUT) {
            None => usual.layout.clone(),
            layout => crate::dump::layout(layout).into(),
        },
        locals: test.locals.index() as u32,
    }
}

fn leaf(tree: &TestTree, id: TestId, arena: &Arena, usual: &Usual, templates: &mut Templates<'_>) -> Test {
    let test = tree.test(id);
    let written = arena.entry(test.object);
    let scope = (tree.locals_of(id), test.locals);
    let program = match (written.get(words::EXEC), test.pytest_name) {
        _ if test.class.is_shutdown() => Program::Shutdown,
        (Some(argv), _) if argv.items().len() > 0 => Program::Exec(templates.template(argv.id, scope).into()),
        (_, Some(name)) if !arena.text(name).is_empty() => Program::Pytest(arena.shared(name)),
        _ => Program::Nothing,
    };
    Test {
        program,
        args: if arena.entry(test.raw).get(words::ARGS).is_some() {
            templates.template(test.args, scope)
        } else {
            // Many tests may be one and the same definition.
            templates.shared(test.args, scope)
        },
        timeout_secs: written.get(words::TIMEOUT_SECS).and_then(seconds),
        isolation: match written.get(words::ISOLATION).and_then(Entry::as_str) {
            Some("spawn") => plan::Isolation::Spawn,
            Some("shared") => plan::Isolation::Shared,
            _ => plan::Isolation::Fork,
        },
        measurements: match written.get(words::MEASUREMENTS) {
            Some(limits) => templates.template(limits.id, scope).into(),
            None => usual.measurements.clone(),
        },
    }
}

fn seconds(field: Entry<'_>) -> Option<f64> {
    match field.to_data() {
        Data::Int(seconds) => Some(seconds as f64),
        Data::Float(seconds) => Some(seconds),
        _ => None,
    }
}

fn locals(tree: &TestTree, id: LocalsId, templates: &mut Templates<'_>) -> plan::Locals {
    let locals = &tree.locals[id.index()];
    match (locals.reads_device, locals.enclosing, locals.own) {
        (true, Some(enclosing), Some(own)) => plan::Locals::AtLoad {
            enclosing: enclosing.index() as u32,
            own: templates.template(own, (&tree.locals[enclosing.index()], enclosing)),
        },
        _ => plan::Locals::Known(locals.value.clone()),
    }
}

fn options(tree: &TestTree, templates: &mut Templates<'_>) -> Template {
    let outermost = LocalsId::new(0);
    Template::object(
        tree.options
            .iter()
            .map(|(name, setting)| {
                let value = match setting.written.filter(|_| setting.reads_device) {
                    Some(written) => templates.template(written, (&tree.locals[0], outermost)),
                    None => Template::Data(setting.value.clone()),
                };
                (name.clone(), value)
            })
            .collect(),
    )
}

/// The rules of an option. A rule that is no list of patterns makes all of them void.
fn rules(tree: &TestTree, option: &str, arena: &Arena, templates: &mut Templates<'_>) -> Vec<Rule> {
    let Some(setting) = tree.options.get(option) else { return Vec::new() };
    let Some(members) = setting.value.as_object() else { return Vec::new() };
    let written = setting.written.map(|written| arena.entry(written));
    let mut rules = Vec::new();
    for (key, value) in members {
        let member = written.and_then(|written| written.member(key));
        let reads_device = setting.reads_device.then_some(member).flatten();
        let patterns = match reads_device {
            Some(member) => templates.template(member.value, (&tree.locals[0], LocalsId::new(0))),
            None => {
                let Some(patterns) = patterns_of(value) else { return Vec::new() };
                Template::Data(Data::list(patterns.into_iter().map(Data::string).collect()))
            }
        };
        let when = if PHASES.contains(&&**key) {
            When::Phase(key.to_string())
        } else {
            templates
                .rule(key, member.map(|member| member.key_span))
                .map_or_else(|| When::Never(key.to_string()), When::Condition)
        };
        rules.push(Rule { when, patterns });
    }
    rules
}

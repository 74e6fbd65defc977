//! Tree to [`Plan`]: what a station needs, with every expression evaluated that needs nothing of a station.
//!
//! An expression that reads only constants, options and locals becomes its value. The rest stays an expression, with everything in it
//! folded that is known. Device data that were given are not used here: a plan is the same for every unit.

mod templates;

use hashbrown::HashMap;

use tlc_plan::plan::{Node, PHASES, Program, Rule, Test, When};
use tlc_plan::{Data, NodeId, Plan, Template, plan};

use crate::diagnostic::Diagnostic;
use crate::document::{Arena, Entry};
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
    let usual = Usual::new();
    let locals = (0..tree.locals.len()).map(|index| locals(tree, LocalsId::new(index), &mut templates)).collect();
    let root = node(tree, tree.root(), arena, &usual, &mut templates);
    let mut plan = Plan::new(id.to_owned(), tree.label.clone(), root);
    let mut nodes: HashMap<TestId, NodeId> = HashMap::from([(tree.root(), plan.root())]);
    for id in tree.preorder().skip(1) {
        let lowered = node(tree, id, arena, &usual, &mut templates);
        let parent = tree.test(id).parent.and_then(|parent| nodes.get(&parent).copied()).unwrap_or(plan.root());
        nodes.insert(id, plan.add_child(parent, lowered));
    }
    for id in tree.preorder() {
        for required in &tree.test(id).require_run {
            plan.add_requirement(nodes[&id], nodes[required]);
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

/// What most nodes have, made once.
struct Usual {
    layout: Data,
    measurements: Template,
}

impl Usual {
    fn new() -> Self {
        Self { layout: crate::dump::layout(None), measurements: Template::object(indexmap::IndexMap::new()) }
    }
}

fn node(tree: &TestTree, id: TestId, arena: &Arena, usual: &Usual, templates: &mut Templates<'_>) -> Node {
    let test = tree.test(id);
    let written = arena.entry(test.object);
    Node {
        path: tree.path(arena, id),
        id: arena.text(test.id).to_string(),
        label: tree.label_of(id).clone(),
        class: test.class,
        test: (test.children.is_empty() && id != tree.root()).then(|| leaf(tree, id, arena, usual, templates)),
        run_if: test.run_if.and_then(|run_if| templates.condition(run_if)),
        iterations: test.iterations,
        retries: test.retries,
        action_on_failure: test.action_on_failure,
        teardown: test.teardown,
        parallel: test.parallel,
        allow_reboot: test.allow_reboot,
        disable_abort: flag(arena, test.object, words::DISABLE_ABORT).unwrap_or(false),
        no_host: tree.no_host(arena, id),
        exclusive_resources: tree.exclusive_resources(arena, id),
        enable_services: texts(arena, test.object, words::ENABLE_SERVICES),
        disable_services: texts(arena, test.object, words::DISABLE_SERVICES),
        dut_options: dut_options(tree, id, arena),
        layout: match written.get(words::LAYOUT) {
            None => usual.layout.clone(),
            layout => crate::dump::layout(layout),
        },
        locals: test.locals.index() as u32,
    }
}

/// The first options that are not empty: of the node, of a group around it, of the list.
fn dut_options(tree: &TestTree, id: TestId, arena: &Arena) -> Data {
    let own = tree.ancestors(id).filter_map(|node| arena.entry(tree.test(node).object).get(words::DUT_OPTIONS));
    let first = own.map(Entry::to_data).find(Data::is_truthy);
    first.or_else(|| tree.options.get("dut_options").map(|setting| setting.value.clone())).unwrap_or_default()
}

fn leaf(tree: &TestTree, id: TestId, arena: &Arena, usual: &Usual, templates: &mut Templates<'_>) -> Test {
    let test = tree.test(id);
    let written = arena.entry(test.object);
    let scope = (tree.locals_of(id), test.locals);
    let program = match (written.get(words::EXEC), test.pytest_name) {
        _ if test.class.is_shutdown() => Program::Shutdown,
        (Some(argv), _) if argv.items().len() > 0 => Program::Exec(templates.template(argv.id, scope)),
        (_, Some(name)) if !arena.text(name).is_empty() => Program::Pytest(arena.text(name).to_string()),
        _ => Program::Nothing,
    };
    Test {
        program,
        args: match arena.entry(test.raw).as_str() {
            // Many tests may be one and the same definition.
            Some(_) => templates.shared(test.args, scope),
            None => templates.template(test.args, scope),
        },
        timeout_secs: written.get(words::TIMEOUT_SECS).and_then(seconds),
        isolation: match written.get(words::ISOLATION).and_then(Entry::as_str) {
            Some("spawn") => plan::Isolation::Spawn,
            Some("shared") => plan::Isolation::Shared,
            _ => plan::Isolation::Fork,
        },
        measurements: match written.get(words::MEASUREMENTS) {
            Some(limits) => templates.template(limits.id, scope),
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

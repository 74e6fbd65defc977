//! Plans for tests: built from a small JSON notation, with the few forms of conditions that the tests use.

#[allow(dead_code)]
pub mod teardowns;

use std::sync::Arc;

use serde_json::Value;
use tlc_plan::expression::{Builder, Expression, Node as Part, Place, Root, Sign};
use tlc_plan::names::Names;
use tlc_plan::plan::{
    ActionOnFailure, Class, Count, ExpressionSource, Isolation, Node, NodeId, Plan, Program, Rule, Test, Text, When,
};
use tlc_plan::template::ExpressionUse;
use tlc_plan::{Data, Template};
use tlc_runtime::schedule::Conditions;
use tlc_runtime::simulate::Evaluation;

/// Conditions of these forms: `device.KEY`, `not device.KEY`, and anything else, which is an error.
pub struct SmallConditions;

impl Conditions for SmallConditions {
    fn holds(&self, plan: &Plan, expression: ExpressionUse, device: &Data) -> Result<bool, String> {
        let text = &*plan.sources[expression.source as usize].text;
        let (negated, key) = match text.strip_prefix("not ") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let key = key.strip_prefix("device.").filter(|key| !key.contains(['.', '(']));
        let key = key.ok_or_else(|| format!("`{text}` is not known here"))?;
        Ok(device.get(key).is_some_and(Data::is_truthy) != negated)
    }

    fn resolve(&self, _: &Plan, template: &Template, _: &Data) -> Result<Data, String> {
        template.as_data().cloned().ok_or_else(|| "not data".to_owned())
    }
}

impl Evaluation for SmallConditions {
    fn arguments(&self, _: &Plan, _: NodeId, _: &Data) -> Result<(), String> {
        Ok(())
    }
}

/// The plan of a list's `tests` and `options`.
pub fn plan(tests: &Value, options: &Value) -> Plan {
    let root = node("", "", &serde_json::json!({}), true, &mut Vec::new(), ActionOnFailure::Next);
    let mut plan = Plan::new("test".into(), Text::default(), root);
    let mut sources = Vec::new();
    let mut requirements = Vec::new();
    for test in tests.as_array().into_iter().flatten() {
        let root = plan.root();
        add(&mut plan, root, test, &mut sources, &mut requirements);
    }
    plan.expressions = sources.iter().map(|source| expression(&source.text)).collect();
    plan.sources = sources;
    for (from, to) in requirements {
        let to = plan.find(if to == "all" { "" } else { &to }).expect("a requirement that exists");
        plan.add_requirement(from, to);
    }
    plan.options = Template::Data(Data::from(options));
    plan.skipped_tests = rules(&options["skipped_tests"]);
    plan.waived_tests = rules(&options["waived_tests"]);
    plan
}

/// The tree of a small condition; any other text is a name that nothing binds.
fn expression(text: &str) -> Expression {
    let place = Place::default();
    let mut builder = Builder::new();
    let (negated, key) = match text.strip_prefix("not ") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let name = builder.name(key.strip_prefix("device.").unwrap_or(key));
    let node = if key.starts_with("device.") {
        Part::Path { root: Root::Device, names: builder.path(&[name]) }
    } else {
        Part::Unknown(name)
    };
    let operand = builder.push(node, place).expect("a small tree");
    if negated {
        builder.push(Part::Unary { sign: Sign::Not, operand }, place).expect("a small tree");
    }
    builder.finish()
}

fn rules(rules: &Value) -> Vec<Rule> {
    let rules = rules.as_object().into_iter().flatten();
    rules
        .map(|(phase, patterns)| Rule {
            when: When::Phase(phase.clone()),
            patterns: Template::Data(Data::from(patterns)),
        })
        .collect()
}

fn add(
    plan: &mut Plan,
    parent: NodeId,
    test: &Value,
    sources: &mut Vec<ExpressionSource>,
    requirements: &mut Vec<(NodeId, String)>,
) {
    let parent_path = plan.node(parent).path.clone();
    let id = test["id"].as_str().expect("an id");
    let path = if parent_path.is_empty() { id.to_owned() } else { format!("{parent_path}.{id}") };
    let children = test["subtests"].as_array().cloned().unwrap_or_default();
    let inherited = if plan.node(parent).teardown { Some(true) } else { None };
    let mut made = node(&path, id, test, !children.is_empty(), sources, ActionOnFailure::Next);
    made.teardown |= inherited.unwrap_or(false);
    let at = plan.add_child(parent, made);
    if let Some(required) = test["require_run"].as_str() {
        requirements.push((at, required.to_owned()));
    }
    for child in &children {
        add(plan, at, child, sources, requirements);
    }
}

fn node(
    path: &str,
    id: &str,
    test: &Value,
    group: bool,
    sources: &mut Vec<ExpressionSource>,
    default: ActionOnFailure,
) -> Node {
    let class = match test["inherit"].as_str() {
        Some("TestGroup") => Class::TestGroup,
        Some("RebootStep") => Class::RebootStep,
        Some("HaltStep") => Class::HaltStep,
        Some("ShutdownStep") => Class::ShutdownStep,
        _ => Class::FactoryTest,
    };
    let program = match test["pytest_name"].as_str() {
        _ if class.is_shutdown() => Program::Shutdown,
        Some(name) => Program::Pytest(name.into()),
        None if test["exec"].is_array() => Program::Exec(Template::Data(Data::from(&test["exec"])).into()),
        None => Program::Nothing,
    };
    let run_if = test["run_if"].as_str().map(|condition| {
        sources.push(ExpressionSource {
            text: Arc::from(condition),
            file: "list".into(),
            line: 1,
            column: 1,
            escapes: Vec::new(),
            places: Arc::from([]),
        });
        let number = sources.len() as u32 - 1;
        ExpressionUse { expression: number, source: number }
    });
    Node {
        path: path.to_owned(),
        id: id.into(),
        label: Text::default().into(),
        class,
        test: (!group).then(|| Test {
            program,
            args: Template::default(),
            timeout_secs: None,
            isolation: Isolation::Fork,
            measurements: Template::default().into(),
        }),
        run_if,
        iterations: count(&test["iterations"], 1),
        retries: count(&test["retries"], 0),
        action_on_failure: match test["action_on_failure"].as_str() {
            Some("PARENT") => ActionOnFailure::Parent,
            Some("STOP") => ActionOnFailure::Stop,
            Some("NEXT") => ActionOnFailure::Next,
            _ => default,
        },
        teardown: test["teardown"].as_bool().unwrap_or(false),
        parallel: test["parallel"].as_bool().unwrap_or(false),
        allow_reboot: test["allow_reboot"].as_bool().unwrap_or(class.is_shutdown()),
        disable_abort: false,
        no_host: true,
        exclusive_resources: Names::default(),
        enable_services: Names::default(),
        disable_services: Names::default(),
        dut_options: Data::Null.into(),
        layout: Data::Null.into(),
        locals: 0,
    }
}

fn count(value: &Value, default: u32) -> Count {
    match value.as_i64() {
        Some(-1) => Count::Unlimited,
        Some(times) => Count::Times(times as u32),
        None => Count::Times(default),
    }
}

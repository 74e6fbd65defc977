//! Any stage as data: what `tlc dump` prints.
//!
//! The resolved form is public: its keys are those of `docs/src/reference/resolved-form.md`.

use std::sync::Arc;

use tlc_plan::Data;
use tlc_plan::data::Object;
use tlc_plan::plan::{Count, Text};

use crate::document::{Arena, Entry, NodeId};
use crate::lineage::Lineage;
use crate::source::SourceMap;
use crate::tree::{TestId, TestTree, texts};
use crate::words;
use crate::{Compilation, marks};

/// The files of a list as they were read: path and value, the list itself first.
pub fn documents(lineage: &Lineage, arena: &Arena, sources: &SourceMap) -> Data {
    let files = lineage.order.iter().flat_map(|ancestor| ancestor.layers.iter().rev());
    Data::list(
        files
            .map(|layer| {
                object([
                    ("file", Data::string(sources.path(layer.file).display().to_string())),
                    ("value", arena.entry(layer.root).to_data()),
                ])
            })
            .collect(),
    )
}

/// The order of inheritance: names, their files from the strongest, and what each inherits.
pub fn lineage(lineage: &Lineage, sources: &SourceMap) -> Data {
    Data::list(
        lineage
            .order
            .iter()
            .map(|ancestor| {
                let files = ancestor.layers.iter().rev().map(|layer| sources.path(layer.file).display().to_string());
                object([
                    ("name", Data::from(ancestor.name.as_str())),
                    ("files", strings(files)),
                    ("inherit", strings(ancestor.parents.iter().map(|(name, _)| name.clone()))),
                ])
            })
            .collect(),
    )
}

/// The resolved form of a list: options, constants, and the tree with every argument evaluated.
pub fn resolved(compilation: &mut Compilation) -> Data {
    let arena = &compilation.arena;
    let merged = compilation.config.as_ref().map_or(Data::Null, |config| arena.entry(config.root).to_data());
    let order =
        compilation.lineage.iter().flat_map(|lineage| lineage.order.iter().map(|ancestor| ancestor.name.clone()));
    let mut top = Object::from([
        (Arc::from("id"), Data::from(compilation.id.as_str())),
        (Arc::from("linearization"), strings(order)),
        (Arc::from("merged"), merged),
    ]);
    let mut set = |key: &str, value: Data| top.insert(key.into(), value);
    let Some(tree) = &compilation.tree else {
        set("tests", Data::Null);
        return Data::object(top);
    };
    set("label", text(&tree.label));
    set("options", tree.options.to_data());
    set("constants", tree.constants.clone());
    let marks = marks::at_start(tree, arena, &mut compilation.evaluation);
    set("skipped_at_start", strings(marks.skipped));
    set("skip_forced", strings(marks.forced));
    let waived: hashbrown::HashSet<TestId> = marks.waived.iter().copied().collect();
    set("waived_at_start", strings(tree.preorder().filter(|id| waived.contains(id)).map(|id| tree.path(arena, id))));
    let children: Vec<TestId> = tree.children(tree.root()).collect();
    let mut dump = Nodes { tree, arena, evaluation: &mut compilation.evaluation };
    set("tests", Data::list(children.into_iter().map(|child| dump.node(child)).collect()));
    Data::object(top)
}

/// One field of a test in the resolved form.
pub fn field(compilation: &mut Compilation, id: TestId, name: &str) -> Option<Data> {
    let tree = compilation.tree.as_ref()?;
    let mut nodes = Nodes { tree, arena: &compilation.arena, evaluation: &mut compilation.evaluation };
    nodes.fields(id).get(name).cloned()
}

struct Nodes<'a> {
    tree: &'a TestTree,
    arena: &'a Arena,
    evaluation: &'a mut crate::tree::Evaluation,
}

impl Nodes<'_> {
    fn node(&mut self, id: TestId) -> Data {
        let mut node = self.fields(id);
        let children = self.tree.children(id).map(|child| self.node(child)).collect();
        node.insert("subtests".into(), Data::list(children));
        Data::object(node)
    }

    /// Everything about a node but its tests.
    fn fields(&mut self, id: TestId) -> Object {
        let (tree, arena) = (self.tree, self.arena);
        let test = tree.test(id);
        let written = arena.entry(test.object);
        let locals = &tree.locals_of(id).value;
        let field = |name: &str| written.get(name);
        let names = |name: &str| strings(texts(arena, test.object, name));
        let require = tree_requirements(written);
        let mut node = Object::with_capacity(48);
        let mut set = |key: &str, value: Data| node.push_new(key.into(), value);
        set("path", Data::string(tree.path(arena, id)));
        set("id", Data::String(arena.shared(test.id)));
        set("class", Data::from(test.class.name()));
        set("label", text(&tree.label_of(arena, id)));
        set("pytest_name", test.pytest_name.map_or(Data::Null, |name| Data::String(arena.shared(name))));
        set("args", arena.entry(test.args).to_data());
        set("resolved_args", self.evaluation.argument(test.args, locals, arena));
        set("locals", locals.clone());
        set("action_on_failure", Data::from(action(test.action_on_failure)));
        set("teardown", Data::Bool(test.teardown));
        set("parallel", Data::Bool(test.parallel));
        set("iterations", count(test.iterations));
        set("retries", count(test.retries));
        set("run_if", test.run_if.map_or(Data::Null, |run_if| arena.entry(run_if).to_data()));
        set("run_if_value", test.run_if.map_or(Data::Bool(true), |run_if| self.evaluation.condition(run_if, arena)));
        set("require_run", require);
        set("require_run_resolved", strings(tree.requirements(id).iter().map(|required| tree.path(arena, *required))));
        set("exclusive_resources", names("exclusive_resources"));
        set("exclusive_resources_effective", strings(tree.exclusive_resources(arena, id)));
        set("enable_services", names("enable_services"));
        set("disable_services", names("disable_services"));
        set("allow_reboot", Data::Bool(test.allow_reboot));
        set("disable_abort", Data::Bool(crate::tree::flag(arena, test.object, words::DISABLE_ABORT).unwrap_or(false)));
        set("no_host", Data::Bool(crate::tree::flag(arena, test.object, words::NO_HOST).unwrap_or(false)));
        set("no_host_effective", Data::Bool(tree.no_host(arena, id)));
        // What `waived_tests` marks is in `waived_at_start`; the field itself is the original's, which no list can set.
        set("waived", Data::Bool(false));
        set("layout", layout(field("layout")));
        set("dut_options", field("dut_options").map_or_else(|| object([]), Entry::to_data));
        set("top_level_test", Data::Bool(tree.is_top_level(id)));
        set("rerun_root", Data::string(tree.path(arena, tree.rerun_root(id))));
        for name in ["exec", "timeout_secs", "isolation", "measurements"] {
            if let Some(value) = field(name) {
                set(name, value.to_data());
            }
        }
        for (name, resolved) in [("exec", "resolved_exec"), ("measurements", "resolved_measurements")] {
            if let Some(value) = field(name) {
                set(resolved, self.evaluation.argument(value.id, locals, arena));
            }
        }
        node
    }
}

/// `require_run` as a list, as it was written; `all` is the root.
fn tree_requirements(written: Entry<'_>) -> Data {
    let path = |item: Entry<'_>| if item.as_str() == Some("all") { Data::from("") } else { item.to_data() };
    match written.get(words::REQUIRE_RUN) {
        Some(field) if field.as_str().is_some_and(|text| !text.is_empty()) => Data::list(vec![path(field)]),
        Some(field) => Data::list(field.items().map(path).collect()),
        None => Data::list(Vec::new()),
    }
}

/// The layout in its long form.
pub fn layout(written: Option<Entry<'_>>) -> Data {
    let kind = written.and_then(|layout| layout.as_str().or_else(|| layout.get("type")?.as_str()).map(str::to_owned));
    let options = written.and_then(|layout| layout.get(words::OPTIONS)).map_or_else(|| object([]), Entry::to_data);
    object([("type", Data::string(kind.unwrap_or_else(|| "tab".into()))), ("options", options)])
}

fn action(action: tlc_plan::plan::ActionOnFailure) -> &'static str {
    use tlc_plan::plan::ActionOnFailure;
    match action {
        ActionOnFailure::Next => "NEXT",
        ActionOnFailure::Parent => "PARENT",
        ActionOnFailure::Stop => "STOP",
    }
}

fn count(count: Count) -> Data {
    match count {
        Count::Times(times) => Data::Int(i64::from(times)),
        Count::Unlimited => Data::Int(-1),
    }
}

fn text(text: &Text) -> Data {
    let texts = text.iter().map(|(locale, text)| (locale.clone(), Data::String(text.clone())));
    Data::object(texts.collect::<Object>())
}

fn strings(texts: impl IntoIterator<Item = String>) -> Data {
    Data::list(texts.into_iter().map(Data::string).collect())
}

fn object<const N: usize>(members: [(&str, Data); N]) -> Data {
    Data::object(members.into_iter().map(|(key, value)| (key.into(), value)).collect::<Object>())
}

/// The value of a stage that is a value of the arena.
pub fn value(arena: &Arena, id: NodeId) -> Data {
    arena.entry(id).to_data()
}

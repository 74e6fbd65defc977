//! Any stage as data: what `tlc dump` prints.
//!
//! The resolved form is public: its keys are those of `docs/src/reference/resolved-form.md`.

mod json;

use std::io::{self, Write};

use tlc_plan::Data;
use tlc_plan::data::Object;
use tlc_plan::plan::Count;

use crate::document::{Arena, Entry, NodeId, Symbol};
use crate::lineage::Lineage;
use crate::source::SourceMap;
use crate::tree::{Evaluation, TestId, TestTree, flag};
use crate::words;
use crate::{Compilation, marks};

use json::{Field, Fields, Json, One};

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

/// Writes a stage.
pub fn write(data: &Data, output: impl Write) -> io::Result<()> {
    let mut json = Json::new(output);
    json.data(data);
    json.finish()
}

/// Writes the resolved form of a list: options, constants, and the tree with every argument evaluated. A large list is larger in this form
/// than anything else about it, so it is written as it is made.
pub fn resolved(compilation: &mut Compilation, output: impl Write) -> io::Result<()> {
    let arena = &compilation.arena;
    let mut json = Json::new(output);
    json.begin_object();
    json.key("id");
    json.text(&compilation.id);
    json.key("linearization");
    json.texts(compilation.lineage.iter().flat_map(|lineage| &lineage.order).map(|ancestor| &ancestor.name));
    json.key("merged");
    match &compilation.config {
        Some(config) => json.entry(arena.entry(config.root)),
        None => json.null(),
    }
    let Some(tree) = &compilation.tree else {
        json.key("tests");
        json.null();
        json.end();
        return json.finish();
    };
    json.set("label", Field::Locales(tree.label.iter().map(|(locale, text)| (&**locale, &**text)).collect()));
    json.set("options", Field::Data(tree.options.to_data()));
    json.set("constants", Field::Data(tree.constants.clone()));
    let marks = marks::at_start(tree, arena, &mut compilation.evaluation);
    json.key("skipped_at_start");
    json.texts(marks.skipped);
    json.key("skip_forced");
    json.texts(marks.forced);
    json.key("waived_at_start");
    let waived: hashbrown::HashSet<TestId> = marks.waived.iter().copied().collect();
    json.texts(tree.preorder().filter(|id| waived.contains(id)).map(|id| tree.path(arena, id)));
    json.key("tests");
    json.begin_list();
    let mut nodes = Nodes { tree, arena, evaluation: &mut compilation.evaluation, path: String::new() };
    for child in tree.children(tree.root()) {
        nodes.node(child, &mut json);
    }
    json.end();
    json.end();
    json.finish()
}

/// One field of a test in the resolved form.
pub fn field(compilation: &mut Compilation, id: TestId, name: &str) -> Option<Data> {
    let tree = compilation.tree.as_ref()?;
    let path = tree.path(&compilation.arena, id);
    let mut nodes = Nodes { tree, arena: &compilation.arena, evaluation: &mut compilation.evaluation, path };
    let mut one = One { name, found: None };
    nodes.fields(id, &mut one);
    one.found
}

struct Nodes<'a> {
    tree: &'a TestTree,
    arena: &'a Arena,
    evaluation: &'a mut crate::tree::Evaluation,
    /// That of the node at hand.
    path: String,
}

impl Nodes<'_> {
    fn node<W: Write>(&mut self, id: TestId, json: &mut Json<W>) {
        let around = self.path.len();
        if around > 0 {
            self.path.push('.');
        }
        self.path.push_str(self.arena.text(self.tree.test(id).id));
        json.item();
        json.begin_object();
        self.fields(id, json);
        json.key("subtests");
        json.begin_list();
        for child in self.tree.children(id) {
            self.node(child, json);
        }
        json.end();
        json.end();
        self.path.truncate(around);
    }

    /// Everything about a node but its tests.
    fn fields(&mut self, id: TestId, to: &mut impl Fields) {
        let (tree, arena) = (self.tree, self.arena);
        let test = tree.test(id);
        let written = arena.entry(test.object);
        let locals = &tree.locals_of(id).value;
        let texts = |name: Symbol| Field::Texts(texts_of(written, name).collect());
        let says = |name: Symbol| Field::Bool(flag(arena, test.object, name).unwrap_or(false));
        to.set("path", Field::Text(&self.path));
        to.set("id", Field::Text(arena.text(test.id)));
        to.set("class", Field::Text(test.class.name()));
        to.set("label", Field::Locales(tree.texts_of_label(arena, id).collect()));
        to.set("pytest_name", test.pytest_name.map_or(Field::Null, |name| Field::Text(arena.text(name))));
        to.set("args", Field::Written(arena.entry(test.args)));
        to.set("resolved_args", evaluated(self.evaluation, arena.entry(test.args), locals));
        to.set("locals", Field::Data(locals.clone()));
        to.set("action_on_failure", Field::Text(action(test.action_on_failure)));
        to.set("teardown", Field::Bool(test.teardown));
        to.set("parallel", Field::Bool(test.parallel));
        to.set("iterations", count(test.iterations()));
        to.set("retries", count(test.retries()));
        to.set("run_if", test.run_if.map_or(Field::Null, |run_if| Field::Written(arena.entry(run_if))));
        let holds = test.run_if.map_or(Data::Bool(true), |run_if| self.evaluation.condition(run_if, arena));
        to.set("run_if_value", Field::Data(holds));
        to.set("require_run", requirements(written));
        let required = tree.requirements(id).iter().map(|required| Data::string(tree.path(arena, *required)));
        to.set("require_run_resolved", Field::Data(Data::list(required.collect())));
        to.set("exclusive_resources", texts(words::EXCLUSIVE_RESOURCES));
        let resources = if tree.has_field(words::EXCLUSIVE_RESOURCES) {
            tree.exclusive_resources(arena, id).into_iter().map(Data::string).collect()
        } else {
            Vec::new()
        };
        to.set("exclusive_resources_effective", Field::Data(Data::list(resources)));
        to.set("enable_services", texts(words::ENABLE_SERVICES));
        to.set("disable_services", texts(words::DISABLE_SERVICES));
        to.set("allow_reboot", Field::Bool(test.allow_reboot));
        to.set("disable_abort", says(words::DISABLE_ABORT));
        to.set("no_host", says(words::NO_HOST));
        to.set("no_host_effective", Field::Bool(tree.has_field(words::NO_HOST) && tree.no_host(arena, id)));
        // What `waived_tests` marks is in `waived_at_start`; the field itself is the original's, which no list can set.
        to.set("waived", Field::Bool(false));
        to.set("layout", Field::Data(layout(written.get(words::LAYOUT))));
        let options = written.get(words::DUT_OPTIONS);
        to.set("dut_options", options.map_or_else(|| Field::Data(object([])), Field::Written));
        to.set("top_level_test", Field::Bool(tree.is_top_level(id)));
        match tree.rerun_root(id) {
            itself if itself == id => to.set("rerun_root", Field::Text(&self.path)),
            root => to.set("rerun_root", Field::Text(&tree.path(arena, root))),
        }
        let own = [
            ("exec", words::EXEC),
            ("timeout_secs", words::TIMEOUT_SECS),
            ("isolation", words::ISOLATION),
            ("measurements", words::MEASUREMENTS),
        ];
        for (name, word) in own {
            if let Some(value) = written.get(word) {
                to.set(name, Field::Written(value));
            }
        }
        for (name, word) in [("resolved_exec", words::EXEC), ("resolved_measurements", words::MEASUREMENTS)] {
            if let Some(value) = written.get(word) {
                to.set(name, evaluated(self.evaluation, value, locals));
            }
        }
    }
}

/// A value with its expressions evaluated.
fn evaluated<'a>(evaluation: &mut Evaluation, written: Entry<'a>, locals: &Data) -> Field<'a> {
    if Evaluation::is_plain(written) {
        Field::Written(written)
    } else {
        Field::Data(evaluation.argument(written.id, locals, written.arena))
    }
}

fn texts_of(written: Entry<'_>, name: Symbol) -> impl Iterator<Item = &str> {
    written.get(name).into_iter().flat_map(Entry::items).filter_map(Entry::as_str)
}

/// `require_run` as a list, as it was written; `all` is the root.
fn requirements(written: Entry<'_>) -> Field<'_> {
    let path = |item: Entry<'_>| if item.as_str() == Some("all") { Data::from("") } else { item.to_data() };
    Field::Data(Data::list(match written.get(words::REQUIRE_RUN) {
        Some(field) if field.as_str().is_some_and(|text| !text.is_empty()) => vec![path(field)],
        Some(field) => field.items().map(path).collect(),
        None => Vec::new(),
    }))
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

fn count(count: Count) -> Field<'static> {
    match count {
        Count::Times(times) => Field::Int(i64::from(times)),
        Count::Unlimited => Field::Int(-1),
    }
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

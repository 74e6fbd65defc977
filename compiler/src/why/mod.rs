//! Where a value comes from: every place that set it, what each overrode, and what its expression read.
//!
//! Nothing of this is stored while a list is compiled. The same merges run again for one path, with a [`Trace`](crate::merge::Trace) that takes notes.

mod chain;
mod subject;

use tlc_plan::Data;
use tlc_plan::expression::Root;

use crate::Compilation;
use crate::config::CONSTANTS_NAME;
use crate::document::{Entry, NodeId, Symbol, Value};
use crate::source::Span;
use crate::tree::definitions::Definitions;
use crate::tree::evaluation::EVAL;
use crate::tree::{Locals, TestId};
use crate::words;

use chain::{Link, chain};
pub use subject::{Subject, UnknownSubject};

/// Where a value comes from.
#[derive(Clone, Debug)]
pub struct Why {
    /// What was asked for.
    pub subject: String,
    /// Its value; `None` if it has none.
    pub value: Option<Data>,
    /// Everything that set it, the weakest first; the last is in force.
    pub steps: Vec<Step>,
    /// What its expression reads, with where that comes from.
    pub reads: Vec<Why>,
}

/// Something that set a value, or removed it.
#[derive(Clone, Debug)]
pub struct Step {
    /// What it did: `set`, `overrides`, `replaces everything`, `removed`, `default`.
    pub action: &'static str,
    /// Who did it: `definition Rail`, `the test itself`, `override_args`.
    pub by: String,
    /// Where.
    pub span: Option<Span>,
    /// What it says there.
    pub text: Option<Data>,
}

/// Explains a value of a compiled list.
pub fn explain(compilation: &mut Compilation, subject: &Subject) -> Why {
    let mut asking = Asking { compilation };
    match subject {
        Subject::Config(keys) => asking.config(keys),
        Subject::Field(test, keys) => asking.field(*test, keys),
    }
}

struct Asking<'a> {
    compilation: &'a mut Compilation,
}

impl Asking<'_> {
    /// A value of a section that is only merged.
    fn config(&mut self, keys: &[String]) -> Why {
        let root = self.compilation.config.as_ref().map(|config| config.root);
        let set = root.map_or(keys, |root| outside_arrays(self.compilation, root, keys));
        let mut steps = self.file_steps(set, "");
        let written = root.and_then(|root| value_at(self.compilation, root, keys));
        steps.extend(written.and_then(|node| self.constants_file(node, !steps.is_empty())));
        let evaluated = match keys {
            [section, name, rest @ ..] if section == "options" => self.option(name, rest),
            _ => written.map(|node| self.compilation.arena.entry(node).to_data()),
        };
        let reads = written.map(|node| self.reads(node, None)).unwrap_or_default();
        Why { subject: keys.join("."), value: evaluated, steps, reads }
    }

    /// A constant that a `test_list_constants.json` sets, after all lists (reference: A11).
    fn constants_file(&self, node: NodeId, covers: bool) -> Option<Step> {
        let entry = self.compilation.arena.entry(node);
        let sources = &self.compilation.sources;
        let is_theirs = sources.path(sources.file_of(entry.span())).file_stem()? == CONSTANTS_NAME;
        let (action, by) = (if covers { "overrides" } else { "set" }, "the file of constants".to_owned());
        is_theirs.then(|| Step { action, by, span: Some(entry.span()), text: Some(entry.to_data()) })
    }

    fn option(&self, name: &str, rest: &[String]) -> Option<Data> {
        let value = self.compilation.tree.as_ref()?.options.get(name)?.value.clone();
        rest.iter().try_fold(value, |value, key| inner_data(&value, key))
    }

    /// What the files say about a path of the configuration, the weakest first.
    fn file_steps(&mut self, keys: &[String], by: &str) -> Vec<Step> {
        let lineage = self.compilation.lineage.iter().flat_map(|lineage| lineage.order.iter().rev());
        let roots: Vec<NodeId> = lineage.flat_map(|ancestor| &ancestor.layers).map(|layer| layer.root).collect();
        let links = chain(&mut self.compilation.arena, &roots, keys);
        links.into_iter().map(|link| self.step(&link, by.to_owned())).collect()
    }

    fn step(&self, link: &Link, by: String) -> Step {
        let entry = self.compilation.arena.entry(link.node);
        Step { action: link.action, by, span: Some(entry.span()), text: link.shows_value.then(|| entry.to_data()) }
    }

    /// A field of a test, or something in it.
    fn field(&mut self, test: TestId, keys: &[String]) -> Why {
        let path = self.path(test);
        let subject = [std::slice::from_ref(&path), keys].concat().join(".");
        let (value, written) = self.field_value(test, keys);
        let keys = self.set_of_field(test, keys);
        let mut steps = match keys.first().map(String::as_str) {
            Some("locals") => self.locals_steps(test, keys),
            _ => self.object_steps(test, keys),
        };
        if let ["args", rest @ ..] = &keys.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            let mut overridden: Vec<String> = vec!["override_args".to_owned(), path];
            overridden.extend(rest.iter().map(ToString::to_string));
            steps.extend(self.file_steps(&overridden, "override_args"));
        }
        if keys.first().is_some_and(|key| key == "action_on_failure") {
            self.inherited_action(test, &mut steps);
        }
        if keys.first().is_some_and(|key| key == "teardown") && value == Some(Data::Bool(true)) {
            self.inherited_teardown(test, &mut steps);
        }
        if steps.is_empty() && value.is_some() {
            let by = if keys[0] == "label" || keys[0] == "id" { "made from its name" } else { "nothing sets it" };
            steps.push(Step { action: "default", by: by.to_owned(), span: None, text: value.clone() });
        }
        in_order(&mut steps);
        // An expression in locals reads those of the groups around it (reference: I2).
        let is_local = keys.first().is_some_and(|key| key == "locals");
        let reader =
            if is_local { self.compilation.tree.as_ref().and_then(|tree| tree.test(test).parent) } else { Some(test) };
        let reads = written.map(|node| self.reads(node, reader)).unwrap_or_default();
        Why { subject, value, steps, reads }
    }

    /// The keys of a field that lead to what is set as a whole.
    fn set_of_field<'k>(&self, test: TestId, keys: &'k [String]) -> &'k [String] {
        let (Some(tree), Some((first, rest))) = (&self.compilation.tree, keys.split_first()) else { return keys };
        if first == "args" {
            let set = outside_arrays(self.compilation, tree.test(test).args, rest).len();
            return &keys[..=set];
        }
        outside_arrays(self.compilation, tree.test(test).object, keys)
    }

    /// What the definitions and the test itself say, the class first.
    fn object_steps(&mut self, test: TestId, keys: &[String]) -> Vec<Step> {
        let contributors = self.contributors(test);
        let objects: Vec<NodeId> = contributors.iter().map(|(_, object)| *object).collect();
        let links = chain(&mut self.compilation.arena, &objects, keys);
        let mut steps = Vec::new();
        for link in links {
            let owner = contributors
                .iter()
                .find(|(_, object)| value_at(self.compilation, *object, &keys[..link.depth]) == Some(link.node));
            match owner {
                Some((Some(definition), _)) => {
                    let name = self.compilation.arena.text(*definition).to_string();
                    let mut place = vec!["definitions".to_owned(), name.clone()];
                    place.extend_from_slice(keys);
                    let of_files = self.file_steps(&place, &format!("definition {name}"));
                    if of_files.is_empty() {
                        steps.push(self.step(&link, format!("definition {name}")));
                    }
                    steps.extend(of_files);
                }
                Some((None, _)) | None => steps.push(self.step(&link, "the test itself".to_owned())),
            }
        }
        if steps.is_empty() {
            return self.removed_steps(&contributors, keys);
        }
        steps
    }

    /// What the files say about a value that is not in the definitions any more.
    fn removed_steps(&mut self, contributors: &[(Option<Symbol>, NodeId)], keys: &[String]) -> Vec<Step> {
        let mut steps = Vec::new();
        for name in contributors.iter().filter_map(|(name, _)| *name) {
            let name = self.compilation.arena.text(name).to_string();
            let place = [&["definitions".to_owned(), name.clone()], keys].concat();
            steps.extend(self.file_steps(&place, &format!("definition {name}")));
        }
        steps
    }

    /// The objects that a test is made of: definitions by name, then what is written where it stands.
    fn contributors(&mut self, test: TestId) -> Vec<(Option<Symbol>, NodeId)> {
        let Some((tree, config)) = self.compilation.tree.as_ref().zip(self.compilation.config.as_ref()) else {
            return Vec::new();
        };
        let raw = tree.test(test).raw;
        let arena = &mut self.compilation.arena;
        let definitions = Definitions::new(config.get(arena, words::DEFINITIONS));
        let entry = arena.entry(raw);
        let base = entry.get(words::INHERIT).unwrap_or(entry);
        let name = match base.value() {
            Value::String(name) => Some(name),
            _ => arena.symbol("FactoryTest"),
        };
        let ancestry = name.map(|name| definitions.ancestry(name, arena)).unwrap_or_default();
        let own = arena.entry(raw).is_object().then_some((None, raw));
        ancestry.into_iter().map(|(name, object)| (Some(name), object)).chain(own).collect()
    }

    /// Locals come from the groups around a test too, the outermost first.
    fn locals_steps(&mut self, test: TestId, keys: &[String]) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for own in self.locals_around(test) {
            let found = match self.owner_of_locals(test, own) {
                Some(node) => self.locals_of(node, test, keys),
                None => self.flat_locals(own, &keys[1..]),
            };
            let over = if keys.len() > 1 { "overrides" } else { "adds to it" };
            let covers = !steps.is_empty();
            let acts = |step: Step| if covers && step.action == "set" { Step { action: over, ..step } } else { step };
            steps.extend(found.into_iter().map(acts));
        }
        steps
    }

    /// The objects of locals that a test sees, the outermost first.
    fn locals_around(&self, test: TestId) -> Vec<NodeId> {
        let Some(tree) = &self.compilation.tree else { return Vec::new() };
        let enclosing = |locals: &&Locals| locals.enclosing.map(|id| &tree.locals[id.index()]);
        let mut own: Vec<NodeId> =
            std::iter::successors(Some(tree.locals_of(test)), enclosing).filter_map(|locals| locals.own).collect();
        own.reverse();
        own
    }

    /// The test, or the group around it, that has these locals. A `FlattenGroup` is not in the tree.
    fn owner_of_locals(&self, test: TestId, own: NodeId) -> Option<TestId> {
        let tree = self.compilation.tree.as_ref()?;
        let locals = |node: TestId| self.compilation.arena.entry(tree.test(node).object).get(words::LOCALS);
        tree.ancestors(test).find(|node| locals(*node).is_some_and(|locals| locals.id == own))
    }

    fn locals_of(&mut self, node: TestId, test: TestId, keys: &[String]) -> Vec<Step> {
        let path = self.path(node);
        let named = |step: Step| Step { by: format!("{} of the group {path}", step.by), ..step };
        let steps = self.object_steps(node, keys).into_iter();
        if node == test { steps.collect() } else { steps.map(named).collect() }
    }

    fn flat_locals(&self, own: NodeId, keys: &[String]) -> Vec<Step> {
        let Some(node) = value_at(self.compilation, own, keys) else { return Vec::new() };
        let entry = self.compilation.arena.entry(node);
        let by = "a FlattenGroup around it".to_owned();
        vec![Step { action: "set", by, span: Some(entry.span()), text: Some(entry.to_data()) }]
    }

    /// What is below a teardown is one (reference: K1).
    fn inherited_teardown(&mut self, test: TestId, steps: &mut Vec<Step>) {
        let Some(tree) = &self.compilation.tree else { return };
        let key = ["teardown".to_owned()];
        for group in tree.ancestors(test).skip(1).collect::<Vec<_>>() {
            let own = self.compilation.tree.as_ref().is_some_and(|tree| tree.test(group).teardown);
            let found = if own { self.object_steps(group, &key) } else { Vec::new() };
            if !found.is_empty() {
                let path = self.path(group);
                let action = if steps.is_empty() { "set" } else { "overrides" };
                let of_group = |step: Step| Step { action, by: format!("teardown of {path}, {}", step.by), ..step };
                return steps.extend(found.into_iter().map(of_group));
            }
        }
    }

    /// `child_action_on_failure` of a group, and teardowns, whose action is always `NEXT`.
    fn inherited_action(&mut self, test: TestId, steps: &mut Vec<Step>) {
        let Some(tree) = &self.compilation.tree else { return };
        let is_teardown = tree.test(test).teardown;
        let around: Vec<TestId> = tree.ancestors(test).skip(1).collect();
        if steps.is_empty() {
            let key = ["child_action_on_failure".to_owned()];
            for group in around {
                let path = self.path(group);
                let found = self.object_steps(group, &key);
                if !found.is_empty() {
                    steps.extend(
                        found
                            .into_iter()
                            .map(|step| Step { by: format!("child_action_on_failure of {path}, {}", step.by), ..step }),
                    );
                    break;
                }
            }
        }
        if is_teardown {
            steps.push(Step {
                action: if steps.is_empty() { "set" } else { "overrides" },
                by: "a teardown's action is always NEXT".to_owned(),
                span: None,
                text: Some(Data::from("NEXT")),
            });
        }
    }

    /// The value of a field as the list resolves it, and the node that was written, if it is one.
    fn field_value(&mut self, test: TestId, keys: &[String]) -> (Option<Data>, Option<NodeId>) {
        let compilation = &mut *self.compilation;
        let Some(tree) = &compilation.tree else { return (None, None) };
        let node = tree.test(test);
        let (first, rest) = match keys {
            [] => return (None, None),
            [first, rest @ ..] => (first.as_str(), rest),
        };
        if first == "locals" {
            let value = rest.iter().try_fold(tree.locals_of(test).value.clone(), |value, key| inner_data(&value, key));
            return (value, value_at(compilation, node.object, keys));
        }
        let written = if first == "args" {
            value_at(compilation, node.args, rest)
        } else {
            value_at(compilation, node.object, keys)
        };
        if let (Some(written), "args" | "exec" | "measurements") = (written, first) {
            let locals = tree.locals_of(test).value.clone();
            return (Some(compilation.evaluation.argument(written, &locals, &compilation.arena)), Some(written));
        }
        let resolved = crate::dump::field(compilation, test, first);
        let value = resolved.and_then(|value| rest.iter().try_fold(value, |value, key| inner_data(&value, key)));
        (value, written)
    }

    /// What an expression reads, each thing once.
    fn reads(&mut self, node: NodeId, test: Option<TestId>) -> Vec<Why> {
        let Value::String(symbol) = self.compilation.arena.node(node).value else { return Vec::new() };
        let written = self.compilation.arena.text(symbol);
        let skip = if written.starts_with(EVAL) { EVAL.len() } else { 0 };
        let is_condition = test.is_some_and(|test| {
            self.compilation.tree.as_ref().is_some_and(|tree| tree.test(test).run_if == Some(node))
        });
        if skip == 0 && !is_condition {
            return Vec::new();
        }
        let parsed = self.compilation.evaluation.expression(symbol, skip, &self.compilation.arena);
        let Ok(expression) = &*parsed else { return Vec::new() };
        let mut found: Vec<Why> = Vec::new();
        for access in expression.accesses() {
            let names: Vec<String> = access.names.iter().map(ToString::to_string).collect();
            let subject = [&[access.root.name().to_owned()], &names[..]].concat();
            if found.iter().any(|known| known.subject == subject.join(".")) {
                continue;
            }
            found.push(match (access.root, test) {
                (Root::Constants | Root::Options, _) => self.config(&subject),
                (Root::Locals, Some(test)) => Why { subject: subject.join("."), ..self.field(test, &subject) },
                _ => self.at_station(&subject),
            });
        }
        found
    }

    /// Something that only a station knows, or that device data were given for.
    fn at_station(&self, subject: &[String]) -> Why {
        let device = self.compilation.evaluation.device().filter(|_| subject[0] == "device");
        let value = device
            .and_then(|device| subject[1..].iter().try_fold(device.clone(), |value, key| value.get(key).cloned()));
        let by = if device.is_some() { "the given device data" } else { "known at the station" };
        let step = Step { action: "read", by: by.to_owned(), span: None, text: None };
        Why { subject: subject.join("."), value, steps: vec![step], reads: Vec::new() }
    }

    fn path(&self, test: TestId) -> String {
        self.compilation.tree.as_ref().map(|tree| tree.path(&self.compilation.arena, test)).unwrap_or_default()
    }
}

/// What is set over something else overrides it.
fn in_order(steps: &mut [Step]) {
    let mut covers = false;
    for step in steps {
        if covers && step.action == "set" {
            step.action = "overrides";
        }
        covers = step.text.is_some();
    }
}

fn value_at(compilation: &Compilation, object: NodeId, keys: &[String]) -> Option<NodeId> {
    keys.iter().try_fold(object, |node, key| inner(compilation.arena.entry(node), key).map(|entry| entry.id))
}

/// A member of an object, or an item of an array by its position from 0.
fn inner<'a>(value: Entry<'a>, key: &str) -> Option<Entry<'a>> {
    value.get(key).or_else(|| value.items().nth(key.parse().ok()?))
}

/// The same of evaluated data.
fn inner_data(value: &Data, key: &str) -> Option<Data> {
    value.get(key).cloned().or_else(|| value.as_list()?.get(key.parse::<usize>().ok()?).cloned())
}

/// The keys that lead to a value, or to the array that it is in: arrays are set as a whole.
fn outside_arrays<'k>(compilation: &Compilation, object: NodeId, keys: &'k [String]) -> &'k [String] {
    let is_list = |depth: &usize| {
        value_at(compilation, object, &keys[..*depth])
            .is_some_and(|node| matches!(compilation.arena.node(node).value, Value::List))
    };
    &keys[..(1..keys.len()).find(is_list).unwrap_or(keys.len())]
}

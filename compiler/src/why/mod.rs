//! Where a value comes from: every place that set it, what each overrode, and what its expression read.
//!
//! Nothing of this is stored while a list is compiled. The same merges run again for one path, with a [`Trace`](crate::merge::Trace) that takes notes.

mod chain;
mod subject;

use tlc_plan::Data;
use tlc_plan::expression::Root;

use crate::Compilation;
use crate::document::{NodeId, Symbol, Value};
use crate::source::Span;
use crate::tree::TestId;
use crate::tree::definitions::Definitions;
use crate::tree::evaluation::EVAL;

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
        let steps = self.file_steps(keys, "");
        let root = self.compilation.config.as_ref().map(|config| config.root);
        let written = root.and_then(|root| value_at(self.compilation, root, keys));
        let evaluated = match keys {
            [section, name, rest @ ..] if section == "options" => self.option(name, rest),
            _ => written.map(|node| self.compilation.arena.entry(node).to_data()),
        };
        let reads = written.map(|node| self.reads(node, None)).unwrap_or_default();
        Why { subject: keys.join("."), value: evaluated, steps, reads }
    }

    fn option(&self, name: &str, rest: &[String]) -> Option<Data> {
        let value = self.compilation.tree.as_ref()?.options.get(name)?.value.clone();
        rest.iter().try_fold(value, |value, key| value.get(key).cloned())
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
        let (value, written) = self.field_value(test, keys);
        if steps.is_empty() && value.is_some() {
            steps.push(Step { action: "default", by: "nothing sets it".to_owned(), span: None, text: value.clone() });
        }
        let reads = written.map(|node| self.reads(node, Some(test))).unwrap_or_default();
        Why { subject, value, steps, reads }
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
        steps
    }

    /// The objects that a test is made of: definitions by name, then what is written where it stands.
    fn contributors(&mut self, test: TestId) -> Vec<(Option<Symbol>, NodeId)> {
        let Some((tree, config)) = self.compilation.tree.as_ref().zip(self.compilation.config.as_ref()) else {
            return Vec::new();
        };
        let raw = tree.test(test).raw;
        let arena = &mut self.compilation.arena;
        let definitions = Definitions::new(arena, config.get(arena, "definitions"));
        let entry = arena.entry(raw);
        let base = entry.get("inherit").unwrap_or(entry);
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
        let around: Vec<TestId> = self.compilation.tree.iter().flat_map(|tree| tree.ancestors(test)).collect();
        let mut steps = Vec::new();
        for node in around.into_iter().rev() {
            let path = self.path(node);
            steps.extend(self.object_steps(node, keys).into_iter().map(|step| {
                let by = if node == test { step.by } else { format!("{} of the group {path}", step.by) };
                Step { by, ..step }
            }));
        }
        steps
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
                action: "overrides",
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
            let value = rest.iter().try_fold(tree.locals_of(test).value.clone(), |value, key| value.get(key).cloned());
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
        let value = resolved.and_then(|value| rest.iter().try_fold(value, |value, key| value.get(key).cloned()));
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

fn value_at(compilation: &Compilation, object: NodeId, keys: &[String]) -> Option<NodeId> {
    keys.iter().try_fold(object, |node, key| compilation.arena.entry(node).get(key).map(|entry| entry.id))
}

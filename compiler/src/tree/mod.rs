//! Config to [`TestTree`]: definitions, sugar, ids, labels, translations, locals, groups that flatten, defaults, overrides, numbering.
//!
//! This is the only stage that knows what a test is. A node keeps the object that it was made from, so every field keeps its place.

mod build;
pub mod definitions;
pub mod evaluation;
mod fields;
pub mod label;
mod names;
mod options;
mod overrides;
mod paths;
mod requirements;
mod schema;
mod structure;
mod try_out;
mod unreached;

use std::num::NonZeroU32;

use hashbrown::{HashMap, HashSet};
use std::sync::Arc;

use tlc_plan::Data;
use tlc_plan::plan::{ActionOnFailure, Class, Count, Text};

use crate::document::{Arena, Name, NodeId, Symbol, Words};
use crate::source::Span;

pub use build::{Input, resolve};
pub use evaluation::Evaluation;
pub use options::{OPTIONS, Options, Setting};
pub use paths::NearPaths;
pub(crate) use paths::PathIndex;
pub use schema::{check as check_schema, check_fields};
pub use try_out::try_out;

/// A node of a [`TestTree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TestId(NonZeroU32);

/// The locals of a node, an index into [`TestTree::locals`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LocalsId(u32);

/// The tests of a list, resolved but for the values of their arguments.
#[derive(Debug)]
pub struct TestTree {
    /// What the list is called.
    pub label: Text,
    /// Its options.
    pub options: Options,
    /// Its constants.
    pub constants: Data,
    /// Distinct locals; the first are those of the root, which has none.
    pub locals: Vec<Locals>,
    labels: Vec<Label>,
    /// The name of the only locale of most labels.
    english: Arc<str>,
    tests: Vec<Test>,
    /// What must have run before a test; found after numbering.
    requirements: HashMap<TestId, Vec<TestId>>,
    /// Which words some test has as a field.
    words: Words,
    /// Groups that lack a test, because it could not be built or named.
    incomplete: HashSet<TestId>,
    /// Whether its tests are made from a definition, directly or through others, by the symbols of definitions.
    used: Vec<bool>,
}

/// What nodes are called.
#[derive(Debug)]
enum Label {
    /// In English, the only locale there is.
    English(Symbol),
    Texts(Arc<Text>),
}

/// A group or a test.
#[derive(Debug)]
pub struct Test {
    /// The group around it; `None` for the root.
    pub parent: Option<TestId>,
    /// Its id, numbered where a sibling has the same.
    pub id: Symbol,
    /// Its class.
    pub class: Class,
    /// As it was written: an object, or the name of a definition. For the root, an object without members.
    pub raw: NodeId,
    /// Its fields after inheritance; an object.
    pub object: NodeId,
    /// Its arguments after `override_args`; an object.
    pub args: NodeId,
    /// The Python test that it runs.
    pub pytest_name: Option<Symbol>,
    /// Its locals, with those of the groups around it.
    pub locals: LocalsId,
    /// The condition, a string.
    pub run_if: Option<NodeId>,
    counts: Counts,
    /// What a failure does to the tests after it.
    pub action_on_failure: ActionOnFailure,
    /// Runs after the others of its group, whatever happened.
    pub teardown: bool,
    /// Its tests run at the same time.
    pub parallel: bool,
    /// A reboot while it runs is expected.
    pub allow_reboot: bool,
    /// It was made from the same place as one before it, and is the same but for what is around it.
    pub is_copy: bool,
    /// `override_args` changed its arguments.
    pub is_overridden: bool,
    label: u32,
    /// The index after the last node in it.
    end: u32,
}

/// How often a test must pass, and how often it may fail: two [`Count`]s in less room.
#[derive(Clone, Copy, Debug)]
struct Counts {
    times: [u32; 2],
    /// Which of them have no end.
    unlimited: [bool; 2],
}

impl Counts {
    fn new(iterations: Count, retries: Count) -> Self {
        let counts = [iterations, retries];
        let times = |count| match count {
            Count::Times(times) => times,
            Count::Unlimited => 0,
        };
        Self { times: counts.map(times), unlimited: counts.map(|count| count == Count::Unlimited) }
    }

    fn get(self, which: usize) -> Count {
        if self.unlimited[which] { Count::Unlimited } else { Count::Times(self.times[which]) }
    }
}

/// The locals of some nodes.
#[derive(Debug)]
pub struct Locals {
    /// The locals of the enclosing group; `None` for the root.
    pub enclosing: Option<LocalsId>,
    /// What the node itself sets; an object.
    pub own: Option<NodeId>,
    /// Everything together, evaluated with the given device data.
    pub value: Data,
    /// Something in it reads device data.
    pub reads_device: bool,
}

impl TestId {
    /// Ids count from 0 without gaps, in the order of the list: parents before their children.
    pub fn index(self) -> usize {
        self.0.get() as usize - 1
    }

    fn new(index: usize) -> Self {
        Self(NonZeroU32::MIN.saturating_add(index as u32))
    }
}

impl Test {
    /// How often it must pass.
    pub fn iterations(&self) -> Count {
        self.counts.get(0)
    }

    /// How often it may fail.
    pub fn retries(&self) -> Count {
        self.counts.get(1)
    }

    /// Where it stands in its group, or in `tests`.
    pub fn span(&self, arena: &Arena) -> Span {
        arena.entry(self.raw).span()
    }
}

impl LocalsId {
    /// The locals at an index of [`TestTree::locals`].
    pub fn new(index: usize) -> Self {
        Self(index as u32)
    }

    /// The index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl TestTree {
    /// How many nodes there are, the root included.
    pub fn len(&self) -> usize {
        self.tests.len()
    }

    /// Whether there is nothing but the root.
    pub fn is_empty(&self) -> bool {
        self.tests.len() <= 1
    }

    /// The whole list.
    pub fn root(&self) -> TestId {
        TestId::new(0)
    }

    /// The node with this id.
    pub fn test(&self, id: TestId) -> &Test {
        &self.tests[id.index()]
    }

    /// The tests of a group, in their order; none for a test.
    pub fn children(&self, id: TestId) -> impl Iterator<Item = TestId> + Clone + '_ {
        let (mut next, end) = (id.index() + 1, self.test(id).end as usize);
        std::iter::from_fn(move || {
            let child = (next < end).then(|| TestId::new(next))?;
            next = self.test(child).end as usize;
            Some(child)
        })
    }

    /// Whether the node has no tests in it.
    pub fn is_leaf(&self, id: TestId) -> bool {
        self.test(id).end as usize == id.index() + 1
    }

    /// The nodes in a group, parents before their children, in the list's order.
    pub fn within(&self, id: TestId) -> impl DoubleEndedIterator<Item = TestId> + Clone + use<> {
        (id.index() + 1..self.test(id).end as usize).map(TestId::new)
    }

    /// What comes after a node in its group.
    pub fn next_sibling(&self, id: TestId) -> Option<TestId> {
        let (next, group) = (self.test(id).end, self.test(id).parent?);
        (next < self.test(group).end).then(|| TestId::new(next as usize))
    }

    /// What must have run before a test, in the order in which it is written.
    pub fn requirements(&self, id: TestId) -> &[TestId] {
        self.requirements.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Whether some test may have this field.
    pub fn has_field(&self, field: Symbol) -> bool {
        self.words.has(field)
    }

    /// What people call a node.
    pub fn label_of(&self, arena: &Arena, id: TestId) -> Arc<Text> {
        match &self.labels[self.test(id).label as usize] {
            Label::Texts(texts) => texts.clone(),
            Label::English(text) => {
                let mut texts = Text::with_capacity(1);
                texts.push_new(self.english.clone(), arena.shared(*text));
                Arc::new(texts)
            }
        }
    }

    /// What people call a node, in each locale.
    pub(crate) fn texts_of_label<'a>(
        &'a self,
        arena: &'a Arena,
        id: TestId,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let (english, texts) = match &self.labels[self.test(id).label as usize] {
            Label::English(text) => (Some((&*self.english, arena.text(*text))), None),
            Label::Texts(texts) => (None, Some(texts)),
        };
        let texts = texts.into_iter().flat_map(|texts| texts.iter().map(|(locale, text)| (&**locale, &**text)));
        english.into_iter().chain(texts)
    }

    /// Which label a node has: an index below [`label_count`](Self::label_count).
    pub fn label_index(&self, id: TestId) -> usize {
        self.test(id).label as usize
    }

    /// How many distinct labels there are.
    pub fn label_count(&self) -> usize {
        self.labels.len()
    }

    /// The locals of a node.
    pub fn locals_of(&self, id: TestId) -> &Locals {
        &self.locals[self.test(id).locals.0 as usize]
    }

    /// The ids from the root down, joined by dots.
    pub fn path(&self, arena: &Arena, id: TestId) -> String {
        let mut ids: Vec<&str> = self.ancestors(id).map(|node| arena.text(self.test(node).id)).collect();
        ids.pop();
        ids.reverse();
        ids.join(".")
    }

    /// The node itself, the group around it, and so on up to the root.
    pub fn ancestors(&self, id: TestId) -> impl Iterator<Item = TestId> + '_ {
        std::iter::successors(Some(id), |node| self.test(*node).parent)
    }

    /// Every node, parents before their children, in the list's order.
    pub fn preorder(&self) -> impl DoubleEndedIterator<Item = TestId> + Clone + use<> {
        (0..self.tests.len()).map(TestId::new)
    }

    /// The node at a path; the empty path is the root.
    pub fn find(&self, arena: &Arena, path: &str) -> Option<TestId> {
        if path.is_empty() {
            return Some(self.root());
        }
        path.split('.').try_fold(self.root(), |node, id| {
            let symbol = arena.symbol(id)?;
            self.children(node).find(|child| self.test(*child).id == symbol)
        })
    }

    /// Whether a test is made from a definition, directly or through others.
    pub fn uses(&self, definition: Symbol) -> bool {
        self.used.get(definition.index()).copied().unwrap_or(false)
    }

    /// Whether a test of the group could not be built.
    pub fn is_incomplete(&self, id: TestId) -> bool {
        self.incomplete.contains(&id)
    }

    /// Whether it is a test that a repeated run takes as a whole: no `TestGroup`, directly below the root or below a `TestGroup`.
    pub fn is_top_level(&self, id: TestId) -> bool {
        let test = self.test(id);
        let below_group =
            test.parent.is_some_and(|parent| parent == self.root() || self.test(parent).class == Class::TestGroup);
        test.class != Class::TestGroup && below_group
    }

    /// The node that is repeated when this one is.
    pub fn rerun_root(&self, id: TestId) -> TestId {
        self.ancestors(id)
            .find(|node| *node == self.root() || self.test(*node).class == Class::TestGroup || self.is_top_level(*node))
            .unwrap_or(id)
    }

    /// Resources that it, or a group around it, holds; sorted.
    pub fn exclusive_resources(&self, arena: &Arena, id: TestId) -> Vec<String> {
        let mut names: Vec<String> =
            self.ancestors(id).flat_map(|node| texts(arena, self.test(node).object, "exclusive_resources")).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Whether it runs without a panel: it says so, or a `TestGroup` around it does.
    pub fn no_host(&self, arena: &Arena, id: TestId) -> bool {
        self.ancestors(id)
            .filter(|node| *node == id || self.test(*node).class == Class::TestGroup)
            .any(|node| flag(arena, self.test(node).object, "no_host").unwrap_or(false))
    }
}

/// A boolean field of a test's object.
pub fn flag(arena: &Arena, object: NodeId, field: impl Name) -> Option<bool> {
    match arena.entry(object).get(field)?.value() {
        crate::document::Value::Bool(value) => Some(value),
        _ => None,
    }
}

/// A field of a test's object that is a list of strings; empty if it is not there.
pub fn texts(arena: &Arena, object: NodeId, field: impl Name) -> Vec<String> {
    let Some(field) = arena.entry(object).get(field) else { return Vec::new() };
    field.items().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

//! Dicts, sets and the views of dicts.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;
use indexmap::{IndexMap, IndexSet};

use super::{Key, Text, Value};

/// A dict, in the order in which its keys were added.
#[derive(Clone, Debug, Default)]
pub struct Dict {
    entries: IndexMap<Key, Value, FixedState>,
    /// Whether its keys are also attributes: constants, options, locals (reference: R5).
    pub(crate) attributes: bool,
}

/// A set or a frozenset, in the order in which its members were added.
#[derive(Clone, Debug, Default)]
pub struct Set {
    members: IndexSet<Key, FixedState>,
    pub(crate) frozen: bool,
}

/// The keys, values or items of a dict.
#[derive(Clone, Debug)]
pub struct View {
    pub(crate) dict: Arc<Dict>,
    pub(crate) kind: ViewKind,
}

/// What a [`View`] shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewKind {
    /// The keys.
    Keys,
    /// The values.
    Values,
    /// Pairs of both.
    Items,
}

impl Dict {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { entries: IndexMap::with_capacity_and_hasher(capacity, FixedState::default()), attributes: false }
    }

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no keys.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of a key that is a text.
    pub fn get_str(&self, key: &str) -> Option<&Value> {
        self.entries.get(&Text(key))
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Value> {
        match &key.0 {
            Value::Str(text) => self.get_str(text),
            _ => self.entries.get(key),
        }
    }

    /// Sets a key; one that is there keeps its place, and the first spelling of it (`1`, not `True`).
    pub(crate) fn insert(&mut self, key: Key, value: Value) {
        self.entries.insert(key, value);
    }

    /// Its keys and values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Value, &Value)> + DoubleEndedIterator {
        self.entries.iter().map(|(key, value)| (&key.0, value))
    }

    pub(crate) fn at(&self, position: usize) -> Option<(&Value, &Value)> {
        self.entries.get_index(position).map(|(key, value)| (&key.0, value))
    }
}

impl Set {
    pub(crate) fn new(frozen: bool) -> Self {
        Self { members: IndexSet::default(), frozen }
    }

    /// How many members it has.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether it has no members.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(crate) fn insert(&mut self, key: Key) {
        if !self.members.contains(&key) {
            self.members.insert(key);
        }
    }

    pub(crate) fn contains(&self, key: &Key) -> bool {
        self.members.contains(key)
    }

    /// Its members.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Value> {
        self.members.iter().map(|key| &key.0)
    }

    pub(crate) fn at(&self, position: usize) -> Option<&Value> {
        self.members.get_index(position).map(|key| &key.0)
    }

    pub(crate) fn as_frozen(&self, frozen: bool) -> Self {
        Self { members: self.members.clone(), frozen }
    }

    /// A hash that does not depend on the order.
    pub(crate) fn hash(&self) -> u64 {
        let hasher = FixedState::default();
        self.members.iter().fold(self.len() as u64, |sum, key| sum.wrapping_add(hasher.hash_one(key)))
    }
}

impl View {
    pub(crate) fn at(&self, position: usize) -> Option<Value> {
        let (key, value) = self.dict.at(position)?;
        Some(match self.kind {
            ViewKind::Keys => key.clone(),
            ViewKind::Values => value.clone(),
            ViewKind::Items => Value::tuple(vec![key.clone(), value.clone()]),
        })
    }
}

impl ViewKind {
    /// The name of its type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keys => "dict_keys",
            Self::Values => "dict_values",
            Self::Items => "dict_items",
        }
    }
}

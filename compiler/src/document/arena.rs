//! The values of every document of a compilation, in one place.
//!
//! A [`NodeId`] is a value, a [`Symbol`] is a text. Values are only ever added: what a later stage makes of several files is a new value
//! that refers to old ones, and each keeps the span of the text that won.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, OnceLock};

use hashbrown::{DefaultHashBuilder, HashTable};
use num_bigint::BigInt;
use tlc_plan::Data;

use crate::source::Span;

/// A value of an [`Arena`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

/// A text of an [`Arena`]; equal texts have equal symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(u32);

/// A value and its place.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands; for what several files made together, where the strongest of them has it.
    pub span: Span,
    /// An object with `__delete__` or `__replace__` is this value, or is reachable from it through objects only.
    pub has_marker: bool,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// A larger integer: an index into the arena's large integers.
    Big(u32),
    /// A number with a fraction or an exponent; finite.
    Float(f64),
    /// A text.
    String(Symbol),
    /// The items from an index into the arena's items, and how many.
    List(u32, u32),
    /// The members from an index into the arena's members, and how many. No key stands twice.
    Object(u32, u32),
}

/// A member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its key.
    pub key: Symbol,
    /// Where the key stands, quotes included.
    pub key_span: Span,
    /// Its value.
    pub value: NodeId,
}

/// A value with its arena, to walk through it.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    /// Where the value lives.
    pub arena: &'a Arena,
    /// The value.
    pub id: NodeId,
}

/// The values and texts of a compilation.
#[derive(Debug)]
pub struct Arena {
    nodes: Vec<Node>,
    items: Vec<NodeId>,
    members: Vec<Member>,
    large: Vec<Arc<BigInt>>,
    texts: Vec<Arc<str>>,
    symbols: HashTable<Symbol>,
    hasher: DefaultHashBuilder,
    /// Objects of more than [`LARGE_OBJECT`] members, by the index of their first member, in ascending order.
    large_objects: Vec<(u32, MemberIndex)>,
}

/// The members of a large object by their keys, made when one is first asked for.
type MemberIndex = OnceLock<HashMap<Symbol, u32, DefaultHashBuilder>>;

/// Members of an object up to this many are looked for one by one.
const LARGE_OBJECT: usize = 48;

/// The symbols of the markers of a merge, which every arena has first.
const MARKERS: [&str; 2] = ["__delete__", "__replace__"];

impl Default for Arena {
    fn default() -> Self {
        let mut arena = Self {
            nodes: Vec::new(),
            items: Vec::new(),
            members: Vec::new(),
            large: Vec::new(),
            texts: Vec::new(),
            symbols: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            large_objects: Vec::new(),
        };
        for marker in MARKERS {
            arena.intern(marker);
        }
        arena
    }
}

impl Symbol {
    /// Symbols count from 0 without gaps, so they can index a table.
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

impl Arena {
    /// The symbol of a text.
    pub fn intern(&mut self, text: &str) -> Symbol {
        let Self { texts, symbols, hasher, .. } = self;
        let hash = hash(hasher, text);
        let next = Symbol(texts.len() as u32);
        let same = |symbol: &Symbol| *texts[symbol.index()] == *text;
        match symbols.entry(hash, same, |symbol| self::hash(hasher, &texts[symbol.index()])) {
            hashbrown::hash_table::Entry::Occupied(known) => *known.get(),
            hashbrown::hash_table::Entry::Vacant(place) => {
                place.insert(next);
                texts.push(text.into());
                next
            }
        }
    }

    /// The symbol of a text that is already known.
    pub fn symbol(&self, text: &str) -> Option<Symbol> {
        self.symbols.find(hash(&self.hasher, text), |symbol| *self.texts[symbol.index()] == *text).copied()
    }

    /// How many texts there are.
    pub(super) fn symbol_count(&self) -> usize {
        self.texts.len()
    }

    /// The text of a symbol.
    pub fn text(&self, symbol: Symbol) -> &Arc<str> {
        &self.texts[symbol.0 as usize]
    }

    /// All texts.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|text| &**text)
    }

    /// The value of an id.
    pub fn node(&self, id: NodeId) -> Node {
        self.nodes[id.0 as usize]
    }

    /// A value with the arena beside it.
    pub fn entry(&self, id: NodeId) -> Entry<'_> {
        Entry { arena: self, id }
    }

    /// Adds a value that holds no others.
    pub fn add_scalar(&mut self, value: Value, span: Span) -> NodeId {
        self.push(Node { value, span, has_marker: false })
    }

    /// Adds an integer of any size.
    pub fn add_integer(&mut self, value: BigInt, span: Span) -> NodeId {
        let value = match i64::try_from(&value) {
            Ok(small) => Value::Int(small),
            Err(_) => {
                self.large.push(Arc::new(value));
                Value::Big(self.large.len() as u32 - 1)
            }
        };
        self.add_scalar(value, span)
    }

    /// Adds a text.
    pub fn add_string(&mut self, text: &str, span: Span) -> NodeId {
        let symbol = self.intern(text);
        self.add_scalar(Value::String(symbol), span)
    }

    /// Adds a list.
    pub fn add_list(&mut self, items: &[NodeId], span: Span) -> NodeId {
        let first = self.items.len() as u32;
        self.items.extend_from_slice(items);
        self.push(Node { value: Value::List(first, items.len() as u32), span, has_marker: false })
    }

    /// Adds an object; the keys are distinct.
    pub fn add_object(&mut self, members: &[Member], span: Span) -> NodeId {
        let first = self.members.len() as u32;
        let is_marker = |key: Symbol| key.index() < MARKERS.len();
        let has_marker = members.iter().any(|member| is_marker(member.key) || self.node(member.value).has_marker);
        if members.len() > LARGE_OBJECT {
            self.large_objects.push((first, OnceLock::new()));
        }
        self.members.extend_from_slice(members);
        self.push(Node { value: Value::Object(first, members.len() as u32), span, has_marker })
    }

    /// The member of a large object, whose members begin at `first`.
    fn indexed_member(&self, first: u32, len: u32, key: Symbol) -> Option<&Member> {
        let place = self.large_objects.binary_search_by_key(&first, |(first, _)| *first).ok()?;
        let index = self.large_objects[place].1.get_or_init(|| {
            let members = self.members[first as usize..(first + len) as usize].iter();
            members.zip(first..).map(|(member, at)| (member.key, at)).collect()
        });
        index.get(&key).map(|at| &self.members[*at as usize])
    }

    fn push(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() as u32 - 1)
    }
}

fn hash(builder: &DefaultHashBuilder, text: &str) -> u64 {
    let mut hasher = builder.build_hasher();
    hasher.write(text.as_bytes());
    hasher.finish()
}

impl<'a> Entry<'a> {
    /// What it is.
    pub fn value(self) -> Value {
        self.arena.node(self.id).value
    }

    /// Where it stands.
    pub fn span(self) -> Span {
        self.arena.node(self.id).span
    }

    /// The text, if it is one.
    pub fn as_str(self) -> Option<&'a str> {
        match self.value() {
            Value::String(symbol) => Some(self.arena.text(symbol)),
            _ => None,
        }
    }

    /// The items; none if it is no list.
    pub fn items(self) -> impl ExactSizeIterator<Item = Entry<'a>> + Clone {
        let (first, len) = match self.value() {
            Value::List(first, len) => (first as usize, len as usize),
            _ => (0, 0),
        };
        self.arena.items[first..first + len].iter().map(move |id| self.arena.entry(*id))
    }

    /// The members; none if it is no object.
    pub fn members(self) -> &'a [Member] {
        match self.value() {
            Value::Object(first, len) => &self.arena.members[first as usize..(first + len) as usize],
            _ => &[],
        }
    }

    /// The value of a member, if it is an object that has it.
    pub fn get(self, key: &str) -> Option<Entry<'a>> {
        self.member(key).map(|member| self.arena.entry(member.value))
    }

    /// A member, if it is an object that has it.
    pub fn member(self, key: &str) -> Option<&'a Member> {
        let symbol = self.arena.symbol(key)?;
        match self.value() {
            Value::Object(first, len) if len as usize > LARGE_OBJECT => self.arena.indexed_member(first, len, symbol),
            _ => self.members().iter().find(|member| member.key == symbol),
        }
    }

    /// Whether it is an object.
    pub fn is_object(self) -> bool {
        matches!(self.value(), Value::Object(..))
    }

    /// The same as plain data.
    pub fn to_data(self) -> Data {
        match self.value() {
            Value::Null => Data::Null,
            Value::Bool(value) => Data::Bool(value),
            Value::Int(value) => Data::Int(value),
            Value::Big(index) => Data::Big(self.arena.large[index as usize].clone()),
            Value::Float(value) => Data::Float(value),
            Value::String(symbol) => Data::String(self.arena.text(symbol).clone()),
            Value::List(..) => Data::list(self.items().map(Entry::to_data).collect()),
            Value::Object(..) => Data::object(
                self.members()
                    .iter()
                    .map(|member| (self.arena.text(member.key).clone(), self.arena.entry(member.value).to_data()))
                    .collect(),
            ),
        }
    }

    /// What it is, for messages: `a string`, `an object`, and so on.
    pub fn type_name(self) -> &'static str {
        match self.value() {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::Big(_) => "an integer",
            Value::Float(_) => "a number",
            Value::String(_) => "a string",
            Value::List(..) => "an array",
            Value::Object(..) => "an object",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(arena: &mut Arena, count: i64) -> NodeId {
        let members: Vec<_> = (0..count)
            .map(|number| Member {
                key: arena.intern(&format!("key{number}")),
                key_span: Span::default(),
                value: arena.add_scalar(Value::Int(number), Span::default()),
            })
            .collect();
        arena.add_object(&members, Span::default())
    }

    #[test]
    fn members_of_small_and_large_objects_are_found() {
        let mut arena = Arena::default();
        let objects = [object(&mut arena, 3), object(&mut arena, 1000), object(&mut arena, 0), object(&mut arena, 100)];
        for (id, count) in objects.into_iter().zip([3, 1000, 0, 100]) {
            for number in 0..count {
                let found = arena.entry(id).get(&format!("key{number}")).map(Entry::value);
                assert_eq!(found, Some(Value::Int(number)));
            }
            assert!(arena.entry(id).get(&format!("key{count}")).is_none());
        }
    }

    #[test]
    fn equal_texts_have_one_symbol() {
        let mut arena = Arena::default();
        let symbols: Vec<_> = (0..1000).map(|number| arena.intern(&number.to_string())).collect();
        for (number, symbol) in symbols.into_iter().enumerate() {
            assert_eq!(arena.intern(&number.to_string()), symbol);
            assert_eq!(**arena.text(symbol), number.to_string());
        }
        assert_eq!(arena.symbol("1000"), None);
    }

    #[test]
    fn a_marker_is_seen_through_objects_and_not_through_lists() {
        let mut arena = Arena::default();
        let yes = arena.add_scalar(Value::Bool(true), Span::default());
        let key = arena.intern("__delete__");
        let member = |key, value| Member { key, key_span: Span::default(), value };
        let marked = arena.add_object(&[member(key, yes)], Span::default());
        let outer = arena.intern("outer");
        let around = arena.add_object(&[member(outer, marked)], Span::default());
        let list = arena.add_list(&[marked], Span::default());
        let beside = arena.add_object(&[member(outer, list)], Span::default());
        assert!(arena.node(marked).has_marker && arena.node(around).has_marker);
        assert!(!arena.node(list).has_marker && !arena.node(beside).has_marker);
    }
}

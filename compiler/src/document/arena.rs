//! The values of every document of a compilation, in one place.
//!
//! A [`NodeId`] is a value, a [`Symbol`] is a text. Values are only ever added: what a later stage makes of several files is a new value
//! that refers to old ones, and each keeps the span of the text that won.
//!
//! A large list has millions of values, so each is packed into 12 bytes, and says what is to be found in it, so that nobody walks through
//! values in vain. An object that was made of others has their members, and only says which they are.

mod copy;

use std::hash::{BuildHasher, Hasher};
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use num_bigint::BigInt;
use tlc_plan::Data;
use tlc_plan::data::Object;

use crate::source::Span;
use crate::words::{self, WORDS};

pub(super) use copy::{Fragment, Symbols};

/// A value of an [`Arena`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(NonZeroU32);

/// A text of an [`Arena`]; equal texts have equal symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(NonZeroU32);

/// A value and its place.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands; for what several files made together, where the strongest of them has it.
    pub span: Span,
    /// What is to be found in it.
    pub contents: Contents,
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
    /// A list.
    List,
    /// An object; no key stands twice.
    Object,
}

/// What is to be found in a value, or is the value itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contents(u8);

impl Contents {
    /// An object with `__delete__` or `__replace__`, reached through objects only.
    pub const MARKER: Self = Self(1);
    /// A text that begins as an expression does.
    pub const EXPRESSION: Self = Self(2);
    /// A text that is marked to be translated.
    pub const TRANSLATED: Self = Self(8);
    /// An object whose first key looks like a locale.
    pub const LOCALES: Self = Self(4);

    /// Whether this is to be found.
    pub fn has(self, one: Self) -> bool {
        self.0 & one.0 != 0
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What a text says of a value that it is, not of an object whose key it is.
    fn of_value(self) -> Self {
        Self(self.0 & !Self::LOCALES.0)
    }

    /// What is still to be found from outside of a list.
    fn within_list(self) -> Self {
        Self(self.0 & !Self::MARKER.0)
    }
}

/// Some of the first words that lists are written with: as many as it has bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Words(u32);

/// How many of the words have a bit.
pub(crate) const BITS: usize = 32;

impl Words {
    /// Whether a text is among them; true if it has no bit.
    #[inline]
    pub fn has(self, text: Symbol) -> bool {
        text.bit() == 0 || self.0 & text.bit() != 0
    }

    /// Those of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
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

/// A member of an object that is made of others.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The member.
    pub member: Member,
    /// Where it is among the members of the arena, or [`NEW`] if no other object has it.
    place: u32,
}

/// The place of a member that no object has yet.
const NEW: u32 = u32::MAX;

impl From<Member> for Part {
    fn from(member: Member) -> Self {
        Self { member, place: NEW }
    }
}

/// The members of an object, in their order.
#[derive(Clone, Debug, Default)]
pub struct Members<'a> {
    all: &'a [Member],
    /// Which of them, if not all.
    chosen: Option<&'a [u32]>,
}

impl<'a> Members<'a> {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The one at a position.
    pub fn get(&self, position: usize) -> Option<&'a Member> {
        match self.chosen {
            None => self.all.get(position),
            Some(chosen) => chosen.get(position).map(|at| &self.all[*at as usize]),
        }
    }

    /// A copy of all.
    pub fn to_vec(&self) -> Vec<Member> {
        self.clone().copied().collect()
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = &'a Member;

    #[inline]
    fn next(&mut self) -> Option<&'a Member> {
        match &mut self.chosen {
            None => {
                let (first, rest) = self.all.split_first()?;
                self.all = rest;
                Some(first)
            }
            Some(chosen) => {
                let (first, rest) = chosen.split_first()?;
                *chosen = rest;
                Some(&self.all[*first as usize])
            }
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.chosen.map_or(self.all.len(), <[u32]>::len);
        (len, Some(len))
    }
}

impl ExactSizeIterator for Members<'_> {}

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
    nodes: Vec<Packed>,
    lists: Vec<(u32, u32)>,
    objects: Vec<Head>,
    items: Vec<NodeId>,
    members: Vec<Member>,
    /// The members of objects that were made of others, as indices into `members`.
    chosen: Vec<u32>,
    integers: Vec<i64>,
    floats: Vec<f64>,
    large: Vec<Arc<BigInt>>,
    /// All texts, one after the other.
    letters: String,
    /// Where each text begins, and where the last one ends.
    starts: Vec<usize>,
    /// Texts that are held by others as well, made when they are first asked for.
    shared: Vec<Shared>,
    /// What each text is.
    kinds: Vec<Contents>,
    /// The symbols with the lower half of their hashes.
    symbols: HashTable<(u32, Symbol)>,
    hasher: DefaultHashBuilder,
    /// Objects of more than [`LARGE_OBJECT`] members, by the index of their first member, in ascending order.
    large_objects: Vec<(u32, MemberIndex)>,
    /// Where members wait for their object, kept from one to the next.
    room: Vec<Part>,
    /// How many bytes those values have that have [`LONG`] ones or more.
    long: HashMap<NodeId, u32>,
}

/// A [`Node`] as it is kept.
#[derive(Clone, Copy, Debug)]
struct Packed {
    /// The value, or an index into the table of its kind.
    payload: u32,
    /// Where it stands.
    start: u32,
    /// From the lowest bit on: its kind in four, its contents in four, and its length in 24; [`LONG`] if they are too few for it.
    rest: u32,
}

/// A length that says that the true one is elsewhere.
const LONG: u32 = 0xff_ffff;

impl Packed {
    fn new(kind: Kind, contents: Contents, payload: u32, span: Span) -> Self {
        let rest = kind as u32 | u32::from(contents.0) << 4 | span.len.min(LONG) << 8;
        Self { payload, start: span.start, rest }
    }

    #[inline]
    fn kind(self) -> Kind {
        KINDS[(self.rest & 0xf) as usize]
    }

    #[inline]
    fn contents(self) -> Contents {
        Contents((self.rest >> 4) as u8 & 0xf)
    }

    /// How many bytes it has, or [`LONG`].
    fn len(self) -> u32 {
        self.rest >> 8
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Null,
    False,
    True,
    /// An integer of 32 bits.
    Short,
    Integer,
    Big,
    Float,
    String,
    List,
    /// An object whose members lie together.
    Object,
    /// An object that was made of others.
    Merged,
}

/// The kinds by their numbers, and something for numbers that are none.
const KINDS: [Kind; 16] = {
    use Kind::{Big, False, Float, Integer, List, Merged, Null, Object, Short, String, True};
    [Null, False, True, Short, Integer, Big, Float, String, List, Object, Merged, Null, Null, Null, Null, Null]
};

/// Where the members of an object are, and which of the words are among its keys.
#[derive(Clone, Copy, Debug)]
struct Head {
    first: u32,
    len: u32,
    words: Words,
}

/// The members of a large object by their keys, as indices into all members; made when one is first asked for.
type MemberIndex = OnceLock<HashTable<u32>>;

/// The texts of some symbols that follow each other.
type Shared = OnceLock<Box<[OnceLock<Arc<str>>; TOGETHER]>>;

/// How many symbols are in one [`Shared`].
const TOGETHER: usize = 32;

/// Members of an object up to this many are looked for one by one.
pub(crate) const LARGE_OBJECT: usize = 48;

/// The name of a member: a text, or the symbol that it is known to have.
pub trait Name {
    /// Its symbol, if any value of the arena has it.
    fn symbol(self, arena: &Arena) -> Option<Symbol>;
}

impl Name for Symbol {
    fn symbol(self, _: &Arena) -> Option<Symbol> {
        Some(self)
    }
}

impl Name for &Arc<str> {
    fn symbol(self, arena: &Arena) -> Option<Symbol> {
        arena.symbol(self)
    }
}

impl Name for &String {
    fn symbol(self, arena: &Arena) -> Option<Symbol> {
        arena.symbol(self)
    }
}

impl Name for &str {
    fn symbol(self, arena: &Arena) -> Option<Symbol> {
        arena.symbol(self)
    }
}

impl Default for Arena {
    fn default() -> Self {
        let mut arena = Self {
            nodes: Vec::new(),
            lists: Vec::new(),
            objects: Vec::new(),
            items: Vec::new(),
            members: Vec::new(),
            chosen: Vec::new(),
            integers: Vec::new(),
            floats: Vec::new(),
            large: Vec::new(),
            letters: String::new(),
            starts: vec![0],
            shared: Vec::new(),
            kinds: Vec::new(),
            symbols: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            large_objects: Vec::new(),
            room: Vec::new(),
            long: HashMap::new(),
        };
        for word in WORDS {
            arena.intern(word);
        }
        arena
    }
}

impl NodeId {
    #[inline]
    const fn new(index: u32) -> Self {
        Self(NonZeroU32::MIN.saturating_add(index))
    }

    #[inline]
    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

impl Symbol {
    #[inline]
    const fn new(index: u32) -> Self {
        Self(NonZeroU32::MIN.saturating_add(index))
    }

    /// The symbol of a word, by its position in [`WORDS`].
    pub(crate) const fn of_word(position: usize) -> Self {
        Self::new(position as u32)
    }

    /// Symbols count from 0 without gaps, so they can index a table.
    #[inline]
    pub(crate) fn index(self) -> usize {
        self.0.get() as usize - 1
    }

    /// The bit of one of the first [`BITS`] words; 0 for any other text.
    #[inline]
    fn bit(self) -> u32 {
        if self.index() < BITS { 1 << self.index() } else { 0 }
    }
}

impl Arena {
    /// The symbol of a text.
    pub fn intern(&mut self, text: &str) -> Symbol {
        let Self { letters, starts, shared, symbols, hasher, kinds, .. } = self;
        let hash = hash(hasher, text);
        let next = Symbol::new(kinds.len() as u32);
        let same = |(known, symbol): &(u32, Symbol)| *known == hash && text_of(letters, starts, *symbol) == text;
        match symbols.entry(spread(hash), same, |(hash, _)| spread(*hash)) {
            hashbrown::hash_table::Entry::Occupied(known) => known.get().1,
            hashbrown::hash_table::Entry::Vacant(place) => {
                place.insert((hash, next));
                letters.push_str(text);
                starts.push(letters.len());
                if kinds.len().is_multiple_of(TOGETHER) {
                    shared.push(OnceLock::new());
                }
                kinds.push(kind_of(text));
                next
            }
        }
    }

    /// The symbol of a text that is already known.
    pub fn symbol(&self, text: &str) -> Option<Symbol> {
        let hash = hash(&self.hasher, text);
        let same = |(known, symbol): &(u32, Symbol)| *known == hash && self.text(*symbol) == text;
        self.symbols.find(spread(hash), same).map(|(_, symbol)| *symbol)
    }

    /// How many texts there are.
    pub(crate) fn symbol_count(&self) -> usize {
        self.kinds.len()
    }

    /// The text of a symbol.
    #[inline]
    pub fn text(&self, symbol: Symbol) -> &str {
        text_of(&self.letters, &self.starts, symbol)
    }

    /// The text of a symbol, to be held by who outlives the arena; it is the same one each time.
    pub fn shared(&self, symbol: Symbol) -> Arc<str> {
        let (block, at) = (symbol.index() / TOGETHER, symbol.index() % TOGETHER);
        let block = self.shared[block].get_or_init(|| Box::new([const { OnceLock::new() }; TOGETHER]));
        block[at].get_or_init(|| self.text(symbol).into()).clone()
    }

    /// Whether a text begins as an expression does.
    pub fn is_expression(&self, symbol: Symbol) -> bool {
        self.kinds[symbol.index()].has(Contents::EXPRESSION)
    }

    /// All texts.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        (0..self.kinds.len()).map(|symbol| self.text(Symbol::new(symbol as u32)))
    }

    /// The value of an id.
    #[inline]
    pub fn node(&self, id: NodeId) -> Node {
        Node { value: self.value(id), span: self.span(id), contents: self.contents(id) }
    }

    #[inline]
    fn span(&self, id: NodeId) -> Span {
        let packed = self.nodes[id.index()];
        let len = if packed.len() == LONG { self.long[&id] } else { packed.len() };
        Span { start: packed.start, len }
    }

    #[inline]
    fn value(&self, id: NodeId) -> Value {
        let packed = self.nodes[id.index()];
        let payload = packed.payload;
        match packed.kind() {
            Kind::Null => Value::Null,
            Kind::False => Value::Bool(false),
            Kind::True => Value::Bool(true),
            Kind::Short => Value::Int(i64::from(payload.cast_signed())),
            Kind::Integer => Value::Int(self.integers[payload as usize]),
            Kind::Big => Value::Big(payload),
            Kind::Float => Value::Float(self.floats[payload as usize]),
            Kind::String => Value::String(Symbol::new(payload)),
            Kind::List => Value::List,
            Kind::Object | Kind::Merged => Value::Object,
        }
    }

    /// A value with the arena beside it.
    #[inline]
    pub fn entry(&self, id: NodeId) -> Entry<'_> {
        Entry { arena: self, id }
    }

    /// Adds a value that holds no others.
    pub fn add_scalar(&mut self, value: Value, span: Span) -> NodeId {
        let index = |len: usize| len as u32;
        let (kind, payload) = match value {
            Value::Null => (Kind::Null, 0),
            Value::Bool(false) => (Kind::False, 0),
            Value::Bool(true) => (Kind::True, 0),
            Value::Int(number) => match i32::try_from(number) {
                Ok(short) => (Kind::Short, short.cast_unsigned()),
                Err(_) => {
                    self.integers.push(number);
                    (Kind::Integer, index(self.integers.len()) - 1)
                }
            },
            Value::Big(at) => (Kind::Big, at),
            Value::Float(number) => {
                self.floats.push(number);
                (Kind::Float, index(self.floats.len()) - 1)
            }
            Value::String(symbol) => (Kind::String, index(symbol.index())),
            Value::List => return self.add_list(&[], span),
            Value::Object => return self.add_object(&[], span),
        };
        let contents = match value {
            Value::String(symbol) => self.kinds[symbol.index()].of_value(),
            _ => Contents::default(),
        };
        self.push(kind, contents, payload, span)
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
        let contents = items.iter().map(|item| self.contents(*item).within_list());
        let contents = contents.fold(Contents::default(), Contents::and);
        self.lists.push((first, items.len() as u32));
        self.push(Kind::List, contents, self.lists.len() as u32 - 1, span)
    }

    /// Adds an object; the keys are distinct.
    pub fn add_object(&mut self, members: &[Member], span: Span) -> NodeId {
        let (first, len) = (self.members.len() as u32, members.len() as u32);
        self.members.extend_from_slice(members);
        if members.len() > LARGE_OBJECT {
            self.large_objects.push((first, OnceLock::new()));
        }
        self.push_object(Kind::Object, (first, len), &members.iter(), span)
    }

    /// Adds an object of at most [`LARGE_OBJECT`] members that is made of others; the keys are distinct.
    pub(crate) fn add_merged(&mut self, parts: &[Part], span: Span) -> NodeId {
        let (first, len) = (self.chosen.len() as u32, parts.len() as u32);
        for part in parts {
            if part.place == NEW {
                self.chosen.push(self.members.len() as u32);
                self.members.push(part.member);
            } else {
                self.chosen.push(part.place);
            }
        }
        self.push_object(Kind::Merged, (first, len), &parts.iter().map(|part| &part.member), span)
    }

    /// Adds an object whose members are in their table.
    fn push_object<'m>(
        &mut self,
        kind: Kind,
        (first, len): (u32, u32),
        members: &(impl Iterator<Item = &'m Member> + Clone),
        span: Span,
    ) -> NodeId {
        let mut words = Words::default();
        let mut contents = Contents::default();
        for member in members.clone() {
            words.0 |= member.key.bit();
            contents = contents.and(self.contents(member.value));
        }
        if words.has(words::DELETE) || words.has(words::REPLACE) {
            contents = contents.and(Contents::MARKER);
        }
        if members.clone().next().is_some_and(|first| self.kinds[first.key.index()].has(Contents::LOCALES)) {
            contents = contents.and(Contents::LOCALES);
        }
        self.objects.push(Head { first, len, words });
        self.push(kind, contents, self.objects.len() as u32 - 1, span)
    }

    /// An empty table for the members of an object to be; it is used again if it comes back.
    pub(crate) fn take_room(&mut self) -> Vec<Part> {
        std::mem::take(&mut self.room)
    }

    /// Takes back what [`take_room`](Self::take_room) gave.
    pub(crate) fn give_back(&mut self, mut room: Vec<Part>) {
        room.clear();
        self.room = room;
    }

    /// What is to be found in a value.
    #[inline]
    pub fn contents(&self, id: NodeId) -> Contents {
        self.nodes[id.index()].contents()
    }

    #[inline]
    fn head(&self, id: NodeId) -> Option<Head> {
        let packed = self.nodes[id.index()];
        matches!(packed.kind(), Kind::Object | Kind::Merged).then(|| self.objects[packed.payload as usize])
    }

    /// The members of an object.
    #[inline]
    fn members_of(&self, id: NodeId, Head { first, len, .. }: Head) -> Members<'_> {
        let range = first as usize..(first + len) as usize;
        match self.nodes[id.index()].kind() {
            Kind::Merged => Members { all: &self.members, chosen: Some(&self.chosen[range]) },
            _ => Members { all: &self.members[range], chosen: None },
        }
    }

    /// The member of an object, which may have it.
    fn search(&self, id: NodeId, head: Head, key: Symbol) -> Option<&Member> {
        if head.len as usize > LARGE_OBJECT {
            return self.indexed_member(head.first, head.len, key);
        }
        let Members { all, chosen } = self.members_of(id, head);
        match chosen {
            None => all.iter().find(|member| member.key == key),
            Some(chosen) => chosen.iter().map(|at| &all[*at as usize]).find(|member| member.key == key),
        }
    }

    /// The member of a large object, whose members begin at `first`.
    fn indexed_member(&self, first: u32, len: u32, key: Symbol) -> Option<&Member> {
        let place = self.large_objects.binary_search_by_key(&first, |(first, _)| *first).ok()?;
        let key_at = |at: &u32| self.members[*at as usize].key;
        let hash = |key: Symbol| spread(key.0.get());
        let index = self.large_objects[place].1.get_or_init(|| {
            let mut index = HashTable::with_capacity(len as usize);
            for at in first..first + len {
                index.insert_unique(hash(key_at(&at)), at, |at| hash(key_at(at)));
            }
            index
        });
        index.find(hash(key), |at| key_at(at) == key).map(|at| &self.members[*at as usize])
    }

    #[inline]
    fn push(&mut self, kind: Kind, contents: Contents, payload: u32, span: Span) -> NodeId {
        self.nodes.push(Packed::new(kind, contents, payload, span));
        let id = NodeId::new(self.nodes.len() as u32 - 1);
        if span.len >= LONG {
            self.long.insert(id, span.len);
        }
        id
    }
}

#[inline]
fn text_of<'a>(letters: &'a str, starts: &[usize], symbol: Symbol) -> &'a str {
    &letters[starts[symbol.index()]..starts[symbol.index() + 1]]
}

fn hash(builder: &DefaultHashBuilder, text: &str) -> u32 {
    let mut hasher = builder.build_hasher();
    hasher.write(text.as_bytes());
    hasher.finish() as u32
}

/// A hash of 32 bits for a table that looks at the upper and the lower ones of 64.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn kind_of(text: &str) -> Contents {
    if text.starts_with(words::EVAL) {
        Contents::EXPRESSION
    } else if text.starts_with(words::I18N) {
        Contents::TRANSLATED
    } else if words::is_locale(text) {
        Contents::LOCALES
    } else {
        Contents::default()
    }
}

impl<'a> Entry<'a> {
    /// What it is.
    #[inline]
    pub fn value(self) -> Value {
        self.arena.value(self.id)
    }

    /// Where it stands.
    #[inline]
    pub fn span(self) -> Span {
        self.arena.span(self.id)
    }

    /// What is to be found in it.
    #[inline]
    pub fn contents(self) -> Contents {
        self.arena.contents(self.id)
    }

    /// The text, if it is one.
    #[inline]
    pub fn as_str(self) -> Option<&'a str> {
        self.as_symbol().map(|symbol| self.arena.text(symbol))
    }

    /// The symbol of the text, if it is one.
    #[inline]
    pub fn as_symbol(self) -> Option<Symbol> {
        let packed = self.arena.nodes[self.id.index()];
        (packed.kind() == Kind::String).then(|| Symbol::new(packed.payload))
    }

    /// The items; none if it is no list.
    #[inline]
    pub fn items(self) -> impl ExactSizeIterator<Item = Entry<'a>> + Clone {
        let packed = self.arena.nodes[self.id.index()];
        let is_list = packed.kind() == Kind::List;
        let (first, len) = if is_list { self.arena.lists[packed.payload as usize] } else { (0, 0) };
        let (first, len) = (first as usize, len as usize);
        self.arena.items[first..first + len].iter().map(move |id| self.arena.entry(*id))
    }

    /// The words among its keys; none if it is no object.
    #[inline]
    pub fn words(self) -> Words {
        self.arena.head(self.id).map_or(Words::default(), |head| head.words)
    }

    /// The members; none if it is no object.
    #[inline]
    pub fn members(self) -> Members<'a> {
        self.arena.head(self.id).map(|head| self.arena.members_of(self.id, head)).unwrap_or_default()
    }

    /// Adds the members to those of another object that is made of them.
    pub(crate) fn add_to(self, parts: &mut Vec<Part>) {
        let Some(head) = self.arena.head(self.id) else { return };
        let Members { all, chosen } = self.arena.members_of(self.id, head);
        match chosen {
            None => parts.extend(all.iter().zip(head.first..).map(|(member, place)| Part { member: *member, place })),
            Some(chosen) => {
                parts.extend(chosen.iter().map(|place| Part { member: all[*place as usize], place: *place }));
            }
        }
    }

    /// The value of a member, if it is an object that has it.
    #[inline]
    pub fn get(self, key: impl Name) -> Option<Entry<'a>> {
        self.member(key).map(|member| self.arena.entry(member.value))
    }

    /// A member, if it is an object that has it.
    #[inline]
    pub fn member(self, key: impl Name) -> Option<&'a Member> {
        let head = self.arena.head(self.id)?;
        let key = key.symbol(self.arena)?;
        if head.words.has(key) { self.arena.search(self.id, head, key) } else { None }
    }

    /// Whether it is an object.
    #[inline]
    pub fn is_object(self) -> bool {
        matches!(self.arena.nodes[self.id.index()].kind(), Kind::Object | Kind::Merged)
    }

    /// The same as plain data.
    pub fn to_data(self) -> Data {
        match self.value() {
            Value::Null => Data::Null,
            Value::Bool(value) => Data::Bool(value),
            Value::Int(value) => Data::Int(value),
            Value::Big(index) => Data::Big(self.arena.large[index as usize].clone()),
            Value::Float(value) => Data::Float(value),
            Value::String(symbol) => Data::String(self.arena.shared(symbol)),
            Value::List => Data::list(self.items().map(Entry::to_data).collect()),
            Value::Object => {
                let mut data = Object::with_capacity(self.members().len());
                for member in self.members() {
                    data.push_new(self.arena.shared(member.key), self.arena.entry(member.value).to_data());
                }
                Data::object(data)
            }
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
            Value::List => "an array",
            Value::Object => "an object",
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
            assert_eq!(arena.text(symbol), number.to_string());
            assert_eq!(*arena.shared(symbol), *arena.text(symbol));
            assert!(Arc::ptr_eq(&arena.shared(symbol), &arena.shared(symbol)));
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
        let has_marker = |id| arena.contents(id).has(Contents::MARKER);
        assert!(has_marker(marked) && has_marker(around));
        assert!(!has_marker(list) && !has_marker(beside));
    }
}

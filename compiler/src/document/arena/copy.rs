//! What one document has added to an arena, added to another one.

use std::ops::Range;
use std::sync::OnceLock;

use super::{Arena, Head, Kind, LONG, Member, NodeId, Packed, Symbol};
use crate::source::Span;

/// How much there was in an arena at some moment.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::document) struct Mark {
    nodes: usize,
    lists: usize,
    objects: usize,
    items: usize,
    members: usize,
    integers: usize,
    floats: usize,
    large: usize,
    large_objects: usize,
    texts: usize,
}

/// What was added between two moments.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::document) struct Fragment {
    pub(in crate::document) from: Mark,
    pub(in crate::document) to: Mark,
}

/// How far everything of a fragment lies from where it was.
#[derive(Clone, Copy)]
pub(in crate::document) struct Moved {
    node: u32,
    span: u32,
}

impl Moved {
    pub(in crate::document) fn node(self, id: NodeId) -> NodeId {
        NodeId::new((id.index() as u32).wrapping_add(self.node))
    }

    pub(in crate::document) fn span(self, span: Span) -> Span {
        Span { start: span.start.wrapping_add(self.span), ..span }
    }
}

/// The symbols that those of another arena have become, as far as they are known.
#[derive(Debug, Default)]
pub(in crate::document) struct Symbols(Vec<Option<Symbol>>);

impl Symbols {
    pub(in crate::document) fn get(&self, symbol: Symbol) -> Option<Symbol> {
        self.0.get(symbol.index()).copied().flatten()
    }

    /// What a symbol has become, which is known.
    fn known(&self, symbol: Symbol) -> Symbol {
        self.get(symbol).unwrap_or(symbol)
    }
}

impl Arena {
    pub(in crate::document) fn mark(&self) -> Mark {
        Mark {
            nodes: self.nodes.len(),
            lists: self.lists.len(),
            objects: self.objects.len(),
            items: self.items.len(),
            members: self.members.len(),
            integers: self.integers.len(),
            floats: self.floats.len(),
            large: self.large.len(),
            large_objects: self.large_objects.len(),
            texts: self.kinds.len(),
        }
    }

    /// Adds a fragment of another arena, whose text begins `span` bytes further now.
    ///
    /// Symbols count as they would if the text were read again: `None`, and nothing of the fragment, if that cannot be told, because a text
    /// that another document had first is in none of those that were read before this one now.
    pub(in crate::document) fn copy(
        &mut self,
        from: &Self,
        fragment: Fragment,
        span: u32,
        symbols: &mut Symbols,
    ) -> Option<Moved> {
        let Fragment { from: start, to: end } = fragment;
        symbols.0.resize(from.kinds.len(), None);
        let nodes = &from.nodes[start.nodes..end.nodes];
        let members = &from.members[start.members..end.members];
        let strings = nodes.iter().filter(|node| node.kind() == Kind::String).map(|node| Symbol::new(node.payload));
        for symbol in strings.chain(members.iter().map(|member| member.key)) {
            if symbol.index() < start.texts && symbols.get(symbol).is_none() {
                symbols.0[symbol.index()] = Some(self.symbol(from.text(symbol))?);
            }
        }
        for new in start.texts..end.texts {
            symbols.0[new] = Some(self.intern(from.text(Symbol::new(new as u32))));
        }
        let by = |here: usize, there: usize| (here as u32).wrapping_sub(there as u32);
        let moved = Moved { node: by(self.nodes.len(), start.nodes), span };
        let to_list = by(self.lists.len(), start.lists);
        let to_object = by(self.objects.len(), start.objects);
        let to_item = by(self.items.len(), start.items);
        let to_member = by(self.members.len(), start.members);
        let to_integer = by(self.integers.len(), start.integers);
        let to_float = by(self.floats.len(), start.floats);
        let to_large = by(self.large.len(), start.large);
        for (old, _) in (start.nodes..).zip(nodes).filter(|(_, node)| node.len() == LONG) {
            let old = NodeId::new(old as u32);
            self.long.insert(moved.node(old), from.span(old).len);
        }
        self.nodes.extend(nodes.iter().map(|node| {
            let payload = match node.kind() {
                Kind::Null | Kind::False | Kind::True | Kind::Short => node.payload,
                Kind::Integer => node.payload.wrapping_add(to_integer),
                Kind::Big => node.payload.wrapping_add(to_large),
                Kind::Float => node.payload.wrapping_add(to_float),
                Kind::String => symbols.known(Symbol::new(node.payload)).index() as u32,
                Kind::List => node.payload.wrapping_add(to_list),
                // A document has no merged ones.
                Kind::Object | Kind::Merged => node.payload.wrapping_add(to_object),
            };
            Packed { payload, start: node.start.wrapping_add(span), ..*node }
        }));
        let lists = within(&from.lists, start.lists..end.lists);
        self.lists.extend(lists.iter().map(|(first, len)| (first.wrapping_add(to_item), *len)));
        let objects = within(&from.objects, start.objects..end.objects);
        self.objects
            .extend(objects.iter().map(|object| Head { first: object.first.wrapping_add(to_member), ..*object }));
        self.items.extend(within(&from.items, start.items..end.items).iter().map(|item| moved.node(*item)));
        self.members.extend(members.iter().map(|member| Member {
            key: symbols.known(member.key),
            key_span: moved.span(member.key_span),
            value: moved.node(member.value),
        }));
        self.integers.extend_from_slice(&from.integers[start.integers..end.integers]);
        self.floats.extend_from_slice(&from.floats[start.floats..end.floats]);
        self.large.extend_from_slice(&from.large[start.large..end.large]);
        let large_objects = within(&from.large_objects, start.large_objects..end.large_objects);
        self.large_objects
            .extend(large_objects.iter().map(|(first, _)| (first.wrapping_add(to_member), OnceLock::new())));
        Some(moved)
    }
}

fn within<T>(all: &[T], range: Range<usize>) -> &[T] {
    &all[range]
}

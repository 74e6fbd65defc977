//! Documents of an earlier compilation, taken over where their files have the same bytes.
//!
//! A document depends on the bytes of its file alone, so what is taken over is what would have been read: the same values in the same
//! order, with the same symbols, at the places where the file lies now.

use std::path::Path;

use hashbrown::HashMap;

use crate::source::{FileId, SourceMap};

use super::arena::Symbols;
use super::{Arena, Comment, Document, Duplicate};

/// The documents of an earlier compilation in which nothing was wrong.
pub struct Earlier<'a> {
    arena: &'a Arena,
    sources: &'a SourceMap,
    documents: HashMap<&'a Path, (FileId, &'a Document)>,
    symbols: Symbols,
}

impl<'a> Earlier<'a> {
    /// These documents of an arena.
    pub fn new(
        arena: &'a Arena,
        sources: &'a SourceMap,
        documents: impl Iterator<Item = (FileId, &'a Document)>,
    ) -> Self {
        let documents = documents.map(|(file, document)| (sources.path(file), (file, document))).collect();
        Self { arena, sources, documents, symbols: Symbols::default() }
    }

    /// The document of a file that is in the map, if it is the same as before.
    pub fn again(&mut self, sources: &SourceMap, file: FileId, arena: &mut Arena) -> Option<Document> {
        let (before, document) = *self.documents.get(sources.path(file))?;
        if sources.text(file) != self.sources.text(before) {
            return None;
        }
        let by = sources.base(file).wrapping_sub(self.sources.base(before));
        let from = arena.mark();
        let moved = arena.copy(self.arena, document.fragment, by, &mut self.symbols)?;
        let duplicates = document.duplicates.iter().map(|duplicate| Duplicate {
            key: self.symbols.get(duplicate.key).unwrap_or(duplicate.key),
            lost: moved.span(duplicate.lost),
            kept: moved.span(duplicate.kept),
        });
        Some(Document {
            root: document.root.map(|root| moved.node(root)),
            comments: document.comments.iter().map(|comment| Comment { span: moved.span(comment.span) }).collect(),
            duplicates: duplicates.collect(),
            json5_only: document.json5_only.iter().map(|(span, name)| (moved.span(*span), *name)).collect(),
            fragment: super::arena::Fragment { from, to: arena.mark() },
        })
    }
}

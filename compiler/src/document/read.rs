//! The JSON5 reader: a recursive descent that leaves its path only where a file is wrong.
//!
//! Here is what a correct file needs; strings are in `text`, white space in `scan`, and everything about mistakes in `recover`
//! and `faults`. Values are added to the arena children first; what is still open waits on two stacks that all levels share.

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, SourceMap, Span};

use super::arena::Fragment;
use super::duplicates::Seen;
use super::recover::Next;
use super::{Arena, Member, NodeId, Symbol, Value};
use super::{faults, number};

/// How deep arrays and objects may lie in each other.
pub const MAX_DEPTH: usize = 256;

/// A file as it was written.
#[derive(Debug, Default)]
pub struct Document {
    /// The value of the file; `None` if there is none that makes sense. What is wrong in a file is left out of its value, so a value with
    /// errors beside it is only good for finding more errors of the same kind.
    pub root: Option<NodeId>,
    /// The comments, in their order.
    pub comments: Vec<Comment>,
    /// Keys that stand more than once in their object; the last one counts, at the place of the first. Ordered by where their object ends.
    pub duplicates: Vec<Duplicate>,
    /// Syntax that JSON5 allows and JSON does not, other than comments: the place and its name. Ordered by where the reader was sure of it.
    pub json5_only: Vec<(Span, &'static str)>,
    /// What it has added to the arena.
    pub(super) fragment: Fragment,
}

/// A comment.
#[derive(Clone, Copy, Debug)]
pub struct Comment {
    /// All of it, with its marks.
    pub span: Span,
}

/// A key that stands twice.
#[derive(Clone, Copy, Debug)]
pub struct Duplicate {
    /// The key.
    pub key: Symbol,
    /// The earlier one, whose value is lost.
    pub lost: Span,
    /// The last one, whose value counts.
    pub kept: Span,
}

/// Reads a file that is in the map. No diagnostic means that the document is all of the file.
pub fn read(sources: &SourceMap, file: FileId, arena: &mut Arena) -> (Document, Vec<Diagnostic>) {
    let mut reader = Reader::new(sources.text(file), sources.base(file), arena);
    let from = reader.arena.mark();
    reader.file();
    let to = reader.arena.mark();
    let Reader { document, faults, .. } = reader;
    (Document { fragment: Fragment { from, to }, ..document }, faults.list)
}

/// A file that is being read.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    /// Where the file begins in the map.
    base: u32,
    /// The offset of what is read next.
    pub(super) at: usize,
    pub(super) arena: &'a mut Arena,
    pub(super) document: Document,
    pub(super) faults: faults::Faults,
    /// The offsets of the brackets that are open, the innermost last.
    pub(super) open: Vec<usize>,
    /// A bracket is known to be missing or too many, so that later ones may not match for that reason alone.
    pub(super) unbalanced: bool,
    /// The text of the string that is being read, if it has escapes.
    pub(super) buffer: String,
    /// The last string that was not closed is newer than the last key.
    pub(super) cut_short: bool,
    items: Vec<NodeId>,
    members: Vec<Member>,
    seen: Seen,
}

/// A value, or nothing: then the reason has been reported and the reader stands where it can go on.
pub(super) type Read = Option<NodeId>;

/// The key of a member.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) name: Symbol,
    pub(super) span: Span,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, base: u32, arena: &'a mut Arena) -> Self {
        Self {
            text,
            base,
            at: 0,
            arena,
            document: Document::default(),
            faults: faults::Faults::default(),
            open: Vec::new(),
            unbalanced: false,
            buffer: String::new(),
            cut_short: false,
            items: Vec::new(),
            members: Vec::new(),
            seen: Seen::default(),
        }
    }

    fn file(&mut self) {
        self.byte_order_mark();
        self.space();
        if self.at == self.text.len() {
            let comments = !self.document.comments.is_empty();
            return self.report(faults::empty(self.here(), comments));
        }
        self.leading_hashes();
        if self.at < self.text.len() {
            self.document.root = self.value();
        }
        self.space();
        if self.at < self.text.len() {
            self.trailing();
        }
    }

    fn byte_order_mark(&mut self) {
        if self.text.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
            self.note_json5(0, "a byte-order mark");
        }
    }

    /// The span from an offset to the next one to be read.
    pub(super) fn span_from(&self, start: usize) -> Span {
        self.span(start, self.at)
    }

    /// The span between two offsets.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.base + start as u32, self.base + end as u32)
    }

    /// The offset in this file of an offset of the map.
    pub(super) fn local(&self, offset: u32) -> usize {
        (offset - self.base) as usize
    }

    /// Remembers that the syntax from `start` is not JSON.
    pub(super) fn note_json5(&mut self, start: usize, name: &'static str) {
        let span = self.span_from(start);
        self.document.json5_only.push((span, name));
    }

    /// Reads a value; white space before it is already read.
    pub(super) fn value(&mut self) -> Read {
        match self.byte() {
            Some(b'"' | b'\'') => Some(self.string_value()),
            Some(b'{' | b'[') if self.open.len() == MAX_DEPTH => self.too_deep(),
            Some(b'{') => Some(self.object()),
            Some(b'[') => Some(self.list()),
            Some(b'-' | b'+' | b'.' | b'0'..=b'9') => self.number(),
            Some(_) => self.word_value(),
            None => self.missing_value(),
        }
    }

    fn string_value(&mut self) -> NodeId {
        let start = self.at;
        let symbol = self.string();
        let span = self.span_from(start);
        self.arena.add_scalar(Value::String(symbol), span)
    }

    fn list(&mut self) -> NodeId {
        let (start, first) = (self.at, self.items.len());
        self.fill(b']', Self::item);
        let span = self.span_from(start);
        let list = self.arena.add_list(&self.items[first..], span);
        self.items.truncate(first);
        list
    }

    fn object(&mut self) -> NodeId {
        let (start, first) = (self.at, self.members.len());
        self.fill(b'}', Self::member);
        self.seen.settle(&mut self.members, first, self.arena.symbol_count(), &mut self.document.duplicates);
        let span = self.span_from(start);
        let object = self.arena.add_object(&self.members[first..], span);
        self.members.truncate(first);
        object
    }

    /// Reads what is between two brackets. `read` says whether it read something whole.
    fn fill(&mut self, close: u8, read: impl Fn(&mut Self) -> bool) {
        self.open.push(self.at);
        self.at += 1;
        let mut comma = None;
        loop {
            self.space();
            match self.byte() {
                Some(byte) if byte == close => break self.close(comma),
                Some(b',') => self.extra_comma(close),
                Some(b'}' | b']') if self.wrong_bracket(close) => break,
                Some(b'}' | b']') => {}
                None => break self.unclosed(close),
                Some(_) => {
                    let whole = read(self);
                    comma = match self.between(close, whole) {
                        Next::Comma(at) => Some(at),
                        Next::Item => None,
                        Next::Close => break,
                    }
                }
            }
        }
        self.open.pop();
    }

    fn close(&mut self, comma: Option<usize>) {
        if let Some(comma) = comma {
            self.document.json5_only.push((self.span(comma, comma + 1), "a trailing comma"));
        }
        self.at += 1;
    }

    fn between(&mut self, close: u8, whole: bool) -> Next {
        self.space();
        match self.byte() {
            Some(b',') if whole => {
                self.at += 1;
                Next::Comma(self.at - 1)
            }
            Some(byte) if byte == close => Next::Item,
            _ => self.after_item(close, whole),
        }
    }

    fn item(&mut self) -> bool {
        let item = self.value();
        self.items.extend(item);
        item.is_some()
    }

    fn member(&mut self) -> bool {
        let Some(mut key) = self.key() else { return false };
        loop {
            if !self.colon(key) {
                return false;
            }
            let Some(value) = self.value_of(key) else { return false };
            match self.is_a_key(value, key) {
                None => {
                    self.members.push(Member { key: key.name, key_span: key.span, value });
                    return true;
                }
                Some(next) => key = next,
            }
        }
    }

    fn key(&mut self) -> Option<Key> {
        let start = self.at;
        if !matches!(self.byte(), Some(b'"' | b'\'')) {
            return self.name();
        }
        self.cut_short = false;
        let name = self.string();
        if self.cut_short {
            return self.unclosed_key(start);
        }
        Some(Key { name, span: self.span_from(start) })
    }

    fn colon(&mut self, key: Key) -> bool {
        self.space();
        let found = self.byte() == Some(b':');
        if found {
            self.at += 1;
            self.space();
        }
        found || self.missing_colon(key)
    }

    fn value_of(&mut self, key: Key) -> Read {
        match self.byte() {
            None | Some(b',' | b'}' | b']') => self.missing_value_of(key),
            Some(_) => self.value(),
        }
    }

    fn number(&mut self) -> Read {
        let start = self.at;
        if let Some(value) = self.short_integer() {
            let span = self.span_from(start);
            return Some(self.arena.add_scalar(Value::Int(value), span));
        }
        let lexeme = self.number_lexeme();
        let span = self.span_from(start);
        match number::number(lexeme) {
            Ok(value) => {
                if let Some(name) = number::json5_only(lexeme) {
                    self.note_json5(start, name);
                }
                Some(match value {
                    number::Number::Int(value) => self.arena.add_scalar(Value::Int(value), span),
                    number::Number::Float(value) => self.arena.add_scalar(Value::Float(value), span),
                    number::Number::Big(value) => self.arena.add_integer(value, span),
                })
            }
            Err(fault) => {
                self.report(faults::number(fault, lexeme, span));
                self.synchronize();
                None
            }
        }
    }

    fn word_value(&mut self) -> Read {
        let start = self.at;
        let value = match self.word() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            "" => return self.missing_value(),
            word => return self.stray_word(start, word),
        };
        let span = self.span_from(start);
        Some(self.arena.add_scalar(value, span))
    }
}

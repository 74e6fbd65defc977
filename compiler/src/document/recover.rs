//! What the reader does where a file is wrong: it reports the mistake once and goes on where its consequences end.
//!
//! Every function here reports and leaves the reader at a place where the level that it is on can go on. Brackets are in `brackets`.

use super::escapes::escape;
use super::faults::{self, Faults};
use super::read::{Key, Read, Reader};
use super::{NodeId, Value};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// What comes after an item or a member.
pub(super) enum Next {
    /// A comma, at this offset; it has been read.
    Comma(usize),
    /// Another one, or the closing bracket.
    Item,
    /// Nothing: the level is done.
    Close,
}

impl Reader<'_> {
    /// Keeps a diagnostic.
    #[cold]
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.faults.add(diagnostic);
    }

    /// The place of what is read next, without a length.
    pub(super) fn here(&self) -> Span {
        self.span_from(self.at)
    }

    /// What is next, for a message, and its place.
    pub(super) fn found(&self) -> (String, Span) {
        let end = match self.byte() {
            None => return ("the end of the file".into(), self.here()),
            Some(b'"' | b'\'') => self.string_end(self.at),
            Some(_) => self.word_end().max(self.at + self.char().map_or(0, char::len_utf8)),
        };
        (faults::quoted(&self.text[self.at..end]), self.span(self.at, end))
    }

    /// Where the string at an offset ends, at the latest with its line.
    pub(super) fn string_end(&self, opening: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = opening + 1;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\n' | b'\r' => return at,
                b'\\' => at = escape(self.text, at).map_or_else(|(_, end)| end, |escape| escape.end),
                byte if *byte == bytes[opening] => return at + 1,
                _ => at += 1,
            }
        }
        at
    }

    /// Goes to the next comma or closing bracket of this level, or to the end of the line.
    pub(super) fn synchronize(&mut self) {
        while let Some(byte) = self.byte() {
            match byte {
                b',' | b'}' | b']' | b'\n' | b'\r' => return,
                b'{' | b'[' => self.skip_brackets(),
                b'"' | b'\'' => self.at = self.string_end(self.at),
                b'/' => self.skip_slash(),
                _ => self.at += 1,
            }
        }
    }

    pub(super) fn skip_slash(&mut self) {
        let start = self.at;
        self.space();
        self.at = self.at.max(start + 1);
    }

    fn skip_line(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.find(['\n', '\r']).unwrap_or(rest.len());
    }

    /// Ends the reading if there is no room for another message.
    pub(super) fn stop_if_full(&mut self) {
        if self.faults.is_full() {
            self.at = self.text.len();
            self.unbalanced = true;
        }
    }

    #[cold]
    pub(super) fn extra_comma(&mut self, close: u8) {
        let comma = self.span(self.at, self.at + 1);
        self.report(faults::extra_comma(close, comma));
        self.at += 1;
        self.stop_if_full();
    }

    /// What is next is neither a comma nor the closing bracket of the level, or it comes after something that is not whole.
    #[cold]
    pub(super) fn after_item(&mut self, close: u8, mut whole: bool) -> Next {
        self.stop_if_full();
        let end = if whole { self.previous_end() } else { self.at };
        loop {
            self.space();
            match self.byte() {
                None => {
                    self.unclosed(close);
                    return Next::Close;
                }
                Some(b',') => {
                    self.at += 1;
                    return Next::Comma(self.at - 1);
                }
                Some(b'}' | b']') => return Next::Item,
                Some(b';' | b'#' | b':' | b'=' | b')' | b'(' | b'/' | b'*' | b'%' | b'+') => {
                    self.unexpected(close, whole);
                }
                Some(0x80..) if self.wide(['，', '、', '；']) => self.wide_comma(close, whole),
                Some(_) if !whole => return Next::Item,
                Some(byte) if self.is_quote_trouble(byte) => self.quote_trouble(close),
                Some(_) => {
                    let (found, _) = self.found();
                    self.report(faults::missing_comma(close, &found, self.span(end, end)));
                    return Next::Item;
                }
            }
            whole = false;
        }
    }

    /// Where the text before the white space and comments at hand ends.
    fn previous_end(&self) -> usize {
        let mut end = self.at;
        for comment in self.document.comments.iter().rev() {
            let before = self.text[..end].trim_end();
            if self.local(comment.span.end()) != before.len() {
                break;
            }
            end = self.local(comment.span.start);
        }
        self.text[..end].trim_end().len()
    }

    /// Whether what is next is one of these characters of East Asian width.
    fn wide<const N: usize>(&self, wanted: [char; N]) -> bool {
        self.char().is_some_and(|next| wanted.contains(&next))
    }

    fn wide_comma(&mut self, close: u8, whole: bool) {
        let (found, place) = self.found();
        if whole {
            self.report(faults::after_item(close, b';', &found, place));
        }
        self.at += self.char().map_or(0, char::len_utf8);
    }

    /// A character that has no place after an item or a member.
    fn unexpected(&mut self, close: u8, whole: bool) {
        let (found, place) = self.found();
        let byte = self.byte().unwrap_or_default();
        if whole {
            self.report(faults::after_item(close, byte, &found, place));
        }
        match byte {
            b'#' => self.skip_line(),
            b';' => self.at += 1,
            _ => {
                self.at += 1;
                self.synchronize();
            }
        }
    }

    /// Whether text stands right behind a closing quote, so that quotes are probably wrong.
    fn is_quote_trouble(&self, next: u8) -> bool {
        let before = self.text.as_bytes()[..self.at].last();
        matches!(before, Some(b'"' | b'\'')) && !matches!(next, b'"' | b'\'' | b'{' | b'[')
    }

    fn quote_trouble(&mut self, close: u8) {
        let (found, place) = self.found();
        self.report(faults::quote_trouble(Some(close), &found, place));
        self.skip_to_line_end();
    }

    /// Lines before the file's value that were meant as comments.
    #[cold]
    pub(super) fn leading_hashes(&mut self) {
        while self.byte() == Some(b'#') {
            let (found, place) = self.found();
            self.report(faults::missing_value(&found, place));
            self.skip_line();
            self.space();
            self.stop_if_full();
        }
    }

    /// Goes to the separators and brackets at the end of the line.
    fn skip_to_line_end(&mut self) {
        let start = self.at;
        self.skip_line();
        self.at = start + text_end(&self.text[start..self.at]);
    }

    #[cold]
    pub(super) fn missing_value(&mut self) -> Read {
        let (found, place) = self.found();
        self.report(faults::missing_value(&found, place));
        self.at += self.char().filter(|c| !matches!(c, ',' | '}' | ']')).map_or(0, char::len_utf8);
        self.synchronize();
        None
    }

    #[cold]
    pub(super) fn missing_value_of(&mut self, key: Key) -> Read {
        let (found, place) = self.found();
        if self.at < self.text.len() || !self.unbalanced {
            self.report(faults::missing_value_of(self.arena.text(key.name), &found, place, key.span));
        }
        // A file that ends here is cut off, and its open brackets are part of the same mistake.
        self.unbalanced |= self.at == self.text.len();
        None
    }

    /// Whether the value that was read is really the next key, because the value of `key` is missing.
    pub(super) fn is_a_key(&mut self, value: NodeId, key: Key) -> Option<Key> {
        let node = self.arena.node(value);
        let Value::String(name) = node.value else { return None };
        self.space();
        if self.byte() != Some(b':') {
            return None;
        }
        let found = faults::quoted(&self.text[self.local(node.span.start)..self.local(node.span.end())]);
        self.report(faults::missing_value_of(self.arena.text(key.name), &found, node.span, key.span));
        Some(Key { name, span: node.span })
    }

    /// What follows a key is no colon. Says whether the reader now stands at the key's value.
    #[cold]
    pub(super) fn missing_colon(&mut self, key: Key) -> bool {
        let key_end = self.local(key.span.end());
        let (found, place) = self.found();
        let next = self.byte().unwrap_or_default();
        let between = &self.text[key_end..self.at];
        if self.at == self.text.len() {
            self.unbalanced = true;
        }
        let separator = matches!(next, b'=' | b',' | b'}' | b']' | 0) || self.wide(['：', '，']);
        if between.is_empty() && self.is_quote_trouble(next) && !separator {
            self.report(faults::quote_trouble(None, &found, place));
            self.skip_to_line_end();
            return false;
        }
        self.report(faults::missing_colon(self.arena.text(key.name), &found, place, key.span));
        match next {
            b'=' => {
                self.at += 1 + usize::from(self.text[self.at + 1..].starts_with('>'));
                self.space();
                true
            }
            0x80.. if self.wide(['：']) => {
                self.at += '：'.len_utf8();
                self.space();
                true
            }
            _ if between.contains(['\n', '\r']) => false,
            b'"' | b'\'' | b'{' | b'[' | b'-' | b'.' | b'0'..=b'9' => true,
            _ if matches!(&self.text[self.at..self.word_end()], "true" | "false" | "null") => true,
            _ => {
                self.synchronize();
                false
            }
        }
    }

    /// What should be a key is none. It is taken for one if a colon follows.
    #[cold]
    pub(super) fn bad_key(&mut self, start: usize, word: &str) -> Option<Key> {
        if word.is_empty() {
            let (found, place) = self.found();
            self.report(faults::no_key(&found, place));
            match self.byte() {
                Some(b'#') => self.skip_line(),
                Some(b'{' | b'[') => self.synchronize(),
                _ => {
                    self.at += self.char().map_or(0, char::len_utf8);
                    self.synchronize();
                }
            }
            return None;
        }
        let span = self.span_from(start);
        self.space();
        if matches!(self.byte(), Some(b':' | b'=')) || self.wide(['：']) {
            self.report(faults::bad_key(word, span));
            let name = self.arena.intern(word);
            return Some(Key { name, span });
        }
        self.report(faults::no_key(&faults::quoted(word), span));
        self.synchronize();
        None
    }

    #[cold]
    pub(super) fn stray_word(&mut self, start: usize, word: &str) -> Read {
        if word.starts_with(['“', '„']) && !word.ends_with('”') {
            let rest = &self.text[self.at..];
            let line = &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())];
            self.at += line.find('”').map_or(0, |at| at + '”'.len_utf8());
        }
        let span = self.span_from(start);
        let word = &self.text[start..self.at];
        self.report(faults::stray_word(word, span));
        self.synchronize();
        None
    }
}

/// Where the rest of a line ends, without the separators and closing brackets behind it that belong to the levels around it.
pub(super) fn text_end(line: &str) -> usize {
    let (mut depth, mut end) = (0_usize, 0);
    for (at, c) in line.char_indices() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' if depth > 0 => depth -= 1,
            '}' | ']' | ',' => continue,
            space if space.is_whitespace() => continue,
            _ => {}
        }
        end = at + c.len_utf8();
    }
    end
}

impl Faults {
    /// How many errors of one file are reported.
    const MAX: usize = 20;

    /// Whether no more errors are reported.
    pub(super) fn is_full(&self) -> bool {
        self.list.len() > Self::MAX
    }

    fn add(&mut self, diagnostic: Diagnostic) {
        match self.list.len() {
            Self::MAX => self.list.push(faults::more(&diagnostic, Self::MAX)),
            len if len < Self::MAX => self.list.push(diagnostic),
            _ => {}
        }
    }
}

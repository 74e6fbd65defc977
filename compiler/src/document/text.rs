//! Strings: literal to symbol. A string without escapes is taken from the file as it stands.

use super::escapes::{self, escape};
use super::read::{Key, Reader};
use super::recover::text_end;
use super::{Symbol, faults};

impl Reader<'_> {
    /// Reads a string whose opening quote is at hand. One that is not closed on its line is reported, and ends before the separators and
    /// brackets at the end of the line, which were probably not meant to be part of it.
    pub(super) fn string(&mut self) -> Symbol {
        let (bytes, start) = (self.text.as_bytes(), self.at + 1);
        let quote = bytes[self.at];
        let end = plain_end(bytes, start, quote);
        let symbol = if bytes.get(end) == Some(&quote) {
            self.at = end + 1;
            self.arena.intern(&self.text[start..end])
        } else {
            self.rare_string(quote, end)
        };
        if quote == b'\'' {
            self.note_json5(start - 1, "single quotes");
        }
        symbol
    }

    /// Goes on with a string whose text up to `plain` is as it stands.
    fn rare_string(&mut self, quote: u8, plain: usize) -> Symbol {
        let opening = self.at;
        let mut text = std::mem::take(&mut self.buffer);
        text.clear();
        text.push_str(&self.text[opening + 1..plain]);
        self.at = plain;
        let closed = loop {
            match self.byte() {
                Some(b'\\') => text.extend(self.escape()),
                None | Some(b'\n' | b'\r') => break false,
                Some(byte) if byte == quote => break true,
                Some(_) => {
                    self.at += 1;
                    self.note_json5(self.at - 1, "a control character in a string");
                    text.push_str(&self.text[self.at - 1..self.at]);
                }
            }
            let end = plain_end(self.text.as_bytes(), self.at, quote);
            text.push_str(&self.text[self.at..end]);
            self.at = end;
        };
        if closed {
            self.at += 1;
        } else {
            self.end_unclosed_string(opening, &mut text);
        }
        let symbol = self.arena.intern(&text);
        self.buffer = text;
        symbol
    }

    fn escape(&mut self) -> Option<char> {
        let start = self.at;
        match escape(self.text, start) {
            Ok(escape) => {
                self.at = escape.end;
                if escape.meaning.is_none() {
                    self.note_json5(start, "a line break in a string");
                } else if !escape.json {
                    self.note_json5(start, "an escape that JSON does not have");
                }
                escape.meaning
            }
            Err((fault, end)) => {
                self.at = end;
                self.bad_escape(start, fault);
                Some(char::REPLACEMENT_CHARACTER)
            }
        }
    }

    #[cold]
    fn bad_escape(&mut self, start: usize, fault: escapes::Fault) {
        // A backslash at the very end is the string's lack of an end, which is reported by itself.
        if fault != escapes::Fault::End && !self.faults.is_full() {
            let span = self.span_from(start);
            self.report(faults::escape(fault, &self.text[start..self.at], span));
        }
    }

    #[cold]
    fn end_unclosed_string(&mut self, opening: usize, text: &mut String) {
        self.cut_short = true;
        let quote = char::from(self.text.as_bytes()[opening]);
        self.report(faults::unclosed_string(quote, self.span_from(opening), self.at == self.text.len()));
        let written = &self.text[opening + 1..self.at];
        let dropped = written.len() - text_end(written);
        self.unbalanced |= self.at == self.text.len() && dropped == 0;
        self.at -= dropped;
        text.truncate(text_end(text));
    }

    /// What a key was meant to be whose closing quote is missing and has been reported. It counts only if its line opens a value that
    /// goes on below.
    #[cold]
    pub(super) fn unclosed_key(&mut self, opening: usize) -> Option<Key> {
        let end = self.at;
        let line = &self.text[opening + 1..end];
        let opens = line.ends_with(['{', '[']);
        self.unbalanced |= opens && !line.contains(':');
        let (name, _) = line.split_once(':').filter(|_| opens)?;
        let name = self.arena.intern(name.trim_end());
        self.at = opening + 1 + line.find(':')?;
        let span = self.span_from(opening);
        Some(Key { name, span })
    }
}

/// The offset of the first byte at or after `at` that is the quote, a backslash or a control character; the end if there is none.
fn plain_end(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    let stops = |byte: &u8| *byte == quote || *byte == b'\\' || *byte < 0x20;
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    let long = at + 32;
    while let Some(chunk) = bytes[at..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        // Borrows make false hits only in bytes after the first true one, and the first is all that counts.
        let hits = has_zero(word ^ (ONES * u64::from(quote))) | has_zero(word ^ (ONES * u64::from(b'\\'))) | control;
        if hits != 0 {
            return at + hits.trailing_zeros() as usize / 8;
        }
        at += 8;
        if at == long {
            // Without an early exit inside, the compiler compares all bytes of a block at once.
            let is_plain = |block: &[u8; 32]| !block.iter().fold(false, |hit, byte| hit | stops(byte));
            while bytes[at..].first_chunk::<32>().is_some_and(is_plain) {
                at += 32;
            }
        }
    }
    bytes[at..].iter().position(stops).map_or(bytes.len(), |tail| at + tail)
}

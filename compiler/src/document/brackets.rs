//! Mistakes in brackets: too many, missing, of the other kind, too deep.
//!
//! After one of them later brackets are doubtful, so that what is left over at the end of the file is not reported.

use super::faults;
use super::read::{MAX_DEPTH, Read, Reader};
use crate::source::Span;

impl Reader<'_> {
    #[cold]
    pub(super) fn too_deep(&mut self) -> Read {
        if !self.faults.too_deep {
            self.faults.too_deep = true;
            let bracket = self.span(self.at, self.at + 1);
            self.report(faults::too_deep(bracket, MAX_DEPTH));
        }
        self.skip_brackets();
        None
    }

    /// A closing bracket of the other kind. If a bracket around this level waits for it, this level was not closed, and ends
    /// here; otherwise the bracket is too many and is left out. Says whether the level ends.
    #[cold]
    pub(super) fn wrong_bracket(&mut self, close: u8) -> bool {
        let found = self.text.as_bytes()[self.at];
        let opening = self.open.last().map_or(self.at, |at| *at);
        if self.faults.wrong_bracket != Some(self.at) {
            let (found_span, opening) = (self.span(self.at, self.at + 1), self.span(opening, opening + 1));
            self.report(faults::wrong_bracket(close, found, found_span, opening));
        }
        self.unbalanced = true;
        self.faults.wrong_bracket = Some(self.at);
        let awaited = self.open.iter().rev().skip(1).any(|at| closing(self.text.as_bytes()[*at]) == found);
        if !awaited {
            self.at += 1;
            self.space();
            self.at += usize::from(self.byte() == Some(b','));
            self.stop_if_full();
        }
        awaited
    }

    /// The file ends before a bracket is closed.
    #[cold]
    pub(super) fn unclosed(&mut self, close: u8) {
        if !self.unbalanced {
            let opening = self.open.last().map_or(self.at, |at| *at);
            let (innermost, doubtful) = (self.span(opening, opening + 1), self.doubtful_bracket());
            self.report(faults::unclosed(close, self.here(), innermost, self.open.len(), doubtful));
        }
        self.unbalanced = true;
    }

    /// An opening bracket whose closing bracket begins a line further left than the opening one's line: its own is probably missing.
    fn doubtful_bracket(&mut self) -> Option<(Span, Span)> {
        let (comments, notes) = (self.document.comments.len(), self.document.json5_only.len());
        let (end, mut open, mut doubtful) = (self.at, Vec::new(), None);
        self.at = 0;
        while let (Some(byte), None) = (self.byte(), doubtful) {
            match byte {
                b'"' | b'\'' => self.at = self.string_end(self.at),
                b'/' => self.skip_slash(),
                b'{' | b'[' => open.push((self.at, self.indentation().0)),
                b'}' | b']' => match (open.pop(), self.indentation()) {
                    (Some((opening, deep)), (less, true)) if less < deep => doubtful = Some((opening, self.at)),
                    _ => {}
                },
                _ => {}
            }
            self.at += usize::from(!matches!(byte, b'"' | b'\'' | b'/'));
        }
        self.at = end;
        self.document.comments.truncate(comments);
        self.document.json5_only.truncate(notes);
        doubtful.map(|(opening, closing)| (self.span(opening, opening + 1), self.span(closing, closing + 1)))
    }

    /// How far the line at hand is indented, and whether it begins with what is next. Only lines of the usual length count.
    fn indentation(&self) -> (usize, bool) {
        let before = &self.text.as_bytes()[self.at.saturating_sub(256)..self.at];
        let Some(line_break) = before.iter().rposition(|byte| *byte == b'\n') else { return (0, false) };
        let line = &before[line_break + 1..];
        let indented = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        (indented, indented == line.len())
    }

    /// More text after the file's value.
    #[cold]
    pub(super) fn trailing(&mut self) {
        let Some(root) = self.document.root.filter(|_| !self.unbalanced) else { return };
        let (found, place) = self.found();
        let end = self.local(self.arena.node(root).span.end());
        let last = self.text[..end].chars().next_back().map_or(0, char::len_utf8);
        let end = self.span(end - last, end);
        self.report(faults::trailing(&found, place, end));
    }

    /// Skips a bracket with everything in it, however deep.
    pub(super) fn skip_brackets(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.byte() {
            match byte {
                b'"' | b'\'' => self.at = self.string_end(self.at),
                b'/' => self.skip_slash(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
        self.unbalanced = true;
    }
}

/// The bracket that closes what another opens.
fn closing(opening: u8) -> u8 {
    if opening == b'{' { b'}' } else { b']' }
}

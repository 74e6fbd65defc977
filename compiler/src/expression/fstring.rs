//! F-strings, as Python 3.11 reads them: the braces are found in the content of the string, and what is in them is read as an expression
//! of its own. So the quotes of the string, backslashes and comments cannot stand in the braces.

use std::ops::Range;

use tlc_plan::expression::{Conversion, Id, Node, Place};
use tlc_plan::value::Value;

use super::literal::{decode, newlines};
use super::scan::{MAX_BRACKETS, Mistake};
use super::tree::Reader;

/// A part of an f-string.
pub(super) enum Part {
    Text(String),
    Formatted(Id),
}

impl Reader<'_> {
    /// An f-string of these parts.
    pub(super) fn joined(&mut self, parts: Vec<Part>, place: Place) -> Result<Id, Mistake> {
        let mut ids = Vec::new();
        for part in parts {
            ids.push(match part {
                Part::Formatted(id) => id,
                Part::Text(text) => self.value(Value::from(text), place)?,
            });
        }
        let parts = self.builder.list(&ids);
        self.push(Node::Joined(parts), place)
    }

    /// Adds the parts of an f-string's content; the text at its end is left in `text`.
    pub(super) fn formatted_string(
        &mut self,
        content: Range<usize>,
        raw: bool,
        text: &mut String,
        parts: &mut Vec<Part>,
    ) -> Result<(), Mistake> {
        let end = self.pieces(content.clone(), raw, 0, text, parts)?;
        if end < content.end {
            return Err(Mistake::syntax("a single `}` in an f-string", end..end + 1).help("write `}}` for a brace"));
        }
        Ok(())
    }

    /// Reads up to the end of the content or, in a format specification, to the brace that ends it; returns where that is.
    fn pieces(
        &mut self,
        content: Range<usize>,
        raw: bool,
        depth: usize,
        text: &mut String,
        parts: &mut Vec<Part>,
    ) -> Result<usize, Mistake> {
        let bytes = self.text.as_bytes();
        let mut position = content.start;
        let mut literal = position;
        while position < content.end {
            match bytes[position] {
                b'\\' if !raw => position = self.after_escape(position, content.end),
                brace @ (b'{' | b'}') if depth == 0 && position + 1 < content.end && bytes[position + 1] == brace => {
                    self.add_text(literal..position + 1, raw, text)?;
                    position += 2;
                    literal = position;
                }
                b'}' => {
                    self.add_text(literal..position, raw, text)?;
                    return Ok(position);
                }
                b'{' => {
                    self.add_text(literal..position, raw, text)?;
                    position = self.replacement(position..content.end, raw, depth, text, parts)?;
                    literal = position;
                }
                _ => position += 1,
            }
        }
        self.add_text(literal..content.end, raw, text)?;
        Ok(content.end)
    }

    /// Where an escape ends: a brace after the backslash is not part of it, those of `\N{…}` are.
    fn after_escape(&self, position: usize, end: usize) -> usize {
        let rest = &self.text[position + 1..end];
        if rest.starts_with("N{") {
            return rest.find('}').map_or(end, |close| position + 2 + close);
        }
        match rest.bytes().next() {
            Some(b'{' | b'}') | None => position + 1,
            Some(_) => (position + 2).min(end),
        }
    }

    fn add_text(&self, part: Range<usize>, raw: bool, text: &mut String) -> Result<(), Mistake> {
        if raw {
            text.push_str(&newlines(&self.text[part]));
            return Ok(());
        }
        decode(self.text, part, text)
    }

    /// `{expression=!r:spec}`; returns where it ends.
    fn replacement(
        &mut self,
        part: Range<usize>,
        raw: bool,
        depth: usize,
        text: &mut String,
        parts: &mut Vec<Part>,
    ) -> Result<usize, Mistake> {
        if depth >= 2 {
            return Err(Mistake::syntax("braces of an f-string nest too deeply", part.start..part.start + 1));
        }
        let unclosed = || Mistake::syntax("the brace of the f-string is never closed", part.start..part.start + 1);
        let start = part.start + 1;
        let end = self.expression_end(start..part.end)?;
        let inner = &self.text[start..end];
        if inner.trim_matches([' ', '\t', '\n', '\r', '\u{c}']).is_empty() {
            return Err(Mistake::syntax("the braces of the f-string are empty", part.start..end));
        }
        let bytes = self.text.as_bytes();
        let at = |position: usize| if position < part.end { Some(bytes[position]) } else { None };
        let mut position = end;
        let shows_itself = at(position) == Some(b'=');
        if shows_itself {
            position += 1;
            while at(position).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c')) {
                position += 1;
            }
            text.push_str(&newlines(&self.text[start..position]));
        }
        if !text.is_empty() {
            parts.push(Part::Text(std::mem::take(text)));
        }
        let value = self.deeper(|this| this.whole(start..end))?;
        let mut conversion = Conversion::None;
        if at(position) == Some(b'!') {
            conversion = match at(position + 1) {
                Some(b's') => Conversion::Str,
                Some(b'r') => Conversion::Repr,
                Some(b'a') => Conversion::Ascii,
                _ => {
                    let place = position..position + 1;
                    return Err(Mistake::syntax("a conversion is `!s`, `!r` or `!a`", place));
                }
            };
            position += 2;
        }
        let has_spec = at(position) == Some(b':');
        if shows_itself && conversion == Conversion::None && !has_spec {
            conversion = Conversion::Repr;
        }
        let spec_place = self.place(0..0);
        let spec = if has_spec {
            let (spec, after) = self.spec(position + 1..part.end, raw, depth + 1)?;
            position = after;
            spec
        } else {
            self.value(Value::from(""), spec_place)?
        };
        if at(position) != Some(b'}') {
            return Err(unclosed());
        }
        let outer = std::mem::replace(&mut self.base, 0);
        let place = self.place(part.start..position + 1);
        self.base = outer;
        let id = self.push(Node::Formatted { value, conversion, spec }, place)?;
        parts.push(Part::Formatted(id));
        Ok(position + 1)
    }

    fn spec(&mut self, part: Range<usize>, raw: bool, depth: usize) -> Result<(Id, usize), Mistake> {
        let mut text = String::new();
        let mut parts = Vec::new();
        let start = part.start;
        let end = self.pieces(part, raw, depth, &mut text, &mut parts)?;
        let outer = std::mem::replace(&mut self.base, 0);
        let place = self.place(start..end);
        self.base = outer;
        if parts.is_empty() {
            return Ok((self.value(Value::from(text), place)?, end));
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok((self.joined(parts, place)?, end))
    }

    /// Where the expression in a brace ends: at `!`, `:`, `=` or `}` outside of brackets and strings.
    fn expression_end(&self, part: Range<usize>) -> Result<usize, Mistake> {
        let bytes = &self.text.as_bytes()[..part.end];
        let mut open: Vec<u8> = Vec::new();
        let mut position = part.start;
        while let Some(&byte) = bytes.get(position) {
            let place = position..position + 1;
            match byte {
                b'\\' => return Err(Mistake::syntax("a backslash in the braces of an f-string", place)),
                b'#' => return Err(Mistake::syntax("a `#` in the braces of an f-string", place)),
                b'\'' | b'"' => {
                    let unclosed = || Mistake::syntax("the string in the f-string is never closed", place);
                    position = string_end(bytes, position).ok_or_else(unclosed)?;
                }
                b'(' | b'[' | b'{' => {
                    if open.len() >= MAX_BRACKETS {
                        return Err(Mistake::limit(format!("brackets nest more than {MAX_BRACKETS} deep"), place));
                    }
                    open.push(byte);
                    position += 1;
                }
                b'!' | b'=' | b'<' | b'>' if open.is_empty() && bytes.get(position + 1) == Some(&b'=') => position += 2,
                b'!' | b':' | b'=' | b'}' if open.is_empty() => return Ok(position),
                b')' | b']' | b'}' => {
                    let opens = match byte {
                        b')' => b'(',
                        b']' => b'[',
                        _ => b'{',
                    };
                    if open.pop() != Some(opens) {
                        return Err(Mistake::syntax(format!("`{}` closes nothing", char::from(byte)), place));
                    }
                    position += 1;
                }
                _ => position += 1,
            }
        }
        Err(Mistake::syntax("the brace of the f-string is never closed", part.start - 1..part.start))
    }
}

/// Where a string in the braces ends; there are no escapes in it.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let quote = bytes[start];
    let triple = [quote; 3];
    if bytes[start..].starts_with(&triple) {
        let inside = start + 3;
        return (inside..bytes.len().saturating_sub(2)).find(|&at| bytes[at..].starts_with(&triple)).map(|at| at + 3);
    }
    (start + 1..bytes.len()).find(|&at| bytes[at] == quote).map(|at| at + 1)
}

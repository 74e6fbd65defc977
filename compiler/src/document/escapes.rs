//! The escapes of JSON5 strings and names: one of them to what it stands for, and places in a text to places in its literal.
//!
//! A string keeps no map of its escapes; the map is made again from the literal when a message needs it.

use crate::source::{SourceMap, Span};

/// What an escape stands for, and where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Escape {
    /// The character; none for a line that goes on.
    pub(super) meaning: Option<char>,
    /// The offset after it.
    pub(super) end: usize,
    /// Whether JSON has it, too.
    pub(super) json: bool,
}

/// Why it is no escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A digit that stands for nothing.
    Digit,
    /// Fewer hexadecimal digits than the escape needs.
    Digits(usize),
    /// Half of a surrogate pair.
    LoneSurrogate,
    /// The text ends after the backslash.
    End,
}

/// Reads the escape whose backslash is at `at`; a fault comes with the offset to go on at.
pub(super) fn escape(text: &str, at: usize) -> Result<Escape, (Fault, usize)> {
    let Some(letter) = text[at + 1..].chars().next() else { return Err((Fault::End, at + 1)) };
    let end = at + 1 + letter.len_utf8();
    let means = |meaning: char, json: bool| Ok(Escape { meaning: Some(meaning), end, json });
    match letter {
        '"' | '\\' | '/' => means(letter, true),
        'b' => means('\u{8}', true),
        'f' => means('\u{c}', true),
        'n' => means('\n', true),
        'r' => means('\r', true),
        't' => means('\t', true),
        'v' => means('\u{b}', false),
        '0' if !text.as_bytes().get(end).is_some_and(u8::is_ascii_digit) => means('\0', false),
        '0'..='9' => Err((Fault::Digit, end)),
        'x' => {
            let (code, end) = hexadecimal(text, end, 2)?;
            Ok(Escape { meaning: char::from_u32(code), end, json: false })
        }
        'u' => unicode(text, end),
        '\r' if text[end..].starts_with('\n') => Ok(Escape { meaning: None, end: end + 1, json: false }),
        '\r' | '\n' | '\u{2028}' | '\u{2029}' => Ok(Escape { meaning: None, end, json: false }),
        other => means(other, false),
    }
}

fn unicode(text: &str, at: usize) -> Result<Escape, (Fault, usize)> {
    let (code, end) = hexadecimal(text, at, 4)?;
    if let Some(meaning) = char::from_u32(code) {
        return Ok(Escape { meaning: Some(meaning), end, json: true });
    }
    let lone = (Fault::LoneSurrogate, end);
    if !(0xd800..0xdc00).contains(&code) || !text[end..].starts_with("\\u") {
        return Err(lone);
    }
    let Ok((low, end)) = hexadecimal(text, end + 2, 4) else { return Err(lone) };
    if !(0xdc00..0xe000).contains(&low) {
        return Err(lone);
    }
    let joined = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    Ok(Escape { meaning: char::from_u32(joined), end, json: true })
}

fn hexadecimal(text: &str, at: usize, count: usize) -> Result<(u32, usize), (Fault, usize)> {
    let mut code = 0;
    for index in at..at + count {
        let digit = text.as_bytes().get(index).and_then(|byte| char::from(*byte).to_digit(16));
        code = code * 16 + digit.ok_or((Fault::Digits(count), index))?;
    }
    Ok((code, at + count))
}

/// The offset, in the whole map, of the `char_index`-th code point of a string's text. The span is the string's literal with its quotes,
/// or a key without quotes. An index at or beyond the text's end gives where the literal's text ends.
pub fn source_offset(sources: &SourceMap, literal: Span, char_index: usize) -> u32 {
    let text = sources.slice(literal);
    let places = Places::of(text);
    let end = places.end;
    if is_plain(text, places.at + char_index) {
        return literal.start + (places.at + char_index).min(end) as u32;
    }
    let local = places.filter(|place| place.visible).nth(char_index).map_or(end, |place| place.start);
    literal.start + local as u32
}

/// Where a literal's text has escapes, in the form of [`tlc_plan::plan::ExpressionSource::escapes`]: the offset of the escaped code
/// point, and by how many columns what comes after it is further right. Offsets count from the text's code point `from`; what is before
/// that is left out.
///
/// A line that goes on counts as the columns of its backslash and of its line break: columns are those of the literal on one line.
pub fn escape_breakpoints(sources: &SourceMap, literal: Span, from: usize) -> Vec<(u32, u32)> {
    let text = sources.slice(literal);
    if is_plain(text, text.len()) {
        return Vec::new();
    }
    let (mut index, mut further, mut breakpoints) = (0_usize, 0_u32, Vec::<(u32, u32)>::new());
    for place in Places::of(text) {
        index += usize::from(place.visible);
        let columns = text[place.start..place.next].chars().count() as u32;
        // A continued line at the very beginning is before the first code point, whose own column is known.
        if columns == 1 || index <= from {
            continue;
        }
        further += columns - u32::from(place.visible);
        let offset = (index - from - 1) as u32;
        match breakpoints.last_mut() {
            Some(last) if last.0 == offset => last.1 = further,
            _ => breakpoints.push((offset, further)),
        }
    }
    breakpoints
}

/// Whether every byte up to an offset is one code point of the text that it is written for.
fn is_plain(text: &str, end: usize) -> bool {
    text.as_bytes()[..end.min(text.len())].iter().all(|byte| byte.is_ascii() && *byte != b'\\')
}

/// The code points of a literal's text and where each is written.
struct Places<'a> {
    text: &'a str,
    at: usize,
    end: usize,
}

/// A code point, or a line that goes on, which is not visible.
struct Place {
    start: usize,
    next: usize,
    visible: bool,
}

impl<'a> Places<'a> {
    fn of(literal: &'a str) -> Self {
        let Some(quote) = literal.chars().next().filter(|first| matches!(first, '"' | '\'')) else {
            return Self { text: literal, at: 0, end: literal.len() };
        };
        let closed = literal.len() > 1 && literal.ends_with(quote);
        Self { text: literal, at: 1, end: literal.len() - usize::from(closed) }
    }
}

impl Iterator for Places<'_> {
    type Item = Place;

    fn next(&mut self) -> Option<Place> {
        let start = self.at;
        let first = self.text.get(start..self.end)?.chars().next()?;
        let (next, visible) = match first {
            '\\' => match escape(self.text, start) {
                Ok(escape) => (escape.end, escape.meaning.is_some()),
                Err((_, next)) => (next, true),
            },
            plain => (start + plain.len_utf8(), true),
        };
        self.at = next;
        Some(Place { start, next, visible })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn literal(text: &str) -> (SourceMap, Span) {
        let mut sources = SourceMap::default();
        let file = sources.add(Path::new("f"), format!("\n{text}\n")).expect("room");
        let span = Span { start: sources.base(file) + 1, len: text.len() as u32 };
        (sources, span)
    }

    #[test]
    fn a_code_point_is_found_behind_escapes() {
        let (sources, span) = literal(
            r#""a\nb\ud83d\ude00é\
c""#,
        );
        let offsets: Vec<_> = (0..8).map(|index| source_offset(&sources, span, index) - span.start).collect();
        assert_eq!(offsets, [1, 2, 4, 5, 17, 21, 22, 22]);
    }

    #[test]
    fn a_name_has_no_quotes() {
        let (sources, span) = literal(r"a\u0062c");
        assert_eq!(source_offset(&sources, span, 2) - span.start, 7);
    }

    #[test]
    fn breakpoints_are_cumulative_and_count_from_the_expression() {
        let (sources, span) = literal(r#""\teval! a\"b\u0041c""#);
        assert_eq!(escape_breakpoints(&sources, span, 0), [(0, 1), (8, 2), (10, 7)]);
        assert_eq!(escape_breakpoints(&sources, span, 7), [(1, 1), (3, 6)]);
    }

    #[test]
    fn a_continued_line_takes_columns_and_is_no_character() {
        let (sources, span) = literal("'ab\\\ncd'");
        assert_eq!(escape_breakpoints(&sources, span, 0), [(1, 2)]);
        assert_eq!(escape_breakpoints(&sources, span, 2), []);
    }
}

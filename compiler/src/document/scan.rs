//! The smallest parts of a file: white space, comments, words, and the lexemes of numbers.

use super::chars::{ends_line, is_json_space, is_name, is_space};
use super::escapes;
use super::read::{Key, Reader};
use super::{Comment, faults};

impl<'a> Reader<'a> {
    /// The next byte.
    pub(super) fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next character.
    pub(super) fn char(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    /// Reads white space and comments.
    #[inline]
    pub(super) fn space(&mut self) {
        // Mostly there is none.
        if !self.byte().is_some_and(|byte| matches!(byte, b'!'..0x80) && byte != b'/') {
            self.some_space();
        }
    }

    fn some_space(&mut self) {
        while let Some(byte) = self.byte() {
            match byte {
                b'\n' => self.at = indented(self.text.as_bytes(), self.at + 1),
                b' ' | b'\r' | b'\t' => self.at += 1,
                b'/' | 0x0b | 0x0c | 0x80.. if self.rare_space() => {}
                _ => return,
            }
        }
    }

    #[cold]
    fn rare_space(&mut self) -> bool {
        let (start, rest) = (self.at, &self.text[self.at..]);
        if rest.starts_with("//") {
            self.at += rest.find(ends_line).unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            self.block_comment();
        } else {
            let Some(space) = rest.chars().next().filter(|c| is_space(*c)) else { return false };
            self.at += space.len_utf8();
            self.note_json5(start, "white space that JSON does not have");
            return true;
        }
        let span = self.span_from(start);
        self.document.comments.push(Comment { span });
        true
    }

    fn block_comment(&mut self) {
        let body = self.at + 2;
        match self.text[body..].find("*/") {
            Some(end) => self.at = body + end + 2,
            None => {
                self.unbalanced = true;
                self.report(faults::unclosed_comment(self.span(self.at, body)));
                self.at = self.text.len();
            }
        }
    }

    /// Reads a word: whatever is up to white space, a comment or a character that separates. It may be empty.
    pub(super) fn word(&mut self) -> &'a str {
        let start = self.at;
        self.at = self.word_end();
        &self.text[start..self.at]
    }

    /// Where the word at hand ends.
    pub(super) fn word_end(&self) -> usize {
        let mut chars = self.text[self.at..].char_indices();
        let end = chars.find(|(at, c)| separates(*c, &self.text[self.at + at..])).map(|(at, _)| at);
        end.map_or(self.text.len(), |end| self.at + end)
    }

    /// Reads a key without quotes.
    pub(super) fn name(&mut self) -> Option<Key> {
        let start = self.at;
        let word = self.word();
        let span = self.span_from(start);
        let name = match unescaped(word) {
            _ if is_name(word) => self.arena.intern(word),
            Some(name) => self.arena.intern(&name),
            None => return self.bad_key(start, word),
        };
        self.note_json5(start, "a key without quotes");
        Some(Key { name, span })
    }

    /// Reads an integer that fits and is followed by what may follow a value; otherwise nothing is read.
    pub(super) fn short_integer(&mut self) -> Option<i64> {
        let rest = &self.text.as_bytes()[self.at..];
        let sign = usize::from(rest[0] == b'-');
        let digits = rest[sign..].iter().take(19).take_while(|byte| byte.is_ascii_digit()).count();
        let end = sign + digits;
        let follows = matches!(rest.get(end), None | Some(b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t'));
        if digits == 0 || digits > 18 || !follows || (digits > 1 && rest[sign] == b'0') {
            return None;
        }
        let value = rest[sign..end].iter().fold(0, |value, byte| value * 10 + i64::from(byte - b'0'));
        self.at += end;
        Some(if sign == 1 { -value } else { value })
    }

    /// Reads everything that was probably meant as one number.
    pub(super) fn number_lexeme(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let belongs = |c: char| c.is_alphanumeric() || matches!(c, '.' | '+' | '-' | '_' | '$');
        let lexeme = &rest[..rest.find(|c| !belongs(c)).unwrap_or(rest.len())];
        self.at += lexeme.len();
        lexeme
    }
}

/// The offset of the first byte at or after `at` that is no space, unless the text ends soon.
fn indented(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes[at..].first_chunk::<8>() {
        let others = u64::from_le_bytes(*chunk) ^ u64::from_ne_bytes([b' '; 8]);
        if others != 0 {
            return at + others.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at
}

fn separates(c: char, rest: &str) -> bool {
    match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => false,
        ',' | ':' | '{' | '}' | '[' | ']' | '"' | '\'' | '=' | ';' | '#' | '，' | '：' | '；' | '、' => true,
        '/' => rest.starts_with("//") || rest.starts_with("/*"),
        other => is_json_space(other) || is_space(other),
    }
}

/// The name that a word with escapes is, if it is one.
fn unescaped(word: &str) -> Option<String> {
    let (mut name, mut rest) = (String::new(), word);
    while let Some(backslash) = rest.find('\\') {
        name.push_str(&rest[..backslash]);
        let escape = rest[backslash..].starts_with("\\u").then(|| escapes::escape(rest, backslash))?.ok()?;
        name.push(escape.meaning?);
        rest = &rest[escape.end..];
    }
    name.push_str(rest);
    is_name(&name).then_some(name)
}

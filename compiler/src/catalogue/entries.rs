//! The text of one `.po` file to its entries, with their places. Lines are read one by one; a wrong one is reported and left out.

use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::source::Span;

/// An entry of a catalogue; the header is none.
#[derive(Debug, Default)]
pub(super) struct Entry {
    /// The text in lists.
    pub(super) english: String,
    /// The text of the locale, of a plural its first form.
    pub(super) translation: String,
    /// Where the English text begins.
    pub(super) span: Span,
    fuzzy: bool,
}

impl Entry {
    /// Whether its translation is to be shown.
    pub(super) fn counts(&self) -> bool {
        !self.fuzzy && !self.translation.is_empty()
    }
}

/// The part of an entry that a string belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// None: nothing has begun.
    Nothing,
    /// `msgctxt`.
    Context,
    /// `msgid`.
    English,
    /// `msgid_plural`, and `msgstr[1]` and so on.
    Other,
    /// `msgstr` or `msgstr[0]`.
    Translation,
}

/// Reads a file that begins at `base` in the map.
pub(super) fn read(text: &str, base: u32) -> (Vec<Entry>, Vec<Diagnostic>) {
    let mut reader = Reader { base, entries: Vec::new(), diagnostics: Vec::new(), open: Open::new() };
    let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    for line in text[at..].split_inclusive('\n') {
        reader.line(line.trim_end(), at);
        at += line.len();
    }
    reader.finish();
    (reader.entries, reader.diagnostics)
}

/// An entry that is being read.
struct Open {
    entry: Entry,
    part: Part,
    has_english: bool,
    has_translation: bool,
    has_context: bool,
    /// It has a mistake that was reported, so that what is missing in it is not.
    broken: bool,
}

impl Open {
    fn new() -> Self {
        Self {
            entry: Entry::default(),
            part: Part::Nothing,
            has_english: false,
            has_translation: false,
            has_context: false,
            broken: false,
        }
    }
}

struct Reader {
    base: u32,
    entries: Vec<Entry>,
    diagnostics: Vec<Diagnostic>,
    open: Open,
}

impl Reader {
    fn line(&mut self, line: &str, at: usize) {
        let content = line.trim_start();
        let start = at + line.len() - content.len();
        match content.as_bytes() {
            [] => {}
            [b'#', rest @ ..] => self.comment(rest, content),
            [b'"', ..] => self.strings(content, start),
            _ => self.keyword(content, start),
        }
    }

    fn comment(&mut self, rest: &[u8], content: &str) {
        if self.open.has_translation {
            self.finish();
        }
        let flags = rest.first() == Some(&b',');
        self.open.entry.fuzzy |= flags && content[2..].split(',').any(|flag| flag.trim() == "fuzzy");
    }

    fn keyword(&mut self, content: &str, start: usize) {
        let end = content.find(|c: char| c.is_whitespace() || c == '"').unwrap_or(content.len());
        let (word, rest) = content.split_at(end);
        let part = match word {
            "msgctxt" => Part::Context,
            "msgid" => Part::English,
            "msgid_plural" => Part::Other,
            "msgstr" | "msgstr[0]" => Part::Translation,
            other if is_plural_form(other) => Part::Other,
            other => {
                self.open.broken = true;
                return self.diagnostics.push(unknown_word(other, self.span(start, word.len())));
            }
        };
        self.begin(part, self.span(start, word.len()));
        let strings = rest.trim_start();
        self.strings(strings, start + content.len() - strings.len());
    }

    fn begin(&mut self, part: Part, word: Span) {
        let next =
            part == Part::Context || part == Part::English && (self.open.has_english || self.open.has_translation);
        if next && (self.open.has_english || self.open.has_translation) {
            self.finish();
        }
        match part {
            Part::English => {
                self.open.has_english = true;
                self.open.entry.span = word;
            }
            Part::Translation if !self.open.has_english && !self.open.broken => {
                self.open.broken = true;
                self.diagnostics.push(no_english(word));
            }
            _ => {}
        }
        self.open.has_context |= part == Part::Context;
        self.open.has_translation |= part == Part::Translation;
        self.open.part = part;
    }

    /// Reads the strings of a line into the part at hand.
    fn strings(&mut self, mut rest: &str, mut at: usize) {
        while !rest.is_empty() {
            let mut text = String::new();
            let end = match string(rest, &mut text) {
                Ok(end) => end,
                Err(fault) => {
                    self.open.broken = true;
                    return self.diagnostics.push(fault_in_string(fault, rest, self.span(at, rest.len())));
                }
            };
            match self.open.part {
                Part::English => self.open.entry.english.push_str(&text),
                Part::Translation => self.open.entry.translation.push_str(&text),
                Part::Context | Part::Other => {}
                Part::Nothing => {
                    self.diagnostics.push(stray_string(self.span(at, end)));
                    return;
                }
            }
            let next = rest[end..].trim_start();
            at += rest.len() - next.len();
            rest = next;
        }
    }

    fn finish(&mut self) {
        let open = std::mem::replace(&mut self.open, Open::new());
        if open.broken || (!open.has_english && !open.has_translation) {
            return;
        }
        if !open.has_translation {
            return self.diagnostics.push(no_translation(open.entry.span));
        }
        if !open.has_context && !open.entry.english.is_empty() {
            self.entries.push(open.entry);
        }
    }

    fn span(&self, start: usize, len: usize) -> Span {
        Span { start: self.base + start as u32, len: len as u32 }
    }
}

fn is_plural_form(word: &str) -> bool {
    let number = word.strip_prefix("msgstr[").and_then(|rest| rest.strip_suffix(']'));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Why a string is none.
#[derive(Clone, Copy)]
enum Fault {
    NoQuote,
    Unclosed,
    Escape,
}

/// Reads a string; its text is added, and the offset after its closing quote is the answer.
fn string(literal: &str, text: &mut String) -> Result<usize, Fault> {
    let mut chars = literal.char_indices();
    if !matches!(chars.next(), Some((_, '"'))) {
        return Err(Fault::NoQuote);
    }
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok(at + 1),
            '\\' => match chars.next() {
                Some((_, letter)) => text.push(escape(letter).ok_or(Fault::Escape)?),
                None => return Err(Fault::Unclosed),
            },
            plain => text.push(plain),
        }
    }
    Err(Fault::Unclosed)
}

fn escape(letter: char) -> Option<char> {
    Some(match letter {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        '"' | '\\' => letter,
        _ => return None,
    })
}

fn unknown_word(word: &str, span: Span) -> Diagnostic {
    let known = ["msgctxt", "msgid", "msgid_plural", "msgstr"];
    let help = did_you_mean(word, known).unwrap_or_else(|| "an entry is `msgid \"…\"` and `msgstr \"…\"`".into());
    Diagnostic::error("po-syntax", format!("expected `msgid` or `msgstr`, found `{word}`"), span, "unknown").help(help)
}

fn no_english(span: Span) -> Diagnostic {
    Diagnostic::error("po-syntax", "expected `msgid` before `msgstr`, found none", span, "the translation of nothing")
        .help("put the English text before it: `msgid \"…\"`")
}

fn no_translation(span: Span) -> Diagnostic {
    Diagnostic::error("po-syntax", "expected `msgstr` after `msgid`, found none", span, "this text has no translation")
        .help("write `msgstr \"\"` if there is none yet")
}

fn stray_string(span: Span) -> Diagnostic {
    Diagnostic::error("po-syntax", "expected `msgid` or `msgstr`, found a string", span, "it belongs to nothing")
        .help("an entry is `msgid \"…\"` and `msgstr \"…\"`")
}

fn fault_in_string(fault: Fault, rest: &str, span: Span) -> Diagnostic {
    let (message, help) = match fault {
        Fault::NoQuote => (format!("expected a string, found `{rest}`"), "texts stand between `\"`"),
        Fault::Unclosed => {
            ("expected a closing `\"`, found the end of the line".into(), "put `\"` at the end of the line")
        }
        Fault::Escape => {
            ("expected an escape such as `\\n` or `\\\"`, found another".into(), "write a backslash as `\\\\`")
        }
    };
    Diagnostic::error("po-syntax", message, span, "not a string").help(help)
}

//! A scan of the text before the grammar: brackets, strings, comments and lines.
//!
//! It bounds how deeply the grammar can recurse, finds where the expression ends (a line break outside of brackets ends it), and says
//! what is wrong with brackets and quotes better than a grammar can.

use std::ops::Range;

use super::{SyntaxError, SyntaxErrorKind};

/// How deeply brackets may nest.
pub const MAX_BRACKETS: usize = 50;

/// How many bytes an expression may have.
pub const MAX_LENGTH: usize = 65_536;

/// A mistake at a place in bytes.
pub(super) struct Mistake {
    pub(super) kind: SyntaxErrorKind,
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) bytes: Range<usize>,
}

impl Mistake {
    pub(super) fn syntax(message: impl Into<String>, bytes: Range<usize>) -> Self {
        Self { kind: SyntaxErrorKind::Syntax, message: message.into(), help: None, bytes }
    }

    pub(super) fn refused(message: impl Into<String>, help: impl Into<String>, bytes: Range<usize>) -> Self {
        Self { kind: SyntaxErrorKind::Refused, message: message.into(), help: Some(help.into()), bytes }
    }

    pub(super) fn limit(message: impl Into<String>, bytes: Range<usize>) -> Self {
        Self { kind: SyntaxErrorKind::Limit, message: message.into(), help: None, bytes }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With its place in code points of the whole text.
    pub(super) fn placed(self, text: &str) -> SyntaxError {
        let count = |end: usize| text.get(..end).map_or(text.chars().count(), |part| part.chars().count()) as u32;
        let (start, end) = (count(self.bytes.start), count(self.bytes.end));
        SyntaxError { kind: self.kind, message: self.message, help: self.help, start, end }
    }
}

struct Scan<'t> {
    bytes: &'t [u8],
    position: usize,
    open: Vec<(u8, usize)>,
}

/// The part of the text that is the expression.
pub(super) fn scan(text: &str) -> Result<Range<usize>, Mistake> {
    if text.len() > MAX_LENGTH {
        return Err(Mistake::limit(format!("the expression has more than {MAX_LENGTH} bytes"), 0..text.len()));
    }
    let start = first_line(text)?;
    let mut scan = Scan { bytes: text.as_bytes(), position: start, open: Vec::new() };
    let end = scan.run()?;
    let rest = &text[end..];
    if let Some(offset) = first_token(rest) {
        let at = end + offset;
        return Err(Mistake::syntax("the expression ends at the line break before this", at..text.len())
            .help("put the expression in parentheses to continue it on the next line"));
    }
    Ok(start..end)
}

/// Where the first line begins that holds something; it must not be indented.
fn first_line(text: &str) -> Result<usize, Mistake> {
    let mut start = 0;
    for line in text.split_inclusive(['\n', '\r']) {
        let trimmed = line.trim_start_matches([' ', '\t', '\u{c}', '\n', '\r']);
        if !trimmed.is_empty() && !trimmed.starts_with('#') {
            let indent = line.len() - trimmed.len();
            if line[..indent].trim_start_matches('\u{c}').is_empty() {
                return Ok(start);
            }
            return Err(Mistake::syntax("the expression is indented", start..start + indent)
                .help("remove the blanks before it"));
        }
        start += line.len();
    }
    Err(Mistake::syntax("there is no expression", 0..text.len()))
}

fn first_token(text: &str) -> Option<usize> {
    let mut start = 0;
    for line in text.split_inclusive(['\n', '\r']) {
        let trimmed = line.trim_start_matches([' ', '\t', '\u{c}', '\n', '\r']);
        if !trimmed.is_empty() && !trimmed.starts_with('#') {
            return Some(start + line.len() - trimmed.len());
        }
        start += line.len();
    }
    None
}

impl Scan<'_> {
    /// To the line break that ends the expression, or to the end of the text.
    fn run(&mut self) -> Result<usize, Mistake> {
        while let Some(&byte) = self.bytes.get(self.position) {
            match byte {
                b'(' | b'[' | b'{' => self.open(byte)?,
                b')' | b']' | b'}' => self.close(byte)?,
                b'\'' | b'"' => self.string(byte)?,
                b'#' => self.comment(),
                b'\n' | b'\r' if self.open.is_empty() => return Ok(self.position),
                b'\\' => {
                    if self.bytes.get(self.position + 1) == Some(&b'\r')
                        && self.bytes.get(self.position + 2) == Some(&b'\n')
                    {
                        self.position += 1;
                    }
                    self.position += 2;
                }
                0 => {
                    return Err(Mistake::syntax(
                        "the expression holds a null character",
                        self.position..self.position + 1,
                    ));
                }
                _ => self.position += 1,
            }
        }
        match self.open.last() {
            Some(&(bracket, at)) => {
                Err(Mistake::syntax(format!("`{}` is never closed", char::from(bracket)), at..at + 1))
            }
            None => Ok(self.bytes.len()),
        }
    }

    fn open(&mut self, bracket: u8) -> Result<(), Mistake> {
        if self.open.len() >= MAX_BRACKETS {
            let message = format!("brackets nest more than {MAX_BRACKETS} deep");
            return Err(Mistake::limit(message, self.position..self.position + 1));
        }
        self.open.push((bracket, self.position));
        self.position += 1;
        Ok(())
    }

    fn close(&mut self, bracket: u8) -> Result<(), Mistake> {
        let place = self.position..self.position + 1;
        self.position += 1;
        let closes = match bracket {
            b')' => b'(',
            b']' => b'[',
            _ => b'{',
        };
        match self.open.pop() {
            Some((opened, _)) if opened == closes => Ok(()),
            Some((opened, _)) => Err(Mistake::syntax(
                format!("`{}` does not close `{}`", char::from(bracket), char::from(opened)),
                place,
            )),
            None => Err(Mistake::syntax(format!("`{}` closes nothing", char::from(bracket)), place)),
        }
    }

    fn comment(&mut self) {
        while self.bytes.get(self.position).is_some_and(|byte| !matches!(byte, b'\n' | b'\r')) {
            self.position += 1;
        }
    }

    fn string(&mut self, quote: u8) -> Result<(), Mistake> {
        let start = self.position;
        let triple = self.bytes[start..].starts_with(&[quote, quote, quote]);
        self.position += if triple { 3 } else { 1 };
        while let Some(&byte) = self.bytes.get(self.position) {
            match byte {
                b'\\' => self.position += 2,
                b'\n' if !triple => break,
                _ if byte != quote => self.position += 1,
                _ if !triple => {
                    self.position += 1;
                    return Ok(());
                }
                _ if self.bytes[self.position..].starts_with(&[quote, quote, quote]) => {
                    self.position += 3;
                    return Ok(());
                }
                _ => self.position += 1,
            }
        }
        Err(Mistake::syntax("the string is never closed", start..start + if triple { 3 } else { 1 }))
    }
}

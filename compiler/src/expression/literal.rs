//! Numbers and plain strings.

use std::ops::Range;

use num_bigint::BigInt;
use pest::iterators::Pair;
use tlc_plan::expression::Id;
use tlc_plan::value::Value;

use super::fstring::Part;
use super::grammar::Rule;
use super::scan::Mistake;
use super::tree::Reader;

/// How many decimal digits an integer may have, as in `CPython`.
const MAX_DIGITS: usize = 4300;

/// A string literal: what its prefix says, and its content.
struct Literal {
    raw: bool,
    formatted: bool,
    /// The content, in bytes of the whole text.
    content: Range<usize>,
}

impl<'t> Reader<'t> {
    pub(super) fn number(&self, pair: &Pair<'t, Rule>) -> Result<Value, Mistake> {
        let bytes = self.bytes_of(pair);
        let text = pair.as_str();
        if text.ends_with(['j', 'J']) && !text.starts_with("0x") {
            return Err(Mistake::refused("there are no complex numbers", "write the real part", bytes));
        }
        let plain: String = text.chars().filter(|&c| c != '_').collect();
        let radix = match plain.get(..2).map(str::to_ascii_lowercase).as_deref() {
            Some("0x") => 16,
            Some("0o") => 8,
            Some("0b") => 2,
            _ => 10,
        };
        if radix != 10 {
            return integer(&plain[2..], radix, bytes);
        }
        if plain.contains(['.', 'e', 'E']) {
            return plain.parse().map(Value::Float).map_err(|_| Mistake::syntax("this is no number", bytes));
        }
        if plain.len() > 1 && plain.starts_with('0') && plain.contains(|c| c != '0') {
            return Err(
                Mistake::syntax("a decimal integer begins with a zero", bytes).help("write `0o…` for an octal number")
            );
        }
        if plain.len() > MAX_DIGITS {
            return Err(Mistake::limit(format!("an integer of more than {MAX_DIGITS} digits"), bytes));
        }
        integer(&plain, 10, bytes)
    }

    /// One or several string literals, which are joined.
    pub(super) fn strings(&mut self, pair: Pair<'t, Rule>) -> Result<Id, Mistake> {
        let place = self.place_of(&pair);
        let mut text = String::new();
        let mut parts = Vec::new();
        let mut formatted = false;
        for string in pair.into_inner() {
            let literal = self.literal(&string)?;
            formatted |= literal.formatted;
            if literal.formatted {
                self.formatted_string(literal.content, literal.raw, &mut text, &mut parts)?;
            } else if literal.raw {
                text.push_str(&newlines(&self.text[literal.content]));
            } else {
                decode(self.text, literal.content, &mut text)?;
            }
        }
        if !formatted {
            return self.value(Value::from(text), place);
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        self.joined(parts, place)
    }

    fn literal(&self, pair: &Pair<'t, Rule>) -> Result<Literal, Mistake> {
        let bytes = self.bytes_of(pair);
        let text = pair.as_str();
        let quote = text.find(['\'', '"']).unwrap_or(0);
        let prefix = text[..quote].to_ascii_lowercase();
        let marks = if text[quote..].starts_with("'''") || text[quote..].starts_with("\"\"\"") { 3 } else { 1 };
        let content = bytes.start + quote + marks..bytes.end - marks;
        match prefix.as_str() {
            "" | "u" => Ok(Literal { raw: false, formatted: false, content }),
            "r" => Ok(Literal { raw: true, formatted: false, content }),
            "f" => Ok(Literal { raw: false, formatted: true, content }),
            "fr" | "rf" => Ok(Literal { raw: true, formatted: true, content }),
            "b" | "br" | "rb" => Err(Mistake::refused("there are no bytes", "write a string, without the `b`", bytes)),
            _ => Err(Mistake::syntax(format!("`{prefix}` is no prefix of a string"), bytes)),
        }
    }
}

fn integer(digits: &str, radix: u32, bytes: Range<usize>) -> Result<Value, Mistake> {
    if let Ok(small) = i64::from_str_radix(digits, radix) {
        return Ok(Value::Int(small));
    }
    BigInt::parse_bytes(digits.as_bytes(), radix)
        .map(Value::integer)
        .ok_or_else(|| Mistake::syntax("this is no number", bytes))
}

/// Python reads every kind of line break as `\n`.
pub(super) fn newlines(text: &str) -> String {
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() }
}

/// Adds the content of a string without prefix, escapes decoded.
pub(super) fn decode(text: &str, content: Range<usize>, decoded: &mut String) -> Result<(), Mistake> {
    let source = &text[content.clone()];
    if !source.contains(['\\', '\r']) {
        decoded.push_str(source);
        return Ok(());
    }
    let mut rest = source;
    while let Some((before, after)) = rest.split_once('\\') {
        decoded.push_str(&newlines(before));
        let start = content.start + source.len() - after.len() - 1;
        let (length, character) = escape(after, start)?;
        match character {
            Escape::Character(character) => decoded.push(character),
            Escape::Nothing => {}
            Escape::Unknown => decoded.push('\\'),
        }
        rest = &after[length..];
    }
    decoded.push_str(&newlines(rest));
    Ok(())
}

enum Escape {
    Character(char),
    /// A line break that is left out.
    Nothing,
    /// No escape: the backslash stands for itself.
    Unknown,
}

/// What follows a backslash: how many bytes of it belong to the escape, and what it means.
fn escape(after: &str, start: usize) -> Result<(usize, Escape), Mistake> {
    let Some(first) = after.chars().next() else { return Ok((0, Escape::Unknown)) };
    let simple = match first {
        '\\' | '\'' | '"' => Some(first),
        'a' => Some('\u{7}'),
        'b' => Some('\u{8}'),
        'f' => Some('\u{c}'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\u{b}'),
        _ => None,
    };
    if let Some(character) = simple {
        return Ok((1, Escape::Character(character)));
    }
    match first {
        '\r' if after.starts_with("\r\n") => Ok((2, Escape::Nothing)),
        '\n' | '\r' => Ok((1, Escape::Nothing)),
        '0'..='7' => {
            let length = after.bytes().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
            code(&after[..length], 8, start..start + 1 + length).map(|character| (length, Escape::Character(character)))
        }
        'x' => hexadecimal(after, 2, start),
        'u' => hexadecimal(after, 4, start),
        'U' => hexadecimal(after, 8, start),
        'N' => named(after, start),
        _ => Ok((0, Escape::Unknown)),
    }
}

fn hexadecimal(after: &str, count: usize, start: usize) -> Result<(usize, Escape), Mistake> {
    let digits = after.bytes().skip(1).take(count).take_while(u8::is_ascii_hexdigit).count();
    let place = start..start + 2 + digits;
    if digits < count {
        let message = format!("the escape `\\{}` needs {count} hexadecimal digits", &after[..1]);
        return Err(Mistake::syntax(message, place));
    }
    code(&after[1..=count], 16, place).map(|character| (count + 1, Escape::Character(character)))
}

fn code(digits: &str, radix: u32, place: Range<usize>) -> Result<char, Mistake> {
    let value = u32::from_str_radix(digits, radix).unwrap_or(u32::MAX);
    char::from_u32(value).ok_or_else(|| {
        let surrogate = (0xd800..0xe000).contains(&value);
        let what = if surrogate {
            "half of a surrogate pair, which is no character of its own"
        } else {
            "beyond the last character"
        };
        Mistake::syntax(format!("the escape is {what}"), place)
    })
}

fn named(after: &str, start: usize) -> Result<(usize, Escape), Mistake> {
    let Some(length) = after.find('}').filter(|_| after.starts_with("N{")) else {
        return Err(Mistake::syntax("the escape `\\N` needs a name in braces", start..start + 2));
    };
    let name = &after[2..length];
    let place = start..start + length + 2;
    // No name begins with a hyphen, and the table does not expect one there.
    match Some(name).filter(|name| !name.starts_with('-')).and_then(unicode_names2::character) {
        Some(character) => Ok((length + 1, Escape::Character(character))),
        None => Err(Mistake::syntax(format!("there is no character named `{name}`"), place)),
    }
}

//! The reader's mistakes in words. Each function is one mistake; nothing here reads.

use super::{escapes, number};
use crate::diagnostic::{Diagnostic, Severity, did_you_mean};
use crate::source::Span;

const SYNTAX: &str = "json-syntax";
const STRING: &str = "json-string";
const NUMBER: &str = "json-number";
const UNCLOSED: &str = "json-unclosed";
const DEPTH: &str = "json-depth";

/// What was found wrong in a file.
#[derive(Default)]
pub(super) struct Faults {
    /// The messages, in their order.
    pub(super) list: Vec<Diagnostic>,
    /// Too deep a nesting is reported once.
    pub(super) too_deep: bool,
    /// The last closing bracket that did not fit; it is reported once for all levels that it ends.
    pub(super) wrong_bracket: Option<usize>,
}

/// A piece of the file between backticks, shortened, with what cannot be seen spelled out.
pub(super) fn quoted(text: &str) -> String {
    const SHOWN: usize = 24;
    let mut shown: String = text.chars().take(SHOWN).flat_map(visible).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

fn visible(c: char) -> Vec<char> {
    let hidden = c.is_control() || (c.is_whitespace() && c != ' ') || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}');
    if hidden { format!("U+{:04X}", u32::from(c)).chars().collect() } else { vec![c] }
}

fn quoted_byte(byte: u8) -> String {
    format!("`{}`", char::from(byte))
}

/// What a level holds: the word for its parts.
fn part(close: u8) -> &'static str {
    if close == b'}' { "member" } else { "item" }
}

fn curly_quotes(text: &str) -> Option<&'static str> {
    text.contains(['“', '”', '‘', '’', '„']).then_some("write straight quotes: `\"`")
}

/// The file has no value.
pub(super) fn empty(place: Span, comments: bool) -> Diagnostic {
    let found = if comments { "nothing but comments" } else { "an empty file" };
    Diagnostic::error(SYNTAX, format!("expected a value, found {found}"), place, "here")
        .help("the smallest file is `{}`, an object without members")
}

/// There is more text after the file's value.
pub(super) fn trailing(found: &str, place: Span, end: Span) -> Diagnostic {
    let help = match found {
        "`}`" | "`]`" => "remove this bracket, or the one that closed too early",
        "`:`" => "put `{` and `}` around the members of an object",
        _ => "a file holds one value; a bracket may be missing before it, or may have closed too early",
    };
    Diagnostic::error(SYNTAX, format!("expected the end of the file, found {found}"), place, "this is too much")
        .label(end, "the file's value ends here")
        .help(help)
}

/// A comma without anything before it.
pub(super) fn extra_comma(close: u8, place: Span) -> Diagnostic {
    let expected = if close == b'}' { "a key" } else { "a value" };
    Diagnostic::error(
        SYNTAX,
        format!("expected {expected} or {}, found `,`", quoted_byte(close)),
        place,
        "one comma too many",
    )
    .help("remove this comma")
}

/// Two parts of a level without a comma between them.
pub(super) fn missing_comma(close: u8, found: &str, place: Span) -> Diagnostic {
    let message = format!("expected `,` or {} after the {}, found {found}", quoted_byte(close), part(close));
    Diagnostic::error(SYNTAX, message, place, "a comma is missing here").help("put a `,` here")
}

/// A character that cannot come after a part of a level.
pub(super) fn after_item(close: u8, byte: u8, found: &str, place: Span) -> Diagnostic {
    let message = format!("expected `,` or {} after the {}, found {found}", quoted_byte(close), part(close));
    let help = match byte {
        b'#' => "comments begin with `//`",
        b';' => "write `,` instead",
        b':' if close == b']' => "an array has no keys: write `{` and `}` around members",
        b'=' | b'(' | b')' | b'/' | b'*' | b'%' | b'+' => "a text or an expression needs quotes around it",
        _ => "remove it",
    };
    Diagnostic::error(SYNTAX, message, place, "not expected").help(help)
}

/// Text right behind a closing quote.
pub(super) fn quote_trouble(close: Option<u8>, found: &str, place: Span) -> Diagnostic {
    let expected = match close {
        Some(close) => format!("`,` or {} after the string", quoted_byte(close)),
        None => "`:` after the key".into(),
    };
    Diagnostic::error(SYNTAX, format!("expected {expected}, found {found}"), place, "right behind the closing quote")
        .help("a quote is missing, or a quote inside the string is not written `\\\"`")
}

/// A closing bracket of the other kind.
pub(super) fn wrong_bracket(close: u8, found: u8, place: Span, opening: Span) -> Diagnostic {
    let (close, found) = (quoted_byte(close), quoted_byte(found));
    Diagnostic::error(SYNTAX, format!("expected {close}, found {found}"), place, "does not fit")
        .label(opening, format!("{close} closes this"))
        .help(format!("put {close} before it, or remove it"))
}

/// The file ends inside of brackets. `doubtful` is a pair of brackets whose lines are not indented alike.
pub(super) fn unclosed(
    close: u8,
    place: Span,
    opening: Span,
    open: usize,
    doubtful: Option<(Span, Span)>,
) -> Diagnostic {
    let close = quoted_byte(close);
    let unclosed = Diagnostic::error(
        UNCLOSED,
        format!("expected {close}, found the end of the file"),
        place,
        "the file ends here",
    )
    .label(opening, "opened here");
    match doubtful {
        Some((opening, closing)) => unclosed
            .label(opening, "this may be the one without an end")
            .label(closing, "because what closes it now is indented less")
            .help("put the missing bracket where this was meant to end"),
        None if open == 1 => unclosed.help(format!("put {close} at the end, or where this was meant to end")),
        None => unclosed.help(format!("{open} brackets are open at the end of the file; this is the innermost one")),
    }
}

/// A comment that never ends.
pub(super) fn unclosed_comment(opening: Span) -> Diagnostic {
    Diagnostic::error(UNCLOSED, "expected `*/`, found the end of the file", opening, "the comment begins here")
        .help("put `*/` where the comment ends")
}

/// Brackets within brackets within brackets.
pub(super) fn too_deep(place: Span, limit: usize) -> Diagnostic {
    let message = format!("expected at most {limit} arrays and objects in each other, found one more");
    Diagnostic::error(DEPTH, message, place, "too deep").help("what is in this bracket is not read")
}

/// No value where one belongs.
pub(super) fn missing_value(found: &str, place: Span) -> Diagnostic {
    let help = curly_quotes(found).unwrap_or(match found {
        "`#`" => "comments begin with `//`",
        _ => "a value is a string, a number, `true`, `false`, `null`, an array or an object",
    });
    Diagnostic::error(SYNTAX, format!("expected a value, found {found}"), place, "not a value").help(help)
}

/// A key without a value.
pub(super) fn missing_value_of(key: &str, found: &str, place: Span, key_span: Span) -> Diagnostic {
    let key = quoted(key);
    Diagnostic::error(SYNTAX, format!("expected a value for {key}, found {found}"), place, "no value")
        .label(key_span, "of this key")
        .help("write the value, or remove the key")
}

/// A key that no colon follows.
pub(super) fn missing_colon(key: &str, found: &str, place: Span, key_span: Span) -> Diagnostic {
    let key = quoted(key);
    let help = match found {
        "`=`" | "`：`" => "write `:` between a key and its value",
        _ => "a member is a key, `:` and a value",
    };
    Diagnostic::error(SYNTAX, format!("expected `:` after the key {key}, found {found}"), place, "no `:`")
        .label(key_span, "the key")
        .help(help)
}

/// A word that is no key, but stands before a colon.
pub(super) fn bad_key(word: &str, place: Span) -> Diagnostic {
    let help = match curly_quotes(word) {
        Some(help) => help.into(),
        None => format!("write it in quotes: `\"{word}\"`"),
    };
    Diagnostic::error(SYNTAX, format!("expected a key, found {}", quoted(word)), place, "not a key without quotes")
        .help(help)
}

/// Something that is no key.
pub(super) fn no_key(found: &str, place: Span) -> Diagnostic {
    let help = curly_quotes(found).unwrap_or(match found {
        "`#`" => "comments begin with `//`",
        _ => "a member is a key, `:` and a value",
    });
    Diagnostic::error(SYNTAX, format!("expected a key or `}}`, found {found}"), place, "not a key").help(help)
}

/// A word that is no value.
pub(super) fn stray_word(word: &str, place: Span) -> Diagnostic {
    if matches!(word, "NaN" | "Infinity") {
        return number(number::Fault::NotFinite, word, place);
    }
    let meant = match word {
        "None" | "nil" | "undefined" | "none" => Some("did you mean `null`?".to_owned()),
        _ => did_you_mean(word, ["true", "false", "null"]),
    };
    let help = curly_quotes(word).map(str::to_owned).or(meant);
    let help = help.unwrap_or_else(|| "a text needs quotes around it".into());
    Diagnostic::error(SYNTAX, format!("expected a value, found {}", quoted(word)), place, "not a value").help(help)
}

/// A number that is none.
pub(super) fn number(fault: number::Fault, lexeme: &str, place: Span) -> Diagnostic {
    use number::Fault;
    let (expected, help) = match fault {
        Fault::NotFinite => ("a finite number", "JSON has no such number: leave it out, or write `null`"),
        Fault::Range => ("a number of at most about 1.8e308", "no number that large can be kept; write it as a string"),
        Fault::Digits => ("an integer of at most 4300 digits", "write it as a string"),
        Fault::LeadingZero => ("a number", "remove the leading zeros, or write it as a string"),
        Fault::Underscore => ("a number", "remove the underscores"),
        Fault::MissingDigits => ("a number", "digits are missing"),
        Fault::Malformed => ("a number", "correct it, or put quotes around it if it is a text"),
    };
    Diagnostic::error(NUMBER, format!("expected {expected}, found {}", quoted(lexeme)), place, "not such a number")
        .help(help)
}

/// A string that does not end on its line.
pub(super) fn unclosed_string(quote: char, place: Span, at_end: bool) -> Diagnostic {
    let found = if at_end { "the end of the file" } else { "the end of the line" };
    Diagnostic::error(
        STRING,
        format!("expected a closing `{quote}`, found {found}"),
        place,
        "this string is not closed",
    )
    .help(format!("put `{quote}` where the string ends; a line break in a string is written `\\n`"))
}

/// An escape that is none.
pub(super) fn escape(fault: escapes::Fault, text: &str, place: Span) -> Diagnostic {
    use escapes::Fault;
    let (expected, help) = match fault {
        Fault::Digit => ("an escape".into(), "write a backslash as `\\\\`, and a character by its number as `\\u0041`"),
        Fault::Digits(count) => (format!("{count} hexadecimal digits in an escape"), "write a backslash as `\\\\`"),
        Fault::LoneSurrogate => ("both halves of a surrogate pair".into(), "write the character itself"),
        Fault::End => ("an escape".into(), "write a backslash as `\\\\`"),
    };
    Diagnostic::error(STRING, format!("expected {expected}, found {}", quoted(text)), place, "not an escape").help(help)
}

/// There are more errors than are shown; said at the place of the first that is not.
pub(super) fn more(next: &Diagnostic, shown: usize) -> Diagnostic {
    let mut more =
        Diagnostic::new("json-more", Severity::Note, format!("only the first {shown} errors of this file are shown"));
    more.labels.extend(next.labels.first().cloned());
    more.help("correct these first")
}

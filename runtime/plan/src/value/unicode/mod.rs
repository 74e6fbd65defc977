//! What text methods ask of characters, as Python answers it.

mod tables;

use std::cmp::Ordering;

fn within(table: &[(u32, u32)], character: char) -> bool {
    let code = u32::from(character);
    table
        .binary_search_by(|&(first, last)| match (first > code, last < code) {
            (true, _) => Ordering::Greater,
            (_, true) => Ordering::Less,
            (false, false) => Ordering::Equal,
        })
        .is_ok()
}

fn mapped(table: &'static [(u32, &'static str)], character: char) -> Option<&'static str> {
    table.binary_search_by_key(&u32::from(character), |entry| entry.0).ok().map(|position| table[position].1)
}

pub(crate) fn is_alphabetic(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_alphabetic() } else { within(tables::ALPHABETIC, character) }
}

pub(crate) fn is_numeric(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_digit() } else { within(tables::NUMERIC, character) }
}

pub(crate) fn is_digit(character: char) -> bool {
    if character.is_ascii() { character.is_ascii_digit() } else { within(tables::DIGITS, character) }
}

pub(crate) fn is_decimal(character: char) -> bool {
    decimal(character).is_some()
}

/// The value of a decimal digit.
pub(crate) fn decimal(character: char) -> Option<u32> {
    if character.is_ascii() {
        return character.to_digit(10);
    }
    let code = u32::from(character);
    let position = tables::DECIMAL.partition_point(|&zero| zero <= code).checked_sub(1)?;
    Some(code - tables::DECIMAL[position]).filter(|&value| value < 10)
}

/// Whether `repr` shows it as it is.
pub(crate) fn is_printable(character: char) -> bool {
    if character.is_ascii() { matches!(character, ' '..='~') } else { within(tables::PRINTABLE, character) }
}

pub(crate) fn is_title(character: char) -> bool {
    !character.is_ascii() && within(tables::TITLE, character)
}

pub(crate) fn is_cased(character: char) -> bool {
    character.is_lowercase() || character.is_uppercase() || is_title(character)
}

/// Python's white space, which is more than Unicode's.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

/// What ends a line for `splitlines`.
pub(crate) fn is_line_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

pub(crate) fn push_title(character: char, text: &mut String) {
    match mapped(tables::TITLE_CASE, character) {
        Some(title) => text.push_str(title),
        None => text.extend(character.to_uppercase()),
    }
}

pub(crate) fn push_folded(character: char, text: &mut String) {
    match mapped(tables::FOLDED, character) {
        Some(folded) => text.push_str(folded),
        None => text.extend(character.to_lowercase()),
    }
}

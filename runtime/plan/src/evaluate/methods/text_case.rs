//! The methods of text that need no arguments: case, and questions about characters.

use super::text::{every, is_alphanumeric, is_identifier};
use crate::evaluate::{Failure, Meter};
use crate::value::{Value, unicode};

/// None if there is no such method.
pub(super) fn call(this: &str, name: &str, meter: &mut Meter) -> Option<Result<Value, Failure>> {
    if let Err(failure) = meter.allocate(this.len() * 3) {
        return Some(Err(failure));
    }
    Some(Ok(match name {
        "upper" => Value::from(this.to_uppercase()),
        "lower" => Value::from(this.to_lowercase()),
        "capitalize" => Value::from(capitalize(this)),
        "title" => Value::from(title(this)),
        "swapcase" => Value::from(swap_case(this)),
        "casefold" => Value::from(fold_case(this)),
        "isalnum" => every(this, is_alphanumeric),
        "isalpha" => every(this, unicode::is_alphabetic),
        "isascii" => Value::Bool(this.is_ascii()),
        "isdecimal" => every(this, unicode::is_decimal),
        "isdigit" => every(this, unicode::is_digit),
        "isidentifier" => Value::Bool(is_identifier(this)),
        "islower" => Value::Bool(is_lower(this)),
        "isnumeric" => every(this, unicode::is_numeric),
        "isprintable" => Value::Bool(this.chars().all(unicode::is_printable)),
        "isspace" => every(this, unicode::is_space),
        "istitle" => Value::Bool(is_title(this)),
        "isupper" => Value::Bool(is_upper(this)),
        _ => return None,
    }))
}

/// Adds the lower case of the character at an offset: a sigma at the end of a word has its own.
fn push_lower(this: &str, offset: usize, character: char, text: &mut String) {
    if character == 'Σ' {
        let before = this[..offset].to_lowercase().len();
        text.extend(this.to_lowercase().get(before..).and_then(|rest| rest.chars().next()));
    } else {
        text.extend(character.to_lowercase());
    }
}

fn capitalize(this: &str) -> String {
    let mut text = String::with_capacity(this.len());
    for (offset, character) in this.char_indices() {
        if offset == 0 {
            unicode::push_title(character, &mut text);
        } else {
            push_lower(this, offset, character, &mut text);
        }
    }
    text
}

fn title(this: &str) -> String {
    let mut text = String::with_capacity(this.len());
    let mut inside = false;
    for (offset, character) in this.char_indices() {
        if inside {
            push_lower(this, offset, character, &mut text);
        } else {
            unicode::push_title(character, &mut text);
        }
        inside = unicode::is_cased(character);
    }
    text
}

fn swap_case(this: &str) -> String {
    let mut text = String::with_capacity(this.len());
    for (offset, character) in this.char_indices() {
        if character.is_uppercase() {
            push_lower(this, offset, character, &mut text);
        } else if character.is_lowercase() {
            text.extend(character.to_uppercase());
        } else {
            text.push(character);
        }
    }
    text
}

fn fold_case(this: &str) -> String {
    let mut text = String::with_capacity(this.len());
    for character in this.chars() {
        unicode::push_folded(character, &mut text);
    }
    text
}

fn is_lower(this: &str) -> bool {
    let wrong = |c: char| c.is_uppercase() || unicode::is_title(c);
    !this.chars().any(wrong) && this.chars().any(char::is_lowercase)
}

fn is_upper(this: &str) -> bool {
    let wrong = |c: char| c.is_lowercase() || unicode::is_title(c);
    !this.chars().any(wrong) && this.chars().any(char::is_uppercase)
}

fn is_title(this: &str) -> bool {
    let mut inside = false;
    let mut cased = false;
    for character in this.chars() {
        if character.is_uppercase() || unicode::is_title(character) {
            if inside {
                return false;
            }
            (inside, cased) = (true, true);
        } else if character.is_lowercase() {
            if !inside {
                return false;
            }
            cased = true;
        } else {
            inside = false;
        }
    }
    cased
}

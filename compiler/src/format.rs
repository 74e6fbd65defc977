//! The text of a list to the same list in its canonical form: the order of keys, two spaces for each level, one item a line.
//!
//! Literals, keys and comments stay as they are written; only white space, commas and the order of members change (reference: U8). An
//! object or array that stands on one line stays there if it fits. Formatting twice is the same as once.

mod order;
mod read;
mod write;

/// Formats a list. `None` if it is not valid JSON5, which the reader explains.
pub fn format(text: &str) -> Option<String> {
    let mut file = read::read(text)?;
    order::order(&mut file);
    Some(write::write(&file))
}

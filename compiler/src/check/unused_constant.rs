//! `unused-constant`: no expression of any list of a directory reads a constant (reference: R2).
//!
//! A name counts as read wherever `constants.NAME` stands in a text of the files, in definitions that nothing uses too. Where `constants`
//! stands without a name after it, as in `constants["a"]`, every constant counts as read.

use hashbrown::HashSet;

use crate::Compilation;
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Member};
use crate::source::Span;

use super::unused::User;

const ROOT: &str = "constants";

/// The constants that a list reads; `None` if that cannot be told.
pub(super) fn read_by(list: &Compilation) -> Option<HashSet<String>> {
    let layers = list.lineage.iter().flat_map(|lineage| &lineage.order).flat_map(|ancestor| &ancestor.layers);
    let mut open: Vec<Entry<'_>> = layers.map(|layer| list.arena.entry(layer.root)).collect();
    let mut names = HashSet::new();
    while let Some(value) = open.pop() {
        if let Some(text) = value.as_str() {
            read_in(text, &mut names)?;
        }
        open.extend(value.items());
        for member in value.members() {
            read_in(list.arena.text(member.key), &mut names)?;
            open.push(list.arena.entry(member.value));
        }
    }
    Some(names)
}

/// Adds the names that are read in a text; `None` if it reads others too.
fn read_in(text: &str, names: &mut HashSet<String>) -> Option<()> {
    if text == ROOT {
        return Some(());
    }
    for (at, _) in text.match_indices(ROOT) {
        let rest = text[at + ROOT.len()..].trim_start().strip_prefix('.')?.trim_start();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        names.insert(rest[..end].to_owned());
    }
    Some(())
}

pub(super) fn is_used(user: &User<'_>, member: &Member) -> bool {
    let name = user.compilation.arena.text(member.key);
    user.constants.as_ref().is_none_or(|names| names.contains(name))
}

pub(super) fn nothing_reads(name: &str, span: Span) -> Diagnostic {
    let message = format!("no list of the directory reads the constant `{name}`");
    Diagnostic::warning("unused-constant", message, span, "not read")
        .help(format!("remove it, or read it as `constants.{name}` in an expression"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_texts() {
        let read = |text: &str| {
            let mut names = HashSet::new();
            read_in(text, &mut names).map(|()| {
                let mut names: Vec<String> = names.into_iter().collect();
                names.sort();
                names.join(" ")
            })
        };
        for (text, expected) in [
            ("constants", Some("")),
            ("eval! constants.a + constants . b.c", Some("a b")),
            ("not constants.has_x", Some("has_x")),
            ("eval! constants['a']", None),
            ("eval! [x for x in constants]", None),
        ] {
            assert_eq!(read(text).as_deref(), expected, "{text}");
        }
    }
}

//! All lists of a directory to what none of them uses: definitions and constants.
//!
//! One list alone cannot tell, so this is no stage of its compilation: [`unused`] takes all that were checked together. Only what lies in a
//! project, a directory with a `tlc.json5`, is looked at, and only where a list with tests inherits it: other files, such as
//! the standard lists, are made for lists that are elsewhere. As long as a list is refused, nothing is said.

use std::collections::BTreeMap;

use hashbrown::HashSet;
use std::path::{Path, PathBuf};

use crate::Compilation;
use crate::diagnostic::Diagnostic;
use crate::document::{Arena, Entry, Member};
use crate::source::Span;
use crate::words;

use super::{unused_constant, unused_definition};

/// A list that was compiled, with what it uses.
pub(super) struct User<'a> {
    pub(super) compilation: &'a Compilation,
    /// The constants that it reads; `None` if that cannot be told.
    pub(super) constants: Option<HashSet<String>>,
}

/// The members of a section in a file, and whether some list uses them, by where they stand in it.
type Found = BTreeMap<(PathBuf, u32), Use>;

/// A member of a section, and whether some list uses it.
struct Use {
    /// The first list that has the file, by its position.
    list: usize,
    name: String,
    span: Span,
    used: bool,
}

/// What no list uses: findings, each with the position of the list whose sources it is about.
pub fn unused(lists: &[&Compilation], projects: &[PathBuf]) -> Vec<(usize, Diagnostic)> {
    if projects.is_empty() || lists.iter().any(|list| list.is_refused()) {
        return Vec::new();
    }
    let users: Vec<(usize, User<'_>)> = lists
        .iter()
        .enumerate()
        .filter(|(_, list)| list.tree.is_some())
        .map(|(at, list)| (at, User::new(list)))
        .collect();
    let definitions = found(&users, projects, "definitions", unused_definition::is_used);
    let constants = found(&users, projects, "constants", unused_constant::is_used);
    let report = |found: Found, finding: fn(&str, Span) -> Diagnostic| -> Vec<(usize, Diagnostic)> {
        let unused = found.into_values().filter(|found| !found.used);
        unused.map(|found| (found.list, finding(&found.name, found.span))).collect()
    };
    let mut findings = report(definitions, unused_definition::nothing_uses);
    findings.extend(report(constants, unused_constant::nothing_reads));
    findings
}

fn found(
    users: &[(usize, User<'_>)],
    projects: &[PathBuf],
    section: &str,
    is_used: fn(&User<'_>, &Member) -> bool,
) -> Found {
    let mut found = Found::new();
    for (list, user) in users {
        let Compilation { lineage, sources, arena, .. } = user.compilation;
        for layer in lineage.iter().flat_map(|lineage| &lineage.order).flat_map(|ancestor| &ancestor.layers) {
            let path = sources.path(layer.file);
            if !projects.iter().any(|project| lies_in(path, project)) {
                continue;
            }
            for member in arena.entry(layer.root).get(section).map(Entry::members).unwrap_or_default() {
                let place = (path.to_owned(), member.key_span.start - sources.base(layer.file));
                let (name, span) = (arena.text(member.key).to_string(), member.key_span);
                let known = found.entry(place).or_insert(Use { list: *list, name, span, used: false });
                known.used |= is_kept(arena, member) || is_used(user, member);
            }
        }
    }
    found
}

/// Whether a file is in a directory or below it.
fn lies_in(path: &Path, directory: &Path) -> bool {
    directory == Path::new(".") && path.is_relative() && !path.starts_with("..") || path.starts_with(directory)
}

/// A comment, or a value that only removes what lies below.
fn is_kept(arena: &Arena, member: &Member) -> bool {
    arena.text(member.key).starts_with("__comment") || arena.entry(member.value).get(words::DELETE).is_some()
}

impl<'a> User<'a> {
    fn new(compilation: &'a Compilation) -> Self {
        Self { compilation, constants: unused_constant::read_by(compilation) }
    }
}

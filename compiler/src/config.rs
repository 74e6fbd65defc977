//! Lineage to [`Config`]: the one object that all files of a list make together, before tests are built.

use std::path::PathBuf;

use crate::diagnostic::{Diagnostic, Severity};
use crate::document::{Arena, Member, Name, NodeId, read};
use crate::lineage::{Lineage, file_in};
use crate::merge::{NoTrace, Trace, merge};
use crate::source::{ReadError, SourceMap};
use crate::words;

/// The file whose members replace constants, without `.json`.
pub(crate) const CONSTANTS_NAME: &str = "test_list_constants";

/// A list after inheritance.
#[derive(Debug)]
pub struct Config {
    /// The merged object, without `inherit`.
    pub root: NodeId,
}

/// Merges the files of a lineage, the weakest first.
pub fn resolve(lineage: &Lineage, arena: &mut Arena, trace: &mut impl Trace) -> (Config, Vec<Diagnostic>) {
    let files = lineage.order.iter().rev().flat_map(|ancestor| &ancestor.layers);
    let roots: Vec<NodeId> = files.map(|layer| layer.root).collect();
    let (merged, diagnostics) = merge(arena, &roots, trace);
    let rest: Vec<Member> =
        members(arena, merged).into_iter().filter(|member| arena.text(member.key) != "inherit").collect();
    let root = arena.add_object(&rest, arena.node(merged).span);
    (Config { root }, diagnostics)
}

impl Config {
    /// A value of the top level.
    pub fn get(&self, arena: &Arena, key: impl Name) -> Option<NodeId> {
        arena.entry(self.root).get(key).map(|entry| entry.id)
    }

    /// Constants of the files `test_list_constants.json` replace those of the list, each as a whole. The files of several layers are
    /// merged first. One that is not valid counts for nothing, and says so.
    #[must_use]
    pub fn with_constants_files(
        self,
        directories: &[PathBuf],
        sources: &mut SourceMap,
        arena: &mut Arena,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let files: Vec<NodeId> = directories
            .iter()
            .filter_map(|directory| constants_file(&file_in(directory, CONSTANTS_NAME), sources, arena, diagnostics))
            .collect();
        let Some(constants) = self.get(arena, words::CONSTANTS).filter(|_| !files.is_empty()) else { return self };
        let (added, _) = merge(arena, &files, &mut NoTrace);
        let constants = replace_members(arena, constants, &members(arena, added));
        let key = arena.intern("constants");
        let Some(member) = arena.entry(self.root).member(words::CONSTANTS).copied() else { return self };
        let root = replace_members(arena, self.root, &[Member { key, value: constants, ..member }]);
        Self { root }
    }
}

fn members(arena: &Arena, object: NodeId) -> Vec<Member> {
    arena.entry(object).members().to_vec()
}

/// The object with these members set, each as a whole.
fn replace_members(arena: &mut Arena, object: NodeId, new: &[Member]) -> NodeId {
    let mut all = members(arena, object);
    for member in new {
        match all.iter_mut().find(|old| old.key == member.key) {
            Some(old) => *old = *member,
            None => all.push(*member),
        }
    }
    arena.add_object(&all, arena.node(object).span)
}

fn constants_file(
    path: &std::path::Path,
    sources: &mut SourceMap,
    arena: &mut Arena,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<NodeId> {
    let file = match sources.read(path) {
        Ok(file) => file,
        Err(ReadError::NotFound) => return None,
        Err(error) => {
            diagnostics.push(Diagnostic::new(
                "constants-ignored",
                Severity::Warning,
                format!("`{}` is left out: {error}", path.display()),
            ));
            return None;
        }
    };
    let (document, problems) = read(sources, file, arena);
    if let Some(problem) = problems.into_iter().find(|problem| problem.severity == Severity::Error) {
        diagnostics.push(
            Diagnostic { code: "constants-ignored", severity: Severity::Warning, ..problem }
                .help("the file is left out"),
        );
        return None;
    }
    let root = document.root?;
    let entry = arena.entry(root);
    let wrong = entry.members().find(|member| {
        let key = arena.text(member.key);
        let comment = key.starts_with("__comment_") && arena.entry(member.value).as_str().is_some();
        !comment && !is_constant_name(key)
    });
    let problem = match (entry.is_object(), wrong) {
        (false, _) => Some((entry.span(), "it is not an object")),
        (true, Some(member)) => {
            Some((member.key_span, "a name has letters, digits and underscores, and no underscore first"))
        }
        (true, None) => None,
    };
    let Some((span, reason)) = problem else { return Some(root) };
    diagnostics.push(
        Diagnostic::warning(
            "constants-ignored",
            format!("`{}` is left out: {reason}", path.display()),
            span,
            "because of this",
        )
        .help("the list keeps its own constants"),
    );
    None
}

fn is_constant_name(key: &str) -> bool {
    key.starts_with(|first: char| first.is_ascii_alphanumeric())
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

//! Definitions that no test reaches: what would be refused if a test used them is found before somebody does.
//!
//! Each is built by itself and thrown away. Groups of other definitions in it are not entered, as these are looked at by themselves, so
//! the work is that of reading the definitions once. What its user may still give does not count: locals, an id, the tests of a group.

use crate::diagnostic::{Diagnostic, Severity};
use crate::document::Member;
use crate::words;

use super::build::{Builder, empty_tree};
use super::structure;

/// Refusals that a test which uses the definition may avoid.
const UP_TO_THE_USER: [&str; 2] = ["bad-id", "parallel-without-tests"];

impl Builder<'_, '_> {
    /// Looks at every definition that has not been used.
    pub(super) fn unreached(&mut self, is_library: bool) {
        let Some(definitions) = self.input.config.get(self.arena, words::DEFINITIONS) else { return };
        for position in 0..self.arena.entry(definitions).members().len() {
            let Some(member) = self.arena.entry(definitions).members().get(position).copied() else { break };
            if !self.definitions.is_reached(member.key) {
                let found = self.alone(&member);
                let name = self.arena.text(member.key);
                let told = found.into_iter().filter(|finding| !is_library || finding.code != "unknown-definition");
                self.diagnostics.extend(told.filter_map(|finding| would_be_refused(finding, name, &member)));
            }
        }
    }

    /// Builds a test from a definition in a tree of its own.
    fn alone(&mut self, member: &Member) -> Vec<Diagnostic> {
        let name = self.arena.shared(member.key);
        let raw = self.arena.add_string(&name, member.key_span);
        let tree = std::mem::replace(&mut self.tree, empty_tree(tlc_plan::plan::Text::default()));
        let labels = std::mem::take(&mut self.labels);
        let diagnostics = std::mem::take(self.diagnostics);
        self.is_alone = true;
        self.root(&[raw], member.key_span);
        structure::check(&self.tree, self.arena, self.diagnostics);
        self.is_alone = false;
        self.tree = tree;
        self.labels = labels;
        std::mem::replace(self.diagnostics, diagnostics)
    }
}

fn would_be_refused(finding: Diagnostic, name: &str, member: &Member) -> Option<Diagnostic> {
    match finding.severity {
        Severity::Denied => return Some(finding),
        Severity::Note | Severity::Warning => return None,
        Severity::Error if UP_TO_THE_USER.contains(&finding.code) => return None,
        Severity::Error => {}
    }
    let mut finding = Diagnostic {
        code: "broken-definition",
        severity: Severity::Denied,
        message: format!("a test that uses `{name}` would be refused: {}", finding.message),
        ..finding
    };
    if finding.labels.iter().all(|label| label.span != member.key_span) {
        finding = finding.label(member.key_span, "no test uses it yet");
    }
    Some(finding)
}

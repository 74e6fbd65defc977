//! Labels and ids of nodes, and the numbers of siblings with the same id.

use hashbrown::HashMap;
use std::sync::Arc;

use tlc_plan::plan::{Class, Text};

use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Symbol};
use crate::source::Span;
use crate::words;

use super::TestId;
use super::build::{Builder, Effective, LabelKey};
use super::label::{I18N, id_of_label, is_id, label_of_pytest, normalize};

impl Builder<'_, '_> {
    pub(super) fn name(&mut self, id: TestId, effective: &Effective) {
        let object = self.arena.entry(effective.resolved.object);
        let explicit = object.get(words::ID).and_then(Entry::as_str).filter(|id| !id.is_empty()).map(str::to_owned);
        let Some(label) = self.label(id, effective, explicit.as_deref()) else {
            self.tree.incomplete.extend(self.tree.test(id).parent);
            return;
        };
        let english = label.get("en-US").map_or("", String::as_str);
        let name = explicit.unwrap_or_else(|| id_of_label(english));
        if !is_id(&name) {
            let object = self.arena.entry(effective.resolved.object);
            let place = object.get(words::ID).or(object.get(words::LABEL)).map_or(effective.span, Entry::span);
            self.diagnostics.push(bad_id(&name, place));
        }
        let key: LabelKey = label.iter().map(|(locale, text)| (locale.clone(), text.clone())).collect();
        let labels = &mut self.tree.labels;
        let index = *self.labels.entry(key).or_insert_with(|| {
            labels.push(Arc::new(label));
            labels.len() as u32 - 1
        });
        let symbol = self.arena.intern(&name);
        let test = &mut self.tree.tests[id.0 as usize];
        (test.id, test.label) = (symbol, index);
    }

    /// The explicit label; else that of the Python test, of the program, or the id.
    pub(super) fn label(&mut self, id: TestId, effective: &Effective, explicit_id: Option<&str>) -> Option<Text> {
        let catalogues = self.evaluation.catalogues();
        let object = self.arena.entry(effective.resolved.object);
        if let Some(written) = object.get(words::LABEL) {
            if let Some(text) = written.as_str() {
                return Some(catalogues.text(text.strip_prefix(I18N).unwrap_or(text)));
            }
            let normalized = normalize(catalogues, |locale| written.get(locale).and_then(Entry::as_str));
            if normalized.is_none() && written.is_object() {
                self.diagnostics.push(label_without_english(written.span()));
            }
            return normalized;
        }
        let test = self.tree.test(id);
        let default = match (test.class, test.pytest_name) {
            (Class::HaltStep, _) => Some("Halt".to_owned()),
            (Class::RebootStep, _) => Some("Reboot".to_owned()),
            (Class::FullRebootStep, _) => Some("Full Reboot".to_owned()),
            (Class::FactoryTest | Class::TestGroup, Some(name)) => Some(label_of_pytest(self.arena.text(name))),
            (Class::ShutdownStep, _) | (Class::FactoryTest | Class::TestGroup, None) => explicit_id.map(str::to_owned),
        };
        let default = default.or_else(|| program(object).map(|name| label_of_pytest(&name)));
        Some(catalogues.text(default.as_deref().unwrap_or("Test Group")))
    }

    /// Siblings with the same id are numbered from the second on.
    pub(super) fn number(&mut self, group: TestId) {
        let children = self.tree.test(group).children.clone();
        let mut seen: HashMap<Symbol, u32> = HashMap::with_capacity(children.len());
        for child in children {
            let id = self.tree.test(child).id;
            let count = seen.entry(id).and_modify(|count| *count += 1).or_insert(1);
            if *count > 1 {
                let numbered = format!("{}_{count}", self.arena.text(id));
                self.tree.tests[child.0 as usize].id = self.arena.intern(&numbered);
            }
        }
    }
}

/// The name of the program of an `exec`, without its folder and its extension.
fn program(object: Entry<'_>) -> Option<String> {
    let first = object.get(words::EXEC)?.items().next()?.as_str()?;
    let stem = std::path::Path::new(first).file_stem()?.to_string_lossy().replace('-', "_");
    Some(stem)
}

fn bad_id(id: &str, span: Span) -> Diagnostic {
    let Some(wrong) = id.chars().find(|c| !c.is_ascii_alphanumeric()) else {
        let message = "the test has no id: its label has no letters or digits";
        return Diagnostic::error("bad-id", message, span, "nothing to make an id of").help("add an `id`");
    };
    let better = id_of_label(id);
    let example = if is_id(&better) { format!(", for example `{better}`") } else { String::new() };
    let help = format!("add an `id` of ASCII letters and digits only{example}");
    Diagnostic::error("bad-id", format!("`{id}` cannot be an id"), span, format!("`{wrong}` is not allowed")).help(help)
}

fn label_without_english(span: Span) -> Diagnostic {
    Diagnostic::error("label-without-english", "a label needs the text for `en-US`", span, "no `en-US`")
        .help("add `\"en-US\": \"...\"`; other locales are filled from it")
}

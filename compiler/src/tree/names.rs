//! Labels and ids of nodes, and the numbers of siblings with the same id.

use hashbrown::HashMap;
use std::sync::Arc;

use tlc_plan::plan::{Class, Text};

use crate::catalogue::ENGLISH;
use crate::diagnostic::Diagnostic;
use crate::document::{Entry, Symbol, Value};
use crate::source::Span;
use crate::words;

use super::build::{Builder, Effective};
use super::label::{I18N, id_of_label, is_id, label_of_pytest, normalize};
use super::{Label, TestId};

/// The labels that nodes have, as indices into those of the tree.
#[derive(Default)]
pub(super) struct Labels {
    /// Labels in English only.
    english: HashMap<Symbol, u32>,
    /// Labels in several locales.
    texts: HashMap<Translations, u32>,
    /// What a label was made of, where it is not the label itself.
    sources: HashMap<LabelSource, u32>,
    /// The ids that labels give to nodes without an id of their own.
    ids: HashMap<u32, Symbol>,
}

/// Locales and their texts, as a key.
type Translations = Vec<(Arc<str>, Arc<str>)>;

/// What a label comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum LabelSource {
    Written(Symbol),
    Pytest(Symbol),
    Id(Symbol),
}

impl Builder<'_, '_> {
    /// The id before numbering, and the label; `None` if a label is written that makes no sense.
    pub(super) fn name(
        &mut self,
        effective: &Effective,
        class: Class,
        pytest_name: Option<Symbol>,
    ) -> Option<(Symbol, u32)> {
        let object = self.arena.entry(effective.resolved.object);
        let explicit = match object.get(words::ID).map(Entry::value) {
            Some(Value::String(id)) if id != words::NOTHING => Some(id),
            _ => None,
        };
        let source = match (object.get(words::LABEL).map(Entry::value), class, pytest_name) {
            (Some(Value::String(label)), ..) => Some(LabelSource::Written(label)),
            (None, Class::FactoryTest | Class::TestGroup, Some(name)) => Some(LabelSource::Pytest(name)),
            (None, Class::FactoryTest | Class::TestGroup, None) => explicit.map(LabelSource::Id),
            _ => None,
        };
        let label = match source {
            Some(LabelSource::Written(text) | LabelSource::Id(text)) if self.is_the_label(text) => self.english(text),
            source => match source.and_then(|source| self.labels.sources.get(&source)) {
                Some(label) => *label,
                None => {
                    let text = self.label(effective, class, pytest_name, explicit)?;
                    let label = self.label_index(text);
                    self.labels.sources.extend(source.map(|source| (source, label)));
                    label
                }
            },
        };
        let id = explicit.unwrap_or_else(|| self.id_of(label));
        if !is_id(self.arena.text(id)) {
            let object = self.arena.entry(effective.resolved.object);
            let place = object.get(words::ID).or(object.get(words::LABEL)).map_or(effective.span, Entry::span);
            let finding = bad_id(self.arena.text(id), place);
            self.diagnostics.push(finding);
        }
        Some((id, label))
    }

    /// Whether a text is the label, because nothing is translated.
    fn is_the_label(&self, text: Symbol) -> bool {
        self.evaluation.catalogues().is_empty() && !self.arena.text(text).starts_with(I18N)
    }

    /// A label in English.
    fn english(&mut self, text: Symbol) -> u32 {
        let labels = &mut self.tree.labels;
        *self.labels.english.entry(text).or_insert_with(|| {
            labels.push(Label::English(text));
            labels.len() as u32 - 1
        })
    }

    fn label_index(&mut self, label: Text) -> u32 {
        if label.len() == 1 {
            let text = self.arena.intern(label.get(ENGLISH).map_or("", |text| text));
            return self.english(text);
        }
        let labels = &mut self.tree.labels;
        *self.labels.texts.entry(label.clone().into_iter().collect()).or_insert_with(|| {
            labels.push(Label::Texts(Arc::new(label)));
            labels.len() as u32 - 1
        })
    }

    /// The id that a label gives.
    fn id_of(&mut self, label: u32) -> Symbol {
        if let Some(known) = self.labels.ids.get(&label) {
            return *known;
        }
        let id = match &self.tree.labels[label as usize] {
            Label::English(text) => id_of_label(self.arena.text(*text)),
            Label::Texts(texts) => id_of_label(texts.get(ENGLISH).map_or("", |text| text)),
        };
        let id = self.arena.intern(&id);
        self.labels.ids.insert(label, id);
        id
    }

    /// The explicit label; else that of the Python test, of the program, or the id.
    fn label(
        &mut self,
        effective: &Effective,
        class: Class,
        pytest_name: Option<Symbol>,
        explicit_id: Option<Symbol>,
    ) -> Option<Text> {
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
        let default = match (class, pytest_name) {
            (Class::HaltStep, _) => Some("Halt".to_owned()),
            (Class::RebootStep, _) => Some("Reboot".to_owned()),
            (Class::FullRebootStep, _) => Some("Full Reboot".to_owned()),
            (Class::FactoryTest | Class::TestGroup, Some(name)) => Some(label_of_pytest(self.arena.text(name))),
            (Class::ShutdownStep, _) | (Class::FactoryTest | Class::TestGroup, None) => {
                explicit_id.map(|id| self.arena.text(id).to_string())
            }
        };
        let default = default.or_else(|| program(object).map(|name| label_of_pytest(&name)));
        Some(catalogues.text(default.as_deref().unwrap_or("Test Group")))
    }

    /// Siblings with the same id are numbered from the second on.
    pub(super) fn number(&mut self, group: TestId) {
        let mut seen = std::mem::take(&mut self.siblings);
        seen.clear();
        let end = self.tree.test(group).end as usize;
        let mut child = group.index() + 1;
        while child < end {
            let test = &mut self.tree.tests[child];
            let count = seen.entry(test.id).and_modify(|count| *count += 1).or_insert(1);
            if *count > 1 {
                let numbered = format!("{}_{count}", self.arena.text(test.id));
                test.id = self.arena.intern(&numbered);
            }
            child = test.end as usize;
        }
        // A table is cleared at the cost of its size, which few groups need.
        if seen.capacity() < 200 {
            self.siblings = seen;
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

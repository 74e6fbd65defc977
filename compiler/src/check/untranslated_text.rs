//! `untranslated-text`: a label or an `i18n!` text has no translation in a locale whose catalogue is given, so that operators read English
//! there (reference: S1, S4). Allowed unless somebody asks for it: lists are written before they are translated.

use hashbrown::HashSet;

use crate::catalogue::{Catalogues, ENGLISH};
use crate::diagnostic::Diagnostic;
use crate::document::{Arena, Entry, Value};
use crate::source::Span;
use crate::tree::TestTree;
use crate::tree::label::I18N;
use crate::words;

use super::Checked;

pub(super) fn check(tree: &TestTree, list: &Checked<'_>, catalogues: &Catalogues, diagnostics: &mut Vec<Diagnostic>) {
    if list.levels.allow("untranslated-text") || catalogues.locales().len() == 1 {
        return;
    }
    let mut texts = Texts { catalogues, diagnostics, seen: HashSet::new() };
    if let Some(label) = list.config.get(list.arena, words::LABEL) {
        texts.label(list.arena.entry(label));
    }
    for locals in tree.locals.iter().filter_map(|locals| locals.own) {
        texts.marked(list.arena.entry(locals));
    }
    for id in tree.preorder().skip(1) {
        let test = tree.test(id);
        if let Some(label) = list.arena.entry(test.object).get(words::LABEL) {
            texts.label(label);
        }
        texts.marked(list.arena.entry(test.args));
    }
}

struct Texts<'a> {
    catalogues: &'a Catalogues,
    diagnostics: &'a mut Vec<Diagnostic>,
    /// What was looked at: a text once, where it stands first.
    seen: HashSet<String>,
}

impl Texts<'_> {
    /// A label is translated whether it is marked or not; one in several locales lacks what it does not have.
    fn label(&mut self, label: Entry<'_>) {
        match label.as_str() {
            Some(text) => self.text(text.strip_prefix(I18N).unwrap_or(text), label.span()),
            None => self.object(label),
        }
    }

    /// The marked texts in a value.
    fn marked(&mut self, value: Entry<'_>) {
        match value.value() {
            Value::String(_) => {
                if let Some(text) = value.as_str().and_then(|text| text.strip_prefix(I18N)) {
                    self.text(text, value.span());
                }
            }
            Value::List => value.items().for_each(|item| self.marked(item)),
            Value::Object => members(value).for_each(|member| self.marked(member)),
            Value::Null | Value::Bool(_) | Value::Int(_) | Value::Big(_) | Value::Float(_) => {}
        }
    }

    fn text(&mut self, text: &str, span: Span) {
        let is_new = !text.is_empty() && self.seen.insert(text.to_owned());
        self.report(text, span, |locale, known| is_new && known.lookup(locale, text).is_none());
    }

    fn object(&mut self, label: Entry<'_>) {
        let english = label.get(ENGLISH).and_then(Entry::as_str).unwrap_or_default();
        self.report(english, label.span(), |locale, _| label.get(locale).is_none());
    }

    fn report(&mut self, text: &str, span: Span, lacks: impl Fn(&str, &Catalogues) -> bool) {
        let known = self.catalogues;
        let missing: Vec<&String> =
            known.locales().iter().filter(|locale| *locale != ENGLISH && lacks(locale, known)).collect();
        if missing.is_empty() {
            return;
        }
        let files: Vec<String> = missing
            .iter()
            .filter_map(|locale| known.file(locale))
            .map(|file| format!("`{}`", file.display()))
            .collect();
        let names: Vec<String> = missing.iter().map(|locale| format!("`{locale}`")).collect();
        self.diagnostics.push(not_translated(text, &names.join(", "), &files.join(", "), span));
    }
}

fn members(object: Entry<'_>) -> impl Iterator<Item = Entry<'_>> {
    let arena: &Arena = object.arena;
    object.members().map(|member| arena.entry(member.value))
}

fn not_translated(text: &str, locales: &str, files: &str, span: Span) -> Diagnostic {
    let shown: String = text.chars().take(60).collect();
    let message = format!("the text `{shown}` has no translation for {locales}");
    Diagnostic::warning("untranslated-text", message, span, "shown in English there").help(format!("add it to {files}"))
}

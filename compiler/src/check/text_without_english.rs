//! `text-without-english`: an argument is an object of texts by locale that lacks the one for `en-US`, which stands in for every other
//! (reference: S2, S3).

use crate::diagnostic::Diagnostic;
use crate::document::{Arena, Contents, Entry};
use crate::source::Span;
use crate::tree::TestTree;
use crate::words::is_locale;

pub(super) fn check(tree: &TestTree, arena: &Arena, diagnostics: &mut Vec<Diagnostic>) {
    for id in tree.preorder().filter(|id| tree.is_leaf(*id)) {
        within(arena.entry(tree.test(id).args), diagnostics);
    }
}

fn within(value: Entry<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if !value.contents().has(Contents::LOCALES) {
        return;
    }
    if lacks_english(value) {
        diagnostics.push(no_english(value.span()));
        return;
    }
    value.items().for_each(|item| within(item, diagnostics));
    value.members().for_each(|member| within(value.arena.entry(member.value), diagnostics));
}

/// Whether all keys are locales, `en-US` is not among them, and each has a text.
fn lacks_english(value: Entry<'_>) -> bool {
    let mut members = value.members();
    let is_text = |member: &crate::document::Member| {
        let key = value.arena.text(member.key);
        is_locale(key) && key != "en-US" && value.arena.entry(member.value).as_str().is_some()
    };
    !members.is_empty() && members.all(is_text)
}

fn no_english(span: Span) -> Diagnostic {
    Diagnostic::warning("text-without-english", "a text in several locales has none for `en-US`", span, "no `en-US`")
        .help("add `\"en-US\": \"...\"`: locales that have no text of their own show it")
}

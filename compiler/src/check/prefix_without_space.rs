//! `prefix-without-space`: a text begins with `eval!` or `i18n!`, and not with the space that makes a prefix of it (reference: R1). It is
//! passed to the test as it stands.

use crate::diagnostic::Diagnostic;
use crate::document::Entry;
use crate::source::Span;

use super::Checked;

const PREFIXES: [&str; 2] = ["eval!", "i18n!"];

pub(super) fn check(list: &Checked<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if !list.arena.texts().any(|text| broken_prefix(text).is_some()) {
        return;
    }
    let layers = list.lineage.order.iter().flat_map(|ancestor| &ancestor.layers);
    for root in layers.map(|layer| list.arena.entry(layer.root)) {
        for field in ["options", "override_args"].into_iter().filter_map(|field| root.get(field)) {
            value(field, diagnostics);
        }
        root.get("tests").into_iter().flat_map(Entry::items).for_each(|item| test(item, diagnostics));
        for definition in root.get("definitions").map(Entry::members).unwrap_or_default() {
            test(list.arena.entry(definition.value), diagnostics);
        }
    }
}

fn test(written: Entry<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for field in ["args", "exec", "locals", "measurements"].into_iter().filter_map(|field| written.get(field)) {
        value(field, diagnostics);
    }
    written.get("subtests").into_iter().flat_map(Entry::items).for_each(|item| test(item, diagnostics));
}

fn value(written: Entry<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if let Some(prefix) = written.as_str().and_then(broken_prefix) {
        diagnostics.push(no_space(prefix, written.span()));
    }
    written.items().for_each(|item| value(item, diagnostics));
    for member in written.members() {
        value(written.arena.entry(member.value), diagnostics);
    }
}

fn broken_prefix(text: &str) -> Option<&'static str> {
    PREFIXES.into_iter().find(|prefix| text.strip_prefix(prefix).is_some_and(|rest| !rest.starts_with(' ')))
}

fn no_space(prefix: &str, span: Span) -> Diagnostic {
    Diagnostic::warning(
        "prefix-without-space",
        format!("`{prefix}` is not followed by a space, so this is a plain text"),
        span,
        "not evaluated",
    )
    .help(format!("write `\"{prefix} …\"`, with a space"))
}

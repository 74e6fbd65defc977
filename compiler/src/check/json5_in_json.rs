//! `json5-in-json`: a list uses syntax that JSON5 has and JSON does not, comments included. Here it may (reference: A1 is stricter);
//! other tools that read the file may not take it. Allowed unless somebody asks for it.

use crate::diagnostic::Diagnostic;
use crate::source::Span;

use super::Checked;

pub(super) fn check(list: &Checked<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if list.levels.allow("json5-in-json") {
        return;
    }
    for document in list.lineage.order.iter().flat_map(|ancestor| &ancestor.layers).map(|layer| &layer.document) {
        diagnostics.extend(document.json5_only.iter().map(|(span, name)| not_json(name, *span)));
        diagnostics.extend(document.comments.iter().map(|comment| not_json("a comment", comment.span)));
    }
}

fn not_json(name: &str, span: Span) -> Diagnostic {
    let message = format!("{name} in a `.json` file");
    Diagnostic::warning("json5-in-json", message, span, "JSON5, not JSON")
        .help("write it as JSON, if other tools read this file")
}

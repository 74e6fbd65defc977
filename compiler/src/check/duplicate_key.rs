//! `duplicate-key`: a key stands twice in one object of a list. Of equal keys the last one counts (reference: A7), and the others are
//! lost without a word.

use crate::diagnostic::Diagnostic;
use crate::document::Duplicate;

use super::Checked;

pub(super) fn check(list: &Checked<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for layer in list.lineage.order.iter().flat_map(|ancestor| &ancestor.layers) {
        let keys = layer.document.duplicates.iter();
        diagnostics.extend(keys.map(|duplicate| key_is_lost(list.arena.text(duplicate.key), duplicate)));
    }
}

/// A member that counts for nothing, because its key comes again.
pub(crate) fn key_is_lost(key: &str, duplicate: &Duplicate) -> Diagnostic {
    let message = format!("the key `{key}` stands twice; the last one counts");
    Diagnostic::denied("duplicate-key", message, duplicate.lost, "this value is lost")
        .label(duplicate.kept, "this one counts")
        .help("remove one of them")
}

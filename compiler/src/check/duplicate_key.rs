//! `duplicate-key`: a key stands twice in one object of a list. Of equal keys the last one counts (reference: A7), and the others are
//! lost without a word.

use crate::diagnostic::Diagnostic;
use crate::document::Duplicate;

use super::Checked;

/// How many keys of a file are reported; a file with more was not written by hand.
const MOST: usize = 20;

pub(super) fn check(list: &Checked<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for layer in list.lineage.order.iter().flat_map(|ancestor| &ancestor.layers) {
        let keys = &layer.document.duplicates;
        let shown = keys.iter().take(MOST);
        diagnostics.extend(shown.map(|duplicate| key_is_lost(list.arena.text(duplicate.key), duplicate)));
        diagnostics.extend(keys.get(MOST).map(|next| more_are_lost(keys.len() - MOST, next)));
    }
}

fn more_are_lost(count: usize, next: &Duplicate) -> Diagnostic {
    let message = format!("{count} more keys of this file stand twice");
    Diagnostic::denied("duplicate-key", message, next.lost, "the next of them").help("remove one of each two")
}

/// A member that counts for nothing, because its key comes again.
pub(crate) fn key_is_lost(key: &str, duplicate: &Duplicate) -> Diagnostic {
    let message = format!("the key `{key}` stands twice; the last one counts");
    Diagnostic::denied("duplicate-key", message, duplicate.lost, "this value is lost")
        .label(duplicate.kept, "this one counts")
        .help("remove one of them")
}

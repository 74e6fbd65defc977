//! `definition-without-effect`: a list writes a definition of a list that it inherits again, and changes nothing by it (reference: C5).
//!
//! Only the list's own files are looked at: what a parent repeats may matter to another list that inherits it beside others.

use hashbrown::{HashMap, HashSet};

use crate::diagnostic::Diagnostic;
use crate::document::{Arena, Contents, Entry, Members, NodeId, Symbol};
use crate::source::Span;
use crate::words;

use super::Checked;

/// The values of one path in the files below, the weakest first, with where each is named.
type Below<'a> = Vec<(Span, Entry<'a>)>;

pub(super) fn check(list: &Checked<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let Some((own, parents)) = list.lineage.order.split_first() else { return };
    let own: Vec<NodeId> = own.layers.iter().map(|layer| layer.root).collect();
    if own.iter().all(|root| definitions(list.arena, *root).is_empty()) {
        return;
    }
    let names: HashSet<Symbol> =
        own.iter().flat_map(|root| definitions(list.arena, *root)).map(|member| member.key).collect();
    let mut below: HashMap<Symbol, Below<'_>> = HashMap::new();
    for root in
        parents.iter().rev().flat_map(|ancestor| &ancestor.layers).map(|layer| layer.root).chain(own.iter().copied())
    {
        let is_own = own.contains(&root);
        for member in definitions(list.arena, root).filter(|member| names.contains(&member.key)) {
            let is_alone = is_own && own.len() == 1 && !below.contains_key(&member.key);
            if is_alone {
                continue;
            }
            let value = list.arena.entry(member.value);
            let known = below.entry(member.key).or_default();
            if is_own && changes_nothing(value, known) {
                let first = known.iter().rev().map(|(span, _)| *span).next();
                diagnostics.extend(first.map(|first| no_change(list.arena.text(member.key), member.key_span, first)));
            }
            known.push((member.key_span, value));
        }
    }
}

fn definitions(arena: &Arena, root: NodeId) -> Members<'_> {
    arena.entry(root).get(words::DEFINITIONS).map(Entry::members).unwrap_or_default()
}

/// Whether everything in a value is what lies below it already. Where a marker is involved, nothing is said.
fn changes_nothing(value: Entry<'_>, below: &Below<'_>) -> bool {
    let Some((_, nearest)) = below.last() else { return false };
    let marked = |entry: &Entry<'_>| entry.arena.node(entry.id).contents.has(Contents::MARKER);
    if marked(&value) || below.iter().any(|(_, entry)| marked(entry)) {
        return false;
    }
    if !value.is_object() || !nearest.is_object() {
        return value.is_object() == nearest.is_object() && value.to_data() == nearest.to_data();
    }
    let objects = below.iter().rev().take_while(|(_, entry)| entry.is_object()).count();
    let objects = &below[below.len() - objects..];
    value.members().all(|member| {
        let key = value.arena.text(member.key);
        let inner = objects.iter().filter_map(|(span, entry)| Some((*span, entry.get(key)?))).collect();
        changes_nothing(value.arena.entry(member.value), &inner)
    })
}

fn no_change(name: &str, span: Span, below: Span) -> Diagnostic {
    let message = format!("the definition `{name}` changes nothing: a list below says the same");
    Diagnostic::warning("definition-without-effect", message, span, "no effect")
        .label(below, "already defined so")
        .help("remove it, or write only what is to be different")
}

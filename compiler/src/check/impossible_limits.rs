//! `impossible-limits`: a measurement has limits that no value meets.

use tlc_plan::Data;

use crate::diagnostic::Diagnostic;
use crate::document::{Arena, Entry};
use crate::source::Span;
use crate::tree::TestTree;
use crate::words;

pub(super) fn check(tree: &TestTree, arena: &Arena, diagnostics: &mut Vec<Diagnostic>) {
    if !tree.has_field(words::MEASUREMENTS) {
        return;
    }
    for id in tree.preorder().filter(|id| tree.is_leaf(*id)) {
        let Some(measurements) = arena.entry(tree.test(id).object).get(words::MEASUREMENTS) else { continue };
        for member in measurements.members() {
            diagnostics.extend(contradiction(arena.text(member.key), arena.entry(member.value)));
        }
    }
}

/// The first two limits that contradict each other; those that are expressions are not known here.
fn contradiction(name: &str, limits: Entry<'_>) -> Option<Diagnostic> {
    let limit = |key: &'static str| {
        let member = limits.member(key)?;
        Some((key, number(&limits.arena.entry(member.value).to_data())?, member.key_span))
    };
    [("min", "max"), ("min", "equals"), ("equals", "max")].into_iter().find_map(|(low, high)| {
        let (low, high) = (limit(low)?, limit(high)?);
        (low.1 > high.1).then(|| cannot_be_met(name, (low.0, low.2), (high.0, high.2)))
    })
}

fn number(value: &Data) -> Option<f64> {
    match value {
        Data::Int(number) => Some(*number as f64),
        Data::Float(number) => Some(*number),
        Data::Null | Data::Bool(_) | Data::Big(_) | Data::String(_) | Data::List(_) | Data::Object(_) => None,
    }
}

fn cannot_be_met(name: &str, low: (&str, Span), high: (&str, Span)) -> Diagnostic {
    let message = format!("no value of `{name}` meets its limits: `{}` is greater than `{}`", low.0, high.0);
    Diagnostic::warning("impossible-limits", message, low.1, "the greater one")
        .label(high.1, "the smaller one")
        .help("correct one of them; every attempt fails until then")
}

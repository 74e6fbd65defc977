//! `unused-definition`: no list of a directory has a test that is made from a definition, directly or through others (reference: E1).
//! Classes are not looked at.

use crate::diagnostic::Diagnostic;
use crate::document::Member;
use crate::source::Span;
use crate::words;

use super::unused::User;

pub(super) fn is_used(user: &User<'_>, member: &Member) -> bool {
    let arena = &user.compilation.arena;
    let value = arena.entry(member.value);
    let base = value.get(words::INHERIT).unwrap_or(value);
    let is_class = base.as_str() == Some(arena.text(member.key));
    is_class || user.compilation.tree.iter().any(|tree| tree.uses(member.key))
}

pub(super) fn nothing_uses(name: &str, span: Span) -> Diagnostic {
    let message = format!("no list of the directory uses the definition `{name}`");
    Diagnostic::warning("unused-definition", message, span, "not used")
        .help("remove it, or name it in the `tests` of a list")
}

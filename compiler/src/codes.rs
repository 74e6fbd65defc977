//! Every code a diagnostic can have, with its level and its page.
//!
//! A page is a file of the book, and what `tlc explain` prints. A test sees to it that every code that the compiler uses stands here, and
//! has a failing case and a near miss.

/// A kind of finding.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// Its stable name.
    pub name: &'static str,
    /// What it does to a list.
    pub level: Level,
    /// Its page, Markdown.
    pub page: &'static str,
}

/// What a finding does to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The list is refused.
    Refusal,
    /// A lint at deny level: counts as an error, and does not stop the list from being used.
    Deny,
    /// A lint at warn level.
    Warn,
}

/// The code with this name.
pub fn find(name: &str) -> Option<&'static Code> {
    CODES.iter().find(|code| code.name == name)
}

macro_rules! codes {
    ($($name:literal $level:ident,)*) => {
        /// Every code, sorted by name.
        pub const CODES: &[Code] = &[$(Code {
            name: $name,
            level: Level::$level,
            page: include_str!(concat!("../../docs/src/diagnostics/", $name, ".md")),
        },)*];
    };
}

codes! {
    "bad-count" Refusal,
}

//! Every code that a finding can have, with its level and its page.
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

/// What a finding does to a list, unless somebody sets it otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The list is refused, whatever anybody sets.
    Refusal,
    /// A lint at deny level: counts as an error, and does not stop the list from being used.
    Deny,
    /// A lint at warn level.
    Warn,
    /// A lint that is not reported unless somebody asks for it.
    Allow,
    /// Says more about another finding.
    Note,
}

impl Code {
    /// Its page's first line below the heading: what it is.
    pub fn summary(&self) -> &'static str {
        self.page.lines().skip(1).find(|line| !line.trim().is_empty()).unwrap_or_default()
    }

    /// Whether its level can be set.
    pub fn is_lint(&self) -> bool {
        matches!(self.level, Level::Deny | Level::Warn | Level::Allow)
    }
}

impl Level {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refusal => "refusal",
            Self::Deny => "deny",
            Self::Warn => "warn",
            Self::Allow => "allow",
            Self::Note => "note",
        }
    }
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
    "argument-fails" Deny,
    "bad-count" Refusal,
    "bad-exec" Deny,
    "bad-id" Refusal,
    "bad-name" Refusal,
    "broken-definition" Deny,
    "child-action-without-effect" Warn,
    "class-without-inherit" Refusal,
    "constant-condition" Warn,
    "constants-ignored" Warn,
    "contains-itself" Refusal,
    "definition-cycle" Refusal,
    "definition-without-effect" Warn,
    "duplicate-key" Deny,
    "evaluation-fails" Refusal,
    "expression-limit" Refusal,
    "expression-refused" Refusal,
    "expression-syntax" Refusal,
    "fixed-level" Refusal,
    "group-in-parallel" Refusal,
    "group-never-runs" Warn,
    "impossible-limits" Warn,
    "inherit-cycle" Refusal,
    "inherit-ignored" Warn,
    "inherit-order" Refusal,
    "inherit-type" Refusal,
    "json-depth" Refusal,
    "json-more" Note,
    "json-number" Refusal,
    "json-string" Refusal,
    "json-syntax" Refusal,
    "json-unclosed" Refusal,
    "json5-in-json" Allow,
    "label-without-english" Refusal,
    "layout-without-parallel" Refusal,
    "list-type" Refusal,
    "locals-in-run-if" Deny,
    "marker-type" Refusal,
    "marker-without-effect" Warn,
    "missing-argument" Deny,
    "missing-field" Refusal,
    "never-ends" Warn,
    "not-utf8" Refusal,
    "option-type" Refusal,
    "override-type" Refusal,
    "override-without-effect" Warn,
    "parallel-without-tests" Refusal,
    "parent-path" Refusal,
    "po-duplicate" Warn,
    "po-syntax" Refusal,
    "prefix-without-space" Warn,
    "refused-name" Refusal,
    "requirement-comes-later" Warn,
    "runs-nothing" Deny,
    "services-in-parallel" Refusal,
    "settings-key" Refusal,
    "settings-path" Refusal,
    "settings-value" Refusal,
    "shared-resource" Warn,
    "shutdown-with-program" Refusal,
    "test-after-teardown" Refusal,
    "test-class" Deny,
    "test-syntax" Deny,
    "text-without-english" Warn,
    "too-deep" Refusal,
    "too-many-tests" Refusal,
    "two-programs" Refusal,
    "unanswered-prompt" Deny,
    "unclear-prompt" Warn,
    "undecided-value" Warn,
    "undeclared-argument" Deny,
    "undefined-value" Deny,
    "unknown-class" Refusal,
    "unknown-definition" Refusal,
    "unknown-field" Refusal,
    "unknown-lint" Refusal,
    "unknown-name" Refusal,
    "unknown-option" Refusal,
    "unknown-override" Deny,
    "unknown-parent" Refusal,
    "unknown-phase" Deny,
    "unknown-program" Warn,
    "unknown-requirement" Refusal,
    "unknown-test" Deny,
    "unmatched-pattern" Deny,
    "unreadable-file" Refusal,
    "untranslated-text" Allow,
    "unused-constant" Warn,
    "unused-definition" Warn,
    "wrong-argument" Deny,
    "wrong-declaration" Deny,
    "wrong-type" Refusal,
}

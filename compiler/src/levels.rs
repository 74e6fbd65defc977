//! Levels of lints: what `tlc.json5` and the command line make of a finding.
//!
//! Findings come in, and go out as warnings, as errors, or not at all. A refusal stays one: nobody can allow a list that has no meaning.

use std::collections::BTreeMap;
use std::fmt;

use crate::codes::{self, CODES, Code};
use crate::diagnostic::{Diagnostic, Severity, did_you_mean};

/// How much a lint counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It is not reported.
    Allow,
    /// It is a warning.
    Warn,
    /// It is an error.
    Deny,
}

impl Level {
    /// The level of this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "allow" => Some(Self::Allow),
            "warn" => Some(Self::Warn),
            "deny" => Some(Self::Deny),
            _ => None,
        }
    }

    fn severity(self) -> Option<Severity> {
        match self {
            Self::Allow => None,
            Self::Warn => Some(Severity::Warning),
            Self::Deny => Some(Severity::Denied),
        }
    }
}

/// The levels that differ from those of the registry.
#[derive(Clone, Debug, Default)]
pub struct Levels(BTreeMap<&'static str, Level>);

/// Why a code has no level that could be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotALint {
    /// There is no such code; perhaps another is meant.
    Unknown(Option<String>),
    /// A list with such a finding is refused, or the finding only says more about another.
    Fixed,
}

/// The lint of this name.
pub fn lint(name: &str) -> Result<&'static Code, NotALint> {
    match codes::find(name) {
        Some(code) if code.is_lint() => Ok(code),
        Some(_) => Err(NotALint::Fixed),
        None => {
            let lints = CODES.iter().filter(|code| code.is_lint());
            Err(NotALint::Unknown(did_you_mean(name, lints.map(|code| code.name))))
        }
    }
}

impl Levels {
    /// Sets the level of a lint; the one that is set last counts.
    pub fn set(&mut self, lint: &Code, level: Level) {
        self.0.insert(lint.name, level);
    }

    /// Whether a lint is left out; what is not a lint never is.
    pub fn allow(&self, code: &str) -> bool {
        let usual = || codes::find(code).is_some_and(|code| code.level == codes::Level::Allow);
        self.0.get(code).map_or_else(usual, |level| *level == Level::Allow)
    }

    /// Gives lints their levels. What is allowed by default is not looked for, so it is not there.
    pub fn apply(&self, diagnostics: &mut Vec<Diagnostic>) {
        if self.0.is_empty() {
            return;
        }
        diagnostics.retain_mut(|diagnostic| match self.0.get(diagnostic.code).map(|level| level.severity()) {
            None => true,
            Some(None) => false,
            Some(Some(severity)) => {
                diagnostic.severity = severity;
                true
            }
        });
    }
}

impl fmt::Display for NotALint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(Some(meant)) => f.write_str(meant),
            Self::Unknown(None) => f.write_str("`tlc explain` lists them all"),
            Self::Fixed => f.write_str("only lints have a level that can be set; `tlc explain` lists them"),
        }
    }
}

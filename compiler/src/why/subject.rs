//! What is asked about: `constants.x`, `SMT.Rail.args.max`, `SMT.run_if`.

use std::fmt;

use crate::Compilation;
use crate::diagnostic::did_you_mean;
use crate::tree::{TestId, TestTree};

/// Sections that are merged and nothing else.
const SECTIONS: &[&str] = &["constants", "options", "definitions", "override_args", "label"];

/// A value of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Keys from the top of the configuration.
    Config(Vec<String>),
    /// A test, a field of it, and keys in that.
    Field(TestId, Vec<String>),
}

/// There is nothing of this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSubject {
    text: String,
    help: String,
}

impl Subject {
    /// Reads a subject: a path of a test and a field, or a section and keys.
    pub fn parse(text: &str, compilation: &Compilation) -> Result<Self, UnknownSubject> {
        let parts: Vec<&str> = text.split('.').collect();
        let owned = |parts: &[&str]| parts.iter().map(ToString::to_string).collect::<Vec<_>>();
        if let Some(tree) = &compilation.tree {
            for split in (1..=parts.len()).rev() {
                if let Some(test) = tree.find(&compilation.arena, &parts[..split].join(".")) {
                    return Ok(Self::Field(test, owned(&parts[split..])));
                }
            }
        }
        if SECTIONS.contains(&parts[0]) {
            return Ok(Self::Config(owned(&parts)));
        }
        Err(UnknownSubject { text: text.to_owned(), help: help(&parts, compilation) })
    }
}

fn help(parts: &[&str], compilation: &Compilation) -> String {
    let near = |tree: &TestTree| {
        let paths: Vec<String> =
            tree.preorder().skip(1).take(10_000).map(|id| tree.path(&compilation.arena, id)).collect();
        (1..=parts.len())
            .rev()
            .find_map(|split| did_you_mean(&parts[..split].join("."), paths.iter().map(String::as_str)))
    };
    compilation.tree.as_ref().and_then(near).unwrap_or_else(|| {
        "write the path of a test and a field, such as `SMT.Rail.args.max`, or `constants.NAME`".to_owned()
    })
}

impl fmt::Display for UnknownSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the list has no `{}`: {}", self.text, self.help)
    }
}

impl std::error::Error for UnknownSubject {}

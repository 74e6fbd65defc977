//! What is asked about: `constants.x`, `SMT.Rail.args.max`, `SMT.run_if`.

use std::fmt;

use crate::Compilation;
use crate::diagnostic::did_you_mean;
use crate::document::NodeId;
use crate::tree::{Test, TestId, TestTree};

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
        if let Some(tree) = &compilation.tree {
            for split in (1..=parts.len()).rev() {
                if let Some(test) = tree.find(&compilation.arena, &parts[..split].join(".")) {
                    return Ok(Self::Field(test, field_keys(tree.test(test), &parts[split..], compilation)));
                }
            }
        }
        if SECTIONS.contains(&parts[0]) {
            let root = compilation.config.as_ref().map(|config| config.root);
            return Ok(Self::Config(keys_in(root, &parts, compilation)));
        }
        Err(Self::unknown(text, compilation))
    }

    /// Says that there is nothing of this name, and what may be meant.
    pub fn unknown(text: &str, compilation: &Compilation) -> UnknownSubject {
        let parts: Vec<&str> = text.split('.').collect();
        UnknownSubject { text: text.to_owned(), help: help(&parts, compilation) }
    }
}

fn field_keys(test: &Test, parts: &[&str], compilation: &Compilation) -> Vec<String> {
    match parts {
        ["args", rest @ ..] => {
            let mut keys = vec!["args".to_owned()];
            keys.extend(keys_in(Some(test.args), rest, compilation));
            keys
        }
        _ => keys_in(Some(test.object), parts, compilation),
    }
}

/// Parts as keys of an object, and of those in it. Keys may have dots: the longest that is there is meant.
fn keys_in(object: Option<NodeId>, parts: &[&str], compilation: &Compilation) -> Vec<String> {
    let (mut keys, mut object, mut rest) = (Vec::new(), object, parts);
    while !rest.is_empty() {
        let present = |length: usize| {
            let key = rest[..length].join(".");
            compilation.arena.entry(object?).get(&key).map(|value| (length, key, value.id))
        };
        let (length, key, value) = match (1..=rest.len()).rev().find_map(present) {
            Some((length, key, value)) => (length, key, Some(value)),
            None => (1, rest[0].to_owned(), None),
        };
        keys.push(key);
        (object, rest) = (value, &rest[length..]);
    }
    keys
}

fn help(parts: &[&str], compilation: &Compilation) -> String {
    let near = |tree: &TestTree| {
        let paths: Vec<String> =
            tree.preorder().skip(1).take(10_000).map(|id| tree.path(&compilation.arena, id)).collect();
        (1..=parts.len())
            .rev()
            .map(|split| parts[..split].join("."))
            .take_while(|path| !paths.contains(path))
            .find_map(|path| did_you_mean(&path, paths.iter().map(String::as_str)))
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

//! The Python tests that a tree names: where their files lie, and what they declare. Each file is read once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::arguments::{Declaration, Reading, Unusable};
use crate::document::{Arena, Entry, Symbol};
use crate::source::{self, ReadError, SourceMap, Span};
use crate::tree::{TestId, TestTree};
use crate::words;

/// The Python tests of a list.
pub(crate) struct PythonTests {
    /// The directory that they lie in.
    pub(super) directory: PathBuf,
    found: BTreeMap<Symbol, Found>,
}

/// The file of a Python test.
pub(super) enum Found {
    /// It declares its arguments.
    Declared(Declaration),
    /// It is there, and what it declares cannot be known.
    Unchecked,
    /// It is there, and no test can be run from it.
    Unusable(source::FileId, Unusable),
    /// It is not there.
    Missing,
}

impl PythonTests {
    /// Reads the files of all tests that a tree names.
    pub(crate) fn read(directory: &Path, tree: &TestTree, arena: &Arena, sources: &mut SourceMap) -> Self {
        let mut found = BTreeMap::new();
        for name in tree.preorder().filter_map(|id| name_of(tree, arena, id)) {
            found.entry(name).or_insert_with(|| find(directory, arena.text(name), sources));
        }
        Self { directory: directory.to_owned(), found }
    }

    /// The file of the test that a leaf runs; none if it runs no Python test.
    pub(super) fn of(&self, tree: &TestTree, arena: &Arena, id: TestId) -> Option<(Symbol, &Found)> {
        let name = name_of(tree, arena, id)?;
        self.found.get(&name).map(|found| (name, found))
    }
}

/// The Python test that a node runs.
pub(super) fn name_of(tree: &TestTree, arena: &Arena, id: TestId) -> Option<Symbol> {
    let test = tree.test(id);
    let runs = tree.is_leaf(id) && !test.class.is_shutdown();
    test.pytest_name.filter(|name| runs && !arena.text(*name).is_empty())
}

/// Where the name of the test that a leaf runs is written.
pub(super) fn place(tree: &TestTree, arena: &Arena, id: TestId) -> Span {
    let test = tree.test(id);
    arena.entry(test.object).get(words::PYTEST_NAME).map_or(test.span(arena), Entry::span)
}

fn find(directory: &Path, name: &str, sources: &mut SourceMap) -> Found {
    match source_of(directory, name, sources) {
        Ok(file) => declared(sources, file),
        Err(ReadError::NotFound) => Found::Missing,
        Err(_) => Found::Unchecked,
    }
}

/// A dot in the name is a folder; a module is a file or a folder with `__init__.py`.
pub(super) fn source_of(directory: &Path, name: &str, sources: &mut SourceMap) -> Result<source::FileId, ReadError> {
    if name.contains(['/', '\\']) {
        return Err(ReadError::NotFound);
    }
    let path = directory.join(name.replace('.', "/"));
    match sources.read(&path.with_extension("py")) {
        Err(ReadError::NotFound) => sources.read(&path.join("__init__.py")),
        read => read,
    }
}

fn declared(sources: &SourceMap, file: source::FileId) -> Found {
    match Declaration::read(sources, file) {
        Reading::Declared(declaration) if declaration.is_written => Found::Declared(declaration),
        Reading::Declared(_) | Reading::Unchecked(_) => Found::Unchecked,
        Reading::Unusable(unusable) => Found::Unusable(file, unusable),
    }
}

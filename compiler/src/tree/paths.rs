//! Paths to tests: the one that they name, or the one that was probably meant where they name none.

use hashbrown::HashMap;

use crate::diagnostic::did_you_mean;
use crate::document::{Arena, Symbol};

use super::{TestId, TestTree};

/// Through how many paths is looked.
const CANDIDATES: usize = 10_000;

/// For how many names is looked; a list with more wrong ones has another problem.
const NAMES: usize = 100;

/// Finds paths that are near to names.
#[derive(Default)]
pub struct NearPaths {
    paths: Option<Vec<String>>,
    asked: usize,
}

impl NearPaths {
    /// `did you mean ...?`, if a path is near.
    pub fn did_you_mean(&mut self, name: &str, tree: &TestTree, arena: &Arena) -> Option<String> {
        self.asked += 1;
        if self.asked > NAMES {
            return None;
        }
        let paths = self
            .paths
            .get_or_insert_with(|| tree.preorder().skip(1).take(CANDIDATES).map(|id| tree.path(arena, id)).collect());
        did_you_mean(name, paths.iter().map(String::as_str))
    }
}

/// Tests of a group up to this many are looked for one by one.
const FEW: usize = 32;

/// The way to the tests of a tree whose ids do not change, for who looks for many: large groups are indexed when they are first walked
/// through.
#[derive(Default)]
pub(crate) struct PathIndex {
    large: HashMap<TestId, HashMap<Symbol, TestId>>,
}

impl PathIndex {
    /// The node at a path; the empty path is the root.
    pub(crate) fn find(&mut self, tree: &TestTree, arena: &Arena, path: &str) -> Option<TestId> {
        self.walk(tree, arena, path).ok()
    }

    /// Whether a path may be missing only because a test of one of its groups could not be built.
    pub(super) fn may_lack(&mut self, tree: &TestTree, arena: &Arena, path: &str) -> bool {
        self.walk(tree, arena, path).is_err_and(|last| tree.is_incomplete(last))
    }

    /// The node at a path, or the last one on the way to it.
    fn walk(&mut self, tree: &TestTree, arena: &Arena, path: &str) -> Result<TestId, TestId> {
        if path.is_empty() {
            return Ok(tree.root());
        }
        path.split('.')
            .try_fold(tree.root(), |group, id| arena.symbol(id).and_then(|id| self.child(tree, group, id)).ok_or(group))
    }

    fn child(&mut self, tree: &TestTree, group: TestId, id: Symbol) -> Option<TestId> {
        let mut children = tree.children(group);
        if children.clone().nth(FEW).is_none() {
            return children.find(|child| tree.test(*child).id == id);
        }
        let index = || {
            let mut index = HashMap::new();
            for child in children {
                index.entry(tree.test(child).id).or_insert(child);
            }
            index
        };
        self.large.entry(group).or_insert_with(index).get(&id).copied()
    }
}

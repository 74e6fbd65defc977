//! The path that was probably meant where one names no test.

use crate::diagnostic::did_you_mean;
use crate::document::Arena;

use super::TestTree;

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

//! The digest of what an attempt runs: of the file of a Python test, or of the program.
//!
//! A file is read again only if its size or its time has changed.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::output::hash;
use super::{Attempt, Program};

/// No larger file is read, in bytes.
const SIZE_LIMIT: u64 = 64 << 20;

/// The digests of the files that attempts ran so far.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    known: Mutex<HashMap<PathBuf, Known>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    changed: Option<SystemTime>,
    size: u64,
    sha256: String,
}

impl Sources {
    /// The SHA-256 of what an attempt runs; `None` if it cannot be read.
    pub fn digest(&self, attempt: &Attempt) -> Option<String> {
        let file = match &attempt.program {
            Program::Exec(argv) => attempt.find(argv.first()?)?,
            Program::Python { tests, name, .. } => python_test(tests, name)?,
        };
        self.of_file(&file)
    }

    fn of_file(&self, path: &Path) -> Option<String> {
        let metadata = fs::metadata(path).ok()?;
        let (changed, size) = (metadata.modified().ok(), metadata.len());
        if size > SIZE_LIMIT || !metadata.is_file() {
            return None;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(path).filter(|known| known.changed == changed && known.size == size) {
            return Some(known.sha256.clone());
        }
        let sha256 = hash(path).ok()?;
        known.insert(path.to_path_buf(), Known { changed, size, sha256: sha256.clone() });
        Some(sha256)
    }
}

fn python_test(tests: &Path, name: &str) -> Option<PathBuf> {
    let path = tests.join(name.replace('.', "/"));
    [path.with_added_extension("py"), path.join("__init__.py")].into_iter().find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_has_another_digest() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("rail.py"), "one").expect("written");
        let file = python_test(directory.path(), "rail").expect("a file");
        let sources = Sources::default();
        let first = sources.of_file(&file).expect("a digest");
        assert_eq!(sources.of_file(&file).as_ref(), Some(&first));
        fs::write(&file, "another").expect("written");
        assert_ne!(sources.of_file(&file), Some(first));
        assert_eq!(sources.of_file(directory.path()), None);
    }
}

//! What surrounds every attempt of a run: the environment it inherits, its limits, and where its own directory is made.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::Attempt;
use super::environment::{self, Variables};
use super::limits::ProcessLimits;
use super::python::find_program;

/// What surrounds every attempt of a run.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// The directory of tests; programs that are named with a `/` are looked for below it.
    pub tests: Option<PathBuf>,
    /// Where the directories of attempts are made.
    pub scratch: PathBuf,
    /// What attempts get of the environment of the runtime.
    pub(super) inherited: Variables,
    /// What each process of an attempt may use.
    pub limits: ProcessLimits,
    /// Directories of earlier attempts that were left as they were.
    untouched: Mutex<Vec<PathBuf>>,
}

impl Surroundings {
    /// Takes from the environment what may pass: a documented set, and what `pass` says.
    pub fn new(tests: Option<PathBuf>, scratch: PathBuf, pass: &[String], limits: ProcessLimits) -> Self {
        Self { tests, scratch, inherited: environment::inherited(pass), limits, untouched: Mutex::default() }
    }

    /// A program that is named with a `/`: relative to the directory of tests.
    fn program(&self, name: &str) -> PathBuf {
        match &self.tests {
            Some(tests) => tests.join(name),
            None => std::path::absolute(name).unwrap_or_else(|_| name.into()),
        }
    }
}

impl Attempt {
    /// The directory in which it runs: private, empty at its start, and removed at its end.
    pub(super) fn directory(&self) -> PathBuf {
        let invocation = &self.identity.invocation;
        let end = invocation.len().saturating_sub(12);
        self.surroundings.scratch.join(format!("test-{}", invocation.get(end..).unwrap_or(invocation)))
    }

    /// The file of a program: with a `/` below the directory of tests, without one where it is found on `PATH`.
    pub(super) fn find(&self, program: &str) -> Option<PathBuf> {
        if program.contains('/') {
            return Some(self.surroundings.program(program));
        }
        let own = self.variables.iter().rev().find(|(name, _)| name == "PATH").map(|(_, path)| OsStr::new(path));
        let path = own.or(self.surroundings.inherited.get(OsStr::new("PATH")).map(OsString::as_os_str));
        find_program(program, &path.unwrap_or_default().to_string_lossy())
    }
}

/// The directory of an attempt. It goes with this value, and what is in it.
///
/// A file system takes its time to make a directory where many were removed lately, so one that an attempt left as it was gets the name of
/// the next.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
    surroundings: Arc<Surroundings>,
    made: Option<Stamp>,
}

/// The mode of a directory, and when it was changed last: by its owner, or by an entry that came or went.
type Stamp = (u32, i64, i64);

fn stamp(directory: &Path) -> Option<Stamp> {
    let found = fs::symlink_metadata(directory).ok()?;
    Some((found.mode(), found.ctime(), found.ctime_nsec()))
}

fn is_empty(directory: &Path) -> bool {
    fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none())
}

impl Scratch {
    /// Makes an empty directory that nobody else may enter.
    pub fn make(path: PathBuf, surroundings: Arc<Surroundings>) -> io::Result<Self> {
        let untouched = surroundings.untouched.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if untouched.is_none_or(|untouched| fs::rename(untouched, &path).is_err()) {
            DirBuilder::new().mode(0o700).create(&path)?;
        }
        let made = stamp(&path);
        Ok(Self { path, surroundings, made })
    }

    /// Removes it, when nothing of the attempt is left; a large one takes its time.
    pub async fn remove(mut self) {
        // The time has its grain, so that it says nothing of what is done at once.
        if self.made.is_some() && stamp(&self.path) == self.made && is_empty(&self.path) {
            let mut untouched = self.surroundings.untouched.lock().unwrap_or_else(PoisonError::into_inner);
            untouched.push(std::mem::take(&mut self.path));
        } else {
            let _ = tokio::task::spawn_blocking(move || drop(self)).await;
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() && fs::remove_dir_all(&self.path).is_err() {
            // A test may have closed a directory of its own, even to itself.
            open_up(&self.path, 0);
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// No directory is opened deeper than this.
const DEPTH: u32 = 64;

fn open_up(directory: &Path, depth: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    let _ = fs::set_permissions(directory, fs::Permissions::from_mode(0o700));
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        if depth < DEPTH {
            open_up(&entry.path(), depth + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_a_slash_is_looked_for_below_the_tests() {
        let with = |tests: Option<&str>| Surroundings { tests: tests.map(PathBuf::from), ..Surroundings::default() };
        assert_eq!(with(Some("/tests")).program("./run.sh"), Path::new("/tests/./run.sh"));
        assert_eq!(with(Some("/tests")).program("/bin/true"), Path::new("/bin/true"));
        assert!(with(None).program("./run.sh").is_absolute());
    }

    #[test]
    fn a_directory_goes_whatever_is_in_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let base = tempfile::tempdir().expect("a directory");
        let path = base.path().join("test");
        let scratch = Scratch::make(path.clone(), Arc::default()).expect("a directory");
        fs::create_dir_all(path.join("a/b")).expect("directories");
        fs::write(path.join("a/b/file"), "x").expect("a file");
        fs::set_permissions(path.join("a"), fs::Permissions::from_mode(0o000)).expect("closed");
        drop(scratch);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn only_what_was_left_as_it_was_is_for_the_next() {
        use std::os::unix::fs::PermissionsExt as _;
        let base = tempfile::tempdir().expect("a directory");
        let surroundings = Arc::<Surroundings>::default();
        let make = |name| Scratch::make(base.path().join(name), Arc::clone(&surroundings)).expect("a directory");
        let inode = |name| fs::metadata(base.path().join(name)).expect("a directory").ino();
        let first = make("first");
        let number = inode("first");
        first.remove().await;
        let second = make("second");
        assert_eq!(inode("second"), number);
        assert!(!base.path().join("first").exists());
        fs::write(base.path().join("second/file"), "x").expect("a file");
        second.remove().await;
        assert!(!base.path().join("second").exists());
        let third = make("third");
        fs::set_permissions(base.path().join("third"), fs::Permissions::from_mode(0o755)).expect("opened");
        third.remove().await;
        assert!(!base.path().join("third").exists());
        let fourth = make("fourth");
        let mode = fs::metadata(base.path().join("fourth")).expect("a directory").mode();
        assert!(mode & 0o777 == 0o700 && is_empty(&base.path().join("fourth")));
        drop(fourth);
        assert!(!base.path().join("fourth").exists());
    }
}

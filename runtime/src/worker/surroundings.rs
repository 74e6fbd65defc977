//! What surrounds every attempt of a run: the environment it inherits, its limits, and where its own directory is made.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::Attempt;
use super::environment::{self, Variables};
use super::limits::ProcessLimits;
use super::python::find_program;

/// What surrounds every attempt of a run.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The directory of tests; programs that are named with a `/` are looked for below it.
    pub tests: Option<PathBuf>,
    /// Where the directories of attempts are made.
    pub scratch: PathBuf,
    /// What attempts get of the environment of the runtime.
    pub(super) inherited: Variables,
    /// What each process of an attempt may use.
    pub limits: ProcessLimits,
    /// Directories of attempts that are over, still empty and ready for the next one.
    spare: Arc<Mutex<Vec<PathBuf>>>,
}

impl Surroundings {
    /// Takes from the environment what may pass: a documented set, and what `pass` says, but none of `secrets`.
    pub fn new(
        tests: Option<PathBuf>,
        scratch: PathBuf,
        pass: &[String],
        secrets: &[&str],
        limits: ProcessLimits,
    ) -> Self {
        Self { tests, scratch, inherited: environment::inherited(pass, secrets), limits, spare: Arc::default() }
    }

    /// A directory for an attempt: one that was left as it was made, or a new one.
    pub(super) fn make(&self, invocation: &str) -> Result<Scratch, String> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(spare) = spare {
            return Ok(Scratch(spare));
        }
        let end = invocation.len().saturating_sub(12);
        let path = self.scratch.join(format!("test-{}", invocation.get(end..).unwrap_or(invocation)));
        Scratch::make(path.clone()).map_err(|error| format!("unable to make `{}`: {error}", path.display()))
    }

    /// Takes the directory of an attempt away.
    pub(super) async fn remove(&self, scratch: Scratch) {
        if scratch.is_untouched() {
            self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(scratch.into_path());
        } else {
            scratch.remove().await;
        }
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

/// The directory of an attempt. It goes with this value, and what is in it, unless it was given away.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Makes an empty directory that nobody else may enter.
    pub fn make(path: PathBuf) -> io::Result<Self> {
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether it is as it was made.
    fn is_untouched(&self) -> bool {
        use std::os::unix::fs::PermissionsExt as _;
        let is_private = fs::symlink_metadata(&self.0)
            .is_ok_and(|metadata| metadata.is_dir() && metadata.permissions().mode() & 0o7777 == 0o700);
        is_private && fs::read_dir(&self.0).is_ok_and(|mut entries| entries.next().is_none())
    }

    /// Gives it away.
    fn into_path(mut self) -> PathBuf {
        std::mem::take(&mut self.0)
    }

    /// Removes it; a large one takes its time.
    pub async fn remove(self) {
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.0.as_os_str().is_empty() {
            return;
        }
        if fs::remove_dir_all(&self.0).is_err() {
            // A test may have closed a directory of its own, even to itself.
            open_up(&self.0, 0);
            let _ = fs::remove_dir_all(&self.0);
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
    fn a_directory_that_is_still_empty_is_used_again_and_another_is_not() {
        let base = tempfile::tempdir().expect("a directory");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let surroundings = Surroundings { scratch: base.path().to_path_buf(), ..Surroundings::default() };
        let [a, b] = ["test-a", "test-b"].map(|name| base.path().join(name));
        runtime.block_on(async {
            let first = surroundings.make("a").expect("a directory");
            surroundings.remove(first).await;
            let second = surroundings.make("b").expect("the same directory");
            assert!(second.path() == a && a.is_dir() && !b.exists());
            fs::write(a.join("file"), "x").expect("a file");
            surroundings.remove(second).await;
            assert!(!a.exists());
            let third = surroundings.make("b").expect("another directory");
            assert!(third.path() == b && third.is_untouched());
            fs::set_permissions(&b, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("opened");
            surroundings.remove(third).await;
            assert!(!b.exists());
        });
    }

    #[test]
    fn a_directory_goes_whatever_is_in_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let base = tempfile::tempdir().expect("a directory");
        let path = base.path().join("test");
        let scratch = Scratch::make(path.clone()).expect("a directory");
        fs::create_dir_all(path.join("a/b")).expect("directories");
        fs::write(path.join("a/b/file"), "x").expect("a file");
        fs::set_permissions(path.join("a"), fs::Permissions::from_mode(0o000)).expect("closed");
        drop(scratch);
        assert!(!path.exists());
    }
}

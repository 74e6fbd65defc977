//! Python for tests: an interpreter, and the worker's sources, which travel inside this program.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use tlc_plan::plan::Isolation;
use tokio::sync::Mutex;

use super::process::Process;
use super::warm::{Ends, Pool, Recipe, Staying};
use super::{Attempt, Program, Reaper};

/// The worker's sources, by their paths.
const SOURCES: [(&str, &str); 19] = [
    ("tlc_worker.py", include_str!("../../sdk/python/tlc_worker.py")),
    ("tlc/__init__.py", include_str!("../../sdk/python/tlc/__init__.py")),
    ("tlc/_api.py", include_str!("../../sdk/python/tlc/_api.py")),
    ("tlc/_args.py", include_str!("../../sdk/python/tlc/_args.py")),
    ("tlc/_channel.py", include_str!("../../sdk/python/tlc/_channel.py")),
    ("tlc/_data.py", include_str!("../../sdk/python/tlc/_data.py")),
    ("tlc/_errors.py", include_str!("../../sdk/python/tlc/_errors.py")),
    ("tlc/_interruption.py", include_str!("../../sdk/python/tlc/_interruption.py")),
    ("tlc/_judge.py", include_str!("../../sdk/python/tlc/_judge.py")),
    ("tlc/_local.py", include_str!("../../sdk/python/tlc/_local.py")),
    ("tlc/_main.py", include_str!("../../sdk/python/tlc/_main.py")),
    ("tlc/_run.py", include_str!("../../sdk/python/tlc/_run.py")),
    ("tlc/_schema.py", include_str!("../../sdk/python/tlc/_schema.py")),
    ("tlc/_session.py", include_str!("../../sdk/python/tlc/_session.py")),
    ("tlc/_testcase.py", include_str!("../../sdk/python/tlc/_testcase.py")),
    ("tlc/_tree.py", include_str!("../../sdk/python/tlc/_tree.py")),
    ("tlc/_values.py", include_str!("../../sdk/python/tlc/_values.py")),
    ("tlc/_worker.py", include_str!("../../sdk/python/tlc/_worker.py")),
    ("tlc/py.typed", include_str!("../../sdk/python/tlc/py.typed")),
];

/// Prints the minor version of Python 3 and where the interpreter is.
const PROBE: &str = "import sys; print(sys.version_info[1] if sys.version_info[0] == 3 else 0); print(sys.executable)";

/// The oldest Python 3 for tests.
const OLDEST: u32 = 8;

/// An interpreter with the worker's sources beside it.
#[derive(Debug)]
pub struct Python {
    recipe: Recipe,
    warm: Mutex<Pool>,
}

/// Why there is no Python.
#[derive(Debug)]
pub enum PythonError {
    /// No such program; what was looked for, and where.
    NotFound(String, String),
    /// It is no Python, or too old.
    Unusable(PathBuf, String),
    /// The worker's sources could not be written.
    Sources(PathBuf, io::Error),
}

impl Python {
    /// Finds the interpreter, `python3` if none is set, on `search` (as in `PATH`), and writes the worker's sources to `directory`.
    /// What is found may be a script that finds the interpreter in its turn; that is done once, not for each test.
    /// `preload` are modules that a warm interpreter imports before it runs its first test.
    pub fn prepare(
        interpreter: Option<&str>,
        preload: &[String],
        search: &str,
        directory: &Path,
    ) -> Result<Self, PythonError> {
        let name = interpreter.unwrap_or("python3");
        let found = find_program(name, search).ok_or_else(|| PythonError::NotFound(name.into(), search.into()))?;
        let interpreter = ask(&found)?;
        let package = directory.join("tlc");
        fs::create_dir_all(&package).map_err(|error| PythonError::Sources(package, error))?;
        for (name, text) in SOURCES {
            let path = directory.join(name);
            fs::write(&path, text).map_err(|error| PythonError::Sources(path, error))?;
        }
        let worker = directory.join("tlc_worker.py");
        let log = directory.join("python.log");
        let recipe = Recipe { interpreter, worker, preload: preload.to_vec(), log };
        Ok(Self { recipe, warm: Mutex::default() })
    }

    /// The interpreter.
    pub(super) fn interpreter(&self) -> &Path {
        &self.recipe.interpreter
    }

    /// The script that runs tests.
    pub(super) fn worker(&self) -> &Path {
        &self.recipe.worker
    }

    /// Starts an attempt in a warm interpreter.
    pub(super) async fn start(
        self: &Arc<Self>,
        attempt: &Attempt,
        tests: &Path,
        reaper: &Arc<Reaper>,
        ends: &Ends,
    ) -> Result<Process, String> {
        let mut pool = self.warm.lock().await;
        if let Program::Python { isolation: Isolation::Shared, .. } = attempt.program {
            let staying = pool.share(&self.recipe, tests, attempt, reaper, ends).await?;
            return Ok(Process::Staying(Box::new(staying), Arc::clone(self)));
        }
        pool.fork(&self.recipe, tests, attempt, reaper, ends).await.map(Process::Forked)
    }

    /// Takes a worker back that has run a test and may run another one.
    pub(super) async fn give_back(&self, staying: Staying, reaper: &Arc<Reaper>) {
        self.warm.lock().await.give_back(staying, reaper);
    }
}

/// The interpreter itself, if it is one that tests can use.
fn ask(program: &Path) -> Result<PathBuf, PythonError> {
    let unusable = |reason: String| PythonError::Unusable(program.to_path_buf(), reason);
    let output = Command::new(program)
        .args(["-I", "-S", "-c", PROBE])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| unusable(error.to_string()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.trim_end().split_once('\n') {
        Some((version, path)) if is_program(Path::new(path)) => match version.parse::<u32>() {
            Ok(version) if version >= OLDEST => Ok(path.into()),
            Ok(_) | Err(_) => {
                Err(unusable(format!("it is Python 3.{version}, and the oldest that will do is 3.{OLDEST}")))
            }
        },
        Some(_) | None => {
            let complaint = String::from_utf8_lossy(&output.stderr);
            Err(unusable(complaint.lines().last().unwrap_or("it does not answer").to_owned()))
        }
    }
}

pub(super) fn find_program(name: &str, search: &str) -> Option<PathBuf> {
    if name.contains('/') {
        let path = PathBuf::from(name);
        return is_program(&path).then_some(path);
    }
    search.split(':').map(|directory| Path::new(directory).join(name)).find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

impl fmt::Display for PythonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(name, _) if name.contains('/') => {
                write!(
                    f,
                    "the Python interpreter `{name}` does not exist or is no program; the station's settings name it in `python`"
                )
            }
            Self::NotFound(name, search) => {
                let tried: Vec<String> = search.split(':').map(|directory| format!("`{directory}/{name}`")).collect();
                write!(
                    f,
                    "there is no `{name}` on PATH; install Python 3, or name an interpreter in the station's settings with `python`; tried {}",
                    tried.join(", ")
                )
            }
            Self::Unusable(path, reason) => {
                write!(f, "the Python interpreter `{}` cannot be used: {reason}", path.display())
            }
            Self::Sources(path, error) => write!(f, "unable to write `{}`: {error}", path.display()),
        }
    }
}

impl std::error::Error for PythonError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_interpreter_is_named() {
        let directory = tempfile::tempdir().expect("a directory");
        let missing = Python::prepare(None, &[], "/nowhere", directory.path()).expect_err("there is none");
        let text = missing.to_string();
        assert!(text.contains("no `python3` on PATH") && text.ends_with("tried `/nowhere/python3`"), "{text}");
        let missing =
            Python::prepare(Some("/opt/python9"), &[], "/usr/bin", directory.path()).expect_err("there is none");
        assert!(missing.to_string().contains("`/opt/python9`"));
        let other = Python::prepare(Some("/bin/true"), &[], "", directory.path()).expect_err("it is no Python");
        assert!(other.to_string().contains("it does not answer"), "{other}");
    }
}

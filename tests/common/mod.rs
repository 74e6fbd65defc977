//! Running the command, for the tests of this folder.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The command `tlc`, without colours, in this directory.
pub fn tlc(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tlc"));
    command.current_dir(directory).env("NO_COLOR", "1").env("XDG_STATE_HOME", directory.join(".state"));
    command
}

/// What came of a command.
pub struct Outcome {
    /// The exit code; -1 if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs `tlc` to its end.
pub fn run(directory: &Path, arguments: &[&str]) -> Outcome {
    outcome(tlc(directory).args(arguments).output().expect("tlc can be started"))
}

/// The parts of an output.
pub fn outcome(output: Output) -> Outcome {
    Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("the output is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("the output is UTF-8"),
    }
}

/// A directory with these files, which is removed in the end.
pub fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(path, text).expect("written");
    }
    directory
}

/// The corpus that lies beside the repository on some machines, or where `TLC_CORPUS` says. Says so where it is not.
pub fn corpus(test: &str) -> Option<PathBuf> {
    let path = std::env::var_os("TLC_CORPUS").map_or_else(|| root().join("../shared/corpus"), PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("{test}: SKIPPED, there is no corpus (set TLC_CORPUS to its folder)");
    None
}

/// The diagnostics of `tlc check --format json`.
pub fn diagnostics(outcome: &Outcome) -> Vec<serde_json::Value> {
    let document: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("one JSON document");
    document["diagnostics"].as_array().expect("an array").clone()
}

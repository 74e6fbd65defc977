//! Where a station keeps what: the store, a private directory for a run, and names in settings that stand for them.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// A private directory that goes with its run. Its path is short, for the paths of sockets have little room.
#[derive(Debug)]
pub struct StateDirectory {
    path: PathBuf,
    /// The file that remembers it, for a program that was killed cannot clear up.
    note: PathBuf,
}

impl StateDirectory {
    /// Makes an empty directory that nobody else may enter, and remembers it in the run's own directory.
    pub fn create(run_directory: &Path) -> io::Result<Self> {
        Self::clear(run_directory);
        let note = note_in(run_directory);
        let run_id = run_directory.file_name().unwrap_or_default().to_string_lossy();
        let end = run_id.len().saturating_sub(12);
        let base = format!("{PREFIX}{}", run_id.get(end..).unwrap_or_default());
        for attempt in 0..100 {
            let path = env::temp_dir().join(if attempt == 0 { base.clone() } else { format!("{base}.{attempt}") });
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {
                    fs::write(&note, path.as_os_str().as_encoded_bytes())?;
                    return Ok(Self { path, note });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, base))
    }

    /// Removes what a program that was killed has left behind.
    pub fn clear(run_directory: &Path) {
        let note = note_in(run_directory);
        let Ok(path) = fs::read_to_string(&note).map(PathBuf::from) else { return };
        let ours = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        if ours && path.parent() == Some(&env::temp_dir()) {
            let _ = fs::remove_dir_all(path);
        }
        let _ = fs::remove_file(note);
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for StateDirectory {
    fn drop(&mut self) {
        // What is left in a temporary directory is cleared away with it.
        let _ = fs::remove_dir_all(&self.path);
        let _ = fs::remove_file(&self.note);
    }
}

const PREFIX: &str = "tlc-";

fn note_in(run_directory: &Path) -> PathBuf {
    run_directory.join("state_dir")
}

/// Where the store is if nobody says: below `$XDG_STATE_HOME`, else below `~/.local/state`.
pub fn default_store() -> Option<PathBuf> {
    let named = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = named("XDG_STATE_HOME").or_else(|| named("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("tlc").join("station.sqlite"))
}

/// Where programs are looked for.
pub fn search_path() -> String {
    env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".into())
}

/// Directories that settings can name as `${…}`.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    /// The private directory of the run.
    pub state: PathBuf,
    /// The directory of the run's logs, which stays.
    pub logs: PathBuf,
    /// The directory of the settings.
    pub settings: PathBuf,
}

impl Places {
    /// Puts directories for their names; the error is the name that nothing has.
    pub fn expand(&self, text: &str) -> Result<String, String> {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            expanded.push_str(before);
            let Some((name, after)) = after.split_once('}') else { return Err(format!("${{{after}")) };
            let path = match name {
                "state_dir" => &self.state,
                "log_dir" => &self.logs,
                "settings_dir" => &self.settings,
                _ => return Err(format!("${{{name}}}")),
            };
            expanded.push_str(&path.to_string_lossy());
            rest = after;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_directories_are_expanded_and_others_refused() {
        let places = Places { state: "/s".into(), logs: "/l".into(), settings: "/c".into() };
        assert_eq!(places.expand("${state_dir}/a:${settings_dir}$x").as_deref(), Ok("/s/a:/c$x"));
        assert_eq!(places.expand("${home}/a"), Err("${home}".into()));
        assert_eq!(places.expand("${home"), Err("${home".into()));
    }

    #[test]
    fn a_state_directory_is_private_and_goes() {
        use std::os::unix::fs::PermissionsExt as _;
        let run = tempfile::tempdir().expect("a directory");
        let first = StateDirectory::create(run.path()).expect("a directory");
        let mode = fs::metadata(first.path()).expect("its data").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let path = first.path().to_path_buf();
        std::mem::forget(first);
        let second = StateDirectory::create(run.path()).expect("another");
        assert!(second.path() == path || !path.exists(), "what was left behind is cleared away");
        let path = second.path().to_path_buf();
        drop(second);
        assert!(!path.exists());
    }
}

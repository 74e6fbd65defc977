//! Where a station keeps what: the store, a private directory for a run, and names in settings that stand for them.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// A private directory that goes with its run.
#[derive(Debug)]
pub struct StateDirectory {
    path: PathBuf,
}

impl StateDirectory {
    /// Makes an empty directory that nobody else may enter. `run_id` keeps runs apart.
    pub fn create(run_id: &str) -> io::Result<Self> {
        let end = run_id.len().saturating_sub(12);
        let base = env::temp_dir().join(format!("tlc-{}", run_id.get(end..).unwrap_or(run_id)));
        for attempt in 0..100 {
            let path = if attempt == 0 { base.clone() } else { base.with_extension(attempt.to_string()) };
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, base.display().to_string()))
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
    }
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
        let first = StateDirectory::create("abc").expect("a directory");
        let second = StateDirectory::create("abc").expect("another");
        assert_ne!(first.path(), second.path());
        let mode = fs::metadata(first.path()).expect("its data").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let path = first.path().to_path_buf();
        drop(first);
        assert!(!path.exists());
    }
}

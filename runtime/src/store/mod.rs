//! The durable record of a station: one `SQLite` file.
//!
//! In: what happened, as [`Entry`]s, with the [`Change`]s of the tables of results that follow from it; both in one transaction, synced
//! before [`Store::commit`] returns. Out: interrupted runs, and results. Only one program writes at a time; it holds a lock on a file
//! beside the store. `docs/src/reference/store.md` describes the tables.

mod contents;
mod data;
mod error;
mod failpoint;
mod items;
mod maintenance;
mod memory;
mod open;
mod query;
mod record;
mod schema;

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

pub use contents::{ContentSource, Contents, Kept};
pub use error::StoreError;
use failpoint::Failpoint;
#[doc(hidden)]
pub use failpoint::{Death, Fate, Moment};
pub use items::{AttachmentRow, ItemRow, MeasurementRow, NoteRow, PartRow, PromptRow};
pub use maintenance::Checked;
#[doc(hidden)]
pub use memory::Memory;
pub use query::{AttemptRow, EventRow, RunRow, TestRow};
pub(crate) use record::time;
pub use record::{AttemptEnd, AttemptStart, Change, Entry, NewRun, RunKey, Source};
pub use schema::VERSION;

/// A store that is open for writing. The lock goes with it.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    connection: Connection,
    failpoint: Failpoint,
    /// A store in memory needs none.
    _lock: Option<File>,
}

/// A store that is open for reading, also while another program writes.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    connection: Connection,
}

/// The number of a run in its store, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunNumber(pub i64);

impl std::fmt::Display for RunNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Store {
    /// Opens the store for writing, creates it if it does not exist, and brings an older one up to date.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        open::writable(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The directory for what belongs to a run and is no row: logs of tests and services.
    pub fn run_directory(&self, run_id: &str) -> PathBuf {
        files_of(&self.path).join(run_id)
    }

    /// Where the contents of attachments are.
    pub fn contents(&self) -> Contents {
        contents_of(&self.path)
    }

    fn fault(&self, error: &rusqlite::Error) -> StoreError {
        StoreError::from_sqlite(&self.path, error)
    }
}

impl Reader {
    /// Opens an existing store for reading.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        open::readable(path)
    }

    /// Where the contents of attachments are.
    pub fn contents(&self) -> Contents {
        contents_of(&self.path)
    }

    fn fault(&self, error: &rusqlite::Error) -> StoreError {
        StoreError::from_sqlite(&self.path, error)
    }
}

/// The directory of files beside a store.
fn files_of(store: &Path) -> PathBuf {
    with_suffix(store, ".files")
}

fn contents_of(store: &Path) -> Contents {
    Contents::new(files_of(store).join("attachments"))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(suffix);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests;

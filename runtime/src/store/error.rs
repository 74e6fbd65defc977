//! Why a store cannot be used. Whatever the reason, nothing of it is overwritten.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;
use rusqlite::ErrorCode;

use super::schema;

/// With fewer bytes than these a disk is full.
const ROOM: u64 = 256 << 10;

/// Why a store cannot be used.
#[derive(Debug)]
pub enum StoreError {
    /// There is none.
    Missing(PathBuf),
    /// It is no `SQLite` file, or its contents contradict each other.
    Damaged(PathBuf, String),
    /// It is a `SQLite` file of another program.
    Foreign(PathBuf),
    /// A later version of tlc wrote it.
    Newer(PathBuf, i64),
    /// It, or its directory, cannot be written.
    ReadOnly(PathBuf, String),
    /// Another tlc is writing it; its process, if known.
    Locked(PathBuf, Option<u32>),
    /// There is no room left.
    Full(PathBuf),
    /// Something else.
    Other(PathBuf, String),
}

impl StoreError {
    pub(super) fn from_io(path: &Path, error: &io::Error) -> Self {
        let path = path.to_path_buf();
        match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly(path, error.to_string())
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full(path),
            io::ErrorKind::NotFound => Self::Missing(path),
            _ => Self::Other(path, error.to_string()),
        }
    }

    pub(super) fn from_sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let file = path.to_path_buf();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Damaged(file, error.to_string()),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                Self::ReadOnly(file, error.to_string())
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked(file, None),
            Some(ErrorCode::DiskFull) => Self::Full(file),
            Some(ErrorCode::SystemIoFailure) if has_no_room(path) => Self::Full(file),
            Some(_) | None => Self::Other(file, error.to_string()),
        }
    }
}

/// A write or a sync that failed on a disk without room failed for that reason.
fn has_no_room(path: &Path) -> bool {
    let directory = path.parent().unwrap_or(Path::new("/"));
    statvfs(directory).is_ok_and(|disk| disk.blocks_available() * disk.fragment_size() < ROOM)
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "there is no store at `{}`", path.display()),
            Self::Damaged(path, reason) => write!(
                f,
                "the store `{}` is damaged ({reason}); it was left as it is: move it away and restore a copy, or name another with --store",
                path.display()
            ),
            Self::Foreign(path) => write!(
                f,
                "`{}` is a database of another program and was left as it is; name another file with --store",
                path.display()
            ),
            Self::Newer(path, found) => write!(
                f,
                "the store `{}` has version {found}, and this tlc knows versions up to {}; it was left as it is: use a newer tlc, or name another store with --store",
                path.display(),
                schema::VERSION
            ),
            Self::ReadOnly(path, reason) => {
                write!(f, "the store `{}` cannot be written ({reason}); no test was started", path.display())
            }
            Self::Locked(path, process) => {
                let who = process.map_or_else(String::new, |process| format!(" (process {process})"));
                write!(
                    f,
                    "the store `{}` is in use by another tlc{who}; wait for it, or name another with --store",
                    path.display()
                )
            }
            Self::Full(path) => write!(f, "there is no room left for the store `{}`", path.display()),
            Self::Other(path, reason) => write!(f, "the store `{}` cannot be used: {reason}", path.display()),
        }
    }
}

impl std::error::Error for StoreError {}

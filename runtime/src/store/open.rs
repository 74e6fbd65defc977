//! Opens a store, for writing or for reading, and refuses what is not one.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::failpoint::Failpoint;
use super::{Reader, Store, StoreError, schema, with_suffix};

/// Up to this size the whole store is checked when it is opened; that takes well under a second.
const CHECKED_SIZE: u64 = 32 << 20;

/// How often the lock of a program that is gone is tried again, and how long after.
const PATIENCE: u32 = 200;
const PAUSE: Duration = Duration::from_millis(10);

/// After how many changed pages these are written to where they belong. A page that changes with each test is written once for all of them.
const CHECKPOINT: u32 = 4000;

/// How many statements are kept ready, which are more than a run has.
const STATEMENTS: usize = 64;

const HEADER: &[u8; 16] = b"SQLite format 3\0";

pub(super) fn writable(path: &Path) -> Result<Store, StoreError> {
    make_directory(path)?;
    let beside = with_suffix(path, ".lock");
    let is_new = !beside.exists();
    let opened = lock(path).and_then(|lock| writable_under(path, lock));
    if is_new && matches!(&opened, Err(error) if !matches!(error, StoreError::Locked(..))) {
        // What was refused is left as it was.
        let _ = fs::remove_file(beside);
    }
    opened
}

fn writable_under(path: &Path, lock: File) -> Result<Store, StoreError> {
    check_header(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let fault = |error| StoreError::from_sqlite(path, &error);
    let mut connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(fault)?;
    let version = check_identity(path, &connection)?;
    if connection.is_readonly("main").map_err(fault)? {
        return Err(StoreError::ReadOnly(path.to_path_buf(), "it is read-only".into()));
    }
    check_contents(path, &connection)?;
    settle(&connection).map_err(fault)?;
    schema::migrate(&mut connection, version).map_err(fault)?;
    super::contents_of(path).clear();
    Ok(Store { path: path.to_path_buf(), connection, failpoint: Failpoint::from_environment(), _lock: Some(lock) })
}

pub(super) fn readable(path: &Path) -> Result<Reader, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing(path.to_path_buf()));
    }
    check_header(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let fault = |error| StoreError::from_sqlite(path, &error);
    let mut connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(fault)?;
    let mut version = check_identity(path, &connection);
    if matches!(version, Err(StoreError::ReadOnly(..))) && !has_no_log(path) {
        return Err(in_log(path));
    }
    if matches!(version, Err(StoreError::ReadOnly(..))) {
        connection = unchanging(path, flags).map_err(fault)?;
        version = check_identity(path, &connection);
    }
    match version? {
        0 => Err(StoreError::Missing(path.to_path_buf())),
        schema::VERSION => Ok(Reader { path: path.to_path_buf(), connection }),
        // Only a writer brings a store up to date.
        older => Err(StoreError::Other(
            path.to_path_buf(),
            format!("it has the older version {older}; the next `tlc run` brings it up to date"),
        )),
    }
}

/// What was written last is in a file that can be read only where something can be written.
fn in_log(path: &Path) -> StoreError {
    let log = with_suffix(path, "-wal");
    let reason = format!(
        "what was written last is in `{}`, which can be read only where its directory can be written; copy both files to such a directory",
        log.display()
    );
    StoreError::Other(path.to_path_buf(), reason)
}

/// Whether all of a store is in its own file.
fn has_no_log(path: &Path) -> bool {
    fs::metadata(with_suffix(path, "-wal")).map_or(true, |log| log.len() == 0)
}

/// Opens a store where nothing can be written, not even what readers and writers share: nobody writes it, so it does not change.
fn unchanging(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let mut uri = "file:".to_owned();
    for &byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => uri.push(char::from(byte)),
            other => uri += &format!("%{other:02X}"),
        }
    }
    Connection::open_with_flags(uri + "?immutable=1", flags | OpenFlags::SQLITE_OPEN_URI)
}

fn make_directory(path: &Path) -> Result<(), StoreError> {
    match path.parent() {
        Some(directory) => fs::create_dir_all(directory).map_err(|error| {
            let reason = format!("unable to make its directory: {error}");
            StoreError::ReadOnly(path.to_path_buf(), reason)
        }),
        None => Ok(()),
    }
}

/// Takes the lock of the only writer. The system gives it back when the program ends, however it ends.
fn lock(path: &Path) -> Result<File, StoreError> {
    let beside = with_suffix(path, ".lock");
    let fault = |error: &io::Error| StoreError::from_io(path, error);
    let mut options = OpenOptions::new();
    let mut file =
        options.read(true).write(true).create(true).truncate(false).open(&beside).map_err(|error| fault(&error))?;
    for attempt in 0.. {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(error)) => return Err(fault(&error)),
            Err(TryLockError::WouldBlock) => {
                let holder = holder(&mut file);
                if attempt >= PATIENCE || !holder.is_some_and(is_gone) {
                    return Err(StoreError::Locked(path.to_path_buf(), holder));
                }
                thread::sleep(PAUSE);
            }
        }
    }
    let noted = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
    noted.map_err(|error| fault(&error))?;
    Ok(file)
}

/// A program that was killed while it started another leaves the lock to that for a moment.
fn is_gone(process: u32) -> bool {
    !Path::new(&format!("/proc/{process}")).exists()
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// `SQLite` would take an empty file for a new database, and a text for nothing; the first is meant, the second is damage.
fn check_header(path: &Path) -> Result<(), StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(StoreError::from_io(path, &error)),
    };
    let mut header = Vec::new();
    file.take(HEADER.len() as u64).read_to_end(&mut header).map_err(|error| StoreError::from_io(path, &error))?;
    if header.is_empty() || header == HEADER {
        return Ok(());
    }
    Err(StoreError::Damaged(path.to_path_buf(), "it does not begin like a store".into()))
}

/// The version of a database that is a store or new.
fn check_identity(path: &Path, connection: &Connection) -> Result<i64, StoreError> {
    let fault = |error| StoreError::from_sqlite(path, &error);
    let version = schema::version(connection).map_err(fault)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(fault)?;
    match schema::application_id(connection).map_err(fault)? {
        schema::APPLICATION_ID if version > schema::VERSION => Err(StoreError::Newer(path.to_path_buf(), version)),
        schema::APPLICATION_ID => Ok(version),
        0 if version == 0 && tables == 0 => Ok(0),
        _ => Err(StoreError::Foreign(path.to_path_buf())),
    }
}

fn check_contents(path: &Path, connection: &Connection) -> Result<(), StoreError> {
    if fs::metadata(path).map_or(0, |metadata| metadata.len()) > CHECKED_SIZE {
        return Ok(());
    }
    let answer: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| StoreError::from_sqlite(path, &error))?;
    if answer == "ok" {
        return Ok(());
    }
    Err(StoreError::Damaged(path.to_path_buf(), answer.replace('\n', " ")))
}

fn settle(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "foreign_keys", "ON")
}

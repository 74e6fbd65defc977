//! A store in memory, for simulations: real tables and real transactions, without a disk.
//!
//! Whoever opens it finds what the last one left, as on a disk. It goes when this value goes.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OpenFlags};

use super::failpoint::{Failpoint, Fate};
use super::{Reader, Store, StoreError, schema};

/// Keeps a store in memory alive between those who open it.
#[derive(Debug)]
pub struct Memory {
    name: String,
    anchor: Connection,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Result<Self, StoreError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("/tlc-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let anchor = connect(&name)?;
        Ok(Self { name, anchor })
    }

    /// Another store with the same contents.
    pub fn copy(&self) -> Result<Self, StoreError> {
        let copy = Self::new()?;
        let copied = self.anchor.execute("VACUUM INTO ?1", [format!("file:{}?vfs=memdb", copy.name)]);
        copied.map_err(|error| StoreError::from_sqlite(&self.path(), &error))?;
        Ok(copy)
    }

    /// Opens it as a program does that starts, and meets this fate.
    pub fn open(&self, fate: Fate) -> Result<Store, StoreError> {
        let mut connection = connect(&self.name)?;
        let fault = |error| StoreError::from_sqlite(&self.path(), &error);
        let version = schema::version(&connection).map_err(fault)?;
        schema::migrate(&mut connection, version).map_err(fault)?;
        Ok(Store { path: self.path(), connection, failpoint: Failpoint::simulated(fate), _lock: None })
    }

    /// Opens it for reading, also while a program writes.
    pub fn read(&self) -> Result<Reader, StoreError> {
        Ok(Reader { path: self.path(), connection: connect(&self.name)? })
    }

    /// A connection for whatever a test asks.
    pub fn connection(&self) -> &Connection {
        &self.anchor
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(format!("/nowhere{}", self.name))
    }
}

/// There is no log to write ahead in memory, and nothing to sync; all else is as in a file.
fn connect(name: &str) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let path = PathBuf::from(name);
    let fault = |error| StoreError::from_sqlite(&path, &error);
    let connection = Connection::open_with_flags(format!("file:{name}?vfs=memdb"), flags).map_err(fault)?;
    connection.pragma_update(None, "journal_mode", "MEMORY").map_err(fault)?;
    connection.pragma_update(None, "synchronous", "OFF").map_err(fault)?;
    connection.pragma_update(None, "foreign_keys", "ON").map_err(fault)?;
    Ok(connection)
}

impl Store {
    /// How many steps this program has made, or tried to make.
    #[doc(hidden)]
    pub fn steps(&self) -> u64 {
        self.failpoint.steps()
    }
}

//! Reads what outlives a test: values of a run, of the station, and the data shelf.

use rusqlite::OptionalExtension as _;

use super::{RunNumber, Store, StoreError};

impl Store {
    /// The values of a run, by name, each as JSON.
    pub fn run_data(&self, run: RunNumber) -> Result<Vec<(String, String)>, StoreError> {
        self.pairs(&format!("SELECT key, value FROM run_data WHERE run = {} ORDER BY key", run.0))
    }

    /// The values of the station, by name, each as JSON.
    pub fn cache(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.pairs("SELECT key, value FROM cache ORDER BY key")
    }

    /// The data shelf, as JSON.
    pub fn shelf(&self) -> Result<Option<String>, StoreError> {
        self.connection
            .query_row("SELECT value FROM shelf", [], |row| row.get(0))
            .optional()
            .map_err(|error| self.fault(&error))
    }

    fn pairs(&self, sql: &str) -> Result<Vec<(String, String)>, StoreError> {
        let read = || {
            self.connection
                .prepare_cached(sql)?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| self.fault(&error))
    }
}

//! Care of a store: is it whole, can it be smaller, and a copy of it.

use std::fs::{self, File};
use std::path::Path;

use rusqlite::Connection;
use serde::Serialize;

use super::{Reader, Store, StoreError, with_suffix};

/// What a check has looked at, and what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// How many runs the store has.
    pub runs: u64,
    /// How many attempts.
    pub attempts: u64,
    /// How many events.
    pub events: u64,
    /// How many logs were compared with their hashes.
    pub logs: u64,
    /// How many contents of attachments were compared with their hashes.
    pub contents: u64,
    /// What is wrong, for people.
    pub findings: Vec<String>,
}

/// A log that a store names.
struct NamedLog {
    run: i64,
    path: String,
    file: String,
    sha256: String,
}

/// Rows that contradict each other: a query that counts them, and what they are.
const CONTRADICTIONS: [(&str, &str); 3] = [
    (
        "SELECT count(*) FROM attempts JOIN runs USING (run) WHERE outcome IS NULL AND runs.state IN ('finished', 'stopped')",
        "attempts of runs that ended have no end",
    ),
    (
        "SELECT count(*) FROM attempts WHERE NOT EXISTS (SELECT 1 FROM events WHERE events.run = attempts.run
            AND kind = 'attempt_started' AND events.invocation = attempts.invocation)",
        "attempts have no event",
    ),
    (
        "SELECT count(*) FROM runs WHERE state IN ('finished', 'stopped') AND NOT EXISTS
            (SELECT 1 FROM events WHERE events.run = runs.run AND kind = 'run_ended')",
        "runs have ended without an event",
    ),
];

impl Reader {
    /// Looks at every page, at what contradicts itself, and at every log; `hash` gives the SHA-256 of a file.
    pub fn check(&self, hash: impl Fn(&Path) -> std::io::Result<String>) -> Result<Checked, StoreError> {
        let mut checked = self.look().map_err(|error| self.fault(&error))?;
        for log in self.logs().map_err(|error| self.fault(&error))? {
            checked.logs += 1;
            checked.findings.extend(log.finding(&hash));
        }
        for (sha256, name) in self.named_contents().map_err(|error| self.fault(&error))? {
            checked.contents += 1;
            let file = self.contents().file(&sha256);
            let shown = file.display();
            checked.findings.extend(match hash(&file) {
                Ok(found) if found == sha256 => None,
                Ok(_) => Some(format!("the attachment `{name}`: its content `{shown}` has changed")),
                Err(error) => Some(format!("the attachment `{name}`: its content `{shown}` cannot be read: {error}")),
            });
        }
        Ok(checked)
    }

    fn named_contents(&self) -> rusqlite::Result<Vec<(String, String)>> {
        self.connection
            .prepare("SELECT sha256, min(name) FROM attachments GROUP BY sha256 ORDER BY sha256")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    }

    fn look(&self) -> rusqlite::Result<Checked> {
        let connection = &self.connection;
        let mut findings = rows(connection, "PRAGMA integrity_check")?;
        findings.retain(|line| line != "ok");
        let orphans = count(connection, "SELECT count(*) FROM pragma_foreign_key_check")?;
        findings.extend((orphans > 0).then(|| format!("{orphans} rows belong to nothing")));
        for (sql, what) in CONTRADICTIONS {
            let number = count(connection, sql)?;
            findings.extend((number > 0).then(|| format!("{number} {what}")));
        }
        Ok(Checked {
            runs: count(connection, "SELECT count(*) FROM runs")?,
            attempts: count(connection, "SELECT count(*) FROM attempts")?,
            events: count(connection, "SELECT count(*) FROM events")?,
            logs: 0,
            contents: 0,
            findings,
        })
    }

    fn logs(&self) -> rusqlite::Result<Vec<NamedLog>> {
        self.connection
            .prepare(
                "SELECT run, path, log, log_sha256 FROM attempts WHERE log_sha256 IS NOT NULL ORDER BY run, started_at",
            )?
            .query_map([], |row| {
                Ok(NamedLog { run: row.get(0)?, path: row.get(1)?, file: row.get(2)?, sha256: row.get(3)? })
            })?
            .collect()
    }

    /// Writes a copy of the store, as it is at this moment, to a file that does not exist; also while a run is on. It is durable when this
    /// returns.
    pub fn back_up(&self, target: &Path) -> Result<u64, StoreError> {
        let fault = |error: &std::io::Error| StoreError::from_io(target, error);
        if target.exists() {
            return Err(StoreError::Other(target.to_path_buf(), "it exists already".into()));
        }
        let part = with_suffix(target, ".part");
        let _ = fs::remove_file(&part);
        let copied = self.connection.execute("VACUUM INTO ?1", [part.to_string_lossy()]);
        copied.map_err(|error| StoreError::from_sqlite(target, &error))?;
        let size = File::open(&part)
            .and_then(|file| file.sync_all().and_then(|()| file.metadata()))
            .map_err(|error| fault(&error))?
            .len();
        fs::rename(&part, target).map_err(|error| fault(&error))?;
        let directory = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(|error| fault(&error))?;
        Ok(size)
    }
}

impl NamedLog {
    fn finding(&self, hash: impl Fn(&Path) -> std::io::Result<String>) -> Option<String> {
        let Self { run, path, file, sha256 } = self;
        match hash(Path::new(file)) {
            Ok(found) if found == *sha256 => None,
            Ok(_) => Some(format!("run {run}, `{path}`: the log `{file}` has changed")),
            Err(error) => Some(format!("run {run}, `{path}`: the log `{file}` cannot be read: {error}")),
        }
    }
}

impl Store {
    /// Gives room that is not used back to the disk; the sizes before and after, in bytes.
    pub fn vacuum(&mut self) -> Result<(u64, u64), StoreError> {
        let before = self.size();
        self.connection
            .execute_batch("PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")
            .map_err(|error| self.fault(&error))?;
        Ok((before, self.size()))
    }

    fn size(&self) -> u64 {
        let size = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.len());
        size(&self.path) + size(&with_suffix(&self.path, "-wal"))
    }
}

fn rows(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

fn count(connection: &Connection, sql: &str) -> rusqlite::Result<u64> {
    connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

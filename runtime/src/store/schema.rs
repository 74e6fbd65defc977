//! The tables of a store, and the steps from one version to the next.

use rusqlite::{Connection, Transaction};

/// The version that this program writes: the number of steps.
pub const VERSION: i64 = STEPS.len() as i64;

/// `tlcS`, in the header of every store.
pub(super) const APPLICATION_ID: i64 = 0x746c_6353;

/// Each step makes the next version out of the one before; a step that was released never changes.
const STEPS: [&str; 4] = [FIRST, USAGE, REPORTED, COMPACT];

const FIRST: &str = "
CREATE TABLE plans (
    hash TEXT PRIMARY KEY,
    list TEXT NOT NULL,
    stored_at TEXT NOT NULL,
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE runs (
    run INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    plan_hash TEXT NOT NULL REFERENCES plans (hash),
    list TEXT NOT NULL,
    station TEXT NOT NULL,
    slot INTEGER NOT NULL,
    unit TEXT NOT NULL,
    operator TEXT NOT NULL,
    phase TEXT NOT NULL,
    root TEXT NOT NULL,
    continues INTEGER REFERENCES runs (run),
    settings TEXT NOT NULL,
    tlc_version TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'stopped', 'abandoned')),
    verdict TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    duration_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX runs_by_plan ON runs (plan_hash, slot, run);
CREATE INDEX runs_open ON runs (state) WHERE state = 'running';

CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs (run),
    slot INTEGER NOT NULL,
    unit TEXT NOT NULL,
    at TEXT NOT NULL,
    monotonic_us INTEGER NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('schedule', 'station')),
    kind TEXT NOT NULL,
    path TEXT,
    invocation TEXT,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_run ON events (run, seq);
CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;

CREATE TABLE tests (
    run INTEGER NOT NULL REFERENCES runs (run),
    path TEXT NOT NULL,
    position INTEGER NOT NULL,
    label TEXT NOT NULL,
    leaf INTEGER NOT NULL,
    teardown INTEGER NOT NULL,
    status TEXT NOT NULL,
    outcome TEXT,
    message TEXT,
    note TEXT,
    count INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (run, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
    invocation TEXT PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (run),
    slot INTEGER NOT NULL,
    unit TEXT NOT NULL,
    path TEXT NOT NULL,
    number INTEGER NOT NULL,
    program TEXT NOT NULL,
    arguments TEXT NOT NULL,
    log TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    duration_ms INTEGER,
    outcome TEXT,
    message TEXT,
    traceback TEXT,
    exit_code INTEGER,
    exit_signal INTEGER,
    log_written INTEGER,
    log_left_out INTEGER,
    log_sha256 TEXT,
    log_error TEXT
) STRICT;
CREATE INDEX attempts_by_run ON attempts (run, started_at);
CREATE INDEX attempts_by_path ON attempts (path, started_at);

CREATE TABLE device_data (
    slot INTEGER PRIMARY KEY,
    changed_at TEXT NOT NULL,
    value TEXT NOT NULL
) STRICT;
";

const USAGE: &str = "
ALTER TABLE attempts ADD COLUMN source_sha256 TEXT;
ALTER TABLE attempts ADD COLUMN operator TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN cpu_ms INTEGER;
ALTER TABLE attempts ADD COLUMN peak_memory_bytes INTEGER;
";

const REPORTED: &str = "
ALTER TABLE attempts ADD COLUMN error_code TEXT;
ALTER TABLE runs ADD COLUMN identity TEXT NOT NULL DEFAULT '{}';

CREATE TABLE measurements (
    invocation TEXT NOT NULL REFERENCES attempts (invocation),
    position INTEGER NOT NULL,
    at TEXT NOT NULL,
    name TEXT NOT NULL,
    label TEXT,
    group_name TEXT,
    value TEXT,
    series TEXT,
    unit TEXT,
    limits TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('passed', 'failed', 'unset')),
    message TEXT,
    PRIMARY KEY (invocation, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX measurements_by_name ON measurements (name, at);

CREATE TABLE results (
    invocation TEXT NOT NULL REFERENCES attempts (invocation),
    position INTEGER NOT NULL,
    at TEXT NOT NULL,
    name TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('passed', 'failed', 'error', 'skipped')),
    message TEXT,
    duration_secs REAL,
    PRIMARY KEY (invocation, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE attachments (
    invocation TEXT NOT NULL REFERENCES attempts (invocation),
    position INTEGER NOT NULL,
    at TEXT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    description TEXT,
    size INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (invocation, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX attachments_by_content ON attachments (sha256);

CREATE TABLE notes (
    invocation TEXT NOT NULL REFERENCES attempts (invocation),
    position INTEGER NOT NULL,
    at TEXT NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('info', 'warning', 'critical')),
    key TEXT,
    text TEXT NOT NULL,
    PRIMARY KEY (invocation, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE prompts (
    invocation TEXT NOT NULL REFERENCES attempts (invocation),
    position INTEGER NOT NULL,
    at TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    state TEXT NOT NULL,
    answer TEXT,
    answered_by TEXT,
    answered_at TEXT,
    PRIMARY KEY (invocation, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_data (
    run INTEGER NOT NULL REFERENCES runs (run),
    key TEXT NOT NULL,
    changed_at TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE cache (
    key TEXT PRIMARY KEY,
    changed_at TEXT NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE shelf (
    place INTEGER PRIMARY KEY CHECK (place = 1),
    changed_at TEXT NOT NULL,
    value TEXT NOT NULL
) STRICT;
";

/// Fewer pages change with each test: `events` needs no counter of its own, as no row goes, and `attempts` are found by their own tree. And
/// the plan that a run had at last is found without a look at all its events.
const COMPACT: &str = "
CREATE TABLE new_events (
    seq INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (run),
    slot INTEGER NOT NULL,
    unit TEXT NOT NULL,
    at TEXT NOT NULL,
    monotonic_us INTEGER NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('schedule', 'station')),
    kind TEXT NOT NULL,
    path TEXT,
    invocation TEXT,
    body TEXT NOT NULL
) STRICT;
INSERT INTO new_events (seq, run, slot, unit, at, monotonic_us, source, kind, path, invocation, body)
    SELECT seq, run, slot, unit, at, monotonic_us, source, kind, path, invocation, body FROM events ORDER BY seq;
DROP TABLE events;
ALTER TABLE new_events RENAME TO events;
CREATE INDEX events_by_run ON events (run, seq);
CREATE INDEX events_of_edits ON events (run, seq) WHERE kind = 'plan_replaced';
CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;

CREATE TABLE new_attempts (
    invocation TEXT PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (run),
    slot INTEGER NOT NULL,
    unit TEXT NOT NULL,
    path TEXT NOT NULL,
    number INTEGER NOT NULL,
    program TEXT NOT NULL,
    arguments TEXT NOT NULL,
    log TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    duration_ms INTEGER,
    outcome TEXT,
    message TEXT,
    traceback TEXT,
    exit_code INTEGER,
    exit_signal INTEGER,
    log_written INTEGER,
    log_left_out INTEGER,
    log_sha256 TEXT,
    log_error TEXT,
    source_sha256 TEXT,
    operator TEXT NOT NULL DEFAULT '',
    cpu_ms INTEGER,
    peak_memory_bytes INTEGER,
    error_code TEXT
) STRICT, WITHOUT ROWID;
INSERT INTO new_attempts (invocation, run, slot, unit, path, number, program, arguments, log, started_at, ended_at,
        duration_ms, outcome, message, traceback, exit_code, exit_signal, log_written, log_left_out, log_sha256, log_error,
        source_sha256, operator, cpu_ms, peak_memory_bytes, error_code)
    SELECT invocation, run, slot, unit, path, number, program, arguments, log, started_at, ended_at,
        duration_ms, outcome, message, traceback, exit_code, exit_signal, log_written, log_left_out, log_sha256, log_error,
        source_sha256, operator, cpu_ms, peak_memory_bytes, error_code FROM attempts ORDER BY invocation;
DROP TABLE attempts;
ALTER TABLE new_attempts RENAME TO attempts;
CREATE INDEX attempts_by_run ON attempts (run, started_at);
CREATE INDEX attempts_by_path ON attempts (path, started_at);
";

/// The version of an open store; 0 if it is new.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// The program that an open database belongs to; 0 if none.
pub(super) fn application_id(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA application_id", [], |row| row.get(0))
}

/// Brings an open store from version `from` to [`VERSION`], wholly or not at all.
pub(super) fn migrate(connection: &mut Connection, from: i64) -> rusqlite::Result<()> {
    migrate_to(connection, from, VERSION)
}

pub(super) fn migrate_to(connection: &mut Connection, from: i64, to: i64) -> rusqlite::Result<()> {
    if from == to {
        return Ok(());
    }
    // A table that is made anew would take what refers to its rows with it.
    connection.pragma_update(None, "foreign_keys", "OFF")?;
    let made = take_steps(connection, from, to);
    connection.pragma_update(None, "foreign_keys", "ON")?;
    made
}

fn take_steps(connection: &mut Connection, from: i64, to: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let steps = usize::try_from(from).unwrap_or_default()..usize::try_from(to).unwrap_or_default();
    for step in STEPS.get(steps).unwrap_or_default() {
        transaction.execute_batch(step)?;
    }
    seal(&transaction, to)?;
    transaction.commit()
}

fn seal(transaction: &Transaction<'_>, version: i64) -> rusqlite::Result<()> {
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", version)
}

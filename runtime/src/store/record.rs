//! Writes: runs, events, and the tables of results that follow from them.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, named_params, params};

use super::items::{self, ItemRow};
use super::{Moment, RunNumber, Store, StoreError};

/// A run that begins.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// Its id, unique in the world.
    pub id: String,
    /// The hash of its plan.
    pub plan_hash: String,
    /// The plan itself.
    pub plan: String,
    /// The id of its list.
    pub list: String,
    /// The station.
    pub station: String,
    /// The slot of the station.
    pub slot: u32,
    /// The unit under test; empty while it is not known.
    pub unit: String,
    /// Who runs it.
    pub operator: String,
    /// The phase of the project.
    pub phase: String,
    /// The subtree that runs; empty for the whole list.
    pub root: String,
    /// The run whose states it begins with.
    pub continues: Option<RunNumber>,
    /// What it was set to, as JSON; enough to replay it.
    pub settings: String,
}

/// Who an event is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// It was given to the scheduler; a replay gives it again.
    Schedule,
    /// It is for the record only.
    Station,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Who it is for.
    pub source: Source,
    /// What kind of event.
    pub kind: String,
    /// The node that it is about.
    pub path: Option<String>,
    /// The attempt that it is about.
    pub invocation: Option<String>,
    /// When, by the clock on the wall.
    pub at: Timestamp,
    /// When, since the program started.
    pub monotonic: Duration,
    /// The rest, as JSON.
    pub body: String,
}

/// What an event changes in the tables of results.
#[derive(Clone, Debug)]
pub enum Change {
    /// A node that a run has.
    Test {
        /// Its path.
        path: String,
        /// Its place in the list.
        position: u32,
        /// What people call it.
        label: String,
        /// Whether it is a test, not a group.
        leaf: bool,
        /// Whether it is, or is in, a teardown.
        teardown: bool,
    },
    /// Another plan takes the place of the one before it.
    Plan {
        /// Its hash.
        hash: String,
        /// The id of its list.
        list: String,
        /// The plan itself.
        plan: String,
    },
    /// The state of a node.
    State {
        /// Its path.
        path: String,
        /// Its status.
        status: &'static str,
        /// How its last attempt ended.
        outcome: Option<String>,
        /// What was wrong.
        message: Option<String>,
        /// How often it was started.
        count: u32,
        /// All of the state, as JSON.
        state: String,
    },
    /// Why a node did not run.
    Note {
        /// Its path.
        path: String,
        /// Why.
        note: String,
    },
    /// An attempt begins.
    AttemptStarted(AttemptStart),
    /// An attempt ended.
    AttemptEnded(AttemptEnd),
    /// A test reported something.
    Item(Box<ItemRow>),
    /// Who and what takes part in the run.
    Identity {
        /// All of it, as JSON.
        identity: String,
        /// The unit under test; empty while it is not known.
        unit: String,
        /// Who runs it; empty while that is not known.
        operator: String,
    },
    /// A value of the run.
    RunData {
        /// Its name.
        key: String,
        /// The value, as JSON; `None` if it was deleted.
        value: Option<String>,
    },
    /// A value of the station.
    Cache {
        /// Its name.
        key: String,
        /// The value, as JSON; `None` if it was deleted.
        value: Option<String>,
    },
    /// The data shelf changed.
    Shelf {
        /// All of it, as JSON.
        value: String,
    },
    /// Device data changed.
    DeviceData {
        /// All of it, as JSON.
        value: String,
    },
    /// The run is over.
    RunEnded {
        /// `finished` or `stopped`.
        state: &'static str,
        /// The status of the subtree that was run.
        verdict: &'static str,
        /// How many attempts it had.
        attempts: u32,
        /// How long it took, all its parts together.
        duration: Duration,
    },
}

/// The beginning of an attempt.
#[derive(Clone, Debug)]
pub struct AttemptStart {
    /// Its id.
    pub invocation: String,
    /// The test.
    pub path: String,
    /// Which start of the test, from 1.
    pub number: u32,
    /// What runs, as JSON.
    pub program: String,
    /// The arguments as resolved, as JSON.
    pub arguments: String,
    /// The SHA-256 of the test's source.
    pub source_sha256: Option<String>,
    /// Who runs it.
    pub operator: String,
    /// The file of its output.
    pub log: String,
}

/// The end of an attempt.
#[derive(Clone, Debug, Default)]
pub struct AttemptEnd {
    /// Its id.
    pub invocation: String,
    /// How it ended.
    pub outcome: String,
    /// Why it did not pass.
    pub message: Option<String>,
    /// Where.
    pub traceback: Option<String>,
    /// A short code for statistics.
    pub error_code: Option<String>,
    /// The exit code of its process.
    pub exit_code: Option<i32>,
    /// The signal that ended its process.
    pub exit_signal: Option<i32>,
    /// How long it took; `None` if that is not known.
    pub duration: Option<Duration>,
    /// The CPU time of its processes.
    pub cpu: Option<Duration>,
    /// The most memory that one of them held, in bytes.
    pub peak_memory: Option<u64>,
    /// How much it wrote.
    pub log_written: u64,
    /// How much of that was left out.
    pub log_left_out: u64,
    /// The SHA-256 of the log.
    pub log_sha256: Option<String>,
    /// Why the log is not complete.
    pub log_error: Option<String>,
}

impl Store {
    /// Records the beginning of a run, with the rows of its nodes.
    pub fn begin(&mut self, run: &NewRun, nodes: &[Change]) -> Result<RunNumber, StoreError> {
        self.step(|store| store.begin_inner(run, nodes)).map(RunNumber)
    }

    fn begin_inner(&mut self, run: &NewRun, nodes: &[Change]) -> rusqlite::Result<i64> {
        let transaction = self.connection.transaction()?;
        let now = time(Timestamp::now());
        store_plan(&transaction, &now, &run.plan_hash, &run.list, &run.plan)?;
        transaction.execute(
            "INSERT INTO runs (id, plan_hash, list, station, slot, unit, operator, phase, root, continues, settings,
                tlc_version, started_at, state)
             VALUES (:id, :plan_hash, :list, :station, :slot, :unit, :operator, :phase, :root, :continues, :settings,
                :tlc_version, :started_at, 'running')",
            named_params! {
                ":id": run.id, ":plan_hash": run.plan_hash, ":list": run.list, ":station": run.station,
                ":slot": run.slot, ":unit": run.unit, ":operator": run.operator, ":phase": run.phase,
                ":root": run.root, ":continues": run.continues.map(|number| number.0), ":settings": run.settings,
                ":tlc_version": env!("CARGO_PKG_VERSION"), ":started_at": now,
            },
        )?;
        let number = transaction.last_insert_rowid();
        let key = RunKey { number: RunNumber(number), slot: run.slot, unit: run.unit.clone() };
        for node in nodes {
            apply(&transaction, &key, &now, node)?;
        }
        transaction.commit()?;
        Ok(number)
    }

    /// Records what happened and what follows from it, in one transaction; when this returns it is durable.
    pub fn commit(&mut self, run: &RunKey, entries: &[Entry], changes: &[Change]) -> Result<(), StoreError> {
        if entries.is_empty() && changes.is_empty() {
            return Ok(());
        }
        self.step(|store| store.commit_inner(run, entries, changes))
    }

    /// Does something that becomes durable as a whole, or not at all.
    fn step<T>(&mut self, step: impl FnOnce(&mut Self) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.failpoint.pass(Moment::Before);
        if self.failpoint.is_full() {
            return Err(StoreError::Full(self.path.clone()));
        }
        let made = step(self).map_err(|error| self.fault(&error))?;
        self.failpoint.pass(Moment::After);
        Ok(made)
    }

    fn commit_inner(&mut self, run: &RunKey, entries: &[Entry], changes: &[Change]) -> rusqlite::Result<()> {
        // A transaction of the library would have its words read anew each time.
        self.connection.prepare_cached("BEGIN")?.execute([])?;
        let made = self.write(run, entries, changes);
        if made.is_err() && !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        made
    }

    /// Writes all that a transaction has, and ends it.
    fn write(&self, run: &RunKey, entries: &[Entry], changes: &[Change]) -> rusqlite::Result<()> {
        for entry in entries {
            insert(&self.connection, run, entry)?;
        }
        let now = time(Timestamp::now());
        for change in changes {
            apply(&self.connection, run, &now, change)?;
        }
        self.connection.prepare_cached("COMMIT")?.execute([]).map(|_| ())
    }

    /// Ends the attempts of an interrupted run that did not come to their end: as crashed, or as passed if a shutdown was their purpose.
    pub fn end_lost_attempts(&mut self, run: RunNumber, ordered: bool) -> Result<(), StoreError> {
        let (outcome, message) = if ordered {
            ("passed", None)
        } else {
            ("crashed", Some("the device or the station's program went away while it ran"))
        };
        self.step(|store| {
            store.connection.execute(
                "UPDATE attempts SET ended_at = ?2, outcome = ?3, message = ?4 WHERE run = ?1 AND outcome IS NULL",
                params![run.0, time(Timestamp::now()), outcome, message],
            )
        })
        .map(|_| ())
    }

    /// Gives up an interrupted run: it will not be resumed.
    pub fn abandon(&mut self, run: RunNumber) -> Result<(), StoreError> {
        self.step(|store| {
            store.connection.execute(
                "UPDATE runs SET state = 'abandoned', ended_at = ?2 WHERE run = ?1",
                params![run.0, time(Timestamp::now())],
            )
        })
        .map(|_| ())
    }
}

/// What every row of a run carries.
#[derive(Clone, Debug)]
pub struct RunKey {
    /// The run.
    pub number: RunNumber,
    /// The slot of the station.
    pub slot: u32,
    /// The unit under test.
    pub unit: String,
}

/// A time as it stands in a store: RFC 3339, UTC, milliseconds.
pub(crate) fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}

fn insert(connection: &Connection, run: &RunKey, entry: &Entry) -> rusqlite::Result<()> {
    let source = match entry.source {
        Source::Schedule => "schedule",
        Source::Station => "station",
    };
    connection
        .prepare_cached(
            "INSERT INTO events (run, slot, unit, at, monotonic_us, source, kind, path, invocation, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            run.number.0,
            run.slot,
            run.unit,
            time(entry.at),
            whole(entry.monotonic.as_micros()),
            source,
            entry.kind,
            entry.path,
            entry.invocation,
            entry.body
        ])
        .map(|_| ())
}

fn apply(connection: &Connection, run: &RunKey, now: &str, change: &Change) -> rusqlite::Result<()> {
    let changed = match change {
        Change::Test { path, position, label, leaf, teardown } => connection
            .prepare_cached(
                "INSERT INTO tests (run, path, position, label, leaf, teardown, status, count, state)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'UNTESTED', 0, '')
                 ON CONFLICT (run, path) DO UPDATE SET position = excluded.position, label = excluded.label,
                    leaf = excluded.leaf, teardown = excluded.teardown, note = NULL",
            )?
            .execute(params![run.number.0, path, position, label, leaf, teardown])?,
        Change::Plan { hash, list, plan } => store_plan(connection, now, hash, list, plan)?,
        Change::State { path, status, outcome, message, count, state } => connection
            .prepare_cached(
                "UPDATE tests SET status = ?3, outcome = ?4, message = ?5, count = ?6, state = ?7 WHERE run = ?1 AND path = ?2",
            )?
            .execute(params![run.number.0, path, status, outcome, message, count, state])?,
        Change::Note { path, note } => connection
            .prepare_cached("UPDATE tests SET note = ?3 WHERE run = ?1 AND path = ?2")?
            .execute(params![run.number.0, path, note])?,
        Change::Item(item) => items::write(connection, item)?,
        Change::Identity { identity, unit, operator } => connection
            .prepare_cached("UPDATE runs SET identity = ?2, unit = ?3, operator = ?4 WHERE run = ?1")?
            .execute(params![run.number.0, identity, unit, operator])?,
        Change::RunData { key, value: Some(value) } => connection
            .prepare_cached("INSERT OR REPLACE INTO run_data (run, key, changed_at, value) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![run.number.0, key, now, value])?,
        Change::RunData { key, value: None } => connection
            .prepare_cached("DELETE FROM run_data WHERE run = ?1 AND key = ?2")?
            .execute(params![run.number.0, key])?,
        Change::Cache { key, value: Some(value) } => connection
            .prepare_cached("INSERT OR REPLACE INTO cache (key, changed_at, value) VALUES (?1, ?2, ?3)")?
            .execute(params![key, now, value])?,
        Change::Cache { key, value: None } => {
            connection.prepare_cached("DELETE FROM cache WHERE key = ?1")?.execute(params![key])?
        }
        Change::Shelf { value } => connection
            .prepare_cached("INSERT OR REPLACE INTO shelf (place, changed_at, value) VALUES (1, ?1, ?2)")?
            .execute(params![now, value])?,
        Change::AttemptStarted(start) => start_attempt(connection, run, now, start)?,
        Change::AttemptEnded(end) => end_attempt(connection, now, end)?,
        Change::DeviceData { value } => connection
            .prepare_cached(
                "INSERT INTO device_data (slot, changed_at, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT (slot) DO UPDATE SET changed_at = excluded.changed_at, value = excluded.value",
            )?
            .execute(params![run.slot, now, value])?,
        Change::RunEnded { state, verdict, attempts, duration } => connection
            .prepare_cached(
                "UPDATE runs SET state = ?2, verdict = ?3, attempts = ?4, duration_ms = ?5, ended_at = ?6 WHERE run = ?1",
            )?
            .execute(params![run.number.0, state, verdict, attempts, whole(duration.as_millis()), now])?,
    };
    debug_assert!(changed <= 1, "a change is about one row");
    Ok(())
}

fn store_plan(connection: &Connection, now: &str, hash: &str, list: &str, plan: &str) -> rusqlite::Result<usize> {
    connection.execute(
        "INSERT INTO plans (hash, list, stored_at, bytes) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        params![hash, list, now, plan.as_bytes()],
    )
}

fn start_attempt(connection: &Connection, run: &RunKey, now: &str, start: &AttemptStart) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "INSERT INTO attempts (invocation, run, slot, unit, path, number, program, arguments, log, started_at,
                source_sha256, operator)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            start.invocation,
            run.number.0,
            run.slot,
            run.unit,
            start.path,
            start.number,
            start.program,
            start.arguments,
            start.log,
            now,
            start.source_sha256,
            start.operator
        ])
}

fn end_attempt(connection: &Connection, now: &str, end: &AttemptEnd) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "UPDATE attempts SET ended_at = ?2, duration_ms = ?3, outcome = ?4, message = ?5, traceback = ?6, exit_code = ?7,
                exit_signal = ?8, log_written = ?9, log_left_out = ?10, log_sha256 = ?11, log_error = ?12, cpu_ms = ?13, peak_memory_bytes = ?14,
                error_code = ?15
             WHERE invocation = ?1",
        )?
        .execute(params![
            end.invocation,
            now,
            end.duration.map(|duration| whole(duration.as_millis())),
            end.outcome,
            end.message,
            end.traceback,
            end.exit_code,
            end.exit_signal,
            end.log_written as i64,
            end.log_left_out as i64,
            end.log_sha256,
            end.log_error,
            end.cpu.map(|cpu| whole(cpu.as_millis())),
            end.peak_memory.map(|bytes| bytes as i64),
            end.error_code
        ])
}

fn whole(number: u128) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

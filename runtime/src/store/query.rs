//! Reads: interrupted runs to resume, and results to show.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::items::{self, AttachmentRow, MeasurementRow, NoteRow, PartRow, PromptRow};
use super::{Reader, RunNumber, Store, StoreError};

/// A run.
#[derive(Clone, Debug, Serialize)]
pub struct RunRow {
    /// Its number in the store.
    pub run: i64,
    /// Its id.
    pub id: String,
    /// The hash of its plan.
    pub plan_hash: String,
    /// The id of its list.
    pub list: String,
    /// The station.
    pub station: String,
    /// The slot.
    pub slot: u32,
    /// The unit under test.
    pub unit: String,
    /// Who ran it.
    pub operator: String,
    /// The phase.
    pub phase: String,
    /// The subtree that was run; empty for the whole list.
    pub root: String,
    /// The run whose states it began with.
    pub continues: Option<i64>,
    /// What it was set to, as JSON.
    #[serde(skip)]
    pub settings: String,
    /// The version of tlc.
    pub tlc_version: String,
    /// When it began.
    pub started_at: String,
    /// When it ended.
    pub ended_at: Option<String>,
    /// `running` (or interrupted), `finished`, `stopped`, `abandoned`.
    pub state: String,
    /// The status of what was run.
    pub verdict: Option<String>,
    /// How many attempts it had.
    pub attempts: u32,
    /// How long it took, in milliseconds; so far, if it did not come to its end.
    pub duration_ms: i64,
    /// Who and what takes part, as JSON.
    #[serde(serialize_with = "as_json")]
    pub identity: String,
}

/// A node of a run.
#[derive(Clone, Debug, Serialize)]
pub struct TestRow {
    /// Its path; empty for the root.
    pub path: String,
    /// What people call it.
    pub label: String,
    /// Whether it is a test, not a group.
    pub leaf: bool,
    /// Whether it is, or is in, a teardown.
    pub teardown: bool,
    /// Its status.
    pub status: String,
    /// How its last attempt ended.
    pub outcome: Option<String>,
    /// What was wrong.
    pub message: Option<String>,
    /// Why it did not run.
    pub note: Option<String>,
    /// How often it was started.
    pub count: u32,
    /// All of its state, as JSON.
    #[serde(skip)]
    pub state: String,
}

/// An attempt.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AttemptRow {
    /// Its id.
    pub invocation: String,
    /// The run.
    pub run: i64,
    /// The test.
    pub path: String,
    /// Which start of the test.
    pub number: u32,
    /// The slot.
    pub slot: u32,
    /// The unit under test.
    pub unit: String,
    /// Who ran it.
    pub operator: String,
    /// The SHA-256 of the test's source.
    pub source_sha256: Option<String>,
    /// What ran, as JSON.
    #[serde(serialize_with = "as_json")]
    pub program: String,
    /// The arguments, as JSON.
    #[serde(serialize_with = "as_json")]
    pub arguments: String,
    /// The file of its output.
    pub log: String,
    /// When it began.
    pub started_at: String,
    /// When it ended.
    pub ended_at: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<i64>,
    /// How it ended.
    pub outcome: Option<String>,
    /// Why it did not pass.
    pub message: Option<String>,
    /// Where.
    pub traceback: Option<String>,
    /// The exit code of its process.
    pub exit_code: Option<i32>,
    /// The signal that ended its process.
    pub exit_signal: Option<i32>,
    /// How much it wrote, in bytes.
    pub log_written: Option<i64>,
    /// How much of that was left out.
    pub log_left_out: Option<i64>,
    /// The SHA-256 of its log.
    pub log_sha256: Option<String>,
    /// Why its log is not complete.
    pub log_error: Option<String>,
    /// The CPU time of its processes, in milliseconds.
    pub cpu_ms: Option<i64>,
    /// The most memory that one of them held, in bytes.
    pub peak_memory_bytes: Option<i64>,
    /// A short code for statistics.
    pub error_code: Option<String>,
    /// What it measured. This and the following are there when a [`Reader`] gives them.
    pub measurements: Vec<MeasurementRow>,
    /// Its parts.
    pub results: Vec<PartRow>,
    /// Its files.
    pub attachments: Vec<AttachmentRow>,
    /// Its notes.
    pub notes: Vec<NoteRow>,
    /// Its prompts.
    pub prompts: Vec<PromptRow>,
}

/// An event, for a replay.
#[derive(Clone, Debug)]
pub struct EventRow {
    /// Its place among all events of the store.
    pub seq: i64,
    /// What kind of event.
    pub kind: String,
    /// When, since its program started, in microseconds.
    pub monotonic_us: i64,
    /// The rest, as JSON.
    pub body: String,
}

/// JSON that is kept as text is shown as what it means.
pub(super) fn as_json<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serde_json::from_str::<Value>(text).unwrap_or(Value::Null).serialize(serializer)
}

#[expect(clippy::ref_option, reason = "serde passes the field as it is")]
pub(super) fn as_optional_json<S: Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_deref().map(|text| serde_json::from_str::<Value>(text).unwrap_or(Value::Null)).serialize(serializer)
}

/// A run that did not come to its end took as long as its parts until the last thing that is known of each of them.
const RUN: &str =
    "SELECT run, id, plan_hash, list, station, slot, unit, operator, phase, root, continues, settings, tlc_version,
    started_at, ended_at, state, verdict, attempts,
    CASE WHEN state IN ('running', 'abandoned') THEN
        (SELECT coalesce(sum(monotonic_us), 0) / 1000 FROM
            (SELECT monotonic_us, lead(kind) OVER (ORDER BY seq) AS next FROM events WHERE events.run = runs.run)
            WHERE next = 'resumed' OR next IS NULL)
    ELSE duration_ms END,
    identity FROM runs";

/// The plan that a run had at last: it is another one than at first if its list was edited meanwhile.
const PLAN: &str = "coalesce((SELECT json_extract(body, '$.plan') FROM events WHERE events.run = runs.run
    AND kind = 'plan_replaced' ORDER BY seq DESC LIMIT 1), plan_hash)";

/// A run whose list became this plan by an edit.
const EDITED: &str =
    "run IN (SELECT run FROM events WHERE kind = 'plan_replaced' AND json_extract(body, '$.plan') = ?1)";

const ATTEMPT: &str =
    "SELECT invocation, run, path, number, program, arguments, log, started_at, ended_at, duration_ms, outcome,
    message, traceback, exit_code, exit_signal, log_written, log_left_out, slot, unit, operator, source_sha256,
    log_sha256, log_error, cpu_ms, peak_memory_bytes, error_code FROM attempts";

fn run(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    Ok(RunRow {
        run: row.get(0)?,
        id: row.get(1)?,
        plan_hash: row.get(2)?,
        list: row.get(3)?,
        station: row.get(4)?,
        slot: row.get(5)?,
        unit: row.get(6)?,
        operator: row.get(7)?,
        phase: row.get(8)?,
        root: row.get(9)?,
        continues: row.get(10)?,
        settings: row.get(11)?,
        tlc_version: row.get(12)?,
        started_at: row.get(13)?,
        ended_at: row.get(14)?,
        state: row.get(15)?,
        verdict: row.get(16)?,
        attempts: row.get(17)?,
        duration_ms: row.get(18)?,
        identity: row.get(19)?,
    })
}

fn attempt(row: &Row<'_>) -> rusqlite::Result<AttemptRow> {
    Ok(AttemptRow {
        invocation: row.get(0)?,
        run: row.get(1)?,
        path: row.get(2)?,
        number: row.get(3)?,
        program: row.get(4)?,
        arguments: row.get(5)?,
        log: row.get(6)?,
        started_at: row.get(7)?,
        ended_at: row.get(8)?,
        duration_ms: row.get(9)?,
        outcome: row.get(10)?,
        message: row.get(11)?,
        traceback: row.get(12)?,
        exit_code: row.get(13)?,
        exit_signal: row.get(14)?,
        log_written: row.get(15)?,
        log_left_out: row.get(16)?,
        slot: row.get(17)?,
        unit: row.get(18)?,
        operator: row.get(19)?,
        source_sha256: row.get(20)?,
        log_sha256: row.get(21)?,
        log_error: row.get(22)?,
        cpu_ms: row.get(23)?,
        peak_memory_bytes: row.get(24)?,
        error_code: row.get(25)?,
        ..AttemptRow::default()
    })
}

fn test(row: &Row<'_>) -> rusqlite::Result<TestRow> {
    Ok(TestRow {
        path: row.get(0)?,
        label: row.get(1)?,
        leaf: row.get(2)?,
        teardown: row.get(3)?,
        status: row.get(4)?,
        outcome: row.get(5)?,
        message: row.get(6)?,
        note: row.get(7)?,
        count: row.get(8)?,
        state: row.get(9)?,
    })
}

fn tests_of(connection: &Connection, number: RunNumber) -> rusqlite::Result<Vec<TestRow>> {
    connection
        .prepare_cached(
            "SELECT path, label, leaf, teardown, status, outcome, message, note, count, state FROM tests WHERE run = ?1 ORDER BY position",
        )?
        .query_map([number.0], test)?
        .collect()
}

fn attempts_of(connection: &Connection, number: RunNumber) -> rusqlite::Result<Vec<AttemptRow>> {
    connection
        .prepare_cached(&format!("{ATTEMPT} WHERE run = ?1 ORDER BY started_at, invocation"))?
        .query_map([number.0], attempt)?
        .collect()
}

impl Store {
    /// The interrupted run of this plan in this slot, if there is one. While the lock is held no other run can be on.
    pub fn interrupted(&self, plan_hash: &str, slot: u32) -> Result<Option<RunRow>, StoreError> {
        let sql = format!("{RUN} WHERE state = 'running' AND {PLAN} = ?1 AND slot = ?2 ORDER BY run DESC LIMIT 1");
        self.one_run(&sql, plan_hash, slot)
    }

    /// Interrupted runs of a list in this slot whose plan is another one, the last one first, each with the time of its last event.
    pub fn outdated(&self, list: &str, plan_hash: &str, slot: u32) -> Result<Vec<(RunRow, String)>, StoreError> {
        let sql =
            format!("{RUN} WHERE state = 'running' AND list = ?1 AND {PLAN} <> ?2 AND slot = ?3 ORDER BY run DESC");
        let read = || {
            let mut statement = self.connection.prepare(&sql)?;
            let runs =
                statement.query_map(params![list, plan_hash, slot], run)?.collect::<rusqlite::Result<Vec<_>>>()?;
            let last = "SELECT at FROM events WHERE run = ?1 ORDER BY seq DESC LIMIT 1";
            let with_time = |run: RunRow| {
                let at: Option<String> = self.connection.query_row(last, [run.run], |row| row.get(0)).optional()?;
                let at = at.unwrap_or_else(|| run.started_at.clone());
                Ok((run, at))
            };
            runs.into_iter().map(with_time).collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|error| self.fault(&error))
    }

    /// The ids of all runs that did not come to their end. While the lock is held none of them is on.
    pub fn unfinished(&self) -> Result<Vec<String>, StoreError> {
        let read = || {
            self.connection
                .prepare("SELECT id FROM runs WHERE state = 'running'")?
                .query_map([], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| self.fault(&error))
    }

    /// A run.
    pub fn run(&self, number: RunNumber) -> Result<Option<RunRow>, StoreError> {
        self.connection
            .query_row(&format!("{RUN} WHERE run = ?1"), [number.0], run)
            .optional()
            .map_err(|error| self.fault(&error))
    }

    /// The plan with this hash, as it was stored; nothing if there is none, or if it is no text.
    pub fn plan(&self, hash: &str) -> Result<Option<String>, StoreError> {
        self.connection
            .query_row("SELECT bytes FROM plans WHERE hash = ?1", [hash], |row| row.get::<_, Vec<u8>>(0))
            .optional()
            .map(|bytes| bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
            .map_err(|error| self.fault(&error))
    }

    /// The hash of the plan that a run had at last.
    pub fn plan_of(&self, number: RunNumber) -> Result<String, StoreError> {
        let sql = format!("SELECT {PLAN} FROM runs WHERE run = ?1");
        self.connection.query_row(&sql, [number.0], |row| row.get(0)).map_err(|error| self.fault(&error))
    }

    /// The last run of this plan in this slot.
    pub fn last_of_plan(&self, plan_hash: &str, slot: u32) -> Result<Option<RunRow>, StoreError> {
        let last = |of_plan: &str| {
            format!(
                "SELECT run FROM (SELECT run FROM runs WHERE {of_plan} AND slot = ?2 AND {PLAN} = ?1 ORDER BY run DESC LIMIT 1)"
            )
        };
        let (at_first, by_edit) = (last("plan_hash = ?1"), last(EDITED));
        let sql = format!("{RUN} WHERE run = (SELECT max(run) FROM ({at_first} UNION ALL {by_edit}))");
        self.one_run(&sql, plan_hash, slot)
    }

    fn one_run(&self, sql: &str, plan_hash: &str, slot: u32) -> Result<Option<RunRow>, StoreError> {
        self.connection.query_row(sql, params![plan_hash, slot], run).optional().map_err(|error| self.fault(&error))
    }

    /// The events of a run that a scheduler saw, and where it was resumed, in their order.
    pub fn scheduled_events(&self, number: RunNumber) -> Result<Vec<EventRow>, StoreError> {
        let read = || {
            self.connection
                .prepare_cached(
                    "SELECT seq, kind, monotonic_us, body FROM events WHERE run = ?1 AND (source = 'schedule' OR kind = 'resumed') ORDER BY seq",
                )?
                .query_map([number.0], |row| {
                    Ok(EventRow { seq: row.get(0)?, kind: row.get(1)?, monotonic_us: row.get(2)?, body: row.get(3)? })
                })?
                .collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| self.fault(&error))
    }

    /// The nodes of a run, in the list's order.
    pub fn tests(&self, number: RunNumber) -> Result<Vec<TestRow>, StoreError> {
        tests_of(&self.connection, number).map_err(|error| self.fault(&error))
    }

    /// The attempts of a run, in the order in which they began.
    pub fn attempts(&self, number: RunNumber) -> Result<Vec<AttemptRow>, StoreError> {
        attempts_of(&self.connection, number).map_err(|error| self.fault(&error))
    }

    /// The device data of a slot, as JSON.
    pub fn device_data(&self, slot: u32) -> Result<Option<String>, StoreError> {
        self.connection
            .query_row("SELECT value FROM device_data WHERE slot = ?1", [slot], |row| row.get(0))
            .optional()
            .map_err(|error| self.fault(&error))
    }
}

impl Reader {
    /// The latest runs, the last one first.
    pub fn runs(&self, limit: u32) -> Result<Vec<RunRow>, StoreError> {
        let read = || {
            self.connection
                .prepare(&format!("{RUN} ORDER BY run DESC LIMIT ?1"))?
                .query_map([limit], run)?
                .collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| self.fault(&error))
    }

    /// A run by its number or by the beginning of its id.
    pub fn find(&self, name: &str) -> Result<Option<RunRow>, StoreError> {
        let sql = format!(
            "{RUN} WHERE CAST(run AS TEXT) = ?1 OR (length(?1) >= 4 AND substr(id, 1, length(?1)) = ?1) ORDER BY run LIMIT 1"
        );
        self.connection.query_row(&sql, [name], run).optional().map_err(|error| self.fault(&error))
    }

    /// The nodes of a run, in the list's order.
    pub fn tests(&self, number: RunNumber) -> Result<Vec<TestRow>, StoreError> {
        tests_of(&self.connection, number).map_err(|error| self.fault(&error))
    }

    /// The attempts of a run, in the order in which they began.
    pub fn attempts(&self, number: RunNumber) -> Result<Vec<AttemptRow>, StoreError> {
        let read = || {
            let mut attempts = attempts_of(&self.connection, number)?;
            attempts
                .iter_mut()
                .try_for_each(|attempt| items::read_into(&self.connection, &self.contents(), attempt))?;
            Ok(attempts)
        };
        read().map_err(|error| self.fault(&error))
    }

    /// Whether any run has this test, or group.
    pub fn has_test(&self, path: &str) -> Result<bool, StoreError> {
        self.connection
            .query_row("SELECT EXISTS (SELECT 1 FROM tests WHERE path = ?1)", [path], |row| row.get(0))
            .map_err(|error| self.fault(&error))
    }

    /// The latest attempts at a test in all runs, the last one first.
    pub fn history(&self, path: &str, limit: u32) -> Result<Vec<AttemptRow>, StoreError> {
        let read = || {
            self.connection
                .prepare(&format!("{ATTEMPT} WHERE path = ?1 ORDER BY started_at DESC, invocation DESC LIMIT ?2"))?
                .query_map(params![path, limit], attempt)?
                .map(|attempt| {
                    let mut attempt = attempt?;
                    items::read_into(&self.connection, &self.contents(), &mut attempt)?;
                    Ok(attempt)
                })
                .collect::<rusqlite::Result<_>>()
        };
        read().map_err(|error| self.fault(&error))
    }
}

//! What tests report: measurements, parts, attachments, notes and prompts, as rows.

use std::path::PathBuf;

use rusqlite::{Connection, Row, params};
use serde::Serialize;

use super::Contents;
use super::query::{AttemptRow, as_json, as_optional_json};

/// One thing that a test reported.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemRow {
    /// A measurement.
    Measurement(MeasurementRow),
    /// A part with an outcome of its own.
    Result(PartRow),
    /// A file that stays with the attempt.
    Attachment(AttachmentRow),
    /// A text that stays with the attempt.
    Note(NoteRow),
    /// A prompt, open or answered.
    Prompt(PromptRow),
}

/// A measurement.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MeasurementRow {
    /// The attempt.
    #[serde(skip)]
    pub invocation: String,
    /// Its place among all that the attempt reported.
    pub position: u32,
    /// When.
    pub at: String,
    /// What it is called.
    pub name: String,
    /// What people call it.
    pub label: Option<String>,
    /// What it belongs to.
    pub group: Option<String>,
    /// The value, as JSON; `None` for a series.
    #[serde(serialize_with = "as_optional_json")]
    pub value: Option<String>,
    /// The axes of a series, as JSON.
    #[serde(serialize_with = "as_optional_json")]
    pub series: Option<String>,
    /// The unit.
    pub unit: Option<String>,
    /// `min`, `max`, `equals`, `matches` and `comparison`, as far as there are, as JSON.
    #[serde(serialize_with = "as_json")]
    pub limits: String,
    /// `passed`, `failed` or `unset`.
    pub outcome: String,
    /// A line for people, if it failed.
    pub message: Option<String>,
}

/// A part of a test.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PartRow {
    /// The attempt.
    #[serde(skip)]
    pub invocation: String,
    /// Its place among all that the attempt reported.
    pub position: u32,
    /// When.
    pub at: String,
    /// What it is called.
    pub name: String,
    /// `passed`, `failed`, `error` or `skipped`.
    pub outcome: String,
    /// Why.
    pub message: Option<String>,
    /// How long it took, in seconds.
    pub duration_secs: Option<f64>,
}

/// An attachment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AttachmentRow {
    /// The attempt.
    #[serde(skip)]
    pub invocation: String,
    /// Its place among all that the attempt reported.
    pub position: u32,
    /// When.
    pub at: String,
    /// What it is called.
    pub name: String,
    /// What it is.
    pub media_type: String,
    /// What people say about it.
    pub description: Option<String>,
    /// How large it is, in bytes.
    pub size: u64,
    /// The SHA-256 of its content, and the name of the file.
    pub sha256: String,
    /// That file, when a [`Reader`](super::Reader) gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<PathBuf>,
}

/// A note.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NoteRow {
    /// The attempt.
    #[serde(skip)]
    pub invocation: String,
    /// Its place among all that the attempt reported.
    pub position: u32,
    /// When.
    pub at: String,
    /// `info`, `warning` or `critical`.
    pub level: String,
    /// A later note with the same key takes its place.
    pub key: Option<String>,
    /// What it says.
    pub text: String,
}

/// A prompt.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PromptRow {
    /// The attempt.
    #[serde(skip)]
    pub invocation: String,
    /// Its place among all that the attempt reported.
    pub position: u32,
    /// When it was asked.
    pub at: String,
    /// Its name.
    pub name: String,
    /// What kind of prompt.
    pub kind: String,
    /// The question.
    pub text: String,
    /// `open`, `answered`, `timeout`, `cancelled`, `unanswerable` or `refused`.
    pub state: String,
    /// The answer, as JSON.
    #[serde(serialize_with = "as_optional_json")]
    pub answer: Option<String>,
    /// Who answered.
    pub answered_by: Option<String>,
    /// When.
    pub answered_at: Option<String>,
}

/// Writes one of them; what is known already by its place is replaced.
pub(super) fn write(connection: &Connection, item: &ItemRow) -> rusqlite::Result<usize> {
    match item {
        ItemRow::Measurement(row) => connection
            .prepare_cached(
                "INSERT INTO measurements (invocation, position, at, name, label, group_name, value, series, unit, limits, outcome, message)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            )?
            .execute(params![
                row.invocation,
                row.position,
                row.at,
                row.name,
                row.label,
                row.group,
                row.value,
                row.series,
                row.unit,
                row.limits,
                row.outcome,
                row.message
            ]),
        ItemRow::Result(row) => connection
            .prepare_cached(
                "INSERT INTO results (invocation, position, at, name, outcome, message, duration_secs)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                row.invocation,
                row.position,
                row.at,
                row.name,
                row.outcome,
                row.message,
                row.duration_secs
            ]),
        ItemRow::Attachment(row) => connection
            .prepare_cached(
                "INSERT INTO attachments (invocation, position, at, name, media_type, description, size, sha256)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                row.invocation,
                row.position,
                row.at,
                row.name,
                row.media_type,
                row.description,
                row.size.cast_signed(),
                row.sha256
            ]),
        ItemRow::Note(row) => {
            if row.key.is_some() {
                connection
                    .prepare_cached("DELETE FROM notes WHERE invocation = ?1 AND key = ?2")?
                    .execute(params![row.invocation, row.key])?;
            }
            connection
                .prepare_cached(
                    "INSERT INTO notes (invocation, position, at, level, key, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute(params![row.invocation, row.position, row.at, row.level, row.key, row.text])
        }
        ItemRow::Prompt(row) => connection
            .prepare_cached(
                "INSERT OR REPLACE INTO prompts (invocation, position, at, name, kind, text, state, answer, answered_by, answered_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                row.invocation,
                row.position,
                row.at,
                row.name,
                row.kind,
                row.text,
                row.state,
                row.answer,
                row.answered_by,
                row.answered_at
            ]),
    }
}

/// Adds to an attempt what it reported.
pub(super) fn read_into(
    connection: &Connection,
    contents: &Contents,
    attempt: &mut AttemptRow,
) -> rusqlite::Result<()> {
    let id = attempt.invocation.clone();
    attempt.measurements = rows(
        connection,
        "SELECT invocation, position, at, name, label, group_name, value, series, unit, limits, outcome, message
         FROM measurements WHERE invocation = ?1 ORDER BY position",
        &id,
        |row| {
            Ok(MeasurementRow {
                invocation: row.get(0)?,
                position: row.get(1)?,
                at: row.get(2)?,
                name: row.get(3)?,
                label: row.get(4)?,
                group: row.get(5)?,
                value: row.get(6)?,
                series: row.get(7)?,
                unit: row.get(8)?,
                limits: row.get(9)?,
                outcome: row.get(10)?,
                message: row.get(11)?,
            })
        },
    )?;
    attempt.results = rows(
        connection,
        "SELECT invocation, position, at, name, outcome, message, duration_secs FROM results WHERE invocation = ?1 ORDER BY position",
        &id,
        |row| {
            Ok(PartRow {
                invocation: row.get(0)?,
                position: row.get(1)?,
                at: row.get(2)?,
                name: row.get(3)?,
                outcome: row.get(4)?,
                message: row.get(5)?,
                duration_secs: row.get(6)?,
            })
        },
    )?;
    attempt.attachments = rows(
        connection,
        "SELECT invocation, position, at, name, media_type, description, size, sha256 FROM attachments WHERE invocation = ?1 ORDER BY position",
        &id,
        |row| {
            Ok(AttachmentRow {
                invocation: row.get(0)?,
                position: row.get(1)?,
                at: row.get(2)?,
                name: row.get(3)?,
                media_type: row.get(4)?,
                description: row.get(5)?,
                size: row.get::<_, i64>(6)?.unsigned_abs(),
                content: Some(contents.file(&row.get::<_, String>(7)?)),
                sha256: row.get(7)?,
            })
        },
    )?;
    attempt.notes = rows(
        connection,
        "SELECT invocation, position, at, level, key, text FROM notes WHERE invocation = ?1 ORDER BY position",
        &id,
        |row| {
            Ok(NoteRow {
                invocation: row.get(0)?,
                position: row.get(1)?,
                at: row.get(2)?,
                level: row.get(3)?,
                key: row.get(4)?,
                text: row.get(5)?,
            })
        },
    )?;
    attempt.prompts = rows(
        connection,
        "SELECT invocation, position, at, name, kind, text, state, answer, answered_by, answered_at FROM prompts WHERE invocation = ?1 ORDER BY position",
        &id,
        |row| {
            Ok(PromptRow {
                invocation: row.get(0)?,
                position: row.get(1)?,
                at: row.get(2)?,
                name: row.get(3)?,
                kind: row.get(4)?,
                text: row.get(5)?,
                state: row.get(6)?,
                answer: row.get(7)?,
                answered_by: row.get(8)?,
                answered_at: row.get(9)?,
            })
        },
    )?;
    Ok(())
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    invocation: &str,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare_cached(sql)?.query_map([invocation], |row| read(row))?.collect()
}

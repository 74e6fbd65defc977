//! Results of earlier runs, as text and as JSON.

use std::fmt;
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::items;
use super::output::{Colour, Output, said};
use super::summary::{Summary, log_of, render};
use crate::store::{AttemptRow, Checked, Reader, RunNumber, RunRow, StoreError, TestRow};

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Why results cannot be shown.
#[derive(Debug)]
pub enum ResultsError {
    /// The store cannot be read.
    Store(StoreError),
    /// There is no such run; the name of it.
    NoRun(String),
    /// There is no run at all.
    Empty,
    /// No run has this test.
    NoTest(String),
}

impl From<StoreError> for ResultsError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for ResultsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::NoRun(name) => write!(f, "there is no run `{name}`; `tlc results list` shows what there is"),
            Self::Empty => f.write_str("the store holds no run"),
            Self::NoTest(path) => write!(f, "no run has a test `{path}`"),
        }
    }
}

impl ResultsError {
    /// Whether something was asked for that there is not.
    pub fn is_usage(&self) -> bool {
        match self {
            Self::NoRun(_) | Self::NoTest(_) => true,
            Self::Store(_) | Self::Empty => false,
        }
    }
}

impl std::error::Error for ResultsError {}

#[derive(Serialize)]
struct RunDocument<'a> {
    run: &'a RunRow,
    summary: &'a Summary,
    tests: &'a [TestRow],
    attempts: &'a [AttemptRow],
}

#[derive(Serialize)]
struct ListDocument<'a> {
    runs: &'a [RunRow],
}

#[derive(Serialize)]
struct HistoryDocument<'a> {
    path: &'a str,
    attempts: &'a [AttemptRow],
}

/// The latest runs, one a line.
pub fn show_list(reader: &Reader, output: &Output, format: Format, limit: u32) -> Result<String, ResultsError> {
    let runs = reader.runs(limit)?;
    match format {
        Format::Json => Ok(json(&ListDocument { runs: &runs })),
        Format::Text if runs.is_empty() => Err(ResultsError::Empty),
        Format::Text => Ok(runs.iter().map(|run| list_line(run, output)).collect()),
    }
}

/// One run: the named one, or the last.
pub fn show_run(reader: &Reader, output: &Output, format: Format, name: Option<&str>) -> Result<String, ResultsError> {
    let run = match name {
        Some(name) if name != "last" => reader.find(name)?.ok_or_else(|| ResultsError::NoRun(name.into()))?,
        Some(_) | None => reader.runs(1)?.pop().ok_or(ResultsError::Empty)?,
    };
    let number = RunNumber(run.run);
    let (tests, attempts) = (reader.tests(number)?, reader.attempts(number)?);
    let summary = Summary::new(&run, &tests, &attempts).with_logs();
    match format {
        Format::Json => Ok(json(&RunDocument { run: &run, summary: &summary, tests: &tests, attempts: &attempts })),
        Format::Text => {
            let identity = items::identity(&run.identity, output);
            Ok(test_lines(&tests, &attempts, output) + &identity + &render(&summary, output))
        }
    }
}

/// The latest attempts at one test.
pub fn show_history(
    reader: &Reader,
    output: &Output,
    format: Format,
    path: &str,
    limit: u32,
) -> Result<String, ResultsError> {
    let attempts = reader.history(path, limit)?;
    if attempts.is_empty() && !reader.has_test(path)? {
        return Err(ResultsError::NoTest(path.into()));
    }
    match format {
        Format::Json => Ok(json(&HistoryDocument { path, attempts: &attempts })),
        Format::Text if attempts.is_empty() => Ok(format!("no run has an attempt at `{path}`\n")),
        Format::Text => Ok(attempts.iter().map(|attempt| history_line(attempt, output)).collect()),
    }
}

pub(super) fn json(document: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(document).unwrap_or_default() + "\n";
    // JSON lets some control characters stand as they are, a terminal does not.
    text.chars().fold(String::with_capacity(text.len()), |mut shown, character| {
        if character.is_control() && character != '\n' {
            shown += &format!("\\u{:04x}", u32::from(character));
        } else {
            shown.push(character);
        }
        shown
    })
}

/// What a check of a store has found.
pub(crate) fn show_checked(checked: &Checked, store: &Path, format: Format) -> String {
    let Checked { runs, attempts, events, logs, contents, findings } = checked;
    match format {
        Format::Json => json(checked),
        Format::Text => {
            let lines = findings.iter().fold(String::new(), |lines, finding| lines + finding + "\n");
            let verdict =
                if findings.is_empty() { "is whole".to_owned() } else { format!("has {} problems", findings.len()) };
            let looked =
                format!("{runs} runs, {attempts} attempts, {events} events, {logs} logs, {contents} attachments");
            format!("{lines}the store `{}` {verdict}: {looked}\n", store.display())
        }
    }
}

fn list_line(run: &RunRow, output: &Output) -> String {
    let word = run.verdict.as_deref().unwrap_or(if run.state == "running" { "UNFINISHED" } else { "ABANDONED" });
    let word = output.paint(&format!("{word:<17}"), Colour::of_status(word));
    let root = if run.root.is_empty() { String::new() } else { format!(" {}", run.root) };
    let stopped = if run.state == "stopped" { " (stopped)" } else { "" };
    let seconds = seconds(Some(run.duration_ms));
    format!("{:>5}  {}  {word} {seconds}  {}{root}{stopped}\n", run.run, local(&run.started_at), run.list)
}

fn test_lines(tests: &[TestRow], attempts: &[AttemptRow], output: &Output) -> String {
    let line = |test: &TestRow| {
        let known: Vec<i64> = attempts
            .iter()
            .filter(|attempt| attempt.path == test.path)
            .filter_map(|attempt| attempt.duration_ms)
            .collect();
        let time = (!known.is_empty()).then(|| known.iter().sum());
        let word = output.paint(&format!("{:<17}", test.status), Colour::of_status(&test.status));
        let starts = if test.count > 1 { format!(" ({} starts)", test.count) } else { String::new() };
        let own = attempts.iter().filter(|attempt| attempt.path == test.path);
        let reported: String = own.map(|attempt| items::lines(attempt, test.count > 1, output)).collect();
        format!("{word} {}  {}{starts}\n{reported}", seconds(time), test.path)
    };
    tests.iter().filter(|test| test.leaf).map(line).collect()
}

fn history_line(attempt: &AttemptRow, output: &Output) -> String {
    let word = attempt.outcome.as_deref().unwrap_or("unfinished");
    let colour = if word == "passed" { Colour::Green } else { Colour::Red };
    let word = output.paint(&format!("{word:<10}"), colour);
    let why = attempt.message.as_deref().map_or_else(String::new, |message| format!("  {}", indented(message)));
    format!(
        "run {:>5}  {}  {word} {}{why}\n           log: {}\n",
        attempt.run,
        local(&attempt.started_at),
        seconds(attempt.duration_ms),
        log_of(attempt)
    )
}

/// The lines of a message after its first below the others of an attempt.
fn indented(message: &str) -> String {
    said(message).trim_end().replace('\n', "\n           ")
}

fn seconds(milliseconds: Option<i64>) -> String {
    milliseconds.map_or_else(|| format!("{:>9}", "-"), |ms| format!("{:>7.2} s", ms as f64 / 1000.0))
}

/// A time of the store in the station's own time zone.
pub(crate) fn local(time: &str) -> String {
    match time.parse::<Timestamp>() {
        Ok(time) => time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_no_control_characters_and_loses_none() {
        let written = json(&["a\u{7f}\u{9b}1A\t\u{1b}"]);
        assert_eq!(written, "[\n  \"a\\u007f\\u009b1A\\t\\u001b\"\n]\n");
    }
}

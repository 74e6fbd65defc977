//! The summary of a run, from its rows.

use std::path::Path;

use minijinja::Environment;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use serde::Serialize;

use super::output::{Colour, Output, said};
use crate::schedule::Status;
use crate::store::{AttemptRow, RunRow, TestRow};
use crate::worker::last_lines;

const TEMPLATE: &str = include_str!("summary.txt");

/// No section of a summary is longer; the rest is counted.
const SECTION: usize = 50;

/// How many lines of a failed attempt's output are shown.
const SHOWN_LINES: usize = 5;

/// What there is to say about a run.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The number of the run in its store.
    pub run: i64,
    /// The id of the run.
    pub id: String,
    /// The list.
    pub list: String,
    /// The subtree that was run; empty for the whole list.
    pub root: String,
    /// `running`, `finished`, `stopped` or `abandoned`.
    pub state: String,
    /// The status of what was run.
    pub verdict: String,
    /// How many tests have which status.
    pub counts: Vec<Count>,
    /// Tests that failed.
    pub failures: Vec<Failure>,
    /// Teardowns: those that ran, and those that should have.
    pub teardowns: Vec<Teardown>,
    /// Other nodes that did not run.
    pub not_run: Vec<NotRun>,
    /// No attempt was made.
    pub nothing_ran: bool,
    /// How many attempts were made.
    pub attempts: usize,
    /// How long it took.
    pub duration_ms: i64,
}

/// How many tests have a status.
#[derive(Clone, Debug, Serialize)]
pub struct Count {
    /// The status.
    pub status: &'static str,
    /// How many.
    pub number: usize,
}

/// A test that failed.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// The test.
    pub path: String,
    /// What people call it.
    pub label: String,
    /// How its last attempt ended.
    pub outcome: String,
    /// What was wrong.
    pub message: String,
    /// The output of its last attempt.
    pub log: String,
    /// The last lines of that output.
    pub log_end: Vec<String>,
    /// It does not count.
    pub waived: bool,
}

/// A teardown.
#[derive(Clone, Debug, Serialize)]
pub struct Teardown {
    /// The test.
    pub path: String,
    /// How its last attempt ended; `refused` or `not run` if there was none.
    pub outcome: String,
    /// Why it did not run.
    pub why: Option<String>,
}

/// A node that did not run.
#[derive(Clone, Debug, Serialize)]
pub struct NotRun {
    /// The node.
    pub path: String,
    /// Why.
    pub why: String,
}

impl Summary {
    /// What the rows of a run say.
    pub fn new(run: &RunRow, tests: &[TestRow], attempts: &[AttemptRow]) -> Self {
        let inside =
            |path: &str| run.root.is_empty() || path == run.root || path.starts_with(&format!("{}.", run.root));
        let tests: Vec<&TestRow> = tests.iter().filter(|test| inside(&test.path)).collect();
        let leaves: Vec<&TestRow> = tests.iter().copied().filter(|test| test.leaf).collect();
        let root_status = || tests.first().map_or("UNTESTED", |root| root.status.as_str());
        Self {
            run: run.run,
            id: run.id.clone(),
            list: run.list.clone(),
            root: run.root.clone(),
            state: run.state.clone(),
            verdict: run.verdict.as_deref().unwrap_or_else(root_status).to_owned(),
            counts: counts(&leaves),
            failures: leaves.iter().filter_map(|test| failure(test, attempts)).collect(),
            teardowns: leaves.iter().filter_map(|test| teardown(run, test, attempts)).collect(),
            not_run: tests.iter().filter_map(|test| not_run(test)).collect(),
            nothing_ran: attempts.is_empty(),
            attempts: attempts.len(),
            duration_ms: run.duration_ms,
        }
    }

    /// The same, with the last lines of the logs of what failed, as far as it is shown.
    #[must_use]
    pub fn with_logs(mut self) -> Self {
        for failure in self.failures.iter_mut().take(SECTION) {
            failure.log_end = last_lines(Path::new(&failure.log), SHOWN_LINES);
        }
        self
    }
}

fn counts(leaves: &[&TestRow]) -> Vec<Count> {
    [Status::Passed, Status::Failed, Status::FailedAndWaived, Status::Skipped, Status::Untested, Status::Active]
        .into_iter()
        .map(|status| Count {
            status: status.name(),
            number: leaves.iter().filter(|test| test.status == status.name()).count(),
        })
        .filter(|count| count.number > 0)
        .collect()
}

fn last<'a>(test: &TestRow, attempts: &'a [AttemptRow]) -> Option<&'a AttemptRow> {
    attempts.iter().rev().find(|attempt| attempt.path == test.path)
}

/// Where the log of an attempt is, if there is one.
pub(super) fn log_of(attempt: &AttemptRow) -> &str {
    match (attempt.log_written, &attempt.log_error) {
        (Some(0), None) => "none, it wrote nothing",
        (Some(_) | None, _) => &attempt.log,
    }
}

fn failure(test: &TestRow, attempts: &[AttemptRow]) -> Option<Failure> {
    let waived = test.status == Status::FailedAndWaived.name();
    if !waived && test.status != Status::Failed.name() {
        return None;
    }
    let attempt = last(test, attempts);
    Some(Failure {
        path: test.path.clone(),
        label: test.label.clone(),
        outcome: test.outcome.clone().unwrap_or_default(),
        message: test.message.clone().unwrap_or_else(|| "it failed".into()),
        log: attempt
            .filter(|attempt| was_started(attempt))
            .map_or_else(|| "none, it was not started".into(), |attempt| log_of(attempt).into()),
        log_end: Vec::new(),
        waived,
    })
}

/// An error without an exit is one of the runtime, before there was a process.
fn was_started(attempt: &AttemptRow) -> bool {
    attempt.outcome.as_deref() != Some("error") || attempt.exit_code.is_some() || attempt.exit_signal.is_some()
}

fn teardown(run: &RunRow, test: &TestRow, attempts: &[AttemptRow]) -> Option<Teardown> {
    if !test.teardown {
        return None;
    }
    let (outcome, why) = match last(test, attempts) {
        Some(attempt) => (attempt.outcome.clone().unwrap_or_else(|| "not finished".into()), None),
        None if test.status == Status::Failed.name() || test.status == Status::FailedAndWaived.name() => {
            ("refused".into(), test.message.clone())
        }
        None => ("not run".into(), Some(test.note.clone().or_else(|| missed(run, test, attempts))?)),
    };
    Some(Teardown { path: test.path.clone(), outcome, why })
}

/// Why a teardown did not run of which nobody said so: the run ended while its group was open.
fn missed(run: &RunRow, test: &TestRow, attempts: &[AttemptRow]) -> Option<String> {
    let group = test.path.rsplit_once('.').map_or("", |(group, _)| group);
    let inside = |path: &str| group.is_empty() || path.strip_prefix(group).is_some_and(|rest| rest.starts_with('.'));
    let was_open = attempts.iter().any(|attempt| inside(&attempt.path));
    match run.state.as_str() {
        "stopped" if was_open => Some("the operator stopped the run".into()),
        "abandoned" if was_open => Some("the run was given up".into()),
        "finished" if was_open => Some("the run ended before it".into()),
        _ => None,
    }
}

fn not_run(test: &TestRow) -> Option<NotRun> {
    // A teardown is shown among its like.
    let teardown = test.teardown && test.leaf;
    let open = !teardown && (test.status == Status::Skipped.name() || test.status == Status::Untested.name());
    let why = test.note.clone().filter(|_| open)?;
    let path = if test.path.is_empty() { "the list".to_owned() } else { test.path.clone() };
    Some(NotRun { path, why })
}

/// The summary as text.
pub fn render(summary: &Summary, output: &Output) -> String {
    match rendered(summary, output) {
        Ok(text) => text + &left_out(summary),
        Err(error) => format!("the summary cannot be shown: {error:#}\n"),
    }
}

fn rendered(summary: &Summary, output: &Output) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?;
    environment.set_syntax(syntax);
    let painter = |colour: Colour| {
        let output = output.clone();
        move |text: String| output.paint(&text, colour)
    };
    let by_status = output.clone();
    environment.add_filter("painted", move |status: String| by_status.paint(&status, Colour::of_status(&status)));
    environment.add_filter("bold", painter(Colour::Bold));
    environment.add_filter("warning", painter(Colour::Yellow));
    let mut shown = summary.clone();
    shown.failures.truncate(SECTION);
    shown.teardowns.truncate(SECTION);
    shown.not_run.truncate(SECTION);
    for failure in &mut shown.failures {
        failure.message = said(&failure.message);
    }
    environment.render_str(TEMPLATE, Serde(shown))
}

fn left_out(summary: &Summary) -> String {
    let beyond = |items: usize| items.saturating_sub(SECTION);
    let number = beyond(summary.failures.len()) + beyond(summary.not_run.len()) + beyond(summary.teardowns.len());
    if number == 0 {
        return String::new();
    }
    format!("({number} more lines: `tlc results show {} --format json`)\n", summary.run)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(path: &str, status: &str) -> TestRow {
        TestRow {
            path: path.into(),
            label: path.into(),
            leaf: !path.is_empty(),
            teardown: path >= "c",
            status: status.into(),
            outcome: (status == "FAILED").then(|| "failed".into()),
            message: (status == "FAILED").then(|| "3.01 V is too low".into()),
            note: (status == "SKIPPED").then(|| "`device.x` is not true".into()),
            count: 1,
            state: String::new(),
        }
    }

    fn attempt(path: &str, outcome: &str) -> AttemptRow {
        AttemptRow {
            invocation: path.into(),
            run: 3,
            path: path.into(),
            number: 1,
            log: format!("/logs/{path}.log"),
            outcome: Some(outcome.into()),
            ..AttemptRow::default()
        }
    }

    #[test]
    fn a_summary_says_what_failed_where_its_log_is_and_what_was_skipped() {
        let run = RunRow {
            run: 3,
            id: "r".into(),
            plan_hash: String::new(),
            list: "main".into(),
            station: String::new(),
            slot: 0,
            unit: String::new(),
            operator: String::new(),
            phase: String::new(),
            root: String::new(),
            continues: None,
            settings: String::new(),
            tlc_version: String::new(),
            started_at: String::new(),
            ended_at: None,
            state: "finished".into(),
            verdict: Some("FAILED".into()),
            attempts: 2,
            duration_ms: 1500,
            identity: "{}".into(),
        };
        let tests = [
            test("", "FAILED"),
            test("a", "FAILED"),
            test("b", "SKIPPED"),
            test("c", "PASSED"),
            test("d", "FAILED"),
            test("e", "SKIPPED"),
        ];
        let attempts = [attempt("a", "failed"), attempt("c", "passed")];
        let mut summary = Summary::new(&run, &tests, &attempts);
        summary.failures[1].message = "two pins are open:\n- 7\n- 12\n".into();
        summary.failures[0].log_end = vec!["rail 3V3".into(), "3.01".into()];
        let text = render(&summary, &Output::plain());
        insta::assert_snapshot!(text);
    }
}

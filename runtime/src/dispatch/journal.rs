//! Makes rows of what happened.

use std::borrow::Cow;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tlc_plan::Plan;
use tokio::time::Instant;

use super::recovery::{PLAN_REPLACED, RESUMED};
use crate::schedule::{Event, State, is_teardown};
use crate::store::{AttemptEnd, AttemptStart, Change, Entry, ItemRow, Source};
use crate::worker::message::Identities;
use crate::worker::{Attempt, Ended, Exit, Program};

/// What of an event has columns of its own.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Head<'a> {
    #[serde(borrow)]
    event: Cow<'a, str>,
    #[serde(borrow)]
    command: Option<Cow<'a, str>>,
    #[serde(borrow)]
    path: Option<Cow<'a, str>>,
}

/// The start of an attempt, as its event has it.
#[derive(Serialize)]
struct Started<'a> {
    number: u32,
    program: &'a str,
    arguments: &'a str,
    source_sha256: Option<&'a str>,
    operator: &'a str,
}

/// Gives rows their times.
#[derive(Debug)]
pub(super) struct Journal {
    begun: Instant,
}

impl Journal {
    pub fn new() -> Self {
        Self { begun: Instant::now() }
    }

    /// An event that the scheduler is given.
    pub fn event(&self, event: &Event) -> Entry {
        let body = serde_json::to_string(event).unwrap_or_default();
        let Head { event, command, path } = serde_json::from_str(&body).unwrap_or_default();
        let kind = command.unwrap_or(event).into_owned();
        self.row(Source::Schedule, kind, path.map(Cow::into_owned), None, body)
    }

    /// The list was edited: what the scheduler is given, and which plan it is.
    pub fn plan_replaced(&self, hash: &str) -> Entry {
        let mut body = serde_json::to_value(Event::PlanReplaced).unwrap_or_default();
        body["plan"] = hash.into();
        self.entry(Source::Schedule, PLAN_REPLACED, None, None, &body)
    }

    /// The start of an attempt, for the record.
    pub fn attempt_started(&self, start: &AttemptStart) -> Entry {
        let AttemptStart { number, program, arguments, source_sha256, operator, .. } = start;
        let body = Started { number: *number, program, arguments, source_sha256: source_sha256.as_deref(), operator };
        self.of_attempt("attempt_started", &start.path, &start.invocation, &body)
    }

    /// What a test reported, for the record.
    pub fn reported(&self, path: &str, invocation: &str, items: &[ItemRow]) -> Entry {
        self.of_attempt("reported", path, invocation, &json!({ "items": items }))
    }

    /// What a test said of who and what takes part, for the record.
    pub fn identified(&self, path: &str, invocation: &str, identity: &Identities) -> Entry {
        self.of_attempt("identified", path, invocation, &json!({ "identity": identity }))
    }

    /// Values that a test changed, for the record.
    pub fn data_changed(&self, path: &str, invocation: &str, changes: &[Change]) -> Entry {
        let text = |value: &Option<String>| {
            value.as_deref().map(|value| serde_json::from_str::<Value>(value).unwrap_or_default())
        };
        let shown = |change: &Change| match change {
            Change::RunData { key, value } => json!({ "space": "run", "key": key, "value": text(value) }),
            Change::Cache { key, value } => json!({ "space": "cache", "key": key, "value": text(value) }),
            Change::Shelf { value } => json!({ "space": "shelf", "value": text(&Some(value.clone())) }),
            _ => Value::Null,
        };
        let changes: Vec<Value> = changes.iter().map(shown).collect();
        self.of_attempt("data_changed", path, invocation, &json!({ "changes": changes }))
    }

    fn of_attempt(&self, kind: &str, path: &str, invocation: &str, body: &impl Serialize) -> Entry {
        self.entry(Source::Station, kind, Some(path.to_owned()), Some(invocation.to_owned()), body)
    }

    /// A run goes on in another process, for the record.
    pub fn resumed(&self) -> Entry {
        self.entry(Source::Station, RESUMED, None, None, &json!({ "tlc_version": env!("CARGO_PKG_VERSION") }))
    }

    /// The end of a run, for the record.
    pub fn run_ended(&self, verdict: &crate::schedule::Verdict) -> Entry {
        let body = serde_json::to_value(verdict).unwrap_or_default();
        self.entry(Source::Station, "run_ended", None, None, &body)
    }

    fn entry(
        &self,
        source: Source,
        kind: &str,
        path: Option<String>,
        invocation: Option<String>,
        body: &impl Serialize,
    ) -> Entry {
        self.row(source, kind.into(), path, invocation, serde_json::to_string(body).unwrap_or_default())
    }

    fn row(
        &self,
        source: Source,
        kind: String,
        path: Option<String>,
        invocation: Option<String>,
        body: String,
    ) -> Entry {
        Entry { source, kind, path, invocation, at: Timestamp::now(), monotonic: self.begun.elapsed(), body }
    }
}

/// All nodes of a plan, as rows of a run that begins.
pub(crate) fn tests(plan: &Plan, locale: &str, states: Option<&IndexMap<String, State>>) -> Vec<Change> {
    let begun = states.into_iter().flatten().map(|(path, known)| state(path, known));
    plan.preorder()
        .zip(0..)
        .map(|(id, position)| {
            let node = plan.node(id);
            Change::Test {
                path: node.path.clone(),
                position,
                label: label(plan, id, locale),
                leaf: node.test.is_some(),
                teardown: is_teardown(plan, id),
            }
        })
        .chain(begun)
        .collect()
}

/// What people call a node, in their language if it has a name in it.
pub(crate) fn label(plan: &Plan, id: tlc_plan::NodeId, locale: &str) -> String {
    let node = plan.node(id);
    let text = node.label.get(locale).or_else(|| node.label.values().next());
    text.unwrap_or(&node.id).to_string()
}

/// The row of a node's state.
pub(crate) fn state(path: &str, state: &State) -> Change {
    Change::State {
        path: path.into(),
        status: state.status.name(),
        outcome: state.outcome.map(|outcome| outcome.to_string()),
        message: state.message.clone(),
        count: state.count,
        state: serde_json::to_string(state).unwrap_or_default(),
    }
}

/// The row of an attempt that begins.
pub(super) fn attempt(attempt: &Attempt) -> AttemptStart {
    let program = match &attempt.program {
        Program::Exec(argv) => json!({ "exec": argv }),
        Program::Python { name, .. } => json!({ "pytest_name": name }),
    };
    AttemptStart {
        invocation: attempt.identity.invocation.clone(),
        path: attempt.identity.path.clone(),
        number: attempt.identity.number,
        program: program.to_string(),
        arguments: attempt.args.to_string(),
        source_sha256: attempt.source_sha256.clone(),
        operator: attempt.identity.operator.clone(),
        log: attempt.log.display().to_string(),
    }
}

/// The row of an attempt that ended.
pub(super) fn ended(invocation: &str, ended: &Ended) -> Change {
    let (exit_code, exit_signal) = match ended.exit {
        Exit::None => (None, None),
        Exit::Code(code) => (Some(code), None),
        Exit::Signal(signal) => (None, Some(signal)),
    };
    Change::AttemptEnded(AttemptEnd {
        invocation: invocation.into(),
        outcome: ended.outcome.to_string(),
        message: ended.message.clone(),
        traceback: ended.traceback.clone(),
        error_code: ended.error_code.clone(),
        exit_code,
        exit_signal,
        duration: Some(ended.duration),
        cpu: ended.usage.map(|usage| usage.cpu),
        peak_memory: ended.usage.map(|usage| usage.peak_memory),
        log_written: ended.log.written,
        log_left_out: ended.log.left_out,
        log_sha256: ended.log.sha256.clone(),
        log_error: ended.log.error.clone(),
    })
}

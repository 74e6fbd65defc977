//! What happened in a simulation, in order: for programs as data, for people as text.

use std::fmt;

use indexmap::IndexMap;
use serde::Serialize;

use crate::schedule::{Cause, Outcome, SkipReason, Status, Verdict};

/// A simulation from its start to its end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Timeline {
    /// What happened.
    pub entries: Vec<Entry>,
    /// What came of the last run; `None` if none ended.
    pub verdict: Option<Verdict>,
    /// The final status of every test, in the list's order.
    pub statuses: IndexMap<String, Status>,
    /// How long it took: the attempts whose duration is known.
    pub seconds: f64,
    /// How many attempts started.
    pub attempts: u32,
    /// How many of them have a known duration.
    pub durations_known: u32,
    /// It was given up, because there were too many attempts.
    pub truncated: bool,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// When, in seconds since the start.
    pub at: f64,
    /// What.
    pub what: Happening,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Happening {
    /// An attempt started.
    Started {
        /// The test.
        path: String,
        /// The number of the start.
        attempt: u32,
        /// It is a teardown.
        teardown: bool,
        /// It is the check after a shutdown.
        after_shutdown: bool,
    },
    /// An attempt ended.
    Ended {
        /// The test.
        path: String,
        /// The number of the start.
        attempt: u32,
        /// How.
        outcome: Outcome,
        /// Why.
        message: Option<String>,
    },
    /// A test failed without a start: what it requires has not passed.
    Refused {
        /// The test.
        path: String,
        /// Why.
        message: String,
    },
    /// A node was skipped.
    Skipped {
        /// The node.
        path: String,
        /// Why.
        why: SkipReason,
    },
    /// A node was passed over.
    PassedOver {
        /// The node.
        path: String,
        /// The status that kept it from running.
        status: Status,
    },
    /// A node was left out.
    LeftOut {
        /// The node.
        path: String,
        /// Why.
        cause: Cause,
    },
    /// Another round of a group began.
    Round {
        /// The group.
        path: String,
        /// Because it failed.
        retry: bool,
    },
    /// The operator aborted a node.
    Aborted {
        /// The node.
        path: String,
    },
    /// The operator stopped everything.
    Stopped,
    /// The device shut down and came back.
    Rebooted {
        /// A shutdown step ordered it.
        ordered: bool,
    },
    /// Something to tell the operator.
    Note {
        /// What.
        text: String,
    },
    /// The run ended.
    Finished {
        /// What came of it.
        verdict: Verdict,
    },
}

impl Timeline {
    /// Tests that were started, each once, in the order of their first start.
    pub fn started(&self) -> Vec<&str> {
        let mut paths = Vec::new();
        for entry in &self.entries {
            if let Happening::Started { path, .. } = &entry.what
                && !paths.contains(&path.as_str())
            {
                paths.push(path.as_str());
            }
        }
        paths
    }

    /// Nodes that were skipped.
    pub fn skipped(&self) -> Vec<&str> {
        let mut paths = Vec::new();
        for entry in &self.entries {
            if let Happening::Skipped { path, .. } = &entry.what {
                paths.push(path.as_str());
            }
        }
        paths
    }

    /// Nodes that were left out.
    pub fn left_out(&self) -> Vec<&str> {
        let mut paths = Vec::new();
        for entry in &self.entries {
            if let Happening::LeftOut { path, .. } = &entry.what {
                paths.push(path.as_str());
            }
        }
        paths
    }
}

/// A line for each thing that happens, and one for an attempt during which nothing else does. Times are left out if no duration is known.
impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut entries = self.entries.iter().peekable();
        while let Some(entry) = entries.next() {
            if self.durations_known > 0 {
                write!(f, "{:>9}  ", clock(entry.at))?;
            }
            match entries.next_if(|next| entry.what.is_ended_by(&next.what)) {
                Some(end) => writeln!(f, "{}{}", end.what, entry.what.marks())?,
                None => writeln!(f, "{}{}", entry.what, entry.what.marks())?,
            }
        }
        if self.truncated {
            writeln!(f, "given up after {} attempts: the list does not end by itself", self.attempts)?;
        }
        if self.statuses.is_empty() {
            return writeln!(f, "warning: the list has no tests; nothing ran");
        }
        let attempts = format!("{} attempt{}", self.attempts, if self.attempts == 1 { "" } else { "s" });
        match (self.durations_known, self.attempts - self.durations_known) {
            (_, 0) => writeln!(f, "{attempts} in {}", clock(self.seconds)),
            (0, 1) => writeln!(f, "{attempts}; how long it takes is not known"),
            (0, _) => writeln!(f, "{attempts}; how long they take is not known"),
            (_, unknown) => {
                writeln!(f, "{attempts} in {}, not counting {unknown} of unknown duration", clock(self.seconds))
            }
        }
    }
}

impl Happening {
    /// Whether this is the start of an attempt, and the other its end.
    fn is_ended_by(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Started { path, attempt, .. }, Self::Ended { path: ended, attempt: number, .. }) => {
                path == ended && attempt == number
            }
            _ => false,
        }
    }

    /// What is special about a start.
    fn marks(&self) -> String {
        let Self::Started { attempt, teardown, after_shutdown, .. } = self else { return String::new() };
        let number = (*attempt > 1).then(|| format!("start {attempt}"));
        let kind = teardown.then(|| "teardown".to_owned());
        let check = after_shutdown.then(|| "the check after the shutdown".to_owned());
        let marks: Vec<_> = number.into_iter().chain(kind).chain(check).collect();
        if marks.is_empty() { String::new() } else { format!("  ({})", marks.join(", ")) }
    }
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { path, .. } => write!(f, "start      {path}"),
            Self::Ended { path, outcome, message: None, .. } => write!(f, "{outcome:<9}  {path}"),
            Self::Ended { path, outcome, message: Some(message), .. } => write!(f, "{outcome:<9}  {path}: {message}"),
            Self::Refused { path, message } => write!(f, "refused    {path}: {message}"),
            Self::Skipped { path, why } => write!(f, "skipped    {}: {why}", name(path)),
            Self::PassedOver { path, status } => write!(f, "not run    {}: it is {status}", name(path)),
            Self::LeftOut { path, cause } => write!(f, "left out   {path}: {cause}"),
            Self::Round { path, retry: true } => write!(f, "retry      {}", name(path)),
            Self::Round { path, retry: false } => write!(f, "iteration  {}", name(path)),
            Self::Aborted { path } => write!(f, "abort      {}", name(path)),
            Self::Stopped => f.write_str("stop"),
            Self::Rebooted { ordered: true } => f.write_str("reboot"),
            Self::Rebooted { ordered: false } => f.write_str("power loss"),
            Self::Note { text } => write!(f, "note       {text}"),
            Self::Finished { verdict } => {
                write!(f, "end        {}: {}", name(&verdict.root), verdict.status)?;
                if verdict.attempts == 0 { f.write_str(", nothing ran") } else { Ok(()) }
            }
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RunIf { condition } => write!(f, "its `run_if` is false: `{condition}`"),
            Self::Rule { rule, pattern } => write!(f, "`{pattern}` of `skipped_tests` for `{rule}` names it"),
            Self::From { path } => write!(f, "the run begins with `{path}`"),
            Self::Before => f.write_str("it was skipped before, and nothing in it would run now"),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failure { path } => write!(f, "`{path}` failed"),
            Self::StopOnFailure { path } => write!(f, "`{path}` failed, and the list stops on a failure"),
            Self::Stopped => f.write_str("the operator stopped it"),
            Self::Replaced => f.write_str("the operator started another run"),
            Self::Interrupted => f.write_str("a restart interrupted the run"),
            Self::Vanished { path } => write!(f, "`{path}` is not in the list any more"),
        }
    }
}

fn name(path: &str) -> &str {
    if path.is_empty() { "the list" } else { path }
}

/// Minutes, seconds and tenths.
fn clock(seconds: f64) -> String {
    let tenths = (seconds * 10.0).round() as u64;
    format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
}

//! What people see of a run: lines and a live bar while it is on, a summary at its end, and results of earlier runs.
//!
//! Nothing here decides anything. A pipe that is closed ends the output, not the run.

mod control;
mod items;
mod live;
mod output;
mod results;
mod summary;

use std::collections::{HashMap, HashSet};
use std::sync::mpsc::Sender;

use tlc_plan::Plan;

use output::error_line;
pub use output::{Colour, Output};
pub(crate) use output::{said, try_write, write, write_error};
pub use results::{Format, ResultsError, show_history, show_list, show_run};
pub(crate) use results::{local, show_checked};
pub use summary::{Summary, render};

use crate::dispatch::label;
use crate::schedule::{NoteLevel, Outcome, Status};
use crate::worker::Ended;
use crate::worker::desk::Display;
pub(crate) use control::show_answer;
use live::Live;

/// How many characters of a message a live line shows.
const MESSAGE_SHOWN: usize = 160;

/// How many failures of a test are shown besides its message.
const FAILURES_SHOWN: usize = 5;

/// How much is shown while a run is on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// A live bar on a terminal, plain lines elsewhere.
    #[default]
    Fitting,
    /// Plain lines.
    Plain,
    /// Warnings only.
    Quiet,
}

/// Shows a run while it is on.
#[derive(Debug)]
pub struct Reporter {
    output: Output,
    quiet: bool,
    live: Option<Live>,
    labels: HashMap<String, String>,
    total: usize,
    settled: HashSet<String>,
    /// Lines that wait for the end of a prompt.
    held: Option<Vec<String>>,
    /// Why something could not be shown.
    unseen: Option<String>,
    /// Is told what is shown, and nothing is.
    witness: Option<Sender<Sight>>,
}

/// Something that was shown, for whoever watches a simulation.
#[doc(hidden)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// An attempt starts.
    Started {
        /// The test.
        path: String,
        /// Which start of it.
        number: u32,
    },
    /// An attempt ended.
    Ended {
        /// The test.
        path: String,
        /// How.
        outcome: Outcome,
        /// Why.
        message: Option<String>,
    },
    /// A node has a status.
    Settled {
        /// The node.
        path: String,
        /// What it is now.
        status: Status,
    },
    /// A line of text.
    Line(String),
    /// A warning.
    Warning(String),
}

impl Reporter {
    /// A reporter on this program's own stdout and stderr.
    pub fn new(progress: Progress) -> Self {
        let output = Output::new();
        let live = (progress == Progress::Fitting && output.is_terminal()).then(Live::new).flatten();
        Self {
            output,
            quiet: progress == Progress::Quiet,
            live,
            labels: HashMap::new(),
            total: 0,
            settled: HashSet::new(),
            held: None,
            unseen: None,
            witness: None,
        }
    }

    /// A reporter that shows nothing, and tells a witness what it would have shown.
    pub(crate) fn to(witness: Sender<Sight>) -> Self {
        Self { witness: Some(witness), ..Self::new(Progress::Plain) }
    }

    /// Whether somebody watches in place of people; then they have seen it.
    fn witnessed(&self, sight: impl FnOnce() -> Sight) -> bool {
        match &self.witness {
            Some(witness) => {
                // Nobody need watch to the end.
                let _ = witness.send(sight());
                true
            }
            None => false,
        }
    }

    /// A run begins, or goes on.
    pub(crate) fn begins(&mut self, headline: &str, plan: &Plan, locale: &str, root: &str) {
        let leaves = plan.preorder().filter(|&id| plan.node(id).test.is_some());
        let inside = |path: &str| root.is_empty() || path == root || path.starts_with(&format!("{root}."));
        self.labels = leaves
            .filter(|&id| inside(&plan.node(id).path))
            .map(|id| (plan.node(id).path.clone(), label(plan, id, locale)))
            .collect();
        self.settled.retain(|path| self.labels.contains_key(path));
        self.total = self.labels.len();
        if let Some(live) = &mut self.live {
            live.begin(self.total);
        }
        self.line(headline);
    }

    /// An attempt starts.
    pub(crate) fn started(&mut self, path: &str, number: u32) {
        if self.witnessed(|| Sight::Started { path: path.into(), number }) {
            return;
        }
        match &mut self.live {
            Some(live) => live.started(path),
            None => {
                let again = if number > 1 { format!(" (start {number})") } else { String::new() };
                self.line(&format!("start    {}{again}", name(path)));
            }
        }
    }

    /// An attempt ended.
    pub(crate) fn ended(&mut self, path: &str, ended: &Ended) {
        let seen = || Sight::Ended { path: path.into(), outcome: ended.outcome, message: ended.message.clone() };
        if self.witnessed(seen) {
            return;
        }
        if let Some(live) = &mut self.live {
            live.ended(path);
        }
        let (outcome, duration, message) = (ended.outcome, ended.duration, ended.message.as_deref());
        let word = self.output.paint(&format!("{:<8}", outcome.to_string()), Colour::of_outcome(outcome));
        let why = message.map_or_else(String::new, |message| format!(": {}", shortened(first_line(message))));
        self.line(&format!("{word} {} ({:.2} s){why}", name(path), duration.as_secs_f64()));
        // What failed besides what the message says.
        let others = ended.failures.iter().filter(|failure| !message.is_some_and(|message| message.contains(*failure)));
        let others: Vec<&String> = others.collect();
        let more = others.len().saturating_sub(FAILURES_SHOWN);
        // A message that is made of the failures counts those that it does not name.
        if outcome != Outcome::Passed && !others.is_empty() && others.len() == ended.failures.len() {
            for failure in others.iter().take(FAILURES_SHOWN) {
                self.line(&format!("         {}", shortened(first_line(failure))));
            }
            if more > 0 {
                self.line(&format!("         and {more} more"));
            }
        }
    }

    /// What a test does now; only the live part shows it.
    pub(crate) fn display(&mut self, path: &str, display: &Display) {
        if let Some(live) = &mut self.live {
            live.display(path, display);
        }
    }

    /// While a prompt has the terminal, nothing else is written to it.
    pub(crate) fn prompting(&mut self, taken: bool) {
        if self.held.is_some() == taken {
            return;
        }
        if let Some(live) = &mut self.live {
            live.suspend(taken);
        }
        if taken {
            self.held = Some(Vec::new());
            return;
        }
        for text in self.held.take().unwrap_or_default() {
            self.line(&text);
        }
    }

    /// A node has a status.
    pub(crate) fn settled(&mut self, path: &str, status: Status) {
        if self.witnessed(|| Sight::Settled { path: path.into(), status }) || !self.labels.contains_key(path) {
            return;
        }
        match status {
            Status::Untested | Status::Active => self.settled.remove(path),
            Status::Passed | Status::Failed | Status::FailedAndWaived | Status::Skipped => {
                self.settled.insert(path.to_owned())
            }
        };
        if let Some(live) = &mut self.live {
            live.position(self.settled.len());
        }
    }

    /// A node does not run.
    pub(crate) fn not_run(&mut self, path: &str, why: &str) {
        let word = self.output.paint("not run ", Colour::Yellow);
        self.line(&format!("{word} {}: {why}", name(path)));
    }

    /// Another round of a group begins.
    pub(crate) fn round(&mut self, path: &str, retry: bool) {
        let why = if retry { "it failed and is tried again" } else { "it is to pass several times" };
        self.line(&format!("round    {}: {why}", name(path)));
    }

    /// Something for the operator.
    pub(crate) fn note(&mut self, level: NoteLevel, text: &str) {
        match level {
            NoteLevel::Info => self.line(&format!("note     {}", said(text))),
            NoteLevel::Warning | NoteLevel::Critical => self.warn(&said(text)),
        }
    }

    /// The operator ends the run.
    pub(crate) fn interrupted(&mut self, at_once: bool) {
        let text = if at_once { "killing what runs" } else { "stopping: teardowns run now; once more kills at once" };
        self.warn(text);
    }

    /// Something is not as it should be; shown whatever else is not.
    pub(crate) fn warn(&mut self, text: &str) {
        if self.witnessed(|| Sight::Warning(text.into())) {
            return;
        }
        let word = self.output.paint_error("warning:", Colour::Yellow);
        let text = format!("{word} {text}");
        match &self.live {
            Some(live) => live.above(&text),
            None => error_line(&text),
        }
    }

    /// What ends a command before it has done its work.
    pub(crate) fn error(&mut self, text: &str) {
        self.end();
        let word = self.output.paint_error("error:", Colour::Red);
        error_line(&format!("{word} {text}"));
    }

    /// The live part goes.
    pub(crate) fn end(&mut self) {
        self.prompting(false);
        if let Some(live) = self.live.take() {
            live.end();
        }
    }

    /// The summary of a finished run.
    pub(crate) fn summary(&mut self, summary: &Summary) {
        self.end();
        let text = render(summary, &self.output);
        self.show(&text);
        if let Some(reason) = self.unseen.take() {
            let run = summary.run;
            self.warn(&format!(
                "the output could not be written to stdout ({reason}); `tlc results show {run}` shows the run"
            ));
        }
    }

    /// The run goes on even if nobody can see it.
    fn show(&mut self, text: &str) {
        if let Err(error) = try_write(text) {
            self.unseen.get_or_insert_with(|| error.to_string());
        }
    }

    fn line(&mut self, text: &str) {
        if let Some(held) = self.held.as_mut().filter(|_| !self.quiet) {
            return held.push(text.to_owned());
        }
        match &self.live {
            _ if self.witnessed(|| Sight::Line(text.into())) || self.quiet => {}
            Some(live) => live.above(text),
            None => self.show(&format!("{text}\n")),
        }
    }
}

fn name(path: &str) -> &str {
    if path.is_empty() { "the list" } else { path }
}

fn first_line(text: &str) -> &str {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    // The outcome stands before it.
    line.strip_prefix("Aborted: ").unwrap_or(line)
}

/// A live line has room for so many characters of a message; the summary and the store have all of it.
fn shortened(line: &str) -> String {
    let line = &said(line);
    match line.char_indices().nth(MESSAGE_SHOWN) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_short_line_that_does_not_repeat_the_outcome() {
        assert_eq!(first_line("\n  \nAborted: the operator stopped it\nmore"), "the operator stopped it");
        assert_eq!(shortened("3.01 V is too low"), "3.01 V is too low");
        assert_eq!(shortened(&"é".repeat(300)), "é".repeat(MESSAGE_SHOWN) + " …");
    }
}

//! What an operator, or the command line, asks for (rules AA1 to AA7, X4).
//!
//! A command first tells attempts to end. The rest of it, and whatever comes after it, waits until they have ended.

use serde::{Deserialize, Serialize};
use tlc_plan::plan::{Count, NodeId};

use super::action::Cause;
use super::event::{Command, Event, NoteLevel};
use super::run::NewRun;
use super::shape;
use super::state::Status;
use super::turn::Turn;

/// What waits until the attempts that were told to end have ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Deferred {
    /// A new run.
    Begin(NewRun),
    /// The end of what is open at or below a path.
    WindDown(String),
    /// The end of the run, without teardowns.
    Drop,
    /// The end of what is open at or below a path; then it becomes untested.
    Clear(String),
    /// An event that came meanwhile.
    Event(Event),
}

impl Deferred {
    /// The command that asks for it, if it is more than an end.
    pub fn command(&self) -> Option<Command> {
        match self {
            Self::Begin(new) => Some(new.command()),
            Self::Clear(path) => Some(Command::Clear { path: Some(path.clone()) }),
            Self::Event(Event::Command(command)) => Some(command.clone()),
            Self::Event(_) | Self::WindDown(_) | Self::Drop => None,
        }
    }
}

const RESTART: &str = "other tests were started afresh";
const RUN: &str = "other tests were started";
const STOP: &str = "the operator stopped it";
const CLEAR: &str = "its state was cleared";
const CRITICAL: &str = "a critical note was added";
const KILL: &str = "the run was killed";

impl Turn<'_> {
    /// Does what a command says.
    pub fn command(&mut self, command: Command) {
        match command {
            Command::Restart { path } => self.run_subtree(path.as_deref(), None, true, RESTART),
            Command::AutoRun { path } => {
                self.run_subtree(path.as_deref(), Some(vec![Status::Untested, Status::Active]), false, RUN);
            }
            Command::RunWithStatus { statuses, path } => self.run_subtree(path.as_deref(), Some(statuses), false, RUN),
            Command::Stop { path, fail } => {
                let Some(path) = self.known(path.as_deref()) else { return };
                // Whoever stops everything does not want it to start again.
                self.schedule.restart_scheduled &= !path.is_empty();
                self.end_then(&path, fail, STOP, Deferred::WindDown(path.clone()));
            }
            Command::Kill => {
                self.schedule.deferred.clear();
                self.schedule.restart_scheduled = false;
                self.end_then("", true, KILL, Deferred::Drop);
            }
            Command::Clear { path } => {
                let Some(path) = self.known(path.as_deref()) else { return };
                self.end_then(&path, false, CLEAR, Deferred::Clear(path.clone()));
            }
            Command::CancelPending => {
                self.wind_down("", &Cause::Stopped);
                self.go_on();
            }
            Command::ScheduleRestart => self.schedule.restart_scheduled = true,
            Command::SetIterations { path, iterations, retries } => self.set_iterations(&path, iterations, retries),
            Command::AddNote { level, text: _ } => {
                self.schedule.blocked = level == NoteLevel::Critical;
                if self.schedule.blocked {
                    self.schedule.restart_scheduled = false;
                    self.end_then("", false, CRITICAL, Deferred::Drop);
                }
            }
            Command::ClearNotes if self.schedule.engineering => self.schedule.blocked = false,
            Command::ClearNotes => {
                self.note(NoteLevel::Warning, "notes are cleared only in engineering mode".to_owned());
            }
            Command::SetEngineering { on } => self.schedule.engineering = on,
        }
    }

    /// Runs the whole list afresh.
    pub fn restart_all(&mut self) {
        self.run_subtree(None, None, true, RESTART);
    }

    /// Whether a command waits until no teardown runs: with [`TeardownPolicy::Always`], what ends the tests around a teardown does not cut
    /// it short. Whoever stops or clears the teardown itself, or kills, means it.
    pub fn must_wait(&self, command: &Command) -> bool {
        let ends_others = match command {
            Command::Restart { .. } | Command::AutoRun { .. } | Command::RunWithStatus { .. } => true,
            Command::Stop { path, .. } | Command::Clear { path } => {
                !path.as_deref().is_some_and(|path| self.is_in_teardown(path))
            }
            _ => false,
        };
        ends_others && self.always() && self.schedule.active.keys().any(|path| self.is_in_teardown(path))
    }

    /// Whether a path is that of a teardown, or in one.
    pub fn is_in_teardown(&self, path: &str) -> bool {
        shape::find(self.plan, path).is_some_and(|node| shape::is_teardown(self.plan, node))
    }

    /// Goes on as far as it can: the rest of a command, then what came after it, then the walk.
    pub fn go_on(&mut self) {
        while self.schedule.ending.is_empty() {
            if let Some(Deferred::Event(Event::Command(command))) = self.schedule.deferred.front()
                && self.must_wait(command)
            {
                return self.advance();
            }
            match self.schedule.deferred.pop_front() {
                Some(deferred) => self.resume(deferred),
                None => return self.advance(),
            }
        }
    }

    fn resume(&mut self, deferred: Deferred) {
        match deferred {
            Deferred::Begin(new) => self.replace(new),
            Deferred::WindDown(path) => self.cut_off(&path, &Cause::Stopped),
            Deferred::Drop => {
                if let Some(run) = &mut self.schedule.run {
                    run.frames.clear();
                    run.successor = None;
                }
            }
            Deferred::Clear(path) => {
                self.cut_off(&path, &Cause::Stopped);
                self.advance();
                self.clear(&path);
            }
            Deferred::Event(event) => self.take(event),
        }
    }

    fn end_then(&mut self, path: &str, fail: bool, reason: &str, then: Deferred) {
        self.end_active(path, fail, reason);
        // Before what came later.
        self.schedule.deferred.push_front(then);
        self.go_on();
    }

    fn run_subtree(&mut self, path: Option<&str>, filter: Option<Vec<Status>>, afresh: bool, reason: &str) {
        let Some(path) = self.known(path) else { return };
        let Some(node) = shape::find(self.plan, &path) else { return };
        let root = self.plan.node(shape::rerun_root(self.plan, node)).path.clone();
        self.schedule.restart_scheduled = false;
        self.end_then("", true, reason, Deferred::Begin(NewRun { root, filter, afresh }));
    }

    /// A new run takes the place of the one that is on; with teardowns to run, after them.
    fn replace(&mut self, new: NewRun) {
        self.cut_off("", &Cause::Replaced);
        match &mut self.schedule.run {
            Some(run) if !run.frames.is_empty() => run.successor = Some(new),
            Some(_) | None => self.begin(new),
        }
    }

    /// The path, if the list has it; no path is the root.
    fn known(&mut self, path: Option<&str>) -> Option<String> {
        let path = path.unwrap_or_default();
        if shape::find(self.plan, path).is_none() {
            self.note(NoteLevel::Warning, format!("`{path}` is not in the list"));
            return None;
        }
        Some(path.to_owned())
    }

    fn clear(&mut self, path: &str) {
        let Some(root) = shape::find(self.plan, path) else { return };
        let plan = self.plan;
        for node in shape::children_first(plan, root) {
            self.schedule.overrides.shift_remove(&plan.node(node).path);
            let untested = plan.is_leaf(node) && self.status(node) != Status::Active;
            self.change(node, |state| {
                state.iterations = plan.node(node).iterations;
                state.retries = plan.node(node).retries;
                if untested {
                    state.set_status(Status::Untested);
                }
            });
        }
    }

    fn set_iterations(&mut self, path: &str, iterations: i64, retries: i64) {
        let Some(node) = shape::find(self.plan, path) else {
            self.known(Some(path));
            return;
        };
        match counts(iterations, retries) {
            Ok(counts) => {
                self.schedule.overrides.insert(path.to_owned(), counts);
                self.override_counts(node);
            }
            Err(expected) => {
                self.note(NoteLevel::Warning, format!("the iterations of `{path}` stay: {expected}"));
            }
        }
    }

    /// Gives a node the counts that an operator set, or else the list's.
    pub fn override_counts(&mut self, node: NodeId) {
        let own = self.plan.node(node);
        let (iterations, retries) =
            self.schedule.overrides.get(&own.path).copied().unwrap_or((own.iterations, own.retries));
        self.change(node, |state| {
            state.iterations = iterations;
            state.retries = retries;
        });
    }
}

/// Iterations and retries as an operator may set them; the error says what is expected.
pub(crate) fn counts(iterations: i64, retries: i64) -> Result<(Count, Count), String> {
    Ok((count("iterations", iterations, 1)?, count("retries", retries, 0)?))
}

fn count(what: &str, number: i64, least: u32) -> Result<Count, String> {
    match u32::try_from(number) {
        Ok(times) if times >= least => Ok(Count::Times(times)),
        _ if number == -1 => Ok(Count::Unlimited),
        _ => Err(format!("found {number} {what}, expected {least} to {}, or -1 for no end", u32::MAX)),
    }
}

//! Attempts: their start, their end, and how a leaf repeats by itself (rules X1 to X7, Y1 to Y6, Z7).

use tlc_plan::plan::NodeId;

use super::action::{Action, Cause, Purpose};
use super::commands::Deferred;
use super::event::{Command, DeviceChange, Event};
use super::settings::TeardownPolicy;
use super::state::{Outcome, Status};
use super::turn::Turn;
use super::{Ending, shape};

impl Turn<'_> {
    /// Starts a leaf, or all members of a parallel group that are not skipped.
    pub fn start_runnable(&mut self, node: NodeId) {
        if self.plan.is_leaf(node) {
            return self.start(node);
        }
        for &member in self.plan.children(node) {
            if self.may_enter(member) {
                self.change(member, |state| {
                    state.iterations_left = state.iterations.into();
                    state.retries_left = state.retries.into();
                });
                self.start(member);
            }
        }
    }

    fn start(&mut self, leaf: NodeId) {
        let path = self.plan.node(leaf).path.clone();
        let attempt = self.state(leaf).count.saturating_add(1);
        self.schedule.active.insert(path.clone(), attempt);
        self.change(leaf, |state| {
            state.status = Status::Active;
            state.count = attempt;
            state.outcome = None;
            state.message = None;
        });
        if let Some(run) = &mut self.schedule.run {
            run.attempts += 1;
        }
        let purpose = match self.schedule.after_shutdown.take_if(|after| after.path == path) {
            Some(after) => Purpose::AfterShutdown { error: after.error },
            None => Purpose::Test,
        };
        self.actions.push(Action::Start { path, attempt, purpose });
    }

    /// An attempt ended. One that was told to end does not repeat.
    pub fn attempt_ended(&mut self, path: &str, attempt: u32, outcome: Outcome, message: Option<String>) {
        if self.schedule.active.get(path) != Some(&attempt) {
            return;
        }
        self.schedule.active.shift_remove(path);
        self.schedule.shutdown.take_if(|step| step == path);
        let ending = self.schedule.ending.shift_remove(path);
        // An edit of the list may have taken it away meanwhile, or made a group of it.
        let leaf = shape::find(self.plan, path).filter(|&node| self.plan.is_leaf(node));
        let Some(leaf) = leaf else { return self.go_on() };
        self.record(leaf, outcome, message, ending.as_ref());
        if ending.is_some() {
            if std::mem::take(&mut self.schedule.restart_scheduled) {
                let restart = Event::Command(Command::Restart { path: None });
                self.schedule.deferred.push_back(Deferred::Event(restart));
            }
            return self.go_on();
        }
        if self.schedule.options.stop_on_failure && self.has_failed_for_good(leaf) {
            self.wind_down("", &Cause::StopOnFailure { path: path.to_owned() });
        }
        if std::mem::take(&mut self.schedule.restart_scheduled) {
            return self.restart_all();
        }
        if self.repeats(leaf) {
            self.start(leaf);
        }
        self.go_on();
    }

    fn record(&mut self, leaf: NodeId, outcome: Outcome, message: Option<String>, ending: Option<&Ending>) {
        let waived = self.schedule.waived.contains(&self.plan.node(leaf).path);
        let aborted =
            ending.filter(|_| outcome == Outcome::Aborted).map(|ending| format!("aborted: {}", ending.reason));
        self.change(leaf, |state| {
            state.outcome = Some(outcome);
            state.message = aborted.or(message);
            if outcome == Outcome::Passed {
                state.status = Status::Passed;
                state.iterations_left = state.iterations_left.lowered(0);
            } else {
                state.fail(waived);
                state.retries_left = state.retries_left.lowered(-1);
            }
        });
        if ending.is_some_and(|ending| !ending.fail) {
            self.set_status(leaf, Status::Untested);
        }
    }

    fn has_failed_for_good(&self, leaf: NodeId) -> bool {
        let state = self.state(leaf);
        state.status == Status::Failed && !state.retries_left.is_not_exceeded()
    }

    /// A waived failure ends the loop: it counts, and is not retried.
    fn repeats(&self, leaf: NodeId) -> bool {
        let state = self.state(leaf);
        match state.status {
            Status::Passed => state.iterations_left.is_positive(),
            Status::Failed => state.retries_left.is_not_exceeded(),
            Status::Untested | Status::Active | Status::FailedAndWaived | Status::Skipped => false,
        }
    }

    /// Tells attempts at or below a path to end. `fail`: they fail; otherwise they become untested.
    pub fn end_active(&mut self, path: &str, fail: bool, reason: &str) {
        for (running, &attempt) in &self.schedule.active {
            if !shape::is_at_or_under(running, path) || self.schedule.ending.contains_key(running) {
                continue;
            }
            self.schedule.ending.insert(running.clone(), Ending { fail, reason: reason.to_owned() });
            self.actions.push(Action::End { path: running.clone(), attempt, reason: reason.to_owned() });
        }
    }

    /// A shutdown is allowed to a shutdown step that runs alone.
    pub fn shutdown_requested(&mut self, path: String) {
        let class = shape::find(self.plan, &path).map(|node| self.plan.node(node).class);
        let reason = if !self.schedule.active.contains_key(&path) {
            "it is not running"
        } else if !class.is_some_and(tlc_plan::plan::Class::is_shutdown) {
            "it is not a shutdown step"
        } else if self.schedule.active.len() > 1 {
            "other tests are running"
        } else if self.schedule.ending.contains_key(&path) {
            "it is being aborted"
        } else {
            self.schedule.shutdown = Some(path.clone());
            return self.actions.push(Action::Shutdown { path });
        };
        self.actions.push(Action::ShutdownRefused { path, reason: reason.to_owned() });
    }

    /// Device data changed.
    pub fn device_changed(&mut self, changes: &[DeviceChange]) {
        for change in changes {
            change.apply(&mut self.schedule.device);
        }
    }

    /// Whether teardowns run whatever happens.
    pub fn always(&self) -> bool {
        self.schedule.settings.teardown == TeardownPolicy::Always
    }
}

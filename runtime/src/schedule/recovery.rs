//! How a run goes on that was interrupted: by a power cut, a kill, or a shutdown that was ordered.

use std::collections::HashSet;
use std::iter::successors;

use tlc_plan::{Data, NodeId, Plan};

use super::shape::{is_teardown, taken_down};
use super::{Action, Cause, Command, Conditions, Event, Outcome, Schedule, State, Status, TeardownPolicy};

/// What is said of an attempt whose end nobody saw.
const LOST: &str = "the device or the station's program went away while it ran";

/// What a run was told since it began, as far as it matters when it is interrupted.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Someone has stopped it.
    pub stopped: bool,
    /// It waits for a shutdown that was ordered.
    pub ordered: bool,
    /// It has been told what to run.
    pub begun: bool,
    /// The root of what was run at last.
    pub root: Option<String>,
    /// What operators asked for and what never began, in earlier lives of the program.
    asked: Vec<Command>,
}

/// What a run that was interrupted begins with.
#[derive(Debug, Default)]
pub(crate) struct Beginning {
    /// What the scheduler is told.
    pub events: Vec<Event>,
    /// Attempts that start once more.
    pub relaunched: Vec<(String, u32)>,
    /// What the scheduler is told when the run has ended for now.
    pub then: Vec<Event>,
}

impl State {
    /// The state of a test that ran, and whose end nobody saw.
    pub(crate) fn crashed(self) -> Self {
        Self { status: Status::Failed, outcome: Some(Outcome::Crashed), message: Some(LOST.to_owned()), ..self }
    }
}

impl History {
    /// Of a run of this part of the list.
    pub fn new(root: Option<String>) -> Self {
        Self { root, ..Self::default() }
    }

    /// Gives an event to the scheduler of the run.
    pub fn on(
        &mut self,
        schedule: &mut Schedule,
        plan: &Plan,
        conditions: &dyn Conditions,
        event: Event,
    ) -> Vec<Action> {
        match &event {
            Event::Started { .. } => self.asked.extend(schedule.pending_commands()),
            Event::Command(command) if is_run(command) || ends_all(command) => self.asked.clear(),
            Event::Command(command) => self.asked.retain(|asked| asked != command),
            _ => {}
        }
        self.ordered &= !matches!(event, Event::Started { .. } | Event::AttemptEnded { .. });
        self.begun |= matches!(event, Event::Command(_));
        self.stopped |= matches!(event, Event::Command(Command::Stop { path: None, .. } | Command::Kill));
        let actions = schedule.on(plan, conditions, event);
        for action in &actions {
            match action {
                Action::Shutdown { .. } => self.ordered = true,
                Action::RunStarted { root, .. } => self.root = Some(root.clone()),
                _ => {}
            }
        }
        actions
    }

    /// How the run goes on.
    ///
    /// - A shutdown that was ordered has happened: the scheduler knows what to do then. With the reference's policy it also knows what to
    ///   do after an interruption: nothing (rule Z2).
    /// - A run that was ending, because someone stopped it or a test failed that stops the list, goes on to its end: what was running has
    ///   crashed, a teardown that was running starts again, and what an operator asked for after that comes then.
    /// - Otherwise the scheduler ends what was open with its teardowns (rule Z2), and then what is untested runs (rule Z3), a sequence as a
    ///   whole, with its teardowns after it once more. It is the same if it was interrupted again when its teardowns had run. What an
    ///   operator asked for instead, and was told that it is recorded, comes in its place.
    pub fn beginning(&self, schedule: &Schedule, plan: &Plan, conditions: &dyn Conditions, device: Data) -> Beginning {
        let started = Beginning { events: vec![Event::Started { device }], ..Beginning::default() };
        if schedule.settings.teardown == TeardownPolicy::Reference || !self.begun {
            return started;
        }
        if self.ordered {
            // The start forgets what waits.
            let waits = schedule.deferred_commands().filter(is_run).last();
            let then = waits.map_or_else(|| self.asked_before(schedule), |command| vec![Event::Command(command)]);
            return Beginning { then, ..started };
        }
        if self.stopped || is_ending(schedule, plan, conditions) {
            let ending = if schedule.is_running() { on_to_the_end(schedule, plan) } else { started };
            return Beginning { then: self.asked_before(schedule), ..ending };
        }
        let asked: Vec<_> = self.asked.iter().cloned().chain(schedule.pending_commands()).collect();
        let last_run = asked.iter().rposition(is_run);
        let asked = asked.into_iter().enumerate();
        let asked = asked.filter(|(at, command)| !is_run(command) || Some(*at) == last_run);
        let mut then: Vec<_> = asked.map(|(_, command)| command).collect();
        if last_run.is_none() {
            let teardowns = teardowns_of_the_rest(schedule, plan).into_iter();
            then.extend(teardowns.map(|path| Command::Clear { path: Some(path) }));
            then.push(Command::AutoRun { path: self.root.clone() });
        }
        Beginning { then: then.into_iter().map(Event::Command).collect(), ..started }
    }

    /// The run that someone asked for in an earlier life of this one, if the scheduler does not hold a later one itself.
    fn asked_before(&self, schedule: &Schedule) -> Vec<Event> {
        match self.asked.iter().rfind(|command| is_run(command)) {
            Some(last) if !schedule.pending_commands().iter().any(is_run) => vec![Event::Command(last.clone())],
            Some(_) | None => Vec::new(),
        }
    }
}

/// How a run ends that was interrupted and does not go on: what was open is ended with its teardowns, and nothing else runs.
pub(crate) fn last_rites(schedule: &Schedule, device: Data) -> Beginning {
    if !schedule.is_running() {
        return Beginning::default();
    }
    let events = vec![Event::Started { device }, Event::Command(Command::CancelPending)];
    Beginning { events, ..Beginning::default() }
}

/// Whether a command leaves nothing of what was asked for before it.
fn ends_all(command: &Command) -> bool {
    matches!(command, Command::Stop { path: None, .. } | Command::Kill | Command::CancelPending)
}

/// Whether a command begins a run.
fn is_run(command: &Command) -> bool {
    matches!(command, Command::Restart { .. } | Command::AutoRun { .. } | Command::RunWithStatus { .. })
}

/// Whether a failure has ended the run, or will: the loss of what was running is one.
fn is_ending(schedule: &Schedule, plan: &Plan, conditions: &dyn Conditions) -> bool {
    let mut schedule = schedule.clone();
    for event in lost(&schedule, plan) {
        schedule.on(plan, conditions, event);
    }
    schedule.ends_because().is_some_and(|cause| match cause {
        Cause::Failure { .. } | Cause::StopOnFailure { .. } | Cause::Stopped => true,
        Cause::Replaced | Cause::Interrupted | Cause::Vanished { .. } => false,
    })
}

/// The teardowns of groups in which something is still to run.
fn teardowns_of_the_rest(schedule: &Schedule, plan: &Plan) -> Vec<String> {
    let status = |id| schedule.states().get(&plan.node(id).path).map_or(Status::Untested, |state| state.status);
    let waits = |id| match status(id) {
        Status::Untested => true,
        Status::Active => starts_again(plan, &plan.node(id).path),
        Status::Passed | Status::Failed | Status::FailedAndWaived | Status::Skipped => false,
    };
    let around = |id| successors(Some(id), |&id| plan.parent(id));
    let leaves = || plan.preorder().filter(|&id| plan.is_leaf(id));
    let rest = leaves().filter(|&id| !is_teardown(plan, id) && waits(id));
    let open: HashSet<NodeId> = rest.flat_map(around).collect();
    let teardowns = leaves().filter(|&id| taken_down(plan, id).is_some_and(|group| open.contains(&group)));
    teardowns.map(|id| plan.node(id).path.clone()).collect()
}

fn on_to_the_end(schedule: &Schedule, plan: &Plan) -> Beginning {
    let again = schedule.active().iter().filter(|(path, _)| starts_again(plan, path));
    Beginning {
        events: lost(schedule, plan),
        relaunched: again.map(|(path, &attempt)| (path.clone(), attempt)).collect(),
        ..Beginning::default()
    }
}

/// The ends of attempts that were running and do not start again.
fn lost(schedule: &Schedule, plan: &Plan) -> Vec<Event> {
    let active = schedule.active().iter().filter(|(path, _)| !starts_again(plan, path));
    active.map(|(path, &attempt)| crashed(path, attempt)).collect()
}

/// A test of which a restart is a part, and a teardown: it always runs, and to its end.
fn starts_again(plan: &Plan, path: &str) -> bool {
    let Some(id) = plan.find(path) else { return false };
    let node = plan.node(id);
    is_teardown(plan, id) || (node.allow_reboot && !node.class.is_shutdown())
}

fn crashed(path: &str, attempt: u32) -> Event {
    Event::AttemptEnded {
        path: path.to_owned(),
        attempt,
        outcome: Outcome::Crashed,
        message: Some(LOST.to_owned()),
        changes: Vec::new(),
    }
}

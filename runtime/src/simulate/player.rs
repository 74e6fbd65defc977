//! Plays a script: answers the scheduler's actions with events, on a virtual clock.

use std::mem;

use indexmap::IndexSet;
use tlc_plan::Data;
use tlc_plan::plan::{NodeId, Plan, Program};

use super::Evaluation;
use super::script::Script;
use super::timeline::{Entry, Happening, Timeline};
use crate::schedule::{
    Action, Command, Event, History, Outcome, Purpose, Schedule, Status, Verdict, find, is_at_or_under, is_teardown,
};

/// Plays a script from the start of the station's program to the end of the run. A path that the list does not have never happens.
pub fn run(plan: &Plan, evaluation: &dyn Evaluation, script: &Script) -> Timeline {
    let mut settings = script.settings.clone();
    settings.auto_run = Some(false);
    let mut player = Player {
        plan,
        evaluation,
        script,
        schedule: Schedule::new(plan, settings),
        history: History::new(script.only.clone()),
        then: Vec::new(),
        running: Vec::new(),
        refused: IndexSet::new(),
        happened: IndexSet::new(),
        failures: vec![0; script.fail.len()],
        random: script.seed,
        now: 0.0,
        attempts: 0,
        durations_known: 0,
        entries: Vec::new(),
        verdict: None,
    };
    player.play();
    player.timeline()
}

struct Running {
    path: String,
    attempt: u32,
    outcome: Outcome,
    message: Option<String>,
    shuts_down: bool,
    ends: f64,
}

/// What interrupts a test.
enum Interruption {
    Abort(String),
    Crash,
    Stop,
}

struct Player<'a> {
    plan: &'a Plan,
    evaluation: &'a dyn Evaluation,
    script: &'a Script,
    schedule: Schedule,
    history: History,
    /// What an interrupted run goes on with.
    then: Vec<Event>,
    running: Vec<Running>,
    /// Those whose refusal has been told.
    refused: IndexSet<String>,
    /// Interruptions that have happened, by kind and path.
    happened: IndexSet<(&'static str, &'a str)>,
    /// How often each of the script's failures has happened.
    failures: Vec<u32>,
    random: Option<u64>,
    now: f64,
    attempts: u32,
    durations_known: u32,
    entries: Vec<Entry>,
    verdict: Option<Verdict>,
}

impl Player<'_> {
    fn play(&mut self) {
        if self.plan.preorder().all(|node| self.plan.node(node).test.is_none()) {
            self.verdict = Some(Verdict { root: String::new(), status: Status::Passed, attempts: 0 });
            return;
        }
        self.feed(Event::Started { device: self.script.device.clone() });
        self.feed(Event::Command(Command::Restart { path: self.script.only.clone() }));
        while self.attempts < self.script.limit && (!self.running.is_empty() || !self.then.is_empty()) {
            if self.running.is_empty() {
                for event in mem::take(&mut self.then) {
                    self.feed(event);
                }
            } else if let Some(interruption) = self.interruption() {
                self.interrupt(interruption);
            } else {
                self.next_end();
            }
        }
    }

    fn timeline(self) -> Timeline {
        let leaves = self.plan.preorder().filter(|&node| self.plan.node(node).test.is_some());
        let statuses = leaves.map(|leaf| {
            let path = self.plan.node(leaf).path.clone();
            let status = self.schedule.states().get(&path).map_or(Status::Untested, |state| state.status);
            (path, status)
        });
        Timeline {
            statuses: statuses.collect(),
            verdict: self.verdict,
            seconds: self.now,
            attempts: self.attempts,
            durations_known: self.durations_known,
            truncated: !self.running.is_empty() || !self.then.is_empty(),
            entries: self.entries,
        }
    }

    fn happen(&mut self, what: Happening) {
        self.entries.push(Entry { at: self.now, what });
    }

    fn feed(&mut self, event: Event) {
        for action in self.history.on(&mut self.schedule, self.plan, self.evaluation, event) {
            self.answer(action);
        }
    }

    fn answer(&mut self, action: Action) {
        match action {
            Action::Start { path, attempt, purpose } => self.start(path, attempt, &purpose),
            Action::End { path, attempt, .. } => {
                self.running.retain(|running| running.path != path);
                self.end(path, attempt, Outcome::Aborted, None);
            }
            Action::Shutdown { .. } => self.restart(true),
            Action::ShutdownRefused { path, reason } => {
                if let Some(at) = self.running.iter().position(|running| running.path == path) {
                    let Running { path, attempt, .. } = self.running.remove(at);
                    self.end(path, attempt, Outcome::Failed, Some(format!("the shutdown was refused: {reason}")));
                }
            }
            Action::StateChanged { path, state } => {
                let refused = state.status == Status::Failed || state.status == Status::FailedAndWaived;
                match state.message.filter(|_| refused && state.outcome.is_none()) {
                    // Its state changes once more when its counters do.
                    Some(message) => {
                        if self.refused.insert(path.clone()) {
                            self.happen(Happening::Refused { path, message });
                        }
                    }
                    None => drop(self.refused.shift_remove(&path)),
                }
            }
            // What does not run while an interrupted run is cleaned up may run when it goes on.
            Action::Skipped { .. }
            | Action::PassedOver { .. }
            | Action::LeftOut { .. }
            | Action::RunFinished { .. }
            | Action::Note { .. }
                if !self.then.is_empty() => {}
            Action::Skipped { path, why } => self.happen(Happening::Skipped { path, why }),
            Action::PassedOver { path, status } => self.happen(Happening::PassedOver { path, status }),
            Action::LeftOut { path, cause } => self.happen(Happening::LeftOut { path, cause }),
            Action::Round { path, retry } => self.happen(Happening::Round { path, retry }),
            Action::RunStarted { .. } => {}
            Action::RunFinished { verdict } => {
                self.verdict = Some(verdict.clone());
                self.happen(Happening::Finished { verdict });
            }
            Action::Note { text, .. } => self.happen(Happening::Note { text }),
        }
    }

    fn start(&mut self, path: String, attempt: u32, purpose: &Purpose) {
        let Some(leaf) = find(self.plan, &path) else { return };
        self.attempts += 1;
        let after_shutdown = *purpose != Purpose::Test;
        let teardown = is_teardown(self.plan, leaf);
        self.happen(Happening::Started { path: path.clone(), attempt, teardown, after_shutdown });
        let duration = self.script.durations.get(&path).copied();
        self.durations_known += u32::from(duration.is_some());
        let failure = match purpose {
            Purpose::AfterShutdown { error: Some(error) } => Some((Outcome::Failed, error.clone())),
            Purpose::AfterShutdown { error: None } | Purpose::Test => self.failure(leaf, &path),
        };
        let shuts_down = failure.is_none() && !after_shutdown && self.plan.node(leaf).class.is_shutdown();
        let (outcome, message) = failure.map_or((Outcome::Passed, None), |(outcome, why)| (outcome, Some(why)));
        let ends = self.now + duration.unwrap_or(0.0).max(0.0);
        self.running.push(Running { path, attempt, outcome, message, shuts_down, ends });
    }

    /// Whether an attempt fails: because it cannot run, or because the script says so.
    fn failure(&mut self, leaf: NodeId, path: &str) -> Option<(Outcome, String)> {
        if self.plan.node(leaf).test.as_ref().is_none_or(|test| test.program == Program::Nothing) {
            return Some((Outcome::Error, "it runs nothing".to_owned()));
        }
        if let Err(error) = self.evaluation.arguments(self.plan, leaf, self.schedule.device()) {
            return Some((Outcome::Error, error));
        }
        for ((named, times), happened) in self.script.fail.iter().zip(&mut self.failures) {
            if is_at_or_under(path, named) && times.is_none_or(|times| *happened < times) {
                *happened += 1;
                return Some((Outcome::Failed, "as the script says".to_owned()));
            }
        }
        None
    }

    /// The next interruption that the script has for a test that runs; each happens once.
    fn interruption(&mut self) -> Option<Interruption> {
        let script = self.script;
        let aborts = script.abort.iter().map(|path| ("abort", path));
        let others =
            script.crash_at.iter().map(|path| ("crash", path)).chain(script.stop.iter().map(|path| ("stop", path)));
        for (kind, path) in aborts.chain(others) {
            let runs = self.running.iter().any(|running| is_at_or_under(&running.path, path));
            if runs && self.happened.insert((kind, path)) {
                return Some(match kind {
                    "abort" => Interruption::Abort(path.clone()),
                    "crash" => Interruption::Crash,
                    _ => Interruption::Stop,
                });
            }
        }
        None
    }

    fn interrupt(&mut self, interruption: Interruption) {
        match interruption {
            Interruption::Abort(path) => {
                self.happen(Happening::Aborted { path: path.clone() });
                self.feed(Event::Command(Command::Stop { path: Some(path), fail: true }));
            }
            Interruption::Crash => self.restart(false),
            Interruption::Stop => {
                self.happen(Happening::Stopped);
                self.feed(Event::Command(Command::Stop { path: None, fail: true }));
            }
        }
    }

    /// The station goes away and comes back; an interrupted run goes on.
    fn restart(&mut self, ordered: bool) {
        self.running.clear();
        self.happen(Happening::Rebooted { ordered });
        let device: Data = self.schedule.device().clone();
        let beginning = self.history.beginning(&self.schedule, self.plan, self.evaluation, device);
        self.then = beginning.then;
        for (path, attempt) in beginning.relaunched {
            self.start(path, attempt, &Purpose::Test);
        }
        for event in beginning.events {
            self.feed(event);
        }
    }

    /// The test that ends first ends.
    fn next_end(&mut self) {
        let first = self.running.iter().map(|running| running.ends).fold(f64::INFINITY, f64::min);
        let ready: Vec<_> = (0..self.running.len()).filter(|&at| self.running[at].ends <= first).collect();
        let Some(&at) = ready.get(self.draw(ready.len())) else { return };
        self.now = self.now.max(first);
        if self.running[at].shuts_down {
            self.running[at].shuts_down = false;
            let path = self.running[at].path.clone();
            return self.feed(Event::ShutdownRequested { path });
        }
        let Running { path, attempt, outcome, message, .. } = self.running.remove(at);
        self.end(path, attempt, outcome, message);
    }

    fn end(&mut self, path: String, attempt: u32, outcome: Outcome, message: Option<String>) {
        self.happen(Happening::Ended { path: path.clone(), attempt, outcome, message: message.clone() });
        self.feed(Event::AttemptEnded { path, attempt, outcome, message, changes: Vec::new() });
    }

    /// One of so many: the first, or one drawn from the seed (a xorshift step).
    fn draw(&mut self, count: usize) -> usize {
        let Some(random) = &mut self.random else { return 0 };
        *random = random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^= mixed >> 27;
        (mixed % count.max(1) as u64) as usize
    }
}

//! Plays the script: answers the scheduler's actions with events, and fires commands at their moments.

use indexmap::IndexMap;
use tlc_plan::plan::{NodeId, Plan, Program};

use super::words::{Act, number, read_act, read_change, read_level, read_statuses};
use super::{FinalState, Moment, Recording, Scenario};
use crate::schedule::{Action, Command, DeviceChange, Event, Outcome, Purpose, Schedule, Settings, State, find};
use crate::simulate::Evaluation;

struct Started {
    path: String,
    attempt: u32,
    act: Act,
    set: Vec<DeviceChange>,
}

pub(super) struct Player<'a> {
    plan: &'a Plan,
    evaluation: &'a dyn Evaluation,
    scenario: &'a Scenario,
    schedule: Schedule,
    started: Vec<Started>,
    starts: IndexMap<String, usize>,
    checks: usize,
    next_moment: usize,
    sequence: Vec<String>,
}

impl<'a> Player<'a> {
    pub fn new(plan: &'a Plan, evaluation: &'a dyn Evaluation, scenario: &'a Scenario) -> Result<Self, String> {
        let mut states = IndexMap::new();
        for (path, &status) in &scenario.initial {
            let node = plan.find(path).ok_or_else(|| format!("`initial` names `{path}`, which is not in the list"))?;
            states.insert(path.clone(), State { status, ..State::new(plan.node(node)) });
        }
        let settings = Settings { teardown: scenario.teardown, ..Settings::default() };
        Ok(Self {
            plan,
            evaluation,
            scenario,
            schedule: Schedule::with_states(plan, settings, states),
            started: Vec::new(),
            starts: IndexMap::new(),
            checks: 0,
            next_moment: 0,
            sequence: Vec::new(),
        })
    }

    pub fn play(&mut self) -> Result<(), String> {
        self.feed(Event::Started { device: self.scenario.device_data() })?;
        while !self.is_over() {
            let moment = self.moment();
            let waits = moment.and_then(|moment| moment.on.strip_prefix("active:"));
            let ready = self.started.iter().position(|it| it.act != Act::Hang && waits != Some(it.path.as_str()));
            match (ready, moment) {
                (Some(ready), _) => self.act(ready)?,
                (None, Some(moment)) if self.has_come(moment) => self.command_all(moment)?,
                (None, _) => match self.started.iter().position(|it| it.act != Act::Hang) {
                    Some(ready) => self.act(ready)?,
                    None => return Ok(()),
                },
            }
        }
        Ok(())
    }

    pub fn recording(self) -> Recording {
        let states = self.schedule.states().iter().map(|(path, state)| (path.clone(), FinalState::from(state)));
        Recording { states: states.collect(), sequence: self.sequence }
    }

    fn is_over(&self) -> bool {
        self.scenario.max.is_some_and(|max| self.starts.values().sum::<usize>() >= max)
    }

    fn moment(&self) -> Option<&'a Moment> {
        self.scenario.events.get(self.next_moment)
    }

    fn has_come(&self, moment: &Moment) -> bool {
        match moment.on.strip_prefix("active:") {
            Some(path) => self.schedule.active().contains_key(path),
            None => self.started.is_empty() && !self.schedule.is_running(),
        }
    }

    fn feed(&mut self, event: Event) -> Result<(), String> {
        let actions = self.schedule.on(self.plan, self.evaluation, event);
        for action in actions {
            match action {
                Action::Start { path, attempt, purpose } => self.start(path, attempt, &purpose)?,
                Action::End { path, .. } => {
                    let at = self.started.iter().position(|it| it.path == path);
                    if let Some(at) = at {
                        let ended = self.started.remove(at);
                        self.end(ended, Outcome::Aborted, None)?;
                    }
                }
                Action::Shutdown { path } => self.shut_down(&path)?,
                Action::ShutdownRefused { path, .. } => {
                    self.sequence.push("(shutdown refused)".to_owned());
                    let at = self.started.iter().position(|it| it.path == path);
                    if let Some(at) = at {
                        let refused = self.started.remove(at);
                        self.end(refused, Outcome::Failed, Some("the shutdown was refused"))?;
                    }
                }
                Action::StateChanged { .. }
                | Action::Skipped { .. }
                | Action::PassedOver { .. }
                | Action::LeftOut { .. }
                | Action::Round { .. }
                | Action::RunStarted { .. }
                | Action::RunFinished { .. }
                | Action::Note { .. } => {}
            }
        }
        Ok(())
    }

    fn start(&mut self, path: String, attempt: u32, purpose: &Purpose) -> Result<(), String> {
        let leaf = find(self.plan, &path).ok_or("a start of a path that is not in the list")?;
        let (act, set) = match purpose {
            Purpose::AfterShutdown { error } => {
                self.sequence.push(format!("{path}(post)"));
                let scripted = self.scenario.post.get(self.checks);
                self.checks += usize::from(error.is_none());
                match (error, scripted) {
                    (Some(_), _) => (Act::Fail(Outcome::Failed, "the shutdown was not ordered"), Vec::new()),
                    (None, Some(scripted)) => read_act(scripted)?,
                    (None, None) => (Act::Pass, Vec::new()),
                }
            }
            Purpose::Test => self.start_test(leaf, &path)?,
        };
        self.started.push(Started { path, attempt, act, set });
        Ok(())
    }

    fn start_test(&mut self, leaf: NodeId, path: &str) -> Result<(Act, Vec<DeviceChange>), String> {
        let node = self.plan.node(leaf);
        if self.evaluation.arguments(self.plan, leaf, self.schedule.device()).is_err() {
            return Ok((Act::Fail(Outcome::Error, "its arguments cannot be evaluated"), Vec::new()));
        }
        if node.test.as_ref().is_none_or(|test| test.program == Program::Nothing) {
            return Ok((Act::Fail(Outcome::Error, "it runs nothing"), Vec::new()));
        }
        self.sequence.push(path.to_owned());
        let number = self.starts.entry(path.to_owned()).or_default();
        let outcomes = self.scenario.outcomes.get(path).map_or(&[][..], Vec::as_slice);
        let scripted = outcomes.get(*number).or(outcomes.last());
        *number += 1;
        let (act, set) = scripted.map_or(Ok((Act::Pass, Vec::new())), read_act)?;
        let act = if node.class.is_shutdown() && act == Act::Pass { Act::Shutdown { happens: true } } else { act };
        Ok((act, set))
    }

    fn act(&mut self, at: usize) -> Result<(), String> {
        match self.started[at].act.clone() {
            Act::Hang => Ok(()),
            Act::Crash => self.crash(),
            Act::Shutdown { .. } => {
                let changes = std::mem::take(&mut self.started[at].set);
                let path = self.started[at].path.clone();
                self.feed(Event::DeviceDataChanged { changes })?;
                self.feed(Event::ShutdownRequested { path })
            }
            Act::Pass => {
                let started = self.started.remove(at);
                self.end(started, Outcome::Passed, None)
            }
            Act::Fail(outcome, message) => {
                let started = self.started.remove(at);
                self.end(started, outcome, Some(message))
            }
        }
    }

    fn end(&mut self, started: Started, outcome: Outcome, message: Option<&str>) -> Result<(), String> {
        let message = message.map(str::to_owned);
        let Started { path, attempt, set: changes, .. } = started;
        self.feed(Event::AttemptEnded { path, attempt, outcome, message, changes })
    }

    fn shut_down(&mut self, path: &str) -> Result<(), String> {
        let Some(at) = self.started.iter().position(|it| it.path == path) else { return Ok(()) };
        if self.started[at].act == (Act::Shutdown { happens: true }) {
            return self.restart("--reboot(clean)--");
        }
        let stayed = self.started.remove(at);
        self.end(stayed, Outcome::Passed, None)
    }

    fn crash(&mut self) -> Result<(), String> {
        self.restart("--reboot(crash)--")
    }

    /// The machine goes away and comes back; only what is stored survives.
    fn restart(&mut self, mark: &str) -> Result<(), String> {
        self.sequence.push(mark.to_owned());
        self.started.clear();
        let stored = serde_json::to_string(&self.schedule).map_err(|error| error.to_string())?;
        self.schedule = serde_json::from_str(&stored).map_err(|error| error.to_string())?;
        let device = self.schedule.device().clone();
        self.feed(Event::Started { device })
    }

    fn command_all(&mut self, moment: &Moment) -> Result<(), String> {
        self.next_moment += 1;
        let commands = moment.commands.as_array().ok_or("`do` is an array")?;
        if commands.first().is_some_and(serde_json::Value::is_array) {
            commands.iter().try_for_each(|command| self.command(command))
        } else {
            self.command(&moment.commands)
        }
    }

    fn command(&mut self, command: &serde_json::Value) -> Result<(), String> {
        let word = command[0].as_str().ok_or("a command begins with a word")?;
        self.sequence.push(format!("!{word}"));
        let path = |at: usize| command[at].as_str().map(str::to_owned);
        let known = match word {
            "restart" => Command::Restart { path: path(1) },
            "auto" => Command::AutoRun { path: path(1) },
            "run_status" => Command::RunWithStatus { statuses: read_statuses(&command[1])?, path: path(2) },
            "stop" => Command::Stop { path: path(1), fail: command[2].as_bool().unwrap_or(false) },
            "clear" => Command::Clear { path: path(1) },
            "cancel" => Command::CancelPending,
            "schedule_restart" => Command::ScheduleRestart,
            "iter" => self.set_iterations(path(1).unwrap_or_default(), &command[2], &command[3]),
            "note" => Command::AddNote { level: read_level(&command[1])?, text: String::new() },
            "eng" => Command::SetEngineering { on: command[1].as_bool().unwrap_or(true) },
            "set" => {
                let changes = vec![read_change(&path(1).unwrap_or_default(), &command[2])];
                return self.feed(Event::DeviceDataChanged { changes });
            }
            "finish" => return self.finish(&path(1).unwrap_or_default(), &command[2]),
            "powercycle" => return self.crash(),
            other => return Err(format!("`{other}` is not a command")),
        };
        self.feed(Event::Command(known))
    }

    /// Without numbers the list's own are set.
    fn set_iterations(&self, path: String, iterations: &serde_json::Value, retries: &serde_json::Value) -> Command {
        let node = find(self.plan, &path).map(|node| self.plan.node(node));
        let own = node.filter(|_| iterations.is_null() && retries.is_null());
        let (iterations, retries) = match own {
            Some(node) => (number(node.iterations), number(node.retries)),
            // What is no integer is as invalid as an integer that is too small.
            None => (iterations.as_i64().unwrap_or(0), retries.as_i64().unwrap_or(-2)),
        };
        Command::SetIterations { path, iterations, retries }
    }

    fn finish(&mut self, path: &str, outcome: &serde_json::Value) -> Result<(), String> {
        let Some(at) = self.started.iter().position(|it| it.path == path) else { return Ok(()) };
        let (act, set) = read_act(outcome)?;
        self.started[at].act = act;
        self.started[at].set = set;
        self.act(at)
    }
}

//! Scripted scenarios: a plan and a script of outcomes and commands go in; what was started, in order, and the final states come out.
//!
//! The format is that of a corpus of recorded runs. The caller builds the plan from the scenario's `tests` and `options`. Without
//! `teardown` the policy is [`TeardownPolicy::Reference`].

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use tlc_plan::Data;
use tlc_plan::plan::{NodeId, Plan, Program};

use super::Evaluation;
use crate::schedule::{
    Action, Command, DeviceChange, Event, NoteLevel, Outcome, Purpose, Schedule, Settings, State, Status,
    TeardownPolicy,
};

/// A script. What the list is made of (`tests`, `options`) is the plan's matter, and kept as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is called.
    #[serde(default)]
    pub name: String,
    /// What it shows.
    #[serde(default)]
    pub why: String,
    /// The list's tests.
    #[serde(default)]
    pub tests: serde_json::Value,
    /// The list's options.
    #[serde(default)]
    pub options: serde_json::Value,
    /// Other sections of the list.
    #[serde(default)]
    pub constants: serde_json::Value,
    /// How starts end: path to outcomes in order, the last one repeats.
    #[serde(default)]
    pub outcomes: IndexMap<String, Vec<serde_json::Value>>,
    /// Statuses that are stored before the start.
    #[serde(default)]
    pub initial: IndexMap<String, Status>,
    /// Device data before the start.
    #[serde(default)]
    pub device: Option<Data>,
    /// Commands at moments, in order, each once.
    #[serde(default)]
    pub events: Vec<Moment>,
    /// How the checks after a shutdown end, in order; then they pass.
    #[serde(default)]
    pub post: Vec<serde_json::Value>,
    /// The observer stops after so many starts.
    #[serde(default)]
    pub max: Option<usize>,
    /// The policy.
    #[serde(default = "reference")]
    pub teardown: TeardownPolicy,
}

fn reference() -> TeardownPolicy {
    TeardownPolicy::Reference
}

/// Commands, and when they come.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// `idle`, or `active:` and a path.
    pub on: String,
    /// One command or several; a command is an array of its word and its arguments.
    #[serde(rename = "do")]
    pub commands: serde_json::Value,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recording {
    /// What was started and commanded, in order.
    pub sequence: Vec<String>,
    /// The final state of each node, by path.
    pub states: IndexMap<String, FinalState>,
}

/// A node's state at the end; counters without an end are -1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FinalState {
    /// Its status.
    pub status: Status,
    /// How often it was started.
    pub count: u32,
    /// What was wrong.
    pub error_msg: Option<String>,
    /// What is left of its iterations.
    pub iterations_left: i64,
    /// What is left of its retries.
    pub retries_left: i64,
    /// How many shutdowns it came back from.
    pub shutdown_count: u32,
}

/// Plays a scenario; or says which part of the script is not understood.
pub fn play(plan: &Plan, evaluation: &dyn Evaluation, scenario: &Scenario) -> Result<Recording, String> {
    let mut player = Player::new(plan, evaluation, scenario)?;
    player.play()?;
    let states = player.schedule.states().iter().map(|(path, state)| (path.clone(), FinalState::from(state)));
    Ok(Recording { states: states.collect(), sequence: player.sequence })
}

/// How a started test acts.
#[derive(Clone, Debug, PartialEq)]
enum Act {
    Pass,
    Fail(Outcome, &'static str),
    Hang,
    Crash,
    Shutdown { happens: bool },
}

struct Started {
    path: String,
    attempt: u32,
    act: Act,
    set: Vec<DeviceChange>,
}

struct Player<'a> {
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
    fn new(plan: &'a Plan, evaluation: &'a dyn Evaluation, scenario: &'a Scenario) -> Result<Self, String> {
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

    fn play(&mut self) -> Result<(), String> {
        let device = self.scenario.device.clone().unwrap_or_else(|| Data::object(IndexMap::new()));
        self.feed(Event::Started { device })?;
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
        let leaf = self.plan.find(&path).ok_or("a start of a path that is not in the list")?;
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
            "iter" => Command::SetIterations {
                path: path(1).unwrap_or_default(),
                iterations: command[2].as_i64().unwrap_or(0),
                retries: command[3].as_i64().unwrap_or(0),
            },
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

    fn finish(&mut self, path: &str, outcome: &serde_json::Value) -> Result<(), String> {
        let Some(at) = self.started.iter().position(|it| it.path == path) else { return Ok(()) };
        let (act, set) = read_act(outcome)?;
        self.started[at].act = act;
        self.started[at].set = set;
        self.act(at)
    }
}

fn read_act(outcome: &serde_json::Value) -> Result<(Act, Vec<DeviceChange>), String> {
    let (word, set) = match outcome.as_object() {
        Some(object) => (&object.get("r").cloned().unwrap_or_default(), object.get("set")),
        None => (outcome, None),
    };
    let act = match word.as_str() {
        Some("P") => Act::Pass,
        Some("F") => Act::Fail(Outcome::Failed, "it failed"),
        Some("EXIT1") => Act::Fail(Outcome::Error, "its process ended with exit code 1"),
        Some("NORESULT") => Act::Fail(Outcome::Error, "its process ended without a result"),
        Some("HANG") => Act::Hang,
        Some("CRASH") => Act::Crash,
        Some("SHUTDOWN") => Act::Shutdown { happens: true },
        Some("FALSESHUTDOWN") => Act::Shutdown { happens: false },
        _ => return Err(format!("{word} is not an outcome")),
    };
    let set = set.and_then(serde_json::Value::as_object).into_iter().flatten();
    Ok((act, set.map(|(key, value)| read_change(key, value)).collect()))
}

fn read_change(key: &str, value: &serde_json::Value) -> DeviceChange {
    DeviceChange { key: key.strip_prefix("device.").unwrap_or(key).to_owned(), value: Some(Data::from(value)) }
}

fn read_statuses(names: &serde_json::Value) -> Result<Vec<Status>, String> {
    let names = names.as_array().ok_or("a filter is an array of statuses")?;
    names
        .iter()
        .map(|name| name.as_str().and_then(Status::from_name).ok_or_else(|| format!("{name} is not a status")))
        .collect()
}

fn read_level(name: &serde_json::Value) -> Result<NoteLevel, String> {
    serde_json::from_value(name.clone()).map_err(|_| format!("{name} is not a level of notes"))
}

impl From<&State> for FinalState {
    fn from(state: &State) -> Self {
        Self {
            status: state.status,
            count: state.count,
            error_msg: state.message.clone(),
            iterations_left: state.iterations_left.number(),
            retries_left: state.retries_left.number(),
            shutdown_count: state.shutdown_count,
        }
    }
}

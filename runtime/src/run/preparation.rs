//! What a run is made of: settings, tests, device data, and the place in the store where it begins or goes on.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use tlc_plan::plan::{Count, Program};
use tlc_plan::{Data, Plan};
use uuid::Uuid;

use super::{RunOptions, Trouble};
use crate::dispatch::{
    Evaluation, Later, Recovered, RunSettings, Workers, later_plans, named, replay, state as state_row,
    tests as test_rows,
};
use crate::prompt::Answers;
use crate::report::{Reporter, local};
use crate::schedule::{
    Beginning, Command, Event, Schedule, Settings as ScheduleSettings, State, Status, TeardownPolicy, is_at_or_under,
    is_sequence, is_teardown, last_rites, rerun_root,
};
use crate::station::{FileError, Settings, StateDirectory};
use crate::store::{Change, EventRow, NewRun, RunKey, RunNumber, RunRow, Store};
use crate::worker::message::Identities;

/// The only slot, so far.
const SLOT: u32 = 0;

/// What is the same for the whole run.
pub(super) struct Preparation<'a> {
    pub plan: &'a Plan,
    pub options: &'a RunOptions,
    pub settings: Arc<Settings>,
    pub tests: Option<PathBuf>,
    pub device: Data,
    pub evaluation: Evaluation,
    pub workers: Workers,
    pub answers: Option<Answers>,
    /// What the list is after an edit.
    pub later: Later,
}

/// What comes next.
pub(super) enum Next {
    /// This run.
    Run(Box<Prepared>),
    /// The end of this one, which does not go on.
    Close(Box<RunRow>),
}

/// A run that is ready to begin or to go on.
pub(super) struct Prepared {
    pub row: RunKey,
    pub id: String,
    pub schedule: Schedule,
    pub beginning: Beginning,
    pub before: Duration,
    pub attempts: u32,
    pub stopped: bool,
    pub resumed: bool,
    /// The root of what was asked for at first.
    pub asked: String,
    /// The root of what is run, or was at last.
    pub root: String,
    pub headline: String,
    /// What tests find as `TLC_SEED`.
    pub seed: Option<u64>,
    /// Who and what takes part, as far as it is known.
    pub identity: Identities,
    /// Tests that were running when it was interrupted.
    pub lost: Vec<String>,
}

pub(super) fn read_settings(options: &RunOptions) -> Result<Settings, Trouble> {
    match &options.station {
        Some(path) => Settings::read(path).map_err(|error| named_file(&error)),
        None => Ok(Settings::default()),
    }
}

/// The file that the command line names, else that of the settings.
pub(super) fn read_answers(options: &RunOptions, settings: &Settings) -> Result<Option<Answers>, Trouble> {
    let of_settings = || settings.answers.as_ref().map(|path| settings.directory.join(path));
    let stations = of_settings().map(|path| Answers::read(&path)).transpose();
    let stations = stations.map_err(|error| Trouble::Environment(error.to_string()))?;
    match &options.answers {
        Some(path) => Answers::read(path).map(|own| Some(own.or(stations))).map_err(|error| named_file(&error)),
        None => Ok(stations),
    }
}

/// What the command line names and does not exist is a mistake of usage.
fn named_file(error: &FileError) -> Trouble {
    let message = error.to_string();
    if error.is_missing() { Trouble::Usage(message) } else { Trouble::Environment(message) }
}

pub(super) fn tests_directory(plan: &Plan, options: &RunOptions) -> Result<Option<PathBuf>, Trouble> {
    let needed = has_python_tests(plan);
    match &options.tests {
        Some(directory) if directory.is_dir() => fs::canonicalize(directory).map(Some).map_err(|error| {
            Trouble::Environment(format!("the directory of tests `{}`: {error}", directory.display()))
        }),
        Some(directory) if needed => {
            Err(Trouble::Usage(format!("the directory of tests `{}` does not exist", directory.display())))
        }
        None if needed => {
            Err(Trouble::Environment("the list has Python tests: name their directory with --tests".into()))
        }
        Some(_) | None => Ok(None),
    }
}

pub(super) fn has_python_tests(plan: &Plan) -> bool {
    plan.preorder().any(|id| matches!(&plan.node(id).test, Some(test) if matches!(test.program, Program::Pytest(_))))
}

pub(super) fn device_data(options: &RunOptions, store: &Store) -> Result<Data, Trouble> {
    if let Some(data) = &options.device_data {
        return Ok(data.clone());
    }
    let stored = store.device_data(SLOT)?.and_then(|text| serde_json::from_str(&text).ok());
    Ok(stored.unwrap_or_else(|| Data::object(IndexMap::new())))
}

impl<'a> Preparation<'a> {
    /// With what the plan's expressions see when it is loaded.
    pub(super) fn new(
        plan: &'a Plan,
        options: &'a RunOptions,
        settings: Arc<Settings>,
        tests: Option<PathBuf>,
        device: Data,
        workers: Workers,
    ) -> Self {
        let evaluation = Evaluation::load(plan, &device, &settings.data);
        Self { plan, options, settings, tests, device, evaluation, workers, answers: None, later: Later::new() }
    }

    /// What comes next: the interrupted run of this plan, another one that is to be ended first, or a new one.
    pub(super) fn prepare(&self, store: &mut Store, reporter: &mut Reporter) -> Result<Next, Trouble> {
        let unfinished = store.unfinished()?;
        self.workers.end_left_behind(&unfinished);
        for id in &unfinished {
            StateDirectory::clear(&store.run_directory(id));
        }
        let hash = self.plan.hash();
        while let Some(run) = store.interrupted(&hash, SLOT)? {
            if self.options.new {
                give_up(&run, "a new one was asked for", store, reporter)?;
            } else if self.continues(&run) {
                return self.resume(store, &run).map(Box::new).map(Next::Run);
            } else {
                return Ok(Next::Close(Box::new(run)));
            }
        }
        for (run, at) in store.outdated(&self.plan.id, &hash, SLOT)? {
            if !self.options.new {
                return Ok(Next::Close(Box::new(run)));
            }
            let why = format!("that was at {}, and the list has changed since", local(&at));
            give_up(&run, &why, store, reporter)?;
        }
        self.begin(store, hash, reporter).map(Box::new).map(Next::Run)
    }

    /// Whether the interrupted run is the one that is asked for; with `--status` its states are, in a run of its own.
    fn continues(&self, run: &RunRow) -> bool {
        let began = || RunSettings::of(run).map(|settings| settings.schedule);
        let RunOptions { unit, phase, from, status, .. } = self.options;
        run.root == self.root()
            && status.is_empty()
            && (unit.is_empty() || *unit == run.unit)
            && (phase.is_none() || began().is_ok_and(|began| began.phase == *phase))
            && (from.is_none() || began().is_ok_and(|began| began.from == self.from()))
    }

    /// What is run: all, or what was asked for; of a sequence all of it.
    pub(super) fn root(&self) -> String {
        let named = self.options.only.as_deref().and_then(|path| self.plan.find(path));
        let named = named.map(|id| rerun_root(self.plan, id));
        named.map_or_else(String::new, |id| self.plan.node(id).path.clone())
    }

    /// The node with which the run begins.
    fn from(&self) -> Option<String> {
        let named = self.options.from.as_deref().and_then(|path| self.plan.find(path));
        named.map(|id| self.plan.node(id).path.clone())
    }

    fn path(&self) -> Option<String> {
        self.options.only.as_ref().map(|_| self.root())
    }

    fn command(&self) -> Command {
        if self.options.status.is_empty() {
            return Command::Restart { path: self.path() };
        }
        Command::RunWithStatus { statuses: self.options.status.clone(), path: self.path() }
    }

    /// Sequences with tests that are asked for by their status, and become untested before they are looked at (reference: V7).
    fn wiped(&self, states: &IndexMap<String, State>) -> Vec<&str> {
        let wanted = &self.options.status;
        if wanted.contains(&Status::Untested) {
            return Vec::new();
        }
        let sequences = self.plan.preorder().filter(|&id| is_sequence(self.plan, id));
        let paths = sequences.map(|id| self.plan.node(id).path.as_str());
        let is_asked_for = |path: &&str| {
            let inside = states.iter().filter(|(other, _)| is_at_or_under(other, path));
            inside.map(|(_, state)| state.status).any(|status| status != Status::Passed && wanted.contains(&status))
        };
        paths.filter(is_asked_for).collect()
    }

    fn started(&self) -> Event {
        Event::Started { device: self.device.clone() }
    }

    /// What a run begins with.
    fn first_events(&self, command: Command) -> Vec<Event> {
        let mut events = vec![self.started()];
        events.extend(self.retries().into_iter().map(Event::Command));
        events.push(Event::Command(command));
        events
    }

    /// Tests that the list lets fail less often than the operator does. A teardown and a shutdown stay as they are.
    fn retries(&self) -> Vec<Command> {
        let wanted = self.options.retry;
        let tests = self.plan.preorder().filter(|&id| {
            let node = self.plan.node(id);
            let fewer = matches!(node.retries, Count::Times(times) if times < wanted);
            fewer && node.test.is_some() && !is_teardown(self.plan, id) && !node.class.is_shutdown()
        });
        tests
            .map(|id| {
                let node = self.plan.node(id);
                let iterations = match node.iterations {
                    Count::Times(times) => i64::from(times),
                    Count::Unlimited => -1,
                };
                Command::SetIterations { path: node.path.clone(), iterations, retries: i64::from(wanted) }
            })
            .collect()
    }

    fn resume(&self, store: &mut Store, run: &RunRow) -> Result<Prepared, Trouble> {
        let (settings, recovered) = self.recover(store, run)?;
        let Recovered { schedule, history, .. } = &recovered;
        let mut beginning = history.beginning(schedule, self.plan, &self.evaluation, self.device.clone());
        if !history.begun {
            beginning.events = self.first_events(settings.command);
        }
        let headline = format!("run {} of {} was interrupted and goes on (--new starts afresh)", run.run, self.plan.id);
        let mut prepared = prepared(store, run, recovered, beginning, self.options.seed.or(settings.seed), headline)?;
        if !self.options.operator.is_empty() {
            // Another person can go on with it.
            prepared.identity.operator = Some(self.options.operator.clone());
        }
        Ok(prepared)
    }

    /// A run of this plan that is to end with its teardowns; nothing if it has none to run.
    pub(super) fn prepare_to_close(&self, store: &mut Store, run: &RunRow) -> Result<Option<Prepared>, Trouble> {
        let (settings, mut recovered) = self.recover(store, run)?;
        if !recovered.history.begun || settings.schedule.teardown == TeardownPolicy::Reference {
            return Ok(None);
        }
        recovered.history.stopped = true;
        let beginning = last_rites(&recovered.schedule, self.device.clone());
        let headline = format!("run {} of {} was interrupted and does not go on: its teardowns run", run.run, run.list);
        prepared(store, run, recovered, beginning, settings.seed, headline).map(Some)
    }

    fn recover(&self, store: &Store, run: &RunRow) -> Result<(RunSettings, Recovered), Trouble> {
        let environment = |error: crate::dispatch::RecoveryError| Trouble::Environment(error.to_string());
        let settings = RunSettings::of(run).map_err(environment)?;
        let events = store.scheduled_events(RunNumber(run.run))?;
        let earlier = self.earlier_editions(store, run, &events)?;
        let own = (self.plan, &self.evaluation);
        let editions = earlier.iter().map(|(plan, evaluation)| (plan, evaluation)).chain([own]);
        let recovered = replay(editions, run, &settings, &events).map_err(environment)?;
        Ok((settings, recovered))
    }

    /// What the list of an interrupted run was before it became this plan.
    fn earlier_editions(
        &self,
        store: &Store,
        run: &RunRow,
        events: &[EventRow],
    ) -> Result<Vec<(Plan, Evaluation)>, Trouble> {
        let mut hashes: Vec<_> = std::iter::once(run.plan_hash.clone()).chain(later_plans(events)).collect();
        hashes.pop();
        let mut editions = Vec::new();
        for hash in hashes {
            let plan = store.plan(&hash)?.and_then(|text| Plan::from_json(&text).ok()).ok_or_else(|| {
                Trouble::Environment(format!(
                    "the interrupted run {} cannot be resumed (one of its plans cannot be read); --new abandons it and starts afresh",
                    run.run
                ))
            })?;
            let evaluation = Evaluation::load(&plan, &self.device, &self.settings.data);
            editions.push((plan, evaluation));
        }
        Ok(editions)
    }

    fn begin(&self, store: &mut Store, hash: String, reporter: &mut Reporter) -> Result<Prepared, Trouble> {
        let continued = if self.options.status.is_empty() { None } else { store.last_of_plan(&hash, SLOT)? };
        let states = match &continued {
            Some(run) => Some(states_of(store, RunNumber(run.run))?),
            None => None,
        };
        for path in states.iter().flat_map(|states| self.wiped(states)) {
            reporter.warn(&format!(
                "`{path}` is a sequence, which starts afresh as a whole: nothing of it runs unless --status has `untested`, too"
            ));
        }
        let settings = RunSettings {
            schedule: self.schedule_settings(),
            command: self.command(),
            states,
            seed: self.options.seed,
        };
        let id = Uuid::now_v7().to_string();
        let schedule = settings.schedule(self.plan);
        let new = NewRun {
            id: id.clone(),
            plan: self.plan.to_json_with(hash.clone()),
            plan_hash: hash,
            list: self.plan.id.clone(),
            station: station_name(&self.settings),
            slot: SLOT,
            unit: self.options.unit.clone(),
            operator: self.options.operator.clone(),
            phase: self.options.phase.clone().or_else(|| self.evaluation.phase()).unwrap_or_default(),
            root: self.root(),
            continues: continued.map(|run| RunNumber(run.run)),
            settings: serde_json::to_string(&settings).unwrap_or_default(),
        };
        let number = store.begin(&new, &test_rows(self.plan, &self.options.locale, settings.states.as_ref()))?;
        let row = RunKey { number, slot: SLOT, unit: self.options.unit.clone() };
        let headline = format!("run {number} of {}", self.plan.id);
        let beginning = Beginning { events: self.first_events(settings.command), ..Beginning::default() };
        Ok(Prepared {
            row,
            identity: self.named(),
            id,
            seed: settings.seed,
            schedule,
            beginning,
            resumed: false,
            asked: self.root(),
            root: self.root(),
            lost: Vec::new(),
            before: Duration::ZERO,
            attempts: 0,
            stopped: false,
            headline,
        })
    }

    fn schedule_settings(&self) -> ScheduleSettings {
        ScheduleSettings {
            teardown: self.settings.teardown,
            phase: self.options.phase.clone(),
            auto_run: Some(false),
            from: self.from(),
        }
    }

    fn named(&self) -> Identities {
        named(&self.options.unit, &self.options.operator)
    }
}

/// What the tests of an interrupted run have said; what the command line said if they have said nothing.
fn identity_of(run: &RunRow) -> Identities {
    match serde_json::from_str::<Identities>(&run.identity) {
        Ok(known) if known != Identities::default() => known,
        _ => named(&run.unit, &run.operator),
    }
}

/// Ends an interrupted run without its teardowns.
pub(super) fn give_up(run: &RunRow, why: &str, store: &mut Store, reporter: &mut Reporter) -> Result<(), Trouble> {
    let number = RunNumber(run.run);
    store.end_lost_attempts(number, false)?;
    store.abandon(number)?;
    reporter.warn(&format!(
        "run {number} of {} was interrupted and is given up ({why}); teardowns that were open did not run: see to the unit and the fixture",
        run.list
    ));
    Ok(())
}

/// An interrupted run, with what it goes on with.
fn prepared(
    store: &mut Store,
    run: &RunRow,
    recovered: Recovered,
    beginning: Beginning,
    seed: Option<u64>,
    headline: String,
) -> Result<Prepared, Trouble> {
    let number = RunNumber(run.run);
    let row = RunKey { number, slot: run.slot, unit: run.unit.clone() };
    store.end_lost_attempts(number, recovered.history.ordered)?;
    store.commit(&row, &[], &lost_with_an_edit(store, number, &recovered.schedule)?)?;
    Ok(Prepared {
        row,
        identity: identity_of(run),
        id: run.id.clone(),
        seed,
        lost: recovered.schedule.active().keys().cloned().collect(),
        asked: run.root.clone(),
        root: recovered.history.root.unwrap_or_else(|| run.root.clone()),
        schedule: recovered.schedule,
        beginning,
        before: recovered.before,
        attempts: store.attempts(number)?.len() as u32,
        stopped: recovered.history.stopped,
        resumed: true,
        headline,
    })
}

/// Tests that ran when the run was interrupted and that an edit had taken out of the list: nothing of what follows is about them.
fn lost_with_an_edit(store: &Store, number: RunNumber, schedule: &Schedule) -> Result<Vec<Change>, Trouble> {
    let states = states_of(store, number)?.into_iter();
    let lost = states.filter(|(path, state)| state.status == Status::Active && !schedule.states().contains_key(path));
    Ok(lost.map(|(path, state)| state_row(&path, &state.crashed())).collect())
}

fn states_of(store: &Store, number: RunNumber) -> Result<IndexMap<String, State>, Trouble> {
    let rows = store.tests(number)?;
    Ok(rows.into_iter().filter_map(|row| Some((row.path, serde_json::from_str(&row.state).ok()?))).collect())
}

pub(super) fn station_name(settings: &Settings) -> String {
    let host = || fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned()).ok();
    settings.station.clone().or_else(host).or_else(|| env::var("HOSTNAME").ok()).unwrap_or_default()
}

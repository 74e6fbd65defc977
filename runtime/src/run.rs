//! A whole run: from a plan and options to an exit code.
//!
//! Settings, store, Python and services are made ready first; if one of them fails, no test starts. What was made ready is taken down
//! again whatever happens.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use tlc_plan::plan::Program;
use tlc_plan::{Data, Plan};
use uuid::Uuid;

use crate::cli::{Results, ResultsArgs};
use crate::dispatch::{
    Conclusion, Dispatch, Evaluation, Ground, RunPlace, RunSettings, Signals, replay, tests as test_rows,
};
use crate::report::{Output, Progress, Reporter, Summary, show_history, show_list, show_run, write};
use crate::schedule::{Command, Event, Schedule, Settings as ScheduleSettings, State, Status};
use crate::station::{Places, Services, Settings, StateDirectory, default_store, search_path};
use crate::store::{NewRun, Reader, RunKey, RunNumber, RunRow, Store, StoreError};
use crate::worker::{Python, Reaper, end_left_behind};

/// The only slot, so far.
const SLOT: u32 = 0;

/// How a run is made.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// The store; the default one if none is named.
    pub store: Option<PathBuf>,
    /// The directory of Python tests.
    pub tests: Option<PathBuf>,
    /// The station's settings; without them everything has its default.
    pub station: Option<PathBuf>,
    /// An interrupted run is given up.
    pub new: bool,
    /// The group or test that is run; everything if none is named.
    pub only: Option<String>,
    /// Continue the last run with the tests that have one of these; empty for a run afresh.
    pub status: Vec<Status>,
    /// The Python interpreter, instead of the station's.
    pub python: Option<String>,
    /// The phase, instead of the list's.
    pub phase: Option<String>,
    /// The device data, instead of the store's.
    pub device_data: Option<Data>,
    /// The locale for texts.
    pub locale: String,
    /// Who runs it.
    pub operator: String,
    /// The unit under test.
    pub unit: String,
    /// What is shown meanwhile.
    pub progress: Progress,
}

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Passed,
    /// A test failed, or the run was ended by the operator.
    Failed,
    /// The command was not understood.
    Usage,
    /// What a run stands on is not there.
    Environment,
}

/// Why a run does not take place, or does not come to its end.
enum Trouble {
    Usage(String),
    Environment(String),
    /// The operator did not want to wait.
    Interrupted,
}

impl Exit {
    /// 0, 1, 2 or 3.
    pub fn code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Environment => 3,
        }
    }

    /// Says what is wrong with a command.
    pub fn usage(message: &str) -> Self {
        Reporter::new(Progress::Plain).error(message);
        Self::Usage
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Environment(error.to_string())
    }
}

/// Runs a plan, shows it on this program's stdout and stderr, and says how it ended.
pub fn run(plan: &Plan, options: &RunOptions) -> Exit {
    let mut reporter = Reporter::new(options.progress);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            reporter.error(&format!("unable to start: {error}"));
            return Exit::Environment;
        }
    };
    let ended = runtime.block_on(run_here(plan, options, &mut reporter));
    // A thread that waits for something out of reach does not keep the program.
    runtime.shutdown_background();
    reporter.end();
    match ended {
        Ok(exit) => exit,
        Err(Trouble::Usage(message)) => {
            reporter.error(&message);
            Exit::Usage
        }
        Err(Trouble::Environment(message)) => {
            reporter.error(&message);
            Exit::Environment
        }
        Err(Trouble::Interrupted) => Exit::Failed,
    }
}

/// What is the same for the whole run.
struct Preparation<'a> {
    plan: &'a Plan,
    options: &'a RunOptions,
    settings: Arc<Settings>,
    tests: Option<PathBuf>,
    device: Data,
    evaluation: Evaluation,
}

/// A run that is ready to begin or to go on.
struct Prepared {
    row: RunKey,
    id: String,
    schedule: Schedule,
    first: Vec<Event>,
    then: Option<Command>,
    before: Duration,
    attempts: u32,
    headline: String,
}

async fn run_here(plan: &Plan, options: &RunOptions, reporter: &mut Reporter) -> Result<Exit, Trouble> {
    if let Some(path) = &options.only
        && plan.find(path).is_none()
    {
        return Err(Trouble::Usage(format!("the list `{}` has no `{path}`", plan.id)));
    }
    let settings = Arc::new(read_settings(options)?);
    let tests = tests_directory(plan, options)?;
    let mut signals =
        Signals::new().map_err(|error| Trouble::Environment(format!("unable to wait for signals: {error}")))?;
    let mut store = Store::open(&store_path(options)?)?;
    let device = device_data(options, &store)?;
    let evaluation = Evaluation::load(plan, &device, &settings.data);
    let preparation = Preparation { plan, options, settings, tests, device, evaluation };
    let reaper = Reaper::new().map_err(|error| Trouble::Environment(format!("unable to adopt processes: {error}")))?;
    let reaper = Arc::new(reaper);
    let prepared = preparation.prepare(&mut store, reporter)?;
    let number = prepared.row.number;
    let concluded = preparation.conduct(prepared, &mut store, &mut signals, &reaper, reporter).await;
    reaper.end_all().await;
    let conclusion = concluded?;
    summarise(&store, number, reporter)?;
    Ok(exit_of(&conclusion))
}

fn exit_of(conclusion: &Conclusion) -> Exit {
    let passed = conclusion.verdict.is_pass() && !conclusion.interrupted && !conclusion.shutting_down;
    if passed { Exit::Passed } else { Exit::Failed }
}

fn summarise(store: &Store, number: RunNumber, reporter: &mut Reporter) -> Result<(), Trouble> {
    let Some(run) = store.run(number)? else { return Ok(()) };
    let summary = Summary::new(&run, &store.tests(number)?, &store.attempts(number)?);
    reporter.summary(&summary);
    Ok(())
}

fn read_settings(options: &RunOptions) -> Result<Settings, Trouble> {
    match &options.station {
        Some(path) => Settings::read(path).map_err(|error| Trouble::Environment(error.to_string())),
        None => Ok(Settings::default()),
    }
}

fn tests_directory(plan: &Plan, options: &RunOptions) -> Result<Option<PathBuf>, Trouble> {
    let needed = has_python_tests(plan);
    match &options.tests {
        Some(directory) if directory.is_dir() => fs::canonicalize(directory).map(Some).map_err(|error| {
            Trouble::Environment(format!("the directory of tests `{}`: {error}", directory.display()))
        }),
        Some(directory) if needed => {
            Err(Trouble::Environment(format!("the directory of tests `{}` does not exist", directory.display())))
        }
        None if needed => {
            Err(Trouble::Environment("the list has Python tests: name their directory with --tests".into()))
        }
        Some(_) | None => Ok(None),
    }
}

fn has_python_tests(plan: &Plan) -> bool {
    plan.preorder().any(|id| matches!(&plan.node(id).test, Some(test) if matches!(test.program, Program::Pytest(_))))
}

fn store_path(options: &RunOptions) -> Result<PathBuf, Trouble> {
    named_store(options.store.as_deref())
        .ok_or_else(|| Trouble::Environment("neither XDG_STATE_HOME nor HOME is set: name a store with --store".into()))
}

fn named_store(name: Option<&Path>) -> Option<PathBuf> {
    match name {
        Some(path) => std::path::absolute(path).ok(),
        None => default_store(),
    }
}

fn device_data(options: &RunOptions, store: &Store) -> Result<Data, Trouble> {
    if let Some(data) = &options.device_data {
        return Ok(data.clone());
    }
    let stored = store.device_data(SLOT)?.and_then(|text| serde_json::from_str(&text).ok());
    Ok(stored.unwrap_or_else(|| Data::object(IndexMap::new())))
}

impl Preparation<'_> {
    /// The interrupted run of this plan, or a new one.
    fn prepare(&self, store: &mut Store, reporter: &mut Reporter) -> Result<Prepared, Trouble> {
        let hash = self.plan.hash();
        while let Some(run) = store.interrupted(&hash, SLOT)? {
            let number = RunNumber(run.run);
            end_left_behind(&run.id);
            if self.options.new || !self.continues(&run) {
                store.abandon(number)?;
                reporter.warn(&format!("run {number} was interrupted and is abandoned"));
                continue;
            }
            return self.resume(store, &run);
        }
        self.begin(store, hash)
    }

    /// Whether the interrupted run is the one that is asked for.
    fn continues(&self, run: &RunRow) -> bool {
        run.root == self.root()
    }

    fn root(&self) -> String {
        let named = self.options.only.as_deref().and_then(|path| self.plan.find(path));
        named.map_or_else(String::new, |id| self.plan.node(id).path.clone())
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

    fn started(&self) -> Event {
        Event::Started { device: self.device.clone() }
    }

    fn resume(&self, store: &mut Store, run: &RunRow) -> Result<Prepared, Trouble> {
        let environment = |error: crate::dispatch::RecoveryError| Trouble::Environment(error.to_string());
        let number = RunNumber(run.run);
        let settings = RunSettings::of(run).map_err(environment)?;
        let events = store.scheduled_events(number)?;
        let recovered = replay(self.plan, &self.evaluation, run, &settings, &events).map_err(environment)?;
        store.end_lost_attempts(number, recovered.ordered)?;
        let then = match (recovered.goes_on, self.options.status.is_empty()) {
            (false, _) => None,
            (true, true) => Some(Command::AutoRun { path: self.path() }),
            (true, false) => Some(self.command()),
        };
        Ok(Prepared {
            row: self.key(number),
            id: run.id.clone(),
            schedule: recovered.schedule,
            first: vec![self.started()],
            then,
            before: recovered.before,
            attempts: store.attempts(number)?.len() as u32,
            headline: format!("run {number} of {} was interrupted and goes on (--new starts afresh)", self.plan.id),
        })
    }

    fn begin(&self, store: &mut Store, hash: String) -> Result<Prepared, Trouble> {
        let continued = if self.options.status.is_empty() { None } else { store.last_of_plan(&hash, SLOT)? };
        let states = match &continued {
            Some(run) => Some(states_of(store, RunNumber(run.run))?),
            None => None,
        };
        let settings = RunSettings { schedule: self.schedule_settings(), command: self.command(), states };
        let id = Uuid::now_v7().to_string();
        let schedule = settings.schedule(self.plan);
        let number = store.begin(&NewRun {
            id: id.clone(),
            plan_hash: hash,
            plan: self.plan.to_json(),
            list: self.plan.id.clone(),
            station: station_name(&self.settings),
            slot: SLOT,
            unit: self.options.unit.clone(),
            operator: self.options.operator.clone(),
            phase: self.options.phase.clone().unwrap_or_default(),
            root: self.root(),
            continues: continued.map(|run| RunNumber(run.run)),
            settings: serde_json::to_string(&settings).unwrap_or_default(),
        })?;
        let row = self.key(number);
        store.commit(&row, &[], &test_rows(self.plan, &self.options.locale, settings.states.as_ref()))?;
        let headline = format!("run {number} of {}", self.plan.id);
        let first = vec![self.started(), Event::Command(settings.command)];
        Ok(Prepared { row, id, schedule, first, then: None, before: Duration::ZERO, attempts: 0, headline })
    }

    fn schedule_settings(&self) -> ScheduleSettings {
        ScheduleSettings { teardown: self.settings.teardown, phase: self.options.phase.clone(), auto_run: Some(false) }
    }

    fn key(&self, number: RunNumber) -> RunKey {
        RunKey { number, slot: SLOT, unit: self.options.unit.clone() }
    }

    /// Makes ready what tests stand on, runs them, and takes it down again.
    async fn conduct(
        &self,
        prepared: Prepared,
        store: &mut Store,
        signals: &mut Signals,
        reaper: &Arc<Reaper>,
        reporter: &mut Reporter,
    ) -> Result<Conclusion, Trouble> {
        let environment = |what: &str, error: &dyn std::fmt::Display| Trouble::Environment(format!("{what}: {error}"));
        let directory = store.run_directory(&prepared.id);
        let logs = directory.join("logs");
        fs::create_dir_all(&logs)
            .map_err(|error| environment(&format!("unable to make `{}`", logs.display()), &error))?;
        let state = StateDirectory::create(&prepared.id)
            .map_err(|error| environment("unable to make a directory for the run", &error))?;
        let python = self.python(state.path())?;
        let places =
            Places { state: state.path().to_path_buf(), logs: logs.clone(), settings: self.settings.directory.clone() };
        let variables = self.variables(&places)?;
        let mut services = Services::new(Arc::clone(reaper));
        let ready = tokio::select! {
            ready = services.start(&self.settings, &places, &variables, &prepared.id) => {
                ready.map_err(|error| Trouble::Environment(error.to_string()))
            }
            () = signals.next() => Err(Trouble::Interrupted),
        };
        let concluded = match ready {
            Err(trouble) => Err(trouble),
            Ok(()) => {
                reporter.begins(&prepared.headline, self.plan, &self.options.locale, &self.root());
                let place = RunPlace {
                    id: prepared.id,
                    logs,
                    tests: self.tests.clone(),
                    locale: self.options.locale.as_str().into(),
                };
                let ground = Ground {
                    place,
                    settings: Arc::clone(&self.settings),
                    python,
                    variables,
                    reaper: Arc::clone(reaper),
                };
                let dispatch = Dispatch {
                    plan: self.plan,
                    schedule: prepared.schedule,
                    evaluation: &self.evaluation,
                    store,
                    run: prepared.row,
                    ground,
                    services: &mut services,
                    signals,
                    reporter,
                    before: prepared.before,
                    then: prepared.then,
                    attempts: prepared.attempts,
                };
                dispatch.run(prepared.first).await.map_err(Trouble::from)
            }
        };
        services.stop().await;
        concluded
    }

    fn python(&self, directory: &Path) -> Result<Option<Arc<Python>>, Trouble> {
        if !has_python_tests(self.plan) {
            return Ok(None);
        }
        let named = self.options.python.as_ref().or(self.settings.python.as_ref());
        Python::prepare(named.map(String::as_str), &search_path(), directory)
            .map(|python| Some(Arc::new(python)))
            .map_err(|error| Trouble::Environment(error.to_string()))
    }

    fn variables(&self, places: &Places) -> Result<Vec<(String, String)>, Trouble> {
        let expand = |(name, value): (&String, &String)| {
            let value = places.expand(value).map_err(|unknown| {
                Trouble::Environment(format!("the station's settings: `environment.{name}`: there is no `{unknown}`"))
            })?;
            Ok((name.clone(), value))
        };
        self.settings.environment.iter().map(expand).collect()
    }
}

fn states_of(store: &Store, number: RunNumber) -> Result<IndexMap<String, State>, Trouble> {
    let rows = store.tests(number)?;
    Ok(rows.into_iter().filter_map(|row| Some((row.path, serde_json::from_str(&row.state).ok()?))).collect())
}

fn station_name(settings: &Settings) -> String {
    let host = || fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned()).ok();
    settings.station.clone().or_else(host).or_else(|| env::var("HOSTNAME").ok()).unwrap_or_default()
}

/// Shows results of earlier runs.
pub fn results(arguments: &ResultsArgs) -> Exit {
    let output = Output::new();
    let (Results::List { source, .. }
    | Results::Last { source }
    | Results::Show { source, .. }
    | Results::Test { source, .. }) = &arguments.what;
    let Some(path) = named_store(source.store.as_deref()) else {
        Reporter::new(Progress::Plain).error("neither XDG_STATE_HOME nor HOME is set: name a store with --store");
        return Exit::Environment;
    };
    let shown = Reader::open(&path).map_err(Into::into).and_then(|reader| match &arguments.what {
        Results::List { limit, .. } => show_list(&reader, &output, source.format, *limit),
        Results::Last { .. } => show_run(&reader, &output, source.format, None),
        Results::Show { run, .. } => show_run(&reader, &output, source.format, Some(run)),
        Results::Test { path, limit, .. } => show_history(&reader, &output, source.format, path, *limit),
    });
    match shown {
        Ok(text) => {
            write(&text);
            Exit::Passed
        }
        Err(error) => {
            Reporter::new(Progress::Plain).error(&error.to_string());
            Exit::Environment
        }
    }
}

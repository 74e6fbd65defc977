//! A whole run: from a plan and options to an exit code.
//!
//! Settings, store, Python and services are made ready first; if one of them fails, no test starts. What was made ready is taken down
//! again whatever happens.

mod conduct;
mod control;
mod preparation;
#[doc(hidden)]
pub mod rehearsal;
mod results;
mod store;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use tlc_plan::{Data, Plan};

use crate::control::Control;
use crate::dispatch::{Conclusion, Operator, Signals, Workers};
use crate::report::{Progress, Reporter, Summary};
use crate::schedule::Status;
use crate::store::{RunNumber, RunRow, Store, StoreError};
use crate::worker::{Reaper, reserve};
use preparation::{Next, Preparation, Prepared, device_data, give_up, read_answers, read_settings, tests_directory};
use results::store_path;

pub use crate::dispatch::{Edit, Edits};
pub use control::control;
pub use results::results;
pub use store::store;

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
    /// Everything before this group or test is skipped.
    pub from: Option<String>,
    /// Each test may fail so often before it has failed, unless the list lets it fail more often.
    pub retry: u32,
    /// What tests find as `TLC_SEED`.
    pub seed: Option<u64>,
    /// Continue the last run with the tests that have one of these; empty for a run afresh.
    pub status: Vec<Status>,
    /// The Python interpreter, instead of the station's.
    pub python: Option<String>,
    /// The phase, instead of the list's.
    pub phase: Option<String>,
    /// The device data, instead of the store's.
    pub device_data: Option<Data>,
    /// The file of answers to prompts, before the station's.
    pub answers: Option<PathBuf>,
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

/// Runs a plan, with what it becomes when its list is edited meanwhile, shows it on this program's stdout and stderr, and says how it ended.
pub fn run(plan: &Plan, options: &RunOptions, edits: Edits) -> Exit {
    let mut reporter = Reporter::new(options.progress);
    // Before anything else takes them: some shells can only name descriptors of one digit.
    let runtime = reserve().and_then(|()| tokio::runtime::Builder::new_current_thread().enable_all().build());
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            reporter.error(&format!("unable to start: {error}"));
            return Exit::Environment;
        }
    };
    let ended = runtime.block_on(run_here(plan, options, edits, &mut reporter));
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

async fn run_here(plan: &Plan, options: &RunOptions, edits: Edits, reporter: &mut Reporter) -> Result<Exit, Trouble> {
    for path in options.only.iter().chain(&options.from) {
        if plan.find(path).is_none() {
            return Err(Trouble::Usage(format!("the list `{}` has no `{path}`", plan.id)));
        }
    }
    let settings = Arc::new(read_settings(options)?);
    let answers = read_answers(options, &settings)?;
    let tests = tests_directory(plan, options)?;
    let signals =
        Signals::new().map_err(|error| Trouble::Environment(format!("unable to wait for signals: {error}")))?;
    let mut store = Store::open(&store_path(options)?)?;
    if plan.preorder().all(|id| plan.node(id).test.is_none()) {
        reporter.warn("the list has no tests; nothing ran");
        return Ok(Exit::Passed);
    }
    let device = device_data(options, &store)?;
    let reaper = Reaper::new().map_err(|error| Trouble::Environment(format!("unable to adopt processes: {error}")))?;
    let reaper = Arc::new(reaper);
    let workers = Workers::Processes(Arc::clone(&reaper));
    let first = Preparation::new(plan, options, settings, tests, device, workers);
    let preparation = Preparation { answers, ..first };
    let control = Control::listen(store.path()).unwrap_or_else(|error| {
        reporter.warn(&format!("the run cannot be controlled from another terminal: {error}"));
        Control::closed()
    });
    let mut operator = Operator { signals, control, edits };
    let concluded = preparation.run(&mut store, &mut operator, reporter).await;
    let ended = concluded.as_ref().ok().map(|(_, conclusion)| conclusion.answer());
    operator.control.end(ended).await;
    reaper.end_all().await;
    let (number, conclusion) = concluded?;
    summarise(&store, number, reporter)?;
    Ok(exit_of(&conclusion))
}

impl Preparation<'_> {
    /// The run, after what interrupted runs of its list have left open.
    async fn run(
        &self,
        store: &mut Store,
        operator: &mut Operator,
        reporter: &mut Reporter,
    ) -> Result<(RunNumber, Conclusion), Trouble> {
        loop {
            match self.prepare(store, reporter)? {
                Next::Run(prepared) => return self.run_prepared(*prepared, store, operator, reporter).await,
                Next::Close(run) => self.close(&run, store, operator, reporter).await?,
            }
        }
    }

    async fn run_prepared(
        &self,
        prepared: Prepared,
        store: &mut Store,
        operator: &mut Operator,
        reporter: &mut Reporter,
    ) -> Result<(RunNumber, Conclusion), Trouble> {
        let number = prepared.row.number;
        match self.conduct(prepared, store, operator, reporter).await {
            Ok(conclusion) => Ok((number, conclusion)),
            Err(trouble) => {
                abandon_unbegun(store, number, &trouble, reporter)?;
                Err(trouble)
            }
        }
    }

    /// Ends an interrupted run that does not go on, with its teardowns; its plan is the one that it began with.
    async fn close(
        &self,
        run: &RunRow,
        store: &mut Store,
        operator: &mut Operator,
        reporter: &mut Reporter,
    ) -> Result<(), Trouble> {
        let hash = store.plan_of(RunNumber(run.run))?;
        let stored = store.plan(&hash)?.and_then(|text| Plan::from_json(&text).ok());
        let tests = stored.as_ref().map(|plan| tests_directory(plan, self.options));
        let (Some(plan), Some(Ok(tests))) = (stored, tests) else {
            return give_up(run, "what its teardowns need is not there any more", store, reporter);
        };
        let (settings, device, workers) = (Arc::clone(&self.settings), self.device.clone(), self.workers.clone());
        let answers = self.answers.clone();
        let old = Preparation { answers, ..Preparation::new(&plan, self.options, settings, tests, device, workers) };
        let Some(prepared) = old.prepare_to_close(store, run)? else {
            return give_up(run, "there is nothing to end in it", store, reporter);
        };
        let conclusion = old.conduct(prepared, store, operator, reporter).await?;
        if conclusion.interrupted_now || conclusion.shutting_down { Err(Trouble::Interrupted) } else { Ok(()) }
    }
}

/// What has not begun is not to be resumed.
fn abandon_unbegun(
    store: &mut Store,
    number: RunNumber,
    trouble: &Trouble,
    reporter: &mut Reporter,
) -> Result<(), StoreError> {
    if !store.scheduled_events(number).is_ok_and(|events| events.is_empty()) {
        return Ok(());
    }
    store.abandon(number)?;
    if matches!(trouble, Trouble::Interrupted) {
        reporter.warn(&format!("run {number} was interrupted before any test started; it is recorded as abandoned"));
    }
    Ok(())
}

fn exit_of(conclusion: &Conclusion) -> Exit {
    if conclusion.is_pass() { Exit::Passed } else { Exit::Failed }
}

fn summarise(store: &Store, number: RunNumber, reporter: &mut Reporter) -> Result<(), Trouble> {
    let Some(run) = store.run(number)? else { return Ok(()) };
    let summary = Summary::new(&run, &store.tests(number)?, &store.attempts(number)?).with_logs();
    reporter.summary(&summary);
    Ok(())
}

//! A run in which everything is real but the world: workers are a script, the operator is one, and people are a witness.
//!
//! Preparation, recovery, dispatcher, scheduler and store are those of [`run`](super::run); the caller brings the clock, which is that of the
//! asynchronous runtime, and the store, which may be one in [`Memory`](crate::store::Memory).

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use tlc_plan::Plan;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::preparation::{Preparation, device_data};
use super::{RunOptions, Trouble};
use crate::control::{Answer, Asked, Control, Reply, Request};
use crate::dispatch::{Edits, Ground, Operator, RunPlace, Signals, Workers};
use crate::report::Reporter;
use crate::schedule::Verdict;
use crate::station::{Places, ServiceGround, Services, Settings};
use crate::store::Store;
use crate::worker::Reaper;

pub use crate::dispatch::{Played, Script};
pub use crate::report::Sight;

/// Who plays the world.
#[derive(Debug)]
pub struct Cast {
    /// All processes.
    pub script: Arc<dyn Script>,
    /// People who watch.
    pub witness: Sender<Sight>,
    /// People who do something.
    pub line: Line,
}

/// How a rehearsal ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// What came of it.
    pub verdict: Verdict,
    /// Someone ended it.
    pub interrupted: bool,
    /// It waits for the machine to go down.
    pub shutting_down: bool,
}

/// The operator's end of the line to a run.
#[derive(Clone, Debug)]
pub struct Caller {
    signals: mpsc::UnboundedSender<()>,
    asked: mpsc::Sender<Asked>,
}

/// The run's end.
#[derive(Debug)]
pub struct Line(Operator);

/// A line between an operator, who may edit the list, and a run.
pub fn line(edits: Edits) -> (Caller, Line) {
    let (signals, sent) = Signals::scripted();
    let (asked, control) = Control::direct();
    (Caller { signals, asked }, Line(Operator { signals: sent, control, edits }))
}

impl Caller {
    /// As SIGINT does.
    pub fn signal(&self) {
        // A run that is over does not hear it.
        let _ = self.signals.send(());
    }

    /// As another terminal does; nothing comes back of a request that cannot be heard.
    pub fn ask(&self, request: Request) -> oneshot::Receiver<Answer> {
        let (reply, answer) = Reply::place();
        let _ = self.asked.try_send(Asked { request, reply });
        answer
    }
}

/// Runs a plan, or goes on with it; the error is what a person would read.
pub async fn rehearse(
    plan: &Plan,
    options: &RunOptions,
    settings: &Arc<Settings>,
    store: &mut Store,
    cast: Cast,
) -> Result<Ending, String> {
    let Cast { script, witness, line: Line(mut operator) } = cast;
    let mut reporter = Reporter::to(witness);
    Box::pin(play(plan, options, settings, store, script, &mut operator, &mut reporter)).await.map_err(|trouble| {
        match trouble {
            Trouble::Usage(message) | Trouble::Environment(message) => message,
            Trouble::Interrupted => "interrupted".into(),
        }
    })
}

async fn play(
    plan: &Plan,
    options: &RunOptions,
    settings: &Arc<Settings>,
    store: &mut Store,
    script: Arc<dyn Script>,
    operator: &mut Operator,
    reporter: &mut Reporter,
) -> Result<Ending, Trouble> {
    let device = device_data(options, store)?;
    let workers = Workers::Scripted(script);
    let settings = Arc::clone(settings);
    let preparation = Preparation::new(plan, options, settings, None, device, workers);
    let (_, conclusion) = preparation.run(store, operator, reporter).await?;
    Ok(Ending {
        verdict: conclusion.verdict,
        interrupted: conclusion.interrupted,
        shutting_down: conclusion.shutting_down,
    })
}

impl Preparation<'_> {
    /// What attempts stand on that are no processes.
    pub(super) fn bare_ground(&self, run: &str, store: &Store) -> Result<Ground, Trouble> {
        let nowhere = PathBuf::from("/nowhere");
        // It is never asked.
        let reaper = Arc::new(Reaper::new().map_err(|error| Trouble::Environment(error.to_string()))?);
        let facilities = Arc::new(self.facilities(store, &reaper));
        let services = Services::new(ServiceGround {
            settings: Arc::clone(&self.settings),
            places: Places { state: nowhere.clone(), logs: nowhere.clone(), settings: nowhere.clone() },
            variables: Vec::new(),
            run: run.to_owned(),
            reaper: Arc::clone(&reaper),
            secrets: Arc::clone(&facilities.secrets),
        });
        Ok(Ground {
            place: RunPlace {
                id: run.to_owned(),
                logs: nowhere.clone(),
                tests: None,
                locale: self.options.locale.as_str().into(),
                station: "rehearsal".into(),
            },
            settings: Arc::clone(&self.settings),
            python: None,
            variables: Vec::new(),
            workers: self.workers.clone(),
            sources: Arc::default(),
            surroundings: self.surroundings(&nowhere),
            services: Arc::new(Mutex::new(services)),
            resources: Arc::default(),
            facilities,
        })
    }
}

//! Who runs attempts: processes of this machine, or a script that stands in for all of them.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::watch;

use crate::station::{Settings, ShutdownError, shut_down};
use crate::worker::{self, Attempt, Desk, Ended, Ending, Reaper, end_left_behind};

/// Who runs attempts.
#[derive(Clone, Debug)]
pub(crate) enum Workers {
    /// Processes of this machine.
    Processes(Arc<Reaper>),
    /// Nobody: a script says how attempts end.
    Scripted(Arc<dyn Script>),
}

/// An attempt that a script plays.
#[doc(hidden)]
pub type Played = Pin<Box<dyn Future<Output = Ended> + Send>>;

/// Plays the part of everything outside this program, so that a run can be simulated.
#[doc(hidden)]
pub trait Script: fmt::Debug + Send + Sync {
    /// An attempt, from its start to its end. It is dropped half-way when the program dies.
    fn play(&self, attempt: Attempt, ending: watch::Receiver<Option<Ending>>) -> Played;

    /// A shutdown is ordered.
    fn shut_down(&self, settings: &Settings, operation: &str) -> Result<(), ShutdownError>;

    /// Whatever is left of these runs, whose program died, is to end.
    fn end_left_behind(&self, runs: &[String]);
}

impl Workers {
    /// Runs an attempt to its end.
    pub async fn run(&self, attempt: Attempt, ending: watch::Receiver<Option<Ending>>, desk: Desk) -> Ended {
        match self {
            Self::Processes(reaper) => worker::run(attempt, Arc::clone(reaper), ending, desk).await,
            Self::Scripted(script) => script.play(attempt, ending).await,
        }
    }

    /// Ends what no attempt answers for any more, while none runs.
    pub async fn end_strays(&self) {
        match self {
            Self::Processes(reaper) => reaper.end_strays().await,
            Self::Scripted(_) => {}
        }
    }

    /// Ends what is left of runs whose program died.
    pub fn end_left_behind(&self, runs: &[String]) {
        match self {
            Self::Processes(_) => end_left_behind(runs),
            Self::Scripted(script) => script.end_left_behind(runs),
        }
    }

    /// Orders a shutdown. The command can take its time, so it does not hold up the dispatcher.
    pub async fn shut_down(&self, settings: Arc<Settings>, operation: String) -> Result<(), String> {
        let ordered = match self {
            Self::Processes(reaper) => {
                reaper.expect_strays();
                let command = tokio::task::spawn_blocking(move || shut_down(&settings, &operation));
                command.await.map_err(|error| format!("the shutdown command was lost: {error}"))?
            }
            Self::Scripted(script) => script.shut_down(&settings, &operation),
        };
        ordered.map_err(|error| error.to_string())
    }
}

//! The command `control`: one question to the run that is on, and its answer.

use super::Exit;
use super::results::named_store;
use crate::cli::ControlArgs;
use crate::control::{Answer, ask};
use crate::report::{Progress, Reporter, show_answer, write};

/// Asks the run that is on with a store, and shows its answer.
pub fn control(arguments: &ControlArgs) -> Exit {
    let mut reporter = Reporter::new(Progress::Plain);
    let Some(store) = named_store(arguments.store.as_deref()) else {
        reporter.error("neither XDG_STATE_HOME nor HOME is set: name a store with --store");
        return Exit::Environment;
    };
    let answer = match ask(&store, arguments.what.request()) {
        Ok(answer) => answer,
        Err(message) => {
            reporter.error(&message);
            return Exit::Environment;
        }
    };
    write(&show_answer(&answer, arguments.format));
    match &answer {
        Answer::Done {} | Answer::Status { .. } | Answer::Ended { passed: true, .. } => Exit::Passed,
        Answer::Ended { passed: false, .. } => Exit::Failed,
        Answer::Over {} => {
            reporter.error("the run has ended");
            Exit::Environment
        }
        Answer::Refused { reason } => {
            reporter.error(reason);
            Exit::Usage
        }
    }
}

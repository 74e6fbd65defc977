//! Shuts the machine down with the command of the station's settings.

use std::fmt;
use std::io;
use std::process::{Command, Stdio};

use super::Settings;
use crate::worker::{hide_secrets, spawn_alone};

/// Why the machine does not shut down.
#[derive(Debug)]
pub enum ShutdownError {
    /// The settings do not allow it.
    NotSet(String),
    /// The command could not be started.
    NotStarted(String, io::Error),
    /// The command failed.
    Failed(String),
}

/// Runs the command for an operation; when it returns, the machine is about to go down.
pub fn shut_down(settings: &Settings, operation: &str) -> Result<(), ShutdownError> {
    let command = settings.shutdown.get(operation).and_then(|command| command.split_first());
    let Some((program, arguments)) = command else { return Err(ShutdownError::NotSet(operation.into())) };
    let mut command = Command::new(program);
    hide_secrets(&mut command, &settings.secret_variables());
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = spawn_alone(&mut command)
        .and_then(|mut child| child.wait())
        .map_err(|error| ShutdownError::NotStarted(program.clone(), error))?;
    if status.success() { Ok(()) } else { Err(ShutdownError::Failed(format!("`{program}` ended with {status}"))) }
}

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSet(operation) => write!(
                f,
                "this station does not shut down by itself: set `shutdown.{operation}` in its settings to a command, for example [\"systemctl\", \"reboot\"]"
            ),
            Self::NotStarted(program, error) => write!(f, "unable to start `{program}`: {error}"),
            Self::Failed(what) => write!(f, "the shutdown command failed: {what}"),
        }
    }
}

impl std::error::Error for ShutdownError {}

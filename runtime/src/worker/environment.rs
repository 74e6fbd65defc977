//! What an attempt finds in its environment.

use std::os::fd::RawFd;
use std::process::Command;

use super::protocol::PROTOCOL_VERSION;
use super::{Attempt, Identity};

/// The variable that marks every process of an attempt with its invocation.
pub(super) const INVOCATION: &str = "TLC_INVOCATION";

/// The variable that marks every process of a run.
pub(crate) const RUN: &str = "TLC_RUN";

/// The name of every process that an attempt of a warm interpreter forks and that does not become another program: such a process shows the
/// environment of the interpreter. At most 15 bytes long, and as good as unique.
pub(super) fn comm(invocation: &str) -> String {
    let digits: Vec<char> = invocation.chars().rev().filter(char::is_ascii_alphanumeric).take(12).collect();
    format!("tlc{}", digits.into_iter().rev().collect::<String>())
}

/// Sets the documented variables of an attempt.
pub(super) fn set(command: &mut Command, attempt: &Attempt) {
    let Identity { run, slot, unit, invocation, path, list, phase, locale } = &attempt.identity;
    command
        .envs(attempt.variables.iter().map(|(name, value)| (name, value)))
        .env(RUN, run)
        .env("TLC_SLOT", slot.to_string())
        .env("TLC_UNIT", unit)
        .env(INVOCATION, invocation)
        .env("TLC_TEST_PATH", path)
        .env("TLC_TEST_LIST", list)
        .env("TLC_PHASE", phase)
        .env("TLC_LOCALE", locale)
        .env("TLC_PROTOCOL", PROTOCOL_VERSION.to_string())
        .env("PYTHONUNBUFFERED", "1");
}

/// Tells an attempt on which descriptors it reads and writes.
pub(super) fn set_descriptors(command: &mut Command, reads: RawFd, writes: RawFd) {
    command.env("TLC_PROTOCOL_READ_FD", reads.to_string()).env("TLC_PROTOCOL_WRITE_FD", writes.to_string());
}

/// Marks a process that belongs to a run but to no test, so that it and what it starts are found again.
pub(crate) fn mark(command: &mut Command, run: &str, invocation: &str) {
    command.env(RUN, run).env(INVOCATION, invocation);
}

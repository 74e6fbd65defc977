//! What a test may use of its machine: limits of each of its processes.
//!
//! In: [`ProcessLimits`], which are data, and a process that waits at a [`gate`] to become the test. What it starts inherits them. Out, at the
//! end: what a limit has to do with how an attempt ended. A Python test that is forked sets them itself, from the same data.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use rustix::process::{Resource, Rlimit, prlimit};
use serde::{Deserialize, Serialize};

use super::{Exit, Usage};
use crate::schedule::Outcome;

/// Limits of each process of a test; without one, it is as for the runtime itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessLimits {
    /// Memory that it writes, in bytes: heap, stacks of threads and private mappings (`RLIMIT_DATA`).
    pub memory_bytes: Option<u64>,
    /// Open files (`RLIMIT_NOFILE`).
    pub open_files: Option<u64>,
    /// CPU time, in seconds (`RLIMIT_CPU`).
    pub cpu_secs: Option<u64>,
    /// Processes and threads of the user, all together (`RLIMIT_NPROC`).
    pub processes: Option<u64>,
    /// The size of a file that it writes, in bytes (`RLIMIT_FSIZE`).
    pub file_bytes: Option<u64>,
}

impl ProcessLimits {
    fn resources(&self) -> impl Iterator<Item = (Resource, u64)> {
        let all = [
            (Resource::Data, self.memory_bytes),
            (Resource::Nofile, self.open_files),
            (Resource::Cpu, self.cpu_secs),
            (Resource::Nproc, self.processes),
            (Resource::Fsize, self.file_bytes),
        ];
        all.into_iter().filter_map(|(resource, limit)| Some((resource, limit?)))
    }

    /// Whether there is any.
    pub(super) fn any(&self) -> bool {
        self.resources().next().is_some()
    }

    /// Sets them for a process that waits for it.
    pub(super) fn apply(&self, leader: Pid) {
        let pid = rustix::process::Pid::from_raw(leader.as_raw());
        for (resource, limit) in self.resources() {
            // SIGXCPU comes at the soft limit, SIGKILL at the hard one.
            let maximum = if resource == Resource::Cpu { limit.saturating_add(1) } else { limit };
            let wanted = Rlimit { current: Some(limit), maximum: Some(maximum) };
            if prlimit(pid, resource, wanted).is_ok() {
                continue;
            }
            // Beyond the hard limit that is there already; that one stays.
            let own = rustix::process::getrlimit(resource);
            let least = |wanted: u64| Some(own.maximum.map_or(wanted, |maximum| maximum.min(wanted)));
            let _ = prlimit(pid, resource, Rlimit { current: least(limit), maximum: least(maximum) });
        }
    }

    /// What a limit has to do with an end, as far as that can be known.
    pub(super) fn explain(&self, outcome: Outcome, exit: Exit, usage: Option<&Usage>, said: &str) -> Option<String> {
        if outcome == Outcome::Passed {
            return None;
        }
        let signal = |signal: Signal| exit == Exit::Signal(signal as i32);
        let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
        let used = |limit: u64| usage.is_some_and(|usage| usage.cpu >= Duration::from_secs(limit));
        if let Some(limit) =
            self.cpu_secs.filter(|&limit| signal(Signal::SIGXCPU) || (signal(Signal::SIGKILL) && used(limit)))
        {
            return Some(format!("it used up its limit of {limit} s of CPU time (`limits.cpu_secs`)"));
        }
        if let Some(limit) = self.file_bytes
            && (signal(Signal::SIGXFSZ) || says(&["File too large"]))
        {
            return Some(format!("a file may have {limit} bytes (`limits.file_bytes`)"));
        }
        if let Some(limit) = self.open_files.filter(|_| says(&["Too many open files"])) {
            return Some(format!("it may have {limit} open files (`limits.open_files`)"));
        }
        let limit = self.memory_bytes?;
        // What wants to double what it holds has held half of it.
        let held = usage.map_or(0, |usage| usage.peak_memory);
        (says(&MEMORY_WORDS) || held >= limit / 2).then(|| {
            format!(
                "each of its processes may use {limit} bytes of memory (`limits.memory_bytes`), and one held {held}"
            )
        })
    }
}

/// Waits for a line on stdin, then becomes the program; the rest of stdin is the program's, or there is none.
const GATE: [&str; 2] = ["read -r _ && exec \"$@\"", "read -r _ && exec \"$@\" </dev/null"];

/// The same command, which waits for a line on its stdin before it begins.
pub(super) fn gate(command: &Command, keeps_stdin: bool) -> io::Result<Command> {
    let program = Path::new(command.get_program());
    let found = fs::metadata(program)?;
    if !found.is_file() || found.permissions().mode() & 0o111 == 0 {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let mut gate = Command::new("/bin/sh");
    gate.args(["-c", GATE[usize::from(!keeps_stdin)], "sh"]).arg(program).args(command.get_args());
    Ok(gate)
}

/// What programs say when they get no more memory.
const MEMORY_WORDS: [&str; 4] = ["MemoryError", "Cannot allocate memory", "out of memory", "std::bad_alloc"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_named_where_it_can_be_known() {
        let limits = ProcessLimits {
            memory_bytes: Some(1000),
            cpu_secs: Some(2),
            file_bytes: Some(10),
            ..ProcessLimits::default()
        };
        let used = |cpu, peak_memory| Usage { cpu: Duration::from_secs(cpu), peak_memory };
        let explain = |exit, usage: Usage, message: &str| {
            limits.explain(Outcome::Failed, exit, Some(&usage), message).unwrap_or_default()
        };
        assert!(explain(Exit::Signal(24), used(2, 0), "").contains("limits.cpu_secs"));
        assert!(explain(Exit::Signal(25), used(0, 0), "").contains("limits.file_bytes"));
        assert!(explain(Exit::Code(1), used(0, 950), "").contains("limits.memory_bytes"));
        assert!(explain(Exit::Code(0), used(0, 0), "MemoryError").contains("limits.memory_bytes"));
        assert_eq!(explain(Exit::Code(1), used(0, 400), "too low"), "");
        assert_eq!(limits.explain(Outcome::Passed, Exit::Code(0), Some(&used(9, 9999)), ""), None);
    }
}

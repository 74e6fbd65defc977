//! Starts the process of an attempt: in its own group, with one pipe for its output and a pair of pipes for the protocol.

use std::io::{self, PipeReader, PipeWriter};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use nix::unistd::Pid;
use tokio::net::unix::pipe;

use super::{Attempt, Program, Reaper, descriptors, environment};

/// A started attempt.
pub(super) struct Spawned {
    pub child: Child,
    /// The child, and its process group.
    pub leader: Pid,
    /// Its stdout and stderr, in the order in which it wrote them.
    pub output: pipe::Receiver,
    /// Where the runtime writes.
    pub requests: pipe::Sender,
    /// Where the worker writes.
    pub reports: pipe::Receiver,
}

/// Starts it; the error is a message for people.
pub(super) fn start(attempt: &Attempt, reaper: &Reaper) -> Result<Spawned, String> {
    let mut command = command(attempt)?;
    let name = match &attempt.program {
        Program::Exec(argv) => argv.first().cloned().unwrap_or_default(),
        Program::Python { .. } => command.get_program().to_string_lossy().into_owned(),
    };
    spawn(&mut command, attempt, reaper).map_err(|error| format!("unable to start `{name}`: {error}"))
}

fn command(attempt: &Attempt) -> Result<Command, String> {
    match &attempt.program {
        Program::Exec(argv) => {
            let (program, arguments) = argv.split_first().ok_or("`exec` names no program")?;
            // A path is started by `posix_spawn` whatever the variables are.
            let mut command = Command::new(attempt.find(program).unwrap_or_else(|| program.into()));
            command.arg0(program).args(arguments);
            Ok(command)
        }
        Program::Python { python, .. } => {
            let mut command = Command::new(&python.interpreter);
            command.arg(&python.worker);
            Ok(command)
        }
    }
}

fn spawn(command: &mut Command, attempt: &Attempt, reaper: &Reaper) -> io::Result<Spawned> {
    let (output, writer) = io::pipe()?;
    let (worker_reads, requests) = io::pipe()?;
    let (reports, worker_writes) = io::pipe()?;
    environment::set(command, attempt);
    command.current_dir(attempt.directory());
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
    let child = descriptors::spawn_with(command, worker_reads, worker_writes, environment::set_descriptors)?;
    let leader = Pid::from_raw(child.id().cast_signed());
    reaper.know(leader);
    attempt.surroundings.limits.apply(leader);
    Ok(Spawned { child, leader, output: receiver(output)?, requests: sender(requests)?, reports: receiver(reports)? })
}

fn receiver(end: PipeReader) -> io::Result<pipe::Receiver> {
    pipe::Receiver::from_owned_fd(end.into())
}

fn sender(end: PipeWriter) -> io::Result<pipe::Sender> {
    pipe::Sender::from_owned_fd(end.into())
}

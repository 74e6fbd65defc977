//! Starts the process of an attempt: in its own group, with one pipe for its output and a pair of pipes for the protocol.

use std::io::{self, PipeReader, PipeWriter, Write as _};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use nix::unistd::Pid;
use tlc_plan::plan::Isolation;
use tokio::net::unix::pipe;
use tokio::sync::mpsc;

use super::intake::Incoming;
use super::limits::gate;
use super::output::Listened;
use super::process::Process;
use super::reading::Listener;
use super::{Attempt, OutputForm, Program, Python, Reaper, descriptors, environment, protocol};

/// A started attempt.
pub(super) struct Spawned {
    pub process: Process,
    /// The first message to it; empty if it was told all of that already.
    pub start: Vec<u8>,
    /// Its stdout and stderr, in the order in which it wrote them.
    pub output: pipe::Receiver,
    /// What is between the program and who listens to it.
    pub own: Own,
    /// Where the runtime writes.
    pub requests: pipe::Sender,
    /// Where the worker writes.
    pub reports: pipe::Receiver,
}

/// Pipes of a program to which somebody listens.
#[derive(Default)]
pub(super) struct Own {
    /// Its stdout, if that is not part of its output.
    stdout: Option<pipe::Receiver>,
    /// Its stdin, if it reads one.
    stdin: Option<pipe::Sender>,
}

impl Own {
    /// Listens to a program. A test in Python has the protocol.
    pub fn listened(self, attempt: &Attempt, messages: mpsc::Sender<Incoming>) -> Option<Listened> {
        if matches!(attempt.program, Program::Python { .. }) {
            return None;
        }
        let listener = Listener::new(attempt.output, self.stdin, &messages);
        Some(Listened { listener, messages, stdout: self.stdout })
    }
}

/// Starts it; the error is a message for people.
pub(super) async fn start(attempt: &Attempt, reaper: &Arc<Reaper>) -> Result<Spawned, String> {
    if let Program::Python { python, isolation: Isolation::Fork | Isolation::Shared, tests, .. } = &attempt.program {
        return warm(attempt, python, tests, reaper).await;
    }
    let mut command = command(attempt)?;
    let name = match &attempt.program {
        Program::Exec(argv) => argv.first().cloned().unwrap_or_default(),
        Program::Python { .. } => command.get_program().to_string_lossy().into_owned(),
    };
    spawn(&mut command, attempt, reaper).map_err(|error| format!("unable to start `{name}`: {error}"))
}

/// Starts it in a warm interpreter.
async fn warm(attempt: &Attempt, python: &Arc<Python>, tests: &Path, reaper: &Arc<Reaper>) -> Result<Spawned, String> {
    let unable = |error: io::Error| format!("unable to make the pipes of a test: {error}");
    let (output, writer) = io::pipe().map_err(unable)?;
    let (worker_reads, requests) = io::pipe().map_err(unable)?;
    let (reports, worker_writes) = io::pipe().map_err(unable)?;
    let ends = [writer.into(), worker_reads.into(), worker_writes.into()];
    let process = python.start(attempt, tests, reaper, &ends).await?;
    Ok(Spawned {
        process,
        start: Vec::new(),
        output: receiver(output).map_err(unable)?,
        own: Own::default(),
        requests: sender(requests).map_err(unable)?,
        reports: receiver(reports).map_err(unable)?,
    })
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
            let mut command = Command::new(python.interpreter());
            command.arg(python.worker()).arg("test");
            Ok(command)
        }
    }
}

fn spawn(command: &mut Command, attempt: &Attempt, reaper: &Reaper) -> io::Result<Spawned> {
    let (output, writer) = io::pipe()?;
    let (worker_reads, requests) = io::pipe()?;
    let (reports, worker_writes) = io::pipe()?;
    let limits = &attempt.surroundings.limits;
    // A test in Python has the protocol.
    let is_program = matches!(attempt.program, Program::Exec(_));
    let (reads_stdin, is_read) =
        (is_program && attempt.output == OutputForm::Lager, is_program && attempt.output != OutputForm::Unknown);
    if limits.any() {
        *command = gate(command, reads_stdin)?;
    }
    environment::set(command, attempt);
    command.current_dir(&attempt.directory);
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
    let mut own = Own::default();
    if is_read {
        let (stdout, writer) = io::pipe()?;
        command.stdout(writer);
        own.stdout = Some(receiver(stdout)?);
    }
    let mut stdin = None;
    if limits.any() || reads_stdin {
        let (reader, writer) = io::pipe()?;
        command.stdin(reader);
        stdin = Some(writer);
    }
    let child = descriptors::spawn_with(command, worker_reads, worker_writes, environment::set_descriptors)?;
    let leader = Pid::from_raw(child.id().cast_signed());
    reaper.know(leader);
    if limits.any() {
        limits.apply(leader);
        // If it is gone already, its end says more.
        let _ = stdin.as_mut().map(|stdin| stdin.write_all(b"\n"));
    }
    own.stdin = stdin.filter(|_| reads_stdin).map(sender).transpose()?;
    let (output, requests, reports) = (receiver(output)?, sender(requests)?, receiver(reports)?);
    let (process, start) = (Process::spawned(child), protocol::start(attempt));
    Ok(Spawned { process, start, output, own, requests, reports })
}

/// Our end of a pipe. That it is one need not be asked.
fn receiver(end: PipeReader) -> io::Result<pipe::Receiver> {
    rustix::io::ioctl_fionbio(&end, true)?;
    pipe::Receiver::from_owned_fd_unchecked(end.into())
}

fn sender(end: PipeWriter) -> io::Result<pipe::Sender> {
    rustix::io::ioctl_fionbio(&end, true)?;
    pipe::Sender::from_owned_fd_unchecked(end.into())
}

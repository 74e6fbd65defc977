//! The two descriptors on which every test finds its pair of pipes.
//!
//! They are kept occupied in this process, closed to children, and opened for one child at a time: so a child is started by
//! `posix_spawn`, which costs the same however much memory this process holds, and no code runs between `fork` and `exec`.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsRawFd as _, OwnedFd, RawFd};
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::fcntl::OFlag;
use nix::unistd::{dup2, dup3};

/// The first descriptor after stdin, stdout and stderr.
const FIRST: RawFd = 3;

static PAIR: Mutex<Option<Pair>> = Mutex::new(None);

/// Two descriptors that children do not inherit unless they are opened for them.
struct Pair {
    reads: OwnedFd,
    writes: OwnedFd,
    nothing: File,
}

impl Pair {
    /// Takes the lowest two that are free, which are 3 and 4 in a program that was started with none of its own.
    fn take() -> io::Result<Self> {
        let mut next = free_above_stderr()?;
        Ok(Self { reads: next()?.into(), writes: next()?.into(), nothing: next()? })
    }

    fn open(&mut self, reads: &PipeReader, writes: &PipeWriter) -> nix::Result<()> {
        dup2(reads, &mut self.reads)?;
        dup2(writes, &mut self.writes)
    }

    fn close(&mut self) -> nix::Result<()> {
        dup3(&self.nothing, &mut self.reads, OFlag::O_CLOEXEC)?;
        dup3(&self.nothing, &mut self.writes, OFlag::O_CLOEXEC)
    }
}

/// Opens files that are no stdin, stdout or stderr, though these may be closed.
fn free_above_stderr() -> io::Result<impl FnMut() -> io::Result<File>> {
    let mut low = Vec::new();
    loop {
        let file = File::open("/dev/null")?;
        if file.as_raw_fd() >= FIRST {
            break;
        }
        low.push(file);
    }
    // They stay what they are now: a pipe of ours must not become a child's stdin.
    for file in low {
        std::mem::forget(OwnedFd::from(file));
    }
    Ok(|| File::open("/dev/null"))
}

fn pair() -> MutexGuard<'static, Option<Pair>> {
    PAIR.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the two descriptors before anything else does.
pub(crate) fn reserve() -> io::Result<()> {
    let mut pair = pair();
    if pair.is_none() {
        *pair = Some(Pair::take()?);
    }
    Ok(())
}

/// Starts a child that reads from one pipe and writes to the other; `name` tells it their descriptors.
pub(super) fn spawn_with(
    command: &mut Command,
    reads: PipeReader,
    writes: PipeWriter,
    name: impl FnOnce(&mut Command, RawFd, RawFd),
) -> io::Result<Child> {
    reserve()?;
    let mut guard = pair();
    let pair = guard.as_mut().ok_or_else(|| io::Error::other("no descriptors are reserved"))?;
    name(command, pair.reads.as_raw_fd(), pair.writes.as_raw_fd());
    let opened = pair.open(&reads, &writes);
    drop((reads, writes));
    let child = opened.map_err(io::Error::from).and_then(|()| command.spawn());
    pair.close()?;
    child
}

/// Starts a child that has no part in any conversation.
pub(crate) fn spawn_alone(command: &mut Command) -> io::Result<Child> {
    let _closed = pair();
    command.spawn()
}

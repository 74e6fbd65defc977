//! The process of an attempt, however it came to be: how its end is seen, and what is left to do then.

use std::io;
use std::process::{Child, ExitStatus};
use std::sync::Arc;

use nix::unistd::Pid;
use wait4::Wait4 as _;

use super::Usage;
use super::python::Python;
use super::reaper::{End, Reaper};
use super::warm::{Forked, Staying};

/// The process of an attempt.
#[derive(Debug)]
pub(super) enum Process {
    /// A child of this process.
    Spawned(Child, End),
    /// A child of a warm interpreter.
    Forked(Forked),
    /// A warm worker that may stay for the next test.
    Staying(Box<Staying>, Arc<Python>),
}

/// How it ended: its status, and what it used.
#[derive(Debug)]
pub(super) struct Settled {
    pub status: io::Result<ExitStatus>,
    pub usage: Option<Usage>,
}

impl Process {
    pub fn spawned(child: Child) -> Self {
        let end = End::of(Pid::from_raw(child.id().cast_signed()));
        Self::Spawned(child, end)
    }

    /// The process, and its group.
    pub fn leader(&self) -> Pid {
        match self {
            Self::Spawned(child, _) => Pid::from_raw(child.id().cast_signed()),
            Self::Forked(forked) => forked.pid,
            Self::Staying(staying, _) => staying.pid(),
        }
    }

    /// Waits for the end of the test; the waiting may be given up and begun again. The status is still to be collected.
    pub async fn ended(&mut self) {
        match self {
            Self::Spawned(_, end) => end.reached().await,
            Self::Forked(forked) => forked.end.reached().await,
            Self::Staying(staying, _) => staying.ended().await,
        }
    }

    /// Ends what the test left behind, and collects its status. Nothing of it is left then, but for a worker that stays.
    pub async fn settle(self, reaper: &Arc<Reaper>, invocation: &str) -> Settled {
        let leader = self.leader();
        let forked = match self {
            Self::Spawned(mut child, _) => {
                reaper.end(leader, invocation).await;
                let waited = child.wait4();
                reaper.forget(leader);
                return Settled::of_child(waited);
            }
            Self::Forked(forked) => forked,
            Self::Staying(staying, python) => match staying.free() {
                Ok((staying, usage)) => {
                    reaper.end_escaped(invocation).await;
                    python.give_back(staying, reaper).await;
                    return Settled { status: Ok(ExitStatus::default()), usage: Some(usage) };
                }
                Err(process) => process,
            },
        };
        reaper.end(leader, invocation).await;
        let (status, usage) = forked.collect().await;
        reaper.forget(leader);
        Settled { status, usage }
    }
}

impl Settled {
    fn of_child(waited: io::Result<wait4::ResUse>) -> Self {
        let of = |waited: &wait4::ResUse| Usage {
            cpu: waited.rusage.utime + waited.rusage.stime,
            peak_memory: waited.rusage.maxrss,
        };
        Self { usage: waited.as_ref().ok().map(of), status: waited.map(|waited| waited.status) }
    }
}

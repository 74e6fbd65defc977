//! Kills the program before or after a transaction, for tests of what a crash leaves behind. Only in debug builds.
//!
//! `TLC_CRASH=before:3` in the environment kills it before its third transaction, `after:3` after it.

use std::env;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Where the program is to be killed, if it is.
#[derive(Debug, Default)]
pub(super) struct Failpoint {
    point: Option<(Moment, u64)>,
    transactions: u64,
}

/// On which side of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Before,
    After,
}

impl Failpoint {
    /// What the environment says; nothing in a release build.
    pub fn from_environment() -> Self {
        let named = env::var("TLC_CRASH").ok().filter(|_| cfg!(debug_assertions));
        Self { point: named.as_deref().and_then(read), transactions: 0 }
    }

    /// A transaction is about to be made, or has been.
    pub fn pass(&mut self, moment: Moment) {
        self.transactions += u64::from(moment == Moment::Before);
        if self.point == Some((moment, self.transactions)) {
            let _ = kill(Pid::this(), Signal::SIGKILL);
        }
    }
}

fn read(text: &str) -> Option<(Moment, u64)> {
    let (moment, number) = text.split_once(':')?;
    let moment = match moment {
        "before" => Moment::Before,
        "after" => Moment::After,
        _ => return None,
    };
    Some((moment, number.parse().ok()?))
}

//! Ends the program before or after a step of the store, for tests of what a crash leaves behind.
//!
//! A step is whatever becomes durable as a whole: a transaction, or a file that is put in its place. In debug builds `TLC_CRASH=before:3` in
//! the environment kills the program before its third step, `after:3` after it. In a simulation the program is a future: it is unwound there
//! without a word, and nothing of it goes on.

use std::env;
use std::panic::resume_unwind;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// What a simulated program meets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// It dies on this side of this step, counted from 1.
    pub dies: Option<(Moment, u64)>,
    /// From this step on there is no room, for so many tries.
    pub full: Option<(u64, u64)>,
}

/// On which side of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It has not happened.
    Before,
    /// It has, and nobody knows.
    After,
}

/// What a simulated program is unwound with.
#[derive(Clone, Copy, Debug)]
pub struct Death;

/// Counts steps, and ends the program at one of them.
#[derive(Debug, Default)]
pub(super) struct Failpoint {
    fate: Fate,
    simulated: bool,
    steps: u64,
}

impl Failpoint {
    /// What the environment says; nothing in a release build.
    pub fn from_environment() -> Self {
        let named = env::var("TLC_CRASH").ok().filter(|_| cfg!(debug_assertions));
        let dies = named.as_deref().and_then(read);
        Self { fate: Fate { dies, ..Fate::default() }, ..Self::default() }
    }

    /// What a simulation says.
    pub fn simulated(fate: Fate) -> Self {
        Self { fate, simulated: true, steps: 0 }
    }

    /// A step is about to be made, or has been.
    pub fn pass(&mut self, moment: Moment) {
        self.steps += u64::from(moment == Moment::Before);
        if self.fate.dies != Some((moment, self.steps)) {
            return;
        }
        if self.simulated {
            resume_unwind(Box::new(Death));
        }
        let _ = kill(Pid::this(), Signal::SIGKILL);
    }

    /// Whether the step that is about to be made finds no room.
    pub fn is_full(&self) -> bool {
        self.fate.full.is_some_and(|(first, tries)| (first..first + tries).contains(&self.steps))
    }

    /// How many steps were begun.
    pub fn steps(&self) -> u64 {
        self.steps
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

//! Limits: steps, and memory that is counted before it is taken.

use super::error::{Failure, limit};

/// What an evaluation may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many steps: roughly one for each node that is evaluated and each item that is gone through.
    pub steps: u64,
    /// How many bytes in total, given back or not.
    pub memory: u64,
}

impl Default for Limits {
    /// A million steps and 32 MiB: well below 100 ms on the machines that run tests.
    fn default() -> Self {
        Self { steps: 1_000_000, memory: 32 << 20 }
    }
}

/// What is left of the limits.
#[derive(Debug)]
pub(crate) struct Meter {
    steps: u64,
    memory: u64,
}

impl Meter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { steps: limits.steps, memory: limits.memory }
    }

    pub(crate) fn unlimited() -> Self {
        Self { steps: u64::MAX, memory: u64::MAX }
    }

    #[inline]
    pub(crate) fn step(&mut self) -> Result<(), Failure> {
        self.steps(1)
    }

    #[inline]
    pub(crate) fn steps(&mut self, count: u64) -> Result<(), Failure> {
        match self.steps.checked_sub(count) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => {
                self.steps = 0;
                Err(out_of_steps())
            }
        }
    }

    /// Counts bytes that are about to be taken, and the time it takes to fill them.
    #[inline]
    pub(crate) fn allocate(&mut self, bytes: usize) -> Result<(), Failure> {
        self.steps(bytes as u64 / 1024)?;
        match self.memory.checked_sub(bytes as u64) {
            Some(left) => {
                self.memory = left;
                Ok(())
            }
            None => Err(out_of_memory()),
        }
    }

    /// Counts room for so many items of a list.
    pub(crate) fn items(&mut self, count: usize) -> Result<(), Failure> {
        self.allocate(count.saturating_mul(size_of::<crate::value::Value>()))
    }

    /// Counts room for so many entries of a dict or a set.
    pub(crate) fn entries(&mut self, count: usize) -> Result<(), Failure> {
        self.allocate(count.saturating_mul(128))
    }
}

#[cold]
fn out_of_steps() -> Failure {
    limit("it takes too many steps")
}

#[cold]
fn out_of_memory() -> Failure {
    limit("it needs too much memory")
}

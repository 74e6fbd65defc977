//! No room left for the store: the run pauses until there is some again.
//!
//! Nothing is acted upon before it is durable, so nothing new starts meanwhile. What runs goes on, and its end waits to be recorded.

use std::time::Duration;

use crate::control::{Asked, Request};
use crate::store::{Change, Entry, StoreError};

use super::{Course, Dispatch};

/// How often it is tried again.
const RETRY: Duration = Duration::from_secs(1);

impl Dispatch<'_> {
    /// Records a turn. While there is no room it waits; a signal ends that, and then the run cannot go on.
    pub(super) async fn record(
        &mut self,
        course: &mut Course,
        entries: &[Entry],
        changes: &[Change],
    ) -> Result<(), StoreError> {
        loop {
            match self.store.commit(&self.run, entries, changes) {
                Err(full @ StoreError::Full(_)) => self.pause(course, full).await?,
                Err(error) => return Err(error),
                Ok(()) => {
                    if std::mem::take(&mut course.paused) {
                        self.reporter.warn("there is room again: the run goes on");
                    }
                    return Ok(());
                }
            }
        }
    }

    async fn pause(&mut self, course: &mut Course, full: StoreError) -> Result<(), StoreError> {
        if !std::mem::replace(&mut course.paused, true) {
            self.reporter.warn(&format!("{full}: the run pauses until there is some"));
        }
        let retry = tokio::time::sleep(RETRY);
        tokio::pin!(retry);
        loop {
            let asked = tokio::select! {
                biased;
                () = &mut retry => return Ok(()),
                () = self.operator.signals.next() => return Err(full),
                asked = self.operator.control.next() => asked,
            };
            self.asked_while_paused(course, asked);
        }
    }

    /// Only what needs no record can be answered.
    fn asked_while_paused(&mut self, course: &mut Course, asked: Asked) {
        match asked.request {
            Request::Status {} => self.tell(course, asked.reply),
            Request::Wait {} => course.waiting.push(asked.reply),
            Request::Stop {}
            | Request::Abort { .. }
            | Request::Restart { .. }
            | Request::Clear { .. }
            | Request::SetIterations { .. } => {
                asked.reply.refuse("the run is paused: there is no room left to record it");
            }
        }
    }
}

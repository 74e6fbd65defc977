//! Commands that wait for a running teardown: what ends the tests around it does not cut it short.

use std::mem;

use super::{Course, Dispatch, Happening, is_teardown};
use crate::schedule::{Command, Event, TeardownPolicy};

impl Dispatch<'_> {
    /// Whether this waits until no teardown runs. Whoever names a teardown, or kills, means it.
    pub(super) fn must_wait(&self, course: &Course, happening: &Happening) -> bool {
        let (Happening::Event(Event::Command(command)) | Happening::Ordered(command, _)) = happening else {
            return false;
        };
        let ends_others = match command {
            Command::Restart { .. } | Command::AutoRun { .. } | Command::RunWithStatus { .. } => true,
            Command::Stop { path, .. } | Command::Clear { path } => {
                !path.as_deref().is_some_and(|path| self.is_in_teardown(course, path))
            }
            _ => false,
        };
        ends_others && self.teardown_runs(course)
    }

    /// Lets go of what waited, if no teardown runs any more.
    pub(super) fn release(&self, course: &mut Course) {
        if !course.held.is_empty() && !self.teardown_runs(course) {
            course.queue.extend(mem::take(&mut course.held));
        }
    }

    fn teardown_runs(&self, course: &Course) -> bool {
        self.ground.settings.teardown == TeardownPolicy::Always
            && course.running.keys().any(|(path, _)| self.is_in_teardown(course, path))
    }

    fn is_in_teardown(&self, course: &Course, path: &str) -> bool {
        course.index.get(path).is_some_and(|&node| is_teardown(self.plan, node))
    }
}

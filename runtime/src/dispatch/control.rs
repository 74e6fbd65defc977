//! What is asked from another terminal becomes a command of the scheduler, or is answered at once.

use crate::control::{ActiveAttempt, Answer, Asked, Reply, Request, RunState, RunStatus, StatusCount};
use crate::schedule::{Command, Status, counts};

use super::{Course, Dispatch, Happening};

impl Dispatch<'_> {
    /// Takes a request. What changes the run is answered when it is durable.
    pub(super) fn asked(&mut self, course: &mut Course, asked: Asked) {
        let Asked { request, reply } = asked;
        match request {
            Request::Status {} => self.tell(course, reply),
            Request::Wait {} => course.waiting.push(reply),
            Request::Stop {} => self.stop_asked(course, reply),
            Request::Abort { path } => {
                self.order(course, reply, &path, |path| Command::Stop { path: Some(path), fail: true });
            }
            Request::Restart { path } => {
                let ordered = self.order(course, reply, &path, |path| Command::Restart { path: Some(path) });
                if ordered {
                    // Whoever says what is to run does not want the rest of an interrupted run.
                    course.then.clear();
                }
            }
            Request::Clear { path } => {
                self.order(course, reply, &path, |path| Command::Clear { path: Some(path) });
            }
            Request::SetIterations { path, iterations, retries } => {
                let known = self.schedule.states().get(&path).map(|state| state.retries);
                let retries = retries.or_else(|| known.map(as_number)).unwrap_or(0);
                match counts(iterations, retries) {
                    Ok(_) => {
                        self.order(course, reply, &path, |path| Command::SetIterations { path, iterations, retries });
                    }
                    Err(expected) => reply.refuse(expected),
                }
            }
        }
    }

    fn order(&self, course: &mut Course, reply: Reply, path: &str, command: impl FnOnce(String) -> Command) -> bool {
        if !course.index.contains_key(path) {
            reply.refuse(format!("the list `{}` has no `{path}`", self.plan.id));
        } else if course.interrupted {
            reply.refuse("the run is ending");
        } else if course.shutting_down {
            reply.refuse("the machine goes down");
        } else {
            course.queue.push_back(Happening::Ordered(command(path.to_owned()), reply));
            return true;
        }
        false
    }

    /// The same as the first signal; a second one of these changes nothing.
    fn stop_asked(&mut self, course: &mut Course, reply: Reply) {
        if course.interrupted {
            return reply.give(Answer::Done {});
        }
        if course.shutting_down {
            return reply.refuse("the machine goes down");
        }
        let command = self.stop(course);
        course.queue.push_back(Happening::Ordered(command, reply));
    }

    /// From now on the run ends.
    pub(super) fn stop(&mut self, course: &mut Course) -> Command {
        course.interrupted = true;
        course.then.clear();
        self.reporter.interrupted(false);
        Command::Stop { path: None, fail: true }
    }

    /// Says what the run does.
    pub(super) fn tell(&self, course: &Course, reply: Reply) {
        reply.give(Answer::Status { status: Box::new(self.status(course)) });
    }

    fn status(&self, course: &Course) -> RunStatus {
        let elapsed = |since: tokio::time::Instant| since.elapsed().as_millis() as u64;
        RunStatus {
            run: self.run.number.0,
            id: self.ground.place.id.clone(),
            list: self.plan.id.clone(),
            root: self.schedule.run_root().unwrap_or_default().to_owned(),
            state: course.state(),
            process: std::process::id(),
            elapsed_ms: self.before.as_millis() as u64 + elapsed(course.begun),
            active: course
                .running
                .iter()
                .map(|((path, number), running)| ActiveAttempt {
                    path: path.clone(),
                    number: *number,
                    elapsed_ms: elapsed(running.begun),
                })
                .collect(),
            counts: self.counts(course),
        }
    }

    fn counts(&self, course: &Course) -> Vec<StatusCount> {
        let is_leaf = |path: &str| course.index.get(path).is_some_and(|&id| self.plan.is_leaf(id));
        let leaves = || self.schedule.states().iter().filter(|(path, _)| is_leaf(path));
        [Status::Passed, Status::Failed, Status::FailedAndWaived, Status::Skipped, Status::Active, Status::Untested]
            .into_iter()
            .map(|status| StatusCount {
                status: status.name().to_owned(),
                number: leaves().filter(|(_, state)| state.status == status).count(),
            })
            .filter(|count| count.number > 0)
            .collect()
    }
}

impl Course {
    fn state(&self) -> RunState {
        match () {
            () if self.paused => RunState::Paused,
            () if self.shutting_down => RunState::ShuttingDown,
            () if self.killing => RunState::Killing,
            () if self.interrupted => RunState::Stopping,
            () => RunState::Running,
        }
    }
}

fn as_number(count: tlc_plan::plan::Count) -> i64 {
    match count {
        tlc_plan::plan::Count::Times(times) => i64::from(times),
        tlc_plan::plan::Count::Unlimited => -1,
    }
}

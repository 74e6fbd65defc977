//! One turn: what happened goes to the scheduler and into the store, and then it is acted upon.

use std::time::Duration;

use indexmap::IndexMap;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tracing::debug;

use super::attempt::Prepared;
use super::{Course, Dispatch, Happening, Running, attempt, edits, journal, reports};
use crate::control::{Answer, Reply};
use crate::schedule::{
    Action, Cause, Command, Event, NoteLevel, Purpose, SkipReason, State, Status, Verdict, is_at_or_under,
};
use crate::store::{Change, Entry, StoreError};
use crate::worker::desk::{Answer as WorkerAnswer, Display};
use crate::worker::{Ended, Ending};

/// How many entries wait at most for something else to be recorded.
const PENDING: usize = 256;

/// What a turn records.
#[derive(Default)]
pub(super) struct Record {
    pub entries: Vec<Entry>,
    pub changes: Vec<Change>,
    /// The states of nodes that changed: the last one of each.
    pub states: IndexMap<String, State>,
    /// The verdict of the last run that ended.
    finished: Option<Verdict>,
    /// Someone waits until it is durable.
    pub awaited: bool,
}

/// What is to be done and shown once it is durable.
pub(super) enum Deed {
    Launch {
        path: String,
        attempt: u32,
        prepared: Prepared,
    },
    End {
        path: String,
        attempt: u32,
        reason: String,
    },
    ShutDown {
        path: String,
    },
    RefuseShutDown {
        path: String,
        reason: String,
    },
    Show(Shown),
    Answer(Reply),
    /// What a test asked is answered.
    Reply {
        answer: WorkerAnswer,
        reply: oneshot::Sender<WorkerAnswer>,
        terminal: Option<bool>,
    },
}

/// What a reporter shows.
pub(super) enum Shown {
    Ended { path: String, ended: Box<Ended> },
    Settled { path: String, status: Status },
    NotRun { path: String, why: String },
    Round { path: String, retry: bool },
    Note { level: NoteLevel, text: String },
    Display { path: String, display: Display },
    Edited,
}

impl Dispatch<'_> {
    /// Takes all that waits through the scheduler and the store; what is left to do comes back.
    pub(super) async fn turn(&mut self, course: &mut Course) -> Result<Vec<Deed>, StoreError> {
        let mut record = std::mem::take(&mut course.pending);
        let mut deeds = Vec::new();
        while let Some(happening) = course.queue.pop_front() {
            let event = match happening {
                Happening::Event(event) => event,
                Happening::Told(text) => {
                    deeds.push(Deed::Show(Shown::Note { level: NoteLevel::Warning, text }));
                    continue;
                }
                Happening::Ordered(command, reply) => {
                    deeds.push(Deed::Answer(reply));
                    record.changes.extend(self.cleared(&command));
                    Event::Command(command)
                }
                Happening::Signalled { path, attempt, signal } => {
                    self.signalled(course, path, attempt, signal, &mut record, &mut deeds);
                    continue;
                }
                Happening::AttemptOver { path, attempt, mut ended } => {
                    let Some(running) = course.running.remove(&(path.clone(), attempt)) else { continue };
                    course.shutting_down = false;
                    self.look_for_edit(course, &mut record, &mut deeds);
                    let items = std::mem::take(&mut ended.items);
                    reports::record(course, &path, &running.invocation, items, &mut record);
                    record.changes.push(journal::ended(&running.invocation, &ended));
                    record.states.extend(edits::end_of_gone(course, &path, &ended));
                    let (outcome, message) = (ended.outcome, ended.message.clone());
                    deeds.push(Deed::Show(Shown::Ended { path: path.clone(), ended }));
                    Event::AttemptEnded { path, attempt, outcome, message, changes: Vec::new() }
                }
            };
            record.awaited = true;
            self.schedule(course, event, &mut record, &mut deeds);
        }
        if !record.awaited && record.entries.len() < PENDING {
            course.pending = record;
            return Ok(deeds);
        }
        // A run that another took the place of, or that goes on with something else, is not over.
        if let Some(verdict) = record.finished.take()
            && !self.schedule.is_running()
            && course.then.is_empty()
        {
            self.end_run(course, verdict, &mut record);
        }
        self.write(course, record).await?;
        Ok(deeds)
    }

    /// Why tests whose state an operator clears have not run, unless they run again.
    fn cleared(&self, command: &Command) -> Vec<Change> {
        let Command::Clear { path: Some(cleared) } = command else { return Vec::new() };
        let paths = self.plan.preorder().filter(|&id| self.plan.is_leaf(id)).map(|id| &self.plan.node(id).path);
        let note = "its state was cleared".to_owned();
        let below = paths.filter(|path| is_at_or_under(path, cleared));
        below.map(|path| Change::Note { path: path.clone(), note: note.clone() }).collect()
    }

    /// Gives an event to the scheduler, and takes what follows.
    pub(super) fn schedule(&mut self, course: &mut Course, event: Event, record: &mut Record, deeds: &mut Vec<Deed>) {
        debug!(?event);
        record.entries.push(course.journal.event(&event));
        for action in self.schedule.on(self.plan, self.evaluation, event) {
            debug!(?action);
            self.take(course, action, record, deeds);
        }
    }

    pub(super) fn take(&mut self, course: &mut Course, action: Action, record: &mut Record, deeds: &mut Vec<Deed>) {
        let deed = match action {
            Action::Start { path, attempt, purpose } => {
                let prepared = self.start(course, &path, attempt, purpose, record);
                Deed::Launch { path, attempt, prepared }
            }
            Action::End { path, attempt, reason } => Deed::End { path, attempt, reason },
            Action::StateChanged { path, state } => {
                let status = state.status;
                record.states.insert(path.clone(), state);
                Deed::Show(Shown::Settled { path, status })
            }
            Action::Skipped { path, why } => not_run(path, skipped(&why), record),
            Action::LeftOut { path, cause } => not_run(path, left_out(&cause), record),
            Action::Round { path, retry } => Deed::Show(Shown::Round { path, retry }),
            Action::Shutdown { path } => Deed::ShutDown { path },
            Action::ShutdownRefused { path, reason } => Deed::RefuseShutDown { path, reason },
            Action::Note { level, text } => Deed::Show(Shown::Note { level, text }),
            Action::PassedOver { status: Status::Passed, .. } => return,
            Action::RunStarted { root, .. } => {
                self.root = root;
                return;
            }
            Action::PassedOver { path, status } => not_run(path, format!("it is {status} already"), record),
            Action::RunFinished { verdict } => {
                record.finished = Some(verdict);
                return;
            }
        };
        deeds.push(deed);
    }

    /// Says that the run goes on, and starts once more what a restart was a part of.
    pub(super) async fn relaunch(
        &mut self,
        course: &mut Course,
        relaunched: Vec<(String, u32)>,
    ) -> Result<(), StoreError> {
        let mut record = Record { entries: vec![course.journal.resumed()], ..Record::default() };
        let mut launches = Vec::new();
        for (path, attempt) in relaunched {
            let prepared = self.start(course, &path, attempt, Purpose::Test, &mut record);
            launches.push((path, attempt, prepared));
        }
        self.write(course, record).await?;
        for (path, attempt, prepared) in launches {
            self.launch(course, path, attempt, prepared);
        }
        Ok(())
    }

    fn start(&mut self, course: &Course, path: &str, attempt: u32, purpose: Purpose, record: &mut Record) -> Prepared {
        self.attempts += 1;
        let prepared = self.prepare(course, path, attempt, purpose);
        let start = prepared.start();
        record.entries.push(course.journal.attempt_started(start));
        record.changes.push(Change::AttemptStarted(start.clone()));
        prepared
    }

    /// Ends a run in which nothing is left to happen, although the scheduler did not say so.
    pub(super) async fn close(&mut self, course: &mut Course) -> Result<(), StoreError> {
        let mut record = std::mem::take(&mut course.pending);
        self.end_run(course, self.open_verdict(), &mut record);
        self.write(course, record).await
    }

    /// Records a turn. A group whose test ends and whose next one starts in the same turn is active before and after it: its row stays as
    /// it is.
    async fn write(&mut self, course: &mut Course, mut record: Record) -> Result<(), StoreError> {
        record.states.retain(|path, state| course.groups.get(path) != Some(state));
        record.changes.extend(record.states.iter().map(|(path, state)| journal::state(path, state)));
        self.record(course, &record.entries, &record.changes).await?;
        for (path, state) in record.states {
            match course.index.get(&path) {
                Some(&node) if !self.plan.is_leaf(node) => course.groups.insert(path, state),
                Some(_) | None => course.groups.remove(&path),
            };
        }
        Ok(())
    }

    fn end_run(&self, course: &mut Course, verdict: Verdict, record: &mut Record) {
        let verdict = self.schedule.verdict_on(&self.asked, verdict);
        let stopped = course.interrupted || self.stopped;
        record.entries.push(course.journal.run_ended(&verdict));
        record.changes.push(Change::RunEnded {
            state: if stopped { "stopped" } else { "finished" },
            verdict: verdict.status.name(),
            attempts: self.attempts,
            duration: self.before + course.begun.elapsed(),
        });
        course.verdict = Some(verdict);
    }

    /// Does what a turn asks for; it is durable by now.
    pub(super) async fn act(&mut self, course: &mut Course, deeds: Vec<Deed>) {
        if course.running.is_empty() {
            // Before the next one starts: what the last one left behind has no part in it.
            self.ground.workers.end_strays().await;
        }
        for deed in deeds {
            match deed {
                Deed::Launch { path, attempt, prepared } => self.launch(course, path, attempt, prepared),
                Deed::End { path, attempt, reason } => end(course, path, attempt, reason),
                Deed::ShutDown { path } => self.shut_down(course, path),
                Deed::RefuseShutDown { path, reason } => refuse(course, &path, reason),
                // What does not run while an interrupted run is cleaned up may run when it goes on.
                Deed::Show(Shown::NotRun { .. } | Shown::Note { .. }) if !course.then.is_empty() => {}
                Deed::Show(shown) => self.show(shown),
                Deed::Answer(reply) => reply.give(Answer::Done {}),
                Deed::Reply { answer, reply, terminal } => {
                    if let Some(taken) = terminal {
                        self.reporter.prompting(taken);
                    }
                    let _ = reply.send(answer);
                }
            }
        }
        if course.killing {
            course.kill_all("killed by the operator");
        }
    }

    fn show(&mut self, shown: Shown) {
        match shown {
            Shown::Ended { path, ended } => {
                self.reporter.ended(&path, &ended);
            }
            Shown::Settled { path, status } => self.reporter.settled(&path, status),
            Shown::NotRun { path, why } => self.reporter.not_run(&path, &why),
            Shown::Round { path, retry } => self.reporter.round(&path, retry),
            Shown::Edited => {
                let text = format!("the list {} was edited: the run goes on with what it is now", self.plan.id);
                self.reporter.begins(&text, self.plan, &self.ground.place.locale, &self.root);
            }
            Shown::Note { level, text } => self.reporter.note(level, &text),
            Shown::Display { path, display } => self.reporter.display(&path, &display),
        }
    }

    fn launch(&mut self, course: &mut Course, path: String, attempt: u32, prepared: Prepared) {
        self.reporter.started(&path, attempt);
        let (ending, receiver) = tokio::sync::watch::channel(None);
        let invocation = prepared.start().invocation.clone();
        course.running.insert((path.clone(), attempt), Running { invocation, begun: Instant::now(), ending });
        let asks = matches!(prepared, Prepared::ShutDown(_));
        attempt::spawn(prepared, &self.ground, receiver, course.over.clone(), path.clone(), attempt);
        if asks {
            course.queue.push_back(Happening::Event(Event::ShutdownRequested { path }));
        }
    }

    /// The command runs beside the dispatcher: a shutdown can take its time, and can be aborted.
    fn shut_down(&mut self, course: &mut Course, path: String) {
        let Some((&(_, attempt), running)) = course.running.iter().find(|((running, _), _)| *running == path) else {
            return;
        };
        let Some(&node) = course.index.get(&path) else { return };
        course.shutting_down = true;
        let order = self.shutdown_order(node);
        attempt::shut_down(order, running.ending.subscribe(), course.over.clone(), path, attempt);
    }
}

fn end(course: &Course, path: String, attempt: u32, reason: String) {
    let ending = if course.killing { Ending::Kill(reason) } else { Ending::Stop(reason) };
    if let Some(running) = course.running.get(&(path, attempt)) {
        running.ending.send_replace(Some(ending));
    }
}

fn refuse(course: &mut Course, path: &str, reason: String) {
    let Some((running, attempt)) = course.running.keys().find(|(running, _)| running == path).cloned() else { return };
    let ended = Box::new(Ended { duration: Duration::ZERO, ..Ended::broken(reason) });
    course.queue.push_back(Happening::AttemptOver { path: running, attempt, ended });
}

fn not_run(path: String, why: String, record: &mut Record) -> Deed {
    record.changes.push(Change::Note { path: path.clone(), note: why.clone() });
    Deed::Show(Shown::NotRun { path, why })
}

fn skipped(why: &SkipReason) -> String {
    match why {
        SkipReason::RunIf { condition } => format!("`{condition}` is not true"),
        SkipReason::Rule { rule, pattern } => format!("skipped_tests, `{rule}`: `{pattern}`"),
        SkipReason::From { path } => format!("the run begins with `{path}`"),
        SkipReason::Before => "skipped before".into(),
    }
}

fn left_out(cause: &Cause) -> String {
    let because = |path: &str| if path.is_empty() { "the list failed".to_owned() } else { format!("`{path}` failed") };
    match cause {
        Cause::Failure { path } => because(path),
        Cause::StopOnFailure { path } => format!("{}, and the list stops on a failure", because(path)),
        Cause::Stopped => "the operator stopped the run".into(),
        Cause::Replaced => "the operator started another run".into(),
        Cause::Interrupted => "the run was interrupted".into(),
        Cause::Vanished { path } => format!("`{path}` is not in the list any more"),
    }
}

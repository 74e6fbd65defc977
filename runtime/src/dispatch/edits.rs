//! An edited list takes the place of the one that runs, between tests (reference: U1).
//!
//! States are kept by path. The new plan is stored with the event, so that a replay finds it.

use std::cell::OnceCell;
use std::fmt;

use tlc_plan::Plan;

use super::turn::{Deed, Record, Shown};
use super::{Course, Dispatch, Evaluation, journal};
use crate::schedule::{Event, NoteLevel, Outcome, State, Status};
use crate::store::Change;
use crate::worker::Ended;

/// What became of a list since it was looked at last.
#[derive(Debug)]
pub enum Edit {
    /// Nothing.
    None,
    /// It is another one now.
    Plan(Box<Plan>),
    /// It cannot be used as it is now; why, for people.
    Broken(String),
}

/// Looks whether a list was edited.
pub struct Edits(Box<dyn FnMut() -> Edit>);

/// A list as it was from some moment on. What a run has begun with stays as long as the run.
#[derive(Debug)]
pub(crate) struct Edition {
    pub plan: Plan,
    pub evaluation: Evaluation,
    /// What came after it.
    pub later: Later,
}

/// The edition after one, once there is one.
pub(crate) type Later = OnceCell<Box<Edition>>;

impl Edits {
    /// Asks this whenever a test has ended.
    pub fn new(look: impl FnMut() -> Edit + 'static) -> Self {
        Self(Box::new(look))
    }

    /// Nobody edits the list.
    pub fn none() -> Self {
        Self::new(|| Edit::None)
    }
}

impl fmt::Debug for Edits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Edits")
    }
}

impl Dispatch<'_> {
    /// Looks whether the list was edited. A run that is ending goes on with what it has.
    pub(super) fn look_for_edit(&mut self, course: &mut Course, record: &mut Record, deeds: &mut Vec<Deed>) {
        if course.interrupted || self.stopped || !course.then.is_empty() {
            return;
        }
        let (plan, is_new) = match (self.operator.edits.0)() {
            Edit::None => (course.edited.take(), false),
            Edit::Plan(plan) if plan.is_leaf(plan.root()) => return useless(course, deeds, "it has no tests"),
            Edit::Plan(plan) if plan.id == self.plan.id => (Some(plan), true),
            Edit::Plan(plan) => return useless(course, deeds, &format!("it is another list, `{}`", plan.id)),
            Edit::Broken(report) => return useless(course, deeds, &report),
        };
        let Some(plan) = plan.filter(|plan| !is_new || plan.hash() != self.plan.hash()) else {
            course.edited = None;
            return;
        };
        let Some(lost) = self.schedule.teardown_lost_by(self.plan, &plan) else {
            return self.replace_plan(*plan, course, record, deeds);
        };
        if is_new {
            let text = format!(
                "the list was edited; that it has no `{lost}` any more waits, with the rest of the edit, until that teardown has run"
            );
            deeds.push(Deed::Show(Shown::Note { level: NoteLevel::Warning, text }));
        }
        course.edited = Some(plan);
    }

    fn replace_plan(&mut self, plan: Plan, course: &mut Course, record: &mut Record, deeds: &mut Vec<Deed>) {
        let evaluation = Evaluation::load(&plan, self.schedule.device(), &self.ground.settings.data);
        let edition = self.later.get_or_init(|| Box::new(Edition { plan, evaluation, later: Later::new() }));
        (self.plan, self.evaluation, self.later) = (&edition.plan, &edition.evaluation, &edition.later);
        course.index = super::index(self.plan);
        let hash = self.plan.hash();
        record.entries.push(course.journal.plan_replaced(&hash));
        let (list, plan) = (self.plan.id.clone(), self.plan.to_json_with(hash.clone()));
        record.changes.push(Change::Plan { hash, list, plan });
        record.changes.extend(journal::tests(self.plan, &self.ground.place.locale, None));
        self.part_with_the_gone(course, record);
        deeds.push(Deed::Show(Shown::Edited));
        for action in self.schedule.on(self.plan, self.evaluation, Event::PlanReplaced) {
            self.take(course, action, record, deeds);
        }
    }

    /// What the list has no more is noted. A test that runs will be recorded as it ends; a group of which one runs was not run to its end.
    fn part_with_the_gone(&self, course: &mut Course, record: &mut Record) {
        let states = self.schedule.states().iter();
        for (path, state) in states.filter(|(path, _)| !course.index.contains_key(*path)) {
            let note = "it is not in the list any more".to_owned();
            record.changes.push(Change::Note { path: path.clone(), note });
            if self.schedule.active().contains_key(path) {
                course.gone.insert(path.clone(), state.clone());
            } else if state.status == Status::Active {
                let state = State { status: Status::Untested, ..state.clone() };
                record.states.insert(path.clone(), state);
            }
        }
    }
}

/// Of an edit that cannot be used nothing is, nor of the one before it.
fn useless(course: &mut Course, deeds: &mut Vec<Deed>, why: &str) {
    course.edited = None;
    let text = format!("the list was edited and cannot be used like that, so the run goes on as it was: {why}");
    deeds.push(Deed::Show(Shown::Note { level: NoteLevel::Warning, text }));
}

/// How a test ended that an edit took away while it ran: the scheduler does not know it any more.
pub(super) fn end_of_gone(course: &mut Course, path: &str, ended: &Ended) -> Option<(String, State)> {
    let before = course.gone.remove(path).filter(|_| !course.index.contains_key(path))?;
    let status = if ended.outcome == Outcome::Passed { Status::Passed } else { Status::Failed };
    let state = State { status, outcome: Some(ended.outcome), message: ended.message.clone(), ..before };
    Some((path.to_owned(), state))
}

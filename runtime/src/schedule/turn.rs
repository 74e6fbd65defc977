//! One turn: an event in, actions out. Holds what a turn needs, and changes states so that groups follow and every change is told.

use serde::{Deserialize, Serialize};
use tlc_plan::plan::{NodeId, Plan};

use super::action::Action;
use super::conditions::Conditions;
use super::event::NoteLevel;
use super::state::{State, Status};
use super::{Schedule, shape};

/// The schedule while it handles one event.
pub(super) struct Turn<'a> {
    pub schedule: &'a mut Schedule,
    pub plan: &'a Plan,
    pub conditions: &'a dyn Conditions,
    pub actions: Vec<Action>,
}

impl Turn<'_> {
    /// The state of a node.
    pub fn state(&self, node: NodeId) -> State {
        let node = self.plan.node(node);
        self.schedule.states.get(&node.path).cloned().unwrap_or_else(|| State::new(node))
    }

    /// The status of a node.
    pub fn status(&self, node: NodeId) -> Status {
        self.schedule.states.get(&self.plan.node(node).path).map_or(Status::Untested, |state| state.status)
    }

    /// Changes the state of a node; the groups around it follow (rule W2).
    pub fn change(&mut self, node: NodeId, change: impl FnOnce(&mut State)) {
        let before = self.status(node);
        self.change_alone(node, change);
        if self.status(node) != before
            && let Some(parent) = self.plan.parent(node)
        {
            self.follow(parent);
        }
    }

    /// Sets the status of a node. An untested node has had no shutdown (rule W3).
    pub fn set_status(&mut self, node: NodeId, status: Status) {
        self.change(node, |state| state.set_status(status));
    }

    /// The status of a group follows from its children: the first of these that one of them has (rule W2).
    pub fn follow(&mut self, group: NodeId) {
        let counts = self.schedule.counts.get(&self.plan.node(group).path);
        self.set_status(group, counts.and_then(Counts::first).unwrap_or_default());
    }

    /// The status of every group follows from its children.
    pub fn follow_all(&mut self) {
        for node in shape::children_first(self.plan, self.plan.root()) {
            if !self.plan.is_leaf(node) {
                self.follow(node);
            }
        }
    }

    /// Everything in a subtree becomes untested.
    pub fn reset(&mut self, root: NodeId) {
        for node in shape::children_first(self.plan, root) {
            self.change_alone(node, |state| state.set_status(Status::Untested));
        }
        if let Some(parent) = self.plan.parent(root) {
            self.follow(parent);
        }
    }

    /// Tells the operator something.
    pub fn note(&mut self, level: NoteLevel, text: String) {
        self.actions.push(Action::Note { level, text });
    }

    fn change_alone(&mut self, node: NodeId, change: impl FnOnce(&mut State)) {
        let before = self.state(node);
        let mut after = before.clone();
        change(&mut after);
        if after == before {
            return;
        }
        let parent = self.plan.parent(node).filter(|_| after.status != before.status);
        if let Some(counts) = parent.and_then(|parent| self.schedule.counts.get_mut(&self.plan.node(parent).path)) {
            counts.remove(before.status);
            counts.add(after.status);
        }
        let path = self.plan.node(node).path.clone();
        self.schedule.states.insert(path.clone(), after.clone());
        self.actions.push(Action::StateChanged { path, state: after });
    }
}

/// How many of some nodes have which status, in the order of their precedence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts([u32; 6]);

impl Counts {
    pub fn add(&mut self, status: Status) {
        self.0[precedence(status)] += 1;
    }

    fn remove(&mut self, status: Status) {
        let number = &mut self.0[precedence(status)];
        *number = number.saturating_sub(1);
    }

    /// The first status that one of them has.
    fn first(&self) -> Option<Status> {
        PRECEDENCE.into_iter().zip(self.0).find(|(_, number)| *number > 0).map(|(status, _)| status)
    }
}

const PRECEDENCE: [Status; 6] =
    [Status::Active, Status::Failed, Status::Untested, Status::FailedAndWaived, Status::Skipped, Status::Passed];

fn precedence(status: Status) -> usize {
    match status {
        Status::Active => 0,
        Status::Failed => 1,
        Status::Untested => 2,
        Status::FailedAndWaived => 3,
        Status::Skipped => 4,
        Status::Passed => 5,
    }
}

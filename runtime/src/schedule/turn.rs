//! One turn: an event in, actions out. Holds what a turn needs, and changes states so that groups follow and every change is told.

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
        // Nothing comes before what runs; without an attempt nothing runs.
        let first = precedence(if self.schedule.active.is_empty() { Status::Failed } else { Status::Active });
        let mut status = None;
        for &child in self.plan.children(group) {
            let found = self.status(child);
            if status.is_none_or(|status| precedence(found) < precedence(status)) {
                status = Some(found);
            }
            if precedence(found) <= first {
                break;
            }
        }
        self.set_status(group, status.unwrap_or_default());
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
        let path = self.plan.node(node).path.clone();
        self.schedule.states.insert(path.clone(), after.clone());
        self.actions.push(Action::StateChanged { path, state: after });
    }
}

fn precedence(status: Status) -> u8 {
    match status {
        Status::Active => 0,
        Status::Failed => 1,
        Status::Untested => 2,
        Status::FailedAndWaived => 3,
        Status::Skipped => 4,
        Status::Passed => 5,
    }
}

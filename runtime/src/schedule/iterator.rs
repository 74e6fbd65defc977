//! Which test comes next: a depth-first walk with a frame for each open node (rules V1 to V3, V8 to V12).
//!
//! A frame goes from `Enter` to `Check`, then through `Body` and `Check` once a round, to `Leave`. It is popped, taken one step, and pushed
//! back if it stays open. The walk stands still while an attempt runs.

use tlc_plan::plan::{ActionOnFailure, NodeId};

use super::action::{Action, Cause};
use super::run::{Child, Frame, NewRun, Run, Step};
use super::settings::TeardownPolicy;
use super::shape;
use super::state::{Remaining, Status, Verdict};
use super::turn::Turn;

impl Turn<'_> {
    /// Goes on until an attempt runs, or nothing is left to do.
    pub fn advance(&mut self) {
        while self.schedule.active.is_empty() {
            let Some(run) = &mut self.schedule.run else { return };
            if self.schedule.blocked {
                run.frames.clear();
            }
            match run.frames.pop() {
                Some(frame) => self.step(frame),
                None => self.finish(),
            }
        }
    }

    /// Begins a run now; whatever run was on is over.
    pub fn begin(&mut self, new: NewRun) {
        self.tell_verdict();
        let root = shape::find(self.plan, &new.root).unwrap_or(self.plan.root());
        if new.afresh {
            self.reset(root);
        }
        let run = Run::new(self.plan.node(root).path.clone(), new.filter);
        self.actions.push(Action::RunStarted { root: run.root.clone(), filter: run.filter.clone() });
        self.schedule.run = Some(run);
    }

    fn finish(&mut self) {
        let successor = self.schedule.run.as_mut().and_then(|run| run.successor.take());
        self.tell_verdict();
        if let Some(new) = successor {
            self.begin(new);
        }
    }

    fn tell_verdict(&mut self) {
        let Some(run) = self.schedule.run.take() else { return };
        let root = shape::find(self.plan, &run.root).unwrap_or(self.plan.root());
        let verdict = Verdict { root: run.root, status: self.status(root), attempts: run.attempts };
        self.actions.push(Action::RunFinished { verdict });
    }

    fn step(&mut self, frame: Frame) {
        let Some(node) = shape::find(self.plan, &frame.path) else { return self.vanished(frame.path) };
        match frame.step.clone() {
            Step::Enter => self.enter(frame, node),
            Step::Check => self.check(frame, node),
            Step::Body(previous) if !shape::is_runnable(self.plan, node) => self.group_body(frame, node, previous),
            Step::Body(_) => self.runnable_body(frame, node),
            Step::Leave => self.leave(&frame, node),
        }
    }

    fn push(&mut self, frame: Frame) {
        if let Some(run) = &mut self.schedule.run {
            run.frames.push(frame);
        }
    }

    fn enter(&mut self, mut frame: Frame, node: NodeId) {
        if !self.may_enter(node) || self.is_passed_over(node) {
            return;
        }
        self.change(node, |state| {
            state.iterations_left = state.iterations.into();
            state.retries_left = state.retries.into();
            state.shutdown_count = 0;
        });
        if shape::is_top_level(self.plan, node) {
            self.reset(node);
        }
        frame.step = Step::Check;
        self.push(frame);
    }

    /// What has passed is not entered if the filter leaves it out; that goes for groups, too.
    fn is_passed_over(&mut self, node: NodeId) -> bool {
        let filter = self.schedule.run.as_ref().and_then(|run| run.filter.as_ref());
        let out = self.status(node) == Status::Passed && filter.is_some_and(|filter| !filter.contains(&Status::Passed));
        if out && !self.is_due(node) {
            let path = self.plan.node(node).path.clone();
            self.actions.push(Action::PassedOver { path, status: Status::Passed });
            return true;
        }
        false
    }

    fn check(&mut self, mut frame: Frame, node: NodeId) {
        if frame.rounds > 0 {
            self.count_round(&mut frame, node);
        }
        let state = self.state(node);
        // A runnable leaf repeats by itself, before it is back here: it has one round.
        let again = frame.rounds == 0 || !(frame.ending || self.plan.is_leaf(node));
        if !(again && state.iterations_left.is_positive() && state.retries_left.is_not_exceeded()) {
            frame.step = Step::Leave;
            return self.push(frame);
        }
        if frame.rounds > 0 {
            self.actions.push(Action::Round { path: frame.path.clone(), retry: state.status == Status::Failed });
            self.reset(node);
        }
        frame.rounds += 1;
        frame.attempts_before = self.attempts();
        frame.step = Step::Body(None);
        self.push(frame);
    }

    /// A failed round costs a retry, any other an iteration. A retry that is left lifts what `PARENT` and `STOP` set.
    fn count_round(&mut self, frame: &mut Frame, node: NodeId) {
        let failed = self.status(node) == Status::Failed;
        // From the second round on everything was untested at its start. If it started nothing, every further round would be the same.
        let exhausted = frame.refused || (frame.rounds > 1 && frame.attempts_before == self.attempts());
        self.change(node, |state| {
            let (left, end) = if failed { (&mut state.retries_left, -1) } else { (&mut state.iterations_left, 0) };
            *left = if exhausted { Remaining::Times(end) } else { left.lowered(end) };
        });
        if failed && !frame.ending && self.state(node).retries_left.is_not_exceeded() {
            frame.teardown_only = None;
            let keep = frame.entered_stopping && self.schedule.settings.teardown == TeardownPolicy::Always;
            if let Some(run) = self.schedule.run.as_mut().filter(|_| !keep) {
                run.stopping = None;
            }
        }
    }

    fn attempts(&self) -> u32 {
        self.schedule.run.as_ref().map_or(0, |run| run.attempts)
    }

    fn group_body(&mut self, mut frame: Frame, node: NodeId, previous: Option<Child>) {
        let next = previous.map_or(0, |child| self.judge(&mut frame, node, &child));
        let stopping = self.schedule.run.as_ref().and_then(|run| run.stopping.clone());
        let cause = frame.teardown_only.clone().or_else(|| stopping.clone());
        for (position, &child) in self.plan.children(node).iter().enumerate().skip(next) {
            let path = self.plan.node(child).path.clone();
            match &cause {
                Some(cause) if !shape::is_teardown(self.plan, child) => {
                    self.actions.push(Action::LeftOut { path, cause: cause.clone() });
                }
                Some(_) | None => {
                    frame.step = Step::Body(Some(Child { path: path.clone(), position }));
                    self.push(frame);
                    return self.push(Frame::new(path, stopping.is_some()));
                }
            }
        }
        frame.step = Step::Check;
        self.push(frame);
    }

    /// What the end of a child means for its group (rule V2); gives the position of the next one.
    fn judge(&mut self, frame: &mut Frame, node: NodeId, child: &Child) -> usize {
        let children = self.plan.children(node);
        let is_it = |other: &NodeId| self.plan.node(*other).path == child.path;
        // It is where it was, unless the list was edited.
        let at = children.get(child.position).filter(|&other| is_it(other)).map(|_| child.position);
        let Some(position) = at.or_else(|| children.iter().position(is_it)) else { return child.position };
        let failed = self.status(children[position]) == Status::Failed && !frame.ending;
        let cause = Cause::Failure { path: child.path.clone() };
        match shape::action_on_failure(self.plan, children[position]) {
            ActionOnFailure::Parent if failed => frame.teardown_only = Some(cause),
            ActionOnFailure::Stop if failed => {
                frame.teardown_only = Some(cause.clone());
                if let Some(run) = &mut self.schedule.run {
                    run.stopping = Some(cause);
                }
            }
            ActionOnFailure::Next | ActionOnFailure::Parent | ActionOnFailure::Stop => {}
        }
        position + 1
    }

    fn runnable_body(&mut self, mut frame: Frame, node: NodeId) {
        frame.step = Step::Check;
        frame.refused = self.is_refused(node);
        let refused = frame.refused;
        self.push(frame);
        if !refused {
            self.start_runnable(node);
        }
    }

    fn leave(&mut self, frame: &Frame, node: NodeId) {
        if !frame.refused && !self.plan.is_leaf(node) {
            self.follow(node);
        }
    }

    /// The node of a frame is not in the list any more (rule V12).
    fn vanished(&mut self, path: String) {
        self.wind_down("", &Cause::Vanished { path });
    }

    /// Ends what is open at or below a path. With [`TeardownPolicy::Always`], the groups stay open for their teardowns; but an operator who
    /// stops a teardown itself means it.
    pub fn wind_down(&mut self, path: &str, cause: &Cause) {
        let keeps = self.always() && !self.is_in_teardown(path);
        let plan = self.plan;
        let Some(run) = &mut self.schedule.run else { return };
        run.frames.retain_mut(|frame| {
            if !shape::is_at_or_under(&frame.path, path) {
                return true;
            }
            let Some(node) = shape::find(plan, &frame.path).filter(|_| keeps) else { return false };
            if !shape::is_teardown(plan, node) {
                frame.teardown_only.get_or_insert_with(|| cause.clone());
                frame.ending = true;
            }
            true
        });
    }

    /// Ends what is open at or below a path, after what ran there was killed: that is over, and not repeated.
    pub fn cut_off(&mut self, path: &str, cause: &Cause) {
        let plan = self.plan;
        let is_cut = |frame: &mut Frame| {
            let runnable = shape::find(plan, &frame.path).is_some_and(|node| shape::is_runnable(plan, node));
            runnable && shape::is_at_or_under(&frame.path, path)
        };
        if let Some(run) = &mut self.schedule.run {
            run.frames.pop_if(is_cut);
        }
        self.wind_down(path, cause);
    }
}

//! The start of the program, and of an edited list: what was interrupted, what continues, what is skipped and waived (rules Z1 to Z3, P, U1).

use tlc_plan::plan::NodeId;
use tlc_plan::{Data, Plan};

use super::action::{Action, Cause, SkipReason};
use super::event::NoteLevel;
use super::run::{NewRun, Step};
use super::settings::Options;
use super::state::{Outcome, State, Status};
use super::turn::Turn;
use super::{AfterShutdown, Ending, Schedule, TeardownPolicy, rules, shape};

const UNEXPECTED: &str = "the device or the station's program restarted while it ran";
const NOT_ORDERED: &str = "the shutdown came before it was ordered";

/// How often a teardown that was interrupted starts again.
const TEARDOWN_RESTARTS: u32 = 3;

/// What goes on after a start.
enum Continuation {
    /// The run that waited for its shutdown.
    Resume,
    /// Only the check of this shutdown step, whose shutdown was not ordered.
    Only(String),
    /// Nothing but teardowns.
    Cancelled,
    /// What the list's options say.
    AsOptions,
}

impl Schedule {
    /// A teardown of an open group that another edition of the list does not have: it would not run.
    pub(crate) fn teardown_lost_by(&self, plan: &Plan, next: &Plan) -> Option<String> {
        let run = self.run.as_ref().filter(|_| self.settings.teardown == TeardownPolicy::Always)?;
        let is_kept = |path: &str| next.find(path).is_some_and(|id| next.is_leaf(id) && shape::is_teardown(next, id));
        let is_open = |group| run.frames.iter().any(|frame| frame.path == plan.node(group).path);
        let of_open =
            plan.preorder().filter(|&id| plan.is_leaf(id) && shape::taken_down(plan, id).is_some_and(is_open));
        of_open.map(|id| &plan.node(id).path).find(|path| !is_kept(path)).cloned()
    }
}

impl Turn<'_> {
    /// The program started.
    pub fn started(&mut self, device: Data) {
        self.schedule.device = device;
        self.schedule.active.clear();
        self.schedule.ending.clear();
        self.schedule.deferred.clear();
        self.schedule.restart_scheduled = false;
        let ordered = self.schedule.shutdown.take();
        self.read_options();
        if self.schedule.options.clear_state_on_start {
            self.schedule.states.clear();
            self.schedule.overrides.clear();
        }
        self.keep_existing();
        let continuation = self.interrupted(ordered.as_deref());
        self.apply_rules();
        self.continue_with(continuation);
        self.go_on();
    }

    /// Judges what ran when the program ended.
    fn interrupted(&mut self, ordered: Option<&str>) -> Continuation {
        let always = self.always();
        let mut continuation = match ordered {
            Some(_) => Continuation::Resume,
            None => Continuation::AsOptions,
        };
        let runs_again = self.in_teardown();
        for leaf in shape::leaves(self.plan, self.plan.root()) {
            if self.status(leaf) != Status::Active {
                continue;
            }
            let node = self.plan.node(leaf);
            let in_order = ordered == Some(node.path.as_str());
            if node.class.is_shutdown() && (in_order || !always) {
                self.after_shutdown(leaf, in_order);
                if !in_order && !matches!(continuation, Continuation::Cancelled) {
                    continuation = Continuation::Only(node.path.clone());
                }
            } else if runs_again || (node.allow_reboot && !node.class.is_shutdown()) {
                self.change(leaf, |state| {
                    state.outcome = Some(Outcome::Crashed);
                    state.set_status(Status::Untested);
                });
                if !node.allow_reboot {
                    continuation = Continuation::Cancelled;
                }
            } else {
                self.crashed(leaf);
                continuation = Continuation::Cancelled;
            }
        }
        continuation
    }

    /// Whether what ran is a teardown, which always runs to its end; but one that takes the station with it is given up at last.
    fn in_teardown(&self) -> bool {
        let open = self.schedule.run.as_ref().and_then(|run| run.frames.last());
        let open = open.filter(|frame| frame.interruptions < TEARDOWN_RESTARTS);
        let node = open.and_then(|frame| shape::find(self.plan, &frame.path));
        let is_runnable = |node| shape::is_runnable(self.plan, node) && shape::is_teardown(self.plan, node);
        self.always() && node.is_some_and(is_runnable)
    }

    /// What was interrupted ends; a teardown starts again, for it was not its turn to end.
    fn wind_down_interrupted(&mut self) {
        if !self.in_teardown() {
            return self.cut_off("", &Cause::Interrupted);
        }
        if let Some(frame) = self.schedule.run.as_mut().and_then(|run| run.frames.last_mut()) {
            frame.step = Step::Body(None);
            frame.interruptions += 1;
        }
        self.wind_down("", &Cause::Interrupted);
    }

    fn after_shutdown(&mut self, leaf: NodeId, in_order: bool) {
        let path = self.plan.node(leaf).path.clone();
        self.change(leaf, |state| state.shutdown_count += 1);
        let error = if in_order { None } else { Some(NOT_ORDERED.to_owned()) };
        let again = self.schedule.run.as_mut().and_then(|run| run.frames.last_mut());
        if let Some(frame) = again.filter(|frame| in_order && frame.path == path) {
            frame.step = Step::Body(None);
        }
        self.schedule.after_shutdown = Some(AfterShutdown { path, error });
    }

    fn crashed(&mut self, leaf: NodeId) {
        let path = &self.plan.node(leaf).path;
        let waived = self.schedule.waived.contains(path);
        self.note(NoteLevel::Warning, format!("`{path}` was interrupted; nothing else starts by itself"));
        self.change(leaf, |state| {
            state.outcome = Some(Outcome::Crashed);
            state.fail(waived);
            state.message = Some(UNEXPECTED.to_owned());
        });
    }

    fn continue_with(&mut self, continuation: Continuation) {
        match continuation {
            Continuation::Resume => {}
            Continuation::Only(root) => self.begin(NewRun { root, filter: None, afresh: false }),
            Continuation::AsOptions if self.starts_by_itself() => {
                let mut filter = vec![Status::Untested];
                if self.schedule.options.retry_failed_on_start {
                    filter.push(Status::Failed);
                }
                let root = self.schedule.run_root().filter(|_| self.always()).unwrap_or_default().to_owned();
                self.begin(NewRun { root, filter: Some(filter), afresh: false });
            }
            Continuation::AsOptions | Continuation::Cancelled => {
                if let Some(run) = &mut self.schedule.run {
                    run.successor = None;
                }
                self.wind_down_interrupted();
            }
        }
    }

    /// The station decides about a new run; an interrupted one goes on if the list says so.
    fn starts_by_itself(&self) -> bool {
        let list = self.schedule.options.auto_run_on_start;
        if self.schedule.is_running() { list } else { self.schedule.settings.auto_run.unwrap_or(list) }
    }

    /// The list was edited: states are kept by path, and what is not in it any more ends.
    pub fn plan_replaced(&mut self) {
        self.read_options();
        self.keep_existing();
        for (path, &attempt) in &self.schedule.active {
            let gone = shape::find(self.plan, path).is_none_or(|node| !self.plan.is_leaf(node));
            if gone && !self.schedule.ending.contains_key(path) {
                let reason = "it is not in the list any more".to_owned();
                self.schedule.ending.insert(path.clone(), Ending { fail: true, reason: reason.clone() });
                self.actions.push(Action::End { path: path.clone(), attempt, reason });
            }
        }
        self.keep_active();
        self.apply_rules();
        self.follow_all();
        self.go_on();
    }

    /// A test is active if an attempt runs, whatever was at its path before: a group, or a test that an edit took away and another gave back.
    fn keep_active(&mut self) {
        for leaf in shape::leaves(self.plan, self.plan.root()) {
            let attempt = self.schedule.active.get(&self.plan.node(leaf).path).copied();
            let is_active = self.status(leaf) == Status::Active;
            self.change(leaf, |state| match attempt {
                Some(attempt) => {
                    state.status = Status::Active;
                    state.count = attempt;
                }
                None if is_active => state.set_status(Status::Untested),
                None => {}
            });
        }
    }

    /// What lies wholly before the node with which the run is to begin.
    fn skip_before(&mut self) {
        let plan = self.plan;
        let Some(path) = self.schedule.settings.from.clone() else { return };
        let Some(first) = shape::find(plan, &path) else { return };
        for node in shape::before(plan, first) {
            self.schedule.skipped.insert(plan.node(node).path.clone(), SkipReason::From { path: path.clone() });
            self.skip(node);
        }
    }

    fn read_options(&mut self) {
        match self.conditions.resolve(self.plan, &self.plan.options, &self.schedule.device) {
            Ok(options) => self.schedule.options = Options::read(&options),
            Err(error) => {
                self.schedule.options = Options::default();
                self.note(NoteLevel::Warning, format!("the list's options cannot be evaluated: {error}"));
            }
        }
    }

    /// States of nodes that the list has, in its order; new nodes are untested.
    fn keep_existing(&mut self) {
        let plan = self.plan;
        let mut known = std::mem::take(&mut self.schedule.states);
        for id in plan.preorder() {
            let node = plan.node(id);
            let state = known.swap_remove(&node.path).unwrap_or_else(|| State::new(node));
            self.schedule.states.insert(node.path.clone(), state);
            self.override_counts(id);
        }
        self.schedule.recount(plan);
    }

    fn apply_rules(&mut self) {
        let found = rules::read(self.plan, self.conditions, &self.schedule.device, self.schedule.phase());
        self.schedule.skipped.clear();
        self.schedule.waived.clear();
        self.skip_before();
        let rules = match found {
            Ok(rules) => rules,
            Err(error) => return self.note(NoteLevel::Warning, error),
        };
        for (node, why) in rules.skipped {
            self.schedule.skipped.insert(self.plan.node(node).path.clone(), why);
            self.skip(node);
        }
        for node in rules.waived {
            self.schedule.waived.insert(self.plan.node(node).path.clone());
            if self.status(node) == Status::Failed {
                self.set_status(node, Status::FailedAndWaived);
            }
        }
    }
}

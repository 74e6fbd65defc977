//! Whether a node is entered (rules V4 to V6), and whether it may start (rule V15).

use tlc_plan::plan::NodeId;

use super::action::{Action, SkipReason};
use super::event::NoteLevel;
use super::shape;
use super::state::Status;
use super::turn::Turn;

impl Turn<'_> {
    /// Whether a node is entered: the filter lets it through, and it is not skipped.
    pub fn may_enter(&mut self, node: NodeId) -> bool {
        if !self.passes_filter(node) {
            return false;
        }
        if let Some(why) = self.skip_reason(node) {
            self.skip(node);
            self.actions.push(Action::Skipped { path: self.plan.node(node).path.clone(), why });
            return false;
        }
        if self.status(node) != Status::Skipped {
            return true;
        }
        if !self.would_run_now(node) {
            self.actions.push(Action::Skipped { path: self.plan.node(node).path.clone(), why: SkipReason::Before });
            return false;
        }
        self.set_status(node, Status::Untested);
        self.passes_filter(node)
    }

    /// The filter concerns only what is started as one; what was skipped is always looked at again.
    fn passes_filter(&mut self, node: NodeId) -> bool {
        let status = self.status(node);
        let filter = self.schedule.run.as_ref().and_then(|run| run.filter.as_ref());
        let passes = match status {
            Status::Active | Status::Skipped => true,
            Status::Untested | Status::Passed | Status::Failed | Status::FailedAndWaived => {
                !shape::is_runnable(self.plan, node)
                    || filter.is_none_or(|filter| filter.contains(&status))
                    || self.is_due(node)
            }
        };
        if !passes {
            self.actions.push(Action::PassedOver { path: self.plan.node(node).path.clone(), status });
        }
        passes
    }

    /// Whether it is, or is in, a teardown of a group in which something ran: with [`TeardownPolicy::Always`] no filter leaves that out.
    pub fn is_due(&self, node: NodeId) -> bool {
        let Some(run) = self.schedule.run.as_ref().filter(|_| self.always()) else { return false };
        let Some(group) = shape::taken_down(self.plan, node) else { return false };
        let attempts_before = |node| {
            let path = self.plan.node(node).path.as_str();
            run.frames.iter().find(|frame| frame.path == path).map(|frame| frame.attempts_before)
        };
        // Members of a parallel group are looked at together, before the first of them starts.
        let together = self.plan.parent(node).filter(|&parent| self.plan.node(parent).parallel);
        let so_far = together.and_then(attempts_before).unwrap_or(run.attempts);
        attempts_before(group).is_some_and(|before| so_far > before)
    }

    /// Why the node does not run now; an error in its `run_if` lets it run (rule Q4).
    fn skip_reason(&mut self, node: NodeId) -> Option<SkipReason> {
        let plan = self.plan;
        if let Some(rule) = self.schedule.skipped.get(&plan.node(node).path) {
            return Some(rule.clone());
        }
        let condition = plan.node(node).run_if?;
        match self.conditions.holds(plan, condition, &self.schedule.device) {
            Ok(true) => None,
            Ok(false) => {
                let text = plan.sources.get(condition.source as usize).map_or("", |source| &source.text);
                Some(SkipReason::RunIf { condition: text.to_owned() })
            }
            Err(error) => {
                let path = &plan.node(node).path;
                self.note(NoteLevel::Info, format!("`run_if` of `{path}` cannot be evaluated, so it runs: {error}"));
                None
            }
        }
    }

    /// Leaves that have not passed become skipped; a group with such a leaf, too.
    pub fn skip(&mut self, node: NodeId) {
        let open: Vec<_> = shape::leaves(self.plan, node)
            .into_iter()
            .filter(|&leaf| !matches!(self.status(leaf), Status::Passed | Status::Active))
            .collect();
        for &leaf in &open {
            self.set_status(leaf, Status::Skipped);
        }
        if !open.is_empty() {
            self.set_status(node, Status::Skipped);
        }
    }

    /// Whether something in a skipped node would run now.
    fn would_run_now(&mut self, node: NodeId) -> bool {
        shape::children_first(self.plan, node).into_iter().any(|node| {
            let asked = self.plan.is_leaf(node) || self.plan.node(node).run_if.is_some();
            asked && self.status(node) == Status::Skipped && self.skip_reason(node).is_none()
        })
    }

    /// Whether `require_run` keeps the node from starting; then it fails. In engineering mode it is only told.
    pub fn is_refused(&mut self, node: NodeId) -> bool {
        let missing = self.missing(node);
        if missing.is_empty() {
            return false;
        }
        let path = &self.plan.node(node).path;
        let list = missing.join("`, `");
        if self.schedule.engineering {
            self.note(NoteLevel::Warning, format!("`{path}` runs though it requires `{list}`, which has not passed"));
            return false;
        }
        let waived = self.schedule.waived.contains(path);
        self.change(node, |state| {
            state.fail(waived);
            state.message = Some(format!("it requires `{list}`, which has not passed"));
        });
        true
    }

    /// The first node of each requirement that has neither passed nor been skipped, looking no further than the node itself.
    fn missing(&self, node: NodeId) -> Vec<String> {
        let mut missing: Vec<_> = self
            .plan
            .requirements(node)
            .into_iter()
            .filter_map(|required| {
                shape::children_first(self.plan, required)
                    .into_iter()
                    .take_while(|&other| other != node)
                    .find(|&other| !matches!(self.status(other), Status::Passed | Status::Skipped))
            })
            .map(|node| self.plan.node(node).path.clone())
            .collect();
        missing.sort();
        missing.dedup();
        missing
    }
}

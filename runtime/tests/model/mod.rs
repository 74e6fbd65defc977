//! A naive model of a run: the rules written down as one recursion, with nothing saved between steps. It shares no code with the scheduler.
//!
//! It knows a tree, how each start of a leaf ends, and what an operator or the power does during a start. It says what starts, in which
//! order, and every status at the end.

pub mod random;
mod spec;

use std::collections::VecDeque;

use tlc_runtime::schedule::Status;

pub use spec::{Incident, Spec, Wish};

/// A node, numbered in the list's order.
pub struct Node {
    pub path: String,
    pub spec: Spec,
    pub parent: Option<usize>,
    pub children: Vec<usize>,
}

/// The end of everything that is open at or below a node.
struct Unwind(usize);

pub struct Model {
    pub nodes: Vec<Node>,
    pub status: Vec<Status>,
    pub log: Vec<String>,
    always: bool,
    stop_on_failure: bool,
    /// Which start of which leaf, and what happens then.
    pub incidents: Vec<(usize, usize, Incident)>,
    starts: Vec<usize>,
    x: bool,
    filter: Option<Vec<Status>>,
    /// `STOP` is in force.
    stop: bool,
    /// Nodes below which only teardowns run any more.
    winding: Vec<usize>,
    /// What was started together was killed.
    killed: bool,
    /// It is a teardown that a loss of power interrupted: it starts again.
    again: bool,
    /// How often it did.
    interruptions: usize,
    /// How often each leaf must still pass, and may still fail.
    left: Vec<(u32, Option<u32>)>,
    /// How many starts there were when the round of an open group began.
    begun: Vec<Option<usize>>,
}

impl Model {
    pub fn new(root: &Spec, always: bool, stop_on_failure: bool, incidents: &[(usize, usize, Incident)]) -> Self {
        let mut nodes = Vec::new();
        number(root, None, "", &mut nodes);
        let mut model = Self {
            status: vec![Status::Untested; nodes.len()],
            starts: vec![0; nodes.len()],
            begun: vec![None; nodes.len()],
            nodes,
            log: Vec::new(),
            always,
            stop_on_failure,
            incidents: incidents.to_vec(),
            x: false,
            filter: None,
            stop: false,
            winding: Vec::new(),
            killed: false,
            again: false,
            interruptions: 0,
            left: Vec::new(),
        };
        for n in (0..model.nodes.len()).rev() {
            model.status[n] = if model.is_leaf(n) { model.nodes[n].spec.initial } else { model.derived(n) };
        }
        model
    }

    /// A failure from before does not count.
    pub fn waive(&mut self, n: usize) {
        self.set(n, Status::FailedAndWaived);
    }

    /// One run, from its start to its end.
    pub fn run(&mut self, wish: &Wish) {
        let root = self.rerun_root(wish.node);
        if wish.filter.is_none() {
            self.reset(root);
        }
        self.filter.clone_from(&wish.filter);
        self.stop = false;
        self.winding.clear();
        let _ = self.visit(root);
    }

    fn visit(&mut self, n: usize) -> Result<(), Unwind> {
        if !self.enters(n) || (self.status[n] == Status::Passed && self.filter.is_some() && !self.in_filter(n)) {
            return Ok(());
        }
        if self.is_top_level(n) {
            self.reset(n);
        }
        let ended = if self.is_leaf(n) { self.leaf(n) } else { self.rounds(n) };
        self.begun[n] = None;
        self.winding.retain(|&it| it != n);
        match ended {
            Err(Unwind(at)) if at == n => Ok(()),
            other => other,
        }
    }

    fn leaf(&mut self, n: usize) -> Result<(), Unwind> {
        self.renew(&[n]);
        self.interruptions = 0;
        let mut ended = Ok(());
        loop {
            if !self.refused(n) {
                ended = ended.and(self.leaves(n, vec![n]));
            }
            if !std::mem::take(&mut self.again) {
                return ended;
            }
        }
    }

    fn together(&mut self, n: usize) -> Result<(), Unwind> {
        let members = self.nodes[n].children.clone();
        let members: Vec<_> = members.into_iter().filter(|&member| self.enters(member)).collect();
        self.renew(&members);
        self.leaves(n, members)
    }

    fn renew(&mut self, leaves: &[usize]) {
        self.left.resize(self.nodes.len(), (0, None));
        for &leaf in leaves {
            self.left[leaf] = (self.nodes[leaf].spec.iterations, self.nodes[leaf].spec.retries);
        }
    }

    fn rounds(&mut self, n: usize) -> Result<(), Unwind> {
        let stopped_before = self.stop;
        let (mut passes, mut failures) = (self.nodes[n].spec.iterations, 0);
        let mut parent = false;
        self.interruptions = 0;
        loop {
            self.begun[n] = Some(self.starts.iter().sum());
            let mut refused = self.nodes[n].spec.parallel && self.refused(n);
            if !self.nodes[n].spec.parallel {
                self.children(n, &mut parent)?;
            } else if !refused {
                self.together(n)?;
                while std::mem::take(&mut self.again) {
                    self.killed = false;
                    refused = self.refused(n);
                    if !refused {
                        self.together(n)?;
                    }
                }
                if self.killed {
                    return Ok(());
                }
            }
            let failed = self.status[n] == Status::Failed;
            if failed {
                failures += 1;
            } else {
                passes -= 1;
            }
            let retry = self.nodes[n].spec.retries.is_none_or(|retries| failures <= retries);
            if failed && retry && !refused && !self.winds(n) {
                parent = false;
                self.stop = self.always && stopped_before && self.stop;
            }
            if passes == 0 || !retry || refused || self.winds(n) {
                if !refused {
                    self.derive_up(n);
                }
                return Ok(());
            }
            self.reset(n);
        }
    }

    fn children(&mut self, n: usize, parent: &mut bool) -> Result<(), Unwind> {
        for child in self.nodes[n].children.clone() {
            let only_teardowns = *parent || self.stop || self.winds(n);
            if only_teardowns && !self.is_teardown(child) {
                continue;
            }
            self.visit(child)?;
            if self.status[child] != Status::Failed || self.winds(n) || self.is_teardown(child) {
                continue;
            }
            match self.nodes[child].spec.action {
                "PARENT" => *parent = true,
                "STOP" => {
                    *parent = true;
                    self.stop = true;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Starts leaves together, and again as often as they say; they end in turn.
    fn leaves(&mut self, of: usize, leaves: Vec<usize>) -> Result<(), Unwind> {
        let mut running = VecDeque::new();
        let mut result = Ok(());
        let mut incidents = Vec::new();
        let mut postponed = Vec::new();
        self.killed = false;
        for leaf in leaves {
            incidents.extend(self.start(leaf));
            running.push_back(leaf);
        }
        loop {
            for (leaf, incident) in std::mem::take(&mut incidents) {
                if !running.contains(&leaf) {
                    continue;
                }
                if self.waits(leaf, incident, &running) {
                    postponed.push((leaf, incident));
                    continue;
                }
                if matches!(incident, Incident::Kill | Incident::Crash) {
                    postponed.clear();
                }
                let ended = self.incident(of, leaf, incident, &mut running);
                result = result.and(ended);
            }
            if !running.iter().any(|&it| self.is_teardown(it)) {
                for (leaf, incident) in std::mem::take(&mut postponed) {
                    let ended = self.incident(of, leaf, incident, &mut running);
                    result = result.and(ended);
                }
            }
            let Some(leaf) = running.pop_front() else { break };
            let pass = self.end(leaf);
            let waived = self.nodes[leaf].spec.waived;
            let (passes, retries) = &mut self.left[leaf];
            let again = match retries {
                _ if pass => {
                    *passes -= 1;
                    *passes > 0
                }
                _ if waived => false,
                None => true,
                Some(0) => false,
                Some(more) => {
                    *more -= 1;
                    true
                }
            };
            if again {
                running.push_back(leaf);
                incidents.extend(self.start(leaf));
            } else if !pass && !waived && self.stop_on_failure {
                // What runs beside it still finishes.
                result = result.and(self.wind(0));
            }
        }
        result
    }

    /// What ends the tests around a teardown that runs waits until none runs.
    fn waits(&self, leaf: usize, incident: Incident, running: &VecDeque<usize>) -> bool {
        let ends_others = match incident {
            Incident::StopAll => true,
            Incident::Abort { levels, .. } => !self.is_teardown(self.above(leaf, levels)),
            Incident::Kill | Incident::Crash => false,
        };
        ends_others && self.always && running.iter().any(|&it| self.is_teardown(it))
    }

    /// The node so many levels above, or the root.
    fn above(&self, leaf: usize, levels: usize) -> usize {
        (0..levels).fold(leaf, |at, _| self.nodes[at].parent.unwrap_or(at))
    }

    fn start(&mut self, leaf: usize) -> Option<(usize, Incident)> {
        self.log.push(self.nodes[leaf].path.clone());
        self.starts[leaf] += 1;
        self.set(leaf, Status::Active);
        let number = self.starts[leaf];
        let found = self.incidents.iter().find(|it| it.0 == leaf && it.1 == number);
        found.map(|it| (leaf, it.2))
    }

    fn end(&mut self, leaf: usize) -> bool {
        let spec = &self.nodes[leaf].spec;
        let passed = spec.outcomes.get(self.starts[leaf] - 1).copied().unwrap_or(true);
        self.x |= spec.sets;
        self.finish(leaf, passed);
        passed
    }

    fn finish(&mut self, leaf: usize, passed: bool) {
        let waived = self.nodes[leaf].spec.waived;
        self.set(
            leaf,
            match passed {
                true => Status::Passed,
                false if waived => Status::FailedAndWaived,
                false => Status::Failed,
            },
        );
    }

    fn incident(
        &mut self,
        of: usize,
        leaf: usize,
        incident: Incident,
        running: &mut VecDeque<usize>,
    ) -> Result<(), Unwind> {
        self.killed = !matches!(incident, Incident::Abort { levels: 0, .. });
        match incident {
            Incident::StopAll => {
                running.drain(..).for_each(|it| self.finish(it, false));
                self.wind(0)
            }
            Incident::Kill => {
                running.drain(..).for_each(|it| self.finish(it, false));
                Err(Unwind(0))
            }
            Incident::Crash => {
                self.again = self.always && self.is_teardown(of) && self.interruptions < 3;
                self.interruptions += 1;
                for it in running.drain(..) {
                    if self.again || self.nodes[it].spec.allow_reboot {
                        self.set(it, Status::Untested);
                    } else {
                        self.finish(it, false);
                    }
                }
                self.wind(0)
            }
            Incident::Abort { levels, fail } => {
                let at = self.above(leaf, levels);
                let killed: Vec<_> = running.iter().copied().filter(|&it| self.is_below(it, at)).collect();
                running.retain(|it| !killed.contains(it));
                for it in killed {
                    self.finish(it, false);
                    if !fail {
                        self.set(it, Status::Untested);
                    }
                }
                // One member of a parallel group: the group goes on.
                let member = at == leaf && self.nodes[leaf].parent.is_some_and(|it| self.nodes[it].spec.parallel);
                if member { Ok(()) } else { self.wind(at) }
            }
        }
    }

    /// Ends what is open at or below a node: with `always`, but for its teardowns.
    fn wind(&mut self, n: usize) -> Result<(), Unwind> {
        let runnable = self.is_leaf(n) || self.nodes[n].spec.parallel;
        if !self.always || self.is_teardown(n) || runnable {
            return Err(Unwind(n));
        }
        self.winding.push(n);
        Ok(())
    }

    fn winds(&self, n: usize) -> bool {
        let below = self.winding.iter().any(|&it| self.is_below(n, it));
        below && !self.is_teardown(n)
    }

    fn enters(&mut self, n: usize) -> bool {
        if !self.in_filter(n) && (self.is_leaf(n) || self.nodes[n].spec.parallel) {
            return false;
        }
        if !self.holds(n) {
            self.skip(n);
            return false;
        }
        if self.status[n] != Status::Skipped {
            return true;
        }
        let again = (0..self.nodes.len()).any(|it| {
            let asked = self.is_leaf(it) || self.nodes[it].spec.run_if.is_some();
            self.is_below(it, n) && asked && self.status[it] == Status::Skipped && self.holds(it)
        });
        if !again {
            return false;
        }
        self.set(n, Status::Untested);
        !(self.is_leaf(n) || self.nodes[n].spec.parallel) || self.in_filter(n)
    }

    fn in_filter(&self, n: usize) -> bool {
        let status = self.status[n];
        matches!(status, Status::Active | Status::Skipped)
            || self.filter.as_ref().is_none_or(|filter| filter.contains(&status))
            || self.is_due(n)
    }

    /// A teardown of a group in which something ran.
    fn is_due(&self, n: usize) -> bool {
        if !self.always || !self.is_teardown(n) {
            return false;
        }
        let mut group = self.nodes[n].parent;
        while let Some(at) = group.filter(|&at| self.is_teardown(at)) {
            group = self.nodes[at].parent;
        }
        // Members of a parallel group are looked at together.
        let together = self.nodes[n].parent.filter(|&it| self.nodes[it].spec.parallel).and_then(|it| self.begun[it]);
        let so_far = together.unwrap_or_else(|| self.starts.iter().sum());
        group.and_then(|group| self.begun[group]).is_some_and(|begun| so_far > begun)
    }

    fn holds(&self, n: usize) -> bool {
        match self.nodes[n].spec.run_if {
            Some("device.x") => self.x,
            Some("not device.x") => !self.x,
            Some(_) | None => true,
        }
    }

    fn skip(&mut self, n: usize) {
        let mut any = false;
        for it in 0..self.nodes.len() {
            if self.is_below(it, n) && self.is_leaf(it) && self.status[it] != Status::Passed {
                self.set(it, Status::Skipped);
                any = true;
            }
        }
        if any {
            self.set(n, Status::Skipped);
        }
    }

    fn refused(&mut self, n: usize) -> bool {
        let Some(required) = self.nodes[n].spec.requires else { return false };
        let mut order = Vec::new();
        self.children_first(required, &mut order);
        let missing = order
            .into_iter()
            .take_while(|&it| it != n)
            .any(|it| !matches!(self.status[it], Status::Passed | Status::Skipped));
        if missing {
            self.finish(n, false);
        }
        missing
    }

    fn children_first(&self, n: usize, order: &mut Vec<usize>) {
        for &child in &self.nodes[n].children {
            self.children_first(child, order);
        }
        order.push(n);
    }

    fn rerun_root(&self, n: usize) -> usize {
        match self.nodes[n].parent {
            Some(parent) if !self.nodes[n].spec.test_group && !self.is_top_level(n) => self.rerun_root(parent),
            Some(_) | None => n,
        }
    }

    fn is_top_level(&self, n: usize) -> bool {
        let parent = self.nodes[n].parent;
        !self.nodes[n].spec.test_group && parent.is_some_and(|it| it == 0 || self.nodes[it].spec.test_group)
    }

    fn is_leaf(&self, n: usize) -> bool {
        self.nodes[n].children.is_empty()
    }

    fn is_teardown(&self, n: usize) -> bool {
        self.nodes[n].spec.teardown || self.nodes[n].parent.is_some_and(|it| self.is_teardown(it))
    }

    fn is_below(&self, n: usize, ancestor: usize) -> bool {
        n == ancestor || self.nodes[n].parent.is_some_and(|it| self.is_below(it, ancestor))
    }

    fn reset(&mut self, n: usize) {
        for it in 0..self.nodes.len() {
            if self.is_below(it, n) {
                self.status[it] = Status::Untested;
            }
        }
        if let Some(parent) = self.nodes[n].parent {
            self.derive_up(parent);
        }
    }

    fn set(&mut self, n: usize, status: Status) {
        if self.status[n] == status {
            return;
        }
        self.status[n] = status;
        if let Some(parent) = self.nodes[n].parent {
            self.derive_up(parent);
        }
    }

    fn derive_up(&mut self, n: usize) {
        self.set(n, self.derived(n));
    }

    fn derived(&self, n: usize) -> Status {
        let order = [Status::Active, Status::Failed, Status::Untested, Status::FailedAndWaived, Status::Skipped];
        let has = |status: &Status| self.nodes[n].children.iter().any(|&child| self.status[child] == *status);
        order.into_iter().find(has).unwrap_or(Status::Passed)
    }
}

fn number(spec: &Spec, parent: Option<usize>, path: &str, nodes: &mut Vec<Node>) {
    let n = nodes.len();
    nodes.push(Node { path: path.to_owned(), spec: spec.clone(), parent, children: Vec::new() });
    if let Some(parent) = parent {
        nodes[parent].children.push(n);
    }
    for (position, child) in spec.children.iter().enumerate() {
        let id = id(position);
        let path = if path.is_empty() { id } else { format!("{path}.{id}") };
        number(child, Some(n), &path, nodes);
    }
}

/// The id of the child at a position: A, B, C.
pub fn id(position: usize) -> String {
    char::from(b'A' + position as u8).to_string()
}

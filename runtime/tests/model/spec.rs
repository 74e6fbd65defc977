//! What a random list is made of, and what can happen to it.

use std::fmt;

use tlc_runtime::schedule::Status;

/// A node of a random list.
#[derive(Clone)]
pub struct Spec {
    pub children: Vec<Spec>,
    pub test_group: bool,
    pub parallel: bool,
    pub teardown: bool,
    pub iterations: u32,
    /// `None`: without an end.
    pub retries: Option<u32>,
    pub action: &'static str,
    /// A condition on the device data: `device.x`, `not device.x`, or one that is an error.
    pub run_if: Option<&'static str>,
    pub waived: bool,
    pub allow_reboot: bool,
    /// Of a leaf: whether its starts pass; after the last one they do.
    pub outcomes: Vec<bool>,
    /// Of a leaf: its end makes `device.x` true.
    pub sets: bool,
    /// Of a leaf: its status before the first run.
    pub initial: Status,
    /// Of a leaf: it shuts the machine down.
    pub shuts_down: bool,
    /// The node that it requires, as a number in the list's order.
    pub requires: Option<usize>,
}

/// A test that passes, without anything special.
impl Default for Spec {
    fn default() -> Self {
        Self {
            children: Vec::new(),
            test_group: false,
            parallel: false,
            teardown: false,
            iterations: 1,
            retries: Some(0),
            action: "NEXT",
            run_if: None,
            waived: false,
            allow_reboot: false,
            outcomes: Vec::new(),
            sets: false,
            initial: Status::Untested,
            shuts_down: false,
            requires: None,
        }
    }
}

/// Only what is not usual, so that a finding can be read.
impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = [
            (self.test_group, "group"),
            (self.parallel, "parallel"),
            (self.teardown, "teardown"),
            (self.waived, "waived"),
            (self.allow_reboot, "allow_reboot"),
            (self.sets, "sets"),
            (self.shuts_down, "shuts_down"),
        ];
        let flags: Vec<_> = flags.into_iter().filter(|it| it.0).map(|it| it.1).collect();
        write!(f, "({} {}x{:?} {}", flags.join("+"), self.iterations, self.retries, self.action)?;
        write!(f, " {:?} {:?} {:?} {:?})", self.run_if, self.outcomes, self.initial, self.requires)?;
        if self.children.is_empty() { Ok(()) } else { f.debug_list().entries(&self.children).finish() }
    }
}

/// What happens while a start runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incident {
    StopAll,
    Kill,
    Crash,
    /// The operator aborts the node so many levels above the leaf; 0 is the leaf.
    Abort {
        levels: usize,
        fail: bool,
    },
}

/// A run that is asked for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The node, as a number in the list's order.
    pub node: usize,
    /// `None`: afresh and without a filter.
    pub filter: Option<Vec<Status>>,
}

//! What a simulation is made of: a random list, what its tests do, and what people do meanwhile.

use proptest::prelude::*;
use serde_json::json;
use tlc_plan::Plan;
use tlc_runtime::schedule::Outcome;

use crate::model::random::{self, Case, case};
use crate::model::{Incident, Model, Spec};

/// A case of a simulation.
#[derive(Clone, Debug)]
pub struct Play {
    /// The list, the outcomes of its tests, the runs that are asked for, and incidents.
    pub case: Case,
    /// More incidents: during which start of which node, and what.
    pub extras: Vec<(usize, usize, Extra)>,
    /// What the list's conditions ask.
    pub x: bool,
    /// Whatever else is left to chance follows from it.
    pub chance: u64,
}

/// What people do beyond what the model knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// Restart a node.
    Restart(usize),
    /// Clear a node.
    Clear(usize),
    /// Let a node pass and fail more often.
    SetIterations(usize, i64, i64),
    /// Look.
    Status,
    /// Wait for the end.
    Wait,
    /// Press Ctrl-C.
    Interrupt,
    /// Edit the list.
    Edit,
}

/// A random case.
pub fn play() -> impl Strategy<Value = Play> {
    let extra = prop_oneof![
        2 => (0..32usize).prop_map(Extra::Restart),
        2 => (0..32usize).prop_map(Extra::Clear),
        1 => (0..32usize, 1..4i64, 0..3i64).prop_map(|(node, passes, fails)| Extra::SetIterations(node, passes, fails)),
        1 => Just(Extra::Status),
        1 => Just(Extra::Wait),
        1 => Just(Extra::Interrupt),
        1 => Just(Extra::Edit),
    ];
    let extras = prop::collection::vec((0..32usize, 1..4usize, extra), 0..3);
    let shutdowns = prop::collection::vec(1..48usize, 0..3);
    let parts = (case(), extras, shutdowns, any::<bool>(), any::<u64>());
    parts.prop_map(|(mut case, extras, shutdowns, x, chance)| {
        shut_down(&mut case.root, &shutdowns, &mut 0);
        Play { case, extras, x, chance }
    })
}

/// Makes shutdown steps of the tests with these numbers; a member of a parallel group is none.
fn shut_down(spec: &mut Spec, numbers: &[usize], number: &mut usize) {
    for child in &mut spec.children {
        *number += 1;
        child.shuts_down = numbers.contains(number) && child.children.is_empty() && !spec.parallel;
        shut_down(child, numbers, number);
    }
}

impl Play {
    /// The list, numbered.
    pub fn model(&self) -> Model {
        Model::new(&self.case.root, true, self.case.stop_on_failure, &[])
    }

    /// The plan.
    pub fn plan(&self, model: &Model) -> Plan {
        random::plan(&self.case, model)
    }

    /// The plan after an edit: with a test more at its beginning, so that everything else has another path.
    pub fn edited(&self) -> Plan {
        let mut other = self.clone();
        let first = &mut other.case.root.children;
        let mut leaf = first[0].clone();
        leaf.children.clear();
        (leaf.teardown, leaf.parallel, leaf.test_group, leaf.requires) = (false, false, false, None);
        first.insert(0, leaf);
        other.plan(&other.model())
    }

    /// The device data.
    pub fn device(&self) -> tlc_plan::Data {
        tlc_plan::Data::from(&json!({ "x": self.x }))
    }

    /// What happens during a start of a node.
    pub fn incidents(&self, node: usize, start: usize) -> impl Iterator<Item = Incident> + '_ {
        let here = move |it: &&(usize, usize, Incident)| (it.0, it.1) == (node, start);
        self.case.incidents.iter().filter(here).map(|it| it.2)
    }

    /// What people do beside that.
    pub fn extras(&self, node: usize, start: usize, nodes: usize) -> impl Iterator<Item = Extra> + '_ {
        self.extras.iter().filter(move |it| (it.0 % nodes, it.1) == (node, start)).map(|it| it.2)
    }

    /// How a start of a test ends if nobody interferes.
    pub fn outcome(&self, spec: &Spec, start: usize) -> Outcome {
        match spec.outcomes.get(start - 1) {
            None | Some(true) => Outcome::Passed,
            Some(false) => {
                let ways = [Outcome::Failed, Outcome::Failed, Outcome::Error, Outcome::Timeout, Outcome::Crashed];
                ways[(self.chance.rotate_left(start as u32) % 5) as usize]
            }
        }
    }
}

//! The station's own evaluation for a simulation: what `constants`, `options`, `locals`, `device` and `station` are.

use tlc_plan::Data;
use tlc_plan::evaluate::Limits;
use tlc_plan::plan::{NodeId, Plan};
use tlc_plan::resolve::resolve;

use super::Evaluation;
use crate::dispatch;

/// The evaluation of a plan as a station does it, with this device data when the plan is loaded, and no data of a station.
pub fn evaluation(plan: &Plan, device: &Data) -> impl Evaluation + use<> {
    dispatch::Evaluation::load(plan, device, &Data::object(indexmap::IndexMap::new()))
}

impl Evaluation for dispatch::Evaluation {
    fn arguments(&self, plan: &Plan, leaf: NodeId, device: &Data) -> Result<(), String> {
        let Some(test) = &plan.node(leaf).test else { return Ok(()) };
        let shelf = dispatch::Spaces::default().shelf(device);
        let scope = self.scope_of_attempt(plan, leaf, device, shelf)?;
        resolve(&test.args, plan, &scope, &Limits::default()).map(drop).map_err(|error| error.to_string())
    }
}

//! Gives the expressions of a plan their names: what `constants`, `options`, `locals`, `device`, `dut` and `station` are, and when.
//!
//! The scheduler asks it for conditions and options; an attempt gets its arguments from it.

use std::sync::Arc;

use indexmap::IndexMap;
use tlc_plan::evaluate::{Binding, Limits, Scope, evaluate};
use tlc_plan::expression::Root;
use tlc_plan::plan::Locals;
use tlc_plan::resolve::resolve;
use tlc_plan::template::ExpressionUse;
use tlc_plan::{Data, NodeId, Plan, Template};

use crate::schedule::Conditions;

/// What the expressions of one plan see at one station.
#[derive(Debug)]
pub(crate) struct Evaluation {
    /// For `run_if` and the keys of rules, without `device` (reference: Q2).
    conditions: Scope,
    /// For options and locals, without `device` (reference: I2, O3).
    load: Scope,
    options: Data,
    locals: Vec<Result<Data, String>>,
    station: Binding,
}

impl Evaluation {
    /// Evaluates what is evaluated when a plan is loaded: options and locals, with the device data of that moment.
    pub fn load(plan: &Plan, device: &Data, station: &Data) -> Self {
        let constants = Binding::attributes(&plan.constants);
        let mut evaluation = Self {
            conditions: Scope::new().with(Root::Constants, Binding::device(&plan.constants)),
            load: Scope::new()
                .with(Root::Constants, constants)
                .with(Root::Dut, Binding::null())
                .with(Root::Station, Binding::null()),
            options: Data::object(IndexMap::new()),
            locals: Vec::new(),
            station: Binding::attributes(station),
        };
        evaluation.options = evaluation.resolve(plan, &plan.options, device).unwrap_or_default();
        for locals in &plan.locals {
            let known = evaluation.load_locals(plan, locals, device);
            evaluation.locals.push(known);
        }
        evaluation
    }

    /// The phase that the list names.
    pub fn phase(&self) -> Option<String> {
        self.options.get("phase").and_then(Data::as_str).map(str::to_owned)
    }

    /// Enclosing locals stand before those of the nodes that they enclose.
    fn load_locals(&self, plan: &Plan, locals: &Locals, device: &Data) -> Result<Data, String> {
        match locals {
            Locals::Known(data) => Ok(data.clone()),
            Locals::AtLoad { enclosing, own } => {
                let enclosing = self.locals(*enclosing)?;
                let scope = self
                    .load
                    .clone()
                    .with(Root::Options, Binding::attributes(&self.options))
                    .with(Root::Locals, Binding::attributes(&enclosing))
                    .with(Root::Device, Binding::device(device));
                let own = resolve(own, plan, &scope, &Limits::default()).map_err(|error| error.to_string())?;
                Ok(overridden(&enclosing, &own))
            }
        }
    }

    fn locals(&self, index: u32) -> Result<Data, String> {
        self.locals.get(index as usize).cloned().unwrap_or_else(|| Err("the plan has no such locals".into()))
    }

    /// The scope of an attempt at a test (reference: R4).
    pub fn scope_of_attempt(&self, plan: &Plan, node: NodeId, device: &Data, shelf: Data) -> Result<Scope, String> {
        let locals = self.locals(plan.node(node).locals)?;
        let state_proxy = Data::object(IndexMap::from([("data_shelf".into(), shelf)]));
        Ok(Scope::new()
            .with(Root::Constants, self.load.get(Root::Constants).clone())
            .with(Root::Options, Binding::attributes(&self.options))
            .with(Root::Locals, Binding::attributes(&locals))
            .with(Root::Device, Binding::device(device))
            .with(Root::Dut, Binding::attributes(&self.dut_options(plan, node)))
            .with(Root::Station, self.station.clone())
            .with(Root::StateProxy, Binding::attributes(&state_proxy)))
    }

    /// The first that are not empty: of the node, of the groups around it, of the list (reference: BB6).
    pub fn dut_options(&self, plan: &Plan, node: NodeId) -> Data {
        std::iter::successors(Some(node), |&node| plan.parent(node))
            .map(|node| &*plan.node(node).dut_options)
            .find(|options| options.is_truthy())
            .or_else(|| self.options.get("dut_options"))
            .cloned()
            .unwrap_or_default()
    }
}

impl Conditions for Evaluation {
    fn holds(&self, plan: &Plan, condition: ExpressionUse, device: &Data) -> Result<bool, String> {
        let expression =
            plan.expressions.get(condition.expression as usize).ok_or("the plan has no such expression")?;
        let scope = self.conditions.clone().with(Root::Device, Binding::device(device));
        evaluate(expression, &scope, &Limits::default())
            .map(|value| value.is_truthy())
            .map_err(|error| error.to_string())
    }

    fn resolve(&self, plan: &Plan, template: &Template, device: &Data) -> Result<Data, String> {
        if let Some(data) = template.as_data() {
            return Ok(data.clone());
        }
        let scope = self.load.clone().with(Root::Device, Binding::device(device));
        resolve(template, plan, &scope, &Limits::default()).map_err(|error| error.to_string())
    }
}

/// `own` over `enclosing`: objects member by member, all else as a whole (reference: C1, C2).
fn overridden(enclosing: &Data, own: &Data) -> Data {
    let (Some(below), Some(above)) = (enclosing.as_object(), own.as_object()) else { return own.clone() };
    let mut members = below.clone();
    for (key, value) in above {
        let merged = below.get(key).map_or_else(|| value.clone(), |old| overridden(old, value));
        members.insert(Arc::clone(key), merged);
    }
    Data::object(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locals_override_deeply() {
        let read = |text| serde_json::from_str::<Data>(text).expect("JSON");
        let merged = overridden(&read(r#"{"a":{"x":1,"y":[1]},"b":1}"#), &read(r#"{"a":{"y":[2]},"b":{"z":1}}"#));
        assert_eq!(merged.to_string(), r#"{"a":{"x":1,"y":[2]},"b":{"z":1}}"#);
    }
}

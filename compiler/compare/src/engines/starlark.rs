//! starlark: each expression is the body of a function of the roots, in a module that is frozen, so that it is compiled as well as it
//! can be. Reading is its parser alone.

use std::hint::black_box;

use serde_json::Value as Json;
use starlark::environment::{FrozenModule, Globals, LibraryExtension, Module};
use starlark::eval::Evaluator;
use starlark::syntax::{AstModule, Dialect};
use starlark::values::Value;

use super::{Timing, agrees};
use crate::cases::{self, Cases};
use crate::measure;

const ROOTS: [&str; 4] = ["constants", "options", "locals", "device"];

pub(super) fn time(cases: &Cases) -> Vec<Option<Timing>> {
    cases.expressions.iter().map(|text| time_one(text, cases)).collect()
}

fn time_one(text: &str, cases: &Cases) -> Option<Timing> {
    let spelled = cases::spell(cases::STARLARK, text)?;
    let frozen = compile(spelled, cases)?;
    let function = frozen.get("evaluate").ok()?;
    let roots: Vec<_> = ROOTS.iter().filter_map(|root| frozen.get(root).ok()).collect();
    let evaluate = Module::with_temp_heap(|module| {
        let mut evaluator = Evaluator::new(&module);
        let arguments: Vec<Value<'_>> =
            roots.iter().map(|root| module.heap().access_owned_frozen_value(root)).collect();
        let function = module.heap().access_owned_frozen_value(&function);
        let value = evaluator.eval_function(function, &arguments, &[]).ok()?.to_json_value().ok();
        agrees("starlark", cases, text, value.as_ref())
            .then(|| measure::time(|| drop(black_box(evaluator.eval_function(black_box(function), &arguments, &[])))))
    })?;
    let read = measure::time(|| drop(black_box(parse(black_box(spelled)))));
    Some(Timing { read, evaluate, unlimited: None })
}

fn parse(text: &str) -> starlark::Result<AstModule> {
    AstModule::parse("expression", text.to_owned(), &Dialect::Standard)
}

fn compile(text: &str, cases: &Cases) -> Option<FrozenModule> {
    let mut source = String::new();
    for root in ROOTS {
        source += &format!("{root} = {}\n", literal(&cases.scope[root]));
    }
    source += &format!("def evaluate({}):\n    return {text}\n", ROOTS.join(", "));
    Module::with_temp_heap(|module| {
        let globals = Globals::extended_by(&[LibraryExtension::StructType]);
        Evaluator::new(&module).eval_module(parse(&source).ok()?, &globals).ok()?;
        module.freeze().ok()
    })
}

/// Objects are structs there, so that their members are attributes.
fn literal(json: &Json) -> String {
    match json {
        Json::Null => "None".into(),
        Json::Bool(value) => if *value { "True" } else { "False" }.into(),
        Json::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Json::Object(members) => {
            let members: Vec<_> = members.iter().map(|(key, value)| format!("{key} = {}", literal(value))).collect();
            format!("struct({})", members.join(", "))
        }
        Json::Number(_) | Json::String(_) => json.to_string(),
    }
}

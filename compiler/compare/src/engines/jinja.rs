//! minijinja: the expressions of its templates.

use std::collections::BTreeMap;
use std::hint::black_box;

use minijinja::{Environment, Value};
use serde_json::Value as Json;

use super::{Timing, agrees};
use crate::cases::{self, Cases};
use crate::measure;

pub(super) fn time(cases: &Cases) -> Vec<Option<Timing>> {
    let environment = Environment::new();
    let scope = convert(&cases.scope);
    cases.expressions.iter().map(|text| time_one(text, cases, &environment, &scope)).collect()
}

fn time_one(text: &str, cases: &Cases, environment: &Environment<'_>, scope: &Value) -> Option<Timing> {
    let spelled = cases::spell(cases::MINIJINJA, text)?;
    let compiled = environment.compile_expression(spelled).ok()?;
    let value = compiled
        .eval(scope.clone())
        .ok()
        .and_then(|value| serde_json::from_str(&serde_json::to_string(&value).ok()?).ok());
    if !agrees("minijinja", cases, text, value.as_ref()) {
        return None;
    }
    Some(Timing {
        read: measure::time(|| drop(black_box(environment.compile_expression(black_box(spelled))))),
        evaluate: measure::time(|| drop(black_box(compiled.eval(black_box(scope.clone()))))),
        unlimited: None,
    })
}

fn convert(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => number.as_i64().map_or_else(|| Value::from(number.as_f64()), Value::from),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(convert).collect(),
        Json::Object(members) => {
            let members: BTreeMap<String, Value> =
                members.iter().map(|(key, value)| (key.clone(), convert(value))).collect();
            Value::from(members)
        }
    }
}

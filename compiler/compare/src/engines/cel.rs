//! cel: the Common Expression Language.

use std::collections::HashMap;
use std::hint::black_box;

use cel::{Context, Program, Value};
use serde_json::Value as Json;

use super::{Timing, agrees};
use crate::cases::{self, Cases};
use crate::measure;

pub(super) fn time(cases: &Cases) -> Vec<Option<Timing>> {
    let mut context = Context::default();
    for name in ["constants", "options", "locals", "device"] {
        context.add_variable_from_value(name, convert(&cases.scope[name]));
    }
    cases.expressions.iter().map(|text| time_one(text, cases, &context)).collect()
}

fn time_one(text: &str, cases: &Cases, context: &Context<'_, '_>) -> Option<Timing> {
    let spelled = cases::spell(cases::CEL, text)?;
    let program = Program::compile(spelled).ok()?;
    let value = program.execute(context).ok().and_then(|value| value.json().ok());
    if !agrees("cel", cases, text, value.as_ref()) {
        return None;
    }
    Some(Timing {
        read: measure::time(|| drop(black_box(Program::compile(black_box(spelled))))),
        evaluate: measure::time(|| drop(black_box(program.execute(black_box(context))))),
        unlimited: None,
    })
}

fn convert(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap_or(f64::NAN)), Value::Int)
        }
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::from(items.iter().map(convert).collect::<Vec<_>>()),
        Json::Object(members) => {
            Value::from(members.iter().map(|(key, value)| (key.clone(), convert(value))).collect::<HashMap<_, _>>())
        }
    }
}

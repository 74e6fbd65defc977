//! Whether an answer fits its prompt.

use serde_json::{Number, Value};

use crate::worker::message::{Button, Kind, Prompt, whole};

/// The answer as the test gets it; the error says what was expected.
pub(crate) fn accept(prompt: &Prompt, value: &Value) -> Result<Value, String> {
    match prompt.kind {
        Kind::Buttons | Kind::Select | Kind::Radios => one_of(prompt, value),
        Kind::MultiSelect | Kind::Checkboxes => some_of(prompt, value),
        Kind::PassFail if value.is_boolean() => Ok(value.clone()),
        Kind::PassFail => Err("expected `true` or `false`".into()),
        Kind::Text | Kind::Scan => match value.as_str() {
            Some(text) => fits_text(prompt, text).map(|()| value.clone()),
            None => Err("expected a string".into()),
        },
        Kind::Number => match value.as_number() {
            Some(number) => fits_number(prompt, number).map(|()| value.clone()),
            None => Err("expected a number".into()),
        },
        Kind::Image | Kind::Link | Kind::Html | Kind::Note | Kind::Steps | Kind::Countdown => match value {
            Value::Bool(true) => Ok(value.clone()),
            _ => Err("expected `true`, for it is only confirmed".into()),
        },
    }
}

/// Numbers are the same however they are written.
fn is_same(one: &Value, other: &Value) -> bool {
    one == other || (one.is_number() && one.as_f64() == other.as_f64())
}

fn place(options: &[Button], value: &Value) -> Option<usize> {
    options.iter().position(|option| is_same(&option.value, value))
}

fn one_of(prompt: &Prompt, value: &Value) -> Result<Value, String> {
    let options = prompt.options();
    match place(options, value) {
        Some(place) => Ok(options[place].value.clone()),
        None => Err(format!("expected one of {}", values(options))),
    }
}

fn values(options: &[Button]) -> String {
    options.iter().map(|option| option.value.to_string()).collect::<Vec<_>>().join(", ")
}

fn some_of(prompt: &Prompt, value: &Value) -> Result<Value, String> {
    let options = prompt.options();
    let chosen = value.as_array().ok_or("expected an array of values")?;
    let mut places = Vec::new();
    for value in chosen {
        places.push(place(options, value).ok_or_else(|| format!("{value} is none of {}", values(options)))?);
    }
    places.sort_unstable();
    places.dedup();
    let number = places.len();
    match (prompt.min_choices, prompt.max_choices) {
        (Some(least), _) if number < least => Err(format!("{number} are chosen, expected {least} or more")),
        (_, Some(most)) if number > most => Err(format!("{number} are chosen, expected {most} or fewer")),
        _ => Ok(places.into_iter().map(|place| options[place].value.clone()).collect()),
    }
}

fn fits_text(prompt: &Prompt, text: &str) -> Result<(), String> {
    if let Some(size) = prompt.size.filter(|&size| text.chars().count() > size) {
        return Err(format!("expected {size} characters or fewer"));
    }
    match &prompt.pattern {
        Some(pattern) if !whole(pattern)?.is_match(text) => Err(format!("expected a text that matches `{pattern}`")),
        Some(_) | None => Ok(()),
    }
}

fn fits_number(prompt: &Prompt, number: &Number) -> Result<(), String> {
    let value = number.as_f64().filter(|value| value.is_finite()).ok_or("it is too large")?;
    if prompt.integer == Some(true) && value.fract() != 0.0 {
        return Err("expected an integer".into());
    }
    let limit = |limit: &Option<Number>| limit.as_ref().and_then(Number::as_f64);
    match (limit(&prompt.min), limit(&prompt.max)) {
        (Some(min), _) if value < min => Err(format!("expected {min} or more")),
        (_, Some(max)) if value > max => Err(format!("expected {max} or less")),
        _ => Ok(()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::worker::message::Message;
    use serde_json::json;

    /// A prompt as a test would send it.
    pub fn prompt(params: Value) -> Prompt {
        match Message::read("prompt", Some(params)) {
            Some(Ok(Message::Prompt(prompt))) => *prompt,
            other => panic!("no prompt: {other:?}"),
        }
    }

    #[test]
    fn answers_are_held_against_their_prompts() {
        let fits = |params: &Value, value: Value| accept(&prompt(params.clone()), &value);
        let buttons = json!({"kind": "buttons", "text": "a", "buttons": [{"label": "Y", "value": 1}, {"label": "N", "value": {"no": 1}}]});
        assert_eq!(fits(&buttons, json!(1.0)), Ok(json!(1)));
        assert_eq!(fits(&buttons, json!({"no": 1})), Ok(json!({"no": 1})));
        assert_eq!(fits(&buttons, json!("Y")), Err("expected one of 1, {\"no\":1}".into()));
        let boxes = json!({"kind": "checkboxes", "text": "a", "min_choices": 1, "max_choices": 2,
            "choices": [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}, {"label": "C", "value": "c"}]});
        assert_eq!(fits(&boxes, json!(["c", "a", "c"])), Ok(json!(["a", "c"])));
        assert!(fits(&boxes, json!([])).expect_err("none").contains("1 or more"));
        assert!(fits(&boxes, json!(["a", "b", "c"])).expect_err("all").contains("2 or fewer"));
        assert!(fits(&boxes, json!(["x"])).expect_err("another").contains("\"x\" is none of"));
        let scan = json!({"kind": "scan", "text": "a", "pattern": "HRN-[0-9]{2}"});
        assert!(fits(&scan, json!("HRN-12")).is_ok() && fits(&scan, json!("HRN-123")).is_err());
        let number = json!({"kind": "number", "text": "a", "min": 0, "max": 5, "integer": true});
        assert!(fits(&number, json!(5)).is_ok() && fits(&number, json!(5.5)).is_err());
        assert!(
            fits(&number, json!(-1)).is_err() && fits(&number, json!(6)).is_err() && fits(&number, json!("1")).is_err()
        );
        assert!(fits(&json!({"kind": "text", "text": "a", "size": 2}), json!("äöü")).is_err());
        assert!(fits(&json!({"kind": "pass_fail", "text": "a"}), json!(false)).is_ok());
        assert!(fits(&json!({"kind": "note", "text": "a"}), json!(false)).is_err());
    }
}

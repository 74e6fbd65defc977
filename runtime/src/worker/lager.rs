//! Reads the event lines of Lager's factory steps: `\x02FACTORY:` and a JSON object.
//!
//! In: lines of a program's stdout. Out: what they mean as messages of the worker's protocol, methods and parameters, and prompts, whose
//! answer is a line `{"value": …}` on stdin. A line that is no event is a line of the log and nothing else; an event that nobody knows is
//! ignored. Several dialects are in use; what they say differently is read in all their forms.

use serde_json::{Map, Value, json};

/// What every event line begins with.
pub(super) const PREFIX: &str = "\u{2}FACTORY:";

/// What a line means.
#[derive(Debug, PartialEq)]
pub(super) enum Event {
    /// A message: its method and its parameters.
    Says(&'static str, Value),
    /// The parameters of a prompt.
    Asks(Value),
    /// An event from which nothing follows.
    Nothing,
}

/// A reader of one output.
#[derive(Debug, Default)]
pub(super) struct Lager {
    /// The name of the step that runs.
    step: Option<String>,
    /// What the step says it does now.
    heading: Option<String>,
    /// Why the step failed.
    error: Option<String>,
    /// Shown with the prompts of the step.
    image: Option<String>,
    link: Option<Value>,
}

impl Lager {
    /// Reads one line; `None` if it is none of ours.
    pub fn line(&mut self, line: &str) -> Option<Event> {
        let event: Map<String, Value> = serde_json::from_str(line.strip_prefix(PREFIX)?).ok()?;
        let kind = text(event.get("type"))?;
        let data = event.get("data").unwrap_or(&Value::Null);
        Some(match kind {
            "start" => self.start(&event),
            "done" => self.done(&event, data),
            "error" => self.failed(&event, data),
            "lager-log" => log(&event),
            "update_heading" => self.update_heading(data),
            "present_image" | "update_image" => self.show_image(data),
            "hide_image" => self.forget(|lager| lager.image = None),
            "present_link" => self.show_link(data),
            "present_buttons" => self.ask("buttons", data, json!({ "buttons": choices(data) })),
            "present_pass_fail_buttons" => self.ask("pass_fail", data, json!({})),
            "present_text_input" => self.ask("text", data, json!({})),
            "present_radios" => self.ask("radios", data, choosing(data)),
            "present_checkboxes" => self.ask("checkboxes", data, choosing(data)),
            "present_select" if data["allow_multiple"] == true => self.ask("multi_select", data, choosing(data)),
            "present_select" => self.ask("select", data, choosing(data)),
            "lager-factory-complete" => complete(&event),
            _ => Event::Nothing,
        })
    }

    fn start(&mut self, event: &Map<String, Value>) -> Event {
        let name = text(event.get("name")).or_else(|| text(event.get("class"))).unwrap_or("step").to_owned();
        *self = Self { step: Some(name.clone()), ..Self::default() };
        Event::Says("heading", json!({ "text": name }))
    }

    fn done(&mut self, event: &Map<String, Value>, data: &Value) -> Event {
        let class = text(event.get("class")).unwrap_or("step");
        let before = std::mem::take(self);
        let outcome = if data == &Value::Bool(true) { "passed" } else { "failed" };
        let mut part = json!({ "name": before.step.as_deref().unwrap_or(class), "outcome": outcome });
        if let (Some(error), "failed") = (before.error, outcome) {
            part["message"] = error.into();
        }
        Event::Says("result", part)
    }

    fn failed(&mut self, event: &Map<String, Value>, data: &Value) -> Event {
        let said = match (text(data.get("exc_cls")), text(data.get("exc_str"))) {
            (Some(class), Some(said)) if !said.is_empty() => Some(format!("{class}: {said}")),
            (Some(class), _) => Some(class.to_owned()),
            (None, _) => text(event.get("message")).or_else(|| text(data.get("message"))).map(str::to_owned),
        };
        self.error = said.clone().filter(|said| !said.is_empty());
        let trace = text(data.get("message")).map(str::to_owned).or(said).unwrap_or_default();
        Event::Says("log", json!({ "text": trace, "level": "error" }))
    }

    fn update_heading(&mut self, data: &Value) -> Event {
        let heading = data.as_str().or_else(|| data["text"].as_str()).unwrap_or_default();
        self.heading = Some(heading.to_owned()).filter(|heading| !heading.is_empty());
        Event::Says("heading", json!({ "text": heading }))
    }

    fn show_image(&mut self, data: &Value) -> Event {
        let Some(file) = data.as_str().or_else(|| data["filename"].as_str()) else { return Event::Nothing };
        self.image = Some(file.to_owned());
        Event::Says("log", json!({ "text": format!("shows the image {file}") }))
    }

    fn show_link(&mut self, data: &Value) -> Event {
        let Some(url) = data.as_str().or_else(|| data["url"].as_str()) else { return Event::Nothing };
        let name = data["text"].as_str().filter(|name| !name.is_empty()).unwrap_or(url);
        self.link = Some(json!({ "url": url, "text": name }));
        Event::Says("log", json!({ "text": format!("shows the link {url}") }))
    }

    fn forget(&mut self, what: impl FnOnce(&mut Self)) -> Event {
        what(self);
        Event::Nothing
    }

    /// A prompt; it asks what it says, else what the step does, and shows what the step shows.
    fn ask(&self, kind: &str, data: &Value, more: Value) -> Event {
        let own =
            data.get("prompt").or_else(|| data.get("label")).and_then(Value::as_str).filter(|text| !text.is_empty());
        let asked = own.or(self.heading.as_deref()).or(self.step.as_deref()).unwrap_or("?");
        let mut prompt = json!({ "kind": kind, "text": asked });
        if let Some(step) = self.step.as_deref().filter(|&step| step != asked) {
            prompt["title"] = step.into();
        }
        if let Some(image) = &self.image {
            prompt["image"] = json!({ "path": image });
        }
        if let Some(link) = &self.link {
            prompt["link"] = link.clone();
        }
        if let Some(seconds) = data.get("timeout").and_then(Value::as_f64).filter(|&seconds| seconds > 0.0) {
            prompt["timeout_secs"] = seconds.into();
        }
        if let (Some(prompt), Value::Object(more)) = (prompt.as_object_mut(), more) {
            prompt.extend(more);
        }
        Event::Asks(prompt)
    }
}

/// The answer to a prompt, as a line for stdin.
pub(super) fn answer(value: &Value) -> Vec<u8> {
    let mut line = json!({ "value": value }).to_string().into_bytes();
    line.push(b'\n');
    line
}

fn text(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str)
}

fn log(event: &Map<String, Value>) -> Event {
    Event::Says("log", json!({ "text": text(event.get("content")).unwrap_or_default() }))
}

fn choosing(data: &Value) -> Value {
    json!({ "choices": choices(data.get("choices").unwrap_or(&Value::Null)) })
}

/// Pairs of a label and a value, or texts that are both.
fn choices(data: &Value) -> Vec<Value> {
    let label = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let choice = |choice: &Value| match choice.as_array().map(Vec::as_slice) {
        Some([name, value, ..]) => json!({ "label": label(name), "value": value }),
        Some([both]) => json!({ "label": label(both), "value": both }),
        Some([]) | None => json!({ "label": label(choice), "value": choice }),
    };
    data.as_array().into_iter().flatten().map(choice).collect()
}

/// The end of all steps is the end of the test.
fn complete(event: &Map<String, Value>) -> Event {
    if event.get("result") == Some(&Value::Bool(true)) {
        return Event::Says("finished", json!({ "outcome": "passed" }));
    }
    let step = text(event.get("failed_step")).filter(|step| !step.is_empty());
    let message = step.map_or("a step failed".to_owned(), |step| format!("the step `{step}` failed"));
    Event::Says("finished", json!({ "outcome": "failed", "message": message }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(lager: &mut Lager, event: &Value) -> Event {
        lager.line(&format!("{PREFIX}{event}")).expect("an event")
    }

    #[test]
    fn steps_become_parts_and_their_end_the_end_of_the_test() {
        let mut lager = Lager::default();
        let start = json!({"type": "start", "class": "CheckRail", "name": "Check the rail"});
        assert_eq!(read(&mut lager, &start), Event::Says("heading", json!({"text": "Check the rail"})));
        let error = json!({"type": "error", "class": "CheckRail", "message": "too low"});
        assert_eq!(read(&mut lager, &error), Event::Says("log", json!({"text": "too low", "level": "error"})));
        let done = json!({"type": "done", "class": "CheckRail", "data": false, "stop_on_fail": true});
        let part = json!({"name": "Check the rail", "outcome": "failed", "message": "too low"});
        assert_eq!(read(&mut lager, &done), Event::Says("result", part));
        let end =
            json!({"type": "lager-factory-complete", "result": false, "success": 0, "failure": 1, "failed_step": "A"});
        let finished = json!({"outcome": "failed", "message": "the step `A` failed"});
        assert_eq!(read(&mut lager, &end), Event::Says("finished", finished));
    }

    #[test]
    fn an_error_is_read_in_both_forms() {
        let data = json!({"exc_cls": "ValueError", "exc_str": "bad", "message": "Traceback …"});
        let mut lager = Lager::default();
        let log = read(&mut lager, &json!({"type": "error", "class": "A", "data": data}));
        assert_eq!(log, Event::Says("log", json!({"text": "Traceback …", "level": "error"})));
        let done = read(&mut lager, &json!({"type": "done", "class": "A", "data": false}));
        assert_eq!(
            done,
            Event::Says("result", json!({"name": "A", "outcome": "failed", "message": "ValueError: bad"}))
        );
    }

    #[test]
    fn prompts_of_every_kind_are_asked() {
        let mut lager = Lager::default();
        read(&mut lager, &json!({"type": "start", "class": "Ask", "name": "Ask"}));
        let mut ask =
            |kind: &str, data: Value| match read(&mut lager, &json!({"type": kind, "class": "Ask", "data": data})) {
                Event::Asks(prompt) => prompt,
                other => panic!("{other:?}"),
            };
        assert_eq!(
            ask("present_buttons", json!([["Pass", true], ["Fail", false]])),
            json!({"kind": "buttons", "text": "Ask", "buttons": [{"label": "Pass", "value": true}, {"label": "Fail", "value": false}]})
        );
        assert_eq!(
            ask("present_text_input", json!({"prompt": "Serial", "size": 25})),
            json!({"kind": "text", "text": "Serial", "title": "Ask"})
        );
        assert_eq!(
            ask("present_select", json!({"label": "Which", "choices": ["a", 2], "allow_multiple": true})),
            json!({"kind": "multi_select", "text": "Which", "title": "Ask",
                   "choices": [{"label": "a", "value": "a"}, {"label": "2", "value": 2}]})
        );
        assert_eq!(
            ask("present_radios", json!({"label": "Which", "choices": [["A", 1]], "timeout": 3}))["timeout_secs"],
            3.0
        );
        assert_eq!(answer(&json!(["a", true])), b"{\"value\":[\"a\",true]}\n");
    }

    #[test]
    fn what_a_step_shows_is_shown_with_its_prompts_until_it_ends() {
        let mut lager = Lager::default();
        read(&mut lager, &json!({"type": "present_image", "data": {"filename": "board.png"}}));
        read(&mut lager, &json!({"type": "present_link", "data": {"url": "http://a", "text": ""}}));
        read(&mut lager, &json!({"type": "update_heading", "data": {"text": "Look"}}));
        let buttons = json!({"type": "present_buttons", "data": ["Go"]});
        let Event::Asks(prompt) = read(&mut lager, &buttons) else { panic!("a prompt") };
        assert_eq!((&prompt["image"]["path"], &prompt["link"]["text"]), (&json!("board.png"), &json!("http://a")));
        assert_eq!(prompt["text"], "Look");
        read(&mut lager, &json!({"type": "done", "class": "A", "data": true}));
        let Event::Asks(prompt) = read(&mut lager, &buttons) else { panic!("a prompt") };
        assert!(prompt.get("image").is_none() && prompt.get("link").is_none());
    }

    #[test]
    fn what_is_no_event_is_left_to_the_log() {
        let mut lager = Lager::default();
        for line in [
            "hello",
            "\u{2}FACTORY:",
            "\u{2}FACTORY:{",
            "\u{2}FACTORY:[]",
            "\u{2}FACTORY:{}",
            " \u{2}FACTORY:{\"type\":\"done\"}",
        ] {
            assert_eq!(lager.line(line), None, "{line:?}");
        }
        assert_eq!(lager.line(&format!("{PREFIX}{}", "[".repeat(100_000))), None);
        assert_eq!(lager.line("\u{2}FACTORY:{\"type\":\"dance\"}"), Some(Event::Nothing));
    }

    proptest! {
        #[test]
        fn nothing_panics(kind in "(start|done|error|lager-log|update_heading|present_[a-z_]{4,20}|hide_image|lager-factory-complete)", data in "(\\{.{0,20}\\}|\\[.{0,20}\\]|.{0,20}|null|\\[\\[\\],1\\])") {
            let mut lager = Lager::default();
            let _ = lager.line(&format!("{PREFIX}{{\"type\":\"{kind}\",\"data\":{data}}}"));
            let _ = lager.line(&data);
        }
    }
}

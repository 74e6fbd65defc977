//! What attempts reported, as lines below their tests: measurements, parts, attachments, notes and prompts; and who took part.

use serde_json::Value;

use super::output::{Colour, Output};
use crate::store::{AttachmentRow, AttemptRow, MeasurementRow, NoteRow, PartRow, PromptRow};
use crate::worker::measure::{expected, tidy};
use crate::worker::message::Limits;

/// No attempt shows more of them; the rest is counted.
const SHOWN: usize = 100;

/// No line is longer, in characters.
const WIDTH: usize = 400;

/// All that an attempt reported, in its order.
pub(super) fn lines(attempt: &AttemptRow, several: bool, output: &Output) -> String {
    let mut items: Vec<(u32, String)> = Vec::new();
    items.extend(attempt.measurements.iter().map(|row| (row.position, measurement(row, output))));
    items.extend(attempt.results.iter().map(|row| (row.position, part(row, output))));
    items.extend(attempt.attachments.iter().map(|row| (row.position, attachment(row, output))));
    items.extend(attempt.notes.iter().map(|row| (row.position, note(row, output))));
    items.extend(attempt.prompts.iter().map(|row| (row.position, prompt(row, output))));
    items.sort_by_key(|(position, _)| *position);
    let mut text = String::new();
    if several && !items.is_empty() {
        let outcome = attempt.outcome.as_deref().unwrap_or("not finished");
        text += &format!("      start {}: {outcome}\n", attempt.number);
    }
    let more = items.len().saturating_sub(SHOWN);
    text.extend(items.into_iter().take(SHOWN).map(|(_, line)| line));
    if more > 0 {
        text += &format!("      ({more} more: --format json)\n");
    }
    text
}

fn line(word: &str, colour: Colour, text: &str, output: &Output) -> String {
    let text: String =
        text.replace('\n', " ").chars().filter(|character| !character.is_control()).take(WIDTH).collect();
    format!("      {} {text}\n", output.paint(&format!("{word:<10}"), colour))
}

fn colour(outcome: &str) -> Colour {
    match outcome {
        "passed" => Colour::Green,
        "failed" | "error" => Colour::Red,
        _ => Colour::Yellow,
    }
}

fn measurement(row: &MeasurementRow, output: &Output) -> String {
    let limits: Limits = serde_json::from_str(&row.limits).unwrap_or_default();
    let unit = row.unit.as_deref().filter(|unit| !unit.is_empty() && *unit != "1");
    let value = match (&row.value, &row.series) {
        (Some(value), _) => with_unit(&plain(value), unit),
        (None, Some(series)) => series_in_words(series),
        (None, None) => String::new(),
    };
    let wanted = if limits.is_empty() { String::new() } else { format!(", expected {}", expected(&limits, unit)) };
    let wanted = match &row.message {
        // It names what is beyond the limits.
        Some(message) if row.series.is_some() => format!(": {}", message.split_once(": ").map_or("", |(_, rest)| rest)),
        Some(_) | None => wanted,
    };
    line(&row.outcome, colour(&row.outcome), &format!("{} = {value}{wanted}", row.name), output)
}

fn with_unit(value: &str, unit: Option<&str>) -> String {
    unit.map_or_else(|| value.to_owned(), |unit| format!("{value} {unit}"))
}

/// A value as people write it: a text as it is, and numbers that JSON has none for by their names.
fn plain(value: &str) -> String {
    match serde_json::from_str::<Value>(value) {
        Ok(Value::Object(members)) => {
            members.get("nonfinite").and_then(Value::as_str).map_or_else(|| value.to_owned(), str::to_owned)
        }
        Ok(Value::Number(_)) => tidy(value),
        Ok(_) | Err(_) => value.to_owned(),
    }
}

fn series_in_words(series: &str) -> String {
    let axes: Vec<Value> = serde_json::from_str(series).unwrap_or_default();
    let names: Vec<&str> = axes.iter().filter_map(|axis| axis["name"].as_str()).collect();
    let values = axes.first().and_then(|axis| axis["values"].as_array()).map_or(0, Vec::len);
    format!("{values} values of {}", names.join(", "))
}

fn part(row: &PartRow, output: &Output) -> String {
    let time = row.duration_secs.map_or_else(String::new, |seconds| format!(" ({seconds:.2} s)"));
    let why = row.message.as_ref().map_or_else(String::new, |message| format!(": {message}"));
    line(&row.outcome, colour(&row.outcome), &format!("{}{time}{why}", row.name), output)
}

fn attachment(row: &AttachmentRow, output: &Output) -> String {
    let AttachmentRow { name, media_type, size, .. } = row;
    let description = row.description.as_ref().map_or_else(String::new, |text| format!(": {text}"));
    let content = row.content.as_ref().map_or_else(String::new, |path| path.display().to_string());
    let shown = line("file", Colour::Dim, &format!("{name} ({media_type}, {size} bytes){description}"), output);
    format!("{shown}                 {content}\n")
}

fn note(row: &NoteRow, output: &Output) -> String {
    let colour = if row.level == "info" { Colour::Dim } else { Colour::Yellow };
    line("note", colour, &format!("{}: {}", row.level, row.text), output)
}

fn prompt(row: &PromptRow, output: &Output) -> String {
    let answer = match (&row.answer, &row.answered_by) {
        (Some(answer), Some(by)) => format!("{answer} (by {by})"),
        (Some(answer), None) => answer.clone(),
        (None, _) => row.state.clone(),
    };
    line("prompt", Colour::Dim, &format!("{}: {} → {answer}", row.name, row.text), output)
}

/// Who and what took part, as far as it is known.
pub(super) fn identity(identity: &str, output: &Output) -> String {
    let Ok(Value::Object(members)) = serde_json::from_str(identity) else { return String::new() };
    let mut text = String::new();
    for (name, value) in &members {
        match value {
            Value::Array(parties) => {
                for party in parties {
                    text += &format!("  {}: {}\n", singular(name), facts(party));
                }
            }
            other => {
                let facts = facts(other);
                if !facts.is_empty() {
                    text += &format!("  {name}: {facts}\n");
                }
                for part in other["sub_units"].as_array().into_iter().flatten() {
                    text += &format!("  sub unit: {}\n", self::facts(part));
                }
            }
        }
    }
    if text.is_empty() { text } else { format!("\n{}\n{text}", output.paint("Identity", Colour::Bold)) }
}

fn singular(name: &str) -> &str {
    name.strip_suffix('s').unwrap_or(name)
}

/// `serial_number HRN-1, name Heron`, with the facts of `info` after the rest.
fn facts(value: &Value) -> String {
    let own = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let Value::Object(members) = value else { return own(value) };
    let known = members.iter().filter(|(_, value)| !value.is_object() && !value.is_array());
    let info = members.get("info").and_then(Value::as_object).into_iter().flatten();
    let facts: Vec<String> = known.chain(info).map(|(name, value)| format!("{name} {}", own(value))).collect();
    facts.join(", ").chars().filter(|character| !character.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_reported_is_shown_in_its_order() {
        let attempt = AttemptRow {
            number: 2,
            outcome: Some("failed".into()),
            measurements: vec![
                MeasurementRow {
                    position: 1,
                    name: "rail".into(),
                    value: Some("3.01".into()),
                    unit: Some("V".into()),
                    limits: r#"{"min":3.2,"max":3.4}"#.into(),
                    outcome: "failed".into(),
                    ..MeasurementRow::default()
                },
                MeasurementRow {
                    position: 2,
                    name: "sweep".into(),
                    series: Some(r#"[{"name":"f","values":[1]},{"name":"loss","values":[-9]}]"#.into()),
                    limits: r#"{"max":-10}"#.into(),
                    outcome: "failed".into(),
                    message: Some("sweep: loss -9 dB at f 1, expected -10 dB or less".into()),
                    ..MeasurementRow::default()
                },
                MeasurementRow {
                    position: 3,
                    name: "seen".into(),
                    value: Some(r#"{"nonfinite":"nan"}"#.into()),
                    limits: "{}".into(),
                    outcome: "unset".into(),
                    ..MeasurementRow::default()
                },
            ],
            results: vec![PartRow {
                position: 0,
                name: "blue LED".into(),
                outcome: "passed".into(),
                duration_secs: Some(0.4),
                ..PartRow::default()
            }],
            attachments: vec![AttachmentRow {
                position: 4,
                name: "a.png".into(),
                media_type: "image/png".into(),
                size: 7,
                content: Some("/store/ab/abcd".into()),
                ..AttachmentRow::default()
            }],
            notes: vec![NoteRow {
                position: 5,
                level: "warning".into(),
                text: "pins\x1b".into(),
                ..NoteRow::default()
            }],
            prompts: vec![PromptRow {
                position: 6,
                name: "serial".into(),
                text: "Scan".into(),
                state: "answered".into(),
                answer: Some("\"HRN-1\"".into()),
                answered_by: Some("answers".into()),
                ..PromptRow::default()
            }],
            ..AttemptRow::default()
        };
        let identity = identity(
            r#"{"dut":{"serial_number":"HRN-1","info":{"sw":2},"sub_units":[{"name":"radio"}]},"batch":"7","instruments":[{"name":"DMM"}]}"#,
            &Output::plain(),
        );
        insta::assert_snapshot!(lines(&attempt, true, &Output::plain()) + &identity);
    }
}

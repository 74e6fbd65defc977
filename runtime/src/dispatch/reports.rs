//! What tests report and ask: recorded, and answered when it is durable.

use serde_json::json;
use tlc_plan::Data;

use super::turn::{Deed, Record, Shown};
use super::{Course, Dispatch, identity};
use crate::schedule::{DeviceChange, Event};
use crate::store::{AttachmentRow, Change, ItemRow, MeasurementRow, NoteRow, PartRow, PromptRow, time};
use crate::worker::MESSAGE_LIMIT;
use crate::worker::desk::{Answer, Call, Item, Question, Refusal, Reported, Signal};
use crate::worker::measure::{Judged, as_json};
use crate::worker::message::{Identities, Limits, NoteLevel, PartOutcome};

impl Dispatch<'_> {
    /// Takes what an attempt sent.
    pub(super) fn signalled(
        &mut self,
        course: &mut Course,
        path: String,
        attempt: u32,
        signal: Signal,
        record: &mut Record,
        deeds: &mut Vec<Deed>,
    ) {
        // What comes after its end is nobody's.
        let Some(running) = course.running.get(&(path.clone(), attempt)) else { return };
        let invocation = running.invocation.clone();
        let Call { items, question, durable, reply } = match signal {
            Signal::Display(display) => return deeds.push(Deed::Show(Shown::Display { path, display })),
            Signal::Call(call) => call,
        };
        self::record(course, &path, &invocation, items, record);
        let terminal = match &question {
            Question::TakeTerminal => Some(true),
            Question::GiveTerminalBack => Some(false),
            Question::Nothing | Question::Identity(_) | Question::Data(_) => None,
        };
        let answer = match question {
            Question::Nothing | Question::TakeTerminal | Question::GiveTerminalBack => Ok(json!({})),
            Question::Identity(identity) => self.identify(course, &path, &invocation, *identity, record),
            Question::Data(request) => {
                let (answer, effect) = self.spaces.ask(request, self.schedule.device());
                if !effect.changes.is_empty() {
                    record.entries.push(course.journal.data_changed(&path, &invocation, &effect.changes));
                    record.changes.extend(effect.changes);
                }
                self.change_device(course, effect.device, record, deeds);
                answer
            }
        };
        record.awaited |= durable;
        deeds.push(Deed::Reply { answer, reply, terminal });
    }

    fn identify(
        &mut self,
        course: &Course,
        path: &str,
        invocation: &str,
        added: Identities,
        record: &mut Record,
    ) -> Answer {
        let (merged, answer) = identity::merged(&self.identity, added)?;
        let identity = serde_json::to_string(&merged).unwrap_or_default();
        if identity.len() > MESSAGE_LIMIT {
            return Err(Refusal::unfit(format!("`identity`: it would be longer than {MESSAGE_LIMIT} bytes in all")));
        }
        self.identity = merged;
        identity::unit(&self.identity).clone_into(&mut self.run.unit);
        record.entries.push(course.journal.identified(path, invocation, &self.identity));
        record.changes.push(Change::Identity {
            identity,
            unit: self.run.unit.clone(),
            operator: self.identity.operator.clone().unwrap_or_default(),
        });
        Ok(answer)
    }

    /// The scheduler sees it before it evaluates the next condition.
    fn change_device(
        &mut self,
        course: &mut Course,
        changes: Vec<DeviceChange>,
        record: &mut Record,
        deeds: &mut Vec<Deed>,
    ) {
        if changes.is_empty() {
            return;
        }
        self.schedule(course, Event::DeviceDataChanged { changes }, record, deeds);
        record.changes.push(Change::DeviceData { value: Data::to_string(self.schedule.device()) });
    }
}

/// Records what an attempt reported.
pub(super) fn record(course: &Course, path: &str, invocation: &str, items: Vec<Item>, record: &mut Record) {
    if items.is_empty() {
        return;
    }
    let rows: Vec<ItemRow> = items.into_iter().map(|item| row(invocation, item)).collect();
    record.entries.push(course.journal.reported(path, invocation, &rows));
    record.changes.extend(rows.into_iter().map(|row| Change::Item(Box::new(row))));
}

fn row(invocation: &str, item: Item) -> ItemRow {
    let Item { position, at, what } = item;
    let (invocation, at) = (invocation.to_owned(), time(at));
    match what {
        Reported::Measurement(judged) => ItemRow::Measurement(measurement(invocation, position, at, *judged)),
        Reported::Result(part) => ItemRow::Result(PartRow {
            invocation,
            position,
            at,
            name: part.name,
            outcome: outcome(part.outcome).into(),
            message: part.message,
            duration_secs: part.duration_secs,
        }),
        Reported::Attachment(kept) => ItemRow::Attachment(AttachmentRow {
            invocation,
            position,
            at,
            name: kept.name,
            media_type: kept.media_type,
            description: kept.description,
            size: kept.size,
            sha256: kept.sha256,
            content: None,
        }),
        Reported::Note(note) => ItemRow::Note(NoteRow {
            invocation,
            position,
            at,
            level: level(note.level).into(),
            key: note.key,
            text: note.text,
        }),
        Reported::Prompt(prompt) => ItemRow::Prompt(PromptRow {
            invocation,
            position,
            at,
            name: prompt.name,
            kind: prompt.kind.into(),
            text: prompt.text,
            state: prompt.state.name().into(),
            answer: prompt.answer.map(|answer| answer.to_string()),
            answered_by: prompt.by.map(str::to_owned),
            answered_at: prompt.over_at.map(time),
        }),
    }
}

fn measurement(invocation: String, position: u32, at: String, judged: Judged) -> MeasurementRow {
    let Judged { measurement, limits, unit, label, verdict, message } = judged;
    MeasurementRow {
        invocation,
        position,
        at,
        name: measurement.name,
        label: label.map(|label| label.in_locale("").to_owned()),
        group: measurement.group,
        value: measurement.value.map(|value| as_json(&value).to_string()),
        series: measurement.series.map(|series| serde_json::to_string(&series).unwrap_or_default()),
        unit,
        limits: limits_row(&limits),
        outcome: verdict.name().into(),
        message,
    }
}

fn limits_row(limits: &Limits) -> String {
    serde_json::to_string(limits).unwrap_or_default()
}

fn outcome(outcome: PartOutcome) -> &'static str {
    match outcome {
        PartOutcome::Passed => "passed",
        PartOutcome::Failed => "failed",
        PartOutcome::Error => "error",
        PartOutcome::Skipped => "skipped",
    }
}

fn level(level: NoteLevel) -> &'static str {
    match level {
        NoteLevel::Info => "info",
        NoteLevel::Warning => "warning",
        NoteLevel::Critical => "critical",
    }
}
